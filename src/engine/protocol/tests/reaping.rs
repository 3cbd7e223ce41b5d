//! Sessions that die in the middle of a call, and reapers that die in the middle of a reap: whoever reaps them last leaves
//! a sound board.
//!
//! The protocol asks its machine for copies, prefetches and wakes. A [`Mortal`] machine ends its caller at one of these
//! requests, by an unwinding that drops nothing of the protocol's. The stepper does the same at every instruction of the
//! built library, in minutes; here the points are few, and a test takes milliseconds. States that no request divides are
//! written into the words by hand.

use super::{Heap, account, get, put, remove};
use crate::{
    layout::{
        Block, GenWord, Guard, GuardOp, Shape, State, StateKind, Writer, geometry, header,
        record::{self, RecordKind},
        session::{self, Counter, LANES, NameKind, NameState, Sum, Weight},
    },
    protocol::{
        Core, Fault, Full, Machine, bytes,
        lane::{Claimed, Lane},
        publish::{Change, Expect, Now, Outcome},
        read::Verify,
        reap::Reaped,
        slots::Key,
    },
    sync::{
        AtomicU64,
        Ordering::Relaxed,
        paused::{At, meanwhile, pause, was_missed},
    },
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::Rc,
};

/// A machine on which the caller dies at one request, and which counts the wakes.
struct Mortal {
    /// How many requests are still answered.
    left: AtomicU64,
    /// How often the board's counter was rung.
    rung: AtomicU64,
}

/// What the unwinding of a death carries.
struct Died;

impl Mortal {
    fn after(requests: u64) -> Self {
        Self { left: AtomicU64::new(requests), rung: AtomicU64::new(0) }
    }

    fn asked(&self) {
        match self.left.load(Relaxed) {
            0 => resume_unwind(Box::new(Died)),
            left => self.left.store(left - 1, Relaxed),
        }
    }
}

impl Machine for Mortal {
    fn ring(&self, counter: usize) {
        self.asked();
        self.rung.fetch_add(u64::from(counter == 0), Relaxed);
    }

    fn load(&self, from: &[AtomicU64], to: &mut [u8]) {
        self.asked();
        bytes::load_words(from, to);
    }

    fn store(&self, from: &[u8], to: &[AtomicU64]) {
        self.asked();
        bytes::store_words(from, to);
        self.asked();
    }

    fn prefetch_write(&self, _: &[&AtomicU64]) {
        self.asked();
    }

    fn prefetch_write_run(&self, _: &[AtomicU64]) {
        self.asked();
    }

    fn prefetch_read(&self, _: &[AtomicU64]) {
        self.asked();
    }
}

impl Heap {
    fn core_on<'r>(&'r self, machine: &'r dyn Machine) -> Core<'r> {
        Core::new(&self.words, &[], machine, &self.geo).unwrap()
    }

    fn lane_number(&self, number: usize, writer: Writer) -> Lane {
        Lane::new(&self.core(), number, writer)
    }
}

/// A board of 768 granules, so that a reap and its judge take little time.
fn board() -> Heap {
    Heap::new(shape())
}

fn shape() -> Shape {
    Shape {
        capacity: 12 * 64 * 64,
        extent_granules: 64,
        history_min: 4,
        value_max: 20_000,
        names: 8,
        dedicated_buckets: 1,
        dedicated: vec!["task".into()],
        ..Shape::sized(1 << 20, 64, 64, 4)
    }
}

/// Runs `call`, in which the caller may die; `None` if it did.
fn mortal<T>(call: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(value) => Some(value),
        Err(payload) if payload.is::<Died>() => None,
        Err(payload) => resume_unwind(payload),
    }
}

/// Reaps every session, as a process does that finds all locks released.
fn reap_all(core: &Core<'_>) {
    for dead in (0..core.geometry().sessions()).filter(|&session| core.is_occupied(session)) {
        core.reap(&mut Lane::for_reaping(core, dead), dead, Now::default()).unwrap();
    }
}

