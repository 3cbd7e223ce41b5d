//! Sessions that are attached, and how full the board is.

use super::{presence::Presence, reader::now_ns, region::Region};
use crate::{
    entry::time_of,
    error::Result,
    layout::session::{COUNTERS, Counter},
};
use std::time::{Duration, SystemTime};

/// A session without a beat for longer than this is shown as unresponsive. It is never reaped for that.
const UNRESPONSIVE: Duration = Duration::from_secs(300);

/// Whether a session's process is there.
///
/// The kernel tells, through a lock that the process holds as long as it lives. A process that cannot ask the kernel gets
/// [`Liveness::Unknown`], which is neither of the others. Only [`Liveness::Dead`] means that the session will do nothing more:
///
/// ```
/// use slateboard::{Board, Liveness, Result, WriterInfo};
///
/// /// Whether another may take over what this session has begun.
/// fn has_ended(board: &Board, holder: &WriterInfo) -> Result<bool> {
///     let sessions = board.sessions()?;
///     let its = |session: &&slateboard::SessionInfo| {
///         (session.index, session.incarnation) == (holder.session, holder.incarnation)
///     };
///     // A session that has no record any more was ended in an orderly way, or was reaped.
///     Ok(sessions.iter().find(its).is_none_or(|session| session.liveness == Liveness::Dead))
/// }
///
/// let board = Board::local()?;
/// let session = board.attach("planner")?;
/// session.put("claim/42", "mine")?;
/// let holder = session.get("claim/42")?.unwrap().writer;
/// assert_eq!(board.sessions()?[0].liveness, Liveness::Alive);
/// assert!(!has_ended(&board, &holder)?);
/// drop(session);
/// assert!(has_ended(&board, &holder)?);
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub enum Liveness {
    /// The process is there, and beats.
    Alive,
    /// The process is there, but has not beaten for 300 s: it is stopped, or starved.
    Unresponsive,
    /// It cannot be known from here: the lock file is missing, may not be opened, or was replaced after the session attached,
    /// or this process had no descriptor left when it opened the board. The session is never treated as dead: nobody reaps
    /// it, and a board that has one passes for a board in use.
    Unknown,
    /// The process is gone. The session is reaped by the next attach, by the next beat of the board's elected keeper, or by
    /// the third beat of another one.
    Dead,
}

/// An attached session, as the board knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Index of its record.
    pub index: u16,
    /// Which life of that record.
    pub incarnation: u32,
    /// Its name; empty when it is not known.
    pub name: String,
    /// Process id, in the process's own pid namespace.
    pub pid: u32,
    /// Start time of the process, clock ticks since boot.
    pub start_time: u64,
    /// When it attached.
    pub attached: SystemTime,
    /// Time since its last beat.
    pub beat_age: Duration,
    /// Whether its process is there.
    pub liveness: Liveness,
    /// What it has done since it attached.
    pub counters: Counters,
}

/// What sessions count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Puts that were published.
    pub puts: u64,
    /// Removals that were published.
    pub removes: u64,
    /// Expectations that were not met.
    pub conflicts: u64,
    /// Attempts made again because another writer was first.
    pub retries: u64,
    /// Events of other sessions that this one brought into the history.
    pub helped: u64,
    /// Events removed from the history.
    pub floored: u64,
    /// Dead sessions reaped.
    pub reaped: u64,
    /// Ephemeral puts.
    pub ephemerals: u64,
    /// Expired entries removed.
    pub expired: u64,
    /// Extents claimed, or given blocks of another size.
    pub extents: u64,
}

