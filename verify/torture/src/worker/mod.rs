//! A worker: it makes random calls, and logs each before and after.
//!
//! `OPERATIONS` says what it does, how often, and on which keys. `one` are the calls on one key, by its name or
//! through a handle that is kept; `many` are the calls on several; `leases` are leases, which are kept as well.

mod leases;
mod many;
pub mod one;
mod shape;

use crate::{
    fork,
    log::{Log, Record},
};
use slateboard::{Board, Error, Expect, KeyHandle, Lease, Result, Session, region::boottime_ns};
use slateboard_kit::{
    calls::{self, Answer, Call, Family},
    children::end_with_parent,
    random::Random,
};
use std::{collections::HashMap, path::Path, time::Duration};

/// After one operation of so many, the worker forks.
const FORKS: u64 = 2_000;
/// After one of so many, it ends its session and attaches again.
const SESSIONS: u64 = 1_000;

/// An operation of a worker: how often it comes, on a key of which family, and what it does.
struct Operation(u64, Family, fn(&mut Worker<'_>, u64));

/// Everything that a worker does.
const OPERATIONS: &[Operation] = &[
    Operation(120, Family::Hot, |worker, key| worker.ask(key, Call::Get)),
    Operation(40, Family::Hot, |worker, key| worker.poll(key)),
    Operation(50, Family::Hot, |worker, key| worker.ask(key, Call::PUT)),
    Operation(15, Family::Hot, |worker, key| worker.ask(key, Call::put(Expect::Absent))),
    Operation(15, Family::Hot, |worker, key| worker.ask(key, Call::put(Expect::Present))),
    Operation(30, Family::Hot, |worker, key| worker.compare_and_swap(key)),
    Operation(60, Family::Hot, |worker, key| worker.ask(key, Call::Update)),
    Operation(30, Family::Hot, |worker, key| worker.ask(key, Call::REMOVE)),
    Operation(5, Family::Hot, |worker, key| worker.ask(key, Call::Touch(LASTING))),
    Operation(20, Family::Count, |worker, key| worker.increment(key)),
    Operation(10, Family::Count, |worker, key| worker.ask(key, Call::Get)),
    Operation(3, Family::Count, |worker, key| worker.ask(key, Call::REMOVE)),
    Operation(20, Family::Brief, |worker, key| worker.put_brief(key)),
    Operation(15, Family::Brief, |worker, key| worker.ask(key, Call::Get)),
    Operation(10, Family::Brief, |worker, key| worker.poll(key)),
    Operation(5, Family::Brief, |worker, key| worker.ask(key, Call::put(Expect::Absent))),
    Operation(5, Family::Brief, |worker, key| worker.ask(key, Call::Update)),
    Operation(5, Family::Brief, |worker, key| worker.ask(key, Call::Touch(2))),
    Operation(40, Family::Lease, |worker, key| worker.lease(key)),
    Operation(3, Family::Lease, |worker, key| worker.put_brief(key)),
    Operation(2, Family::Lease, |worker, key| worker.ask(key, Call::REMOVE)),
    Operation(5, Family::Lease, |worker, key| worker.ask(key, Call::Get)),
    Operation(5, Family::Many, |worker, key| worker.ask(key, Call::Get)),
    Operation(5, Family::Many, |worker, key| worker.ask(key, Call::Update)),
    Operation(3, Family::Many, |worker, _| worker.get_many()),
    Operation(4, Family::Many, |worker, _| worker.put_many()),
    Operation(1, Family::Many, |worker, key| worker.remove_prefix(key)),
    Operation(30, Family::Cold, |worker, key| worker.ask(key, Call::Get)),
    Operation(20, Family::Cold, |worker, key| worker.ask(key, Call::PUT)),
    Operation(10, Family::Cold, |worker, key| worker.ask(key, Call::BIND)),
    Operation(10, Family::Cold, |worker, key| worker.ask(key, Call::Update)),
    Operation(15, Family::Cold, |worker, key| worker.ask(key, Call::REMOVE)),
    Operation(8, Family::Hot, |worker, _| worker.view()),
    Operation(6, Family::Hot, |worker, _| worker.list()),
];

/// A time to live that does not end within a run, milliseconds.
const LASTING: u64 = 24 * 3_600_000;

/// What a worker is started with.
pub struct Task<'t> {
    /// The board.
    pub board: &'t Path,
    /// Its log. The parent has made it.
    pub log: &'t Path,
    /// Its number, unlike any other's.
    pub number: u64,
    /// Seed of its random numbers.
    pub seed: u64,
    /// How often its keeper beats, milliseconds.
    pub beat_ms: u64,
    /// The worker ends when this file exists.
    pub stop: &'t Path,
}

/// Works until the log is full or the stop file exists. Returns false when it cannot go on.
pub fn work(task: &Task<'_>) -> bool {
    end_with_parent();
    let log = Log::open(task.log).expect("the log opens");
    let board =
        Board::options().beat(Duration::from_millis(task.beat_ms)).open(task.board).expect("the board opens");
    let mut worker = match Worker::attach(&log, &board, task) {
        Ok(worker) => worker,
        Err(error) => return refused(&error),
    };
    for operations in 1_u64.. {
        if log.is_full() || (operations % 64 == 0 && task.stop.exists()) {
            break;
        }
        worker.operate();
        if worker.random.u64(..FORKS) == 0 && !fork::is_refused(&worker.session) {
            return false;
        }
        if worker.random.u64(..SESSIONS) == 0 && !worker.attach_again(&board) {
            return false;
        }
    }
    worker.release_all();
    true
}

/// A session that cannot attach is a violation. Returns false, and says why.
fn refused(error: &Error) -> bool {
    eprintln!("no session can be attached: {error}");
    false
}

struct Worker<'w> {
    log: &'w Log,
    random: Random,
    number: u64,
    calls: u64,
    attached: u64,
    session: Session,
    /// Handles that are kept as long as the session, whatever becomes of their keys.
    handles: HashMap<u64, KeyHandle>,
    leases: HashMap<u64, Lease>,
    /// The newest version that it was told of each key.
    known: HashMap<u64, u64>,
}

