//! `slate status`.

use super::{
    Context, named_by,
    sessions::{self, SessionDoc},
};
use crate::{
    args,
    failure::{Failure, Status},
    print::{DamageDoc, printable},
    units,
};
use serde::Serialize;
use slateboard::{Board, Damage, Liveness, Metrics, Reader, SessionInfo, project::Found};
use std::{fmt, fs, io::IsTerminal, os::unix::fs::MetadataExt, path::Path, thread, time::Duration};

const REFRESH: Duration = Duration::from_secs(1);

/// `status --json`.
#[derive(Serialize)]
struct StatusDoc<'a> {
    path: String,
    found_by: &'static str,
    healthy: bool,
    /// What needs attention, one sentence each.
    attention: &'a [String],
    generation: u64,
    floor: u64,
    history: u64,
    keys: u64,
    /// Number of keys that the table is sized for, and how many of these keys `capacity` has space for.
    keys_made_for: u64,
    keys_fit: u64,
    slots: u64,
    slots_used: u64,
    slots_max: u64,
    overflow: u64,
    overflow_max: u64,
    capacity: u64,
    file: FileDoc,
    reserved: u64,
    claimed: u64,
    used: u64,
    live_bytes: u64,
    history_bytes: u64,
    private_bytes: u64,
    reserve_bytes: u64,
    free_bytes: u64,
    /// Free bytes in the file system of the board.
    file_system_free: Option<u64>,
    names: u64,
    names_max: u64,
    sessions_max: u64,
    /// How many of the sessions are dead, and of how many this process cannot find out whether they are alive.
    sessions_dead: u64,
    sessions_unknown: u64,
    sessions: Vec<SessionDoc<'a>>,
    totals: TotalsDoc,
    /// A figure that was limited to a possible value, because of damage.
    #[serde(skip_serializing_if = "Option::is_none")]
    implausible: Option<&'static str>,
    /// The damaged records.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<DamageDoc<'a>>,
}

/// Size of the region's file, in bytes.
#[derive(Clone, Copy, Serialize)]
pub(super) struct FileDoc {
    at_most: u64,
    now: u64,
}

impl FileDoc {
    pub(super) fn new(region: &Path, metrics: &Metrics) -> Self {
        // A file that was removed takes no space.
        let now = fs::metadata(region).map_or(0, |file| file.blocks() * 512);
        Self { at_most: metrics.region_bytes, now }
    }
}

impl fmt::Display for FileDoc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} now, {} at most", units::size(self.now), units::size(self.at_most))
    }
}

/// Sums over all present and past sessions.
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
    damaged: Vec<Damage>,
    attention: Vec<String>,
}

pub(crate) fn run(context: &Context, args: &args::Status) -> Result<Status, Failure> {
    let found = context.locate()?;
    let reader = found.open_read_only(Board::options())?;
    if args.count == Some(0) {
        return Err(Failure::usage("--count 0 would check nothing; use 1 or more"));
    }
    let times = if args.watch { args.count.unwrap_or(u64::MAX) } else { 1 };
    let mut ended = Status::Done;
    for time in 0..times {
        if time > 0 {
            thread::sleep(REFRESH);
        }
        let health = examine(&found, &reader)?;
        if args.watch && !context.globals.json && std::io::stdout().is_terminal() {
            context.out.bytes(b"\x1b[H\x1b[2J")?;
        }
        print(context, &found, &health)?;
        ended = if health.attention.is_empty() { Status::Done } else { Status::Attention };
    }
    Ok(ended)
}

