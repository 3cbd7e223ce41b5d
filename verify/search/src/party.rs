//! One party of a scenario: a session with one lane, whose calls are noted with what they answered.

use slateboard::{
    layout::{Writer, record::RecordKind},
    protocol::{
        Core, Fault, Full,
        lane::Lane,
        publish::{Change, Expect, Now, Outcome},
        read::Verify,
        reap::Reaped,
        sessions::Identity,
        slots::Key,
        view::Item,
    },
    sync::{AtomicU64, Ordering},
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

/// What a call asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// A put of this value.
    Put(u64, Expect),
    /// A removal.
    Remove,
    /// An expiry of what this generation wrote.
    Expire(u64),
    /// The newest value.
    Get,
    /// The value at this generation.
    GetAt(u64),
    /// The event of this generation, with what it superseded.
    Event(u64),
    /// Something that answers with a sentence.
    Other(&'static str),
}

/// What a call answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    /// The change happened.
    Done {
        /// The key's new version.
        version: u64,
        /// The generation of its event.
        generation: u64,
    },
    /// Something of this version stood there; 0 for none.
    Conflict(u64),
    /// There was nothing to remove.
    Nothing,
    /// This value.
    Value {
        /// Its version.
        version: u64,
        /// The generation that wrote it.
        generation: u64,
        /// The word that it repeats.
        value: u64,
    },
    /// No value.
    Absent,
    /// An event.
    Event {
        /// Version of its key.
        version: u64,
        /// Its value; `None` for a removal.
        value: Option<u64>,
        /// The version it superseded.
        previous: Option<u64>,
    },
    /// It could not be carried out.
    Fault(Fault),
    /// The value was of several writes.
    Torn,
    /// Anything else.
    Said(String),
}

/// One call of a party, with the generation counter before it and, where that matters, after it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// What it asked for.
    pub asked: Asked,
    /// Of which of the scenario's keys.
    pub key: usize,
    /// Generation counter before the call.
    pub began: u64,
    /// Generation counter after the call; 0 where it was not read.
    pub ended: u64,
    /// What it answered.
    pub told: Told,
}

/// When sweeps are: deadlines below five are over then, and puts are before all of them.
pub const NOON: Now = Now { real_ns: 0, boot_ns: || 5 };

/// What a role of a scenario runs as.
pub struct Party<'r> {
    core: Core<'r>,
    lane: RefCell<Lane>,
    keys: &'r [String],
    mail: &'r AtomicU64,
    calls: Rc<RefCell<Vec<Call>>>,
    stashed: Rc<Cell<usize>>,
}

impl<'r> Party<'r> {
    /// A party that is session `session`, in its first life. `mail` is a word outside of the region.
    pub fn new(core: Core<'r>, session: usize, keys: &'r [String], mail: &'r AtomicU64) -> Self {
        Self::attached(core, Writer { name: 0, session: session as u16, incarnation: 1 }, keys, mail)
    }

    /// A party that is the session which `writer` names, in any of its lives.
    pub fn attached(core: Core<'r>, writer: Writer, keys: &'r [String], mail: &'r AtomicU64) -> Self {
        Self {
            lane: RefCell::new(Lane::new(&core, 0, writer)),
            core,
            keys,
            mail,
            calls: Rc::default(),
            stashed: Rc::default(),
        }
    }