/// What the board holds, and what space is left.
///
/// No figure is larger than the board can have, on a damaged board as well: keys and bytes are counted from slots and blocks. A
/// figure that is larger on the board is cut, and named in [`Metrics::implausible`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Metrics {
    /// The newest generation.
    pub generation: u64,
    /// The newest generation that has left the history.
    pub floor: u64,
    /// Events that the history can hold.
    pub history: u64,
    /// Keys that have a value.
    pub keys: u64,
    /// Keys that the board was made for.
    pub keys_made_for: u64,
    /// Keys that fit: those the board was made for, or fewer when `capacity` has no block for each. The exact number depends on
    /// their values, and on what the history holds.
    pub keys_fit: u64,
    /// Slots of the table, overflow included: more than `keys_made_for`, because a removed key keeps its slot while the
    /// history has it, and because keys are not spread evenly.
    pub slots: u64,
    /// Slots, with all overflow that can be added.
    pub slots_max: u64,
    /// Slots in use: their keys have a value, or their removal is in the history.
    pub slots_used: u64,
    /// Overflow buckets in use: they were added where the table was too full.
    pub overflow: u64,
    /// Overflow buckets in all.
    pub overflow_max: u64,
    /// Whether some new keys are refused because there is no slot for them.
    pub refuses_keys: bool,
    /// Sessions that are attached, or dead and not reaped.
    pub sessions: u64,
    /// Of `sessions`, those whose processes have ended.
    pub sessions_dead: u64,
    /// Of `sessions`, those of which it cannot be known whether they are alive: see [`Liveness::Unknown`].
    pub sessions_unknown: u64,
    /// Session records.
    pub sessions_max: u64,
    /// Names of sessions that are attached, wrote a value that stands, or are in the history.
    pub names: u64,
    /// Names that fit. A name that nothing refers to any more makes room for another.
    pub names_max: u64,
    /// Bytes for values, with their keys and the rest of their records.
    pub capacity: u64,
    /// Length of the region's file: `capacity` and the tables. The board takes no more memory than this. Pages of the data
    /// area and of its table are taken as they are needed, those of the other tables when the board is created.
    pub region_bytes: u64,
    /// Bytes of `capacity` whose pages are reserved.
    pub reserved: u64,
    /// Bytes of `capacity` that are divided into blocks.
    pub claimed: u64,
    /// Bytes of blocks in use, by present values, by the history and by sessions.
    pub used: u64,
    /// Bytes of `used` in present values.
    pub live_bytes: u64,
    /// Bytes of `used` that the history holds.
    pub history_bytes: u64,
    /// Bytes of `used` that sessions have at hand or are filling.
    pub private_bytes: u64,
    /// Bytes of free blocks that are kept for removals.
    pub reserve_bytes: u64,
    /// Bytes that are free for values.
    pub free_bytes: u64,
    /// Size of the blocks that hold most of the present values' bytes; 0 without values.
    pub typical_bytes: u64,
    /// Present blocks of that size.
    pub typical_used: u64,
    /// Further blocks of that size that fit, with what the history can give back.
    pub typical_room: u64,
    /// Bytes that are free in the board's file system; `None` for a local board, and when the file system does not tell.
    pub file_system_free: Option<u64>,
    /// What all sessions have done since the board was created.
    pub totals: Counters,
    /// A figure that the board has larger than it can be, because it is damaged. It was cut.
    pub implausible: Option<&'static str>,
}

impl Counters {
    fn of(value: impl Fn(Counter) -> u64) -> Self {
        Self {
            puts: value(Counter::Puts),
            removes: value(Counter::Removes),
            conflicts: value(Counter::Conflicts),
            retries: value(Counter::Retries),
            helped: value(Counter::Helped),
            floored: value(Counter::Floored),
            reaped: value(Counter::Reaped),
            ephemerals: value(Counter::Ephemerals),
            expired: value(Counter::Expired),
            extents: value(Counter::Extents),
        }
    }
}

pub(super) fn sessions(region: &Region) -> Result<Vec<SessionInfo>> {
    let core = region.core()?;
    let mut sessions = Vec::new();
    for index in 0..region.geometry().sessions() {
        let freed = core.names_freed();
        let record = core.session_view(index);
        if !record.active {
            continue;
        }
        let beat_age = Duration::from_nanos(now_ns().saturating_sub(record.identity.heartbeat_ns));
        let liveness = match region.presence(&core, index) {
            Presence::Dead => Liveness::Dead,
            Presence::Unknown => Liveness::Unknown,
            Presence::Alive if beat_age > UNRESPONSIVE => Liveness::Unresponsive,
            Presence::Alive => Liveness::Alive,
        };
        let mut counters = counters_of(&record.counters);
        if !counters.are_of(core.newest()) {
            counters.cut(core.newest());
        }
        sessions.push(SessionInfo {
            index: index as u16,
            incarnation: record.incarnation,
            name: core.name(record.name).filter(|_| core.names_stand(freed)).unwrap_or_default(),
            pid: record.identity.pid as u32,
            start_time: record.identity.start_time,
            attached: time_of(record.identity.attached_ns),
            beat_age,
            liveness,
            counters,
        });
    }
    Ok(sessions)
}

