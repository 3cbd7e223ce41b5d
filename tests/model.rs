//! Random operations of several sessions against a map with a memory: every answer, every view of the past
//! and every event is compared exactly.

use proptest::{collection::vec, prelude::*, test_runner::TestCaseError};
use slateboard::{
    Board, CodecId, Entry, Error, Event, Expect, MutationKind, PutOptions, Receipt, Result, Session, View,
};
use slateboard_kit::{
    judge,
    places::{folder, rounds, small},
};
use std::{collections::BTreeMap, time::Duration};

const SESSIONS: usize = 3;

fn name(key: u8) -> String {
    format!("{}/{key}", ["task", "file", "free"][usize::from(key % 3)])
}

/// What a change expects, as seen from what stands.
#[derive(Clone, Copy, Debug)]
enum Wish {
    Any,
    Absent,
    Present,
    Version(bool),
    Generation(bool),
}

#[derive(Clone, Debug)]
enum Op {
    Put { key: u8, len: usize, wish: Wish, life: Life },
    Remove { key: u8, wish: Wish },
    Update { key: u8 },
    PutByHandle { key: u8, len: usize },
    Get { key: u8 },
    List { folder: u8 },
    Past { back: u8, key: u8 },
    Replay { back: u8 },
    Reattach,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Life {
    Plain,
    Over,
    Long,
    Bound,
}

fn op() -> impl Strategy<Value = Op> {
    let key = || 0u8..10;
    let len = || prop_oneof![6 => 0usize..200, 2 => 200usize..4000, 1 => 16_000usize..24_000];
    let wish = || {
        prop_oneof![
            4 => Just(Wish::Any),
            1 => Just(Wish::Absent),
            1 => Just(Wish::Present),
            2 => any::<bool>().prop_map(Wish::Version),
            1 => any::<bool>().prop_map(Wish::Generation),
        ]
    };
    let life = prop_oneof![6 => Just(Life::Plain), 1 => Just(Life::Over), 1 => Just(Life::Long), 2 => Just(Life::Bound)];
    prop_oneof![
        8 => (key(), len(), wish(), life).prop_map(|(key, len, wish, life)| Op::Put { key, len, wish, life }),
        4 => (key(), wish()).prop_map(|(key, wish)| Op::Remove { key, wish }),
        2 => key().prop_map(|key| Op::Update { key }),
        2 => (key(), len()).prop_map(|(key, len)| Op::PutByHandle { key, len }),
        3 => key().prop_map(|key| Op::Get { key }),
        1 => (0u8..4).prop_map(|folder| Op::List { folder }),
        2 => (any::<u8>(), key()).prop_map(|(back, key)| Op::Past { back, key }),
        1 => any::<u8>().prop_map(|back| Op::Replay { back }),
        1 => Just(Op::Reattach),
    ]
}

/// A key's value in the model.
#[derive(Clone, PartialEq, Debug)]
struct Value {
    bytes: Vec<u8>,
    version: u64,
    generation: u64,
    created: u64,
    life: Life,
    writer: usize,
    /// Whom it ends with, where it is bound.
    bound_to: usize,
}

/// What one generation did.
#[derive(Clone, Debug)]
struct Change {
    kind: MutationKind,
    key: String,
    version: u64,
    value: Option<Vec<u8>>,
    previous: Option<Value>,
}

/// The map with its memory. `past[g]` is the map as of generation `g`; `changes[g]` led there.
struct Model {
    map: BTreeMap<String, Value>,
    past: Vec<BTreeMap<String, Value>>,
    changes: Vec<Option<Change>>,
    /// Version and generation of each absent key's tombstone.
    graves: BTreeMap<String, (u64, u64)>,
}

impl Model {
    fn new() -> Self {
        Self {
            map: BTreeMap::new(),
            past: vec![BTreeMap::new()],
            changes: vec![None],
            graves: BTreeMap::new(),
        }
    }

