//! An operation that stands still before any two of its accesses, while others do what hurts most. One
//! thread, no reordering: every such schedule, where loom's own search reaches some of them.

use super::{
    Interruption, Model, Run,
    board::{Board, STORES_TO_FILL, done, end, role, shape},
    fsck,
};
use slateboard::{
    layout::{HeadKind, Shape, SlotHash},
    protocol::{
        Fault, Full,
        lane::Lane,
        publish::{Change, Expect, Now, Outcome},
        read::Verify,
        slots::Key,
    },
    sync::modelled::killed_after,
};
use std::sync::{Arc, Mutex};

pub const MODELS: &[&Model] =
    &[&OWNER, &READER, &POLLER, &INSERT, &GUARD, &LATE_CLAIM, &LATE_GIVER, &REMOVER, &RECUT];

/// What a lane does on the board.
type Work = fn(&Board, &mut Lane);

/// A lane, shared by the interruptions and the check after them.
type Shared = Arc<Mutex<Lane>>;

fn interruption(board: &Arc<Board>, lane: &Shared, work: Work) -> Interruption {
    let (board, lane) = (board.clone(), lane.clone());
    Box::new(move || work(&board, &mut super::lock(&lane)))
}

/// Runs `f` in a role of its own, which stands still for both works.
fn stalled<R: Send + 'static>(
    run: &Arc<Run>,
    board: &Arc<Board>,
    lane: &Shared,
    works: [Work; 2],
    f: impl FnOnce() -> R + Send + 'static,
) -> R {
    let (run, board, lane) = (run.clone(), board.clone(), lane.clone());
    end(role(move || {
        let [once, again] = works.map(|work| interruption(&board, &lane, work));
        run.stalled(f, once, again)
    }))
}

fn shared(lane: Lane) -> Shared {
    Arc::new(Mutex::new(lane))
}

