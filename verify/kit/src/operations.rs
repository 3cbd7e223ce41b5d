//! The fuzz target `operations`: a script on a board of the engine, on the heap, beside the reference.
//!
//! At the end the independent check reads the words, and what it finds is the reference's, too.

use crate::{
    calls::Answer,
    heap::{self, Heap, SESSIONS, VALUE_MAX},
    judge::assert_same,
    pair::{Listing, Outside, Pair, Subject},
    reference::{Happened, Record, Reference},
    script::{self, Op},
};
use slateboard::{
    Expect,
    layout::{
        Head, Writer,
        record::RecordKind::{self, Died, Expired, Removed},
    },
    protocol::{
        Fault, Full,
        lane::Lane,
        publish::{Change, Outcome},
        read::Verify,
        slots::{Key, Slot},
        view::{Item, Point},
    },
};
use std::collections::BTreeMap;

/// Operations of one input, at most.
const OPERATIONS_MAX: usize = 256;
const KEYS: [&str; 16] = [
    "task/0", "task/1", "task/2", "task/3", "task/4", "task/5", "task/6", "task/7", "task/8", "task",
    "file/0", "file/1", "tea", "é/€", "x", "team/y",
];
const PREFIXES: [&str; 6] = ["", "task/", "ta", "task/1", "é", "nothing"];

/// Plays the operations that the bytes spell.
pub fn play(bytes: &[u8]) {
    let mut pair = Pair::new(Engine::default(), &KEYS, &PREFIXES);
    for op in script::read(bytes, OPERATIONS_MAX) {
        pair.take(op);
    }
    end(&mut pair);
}

/// The last answers, and the independent check: with the sessions' private blocks, then without sessions.
fn end(pair: &mut Pair<Engine>) {
    pair.finish();
    assert_same(&pair.subject.heap.check(&[0, 1, 2]), &pair.reference);
    let mut living = Vec::new();
    for who in 0..SESSIONS as u8 {
        pair.take(Op::Turn { session: who });
        let life = pair.subject.writer();
        let left = pair.subject.detach();
        pair.ended_with(life, RecordKind::Detached, life);
        if !left {
            pair.refused(0);
        }
        living.extend((!left).then_some(u16::from(who)));
    }
    assert_same(&pair.subject.heap.check(&living), &pair.reference);
}

/// A board of the engine with its sessions.
struct Engine {
    heap: Heap,
    lanes: [Option<Lane>; SESSIONS],
    /// Where keys were found.
    slots: BTreeMap<String, Slot>,
    open: Vec<(usize, Head)>,
    who: usize,
}

impl Default for Engine {
    fn default() -> Self {
        let heap = Heap::default();
        let lanes = [0, 1, 2].map(|index| Some(heap.attach(index)));
        Self { heap, lanes, slots: BTreeMap::new(), open: Vec::new(), who: 0 }
    }
}

impl Engine {
    fn with_lane<T>(&mut self, call: impl FnOnce(&Heap, &mut Lane) -> T) -> T {
        call(&self.heap, self.lanes[self.who].as_mut().expect("whoever acts is attached"))
    }

    fn hint(&self, key: &str, hinted: bool) -> Option<Slot> {
        self.slots.get(key).copied().filter(|_| hinted)
    }

    fn change(&mut self, key: &str, change: &Change<'_>, hinted: bool) -> Answer {
        let hint = self.hint(key, hinted);
        let outcome = self.with_lane(|heap, lane| {
            let core = heap.core();
            core.change(lane, &Key::new(core.geometry(), key), change, heap::now(), hint)
        });
        match outcome {
            Ok(Outcome::Done { version, generation, retries: 0, slot }) => {
                self.slots.insert(key.to_owned(), slot);
                Answer::Done { version, generation }
            }
            Ok(Outcome::Conflict { version }) => Answer::Conflict { version },
            Ok(Outcome::Nothing) => Answer::Absent,
            Err(fault) => self.full(fault),
            other => panic!("a change of {key} answers {other:?}"),
        }
    }

