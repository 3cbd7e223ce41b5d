//! The boards of the scenarios. They are small, so that copying and checking an image takes a millisecond.

use slateboard::{
    Board,
    layout::{Geometry, Shape},
    protocol::{Core, Silent},
    region::{self, Access, RegionFile},
    sync::Ordering,
};
use slateboard_kit::places::{TempDir, memory_folder};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Keepers never beat here, so the stepped thread does everything.
pub const SELDOM: Duration = Duration::from_secs(1 << 20);
/// Events that the history holds.
pub const HISTORY: u64 = 64;
/// Session records.
pub const SESSIONS: u64 = 4;

/// A board in a folder of its own, and this process's view of its words.
pub struct Place {
    folder: TempDir,
    file: RegionFile,
}

fn geometry() -> Geometry {
    let shape = Shape {
        capacity: 96 << 10,
        // In a smaller extent the reserve would have no block, since its first granule is not used.
        extent_granules: 64,
        history: HISTORY,
        history_min: 8,
        dedicated: vec!["task".into(), "team".into()],
        dedicated_buckets: 1,
        uniform_buckets: 1,
        uniform_shards: 1,
        overflow_max: 12,
        value_max: 16 << 10,
        names: 8,
        ..Shape::sized(1 << 20, 64, HISTORY, SESSIONS)
    };
    Geometry::new(shape, 7).expect("the shape can be")
}

impl Place {
    /// A new board with all its pages.
    pub fn new() -> Self {
        let folder = memory_folder();
        let geometry = geometry();
        let path = folder.path().join("board");
        let file = region::create_with(&path, &geometry, |file| {
            file.reserve_extents(0..geometry.extents(), |_| {})?;
            let core =
                Core::new(file.mapping.words(), &[], &Silent, &geometry).expect("as many words as needed");
            core.cut_reserve();
            core.raise_reserved(geometry.extents());
            Ok(())
        });
        let file = file.expect("a board");
        Self { folder, file }
    }

    /// A board with these words.
    pub fn with(words: &[u64]) -> Self {
        let place = Self::new();
        for (word, &value) in place.file.mapping.words().iter().zip(words) {
            // Relaxed: nobody else knows of the board yet.
            word.store(value, Ordering::Relaxed);
        }
        place
    }

    /// A copy of this board.
    pub fn copy(&self) -> Self {
        Self::with(&self.words())
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("board")
    }

    /// The geometry.
    pub fn geometry(&self) -> &Geometry {
        &self.file.geometry
    }

    /// The board, for this process.
    pub fn board(&self) -> Board {
        Board::options().beat(SELDOM).open(self.path()).expect("the board opens")
    }

    /// All words, as they stand.
    pub fn words(&self) -> Vec<u64> {
        // Relaxed: the child is stopped, and the kernel's stop ordered all its stores.
        self.file.mapping.words().iter().map(|word| word.load(Ordering::Relaxed)).collect()
    }

    /// Whether the words still stand so. This takes less time than reading them, and most instructions change none.
    pub fn is(&self, words: &[u64]) -> bool {
        let now = self.file.mapping.words();
        // Relaxed: as in `words`.
        now.len() == words.len()
            && now.iter().zip(words).all(|(now, &word)| now.load(Ordering::Relaxed) == word)
    }

    /// As [`Place::words`], into a buffer that is kept.
    pub fn read(&self, words: &mut Vec<u64>) {
        words.clear();
        words.extend(self.file.mapping.words().iter().map(|word| word.load(Ordering::Relaxed)));
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a board can be opened at this path.
pub fn opens(path: &Path) -> bool {
    region::open(path, Access::ReadOnly).is_ok()
}
