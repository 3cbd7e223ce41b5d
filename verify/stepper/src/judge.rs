//! Judges an image in which every session is dead: the board must be sound, complete and usable.

use slateboard::{
    layout::{Geometry, Writer, record::RecordKind},
    protocol::{
        Core, Fault, Silent,
        lane::Lane,
        publish::{Change, Expect, Now, Outcome},
        read::Verify,
        sessions::Identity,
        slots::Key,
        survey::Damaged,
        view::Item,
    },
    sync::AtomicU64,
};
use slateboard_fsck::{EventState, Kind, Summary};
use std::collections::{BTreeMap, BTreeSet};

/// Deadlines are compared with the real clock. The scenario with a deadline has one that has passed.
const NOW: Now = Now { real_ns: 1, boot_ns: slateboard::region::boottime_ns };

/// The states that may stand: after none of the operation's events, after the first, and so on.
pub struct Expected {
    /// The first is the state before the operation.
    states: Vec<Standing>,
}

/// Keys that have a value, each with its version and value.
type Standing = BTreeMap<Vec<u8>, (u64, Vec<u8>)>;

/// A key with the version of a bound value.
pub type Bound = (Vec<u8>, u64);

impl Expected {
    /// From a board before the operation, and one after it that still has the events between.
    pub fn new(before: &Summary, after: &Summary) -> Result<Self, String> {
        let stands = |summary: &Summary| {
            let keys = summary.keys.iter();
            keys.map(|key| (key.key.clone(), (key.version, key.value.clone()))).collect::<BTreeMap<_, _>>()
        };
        if after.floor > before.generation {
            return Err("the operation makes more events than the history holds".into());
        }
        let mut states = vec![stands(before)];
        for event in after.events.iter().filter(|event| event.generation > before.generation) {
            let mut state = states[states.len() - 1].clone();
            apply(&mut state, event);
            states.push(state);
        }
        match states.last() == Some(&stands(after)) {
            true => Ok(Self { states }),
            false => Err("the events do not lead to what stands at the end".into()),
        }
    }

    /// The number of events the operation makes.
    pub fn events(&self) -> usize {
        self.states.len() - 1
    }

    /// The last of the states from `since` on that stands. Bound values are gone, since every session has ended.
    fn stands(&self, summary: &Summary, bound: &[Bound], since: usize) -> Option<usize> {
        let keys = summary.keys.iter();
        let found: BTreeMap<_, _> =
            keys.map(|key| (key.key.as_slice(), (key.version, key.value.as_slice()))).collect();
        let same = |state: &Standing| {
            let ended = |key: &[u8], version: u64| {
                bound.iter().any(|bound| (bound.0.as_slice(), bound.1) == (key, version))
            };
            let left = state.iter().filter(|(key, (version, _))| !ended(key, *version));
            left.map(|(key, (version, value))| (key.as_slice(), (*version, value.as_slice())))
                .eq(found.clone())
        };
        (since..self.states.len()).rev().find(|&at| same(&self.states[at]))
    }
}

fn apply(state: &mut Standing, event: &EventState) {
    match &event.value {
        Some(value) => state.insert(event.key.clone(), (event.version, value.clone())),
        None => state.remove(&event.key),
    };
}

/// Judges the images of one scenario, in their order.
pub struct Judge<'j> {
    /// The board's geometry.
    pub geometry: &'j Geometry,
    /// What may stand.
    pub expected: &'j Expected,
    /// Values that are bound to sessions of the images.
    pub bound: Vec<Bound>,
    /// Whether the dead are reaped. A test sets it to false, and must see failures.
    pub reaps: bool,
    /// Whether the board has no room, so that it may refuse puts.
    pub full: bool,
    /// The state that stood in the image before.
    pub since: usize,
}

impl<'j> Judge<'j> {
    /// A judge for an operation that has not begun.
    pub fn new(geometry: &'j Geometry, expected: &'j Expected, bound: Vec<Bound>) -> Self {
        Self { geometry, expected, bound, reaps: true, full: false, since: 0 }
    }

    /// Judges an image. `done`: the operation has returned, so all of it must be there.
    ///
    /// # Errors
    /// What is wrong.
    pub fn judge(&mut self, words: &[u64], done: bool) -> Result<(), String> {
        let words: Vec<AtomicU64> = words.iter().map(|&word| AtomicU64::new(word)).collect();
        let core = Core::new(&words, &[], &Silent, self.geometry).ok_or("the image is too short")?;
        self.agree(&core).map_err(|what| format!("before anybody is reaped: {what}"))?;
        if self.reaps {
            reap_all(&core)?;
        }
        let summary = sound(&words, "after reaping")?;
        let stands = self.expected.stands(&summary, &self.bound, self.since);
        let last = self.expected.events();
        match stands {
            Some(at) if done && at < last => {
                return Err(format!("it returned, and {at} of {last} events are there"));
            }
            Some(at) => self.since = at,
            None => {
                return Err(format!(
                    "what stands is none of what may stand, from state {} on: {}",
                    self.since,
                    told(&summary)
                ));
            }
        }
        survive(&core, &summary, self.full)?;
        sound(&words, "after another session's work").map(|_| ())
    }

