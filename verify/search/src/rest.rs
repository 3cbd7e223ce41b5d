//! The check of a board at rest: every party done, or dead and reaped. Independent of the engine's paths:
//! from words, by the layout, to what the guarantees promise.

use crate::{
    party::{Asked, Call, Told},
    places::{blocks, record},
    watch::Event,
};
use slateboard::{
    layout::{
        Block, DeadlineHint, GenWord, Geometry, Head, HeadKind, Overflow, RingWord, SlotHash, State,
        StateKind, Writer, geometry,
        groups::{GROUP_FRESH, GROUP_SWEPT},
        header, record as records,
        record::{RecordHeader, RecordKind},
        session::{self, NameKind, NameState, Sum, Weight},
    },
    protocol::publish::Expect,
};
use std::collections::BTreeMap;

/// A session, for the check.
pub struct Session {
    /// Blocks in its stash.
    pub stashed: usize,
    /// Whether it was killed.
    pub killed: bool,
}

/// A board at rest.
pub struct Rest<'b> {
    /// Its geometry.
    pub geo: &'b Geometry,
    /// Its words.
    pub words: &'b [u64],
    /// The events so far.
    pub events: &'b [Event],
    /// The sessions.
    pub sessions: Vec<Session>,
}

type Check = Result<(), String>;

