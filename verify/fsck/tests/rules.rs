//! Each rule finds a board that breaks it, and no rule finds anything on a sound board.

mod sample;

use proptest::prelude::*;
use sample::{CHAINED, Sample};
use slateboard::layout::{
    GenWord, Guard, GuardOp, Head, HeadKind, RingWord, SlotHash, StateKind, Writer, geometry, header, record,
    record::RecordKind, session,
};
use slateboard_fsck::{Kind, RULES, check};
use std::sync::LazyLock;

static SOUND: LazyLock<Sample> = LazyLock::new(Sample::new);

type Break = fn(&mut Sample);

/// A rule, and a change that breaks it.
const BREAKS: &[(&str, Break)] = &[
    ("header", |board| board.words[header::MAGIC] ^= 1),
    ("header", |board| board.words[header::FINGERPRINT] ^= 1),
    ("header", |board| board.words[header::UUID] ^= 1),
    ("header", |board| board.words.truncate(header::FLOOR)),
    ("geometry", |board| board.words.truncate(board.geo.words() - 1)),
    ("geometry", |board| {
        board.words[header::GEOMETRY + 5] = 0;
        slateboard::region::header::seal(&mut board.words);
    }),
    ("counters", |board| board.words[header::FLOOR] = board.generation() + 1),
    ("counters", |board| board.words[header::FLOOR] = board.generation() - board.geo.history() - 1),
    ("reserved", |board| board.words[header::RESERVED] = u64::from(board.geo.extents()) + 1),
    ("reserved", |board| board.words[header::RESERVED] = 1),
    ("ring-word", |board| {
        let at = board.geo.ring(board.generation());
        board.words[at] = RingWord::new(0, 0).0;
    }),
    ("ring-word", |board| {
        let event = board.generation();
        let at = board.geo.ring(event);
        board.words[at] = RingWord::new(board.geo.lap(event), board.geo.granules()).0;
    }),
    ("ring-uncounted", |board| {
        let event = board.generation() + 1;
        let block = board.newest("free/often").index();
        let at = board.geo.ring(event);
        board.words[at] = RingWord::new(board.geo.lap(event), block).0;
    }),
    ("event-generation", |board| {
        let block = board.newest("task/5");
        board.set_gen(block, GenWord::Generation(board.generation() + 1));
    }),
    ("event-generation", |board| {
        let block = board.newest("task/5");
        board.set_gen(block, GenWord::Unlogged(1));
    }),
    ("event-previous", |board| {
        let (block, other) = (board.newest("task/5"), board.head(board.slot("task/6")).0);
        board.edit(block, |record| record.previous = other);
    }),
    ("event-previous", |board| {
        let block = board.newest("task/5");
        board.edit(block, |record| record.previous = Head::new(HeadKind::Retired, 0, 0).0);
    }),
    ("version", |board| {
        let block = board.newest("free/often");
        board.edit(block, |record| record.version += 1);
    }),
    ("created", |board| {
        let block = board.newest("free/often");
        board.edit(block, |record| record.created += 1);
    }),
    ("touched", |board| {
        let block = board.newest("free/brief");
        board.edit(block, |record| record.codec += 1);
    }),
    ("touched", |board| {
        let block = board.newest("free/brief");
        board.edit(block, |record| record.deadline = 0);
    }),
    ("touched", |board| {
        let (block, bound) = (board.newest("free/brief"), board.record(board.newest("free/bound")).ephemeral);
        board.edit(block, |record| record.ephemeral = bound);
    }),
    ("touched", |board| {
        // The value before is another.
        let block = board.newest("free/often");
        board.edit(block, |record| (record.kind, record.deadline) = (RecordKind::Touched, u64::MAX));
    }),
    ("touched", |board| {
        // Nothing was before.
        let block = board.newest("task/21");
        board.edit(block, |record| (record.kind, record.deadline) = (RecordKind::Touched, u64::MAX));
    }),
    ("record-shape", |board| {
        let at = board.geo.data(board.newest("task/6"));
        board.words[at + record::SHAPE] = 0;
    }),
    ("record-shape", |board| {
        let at = board.geo.data(board.newest("task/6"));
        board.words[at + record::PLACE] |= 0xffff_ffff;
    }),
    ("record-shape", |board| {
        let at = board.geo.data(board.newest("task/6"));
        board.words[at + record::HEADER_WORDS] |= 0xff << 56;
    }),
    ("record-checksum", |board| {
        let at = board.geo.data(board.newest("task/6"));
        board.words[at + record::TIME] ^= 1;
    }),
    ("record-checksum", |board| {
        let block = board.newest("file/chained");
        let list = board.geo.data(block) + board.record(block).value_at();
        let piece = board.block(board.words[list] as u32);
        let at = board.geo.data(piece);
        board.words[at] ^= 1;
    }),
    ("record-key", |board| {
        let block = board.newest("task/6");
        board.rename(block, "free/6");
    }),
    ("record-key", |board| {
        let block = board.newest("free/often");
        board.edit(block, |record| record.slot -= 1);
    }),
    ("writer", |board| {
        let block = board.newest("free/often");
        board.edit(block, |record| record.writer += 1);
    }),
    ("writer", |board| {
        let block = board.newest("free/often");
        board.edit(block, |record| {
            record.writer = Writer { session: 4, ..Writer::unpack(record.writer) }.pack()
        });
    }),
    ("ephemeral", |board| {
        let (block, vacated) = (board.newest("free/bound"), board.vacated);
        board.edit(block, |record| {
            record.ephemeral = Writer { session: vacated, ..Writer::unpack(record.ephemeral) }.pack()
        });
    }),
    ("head-kind", |board| {
        let at = board.slot("task/6");
        board.set_head(at, HeadKind::Moved);
    }),
    ("head-kind", |board| {
        let at = board.slot("task/6") - 1;
        board.words[at] = SlotHash::new(SlotHash(board.words[at]).number(), 0).0;
    }),
    ("head-block", |board| {
        let at = board.slot("task/6");
        board.words[at] = Head::new(HeadKind::Live, board.head(at).counter(), board.geo.granules()).0;
    }),
    ("head-block", |board| {
        let block = board.newest("task/6");
        board.set_gen(block, GenWord::Generation(board.generation() + 1));
    }),
    ("head-block", |board| {
        let at = board.slot("task/6") - 1;
        board.words[at] ^= 1;
    }),
    ("head-counter", |board| {
        let at = board.slot("task/6");
        board.set_head(at, HeadKind::Live);
    }),
    ("head-counter", |board| {
        let block = board.newest("task/5");
        board.edit(block, |record| record.previous += 1 << 23);
    }),
    ("retired", |board| {
        let at = board.slot("task/6");
        board.set_head(at, HeadKind::Retired);
    }),
    ("retired", |board| {
        let at = board.slot("task/5");
        board.set_head(at, HeadKind::Retired);
    }),
    ("retired", |board| {
        let at = board.retired();
        board.set_head(at, HeadKind::Open);
    }),
    ("key-twice", |board| {
        let block = board.newest("task/6");
        board.rename(block, "task/7");
    }),
    ("replay", |board| {
        let at = board.slot("free/often");
        let before = board.before("free/often").index();
        board.words[at] = Head::new(HeadKind::Live, board.head(at).counter() - 1, before).0;
    }),
    ("replay", |board| {
        let at = board.slot("free/often");
        board.words[at - 1..=at].fill(0);
    }),
    ("guard", |board| {
        let at = board.chain("task/6")[0];
        board.words[at] = Guard(board.words[at]).next(GuardOp::Frozen).0;
    }),
    ("guard", |board| {
        let at = board.chain("task/6")[0];
        board.words[at] = Guard(board.words[at]).next(GuardOp::Free { slot: 1000 }).0;
    }),
    ("guard", |board| {
        let at = board.chain("task/6")[0];
        let block = board.in_state(StateKind::Free).index();
        board.words[at] = Guard(board.words[at]).next(GuardOp::Link { block }).0;
    }),
    ("guard", |board| {
        let at = board.chain("task/6")[0];
        board.words[at] = 0;
    }),
    ("guard", |board| {
        let (at, head_at) = (board.chain("task/6")[0], board.slot("task/6"));
        let slot = board.slots("task/6").iter().position(|&at| at == head_at).unwrap() as u16;
        let fingerprint = SlotHash(board.words[head_at - 1]).fingerprint();
        board.words[at] = Guard(board.words[at]).next(GuardOp::Claim { slot, fingerprint }).0;
    }),
    ("chain", |board| {
        let chain = board.chain("task/6");
        board.words[chain[2] + 1] = u64::from(board.geo.granules());
    }),
    ("chain", |board| {
        let chain = board.chain("task/6");
        let at = board.geo.state(board.block(board.words[chain[0] + 1] as u32)) + 1;
        board.words[at] = GenWord::Bucket(0).pack() + 7;
    }),
    ("overflow-count", |board| *board.shard("task/6", geometry::SHARD_OVERFLOW) += 1),
    ("bucket-trace", |board| {
        let block = board.in_state(StateKind::Free);
        board.set_gen(block, GenWord::Bucket(0));
    }),
    ("deadline", |board| {
        let at = board.group("free/brief");
        board.words[at..at + 2].fill(0);
    }),
    ("deadline", |board| {
        let (at, deadline) = (board.group("free/brief"), board.record(board.newest("free/brief")).deadline);
        board.words[at..at + 2].copy_from_slice(&[((deadline >> 20) + 1) << 24, !(deadline + 1)]);
    }),
    ("shard-changes", |board| *board.shard("free/often", geometry::SHARD_CHANGES) = 0),
    ("shard-changes", |board| {
        let beyond = board.generation() + 1;
        *board.shard("free/often", geometry::SHARD_CHANGES) = beyond;
    }),
    ("version-base", |board| *board.shard("task/6", geometry::SHARD_VERSION_BASE) = 1),
    ("pieces", |board| {
        let block = board.newest("file/chained");
        let list = board.geo.data(block) + board.record(block).value_at();
        board.words[list] = 0;
    }),
    ("pieces", |board| {
        let block = board.newest("file/chained");
        let list = board.geo.data(block) + board.record(block).value_at();
        let piece = board.block(board.words[list] as u32);
        board.set_gen(piece, GenWord::parent(block.index(), 0));
    }),
    ("extent-class", |board| {
        let at = board.geo.extent(1);
        board.words[at] = 1 << 8 | 0xff;
    }),
    ("extent-class", |board| {
        let at = board.geo.extent(0);
        board.words[at] = 1 << 8 | 1;
    }),
    ("block-start", |board| {
        let inside = board.block(board.newest("file/chained").index() + 1);
        board.set_state(inside, StateKind::Owned, 0);
    }),
    ("block-state", |board| {
        let block = board.newest("task/6");
        board.set_state(block, StateKind::Free, 0);
    }),
    ("block-state", |board| {
        let (block, owner) = (board.before("task/5"), board.living + 1);
        board.set_state(block, StateKind::Doomed, owner);
    }),
    ("double-use", |board| {
        let (block, other) = (board.newest("task/5"), board.head(board.slot("task/6")).0);
        board.edit(block, |record| record.previous = other);
    }),
    ("leak", |board| {
        let block = board.in_state(StateKind::Free);
        board.set_state(block, StateKind::Owned, 0);
    }),
    ("leak", |board| {
        let (block, owner) = (board.in_state(StateKind::Free), board.living + 1);
        board.set_state(block, StateKind::Inflight, owner);
    }),
    ("private", |board| {
        let (block, owner) = (board.in_state(StateKind::Claimed), board.vacated + 1);
        board.set_state(block, StateKind::Claimed, owner);
    }),
    ("weight", |board| {
        let living = board.living;
        *board.session(living, session::weight(1, session::Sum::Superseded)) += 1;
    }),
    ("intent", |board| {
        let living = board.living;
        *board.session(living, session::intent(1) + session::INTENT_EVENT) = 1;
    }),
    ("session", |board| board.end_session()),
    ("session", |board| {
        let vacated = board.vacated;
        *board.session(vacated, session::INCARNATION) |= 1;
    }),
    ("name", |board| {
        let at = board.geo.name(board.geo.names() - 1);
        board.words[at] = 1 | 1 << 8;
    }),
    ("name", |board| {
        let at = board.geo.name(1);
        board.words[at + 1] = u64::MAX;
    }),
];