    fn generation(&self) -> u64 {
        self.past.len() as u64 - 1
    }

    /// The key's value, an expired one as none.
    fn get(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|value| value.life != Life::Over)
    }

    fn record(&mut self, change: Change) {
        self.changes.push(Some(change));
        self.past.push(self.map.clone());
    }

    /// What a key's next version may be: one more; or more than that where the tombstone has left the
    /// history, since the slot may have been another key's.
    fn is_next(&self, key: &str, version: u64, floor: u64) -> bool {
        match (self.map.get(key), self.graves.get(key)) {
            (Some(value), _) => version == value.version + 1,
            (None, Some(&(grave, generation))) if generation > floor => version == grave + 1,
            (None, grave) => version > grave.map_or(0, |&(version, _)| version),
        }
    }

    /// Takes the key's value away.
    fn end(&mut self, key: &str, kind: MutationKind) {
        let previous = self.map.remove(key).unwrap();
        let (version, generation) = (previous.version + 1, self.generation() + 1);
        self.graves.insert(key.to_owned(), (version, generation));
        self.record(Change { kind, key: key.to_owned(), version, value: None, previous: Some(previous) });
    }

    /// A writer that meets an expired entry publishes that first.
    fn expire(&mut self, key: &str) {
        if self.map.get(key).is_some_and(|value| value.life == Life::Over) {
            self.end(key, MutationKind::Expire);
        }
    }

    fn put(&mut self, key: &str, value: Value) {
        let previous = self.map.insert(key.to_owned(), value.clone());
        self.graves.remove(key);
        let Value { bytes, version, .. } = value;
        self.record(Change {
            kind: MutationKind::Put,
            key: key.to_owned(),
            version,
            value: Some(bytes),
            previous,
        });
    }
}

/// The board beside its model.
struct Pair {
    board: Board,
    sessions: Vec<Session>,
    model: Model,
    turn: usize,
}

type Checked = std::result::Result<(), TestCaseError>;

impl Pair {
    fn new(board: Board) -> Self {
        let sessions = (0..SESSIONS).map(|n| board.attach(&format!("s{n}")).unwrap()).collect();
        Self { board, sessions, model: Model::new(), turn: 0 }
    }

    fn take(&mut self, op: &Op) -> Checked {
        self.turn += 1;
        match *op {
            Op::Put { key, len, wish, life } => self.put(&name(key), len, wish, life, false)?,
            Op::PutByHandle { key, len } => self.put(&name(key), len, Wish::Any, Life::Plain, true)?,
            Op::Remove { key, wish } => self.remove(&name(key), wish)?,
            Op::Update { key } => self.update(&name(key))?,
            Op::Get { key } => self.get(&name(key))?,
            Op::List { folder } => self.list(["", "task/", "file/", "free/"][usize::from(folder)])?,
            Op::Past { back, key } => self.past(back, &name(key))?,
            Op::Replay { back } => self.replay(back)?,
            Op::Reattach => self.reattach()?,
        }
        prop_assert_eq!(self.board.generation(), self.model.generation());
        let (generation, floor) = (self.board.generation(), self.board.floor());
        prop_assert!(floor <= generation && floor + 64 >= generation);
        Ok(())
    }

    fn who(&self) -> usize {
        self.turn % SESSIONS
    }

    fn session(&self) -> &Session {
        &self.sessions[self.who()]
    }

    fn expect(&self, key: &str, wish: Wish) -> Expect {
        let (version, generation) =
            self.model.map.get(key).map_or((1, 1), |value| (value.version, value.generation));
        match wish {
            Wish::Any => Expect::Any,
            Wish::Absent => Expect::Absent,
            Wish::Present => Expect::Present,
            Wish::Version(right) => Expect::Version(version + u64::from(!right)),
            Wish::Generation(right) => Expect::Generation(generation + u64::from(!right)),
        }
    }

