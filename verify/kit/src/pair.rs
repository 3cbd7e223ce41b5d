//! A board beside its reference: every operation is played on both, and every answer is compared.
//!
//! What a board is asked through is a [`Subject`]: the engine ([`crate::operations`]) or the public calls
//! ([`crate::public`]). One thread plays, so there is one right answer to everything.

use crate::{
    calls::Answer,
    reference::{Record, Reference},
    script::{Life, Op, Wish},
};
use slateboard::{
    Expect,
    layout::record::RecordKind::{self, Detached, Expired, Removed, Value},
};

/// Why there is no view of a generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outside {
    /// It has left the history.
    Lagged,
    /// It has not been yet.
    Future,
}

/// The keys that begin with a prefix, in their order, with their records.
pub type Listing = Vec<(String, Record)>;

/// A board with several sessions, of which one acts.
pub trait Subject: Sized {
    /// Whether reads of the present show what has expired until an event ends it.
    const SHOWS_EXPIRED: bool;

    /// The newest generation.
    fn generation(&self) -> u64;
    /// The generation of the oldest view.
    fn floor(&self) -> u64;
    /// Events that the history holds.
    fn history(&self) -> u64;
    /// The longest value.
    fn value_max(&self) -> usize;
    /// Keys that have a value, where the board counts them.
    fn keys(&self) -> Option<usize> {
        None
    }
    /// The time that deadlines are compared with.
    fn now(&self) -> u64;
    /// The deadline of a value that is put now and lives so long.
    fn deadline(&self, span: u8) -> u64;
    /// The session that acts.
    fn writer(&self) -> u64;
    /// Lets another session act.
    fn turn(&mut self, session: u8);

    /// Puts the record's value, with its codec, deadline and session.
    fn put(&mut self, key: &str, record: &Record, expect: Expect, hinted: bool) -> Answer;
    /// Puts what `next` makes of the value. What `next` was shown, what was put, and the answer.
    fn update(&mut self, key: &str, next: fn(Option<&[u8]>) -> Vec<u8>) -> (Option<Record>, Record, Answer);
    /// Removes the key.
    fn remove(&mut self, key: &str, expect: Expect, hinted: bool) -> Answer;
    /// The key's record.
    fn get(&self, key: &str, hinted: bool) -> Option<Record>;
    /// The keys that begin with the prefix.
    fn list(&self, prefix: &str) -> Listing;
    /// The key's record and the keys that begin with the prefix, as of a generation.
    ///
    /// # Errors
    /// The history does not hold the generation.
    fn view(&self, generation: u64, key: &str, prefix: &str) -> Result<(Option<Record>, Listing), Outside>;
    /// Key, kind and session of an event of the history.
    fn event(&self, generation: u64) -> (String, RecordKind, u64);
    /// Fails unless the history tells every event as the reference knows it, and nothing else.
    fn replay(&self, reference: &Reference);
    /// Ends the session that acts, and lets another take its place. False where the board had no room for it.
    fn leave(&mut self) -> bool;
    /// Fails unless the board may be full: values of so many bytes stand, or were to.
    fn assert_full(&self, bytes: usize);
    /// An operation that this kind of board alone has.
    fn other(_: &mut Pair<Self>, op: Op) {
        panic!("{op:?} is no operation of this board");
    }
}

/// A board beside its reference.
pub struct Pair<S> {
    /// The board.
    pub subject: S,
    /// What it should answer.
    pub reference: Reference,
    keys: &'static [&'static str],
    prefixes: &'static [&'static str],
    turn: u8,
}

