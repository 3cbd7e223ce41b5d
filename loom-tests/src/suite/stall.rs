//! An operation stands still before any two of its accesses, while others do what hurts most. There is one thread and
//! no reordering, so every such schedule is explored; loom's own search reaches only some of them.

use super::{
    Model, Run,
    board::{Board, STORES_TO_FILL, done, shape},
    lock, model,
    scene::{Party, Scene},
    slots::removed,
};
use slateboard::{
    layout::{GenWord, HeadKind, Shape, SlotHash},
    protocol::{
        Fault, Full,
        lane::Claimed,
        publish::{Change, Expect, Now, Outcome},
        read::Verify,
        wake::BOARD,
    },
};
use std::sync::{Arc, Mutex};

pub const MODELS: &[Model] = &[
    model("stall::a_put_learns_its_own_generation", owner)
        .budget(10)
        .least(1_000)
        .must_see(&["first", "last"]),
    model("stall::an_owner_wakes_for_a_helper_that_stopped", counted)
        .budget(10)
        .least(20)
        .must_see(&["counted by the helper"]),
    model("stall::a_second_pass_copies_no_reused_block", reader)
        .budget(10)
        .least(200)
        .must_see(&["one", "four"]),
    model("stall::a_poller_takes_no_later_change_for_its_own", poller)
        .budget(10)
        .least(20)
        .must_see(&["news"]),
    model("stall::a_put_finds_its_own_slot", insert).budget(10).least(1_000).must_see(&["done"]),
    model("stall::a_late_helper_applies_no_old_guard", guard).budget(10).least(500).must_see(&["done"]),
    model("stall::a_late_claim_changes_no_later_life", late_claim).budget(10).least(200).must_see(&["done"]),
    model("stall::a_late_giver_frees_no_later_life", late_giver)
        .budget(10)
        .least(20)
        .must_see(&["retired", "reused"]),
    model("stall::a_stopped_removal_keeps_no_slot", remover)
        .budget(10)
        .least(100)
        .must_see(&["full", "taken"]),
    model("stall::an_extent_in_use_is_not_recut", recut).budget(10).least(100).must_see(&["large", "full"]),
];

/// A put stands still, while its key is put again, its event let go, and what that frees is used for another key.
fn owner(run: &Run) {
    let mut board = run.small(5, 2);
    board.put("a", 1);
    let busy = board.ready(2);
    let put = board.role(1, |me| me.put("a", 7));
    let again = |me: &mut Party| {
        let (_, generation) = me.put("a", 8);
        // The block of the event before is the one at hand, so that the next put takes it.
        me.floor_to(generation - 1);
        me.empty_hand();
        me.floor_to(generation);
    };
    let other = |me: &mut Party| {
        let _ = me.try_put("b", 9, Expect::Any);
    };
    let (version, generation) = board.stalled(put, busy, again, other);
    assert!(version == 2 || version == 3, "version {version}");
    assert_ne!(board.get("b").map(|b| b.1), Some(generation), "a put was told another's generation");
    assert!(board.core().generation() >= generation);
    let (_, newest, value) = board.get("a").expect("the key");
    assert_eq!(newest == generation, value == 7, "a put was told {generation}; {value} is of {newest}");
    board.saw(if value == 7 { "last" } else { "first" });
    board.drain();
}

/// A put stands still, while a helper counts its event and stops before it wakes anybody. Nobody else will: the owner must
/// wake the sleepers, whichever part of the event was its own.
fn counted(run: &Run) {
    let mut board = Scene::over(Board::with_bell(run, shape(4, 2))).ready_to_set_up();
    board.put("a", 1);
    for counter in [BOARD, 1] {
        assert_eq!(board.core().ask_wake(counter), 1, "a sleeper sleeps");
    }
    let busy = board.ready(2);
    let owner = board.role(1, |me| me.put("a", 2));
    let help = |me: &mut Party| {
        let block = me.block(me.head(0).block());
        let put = Claimed { block, tag: me.state(block).tag() };
        if me.gen_word(block) == GenWord::Generation(1) || me.core().generation() > 1 {
            return;
        }
        // The ring and the generation word, or what is missing of them; then the two counters.
        for _ in 0..2 {
            me.killed_after(2, |me| me.log(put));
        }
        assert_eq!(
            (me.core().generation(), me.rung(BOARD), me.rung(1)),
            (2, 0, 0),
            "the helper died elsewhere"
        );
        me.saw("counted by the helper");
    };
    board.stalled(owner, busy, help, |_| {});
    for counter in [BOARD, 1] {
        assert!(board.rung(counter) > 0, "a sleeper on counter {counter} is not woken");
    }
    board.reap(2);
    board.check();
}

