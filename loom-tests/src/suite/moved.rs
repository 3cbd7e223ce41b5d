//! A board is frozen so that another may take its place. A party that meets the frozen board is told that it moved, and
//! what was frozen has everything that was acknowledged.
//!
//! The freezing is here, as the design has it: FROZEN on every guard, then every head, logged first, to MOVED.
//! The protocol knows only how to meet it.

use super::{
    Model, Run,
    board::{Board, shape},
    model,
    scene::{Party, Scene},
};
use slateboard::{
    layout::{GenWord, Guard, GuardOp, Head, HeadKind, Shape, geometry, record},
    protocol::{
        Fault,
        lane::Claimed,
        publish::{Change, Expect, Now, Outcome},
        read::Verify,
        slots::Slot,
    },
};

pub const MODELS: &[Model] = &[
    model("moved::a_put_is_frozen_or_told", |run| put_and_freeze(run, false))
        .budget(1_500)
        .least(500)
        .must_see(&["told at once", "frozen"]),
    // By a handle that knows the key's slot.
    model("moved::a_put_by_handle_is_frozen_or_told", |run| put_and_freeze(run, true))
        .budget(1_500)
        .least(500)
        .must_see(&["told at once", "frozen"]),
    model("moved::an_insert_is_frozen_or_told", insert)
        .budget(1_500)
        .least(500)
        .must_see(&["told at once", "frozen"]),
    model("moved::an_insert_that_links_is_frozen_or_told", insert_link)
        .budget(2_000)
        .least(500)
        .must_see(&["told at once", "frozen"]),
    model("moved::a_read_finds_the_key_or_is_told", read)
        .budget(1_500)
        .least(100)
        .must_see(&["found", "told"]),
];

/// Freezes the one bucket of the board, and returns what each slot held then.
fn freeze(me: &mut Party) -> Vec<Head> {
    let guard_at = me.geo.bucket(0);
    loop {
        let guard = Guard(me.load(guard_at));
        // A removal of nothing does what the guard asks for, so that no late helper has anything to do.
        me.try_remove("zz").expect("no harm");
        if me.swap(guard_at, guard.0, guard.next(GuardOp::Frozen).0) {
            break;
        }
    }
    let mut heads: Vec<Head> =
        (0..geometry::SLOTS).map(|slot| freeze_head(me, guard_at + 3 + 2 * slot)).collect();
    // No bucket is linked to a frozen chain.
    if let Some(base) = me.geo.block(me.load(guard_at + 1) as u32).map(|block| me.geo.data(block)) {
        heads.extend((0..geometry::SLOTS).map(|slot| freeze_head(me, base + 3 + 2 * slot)));
    }
    heads
}

fn freeze_head(me: &mut Party, head_at: usize) -> Head {
    loop {
        let head = Head(me.load(head_at));
        let block = Some(head.block()).filter(|_| head.is(HeadKind::Live)).map(|index| me.block(index));
        let gen_word = block.map(|block| GenWord::unpack(me.load(me.geo.generation(block))));
        match (block, gen_word) {
            (Some(block), Some(GenWord::Unlogged(tag))) if Head(me.load(head_at)) == head => {
                me.log(Claimed { block, tag }).expect("an event");
            }
            (Some(_), Some(GenWord::Unlogged(_))) => {}
            _ => {
                if me.swap(head_at, head.0, head.next(HeadKind::Moved, head.block()).0) {
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

/// A board with a value of "a".
fn board(run: &Run) -> Scene {
    let mut board = run.small(6, 2);
    board.put("a", 1);
    board
}

/// Freezes the board beside puts of the key until one is told that the board moved. Returns what was frozen, and how
/// many puts were acknowledged.
fn freeze_beside_puts(
    board: &mut Scene,
    key: &'static str,
    values: [u64; 2],
    hint: Option<Slot>,
) -> (Vec<Head>, u64) {
    let writer = board.role(1, move |me| {
        let acknowledged = values.into_iter().take_while(|value| {
            let (key, value) = (me.key(key), value.to_le_bytes());
            let (core, lane) = me.parts();
            match core.change(lane, &key, &Change::put(&value, Expect::Any), Now::default(), hint) {
                Ok(Outcome::Done { .. }) => true,
                Err(Fault::Moved) => false,
                other => panic!("a put came to {other:?}"),
            }
        });
        acknowledged.count() as u64
    });
    let freezer = board.setup_role(freeze);
    let (heads, done) = board.two(freezer, writer);
    board.saw(if done == 0 { "told at once" } else { "frozen" });
    (heads, done)
}

/// The puts of a key that were acknowledged were frozen, and no others were.
fn put_and_freeze(run: &Run, by_handle: bool) {
    let mut board = board(run);
    let hint = by_handle.then(|| board.first_slot());
    let (heads, done) = freeze_beside_puts(&mut board, "a", [2, 3], hint);
    assert_eq!(frozen(&board, heads[0]), Some((1 + done, 1 + done)), "{done} puts were acknowledged");
    assert_eq!(board.core().generation(), 1 + done, "an event that nobody was told of");
}

/// The same of a key that is not there yet.
fn insert(run: &Run) {
    let mut board = board(run);
    let (heads, done) = freeze_beside_puts(&mut board, "b", [1, 2], None);
    assert_eq!(frozen(&board, heads[0]), Some((1, 1)), "a key that stands still");
    assert_eq!(frozen(&board, heads[1]), (done > 0).then_some((done, done)), "{done} were acknowledged");
}

/// The same where the insert needs another bucket.
fn insert_link(run: &Run) {
    let mut board = run.board(Shape { overflow_max: 1, ..shape(9, 3) }).ready_to_set_up();
    board.put("a", 1);
    board.put("z", 2);
    let (heads, done) = freeze_beside_puts(&mut board, "b", [21, 22], None);
    let all: Vec<_> = heads.into_iter().filter_map(|head| frozen(&board, head)).collect();
    let newest = all.iter().find(|(_, value)| *value > 20);
    assert_eq!(newest, (done > 0).then_some(&(done, 20 + done)), "{done} were acknowledged");
}

/// Reads of a key, one by its name, one by its slot, one of a view, and one of a list: each finds it or is told.
fn read(run: &Run) {
    let mut board = board(run);
    let slot = board.first_slot();
    let reader = board.reader(move |board| {
        let (core, key) = (board.core(), board.key("a"));
        for hint in [None, Some(slot)] {
            let got = core.get(&key, hint, Verify::Always, &mut Vec::new());
            found(board, got.map(|got| got.is_some()));
        }
        found(board, core.get_at(&key, core.point(), Verify::Always).map(|got| got.is_some()));
        let mut listed = 0;
        let list = core.list_at("", core.point(), Verify::Always, |_| listed += 1);
        found(board, list.map(|()| listed == 1));
    });
    let freezer = board.setup_role(freeze);
    board.two(freezer, reader);
}

fn found(board: &Board, found: Result<bool, Fault>) {
    match found {
        Ok(true) => board.saw("found"),
        Err(Fault::Moved) => board.saw("told"),
        other => panic!("a read came to {other:?}"),
    }
}