pub(super) fn metrics(region: &Region) -> Result<Metrics> {
    let core = region.core()?;
    let geometry = region.geometry();
    let usage = core.usage();
    let granule_bytes = geometry.granule_words() as u64 * 8;
    let extent_bytes = u64::from(geometry.extent_granules()) * granule_bytes;
    let bytes = |granules: u64| granules * granule_bytes;
    let floor_before = core.floor();
    let generation = core.newest();
    let floor = core.floor();
    let totals = Counters::of(|counter| core.total(counter));
    let changes = core.newest();
    let occupied = (0..geometry.sessions()).filter(|&index| core.is_occupied(index));
    let presences: Vec<_> = occupied.map(|index| region.presence(&core, index)).collect();
    let with = |presence| presences.iter().filter(|found| **found == presence).count() as u64;
    let mut metrics = Metrics {
        generation,
        floor: floor.min(generation),
        history: geometry.history(),
        keys: usage.keys,
        keys_made_for: geometry.shape().keys,
        keys_fit: geometry.keys_fit(),
        slots: usage.slots,
        slots_max: usage.slots_max,
        slots_used: usage.slots_used,
        overflow: usage.overflow,
        overflow_max: geometry.shape().overflow_max,
        refuses_keys: usage.refuses_keys,
        sessions: presences.len() as u64,
        sessions_dead: with(Presence::Dead),
        sessions_unknown: with(Presence::Unknown),
        sessions_max: geometry.sessions() as u64,
        names: core.names_in_use(),
        names_max: geometry.names() as u64 - 1,
        capacity: geometry.shape().capacity,
        region_bytes: geometry.words() as u64 * 8,
        reserved: u64::from(core.reserved()) * extent_bytes,
        claimed: u64::from(core.claimed_extents()) * extent_bytes,
        used: bytes(usage.live + usage.history + usage.private + usage.overflow_granules),
        live_bytes: bytes(usage.live),
        history_bytes: bytes(usage.history),
        private_bytes: bytes(usage.private),
        reserve_bytes: bytes(usage.reserve),
        free_bytes: bytes(usage.free),
        typical_bytes: bytes(usage.typical),
        typical_used: usage.typical_live,
        typical_room: usage.typical_room,
        file_system_free: region.file_system_free(),
        totals,
        implausible: None,
    };
    // Both only rise, and the floor stays below the generation by at most the history. Any other pair is damage.
    if floor_before > generation || generation.saturating_sub(floor) > geometry.history() + 1 {
        metrics.implausible = Some("the generation counter or the floor");
    }
    // Each change has one generation, and is counted after it.
    let is_damaged = |index| {
        let record = core.session_view(index);
        record.active && !counters_of(&record.counters).are_of(core.newest())
    };
    if !totals.are_of(changes) || (0..geometry.sessions()).any(is_damaged) {
        metrics.implausible.get_or_insert("what the sessions' records say that they did");
        metrics.totals.cut(changes);
    }
    Ok(metrics)
}

/// A count that is impossible: ten million operations per second for two centuries.
const OFTEN: u64 = 1 << 56;

fn counters_of(counters: &[u64; COUNTERS]) -> Counters {
    Counters::of(|counter| counters[counter as usize])
}

impl Counters {
    /// Whether the counters are possible for a board with this many changes.
    fn are_of(&self, generation: u64) -> bool {
        let Self { puts, removes, conflicts, retries, helped, floored, reaped, ephemerals, expired, extents } =
            *self;
        let all = [puts, removes, conflicts, retries, helped, floored, reaped, ephemerals, expired, extents];
        all.iter().all(|&count| count < OFTEN) && puts.saturating_add(removes) <= generation
    }

