//! A key has one slot and a slot one key, whoever inserts, retires, reuses or dies.

use super::{
    Model, Run,
    board::{Board, STORES_TO_FILL, done, shape},
    model,
    scene::Scene,
};
use slateboard::{
    layout::{GenWord, Geometry, HeadKind, Overflow, Shape, geometry},
    protocol::{
        Fault, Full,
        publish::{Change, Expect, Now, Outcome},
        read::Verify,
        slots::Key,
    },
};
use std::{collections::HashMap, sync::OnceLock};

pub const MODELS: &[Model] = &[
    model("slots::two_inserts_of_one_key_share_a_slot", same_key)
        .least(1_000)
        .must_see(&["first first", "second first"]),
    model("slots::two_keys_of_one_fingerprint_have_two_slots", same_fingerprint)
        .least(1_000)
        .must_see(&["first first", "second first"]),
    model("slots::one_of_two_creations_happens", absent_twice).least(1_000).must_see(&["first", "second"]),
    model("slots::inserts_into_a_full_bucket_link_others", overflow).least(1_000).must_see(&["linked"]),
    model("slots::a_removed_key_s_slot_is_reused_or_revived", retire).least(1_000).must_see(&["removed"]),
    model("slots::a_reader_sees_no_other_key_in_a_reused_slot", retire_read)
        .least(100)
        .must_see(&["removed", "not yet", "there"]),
    model("slots::a_known_slot_answers_for_no_other_key", known_read)
        .least(100)
        .must_see(&["removed", "taken", "not yet"]),
    model("slots::a_known_slot_takes_no_other_key_s_place", known_put).least(1_000).must_see(&["removed"]),
    model("slots::versions_never_restart", revived).least(100).must_see(&["removed"]),
    model("slots::a_slot_that_changes_keys_twice_confuses_nobody", twice).least(1_000).must_see(&["removed"]),
    model("slots::who_takes_a_retired_slot_knows_its_versions", versions_known)
        .budget(2_000)
        .least(50)
        .must_see(&["removed"]),
    model("slots::a_swept_slot_loses_no_insert", sweep).least(50).must_see(&["open"]),
    model("slots::a_reader_follows_a_new_link", link_read).least(100).must_see(&["not yet", "there"]),
    model("slots::a_killed_inserter_s_bucket_is_linked_or_free", link_killed)
        .budget(400)
        .least(1_000)
        .must_see(&["lived", "linked by another"]),
    model("slots::a_linked_bucket_is_counted_once", counted)
        .budget(5_000)
        .least(50)
        .must_see(&["the other's is last", "one's own is last"]),
];

/// A shape of one bucket that may have `overflow` more.
fn with_overflow(blocks: u64, history: u64, overflow: u64) -> Shape {
    Shape { overflow_max: overflow, ..shape(blocks, history) }
}