impl Rest<'_> {
    /// All of it.
    pub fn check(&self) -> Check {
        self.history()?;
        self.heads()?;
        self.buckets()?;
        self.weight()?;
        self.names()?;
        self.records_of_sessions()
    }

    fn state(&self, block: Block) -> State {
        State(self.words[self.geo.state(block)])
    }

    fn gen_word(&self, block: Block) -> GenWord {
        GenWord::unpack(self.words[self.geo.generation(block)])
    }

    /// The ring holds the events between floor and generation, as they were counted; nothing else waits.
    fn history(&self) -> Check {
        let (generation, floor) = (self.words[header::GENERATION], self.words[header::FLOOR]);
        if self.events.len() as u64 != generation || generation - floor > self.geo.history() {
            return Err(format!("{} events, generation {generation}, floor {floor}", self.events.len()));
        }
        let next = RingWord(self.words[self.geo.ring(generation + 1)]);
        if next.lap() == self.geo.lap(generation + 1) {
            return Err(format!("event {} was entered, and nobody counts it", generation + 1));
        }
        for event in self.events.iter().filter(|event| event.generation > floor) {
            let word = RingWord(self.words[self.geo.ring(event.generation)]);
            if word != RingWord::new(self.geo.lap(event.generation), event.block) {
                return Err(format!("the ring says {word:?} of {event:?}"));
            }
        }
        for shard in 0..self.geo.shards() {
            let newest = self.events.iter().rev().find(|event| self.shard_of(&event.key) == shard);
            let newest = newest.map_or(0, |event| event.generation);
            let changes = self.words[self.geo.shard(shard) + geometry::SHARD_CHANGES];
            if changes < newest {
                return Err(format!("the shard's counter says {changes}, its newest event is {newest}"));
            }
        }
        Ok(())
    }

    fn shard_of(&self, key: &[u8]) -> usize {
        let key = String::from_utf8_lossy(key);
        self.geo.shard_of(&key, self.geo.hash(key.as_bytes()))
    }

    /// First words of a chain's buckets.
    fn chain(&self, bucket: usize) -> Vec<usize> {
        let mut bases = vec![self.geo.bucket(bucket)];
        while let Some(block) = bases.last().and_then(|&base| self.geo.block(self.words[base + 1] as u32)) {
            if bases.len() > 64 {
                break;
            }
            bases.push(self.geo.data(block));
        }
        bases
    }

    /// Hash and head words of all slots.
    fn slots(&self) -> Vec<usize> {
        let bases = (0..self.geo.buckets()).flat_map(|bucket| self.chain(bucket));
        bases.flat_map(|base| (0..geometry::SLOTS).map(move |slot| base + 2 + 2 * slot)).collect()
    }

    /// What sessions superseded less what they freed is what the history holds.
    fn weight(&self) -> Check {
        let sum = |sum| {
            let records = (0..self.geo.sessions()).map(|session| self.geo.session(session));
            let words =
                records.flat_map(|at| (0..=session::LANES).map(move |lane| at + session::weight(lane, sum)));
            words.map(|at| Weight(self.words[at]).sum()).fold(0u64, u64::wrapping_add)
        };
        let counted = sum(Sum::Superseded).wrapping_sub(sum(Sum::Freed));
        let floor = self.words[header::FLOOR];
        let mut held = 0u64;
        for event in self.events.iter().filter(|event| event.generation > floor && event.superseded != 0) {
            let block = self.geo.block(event.superseded).ok_or("an event superseded no block")?;
            let base = self.geo.data(block);
            let words = records::len_of(self.words[base + records::PLACE], self.words[base + records::SHAPE]);
            held += self.geo.granules_for(words) as u64;
        }
        if Weight(counted) == Weight(held) {
            return Ok(());
        }
        Err(format!("{counted} granules are counted, and the history holds {held}"))
    }

    /// Each overflow bucket is counted once: the shard's count is theirs, and all but the last say so.
    fn buckets(&self) -> Check {
        for shard in 0..self.geo.shards() {
            let overflow = Overflow(self.words[self.geo.shard(shard) + geometry::SHARD_OVERFLOW]);
            let chains = self.geo.shard_buckets(shard).map(|bucket| self.chain(bucket));
            let linked: Vec<usize> = chains.flat_map(|chain| chain.into_iter().skip(1)).collect();
            if overflow.count() != linked.len() as u64 {
                return Err(format!(
                    "{overflow:?} of shard {shard}, which has {} overflow buckets",
                    linked.len()
                ));
            }
            let last = self.geo.block(overflow.last()).map(|block| self.geo.data(block));
            if let Some(base) =
                linked.into_iter().find(|&at| Some(at) != last && self.words[at] != Overflow::COUNTED)
            {
                return Err(format!("the overflow bucket at {base} does not say that it was counted"));
            }
        }
        Ok(())
    }

    /// Every LIVE head names its key's newest event; every key with a value has one slot.
    fn heads(&self) -> Check {
        let mut keys = BTreeMap::new();
        for hash_at in self.slots() {
            let (hash, head) = (SlotHash(self.words[hash_at]), Head(self.words[hash_at + 1]));
            if !head.is(HeadKind::Live) {
                continue;
            }
            let block = self.geo.block(head.block()).ok_or_else(|| format!("{head:?} has no block"))?;
            let record = record(self.words, self.geo, block).ok_or_else(|| format!("{head:?}: no record"))?;
            let fits = geometry::fingerprint_of(self.geo.hash(&record.key)) == hash.fingerprint();
            if !fits || record.header.slot as usize != hash_at + 1 {
                return Err(format!("{head:?} under {hash:?} names {record:?}"));
            }
            if let Some(dead) = self.bound_to_dead(&record.header).filter(|_| !record.removes()) {
                return Err(format!("{head:?} is of an entry that was to end with session {dead}"));
            }
            self.deadline(hash_at + 1, &record.header)?;
            if keys.insert(record.key.clone(), head).is_some() {
                return Err(format!("key {:?} has two slots", String::from_utf8_lossy(&record.key)));
            }
            let newest = self.events.iter().rev().find(|event| event.key == record.key);
            let named = newest.is_some_and(|event| {
                event.block == head.block() && self.gen_word(block) == GenWord::Generation(event.generation)
            });
            if !named || self.state(block).kind() != StateKind::Owned {
                return Err(format!(
                    "{head:?} names {:?}, the newest event is {newest:?}",
                    self.state(block)
                ));
            }
        }
        for event in self.events {
            let last = !self
                .events
                .iter()
                .any(|later| later.key == event.key && later.generation > event.generation);
            if last && event.kind == RecordKind::Value && !keys.contains_key(&event.key) {
                return Err(format!("no slot has {event:?}"));
            }
        }
        Ok(())
    }

    /// One of the two words of the entry's group is no later than its deadline.
    fn deadline(&self, head_at: usize, header: &RecordHeader) -> Check {
        if header.kind.is_tombstone() || header.deadline == 0 {
            return Ok(());
        }
        let has = |bucket: &usize| {
            self.chain(*bucket).iter().any(|&base| head_at > base && head_at - base < geometry::BUCKET_WORDS)
        };
        let bucket = (0..self.geo.buckets()).find(has).ok_or("an entry is in no chain")?;
        let at = self.geo.groups().word(self.geo.groups().of(bucket));
        let (swept, fresh) = (DeadlineHint(self.words[at + GROUP_SWEPT]), self.words[at + GROUP_FRESH]);
        if swept.covers(header.deadline) || (fresh != 0 && !fresh <= header.deadline) {
            return Ok(());
        }
        Err(format!("deadline {} is lost: {swept:?}, {fresh:#x}", header.deadline))
    }

    /// The session that an entry was to end with, if it is dead.
    fn bound_to_dead(&self, header: &RecordHeader) -> Option<u16> {
        let bound = (header.ephemeral != 0).then(|| Writer::unpack(header.ephemeral))?;
        let life = self.words[self.geo.session(bound.session.into()) + session::INCARNATION];
        let over = life != session::incarnation_word(bound.incarnation, true);
        over.then_some(bound.session)
    }

    /// Every block that is not free is named once: by a head, by an event that superseded it, by a link, by
    /// a chain, or it is in a living session's stash. Nobody else holds any.
    fn names(&self) -> Check {
        let mut named = BTreeMap::<u32, Vec<String>>::new();
        let mut name = |block: u64, by: String| {
            if block != 0 {
                named.entry(block as u32).or_default().push(by);
            }
        };
        for hash_at in self.slots() {
            let head = Head(self.words[hash_at + 1]);
            name(head.block().into(), format!("{head:?}"));
        }
        for bucket in 0..self.geo.buckets() {
            for base in self.chain(bucket) {
                name(self.words[base + 1], format!("the link of bucket {bucket}"));
            }
        }
        let floor = self.words[header::FLOOR];
        for event in self.events.iter().filter(|event| event.generation > floor) {
            name(event.superseded.into(), format!("event {}", event.generation));
        }
        let heads: Vec<u32> = named.keys().copied().collect();
        for index in heads {
            let record = self.geo.block(index).and_then(|block| record(self.words, self.geo, block));
            for piece in record.into_iter().flat_map(|record| record.pieces) {
                named.entry(piece.index()).or_default().push(format!("the chain of block {index}"));
            }
        }
        if let Some((block, by)) = named.iter().find(|(_, by)| by.len() > 1) {
            return Err(format!("block {block} is named by {}", by.join(" and ")));
        }
        self.states(&named)
    }

    fn states(&self, named: &BTreeMap<u32, Vec<String>>) -> Check {
        let mut claimed = vec![0; self.sessions.len()];
        for block in blocks(self.geo) {
            let state = self.state(block);
            let by = named.get(&block.index());
            match (state.kind(), by) {
                (StateKind::Free, None) | (StateKind::Owned, Some(_)) => {}
                // Nobody looks at it any more.
                (StateKind::Limbo, None) if state.owner() == 0 => {}
                (StateKind::Limbo, Some(by)) if state.owner() == 0 && by[0].contains("Retired") => {}
                (StateKind::Part, Some(by)) if by[0].starts_with("the chain") => {}
                (StateKind::Claimed, None) if usize::from(state.owner()) <= claimed.len() => {
                    claimed[usize::from(state.owner()) - 1] += 1;
                }
                (_, None) => return Err(format!("{block:?} is {state:?}, and nothing names it: a leak")),
                (_, Some(by)) => return Err(format!("{block:?} is {state:?}, and {} names it", by[0])),
            }
        }
        for (number, (session, claimed)) in self.sessions.iter().zip(claimed).enumerate() {
            if session.stashed != claimed {
                let stashed = session.stashed;
                return Err(format!("session {number} has claimed {claimed} blocks and stashed {stashed}"));
            }
        }
        Ok(())
    }

    /// A dead session's record is free; no intent stands; no name is half made.
    fn records_of_sessions(&self) -> Check {
        for (number, dead) in self.sessions.iter().enumerate() {
            let record = self.geo.session(number);
            if self.words[record + session::intent(0) + session::INTENT_EVENT] != 0 {
                return Err(format!("session {number} still intends a floor step"));
            }
            if dead.killed && session::is_active(self.words[record + session::INCARNATION]) {
                return Err(format!("session {number} is dead and its record is not free"));
            }
        }
        let half = (1..self.geo.names()).find(|&name| self.words[self.geo.name(name)] & 0xff == 1);
        half.map_or(Ok(()), |name| Err(format!("name {name} is half made")))?;
        self.names_of_sessions()
    }

    /// A session that is attached has the name that its record names.
    fn names_of_sessions(&self) -> Check {
        let records = (0..self.geo.sessions()).map(|session| self.geo.session(session));
        for record in records.filter(|record| session::is_active(self.words[record + session::INCARNATION])) {
            let name = self.words[record + session::NAME] as usize;
            let kind = NameState(self.words[self.geo.name(name)]).kind();
            if name != 0 && !matches!(kind, Some(NameKind::Ready { .. })) {
                return Err(format!("an attached session has name {name}, which is {kind:?}"));
            }
        }
        Ok(())
    }

    /// Whether the board was as good as new for a party that used every key when all was over.
    pub fn is_usable(&self, keys: &[String], calls: &[Call]) -> Check {
        let after = |reason: String| format!("afterwards: {reason}");
        self.check().map_err(after)?;
        for call in calls {
            self.explains(&keys[call.key], call).map_err(after)?;
            let puts = matches!(call.asked, Asked::Put(..));
            if puts && !matches!(call.told, Told::Done { .. } | Told::Fault(_)) {
                return Err(after(format!("{call:?}")));
            }
        }
        Ok(())
    }

    /// Whether the counters show the change that a party has just been told of.
    pub fn shows(&self, key: &str, call: &Call) -> Check {
        let Told::Done { generation, .. } = call.told else { return Ok(()) };
        let changes = self.geo.shard(self.shard_of(key.as_bytes())) + geometry::SHARD_CHANGES;
        let (counter, shard) = (self.words[header::GENERATION], self.words[changes]);
        if counter < generation || shard < generation {
            return Err(format!("{call:?}, with the generation at {counter} and its shard's at {shard}"));
        }
        Ok(())
    }

    /// Whether a call's answer is that of some moment between its beginning and its end.
    pub fn explains(&self, key: &str, call: &Call) -> Check {
        let fail = || Err(format!("{call:?} on key {key:?} is not explained by {:?}", self.events));
        let version_at = |generation: u64| match self.at(key, generation) {
            Some(event) if event.kind == RecordKind::Value => event.version,
            _ => 0,
        };
        let ok = match (&call.told, call.asked) {
            (&Told::Done { version, generation }, asked) => {
                let event = self.events.iter().find(|event| event.generation == generation);
                event.is_some_and(|event| {
                    let same = event.key == key.as_bytes() && event.version == version;
                    same && generation > call.began
                        && did(asked, event)
                        && may(asked, version_at(generation - 1), version)
                })
            }
            (&Told::Value { version, generation, value }, Asked::GetAt(at)) => {
                self.at(key, at).is_some_and(|event| {
                    (event.version, event.generation, event.value) == (version, generation, Some(value))
                })
            }
            (Told::Absent, Asked::GetAt(at)) => version_at(at) == 0,
            (&Told::Value { version, generation, value }, _) => {
                let event = self.at(key, generation).filter(|event| event.generation == generation);
                let same = event.is_some_and(|event| (event.version, event.value) == (version, Some(value)));
                same && self.at(key, call.began).is_none_or(|event| event.generation <= generation)
            }
            (Told::Absent | Told::Nothing, _) => {
                (call.began..=call.ended + 1).any(|generation| version_at(generation) == 0)
            }
            (&Told::Conflict(version), _) => {
                (call.began..=call.ended + 1).any(|generation| version_at(generation) == version)
            }
            (Told::Event { version, value, previous }, Asked::Event(generation)) => {
                let event = self.events.iter().find(|event| event.generation == generation);
                event.is_some_and(|event| {
                    let key = String::from_utf8_lossy(&event.key);
                    let before = self.at(&key, generation - 1).filter(|before| before.value.is_some());
                    (event.version, event.value) == (*version, *value)
                        && before.map(|before| before.version) == *previous
                })
            }
            _ => true,
        };
        if ok { Ok(()) } else { fail() }
    }

    /// The key's last event at a generation.
    fn at(&self, key: &str, generation: u64) -> Option<&Event> {
        self.events.iter().rev().find(|event| event.generation <= generation && event.key == key.as_bytes())
    }
}

/// Whether the event is what was asked for.
fn did(asked: Asked, event: &Event) -> bool {
    match asked {
        Asked::Put(value, _) => event.value == Some(value),
        Asked::Remove => event.kind == RecordKind::Removed,
        Asked::Expire(_) => event.kind == RecordKind::Expired,
        _ => false,
    }
}

/// Whether a change with this expectation may follow a value of version `stood`, 0 for none.
fn may(asked: Asked, stood: u64, version: u64) -> bool {
    match asked {
        Asked::Put(_, Expect::Absent) => stood == 0,
        Asked::Put(_, Expect::Present) => stood != 0,
        Asked::Put(_, Expect::Version(expected)) => stood == expected && version == expected + 1,
        Asked::Remove | Asked::Expire(_) => stood != 0,
        _ => true,
    }
}
