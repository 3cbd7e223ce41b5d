//! Claims on a board whose blocks are nearly all in use: what is still found, and what a refusal says.

use super::{Heap, put, remove};
use crate::{
    layout::{Shape, State, StateKind},
    protocol::{
        Core, Fault, Full,
        lane::{Claimed, Lane},
        publish::{Expect, Outcome},
    },
    sync::Ordering::Relaxed,
};

/// A board of four extents without a reserve.
fn board() -> Heap {
    Heap::new(Shape {
        capacity: 4 * 64 * 64,
        extent_granules: 64,
        history_min: 4,
        reserve_extents: 0,
        value_max: 4_000,
        names: 8,
        ..Shape::sized(1 << 20, 64, 64, 3)
    })
}

/// Claims all blocks of these sizes that there are.
fn take_all(core: &Core<'_>, lane: &mut Lane, sizes: impl Iterator<Item = usize>) -> Vec<Claimed> {
    let mut taken = Vec::new();
    for granules in sizes {
        taken.extend(std::iter::from_fn(|| core.claim(lane, granules, false).ok()));
    }
    taken
}

/// A key with a value of so many granules, and a board on which one block of that size is free in an extent that has others.
fn one_block_left(granules: usize) -> (Heap, Lane, Claimed) {
    let heap = board();
    let core = heap.core();
    let (mut lane, mut other) = (heap.lane(0), heap.lane(1));
    let value = vec![1; granules * 64 - 100];
    put(&core, &mut lane, "key", &value, Expect::Any).unwrap();
    core.empty_stash(&mut lane);
    let taken = take_all(&core, &mut other, [granules].into_iter().chain((1..=64).rev()));
    assert!(taken.len() > 2, "or the extent of the free block has no other");
    let left = taken[1];
    core.free(left);
    (heap, lane, left)
}

/// A change takes a block of a larger class where its own has none, up to two to three times its size. A removal takes one of
/// any size, because it gives back more than it takes.
#[test]
fn a_larger_block_does() {
    for (granules, fits) in [(4, true), (32, false)] {
        let (heap, mut lane, left) = one_block_left(granules);
        let core = heap.core();
        let outcome = put(&core, &mut lane, "new", b"", Expect::Any);
        match fits {
            true => assert!(matches!(outcome, Ok(Outcome::Done { .. })), "{granules}: {outcome:?}"),
            false => assert_eq!(outcome, Err(Fault::Full(Full::Blocks))),
        }
        assert_eq!(core.load_state(left.block).is(StateKind::Free), !fits);
    }
    let (heap, mut lane, left) = one_block_left(32);
    let core = heap.core();
    assert!(matches!(remove(&core, &mut lane, "key"), Ok(Outcome::Done { .. })));
    assert!(core.load_state(left.block).is(StateKind::Owned));
}

/// Whoever frees a block may be killed before it takes back the hint that its extent has none. The block is found all the
/// same, also for a value that a smaller block would do for, and for a removal.
#[test]
fn a_wrong_hint_hides_no_block() {
    for (granules, value) in [(4, Some(4 * 64 - 100)), (4, Some(0)), (32, None)] {
        let (heap, mut lane, left) = one_block_left(granules);
        let core = heap.core();
        for extent in 0..heap.geo.extents() {
            core.at(heap.geo.extent(extent) + 1).store(1, Relaxed);
        }
        let outcome = match value {
            Some(len) => put(&core, &mut lane, "new", &vec![1; len], Expect::Any),
            None => remove(&core, &mut lane, "key"),
        };
        assert!(matches!(outcome, Ok(Outcome::Done { .. })), "{granules} {value:?}: {outcome:?}");
        assert!(core.load_state(left.block).is(StateKind::Owned));
    }
}

/// A refusal tells whether blocks would be free if their writers did not still look at them.
#[test]
fn a_refusal_says_whether_blocks_are_pinned() {
    let (heap, mut lane, left) = one_block_left(32);
    let core = heap.core();
    let refused = |lane: &mut Lane| put(&core, lane, "new", b"", Expect::Any);
    assert_eq!(refused(&mut lane), Err(Fault::Full(Full::Blocks)));
    core.state_of(left.block).store(State::new(StateKind::Doomed, 2, left.tag).0, Relaxed);
    assert_eq!(refused(&mut lane), Err(Fault::Full(Full::Pinned)));
}

/// A block that a lane keeps at hand does not keep the lane from the rest of its extent.
#[test]
fn a_claim_gives_up_what_the_lane_keeps() {
    let heap = Heap::small();
    let core = heap.core();
    let (mut lane, mut other) = (heap.lane(0), heap.lane(1));
    let small = core.claim(&mut lane, 1, false).unwrap();
    core.keep(&mut lane, small);
    assert_eq!(lane.stashed(), 1);
    let whole = heap.geo.extent_granules() as usize;
    take_all(&core, &mut other, [whole].into_iter());
    let claimed = core.claim(&mut lane, whole, false).unwrap();
    assert_eq!(heap.geo.extent_of(claimed.block), heap.geo.extent_of(small.block));
}
