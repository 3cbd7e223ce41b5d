//! Writes a record into a private block: its words, its key and its value. A long value is written in pieces.

use super::{
    Core, Fault,
    lane::{Claimed, Lane},
    publish::{Change, Now},
    slots::Key,
};
use crate::layout::{
    Block, GenWord, State, StateKind,
    record::{self, PackedHeader, RecordHeader},
};
use crate::sync::Ordering::{Relaxed, Release};

impl Core<'_> {
    /// The words of the record, except those that depend on the record that it follows.
    #[inline]
    pub(super) fn draft(&self, lane: &Lane, key: &Key<'_>, change: &Change<'_>, now: Now) -> PackedHeader {
        let header = RecordHeader {
            value_len: change.value.len() as u32,
            key_len: key.bytes.len() as u16,
            kind: change.kind,
            in_pieces: self.needs_pieces(key.bytes.len(), change.value.len()),
            codec: change.codec,
            deadline: change.deadline,
            ephemeral: change.ephemeral,
            writer: lane.writer.pack(),
            time: now.real_ns,
            ..RecordHeader::default()
        };
        header.pack()
    }

    /// Stores what does not depend on the slot: the key and the value.
    #[inline]
    pub(super) fn fill(
        &self,
        lane: &mut Lane,
        claimed: Claimed,
        key: &Key<'_>,
        change: &Change<'_>,
        words: &PackedHeader,
    ) -> Result<(), Fault> {
        self.store_bytes(self.geo.data(claimed.block) + record::HEADER_WORDS, key.bytes);
        if words.in_pieces() {
            // The reaper of a killed writer uses the lengths to find and free the pieces of the value.
            self.store_header(claimed.block, words);
            self.fill_pieces(lane, claimed, words.value_at(), change.value)
        } else {
            self.store_bytes(self.geo.data(claimed.block) + words.value_at(), change.value);
            Ok(())
        }
    }

    /// Claims the pieces, lists them from word `at` of the head, and fills them.
    pub(super) fn fill_pieces(
        &self,
        lane: &mut Lane,
        head: Claimed,
        at: usize,
        value: &[u8],
    ) -> Result<(), Fault> {
        // The list may hold words of an earlier life. A piece belongs to this value only once it names this head block.
        for (number, bytes) in value.chunks(self.piece_bytes()).enumerate() {
            let granules = self.geo.granules_for(bytes.len().div_ceil(8));
            let piece = self.claim(lane, granules, false)?;
            self.at(self.geo.data(head.block) + at + number).store(u64::from(piece.block.index()), Relaxed);
            let parent = GenWord::parent(head.block.index(), head.tag);
            // Release, in this order: a thread that sees PART also sees which head the piece belongs to.
            self.gen_of(piece.block).store(parent.pack(), Release);
            let part = State::new(StateKind::Part, 0, piece.tag);
            self.state_of(piece.block).store(part.0, Release);
            self.store_bytes(self.geo.data(piece.block), bytes);
        }
        Ok(())
    }

    /// Stores a record's words. Relaxed: the publication of the block orders these stores (P1, P2).
    #[inline]
    pub(super) fn store_header(&self, block: Block, words: &PackedHeader) {
        let target = &self.words[self.geo.data(block)..][..record::HEADER_WORDS];
        target.iter().zip(words.0).for_each(|(word, value)| word.store(value, Relaxed));
    }
}
