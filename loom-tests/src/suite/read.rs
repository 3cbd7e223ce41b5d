//! A read returns what one write wrote, whole, although writers reuse the block under it.

use super::{Model, Run, board::Board, fsck};
use slateboard::protocol::{read::Verify, slots::Key};

pub const MODELS: &[&Model] = &[&WHOLE, &WHOLE_PREVIOUS, &WHOLE_SECOND_PASS, &REMOVED, &POLLED];

const SEEN: &[&str] = &["absent", "one", "two", "three", "four"];

/// Reads the key, whose version, generation and value are the same number.
fn read(run: &Run, board: &Board) -> u64 {
    let Some((version, generation, value)) = board.get("a") else {
        run.saw(SEEN[0]);
        return 0;
    };
    assert!(version == generation && generation == value, "torn: {version}, {generation}, {value}");
    run.saw(SEEN[value as usize]);
    value
}

/// A reader of a block that the writer frees and fills again.
static WHOLE: Model = Model {
    name: "read::a_value_is_whole_while_its_block_is_reused",
    budget: 4_000,
    least: 1_000,
    must_see: &["one", "two", "three"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let writer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || {
                board.put(&mut lane, "a", 2);
                board.floor_to(&mut lane, 2);
                board.put(&mut lane, "a", 3);
                lane
            }
        };
        let reader = {
            let (board, run) = (board.clone(), run.clone());
            move || assert!(read(&run, &board) <= read(&run, &board), "time runs backwards")
        };
        let (one, ()) = run.two(writer, reader);
        fsck::check_and_drain(&board, &mut setup, &[&one]);
    },
};

/// A reader that takes the value before an unlogged one, while that is logged and the block it copies
/// becomes another key's: the head does not move.
static WHOLE_PREVIOUS: Model = Model {
    name: "read::the_value_before_an_unlogged_one_is_whole",
    budget: 4_000,
    least: 500,
    must_see: &["one", "two"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 2);
        let (mut setup, mut dead) = (board.ready_lane(0), board.ready_lane(1));
        board.put(&mut setup, "a", 1);
        let put = board.publish_only(&mut dead, "a", 2);
        let writer = {
            let (board, mut lane) = (board.clone(), board.lane(2));
            move || {
                board.core().log(&mut lane, put.block, put.tag).expect("an event");
                board.floor_to(&mut lane, 2);
                board.put(&mut lane, "b", 3);
                lane
            }
        };
        let reader = {
            let (board, run) = (board.clone(), run.clone());
            move || read(&run, &board)
        };
        let (two, _) = run.two(writer, reader);
        board.reap(&mut setup, 1);
        fsck::check_and_drain(&board, &mut setup, &[&two]);
    },
};

/// A reader on its second pass, while what it copies is superseded, freed and filled again.
static WHOLE_SECOND_PASS: Model = Model {
    name: "read::a_second_pass_is_whole_while_its_block_is_reused",
    budget: 4_000,
    least: 1_000,
    must_see: &["one", "three"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 2);
        let (mut setup, mut dead) = (board.ready_lane(0), board.ready_lane(1));
        board.put(&mut setup, "a", 1);
        board.publish_only(&mut dead, "a", 2);
        board.empty_hand(&mut setup);
        let writer = {
            let board = board.clone();
            move || {
                board.reap(&mut setup, 1);
                board.put(&mut setup, "a", 3);
                board.floor_to(&mut setup, 2);
                board.empty_hand(&mut setup);
                board.floor_to(&mut setup, 3);
                board.put(&mut setup, "a", 4);
                setup
            }
        };
        let reader = {
            let (board, run) = (board.clone(), run.clone());
            move || read(&run, &board)
        };
        let (mut setup, _) = run.two(writer, reader);
        fsck::check_and_drain(&board, &mut setup, &[]);
    },
};

/// A reader of a key that is removed, and put again into the block of its first value.
static REMOVED: Model = Model {
    name: "read::a_removed_key_is_absent_or_whole",
    budget: 4_000,
    least: 1_000,
    must_see: &["absent", "one", "three"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let writer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || {
                board.remove(&mut lane, "a");
                board.floor_to(&mut lane, 2);
                board.put(&mut lane, "a", 3);
                lane
            }
        };
        let reader = {
            let (board, run) = (board.clone(), run.clone());
            move || read(&run, &board)
        };
        let (one, _) = run.two(writer, reader);
        fsck::check_and_drain(&board, &mut setup, &[&one]);
    },
};

/// A poller that asks whether what it read is the newest still, while the key changes and the block of the change
/// becomes that of a later one. What is counted is never missed.
static POLLED: Model = Model {
    name: "read::who_polls_a_head_misses_nothing_counted",
    budget: 6_000,
    least: 1_000,
    must_see: &["counted", "entering"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let mut value = Vec::new();
        let key = Key::new(board.core().geometry(), "a");
        let seen = board.core().get(&key, None, Verify::Always, &mut value).expect("sound").expect("a value");
        board.empty_hand(&mut setup);
        let writer = {
            let board = board.clone();
            move || {
                board.put(&mut setup, "a", 2);
                board.put(&mut setup, "a", 3);
                board.floor_to(&mut setup, 3);
                board.empty_hand(&mut setup);
                board.put(&mut setup, "a", 4);
                setup
            }
        };
        let poller = {
            let (board, run) = (board.clone(), run.clone());
            move || {
                for _ in 0..2 {
                    let counted = board.core().generation();
                    let newest = board.core().is_newest(seen.slot, seen.head);
                    assert!(
                        !newest || counted < 2,
                        "generation {counted} is counted, and the first value is the newest"
                    );
                    let stands = board.load(seen.slot.head_at) == seen.head.0;
                    run.saw(match (newest, stands) {
                        (true, false) => "entering",
                        (true, true) => "stands",
                        _ if counted < 2 => "news",
                        _ => "counted",
                    });
                }
            }
        };
        let (mut setup, ()) = run.two(writer, poller);
        fsck::check_and_drain(&board, &mut setup, &[]);
    },
};
