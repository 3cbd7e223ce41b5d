//! What an update makes of an entry, and how it tries again.

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

/// What an update makes of an entry. What it does not name stays as it is.
pub(super) struct Next<V> {
    pub(super) value: V,
    pub(super) codec: Option<u8>,
    /// A time to live from now on: the value is the one that stands.
    pub(super) ttl: Option<Duration>,
}

impl<V> Next<V> {
    pub(super) fn value(value: V) -> Self {
        Self { value, codec: None, ttl: None }
    }
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

    /// Pauses with jitter, and doubles the pause. Short ones spin: a sleep would take fifty times as long.
    pub(super) fn wait(&self, pause: &mut Duration) {
        let started = Instant::now();
        let jitter = boottime_ns() % 1024;
        let time = pause.mul_f64(0.5 + jitter as f64 / 2048.0);
        if time < Duration::from_micros(50) {
            while started.elapsed() < time {
                crate::sync::pause();
            }
        } else {
            std::thread::sleep(time);
        }
        *pause = pause.saturating_mul(2).min(self.max);
    }
}
