//! Session records and the name table.

use crate::{
    KeyState, SessionState, board::Board, finding::Findings, history::History, profile::INTENTS,
    words::Writer,
};

const NAME: usize = 5;
const INTENT_EVENT: usize = 2;
const WEIGHT_MASK: u64 = (1 << 24) - 1;
const NAME_BYTES: u64 = 56;
const FREE: u64 = 0;
const READY: u64 = 2;

/// Checks all session records and the name table.
pub fn check(board: &Board<'_>, living: &[u16], out: &mut Findings) -> Vec<SessionState> {
    // Entry 0 is no name. It counts how often entries were freed.
    for entry in 1..board.layout.names {
        check_name(board, entry, out);
    }
    for &session in living.iter().filter(|&&session| usize::from(session) >= board.layout.sessions) {
        out.push("session", format!("living session {session} has no record"));
    }
    (0..board.layout.sessions).map(|session| check_session(board, session, living, out)).collect()
}

/// Checks that what all lanes and reapers superseded, less what they freed, is what the history holds.
pub fn check_weight(board: &Board<'_>, history: &History, out: &mut Findings) {
    let profile = board.layout.profile;
    let Some(weights) = profile.weights_at else { return };
    let sum = |sum: usize| {
        let first = profile.counters() + weights + sum;
        let records = (0..board.layout.sessions).map(|session| board.layout.session(session) + first);
        let words =
            records.flat_map(|at| (0..=profile.lanes).map(move |lane| at + lane * profile.counter_words));
        words.map(|at| board.word(at) & WEIGHT_MASK).fold(0u64, u64::wrapping_add)
    };
    let counted = sum(0).wrapping_sub(sum(1)) & WEIGHT_MASK;
    let held = history.records().map(|record| record.superseded).sum::<u64>() & WEIGHT_MASK;
    out.require(counted == held, "weight", || {
        format!("the sessions' sums are {counted} granules, and the history holds {held}")
    });
}

fn check_session(board: &Board<'_>, session: usize, living: &[u16], out: &mut Findings) -> SessionState {
    let at = board.layout.session(session);
    let state = state_of(board, session as u16);
    let alive = living.contains(&state.record);
    out.require(state.active == alive, "session", || {
        let (is, should) = if state.active { ("active", "vacated") } else { ("vacated", "active") };
        format!("session record {session} is {is}, expected {should}")
    });
    for lane in 0..board.layout.profile.lanes {
        let event = board.word(at + INTENTS + lane * board.layout.profile.intent_words() + INTENT_EVENT);
        out.require(event == 0, "intent", || {
            format!("lane {lane} of session {session} has the intent of event {event}")
        });
    }
    let name = board.word(at + NAME);
    out.require(!state.active || is_name(board, name), "name", || {
        format!("session {session} has name {name}, which is not finished")
    });
    state
}

fn state_of(board: &Board<'_>, session: u16) -> SessionState {
    let word = board.word(board.layout.session(usize::from(session)));
    SessionState { record: session, active: word & 1 == 1, incarnation: (word >> 1) as u32 }
}

/// Whether this is no name, or a finished one.
fn is_name(board: &Board<'_>, name: u64) -> bool {
    let entry = usize::try_from(name).ok().filter(|&entry| entry < board.layout.names);
    name == 0 || entry.is_some_and(|entry| board.word(board.layout.name(entry)) & 0xff == READY)
}

fn check_name(board: &Board<'_>, entry: usize, out: &mut Findings) {
    let at = board.layout.name(entry);
    let state = board.word(at);
    let len = state >> 8 & 0xffff;
    if state & 0xff != READY || len > NAME_BYTES {
        return out.require(state & 0xff == FREE && len == 0, "name", || {
            format!("entry {entry} of the name table has state {state:#x}")
        });
    }
    let bytes: Vec<u8> = board.slice(at + 1, 7).iter().flat_map(|word| word.to_le_bytes()).collect();
    let name = std::str::from_utf8(&bytes[..len as usize]);
    out.require(name.is_ok(), "name", || format!("entry {entry} of the name table is not UTF-8"));
}

/// Checks the sessions that records name: their writers were attached once, and those that entries are bound to live.
pub fn check_writers(
    board: &Board<'_>,
    history: &History,
    living: &[u16],
    keys: &[KeyState],
    out: &mut Findings,
) {
    if !board.layout.profile.details {
        return;
    }
    let written = history.records().map(|record| (record.writer, &record.key));
    for (writer, key) in written.chain(keys.iter().map(|key| (Writer(key.writer), &key.key))) {
        let lived = life_of(board, writer).is_some_and(|state| {
            (1..=state.incarnation).contains(&writer.incarnation()) && is_name(board, writer.name() as u64)
        });
        out.require(lived, "writer", || {
            format!(
                "the writer of {:?} is {:#x}: no session had that incarnation, or its name is gone",
                String::from_utf8_lossy(key),
                writer.0
            )
        });
    }
    for key in keys.iter().filter(|key| key.ephemeral != 0) {
        let owner = Writer(key.ephemeral);
        let lives = living.contains(&owner.session())
            && life_of(board, owner).is_some_and(|state| state.incarnation == owner.incarnation());
        out.require(lives, "ephemeral", || {
            format!(
                "{:?} is bound to session {}, which has ended",
                String::from_utf8_lossy(&key.key),
                owner.session()
            )
        });
    }
}

fn life_of(board: &Board<'_>, writer: Writer) -> Option<SessionState> {
    (usize::from(writer.session()) < board.layout.sessions).then(|| state_of(board, writer.session()))
}