/// What stands on a board on which nobody is attached; its judge has no finding.
fn sound(heap: &Heap) -> Vec<Option<(u64, Vec<u8>)>> {
    account(&heap.core(), &[]);
    ["1", "2", "new", "bound"].map(|name| get(&heap.core(), &long(name))).to_vec()
}

/// The name of one of four keys, so long that the machine is asked to copy it.
fn long(name: &str) -> String {
    format!("task/{name}{}", "-".repeat(300))
}

/// A value that the machine is asked to copy.
const VALUE: &[u8] = &[7; 300];

fn happens(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Done { .. })
}

/// A call in the middle of which a session dies, and whether what it changes ends with the session.
type Deadly = (&'static str, fn(&Core<'_>, &mut Lane), bool);

fn put_bound(core: &Core<'_>, lane: &mut Lane, key: &str) {
    let change = Change { ephemeral: lane.writer.pack(), ..Change::put(b"bound", Expect::Any) };
    core.change(lane, &Key::new(core.geometry(), key), &change, Now::default(), None).unwrap();
}

const CALLS: &[Deadly] = &[
    ("put", |core, lane| assert!(happens(put(core, lane, &long("1"), VALUE, Expect::Any).unwrap())), false),
    (
        "put of a new key",
        |core, lane| assert!(happens(put(core, lane, &long("new"), VALUE, Expect::Any).unwrap())),
        false,
    ),
    (
        "put of a chain",
        |core, lane| assert!(happens(put(core, lane, &long("1"), &[7; 9_000], Expect::Any).unwrap())),
        false,
    ),
    ("removal", |core, lane| assert!(happens(remove(core, lane, &long("1")).unwrap())), false),
    ("bound put", |core, lane| put_bound(core, lane, &long("bound")), true),
];

/// A board with a full history, whose oldest events own a chain and a small block.
fn busy() -> Heap {
    let heap = board();
    let core = heap.core();
    let mut lane = heap.lane(0);
    put(&core, &mut lane, &long("1"), &[1; 9_000], Expect::Any).unwrap();
    put(&core, &mut lane, &long("1"), VALUE, Expect::Any).unwrap();
    for _ in 0..63 {
        put(&core, &mut lane, &long("2"), b"two", Expect::Any).unwrap();
    }
    core.leave(std::slice::from_mut(&mut lane), Now::default()).unwrap();
    heap
}

/// Every session dies at every request of every call, and every reaper at every request of its reap.
#[test]
#[cfg_attr(miri, ignore = "some hundred boards, which take Miri too long")]
fn a_reaper_that_dies_is_followed_by_one_that_finishes() {
    for (name, call, bound) in CALLS {
        let before = sound(&busy());
        let after = {
            let heap = busy();
            let mut lane = heap.lane(1);
            call(&heap.core(), &mut lane);
            reap_all(&heap.core());
            sound(&heap)
        };
        assert!(!bound || before == after, "{name}: what is bound ends with its session");
        let mut deaths = 0;
        for requests in 0.. {
            let mut died = false;
            // The reaper dies at each of its requests in turn; in the last round it does not.
            for reaper in 0.. {
                let heap = busy();
                let machine = Mortal::after(requests);
                let mut lane = heap.lane(1);
                died = mortal(|| call(&heap.core_on(&machine), &mut lane)).is_none();
                let machine = Mortal::after(reaper);
                let finished = mortal(|| reap_all(&heap.core_on(&machine))).is_some();
                // The others find the record of a session that was not reaped, and the event of one that was.
                reap_all(&heap.core());
                let stands = sound(&heap);
                let happened = stands == after;
                assert!(
                    happened || (died && stands == before),
                    "{name}: {requests} requests, then {reaper}: {stands:?}"
                );
                deaths += 1;
                if finished {
                    assert!(reaper > 0, "a reap asks its machine for something");
                    break;
                }
            }
            if !died {
                assert!(requests > 0, "{name} asks its machine for something");
                break;
            }
        }
        assert!(deaths > 3, "{name}: {deaths}");
    }
}

