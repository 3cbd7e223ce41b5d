//! A key has one slot, a slot one key, whoever inserts, retires, reuses or dies.

use super::{
    Model, Run,
    board::{Board, STORES_TO_FILL, done, shape},
    fsck,
};
use slateboard::{
    layout::{GenWord, HeadKind, Overflow, Shape, SlotHash, geometry},
    protocol::{
        Fault, Full,
        lane::Lane,
        publish::{Change, Expect, Now, Outcome},
        read::Verify,
        slots::{Key, Slot},
    },
    sync::modelled::killed_after,
};
use std::sync::{Arc, OnceLock};

pub const MODELS: &[&Model] = &[
    &SAME_KEY,
    &SAME_FINGERPRINT,
    &ABSENT_TWICE,
    &OVERFLOW,
    &RETIRE,
    &RETIRE_READ,
    &KNOWN_READ,
    &KNOWN_PUT,
    &REVIVED,
    &TWICE,
    &VERSIONS_KNOWN,
    &SWEEP,
    &LINK_READ,
    &LINK_KILLED,
    &COUNTED,
];

/// A board of one bucket that may have `overflow` more.
fn board(blocks: u64, history: u64, overflow: u64) -> Arc<Board> {
    Board::new(Shape { overflow_max: overflow, ..shape(blocks, history) }, 1)
}

/// Two keys of one fingerprint.
fn twins() -> &'static [String; 2] {
    static TWINS: OnceLock<[String; 2]> = OnceLock::new();
    TWINS.get_or_init(|| {
        let geo = slateboard::layout::Geometry::new(shape(1, 1), 7).expect("a shape");
        let mut seen = std::collections::HashMap::new();
        for number in 0.. {
            let name = format!("k{number}");
            let fingerprint = Key::new(&geo, &name).fingerprint;
            if let Some(other) = seen.insert(fingerprint, name.clone()) {
                return [other, name];
            }
        }
        unreachable!("there are more names than fingerprints")
    })
}

/// Two inserts of one key: one slot, two versions.
static SAME_KEY: Model = Model {
    name: "slots::two_inserts_of_one_key_share_a_slot",
    budget: 4_000,
    least: 1_000,
    must_see: &["first first", "second first"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = board(3, 2, 0);
        let puts = [0, 1].map(|session| {
            let (board, mut lane) = (board.clone(), board.ready_lane(session));
            move || (board.put(&mut lane, "a", 1), lane)
        });
        let [one, two] = puts;
        let ((first, mut one), (second, two)) = run.two(one, two);
        let order = [first, second];
        assert!(order == [(1, 1), (2, 2)] || order == [(2, 2), (1, 1)], "{order:?}");
        let live = [board.head(0), board.head(1)].iter().filter(|head| head.is(HeadKind::Live)).count();
        assert_eq!(live, 1, "the key has {live} slots");
        run.saw(if first.1 == 1 { "first first" } else { "second first" });
        fsck::check_and_drain(&board, &mut one, &[&two]);
    },
};

/// Two inserts of keys that only a full comparison tells apart.
static SAME_FINGERPRINT: Model = Model {
    name: "slots::two_keys_of_one_fingerprint_have_two_slots",
    budget: 4_000,
    least: 1_000,
    must_see: &["first first", "second first"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = board(3, 2, 0);
        let puts = [0, 1].map(|session| {
            let (board, mut lane) = (board.clone(), board.ready_lane(session));
            move || (board.put(&mut lane, &twins()[session], session as u64), lane)
        });
        let [one, two] = puts;
        let ((first, mut one), (second, two)) = run.two(one, two);
        assert_eq!((first.0, second.0), (1, 1));
        assert_ne!(first.1, second.1, "one generation is told twice");
        for (key, value) in twins().iter().zip(0..) {
            assert_eq!(board.get(key).map(|(version, _, value)| (version, value)), Some((1, value)));
        }
        run.saw(if first.1 < second.1 { "first first" } else { "second first" });
        fsck::check_and_drain(&board, &mut one, &[&two]);
    },
};

