//! Reads one segment to its end.

use super::{
    Disk, check_head, failed,
    frame::{FileKind, Frame, FrameKind, Frames, Head, NUMBER_MAX, Step, word},
    names::SegmentName,
};
use crate::error::Result;

/// What a segment has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scan {
    /// Its head.
    pub head: Head,
    /// The last generation; the one before the first if there is none.
    pub last: u64,
    /// Up to this generation all is on disk for certain.
    pub synced: u64,
    /// Whether all bytes are frames.
    pub is_clean: bool,
    /// The bytes of the file.
    pub length: u64,
}

/// Opens a segment. The inner error is the reason why it cannot be read.
///
/// # Errors
/// `Incompatible` for a newer version; `Refused` for another board's; `Io`.
pub fn open(disk: &dyn Disk, segment: SegmentName, board: u128) -> Result<Result<Frames, String>> {
    let name = segment.to_string();
    let file = match disk.open(&name) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Err("it is gone".into())),
        other => other.map_err(|error| failed(disk, &name, "opened", error))?,
    };
    match Frames::open(file, FileKind::Segment).map_err(|error| failed(disk, &name, "read", error))? {
        Ok(frames) => {
            let head = frames.head();
            check_head(disk, &name, head, board)?;
            let is_its_own =
                (head.line, head.epoch, head.sequence) == (segment.line, segment.epoch, segment.sequence);
            Ok(if is_its_own { Ok(frames) } else { Err("it is another segment than its name says".into()) })
        }
        Err(bad) => Ok(Err(bad.why().into())),
    }
}

/// Reads a segment to its end. The inner error is the reason why it cannot be read.
///
/// # Errors
/// Those of [`open`].
pub fn scan(disk: &dyn Disk, name: SegmentName, board: u128) -> Result<Result<Scan, String>> {
    let mut frames = match open(disk, name, board)? {
        Ok(frames) => frames,
        Err(why) => return Ok(Err(why)),
    };
    let head = *frames.head();
    let before = head.generation.saturating_sub(1);
    let mut scan = Scan { head, last: before, synced: before, is_clean: true, length: frames.length() };
    loop {
        match frames.next().map_err(|error| failed(disk, &name.to_string(), "read", error))? {
            Step::Frame(Frame { kind: FrameKind::Event, number, .. }) => scan.last = scan.last.max(number),
            Step::Frame(Frame { kind: FrameKind::Gap, payload, .. }) => {
                let last = gap(payload).map_or(0, |(last, _)| last);
                scan.last = scan.last.max(last);
            }
            Step::Frame(Frame { kind: FrameKind::Synced, number, .. }) => {
                scan.synced = scan.synced.max(number)
            }
            Step::Frame(_) | Step::Damage(_) => scan.is_clean = false,
            Step::End => return Ok(Ok(scan)),
        }
    }
}

/// The place of the last generation of a gap.
pub const LAST: usize = 0;
/// The place of the generation of the snapshot that bridges the gap.
pub const BRIDGE: usize = 8;
/// The bytes of a gap.
pub const GAP_BYTES: usize = 16;

/// The last generation of a gap, and the generation of the snapshot that bridges it.
pub(super) fn gap(payload: &[u8]) -> Option<(u64, u64)> {
    let is_gap = payload.len() == GAP_BYTES && word(payload, LAST) <= NUMBER_MAX;
    is_gap.then(|| (word(payload, LAST), word(payload, BRIDGE)))
}
