//! The fuzz target `region_image`: every call of the protocol over a region whose words are replaced by others.
//!
//! Two properties must hold. Each call returns, and a read that verifies never returns a value that nobody wrote. Which
//! value it returns, if any, depends on the damage.

use crate::heap::{SESSIONS, shape};
use slateboard::layout::{
    ClassWord, GenWord, Geometry, Guard, GuardOp, Head, HeadKind, RingWord, Shape, State, StateKind, Writer,
    header, record::RecordKind, session,
};
use slateboard::protocol::{
    Core, Silent,
    lane::Lane,
    publish::{Change, Expect, Now, Outcome},
    read::Verify,
    sessions::Identity,
    slots::{Key, Slot},
    view::{Item, Point},
};
use slateboard::sync::{AtomicU64, Ordering::Relaxed};
use std::sync::OnceLock;

const KEYS: [&str; 12] = [
    "task/0", "task/1", "task/2", "task/3", "task/4", "task/5", "task/6", "task/7", "task/8", "team", "long",
    "gone",
];
/// Calls of one script, at most.
const CALLS_MAX: usize = 24;
/// Words of one script that are replaced while another thread calls, at most.
const HARMS_MAX: usize = 256;
/// Longest value. It is longer than an extent, so that it is stored in pieces.
const LEN_MAX: usize = 2_600;
const NOW: Now = Now { real_ns: 1_000, boot_ns: || 1_000 };

/// Bytes that decide what happens. Once they are used up, they are zeros.
struct Script<'s> {
    bytes: &'s [u8],
}

impl Script<'_> {
    fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        first
    }

    fn word(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    fn below(&mut self, end: usize) -> usize {
        let number = u32::from_le_bytes(std::array::from_fn(|_| self.byte()));
        number as usize % end.max(1)
    }

    fn key(&mut self) -> &'static str {
        KEYS[usize::from(self.byte()) % KEYS.len()]
    }
}

/// A value that is written. Its bytes follow from the key, the length and the first byte.
fn value(key: &str, len: usize, salt: u8) -> Vec<u8> {
    let of_key = KEYS.iter().position(|known| *known == key).expect("a known key") as u8;
    (0..len).map(|at| if at == 0 { salt } else { (at ^ at >> 8 ^ len) as u8 ^ salt ^ of_key << 4 }).collect()
}

/// Fails if nobody wrote this value.
fn check(key: &[u8], found: &[u8]) {
    let known = KEYS.into_iter().find(|known| known.as_bytes() == key);
    let known = known.unwrap_or_else(|| panic!("a key that nobody wrote: {key:?}"));
    let written = value(known, found.len(), found.first().copied().unwrap_or_default());
    assert!(found == written, "{known} has {} bytes that nobody wrote", found.len());
}

fn check_item(item: &Item) {
    check(&item.key, &item.value);
}

/// A sound region, with its geometry.
struct Image {
    geometry: Geometry,
    words: Vec<u64>,
}

/// Made once. It has keys with one and with many versions, an overflow bucket, values in pieces, a removed key, a bound
/// entry, and a history that has gone round.
fn sound() -> &'static Image {
    static IMAGE: OnceLock<Image> = OnceLock::new();
    IMAGE.get_or_init(|| {
        let shape = Shape { overflow_max: 4, ..shape(32 << 10) };
        let geometry = Geometry::new(shape, 7).expect("the shape can be");
        let words: Vec<_> = (0..geometry.words()).map(|_| AtomicU64::new(0)).collect();
        let core = Core::new(&words, &[], &Silent, &geometry).expect("as many words as the geometry says");
        core.raise_reserved(geometry.extents());
        core.cut_reserve();
        let mut lane = attach(&core, 0);
        for round in 0..6u8 {
            for key in KEYS {
                let len = if key == "long" { LEN_MAX - 100 } else { 20 * usize::from(round) };
                let value = value(key, len, round);
                let key = Key::new(&geometry, key);
                let mut change = Change::put(&value, Expect::Any);
                change.ephemeral = if key.bytes == b"team" { lane.writer.pack() } else { 0 };
                core.change(&mut lane, &key, &change, NOW, None).expect("a sound board takes a put");
            }
        }
        let gone = Change::tombstone(RecordKind::Removed, Expect::Any);
        core.change(&mut lane, &Key::new(&geometry, "gone"), &gone, NOW, None).expect("and a removal");
        let words = words.iter().map(|word| word.load(Relaxed)).collect();
        Image { geometry, words }
    })
}

fn attach(core: &Core<'_>, index: usize) -> Lane {
    let writer = core.occupy(index, 0, &Identity::default());
    let name = core.intern(["ann", "bob", "cy"][index], index).unwrap_or(0);
    Lane::new(core, index % session::LANES, Writer { name, ..writer })
}

