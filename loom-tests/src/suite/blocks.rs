//! No block is anybody's twice: claims, classes, and owners that come late.

use super::{
    Model,
    board::{Board, shape},
    fsck,
};
use slateboard::{
    layout::{Shape, StateKind, record::RecordKind},
    protocol::{
        Fault,
        history::Logged,
        lane::{Claimed, Lane},
        publish::{Change, Expect, Outcome},
    },
};

pub const MODELS: &[&Model] = &[&CLAIMS, &FIRST_CLAIMS, &RECUT, &LATE_OWNER, &DOOMED, &RESERVE];

/// Two claims of the last two blocks, each given back and claimed again.
static CLAIMS: Model = Model {
    name: "blocks::no_block_is_claimed_twice",
    budget: 4_000,
    least: 100,
    must_see: &["both", "full"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(2, 1);
        let claims = [0, 1].map(|session| {
            let (board, run, mut lane) = (board.clone(), run.clone(), board.lane(session));
            move || {
                let core = board.core();
                let first = claim(&board, &mut lane);
                match claim(&board, &mut lane) {
                    Some(second) => core.free(&lane, second),
                    None => run.saw("full"),
                }
                first
            }
        });
        let [one, two] = claims;
        let claimed = run.two(one, two);
        let owner = |claimed: Option<Claimed>| {
            let state = board.state(claimed?.block);
            assert!(state.is(StateKind::Claimed), "{claimed:?} is {state:?}");
            Some(state.owner())
        };
        assert!(owner(claimed.0).is_none_or(|owner| owner == 1), "the first's block is the second's");
        assert!(owner(claimed.1).is_none_or(|owner| owner == 2), "the second's block is the first's");
        run.saw_if(claimed.0.is_some() && claimed.1.is_some(), "both");
    },
};

/// A block of one granule; `None` where all are in use.
fn claim(board: &Board, lane: &mut Lane) -> Option<Claimed> {
    match board.core().claim(lane, 1, false) {
        Ok(claimed) => Some(claimed),
        Err(Fault::Full(_)) => None,
        Err(other) => panic!("a claim came to {other:?}"),
    }
}

/// A claim of a small block, while the extent is given to large ones.
static RECUT: Model = Model {
    name: "blocks::a_recut_extent_gives_no_block_of_its_old_class",
    budget: 5_000,
    least: 100,
    must_see: &["small", "large", "both"],
    kills: false,
    roles: 2,
    run: |run| {
        let shape = Shape { capacity: 4 * 64, extent_granules: 2, ..shape(3, 1) };
        let board = Board::new(shape, 1);
        let claims = [1, 2].map(|granules| {
            let (board, mut lane) = (board.clone(), board.lane(granules - 1));
            move || board.core().claim(&mut lane, granules, false)
        });
        let [small, large] = claims;
        match run.two(small, large) {
            (Ok(small), Ok(large)) => {
                let (small, large) = (small.block.index(), large.block.index());
                assert!(small < large || small > large + 1, "blocks {small} and {large} overlap");
                run.saw("both");
            }
            (Ok(_), Err(Fault::Full(_))) => run.saw("small"),
            (Err(Fault::Full(_)), Ok(_)) => run.saw("large"),
            (Err(Fault::Full(_)), Err(Fault::Full(_))) => {}
            other => panic!("claims came to {other:?}"),
        }
    },
};

/// An owner that is slow to log its put, while others log it, supersede it, let its event go and reuse
/// what they may: it still learns its own generation.
static LATE_OWNER: Model = Model {
    name: "blocks::a_late_owner_learns_its_generation",
    budget: 5_000,
    least: 1_000,
    must_see: &["owner first", "owner second"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        let owner = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || (board.put(&mut lane, "a", 7), lane)
        };
        let busy = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || {
                let (_, generation) = board.put(&mut lane, "a", 8);
                board.empty_hand(&mut lane);
                board.floor_to(&mut lane, generation);
                (generation, board.put(&mut lane, "b", 9), lane)
            }
        };
        let ((own, one), (generation, second, two)) = run.two(owner, busy);
        assert_eq!(own.0, if own.1 < generation { 2 } else { 3 }, "the owner's version");
        let mut generations = [own.1, generation, second.1];
        generations.sort_unstable();
        assert_eq!(generations, [2, 3, 4], "one generation is told twice");
        assert_eq!(second.0, 1);
        run.saw(if own.1 < generation { "owner first" } else { "owner second" });
        fsck::check_and_drain(&board, &mut setup, &[&one, &two]);
    },
};

