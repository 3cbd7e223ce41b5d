//! A board with its keys. What goes wrong here ends the benchmark.

use slateboard::{Board, KeyHandle, Options, Session, Verify};
use std::path::Path;
use tempfile::TempDir;

/// Keys of a board, unless a benchmark is about their number.
pub const KEYS: usize = 1_000;
/// Sizes of values, bytes.
pub const SIZES: [usize; 5] = [8, 64, 1 << 10, 16 << 10, 64 << 10];

/// A board with keys of one size.
pub struct Filled {
    /// Sessions end before their folder goes.
    pub session: Session,
    /// As `session`, with checksums left to the scrubber.
    pub scrub: Session,
    pub names: Vec<String>,
    pub keys: Vec<KeyHandle>,
    pub scrub_keys: Vec<KeyHandle>,
    pub value: Vec<u8>,
    _folder: TempDir,
}

impl Filled {
    /// A board whose history is full of puts to these keys.
    pub fn new(keys: usize, size: usize) -> Self {
        let folder = folder();
        let path = folder.path().join("board");
        let options = options(size);
        let session = options.clone().create(&path).unwrap().attach("micro").unwrap();
        let scrub = options.verify(Verify::Scrub).open(&path).unwrap().attach("scrub").unwrap();
        // A stride that is no neighbour: keys are met in an order that no prefetcher guesses.
        let names: Vec<String> =
            (0..keys).map(|number| format!("bench/{:06}", number * 7919 % keys)).collect();
        let value = vec![b'v'; size];
        for number in 0..keys.max(HISTORY as usize + 100) {
            session.put(&names[number % keys], &value).unwrap();
        }
        let handles =
            |session: &Session| names.iter().map(|name| session.key(name).unwrap()).collect::<Vec<_>>();
        let (keys, scrub_keys) = (handles(&session), handles(&scrub));
        Self { session, scrub, names, keys, scrub_keys, value, _folder: folder }
    }
}

/// Events of history: a put at full history lets one go, which is the steady state.
const HISTORY: u64 = 2_048;

fn options(size: usize) -> Options {
    let capacity = if size > 16 << 10 { 512 << 20 } else { 64 << 20 };
    Board::options().capacity(capacity).history(HISTORY)
}

/// A folder on memory where there is one.
pub fn folder() -> TempDir {
    let built = tempfile::Builder::new().prefix("slate-micro-").tempdir_in(Path::new("/dev/shm"));
    built.or_else(|_| tempfile::tempdir()).unwrap()
}

/// A size as it is named.
pub fn label(size: usize) -> String {
    if size >= 1 << 10 { format!("{} KiB", size >> 10) } else { format!("{size} B") }
}

/// The numbers of the keys, round and round.
pub fn round(keys: usize) -> impl FnMut() -> usize {
    let mut next = 0;
    move || {
        next = if next + 1 == keys { 0 } else { next + 1 };
        next
    }
}
