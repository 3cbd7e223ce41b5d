//! A board that is frozen, so that another may take its place: whoever meets that is told that the board moved,
//! and nothing that was acknowledged is missing from what was frozen.
//!
//! The freezing is here, as the design has it: FROZEN on every guard, then every head, logged first, to MOVED.
//! The protocol knows only how to meet it.

use super::{
    Model, Run,
    board::{Board, shape},
};
use slateboard::{
    layout::{
        GenWord, Guard, GuardOp, Head, HeadKind, Shape, SlotHash, geometry,
        record::{self, RecordKind},
    },
    protocol::{
        Fault,
        lane::Lane,
        publish::{Change, Expect, Now, Outcome},
        read::Verify,
        slots::{Key, Slot},
    },
};
use std::sync::Arc;

pub const MODELS: &[&Model] = &[&PUT, &PUT_HELD, &INSERT, &INSERT_LINK, &READ];

/// Freezes the one bucket of the board. What each slot held then.
fn freeze(board: &Board, lane: &mut Lane) -> Vec<Head> {
    let guard_at = board.geo.bucket(0);
    loop {
        let guard = Guard(board.load(guard_at));
        // A removal of nothing does what the guard asks for, so that no late helper has anything to do.
        board.change(lane, "zz", &Change::tombstone(RecordKind::Removed, Expect::Any)).expect("no harm");
        if board.swap(guard_at, guard.0, guard.next(GuardOp::Frozen).0) {
            break;
        }
    }
    let mut heads: Vec<Head> =
        (0..geometry::SLOTS).map(|slot| freeze_head(board, lane, guard_at + 3 + 2 * slot)).collect();
    // No bucket is linked to a frozen chain.
    if let Some(base) = board.geo.block(board.load(guard_at + 1) as u32).map(|block| board.geo.data(block)) {
        heads.extend((0..geometry::SLOTS).map(|slot| freeze_head(board, lane, base + 3 + 2 * slot)));
    }
    heads
}

fn freeze_head(board: &Board, lane: &mut Lane, head_at: usize) -> Head {
    loop {
        let head = Head(board.load(head_at));
        let block = Some(head.block()).filter(|_| head.is(HeadKind::Live)).map(|index| board.block(index));
        let gen_word = block.map(|block| GenWord::unpack(board.load(board.geo.generation(block))));
        match (block, gen_word) {
            (Some(block), Some(GenWord::Unlogged(tag))) if Head(board.load(head_at)) == head => {
                board.core().log(lane, block, tag).expect("an event");
            }
            (Some(_), Some(GenWord::Unlogged(_))) => {}
            _ => {
                if board.swap(head_at, head.0, head.next(HeadKind::Moved, head.block()).0) {
                    return head;
                }
            }
        }
    }
}

/// Version and value of the newest record that the frozen slot's block holds.
fn frozen(board: &Board, head: Head) -> Option<(u64, u64)> {
    let block = Some(head.block()).filter(|_| head.is(HeadKind::Live)).map(|index| board.block(index))?;
    assert!(matches!(board.gen_word(block), GenWord::Generation(_)), "{head:?} was frozen and not logged");
    Some((board.record(block, record::VERSION), board.record(block, record::HEADER_WORDS + 1)))
}

/// A board with a value of "a", and the lane that freezes it.
fn board() -> (Arc<Board>, Lane) {
    let board = Board::small(6, 2);
    let mut setup = board.ready_lane(0);
    board.put(&mut setup, "a", 1);
    (board, setup)
}

/// The freezing, as a role.
fn freezer(board: &Arc<Board>, mut lane: Lane) -> impl FnOnce() -> Vec<Head> + Send + 'static {
    let board = board.clone();
    move || freeze(&board, &mut lane)
}

/// How many of the puts of the key were acknowledged before one was told that the board moved.
fn puts(board: &Board, lane: &mut Lane, key: &str, values: [u64; 2], hint: Option<Slot>) -> u64 {
    let mut done = 0;
    for value in values {
        let key = Key::new(&board.geo, key);
        let value = value.to_le_bytes();
        let put = Change::put(&value, Expect::Any);
        match board.core().change(lane, &key, &put, Now::default(), hint) {
            Ok(Outcome::Done { .. }) => done += 1,
            Err(Fault::Moved) => break,
            other => panic!("a put came to {other:?}"),
        }
    }
    done
}

