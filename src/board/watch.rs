//! Waiting for changes.

use super::{Event, Events, Newer, Reader, event::is_lost, region::Region};
use crate::{
    entry::{Deadline, Entry},
    error::Result,
    protocol::{Core, wake},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How to wait for a change.
///
/// # Examples
/// See [`Watch::wait`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Wait {
    /// Polls all the time. This gives the lowest latency and occupies a core.
    Spin,
    /// Polls for 20 µs, then sleeps until a writer wakes it. Polls again only after an event came. If a writer is stopped
    /// just before it wakes others, a waiter is delayed by 1 s, or by up to 4 s after a long sleep.
    #[default]
    Adaptive,
    /// Sleeps at once until a writer wakes it, as `Adaptive` does.
    Sleep,
}

/// How long a waiter polls before it sleeps.
const SPIN: Duration = Duration::from_micros(20);
/// After this time a waiter wakes by itself and looks for events. The time doubles while none come. So a wake that was
/// lost because its writer was killed delays a waiter, but does not block it forever.
pub(super) const LOOK_MIN: Duration = Duration::from_secs(1);
/// How often the time doubles: up to 4 s.
const DOUBLINGS: u32 = 2;
/// The first and the longest sleep of a waiter that cannot be woken.
pub(super) const NAP_MIN: Duration = Duration::from_millis(1);
pub(super) const NAP_MAX: Duration = Duration::from_millis(50);

/// Follows the changes of the keys that start with a prefix, in the order of the history: [`Reader::watch`].
///
/// It is an iterator that blocks until the next event. [`Watch::next_timeout`] blocks for a limited time,
/// [`Watch::pollable`] makes a descriptor of it, and `Watch::stream` (feature `stream`) a stream. The iterator ends only
/// after an error of kind `Moved` or `Forked`.
///
/// # Examples
/// ```
/// let session = slateboard::Board::local()?.attach("planner")?;
/// let mut tasks = session.watch("task/");
/// session.put("task/1", "open")?;
/// session.put("team/plan", "ship")?;
/// session.put("task/1", "done")?;
/// let values: Vec<_> = tasks.by_ref().take(2).map(|event| event.unwrap().mutations[0].value.clone()).collect();
/// assert_eq!(values, [Some(b"open".to_vec()), Some(b"done".to_vec())]);
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Debug)]
pub struct Watch {
    reader: Reader,
    prefix: String,
    waiting: Waiting,
    events: Events,
    /// Whether the handle was lost and the iterator has returned that error.
    over: bool,
}

impl Watch {
    pub(super) fn new(reader: Reader, prefix: &str) -> Self {
        let events = reader.events(reader.generation());
        Self {
            reader,
            prefix: prefix.to_owned(),
            waiting: Waiting::new(Wait::default()),
            events,
            over: false,
        }
    }

    /// Starts after this generation instead of at the present.
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let first = session.put("task/1", "open")?.generation;
    /// session.put("task/2", "open")?;
    /// let event = session.watch("task/").since(first).next().unwrap()?;
    /// assert_eq!(event.mutations[0].key, "task/2");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use]
    pub fn since(mut self, generation: u64) -> Self {
        self.events = self.reader.events(generation);
        self
    }

    /// Sets how to wait.
    ///
    /// # Examples
    /// ```
    /// use slateboard::{Board, Wait};
    ///
    /// let session = Board::local()?.attach("planner")?;
    /// let mut tasks = session.watch("task/").wait(Wait::Sleep);
    /// session.put("task/1", "open")?;
    /// assert!(tasks.next().unwrap().is_ok());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use]
    pub fn wait(mut self, wait: Wait) -> Self {
        self.waiting = Waiting::new(wait);
        self
    }