fn rules_broken(board: &Sample) -> Vec<&'static str> {
    match check(&board.words, &[board.living]) {
        Ok(_) => Vec::new(),
        Err(findings) => findings.into_iter().map(|finding| finding.rule).collect(),
    }
}

#[test]
fn every_rule_finds_what_breaks_it() {
    for (number, (rule, change)) in BREAKS.iter().enumerate() {
        let mut board = SOUND.clone();
        change(&mut board);
        let broken = rules_broken(&board);
        assert!(broken.contains(rule), "break {number}, of {rule}, is found as {broken:?}");
    }
    // `known.rs` breaks the rules about what the caller knows.
    let by_words = RULES.iter().filter(|(rule, _)| !rule.starts_with("known-"));
    let untested: Vec<_> = by_words.filter(|(rule, _)| BREAKS.iter().all(|(name, _)| name != rule)).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

#[test]
fn a_sound_board_is_summarised() {
    let board = &*SOUND;
    let summary = check(&board.words, &[board.living]).unwrap_or_else(|findings| panic!("{findings:#?}"));
    assert_eq!((summary.generation, summary.floor), (board.generation(), board.floor()));
    let names: Vec<_> =
        summary.keys.iter().map(|key| String::from_utf8_lossy(&key.key).into_owned()).collect();
    let tasks = (2..22).filter(|n| *n != 5).map(|n| format!("task/{n}"));
    let mut expected: Vec<_> =
        tasks.chain(["free/often", "free/brief", "free/bound", "file/chained"].map(String::from)).collect();
    expected.sort();
    assert_eq!(names, expected);
    let key = |name: &str| summary.keys.iter().find(|key| key.key == name.as_bytes()).unwrap();
    assert_eq!(key("free/often").value, b"99");
    assert_eq!((key("file/chained").version, &key("file/chained").value), (2, &vec![2; CHAINED]));
    assert_ne!(key("free/bound").ephemeral, 0);
    assert_eq!(summary.longest_chain, 3);
    let last: Vec<_> = summary.events.iter().rev().take(4).map(|event| (event.kind, event.version)).collect();
    assert_eq!(last, [(Kind::Put, 1), (Kind::Put, 2), (Kind::Put, 1), (Kind::Removed, 2)]);
    assert_eq!(summary.events.len() as u64, summary.generation - summary.floor);
    let blocks = summary.blocks;
    let used =
        blocks.live + blocks.history + blocks.tombstones + blocks.buckets + blocks.pieces + blocks.private;
    assert_eq!(used + blocks.free, blocks.granules);
    // Two overflow buckets of two granules, at least; two chains of three pieces; the tombstones of 1 and 5.
    assert!(blocks.buckets >= 4 && blocks.private > 0 && blocks.tombstones >= 2 * 2, "{blocks:?}");
    assert!(blocks.pieces >= 2 * CHAINED as u64 / 64, "{blocks:?}");
}

/// What a killed writer leaves and any other may finish is not damage.
#[test]
fn a_guard_that_was_not_applied_yet_is_sound() {
    let mut board = SOUND.clone();
    let given_back = board.retired();
    let block = board.block(board.head(given_back).block());
    board.set_state(block, StateKind::Free, 0);
    board.words[given_back] = board.head(given_back).next(HeadKind::Retired, 0).0;
    let at = board.chain("task/1")[0];
    let retired =
        board.slots("task/1").iter().position(|&at| board.head(at).is(HeadKind::Retired)).unwrap() as u16;
    board.words[at] = Guard(board.words[at]).next(GuardOp::Free { slot: retired }).0;
    assert_eq!(rules_broken(&board), Vec::<&str>::new());
    let at = board.chain("team/1")[0];
    board.words[at] = Guard(board.words[at]).next(GuardOp::Claim { slot: 3, fingerprint: 9 }).0;
    assert_eq!(rules_broken(&board), Vec::<&str>::new());
}

/// A writer may be killed at each step of freeing a tombstone.
#[test]
fn a_tombstone_that_was_not_freed_yet_is_sound() {
    let mut board = SOUND.clone();
    let at = board.retired();
    let block = board.block(board.head(at).block());
    board.set_state(block, StateKind::Limbo, 0);
    assert_eq!(rules_broken(&board), Vec::<&str>::new());
    board.words[at] = board.head(at).next(HeadKind::Retired, 0).0;
    assert_eq!(rules_broken(&board), Vec::<&str>::new());
    board.set_state(block, StateKind::Free, 0);
    assert_eq!(rules_broken(&board), Vec::<&str>::new());
    board.set_state(block, StateKind::Owned, 0);
    assert_eq!(rules_broken(&board), ["leak"]);
}

#[test]
fn each_kind_of_removal_is_read() {
    let ends = [
        (RecordKind::Expired, Kind::Expired),
        (RecordKind::Detached, Kind::Detached),
        (RecordKind::Died, Kind::Died),
    ];
    for (written, read) in ends {
        let mut board = SOUND.clone();
        let block = board.newest("task/5");
        board.edit(block, |record| record.kind = written);
        let summary = check(&board.words, &[board.living]).unwrap();
        assert!(summary.events.iter().any(|event| event.kind == read && event.value.is_none()));
    }
}

#[test]
fn a_touch_is_told_apart_and_has_a_value() {
    let summary = check(&SOUND.words, &[SOUND.living]).unwrap();
    let touched = summary.events.iter().find(|event| event.kind == Kind::Touched).unwrap();
    assert_eq!((touched.key.as_slice(), touched.version), (&b"free/brief"[..], 2));
    assert_eq!(touched.value.as_deref(), Some(&b"has a time to live"[..]));
}

proptest! {
    /// Whatever the words are, the check ends without a panic.
    #[test]
    fn any_words_are_checked_without_panic(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u64>()), 1..20)) {
        let mut board = SOUND.clone();
        for (at, word) in &changes {
            let at = at.index(board.words.len());
            board.words[at] = *word;
        }
        rules_broken(&board);
    }

    #[test]
    fn a_flipped_bit_of_a_record_in_use_is_found(word in 0..record::HEADER_WORDS, bit in 0u32..64) {
        let mut board = SOUND.clone();
        let at = board.geo.data(board.newest("task/6")) + word;
        board.words[at] ^= 1 << bit;
        prop_assert_ne!(rules_broken(&board), Vec::<&str>::new());
    }
}