    /// Limits each counter to what is possible after this many changes.
    fn cut(&mut self, generation: u64) {
        for changes in [&mut self.puts, &mut self.removes, &mut self.expired] {
            *changes = (*changes).min(generation);
        }
        for count in [
            &mut self.conflicts,
            &mut self.retries,
            &mut self.helped,
            &mut self.floored,
            &mut self.reaped,
            &mut self.ephemerals,
            &mut self.extents,
        ] {
            *count = (*count).min(OFTEN);
        }
    }
}

// They map memory.
#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use crate::{
        board::seat::{
            Seat,
            tests::{attach, board, board_of, die, have_blocks_at_hand, put, put_bound, put_until},
        },
        layout::{Geometry, Shape, geometry::SLOTS, record},
        protocol::{
            publish::{Change, Expect},
            slots::Key,
        },
        region::{ProcessIdentity, boottime_ns},
    };

    fn extent_bytes(geometry: &Geometry) -> u64 {
        u64::from(geometry.extent_granules()) * geometry.granule_words() as u64 * 8
    }

    /// Bytes of the block that a record gets.
    fn block_bytes(geometry: &Geometry, key: &str, value: usize) -> u64 {
        let granules = geometry.granules_for(record::words_of(key.len(), value));
        let class = geometry.classes().of(granules).unwrap();
        u64::from(geometry.classes().granules(class).unwrap()) * geometry.granule_words() as u64 * 8
    }

    fn remove(seat: &Seat, key: &str) {
        let change = Change::tombstone(record::RecordKind::Removed, Expect::Any);
        seat.write(&Key::new(seat.region.geometry(), key), &change, None).unwrap();
    }

    #[test]
    fn the_figures_are_those_of_the_board() {
        let region = board_of(Shape { reserve_extents: 1, ..Shape::sized(1 << 20, 256, 64, 4) });
        let (geometry, extents) = (region.geometry(), u64::from(region.geometry().extents()));
        let (slots, extent) = (SLOTS as u64, extent_bytes(geometry));
        let fresh = metrics(&region).unwrap();
        assert_eq!((fresh.generation, fresh.keys, fresh.used, fresh.names, fresh.sessions), (0, 0, 0, 0, 0));
        assert_eq!((fresh.reserved, fresh.claimed), (extents * extent, extent));
        assert_eq!(fresh.free_bytes, (extents - 1) * extent);
        assert!((1..=extent).contains(&fresh.reserve_bytes), "{fresh:?}");
        assert_eq!((fresh.typical_bytes, fresh.typical_used, fresh.typical_room), (0, 0, 0));
        assert_eq!((fresh.file_system_free, fresh.implausible), (None, None));
        assert_eq!((fresh.sessions_max, fresh.names_max), (4, geometry.names() as u64 - 1));
        assert_eq!((fresh.history, fresh.keys_made_for), (geometry.history(), 256));
        assert_eq!((fresh.capacity, fresh.region_bytes), (1 << 20, geometry.words() as u64 * 8));
        let (buckets, overflow) = (geometry.buckets() as u64, geometry.shape().overflow_max);
        assert_eq!((fresh.slots, fresh.slots_max), (buckets * slots, (buckets + overflow) * slots));

        let [writer, _other] = ["writer", "other"].map(|name| attach(&region, name));
        for (key, len) in [("one", 100), ("two", 5000), ("two", 5000), ("gone", 10)] {
            put(&writer, key, &vec![7; len]).unwrap();
        }
        remove(&writer, "gone");
        let few = metrics(&region).unwrap();
        assert_eq!((few.generation, few.floor, few.sessions, few.names), (5, 0, 2, 2));
        assert_eq!((few.keys, few.slots_used, few.overflow), (2, 3, 0), "a removed key keeps its slot");
        let bytes = |key, len| block_bytes(geometry, key, len);
        let (live, old) = (bytes("one", 100) + bytes("two", 5000), bytes("two", 5000) + bytes("gone", 10));
        let history = old + bytes("gone", 0);
        assert_eq!((few.live_bytes, few.history_bytes, few.private_bytes), (live, history, 0));
        assert_eq!(few.used, live + history);
        assert_eq!((few.typical_bytes, few.typical_used), (bytes("two", 5000), 1));
        let room = (few.free_bytes + few.history_bytes) / few.typical_bytes;
        assert!(few.typical_room > 0 && few.typical_room <= room, "{few:?}");
        assert!(few.claimed > extent && few.claimed < few.reserved && few.reserved == fresh.reserved);
        assert_eq!(few.reserve_bytes, fresh.reserve_bytes);
        assert!(few.free_bytes < fresh.free_bytes);
        have_blocks_at_hand(&writer, "one");
        let more = metrics(&region).unwrap();
        assert!(more.private_bytes > 0 && more.private_bytes < more.used);
        assert_eq!(more.used, more.live_bytes + more.history_bytes + more.private_bytes);
    }

    #[test]
    fn overflow_buckets_are_used_and_a_table_without_a_slot_refuses_keys() {
        let shape = Shape {
            dedicated: Vec::new(),
            dedicated_buckets: 0,
            uniform_shards: 1,
            uniform_buckets: 1,
            overflow_max: 2,
            ..Shape::sized(1 << 20, 64, 64, 2)
        };
        let region = board_of(shape);
        let seat = attach(&region, "writer");
        let mut refuses = Vec::new();
        let full = (0..).find(|n| {
            refuses.push(metrics(&region).unwrap().refuses_keys);
            put(&seat, &format!("key/{n}"), b"").is_err()
        });
        assert_eq!(full, Some(3 * SLOTS));
        assert!(refuses.pop().unwrap() && !refuses.contains(&true), "only a full table refuses keys");
        let full = metrics(&region).unwrap();
        assert_eq!(
            (full.overflow, full.overflow_max, full.slots, full.slots_max),
            (2, 2, 3 * SLOTS as u64, 3 * SLOTS as u64)
        );
        let buckets = full.used - full.live_bytes - full.history_bytes - full.private_bytes;
        assert!(buckets >= 2 * 8 * (2 + 2 * SLOTS as u64), "{full:?}");
        // The history gives its slot back.
        remove(&seat, "key/0");
        assert!(!metrics(&region).unwrap().refuses_keys);
    }

    #[test]
    fn what_sessions_did_is_counted_by_its_kind() {
        let region = board(4);
        let [writer, dead] = ["writer", "dead"].map(|name| attach(&region, name));
        for n in 0..5 {
            put(&writer, &format!("key/{n}"), b"value").unwrap();
        }
        put_bound(&dead, "bound", b"value").unwrap();
        let absent = Change::put(b"value", Expect::Absent);
        for _ in 0..2 {
            writer.write(&Key::new(region.geometry(), "key/0"), &absent, None).unwrap();
        }
        remove(&writer, "key/0");
        let told = sessions(&region).unwrap();
        assert_eq!(told.len(), 2);
        let counters = told[0].counters;
        assert_eq!((counters.puts, counters.removes, counters.conflicts, counters.retries), (5, 1, 2, 0));
        assert_eq!((counters.ephemerals, told[1].counters.puts, told[1].counters.ephemerals), (0, 1, 1));
        die(&dead);
        region.reap_dead().unwrap();
        for n in 0..3 {
            put_until(&writer, &format!("over/{n}"), b"", 1).unwrap();
        }
        let core = region.core().unwrap();
        for group in 0..region.geometry().groups().count() {
            core.sweep(&mut writer.lane(), group, u64::MAX, crate::board::region::now()).unwrap();
        }
        let Metrics { totals, floor, claimed, .. } = metrics(&region).unwrap();
        assert_eq!((totals.puts, totals.expired, totals.reaped, totals.ephemerals), (9, 3, 1, 1));
        assert_eq!((totals.floored, totals.helped), (0, 0));
        let reserve = region.geometry().shape().reserve_extents;
        assert_eq!(totals.extents, claimed / extent_bytes(region.geometry()) - reserve);
        have_blocks_at_hand(&writer, "key/1");
        assert_eq!(floor, 0);
        let later = metrics(&region).unwrap();
        assert!(later.floor > 0 && later.totals.floored == later.floor && later.totals.helped == 0);
    }

    #[test]
    fn a_session_is_told_with_its_process_and_whether_that_is_there() {
        let region = board(3);
        let [first, second] = ["first", "second"].map(|name| attach(&region, name));
        let told = |at: usize| sessions(&region).unwrap()[at].clone();
        let process = ProcessIdentity::current();
        let one = told(1);
        assert_eq!((one.name.as_str(), one.index, one.incarnation), ("second", 1, second.writer.incarnation));
        assert_eq!((one.pid, one.start_time), (process.pid, process.start_time));
        let far = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(40 * 365 * 24 * 3600);
        assert!(one.attached > far);
        let core = region.core().unwrap();
        let silent_for = |time: Duration| {
            core.beat(1, boottime_ns() - time.as_nanos() as u64);
            (told(1).liveness, told(1).beat_age >= time)
        };
        assert_eq!(silent_for(Duration::from_secs(10)), (Liveness::Alive, true));
        assert_eq!(silent_for(UNRESPONSIVE), (Liveness::Unresponsive, true));
        die(&first);
        assert_eq!((told(0).liveness, told(1).liveness), (Liveness::Dead, Liveness::Unresponsive));
    }

    /// A board with two sessions and two free records, after three puts.
    fn three_puts() -> (std::sync::Arc<Region>, [Seat; 2]) {
        let region = board(4);
        let seats = ["first", "second"].map(|name| attach(&region, name));
        for n in 0..3 {
            put(&seats[0], "key", [n].as_slice()).unwrap();
        }
        (region, seats)
    }

    /// Adds to what a record counts, and wraps around.
    fn add(region: &Region, session: usize, counter: Counter, by: u64) {
        let at = region.geometry().session(session) + crate::layout::session::counter(0, counter as usize);
        region.words().unwrap()[at].fetch_add(by, crate::sync::Ordering::Relaxed);
    }

    const COUNTERS_WRONG: Option<&str> = Some("what the sessions' records say that they did");

    #[test]
    fn impossible_counts_are_cut_and_named() {
        for (counter, by, most) in [(Counter::Puts, 1, 3), (Counter::Conflicts, OFTEN, OFTEN)] {
            let (region, _seats) = three_puts();
            assert_eq!(metrics(&region).unwrap().implausible, None);
            add(&region, 0, counter, by);
            let told = metrics(&region).unwrap();
            let counts = sessions(&region).unwrap()[0].counters;
            assert_eq!(told.implausible, COUNTERS_WRONG);
            for counts in [told.totals, counts] {
                assert!(counts.puts <= 3 && counts.conflicts <= most, "{counts:?}");
            }
        }
        // The total is right, and two records are not.
        let (region, _seats) = three_puts();
        add(&region, 0, Counter::Puts, 10);
        add(&region, 1, Counter::Puts, 10_u64.wrapping_neg());
        assert_eq!(metrics(&region).unwrap().implausible, COUNTERS_WRONG);
        // The total has what ended sessions did.
        let (region, _seats) = three_puts();
        add(&region, 2, Counter::Puts, 10);
        let told = metrics(&region).unwrap();
        assert_eq!((told.implausible, told.totals.puts), (COUNTERS_WRONG, 3));
        // The records of nobody are not looked at.
        let (region, _seats) = three_puts();
        add(&region, 2, Counter::Puts, 10);
        add(&region, 3, Counter::Puts, 10_u64.wrapping_neg());
        assert_eq!(metrics(&region).unwrap().implausible, None);
    }

    #[test]
    fn an_impossible_floor_is_cut_and_named() {
        let (region, _seats) = three_puts();
        region.words().unwrap()[crate::layout::header::FLOOR].store(5, crate::sync::Ordering::Relaxed);
        let told = metrics(&region).unwrap();
        assert_eq!((told.generation, told.floor), (3, 3));
        assert_eq!(told.implausible, Some("the generation counter or the floor"));
    }

    #[test]
    fn a_board_in_a_file_tells_how_many_bytes_its_file_system_has_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board");
        let board = crate::Board::options().capacity(1 << 20).keys(64).create(&path).unwrap();
        let session = board.attach("writer").unwrap();
        let metrics = session.metrics().unwrap();
        // Others write as well.
        let about = rustix::fs::statvfs(&path).map(|stat| stat.f_bavail * stat.f_frsize).unwrap();
        assert!(metrics.file_system_free.is_some_and(|free| about / 2 < free && free / 2 < about));
    }
}