    fn is_met(&self, key: &str, expect: Expect) -> bool {
        match (self.model.get(key), expect) {
            (_, Expect::Any) | (None, Expect::Absent) | (Some(_), Expect::Present) => true,
            (Some(value), Expect::Version(version)) => value.version == version,
            (Some(value), Expect::Generation(generation)) => value.generation == generation,
            _ => false,
        }
    }

    fn conflicts(&self, key: &str, result: Result<Option<Receipt>>) -> Checked {
        let error: Error = result.err().ok_or_else(|| TestCaseError::fail("no conflict"))?;
        prop_assert!(error.is_conflict(), "{error:?}");
        self.same(key, error.current())
    }

    /// The entry is the model's.
    fn same(&self, key: &str, entry: Option<&Entry>) -> Checked {
        same(self.model.get(key), entry, &self.sessions)
    }

    /// A writer that needs a slot, or any other room, first ends what expired.
    fn ended_besides(&mut self) -> Checked {
        for event in self.board.reader().events(self.model.generation()) {
            let mutation = &event?.mutations[0];
            let over = self.model.map.get(&mutation.key).is_some_and(|value| value.life == Life::Over);
            if mutation.kind != MutationKind::Expire || !over {
                break;
            }
            self.model.end(&mutation.key, MutationKind::Expire);
        }
        Ok(())
    }

    fn put(&mut self, key: &str, len: usize, wish: Wish, life: Life, by_handle: bool) -> Checked {
        let expect = self.expect(key, wish);
        let bytes = vec![self.turn as u8; len];
        let ttl = match life {
            Life::Over => Some(Duration::from_nanos(1)),
            Life::Long => Some(Duration::from_secs(1000)),
            Life::Plain | Life::Bound => None,
        };
        let mut options = PutOptions::new().expect(expect).ephemeral(life == Life::Bound).codec(CodecId::POD);
        options.ttl = ttl;
        let result = if by_handle {
            self.session().key(key).and_then(|handle| handle.put(&bytes))
        } else {
            self.session().put_with(key, &bytes, options)
        };
        self.ended_besides()?;
        self.model.expire(key);
        if self.is_met(key, expect) {
            self.happened(key, bytes, (life, self.who()), result?)
        } else {
            self.conflicts(key, result.map(Some))
        }
    }

    fn happened(
        &mut self,
        key: &str,
        bytes: Vec<u8>,
        (life, bound_to): (Life, usize),
        receipt: Receipt,
    ) -> Checked {
        let generation = self.model.generation() + 1;
        let Receipt { version, .. } = receipt;
        prop_assert_eq!(receipt.generation, generation);
        prop_assert!(self.model.is_next(key, version, self.board.floor()), "{} got version {}", key, version);
        let created = self.model.get(key).map_or(generation, |value| value.created);
        let writer = self.who();
        self.model.put(key, Value { bytes, version, generation, created, life, writer, bound_to });
        Ok(())
    }

    fn remove(&mut self, key: &str, wish: Wish) -> Checked {
        let expect = self.expect(key, wish);
        let result = self.session().remove_if(key, expect);
        self.ended_besides()?;
        self.model.expire(key);
        let Some(value) = self.model.get(key) else {
            return if matches!(expect, Expect::Any | Expect::Absent) {
                prop_assert!(result?.is_none());
                Ok(())
            } else {
                self.conflicts(key, result)
            };
        };
        if !self.is_met(key, expect) {
            return self.conflicts(key, result);
        }
        let receipt = result?.ok_or_else(|| TestCaseError::fail("nothing removed"))?;
        prop_assert_eq!(receipt.version, value.version + 1);
        prop_assert_eq!(receipt.generation, self.model.generation() + 1);
        self.model.end(key, MutationKind::Remove);
        Ok(())
    }