/// Puts of a key until the board moved: those that were acknowledged were frozen, and no other.
static PUT: Model = Model {
    name: "moved::a_put_is_frozen_or_told",
    budget: 1_500,
    least: 500,
    must_see: &["told at once", "frozen"],
    kills: false,
    roles: 2,
    run: |run| put_and_freeze(run, None),
};

/// The same by a handle that knows the key's slot.
static PUT_HELD: Model = Model {
    name: "moved::a_put_by_handle_is_frozen_or_told",
    budget: 1_500,
    least: 500,
    must_see: &["told at once", "frozen"],
    kills: false,
    roles: 2,
    run: |run| {
        let head_at = Board::small(1, 1).geo.bucket(0) + 3;
        put_and_freeze(run, Some(head_at));
    },
};

fn put_and_freeze(run: &Arc<Run>, head_at: Option<usize>) {
    let (board, setup) = board();
    let hint = head_at.map(|head_at| Slot { head_at, hash: SlotHash(board.read(head_at - 1)) });
    let writer = {
        let (board, mut lane) = (board.clone(), board.ready_lane(1));
        move || puts(&board, &mut lane, "a", [2, 3], hint)
    };
    let (heads, done) = run.two(freezer(&board, setup), writer);
    assert_eq!(frozen(&board, heads[0]), Some((1 + done, 1 + done)), "{done} puts were acknowledged");
    assert_eq!(board.core().generation(), 1 + done, "an event that nobody was told of");
    run.saw(if done == 0 { "told at once" } else { "frozen" });
}

/// The same of a key that is not there yet.
static INSERT: Model = Model {
    name: "moved::an_insert_is_frozen_or_told",
    budget: 1_500,
    least: 500,
    must_see: &["told at once", "frozen"],
    kills: false,
    roles: 2,
    run: |run| {
        let (board, setup) = board();
        let writer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || puts(&board, &mut lane, "b", [1, 2], None)
        };
        let (heads, done) = run.two(freezer(&board, setup), writer);
        assert_eq!(frozen(&board, heads[0]), Some((1, 1)), "a key that stands still");
        assert_eq!(frozen(&board, heads[1]), (done > 0).then_some((done, done)), "{done} were acknowledged");
        run.saw(if done == 0 { "told at once" } else { "frozen" });
    },
};

/// The same where the insert needs another bucket.
static INSERT_LINK: Model = Model {
    name: "moved::an_insert_that_links_is_frozen_or_told",
    budget: 2_000,
    least: 500,
    must_see: &["told at once", "frozen"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::new(Shape { overflow_max: 1, ..shape(9, 3) }, 1);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        board.put(&mut setup, "z", 2);
        let writer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || puts(&board, &mut lane, "b", [21, 22], None)
        };
        let (heads, done) = run.two(freezer(&board, setup), writer);
        let all: Vec<_> = heads.into_iter().filter_map(|head| frozen(&board, head)).collect();
        let newest = all.iter().find(|(_, value)| *value > 20);
        assert_eq!(newest, (done > 0).then_some(&(done, 20 + done)), "{done} were acknowledged");
        run.saw(if done == 0 { "told at once" } else { "frozen" });
    },
};

/// Reads of a key, one by its name, one by its slot, one of a view: each finds it or is told.
static READ: Model = Model {
    name: "moved::a_read_finds_the_key_or_is_told",
    budget: 1_500,
    least: 100,
    must_see: &["found", "told"],
    kills: false,
    roles: 2,
    run: |run| {
        let (board, setup) = board();
        let head_at = board.geo.bucket(0) + 3;
        let slot = Slot { head_at, hash: SlotHash(board.read(head_at - 1)) };
        let reader = {
            let (board, run) = (board.clone(), run.clone());
            move || {
                let (core, key) = (board.core(), Key::new(&board.geo, "a"));
                let mut out = Vec::new();
                for hint in [None, Some(slot)] {
                    found(&run, core.get(&key, hint, Verify::Always, &mut out).map(|got| got.is_some()));
                }
                found(&run, core.get_at(&key, core.point(), Verify::Always).map(|got| got.is_some()));
                let mut listed = 0;
                let list = core.list_at("", core.point(), Verify::Always, |_| listed += 1);
                found(&run, list.map(|()| listed == 1));
            }
        };
        run.two(freezer(&board, setup), reader);
    },
};

fn found(run: &Run, found: Result<bool, Fault>) {
    match found {
        Ok(true) => run.saw("found"),
        Err(Fault::Moved) => run.saw("told"),
        other => panic!("a read came to {other:?}"),
    }
}