    /// Where its calls are noted.
    pub fn calls(&self) -> Rc<RefCell<Vec<Call>>> {
        self.calls.clone()
    }
    /// Where the number of blocks in its stash is noted when it is done.
    pub fn stashed(&self) -> Rc<Cell<usize>> {
        self.stashed.clone()
    }
    /// Notes the end of its work.
    pub fn done(&self) {
        self.stashed.set(self.lane.borrow().stashed());
    }
    /// The board's words.
    pub fn core(&self) -> Core<'r> {
        self.core
    }
    fn key(&self, key: usize) -> Key<'r> {
        Key::new(self.core.geometry(), &self.keys[key])
    }

    fn note(&self, asked: Asked, key: usize, began: u64, told: Told) {
        let positive =
            matches!(told, Told::Done { .. } | Told::Value { .. } | Told::Said(_) | Told::Event { .. });
        let ended = if positive { 0 } else { self.core.generation() };
        self.calls.borrow_mut().push(Call { asked, key, began, ended, told });
    }

    fn change(&self, asked: Asked, key: usize, change: &Change<'_>) -> Told {
        self.change_at(asked, key, change, Now::default())
    }

    fn change_at(&self, asked: Asked, key: usize, change: &Change<'_>, now: Now) -> Told {
        // A plain put's answer is explained by its event alone, which is watched when it is entered.
        let plain = matches!(asked, Asked::Put(_, Expect::Any));
        let began = if plain { 0 } else { self.core.generation() };
        let mut lane = self.lane.borrow_mut();
        let told = match self.core.change(&mut lane, &self.key(key), change, now, None) {
            Ok(Outcome::Done { version, generation, .. }) => Told::Done { version, generation },
            Ok(Outcome::Conflict { version }) => Told::Conflict(version),
            Ok(Outcome::Nothing) => Told::Nothing,
            Err(fault) => Told::Fault(fault),
        };
        drop(lane);
        self.note(asked, key, began, told.clone());
        told
    }

    /// Puts a value of two equal words.
    pub fn put(&self, key: usize, value: u64, expect: Expect) -> Told {
        self.put_words(key, value, 2, expect)
    }
    /// Puts a value of so many equal words.
    pub fn put_words(&self, key: usize, value: u64, words: usize, expect: Expect) -> Told {
        let bytes = value.to_le_bytes().repeat(words);
        self.change(Asked::Put(value, expect), key, &Change::put(&bytes, expect))
    }
    /// Puts a value of two equal words that ends with this life of the session.
    pub fn put_ephemeral(&self, key: usize, value: u64) -> Told {
        let (bytes, ephemeral) = (value.to_le_bytes().repeat(2), self.lane.borrow().writer.pack());
        let change = Change { ephemeral, ..Change::put(&bytes, Expect::Any) };
        self.change(Asked::Put(value, Expect::Any), key, &change)
    }
    /// Puts a value of two equal words with a deadline.
    pub fn put_until(&self, key: usize, value: u64, deadline: u64) -> Told {
        let bytes = value.to_le_bytes().repeat(2);
        let change = Change { deadline, ..Change::put(&bytes, Expect::Any) };
        self.change(Asked::Put(value, Expect::Any), key, &change)
    }
    /// Puts a value of two equal words at [`NOON`].
    pub fn put_at_noon(&self, key: usize, value: u64) -> Told {
        let bytes = value.to_le_bytes().repeat(2);
        self.change_at(Asked::Put(value, Expect::Any), key, &Change::put(&bytes, Expect::Any), NOON)
    }
    /// Ends what expired by [`NOON`] in the only group of buckets.
    pub fn sweep(&self) {
        let told = match self.core.sweep(&mut self.lane.borrow_mut(), 0, u64::MAX, NOON) {
            Ok(_) => Told::Said("swept".into()),
            Err(fault) => Told::Fault(fault),
        };
        self.note(Asked::Other("sweep"), 0, 0, told);
    }
    /// Replaces a key's value by compare-and-swap of what was read, once. An entry that ends with a session goes on
    /// to, whoever updates it.
    pub fn update(&self, key: usize, value: u64) -> Told {
        let mut ephemeral = 0;
        let expect = match self.get_bound(key, &mut ephemeral) {
            Told::Value { version, .. } => Expect::Version(version),
            Told::Absent => Expect::Absent,
            other => return other,
        };
        let bytes = value.to_le_bytes().repeat(2);
        self.change(Asked::Put(value, expect), key, &Change { ephemeral, ..Change::put(&bytes, expect) })
    }
    /// Removes a key.
    pub fn remove(&self, key: usize) -> Told {
        self.change(Asked::Remove, key, &Change::tombstone(RecordKind::Removed, Expect::Any))
    }
    /// Ends a key as its deadline would, if this generation wrote it.
    pub fn expire(&self, key: usize, generation: u64) -> Told {
        let change = Change::tombstone(RecordKind::Expired, Expect::Generation(generation));
        self.change(Asked::Expire(generation), key, &change)
    }

    /// Gets a key's newest value.
    pub fn get(&self, key: usize) -> Told {
        self.get_bound(key, &mut 0)
    }

    /// As [`Party::get`], with the session that the value ends with.
    fn get_bound(&self, key: usize, ephemeral: &mut u64) -> Told {
        let began = self.core.generation();
        let mut out = Vec::new();
        let told = match self.core.get(&self.key(key), None, Verify::Always, &mut out) {
            Ok(Some(meta)) => {
                *ephemeral = meta.words.ephemeral();
                whole(&out, meta.words.version(), meta.generation)
            }
            Ok(None) => Told::Absent,
            Err(fault) => Told::Fault(fault),
        };
        self.note(Asked::Get, key, began, told.clone());
        told
    }

    /// Gets a key, then looks for what that told: in the newest generation, in a list of the present, in the history.
    pub fn get_and_list(&self, key: usize) {
        let Told::Value { generation, .. } = self.get(key) else { return };
        let newest = self.core.newest();
        let told = if newest < generation { Told::Torn } else { Told::Said(newest.to_string()) };
        self.note(Asked::Other("newest"), 0, 0, told);
        self.list();
        self.event(generation);
    }

    /// Gets a key at the present generation, through a view.
    pub fn get_now(&self, key: usize) -> Told {
        let point = self.core.point();
        self.get_at(key, point.generation)
    }

    /// Gets a key at a generation, through a view.
    pub fn get_at(&self, key: usize, generation: u64) -> Told {
        let item = self
            .core
            .point_at(generation)
            .and_then(|point| self.core.get_at(&self.key(key), point, Verify::Always));
        let told = match item {
            Ok(Some(item)) => whole(&item.value, item.header.version, item.generation),
            Ok(None) => Told::Absent,
            Err(fault) => Told::Fault(fault),
        };
        self.note(Asked::GetAt(generation), key, generation, told.clone());
        told
    }

    /// Lists the board at the present generation; an answer for each of the keys.
    pub fn list(&self) {
        let point = self.core.point();
        let mut listed = BTreeMap::new();
        let walked = self.core.list_at("", point, Verify::Always, |item| match item {
            Ok(item) => drop(
                listed.insert(item.key.clone(), whole(&item.value, item.header.version, item.generation)),
            ),
            Err(damaged) => drop(listed.insert(Vec::new(), Told::Fault(Fault::Corrupt(damaged.what)))),
        });
        let damaged = listed.remove(&Vec::new());
        for (key, name) in self.keys.iter().enumerate() {
            let told = match (walked, &damaged) {
                (Err(fault), _) => Told::Fault(fault),
                (_, Some(damaged)) => damaged.clone(),
                _ => listed.remove(name.as_bytes()).unwrap_or(Told::Absent),
            };
            self.note(Asked::GetAt(point.generation), key, point.generation, told);
        }
    }

    /// Reads the event of a generation.
    pub fn event(&self, generation: u64) -> Told {
        let told = match self.core.event(generation, Verify::Always, |_| true) {
            Ok(Some(event)) => Told::Event {
                version: event.item.header.version,
                value: value_of(&event.item),
                previous: event.previous.map(|item| item.header.version),
            },
            Ok(None) => Told::Said("filtered".into()),
            Err(fault) => Told::Fault(fault),
        };
        self.note(Asked::Event(generation), 0, 0, told.clone());
        told
    }

    /// Lets the oldest event go, if there is one.
    pub fn floor(&self, early: bool) {
        let told = match self.core.advance_floor(&mut self.lane.borrow_mut(), early) {
            Ok(moved) => Told::Said(if moved { "moved" } else { "stayed" }.into()),
            Err(fault) => Told::Fault(fault),
        };
        self.note(Asked::Other("floor"), 0, 0, told);
    }

    /// Lets the oldest event go, if there is one, and retires the key that it removed.
    pub fn let_go(&self) {
        let told = match self.core.let_go(&mut self.lane.borrow_mut(), false) {
            Ok(_) => Told::Said("let go".into()),
            Err(fault) => Told::Fault(fault),
        };
        self.note(Asked::Other("let go"), 0, 0, told);
    }

    /// Completes an event that a killed finisher left uncounted, as every attach and beat does.
    pub fn finish_pending(&self) {
        let told = match self.core.finish_pending(&mut self.lane.borrow_mut()) {
            Ok(()) => Told::Said("finished".into()),
            Err(fault) => Told::Fault(fault),
        };
        self.note(Asked::Other("finish"), 0, 0, told);
    }

    /// Interns a name, and says under which number it is found.
    pub fn intern(&self, name: &'static str) {
        let session = self.lane.borrow().session;
        let told = match self.core.intern(name, session) {
            Err(Fault::Full(Full::Names)) => Told::Said("full".into()),
            Err(fault) => Told::Fault(fault),
            Ok(index) if self.core.name(index).as_deref() == Some(name) => {
                Told::Said(format!("{name} is {index}"))
            }
            Ok(_) => Told::Torn,
        };
        self.note(Asked::Other("intern"), 0, 0, told);
    }

    /// Interns a name for which there is room, whatever others do.
    pub fn intern_in_room(&self, name: &'static str) {
        let session = self.lane.borrow().session;
        let told = self.core.intern(name, session).map_or(Told::Torn, |_| Told::Said(name.into()));
        self.note(Asked::Other("intern in room"), 0, 0, told);
    }

    /// Ends the session's life and begins another.
    pub fn attach_anew(&self) {
        let mut lane = self.lane.borrow_mut();
        let left = self.core.leave(std::slice::from_mut(&mut lane), Now::default());
        let session = lane.session;
        *lane = Lane::new(&self.core, 0, self.core.occupy(session, 0, &Identity::default()));
        drop(lane);
        self.note(
            Asked::Other("attach anew"),
            0,
            0,
            left.map_or_else(Told::Fault, |()| Told::Said("new".into())),
        );
    }

    /// Retires slots that stayed OPEN over two rounds.
    pub fn sweep_open(&self) {
        let before = self.core.sweep_open(&[]);
        self.core.sweep_open(&before);
    }

    /// Gives the stash back.
    pub fn empty_stash(&self) {
        self.core.empty_stash(&mut self.lane.borrow_mut());
    }

    /// Waits for deaths, takes the lock bytes of the dead, and ends their lives as a board does: each in the dead session's own
    /// name, and only if its record is still occupied. A reaper that was killed may have ended a life and let its byte go with
    /// its own.
    pub fn reap(&self) {
        let dead = self.mail.load(Ordering::Acquire);
        for session in (0..64).filter(|session| dead >> session & 1 == 1) {
            if self.core.is_occupied(session) {
                self.end_in_its_name(session);
            }
        }
    }

    /// Ends the life of a dead session, by this party's own lane. Whether that could be done.
    pub fn end(&self, dead: usize) -> bool {
        let ended = self.core.reap(&mut self.lane.borrow_mut(), dead, Now::default());
        self.note_end(ended)
    }

    /// The same in the dead session's own name, as a board does it.
    pub fn end_in_its_name(&self, dead: usize) -> bool {
        let mut lane = Lane::for_reaping(&self.core, dead);
        let ended = self.core.reap(&mut lane, dead, Now::default());
        self.note_end(ended)
    }

    fn note_end(&self, ended: Result<Reaped, Fault>) -> bool {
        let told = match ended {
            Ok(_) => Told::Said("reaped".into()),
            Err(fault) => Told::Fault(fault),
        };
        self.note(Asked::Other("reap"), 0, 0, told);
        ended.is_ok()
    }

    /// Puts, reads and removes every key: what must be possible when all is over.
    pub fn use_every_key(&self, value: u64) {
        for key in 0..self.keys.len() {
            self.put(key, value + key as u64, Expect::Any);
            self.get(key);
            self.remove(key);
            self.get(key);
        }
    }
}

/// The value that equal words repeat.
fn whole(bytes: &[u8], version: u64, generation: u64) -> Told {
    match repeated(bytes) {
        Some(value) => Told::Value { version, generation, value },
        None => Told::Torn,
    }
}

fn value_of(item: &Item) -> Option<u64> {
    (!item.header.kind.is_tombstone()).then(|| repeated(&item.value).unwrap_or(u64::MAX))
}

/// The word that the bytes repeat; `None` where they are of several writes.
pub fn repeated(bytes: &[u8]) -> Option<u64> {
    let mut words = bytes.chunks(8).map(|word| word.try_into().map(u64::from_le_bytes).ok());
    let first = words.next()??;
    words.all(|word| word == Some(first)).then_some(first)
}
