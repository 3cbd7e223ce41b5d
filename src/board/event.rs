//! Events: the changes that the history holds.

use super::{Reader, fault, reader};
use crate::{
    codec::CodecId,
    entry::{WriterInfo, time_of},
    error::{Error, ErrorKind, Result},
    layout::record::RecordKind,
    protocol::{Core, Fault, view::EventRecord},
};
use std::time::SystemTime;

/// What an event did to a key.
///
/// # Examples
/// See [`Event`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub enum MutationKind {
    /// The key got a value.
    Put,
    /// The key's time to live was renewed. It keeps its value.
    Touch,
    /// The key was removed.
    Remove,
    /// The key's time to live passed. [`Previous::writer`] wrote the entry.
    Expire,
    /// The session that the key was bound to detached.
    Detached,
    /// The session that the key was bound to died.
    Died,
}

/// One change of one key.
///
/// # Examples
/// See [`Event`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Mutation {
    /// What happened to the key.
    pub kind: MutationKind,
    /// The key that changed.
    pub key: String,
    /// The key's version after the change.
    pub version: u64,
    /// The value; `None` for a removal.
    pub value: Option<Vec<u8>>,
    /// How the value is encoded.
    pub codec: CodecId,
    /// What the key had before; `None` if it had no value.
    pub previous: Option<Previous>,
}

/// A value that an event superseded.
///
/// # Examples
/// See [`Events`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Previous {
    /// The version of the value.
    pub version: u64,
    /// The generation of the value.
    pub generation: u64,
    /// The writer of the value.
    pub writer: WriterInfo,
    /// The bytes of the value.
    pub value: Vec<u8>,
    /// How the bytes are encoded.
    pub codec: CodecId,
}

/// An event of the history: everything that one generation changed.
///
/// # Examples
/// ```
/// use slateboard::MutationKind;
///
/// let session = slateboard::Board::local()?.attach("planner")?;
/// let put = session.put("plan", "draft")?;
/// let event = session.event(put.generation)?;
/// assert_eq!(event.session.name, "planner");
/// assert_eq!((event.mutations[0].kind, event.mutations[0].key.as_str()), (MutationKind::Put, "plan"));
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The generation of the event.
    pub generation: u64,
    /// The session that made the change. If the end of a session made it, this is that session. If a deadline made it, this
    /// is the session that published it.
    pub session: WriterInfo,
    /// When the change was made, by the clock of the kernel's last tick, which was 1 to 10 ms earlier.
    pub time: SystemTime,
    /// The changes: one or more keys.
    pub mutations: Vec<Mutation>,
}

pub(super) fn event(core: &Core<'_>, record: EventRecord) -> Event {
    let EventRecord { item, previous } = record;
    let kind = match item.header.kind {
        RecordKind::Value => MutationKind::Put,
        RecordKind::Touched => MutationKind::Touch,
        RecordKind::Removed => MutationKind::Remove,
        RecordKind::Expired => MutationKind::Expire,
        RecordKind::Detached => MutationKind::Detached,
        RecordKind::Died => MutationKind::Died,
    };
    let mutation = Mutation {
        kind,
        key: String::from_utf8_lossy(&item.key).into_owned(),
        version: item.header.version,
        value: (!item.header.kind.is_tombstone()).then_some(item.value),
        codec: CodecId::new(item.header.codec),
        previous: previous.map(|previous| Previous {
            version: previous.header.version,
            generation: previous.generation,
            writer: reader::writer_info(core, previous.header.writer),
            value: previous.value,
            codec: CodecId::new(previous.header.codec),
        }),
    };
    let mut event = Event {
        generation: item.generation,
        session: reader::writer_info(core, item.header.writer),
        time: time_of(item.header.time),
        mutations: vec![mutation],
    };
    // A name entry belongs to its session as long as the event is in the history.
    if core.point_at(item.generation.saturating_sub(1)).is_err() {
        event.session.name.clear();
        let previous = event.mutations.iter_mut().filter_map(|mutation| mutation.previous.as_mut());
        previous.for_each(|previous| previous.writer.name.clear());
    }
    event
}

/// An iterator over the history, up to the present: [`Reader::events`]. If events left the history before they were read, it
/// returns an error of kind `Lagged`, which tells how many were missed, and continues at the start of the history.
///
/// # Examples
/// ```
/// let session = slateboard::Board::local()?.attach("planner")?;
/// session.put("plan", "draft")?;
/// session.remove("plan")?;
/// let events = session.events(0).collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(events[1].mutations[0].previous.as_ref().unwrap().value, b"draft");
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Debug)]
pub struct Events {
    reader: Reader,
    next: u64,
    /// The handle is unusable, and that was told.
    over: bool,
}

impl Events {
    pub(super) fn new(reader: Reader, since: u64) -> Self {
        Self { reader, next: since.saturating_add(1), over: false }
    }

