//! What a read told is in the present of the same reader: in its generation, its views, its lists and its events.

use super::{
    Model, Run,
    board::{Board, STORES_TO_PUBLISH, number},
    model,
    scene::{Role, Scene},
};
use slateboard::{
    protocol::{Fault, read::Verify},
    sync::modelled::read_only,
};

pub const MODELS: &[Model] = &[
    model("told::what_a_read_told_can_be_listed", told)
        .must_see(&["one", "two", "not counted"])
        .budget(300)
        .least(500),
    model("told::what_a_read_told_is_in_a_later_present", told_late)
        .must_see(&["two", "three", "not counted"])
        .least(500),
];

/// A put is killed anywhere, beside a reader. Where it dies before the counter nobody ever counts its event.
fn told(run: &Run) {
    let mut board = run.small(4, 2);
    board.put("a", 1);
    let writer = board.role(1, |me| {
        let _ = me.run.clone().victim(|| me.put("a", 2));
    });
    let reader = reader(&board);
    board.two(writer, reader);
}

/// A killed writer did not count its event. The next writer counts it and fills the ring again while the reader looks.
/// By then neither the counter that the reader loaded nor the ring names the generation that the read told.
fn told_late(run: &Run) {
    let mut board = run.small(5, 1);
    let mut dead = board.ready(1);
    board.put("a", 1);
    board.floor_to(1);
    // Besides the ring word, the generation word.
    dead.killed_after(STORES_TO_PUBLISH + 2, |me| me.put("a", 2));
    assert_eq!((board.core().generation(), board.core().newest()), (1, 2));
    let writer = board.role(2, |me| me.put("a", 3));
    let reader = reader(&board);
    let (put, ()) = board.two(writer, reader);
    assert_eq!(put, (3, 3));
    board.reap(1);
    board.drain();
}

/// Reads the key, then looks for what that told.
fn reader(board: &Scene) -> Role<()> {
    board.reader(|board| {
        let (_, told, _) = board.get("a").expect("the key");
        board.saw(["", "one", "two", "three"][told as usize]);
        board.saw_if(board.core().generation() < told, "not counted");
        read_only(|| is_present(board, told));
    })
}

fn is_present(board: &Board, told: u64) {
    let core = board.core();
    let newest = core.newest();
    assert!(newest >= told, "a read told {told}, and the newest generation is {newest}");
    let point = core.point();
    assert!(point.generation >= newest, "the newest generation is {newest}, and a view is of {point:?}");
    match core.get_at(&board.key("a"), point, Verify::Always) {
        Ok(Some(item)) => {
            assert!(item.generation >= told, "a read told {told}, and a view of {point:?} shows {item:?}");
            assert_eq!(item.generation, number(&item.value), "torn: {item:?}");
        }
        Err(Fault::Lagged) => {}
        other => panic!("a read told {told}, and a view of {point:?} shows {other:?}"),
    }
    for generation in [told, newest] {
        match core.event(generation, Verify::Always, |_| true) {
            Ok(Some(event)) => assert_eq!(event.item.generation, generation),
            Err(Fault::Lagged) => {}
            other => {
                panic!("a reader at {newest} was told {told}, and event {generation} reads as {other:?}")
            }
        }
    }
}