fn examine(found: &Found, reader: &Reader) -> Result<Health, Failure> {
    let (metrics, sessions) = (reader.metrics()?, reader.sessions()?);
    let damaged = reader.soundness()?.damaged;
    let mut attention = Vec::new();
    attention.extend(damage(&damaged));
    attention.extend(metrics.implausible.map(|figure| {
        format!(
            "corruption found: implausible figures ({figure}) are shown limited to possible values; save what `slate ls` \
             lists, create a new board with `slate init --replace`, and put it there again"
        )
    }));
    if let Err(error) = found.check().and_then(|()| reader.check_locks()) {
        attention.push(format!("no session can attach: {}", Failure::from(error).text));
    }
    attention.extend(sessions::why_unknown(reader, &sessions));
    for session in &sessions {
        let name = printable(&session.name);
        match session.liveness {
            Liveness::Unresponsive => attention.push(format!(
                "session {name} (process {}) has not responded for {:.0} s; its process is stopped or stuck",
                session.pid,
                session.beat_age.as_secs_f64()
            )),
            Liveness::Dead => attention.push(format!(
                "the process of session {name} ({}) has ended, and the session is not cleaned up yet; the next session that \
                 attaches does this",
                session.pid
            )),
            _ => {}
        }
    }
    attention.extend(room(&metrics));
    Ok(Health { metrics, sessions, damaged, attention })
}

/// A sentence about the damaged records.
fn damage(damaged: &[Damage]) -> Option<String> {
    const NAMED: usize = 8;
    let names = damaged.iter().take(NAMED).map(|damage| match (&damage.key, damage.generation) {
        (Some(key), _) => printable(key),
        (None, Some(generation)) => format!("event {generation}"),
        (None, None) => damage.slot.map_or("a link".into(), |slot| format!("the slot at word {slot}")),
    });
    let mut names: Vec<String> = names.collect();
    if damaged.len() > NAMED {
        names.push(format!("{} more", damaged.len() - NAMED));
    }
    (!damaged.is_empty()).then(|| {
        format!(
            "corruption found: {} damaged {} ({}); `slate ls` and `slate log` print the undamaged records; the next put \
             of a damaged key repairs it",
            damaged.len(),
            if damaged.len() == 1 { "record" } else { "records" },
            names.join(", ")
        )
    })
}

/// Sentences about what is full or nearly full.
fn room(metrics: &Metrics) -> Vec<String> {
    let Metrics { slots_used, slots_max, overflow, overflow_max, .. } = *metrics;
    let keys_help =
        "remove keys with `slate rm`, or create a board for more keys with `slate init --replace --keys N`";
    let keys = if metrics.refuses_keys {
        Some(format!(
            "some new keys are refused for lack of a slot: {slots_used} of {slots_max} slots are used; {keys_help}"
        ))
    } else {
        let table = nearly_full("table of keys", slots_used, slots_max, "slots", keys_help);
        table.or_else(|| nearly_full("table of keys", overflow, overflow_max, "overflow buckets", keys_help))
    };
    let sessions_help = "end sessions that are not needed, or create a board for more sessions with \
        `slate init --replace --sessions N`";
    let sessions =
        nearly_full("table of sessions", metrics.sessions, metrics.sessions_max, "records", sessions_help);
    let names = (metrics.names >= metrics.names_max).then(|| {
        format!(
            "the table of names is full: sessions, values and the history refer to all {} names, so no session with a new \
             name can attach; use fewer names, or create a board for more sessions with `slate init --replace --sessions N`",
            metrics.names_max
        )
    });
    [keys, data(metrics), file_system(metrics), sessions, names].into_iter().flatten().collect()
}

fn data(metrics: &Metrics) -> Option<String> {
    let Metrics { live_bytes, capacity, typical_bytes, typical_used, typical_room, .. } = *metrics;
    let help =
        "remove keys with `slate rm`, or create a larger board with `slate init --replace --capacity SIZE`";
    if !is_nearly_full(typical_used, typical_used.saturating_add(typical_room)) {
        let (live, all) = (units::size(live_bytes), units::size(capacity));
        return is_nearly_full(live_bytes, capacity)
            .then(|| format!("the data area is nearly full: current values take {live} of {all}; {help}"));
    }
    Some(format!(
        "the data area is nearly full: most of it holds values in blocks of {}, of which {typical_used} are used and \
         {typical_room} more are available; {help}",
        units::size(typical_bytes)
    ))
}

fn file_system(metrics: &Metrics) -> Option<String> {
    let wanted = metrics.capacity.saturating_sub(metrics.reserved);
    metrics.file_system_free.filter(|&free| free < wanted).map(|free| {
        format!(
            "the file system under the board is nearly full: {} are free, but the board may still need {}; free some space, \
             or puts will be refused",
            units::size(free),
            units::size(wanted)
        )
    })
}

