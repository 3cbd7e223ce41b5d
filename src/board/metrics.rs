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