/// Two puts of a key that must be absent: one happens.
static ABSENT_TWICE: Model = Model {
    name: "slots::one_of_two_creations_happens",
    budget: 4_000,
    least: 1_000,
    must_see: &["first", "second"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = board(3, 2, 0);
        let puts = [0, 1].map(|session| {
            let (board, mut lane) = (board.clone(), board.ready_lane(session));
            move || (board.change(&mut lane, "a", &Change::put(&[1; 8], Expect::Absent)), lane)
        });
        let [one, two] = puts;
        let ((first, mut one), (second, two)) = run.two(one, two);
        let (won, lost, who) = match first {
            Ok(Outcome::Done { .. }) => (first, second, "first"),
            _ => (second, first, "second"),
        };
        assert_eq!((done(won), lost), ((1, 1), Ok(Outcome::Conflict { version: 1 })));
        run.saw(who);
        fsck::check_and_drain(&board, &mut one, &[&two]);
    },
};

/// Two inserts into a full bucket: overflow buckets are linked, and none is lost.
static OVERFLOW: Model = Model {
    name: "slots::inserts_into_a_full_bucket_link_others",
    budget: 4_000,
    least: 1_000,
    must_see: &["linked"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = board(9, 4, 2);
        let mut setup = board.ready_lane(0);
        board.put(&mut setup, "a", 1);
        board.put(&mut setup, "b", 2);
        let puts = [(1, "c"), (2, "d")].map(|(session, key)| {
            let (board, mut lane) = (board.clone(), board.ready_lane(session));
            move || (board.put(&mut lane, key, 9), lane)
        });
        let [one, two] = puts;
        let ((first, one), (second, two)) = run.two(one, two);
        assert_eq!((first.0, second.0), (1, 1));
        for key in ["a", "b", "c", "d"] {
            assert!(board.get(key).is_some(), "{key} is lost");
        }
        run.saw("linked");
        fsck::check_and_drain(&board, &mut setup, &[&one, &two]);
    },
};

/// A board of one bucket: "a" removed at version 2 and gone from the history, "b" there.
pub(super) fn removed(run: &Run, overflow: u64) -> (Arc<Board>, Lane) {
    removed_of(run, 8, overflow)
}

/// The same with so many blocks.
pub(super) fn removed_of(run: &Run, blocks: u64, overflow: u64) -> (Arc<Board>, Lane) {
    let board = board(blocks, 4, overflow);
    let mut setup = board.ready_lane(0);
    board.put(&mut setup, "a", 1);
    board.put(&mut setup, "b", 2);
    board.remove(&mut setup, "a");
    board.floor_to(&mut setup, 3);
    run.saw_if(board.head(0).is(HeadKind::Live), "removed");
    (board, setup)
}

/// An insert that needs the slot of a removed key, while that key is put again.
static RETIRE: Model = Model {
    name: "slots::a_removed_key_s_slot_is_reused_or_revived",
    budget: 4_000,
    least: 1_000,
    must_see: &["removed"],
    kills: false,
    roles: 2,
    run: |run| {
        let (board, mut setup) = removed(run, 2);
        let puts = [(1, "c"), (2, "a")].map(|(session, key)| {
            let (board, mut lane) = (board.clone(), board.ready_lane(session));
            move || (board.put(&mut lane, key, 9), lane)
        });
        let [one, two] = puts;
        let ((other, one), (again, two)) = run.two(one, two);
        assert!(other.0 == 1 || other.0 == 3, "an insert has version {}", other.0);
        assert_eq!(again.0, 3, "a key that was removed at version 2 begins at another");
        for (key, version) in [("a", 3), ("b", 1), ("c", other.0)] {
            assert_eq!(board.get(key).map(|got| got.0), Some(version), "{key}");
        }
        fsck::check_and_drain(&board, &mut setup, &[&one, &two]);
    },
};