/// At least four fifths are used.
fn is_nearly_full(used: u64, of: u64) -> bool {
    of > 0 && used.saturating_mul(5) >= of.saturating_mul(4)
}

fn nearly_full(what: &str, used: u64, of: u64, units: &str, help: &str) -> Option<String> {
    is_nearly_full(used, of)
        .then(|| format!("the {what} is nearly full: {used} of {of} {units} are used; {help}"))
}

fn print(context: &Context, found: &Found, health: &Health) -> Result<(), Failure> {
    if context.globals.json {
        return context.out.document(&document(found, health));
    }
    let Metrics { generation, floor, keys, keys_made_for, slots_used, slots_max, .. } = health.metrics;
    let Metrics { capacity, used, sessions_max, .. } = health.metrics;
    let (out, healthy) = (&context.out, health.attention.is_empty());
    let word = if healthy { "healthy" } else { "needs attention" };
    out.line(format!("board     {} (from {})", found.path().display(), named_by(found)))?;
    out.line(format!("state     {}", out.health(healthy, word)))?;
    for sentence in &health.attention {
        out.line(format!("          {sentence}"))?;
    }
    out.line(format!("history   generation {generation}, holds the events after generation {floor}"))?;
    out.line(format!(
        "keys      {}, sized for {}; {slots_used} of {slots_max} slots are used",
        units::grouped(keys),
        units::grouped(keys_made_for)
    ))?;
    out.line(format!("memory    {} in use of {}", units::size(used), units::size(capacity)))?;
    let Metrics { live_bytes, history_bytes, private_bytes, free_bytes, names, names_max, .. } =
        health.metrics;
    let sizes = [live_bytes, history_bytes, private_bytes, free_bytes].map(units::size);
    let [live, history, private, free] = &sizes;
    out.line(format!(
        "          values {live}, history {history}, reserved by sessions {private}, free {free}"
    ))?;
    out.line(format!("file      {}", FileDoc::new(found.path(), &health.metrics)))?;
    if let Some(free) = health.metrics.file_system_free {
        out.line(format!("          {} free in its file system", units::size(free)))?;
    }
    out.line(format!("names     {names} of {names_max}"))?;
    out.line(format!("sessions  {} of {sessions_max}", health.sessions.len()))?;
    if health.sessions.is_empty() { Ok(()) } else { sessions::table(context, &health.sessions) }
}

fn document<'a>(found: &Found, health: &'a Health) -> StatusDoc<'a> {
    let metrics = &health.metrics;
    let totals = &health.metrics.totals;
    StatusDoc {
        path: found.path().display().to_string(),
        found_by: found.found_by().name(),
        healthy: health.attention.is_empty(),
        attention: &health.attention,
        generation: metrics.generation,
        floor: metrics.floor,
        history: metrics.history,
        keys: metrics.keys,
        keys_made_for: metrics.keys_made_for,
        keys_fit: metrics.keys_fit,
        slots: metrics.slots,
        slots_used: metrics.slots_used,
        slots_max: metrics.slots_max,
        overflow: metrics.overflow,
        overflow_max: metrics.overflow_max,
        capacity: metrics.capacity,
        file: FileDoc::new(found.path(), metrics),
        reserved: metrics.reserved,
        claimed: metrics.claimed,
        used: metrics.used,
        live_bytes: metrics.live_bytes,
        history_bytes: metrics.history_bytes,
        private_bytes: metrics.private_bytes,
        reserve_bytes: metrics.reserve_bytes,
        free_bytes: metrics.free_bytes,
        file_system_free: metrics.file_system_free,
        names: metrics.names,
        names_max: metrics.names_max,
        sessions_max: metrics.sessions_max,
        sessions_dead: metrics.sessions_dead,
        sessions_unknown: metrics.sessions_unknown,
        implausible: metrics.implausible,
        error: DamageDoc::of(&health.damaged),
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
    fn four_fifths_need_attention() {
        let told = |used, of| nearly_full("table", used, of, "slots", "make another");
        assert!(told(79, 100).is_none());
        assert!(told(80, 100).is_some_and(|text| text.contains("80 of 100 slots")));
        assert!(told(0, 0).is_none());
    }
}