    fn update(&mut self, key: &str) -> Checked {
        let mut seen = None;
        let receipt = self.session().update(key, |old| {
            seen = old.cloned();
            old.map_or_else(
                || b"first".to_vec(),
                |old| old.value.iter().take(50).chain(b"+").copied().collect(),
            )
        })?;
        self.same(key, seen.as_ref())?;
        self.ended_besides()?;
        self.model.expire(key);
        // What an update does not name stays as it is.
        let Some(old) = self.model.get(key) else {
            return self.happened(key, b"first".to_vec(), (Life::Plain, self.who()), receipt);
        };
        let bytes = old.bytes.iter().take(50).chain(b"+").copied().collect();
        self.happened(key, bytes, (old.life, old.bound_to), receipt)
    }

    fn get(&self, key: &str) -> Checked {
        let session = self.session();
        self.same(key, session.get(key)?.as_ref())?;
        let handle = session.key(key)?;
        self.same(key, handle.get()?.as_ref())?;
        self.same(key, handle.get()?.as_ref())?;
        prop_assert_eq!(handle.version()?, self.model.get(key).map_or(0, |value| value.version));
        let mut buffer = vec![1, 2, 3];
        let known = self.model.get(key);
        let version = known.map_or(0, |value| value.version);
        let newer = handle.get_newer_into(version.saturating_sub(1), &mut buffer)?;
        prop_assert_eq!(newer.map(|meta| meta.version), known.map(|value| value.version));
        prop_assert!(known.is_none_or(|value| value.bytes == buffer));
        prop_assert_eq!(handle.get_newer_into(version, &mut buffer)?, None);
        let meta = session.get_into(key, &mut buffer)?;
        prop_assert_eq!(
            meta.map(|meta| (meta.version, meta.len)),
            known.map(|value| (value.version, buffer.len()))
        );
        prop_assert_eq!(buffer, known.map_or(Vec::new(), |value| value.bytes.clone()));
        Ok(())
    }

    fn list(&self, prefix: &str) -> Checked {
        let present = self.model.map.iter().filter(|(_, value)| value.life != Life::Over);
        self.same_list(present, prefix, &self.session().list(prefix).into_vec()?)?;
        prop_assert_eq!(self.board.metrics().unwrap().keys, self.model.map.len() as u64);
        Ok(())
    }