/// A reader of a key that is there, and of one that is gone, while the slot changes keys.
static RETIRE_READ: Model = Model {
    name: "slots::a_reader_sees_no_other_key_in_a_reused_slot",
    budget: 4_000,
    least: 100,
    must_see: &["removed", "not yet", "there"],
    kills: false,
    roles: 2,
    run: |run| {
        let (board, mut setup) = removed(run, 0);
        let insert = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || (board.put(&mut lane, "c", 9), lane)
        };
        let reader = {
            let (board, run) = (board.clone(), run.clone());
            move || {
                assert_eq!(board.get("a"), None, "a removed key is there");
                assert_eq!(board.get("b"), Some((1, 2, 2)), "a key that stands still");
                run.saw(if board.get("c").is_some() { "there" } else { "not yet" });
            }
        };
        let ((_, one), ()) = run.two(insert, reader);
        fsck::check_and_drain(&board, &mut setup, &[&one]);
    },
};

/// Where the first key of a board lives, as a handle remembers it.
fn known(board: &Board) -> Slot {
    let head_at = board.geo.bucket(0) + 3;
    Slot { head_at, hash: SlotHash(board.read(head_at - 1)) }
}

/// A reader by a handle of a removed key, while another key takes the slot that the handle knows.
static KNOWN_READ: Model = Model {
    name: "slots::a_known_slot_answers_for_no_other_key",
    budget: 4_000,
    least: 100,
    must_see: &["removed", "taken", "not yet"],
    kills: false,
    roles: 2,
    run: |run| {
        let (board, mut setup) = removed(run, 0);
        let slot = known(&board);
        let insert = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || (board.put(&mut lane, "c", 9), lane)
        };
        let reader = {
            let (board, run) = (board.clone(), run.clone());
            move || {
                let key = Key::new(&board.geo, "a");
                let got = board.core().get(&key, Some(slot), Verify::Always, &mut Vec::new());
                assert_eq!(got.map(|got| got.is_some()), Ok(false), "a removed key is there");
                run.saw(if board.get("c").is_some() { "taken" } else { "not yet" });
            }
        };
        let ((_, one), ()) = run.two(insert, reader);
        fsck::check_and_drain(&board, &mut setup, &[&one]);
    },
};

/// A put by a handle of a removed key whose slot another key has, while that is put as well.
static KNOWN_PUT: Model = Model {
    name: "slots::a_known_slot_takes_no_other_key_s_place",
    budget: 4_000,
    least: 1_000,
    must_see: &["removed"],
    kills: false,
    roles: 2,
    run: |run| {
        let (board, mut setup) = removed(run, 0);
        let slot = known(&board);
        board.put(&mut setup, "c", 9);
        let puts = [(1, "c", None), (2, "a", Some(slot))].map(|(session, key, hint)| {
            let (board, mut lane) = (board.clone(), board.ready_lane(session));
            move || {
                let (value, slot_key) = ([session as u8; 8], Key::new(&board.geo, key));
                let put = Change::put(&value, Expect::Any);
                (board.core().change(&mut lane, &slot_key, &put, Now::default(), hint), lane)
            }
        });
        let [one, two] = puts;
        let ((c, one), (a, two)) = run.two(one, two);
        assert_eq!(a, Err(Fault::Full(Full::Slots)), "there is no slot for the removed key");
        done(c);
        assert_eq!(board.get("c").map(|(_, _, value)| value), Some(u64::from_le_bytes([1; 8])));
        fsck::check_and_drain(&board, &mut setup, &[&one, &two]);
    },
};

