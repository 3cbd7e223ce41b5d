//! A value in pieces: whole for readers, its pieces freed once, by whoever frees its head.

use super::{
    Model, Run,
    board::{Board, done, shape},
    fsck,
};
use slateboard::{
    layout::Shape,
    protocol::{
        lane::Lane,
        publish::{Change, Expect},
        read::Verify,
        slots::Key,
    },
};
use std::sync::Arc;

pub const MODELS: &[&Model] = &[&WHOLE, &KILLED, &KILLED_OVER_OLD_LIST];

/// Bytes of a value that takes a head and two pieces.
const LONG: usize = 72;

fn board(blocks: u64, history: u64) -> Arc<Board> {
    Board::new(Shape { value_max: 128, ..shape(blocks, history) }, 1)
}

/// Puts a long value of this byte.
fn put_long(board: &Board, lane: &mut Lane, key: &str, byte: u8) -> (u64, u64) {
    done(board.change(lane, key, &Change::put(&[byte; LONG], Expect::Any)))
}

/// The byte that a long value is of.
fn long(board: &Board, key: &str) -> u8 {
    let mut out = Vec::new();
    let key = Key::new(&board.geo, key);
    board.core().get(&key, None, Verify::Always, &mut out).expect("a sound read").expect("the key");
    assert!(out.len() == LONG && out.iter().all(|&byte| byte == out[0]), "torn: {out:?}");
    out[0]
}

/// A reader of a long value that is overwritten, freed and written into again.
static WHOLE: Model = Model {
    name: "chain::a_long_value_is_whole_while_its_pieces_are_reused",
    budget: 3_000,
    least: 1_000,
    must_see: &["one", "three"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = board(7, 2);
        let mut setup = board.lane(0);
        put_long(&board, &mut setup, "a", 1);
        let writer = {
            let (board, mut lane) = (board.clone(), board.lane(1));
            move || {
                put_long(&board, &mut lane, "a", 2);
                board.floor_to(&mut lane, 2);
                put_long(&board, &mut lane, "a", 3);
                lane
            }
        };
        let reader = {
            let (board, run) = (board.clone(), run.clone());
            move || run.saw(["", "one", "two", "three"][usize::from(long(&board, "a"))])
        };
        let (one, ()) = run.two(writer, reader);
        fsck::check_and_drain(&board, &mut setup, &[&one]);
    },
};

/// Killed anywhere in a put of a long value and reaped, beside a writer of the same key.
static KILLED: Model = Model {
    name: "chain::a_killed_long_put_leaks_no_piece",
    budget: 60,
    least: 2_000,
    must_see: &["lived"],
    kills: true,
    roles: 2,
    run: |run| {
        let board = board(9, 2);
        let mut setup = board.lane(0);
        put_long(&board, &mut setup, "a", 1);
        let writer = {
            let (board, mut lane) = (board.clone(), board.lane(2));
            move || (board.put(&mut lane, "a", 2), lane)
        };
        let (mut setup, (_, two)) = run.two(killed_put(run, &board, setup), writer);
        fsck::check_and_drain(&board, &mut setup, &[&two]);
    },
};

/// Killed anywhere in a put of a long value into a head that still lists the pieces of its last life,
/// which are another value's now.
static KILLED_OVER_OLD_LIST: Model = Model {
    name: "chain::a_killed_long_put_frees_no_piece_of_another",
    budget: 100,
    least: 60,
    must_see: &["lived", "old list"],
    kills: true,
    roles: 2,
    run: |run| {
        let board = board(8, 3);
        let mut setup = board.lane(0);
        put_long(&board, &mut setup, "a", 1);
        // Into a head of its own, so that the first head is claimed last.
        let mut other = board.lane(2);
        board.put(&mut setup, "a", 2);
        board.floor_to(&mut setup, 2);
        let freed = board.core().claim(&mut setup, 1, false).expect("the freed head");
        put_long(&board, &mut other, "b", 3);
        board.core().free(&setup, freed);
        let lists = |block: u32| [5, 6].map(|word| board.record(board.block(block), word));
        let (old, others) = (lists(freed.block.index()), lists(board.head(1).block()));
        run.saw_if(old.iter().any(|piece| others.contains(piece)), "old list");
        let reader = {
            let board = board.clone();
            move || assert_eq!(long(&board, "b"), 3)
        };
        let (mut setup, ()) = run.two(killed_put(run, &board, setup), reader);
        assert_eq!(long(&board, "b"), 3);
        fsck::check_and_drain(&board, &mut setup, &[&other]);
    },
};

/// A long put of "a" that dies, and is reaped by the set-up's lane.
fn killed_put(
    run: &Arc<Run>,
    board: &Arc<Board>,
    mut reaper: Lane,
) -> impl FnOnce() -> Lane + Send + 'static {
    let (board, run, mut lane) = (board.clone(), run.clone(), board.lane(1));
    move || {
        if run.victim(|| put_long(&board, &mut lane, "a", 7)).is_some() {
            run.saw("lived");
            board.empty_hand(&mut lane);
        }
        board.reap(&mut reaper, 1);
        reaper
    }
}
