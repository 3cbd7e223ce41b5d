//! A board on the heap: words, sessions and a clock of its own.
//!
//! The engine runs over these words without files, locks or other processes. Each thread has its own clock, which stands
//! still until [`pass`].

use crate::judge::sound;
use slateboard::{
    layout::{Geometry, Shape, Writer, session},
    protocol::{Core, Silent, lane::Lane, publish::Now, sessions::Identity},
    region::header::{self, Origin},
    sync::{AtomicU64, Ordering::Relaxed},
};
use slateboard_fsck::Summary;
use std::{cell::Cell, sync::OnceLock};

/// Session records.
pub const SESSIONS: usize = 3;
/// Longest value.
pub const VALUE_MAX: usize = 8 << 10;

thread_local!(static BOOT_NS: Cell<u64> = const { Cell::new(1) });

/// The words of a board that is its caller's alone.
pub struct Heap {
    words: Vec<AtomicU64>,
}

/// A board that is soon full, with short chains of buckets and a short history.
pub fn shape(capacity: u64) -> Shape {
    Shape {
        capacity,
        extent_granules: 32,
        history: 64,
        history_min: 8,
        dedicated: vec!["task".into()],
        dedicated_buckets: 1,
        uniform_buckets: 1,
        uniform_shards: 2,
        overflow_max: 8,
        value_max: VALUE_MAX as u64,
        names: 16,
        ..Shape::sized(1 << 20, 64, 64, SESSIONS as u64)
    }
}

fn geometry() -> &'static Geometry {
    static GEOMETRY: OnceLock<Geometry> = OnceLock::new();
    GEOMETRY.get_or_init(|| Geometry::new(shape(128 << 10), 7).expect("the shape can be"))
}

impl Default for Heap {
    fn default() -> Self {
        BOOT_NS.set(1);
        let geometry = geometry();
        let words: Vec<_> = (0..geometry.words()).map(|_| AtomicU64::new(0)).collect();
        for (word, value) in words.iter().zip(header::encode(geometry, &Origin::default())) {
            word.store(value, Relaxed);
        }
        let heap = Self { words };
        heap.core().raise_reserved(geometry.extents());
        heap.core().cut_reserve();
        heap
    }
}

impl Heap {
    /// The engine over these words.
    pub fn core(&self) -> Core<'_> {
        Core::new(&self.words, &[], &Silent, geometry()).expect("as many words as the geometry says")
    }

    /// Begins a life of the record.
    pub fn attach(&self, index: usize) -> Lane {
        let core = self.core();
        let writer = core.occupy(index, 0, &Identity::default());
        let name = core.intern(["ann", "bob", "cy"][index], index).expect("a name is free");
        let writer = Writer { name, ..writer };
        let mut lane = Lane::new(&core, index % session::LANES, writer);
        core.finish_pending(&mut lane).expect("nothing is pending on a board at rest");
        lane
    }

    /// What the independent check reads from the words.
    pub fn check(&self, living: &[u16]) -> Summary {
        let words: Vec<u64> = self.words.iter().map(|word| word.load(Relaxed)).collect();
        sound(&words, living).unwrap_or_else(|what| panic!("the board is not sound:\n{what}"))
    }
}

/// The board's time, which only [`pass`] moves.
pub fn now() -> Now {
    Now { real_ns: 5, boot_ns }
}

/// Nanoseconds of the board's clock.
pub fn boot_ns() -> u64 {
    BOOT_NS.get()
}

/// Lets time pass.
pub fn pass(ns: u64) {
    BOOT_NS.set(boot_ns() + ns);
}