/// A key comes back after its slot went to another: its versions go on above the last.
static REVIVED: Model = Model {
    name: "slots::versions_never_restart",
    budget: 4_000,
    least: 100,
    must_see: &["removed"],
    kills: false,
    roles: 2,
    run: |run| {
        let (board, mut setup) = removed(run, 2);
        let mut lane = board.ready_lane(1);
        board.put(&mut lane, "c", 8);
        let other = {
            let board = board.clone();
            move || (board.put(&mut lane, "c", 10), lane)
        };
        let again = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (board.put(&mut lane, "a", 9), lane)
        };
        let ((_, one), (again, two)) = run.two(other, again);
        assert_eq!(again.0, 3, "a key that was removed at version 2 comes back at another");
        fsck::check_and_drain(&board, &mut setup, &[&one, &two]);
    },
};

/// A slot changes keys twice while a late inserter of the first key works on it.
static TWICE: Model = Model {
    name: "slots::a_slot_that_changes_keys_twice_confuses_nobody",
    budget: 4_000,
    least: 1_000,
    must_see: &["removed"],
    kills: false,
    roles: 2,
    run: |run| {
        let (board, mut setup) = removed(run, 2);
        let busy = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || {
                board.put(&mut lane, "c", 3);
                let (_, gone) = board.remove(&mut lane, "c");
                board.floor_to(&mut lane, gone);
                board.put(&mut lane, "d", 4);
                lane
            }
        };
        let late = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (board.put(&mut lane, "a", 9), lane)
        };
        let (one, (again, two)) = run.two(busy, late);
        assert!(again.0 >= 3, "a key that was removed at version 2 comes back at {}", again.0);
        assert_eq!(board.get("a").map(|got| got.2), Some(9));
        assert_eq!(board.get("d").map(|got| got.2), Some(4));
        assert_eq!((board.get("b").map(|got| got.2), board.get("c")), (Some(2), None));
        fsck::check_and_drain(&board, &mut setup, &[&one, &two]);
    },
};

/// One inserter retires a slot and dies; another that frees it and takes it goes on above its versions.
static VERSIONS_KNOWN: Model = Model {
    name: "slots::who_takes_a_retired_slot_knows_its_versions",
    budget: 2_000,
    least: 50,
    must_see: &["removed"],
    kills: false,
    roles: 2,
    run: |run| {
        let (board, _setup) = removed(run, 0);
        let retires = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || {
                // Besides the version base and the head.
                let ended = killed_after(STORES_TO_FILL + 2, || {
                    board.change(&mut lane, "c", &Change::put(&[9; 8], Expect::Any))
                });
                assert!(matches!(ended, None | Some(Err(Fault::Full(_)))), "an insert lived: {ended:?}");
            }
        };
        let takes = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || board.change(&mut lane, "d", &Change::put(&[9; 8], Expect::Any))
        };
        let ((), put) = run.two(retires, takes);
        // The other may have begun to claim the slot.
        assert!(matches!(put, Ok(Outcome::Done { version: 3, .. }) | Err(Fault::Full(_))), "{put:?}");
    },
};

/// An OPEN slot that a dead inserter left is swept, while another inserts that key.
static SWEEP: Model = Model {
    name: "slots::a_swept_slot_loses_no_insert",
    budget: 4_000,
    least: 50,
    must_see: &["open"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = board(5, 2, 0);
        let (mut setup, mut dead) = (board.ready_lane(0), board.ready_lane(1));
        // Besides the guard, the hash and the head that it asks for.
        let stores = STORES_TO_FILL + 3;
        killed_after(stores, || board.put(&mut dead, "a", 1));
        run.saw_if(board.head(0).is(HeadKind::Open), "open");
        let open = board.core().sweep_open(&[]);
        let sweeper = {
            let board = board.clone();
            move || {
                board.core().sweep_open(&open);
            }
        };
        let insert = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (board.put(&mut lane, "a", 2), lane)
        };
        let ((), (put, two)) = run.two(sweeper, insert);
        assert_eq!(put, (1, 1));
        assert_eq!(board.get("a"), Some((1, 1, 2)));
        board.reap(&mut setup, 1);
        fsck::check_and_drain(&board, &mut setup, &[&two]);
    },
};