/// An owner finds its block superseded and past the floor, takes it back and begins it anew, while a
/// helper wakes that meant to log its last life.
static DOOMED: Model = Model {
    name: "blocks::a_doomed_block_begins_with_another_tag",
    budget: 4_000,
    least: 50,
    must_see: &["doomed"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(4, 2);
        let (mut setup, mut owner) = (board.ready_lane(0), board.ready_lane(1));
        board.put(&mut setup, "a", 1);
        let put = board.publish_only(&mut owner, "a", 2);
        board.put(&mut setup, "a", 3);
        board.floor_to(&mut setup, 3);
        run.saw_if(board.state(put.block).is(StateKind::Doomed), "doomed");
        let late = {
            let (board, mut lane) = (board.clone(), board.lane(2));
            move || board.core().log(&mut lane, put.block, put.tag)
        };
        let owner = {
            let board = board.clone();
            move || {
                board.core().settle(&mut owner, put);
                // Begins the block anew, and never publishes it.
                let swap = Change::put(&[4; 8], Expect::Version(9));
                (board.change(&mut owner, "a", &swap), owner)
            }
        };
        let (logged, (swapped, owner)) = run.two(late, owner);
        assert_eq!(swapped, Ok(Outcome::Conflict { version: 3 }));
        assert!(matches!(logged, Ok(Logged::At(2) | Logged::Past)), "a late helper came to {logged:?}");
        assert_eq!(board.core().generation(), 3, "a put that never was became an event");
        fsck::check_and_drain(&board, &mut setup, &[&owner]);
    },
};

/// Two claims of blocks of two sizes on a board whose extents have no class yet.
static FIRST_CLAIMS: Model = Model {
    name: "blocks::an_extent_gets_one_class",
    budget: 4_000,
    least: 20,
    must_see: &["both", "one"],
    kills: false,
    roles: 2,
    run: |run| {
        // The first granule is nobody's.
        let shape = Shape { capacity: 4 * 64, extent_granules: 2, ..shape(3, 1) };
        let board = Board::new(shape, 0);
        let claims = [1, 2].map(|granules| {
            let (board, mut lane) = (board.clone(), board.lane(granules - 1));
            move || (board.core().claim(&mut lane, granules, false), lane.owner())
        });
        let [small, large] = claims;
        let ((small, small_owner), (large, large_owner)) = run.two(small, large);
        for (claimed, owner) in [(small, small_owner), (large, large_owner)] {
            if let Ok(claimed) = claimed {
                let state = board.state(claimed.block);
                assert!(state.is(StateKind::Claimed) && state.owner() == owner, "{claimed:?} is {state:?}");
            }
        }
        match (small, large) {
            (Ok(small), Ok(large)) => {
                let (small, large) = (small.block.index(), large.block.index());
                assert!(small < large || small > large + 1, "blocks {small} and {large} overlap");
                run.saw("both");
            }
            (Ok(_), Err(Fault::Full(_))) | (Err(Fault::Full(_)), Ok(_)) => run.saw("one"),
            other => panic!("claims came to {other:?}"),
        }
    },
};

/// Two removals on a board where another holds every free block: one has the reserve's.
static RESERVE: Model = Model {
    name: "blocks::a_removal_finds_a_block_on_a_full_board",
    budget: 2_000,
    least: 100,
    must_see: &["one"],
    kills: false,
    roles: 2,
    run: |run| {
        let shape =
            Shape { capacity: 6 * 64, extent_granules: 2, reserve_extents: 1, history_min: 4, ..shape(7, 5) };
        let board = Board::new(shape, 1);
        let mut setup = board.lane(0);
        board.put(&mut setup, "a", 1);
        board.put(&mut setup, "b", 2);
        let held: Vec<_> = std::iter::from_fn(|| claim(&board, &mut setup)).collect();
        let removals = [(1, "a"), (2, "b")].map(|(session, key)| {
            let (board, mut lane) = (board.clone(), board.lane(session));
            let removal = Change::tombstone(RecordKind::Removed, Expect::Any);
            move || (board.change(&mut lane, key, &removal), lane)
        });
        let [one, two] = removals;
        let ((first, one), (second, two)) = run.two(one, two);
        for removed in [first, second] {
            assert!(matches!(removed, Ok(Outcome::Done { .. }) | Err(Fault::Full(_))), "{removed:?}");
        }
        assert!(first.is_ok() || second.is_ok(), "no removal happens on a full board");
        run.saw_if(first.is_err() || second.is_err(), "one");
        held.into_iter().for_each(|claimed| board.core().free(&setup, claimed));
        fsck::check_and_drain(&board, &mut setup, &[&one, &two]);
    },
};
