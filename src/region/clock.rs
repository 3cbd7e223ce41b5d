//! The clocks: boot time for deadlines and heartbeats, real time for timestamps that people read.
//!
//! A container may have a time namespace, in which `CLOCK_BOOTTIME` differs from the machine's by an offset. Deadlines and
//! heartbeats on a board are in the machine's boot time, so that they mean the same in every container. The offset is read
//! when a board is opened, because a process can change its time namespace only while it has a single thread, or by a
//! fork, and a forked child opens its boards anew.

use crate::{
    error::{Error, Result},
    sync::{AtomicU64, Ordering},
};
use rustix::{
    io::Errno,
    time::{ClockId, Timespec, clock_gettime},
};
use std::{fs, path::Path};

/// What this process's `CLOCK_BOOTTIME` is ahead of the machine's, in nanoseconds, modulo 2^64. A value of the process,
/// like its time namespace.
static AHEAD_NS: AtomicU64 = AtomicU64::new(0);

/// Nanoseconds since the machine booted, including the time it was suspended: `CLOCK_BOOTTIME` of the initial time
/// namespace.
#[inline]
pub fn boottime_ns() -> u64 {
    // Relaxed: the word carries nothing but itself.
    nanoseconds(clock_gettime(ClockId::Boottime)).wrapping_sub(AHEAD_NS.load(Ordering::Relaxed))
}

/// Finds out how this process's boot time differs from the machine's. Called before a board is used.
///
/// # Errors
/// `Io` if the process has no descriptor or memory left for the question.
pub fn settle() -> Result<()> {
    let link = |name: &str| fs::read_link(Path::new("/proc/self/ns").join(name)).ok();
    if link("time") != link("time_for_children") {
        // This process has made a namespace for its children, and the file tells their offset.
        return Ok(());
    }
    let ahead_ns = match fs::read_to_string("/proc/self/timens_offsets") {
        Ok(offsets) => boottime_offset(&offsets).unwrap_or(0),
        Err(error) => match Errno::from_io_error(&error) {
            Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM) => {
                return Err(Error::io("the offset of the boot time could not be read", error));
            }
            // There is no such file without time namespaces. Where /proc is hidden, the machine's time is assumed.
            _ => 0,
        },
    };
    AHEAD_NS.store(ahead_ns, Ordering::Relaxed);
    Ok(())
}

/// The offset of the boot time in the text of `timens_offsets`, in nanoseconds, modulo 2^64. A line has the name of a clock, seconds
/// and nanoseconds. Seconds may be negative.
fn boottime_offset(offsets: &str) -> Option<u64> {
    let mut fields =
        offsets.lines().find_map(|line| line.trim().strip_prefix("boottime"))?.split_ascii_whitespace();
    let seconds: i64 = fields.next()?.parse().ok()?;
    let nanoseconds: i64 = fields.next()?.parse().ok()?;
    Some(seconds.wrapping_mul(1_000_000_000).wrapping_add(nanoseconds).cast_unsigned())
}

/// Nanoseconds since 1970 (`CLOCK_REALTIME`); 0 while the clock is set before that.
pub fn realtime_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::Realtime))
}

/// Nanoseconds since 1970 at the kernel's last tick, which was at most 1 to 10 ms ago (`CLOCK_REALTIME_COARSE`). Reading
/// this clock takes a fifth of the time of [`realtime_ns`]. It serves for the time in records, whose order the generation
/// gives.
#[inline]
pub fn realtime_coarse_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::RealtimeCoarse))
}

fn nanoseconds(time: Timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no boot time")]
    fn boot_time_does_not_go_back() {
        let first = boottime_ns();
        assert!(first > 0 && boottime_ns() >= first);
    }

    #[test]
    fn the_offset_of_a_time_namespace_is_read_with_its_sign() {
        let text = |boottime: &str| format!("monotonic           7         8\nboottime {boottime}\n");
        for (boottime, expected) in [
            ("           0         0", Some(0)),
            ("       86400        25", Some(86_400_000_000_025)),
            ("-1 500000000", Some(500_000_000_u64.wrapping_neg())),
            ("x 0", None),
            ("1", None),
        ] {
            assert_eq!(boottime_offset(&text(boottime)), expected, "{boottime}");
        }
        assert_eq!(boottime_offset(""), None);
    }

    #[test]
    fn a_time_before_the_epoch_is_zero() {
        assert_eq!(nanoseconds(Timespec { tv_sec: -1, tv_nsec: 0 }), 0);
        assert!(realtime_ns() > 0 && realtime_coarse_ns() > 0);
    }
}