    /// A get, the list, and the event of the generation that the get returned agree on every key: nobody writes, and a
    /// read returns what is in the reader's present.
    fn agree(&self, core: &Core<'_>) -> Result<(), String> {
        let point = core.point();
        let mut listed = BTreeMap::new();
        let note = |item: Result<Item, Damaged>| {
            listed.extend(item.ok().map(|item| (item.key, item.generation)));
        };
        core.list_at("", point, Verify::Always, note).map_err(|fault| format!("list: {fault:?}"))?;
        let keys: BTreeSet<_> = self.expected.states.iter().flat_map(BTreeMap::keys).collect();
        for key in keys {
            let name = String::from_utf8_lossy(key);
            let got = core.get(&Key::new(core.geometry(), &name), None, Verify::Always, &mut Vec::new());
            let told = got.map_err(|fault| format!("get of {name}: {fault:?}"))?.map(|meta| meta.generation);
            if told != listed.get(key).copied() {
                return Err(format!("{name} is of {told:?}, and a list at {point:?} tells {listed:?}"));
            }
            if let Some(told) = told.filter(|&told| told > core.floor()) {
                tells_of(core, told)?;
            }
        }
        Ok(())
    }
}

fn tells_of(core: &Core<'_>, generation: u64) -> Result<(), String> {
    match core.event(generation, Verify::Always, |_| true) {
        Ok(Some(event)) if event.item.generation == generation => Ok(()),
        other => Err(format!("event {generation} reads as {other:?}")),
    }
}

/// What the independent check finds in words at rest, nobody attached.
fn sound(words: &[AtomicU64], when: &str) -> Result<Summary, String> {
    let words: Vec<u64> = words.iter().map(|word| word.load(slateboard::sync::Ordering::Relaxed)).collect();
    slateboard_kit::judge::sound(&words, &[]).map_err(|findings| format!("{when}: {findings}"))
}

fn told(summary: &Summary) -> String {
    let key = |key: &slateboard_fsck::KeyState| {
        format!("{} version {} of {} bytes", String::from_utf8_lossy(&key.key), key.version, key.value.len())
    };
    summary.keys.iter().map(key).collect::<Vec<_>>().join(", ")
}

/// Ends every session, as a process does that finds its lock released.
pub fn reap_all(core: &Core<'_>) -> Result<(), String> {
    for dead in (0..core.geometry().sessions()).filter(|&index| core.is_occupied(index)) {
        let mut lane = Lane::for_reaping(core, dead);
        core.reap(&mut lane, dead, NOW).map_err(|fault| format!("reaping record {dead}: {fault:?}"))?;
    }
    // Finishes what a reaper left behind that was killed before it had a record. Every attach and every beat does.
    let mut lane = attach(core, "finisher")?;
    core.finish_pending(&mut lane).map_err(|fault| format!("finishing: {fault:?}"))?;
    core.leave(std::slice::from_mut(&mut lane), NOW).map_err(|fault| format!("leaving: {fault:?}"))
}

fn attach(core: &Core<'_>, name: &str) -> Result<Lane, String> {
    let free = (0..core.geometry().sessions()).find(|&index| !core.is_occupied(index));
    let index = free.ok_or("no record is free")?;
    let writer: Writer = core.occupy(index, 0, &Identity::default());
    let name = core.intern(name, index).map_err(|fault| format!("the name: {fault:?}"))?;
    Ok(Lane::new(core, 0, Writer { name, ..writer }))
}

/// Another session attaches, reads everything, and changes, adds and removes keys.
fn survive(core: &Core<'_>, summary: &Summary, full: bool) -> Result<(), String> {
    let mut lane = attach(core, "survivor")?;
    finds(core, summary)?;
    let mut keys: Vec<String> =
        summary.keys.iter().map(|key| String::from_utf8_lossy(&key.key).into_owned()).collect();
    keys.retain(|key| key.starts_with("task/") || key.starts_with("team/"));
    keys.truncate(3);
    for key in keys.iter().map(String::as_str).chain(["task/new", "task/survivor"]) {
        let stands = keys.iter().any(|stands| stands == key);
        writes(core, &mut lane, key, stands, full)
            .map_err(|what| format!("the survivor, on {key}: {what}"))?;
    }
    core.leave(std::slice::from_mut(&mut lane), NOW)
        .map_err(|fault| format!("the survivor leaves: {fault:?}"))
}