/// A read stands still on its second pass, while its block is logged and superseded, then freed and filled again.
fn reader(run: &Run) {
    let mut board = run.small(4, 2);
    let mut dead = board.ready(1);
    board.put("a", 1);
    // Not in the history: the first pass cannot take it.
    dead.publish_only("a", 2);
    let busy = board.hand_over();
    let once = |me: &mut Party| {
        me.reap(1);
        me.put("a", 3);
    };
    let again = |me: &mut Party| {
        // The block of version 2 is the one at hand, so that the next put takes it.
        me.floor_to(2);
        me.empty_hand();
        me.floor_to(3);
        me.put("a", 4);
    };
    let get = board.reader(|board| board.get("a").expect("the key"));
    let (version, generation, value) = board.stalled(get, busy, once, again);
    assert!(version == generation && generation == value, "torn: {version}, {generation}, {value}");
    board.saw(["", "one", "two", "three", "four"][value as usize]);
}

/// A poller stands still after it loaded the head of a change. Meanwhile the change is superseded and let go, and its
/// block is filled with a change that is not in the history yet. The poller must not take that one for the first.
fn poller(run: &Run) {
    let mut board = run.small(5, 2);
    board.put("a", 1);
    let got = board.core().get(&board.key("a"), None, Verify::Always, &mut Vec::new());
    let seen = got.expect("sound").expect("a value");
    board.put("a", 2);
    let busy = board.hand_over();
    let once = |me: &mut Party| {
        me.put("a", 3);
        me.floor_to(2);
        me.empty_hand();
        me.floor_to(3);
    };
    let again = |me: &mut Party| {
        me.publish_only("a", 4);
    };
    let poll = board.reader(move |board| board.core().is_newest(seen.slot, seen.head));
    let newest = board.stalled(poll, busy, once, again);
    assert!(!newest, "generation 2 was counted, and the first value is the newest");
    board.saw("news");
}

/// A put of a removed key stands still, while its slot is given to another key, whose inserter dies and leaves the slot
/// open, and that key is put again.
fn insert(run: &Run) {
    let mut board = removed(run, 8, 2);
    let busy = board.ready(2);
    let put = board.role(1, |me| me.put("a", 9));
    // Besides two that retire, four that give the tombstone back, three that free the slot, three that claim it.
    let open = |me: &mut Party| {
        me.killed_after(STORES_TO_FILL + 12, |me| me.put("c", 3));
        let head = me.head(0);
        assert!(head.is(HeadKind::Open) || head.is(HeadKind::Live), "the insert died elsewhere: {head:?}");
    };
    let again = |me: &mut Party| {
        let mut other = me.party(0);
        other.put("c", 4);
        other.empty_hand();
    };
    let (version, _) = board.stalled(put, busy, open, again);
    assert!(version >= 3, "a key that was removed at version 2 comes back at {version}");
    let newest = board.get("a").map(|got| (got.0, got.2));
    assert_eq!(newest, Some((version, 9)), "an acknowledged put is lost");
    assert_eq!(board.value("b"), Some(2));
    board.reap(2);
    board.saw("done");
    board.check();
}

/// An insert that needs the slot of a removed key stands still, while that slot lives another life, to its end.
fn guard(run: &Run) {
    let mut board = removed(run, 8, 0);
    let busy = board.ready(2);
    // One attempt: what a refused put does to find room would hide that it was refused for nothing.
    let put = board.role(1, |me| {
        let key = me.key("c");
        let (core, lane) = me.parts();
        core.try_change(lane, &key, &Change::put(&[9; 8], Expect::Any), Now::default(), None)
    });
    let life = |me: &mut Party| {
        if me.try_put("e", 3, Expect::Any).is_ok() {
            let (_, gone) = me.remove("e");
            me.floor_to(gone);
        }
    };
    // Besides two that retire.
    let retired = |me: &mut Party| {
        me.killed_after(STORES_TO_FILL + 2, |me| me.try_put("f", 4, Expect::Any));
    };
    let put = board.stalled(put, busy, life, retired);
    if put == Err(Fault::Full(Full::Slots)) {
        // The dying insert claimed the slot first, and left it open.
        let hash = SlotHash(board.read(board.geo.bucket(0) + 2));
        assert!(board.head(0).is(HeadKind::Open), "full, but there is a slot: {:?}", board.head(0));
        let fingerprint = board.key("f").fingerprint;
        assert_eq!(hash.fingerprint(), fingerprint, "a slot is open for a key that nobody inserts");
        board.saw("full");
    } else {
        done(put);
        assert!(board.get("c").is_some(), "an acknowledged put is lost");
    }
    board.reap(2);
    board.saw("done");
    board.check();
}

