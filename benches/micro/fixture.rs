//! A board with its keys, for every benchmark of slateboard.

use slateboard::{KeyHandle, Options, Session, Verify};
use std::{
    error::Error,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// An error ends a benchmark.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// What every key's name begins with.
pub const PREFIX: &str = "bench/";

/// A board with keys that have values of one size.
pub struct Filled {
    /// Ends before the folder goes.
    pub session: Session,
    /// The keys' names, all of one length, in the order in which they were put: not the order of keys.
    pub names: Vec<String>,
    /// Handles of the keys, in the same order.
    pub keys: Vec<KeyHandle>,
    /// The value of every key.
    pub value: Vec<u8>,
    /// The board's file.
    pub path: PathBuf,
    options: Options,
    _folder: TempDir,
}

impl Filled {
    /// A board in a new folder of `parent`. Each key in turn is put to, `puts` times in all, at least once each.
    pub fn new(parent: &Path, options: Options, keys: usize, size: usize, puts: usize) -> Outcome<Self> {
        let folder = tempfile::Builder::new().prefix("slate-bench-").tempdir_in(parent)?;
        let path = folder.path().join("board");
        let session = options.clone().create(&path)?.attach("bench")?;
        let digits = keys.max(10_000).ilog10() as usize;
        let names: Vec<String> =
            (0..keys).map(|number| format!("{PREFIX}{:0digits$}", number * 7_919 % keys)).collect();
        let value = vec![b'v'; size];
        for number in 0..keys.max(puts) {
            session.put(&names[number % keys], &value)?;
        }
        let keys = handles(&session, &names)?;
        Ok(Self { session, names, keys, value, path, options, _folder: folder })
    }

    /// A second session, which leaves checksums to the scrubber, and its handles of the keys.
    pub fn scrubbing(&self) -> Outcome<(Session, Vec<KeyHandle>)> {
        let session = self.options.clone().verify(Verify::Scrub).open(&self.path)?.attach("scrub")?;
        let keys = handles(&session, &self.names)?;
        Ok((session, keys))
    }
}

fn handles(session: &Session, names: &[String]) -> Outcome<Vec<KeyHandle>> {
    Ok(names.iter().map(|name| session.key(name)).collect::<slateboard::Result<_>>()?)
}

/// The folder for boards: on memory where there is one, since figures are not to be those of a disk.
pub fn memory() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.into() } else { std::env::temp_dir() }
}
