//! Operations of several sessions on a sound board, beside a model that knows every answer.
//!
//! One thread, so there is one right answer to everything. At the end the independent check reads the words.

use crate::{
    heap::{self, Heap, SESSIONS, VALUE_MAX},
    reference::{Happened, Model, Record, of_item},
};
use arbitrary::{Arbitrary, Unstructured};
use slateboard::{
    layout::{
        Head,
        record::RecordKind::{Detached, Died, Expired, Removed, Touched, Value},
    },
    protocol::{
        Fault, Full,
        lane::Lane,
        publish::{Change, Expect, Outcome},
        read::Verify,
        slots::{Key, Slot},
    },
};
use slateboard_fsck::{Kind, Summary};
use std::collections::BTreeMap;

/// Operations of one input, at most.
const OPERATIONS_MAX: usize = 256;
const KEYS: [&str; 16] = [
    "task/0", "task/1", "task/2", "task/3", "task/4", "task/5", "task/6", "task/7", "task/8", "task",
    "file/0", "file/1", "tea", "é/€", "x", "team/y",
];
const PREFIXES: [&str; 6] = ["", "task/", "ta", "task/1", "é", "nothing"];

/// What a change expects, as seen from what stands.
#[derive(Clone, Copy, Arbitrary, Debug)]
enum Wish {
    Any,
    Absent,
    Present,
    Version(bool),
    Generation(bool),
}

/// How long a value lives.
#[derive(Clone, Copy, Arbitrary, Debug)]
enum Life {
    Plain,
    Until(u8),
    Bound,
    BoundUntil(u8),
}

#[derive(Clone, Copy, Arbitrary, Debug)]
enum Op {
    Put { key: u8, len: u16, wish: Wish, life: Life, hinted: bool },
    PutSmall { key: u8, len: u8 },
    Remove { key: u8, wish: Wish, hinted: bool },
    Update { key: u8 },
    Get { key: u8, hinted: bool },
    List { prefix: u8 },
    Past { back: u8, key: u8, prefix: u8 },
    Replay,
    Pass { ns: u8 },
    Expire { key: u8, right: bool },
    Floor { early: bool, steps: u8 },
    Turn { session: u8 },
    Leave,
    Kill,
    Sweep,
    EmptyStash,
}

/// The board beside its model.
struct Pair<'h> {
    heap: &'h Heap,
    model: Model,
    lanes: [Option<Lane>; SESSIONS],
    slots: BTreeMap<&'static str, Slot>,
    open: Vec<(usize, Head)>,
    who: usize,
    turn: u8,
}

/// Plays the operations that the bytes spell.
pub fn play(bytes: &[u8]) {
    let heap = Heap::default();
    let mut pair = Pair {
        heap: &heap,
        model: Model::default(),
        lanes: [0, 1, 2].map(|index| Some(heap.attach(index))),
        slots: BTreeMap::new(),
        open: Vec::new(),
        who: 0,
        turn: 0,
    };
    let mut source = Unstructured::new(bytes);
    for _ in 0..OPERATIONS_MAX {
        match source.arbitrary() {
            Ok(op) if !source.is_empty() => pair.take(op),
            _ => break,
        }
    }
    pair.end();
}

fn key(number: u8) -> &'static str {
    KEYS[usize::from(number) % KEYS.len()]
}