/// Two keys of one fingerprint.
fn twins() -> &'static [String; 2] {
    static TWINS: OnceLock<[String; 2]> = OnceLock::new();
    TWINS.get_or_init(|| {
        let geo = Geometry::new(shape(1, 1), 7).expect("a shape");
        let mut seen = HashMap::new();
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

/// Two inserts of one key make two versions in one slot.
fn same_key(run: &Run) {
    let mut board = run.board(shape(3, 2));
    let puts = [0, 1].map(|session| board.role(session, |me| me.put("a", 1)));
    let order = board.all(puts);
    assert!(order == [(1, 1), (2, 2)] || order == [(2, 2), (1, 1)], "{order:?}");
    let live = [board.head(0), board.head(1)].iter().filter(|head| head.is(HeadKind::Live)).count();
    assert_eq!(live, 1, "the key has {live} slots");
    board.saw(if order[0].1 == 1 { "first first" } else { "second first" });
    board.drain();
}

/// Two inserts of keys that only a full comparison tells apart.
fn same_fingerprint(run: &Run) {
    let mut board = run.board(shape(3, 2));
    let puts = [0, 1].map(|session| board.role(session, move |me| me.put(&twins()[session], session as u64)));
    let [first, second] = board.all(puts);
    assert_eq!((first.0, second.0), (1, 1));
    assert_ne!(first.1, second.1, "one generation is told twice");
    for (key, value) in twins().iter().zip(0..) {
        assert_eq!(board.get(key).map(|(version, _, value)| (version, value)), Some((1, value)));
    }
    board.saw(if first.1 < second.1 { "first first" } else { "second first" });
    board.drain();
}

/// Of two puts of a key that must be absent, one happens.
fn absent_twice(run: &Run) {
    let mut board = run.board(shape(3, 2));
    let puts = [0, 1].map(|session| board.role(session, |me| me.try_put("a", 1, Expect::Absent)));
    let [first, second] = board.all(puts);
    let (won, lost, who) = match first {
        Ok(Outcome::Done { .. }) => (first, second, "first"),
        _ => (second, first, "second"),
    };
    assert_eq!((done(won), lost), ((1, 1), Ok(Outcome::Conflict { version: 1 })));
    board.saw(who);
    board.drain();
}

/// Two inserts into a full bucket link overflow buckets, and none is lost.
fn overflow(run: &Run) {
    let mut board = run.board(with_overflow(9, 4, 2)).ready_to_set_up();
    board.put("a", 1);
    board.put("b", 2);
    let puts = [(1, "c"), (2, "d")].map(|(session, key)| board.role(session, move |me| me.put(key, 9)));
    let [first, second] = board.all(puts);
    assert_eq!((first.0, second.0), (1, 1));
    for key in ["a", "b", "c", "d"] {
        assert!(board.get(key).is_some(), "{key} is lost");
    }
    board.saw("linked");
    board.drain();
}

/// A board of one bucket: "a" was removed at version 2 and is gone from the history, "b" is there.
pub fn removed(run: &Run, blocks: u64, overflow: u64) -> Scene {
    let mut board = run.board(with_overflow(blocks, 4, overflow)).ready_to_set_up();
    board.put("a", 1);
    board.put("b", 2);
    board.remove("a");
    board.floor_to(3);
    board.saw_if(board.head(0).is(HeadKind::Live), "removed");
    board
}

/// An insert needs the slot of a removed key, while that key is put again.
fn retire(run: &Run) {
    let mut board = removed(run, 8, 2);
    let puts = [(1, "c"), (2, "a")].map(|(session, key)| board.role(session, move |me| me.put(key, 9)));
    let [other, again] = board.all(puts);
    assert!(other.0 == 1 || other.0 == 3, "an insert has version {}", other.0);
    assert_eq!(again.0, 3, "a key that was removed at version 2 begins at another");
    for (key, version) in [("a", 3), ("b", 1), ("c", other.0)] {
        assert_eq!(board.get(key).map(|got| got.0), Some(version), "{key}");
    }
    board.drain();
}

/// A reader of a key that is there, and of one that is gone, while the slot changes keys.
fn retire_read(run: &Run) {
    let mut board = removed(run, 8, 0);
    let insert = board.role(1, |me| me.put("c", 9));
    let reader = board.reader(|board| {
        assert_eq!(board.get("a"), None, "a removed key is there");
        assert_eq!(board.get("b"), Some((1, 2, 2)), "a key that stands still");
        board.saw(if board.get("c").is_some() { "there" } else { "not yet" });
    });
    board.two(insert, reader);
    board.drain();
}

/// A reader by a handle of a removed key, while another key takes the slot that the handle knows.
fn known_read(run: &Run) {
    let mut board = removed(run, 8, 0);
    let slot = board.first_slot();
    let insert = board.role(1, |me| me.put("c", 9));
    let reader = board.reader(move |board| {
        let got = board.core().get(&board.key("a"), Some(slot), Verify::Always, &mut Vec::new());
        assert_eq!(got.map(|got| got.is_some()), Ok(false), "a removed key is there");
        board.saw(if board.get("c").is_some() { "taken" } else { "not yet" });
    });
    board.two(insert, reader);
    board.drain();
}

/// A put by a handle of a removed key whose slot another key has, while that one is put as well.
fn known_put(run: &Run) {
    let mut board = removed(run, 8, 0);
    let slot = board.first_slot();
    board.put("c", 9);
    let puts = [(1, "c", None), (2, "a", Some(slot))].map(|(session, key, hint)| {
        board.role(session, move |me| {
            let (value, key) = ([session as u8; 8], me.key(key));
            let (core, lane) = me.parts();
            core.change(lane, &key, &Change::put(&value, Expect::Any), Now::default(), hint)
        })
    });
    let [c, a] = board.all(puts);
    assert_eq!(a, Err(Fault::Full(Full::Slots)), "there is no slot for the removed key");
    done(c);
    assert_eq!(board.value("c"), Some(u64::from_le_bytes([1; 8])));
    board.drain();
}

/// A key comes back after its slot went to another. Its versions go on above the last.
fn revived(run: &Run) {
    let mut board = removed(run, 8, 2);
    let mut one = board.ready(1);
    one.put("c", 8);
    let other = board.role_of(one, |me| me.put("c", 10));
    let again = board.role(2, |me| me.put("a", 9));
    let (_, again) = board.two(other, again);
    assert_eq!(again.0, 3, "a key that was removed at version 2 comes back at another");
    board.drain();
}

/// A slot changes keys twice while a late inserter of the first key works on it.
fn twice(run: &Run) {
    let mut board = removed(run, 8, 2);
    let busy = board.role(1, |me| {
        me.put("c", 3);
        let (_, gone) = me.remove("c");
        me.floor_to(gone);
        me.put("d", 4);
    });
    let late = board.role(2, |me| me.put("a", 9));
    let ((), again) = board.two(busy, late);
    assert!(again.0 >= 3, "a key that was removed at version 2 comes back at {}", again.0);
    assert_eq!(["a", "b", "c", "d"].map(|key| board.value(key)), [Some(9), Some(2), None, Some(4)]);
    board.drain();
}

/// One inserter retires a slot and dies. Another, which frees the slot and takes it, goes on above its versions.
fn versions_known(run: &Run) {
    let mut board = removed(run, 8, 0);
    let retires = board.role(1, |me| {
        // Besides the version base and the head.
        let ended = me.killed_after(STORES_TO_FILL + 2, |me| me.try_put("c", 9, Expect::Any));
        assert!(matches!(ended, None | Some(Err(Fault::Full(_)))), "an insert lived: {ended:?}");
    });
    let takes = board.role(2, |me| me.try_put("d", 9, Expect::Any));
    let ((), put) = board.two(retires, takes);
    // The other may have begun to claim the slot.
    assert!(matches!(put, Ok(Outcome::Done { version: 3, .. }) | Err(Fault::Full(_))), "{put:?}");
}

/// An OPEN slot that a dead inserter left is swept, while another inserts that key.
fn sweep(run: &Run) {
    let mut board = run.small(5, 2);
    let mut dead = board.ready(1);
    // Besides the guard, the hash and the head that it asks for.
    dead.killed_after(STORES_TO_FILL + 3, |me| me.put("a", 1));
    board.saw_if(board.head(0).is(HeadKind::Open), "open");
    let open = board.core().sweep_open(&[]);
    let sweeper = board.reader(move |board| drop(board.core().sweep_open(&open)));
    let insert = board.role(2, |me| me.put("a", 2));
    let ((), put) = board.two(sweeper, insert);
    assert_eq!(put, (1, 1));
    assert_eq!(board.get("a"), Some((1, 1, 2)));
    board.reap(1);
    board.drain();
}

/// A board whose one bucket is full, and whose free blocks have been used.
fn full_bucket(run: &Run) -> Scene {
    let mut board = run.board(with_overflow(9, 4, 2)).ready_to_set_up();
    board.put("b", 1);
    for value in 2..6 {
        board.put("a", value);
    }
    board.floor_to(5);
    board
}

/// A reader of a key in an overflow bucket, while that is linked. Its block held other words before.
fn link_read(run: &Run) {
    let mut board = full_bucket(run);
    let insert = board.role(1, |me| me.put("c", 9));
    let reader = board.reader(|board| {
        board.saw(if board.get("c").is_some() { "there" } else { "not yet" });
        assert!(board.get("a").is_some(), "a key that stands still");
    });
    let (put, ()) = board.two(insert, reader);
    assert_eq!(put.0, 1);
    board.drain();
}

/// An insert that links a bucket is killed anywhere and reaped, beside another insert. The bucket is in the chain, or
/// nothing takes its block for one.
fn link_killed(run: &Run) {
    let mut board = full_bucket(run);
    let victim = board.victim(board.ready(1), |me| me.put("c", 8));
    let insert = board.role(2, |me| me.put("d", 9));
    let (_, put) = board.two(victim, insert);
    assert_eq!((put.0, board.value("d")), (1, Some(9)));
    board.saw_if(board.get("c").is_none(), "linked by another");
    board.drain();
}

/// A linker's reaper counts its bucket again, beside one who counts another. Each is counted once.
fn counted(run: &Run) {
    let mut board = run.board(shape(4, 1));
    for block in 1..=3 {
        let at = board.geo.generation(board.block(block));
        assert!(board.swap(at, 0, GenWord::Bucket(0).pack()), "a block that nobody used");
    }
    let count = |board: &Board, block| {
        board.core().count_bucket(0, board.block(block)).expect("a sound count");
    };
    count(&board, 1);
    let again = board.reader(move |board| {
        count(board, 1);
        count(board, 2);
    });
    let other = board.reader(move |board| count(board, 3));
    board.two(again, other);
    let overflow = Overflow(board.read(board.geo.shard(0) + geometry::SHARD_OVERFLOW));
    assert_eq!(overflow.count(), 3, "a bucket is counted twice, or not at all");
    for block in (1..=3).filter(|&block| block != overflow.last()) {
        assert_eq!(board.record(board.block(block), 0), Overflow::COUNTED, "block {block} says nothing");
    }
    board.saw(if overflow.last() == 3 { "the other's is last" } else { "one's own is last" });
}