/// An insert stands still before it claims its slot, while another party puts the same key there and removes it, and
/// the slot is given to a third key.
fn late_claim(run: &Run) {
    let mut board = removed(run, 8, 0);
    let busy = board.ready(2);
    let put = board.role(1, |me| me.try_put("c", 9, Expect::Any));
    let life = |me: &mut Party| {
        if me.try_put("c", 3, Expect::Any).is_ok() {
            let (_, gone) = me.remove("c");
            me.floor_to(gone);
        }
        // Frees the slot and takes it.
        let _ = me.try_put("d", 3, Expect::Any);
    };
    // The next writer would put a wrong hash right: a reader must not see one.
    let read = |me: &mut Party| {
        let event = me.core().event(me.core().generation(), Verify::Always, |key| key == b"d");
        let put = matches!(event, Ok(Some(_)));
        assert!(!put || me.get("d").is_some(), "an acknowledged put is lost");
    };
    let put = board.stalled(put, busy, life, read);
    assert!(matches!(put, Ok(Outcome::Done { .. }) | Err(Fault::Full(Full::Slots))), "{put:?}");
    let there = [board.get("c").is_some(), board.get("d").is_some()];
    assert_ne!(there[0], there[1], "one slot holds one key, and both were put: {there:?}");
    board.saw("done");
    board.check();
}

/// A party that gives a tombstone back stands still. Meanwhile another gives it back and puts until the tombstone's
/// block has begun another life in the same slot, and then supersedes that.
fn late_giver(run: &Run) {
    // Five blocks: one at hand of each, two in slots, one that is free again.
    let mut board = removed(run, 5, 0);
    let tombstone = board.head(0).block();
    let (mut dead, busy) = (board.ready(1), board.ready(2));
    // Besides the version base and the head.
    dead.killed_after(STORES_TO_FILL + 2, |me| me.put("e", 3));
    board.reap(1);
    board.saw_if(board.head(0).is(HeadKind::Retired) && board.head(0).block() == tombstone, "retired");
    let life = |me: &mut Party| {
        me.put("c", 4);
        me.put("c", 5);
    };
    let next = |me: &mut Party| {
        me.floor_to(4);
        me.put("c", 6);
    };
    let sweep = board.reader(|board| drop(board.core().sweep_open(&[])));
    board.stalled(sweep, busy, life, next);
    board.saw_if(board.value("c") == Some(6), "reused");
    assert_eq!(board.value("b"), Some(2));
    board.drain();
}

/// A removal stands still anywhere, while another party wants its slot. The slot can be had as soon as the removal is
/// published, and the remover still finds what it asks of its tombstone.
fn remover(run: &Run) {
    let mut board = run.small(6, 4);
    board.put("a", 1);
    board.put("b", 2);
    let remove = board.role(1, |me| {
        let removed = me.remove("a");
        me.saw(if me.get("c").is_some() { "taken" } else { "full" });
        removed
    });
    let busy = board.ready(2);
    let put = |me: &mut Party| match me.try_put("c", 3, Expect::Any) {
        Err(Fault::Full(Full::Slots)) => {
            assert!(me.get("a").is_some(), "refused for the slot of a removed key");
        }
        put => drop(done(put)),
    };
    // Until every block that is free was used once.
    let again = |me: &mut Party| {
        if me.get("c").is_some() {
            for value in 4..9 {
                me.put("c", value);
            }
        }
    };
    let removed = board.stalled(remove, busy, put, again);
    assert_eq!(removed, (2, 3), "the removal is the second change of its key, the third of all");
    board.drain();
}

/// A recut of an extent stands still, while a small block of it is claimed, and another.
fn recut(run: &Run) {
    let mut board = run.board(Shape { capacity: 4 * 64, extent_granules: 2, ..shape(3, 1) });
    let (busy, large) = (board.party(1), board.party(0));
    let large = board.role_of(large, |me| me.claim(2));
    let taken = Arc::new(Mutex::new(Vec::new()));
    let claim = |taken: Arc<Mutex<Vec<u32>>>| {
        move |me: &mut Party| lock(&taken).extend(me.claim(1).ok().map(|claimed| claimed.block.index()))
    };
    let Ok(large) = board.stalled(large, busy, claim(taken.clone()), claim(taken.clone())) else {
        return board.saw("full");
    };
    board.saw("large");
    let (first, taken) = (large.block.index(), lock(&taken));
    let apart = taken.iter().all(|&small| small < first || small > first + 1);
    assert!(apart, "blocks {taken:?} and {first} overlap");
}