    /// Nothing but a full board refuses a sound change.
    fn full(&self, fault: Fault) -> Answer {
        assert_eq!(fault, Fault::Full(Full::Blocks), "nobody holds blocks back, and the slots are enough");
        Answer::Full
    }

    fn list_at(&self, prefix: &str, point: Point) -> Listing {
        let mut found = Vec::new();
        let listed = self.heap.core().list_at(prefix, point, Verify::Always, |item| {
            let item = item.unwrap_or_else(|fault| panic!("listing {prefix:?}: {fault:?}"));
            found.push((key_of(&item), Record::from(&item)));
        });
        listed.expect("nobody moves the floor meanwhile");
        // The engine lists by slots, not by keys.
        found.sort_by(|one, other| one.0.cmp(&other.0));
        found
    }

    /// Ends the session that acts; false where the board had no room for that.
    fn detach(&mut self) -> bool {
        let mut lane = self.lanes[self.who].take().expect("whoever acts is attached");
        let left = self.heap.core().leave(std::slice::from_mut(&mut lane), heap::now());
        if let Err(fault) = left {
            self.full(fault);
            self.lanes[self.who] = Some(lane);
        }
        left.is_ok()
    }

    fn reattach(&mut self) {
        self.lanes[self.who] = Some(self.heap.attach(self.who));
    }
}

fn key_of(item: &Item) -> String {
    String::from_utf8(item.key.clone()).expect("keys are UTF-8")
}

impl Subject for Engine {
    const SHOWS_EXPIRED: bool = true;

    fn generation(&self) -> u64 {
        self.heap.core().generation()
    }

    fn floor(&self) -> u64 {
        self.heap.core().floor()
    }

    fn history(&self) -> u64 {
        self.heap.core().geometry().history()
    }

    fn value_max(&self) -> usize {
        VALUE_MAX
    }

    fn now(&self) -> u64 {
        heap::boot_ns()
    }

    fn deadline(&self, span: u8) -> u64 {
        heap::boot_ns() + u64::from(span)
    }

    fn writer(&self) -> u64 {
        self.lanes[self.who].as_ref().expect("whoever acts is attached").writer.pack()
    }

    fn turn(&mut self, session: u8) {
        self.who = usize::from(session) % SESSIONS;
    }

    fn put(&mut self, key: &str, record: &Record, expect: Expect, hinted: bool) -> Answer {
        let Record { codec, deadline, ephemeral, .. } = *record;
        self.change(key, &Change { codec, deadline, ephemeral, ..Change::put(&record.bytes, expect) }, hinted)
    }

    fn update(&mut self, key: &str, next: fn(Option<&[u8]>) -> Vec<u8>) -> (Option<Record>, Record, Answer) {
        let seen = self.get(key, false).filter(|seen| !seen.is_over(self.now()));
        let expect = seen.as_ref().map_or(Expect::Absent, |seen| Expect::Version(seen.version));
        let record = Record {
            kind: RecordKind::Value,
            bytes: next(seen.as_ref().map(|seen| &seen.bytes[..])),
            codec: 7,
            version: 0,
            generation: 0,
            created: 0,
            deadline: 0,
            ephemeral: 0,
            writer: self.writer(),
        };
        let answer = self.put(key, &record, expect, true);
        (seen, record, answer)
    }

    fn remove(&mut self, key: &str, expect: Expect, hinted: bool) -> Answer {
        self.change(key, &Change::tombstone(Removed, expect), hinted)
    }

    fn get(&self, key: &str, hinted: bool) -> Option<Record> {
        let core = self.heap.core();
        // What stood in the buffer is replaced.
        let mut value = b"before".to_vec();
        let hint = self.hint(key, hinted);
        let found = core.get(&Key::new(core.geometry(), key), hint, Verify::Always, &mut value);
        let meta = found.unwrap_or_else(|fault| panic!("reading {key}: {fault:?}"))?;
        assert!(core.is_newest(meta.slot, meta.head), "{key} was read where it is not");
        let (header, generation) = (meta.header(), meta.generation);
        Some(Record::from(&Item { key: key.into(), value, header, generation }))
    }

