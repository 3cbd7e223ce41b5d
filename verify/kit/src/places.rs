//! Places of boards: a temporary folder for each, with a unique name, so that tests run beside each other and leave
//! nothing behind.

use slateboard::{Board, Options};
use std::{
    io,
    path::{Path, PathBuf},
};
pub use tempfile::TempDir;

/// A folder of the caller's own, and the path of a board in it.
pub fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("board");
    (folder, path)
}

/// A folder in memory where the machine has one: the pages of a board on a disk would be written back all the time.
pub fn memory_folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a temporary folder")
}

/// A board that is soon full, with a history that is soon over.
pub fn small() -> Options {
    Board::options().capacity(1 << 20).keys(512).history(64).sessions(8)
}

/// The words of a board's file.
///
/// # Errors
/// The file cannot be read, or ends within a word.
pub fn words(path: &Path) -> io::Result<Vec<u64>> {
    let bytes = std::fs::read(path)?;
    let (words, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(io::Error::other(format!("{} ends within a word", path.display())));
    }
    Ok(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
}

/// How many rounds a test of random moments makes: more where `SLATE_TEST_ROUNDS` says so.
pub fn rounds(usual: u32) -> u32 {
    std::env::var("SLATE_TEST_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}
