//! Segments that a snapshot covers become the archive; the archive stays within what the journal may take.

use super::{
    Disk, failed,
    journal::{EPOCHS, Limits},
    names::{self, Name, SegmentName},
    segment,
};
use crate::error::{Error, ErrorKind, Result};

/// Archives the segments of which a verified snapshot, of this line and generation, has everything; then removes the oldest of
/// the archive until all segments are within the limit. Returns how many bytes are left.
///
/// # Errors
/// `Full` if what no snapshot covers is beyond the limit by itself; `Incompatible`, `Refused`, `Io`.
pub fn prune(disk: &dyn Disk, board: u128, covered: (u32, u64), limits: Limits) -> Result<u64> {
    let names = disk.list().map_err(|error| failed(disk, "", "listed", error))?;
    let segments = names::segments(&names);
    let newest = segments.iter().map(|name| name.epoch).max();
    for (at, name) in segments.iter().enumerate().filter(|(_, name)| !name.is_archived) {
        let next = segments.get(at + 1).filter(|next| (next.line, next.epoch) == (name.line, name.epoch));
        // A segment that others follow has nothing that they have not: they begin after all that was on disk.
        let (last, held) = match next {
            Some(next) => match segment::open(disk, *next, board)? {
                Ok(frames) => (frames.head().generation - 1, None),
                Err(_) => continue,
            },
            None if Some(name.epoch) == newest => continue,
            None => {
                // Its writer may be stopped, and go on in it.
                let byte = EPOCHS + name.epoch;
                let held = disk.lock(byte).map_err(|error| failed(disk, "lock", "locked", error))?;
                match (segment::scan(disk, *name, board)?, held) {
                    (Ok(scan), Some(held)) => (scan.last, Some(held)),
                    _ => continue,
                }
            }
        };
        if (name.line, last) <= covered {
            let archived = SegmentName { is_archived: true, ..*name };
            disk.rename(&name.to_string(), &archived.to_string())
                .map_err(|error| failed(disk, &name.to_string(), "archived", error))?;
        }
        drop(held);
    }
    trim(disk, limits.total_bytes)
}

/// Makes room for one more segment.
pub(super) fn make_room(disk: &dyn Disk, limits: Limits) -> Result<()> {
    trim(disk, limits.total_bytes.saturating_sub(limits.segment_bytes)).map(|_| ())
}

/// Removes the oldest of the archive until all segments have at most as many bytes. Returns how many they have then.
fn trim(disk: &dyn Disk, most: u64) -> Result<u64> {
    let names = disk.list().map_err(|error| failed(disk, "", "listed", error))?;
    let mut sizes = Vec::new();
    for name in names.iter().filter_map(|name| match Name::parse(name)? {
        Name::Segment(name) => Some(name),
        Name::Snapshot(..) => None,
    }) {
        let text = name.to_string();
        match disk.open(&text).and_then(|file| file.length()) {
            Ok(length) => sizes.push((name, length)),
            // Another process removed or renamed it.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(disk, &text, "measured", error)),
        }
    }
    sizes.sort_unstable();
    let mut total: u64 = sizes.iter().map(|(_, length)| length).sum();
    for (name, length) in sizes.iter().filter(|(name, _)| name.is_archived) {
        if total <= most {
            break;
        }
        let text = name.to_string();
        disk.remove(&text).map_err(|error| failed(disk, &text, "removed", error))?;
        total -= length;
    }
    if total > most {
        let what = format!("the journal has {total} bytes that no snapshot covers, and may have {most}");
        return Err(Error::new(ErrorKind::Full, what).hint("save a snapshot").at_path(disk.path()));
    }
    Ok(total)
}
