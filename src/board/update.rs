//! Updates: read a key, make another value of it, put that if no other writer was first, and retry otherwise.

use super::{
    Expect, Receipt, Session, reader,
    session::{check_ttl, deadline_after},
};
use crate::{
    codec::CodecId,
    entry::Entry,
    error::{Error, ErrorKind, Result},
    layout::record::RecordKind,
    protocol::{
        publish::{Change, Outcome},
        read::CopiedRecord,
        slots::{self, Slot},
    },
    region::boottime_ns,
};
use std::time::{Duration, Instant};

/// How often and with what pauses an update tries again when another writer was first.
///
/// # Examples
///
/// ```
/// use slateboard::{Board, Retry};
/// use std::time::Duration;
///
/// let session = Board::local()?.attach("planner")?;
/// let patient = Retry::new().attempts(100).pauses(Duration::from_micros(10), Duration::from_millis(5));
/// session.update_with("team/count", patient, |_| "1")?;
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Retry {
    /// Sets the number of attempts in all: 1 or more.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("worker")?;
    /// let once = slateboard::Retry::new().attempts(1);
    /// assert_eq!(session.increment_with("count", 1, once)?.value, 1);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub attempts: u32,
    /// The first pause. It doubles at each attempt, with jitter.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

/// What an update puts in place of an entry: [`Session::try_update`](super::Session::try_update). What is not set stays as it
/// is: the codec, the deadline, and the session that the entry ends with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replacement<V> {
    pub(super) value: V,
    pub(super) codec: Option<CodecId>,
    pub(super) ttl: Option<Duration>,
    /// Whether the value is the one that stands.
    pub(super) touch: bool,
}

impl<V: AsRef<[u8]>> Replacement<V> {
    /// The new value; the entry keeps its encoding and its time to live.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, CodecId, Error, Replacement, Retry};
    ///
    /// let session = Board::local()?.attach("worker")?;
    /// session.try_update("note", Retry::new(), |_| Ok::<_, Error>(Some(Replacement::new("text"))))?;
    /// assert_eq!(session.get("note")?.unwrap().text(), Some("text"));
    /// # let _ = CodecId::RAW;
    /// # Ok::<_, Error>(())
    /// ```
    pub const fn new(value: V) -> Self {
        Self { value, codec: None, ttl: None, touch: false }
    }
    /// Sets the encoding of the value.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, CodecId, Error, Replacement, Retry};
    ///
    /// let session = Board::local()?.attach("worker")?;
    /// let json = |_: Option<&_>| Ok::<_, Error>(Some(Replacement::new("{}").codec(CodecId::JSON)));
    /// session.try_update("plan", Retry::new(), json)?;
    /// assert_eq!(session.get("plan")?.unwrap().codec, CodecId::JSON);
    /// # Ok::<_, Error>(())
    /// ```
    #[must_use]
    pub const fn codec(mut self, codec: CodecId) -> Self {
        self.codec = Some(codec);
        self
    }
    /// Sets a new time to live. It must be longer than zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, Error, Replacement, Retry};
    /// use std::time::Duration;
    ///
    /// let session = Board::local()?.attach("worker")?;
    /// let brief = |_: Option<&_>| Ok::<_, Error>(Some(Replacement::new("me").ttl(Duration::from_secs(60))));
    /// session.try_update("claim/42", Retry::new(), brief)?;
    /// assert!(session.get("claim/42")?.unwrap().deadline.is_some());
    /// # Ok::<_, Error>(())
    /// ```
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::new()
    }
}

impl Retry {
    /// As many attempts as it takes.
    pub const UNLIMITED: Self = Self::new().attempts(u32::MAX);

    /// 16 attempts, with pauses from 1 µs to 1 ms.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(slateboard::Retry::new().attempts, 16);
    /// ```
    pub const fn new() -> Self {
        Self { attempts: 16, first_pause: Duration::from_micros(1), longest_pause: Duration::from_millis(1) }
    }
    /// Attempts in all: 1 or more.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }
    /// Sets the first pause, which doubles at each attempt, with jitter, and the longest pause.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let patient = slateboard::Retry::new().pauses(Duration::from_micros(10), Duration::from_millis(50));
    /// assert_eq!(patient.longest_pause, Duration::from_millis(50));
    /// ```
    #[must_use]
    pub const fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.first_pause = first;
        self.longest_pause = longest;
        self
    }

    /// Pauses with jitter, and doubles the pause. Short pauses spin: a sleep would take fifty times as long.
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
        *pause = pause.saturating_mul(2).min(self.longest_pause);
    }
}

