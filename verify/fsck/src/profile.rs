//! The sizes that a build compiles in.

/// Sizes that a build compiles in, as plain numbers. A model of the protocol makes its board smaller than the product's
/// and leaves out what the model is not about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Profile {
    /// Words of a cache line: the distance between the header's counters, and what the start of most parts is a
    /// multiple of.
    pub line_words: usize,
    /// Words of a page: what the starts of the block table and of the data area are multiples of.
    pub page_words: usize,
    /// Words of the header before the generation counter; 0 where the region has neither identity nor geometry.
    pub identity_words: usize,
    /// Slots of a bucket.
    pub slots: usize,
    /// Lanes of a session.
    pub lanes: usize,
    /// Words of a lane's counters; 0 where sessions count nothing.
    pub counter_words: usize,
    /// Position of the two weights among a lane's counters; `None` where no weights are kept.
    pub weights_at: Option<usize>,
    /// Whether a record has the words from `WRITER` to `CHECKSUM`. Without them the deadline is in `SHAPE`, from bit 46.
    pub details: bool,
    /// A group's deadline is in units of 2^this nanoseconds.
    pub deadline_shift: u32,
    /// Smallest extent, in granules.
    pub extent_granules_min: u64,
    /// Smallest history, in events.
    pub history_min: u64,
}

impl Profile {
    /// The boards of the product.
    pub const PRODUCT: Self = Self {
        line_words: 8,
        page_words: 512,
        identity_words: 64,
        slots: 7,
        lanes: 4,
        counter_words: 16,
        weights_at: Some(6),
        details: true,
        deadline_shift: 20,
        extent_granules_min: 32,
        history_min: 64,
    };

    /// The smallest board that the protocol runs on: two slots a bucket, one lane a session, no padding, no counters.
    pub const MODEL: Self = Self {
        line_words: 1,
        page_words: 1,
        identity_words: 0,
        slots: 2,
        lanes: 1,
        counter_words: 0,
        weights_at: None,
        details: false,
        deadline_shift: 0,
        extent_granules_min: 1,
        history_min: 1,
    };

    /// Words of the header.
    pub(crate) const fn header_words(&self) -> usize {
        self.identity_words + 4 * self.line_words
    }
    /// Word of the generation counter.
    pub(crate) const fn generation(&self) -> usize {
        self.identity_words
    }
    /// Word of the floor.
    pub(crate) const fn floor(&self) -> usize {
        self.identity_words + self.line_words
    }
    /// Word of the number of reserved extents.
    pub(crate) const fn reserved(&self) -> usize {
        self.identity_words + 2 * self.line_words
    }
    /// Words of an intent.
    pub(crate) const fn intent_words(&self) -> usize {
        if self.line_words < 3 { 3 } else { self.line_words }
    }
    /// First word of the counters, from the start of a session record.
    pub(crate) const fn counters(&self) -> usize {
        INTENTS + self.lanes * self.intent_words()
    }
    /// Words of a session record: the counters of the reapers follow those of the lanes.
    pub(crate) const fn session_words(&self) -> usize {
        self.counters() + (self.lanes + 1) * self.counter_words
    }
    /// Words of a shard's header.
    pub(crate) const fn shard_words(&self) -> usize {
        if self.line_words == 1 { 3 } else { 2 * self.line_words }
    }
    /// Word of a shard's version base.
    pub(crate) const fn version_base(&self) -> usize {
        self.line_words
    }
    /// Word of a shard's count of overflow buckets.
    pub(crate) const fn overflow(&self) -> usize {
        self.line_words + 1
    }
    /// Words of a bucket.
    pub(crate) const fn bucket_words(&self) -> usize {
        2 + 2 * self.slots
    }
    /// Words of a record before its key.
    pub(crate) const fn record_words(&self) -> usize {
        if self.details { 10 } else { 4 }
    }
}

/// First word of the intents, from the start of a session record.
pub(crate) const INTENTS: usize = 8;
