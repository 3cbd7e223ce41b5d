//! What must hold at every write, whoever makes it: written from the layout and the guarantees, not from
//! the engine's own paths. It notes each event when the generation counter shows it, and from then on
//! holds the board to it.

use crate::{
    party::{NOON, repeated},
    places::{Place, record},
};
use slateboard::layout::{
    Block, GenWord, Geometry, Head, HeadKind, RingWord, State, StateKind, header, record::RecordKind,
};

/// An event, as it was when the generation counter first showed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Its generation.
    pub generation: u64,
    /// Its key.
    pub key: Vec<u8>,
    /// Version of the key.
    pub version: u64,
    /// What it made of the key.
    pub kind: RecordKind,
    /// The word that its value repeats; `None` for a removal.
    pub value: Option<u64>,
    /// Its block.
    pub block: u32,
    /// Which life of the block.
    pub tag: u64,
    /// The block it superseded, 0 for none.
    pub superseded: u32,
    /// Word of its slot's head.
    pub slot: usize,
}

/// Who writes, and who is dead.
#[derive(Clone, Copy)]
pub struct Writing {
    /// Session that writes.
    pub session: usize,
    /// Whether it ends the lives of others.
    pub reaps: bool,
    /// Sessions that are dead, one bit each.
    pub dead: u64,
}

/// What a write brought about.
pub type Verdict = Result<Option<Event>, String>;

/// Judges a write of `new` over `old` at `place`. `words` are the words after it.
pub fn judge(
    geo: &Geometry,
    words: &[u64],
    events: &[Event],
    place: Place,
    (old, new): (u64, u64),
    who: Writing,
) -> Verdict {
    match place {
        Place::Generation if new != old => return counted(geo, words, events, old, new).map(Some),
        Place::Floor if new != old && (new != old + 1 || new > words[header::GENERATION]) => {
            return Err(format!("the floor went from {old} to {new}"));
        }
        Place::Ring(index) if new != old => entered(geo, words, u64::from(index), old, new)?,
        Place::State(block) => owned(geo, words, events, block, State(old), State(new), who)?,
        Place::Gen(block)
            if new != old && pinned(words, events, block, tag_of(geo, words, block)).is_some() =>
        {
            return Err(format!("the generation word of block {block} changed while its event stands"));
        }
        Place::Data(granule, _) if new != old => {
            let start = block_of(geo, words, granule);
            if pinned(words, events, start, tag_of(geo, words, start)).is_some() {
                return Err(format!("block {start} was written to while its event stands"));
            }
        }
        _ => {}
    }
    Ok(None)
}

/// Where the block of a granule starts, by its extent's class.
fn block_of(geo: &Geometry, words: &[u64], granule: u32) -> u32 {
    let extent = granule / geo.extent_granules();
    let size = geo.classes().granules(words[geo.extent(extent)] as u8).unwrap_or(1);
    let first = extent * geo.extent_granules();
    first + (granule - first) / size * size
}

/// The tag of a block's life.
fn tag_of(geo: &Geometry, words: &[u64], block: u32) -> u64 {
    geo.block(block).map_or(0, |block| State(words[geo.state(block)]).tag())
}

/// The event that keeps this block in the life of this tag: its own, while what superseded it has not left the
/// history; a removal itself until it has, and its slot is retired.
fn pinned<'e>(words: &[u64], events: &'e [Event], block: u32, tag: u64) -> Option<&'e Event> {
    let at = events.iter().rposition(|event| event.block == block)?;
    let event = &events[at];
    let head = Head(words[event.slot]);
    let newest = event.tag == tag && head.is(HeadKind::Live) && head.block() == block;
    if event.kind != RecordKind::Value && event.generation <= words[header::FLOOR] && !newest {
        return None;
    }
    let passed = |event: &Event| event.superseded == block && event.generation <= words[header::FLOOR];
    (!events[at + 1..].iter().any(passed)).then_some(event)
}

/// Whether a block that begins or ends being LIMBO may: a RETIRED head names it when it begins, and none when it is
/// free.
fn is_given_back(words: &[u64], events: &[Event], block: u32, new: State) -> bool {
    let named = |event: &Event| {
        let head = Head(words[event.slot]);
        head.block() == block && (head.is(HeadKind::Retired) || !new.is(StateKind::Limbo))
    };
    let event = events.iter().rev().find(|event| event.block == block && event.tag == new.tag());
    event.is_some_and(|event| named(event) == new.is(StateKind::Limbo))
}

/// A new event: the counter rose by one, and all that a reader at it must find is there.
fn counted(geo: &Geometry, words: &[u64], events: &[Event], old: u64, new: u64) -> Result<Event, String> {
    if new != old + 1 {
        return Err(format!("the generation counter went from {old} to {new}"));
    }
    let ring = RingWord(words[geo.ring(new)]);
    if ring.lap() != geo.lap(new) {
        return Err(format!("generation {new} was counted, and the ring says {ring:?}"));
    }
    let block = geo.block(ring.block()).ok_or_else(|| format!("event {new} has no block"))?;
    let word = GenWord::unpack(words[geo.generation(block)]);
    if word != GenWord::Generation(new) {
        return Err(format!("generation {new} was counted, and its {block:?} says {word:?}"));
    }
    let event = described(geo, words, block, new)?;
    if let Some(twice) = events.iter().find(|other| (other.block, other.tag) == (event.block, event.tag)) {
        return Err(format!("{block:?} became event {} and event {new}", twice.generation));
    }
    follows(geo, words, events, &event, block)?;
    Ok(event)
}

