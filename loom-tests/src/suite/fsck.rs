//! Checks a board on which every role has ended, from the layout alone.

use super::board::Board;
use slateboard::{
    layout::{
        DeadlineHint, GenWord, Head, HeadKind, RingWord, SlotHash, StateKind, geometry,
        groups::{GROUP_FRESH, GROUP_SWEPT},
        record::{self, RecordHeader},
    },
    protocol::{lane::Lane, slots},
};
use std::collections::{BTreeMap, BTreeSet};

/// Every block is named once, by a head, an event, a chain, a link or a stash; the history is dense, its
/// blocks are unique, versions rise by one; every head's record is in the history or before it.
pub fn check(board: &Board, lanes: &[&Lane]) {
    check_now(board, lanes);
}

/// As [`check`], then again when every event has left the history: nothing may hold a block for ever.
pub fn check_and_drain(board: &Board, lane: &mut Lane, others: &[&Lane]) {
    let with = |lane: &Lane, board: &Board| {
        let mut lanes = vec![lane];
        lanes.extend(others);
        check_now(board, &lanes);
    };
    with(lane, board);
    board.floor_to(lane, board.core().generation());
    with(lane, board);
}

fn check_now(board: &Board, lanes: &[&Lane]) {
    let mut named = Named::default();
    check_history(board, &mut named);
    for bucket in 0..board.geo.buckets() {
        check_chain(board, bucket, &mut named);
    }
    check_blocks(board, lanes, &named);
}

/// Which blocks something names, and how often.
#[derive(Default)]
struct Named(BTreeMap<u32, u32>);

impl Named {
    fn add(&mut self, index: u32) {
        if index != 0 {
            *self.0.entry(index).or_default() += 1;
        }
    }
}

fn check_history(board: &Board, named: &mut Named) {
    let core = board.core();
    let (floor, newest) = (core.floor(), core.generation());
    assert!(floor <= newest, "the floor {floor} is past the generation {newest}");
    assert!(newest - floor <= board.geo.history(), "more events than the ring holds");
    let mut blocks = BTreeSet::new();
    for event in floor + 1..=newest {
        let word = RingWord(board.read(board.geo.ring(event)));
        assert_eq!(word.lap(), board.geo.lap(event), "the lap of event {event}");
        let block = board.block(word.block());
        assert_eq!(board.gen_word(block), GenWord::Generation(event), "the block of event {event}");
        assert!(blocks.insert(block), "{block:?} is in the history twice");
        let previous = Head(board.record(block, record::PREVIOUS));
        named.add(previous.block());
        if previous.is(HeadKind::Live) {
            let before = board.record(board.block(previous.block()), record::VERSION);
            assert_eq!(board.record(block, record::VERSION), before + 1, "the version of event {event}");
        }
    }
}

fn check_chain(board: &Board, bucket: usize, named: &mut Named) {
    let mut base = board.geo.bucket(bucket);
    for _ in 0..slots::CHAIN_MAX {
        for slot in 0..geometry::SLOTS {
            let head = Head(board.read(base + 3 + 2 * slot));
            named.add(head.block());
            let hash = SlotHash(board.read(base + 2 + 2 * slot));
            assert!(hash.fingerprint() != 0 || head.is(HeadKind::Freed), "{head:?} of no key");
            if head.is(HeadKind::Live) {
                check_newest(board, head);
                check_deadline(board, bucket, head);
            }
        }
        let link = board.read(base + 1) as u32;
        if link == 0 {
            return;
        }
        named.add(link);
        base = board.geo.data(board.block(link));
    }
    panic!("the chain of bucket {bucket} has no end");
}

/// The record of a LIVE head is in the history; the pieces of its value are its own.
fn check_newest(board: &Board, head: Head) {
    let block = board.block(head.block());
    let newest = board.core().generation();
    let gen_word = board.gen_word(block);
    assert!(
        matches!(gen_word, GenWord::Generation(own) if own <= newest),
        "{head:?} is not in the history: {gen_word:?}, {newest}"
    );
}

/// One of the two words of the bucket's group is no later than the entry's deadline.
fn check_deadline(board: &Board, bucket: usize, head: Head) {
    let Some(header) = header(board, head.block()) else { return };
    if header.kind.is_tombstone() || header.deadline == 0 {
        return;
    }
    let at = board.geo.groups().word(board.geo.groups().of(bucket));
    let (swept, fresh) = (DeadlineHint(board.read(at + GROUP_SWEPT)), board.read(at + GROUP_FRESH));
    let known = swept.covers(header.deadline) || (fresh != 0 && !fresh <= header.deadline);
    assert!(known, "deadline {} is lost: {swept:?}, {fresh:#x}", header.deadline);
}

fn header(board: &Board, index: u32) -> Option<RecordHeader> {
    let block = board.block(index);
    let words: Vec<u64> = (0..record::HEADER_WORDS).map(|word| board.record(block, word)).collect();
    record::Words(words.try_into().expect("a header's words")).unpack()
}

/// The pieces that a chained record lists.
fn pieces(board: &Board, index: u32) -> Vec<u32> {
    let block = board.block(index);
    let Some(header) = header(board, index).filter(|header| header.chained) else { return Vec::new() };
    let piece_bytes = board.geo.extent_granules() as usize * board.geo.granule_words() * 8;
    let count = (header.value_len as usize).div_ceil(piece_bytes);
    (0..count).map(|piece| board.record(block, header.value_at() + piece) as u32).collect()
}

fn check_blocks(board: &Board, lanes: &[&Lane], named: &Named) {
    let mut named = Named(named.0.clone());
    for index in named.0.keys().copied().collect::<Vec<_>>() {
        if matches!(board.gen_word(board.block(index)), GenWord::Bucket(_)) {
            continue;
        }
        for piece in pieces(board, index) {
            named.add(piece);
            let parent = GenWord::parent(index, board.state(board.block(index)).tag());
            assert_eq!(board.gen_word(board.block(piece)), parent, "the parent of piece {piece}");
            assert!(board.state(board.block(piece)).is(StateKind::Part), "piece {piece} is no piece");
        }
    }
    let mut claimed = 0;
    let heads = (0..geometry::SLOTS).map(|slot| board.head(slot));
    let retired: Vec<u32> = heads.filter(|head| head.is(HeadKind::Retired)).map(Head::block).collect();
    for index in 1..board.geo.granules() {
        let state = board.state(board.block(index));
        let bucket = matches!(board.gen_word(board.block(index)), GenWord::Bucket(_));
        assert!(!bucket || state.is(StateKind::Owned), "block {index} passes for a bucket: {state:?}");
        match (state.kind(), named.0.get(&index)) {
            (StateKind::Owned | StateKind::Part, Some(1)) | (StateKind::Free, None) => {}
            // Nobody looks at it any more.
            (StateKind::Limbo, None) if state.owner() == 0 => {}
            (StateKind::Limbo, Some(1)) if state.owner() == 0 && retired.contains(&index) => {}
            (StateKind::Claimed, None) => claimed += 1,
            (_, times) => panic!("block {index} is {state:?} and named {times:?} times"),
        }
    }
    assert_eq!(claimed, lanes.iter().map(|lane| lane.stashed()).sum::<usize>(), "claimed but in no stash");
}