/// Plays the script over a copy of the image. The first byte says whether another thread damages the words during the
/// calls, or this one does between them.
pub fn play(bytes: &[u8]) {
    let image = sound();
    let geometry = &image.geometry;
    let words: Vec<_> = image.words.iter().map(|&word| AtomicU64::new(word)).collect();
    let flags: Vec<_> = (0..(1 + geometry.shards()) * 8).map(|_| AtomicU64::new(1)).collect();
    let core = Core::new(&words, &flags, &Silent, geometry).expect("as many words as the geometry says");
    let mut script = Script { bytes };
    if script.byte() & 1 == 1 {
        let (calls, damage) = script.bytes.split_at(script.bytes.len() / 2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut script = Script { bytes: damage };
                for _ in 0..HARMS_MAX {
                    if script.is_empty() {
                        break;
                    }
                    harm(geometry, &words, &mut script);
                }
            });
            act(&core, &mut Script { bytes: calls }, |_| {});
        });
    } else {
        act(&core, &mut script, |script| harm(geometry, &words, script));
    }
    let mut lane = attach(&core, 2);
    read_all(&core, Verify::Scrub);
    write_all(&core, &mut lane);
    end_all(&core, &mut lane);
}

/// Makes the calls of the script, each after `before`.
fn act(core: &Core<'_>, script: &mut Script<'_>, before: impl Fn(&mut Script<'_>)) {
    let mut lanes = [attach(core, 1), Lane::new(core, 1, Writer { session: 1, ..Writer::default() })];
    let mut slot = None;
    for _ in 0..CALLS_MAX {
        if script.is_empty() {
            break;
        }
        (0..1 + script.byte() % 4).for_each(|_| before(script));
        let kind = script.byte();
        let lane = &mut lanes[usize::from(kind >> 7)];
        match kind % 16 {
            0..4 => slot = write(core, lane, script, slot),
            4 => read_all(core, Verify::Always),
            5..8 => read_one(core, script.key(), slot),
            8 => drop(core.finish_pending(lane)),
            9 => drop(core.advance_floor(lane, script.byte() & 1 == 1)),
            10 => reap(core, script.below(SESSIONS)),
            11 => core.empty_stash(lane),
            12 => drop(core.sweep_open(&core.sweep_open(&[]))),
            13 => core.announce_all(),
            14 => drop(core.intern("dora", 1)),
            _ => read_history(core, script.word()),
        }
    }
}

fn write(core: &Core<'_>, lane: &mut Lane, script: &mut Script<'_>, hint: Option<Slot>) -> Option<Slot> {
    let key = script.key();
    let value = value(key, script.below(LEN_MAX), script.byte());
    let key = Key::new(core.geometry(), key);
    let expect = match script.byte() % 5 {
        0 => Expect::Absent,
        1 => Expect::Present,
        2 => Expect::Version(u64::from(script.byte())),
        3 => Expect::Generation(u64::from(script.byte())),
        _ => Expect::Any,
    };
    let mut change = match script.byte() % 4 {
        0 => Change::tombstone(RecordKind::Removed, expect),
        _ => Change::put(&value, expect),
    };
    change.deadline = u64::from(script.byte() % 2) * 500;
    change.ephemeral = u64::from(script.byte() % 2) * lane.writer.pack();
    match core.change(lane, &key, &change, NOW, hint) {
        Ok(Outcome::Done { slot, .. }) => Some(slot),
        _ => None,
    }
}

fn read_one(core: &Core<'_>, key: &str, hint: Option<Slot>) {
    let key = Key::new(core.geometry(), key);
    let mut value = Vec::new();
    if let Ok(Some(_)) = core.get(&key, hint, Verify::Always, &mut value) {
        check(key.bytes, &value);
    }
    if let Ok(Some(item)) = core.get_at(&key, core.point(), Verify::Always) {
        assert_eq!(item.key, key.bytes, "another key's record");
        check_item(&item);
    }
}

fn read_history(core: &Core<'_>, generation: u64) {
    read_event(core, generation, Verify::Always);
    if let Ok(point) = core.point_at(generation) {
        list(core, "task/", point, Verify::Always);
    }
}

fn read_event(core: &Core<'_>, position: u64, verify: Verify) {
    if let Ok(Some(event)) = core.event(position, verify, |_| true)
        && verify == Verify::Always
    {
        check_item(&event.item);
        event.previous.iter().for_each(check_item);
    }
}

fn list(core: &Core<'_>, prefix: &str, point: Point, verify: Verify) {
    let check = |item: &Item| {
        assert!(item.key.starts_with(prefix.as_bytes()), "a key without the prefix");
        check_item(item);
    };
    let _ = core.list_at(prefix, point, verify, |item| {
        item.iter().filter(|_| verify == Verify::Always).for_each(check);
    });
}

fn read_all(core: &Core<'_>, verify: Verify) {
    KEYS.iter().for_each(|key| read_one(core, key, None));
    list(core, "", core.point(), verify);
    let floor = core.floor();
    for position in floor.saturating_sub(1)..floor + 4 {
        read_event(core, position, verify);
    }
    read_history(core, core.generation());
    for index in 0..SESSIONS {
        drop(core.name(core.session_view(index).name));
    }
    let _ = core.present_keys("", |key| drop(key.map(<[u8]>::to_vec)));
    let usage = core.usage();
    let total = u64::from(core.geometry().granules());
    assert!(usage.live + usage.history + usage.private + usage.reserve + usage.free <= total, "{usage:?}");
    assert!(usage.keys <= usage.slots && usage.slots_used <= usage.slots, "{usage:?}");
    let _ = (core.history_granules(), core.claimed_extents(), core.unclaimed(), core.names_in_use());
    let _ = (0..core.geometry().shards()).map(|shard| core.shard_changes(shard)).max();
}

fn write_all(core: &Core<'_>, lane: &mut Lane) {
    for (number, name) in KEYS.iter().enumerate() {
        let key = Key::new(core.geometry(), name);
        let value = value(name, number * 200, 1);
        let _ = core.change(lane, &key, &Change::put(&value, Expect::Any), NOW, None);
        let gone = Change::tombstone(RecordKind::Removed, Expect::Any);
        let _ = core.change(lane, &key, &gone, NOW, None);
    }
}

fn end_all(core: &Core<'_>, lane: &mut Lane) {
    (0..SESSIONS - 1).for_each(|dead| reap(core, dead));
    let _ = core.leave(std::slice::from_mut(lane), NOW);
}

fn reap(core: &Core<'_>, dead: usize) {
    let _ = core.reap(&mut Lane::for_reaping(core, dead), dead, NOW);
}

/// Replaces one word.
fn harm(geometry: &Geometry, words: &[AtomicU64], script: &mut Script<'_>) {
    let at = place(geometry, script).min(words.len() - 1);
    let old = words[at].load(Relaxed);
    let operand = script.word();
    let block = match operand >> 61 {
        // Records that begin in the last granule would end after the region.
        0..3 => geometry.granules() - 1 - (operand >> 16) as u32 % 4,
        _ => (operand >> 16) as u32 % (geometry.granules() + 2),
    };
    let tag = operand & 0xff;
    let new = match script.byte() % 14 {
        0 => operand,
        1 => old ^ 1 << (operand % 64),
        2 => 0,
        3 => u64::MAX,
        4 => operand & 0xffff,
        5 => words[operand as usize % words.len()].load(Relaxed),
        6 => Head::new(head_kind(operand), old >> 23, block).0,
        7 => State::new(state_kind(operand), (operand >> 8) as u16 % 5, (old >> 19) + tag % 2).0,
        8 => GenWord::Generation(tag).pack(),
        9 => GenWord::Unlogged(tag % 4).pack(),
        10 => [GenWord::parent(block, tag % 4), GenWord::Bucket(tag % 4)][operand as usize % 2].pack(),
        11 => RingWord::new(tag % 4, block).0,
        12 => guard(old, operand, block),
        _ => ClassWord(old).next(operand as u8 % 40).0,
    };
    words[at].store(new, Relaxed);
}

/// A word of some part of the region: small parts are hit as often as large ones.
fn place(geometry: &Geometry, script: &mut Script<'_>) -> usize {
    let part = script.byte();
    let block = |script: &mut Script<'_>| geometry.block(script.below(geometry.granules() as usize) as u32);
    match part % 9 {
        0 => [header::GENERATION, header::FLOOR, header::RESERVED, header::EXTENT_HINT][script.below(4)],
        1 => geometry.session(0) + script.below(SESSIONS * session::RECORD_WORDS),
        2 => geometry.name(0) + script.below(geometry.names() * session::NAME_WORDS),
        3 => geometry.shard(0) + script.below(geometry.bucket(0) - geometry.shard(0)),
        4 => geometry.bucket(0) + script.below(geometry.ring(1) - geometry.bucket(0)),
        5 => geometry.ring(1) + script.below(geometry.history() as usize),
        6 => geometry.extent(script.below(geometry.extents() as usize) as u32) + script.below(2),
        7 => block(script).map_or(0, |block| geometry.state(block)) + script.below(2),
        _ => block(script).map_or(0, |block| geometry.data(block)) + script.below(12),
    }
}

fn head_kind(operand: u64) -> HeadKind {
    use HeadKind::{Freed, Live, Moved, Open, Pending, Retired};
    [Freed, Live, Live, Retired, Open, Moved, Pending, Live][operand as usize % 8]
}

fn state_kind(operand: u64) -> StateKind {
    use StateKind::{Claimed, Commit, Doomed, Free, Inflight, Limbo, Owned, Part};
    [Free, Claimed, Inflight, Owned, Doomed, Part, Commit, Limbo][operand as usize % 8]
}

fn guard(old: u64, operand: u64, block: u32) -> u64 {
    let slot = (operand >> 40) as u16 % 40;
    let op = match operand % 8 {
        0..3 => GuardOp::Claim { slot, fingerprint: (operand >> 24) as u16 },
        3..5 => GuardOp::Free { slot },
        5..7 => GuardOp::Link { block },
        _ => GuardOp::Frozen,
    };
    Guard(old).next(op).0
}
