//! The clocks: boot time for deadlines and heartbeats, real time for timestamps that people read.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Nanoseconds since the machine booted, including the time it was suspended (`CLOCK_BOOTTIME`).
pub fn boottime_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::Boottime))
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
    fn a_time_before_the_epoch_is_zero() {
        assert_eq!(nanoseconds(Timespec { tv_sec: -1, tv_nsec: 0 }), 0);
        assert!(realtime_ns() > 0 && realtime_coarse_ns() > 0);
    }
}
