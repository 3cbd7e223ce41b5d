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
use std::{fmt, fs, io::IsTerminal, os::unix::fs::MetadataExt, path::Path, thread, time::Duration};

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
    /// Keys that it was made for, and as many of them as `capacity` has blocks for.
    keys_made_for: u64,
    keys_fit: u64,
    slots: u64,
    capacity: u64,
    file: FileDoc,
    claimed: u64,
    used: u64,
    history_bytes: u64,
    sessions_max: u64,
    sessions: Vec<SessionDoc<'a>>,
    totals: TotalsDoc,
}

/// What the region's file takes, bytes.
#[derive(Clone, Copy, Serialize)]
pub(super) struct FileDoc {
    at_most: u64,
    now: u64,
}

impl FileDoc {
    pub(super) fn new(region: &Path, metrics: &Metrics) -> Self {
        // A file that is gone takes nothing.
        let now = fs::metadata(region).map_or(0, |file| file.blocks() * 512);
        Self { at_most: metrics.region_bytes, now }
    }
}

impl fmt::Display for FileDoc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} now, {} at most", units::size(self.now), units::size(self.at_most))
    }
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
        let health = examine(&reader, &located)?;
        if args.watch && !context.globals.json && std::io::stdout().is_terminal() {
            context.out.bytes(b"\x1b[H\x1b[2J")?;
        }
        print(context, &located, &health)?;
        ended = if health.attention.is_empty() { Status::Done } else { Status::Attention };
    }
    Ok(ended)
}

fn examine(reader: &Reader, located: &Located) -> Result<Health, Failure> {
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
    let mut lock = located.region.clone().into_os_string();
    lock.push(".lock");
    if !std::path::Path::new(&lock).exists() {
        attention.push(format!(
            "{} is gone: nobody can attach any more; end the processes that use the board and make a new one",
            std::path::Path::new(&lock).display()
        ));
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
    attention.extend(nearly_full(
        "table of keys",
        metrics.keys,
        metrics.keys_made_for,
        "`slate init --keys`",
    ));
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
    let Metrics {
        generation, floor, keys, keys_made_for, capacity, used, history_bytes, sessions_max, ..
    } = health.metrics;
    let (out, healthy) = (&context.out, health.attention.is_empty());
    let word = if healthy { "healthy" } else { "needs attention" };
    out.line(format!("board     {} ({})", located.region.display(), located.found_by.name()))?;
    out.line(format!("state     {}", out.health(healthy, word)))?;
    for sentence in &health.attention {
        out.line(format!("          {sentence}"))?;
    }
    out.line(format!("history   generation {generation}, readable after {floor}"))?;
    out.line(format!("keys      {}, made for {}", units::grouped(keys), units::grouped(keys_made_for)))?;
    out.line(format!(
        "memory    {} in use of {}, {} of it by the history",
        units::size(used),
        units::size(capacity),
        units::size(history_bytes)
    ))?;
    out.line(format!("file      {}", FileDoc::new(&located.region, &health.metrics)))?;
    out.line(format!("sessions  {} of {sessions_max}", health.sessions.len()))?;
    if health.sessions.is_empty() { Ok(()) } else { sessions::table(context, &health.sessions) }
}

fn document<'a>(located: &Located, health: &'a Health) -> StatusDoc<'a> {
    let Metrics {
        generation,
        floor,
        history,
        keys,
        keys_made_for,
        keys_fit,
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
        keys_made_for,
        keys_fit,
        slots,
        capacity,
        file: FileDoc::new(&located.region, &health.metrics),
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