impl<'w> Worker<'w> {
    fn attach(log: &'w Log, board: &Board, task: &Task<'_>) -> Result<Self> {
        Ok(Self {
            log,
            random: Random::with_seed(task.seed),
            number: task.number,
            calls: 0,
            attached: 0,
            session: board.attach(&calls::holder(task.number, 0))?,
            handles: HashMap::new(),
            leases: HashMap::new(),
            known: HashMap::new(),
        })
    }

    /// Ends the session, with everything that belongs to it, and attaches another. False if that is refused.
    fn attach_again(&mut self, board: &Board) -> bool {
        self.release_all();
        self.handles.clear();
        self.attached += 1;
        let name = calls::holder(self.number, self.attached);
        // The new session first: both are attached for a moment, as when threads attach.
        match board.attach(&name) {
            Ok(session) => self.session = session,
            Err(error) => return refused(&error),
        }
        true
    }

    /// Does one operation of the table.
    fn operate(&mut self) {
        let all: u64 = OPERATIONS.iter().map(|operation| operation.0).sum();
        let mut drawn = self.random.u64(..all);
        for Operation(often, family, act) in OPERATIONS {
            if drawn < *often {
                let key = self.key_of(*family);
                return act(self, key);
            }
            drawn -= often;
        }
    }

    fn key_of(&mut self, family: Family) -> u64 {
        let keys: Vec<u64> = calls::keys(family).collect();
        keys[self.random.usize(..keys.len())]
    }

    fn next_id(&mut self) -> u64 {
        self.calls += 1;
        self.number << 24 | self.calls
    }

    /// Logs that a call begins.
    fn called(&mut self, key: u64, asked: Call) -> u64 {
        let id = self.next_id();
        self.log.note(Record::Called { id, at: boottime_ns(), key, asked });
        id
    }

    /// Logs that a call has ended.
    fn answered(&mut self, id: u64, key: u64, answer: Answer) {
        self.log.note(Record::Answered { id, at: boottime_ns(), answer });
        if let Answer::Done { version, .. }
        | Answer::Updated { version, .. }
        | Answer::Value { version, .. } = answer
        {
            self.known.insert(key, version);
        }
    }

    /// Logs a read that began at `start` and has ended. A read that is killed needs no record: it has no effect.
    fn read(&mut self, start: u64, key: u64, asked: Call, answer: Answer) {
        let id = self.next_id();
        self.log.note(Record::Called { id, at: start, key, asked });
        self.answered(id, key, answer);
    }

    /// A value of a random length: most are small, and some of one key are longer than a block can be.
    fn value(&mut self, id: u64, key: u64) -> Vec<u8> {
        let len = match self.random.u64(..200) {
            0..8 if key == 0 => 66_000 + self.random.u64(..30_000),
            0..10 => 4_000 + self.random.u64(..12_000),
            10..60 => 200 + self.random.u64(..800),
            _ => 24 + self.random.u64(..80),
        };
        calls::value(id, key, len as usize)
    }
}
