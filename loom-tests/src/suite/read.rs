//! A read returns the whole value of one put, although writers reuse the block under it.

use super::{Model, Run, board::Board, model};
use slateboard::protocol::read::Verify;

pub const MODELS: &[Model] = &[
    model("read::a_value_is_whole_while_its_block_is_reused", whole)
        .least(1_000)
        .must_see(&["one", "two", "three"]),
    model("read::the_value_before_an_unlogged_one_is_whole", whole_previous)
        .least(500)
        .must_see(&["one", "two"]),
    model("read::a_second_pass_is_whole_while_its_block_is_reused", whole_second_pass)
        .least(1_000)
        .must_see(&["one", "three"]),
    model("read::a_removed_key_is_absent_or_whole", removed)
        .least(1_000)
        .must_see(&["absent", "one", "three"]),
    model("read::what_a_reader_remembers_is_whole_and_the_newest", recalled)
        .least(1_000)
        .must_see(&["one", "changed", "counted"]),
    model("read::who_polls_a_head_misses_nothing_counted", polled)
        .budget(6_000)
        .least(1_000)
        .must_see(&["counted", "entering"]),
];

const SEEN: &[&str] = &["absent", "one", "two", "three", "four"];

/// Reads the key, whose version, generation and value are the same number.
fn read(board: &Board) -> u64 {
    let Some((version, generation, value)) = board.get("a") else {
        board.saw(SEEN[0]);
        return 0;
    };
    assert!(version == generation && generation == value, "torn: {version}, {generation}, {value}");
    board.saw(SEEN[value as usize]);
    value
}

/// A reader of a block that the writer frees and fills again.
fn whole(run: &Run) {
    let mut board = run.small(4, 2);
    board.put("a", 1);
    let writer = board.role(1, |me| {
        me.put("a", 2);
        me.floor_to(2);
        me.put("a", 3);
    });
    let reader = board.reader(|board| assert!(read(board) <= read(board), "time runs backwards"));
    board.two(writer, reader);
    board.drain();
}

/// A reader takes the value before an unlogged one, while that is logged and the block that the reader copies
/// becomes another key's. The head does not move.
fn whole_previous(run: &Run) {
    let mut board = run.small(4, 2);
    let mut dead = board.ready(1);
    board.put("a", 1);
    let put = dead.publish_only("a", 2);
    let writer = board.role_of(board.party(2), move |me| {
        me.log(put).expect("an event");
        me.floor_to(2);
        me.put("b", 3);
    });
    let reader = board.reader(read);
    board.two(writer, reader);
    board.reap(1);
    board.drain();
}

/// A reader is on its second pass, while the block that it copies is superseded, freed and filled again.
fn whole_second_pass(run: &Run) {
    let mut board = run.small(4, 2);
    let mut dead = board.ready(1);
    board.put("a", 1);
    dead.publish_only("a", 2);
    board.empty_hand();
    let writer = board.setup_role(|me| {
        me.reap(1);
        me.put("a", 3);
        me.floor_to(2);
        me.empty_hand();
        me.floor_to(3);
        me.put("a", 4);
    });
    let reader = board.reader(read);
    board.two(writer, reader);
    board.drain();
}

/// A reader of a key that is removed, and put again into the block of its first value.
fn removed(run: &Run) {
    let mut board = run.small(4, 2);
    board.put("a", 1);
    let writer = board.role(1, |me| {
        me.remove("a");
        me.floor_to(2);
        me.put("a", 3);
    });
    let reader = board.reader(read);
    board.two(writer, reader);
    board.drain();
}

/// A reader copies again what it remembers, while the key changes and the block that it remembers is filled anew. It
/// never returns a value after it has seen a later one counted.
fn recalled(run: &Run) {
    let mut board = run.small(4, 2);
    board.put("a", 1);
    let recall = board.recall("a");
    let writer = board.role(1, |me| {
        me.put("a", 2);
        me.floor_to(2);
        me.put("a", 3);
    });
    let reader = board.reader(move |board| {
        for _ in 0..2 {
            let counted = board.core().generation();
            let value = board.recalled(&recall);
            assert!(value.is_none_or(|value| value == 1), "torn, or of another life: {value:?}");
            assert!(
                value.is_none() || counted < 2,
                "generation {counted} is counted, and the first value stands"
            );
            board.saw(match value {
                Some(_) => "one",
                None if counted < 2 => "changed",
                None => "counted",
            });
        }
    });
    board.two(writer, reader);
    board.drain();
}

/// A poller asks whether the value that it read is still the newest, while the key changes and the block of the
/// change becomes that of a later one. The poller never misses a counted change.
fn polled(run: &Run) {
    let mut board = run.small(4, 2);
    board.put("a", 1);
    let got = board.core().get(&board.key("a"), None, Verify::Always, &mut Vec::new());
    let seen = got.expect("sound").expect("a value");
    board.empty_hand();
    let writer = board.setup_role(|me| {
        me.put("a", 2);
        me.put("a", 3);
        me.floor_to(3);
        me.empty_hand();
        me.put("a", 4);
    });
    let poller = board.reader(move |board| {
        for _ in 0..2 {
            let counted = board.core().generation();
            let newest = board.core().is_newest(seen.slot, seen.head);
            let missed = newest && counted >= 2;
            assert!(!missed, "generation {counted} is counted, and the first value is the newest");
            let stands = board.load(seen.slot.head_at) == seen.head.0;
            board.saw(match (newest, stands) {
                (true, false) => "entering",
                (true, true) => "stands",
                _ if counted < 2 => "news",
                _ => "counted",
            });
        }
    });
    board.two(writer, poller);
    board.drain();
}