    fn list(&self, prefix: &str) -> Listing {
        let point = self.heap.core().point_at(self.generation()).expect("the present is in the history");
        self.list_at(prefix, point)
    }

    fn view(&self, generation: u64, key: &str, prefix: &str) -> Result<(Option<Record>, Listing), Outside> {
        let core = self.heap.core();
        let point = core.point_at(generation).map_err(|fault| match fault {
            Fault::Lagged => Outside::Lagged,
            Fault::Future => Outside::Future,
            fault => panic!("generation {generation}: {fault:?}"),
        })?;
        let found = core.get_at(&Key::new(core.geometry(), key), point, Verify::Always);
        let found = found.expect("a sound record").as_ref().map(Record::from);
        Ok((found, self.list_at(prefix, point)))
    }

    fn event(&self, generation: u64) -> (String, RecordKind, u64) {
        let event = self.heap.core().event(generation, Verify::Always, |_| true);
        let item = event.expect("an event of the history").expect("the filter says yes").item;
        (key_of(&item), item.header.kind, item.header.writer)
    }

    /// Every event of the history, the ones that have left it, and the next.
    fn replay(&self, reference: &Reference) {
        let core = self.heap.core();
        let (floor, newest) = (core.floor(), core.generation());
        assert_eq!(core.event(newest + 1, Verify::Always, |_| true), Err(Fault::Future));
        if floor > 0 {
            assert_eq!(core.event(floor, Verify::Always, |_| true), Err(Fault::Lagged));
        }
        for generation in floor + 1..=newest {
            let known = reference.event(generation);
            assert_eq!(core.event(generation, Verify::Always, |_| false), Ok(None));
            let event = core.event(generation, Verify::Always, |key| key == known.key.as_bytes());
            let event = event.expect("an event of the history").expect("the filter says yes");
            // The previous value as it is known: whether its own event is still in the history or not.
            let previous = event.previous.as_ref().map(Record::from);
            let found = Happened { key: key_of(&event.item), record: Record::from(&event.item), previous };
            assert_eq!(&found, known, "event {generation}");
        }
    }

    fn leave(&mut self) -> bool {
        let left = self.detach();
        if left {
            self.reattach();
        }
        left
    }

    fn assert_full(&self, _: usize) {
        let core = self.heap.core();
        assert_eq!(core.claimed_extents(), core.reserved(), "the board is full with extents left");
    }

    fn other(pair: &mut Pair<Self>, op: Op) {
        match op {
            Op::Pass { ns } => heap::pass(u64::from(ns)),
            Op::Expire { key, right } => expire(pair, pair.key(key), right),
            Op::Floor { early, steps } => advance_floor(&mut pair.subject, early, steps),
            Op::Kill => kill(pair),
            Op::Sweep => pair.subject.open = pair.subject.heap.core().sweep_open(&pair.subject.open),
            Op::EmptyStash => pair.subject.with_lane(|heap, lane| heap.core().empty_stash(lane)),
            _ => unreachable!("{op:?} is every board's"),
        }
    }
}

/// Publishes an entry's end by its deadline, whether that has passed or not: the caller has judged it.
fn expire(pair: &mut Pair<Engine>, key: &str, right: bool) {
    let Some(generation) = pair.reference.map.get(key).map(|record| record.generation) else { return };
    let outcome = pair.subject.with_lane(|heap, lane| {
        let core = heap.core();
        let key = Key::new(core.geometry(), key);
        core.expire(lane, &key, generation + u64::from(!right), heap::now(), None)
    });
    match outcome {
        Ok(true) if right => pair.reference.end(key, Expired, pair.subject.writer()),
        Ok(ended) => assert!(!ended, "{key} was ended, and another generation was expected"),
        Err(fault) => {
            pair.subject.full(fault);
            pair.refused(0);
        }
    }
}

