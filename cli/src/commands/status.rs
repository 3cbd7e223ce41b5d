//! `slate status`.

use super::{
    Context,
    sessions::{self, SessionDoc},
};
use crate::{
    args,
    failure::{Failure, Status},
    locate::Located,
    print::printable,
    units,
};
use serde::Serialize;
use slateboard::{Board, Liveness, Metrics, Reader, SessionInfo};
use std::{io::IsTerminal, thread, time::Duration};

const REFRESH: Duration = Duration::from_secs(1);

/// `status --json`.
#[derive(Serialize)]
struct StatusDoc<'a> {
    path: String,
    found_by: &'static str,
    healthy: bool,
    /// What needs attention, each a sentence.
    attention: &'a [String],
    generation: u64,
    floor: u64,
    history: u64,
    keys: u64,
    slots: u64,
    capacity: u64,
    claimed: u64,
    used: u64,
    history_bytes: u64,
    sessions_max: u64,
    sessions: Vec<SessionDoc<'a>>,
    totals: TotalsDoc,
}

/// Sums over all sessions that ever were.
#[derive(Serialize)]
struct TotalsDoc {
    puts: u64,
    removes: u64,
    conflicts: u64,
    retries: u64,
    helped: u64,
    reaped: u64,
    expired: u64,
}

struct Health {
    metrics: Metrics,
    sessions: Vec<SessionInfo>,
    attention: Vec<String>,
}

pub(crate) fn run(context: &Context, args: &args::Status) -> Result<Status, Failure> {
    let located = context.locate()?;
    let reader = Board::options().observe(&located.region)?;
    let times = if args.watch { args.count.unwrap_or(u64::MAX) } else { 1 };
    let mut ended = Status::Done;
    for time in 0..times {
        if time > 0 {
            thread::sleep(REFRESH);
        }
        let health = examine(&reader)?;
        if args.watch && !context.globals.json && std::io::stdout().is_terminal() {
            context.out.bytes(b"\x1b[H\x1b[2J")?;
        }
        print(context, &located, &health)?;
        ended = if health.attention.is_empty() { Status::Done } else { Status::Attention };
    }
    Ok(ended)
}

fn examine(reader: &Reader) -> Result<Health, Failure> {
    let (metrics, sessions) = (reader.metrics()?, reader.sessions()?);
    let mut attention = Vec::new();
    let Metrics { generation, floor, history, .. } = metrics;
    // Both move while they are read: only what no moment can explain is damage.
    if floor > generation.saturating_add(history) || generation > floor.saturating_add(2 * history) {
        attention.push(format!(
            "the history cannot go from {floor} to {generation} with {history} events: the board is damaged; \
             make a new one and put again what `slate ls` still shows"
        ));
    }
    if let Err(error) = reader.check_locks() {
        attention.push(format!("nobody can attach any more: {}", Failure::from(error).text));
    }
    let unknown = sessions.iter().filter(|session| session.liveness == Liveness::Unknown).count();
    if unknown > 0 {
        attention
            .push(format!("whether {unknown} sessions live cannot be told from here, for the same reason"));
    }
    for session in &sessions {
        let name = printable(&session.name);
        match session.liveness {
            Liveness::Unresponsive => attention.push(format!(
                "session {name} (process {}) gave no sign of life for {:.0} s; its process is stopped or stuck",
                session.pid,
                session.beat_age.as_secs_f64()
            )),
            Liveness::Dead => attention.push(format!(
                "session {name} (process {}) is gone and not tidied up after; the next session that attaches does it",
                session.pid
            )),
            _ => {}
        }
    }
    attention.extend(nearly_full("table of keys", metrics.keys, metrics.slots, "`slate init --keys`"));
    // The history gives way; present values do not.
    let live = metrics.used.saturating_sub(metrics.history_bytes);
    attention.extend(nearly_full("data area, in bytes,", live, metrics.capacity, "`slate init --capacity`"));
    attention.extend(nearly_full(
        "table of sessions",
        metrics.sessions,
        metrics.sessions_max,
        "`slate init --sessions`",
    ));
    Ok(Health { metrics, sessions, attention })
}

fn nearly_full(what: &str, used: u64, of: u64, option: &str) -> Option<String> {
    let is_nearly_full = of > 0 && used.saturating_mul(10) >= of.saturating_mul(9);
    is_nearly_full.then(|| {
        format!("the {what} is nearly full: {used} of {of}; a new board can be larger, see {option}")
    })
}

fn print(context: &Context, located: &Located, health: &Health) -> Result<(), Failure> {
    if context.globals.json {
        return context.out.document(&document(located, health));
    }
    let Metrics { generation, floor, keys, slots, capacity, used, history_bytes, sessions_max, .. } =
        health.metrics;
    let (out, healthy) = (&context.out, health.attention.is_empty());
    let word = if healthy { "healthy" } else { "needs attention" };
    out.line(format!("board     {} ({})", located.region.display(), located.found_by.name()))?;
    out.line(format!("state     {}", out.health(healthy, word)))?;
    for sentence in &health.attention {
        out.line(format!("          {sentence}"))?;
    }
    out.line(format!("history   generation {generation}, readable after {floor}"))?;
    out.line(format!("keys      {keys} of {slots}"))?;
    out.line(format!(
        "memory    {} in use of {}, {} of it by the history",
        units::size(used),
        units::size(capacity),
        units::size(history_bytes)
    ))?;
    out.line(format!("sessions  {} of {sessions_max}", health.sessions.len()))?;
    if health.sessions.is_empty() { Ok(()) } else { sessions::table(context, &health.sessions) }
}

fn document<'a>(located: &Located, health: &'a Health) -> StatusDoc<'a> {
    let Metrics {
        generation,
        floor,
        history,
        keys,
        slots,
        capacity,
        claimed,
        used,
        history_bytes,
        sessions_max,
        ..
    } = health.metrics;
    let totals = &health.metrics.totals;
    StatusDoc {
        path: located.region.display().to_string(),
        found_by: located.found_by.name(),
        healthy: health.attention.is_empty(),
        attention: &health.attention,
        generation,
        floor,
        history,
        keys,
        slots,
        capacity,
        claimed,
        used,
        history_bytes,
        sessions_max,
        sessions: health.sessions.iter().map(SessionDoc::new).collect(),
        totals: TotalsDoc {
            puts: totals.puts,
            removes: totals.removes,
            conflicts: totals.conflicts,
            retries: totals.retries,
            helped: totals.helped,
            reaped: totals.reaped,
            expired: totals.expired,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_tenths_need_attention() {
        assert!(nearly_full("table", 89, 100, "x").is_none());
        assert!(nearly_full("table", 90, 100, "x").is_some_and(|text| text.contains("90 of 100")));
        assert!(nearly_full("table", 0, 0, "x").is_none());
    }
}