fn described(geo: &Geometry, words: &[u64], block: Block, generation: u64) -> Result<Event, String> {
    let record = record(words, geo, block).ok_or_else(|| format!("event {generation} is no record"))?;
    let previous = Head(record.header.previous);
    let value = repeated(&record.value);
    if !record.removes() && value.is_none() {
        return Err(format!("event {generation} has a value of several writes"));
    }
    Ok(Event {
        generation,
        version: record.header.version,
        kind: record.header.kind,
        value: value.filter(|_| !record.removes()),
        key: record.key,
        block: block.index(),
        tag: State(words[geo.state(block)]).tag(),
        superseded: previous.block(),
        slot: record.header.slot as usize,
    })
}

/// Whether an event follows its key's last one.
fn follows(
    geo: &Geometry,
    words: &[u64],
    events: &[Event],
    event: &Event,
    block: Block,
) -> Result<(), String> {
    let state = State(words[geo.state(block)]);
    if !matches!(state.kind(), StateKind::Inflight | StateKind::Owned) {
        return Err(format!("event {} is of a block that is {state:?}", event.generation));
    }
    let previous = Head(words[geo.data(block) + slateboard::layout::record::PREVIOUS]);
    let last = events.iter().rev().find(|other| other.key == event.key);
    let next = last.map_or(1, |last| last.version + 1);
    if previous.is(HeadKind::Live) {
        let follows = last.is_some_and(|last| last.block == previous.block());
        if !follows || event.version != next {
            return Err(format!("{event:?} supersedes {previous:?}, and the key's last event is {last:?}"));
        }
        let ended = geo.block(previous.block()).filter(|_| event.kind == RecordKind::Expired);
        let deadline =
            ended.and_then(|block| record(words, geo, block)).map_or(0, |ended| ended.header.deadline);
        // An entry without a deadline is ended by whoever asks for that.
        if deadline > (NOON.boot_ns)() {
            return Err(format!("{event:?} ends an entry that has not expired"));
        }
    } else if last.is_some_and(|last| last.kind == RecordKind::Value) || event.version < next {
        return Err(format!("{event:?} begins a life of its key, and the key's last event is {last:?}"));
    }
    Ok(())
}

/// A new ring word: for the next position, over one that has left the history.
fn entered(geo: &Geometry, words: &[u64], index: u64, old: u64, new: u64) -> Result<(), String> {
    let position = |word: RingWord| (word.lap() > 0).then(|| (word.lap() - 1) * geo.history() + index + 1);
    let (old, new) = (RingWord(old), RingWord(new));
    if let Some(event) = position(old).filter(|&event| event > words[header::FLOOR]) {
        return Err(format!("event {event} was overwritten before it left the history, by {new:?}"));
    }
    if position(new) != Some(words[header::GENERATION] + 1) {
        return Err(format!("{new:?} was entered at generation {}", words[header::GENERATION]));
    }
    Ok(())
}

/// A block changes hands.
fn owned(
    geo: &Geometry,
    words: &[u64],
    events: &[Event],
    block: u32,
    old: State,
    new: State,
    who: Writing,
) -> Result<(), String> {
    use StateKind::{Claimed, Doomed, Free, Inflight, Limbo, Owned, Part};
    let change = || format!("block {block} went from {old:?} to {new:?} by session {}", who.session);
    let same = new.tag() == old.tag();
    let next = new.tag() == old.tag() + 1;
    let lawful = match (old.kind(), new.kind()) {
        (Free | Owned | Doomed, Claimed) => next,
        (Claimed, Inflight | Free | Part) | (Inflight, Owned | Doomed | Claimed | Free) => same,
        (Owned | Doomed | Part, Free) => same,
        (Owned | Inflight, Limbo) => {
            same && new.owner() == old.owner() && is_given_back(words, events, block, new)
        }
        (Limbo, Limbo) => same && new.owner() == 0,
        (Limbo, Free) => same && old.owner() == 0 && is_given_back(words, events, block, new),
        _ => false,
    };
    let me = who.session as u16 + 1;
    // What its writer still looks at remains its writer's, whoever lets its event go or gives it back.
    let stays = new.is(Doomed) || old.is(Inflight) && new.is(Limbo);
    let owner = if stays { old.owner() } else { me };
    // A reaper takes blocks in the name of the dead.
    let for_dead = who.reaps && new.owner() > 0 && who.dead >> (new.owner() - 1) & 1 == 1;
    if !lawful || (new.owner() != 0 && new.owner() != owner && !for_dead) {
        return Err(change());
    }
    let others = old.owner() != 0 && old.owner() != me && !stays;
    let dead = old.owner() > 0 && who.dead >> (old.owner() - 1) & 1 == 1;
    if others && !(dead && who.reaps) {
        return Err(format!("{}, which is not the owner", change()));
    }
    let kept = same && matches!(new.kind(), Inflight | Owned);
    if let Some(event) = pinned(words, events, block, old.tag()).filter(|_| !kept) {
        return Err(format!("{}, while event {} stands", change(), event.generation));
    }
    let pending = GenWord::unpack(words[geo.generation(geo.block(block).ok_or_else(change)?)]);
    if new.is(Owned) && matches!(pending, GenWord::Unlogged(_)) {
        return Err(format!("{}, before its event was logged", change()));
    }
    Ok(())
}
