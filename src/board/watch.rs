//! Waiting for changes.

use super::{Event, Events, Reader};
use crate::{error::Result, protocol::wake, region::futex};
use std::time::{Duration, Instant};

/// How to wait for a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Wait {
    /// Polls, for the lowest latency at the price of a core.
    Spin,
    /// Polls for 20 µs, then sleeps until it is woken.
    #[default]
    Adaptive,
    /// Sleeps until it is woken.
    Sleep,
}

/// Polling before sleeping.
const SPIN: Duration = Duration::from_micros(20);
/// Longest sleep: a wake that was lost to a kill delays, and does not hang.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// Sleeps of those who cannot be woken, growing.
const NAP_MIN: Duration = Duration::from_millis(1);
const NAP_MAX: Duration = Duration::from_millis(50);

/// Follows the changes of the keys that start with a prefix, in the order of the history.
pub struct Watch {
    reader: Reader,
    prefix: String,
    wait: Wait,
    events: Events,
}

impl Watch {
    pub(super) fn new(reader: Reader, prefix: &str) -> Self {
        let events = reader.events(reader.generation());
        Self { reader, prefix: prefix.to_owned(), wait: Wait::default(), events }
    }

    /// Begins after this generation, instead of in the present.
    #[must_use]
    pub fn since(mut self, generation: u64) -> Self {
        self.events = self.reader.events(generation);
        self
    }

    /// How to wait.
    #[must_use]
    pub fn wait(mut self, wait: Wait) -> Self {
        self.wait = wait;
        self
    }

    /// The generation up to which events were looked at: where to resume.
    pub fn generation(&self) -> u64 {
        self.events.generation()
    }

    /// The next event, waiting for it at most for `timeout`; `None` when that passed.
    ///
    /// # Errors
    /// `Lagged`, with the events that were missed: the next call goes on. `Corrupt` for a damaged event,
    /// which the next call skips. `Moved`; `Forked`.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Event>> {
        let deadline = deadline(timeout);
        let shard = self.shard()?;
        loop {
            if let Some(shard) = shard {
                self.events.skip_others(shard)?;
            }
            let prefix = self.prefix.as_bytes();
            if let Some(event) = self.events.next_where(|key| key.starts_with(prefix))? {
                return Ok(Some(event));
            }
            let counter = shard.map_or(wake::BOARD, |shard| 1 + shard);
            if has_passed(deadline)
                || !wait_for(&self.reader, counter, self.generation().saturating_add(1), self.wait, deadline)?
            {
                return Ok(None);
            }
        }
    }

    /// The shard that has all of the prefix's keys, where there is but one.
    fn shard(&self) -> Result<Option<usize>> {
        let core = self.reader.core()?;
        let shards = core.geometry().shards_of_prefix(&self.prefix);
        Ok((shards.len() == 1).then_some(shards.start))
    }
}

impl Iterator for Watch {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        Watch::next(self, Duration::MAX).transpose()
    }
}

/// The instant when the timeout has passed; `None` for never.
pub(super) fn deadline(timeout: Duration) -> Option<Instant> {
    Instant::now().checked_add(timeout)
}

pub(super) fn has_passed(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

/// Waits until the counter and the board's are at least `wanted`. `false` when the deadline passed first.
/// May return early, so that a loop around it must look at the deadline itself.
pub(super) fn wait_for(
    reader: &Reader,
    counter: usize,
    wanted: u64,
    wait: Wait,
    deadline: Option<Instant>,
) -> Result<bool> {
    if wait != Wait::Sleep && spin(reader, counter, wanted, wait, deadline)? {
        return Ok(true);
    }
    let mut nap = NAP_MIN;
    // A counter that is damaged, or whose raiser was stopped, says nothing: now and then the caller looks
    // for itself.
    let look_again = Instant::now() + SLEEP_MAX;
    loop {
        let core = reader.core()?;
        let seen = core.ask_wake(counter);
        let counted = core.generation() >= wanted;
        if seen >= wanted && counted {
            return Ok(true);
        }
        if has_passed(deadline) {
            return Ok(false);
        }
        if Instant::now() >= look_again {
            return Ok(true);
        }
        let left = deadline.map_or(SLEEP_MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
        // A shard's counter is raised before the board's, by one who may be stopped in between: then there
        // is nothing to be woken by.
        if core.can_wake() && seen < wanted {
            futex::wait(core.counter(counter), seen as u32, left.min(SLEEP_MAX));
        } else {
            std::thread::sleep(left.min(nap));
            nap = (nap * 2).min(NAP_MAX);
        }
    }
}

/// Polls the counter: for ever, or for the time that a sleep would cost.
fn spin(reader: &Reader, counter: usize, wanted: u64, wait: Wait, deadline: Option<Instant>) -> Result<bool> {
    let started = Instant::now();
    loop {
        let core = reader.core()?;
        for _ in 0..64 {
            if core.counter_value(counter) >= wanted && core.generation() >= wanted {
                return Ok(true);
            }
            crate::sync::pause();
        }
        if has_passed(deadline) || (wait == Wait::Adaptive && started.elapsed() >= SPIN) {
            return Ok(false);
        }
        if started.elapsed() >= SLEEP_MAX {
            return Ok(true);
        }
    }
}