    /// The generation up to which events were read. [`Watch::since`] resumes there.
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let mut tasks = session.watch("task/");
    /// session.put("task/1", "open")?;
    /// tasks.next().unwrap()?;
    /// session.put("task/2", "open")?;
    /// let mut later = session.watch("task/").since(tasks.generation());
    /// assert_eq!(later.next().unwrap()?.mutations[0].key, "task/2");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn generation(&self) -> u64 {
        self.events.generation()
    }

    /// Waits for the next event, at most for `timeout`. Returns `None` when the timeout has passed.
    ///
    /// # Errors
    /// `Lagged`, with the number of events that were missed; the next call continues after them. `Corrupt` for a damaged
    /// event, which the next call skips. `Moved`; `Forked`.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let mut tasks = session.watch("task/");
    /// assert_eq!(tasks.next_timeout(Duration::from_millis(1))?, None);
    /// session.put("task/1", "open")?;
    /// assert!(tasks.next_timeout(Duration::from_secs(10))?.is_some());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn next_timeout(&mut self, timeout: Duration) -> Result<Option<Event>> {
        let deadline = deadline(timeout);
        loop {
            if let Some(event) = self.read()? {
                self.waiting.looks = 0;
                return Ok(Some(event));
            }
            let (counter, wanted) = self.wanted()?;
            if has_passed(deadline)
                || !self.waiting.wait_for(&self.reader, counter, wanted, deadline, Duration::MAX)?
            {
                return Ok(None);
            }
        }
    }

    /// The next event, if it has happened.
    pub(super) fn read(&mut self) -> Result<Option<Event>> {
        if let Some(shard) = self.shard()? {
            self.events.skip_others(shard)?;
        }
        let prefix = self.prefix.as_bytes();
        self.events.next_where(|key| key.starts_with(prefix))
    }

    /// The counter that the next event raises, and the value that it then has at least.
    pub(super) fn wanted(&self) -> Result<(usize, u64)> {
        let counter = self.shard()?.map_or(wake::BOARD, |shard| 1 + shard);
        Ok((counter, self.generation().saturating_add(1)))
    }

    pub(super) fn region(&self) -> &Arc<Region> {
        &self.reader.region
    }

    /// The shard of all keys with the prefix; `None` if they are in several shards.
    fn shard(&self) -> Result<Option<usize>> {
        let core = self.reader.core()?;
        let shards = core.geometry().shards_of_prefix(&self.prefix);
        Ok((shards.len() == 1).then_some(shards.start))
    }
}

impl Iterator for Watch {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.next_timeout(Duration::MAX);
        self.over = next.as_ref().is_err_and(is_lost);
        next.transpose()
    }
}

/// Waits until `get`, which reads the key, finds a version newer than `newer_than`, or finds the key removed. Returns
/// `None` if the timeout passes first.
///
/// # Errors
/// Those of `get`.
pub(super) fn wait_newer(
    reader: &Reader,
    shard: usize,
    newer_than: u64,
    timeout: Duration,
    mut get: impl FnMut() -> Result<Option<Entry>>,
) -> Result<Option<Newer>> {
    let deadline = deadline(timeout);
    let mut waiting = Waiting::new(Wait::default());
    loop {
        // The counter is loaded before the read: a change after the read raises it further.
        let seen = reader.core()?.shard_changes(shard);
        let expires = match get()? {
            Some(entry) if entry.version > newer_than => return Ok(Some(Newer::Value(entry))),
            None if newer_than > 0 => return Ok(Some(Newer::Removed)),
            found => found.and_then(|entry| entry.deadline),
        };
        // No wake announces the end of a time to live.
        let lives = expires.map_or(Duration::MAX, Deadline::remaining);
        let wanted = seen.saturating_add(1);
        if has_passed(deadline) || !waiting.wait_for(reader, 1 + shard, wanted, deadline, lives)? {
            return Ok(None);
        }
    }
}

/// The instant when the timeout has passed; `None` for never.
fn deadline(timeout: Duration) -> Option<Instant> {
    Instant::now().checked_add(timeout)
}

