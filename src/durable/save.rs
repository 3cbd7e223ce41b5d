//! Writes a snapshot.
//!
//! A name without an ending means that the file is verified and on disk: the bytes are written under a temporary name, synced, read
//! back and verified; then the file is renamed, the folder is synced, and only then older snapshots are removed.

use super::{
    Author, Disk, DiskFile, Record, Snapshot,
    disk::Held,
    failed,
    frame::{self, FileKind, FrameKind, HEAD_BYTES, Head, PAYLOAD_MAX},
    names::{self, NEW, Name},
};
use crate::error::{Error, ErrorKind, Result};
use lz4_flex::block::{compress_into, get_maximum_output_size};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The byte of the lock file that whoever saves, and whoever recovers, has locked.
pub const SAVING: u64 = 0;
/// How many snapshots stay.
pub const KEPT: usize = 3;
/// A chunk is written when it has as many bytes. The memory that a save takes is a few times this, and the longest value.
pub const CHUNK_BYTES: usize = 256 << 10;

/// The place of the number of entries in the footer.
pub const ENTRIES: usize = 0;
/// The place of the number of chunks.
pub const CHUNKS: usize = 8;
/// The place of the digest.
pub const DIGEST: usize = 16;
/// The place of the version base.
pub const VERSION_BASE: usize = 24;
/// The place of whether the snapshot is exact.
pub const EXACT: usize = 32;
/// The place of the board's geometry.
pub const SHAPE_OF_BOARD: usize = 40;

/// What is known when the last entry is written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct About {
    /// Whether every entry is the one of the snapshot's generation. Otherwise some may be newer.
    pub is_exact: bool,
    /// At least the version of every key that has no value.
    pub version_base: u64,
    /// The board's geometry.
    pub shape: Vec<u8>,
}

/// A snapshot that was saved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Saved {
    /// The file's name.
    pub name: String,
    /// The snapshot's generation.
    pub generation: u64,
    /// How many entries it has.
    pub entries: u64,
    /// The bytes of the file.
    pub bytes: u64,
}

/// A snapshot that is being written. If it is dropped before [`Save::finish`], nothing is left of it.
#[derive(Debug)]
pub struct Save<'d> {
    disk: &'d dyn Disk,
    _held: Box<dyn Held>,
    head: Head,
    file: Box<dyn DiskFile>,
    name: String,
    is_packing: bool,
    is_done: bool,
    /// The entries of the next chunk.
    chunk: Vec<u8>,
    frame: Vec<u8>,
    written: u64,
    entries: u64,
    chunks: u64,
    digest: u64,
}

/// The digest with one more chunk, whose check is given.
pub fn digest(digest: u64, check: u64) -> u64 {
    xxh3_64_with_seed(&check.to_le_bytes(), digest)
}

impl<'d> Save<'d> {
    /// Begins a snapshot of a generation. Returns `None` if another process is saving or recovering.
    ///
    /// # Errors
    /// `Full`, `Io`.
    pub fn begin(disk: &'d dyn Disk, author: &Author, generation: u64) -> Result<Option<Self>> {
        let held = disk.lock(SAVING).map_err(|error| failed(disk, super::disk::LOCK, "locked", error))?;
        let Some(held) = held else { return Ok(None) };
        remove_leftovers(disk)?;
        let name = Name::Snapshot(author.line, generation).to_string();
        let mut head = Head::new(author, generation, 0, 0);
        let bytes = head.pack(FileKind::Snapshot);
        let new = format!("{name}{NEW}");
        let file = disk.create(&new).map_err(|error| failed(disk, &new, "created", error))?;
        let mut save = Self {
            disk,
            _held: held,
            head,
            file,
            name,
            is_packing: true,
            is_done: false,
            chunk: Vec::with_capacity(CHUNK_BYTES),
            frame: Vec::new(),
            written: 0,
            entries: 0,
            chunks: 0,
            digest: head.check,
        };
        save.append(&bytes)?;
        Ok(Some(save))
    }

    /// Sets whether chunks are packed, if that makes them smaller.
    #[must_use]
    pub fn packing(mut self, is_packing: bool) -> Self {
        self.is_packing = is_packing;
        self
    }

