//! A value in pieces is whole for readers. Its pieces are freed once, with its head.

use super::{
    Model, Run,
    board::{Board, done, shape},
    model,
    scene::{Party, Scene},
};
use slateboard::{
    layout::Shape,
    protocol::{
        publish::{Change, Expect},
        read::Verify,
    },
};

pub const MODELS: &[Model] = &[
    model("chain::a_long_value_is_whole_while_its_pieces_are_reused", whole)
        .budget(3_000)
        .least(1_000)
        .must_see(&["one", "three"]),
    model("chain::a_killed_long_put_leaks_no_piece", killed).budget(60).least(2_000).must_see(&["lived"]),
    model("chain::a_killed_long_put_frees_no_piece_of_another", killed_over_old_list)
        .budget(100)
        .least(60)
        .must_see(&["lived", "old list"]),
];

/// Bytes of a value that takes a head and two pieces.
const LONG: usize = 72;

/// A board with a long value of "a".
fn board(run: &Run, blocks: u64, history: u64) -> Scene {
    let mut board = run.board(Shape { value_max: 128, ..shape(blocks, history) }).attached();
    put_long(&mut board, "a", 1);
    board
}

/// Puts a long value of this byte.
fn put_long(me: &mut Party, key: &str, byte: u8) -> (u64, u64) {
    done(me.change(key, &Change::put(&[byte; LONG], Expect::Any)))
}

/// The byte that a long value is of.
fn long(board: &Board, key: &str) -> u8 {
    let mut out = Vec::new();
    let got = board.core().get(&board.key(key), None, Verify::Always, &mut out);
    got.expect("a sound read").expect("the key");
    assert!(out.len() == LONG && out.iter().all(|&byte| byte == out[0]), "torn: {out:?}");
    out[0]
}

/// A reader of a long value that is overwritten, freed and written into again.
fn whole(run: &Run) {
    let mut board = board(run, 7, 2);
    let writer = board.role_of(board.party(1), |me| {
        put_long(me, "a", 2);
        me.floor_to(2);
        put_long(me, "a", 3);
    });
    let reader = board.reader(|board| board.saw(["", "one", "two", "three"][usize::from(long(board, "a"))]));
    board.two(writer, reader);
    board.drain();
}

/// A put of a long value is killed anywhere and reaped, beside a writer of the same key.
fn killed(run: &Run) {
    let mut board = board(run, 9, 2);
    let writer = board.role_of(board.party(2), |me| me.put("a", 2));
    let victim = board.victim(board.party(1), |me| put_long(me, "a", 7));
    board.two(victim, writer);
    board.drain();
}

/// A put of a long value is killed anywhere and reaped. Its head still lists the pieces of its last life, which are
/// another value's now.
fn killed_over_old_list(run: &Run) {
    let mut board = board(run, 8, 3);
    // Into a head of its own, so that the first head is claimed last.
    let mut other = board.party(2);
    board.put("a", 2);
    board.floor_to(2);
    let freed = board.claim(1).expect("the freed head");
    put_long(&mut other, "b", 3);
    board.free([freed]);
    let lists = |block: u32| [5, 6].map(|word| board.record(board.block(block), word));
    let (old, others) = (lists(freed.block.index()), lists(board.head(1).block()));
    board.saw_if(old.iter().any(|piece| others.contains(piece)), "old list");
    let reader = board.role_of(other, |me| assert_eq!(long(me, "b"), 3));
    let victim = board.victim(board.party(1), |me| put_long(me, "a", 7));
    board.two(victim, reader);
    assert_eq!(long(&board, "b"), 3);
    board.drain();
}