/// The record of the dead stays occupied until all sleepers were told, so that the reaper after a killed one tells them.
#[test]
fn sleepers_are_woken_before_the_record_is_free() {
    let heap = board();
    drop(heap.lane(1));
    let machine = Mortal::after(0);
    let core = heap.core_on(&machine);
    assert!(mortal(|| core.reap(&mut Lane::for_reaping(&core, 1), 1, Now::default())).is_none());
    assert!(core.is_occupied(1) && machine.rung.load(Relaxed) == 0);
    machine.left.store(1000, Relaxed);
    reap_all(&core);
    assert_eq!((core.is_occupied(1), machine.rung.load(Relaxed)), (false, 1));
}

/// Claims blocks of every size until none is left, the reserve included.
fn take_all(core: &Core<'_>, lane: &mut Lane) {
    for granules in (1..=core.geometry().extent_granules() as usize).rev() {
        while core.claim(lane, granules, true).is_ok() {}
    }
}

/// A reap that cannot remove what was bound leaves the record occupied, so that the next one does.
#[test]
fn a_reap_without_room_is_repeated() {
    let heap = board();
    let core = heap.core();
    put_bound(&core, &mut heap.lane(0), "task/bound");
    take_all(&core, &mut heap.lane(1));
    let mut lane = Lane::for_reaping(&core, 0);
    assert!(matches!(core.reap(&mut lane, 0, Now::default()), Err(Fault::Full(Full::Blocks | Full::Pinned))));
    assert!(core.is_occupied(0) && get(&core, "task/bound").is_some());
    // The one that took all blocks dies as well.
    core.reap(&mut Lane::for_reaping(&core, 1), 1, Now::default()).unwrap();
    let reaped = core.reap(&mut lane, 0, Now::default()).unwrap();
    assert_eq!((reaped.ephemerals, core.is_occupied(0)), (1, false));
    account(&core, &[]);
    assert_eq!(get(&core, "task/bound"), None);
}

/// A session that cannot remove what is bound to it stays attached, so that its reaper does.
#[test]
fn leaving_without_room_is_left_to_the_reaper() {
    let heap = board();
    let core = heap.core();
    let mut lane = heap.lane(0);
    put_bound(&core, &mut lane, "task/bound");
    core.empty_stash(&mut lane);
    take_all(&core, &mut heap.lane(1));
    assert!(matches!(core.leave(std::slice::from_mut(&mut lane), Now::default()), Err(Fault::Full(_))));
    assert!(core.is_occupied(0));
    core.reap(&mut Lane::for_reaping(&core, 1), 1, Now::default()).unwrap();
    reap_all(&core);
    account(&core, &[]);
    assert_eq!(get(&core, "task/bound"), None);
}

/// What was bound ends with the session that leaves, and the event says so; blocks that any lane kept are free, and so are
/// those of the removal.
#[test]
fn a_session_that_leaves_leaves_nothing() {
    let heap = Heap::small();
    let core = heap.core();
    let first = heap.lane(0);
    let mut lanes: Vec<Lane> = (0..LANES).map(|number| heap.lane_number(number, first.writer)).collect();
    for lane in &mut lanes {
        put(&core, lane, "task/1", b"x", Expect::Any).unwrap();
        let block = core.claim(lane, 1, false).unwrap();
        core.keep(lane, block);
        assert!(lane.stashed() > 0, "or there is nothing to give back");
    }
    put_bound(&core, &mut lanes[0], "task/bound");
    // The history is full, so that the removal lets an event go and keeps its block.
    for _ in 0..heap.geo.history() {
        put(&core, &mut lanes[0], "task/1", b"x", Expect::Any).unwrap();
    }
    core.leave(&mut lanes, Now::default()).unwrap();
    assert!(lanes.iter().all(|lane| lane.stashed() == 0));
    assert_eq!((core.is_occupied(0), get(&core, "task/bound")), (false, None));
    let ended = core.event(core.generation(), Verify::Always, |_| true).unwrap().unwrap();
    assert_eq!(ended.item.header.kind, RecordKind::Detached);
    account(&core, &[]);
}