fn has_passed(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

/// What a loop that waits keeps from one look to the next.
#[derive(Debug)]
struct Waiting {
    wait: Wait,
    /// How often this waiter looked since the last event.
    looks: u32,
}

impl Waiting {
    fn new(wait: Wait) -> Self {
        Self { wait, looks: 0 }
    }

    /// Waits until the counter and the newest generation are at least `wanted`. Returns `false` if the deadline passes
    /// first. May return early, at the latest after `look_in`, so a loop around it must check the deadline itself.
    fn wait_for(
        &mut self,
        reader: &Reader,
        counter: usize,
        wanted: u64,
        deadline: Option<Instant>,
        look_in: Duration,
    ) -> Result<bool> {
        if self.polls() && spin(reader, counter, wanted, self.wait, deadline)? {
            return Ok(true);
        }
        let mut nap = NAP_MIN;
        // The counter may be damaged, or the writer that should raise it was stopped. So the caller looks itself from
        // time to time.
        let look_again = Instant::now() + look_in.min(self.pause());
        let until = wakes_at(deadline, look_again);
        let mut overslept = false;
        loop {
            let core = reader.core()?;
            let seen = core.ask_wake(counter);
            if has_come(&core, counter, seen, wanted) {
                self.looks = 0;
                if overslept {
                    reader.region.waits.was_late();
                }
                return Ok(true);
            }
            if has_passed(deadline) {
                return Ok(false);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.looks = self.looks.saturating_add(1);
                // The thread that normally looks for a moved board may have been stopped, or could not be started.
                reader.region.look();
                return Ok(true);
            }
            // A shard's counter that is above the newest generation is damaged, and no wake can be expected from it.
            if core.can_wake() && seen < wanted {
                overslept = reader.region.waits.sleep(core.counter(counter), seen, left);
            } else {
                std::thread::sleep(left.min(nap));
                nap = (nap * 2).min(NAP_MAX);
            }
        }
    }

    /// Whether to poll first. After one fruitless poll, the waiter sleeps at once.
    fn polls(&self) -> bool {
        match self.wait {
            Wait::Spin => true,
            Wait::Adaptive => self.looks == 0,
            Wait::Sleep => false,
        }
    }

    /// How long the caller sleeps before it looks itself.
    fn pause(&self) -> Duration {
        pause(self.looks)
    }
}

/// When a waiter wakes of its own accord: to look again, or to say that its time is over.
fn wakes_at(deadline: Option<Instant>, look_again: Instant) -> Instant {
    deadline.map_or(look_again, |deadline| deadline.min(look_again))
}

/// How long a waiter that has looked this often sleeps before it looks itself.
pub(super) fn pause(looks: u32) -> Duration {
    LOOK_MIN * (1 << looks.min(DOUBLINGS))
}

/// Whether an event of generation `wanted` or later exists. It may not be counted yet. For a shard, the shard's counter,
/// whose value is `seen`, must also include it.
pub(super) fn has_come(core: &Core<'_>, counter: usize, seen: u64, wanted: u64) -> bool {
    (counter == wake::BOARD || seen >= wanted) && core.newest() >= wanted
}

/// Polls the counter: up to the next look with [`Wait::Spin`], and for the time that a sleep would cost otherwise.
fn spin(reader: &Reader, counter: usize, wanted: u64, wait: Wait, deadline: Option<Instant>) -> Result<bool> {
    let started = Instant::now();
    loop {
        let core = reader.core()?;
        for _ in 0..64 {
            if has_come(&core, counter, core.counter_value(counter), wanted) {
                return Ok(true);
            }
            crate::sync::pause();
        }
        if has_passed(deadline) || (wait == Wait::Adaptive && started.elapsed() >= SPIN) {
            return Ok(false);
        }
        if started.elapsed() >= LOOK_MIN {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Board, Session};

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn only_what_came_is_polled_for_again() {
        let session = Board::options().capacity(1 << 20).keys(64).local().unwrap().attach("waiter").unwrap();
        let mut waiting = Waiting::new(Wait::Adaptive);
        let mut seconds = Vec::new();
        for polls in [true, false, false, false, false] {
            assert_eq!(waiting.polls(), polls);
            seconds.push(waiting.pause().as_secs());
            // No event came, so the caller must look itself.
            assert!(waiting.wait_for(session.reader(), wake::BOARD, 1, None, Duration::ZERO).unwrap());
        }
        assert_eq!(session.reader().region.waits.begun(), 0, "whoever is to look at once does not sleep");
        assert_eq!(seconds, [1, 2, 4, 4, 4]);
        // After the deadline the call reports that no event came.
        assert!(
            !waiting
                .wait_for(session.reader(), wake::BOARD, 1, deadline(Duration::ZERO), Duration::MAX)
                .unwrap()
        );
        assert!(!waiting.polls());
        session.put("x", b"").unwrap();
        assert!(
            waiting.wait_for(session.reader(), wake::BOARD, 1, None, Duration::MAX).unwrap()
                && waiting.polls()
        );
    }

    fn waiter() -> Session {
        Board::options().capacity(1 << 20).keys(64).local().unwrap().attach("waiter").unwrap()
    }

    /// Waits for a key that has version 1. `read` tells what the first and the later reads of it find.
    fn wait(session: &Session, mut read: impl FnMut(bool, Option<Entry>) -> Option<Entry>) -> Newer {
        session.put("task/1", "old").unwrap();
        let reader = session.reader();
        let shard = reader.region.geometry().shard_of("task/1", reader.region.geometry().hash(b"task/1"));
        let mut first = true;
        let newer = wait_newer(reader, shard, 1, Duration::from_secs(60), || {
            let found = read(first, reader.get("task/1")?);
            first = false;
            Ok(found)
        });
        assert_eq!(reader.region.waits.begun(), 0, "nobody sleeps over what has happened");
        newer.unwrap().expect("what became of it")
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_change_after_the_read_is_not_slept_over() {
        let session = waiter();
        let newer = wait(&session, |first, found| {
            if first {
                session.put("task/1", "new").unwrap();
            }
            found
        });
        assert_eq!(newer.entry().map(|entry| entry.value), Some(b"new".to_vec()));
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn the_end_of_a_time_to_live_is_not_slept_over() {
        // As if the time to live had been over right after the first read: no event says that.
        let over = |entry: Entry| Entry { deadline: Deadline::of(1), ..entry };
        let newer = wait(&waiter(), |first, found| found.filter(|_| first).map(over));
        assert_eq!(newer, Newer::Removed);
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn who_waits_for_a_first_value_hears_of_no_removal() {
        let session = waiter();
        assert_eq!(session.wait_newer("task/1", 0, Duration::ZERO).unwrap(), None);
        session.put("task/1", "x").unwrap();
        session.remove("task/1").unwrap();
        assert_eq!(session.wait_newer("task/1", 0, Duration::ZERO).unwrap(), None);
        assert_eq!(session.wait_newer("task/1", 1, Duration::ZERO).unwrap(), Some(Newer::Removed));
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_waiter_looks_itself_whether_the_board_moved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board");
        // No keeper looks.
        let options = Board::options().capacity(1 << 20).keys(64).beat(Duration::from_secs(3600));
        let session = options.create(&path).unwrap().attach("waiter").unwrap();
        std::fs::remove_file(&path).unwrap();
        let mut waiting = Waiting::new(Wait::Sleep);
        assert!(waiting.wait_for(session.reader(), wake::BOARD, 1, None, Duration::ZERO).unwrap());
        assert!(session.reader().core().is_err_and(|error| error.is_moved()));
    }

    #[test]
    fn a_waiter_sleeps_neither_past_its_deadline_nor_past_its_next_look() {
        let now = Instant::now();
        let [soon, later] = [1, 2].map(|seconds| now + Duration::from_secs(seconds));
        assert_eq!(wakes_at(None, soon), soon);
        assert_eq!(wakes_at(Some(later), soon), soon);
        assert_eq!(wakes_at(Some(soon), later), soon);
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_watch_of_a_board_that_moved_says_so_once_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board");
        let board = Board::options().capacity(1 << 20).keys(64).create(&path).unwrap();
        let watch = board.reader().watch("");
        std::fs::remove_file(&path).unwrap();
        board.region.look();
        let told: Vec<bool> = watch.take(3).map(|event| event.is_err_and(|error| error.is_moved())).collect();
        assert_eq!(told, [true]);
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_watch_that_got_an_event_polls_again() {
        let session = waiter();
        let mut watch = session.watch("");
        watch.waiting.looks = 3;
        session.put("task/1", "x").unwrap();
        assert!(watch.next_timeout(Duration::ZERO).unwrap().is_some());
        assert!(watch.waiting.polls());
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_damaged_counter_brings_no_event_and_nobody_sleeps_on_it() {
        let session = waiter();
        let region = &session.reader().region;
        let core = region.core().unwrap();
        session.put("task/1", "x").unwrap();
        let shard = region.geometry().shards_of_prefix("task/").start;
        core.counter(1 + shard).store(u64::MAX, crate::sync::Ordering::Relaxed);
        assert!(has_come(&core, 1 + shard, u64::MAX, 1) && !has_come(&core, 1 + shard, u64::MAX, 2));
        assert!(!has_come(&core, 1 + shard, 0, 1), "it is not counted yet");
        let mut watch = session.watch("task/").wait(Wait::Sleep);
        assert_eq!(watch.next_timeout(Duration::from_millis(20)).unwrap(), None);
        assert_eq!(region.waits.begun(), 0, "no wake can be expected");
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_spinner_looks_itself_after_a_second() {
        let (session, mut waiting) = (waiter(), Waiting::new(Wait::Spin));
        let until = deadline(Duration::from_secs(10));
        assert!(waiting.wait_for(session.reader(), wake::BOARD, 1, until, Duration::MAX).unwrap());
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_sleeper_never_polls_and_a_spinner_always_does() {
        for looks in 0..3 {
            assert!(Waiting { wait: Wait::Spin, looks }.polls());
            assert!(!Waiting { wait: Wait::Sleep, looks }.polls());
        }
        for wait in [Wait::Spin, Wait::Adaptive, Wait::Sleep] {
            assert_eq!(waiter().watch("").wait(wait).waiting.wait, wait);
        }
    }
}
