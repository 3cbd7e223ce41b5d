//! `slate sessions`.

use super::Context;
use crate::{
    failure::{Failure, Status, say},
    print::printable,
    units,
};
use serde::Serialize;
use slateboard::{Liveness, Reader, SessionInfo};

/// One attached session, as `sessions --json` and `status --json` print it.
#[derive(Serialize)]
pub(crate) struct SessionDoc<'a> {
    session: u16,
    incarnation: u32,
    name: &'a str,
    pid: u32,
    /// `alive`, `unresponsive` (its process exists, but does not beat), `dead` (its process has ended), or `unknown` (this
    /// process cannot find out).
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
    /// The number of sessions whose liveness is unknown.
    unknown: usize,
    /// The reason, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
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
    let reader = context.reader()?;
    let sessions = reader.sessions()?;
    let why = why_unknown(&reader, &sessions);
    if context.globals.json {
        let unknown = unknown(&sessions);
        let sessions = sessions.iter().map(SessionDoc::new).collect();
        context.out.document(&SessionsDoc { sessions, unknown, why: why.as_deref() })?;
    } else if sessions.is_empty() {
        context.out.remark("no session is attached");
    } else {
        table(context, &sessions)?;
    }
    Ok(match why {
        Some(why) => {
            say(format_args!("slate: {why}"));
            Status::Attention
        }
        None => Status::Done,
    })
}

fn unknown(sessions: &[SessionInfo]) -> usize {
    sessions.iter().filter(|session| session.liveness == Liveness::Unknown).count()
}

/// A sentence about the sessions whose liveness is unknown, with the reason; `None` if there are none.
pub(crate) fn why_unknown(reader: &Reader, sessions: &[SessionInfo]) -> Option<String> {
    let unknown = unknown(sessions);
    let reason = || {
        match reader.check_locks() {
        Err(error) => Failure::from(error).text,
        Ok(()) => "the lock file was replaced after they attached; end the processes that use the board, and create a new \
                   board with `slate init --replace --force`"
            .into(),
    }
    };
    (unknown > 0).then(|| format!("cannot determine whether {unknown} sessions are alive: {}", reason()))
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