/// A session that was reaped although it lives ends neither its record's next life nor what is bound to that.
#[test]
fn a_session_that_was_reaped_does_not_end_the_next_life() {
    let heap = board();
    let core = heap.core();
    let mut old = heap.lane(0);
    reap_all(&core);
    let mut new = heap.lane(0);
    put_bound(&core, &mut new, "task/bound");
    assert_eq!(core.leave(std::slice::from_mut(&mut old), Now::default()), Err(Fault::Fenced));
    assert!(core.is_occupied(0) && get(&core, "task/bound").is_some());
}

/// A reap ends what is bound to this life of the session alone, counts what it did, and is counted.
#[test]
fn a_reap_ends_what_is_bound_to_the_dead_alone() {
    let heap = board();
    let core = heap.core();
    let (mut dead, mut other) = (heap.lane(0), heap.lane(1));
    put_bound(&core, &mut dead, "task/bound");
    put_bound(&core, &mut other, "task/1");
    put(&core, &mut dead, "task/2", b"free", Expect::Any).unwrap();
    let kept = dead.stashed() as u64;
    let before = core.total(Counter::Reaped);
    let reaped = core.reap(&mut other, 0, Now::default()).unwrap();
    assert_eq!(
        (reaped, core.total(Counter::Reaped)),
        (Reaped { blocks: kept, logged: 0, ephemerals: 1 }, before + 1)
    );
    assert!(
        get(&core, "task/bound").is_none()
            && get(&core, "task/1").is_some()
            && get(&core, "task/2").is_some()
    );
    let ended = core.event(core.generation(), Verify::Always, |_| true).unwrap().unwrap();
    assert_eq!(ended.item.header.kind, RecordKind::Died);
    account(&core, &[&other]);
}

/// A reaper looks at the clock between its look at an entry and its removal.
fn clock() -> u64 {
    pause(At::Reap);
    1
}

/// Another session puts the key that is just being ended. What it binds to the dead ends too, as an update does, and
/// anything else stays.
#[test]
fn a_reap_ends_what_is_bound_to_the_dead_and_nothing_that_was_put_meanwhile() {
    for bound in [false, true] {
        let heap = Rc::new(board());
        let core = heap.core();
        let (dead, mut other) = (heap.lane(0), heap.lane(1));
        let of_dead = dead.writer.pack();
        let brief =
            Change { deadline: u64::MAX / 2, ephemeral: of_dead, ..Change::put(b"bound", Expect::Any) };
        let key = Key::new(core.geometry(), "task/1");
        core.change(&mut { dead }, &key, &brief, Now::default(), None).unwrap();
        let theirs = Rc::clone(&heap);
        meanwhile(At::Reap, move || {
            let (core, mut lane) = (theirs.core(), theirs.lane(2));
            let ephemeral = if bound { of_dead } else { 0 };
            let change = Change { ephemeral, ..Change::put(b"meanwhile", Expect::Any) };
            let key = Key::new(core.geometry(), "task/1");
            core.change(&mut lane, &key, &change, Now::default(), None).unwrap();
        });
        core.reap(&mut other, 0, Now { real_ns: 0, boot_ns: clock }).unwrap();
        assert!(!was_missed(), "nothing was put meanwhile");
        assert_eq!(get(&core, "task/1").is_some(), !bound);
    }
}

