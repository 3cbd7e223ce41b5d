//! Reads a snapshot.

use super::{
    Disk, Record, check_head, failed,
    frame::{FileKind, Frame, FrameKind, Frames, HEAD_BYTES, Head, PAYLOAD_MAX, Step, half, word},
    save::{self, CHUNKS, DIGEST, ENTRIES, EXACT, SHAPE_OF_BOARD, VERSION_BASE},
};
use crate::error::{Error, ErrorKind, Result};
use lz4_flex::block::decompress_into;

/// What the end of a snapshot says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Footer {
    /// How many entries there are.
    pub entries: u64,
    /// How many chunks there are.
    pub chunks: u64,
    /// The digest of everything before.
    pub digest: u64,
    /// At least the version of every key that has no value.
    pub version_base: u64,
    /// Whether every entry is the one of the snapshot's generation.
    pub is_exact: bool,
    /// The board's geometry.
    pub shape: Vec<u8>,
}

impl Footer {
    fn read(payload: &[u8]) -> Option<Self> {
        let shape = payload.get(SHAPE_OF_BOARD..)?.to_vec();
        Some(Self {
            entries: word(payload, ENTRIES),
            chunks: word(payload, CHUNKS),
            digest: word(payload, DIGEST),
            version_base: word(payload, VERSION_BASE),
            is_exact: word(payload, EXACT) != 0,
            shape,
        })
    }
}

/// A snapshot whose checksums are all right.
#[derive(Debug)]
pub struct Snapshot {
    head: Head,
    footer: Footer,
    name: String,
}

impl Snapshot {
    /// Reads the whole file and compares every checksum. The inner error is the reason why the file is not a sound snapshot.
    ///
    /// # Errors
    /// `Incompatible` for a newer version; `Refused` for another board's; `Io`.
    pub fn open(disk: &dyn Disk, name: &str, board: u128) -> Result<Result<Self, String>> {
        let reading = |error| failed(disk, name, "read", error);
        let file = disk.open(name).map_err(|error| failed(disk, name, "opened", error))?;
        let mut frames = match Frames::open(file, FileKind::Snapshot).map_err(reading)? {
            Ok(frames) => frames,
            Err(bad) => return Ok(Err(bad.why().into())),
        };
        let head = *frames.head();
        check_head(disk, name, &head, board)?;
        let (mut chunks, mut digest) = (0, head.check);
        loop {
            let at = frames.offset();
            let damaged = |why: &str| Ok(Err(format!("{why}, at byte {at}")));
            match frames.next().map_err(reading)? {
                Step::Frame(Frame { kind: FrameKind::Chunk, number, check, .. }) if number == chunks => {
                    chunks += 1;
                    digest = save::digest(digest, check);
                }
                Step::Frame(Frame { kind: FrameKind::Footer, number, payload, .. }) => {
                    let Some(footer) = Footer::read(payload) else { return damaged("the footer is short") };
                    if number != chunks || footer.chunks != chunks || footer.digest != digest {
                        return damaged("the footer is not of these chunks");
                    }
                    if frames.offset() != frames.length() {
                        return damaged("something follows the footer");
                    }
                    return Ok(Ok(Self { head, footer, name: name.into() }));
                }
                Step::Frame(_) => return damaged("a frame stands where it does not belong"),
                Step::Damage(_) => return damaged("a checksum is wrong"),
                Step::End => return damaged("the file ends before its footer"),
            }
        }
    }

    /// The file's head.
    pub fn head(&self) -> &Head {
        &self.head
    }
    /// What the end of the file says.
    pub fn footer(&self) -> &Footer {
        &self.footer
    }
    /// The file's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Passes each entry to the closure. One chunk is in memory at a time.
    ///
    /// # Errors
    /// Those of the closure; `Corrupt` if the file changed since it was opened; `Io`.
    pub fn for_each(&self, disk: &dyn Disk, mut entry: impl FnMut(&Record<'_>) -> Result<()>) -> Result<()> {
        let reading = |error| failed(disk, &self.name, "read", error);
        let changed = || {
            Error::new(ErrorKind::Corrupt, "the snapshot was sound and now is not")
                .hint("recover again; check the disk")
                .at_path(&disk.path().join(&self.name))
        };
        let file = disk.open(&self.name).map_err(|error| failed(disk, &self.name, "opened", error))?;
        let frames = Frames::open(file, FileKind::Snapshot).map_err(reading)?;
        let mut frames = frames.ok().filter(|frames| *frames.head() == self.head).ok_or_else(changed)?;
        debug_assert_eq!(frames.offset(), HEAD_BYTES as u64);
        let (mut unpacked, mut entries) = (Vec::new(), 0);
        loop {
            match frames.next().map_err(reading)? {
                Step::Frame(Frame { kind: FrameKind::Chunk, packed, payload, .. }) => {
                    let mut bytes = match packed {
                        true => unpack(payload, &mut unpacked).ok_or_else(changed)?,
                        false => payload,
                    };
                    while !bytes.is_empty() {
                        let record = Record::read(&mut bytes).ok_or_else(changed)?;
                        entries += 1;
                        entry(&record)?;
                    }
                }
                Step::Frame(Frame { kind: FrameKind::Footer, .. }) if entries == self.footer.entries => {
                    return Ok(());
                }
                _ => return Err(changed()),
            }
        }
    }
}

/// A packed chunk, unpacked. A length that no chunk has is no reason to reserve memory.
fn unpack<'u>(payload: &[u8], unpacked: &'u mut Vec<u8>) -> Option<&'u [u8]> {
    let block = payload.get(4..)?;
    let length = half(payload, 0) as usize;
    // LZ4 makes at most 255 bytes of one.
    if length > PAYLOAD_MAX || length > block.len().saturating_mul(255) {
        return None;
    }
    unpacked.resize(length, 0);
    (decompress_into(block, unpacked).ok()? == length).then_some(&unpacked[..])
}
