//! A board at rest: every party is done, or dead and reaped. The judge of boards says whether the words are sound, given
//! what the search knows; the answers of the parties are compared with the events here.

use crate::{
    party::{Asked, Call, Told},
    watch::Event,
};
use slateboard::{
    layout::{Geometry, geometry, header, record, record::RecordKind, session},
    protocol::publish::Expect,
};
use slateboard_fsck::{Known, KnownEvent, Layout, Profile, check_known};

/// The sizes of a board in the search: those of a model, with the weights that reapers must leave right, and with
/// everything in a record where the build has it.
const PROFILE: Profile = Profile {
    counter_words: if session::COUNTERS_KEPT { 16 } else { 2 },
    weights_at: Some(if session::COUNTERS_KEPT { 6 } else { 0 }),
    details: record::DETAILS,
    ..Profile::MODEL
};

/// What the search knows about a session.
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
    /// Its words, and any number of others behind them.
    pub words: &'b [u64],
    /// The events so far.
    pub events: &'b [Event],
    /// The sessions.
    pub sessions: Vec<Session>,
}

type Check = Result<(), String>;

impl Rest<'_> {
    /// Whether the board is sound, and holds the events so far; living sessions own what they have stashed, dead ones
    /// nothing.
    pub fn check(&self) -> Check {
        let sessions = || (0u16..).zip(&self.sessions);
        let living: Vec<u16> = sessions().filter(|(_, session)| !session.killed).map(|(at, _)| at).collect();
        let private: Vec<usize> = sessions().map(|(_, session)| session.stashed).collect();
        let events: Vec<KnownEvent<'_>> = self.events.iter().map(known).collect();
        let known = Known { living: &living, private: Some(&private), events: Some(&events) };
        let words = &self.words[..self.geo.words()];
        let layout = Layout::new(PROFILE, self.geo.seed(), &self.geo.shape().pack());
        match layout.map_err(|finding| vec![finding]).and_then(|layout| check_known(words, &layout, &known)) {
            Ok(_) => Ok(()),
            Err(findings) => {
                let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
                Err(format!("the board is corrupt: {}", findings.join("; ")))
            }
        }
    }

    fn shard_of(&self, key: &[u8]) -> usize {
        let key = String::from_utf8_lossy(key);
        self.geo.shard_of(&key, self.geo.hash(key.as_bytes()))
    }

    /// Whether the board is sound after these calls, which used every key at the end, and each put succeeded.
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

    /// Whether a call's answer was true at some moment between its beginning and its end.
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

fn known(event: &Event) -> KnownEvent<'_> {
    KnownEvent {
        generation: event.generation,
        key: &event.key,
        version: event.version,
        value: event.kind == RecordKind::Value,
        block: event.block,
        superseded: event.superseded,
    }
}

/// Whether the event is the change that was asked for.
fn did(asked: Asked, event: &Event) -> bool {
    match asked {
        Asked::Put(value, _) => event.value == Some(value),
        Asked::Remove => event.kind == RecordKind::Removed,
        Asked::Expire(_) => event.kind == RecordKind::Expired,
        _ => false,
    }
}

/// Whether a change with this expectation may follow a value of version `stood`, where 0 is none.
fn may(asked: Asked, stood: u64, version: u64) -> bool {
    match asked {
        Asked::Put(_, Expect::Absent) => stood == 0,
        Asked::Put(_, Expect::Present) => stood != 0,
        Asked::Put(_, Expect::Version(expected)) => stood == expected && version == expected + 1,
        Asked::Remove | Asked::Expire(_) => stood != 0,
        _ => true,
    }
}