/// Entries in overflow buckets end with their session as well.
#[test]
#[cfg_attr(miri, ignore = "fills a board")]
fn a_reap_ends_what_is_bound_to_the_dead_in_every_bucket_of_a_chain() {
    let heap = Heap::new(Shape {
        dedicated: Vec::new(),
        dedicated_buckets: 0,
        uniform_shards: 1,
        uniform_buckets: 1,
        overflow_max: 4,
        ..Shape::sized(1 << 20, 64, 64, 3)
    });
    let core = heap.core();
    let (mut dead, mut other) = (heap.lane(0), heap.lane(1));
    let keys = 3 * crate::layout::geometry::SLOTS as u64;
    for key in 0..keys {
        put_bound(&core, &mut dead, &format!("task/{key}"));
    }
    assert_eq!(core.usage().overflow, 2);
    let reaped = core.reap(&mut other, 0, Now::default()).unwrap();
    assert_eq!((reaped.ephemerals, core.usage().keys), (keys, 0));
}

/// The block of an event's record.
fn block_of(core: &Core<'_>, event: u64) -> Block {
    core.geometry().block(core.ring_word(event).block()).unwrap()
}

/// Writes down that a lane of session 0 is about to free the block that `event` superseded, in this state.
fn intend(core: &Core<'_>, lane: usize, event: u64, block: Block, state: State) {
    let at = core.geometry().session(0) + session::intent(lane);
    core.at(at + session::INTENT_STATE).store(state.0, Relaxed);
    core.at(at + session::INTENT_BLOCK).store(u64::from(block.index()), Relaxed);
    core.at(at + session::INTENT_EVENT).store(event, Relaxed);
}

/// Each lane of the dead moved the floor, and did not get to the block that it was to free.
#[test]
fn what_every_lane_was_about_to_free_is_freed() {
    let heap = board();
    let core = heap.core();
    let (mut dead, mut lane) = (heap.lane(0), heap.lane(1));
    for _ in 0..=LANES {
        put(&core, &mut dead, "task/1", b"x", Expect::Any).unwrap();
    }
    for number in 0..LANES as u64 {
        let block = block_of(&core, number + 1);
        intend(&core, number as usize, number + 2, block, core.load_state(block));
    }
    core.at(header::FLOOR).store(LANES as u64 + 1, Relaxed);
    core.reap(&mut lane, 0, Now::default()).unwrap();
    account(&core, &[&lane]);
}

/// The floor did not come to an event, or the block that was to be freed is in another life by now: it is nobody's to free.
#[test]
fn what_is_still_in_use_is_not_freed_for_the_dead() {
    for passed in [false, true] {
        let heap = board();
        let core = heap.core();
        let (_dead, mut lane) = (heap.lane(0), heap.lane(1));
        for _ in 0..3 {
            put(&core, &mut lane, "task/1", b"x", Expect::Any).unwrap();
        }
        let (first, second) = (block_of(&core, 1), block_of(&core, 2));
        if passed {
            // The intent is of an earlier life of a block that the history holds now.
            let state = core.load_state(second);
            let earlier = State::new(StateKind::Owned, 0, state.tag() - 1);
            core.advance_floor(&mut lane, false).unwrap();
            core.advance_floor(&mut lane, false).unwrap();
            intend(&core, 0, 2, second, earlier);
        } else {
            intend(&core, 0, 2, first, core.load_state(first));
        }
        core.reap(&mut lane, 0, Now::default()).unwrap();
        account(&core, &[&lane]);
        assert!(get(&core, "task/1").is_some());
    }
}

/// Brings a block back into the state in which its writer, session 0, still looks at it.
fn unsettle(core: &Core<'_>, block: Block) {
    let state = core.load_state(block);
    assert!(state.is(StateKind::Owned));
    core.state_of(block).store(State::new(StateKind::Inflight, 1, state.tag()).0, Relaxed);
}

/// A session's change that nobody but the session saw to its end.
struct Unsettled {
    heap: Heap,
    dead: Lane,
    lane: Lane,
    block: Block,
}

