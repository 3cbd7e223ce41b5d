//! A worker: random operations, each noted before and after.

use crate::{
    fork,
    log::{Log, Record},
};
use nix::time::{ClockId, clock_gettime};
use slateboard::{Board, Entry, Error, ErrorKind, Expect, PutOptions, Receipt, Retry, Session};
use slateboard_kit::{
    calls::{self, COLD, HOT, Op, Told},
    children::end_with_parent,
    random::Random,
};
use std::{path::Path, time::Duration};

/// One operation of so many is a fork.
const FORKS: u64 = 2_000;

/// What a worker is started with.
pub struct Task<'t> {
    /// The board.
    pub board: &'t Path,
    /// Its log; made by whoever started it.
    pub log: &'t Path,
    /// Its number, unlike any other's.
    pub number: u64,
    /// Of its random numbers.
    pub seed: u64,
    /// How often its keeper beats, milliseconds.
    pub beat_ms: u64,
    /// Whether there is a file of this name, it ends.
    pub stop: &'t Path,
}

/// Works until the log is full or the stop file is there. False where something was wrong beyond any answer.
pub fn work(task: &Task<'_>) -> bool {
    end_with_parent();
    let log = Log::open(task.log).expect("the log opens");
    let board =
        Board::options().beat(Duration::from_millis(task.beat_ms)).open(task.board).expect("the board opens");
    let Ok(mut session) = board.attach(&format!("worker-{}", task.number % 64)) else { return false };
    let mut worker =
        Worker { log: &log, random: Random::with_seed(task.seed), number: task.number, calls: 0 };
    while !log.is_full() {
        if worker.calls % 64 == 63 && task.stop.exists() {
            break;
        }
        worker.call(&session);
        if worker.random.u64(..FORKS) == 0 && !fork::is_refused(&session) {
            return false;
        }
        // Sessions come and go within a process, too.
        if worker.random.u64(..1_000) == 0 {
            drop(session);
            match board.attach("again") {
                Ok(another) => session = another,
                Err(_) => return false,
            }
        }
    }
    true
}

struct Worker<'w> {
    log: &'w Log,
    random: Random,
    number: u64,
    calls: u64,
}

fn now() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("there is a clock");
    time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64
}

impl Worker<'_> {
    /// One operation, with its two records.
    fn call(&mut self, session: &Session) {
        self.calls += 1;
        let id = self.number << 24 | self.calls;
        let cold = self.random.u64(..8) == 0;
        let key = if cold { HOT + self.random.u64(..COLD) } else { self.random.u64(..HOT) };
        let name = calls::key(key);
        let op = self.choose(session, &name, cold);
        let len = match self.random.u64(..20) {
            0 => 4_000 + self.random.u64(..12_000),
            1..6 => 200 + self.random.u64(..800),
            _ => 24 + self.random.u64(..80),
        };
        let value = calls::value(id, key, len as usize);
        self.log.note(Record::Called { id, at: now(), key, op });
        let told = carry_out(session, &name, key, op, &value);
        self.log.note(Record::Told { at: now(), told });
    }

    fn choose(&mut self, session: &Session, name: &str, cold: bool) -> Op {
        match self.random.u64(..20) {
            0..7 => Op::Get,
            7..10 => Op::Put,
            10 => Op::Create,
            11 => Op::Replace,
            12..14 => Op::Swap(session.get(name).ok().flatten().map_or(1, |entry| entry.version)),
            14..17 => Op::Update,
            // A reaper's removals are nobody's call: the keys of which every call is looked at have none.
            19 if cold => Op::Bind,
            _ => Op::Remove,
        }
    }
}

fn carry_out(session: &Session, name: &str, key: u64, op: Op, value: &[u8]) -> Told {
    let put = |expect| told(session.put_if(name, value, expect));
    match op {
        Op::Get => match session.get(name) {
            Ok(entry) => read(entry, key),
            Err(error) => refused(&error),
        },
        Op::Put => put(Expect::Any),
        Op::Create => put(Expect::Absent),
        Op::Replace => put(Expect::Present),
        Op::Swap(version) => put(Expect::Version(version)),
        Op::Bind => {
            let options = PutOptions::new().ephemeral(true);
            told(session.put_with(name, value, options))
        }
        Op::Update => {
            let mut whole = true;
            let receipt = session.update_with(name, Retry::UNLIMITED, |old| {
                whole &= old.is_none_or(|old| calls::identify(&old.value, key).is_some());
                value
            });
            if whole { told(receipt) } else { Told::Wrong }
        }
        Op::Remove => match session.remove(name) {
            Ok(None) => Told::Absent,
            Ok(Some(receipt)) => told(Ok(receipt)),
            Err(error) => refused(&error),
        },
    }
}

fn read(entry: Option<Entry>, key: u64) -> Told {
    match entry {
        None => Told::Absent,
        Some(entry) => match calls::identify(&entry.value, key) {
            Some(value) => Told::Value { version: entry.version, generation: entry.generation, value },
            None => Told::Wrong,
        },
    }
}

fn told(receipt: slateboard::Result<Receipt>) -> Told {
    match receipt {
        Ok(receipt) => Told::Done { version: receipt.version, generation: receipt.generation },
        Err(error) => refused(&error),
    }
}

fn refused(error: &Error) -> Told {
    match error.kind() {
        ErrorKind::Conflict => Told::Conflict,
        ErrorKind::Full => Told::Full,
        _ => {
            eprintln!("an answer that nothing explains: {error}");
            Told::Wrong
        }
    }
}
