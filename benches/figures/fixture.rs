//! A board with its keys, and the unprotected memory it is compared with.

use crate::Outcome;
use slateboard::{Board, KeyHandle, Options, Session, Verify};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Keys of every board here.
pub const KEYS: usize = 1_000;

/// A folder on memory where there is one: the figures are not the disk's.
pub fn folder() -> Outcome<TempDir> {
    let memory = Path::new("/dev/shm");
    let built = tempfile::Builder::new().prefix("slate-figures-").tempdir_in(memory);
    Ok(built.or_else(|_| tempfile::tempdir())?)
}

/// A board of a thousand keys with values of one size.
pub struct Filled {
    /// Sessions end before their folder goes.
    pub session: Session,
    /// As `session`, with checksums left to the scrubber.
    pub scrub: Session,
    pub names: Vec<String>,
    pub keys: Vec<KeyHandle>,
    pub scrub_keys: Vec<KeyHandle>,
    pub value: Vec<u8>,
    /// The keys' numbers in the order in which works use them: no prefetcher guesses it.
    pub order: Vec<usize>,
    _folder: TempDir,
}

impl Filled {
    pub fn new(options: Options, size: usize) -> Outcome<Self> {
        let folder = folder()?;
        let path: PathBuf = folder.path().join("board");
        let session = options.clone().create(&path)?.attach("figures")?;
        let scrub = options.verify(Verify::Scrub).open(&path)?.attach("scrub")?;
        let names: Vec<String> = (0..KEYS).map(|number| format!("bench/{number:04}")).collect();
        let value = vec![b'v'; size];
        for name in &names {
            session.put(name, &value)?;
        }
        let handles = |session: &Session| -> slateboard::Result<Vec<KeyHandle>> {
            names.iter().map(|name| session.key(name)).collect()
        };
        let (keys, scrub_keys) = (handles(&session)?, handles(&scrub)?);
        Ok(Self { session, scrub, keys, scrub_keys, value, order: order(), names, _folder: folder })
    }

    /// The number of the key for the `number`th repetition.
    pub fn at(&self, number: usize) -> usize {
        self.order[number % KEYS]
    }
}

/// Every key once, in an order without a pattern.
pub fn order() -> Vec<usize> {
    let mut order: Vec<usize> = (0..KEYS).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for last in (1..KEYS).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(last, (state >> 33) as usize % (last + 1));
    }
    order
}

/// The default board, or one that is large enough for a thousand values of this size and their history.
pub fn options(size: usize) -> Options {
    if size > 16 << 10 { Board::options().capacity(256 << 20) } else { Board::options() }
}
