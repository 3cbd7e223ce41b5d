//! No block has two owners, whatever is claimed, recut, or settled late.

use super::{
    Model, Run,
    board::{Board, shape},
    model,
    scene::Scene,
};
use slateboard::{
    layout::{Shape, StateKind},
    protocol::{
        Fault,
        history::Logged,
        lane::Claimed,
        publish::{Expect, Outcome},
    },
};

pub const MODELS: &[Model] = &[
    model("blocks::no_block_is_claimed_twice", claims).least(100).must_see(&["both", "full"]),
    model("blocks::an_extent_gets_one_class", first_claims).least(20).must_see(&["both", "one"]),
    model("blocks::a_recut_extent_gives_no_block_of_its_old_class", recut)
        .budget(5_000)
        .least(100)
        .must_see(&["small", "large", "both"]),
    model("blocks::a_late_owner_learns_its_generation", late_owner)
        .budget(5_000)
        .least(1_000)
        .must_see(&["owner first", "owner second"]),
    model("blocks::a_doomed_block_begins_with_another_tag", doomed).least(50).must_see(&["doomed"]),
    model("blocks::a_removal_finds_a_block_on_a_full_board", reserve)
        .budget(2_000)
        .least(100)
        .must_see(&["one"]),
];

/// A claim, or `None` where all blocks are in use.
fn or_full(claim: Result<Claimed, Fault>) -> Option<Claimed> {
    match claim {
        Ok(claimed) => Some(claimed),
        Err(Fault::Full(_)) => None,
        Err(other) => panic!("a claim came to {other:?}"),
    }
}

/// Two parties each want both of the last two blocks, and give the second back.
fn claims(run: &Run) {
    let mut board = run.board(shape(2, 1));
    let claims = [0, 1].map(|session| {
        board.role_of(board.party(session), |me| {
            let first = or_full(me.claim(1));
            match or_full(me.claim(1)) {
                Some(second) => me.free([second]),
                None => me.saw("full"),
            }
            first
        })
    });
    let [first, second] = board.all(claims);
    for (claimed, owner) in [(first, 1), (second, 2)] {
        let Some(claimed) = claimed else { continue };
        assert_owner(&board, claimed, owner);
    }
    board.saw_if(first.is_some() && second.is_some(), "both");
}

fn assert_owner(board: &Board, claimed: Claimed, owner: u16) {
    let state = board.state(claimed.block);
    assert!(state.is(StateKind::Claimed) && state.owner() == owner, "{claimed:?} is {state:?}");
}

/// One party claims a block of one granule, another a block of two.
fn claim_two_sizes(board: &mut Scene) -> [Option<Claimed>; 2] {
    let claims = [1, 2]
        .map(|granules| board.role_of(board.party(granules - 1), move |me| or_full(me.claim(granules))));
    let claimed = board.all(claims);
    if let [Some(small), Some(large)] = claimed {
        let (small, large) = (small.block.index(), large.block.index());
        assert!(small < large || small > large + 1, "blocks {small} and {large} overlap");
    }
    claimed
}

/// Three granules in extents of two. The first granule is nobody's.
fn two_extents() -> Shape {
    Shape { capacity: 4 * 64, extent_granules: 2, ..shape(3, 1) }
}

/// A small block is claimed, while its extent is given to large ones.
fn recut(run: &Run) {
    let mut board = run.board(two_extents());
    match claim_two_sizes(&mut board) {
        [Some(_), Some(_)] => board.saw("both"),
        [Some(_), None] => board.saw("small"),
        [None, Some(_)] => board.saw("large"),
        [None, None] => {}
    }
}

/// An owner is slow to log its put, while others log it, supersede it, let its event go and reuse what they may.
/// The owner still learns its own generation.
fn late_owner(run: &Run) {
    let mut board = run.small(4, 2);
    board.put("a", 1);
    let owner = board.role(1, |me| me.put("a", 7));
    let busy = board.role(2, |me| {
        let (_, generation) = me.put("a", 8);
        me.empty_hand();
        me.floor_to(generation);
        (generation, me.put("b", 9))
    });
    let (own, (generation, second)) = board.two(owner, busy);
    assert_eq!(own.0, if own.1 < generation { 2 } else { 3 }, "the owner's version");
    let mut generations = [own.1, generation, second.1];
    generations.sort_unstable();
    assert_eq!(generations, [2, 3, 4], "one generation is told twice");
    assert_eq!(second.0, 1);
    board.saw(if own.1 < generation { "owner first" } else { "owner second" });
    board.drain();
}

/// An owner finds its block superseded and past the floor, takes it back and begins it anew. Meanwhile a helper wakes
/// that meant to log the block's last life.
fn doomed(run: &Run) {
    let mut board = run.small(4, 2);
    let mut owner = board.ready(1);
    board.put("a", 1);
    let put = owner.publish_only("a", 2);
    board.put("a", 3);
    board.floor_to(3);
    board.saw_if(board.state(put.block).is(StateKind::Doomed), "doomed");
    let late = board.role_of(board.party(2), move |me| me.log(put));
    let owner = board.role_of(owner, move |me| {
        let (core, lane) = me.parts();
        core.settle(lane, put);
        // Begins the block anew, and never publishes it.
        me.try_put("a", 4, Expect::Version(9))
    });
    let (logged, swapped) = board.two(late, owner);
    assert_eq!(swapped, Ok(Outcome::Conflict { version: 3 }));
    assert!(matches!(logged, Ok(Logged::At(2) | Logged::Past)), "a late helper came to {logged:?}");
    assert_eq!(board.core().generation(), 3, "a put that never was became an event");
    board.drain();
}

/// Two parties claim blocks of two sizes on a board whose extents have no class yet.
fn first_claims(run: &Run) {
    let mut board = Scene::over(Board::new(run, two_extents(), 0));
    let claimed = claim_two_sizes(&mut board);
    for (claimed, owner) in claimed.into_iter().zip(1..) {
        let Some(claimed) = claimed else { continue };
        assert_owner(&board, claimed, owner);
    }
    let both = match claimed.iter().flatten().count() {
        0 => panic!("no claim has the free blocks"),
        count => count == 2,
    };
    board.saw(if both { "both" } else { "one" });
}

/// Two removals on a board where another holds every free block: one of them has the reserve's.
fn reserve(run: &Run) {
    let reserve = Shape { reserve_extents: 1, history_min: 4, ..shape(7, 5) };
    let mut board = run.board(Shape { capacity: 6 * 64, extent_granules: 2, ..reserve }).attached();
    board.put("a", 1);
    board.put("b", 2);
    let held: Vec<_> = std::iter::from_fn(|| or_full(board.claim(1))).collect();
    let removals = [(1, "a"), (2, "b")]
        .map(|(session, key)| board.role_of(board.party(session), move |me| me.try_remove(key)));
    let [first, second] = board.all(removals);
    for removed in [first, second] {
        assert!(matches!(removed, Ok(Outcome::Done { .. }) | Err(Fault::Full(_))), "{removed:?}");
    }
    assert!(first.is_ok() || second.is_ok(), "no removal happens on a full board");
    board.saw_if(first.is_err() || second.is_err(), "one");
    board.free(held);
    board.drain();
}
