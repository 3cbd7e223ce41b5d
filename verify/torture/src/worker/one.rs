//! Calls on one key, by its name or through a handle.

use super::{LASTING, Worker};
use slateboard::{
    Entry, Error, ErrorKind, Expect, KeyHandle, Meta, PutOptions, Receipt, Result, Retry, Session,
};
use slateboard_kit::calls::{self, Answer, Call};
use std::time::Duration;

impl Worker<'_> {
    /// Makes one call, with its two records.
    pub fn ask(&mut self, key: u64, asked: Call) {
        let through_handle = self.random.u64(..3) == 0 && self.hold(key);
        let (name, id) = (calls::key(key), self.next_number());
        let value = if asked.puts() { self.value(id, key) } else { Vec::new() };
        let id = self.called(key, asked);
        let one = One { session: &self.session, name: &name, key, value: &value };
        let answer = match self.handles.get(&key).filter(|_| through_handle) {
            Some(handle) => one.through(handle, asked),
            None => one.by_name(asked),
        };
        self.answered(id, key, answer);
    }

    /// The number of the next call.
    pub(super) fn next_number(&self) -> u64 {
        self.number << 24 | (self.calls + 1)
    }

    /// Keeps a handle of the key. False if none can be had.
    fn hold(&mut self, key: u64) -> bool {
        if let std::collections::hash_map::Entry::Vacant(place) = self.handles.entry(key) {
            match self.session.key(&calls::key(key)) {
                Ok(handle) => place.insert(handle),
                Err(_) => return false,
            };
        }
        true
    }

    /// Asks for what is newer than what is known of the key, or for the version.
    pub fn poll(&mut self, key: u64) {
        let known = self.known.get(&key).copied().unwrap_or(0);
        let asked = if self.random.u64(..3) == 0 { Call::Version } else { Call::Newer(known) };
        self.ask(key, asked);
    }

    pub fn compare_and_swap(&mut self, key: u64) {
        let stands = self.session.get(&calls::key(key)).ok().flatten();
        self.ask(key, Call::put(Expect::Version(stands.map_or(1, |entry| entry.version))));
    }

    pub fn increment(&mut self, key: u64) {
        let by = 1 + self.random.u64(..1_000);
        self.ask(key, Call::Increment(by));
    }

    /// Puts a value that is over soon, or after the run.
    pub fn put_brief(&mut self, key: u64) {
        let ttl = if self.random.u64(..6) == 0 { LASTING } else { 1 + self.random.u64(..4) };
        self.ask(key, Call::Put { expect: Expect::Any, bound: false, ttl });
    }
}

/// A call on one key.
struct One<'o> {
    session: &'o Session,
    name: &'o str,
    key: u64,
    value: &'o [u8],
}

impl One<'_> {
    fn by_name(&self, call: Call) -> Answer {
        let Self { session, name, key, value } = *self;
        match call {
            Call::Put { expect, bound, ttl } => {
                let mut options = PutOptions::new().expect(expect).ephemeral(bound);
                options.ttl = (ttl != 0).then_some(Duration::from_millis(ttl));
                told(session.put_with(name, value, options))
            }
            Call::Update => {
                let (mut saw, mut whole) = (0, true);
                let receipt = session.update_with(name, Retry::UNLIMITED, |old| {
                    saw = seen(old.map(|old| old.value.as_slice()), key, &mut whole);
                    value
                });
                updated(receipt, saw, whole)
            }
            Call::Increment(by) => match session.increment_with(name, by.cast_signed(), Retry::UNLIMITED) {
                Ok(sum) => updated(Ok(sum.receipt), sum.value.cast_unsigned().wrapping_sub(by), true),
                Err(error) => refused(&error),
            },
            Call::Touch(ttl) => changed(session.touch(name, Duration::from_millis(ttl))),
            Call::Remove(expect) => changed(session.remove_if(name, expect)),
            // A session polls without a handle by getting.
            Call::Newer(version) => match read(session.get(name), key) {
                Answer::Value { version: stands, .. } if stands <= version => Answer::Absent,
                answer => answer,
            },
            Call::Version => match read(session.get(name), key) {
                Answer::Value { version, .. } => Answer::Stands { version },
                answer => answer,
            },
            _ => read(session.get(name), key),
        }
    }

    /// The calls that a handle has; the others by the name.
    fn through(&self, handle: &KeyHandle, call: Call) -> Answer {
        let mut buffer = Vec::new();
        match call {
            Call::Get => read(handle.get(), self.key),
            Call::Newer(version) => {
                let newer = handle.get_newer_into(version, &mut buffer);
                polled(newer, &buffer, self.key)
            }
            Call::Version => match handle.version() {
                Ok(0) => Answer::Absent,
                Ok(version) => Answer::Stands { version },
                Err(error) => refused(&error),
            },
            Call::Put { expect, bound: false, ttl: 0 } => told(handle.put_if(self.value, expect)),
            Call::Update => {
                let (mut saw, mut whole) = (0, true);
                let receipt = handle.update_with(Retry::UNLIMITED, |old| {
                    saw = seen(old, self.key, &mut whole);
                    self.value
                });
                updated(receipt, saw, whole)
            }
            _ => self.by_name(call),
        }
    }
}

/// Which value an update was given; 0 for none.
fn seen(old: Option<&[u8]>, key: u64, whole: &mut bool) -> u64 {
    let value = old.map(|old| calls::identify(old, key));
    *whole &= value != Some(None);
    value.flatten().unwrap_or(0)
}

fn updated(receipt: Result<Receipt>, saw: u64, whole: bool) -> Answer {
    match receipt {
        _ if !whole => Answer::Wrong,
        Ok(receipt) => Answer::Updated { version: receipt.version, generation: receipt.generation, saw },
        Err(error) => refused(&error),
    }
}

fn polled(newer: Result<Option<Meta>>, buffer: &[u8], key: u64) -> Answer {
    match newer {
        Ok(None) => Answer::Absent,
        Ok(Some(meta)) => match calls::identify(buffer, key) {
            Some(value) => Answer::Value { version: meta.version, generation: meta.generation, value },
            None => Answer::Wrong,
        },
        Err(error) => refused(&error),
    }
}

/// What a read was told.
pub fn read(entry: Result<Option<Entry>>, key: u64) -> Answer {
    match entry {
        Ok(None) => Answer::Absent,
        Ok(Some(entry)) => match calls::identify(&entry.value, key) {
            Some(value) => Answer::Value { version: entry.version, generation: entry.generation, value },
            None => Answer::Wrong,
        },
        Err(error) => refused(&error),
    }
}

/// What a put was told.
pub fn told(receipt: Result<Receipt>) -> Answer {
    match receipt {
        Ok(receipt) => Answer::Done { version: receipt.version, generation: receipt.generation },
        Err(error) => refused(&error),
    }
}

/// What a change was told that may find nothing to change.
fn changed(receipt: Result<Option<Receipt>>) -> Answer {
    receipt.transpose().map_or(Answer::Absent, told)
}

/// What an error says.
pub fn refused(error: &Error) -> Answer {
    match error.kind() {
        ErrorKind::Conflict | ErrorKind::Held => {
            Answer::Conflict { version: error.current().map_or(0, |entry| entry.version) }
        }
        ErrorKind::Full | ErrorKind::RetriesExhausted => Answer::Full,
        ErrorKind::Lagged => Answer::Lagged,
        _ => {
            eprintln!("an answer that nothing explains: {error}");
            Answer::Wrong
        }
    }
}