/// Session 0 made a change and still looks at its block, in this state: in the history, or superseded and let go by others,
/// or a removal that others gave back. `weighed`: it added to its sums what it superseded.
fn unsettled(removes: bool, kind: StateKind, weighed: bool) -> Unsettled {
    let heap = board();
    let core = heap.core();
    let (mut dead, mut lane) = (heap.lane(0), heap.lane(1));
    put(&core, &mut lane, "task/1", b"x", Expect::Any).unwrap();
    let sum = core.at(core.geometry().session(0) + session::weight(0, Sum::Superseded));
    let before = sum.load(Relaxed);
    let outcome = match removes {
        true => remove(&core, &mut dead, "task/1"),
        false => put(&core, &mut dead, "task/1", &[5; 9_000], Expect::Any),
    };
    assert!(happens(outcome.unwrap()));
    let block = block_of(&core, 2);
    unsettle(&core, block);
    if !weighed {
        sum.store(before, Relaxed);
    }
    if kind == StateKind::Doomed {
        put(&core, &mut lane, "task/1", b"y", Expect::Any).unwrap();
    }
    while kind != StateKind::Inflight && core.let_go(&mut lane, false).unwrap() {}
    assert!(core.load_state(block).is(kind));
    Unsettled { heap, dead, lane, block }
}

const UNSETTLED: [(bool, StateKind); 4] = [
    (false, StateKind::Inflight),
    (false, StateKind::Doomed),
    (true, StateKind::Inflight),
    (true, StateKind::Limbo),
];

#[test]
fn what_the_dead_still_looked_at_is_settled_or_freed() {
    for ((removes, kind), weighed) in UNSETTLED.into_iter().flat_map(|case| [(case, true), (case, false)]) {
        let Unsettled { heap, mut lane, .. } = unsettled(removes, kind, weighed);
        heap.core().reap(&mut lane, 0, Now::default()).unwrap();
        account(&heap.core(), &[&lane]);
    }
}

/// Two lanes of the dead each left a block unsettled, and a reaper that was killed had added what one of the two superseded.
/// A sum tells only what was added last, so the next reaper settles that block first.
#[test]
fn what_a_killed_reaper_added_is_not_added_twice() {
    for added in [3, 4] {
        let heap = board();
        let core = heap.core();
        let (mut dead, mut lane) = (heap.lane(0), heap.lane(1));
        let mut second = heap.lane_number(1, dead.writer);
        let sum = |lane| core.at(core.geometry().session(0) + session::weight(lane, Sum::Superseded));
        for key in ["task/1", "task/2"] {
            put(&core, &mut lane, key, b"x", Expect::Any).unwrap();
        }
        let before = [0, 1].map(|lane| sum(lane).load(Relaxed));
        put(&core, &mut dead, "task/1", b"y", Expect::Any).unwrap();
        put(&core, &mut second, "task/2", b"y", Expect::Any).unwrap();
        for (lane, before) in before.into_iter().enumerate() {
            unsettle(&core, block_of(&core, 3 + lane as u64));
            sum(lane).store(before, Relaxed);
        }
        let granules = record::superseded_in(core.record_word(block_of(&core, added), record::SHAPE));
        sum(LANES).store(Weight(0).with(added, granules).0, Relaxed);
        core.reap(&mut lane, 0, Now::default()).unwrap();
        account(&core, &[&lane]);
    }
}

#[test]
fn what_a_writer_still_looks_at_is_settled_or_kept() {
    for (removes, kind) in UNSETTLED {
        let Unsettled { heap, mut dead, lane, block } = unsettled(removes, kind, true);
        let core = heap.core();
        let tag = core.load_state(block).tag();
        core.settle(&mut dead, Claimed { block, tag });
        account(&core, &[&dead, &lane]);
    }
}

/// The scrubber handles what is damaged. It does not keep the record of the dead occupied: neither a bound entry under
/// another key, nor a chain in which that key cannot be looked for.
#[test]
fn a_damaged_key_does_not_keep_the_dead_attached() {
    for link_too in [false, true] {
        let heap = board();
        let core = heap.core();
        put_bound(&core, &mut heap.lane(0), "task/bound");
        let key_at = core.geometry().data(block_of(&core, 1)) + record::HEADER_WORDS;
        core.at(key_at).fetch_xor(1 << 62, Relaxed);
        if link_too {
            let link = core.geometry().bucket(Key::new(core.geometry(), "task/bound").bucket) + 1;
            core.at(link).store(u64::from(core.geometry().granules()), Relaxed);
        }
        let reaped = core.reap(&mut heap.lane(1), 0, Now::default()).unwrap();
        assert_eq!((reaped.ephemerals, core.is_occupied(0)), (0, false));
    }
}

