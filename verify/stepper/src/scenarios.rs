//! The operations that are stepped, each on a board of its own.
//!
//! A scenario is an entry of [`SCENARIOS`]. It says how the board is prepared, who was stopped or killed before, what the
//! child does, and which states some image must show. So a scenario that no longer shows its case fails.

use crate::states::{
    BUCKET, CLAIMED, DOOMED, ENTERED, FLOORED, INTENDED, LIMBO, NAME, OPEN, PIECE, PRIVATE, PUBLISHED,
    RETIRED, UNCOUNTED, UNSETTLED,
};
use slateboard::{Board, Expect, PutOptions, Receipt, Session};
use std::time::Duration;

/// What a child does between its markers.
pub enum Operation {
    /// `write`, after having attached and done `warm`.
    Write {
        /// Before the marker.
        warm: fn(&Session),
        /// Between the markers.
        write: fn(&Session),
    },
    /// Attaches, which reaps whoever is dead.
    Attach,
    /// Detaches, after having attached and done this.
    Detach(fn(&Session)),
    /// Makes a board.
    Create,
}

/// A predecessor: a process that has reached a state in another scenario's operation.
pub struct Before {
    /// Whose operation.
    pub scenario: &'static str,
    /// Stepped until the image shows this.
    pub until: &'static str,
    /// Whether it is killed there. Otherwise it is stopped while the scenario lasts.
    pub killed: bool,
}

/// One operation, from one board.
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// Prepares the board. All sessions of this function have ended when the child starts.
    pub prepare: fn(&Board),
    /// Who is in the middle of an operation.
    pub before: Option<Before>,
    /// What the child does.
    pub operation: Operation,
    /// States that some image must show.
    pub must_see: &'static [&'static str],
    /// Whether the board has no room. It may then refuse the survivor's puts.
    pub full: bool,
}

