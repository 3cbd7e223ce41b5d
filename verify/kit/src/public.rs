//! A board that is asked through the library's public calls, by several sessions of one process.

use crate::{
    calls::Answer,
    pair::{Listing, Outside, Subject},
    reference::{Happened, Record, Reference},
};
use slateboard::{
    Board, CodecId, Entry, Error, ErrorKind, Expect, MutationKind, PutOptions, Receipt, Result, Session,
    WriterInfo, layout::record::RecordKind,
};
use std::time::Duration;

/// A deadline that is over at once. The public calls take spans, so the reference knows two deadlines.
const OVER: u64 = 1;
/// A deadline that does not come while a test runs.
const FAR: u64 = u64::MAX;
const FAR_SPAN: Duration = Duration::from_secs(100_000);

/// A board with its sessions.
pub struct Public {
    /// The board.
    pub board: Board,
    /// The sessions, named by their numbers.
    pub sessions: Vec<Session>,
    who: usize,
    /// Bytes of values from which on the board may be full.
    full_from: usize,
}

fn attach(board: &Board, who: usize) -> Session {
    board.attach(&format!("s{who}")).expect("a session record is free")
}

/// The number that stands for a session: 1 more than that in its name.
fn number(session: &WriterInfo) -> u64 {
    let digits = session.name.strip_prefix('s').unwrap_or_else(|| panic!("a stranger: {session:?}"));
    digits.parse::<u64>().expect("a number") + 1
}

fn kind(kind: MutationKind) -> RecordKind {
    match kind {
        MutationKind::Put => RecordKind::Value,
        MutationKind::Touch => RecordKind::Touched,
        MutationKind::Remove => RecordKind::Removed,
        MutationKind::Expire => RecordKind::Expired,
        MutationKind::Detached => RecordKind::Detached,
        MutationKind::Died => RecordKind::Died,
        other => panic!("an unknown kind of event: {other:?}"),
    }
}

fn record(entry: &Entry) -> Record {
    Record {
        kind: RecordKind::Value,
        bytes: entry.value.clone(),
        codec: entry.codec.get(),
        version: entry.version,
        generation: entry.generation,
        created: if entry.created == entry.generation { 0 } else { entry.created },
        deadline: entry
            .deadline
            .map_or(0, |deadline| if deadline.remaining().is_zero() { OVER } else { FAR }),
        ephemeral: entry.ephemeral.as_ref().map_or(0, number),
        writer: number(&entry.writer),
    }
}

impl Public {
    /// A board with so many sessions. It may be full when values of `full_from` bytes stand.
    pub fn new(board: Board, sessions: usize, full_from: usize) -> Self {
        let sessions = (0..sessions).map(|who| attach(&board, who)).collect();
        Self { board, sessions, who: 0, full_from }
    }

    /// The session that acts.
    pub fn session(&self) -> &Session {
        &self.sessions[self.who]
    }

    fn answer(&self, key: &str, result: Result<Option<Receipt>>) -> Answer {
        match result {
            Ok(None) => Answer::Absent,
            Ok(Some(Receipt { version, generation, .. })) => Answer::Done { version, generation },
            Err(error) if error.is_full() => Answer::Full,
            Err(error) if error.is_conflict() => self.conflict(key, &error),
            Err(error) => panic!("a change of {key}: {error:?}"),
        }
    }

    /// The error has the entry that stands there.
    fn conflict(&self, key: &str, error: &Error) -> Answer {
        let current = error.current().map(record);
        assert_eq!(current, self.get(key, false), "what the conflict over {key} tells");
        Answer::Conflict { version: current.map_or(0, |current| current.version) }
    }
}

impl Subject for Public {
    const SHOWS_EXPIRED: bool = false;

    fn generation(&self) -> u64 {
        self.board.generation()
    }

    fn floor(&self) -> u64 {
        self.board.floor()
    }

    fn history(&self) -> u64 {
        64
    }

    fn value_max(&self) -> usize {
        self.session().value_max() as usize
    }

    fn keys(&self) -> Option<usize> {
        Some(self.board.metrics().expect("a sound board").keys as usize)
    }

    fn now(&self) -> u64 {
        OVER
    }

    fn deadline(&self, span: u8) -> u64 {
        if span == 0 { OVER } else { FAR }
    }

    fn writer(&self) -> u64 {
        self.who as u64 + 1
    }

    fn turn(&mut self, session: u8) {
        self.who = usize::from(session) % self.sessions.len();
    }

    fn put(&mut self, key: &str, record: &Record, expect: Expect, hinted: bool) -> Answer {
        let Record { ref bytes, codec, deadline, ephemeral, .. } = *record;
        let ttl = match deadline {
            0 => None,
            OVER => Some(Duration::from_nanos(1)),
            _ => Some(FAR_SPAN),
        };
        let mut options =
            PutOptions::new().expect(expect).ephemeral(ephemeral != 0).codec(CodecId::new(codec));
        options.ttl = ttl;
        // A handle puts bytes and nothing else.
        let receipt = if hinted && (codec, deadline, ephemeral) == (0, 0, 0) {
            self.session().key(key).and_then(|handle| handle.put_if(bytes, expect))
        } else {
            self.session().put_with(key, bytes, options)
        };
        self.answer(key, receipt.map(Some))
    }