/// Reads return what the check found.
fn finds(core: &Core<'_>, summary: &Summary) -> Result<(), String> {
    let mut listed = BTreeMap::new();
    let note = |item: Result<Item, Damaged>| {
        if let Ok(item) = item
            && item.header.kind == RecordKind::Value
        {
            listed.insert(item.key, (item.header.version, item.value));
        }
    };
    core.list_at("", core.point(), Verify::Always, note).map_err(|fault| format!("list: {fault:?}"))?;
    let stands: BTreeMap<_, _> =
        summary.keys.iter().map(|key| (key.key.clone(), (key.version, key.value.clone()))).collect();
    if listed != stands {
        return Err(format!("list tells {} keys, and there are {}", listed.len(), stands.len()));
    }
    for key in &summary.keys {
        let name = String::from_utf8_lossy(&key.key);
        let mut value = Vec::new();
        let meta = core.get(&Key::new(core.geometry(), &name), None, Verify::Always, &mut value);
        match meta {
            Ok(Some(meta))
                if (meta.words.version(), meta.generation) == (key.version, key.generation)
                    && value == key.value => {}
            other => return Err(format!("get of {name} tells {other:?}")),
        }
    }
    summary.events.iter().try_for_each(|event| tells(core, event))
}

/// The event, and a view of its generation, are what the check found.
fn tells(core: &Core<'_>, event: &EventState) -> Result<(), String> {
    let fail = |what: String| format!("event {}: {what}", event.generation);
    let told =
        core.event(event.generation, Verify::Always, |_| true).map_err(|fault| fail(format!("{fault:?}")))?;
    let told = told.ok_or_else(|| fail("is not there".into()))?;
    let kind = match told.item.header.kind {
        RecordKind::Value => Kind::Put,
        RecordKind::Removed => Kind::Removed,
        RecordKind::Expired => Kind::Expired,
        RecordKind::Detached => Kind::Detached,
        RecordKind::Died => Kind::Died,
    };
    let value = (kind == Kind::Put).then_some(told.item.value);
    if (&told.item.key, told.item.header.version, kind, &value)
        != (&event.key, event.version, event.kind, &event.value)
    {
        return Err(fail("tells something else".into()));
    }
    let point = core.point_at(event.generation).map_err(|fault| fail(format!("{fault:?}")))?;
    let name = String::from_utf8_lossy(&event.key);
    let seen = core.get_at(&Key::new(core.geometry(), &name), point, Verify::Always);
    let seen = seen.map_err(|fault| fail(format!("the view: {fault:?}")))?;
    let seen = seen.filter(|item| item.header.kind == RecordKind::Value).map(|item| item.value);
    if seen == event.value {
        Ok(())
    } else {
        Err(fail("the view at its generation shows another value".into()))
    }
}

/// A removal, puts and conditional puts, each with its answer.
fn writes(core: &Core<'_>, lane: &mut Lane, name: &str, stands: bool, full: bool) -> Result<(), String> {
    let key = Key::new(core.geometry(), name);
    let mut change = |change: Change<'_>| core.change(lane, &key, &change, NOW, None);
    let told = |fault: Fault| format!("{fault:?}");
    // A removal comes first: it has room on a full board, and makes more.
    match change(Change::tombstone(RecordKind::Removed, Expect::Any)) {
        Ok(Outcome::Done { .. } | Outcome::Nothing) => {}
        // Finding that there is nothing to remove takes a block, too.
        Err(Fault::Full(_)) if full && !stands => return Ok(()),
        other => return Err(format!("the removal tells {other:?}")),
    }
    let generation = core.generation();
    let first = match change(Change::put(b"survivor", Expect::Absent)) {
        Err(Fault::Full(_)) if full => return Ok(()),
        Ok(Outcome::Done { version, generation: own, .. }) if own == generation + 1 => version,
        other => return Err(format!("the put tells {other:?} after generation {generation}")),
    };
    let met = change(Change::put(b"again", Expect::Version(first))).map_err(told)?;
    let late = change(Change::put(b"late", Expect::Version(first))).map_err(told)?;
    if !matches!(met, Outcome::Done { version, .. } if version == first + 1)
        || late != (Outcome::Conflict { version: first + 1 })
    {
        return Err(format!("version {first} was expected: {met:?}, then {late:?}"));
    }
    let mut value = Vec::new();
    let meta = core.get(&key, None, Verify::Always, &mut value).map_err(|fault| format!("get: {fault:?}"))?;
    match meta {
        Some(meta) if meta.words.version() == first + 1 && value == b"again" => Ok(()),
        other => Err(format!("get tells {other:?}")),
    }
}