impl<S: Subject> Pair<S> {
    /// A board that has no key yet. Operations name keys and prefixes by their numbers.
    pub fn new(subject: S, keys: &'static [&'static str], prefixes: &'static [&'static str]) -> Self {
        Self { subject, reference: Reference::default(), keys, prefixes, turn: 0 }
    }

    /// The key of this number.
    pub fn key(&self, number: u8) -> &'static str {
        self.keys[usize::from(number) % self.keys.len()]
    }

    fn prefix(&self, number: u8) -> &'static str {
        self.prefixes[usize::from(number) % self.prefixes.len()]
    }

    /// Plays an operation.
    pub fn take(&mut self, op: Op) {
        let floor = self.subject.floor();
        match op {
            Op::Put { key, len, wish, life, hinted } => {
                let key = self.key(key);
                let expect = self.expect(key, wish);
                self.put(
                    key,
                    self.value(usize::from(len) % (self.subject.value_max() + 1)),
                    expect,
                    life,
                    hinted,
                );
            }
            Op::PutSmall { key, len } => {
                self.put(self.key(key), self.value(usize::from(len)), Expect::Any, Life::Plain, false);
            }
            Op::Remove { key, wish, hinted } => {
                let key = self.key(key);
                self.remove(key, self.expect(key, wish), hinted);
            }
            Op::Update { key } => self.update(self.key(key)),
            Op::Get { key, hinted } => self.get(self.key(key), hinted),
            Op::List { prefix } => self.list(self.prefix(prefix)),
            Op::Past { back, key, prefix } => self.past(back, self.key(key), self.prefix(prefix)),
            Op::Replay => self.subject.replay(&self.reference),
            Op::Turn { session } => self.subject.turn(session),
            Op::Leave => self.leave(),
            _ => S::other(self, op),
        }
        let (generation, now) = (self.subject.generation(), self.subject.floor());
        assert_eq!(generation, self.reference.generation(), "the generation after {op:?}");
        assert!(floor <= now && now <= generation, "the floor after {op:?}");
        assert!(now + self.subject.history() >= generation, "the history after {op:?}");
    }

    /// Bytes that differ from place to place and from put to put.
    pub fn value(&self, len: usize) -> Vec<u8> {
        (0..len).map(|at| (at ^ at >> 8 ^ at >> 16) as u8 ^ self.turn).collect()
    }

    fn expect(&self, key: &str, wish: Wish) -> Expect {
        let stands = self.reference.map.get(key);
        let (version, generation) = stands.map_or((1, 1), |record| (record.version, record.generation));
        match wish {
            Wish::Any => Expect::Any,
            Wish::Absent => Expect::Absent,
            Wish::Present => Expect::Present,
            Wish::Version(right) => Expect::Version(version + u64::from(!right)),
            Wish::Generation(right) => Expect::Generation(generation + u64::from(!right)),
        }
    }

    /// What reads of the present show.
    fn shown(&self, record: &Record) -> bool {
        S::SHOWS_EXPIRED || !record.is_over(self.subject.now())
    }

    /// Puts a value.
    pub fn put(&mut self, key: &str, bytes: Vec<u8>, expect: Expect, life: Life, hinted: bool) {
        self.turn = self.turn.wrapping_add(1);
        let writer = self.subject.writer();
        let record = Record {
            kind: Value,
            bytes,
            // A handle puts bytes and nothing else.
            codec: if hinted && life == Life::Plain { 0 } else { self.turn },
            version: 0,
            generation: 0,
            created: 0,
            deadline: life.span().map_or(0, |span| self.subject.deadline(span)),
            ephemeral: if life.is_bound() { writer } else { 0 },
            writer,
        };
        let answer = self.subject.put(key, &record, expect, hinted);
        self.judge_put(key, record, expect, answer);
    }

    fn judge_put(&mut self, key: &str, mut record: Record, expect: Expect, answer: Answer) {
        self.ended_besides();
        if answer == Answer::Full {
            return self.refused(record.bytes.len());
        }
        self.meet_expired(key);
        if !self.reference.is_met(key, expect) {
            return self.conflicts(key, answer);
        }
        let Answer::Done { version, generation } = answer else {
            panic!("the put of {key} answers {answer:?}");
        };
        (record.version, record.generation) = (version, generation);
        self.reference.put(key, record, self.subject.floor());
    }

    /// A writer that meets an expired entry publishes its end first.
    fn meet_expired(&mut self, key: &str) {
        if self.reference.is_over(key, self.subject.now()) {
            self.reference.end(key, Expired, self.subject.writer());
        }
    }

    /// A writer that needs a slot, or any other room, first ends what expired.
    fn ended_besides(&mut self) {
        for generation in self.reference.generation() + 1..=self.subject.generation() {
            let (key, kind, writer) = self.subject.event(generation);
            if kind != Expired || !self.reference.is_over(&key, self.subject.now()) {
                break;
            }
            self.reference.end(&key, Expired, writer);
        }
    }

    /// Nothing but a full board refuses a sound change; nothing happened then.
    pub fn refused(&self, len: usize) {
        let held: usize = self.reference.map.values().map(|record| record.bytes.len()).sum();
        self.subject.assert_full(held + len);
        assert_eq!(self.subject.generation(), self.reference.generation(), "a refused change is no event");
    }

    fn conflicts(&self, key: &str, answer: Answer) {
        let version = self.reference.map.get(key).map_or(0, |record| record.version);
        assert_eq!(answer, Answer::Conflict { version }, "for {key}");
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &str, expect: Expect, hinted: bool) {
        let answer = self.subject.remove(key, expect, hinted);
        self.ended_besides();
        if answer == Answer::Full {
            return self.refused(0);
        }
        self.meet_expired(key);
        if !self.reference.map.contains_key(key) && matches!(expect, Expect::Any | Expect::Absent) {
            return assert_eq!(answer, Answer::Absent, "the removal of {key}, which is not there");
        }
        if !self.reference.is_met(key, expect) {
            return self.conflicts(key, answer);
        }
        self.reference.end(key, Removed, self.subject.writer());
        let generation = self.reference.generation();
        let version = self.reference.event(generation).record.version;
        assert_eq!(answer, Answer::Done { version, generation }, "the removal of {key}");
    }

    fn update(&mut self, key: &str) {
        let (seen, record, answer) = self.subject.update(key, |old| {
            old.map_or_else(|| b"+".to_vec(), |old| old.iter().take(8_000).chain(b"+").copied().collect())
        });
        let stands = self.reference.map.get(key).filter(|stands| !stands.is_over(self.subject.now()));
        assert_eq!(seen.as_ref(), stands, "what the update of {key} saw");
        let expect = stands.map_or(Expect::Absent, |stands| Expect::Version(stands.version));
        self.judge_put(key, record, expect, answer);
    }

    /// Reads a key.
    pub fn get(&self, key: &str, hinted: bool) {
        let known = self.reference.map.get(key).filter(|record| self.shown(record));
        assert_eq!(self.subject.get(key, hinted).as_ref(), known, "{key}");
    }

    /// Lists the keys that begin with a prefix.
    pub fn list(&self, prefix: &str) {
        let known = self.reference.map.iter().filter(|(_, record)| self.shown(record));
        same_list(&self.subject.list(prefix), known.map(|(key, record)| (key.as_str(), record)), prefix);
        let keys = self.subject.keys();
        assert!(keys.is_none_or(|keys| keys == self.reference.map.len()), "{keys:?} keys are counted");
    }

    /// Views a generation from a little before the history to a little after the present.
    fn past(&self, back: u8, key: &str, prefix: &str) {
        let (floor, newest) = (self.subject.floor(), self.subject.generation());
        let generation = (newest + 2).saturating_sub(u64::from(back) % (newest - floor + 6));
        match self.subject.view(generation, key, prefix) {
            Err(Outside::Lagged) => assert!(generation < floor, "generation {generation} over floor {floor}"),
            Err(Outside::Future) => assert!(generation > newest, "generation {generation} of {newest}"),
            Ok((found, listed)) => {
                assert!(floor <= generation && generation <= newest, "generation {generation}");
                // What expired is there until its event.
                let known = self.reference.at(generation);
                assert_eq!(found.as_ref(), known.get(key).copied(), "{key} at {generation}");
                same_list(&listed, known.into_iter(), prefix);
            }
        }
    }

    fn leave(&mut self) {
        let life = self.subject.writer();
        let left = self.subject.leave();
        self.ended_with(life, Detached, life);
        if left {
            self.assert_ended(life);
        } else {
            self.refused(0);
        }
    }

    /// The events since end what was bound to this session, and nothing else.
    pub fn ended_with(&mut self, life: u64, kind: RecordKind, writer: u64) {
        for generation in self.reference.generation() + 1..=self.subject.generation() {
            let (key, found, _) = self.subject.event(generation);
            let bound = self.reference.map.get(&key).is_some_and(|record| record.ephemeral == life);
            assert!(bound, "{key} was not bound to the session that ended");
            let over = self.reference.is_over(&key, self.subject.now());
            assert_eq!(found, if over { Expired } else { kind }, "how {key} ended with its session");
            self.reference.end(&key, found, writer);
        }
    }

    /// Nothing outlives the session that it is bound to.
    pub fn assert_ended(&self, life: u64) {
        let left = self.reference.map.iter().find(|(_, record)| record.ephemeral == life);
        assert!(left.is_none(), "{left:?} outlived its session");
    }

    /// The last answers: every key, every view, every event.
    pub fn finish(&self) {
        self.keys.iter().for_each(|key| self.get(key, true));
        self.list("");
        self.subject.replay(&self.reference);
    }
}

fn same_list<'r>(found: &Listing, known: impl Iterator<Item = (&'r str, &'r Record)>, prefix: &str) {
    let known: Vec<_> = known.filter(|(key, _)| key.starts_with(prefix)).collect();
    let found: Vec<_> = found.iter().map(|(key, record)| (key.as_str(), record)).collect();
    assert_eq!(found, known, "the list of {prefix:?}");
}