impl Pair<'_> {
    fn take(&mut self, op: Op) {
        self.turn = self.turn.wrapping_add(1);
        let floor = self.heap.core().floor();
        match op {
            Op::Put { key: number, len, wish, life, hinted } => {
                let expect = self.expect(key(number), wish);
                self.put(key(number), usize::from(len) % (VALUE_MAX + 1), expect, life, hinted);
            }
            Op::PutSmall { key: number, len } => {
                self.put(key(number), usize::from(len), Expect::Any, Life::Plain, false);
            }
            Op::Remove { key: number, wish, hinted } => self.remove(key(number), wish, hinted),
            Op::Update { key: number } => self.update(key(number)),
            Op::Get { key: number, hinted } => self.get(key(number), hinted),
            Op::List { prefix } => self.list(self.model.generation(), prefix),
            Op::Past { back, key: number, prefix } => self.past(back, key(number), prefix),
            Op::Replay => self.replay(),
            Op::Pass { ns } => heap::pass(u64::from(ns)),
            Op::Expire { key: number, right } => self.expire(key(number), right),
            Op::Floor { early, steps } => self.advance_floor(early, steps),
            Op::Turn { session } => self.who = usize::from(session) % SESSIONS,
            Op::Leave => self.leave(self.who),
            Op::Kill => self.kill(),
            Op::Sweep => self.open = self.heap.core().sweep_open(&self.open),
            Op::EmptyStash => self.with_lane(|heap, lane| heap.core().empty_stash(lane)),
        }
        if self.lanes[self.who].is_none() {
            self.lanes[self.who] = Some(self.heap.attach(self.who));
        }
        let core = self.heap.core();
        assert_eq!(core.generation(), self.model.generation(), "the generation after {op:?}");
        assert!(floor <= core.floor() && core.floor() <= core.generation(), "the floor after {op:?}");
        assert!(core.floor() + core.geometry().history() >= core.generation(), "the history after {op:?}");
    }

    fn with_lane<T>(&mut self, call: impl FnOnce(&Heap, &mut Lane) -> T) -> T {
        call(self.heap, self.lanes[self.who].as_mut().expect("whoever acts is attached"))
    }

    fn writer(&self) -> u64 {
        self.lanes[self.who].as_ref().expect("whoever acts is attached").writer.pack()
    }

    fn expect(&self, key: &str, wish: Wish) -> Expect {
        let (version, generation) =
            self.model.map.get(key).map_or((1, 1), |record| (record.version, record.generation));
        match wish {
            Wish::Any => Expect::Any,
            Wish::Absent => Expect::Absent,
            Wish::Present => Expect::Present,
            Wish::Version(right) => Expect::Version(version + u64::from(!right)),
            Wish::Generation(right) => Expect::Generation(generation + u64::from(!right)),
        }
    }

    /// A writer that meets an expired entry publishes that first.
    fn meet_expired(&mut self, key: &'static str) {
        let over = |record: &Record| record.deadline != 0 && record.deadline <= heap::boot_ns();
        if self.model.map.get(key).is_some_and(over) {
            let writer = self.writer();
            self.model.end(key, Expired, writer);
        }
    }

    fn change(&mut self, key: &str, change: &Change<'_>, hint: Option<Slot>) -> Result<Outcome, Fault> {
        let outcome = self.with_lane(|heap, lane| {
            let core = heap.core();
            core.change(lane, &Key::new(core.geometry(), key), change, heap::now(), hint)
        });
        self.ended_besides();
        outcome
    }

    /// A writer that needs a slot, or any other room, first ends what expired.
    fn ended_besides(&mut self) {
        let over = |record: &Record| record.deadline != 0 && record.deadline <= heap::boot_ns();
        for position in self.model.generation() + 1..=self.heap.core().generation() {
            let event = self.heap.core().event(position, Verify::Always, |_| true);
            let item = event.expect("an event of the history").expect("the filter says yes").item;
            let key = KEYS.iter().find(|key| key.as_bytes() == item.key).expect("one of the keys");
            if item.header.kind != Expired || !self.model.map.get(*key).is_some_and(over) {
                break;
            }
            self.model.end(key, Expired, item.header.writer);
        }
    }

    fn hint(&self, key: &str, hinted: bool) -> Option<Slot> {
        self.slots.get(key).copied().filter(|_| hinted)
    }

    fn put(&mut self, key: &'static str, len: usize, expect: Expect, life: Life, hinted: bool) {
        let turn = self.turn;
        let bytes: Vec<u8> = (0..len).map(|at| (at ^ at >> 8) as u8 ^ turn).collect();
        let until = |ns: u8| heap::boot_ns() + u64::from(ns);
        let mut change = Change { codec: turn, ..Change::put(&bytes, expect) };
        (change.deadline, change.ephemeral) = match life {
            Life::Plain => (0, 0),
            Life::Until(ns) => (until(ns), 0),
            Life::Bound => (0, self.writer()),
            Life::BoundUntil(ns) => (until(ns), self.writer()),
        };
        let outcome = self.change(key, &change, self.hint(key, hinted));
        if let Err(fault) = outcome {
            return self.refused(fault);
        }
        self.meet_expired(key);
        if !self.model.is_met(key, expect) {
            return self.conflicts(key, outcome);
        }
        let Ok(Outcome::Done { version, generation, retries: 0, slot }) = outcome else {
            panic!("the put of {key} answers {outcome:?}")
        };
        let Change { codec, deadline, ephemeral, .. } = change;
        let writer = self.writer();
        let record = Record {
            kind: Value,
            bytes,
            codec,
            version,
            generation,
            created: 0,
            deadline,
            ephemeral,
            writer,
        };
        self.model.put(key, record, self.heap.core().floor());
        self.slots.insert(key, slot);
    }

    /// Nothing but a full board refuses a sound change; nothing happened then.
    fn refused(&self, fault: Fault) {
        let core = self.heap.core();
        assert_eq!(fault, Fault::Full(Full::Blocks), "nobody holds blocks back, and the slots are enough");
        assert_eq!(core.claimed_extents(), core.reserved(), "the board is full with extents left");
        assert_eq!(core.generation(), self.model.generation(), "a refused change is no event");
    }

    fn conflicts(&self, key: &str, outcome: Result<Outcome, Fault>) {
        let version = self.model.map.get(key).map_or(0, |record| record.version);
        assert_eq!(outcome, Ok(Outcome::Conflict { version }), "for {key}");
    }

    fn remove(&mut self, key: &'static str, wish: Wish, hinted: bool) {
        let expect = self.expect(key, wish);
        let outcome = self.change(key, &Change::tombstone(Removed, expect), self.hint(key, hinted));
        if let Err(fault) = outcome {
            return self.refused(fault);
        }
        self.meet_expired(key);
        if !self.model.map.contains_key(key) && matches!(expect, Expect::Any | Expect::Absent) {
            return assert_eq!(outcome, Ok(Outcome::Nothing), "the removal of {key}, which is not there");
        }
        if !self.model.is_met(key, expect) {
            return self.conflicts(key, outcome);
        }
        let writer = self.writer();
        self.model.end(key, Removed, writer);
        let (known, generation) = (&self.model.events[self.model.events.len() - 1], self.model.generation());
        let done = matches!(outcome, Ok(Outcome::Done { version, generation: found, .. })
            if version == known.record.version && found == generation);
        assert!(done, "the removal of {key} answers {outcome:?}");
    }

    /// What `update` does: read, then put if nobody was first.
    fn update(&mut self, key: &'static str) {
        let old = self.read(key, None).filter(|old| old.deadline == 0 || old.deadline > heap::boot_ns());
        let expect = old.as_ref().map_or(Expect::Absent, |old| Expect::Version(old.version));
        let len = old.map_or(1, |old| old.bytes.len() + 1).min(VALUE_MAX);
        let events = self.model.events.len();
        self.put(key, len, expect, Life::Plain, true);
        let last = self.model.events.get(events..).and_then(<[Happened]>::last);
        assert!(last.is_none_or(|last| last.record.kind == Value), "an update that meets its own read");
    }

    fn read(&self, name: &'static str, hint: Option<Slot>) -> Option<Record> {
        let core = self.heap.core();
        let mut out = b"before".to_vec();
        let found = core.get(&Key::new(core.geometry(), name), hint, Verify::Always, &mut out);
        let meta = found.unwrap_or_else(|fault| panic!("reading {name}: {fault:?}"))?;
        assert!(core.is_newest(meta.slot, meta.head), "{name} was read where it is not");
        let item = slateboard::protocol::view::Item {
            key: name.into(),
            // What stood in the buffer is replaced.
            value: out,
            header: meta.header(),
            generation: meta.generation,
        };
        Some(of_item(&item))
    }

    fn get(&self, key: &'static str, hinted: bool) {
        assert_eq!(self.read(key, self.hint(key, hinted)).as_ref(), self.model.map.get(key), "{key}");
    }

    fn list(&self, generation: u64, prefix: u8) {
        let prefix = PREFIXES[usize::from(prefix) % PREFIXES.len()];
        let core = self.heap.core();
        let point = core.point_at(generation).expect("the generation is in the history");
        let mut found = BTreeMap::new();
        core.list_at(prefix, point, Verify::Always, |item| {
            let item = item.unwrap_or_else(|fault| panic!("listing {prefix:?}: {fault:?}"));
            let key = String::from_utf8(item.key.clone()).expect("keys are UTF-8");
            assert!(found.insert(key, of_item(&item)).is_none(), "listed twice");
        })
        .expect("nobody moves the floor meanwhile");
        let known = self.model.at(generation);
        let known = known.into_iter().filter(|(key, _)| key.starts_with(prefix));
        assert!(
            found.iter().map(|(key, record)| (key.as_str(), record)).eq(known),
            "{prefix:?} at {generation}"
        );
    }

    /// A generation from a little before the history to a little after the present.
    fn past(&self, back: u8, name: &'static str, prefix: u8) {
        let core = self.heap.core();
        let (floor, newest) = (core.floor(), core.generation());
        let generation = (newest + 2).saturating_sub(u64::from(back) % (newest - floor + 6));
        match core.point_at(generation) {
            Err(Fault::Lagged) => assert!(generation < floor, "generation {generation} over floor {floor}"),
            Err(Fault::Future) => assert!(generation > newest, "generation {generation} of {newest}"),
            Err(fault) => panic!("generation {generation}: {fault:?}"),
            Ok(point) => {
                assert!(floor <= generation && generation <= newest, "generation {generation}");
                let found = core.get_at(&Key::new(core.geometry(), name), point, Verify::Always);
                let found = found.expect("a sound record").as_ref().map(of_item);
                assert_eq!(found.as_ref(), self.model.at(generation).get(name).copied(), "{name}");
                self.list(generation, prefix);
            }
        }
    }

    /// Every event of the history, the ones that have left it, and the next.
    fn replay(&self) {
        let core = self.heap.core();
        let (floor, newest) = (core.floor(), core.generation());
        assert_eq!(core.event(newest + 1, Verify::Always, |_| true), Err(Fault::Future));
        if floor > 0 {
            assert_eq!(core.event(floor, Verify::Always, |_| true), Err(Fault::Lagged));
        }
        for position in floor + 1..=newest {
            let known = &self.model.events[position as usize - 1];
            assert_eq!(core.event(position, Verify::Always, |_| false), Ok(None));
            let event = core.event(position, Verify::Always, |key| key == known.key.as_bytes());
            let event = event.expect("an event of the history").expect("the filter says yes");
            assert_eq!(event.item.key, known.key.as_bytes());
            assert_eq!(of_item(&event.item), known.record, "event {position}");
            let previous = event.previous.as_ref().map(of_item);
            // The previous value as it is known: whether its own event is still in the history or not.
            assert_eq!(previous, known.previous, "before event {position}");
        }
    }

    /// Publishes an entry's end by its deadline, whether that has passed or not: the caller has judged it.
    fn expire(&mut self, key: &'static str, right: bool) {
        let Some(generation) = self.model.map.get(key).map(|record| record.generation) else { return };
        let outcome = self.with_lane(|heap, lane| {
            let core = heap.core();
            core.expire(
                lane,
                &Key::new(core.geometry(), key),
                generation + u64::from(!right),
                heap::now(),
                None,
            )
        });
        match outcome {
            Ok(true) if right => {
                let writer = self.writer();
                self.model.end(key, Expired, writer);
            }
            Ok(ended) => assert!(!ended, "{key} was ended, and another generation was expected"),
            Err(fault) => self.refused(fault),
        }
    }

    fn advance_floor(&mut self, early: bool, steps: u8) {
        for _ in 0..steps % 8 {
            let before = self.heap.core().floor();
            let moved = self.with_lane(|heap, lane| heap.core().advance_floor(lane, early));
            let moved = moved.expect("a sound history");
            assert_eq!(self.heap.core().floor(), before + u64::from(moved));
            assert!(moved || early || before == self.model.generation(), "the floor stays at {before}");
        }
    }

    fn leave(&mut self, who: usize) {
        let Some(mut lane) = self.lanes[who].take() else { return };
        let life = lane.writer.pack();
        let before = self.model.generation();
        let left = self.heap.core().leave(std::slice::from_mut(&mut lane), heap::now());
        self.removed_with(life, before, life);
        if let Err(fault) = left {
            self.refused(fault);
            self.lanes[who] = Some(lane);
        }
    }

    /// The session ends without a word, with what it keeps at hand; another ends its life.
    fn kill(&mut self) {
        let Some(lane) = self.lanes[self.who].take() else { return };
        let (life, before) = (lane.writer.pack(), self.model.generation());
        drop(lane);
        let core = self.heap.core();
        let mut reaper = Lane::for_reaping(&core, self.who);
        let writer = reaper.writer.pack();
        let reaped = core.reap(&mut reaper, self.who, heap::now());
        self.removed_with(life, before, writer);
        if let Err(fault) = reaped {
            self.refused(fault);
            // The life goes on: its record is still taken.
            self.lanes[self.who] = Some(Lane::new(&core, 0, slateboard::layout::Writer::unpack(life)));
        }
    }

    /// The events since `before` end what was bound to this life: all of it, where the end was reached.
    fn removed_with(&mut self, life: u64, before: u64, writer: u64) {
        let core = self.heap.core();
        let newest = core.generation();
        for position in before + 1..=newest {
            let event = core.event(position, Verify::Always, |_| true).expect("an event just made");
            let event = event.expect("the filter says yes");
            let key = KEYS.into_iter().find(|key| key.as_bytes() == event.item.key).expect("a known key");
            let bound = self.model.map.get(key).is_some_and(|record| record.ephemeral == life);
            assert!(bound, "{key} was not bound to the session that ended");
            self.model.end(key, event.item.header.kind, writer);
        }
        let active = core.session_view(self.who).active;
        let left = self.model.map.iter().find(|(_, record)| record.ephemeral == life);
        assert!(active || left.is_none(), "{left:?} outlived its session");
    }

    /// The last answers, and the independent check: with the sessions' private blocks, then without sessions.
    fn end(&mut self) {
        KEYS.iter().for_each(|key| self.get(key, true));
        self.list(self.model.generation(), 0);
        self.replay();
        self.compare(&self.heap.check(&[0, 1, 2]));
        for who in 0..SESSIONS {
            self.who = who;
            self.leave(who);
        }
        let living: Vec<u16> =
            (0..SESSIONS).filter(|&who| self.lanes[who].is_some()).map(|who| who as u16).collect();
        self.compare(&self.heap.check(&living));
    }

    fn compare(&self, summary: &Summary) {
        assert_eq!(summary.generation, self.model.generation());
        assert_eq!(summary.keys.len(), self.model.map.len());
        for (found, (key, known)) in summary.keys.iter().zip(&self.model.map) {
            assert_eq!(found.key, key.as_bytes());
            assert_eq!((found.version, found.generation), (known.version, known.generation), "{key}");
            assert_eq!((found.codec, found.deadline), (known.codec, known.deadline), "{key}");
            assert_eq!((found.ephemeral, found.writer), (known.ephemeral, known.writer), "{key}");
            assert_eq!(found.value, known.bytes, "{key}");
        }
        assert_eq!(summary.events.len() as u64, summary.generation - summary.floor);
        for found in &summary.events {
            let known = &self.model.events[found.generation as usize - 1];
            let kind = match found.kind {
                Kind::Put => Value,
                Kind::Touched => Touched,
                Kind::Removed => Removed,
                Kind::Expired => Expired,
                Kind::Detached => Detached,
                Kind::Died => Died,
            };
            assert_eq!((&found.key[..], kind), (known.key.as_bytes(), known.record.kind));
            assert_eq!((found.version, found.writer), (known.record.version, known.record.writer));
        }
    }
}