fn advance_floor(engine: &mut Engine, early: bool, steps: u8) {
    for _ in 0..steps % 8 {
        let before = engine.floor();
        let moved = engine.with_lane(|heap, lane| heap.core().advance_floor(lane, early));
        let moved = moved.expect("a sound history");
        assert_eq!(engine.floor(), before + u64::from(moved));
        assert!(moved || early || before == engine.generation(), "the floor stays at {before}");
    }
}

/// The session ends without a word, with what it keeps at hand; another ends its life.
fn kill(pair: &mut Pair<Engine>) {
    let engine = &mut pair.subject;
    let life = engine.writer();
    drop(engine.lanes[engine.who].take());
    let core = engine.heap.core();
    let mut reaper = Lane::for_reaping(&core, engine.who);
    let writer = reaper.writer.pack();
    let reaped = core.reap(&mut reaper, engine.who, heap::now());
    match reaped {
        Ok(_) => engine.reattach(),
        Err(fault) => {
            engine.full(fault);
            // The life goes on: its record is still taken.
            engine.lanes[engine.who] = Some(Lane::new(&core, 0, Writer::unpack(life)));
        }
    }
    pair.ended_with(life, Died, writer);
    if reaped.is_ok() {
        pair.assert_ended(life);
    } else {
        pair.refused(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Life, Wish};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    type Alteration = fn(&mut Reference);

    fn last(reference: &mut Reference) -> &mut Happened {
        reference.events.last_mut().expect("an event")
    }

    fn first(reference: &mut Reference) -> &mut Record {
        reference.map.values_mut().next().expect("a key")
    }

    const EVENTS: [Alteration; 5] = [
        |reference| last(reference).key.push('x'),
        |reference| last(reference).record.kind = Removed,
        |reference| last(reference).record.version += 1,
        |reference| last(reference).record.writer += 1,
        |reference| last(reference).record.bytes.push(0),
    ];
    const PREVIOUS: [Alteration; 2] = [
        |reference| last(reference).previous = None,
        |reference| last(reference).previous.as_mut().expect("a value before").bytes.push(0),
    ];
    const KEYS: [Alteration; 8] = [
        |reference| first(reference).version += 1,
        |reference| first(reference).generation += 1,
        |reference| first(reference).codec ^= 1,
        |reference| first(reference).deadline += 1,
        |reference| first(reference).ephemeral += 1,
        |reference| first(reference).writer += 1,
        |reference| first(reference).bytes.push(0),
        |reference| drop(reference.map.pop_last()),
    ];

    /// A board after some puts, whose reference is altered.
    fn altered(alter: Alteration) -> Pair<Engine> {
        let mut pair = Pair::new(Engine::default(), &super::KEYS, &PREFIXES);
        for key in [0, 1, 0] {
            pair.take(Op::Put { key, len: 9, wish: Wish::Any, life: Life::Plain, hinted: false });
        }
        alter(&mut pair.reference);
        pair
    }

    fn check(pair: &Pair<Engine>) {
        assert_same(&pair.subject.heap.check(&[0, 1, 2]), &pair.reference);
    }

    #[test]
    fn what_the_words_do_not_hold_is_found() {
        check(&altered(|_| {}));
        for (number, &alter) in EVENTS.iter().chain(&KEYS).enumerate() {
            let pair = altered(alter);
            assert!(catch_unwind(AssertUnwindSafe(|| check(&pair))).is_err(), "alteration {number}");
        }
    }

    #[test]
    fn what_the_history_does_not_tell_is_found() {
        altered(|_| {}).take(Op::Replay);
        for (number, &alter) in EVENTS.iter().chain(&PREVIOUS).enumerate() {
            let mut pair = altered(alter);
            assert!(catch_unwind(AssertUnwindSafe(|| pair.take(Op::Replay))).is_err(), "alteration {number}");
        }
    }
}