    /// The generation of the last event that was read.
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("plan", "draft")?;
    /// let mut events = session.events(0);
    /// events.next().unwrap()?;
    /// assert_eq!(events.generation(), 1);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn generation(&self) -> u64 {
        self.next - 1
    }

    /// Skips the events of other shards if this shard has had none since, because a shard's counter is raised before the
    /// board's. An event that is not counted yet is not skipped, because its shard's counter may not be raised either.
    pub(super) fn skip_others(&mut self, shard: usize) -> Result<()> {
        let core = self.reader.core()?;
        let counted = core.generation();
        let quiet = core.shard_changes(shard) < self.next;
        #[cfg(test)]
        crate::sync::paused::pause(crate::sync::paused::At::Counters);
        self.reader.region.stands()?;
        if quiet {
            self.next = self.next.max(counted + 1);
        }
        Ok(())
    }

    /// The next event whose key the filter accepts, if it has happened.
    pub(super) fn next_where(&mut self, filter: impl Fn(&[u8]) -> bool) -> Result<Option<Event>> {
        let next = self.next_stored(filter);
        self.reader.region.kept(next)
    }

    fn next_stored(&mut self, filter: impl Fn(&[u8]) -> bool) -> Result<Option<Event>> {
        let reader = self.reader.clone();
        let core = reader.core()?;
        loop {
            let newest = core.newest();
            if self.next > newest {
                return Ok(None);
            }
            let floor = core.floor();
            if newest.saturating_sub(floor) > core.geometry().history() || floor > core.generation() {
                self.next = newest + 1;
                return Err(fault::error(Fault::Corrupt("the generation counter or the floor")));
            }
            match core.event(self.next, reader.verify, &filter) {
                Ok(record) => {
                    self.next += 1;
                    if let Some(record) = record {
                        return Ok(Some(event(&core, record)));
                    }
                }
                Err(Fault::Lagged) => return Err(self.lagged(&core)),
                Err(fault) => {
                    let generation = self.next;
                    self.next += 1;
                    return Err(reader.no_event(&core, fault, generation));
                }
            }
        }
    }

    fn lagged(&mut self, core: &Core<'_>) -> Error {
        let floor = core.floor();
        let missed = (floor + 1).saturating_sub(self.next);
        self.next = floor + 1;
        Error::new(ErrorKind::Lagged, format!("{missed} events left the history before they were read"))
            .with_missed(missed, floor)
            .hint("list the keys again if you must know every change")
    }
}

impl Iterator for Events {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_where(|_| true) {
            Ok(event) => event.map(Ok),
            // If the handle was created before a fork, or the board moved, the iterator returns that error once and ends.
            Err(error) if is_lost(&error) && self.over => None,
            Err(error) => {
                self.over = is_lost(&error);
                Some(Err(error))
            }
        }
    }
}

/// Whether the error means that the handle is unusable.
pub(super) fn is_lost(error: &Error) -> bool {
    error.is_forked() || error.is_moved()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Board, Session,
        layout::header,
        protocol::read::Verify,
        sync::{
            Ordering::Relaxed,
            paused::{At, meanwhile},
        },
    };

    /// A session of a board whose history holds 64 events.
    fn session() -> Session {
        let options = Board::options()
            .capacity(1 << 20)
            .keys(64)
            .history(64)
            .beat(std::time::Duration::from_secs(3600));
        options.local().unwrap().attach("writer").unwrap()
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn what_comes_while_others_events_are_skipped_is_not_skipped() {
        let session = session();
        let mut watch = session.watch("task/");
        session.put("elsewhere", "x").unwrap();
        let writer = session.clone();
        meanwhile(At::Counters, move || {
            writer.put("task/1", "x").unwrap();
        });
        let event = watch.next_timeout(std::time::Duration::ZERO).unwrap();
        assert_eq!(event.map(|event| event.generation), Some(2));
    }

    fn put_four(session: &Session) {
        for n in 0..4 {
            session.put("key", [n]).unwrap();
        }
    }

    /// What an iterator tells: the generation, or that there is damage. It is asked ten times.
    fn told(events: Events) -> Vec<Option<u64>> {
        events.take(10).map(|event| event.map(|event| event.generation).ok()).collect()
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_damaged_event_is_told_once_and_passed() {
        let session = session();
        put_four(&session);
        let region = &session.reader().region;
        region.words().unwrap()[region.geometry().ring(2)].store(0, Relaxed);
        assert_eq!(told(session.events(0)), [Some(1), None, Some(3), Some(4)]);
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn impossible_counters_are_told_once_and_passed() {
        let session = session();
        put_four(&session);
        let words = session.reader().region.words().unwrap();
        words[header::FLOOR].store(5, Relaxed);
        let mut events = session.events(1);
        assert!(events.next().unwrap().unwrap_err().is_corrupt());
        assert!(events.next().is_none() && events.generation() == 4);
        words[header::FLOOR].store(0, Relaxed);
        session.put("key", "").unwrap();
        assert_eq!(told(events), [Some(5)]);
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn an_event_names_sessions_until_it_leaves_the_history() {
        let session = session();
        put_four(&session);
        let core = session.reader().core().unwrap();
        let record = core.event(4, Verify::Always, |_| true).unwrap().unwrap();
        let names = |floor| {
            while core.floor() < floor {
                session.put("busy", "").unwrap();
            }
            assert_eq!(core.floor(), floor);
            let event = event(&core, record.clone());
            [event.session.name, event.mutations[0].previous.as_ref().unwrap().writer.name.clone()]
        };
        assert_eq!(names(3), ["writer", "writer"]);
        assert_eq!(names(4), ["", ""]);
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn an_entry_is_read_again_when_a_name_was_freed_meanwhile() {
        let session = session();
        session.put("task/1", "open").unwrap();
        let (reader, core) = (session.reader(), session.reader().core().unwrap());
        // A name is freed during each of the first so many reads.
        for (disturbed, expected) in
            [(0, (1, "writer")), (1, (2, "writer")), (15, (16, "writer")), (99, (17, ""))]
        {
            let reads = std::cell::Cell::new(0);
            let entry = reader.named(&core, || {
                let entry = reader.get("task/1");
                reads.set(reads.get() + 1);
                if reads.get() <= disturbed {
                    reader.region.words()?[core.geometry().name(0)].fetch_add(1, Relaxed);
                }
                entry
            });
            assert_eq!((reads.get(), entry.unwrap().unwrap().writer.name.as_str()), expected);
        }
    }
}
