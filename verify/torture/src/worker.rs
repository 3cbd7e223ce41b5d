//! A worker: it makes random calls, and logs each before and after.

use crate::{
    fork,
    log::{Log, Record},
};
use nix::time::{ClockId, clock_gettime};
use slateboard::{Board, Entry, Error, ErrorKind, Expect, PutOptions, Receipt, Retry, Session};
use slateboard_kit::{
    calls::{self, Answer, COLD, Call, HOT},
    children::end_with_parent,
    random::Random,
};
use std::{path::Path, time::Duration};

/// After one call of so many, the worker forks.
const FORKS: u64 = 2_000;

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
        // Sessions also come and go within a process.
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
    /// Makes one call, with its two records.
    fn call(&mut self, session: &Session) {
        self.calls += 1;
        let id = self.number << 24 | self.calls;
        let cold = self.random.u64(..8) == 0;
        let key = if cold { HOT + self.random.u64(..COLD) } else { self.random.u64(..HOT) };
        let name = calls::key(key);
        let asked = self.choose(session, &name, cold);
        let len = match self.random.u64(..20) {
            0 => 4_000 + self.random.u64(..12_000),
            1..6 => 200 + self.random.u64(..800),
            _ => 24 + self.random.u64(..80),
        };
        let value = calls::value(id, key, len as usize);
        self.log.note(Record::Called { id, at: now(), key, asked });
        let answer = carry_out(session, &name, key, asked, &value);
        self.log.note(Record::Answered { at: now(), answer });
    }

    fn choose(&mut self, session: &Session, name: &str, cold: bool) -> Call {
        match self.random.u64(..20) {
            0..7 => Call::Get,
            7..10 => Call::PUT,
            10 => Call::put(Expect::Absent),
            11 => Call::put(Expect::Present),
            12..14 => {
                let stands = session.get(name).ok().flatten();
                Call::put(Expect::Version(stands.map_or(1, |entry| entry.version)))
            }
            14..17 => Call::Update,
            // No call accounts for the removals of a reaper, so hot keys, whose every call is judged, are never bound.
            19 if cold => Call::BIND,
            _ => Call::REMOVE,
        }
    }
}

fn carry_out(session: &Session, name: &str, key: u64, call: Call, value: &[u8]) -> Answer {
    match call {
        Call::Get => match session.get(name) {
            Ok(entry) => read(entry, key),
            Err(error) => refused(&error),
        },
        Call::Put { expect, bound } => {
            let options = PutOptions::new().expect(expect).ephemeral(bound);
            told(session.put_with(name, value, options))
        }
        Call::Update => {
            let mut whole = true;
            let receipt = session.update_with(name, Retry::UNLIMITED, |old| {
                whole &= old.is_none_or(|old| calls::identify(&old.value, key).is_some());
                value
            });
            if whole { told(receipt) } else { Answer::Wrong }
        }
        Call::Remove(expect) => match session.remove_if(name, expect) {
            Ok(None) => Answer::Absent,
            Ok(Some(receipt)) => told(Ok(receipt)),
            Err(error) => refused(&error),
        },
    }
}

fn read(entry: Option<Entry>, key: u64) -> Answer {
    match entry {
        None => Answer::Absent,
        Some(entry) => match calls::identify(&entry.value, key) {
            Some(value) => Answer::Value { version: entry.version, generation: entry.generation, value },
            None => Answer::Wrong,
        },
    }
}

fn told(receipt: slateboard::Result<Receipt>) -> Answer {
    match receipt {
        Ok(receipt) => Answer::Done { version: receipt.version, generation: receipt.generation },
        Err(error) => refused(&error),
    }
}

fn refused(error: &Error) -> Answer {
    match error.kind() {
        ErrorKind::Conflict => Answer::Conflict { version: error.current().map_or(0, |entry| entry.version) },
        ErrorKind::Full => Answer::Full,
        _ => {
            eprintln!("an answer that nothing explains: {error}");
            Answer::Wrong
        }
    }
}