    fn new_name(&self) -> String {
        format!("{}{NEW}", self.name)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.append(bytes).map_err(|error| failed(self.disk, &self.new_name(), "written", error))?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// `ValueTooLarge` if no chunk has room for it; `Full`, `Io`.
    pub fn entry(&mut self, record: &Record<'_>) -> Result<()> {
        let bytes = record.bytes();
        if bytes > PAYLOAD_MAX {
            let what = format!("an entry of {bytes} bytes is longer than a snapshot can have");
            return Err(Error::new(ErrorKind::ValueTooLarge, what).on_key(record.key));
        }
        if self.chunk.len() + bytes > CHUNK_BYTES.max(bytes) {
            self.write_chunk()?;
        }
        record.write(&mut self.chunk);
        self.entries += 1;
        Ok(())
    }

    fn write_chunk(&mut self) -> Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let (place, chunk) = ((self.head.salt, self.written), &self.chunk);
        let mut frame = std::mem::take(&mut self.frame);
        frame.clear();
        let check = frame::write(&mut frame, place, (FrameKind::Chunk, self.chunks), |out| {
            let is_packed = self.is_packing && pack(chunk, out);
            if !is_packed {
                out.extend_from_slice(chunk);
            }
            is_packed
        });
        self.digest = digest(self.digest, check);
        self.chunks += 1;
        self.append(&frame)?;
        self.frame = frame;
        self.chunk.clear();
        Ok(())
    }

    /// Writes the end, verifies everything, gives the file its name, and removes all but the last three snapshots.
    ///
    /// # Errors
    /// `Corrupt` if what is read back is not what was written; `Full`, `Io`. Older snapshots are there as before, then.
    pub fn finish(mut self, about: &About) -> Result<Saved> {
        self.write_chunk()?;
        let mut footer = Vec::new();
        frame::write(&mut footer, (self.head.salt, self.written), (FrameKind::Footer, self.chunks), |out| {
            let numbers =
                [self.entries, self.chunks, self.digest, about.version_base, u64::from(about.is_exact)];
            numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
            out.extend_from_slice(&about.shape);
            false
        });
        self.append(&footer)?;
        let new = self.new_name();
        self.file.sync().map_err(|error| failed(self.disk, &new, "synced", error))?;
        self.verify(&new)?;
        self.disk
            .rename(&new, &self.name)
            .map_err(|error| failed(self.disk, &new, "renamed to its name", error))?;
        self.is_done = true;
        if let Err(error) = self.disk.sync_folder() {
            // Nobody knows whether the name is on disk. A name that is there means that it is.
            let _ = self.disk.remove(&self.name);
            return Err(failed(self.disk, &self.name, "made permanent: syncing the folder failed", error));
        }
        remove_older(self.disk)?;
        let Self { written: bytes, entries, head, .. } = self;
        debug_assert!(bytes > HEAD_BYTES as u64, "a head and a footer");
        Ok(Saved { name: self.name.clone(), generation: head.generation, entries, bytes })
    }

    /// Reads the file back.
    fn verify(&self, name: &str) -> Result<()> {
        let wrong = |why: &str| {
            Err(Error::new(ErrorKind::Corrupt, format!("what was written is not what is read back: {why}"))
                .hint("check the disk; older snapshots are kept")
                .at_path(&self.disk.path().join(name)))
        };
        match Snapshot::open(self.disk, name, self.head.board)? {
            Err(why) => wrong(&why),
            Ok(snapshot) if snapshot.footer().digest != self.digest => wrong("it is another snapshot"),
            Ok(_) => Ok(()),
        }
    }
}

impl Drop for Save<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            let _ = self.disk.remove(&self.new_name());
        }
    }
}

/// Appends the bytes packed, if that makes them smaller by an eighth.
fn pack(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    let begin = out.len();
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    let block = out.len();
    out.resize(block + get_maximum_output_size(bytes.len()), 0);
    let length = compress_into(bytes, &mut out[block..]).unwrap_or(usize::MAX);
    let is_smaller = length <= bytes.len() - bytes.len() / 8;
    out.truncate(if is_smaller { block + length } else { begin });
    is_smaller
}

/// Removes what killed writers left. Whoever calls this holds the byte [`SAVING`], so nobody is writing.
pub(super) fn remove_leftovers(disk: &dyn Disk) -> Result<()> {
    let names = disk.list().map_err(|error| failed(disk, "", "listed", error))?;
    let is_ours = |name: &&String| name.strip_suffix(NEW).and_then(Name::parse).is_some();
    for name in names.iter().filter(is_ours) {
        disk.remove(name).map_err(|error| failed(disk, name, "removed", error))?;
    }
    Ok(())
}

/// Removes all but the last three snapshots. Each has its name because it was verified.
fn remove_older(disk: &dyn Disk) -> Result<()> {
    let names = disk.list().map_err(|error| failed(disk, "", "listed", error))?;
    for (line, generation) in names::snapshots(&names).into_iter().skip(KEPT).rev() {
        let name = Name::Snapshot(line, generation).to_string();
        disk.remove(&name).map_err(|error| failed(disk, &name, "removed", error))?;
    }
    Ok(())
}