/// The scenario of this name.
pub fn find(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

const fn write(name: &'static str, write: fn(&Session), must_see: &'static [&'static str]) -> Scenario {
    Scenario {
        name,
        prepare: few_keys,
        before: None,
        operation: Operation::Write { warm: nothing, write },
        must_see,
        full: false,
    }
}

const fn after(scenario: &'static str, until: &'static str, killed: bool) -> Option<Before> {
    Some(Before { scenario, until, killed })
}

/// An attach that reaps a killed process.
const fn reap(name: &'static str, scenario: &'static str, until: &'static str) -> Scenario {
    Scenario {
        name,
        prepare: few_keys,
        before: after(scenario, until, true),
        operation: Operation::Attach,
        must_see: &[],
        full: false,
    }
}

const EPHEMERAL: PutOptions = PutOptions::new().ephemeral(true);

/// The table.
pub const SCENARIOS: &[Scenario] = &[
    write(
        "put of a new key",
        |s| put(s, "task/new", 40),
        &[PRIVATE, CLAIMED, OPEN, PUBLISHED, ENTERED, UNCOUNTED, UNSETTLED],
    ),
    write("put over a value", |s| put(s, "task/1", 40), &[PRIVATE, PUBLISHED, ENTERED, UNCOUNTED, UNSETTLED]),
    write("put of one byte", |s| put(s, "task/1", 1), &[PRIVATE, PUBLISHED, ENTERED, UNCOUNTED, UNSETTLED]),
    write("put of a chain", |s| put(s, "task/1", 5_000), &[PRIVATE, PIECE, PUBLISHED, UNSETTLED]),
    Scenario {
        prepare: full_history_of_chains,
        ..write("put that frees a chain", |s| put(s, "task/1", 4_500), &[PIECE, PUBLISHED, INTENDED, FLOORED])
    },
    write(
        "put_if that is met",
        |s| done(s.put_if("task/1", "met", Expect::Version(1))),
        &[PRIVATE, PUBLISHED, UNSETTLED],
    ),
    write(
        "put_if that is not met",
        |s| {
            assert!(s.put_if("task/1", "not met", Expect::Version(9)).is_err_and(|error| error.is_conflict()))
        },
        &[PRIVATE],
    ),
    write(
        "update",
        |s| done(s.update("task/1", |old| old.map_or(0, |old| old.value.len()).to_string())),
        &[PRIVATE, PUBLISHED, ENTERED, UNCOUNTED, UNSETTLED],
    ),
    write("remove", |s| remove(s, "task/1"), &[PRIVATE, PUBLISHED, ENTERED, UNCOUNTED, UNSETTLED]),
    write(
        "put that ends with its session",
        |s| done(s.put_with("task/1", "bound", EPHEMERAL)),
        &[PRIVATE, PUBLISHED, UNSETTLED],
    ),
    Scenario {
        before: after("put that ends with its session", UNSETTLED, false),
        ..write(
            "update of a value that ends with another session",
            |s| done(s.update("task/1", |_| "again")),
            &[PRIVATE, PUBLISHED, UNSETTLED],
        )
    },
    Scenario {
        prepare: |board| {
            let session = attach(board);
            done(session.put_with("task/1", "soon over", living(Duration::from_nanos(1))));
        },
        ..write(
            "put over an expired value",
            |s| put(s, "task/1", 40),
            &[PRIVATE, PUBLISHED, ENTERED, UNCOUNTED, UNSETTLED],
        )
    },
    write(
        "put with a time to live",
        |s| done(s.put_with("task/1", "brief", living(Duration::from_secs(3600)))),
        &[PRIVATE, PUBLISHED, ENTERED, UNCOUNTED, UNSETTLED],
    ),
    Scenario {
        prepare: |board| {
            few_keys(board);
            let session = attach(board);
            for key in 0..2 {
                done(session.put_with(&format!("team/{key}"), "brief", living(Duration::from_nanos(1))));
            }
        },
        ..write(
            "put that ends what expired",
            |s| put(s, "team/new", 40),
            &[PUBLISHED, ENTERED, UNCOUNTED, UNSETTLED],
        )
    },
    Scenario {
        prepare: full_history,
        ..write("floor step", |s| put(s, "task/1", 40), &[INTENDED, FLOORED, PUBLISHED])
    },
    Scenario {
        prepare: |board| {
            let session = attach(board);
            for key in 0..7 {
                put(&session, &format!("team/{key}"), 10);
                remove(&session, &format!("team/{key}"));
            }
            roll(&session);
        },
        ..write(
            "slot that retires and is used again",
            |s| put(s, "team/new", 40),
            &[RETIRED, CLAIMED, OPEN, PUBLISHED],
        )
    },
    Scenario {
        prepare: |board| {
            let session = attach(board);
            put(&session, "task/1", 10);
            put(&session, "task/gone", 10);
            // The removal is the oldest event, so the next change lets it go.
            (0..2).for_each(|_| put(&session, "rolled", 10));
            remove(&session, "task/gone");
            (0..crate::place::HISTORY - 2).for_each(|_| put(&session, "rolled", 10));
        },
        ..write(
            "key that is retired",
            |s| (0..2).for_each(|_| put(s, "task/1", 40)),
            &[FLOORED, LIMBO, RETIRED],
        )
    },
    Scenario {
        prepare: |board| {
            let session = attach(board);
            (0..7).for_each(|key| put(&session, &format!("team/{key}"), 10));
        },
        ..write("overflow bucket", |s| put(s, "team/new", 40), &[BUCKET, PRIVATE, OPEN])
    },
    Scenario {
        prepare: full_board,
        full: true,
        ..write("removal on a full board", |s| remove(s, "task/1"), &[PRIVATE, PUBLISHED])
    },
    Scenario {
        prepare: all_cut,
        ..write("extent that is cut anew", |s| put(s, "task/1", 700), &[PRIVATE, PUBLISHED])
    },
    write("extent that is claimed", |s| put(s, "task/1", 900), &[PRIVATE, PUBLISHED, UNSETTLED]),
    Scenario {
        before: after("put over a value", PUBLISHED, false),
        ..write("put over what is not logged", |s| put(s, "task/1", 20), &[PUBLISHED, ENTERED, UNCOUNTED])
    },
    Scenario {
        before: after("put over a value", ENTERED, false),
        ..write("put behind what is half logged", |s| put(s, "task/2", 20), &[ENTERED, UNCOUNTED, PUBLISHED])
    },
    Scenario {
        before: after("put over a value", UNCOUNTED, false),
        ..write("put behind what is not counted", |s| put(s, "task/2", 20), &[UNCOUNTED, PUBLISHED])
    },
    Scenario {
        before: after("put over a value", UNSETTLED, false),
        operation: Operation::Write {
            warm: |s| (0..HISTORY_AND_A_LITTLE).for_each(|_| put(s, "task/1", 10)),
            write: |s| put(s, "task/1", 20),
        },
        ..write("floor step past a pinned block", |_| {}, &[DOOMED, FLOORED])
    },
    Scenario { operation: Operation::Attach, ..write("attach", |_| {}, &[NAME]) },
    Scenario {
        operation: Operation::Detach(|s| done(s.put_with("task/bound", "to me", EPHEMERAL))),
        ..write("detach", |_| {}, &[PRIVATE, PUBLISHED, UNSETTLED])
    },
    reap("reap of a private block", "put over a value", PRIVATE),
    reap("reap of a private chain", "put of a chain", PIECE),
    reap("reap of what is not logged", "put over a value", PUBLISHED),
    reap("reap of what is half logged", "put over a value", ENTERED),
    reap("reap of what is not counted", "put of a new key", UNCOUNTED),
    reap("reap of what is not settled", "put over a value", UNSETTLED),
    reap("reap of a put with a time to live", "put with a time to live", PUBLISHED),
    reap("reap of a bound value", "put that ends with its session", UNSETTLED),
    Scenario { prepare: full_history, ..reap("reap of a floor step", "floor step", FLOORED) },
    Scenario {
        prepare: |board| {
            let session = attach(board);
            (0..7).for_each(|key| put(&session, &format!("team/{key}"), 10));
        },
        ..reap("reap of a bucket not linked", "overflow bucket", BUCKET)
    },
    reap("reap of a name half made", "attach", NAME),
    Scenario { operation: Operation::Create, prepare: |_| {}, ..write("create", |_| {}, &[]) },
];

const HISTORY_AND_A_LITTLE: u64 = crate::place::HISTORY + 2;

fn nothing(_: &Session) {}

fn living(ttl: Duration) -> PutOptions {
    PutOptions::new().ttl(ttl)
}

fn attach(board: &Board) -> Session {
    board.attach("maker").expect("a record is free")
}

fn done(receipt: slateboard::Result<Receipt>) {
    receipt.expect("nothing is in its way");
}

fn put(session: &Session, key: &str, len: usize) {
    done(session.put(key, vec![b'v'; len]));
}

fn remove(session: &Session, key: &str) {
    session.remove(key).expect("a removal always has room").expect("the key has a value");
}

fn few_keys(board: &Board) {
    let session = attach(board);
    (0..4).for_each(|key| put(&session, &format!("task/{key}"), 40));
}

/// Fills the history with events of another shard.
fn roll(session: &Session) {
    (0..HISTORY_AND_A_LITTLE).for_each(|_| put(session, "rolled", 10));
}

fn full_history(board: &Board) {
    few_keys(board);
    roll(&attach(board));
}

fn full_history_of_chains(board: &Board) {
    let session = attach(board);
    put(&session, "task/1", 5_000);
    put(&session, "task/1", 5_000);
    (0..crate::place::HISTORY - 2).for_each(|_| put(&session, "rolled", 10));
    put(&session, "task/1", 10);
}

/// A board whose last block is given out, that of the reserve included.
fn full_board(board: &Board) {
    put(&attach(board), "task/1", 40);
    let mut key = 0;
    // A session that ends gives back its stash. So this is repeated until a new session finds no room.
    loop {
        let (session, before) = (attach(board), key);
        for len in [15_000, 1_500, 400, 40, 1] {
            while session.put(&format!("fill/{key}"), vec![b'f'; len]).is_ok() {
                key += 1;
            }
        }
        if key == before {
            break;
        }
    }
    remove(&attach(board), "fill/0");
}

/// Every extent has a class of small blocks, and some are free again.
fn all_cut(board: &Board) {
    full_of_small(&attach(board));
    let session = attach(board);
    let keys: Vec<String> =
        session.list("fill/").into_vec().expect("the list").into_iter().map(|entry| entry.key).collect();
    for key in keys {
        remove(&session, &key);
    }
    put(&session, "task/1", 40);
    roll(&session);
}

fn full_of_small(session: &Session) {
    let mut key = 0;
    while key < 40 && session.put(&format!("fill/{key}"), vec![b'f'; 1_200]).is_ok() {
        key += 1;
    }
}