    fn same_list<'m>(
        &self,
        known: impl Iterator<Item = (&'m String, &'m Value)>,
        prefix: &str,
        found: &[Entry],
    ) -> Checked {
        let known: Vec<_> = known.filter(|(key, _)| key.starts_with(prefix)).collect();
        let keys: Vec<_> = found.iter().map(|entry| &entry.key).collect();
        prop_assert_eq!(keys, known.iter().map(|(key, _)| *key).collect::<Vec<_>>());
        known
            .iter()
            .zip(found)
            .try_for_each(|((_, value), entry)| same(Some(value), Some(entry), &self.sessions))
    }

    /// A generation from a little before the history to the present.
    fn some_generation(&self, back: u8) -> u64 {
        let span = self.board.generation() - self.board.floor() + 4;
        self.board.generation().saturating_sub(u64::from(back) % (span + 1))
    }

    fn past(&self, back: u8, key: &str) -> Checked {
        let (generation, floor) = (self.some_generation(back), self.board.floor());
        let view: View = match self.session().view_at(generation) {
            Ok(view) => view,
            Err(error) => {
                prop_assert!(error.is_lagged() && generation < floor, "{error:?}");
                return Ok(());
            }
        };
        prop_assert!(generation >= floor && view.generation() == generation);
        // What expired is there until its event.
        let map = &self.model.past[generation as usize];
        same(map.get(key), view.get(key)?.as_ref(), &self.sessions)?;
        self.same_list(map.iter(), "", &view.list("").into_vec()?)
    }

    fn replay(&self, back: u8) -> Checked {
        let (since, floor) = (self.some_generation(back), self.board.floor());
        let mut events = self.session().events(since);
        let mut next = since + 1;
        if since < floor {
            let lagged = events.next().unwrap().unwrap_err().missed().unwrap();
            prop_assert_eq!((lagged.missed, lagged.resume_at), (floor - since, floor));
            next = floor + 1;
        }
        for event in events {
            let event: Event = event?;
            prop_assert_eq!(event.generation, next);
            self.same_event(&event)?;
            next += 1;
        }
        prop_assert_eq!(next, self.model.generation() + 1);
        Ok(())
    }

    fn same_event(&self, event: &Event) -> Checked {
        let known = self.model.changes[event.generation as usize].as_ref().unwrap();
        prop_assert_eq!(event.mutations.len(), 1);
        let found = &event.mutations[0];
        prop_assert_eq!((found.kind, &found.key, found.version), (known.kind, &known.key, known.version));
        prop_assert!(found.value == known.value, "value of event {}", event.generation);
        let previous = found.previous.as_ref();
        let found = previous.map(|value| (value.version, value.generation, &value.value));
        let known = known.previous.as_ref().map(|value| (value.version, value.generation, &value.bytes));
        prop_assert!(found == known, "previous value of event {}", event.generation);
        Ok(())
    }

    /// A session ends, and with it what is bound to it; another takes its place.
    fn reattach(&mut self) -> Checked {
        let who = self.who();
        let before = self.model.generation();
        let ended = |_: &&String, value: &Value| value.life == Life::Bound && value.bound_to == who;
        let mut bound: Vec<String> = self
            .model
            .map
            .iter()
            .filter(|(key, value)| ended(key, value))
            .map(|(key, _)| key.clone())
            .collect();
        drop(self.sessions.remove(who));
        for event in self.board.reader().events(before) {
            let mutation = &event?.mutations[0];
            prop_assert_eq!(mutation.kind, MutationKind::Detached);
            prop_assert!(bound.contains(&mutation.key), "{} was not bound", mutation.key);
            bound.retain(|key| *key != mutation.key);
            self.model.end(&mutation.key, MutationKind::Detached);
        }
        prop_assert!(bound.is_empty(), "{bound:?} outlived their session");
        self.sessions.insert(who, self.board.attach(&format!("s{who}")).unwrap());
        Ok(())
    }
}

/// The entry is what the model knows.
fn same(known: Option<&Value>, found: Option<&Entry>, sessions: &[Session]) -> Checked {
    let (known, found) = match (known, found) {
        (None, None) => return Ok(()),
        (Some(known), Some(found)) => (known, found),
        (known, found) => {
            let shown = (known.map(|value| value.version), found.map(|entry| entry.version));
            return Err(TestCaseError::fail(format!("versions known and found: {shown:?}")));
        }
    };
    let of_known = (known.version, known.generation, known.created);
    prop_assert_eq!(of_known, (found.version, found.generation, found.created));
    prop_assert!(
        known.bytes == found.value,
        "{} bytes are not the {} known",
        found.value.len(),
        known.bytes.len()
    );
    prop_assert_eq!(&found.writer.name, sessions[known.writer].name());
    prop_assert_eq!(found.ephemeral.is_some(), known.life == Life::Bound);
    prop_assert_eq!(found.deadline.is_some(), matches!(known.life, Life::Long | Life::Over));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: rounds(48),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_operations_agree_with_a_map_that_remembers(ops in vec(op(), 1..400)) {
        let (_folder, path) = folder();
        // Beats that never come: nothing happens but the operations.
        let board = small().keys(16).beat(Duration::from_secs(3600)).create(&path).unwrap();
        let mut pair = Pair::new(board);
        for (number, op) in ops.iter().enumerate() {
            pair.take(op).map_err(|error| TestCaseError::fail(format!("step {number}, {op:?}: {error}")))?;
        }
        pair.list("")?;
        for back in 0..=70 {
            pair.past(back, "task/0")?;
        }
        pair.replay(255)?;
        drop(pair);
        judge::assert_sound(&path);
    }
}