impl Session {
    /// Renews the key's time to live: puts its present value again, with this time to live from now on. `None` when the key
    /// has no value. The version rises; the codec and the session that the entry ends with stay as they are. The
    /// event's kind is [`MutationKind::Touch`](super::MutationKind::Touch).
    ///
    /// # Errors
    /// `InvalidArgument` for a zero `ttl`. As [`Session::update`] otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, PutOptions};
    /// use std::time::Duration;
    ///
    /// let session = Board::local()?.attach("planner")?;
    /// session.put_with("offer", "half price", PutOptions::new().ttl(Duration::from_secs(1)))?;
    /// assert_eq!(session.touch("offer", Duration::from_secs(600))?.unwrap().version, 2);
    /// assert!(session.touch("nothing", Duration::from_secs(600))?.is_none());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn touch(&self, key: &str, ttl: Duration) -> Result<Option<Receipt>> {
        check_ttl(key, ttl)?;
        reader::check(key)?;
        let slot_key = slots::Key::new(self.reader().region.geometry(), key);
        self.update_at(key, &slot_key, &mut None, Retry::new(), |found, old| {
            Ok(found.map(|_| Replacement { touch: true, ..Replacement::new(old.to_vec()).ttl(ttl) }))
        })
    }

    /// Updates a key atomically, retrying on conflict: puts the value that `f` makes of the present entry, in up to 16
    /// attempts. The codec, the deadline and the session that the entry ends with stay as they are, whichever session
    /// updates it. An entry whose deadline has passed is absent: what is put in its place has no deadline.
    ///
    /// # Errors
    /// `RetriesExhausted` when other writers were first at every attempt. As [`Session::put`] otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, Entry};
    ///
    /// fn next(old: Option<&Entry>) -> String {
    ///     let count: u64 = old.and_then(|entry| entry.text()?.parse().ok()).unwrap_or(0);
    ///     (count + 1).to_string()
    /// }
    ///
    /// let session = Board::local()?.attach("planner")?;
    /// session.update("team/count", next)?;
    /// session.update("team/count", next)?;
    /// assert_eq!(session.get("team/count")?.unwrap().text(), Some("2"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn update<V: AsRef<[u8]>>(&self, key: &str, f: impl FnMut(Option<&Entry>) -> V) -> Result<Receipt> {
        self.update_with(key, Retry::new(), f)
    }

    /// Updates a key as [`Session::update`] does, with other attempts and pauses.
    ///
    /// # Errors
    /// `InvalidArgument` for zero attempts. As [`Session::update`] otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, Retry};
    ///
    /// let session = Board::local()?.attach("planner")?;
    /// let longer = |old: Option<&slateboard::Entry>| old.map_or(1, |entry| entry.value.len() + 1);
    /// session.update_with("line", Retry::UNLIMITED, |old| "-".repeat(longer(old)))?;
    /// assert_eq!(session.get("line")?.unwrap().text(), Some("-"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn update_with<V: AsRef<[u8]>>(
        &self,
        key: &str,
        retry: Retry,
        mut f: impl FnMut(Option<&Entry>) -> V,
    ) -> Result<Receipt> {
        let replace = |old: Option<&Entry>| Ok::<_, Error>(Some(Replacement::new(f(old))));
        self.try_update(key, retry, replace)?.ok_or_else(|| nothing_to_put(key))
    }

    /// Updates a key as [`Session::update`] does, by an `f` that may fail, that may leave the key as it is by returning
    /// `None`, and that may set the codec and the time to live as well. Returns `None` when the key was left as it is.
    ///
    /// # Errors
    /// What `f` returns. As [`Session::update_with`] otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, CodecId, Entry, Error, Replacement, Retry};
    ///
    /// let session = Board::local()?.attach("planner")?;
    /// let once = |old: Option<&Entry>| match old {
    ///     Some(_) => Ok::<_, Error>(None),
    ///     None => Ok(Some(Replacement::new("{}").codec(CodecId::JSON))),
    /// };
    /// assert!(session.try_update("config", Retry::new(), once)?.is_some());
    /// assert!(session.try_update("config", Retry::new(), once)?.is_none());
    /// # Ok::<_, Error>(())
    /// ```
    pub fn try_update<V: AsRef<[u8]>, E: From<Error>>(
        &self,
        key: &str,
        retry: Retry,
        mut f: impl FnMut(Option<&Entry>) -> Result<Option<Replacement<V>>, E>,
    ) -> Result<Option<Receipt>, E> {
        reader::check(key)?;
        let reader = self.reader();
        let slot_key = slots::Key::new(reader.region.geometry(), key);
        let mut freed = reader.core()?.names_freed();
        self.update_at(key, &slot_key, &mut None, retry, |found, value| {
            let core = reader.core()?;
            let entry = found.map(|found| {
                let (key, value) = (key.to_owned(), value.to_vec());
                let entry = reader.entry(&core, key, value, &found.header(), found.generation);
                if core.names_stand(freed) { entry } else { entry.without_names() }
            });
            // For the next attempt, which reads after this.
            freed = core.names_freed();
            f(entry.as_ref())
        })
    }

    /// Reads, asks `next` for a replacement, puts it if no other writer was first, and retries otherwise. `slot` is the key's
    /// slot as far as it is known, before and after.
    pub(super) fn update_at<E: From<Error>, V: AsRef<[u8]>>(
        &self,
        key: &str,
        slot_key: &slots::Key<'_>,
        slot: &mut Option<Slot>,
        retry: Retry,
        mut next: impl FnMut(Option<&CopiedRecord>, &[u8]) -> Result<Option<Replacement<V>>, E>,
    ) -> Result<Option<Receipt>, E> {
        let reader = self.reader();
        let (mut found, mut old) = (CopiedRecord::EMPTY, Vec::new());
        let mut pause = retry.first_pause.min(retry.longest_pause);
        for attempt in 0..retry.attempts {
            let core = reader.region.core_to_read(reader.region.words()?);
            let read = reader.read(&core, slot_key, *slot, &mut found, &mut old);
            let read = reader.region.kept(read.map_err(|error| error.on_key(key)));
            let present = read?.then_some(&found);
            let Some(Replacement { value, codec, ttl, touch }) = next(present, &old)? else {
                return Ok(None);
            };
            let mut change = Change::put(value.as_ref(), Expect::Absent);
            if let Some(found) = present {
                *slot = Some(found.slot);
                change.expect = Expect::Version(found.words.version());
                let standing = &found.words;
                (change.codec, change.deadline) = (standing.codec(), standing.deadline());
                change.ephemeral = standing.ephemeral();
            }
            change.codec = codec.map_or(change.codec, CodecId::get);
            if touch {
                change.kind = RecordKind::Touched;
            }
            if let Some(ttl) = ttl {
                check_ttl(key, ttl)?;
                change.deadline = deadline_after(ttl);
            }
            match self.seat().write(slot_key, &change, *slot) {
                Ok(Outcome::Done { version, generation, retries, slot: at }) => {
                    *slot = Some(at);
                    if ttl.is_some() {
                        self.seat().expects_expiry(change.deadline);
                    }
                    return Ok(Some(Receipt { version, generation, retries: retries + attempt }));
                }
                // Another writer was first. The next attempt reads what it wrote.
                Ok(Outcome::Conflict { .. } | Outcome::Nothing) => retry.wait(&mut pause),
                Err(error) if error.is_retryable() => retry.wait(&mut pause),
                Err(error) => return Err(error.on_key(key).into()),
            }
        }
        Err(self.exhausted(key, retry).into())
    }

    #[cold]
    fn exhausted(&self, key: &str, retry: Retry) -> Error {
        if retry.attempts == 0 {
            return Error::new(ErrorKind::InvalidArgument, "an update needs 1 attempt or more").on_key(key);
        }
        let text =
            format!("gave up after {} attempts: another writer changed the key each time", retry.attempts);
        Error::new(ErrorKind::RetriesExhausted, text)
            .on_key(key)
            .with_current(self.get(key).ok().flatten())
            .hint("try again")
    }
}

/// For updates that always put something.
#[cold]
pub(super) fn nothing_to_put(key: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, "the update has no value to put").on_key(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "reads the clock")]
    fn pauses_double_up_to_the_longest() {
        let retry = Retry::new().pauses(Duration::from_nanos(1), Duration::from_nanos(20));
        let mut pause = retry.first_pause;
        let pauses = [(); 7].map(|()| {
            retry.wait(&mut pause);
            pause.as_nanos()
        });
        assert_eq!(pauses, [2, 4, 8, 16, 20, 20, 20]);
    }
}
