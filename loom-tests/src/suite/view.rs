//! A view shows every key as of one generation, and an event shows what it was, or both say that they are gone.

use super::{
    Model, Run,
    board::{Board, number},
    model,
};
use slateboard::{
    protocol::{Fault, read::Verify, view::Point},
    sync::modelled::read_only,
};

pub const MODELS: &[Model] = &[
    model("view::a_view_is_of_one_generation", |run| two_keys(run, 5, 4, false))
        .least(1_000)
        .must_see(&["at two", "at three", "at four"]),
    // The blocks that the view needs are freed and filled again.
    model("view::a_view_is_whole_or_lags", |run| two_keys(run, 4, 2, true))
        .least(1_000)
        .must_see(&["at two", "lagged"]),
    model("view::a_view_takes_no_reused_tombstone", retired)
        .budget(6_000)
        .least(500)
        .must_see(&["reused", "not yet"]),
    model("view::the_next_generation_can_be_seen_when_it_is_entered", next)
        .least(100)
        .must_see(&["future", "seen"]),
    model("view::what_a_read_told_can_be_viewed", read).least(100).must_see(&["one", "two", "not counted"]),
    model("view::an_event_is_whole_or_gone", event).least(500).must_see(&["whole", "gone"]),
    model("view::a_walk_finds_every_key_that_stands", walk).least(500).must_see(&["moved on"]),
];

/// The key's value at the point, which is its generation too; 0 where it has none.
fn value_at(board: &Board, key: &str, point: Point) -> Result<u64, Fault> {
    let item = read_only(|| board.core().get_at(&board.key(key), point, Verify::Always))?;
    Ok(item.map_or(0, |item| {
        let value = number(&item.value);
        assert_eq!((item.header.version == 0, item.generation), (false, value), "torn: {item:?}");
        value
    }))
}

/// Two keys are put again, while a reader looks at both.
fn two_keys(run: &Run, blocks: u64, history: u64, floor: bool) {
    let mut board = run.small(blocks, history);
    board.put("a", 1);
    board.put("b", 2);
    let writer = board.role(1, move |me| {
        me.put("a", 3);
        if floor {
            me.floor_to(3);
        }
        me.put("b", 4);
    });
    let reader = board.reader(look);
    board.two(writer, reader);
    board.drain();
}

fn look(board: &Board) {
    let point = read_only(|| board.core().point());
    let seen = value_at(board, "a", point).and_then(|a| Ok((a, value_at(board, "b", point)?)));
    match (point.generation, seen) {
        (2, Ok((1, 2))) => board.saw("at two"),
        (3, Ok((3, 2))) => board.saw("at three"),
        (4, Ok((3, 4))) => board.saw("at four"),
        (_, Err(Fault::Lagged)) => board.saw("lagged"),
        (generation, other) => panic!("a view at {generation} shows {other:?}"),
    }
}

/// A view of a removed key, while the key is retired and its tombstone's block begins another life.
fn retired(run: &Run) {
    // Four blocks: one at hand of each, two in slots.
    let mut board = run.small(4, 4);
    board.put("a", 1);
    board.put("b", 2);
    board.remove("a");
    board.floor_to(3);
    let tombstone = board.head(0).block();
    let writer = board.role(1, |me| {
        me.put("c", 4);
        me.put("c", 5);
    });
    let reader = board.reader(|board| {
        let point = read_only(|| board.core().point());
        assert_eq!(value_at(board, "a", point), Ok(0), "at {point:?}");
        board.saw(if board.value("c") == Some(5) { "reused" } else { "not yet" });
    });
    board.two(writer, reader);
    assert_eq!(board.head(0).block(), tombstone, "the only block that was free");
    board.drain();
}

/// A view at the newest event, which a reader saw before it was counted.
fn next(run: &Run) {
    let mut board = run.small(4, 1);
    board.put("a", 1);
    let writer = board.role(1, |me| {
        me.put("a", 2);
        me.put("a", 3);
    });
    let reader = board.reader(|board| match read_only(|| board.core().point_at(2)) {
        Ok(point) => match value_at(board, "a", point) {
            Ok(2) => board.saw("seen"),
            Err(Fault::Lagged) => {}
            other => panic!("a view at 2 shows {other:?}"),
        },
        Err(Fault::Future) => board.saw("future"),
        Err(Fault::Lagged) => {}
        Err(other) => panic!("no point at 2: {other:?}"),
    });
    board.two(writer, reader);
    board.drain();
}

/// A view at the generation of what was just read, which may not be counted yet, and is in the ring.
fn read(run: &Run) {
    let mut board = run.small(4, 2);
    board.put("a", 1);
    let writer = board.role(1, |me| me.put("a", 2));
    let reader = board.reader(|board| {
        let (_, generation, _) = board.get("a").expect("the key");
        let point = read_only(|| board.core().point_at(generation));
        assert!(point.is_ok(), "a read told {generation}, and a view at it says {point:?}");
        board.saw(if generation == 1 { "one" } else { "two" });
        board.saw_if(board.core().generation() < generation, "not counted");
    });
    board.two(writer, reader);
    board.drain();
}

/// An event with what it superseded, while the floor passes it and its blocks are filled again.
fn event(run: &Run) {
    let mut board = run.small(4, 2);
    board.put("a", 1);
    board.put("a", 2);
    let writer = board.role_of(board.party(1), |me| {
        me.floor_to(2);
        me.put("b", 3);
    });
    let reader = board.reader(|board| match read_only(|| board.core().event(2, Verify::Always, |_| true)) {
        Ok(Some(event)) => {
            let previous = event.previous.expect("what the event superseded");
            assert_eq!((number(&event.item.value), number(&previous.value)), (2, 1), "torn");
            assert_eq!((event.item.header.version, previous.header.version), (2, 1), "torn");
            board.saw("whole");
        }
        Err(Fault::Lagged) => board.saw("gone"),
        other => panic!("event 2 reads as {other:?}"),
    });
    board.two(writer, reader);
    board.drain();
}

/// A walk over the slots, which asks nothing of the history, while one key's block is freed and filled for the other.
fn walk(run: &Run) {
    let mut board = run.small(4, 2);
    board.put("a", 1);
    board.put("b", 2);
    let writer = board.role(1, |me| {
        me.put("a", 3);
        me.floor_to(3);
        me.put("b", 4);
    });
    let reader = board.reader(|board| {
        let (core, mut keys) = (board.core(), Vec::new());
        let before = core.generation();
        let note = |key: Result<&[u8], _>| keys.push(key.map(<[u8]>::to_vec).expect("a sound record"));
        read_only(|| core.present_keys("", note)).expect("a walk");
        keys.sort_unstable();
        assert_eq!(keys, [b"a", b"b"], "two keys stand all the while");
        board.saw_if(core.generation() > before, "moved on");
    });
    board.two(writer, reader);
    board.drain();
}
