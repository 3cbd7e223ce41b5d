//! How often, and with what pauses, an update is tried again.

use crate::region::boottime_ns;
use std::time::{Duration, Instant};

/// How often and with what pauses `update` tries again after losing to another writer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retry {
    /// Attempts in all: 1 or more.
    pub attempts: u32,
    /// First pause; it doubles, with jitter, up to the longest.
    pub base: Duration,
    /// Longest pause.
    pub max: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 16, base: Duration::from_micros(1), max: Duration::from_millis(1) }
    }
}

impl Retry {
    /// As often as it takes.
    pub const UNLIMITED: Self =
        Self { attempts: u32::MAX, base: Duration::from_micros(1), max: Duration::from_millis(1) };

    /// The pauses of one update.
    pub(super) fn pauses(&self) -> Pauses {
        Pauses { next: self.base.min(self.max), max: self.max }
    }
}

/// Pauses that double.
pub(super) struct Pauses {
    next: Duration,
    max: Duration,
}

impl Pauses {
    /// Pauses with jitter, and doubles the pause. Short ones spin: a sleep would take fifty times as long.
    pub(super) fn wait(&mut self) {
        let started = Instant::now();
        let jitter = boottime_ns() % 1024;
        let time = self.next.mul_f64(0.5 + jitter as f64 / 2048.0);
        if time < Duration::from_micros(50) {
            while started.elapsed() < time {
                crate::sync::pause();
            }
        } else {
            std::thread::sleep(time);
        }
        self.next = self.next.saturating_mul(2).min(self.max);
    }
}