/// A reader of a key in an overflow bucket, while that is linked: its block held other words before.
static LINK_READ: Model = Model {
    name: "slots::a_reader_follows_a_new_link",
    budget: 4_000,
    least: 100,
    must_see: &["not yet", "there"],
    kills: false,
    roles: 2,
    run: |run| {
        let (board, mut setup) = full_bucket();
        let insert = {
            let (board, mut lane) = (board.clone(), board.ready_lane(1));
            move || (board.put(&mut lane, "c", 9), lane)
        };
        let reader = {
            let (board, run) = (board.clone(), run.clone());
            move || {
                run.saw(if board.get("c").is_some() { "there" } else { "not yet" });
                assert!(board.get("a").is_some(), "a key that stands still");
            }
        };
        let ((put, one), ()) = run.two(insert, reader);
        assert_eq!(put.0, 1);
        fsck::check_and_drain(&board, &mut setup, &[&one]);
    },
};

/// A board whose one bucket is full, and whose free blocks have been used.
fn full_bucket() -> (Arc<Board>, Lane) {
    let board = board(9, 4, 2);
    let mut setup = board.ready_lane(0);
    board.put(&mut setup, "b", 1);
    for value in 2..6 {
        board.put(&mut setup, "a", value);
    }
    board.floor_to(&mut setup, 5);
    (board, setup)
}

/// Killed anywhere in an insert that links a bucket and reaped, beside another insert: the bucket is in the
/// chain, or nothing takes its block for one.
static LINK_KILLED: Model = Model {
    name: "slots::a_killed_inserter_s_bucket_is_linked_or_free",
    budget: 60,
    least: 1_000,
    must_see: &["lived", "linked by another"],
    kills: true,
    roles: 2,
    run: |run| {
        let (board, mut setup) = full_bucket();
        let victim = {
            let (board, run, mut lane) = (board.clone(), run.clone(), board.ready_lane(1));
            move || {
                if run.victim(|| board.put(&mut lane, "c", 8)).is_some() {
                    run.saw("lived");
                    board.empty_hand(&mut lane);
                }
                board.reap(&mut setup, 1);
                setup
            }
        };
        let insert = {
            let (board, mut lane) = (board.clone(), board.ready_lane(2));
            move || (board.put(&mut lane, "d", 9), lane)
        };
        let (mut setup, (put, two)) = run.two(victim, insert);
        assert_eq!((put.0, board.get("d").map(|got| got.2)), (1, Some(9)));
        run.saw_if(board.get("c").is_none(), "linked by another");
        fsck::check_and_drain(&board, &mut setup, &[&two]);
    },
};

/// A linker's reaper counts its bucket again, beside one who counts another: each is counted once.
static COUNTED: Model = Model {
    name: "slots::a_linked_bucket_is_counted_once",
    budget: 5_000,
    least: 50,
    must_see: &["the other's is last", "one's own is last"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::new(shape(4, 1), 1);
        for block in 1..=3 {
            let at = board.geo.generation(board.block(block));
            assert!(board.swap(at, 0, GenWord::Bucket(0).pack()), "a block that nobody used");
        }
        let count = |board: &Board, block| {
            board.core().count_bucket(0, board.block(block)).expect("a sound count");
        };
        count(&board, 1);
        let again = {
            let board = board.clone();
            move || {
                count(&board, 1);
                count(&board, 2);
            }
        };
        let other = {
            let board = board.clone();
            move || count(&board, 3)
        };
        run.two(again, other);
        let overflow = Overflow(board.read(board.geo.shard(0) + geometry::SHARD_OVERFLOW));
        assert_eq!(overflow.count(), 3, "a bucket is counted twice, or not at all");
        for block in (1..=3).filter(|&block| block != overflow.last()) {
            assert_eq!(board.record(board.block(block), 0), Overflow::COUNTED, "block {block} says nothing");
        }
        run.saw(if overflow.last() == 3 { "the other's is last" } else { "one's own is last" });
    },
};