/// A put, while its key is put again, its event let go, and what that frees is used for another key.
static OWNER: Model = Model {
    name: "stall::a_put_learns_its_own_generation",
    budget: 10,
    least: 1_000,
    must_see: &["first", "last"],
    kills: true,
    roles: 1,
    run: |run| {
        let board = Board::small(5, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let (busy, mut lane) = (shared(board.ready_lane(2)), board.ready_lane(1));
        let again: Work = |board, lane| {
            let (_, generation) = board.put(lane, "a", 8);
            // The block of the event before is the one at hand, so that the next put takes it.
            board.floor_to(lane, generation - 1);
            board.empty_hand(lane);
            board.floor_to(lane, generation);
        };
        let other: Work = |board, lane| {
            board.put(lane, "b", 9);
        };
        let put = {
            let board = board.clone();
            move || (board.put(&mut lane, "a", 7), lane)
        };
        let ((version, generation), lane) = stalled(run, &board, &busy, [again, other], put);
        assert!(version == 2 || version == 3, "version {version}");
        assert_ne!(board.get("b").map(|b| b.1), Some(generation), "a put was told another's generation");
        assert!(board.core().generation() >= generation);
        let (_, newest, value) = board.get("a").expect("the key");
        assert_eq!(newest == generation, value == 7, "a put was told {generation}; {value} is of {newest}");
        run.saw(if value == 7 { "last" } else { "first" });
        fsck::check_and_drain(&board, &mut setup, &[&lane, &super::lock(&busy)]);
    },
};

/// A read on its second pass, while its block is logged and superseded, then freed and filled again.
static READER: Model = Model {
    name: "stall::a_second_pass_copies_no_reused_block",
    budget: 10,
    least: 200,
    must_see: &["one", "four"],
    kills: true,
    roles: 1,
    run: |run| {
        let board = Board::small(4, 2);
        let (mut setup, mut dead) = (board.ready_lane(0), board.ready_lane(1));
        board.put(&mut setup, "a", 1);
        // Not in the history: the first pass cannot take it.
        board.publish_only(&mut dead, "a", 2);
        let busy = shared(setup);
        let once: Work = |board, lane| {
            board.reap(lane, 1);
            board.put(lane, "a", 3);
        };
        let again: Work = |board, lane| {
            // The block of version 2 is the one at hand, so that the next put takes it.
            board.floor_to(lane, 2);
            board.empty_hand(lane);
            board.floor_to(lane, 3);
            board.put(lane, "a", 4);
        };
        let get = {
            let board = board.clone();
            move || board.get("a").expect("the key")
        };
        let (version, generation, value) = stalled(run, &board, &busy, [once, again], get);
        assert!(version == generation && generation == value, "torn: {version}, {generation}, {value}");
        run.saw(["", "one", "two", "three", "four"][value as usize]);
    },
};

/// A poller that has loaded the head of a change, while that is superseded, let go, and its block filled with a change that
/// is not in the history: nor is the one that the poller asks about, to all appearances.
static POLLER: Model = Model {
    name: "stall::a_poller_takes_no_later_change_for_its_own",
    budget: 10,
    least: 20,
    must_see: &["news"],
    kills: true,
    roles: 1,
    run: |run| {
        let board = Board::small(5, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let key = Key::new(board.core().geometry(), "a");
        let seen =
            board.core().get(&key, None, Verify::Always, &mut Vec::new()).expect("sound").expect("a value");
        board.put(&mut setup, "a", 2);
        let busy = shared(setup);
        let once: Work = |board, lane| {
            board.put(lane, "a", 3);
            board.floor_to(lane, 2);
            board.empty_hand(lane);
            board.floor_to(lane, 3);
        };
        let again: Work = |board, lane| {
            board.publish_only(lane, "a", 4);
        };
        let poll = {
            let board = board.clone();
            move || board.core().is_newest(seen.slot, seen.head)
        };
        let newest = stalled(run, &board, &busy, [once, again], poll);
        assert!(!newest, "generation 2 was counted, and the first value is the newest");
        run.saw("news");
    },
};

/// A board of one bucket: "a" removed and gone from the history, "b" there.
fn removed(overflow: u64) -> (Arc<Board>, Lane) {
    let board = Board::new(Shape { overflow_max: overflow, ..shape(8, 4) }, 1);
    let mut setup = board.ready_lane(0);
    board.put(&mut setup, "a", 1);
    board.put(&mut setup, "b", 2);
    board.remove(&mut setup, "a");
    board.floor_to(&mut setup, 3);
    (board, setup)
}

/// A put of a removed key, while its slot is given to another whose inserter dies with it open, and that
/// one is put again.
static INSERT: Model = Model {
    name: "stall::a_put_finds_its_own_slot",
    budget: 10,
    least: 1_000,
    must_see: &["done"],
    kills: true,
    roles: 1,
    run: |run| {
        let (board, mut setup) = removed(2);
        let (busy, mut lane) = (shared(board.ready_lane(2)), board.ready_lane(1));
        // Besides two that retire, four that give the tombstone back, three that free the slot, three that claim it.
        let open: Work = |board, lane| {
            killed_after(STORES_TO_FILL + 12, || board.put(lane, "c", 3));
            let head = board.head(0);
            assert!(
                head.is(HeadKind::Open) || head.is(HeadKind::Live),
                "the insert died elsewhere: {head:?}"
            );
        };
        let again: Work = |board, _| {
            let mut lane = board.lane(0);
            board.put(&mut lane, "c", 4);
            board.empty_hand(&mut lane);
        };
        let put = {
            let board = board.clone();
            move || (board.put(&mut lane, "a", 9), lane)
        };
        let ((version, _), lane) = stalled(run, &board, &busy, [open, again], put);
        assert!(version >= 3, "a key that was removed at version 2 comes back at {version}");
        assert_eq!(
            board.get("a").map(|got| (got.0, got.2)),
            Some((version, 9)),
            "an acknowledged put is lost"
        );
        assert_eq!(board.get("b").map(|got| got.2), Some(2));
        board.reap(&mut setup, 2);
        run.saw("done");
        fsck::check(&board, &[&setup, &lane]);
    },
};

/// An insert that needs the slot of a removed key, while that slot lives another life, to its end.
static GUARD: Model = Model {
    name: "stall::a_late_helper_applies_no_old_guard",
    budget: 10,
    least: 500,
    must_see: &["done"],
    kills: true,
    roles: 1,
    run: |run| {
        let (board, mut setup) = removed(0);
        let (busy, mut lane) = (shared(board.ready_lane(2)), board.ready_lane(1));
        let life: Work = |board, lane| {
            let put = Change::put(&[3; 8], Expect::Any);
            if board.change(lane, "e", &put).is_ok() {
                let (_, gone) = board.remove(lane, "e");
                board.floor_to(lane, gone);
            }
        };
        // Besides two that retire.
        let retired: Work = |board, lane| {
            let put = Change::put(&[4; 8], Expect::Any);
            let _: Option<Result<_, Fault>> =
                killed_after(STORES_TO_FILL + 2, || board.change(lane, "f", &put));
        };
        let put = {
            let board = board.clone();
            // One attempt: what is done for a put in need would hide that it was refused for nothing.
            move || {
                let (key, change) = (Key::new(&board.geo, "c"), Change::put(&[9; 8], Expect::Any));
                (board.core().change_once(&mut lane, &key, &change, Now::default(), None), lane)
            }
        };
        let (put, lane) = stalled(run, &board, &busy, [life, retired], put);
        if put == Err(Fault::Full(Full::Slots)) {
            // The dying insert claimed the slot first, and left it open.
            let key = Key::new(&board.geo, "f");
            let hash = SlotHash(board.read(board.geo.bucket(0) + 2));
            assert!(board.head(0).is(HeadKind::Open), "full, but there is a slot: {:?}", board.head(0));
            assert_eq!(hash.fingerprint(), key.fingerprint, "a slot is open for a key that nobody inserts");
            run.saw("full");
        } else {
            done(put);
            assert!(board.get("c").is_some(), "an acknowledged put is lost");
        }
        board.reap(&mut setup, 2);
        run.saw("done");
        fsck::check(&board, &[&setup, &lane]);
    },
};

/// An insert that is late to claim its slot, while its key is put there by another and removed, and the slot is
/// given to a third key.
static LATE_CLAIM: Model = Model {
    name: "stall::a_late_claim_changes_no_later_life",
    budget: 10,
    least: 200,
    must_see: &["done"],
    kills: true,
    roles: 1,
    run: |run| {
        let (board, setup) = removed(0);
        let (busy, mut lane) = (shared(board.ready_lane(2)), board.ready_lane(1));
        let life: Work = |board, lane| {
            let put = Change::put(&[3; 8], Expect::Any);
            if board.change(lane, "c", &put).is_ok() {
                let (_, gone) = board.remove(lane, "c");
                board.floor_to(lane, gone);
            }
            // Frees the slot and takes it.
            let _: Result<_, Fault> = board.change(lane, "d", &put);
        };
        // The next writer would put a wrong hash right: a reader must not see one.
        let read: Work = |board, _| {
            let core = board.core();
            let event = core.event(core.generation(), Verify::Always, |key| key == b"d");
            let put = matches!(event, Ok(Some(_)));
            assert!(!put || board.get("d").is_some(), "an acknowledged put is lost");
        };
        let put = {
            let board = board.clone();
            move || (board.change(&mut lane, "c", &Change::put(&[9; 8], Expect::Any)), lane)
        };
        let (put, lane) = stalled(run, &board, &busy, [life, read], put);
        assert!(matches!(put, Ok(Outcome::Done { .. }) | Err(Fault::Full(Full::Slots))), "{put:?}");
        let there = [board.get("c").is_some(), board.get("d").is_some()];
        assert_ne!(there[0], there[1], "one slot holds one key, and both were put: {there:?}");
        run.saw("done");
        fsck::check(&board, &[&setup, &lane, &super::lock(&busy)]);
    },
};

/// One who gives a tombstone back, while another does so and puts until its block has begun another life there, and
/// then supersedes that.
static LATE_GIVER: Model = Model {
    name: "stall::a_late_giver_frees_no_later_life",
    budget: 10,
    least: 20,
    must_see: &["retired", "reused"],
    kills: true,
    roles: 1,
    run: |run| {
        // Five blocks: one at hand of each, two in slots, one that is free again.
        let board = Board::small(5, 4);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        board.put(&mut setup, "b", 2);
        board.remove(&mut setup, "a");
        board.floor_to(&mut setup, 3);
        let tombstone = board.head(0).block();
        let (mut dead, busy) = (board.ready_lane(1), shared(board.ready_lane(2)));
        // Besides the version base and the head.
        killed_after(STORES_TO_FILL + 2, || board.put(&mut dead, "e", 3));
        board.reap(&mut setup, 1);
        run.saw_if(board.head(0).is(HeadKind::Retired) && board.head(0).block() == tombstone, "retired");
        let life: Work = |board, lane| {
            board.put(lane, "c", 4);
            board.put(lane, "c", 5);
        };
        let next: Work = |board, lane| {
            board.floor_to(lane, 4);
            board.put(lane, "c", 6);
        };
        let sweep = {
            let board = board.clone();
            move || drop(board.core().sweep_open(&[]))
        };
        stalled(run, &board, &busy, [life, next], sweep);
        run.saw_if(board.get("c").is_some_and(|got| got.2 == 6), "reused");
        assert_eq!(board.get("b").map(|got| got.2), Some(2));
        fsck::check_and_drain(&board, &mut setup, &[&super::lock(&busy)]);
    },
};

/// A removal that stands still anywhere, while another wants its slot: once it is published that is there, and what the
/// remover still asks of its tombstone is answered.
static REMOVER: Model = Model {
    name: "stall::a_stopped_removal_keeps_no_slot",
    budget: 10,
    least: 100,
    must_see: &["full", "taken"],
    kills: true,
    roles: 1,
    run: |run| {
        let board = Board::small(6, 4);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        board.put(&mut setup, "b", 2);
        let (mut lane, busy) = (board.ready_lane(1), shared(board.ready_lane(2)));
        let put: Work = |board, lane| match board.change(lane, "c", &Change::put(&[3; 8], Expect::Any)) {
            Err(Fault::Full(Full::Slots)) => {
                assert!(board.get("a").is_some(), "refused for the slot of a removed key");
            }
            put => drop(done(put)),
        };
        // Until every block that is free was used once.
        let again: Work = |board, lane| {
            if board.get("c").is_some() {
                (4..9).for_each(|value| drop(board.put(lane, "c", value)));
            }
        };
        let remove = {
            let (board, run) = (board.clone(), run.clone());
            move || {
                let removed = board.remove(&mut lane, "a");
                run.saw(if board.get("c").is_some() { "taken" } else { "full" });
                (removed, lane)
            }
        };
        let ((version, generation), lane) = stalled(run, &board, &busy, [put, again], remove);
        assert_eq!(
            (version, generation),
            (2, 3),
            "the removal is the second change of its key, the third of all"
        );
        fsck::check_and_drain(&board, &mut setup, &[&lane, &super::lock(&busy)]);
    },
};

/// A recut of an extent, while a small block of it is claimed, and another.
static RECUT: Model = Model {
    name: "stall::an_extent_in_use_is_not_recut",
    budget: 10,
    least: 100,
    must_see: &["large", "full"],
    kills: true,
    roles: 1,
    run: |run| {
        let board = Board::new(Shape { capacity: 4 * 64, extent_granules: 2, ..shape(3, 1) }, 1);
        let (small, mut lane) = (shared(board.lane(1)), board.lane(0));
        let taken = Arc::new(Mutex::new(Vec::new()));
        let once = |taken: &Arc<Mutex<Vec<u32>>>| -> Interruption {
            let (board, small, taken) = (board.clone(), small.clone(), taken.clone());
            Box::new(move || {
                let claimed = board.core().claim(&mut super::lock(&small), 1, false);
                super::lock(&taken).extend(claimed.ok().map(|claimed| claimed.block.index()));
            })
        };
        let large = {
            let (run, board, once, again) = (run.clone(), board.clone(), once(&taken), once(&taken));
            run.stalled(move || board.core().claim(&mut lane, 2, false), once, again)
        };
        let Ok(large) = large else {
            run.saw("full");
            return;
        };
        run.saw("large");
        let (first, taken) = (large.block.index(), super::lock(&taken));
        assert!(
            taken.iter().all(|&small| small < first || small > first + 1),
            "blocks {taken:?} and {first} overlap"
        );
    },
};