    fn update(&mut self, key: &str, next: fn(Option<&[u8]>) -> Vec<u8>) -> (Option<Record>, Record, Answer) {
        let (mut seen, mut bytes) = (None, Vec::new());
        let receipt = self.session().update(key, |old| {
            seen = old.map(record);
            bytes = next(old.map(|old| &old.value[..]));
            bytes.clone()
        });
        // What an update does not name stays as it is.
        let kept = seen.as_ref().map_or((0, 0, 0), |seen| (seen.codec, seen.deadline, seen.ephemeral));
        let (codec, deadline, ephemeral) = kept;
        let put = Record {
            kind: RecordKind::Value,
            bytes,
            codec,
            version: 0,
            generation: 0,
            created: 0,
            deadline,
            ephemeral,
            writer: self.writer(),
        };
        let answer = self.answer(key, receipt.map(Some));
        (seen, put, answer)
    }

    fn remove(&mut self, key: &str, expect: Expect, _: bool) -> Answer {
        self.answer(key, self.session().remove_if(key, expect))
    }

    fn get(&self, key: &str, hinted: bool) -> Option<Record> {
        let found = if hinted {
            self.session().key(key).and_then(|handle| handle.get())
        } else {
            self.session().get(key)
        };
        let found = found.expect("a sound board");
        let mut buffer = b"before".to_vec();
        let meta = self.session().get_into(key, &mut buffer).expect("a sound board");
        assert_eq!(meta.map(|meta| meta.version), found.as_ref().map(|entry| entry.version), "{key}");
        assert!(found.as_ref().is_none_or(|entry| entry.value == buffer), "{key}, into a buffer");
        assert!(found.as_ref().is_none_or(|entry| entry.key == key), "{key} is another key");
        found.as_ref().map(record)
    }

    fn list(&self, prefix: &str) -> Listing {
        listing(self.session().list(prefix).into_vec().expect("a sound board"))
    }

    fn view(
        &self,
        generation: u64,
        key: &str,
        prefix: &str,
    ) -> std::result::Result<(Option<Record>, Listing), Outside> {
        let view = self.session().view_at(generation).map_err(|error| match error.kind() {
            ErrorKind::Lagged => Outside::Lagged,
            _ if generation > self.generation() => Outside::Future,
            _ => panic!("generation {generation}: {error:?}"),
        })?;
        assert_eq!(view.generation(), generation);
        let found = view.get(key).expect("nobody moves the floor meanwhile");
        let listed = view.list(prefix).into_vec().expect("nobody moves the floor meanwhile");
        Ok((found.as_ref().map(record), listing(listed)))
    }

    fn event(&self, generation: u64) -> (String, RecordKind, u64) {
        let event = self.board.reader().event(generation).expect("an event of the history");
        let mutation = &event.mutations[0];
        (mutation.key.clone(), kind(mutation.kind), number(&event.session))
    }

    fn replay(&self, reference: &Reference) {
        let (floor, newest) = (self.floor(), self.generation());
        // From before the history, from its beginning, and from the middle.
        for since in [0, floor.saturating_sub(3), floor, floor + (newest - floor) / 2] {
            let mut events = self.session().events(since);
            if since < floor {
                let lagged =
                    events.next().expect("an answer").expect_err("a gap").missed().expect("how much");
                assert_eq!((lagged.missed, lagged.resume_at), (floor - since, floor));
            }
            let mut last = since.max(floor);
            for event in events {
                let event = event.expect("a sound board");
                last += 1;
                assert_eq!((event.generation, event.mutations.len()), (last, 1));
                same_event(&event, reference.event(last));
            }
            assert_eq!(last, newest, "the events since {since}");
        }
    }

    fn leave(&mut self) -> bool {
        drop(self.sessions.remove(self.who));
        self.sessions.insert(self.who, attach(&self.board, self.who));
        true
    }

    fn assert_full(&self, bytes: usize) {
        assert!(bytes >= self.full_from, "the board is full with {bytes} bytes of values");
    }
}

fn listing(entries: Vec<Entry>) -> Listing {
    entries.iter().map(|entry| (entry.key.clone(), record(entry))).collect()
}

fn same_event(event: &slateboard::Event, known: &Happened) {
    let (found, generation) = (&event.mutations[0], event.generation);
    let Record { version, codec, writer, .. } = known.record;
    assert_eq!((kind(found.kind), found.key.as_str()), (known.record.kind, known.key.as_str()));
    assert_eq!((found.version, found.codec.get(), number(&event.session)), (version, codec, writer));
    let value = (!known.record.kind.is_tombstone()).then_some(&known.record.bytes);
    assert!(found.value.as_ref() == value, "the value of event {generation}");
    let previous = found.previous.as_ref();
    let found =
        previous.map(|old| (old.version, old.generation, number(&old.writer), old.codec.get(), &old.value));
    let previous = known.previous.as_ref();
    let known = previous.map(|old| (old.version, old.generation, old.writer, old.codec, &old.bytes));
    assert!(found == known, "the previous value of event {generation}");
}
