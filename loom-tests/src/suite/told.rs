//! What a read told is in the present of the same reader: its generation, its views, its lists and its events.

use super::{
    Model, Run,
    board::{Board, STORES_TO_PUBLISH, number},
    fsck,
};
use slateboard::{
    protocol::{Fault, read::Verify, slots::Key},
    sync::modelled::{killed_after, read_only},
};
use std::sync::Arc;

pub const MODELS: &[&Model] = &[&TOLD, &TOLD_LATE];

/// A put that is killed anywhere, beside a reader. Where it dies before the counter nobody ever counts its event.
static TOLD: Model = Model {
    name: "told::what_a_read_told_can_be_listed",
    budget: 300,
    least: 500,
    must_see: &["one", "two", "not counted"],
    kills: true,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let writer = {
            let (board, run, mut lane) = (board.clone(), run.clone(), board.ready_lane(1));
            move || {
                run.victim(|| board.put(&mut lane, "a", 2));
            }
        };
        let ((), ()) = run.two(writer, reader(&board, run));
    },
};

/// An event that its killed writer did not count is counted by the next writer, which fills the ring again while the
/// reader looks: neither the counter that the reader loaded nor the ring says any more what the read told.
static TOLD_LATE: Model = Model {
    name: "told::what_a_read_told_is_in_a_later_present",
    budget: 4_000,
    least: 500,
    must_see: &["two", "three", "not counted"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(5, 1);
        let (mut setup, mut dead) = (board.ready_lane(0), board.ready_lane(1));
        board.put(&mut setup, "a", 1);
        board.floor_to(&mut setup, 1);
        // Besides the ring word, the generation word.
        killed_after(STORES_TO_PUBLISH + 2, || board.put(&mut dead, "a", 2));
        assert_eq!((board.core().generation(), board.core().newest()), (1, 2));
        let writer = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (board.put(&mut lane, "a", 3), lane)
        };
        let ((put, two), ()) = run.two(writer, reader(&board, run));
        assert_eq!(put, (3, 3));
        board.reap(&mut setup, 1);
        fsck::check_and_drain(&board, &mut setup, &[&two]);
    },
};

/// Reads the key, then looks for what that told.
fn reader(board: &Arc<Board>, run: &Arc<Run>) -> impl FnOnce() + Send + 'static {
    let (board, run) = (board.clone(), run.clone());
    move || {
        let (_, told, _) = board.get("a").expect("the key");
        run.saw(["", "one", "two", "three"][told as usize]);
        run.saw_if(board.core().generation() < told, "not counted");
        read_only(|| is_present(&board, told));
    }
}

fn is_present(board: &Board, told: u64) {
    let core = board.core();
    let newest = core.newest();
    assert!(newest >= told, "a read told {told}, and the newest generation is {newest}");
    let point = core.point();
    assert!(point.generation >= newest, "the newest generation is {newest}, and a view is of {point:?}");
    match core.get_at(&Key::new(&board.geo, "a"), point, Verify::Always) {
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