/// A name that another session is making stays with it, and that of the dead becomes free.
#[test]
fn a_name_in_the_making_is_its_own_maker_s() {
    let heap = board();
    let core = heap.core();
    let (_dead, mut lane) = (heap.lane(0), heap.lane(1));
    let making = |name: usize, owner| {
        let word = core.at(core.geometry().name(name));
        word.store(NameState(word.load(Relaxed)).taken(NameKind::Claimed { owner }).0, Relaxed);
    };
    let kind = |name: usize| NameState(core.at(core.geometry().name(name)).load(Relaxed)).kind();
    making(1, 1);
    making(2, 2);
    core.reap(&mut lane, 0, Now::default()).unwrap();
    assert_eq!((kind(1), kind(2)), (Some(NameKind::Free), Some(NameKind::Claimed { owner: 2 })));
}

/// A bucket that the chain's guard asks for is linked and counted for the dead. One that no guard asks for leaves no mark
/// and no block.
#[test]
fn a_bucket_in_the_making_is_linked_or_freed() {
    let heap = board();
    let core = heap.core();
    let (mut dead, mut lane) = (heap.lane(0), heap.lane(1));
    for linked in [false, true] {
        let claimed = core.claim(&mut dead, 2, false).unwrap();
        for word in 0..geometry::BUCKET_WORDS {
            core.at(core.geometry().data(claimed.block) + word).store(0, Relaxed);
        }
        core.begin(&dead, claimed, GenWord::Bucket(0).pack());
        if linked {
            let guard = core.at(core.geometry().bucket(0));
            let link = GuardOp::Link { block: claimed.block.index() };
            guard.store(Guard(guard.load(Relaxed)).next(link).0, Relaxed);
        }
        core.reap(&mut lane, 0, Now::default()).unwrap();
        assert_eq!(core.load_state(claimed.block).is(StateKind::Free), !linked);
        assert_eq!(core.chain(0).count(), 1 + usize::from(linked));
        account(&core, &[&lane]);
        dead = heap.lane(0);
    }
}

/// A session may bind an entry to another one that ends meanwhile. Nobody ends that session again, so a keeper looks.
#[test]
fn what_is_bound_to_a_life_that_is_over_is_removed_and_what_is_bound_to_another_stays() {
    let heap = Heap::small();
    let (core, mut lane) = (heap.core(), heap.lane(1));
    let host = heap.lane(0).writer;
    let strangers = [
        ("task/over", Writer { incarnation: host.incarnation + 2, ..host }),
        ("task/next", Writer { incarnation: host.incarnation + 1, ..host }),
        ("task/lives", host),
        ("task/own", lane.writer),
        // Damage, which names no session.
        ("task/nobody", Writer { session: u16::MAX, ..host }),
    ];
    for (key, writer) in strangers {
        let change = Change { ephemeral: writer.pack(), ..Change::put(b"bound", Expect::Any) };
        core.change(&mut lane, &Key::new(core.geometry(), key), &change, Now::default(), None).unwrap();
    }
    put(&core, &mut lane, "task/plain", b"value", Expect::Any).unwrap();
    let groups = 0..core.geometry().groups().count();
    let removed = groups.map(|group| core.remove_orphans(&mut lane, group, Now::default()).unwrap());
    assert_eq!(removed.sum::<u64>(), 2);
    let left = ["over", "next", "lives", "own", "nobody", "plain"];
    let left = left.map(|name| get(&core, &format!("task/{name}")).is_some());
    assert_eq!(left, [false, false, true, true, true, true]);
}
