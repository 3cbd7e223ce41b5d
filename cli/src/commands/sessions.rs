//! `slate sessions`.

use super::Context;
use crate::{
    failure::{Failure, Status},
    print::printable,
    units,
};
use serde::Serialize;
use slateboard::{Liveness, SessionInfo};

/// One attached session, as `sessions --json` and `status --json` print it.
#[derive(Serialize)]
pub(crate) struct SessionDoc<'a> {
    session: u16,
    incarnation: u32,
    name: &'a str,
    pid: u32,
    /// `alive`, `unresponsive` (its process exists, but does not beat), `dead` (its process has ended), or `unknown` (the
    /// lock file cannot be queried from here).
    liveness: &'static str,
    /// Milliseconds since its last beat.
    beat_age_ms: u128,
    attached: String,
    attached_ns: u64,
    puts: u64,
    removes: u64,
    conflicts: u64,
    retries: u64,
}

#[derive(Serialize)]
struct SessionsDoc<'a> {
    sessions: Vec<SessionDoc<'a>>,
}

impl<'a> SessionDoc<'a> {
    pub(crate) fn new(info: &'a SessionInfo) -> Self {
        Self {
            session: info.index,
            incarnation: info.incarnation,
            name: &info.name,
            pid: info.pid,
            liveness: liveness_name(info.liveness),
            beat_age_ms: info.beat_age.as_millis(),
            attached: units::timestamp(info.attached, 9),
            attached_ns: units::since_epoch_ns(info.attached),
            puts: info.counters.puts,
            removes: info.counters.removes,
            conflicts: info.counters.conflicts,
            retries: info.counters.retries,
        }
    }
}

pub(crate) fn run(context: &Context) -> Result<Status, Failure> {
    let sessions = context.reader()?.sessions()?;
    if context.globals.json {
        context.out.document(&SessionsDoc { sessions: sessions.iter().map(SessionDoc::new).collect() })?;
    } else if sessions.is_empty() {
        context.out.remark("no session is attached");
    } else {
        table(context, &sessions)?;
    }
    Ok(Status::Done)
}

/// Prints the sessions as a table.
pub(crate) fn table(context: &Context, sessions: &[SessionInfo]) -> Result<(), Failure> {
    let rows: Vec<_> = sessions.iter().map(row).collect();
    context
        .out
        .table(&[">SESSION", "NAME", ">PID", "STATE", ">BEAT", "ATTACHED", ">PUTS", ">CONFLICTS"], &rows)
}

fn row(info: &SessionInfo) -> Vec<String> {
    vec![
        format!("{}.{}", info.index, info.incarnation),
        printable(&info.name),
        info.pid.to_string(),
        liveness_name(info.liveness).into(),
        format!("{:.1} s ago", info.beat_age.as_secs_f64()),
        units::timestamp(info.attached, 0),
        info.counters.puts.to_string(),
        info.counters.conflicts.to_string(),
    ]
}

fn liveness_name(liveness: Liveness) -> &'static str {
    match liveness {
        Liveness::Alive => "alive",
        Liveness::Unresponsive => "unresponsive",
        Liveness::Dead => "dead",
        Liveness::Unknown => "unknown",
        #[allow(unreachable_patterns, reason = "the library may get more states")]
        _ => "unknown",
    }
}
