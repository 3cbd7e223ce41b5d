//! Who is attached, and how full the board is.

use super::region::Region;
use crate::{
    error::Result,
    layout::session::{COUNTERS, Counter},
    region::boottime_ns,
};
use std::time::Duration;

/// Without a beat for longer, a session is shown as unresponsive. Never reaped for it.
const UNRESPONSIVE: Duration = Duration::from_secs(300);

/// Whether a session's process is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub enum Liveness {
    /// It is, and beats.
    Alive,
    /// It is, but has not beaten for 300 s: stopped, or starved.
    Unresponsive,
    /// It is gone. It is reaped by the next attach, by the next beat of the board's elected keeper, or by the third of
    /// another's.
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
    /// Its name; empty where the name table was full.
    pub name: String,
    /// Process id, in its own pid namespace.
    pub pid: u32,
    /// Start time of its process, clock ticks since boot.
    pub start_time: u64,
    /// When it attached, nanoseconds since 1970.
    pub attached: u64,
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
    /// Events of others brought into the history.
    pub helped: u64,
    /// Events let go past the floor.
    pub floored: u64,
    /// Dead sessions reaped.
    pub reaped: u64,
    /// Ephemeral puts.
    pub ephemerals: u64,
    /// Expired entries removed.
    pub expired: u64,
    /// Extents claimed, or given another size of blocks.
    pub extents: u64,
}

/// What the board holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Metrics {
    /// The newest generation.
    pub generation: u64,
    /// Generations up to this one have left the history.
    pub floor: u64,
    /// Events that the history can hold.
    pub history: u64,
    /// Keys that have a value.
    pub keys: u64,
    /// Slots, overflow included.
    pub slots: u64,
    /// Sessions attached, or dead and not reaped.
    pub sessions: u64,
    /// Session records.
    pub sessions_max: u64,
    /// Bytes for values.
    pub capacity: u64,
    /// Bytes of it whose pages are reserved.
    pub reserved: u64,
    /// Bytes of it that are cut into blocks.
    pub claimed: u64,
    /// Bytes in blocks that are in use, by present values and by the history.
    pub used: u64,
    /// Bytes of those in present values, about.
    pub live_bytes: u64,
    /// Bytes of those that the history holds, about.
    pub history_bytes: u64,
    /// Bytes in free blocks that sessions keep at hand: at most a 64th of the capacity. An idle session gives its own
    /// back at its next beat.
    pub private_bytes: u64,
    /// Bytes that are free for removals only.
    pub reserve_bytes: u64,
    /// Bytes that are free for values, in pieces of any size.
    pub free_bytes: u64,
    /// What all sessions have done since the board was made.
    pub totals: Counters,
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
    let now = boottime_ns();
    let mut sessions = Vec::new();
    for index in 0..region.geometry().sessions() {
        let record = core.session_view(index);
        if !record.active {
            continue;
        }
        let beat_age = Duration::from_nanos(now.saturating_sub(record.identity.heartbeat_ns));
        let liveness = match region.is_alive(index)? {
            false => Liveness::Dead,
            true if beat_age > UNRESPONSIVE => Liveness::Unresponsive,
            true => Liveness::Alive,
        };
        let counters: [u64; COUNTERS] = record.counters;
        sessions.push(SessionInfo {
            index: index as u16,
            incarnation: record.incarnation,
            name: core.name(record.name).unwrap_or_default(),
            pid: record.identity.pid as u32,
            start_time: record.identity.start_time,
            attached: record.identity.attached_ns,
            beat_age,
            liveness,
            counters: Counters::of(|counter| counters[counter as usize]),
        });
    }
    Ok(sessions)
}

pub(super) fn metrics(region: &Region) -> Result<Metrics> {
    let core = region.core()?;
    let geometry = region.geometry();
    let (keys, slots) = core.occupancy();
    let granule_bytes = geometry.granule_words() as u64 * 8;
    let extent_bytes = u64::from(geometry.extent_granules()) * granule_bytes;
    let (usage, history) = (core.usage(), core.history_granules());
    Ok(Metrics {
        generation: core.generation(),
        floor: core.floor(),
        history: geometry.history(),
        keys,
        slots,
        sessions: (0..geometry.sessions()).filter(|&index| core.is_occupied(index)).count() as u64,
        sessions_max: geometry.sessions() as u64,
        capacity: geometry.shape().capacity,
        reserved: u64::from(core.reserved()) * extent_bytes,
        claimed: u64::from(core.claimed_extents()) * extent_bytes,
        used: usage.used * granule_bytes,
        live_bytes: usage.used.saturating_sub(history) * granule_bytes,
        history_bytes: history * granule_bytes,
        private_bytes: usage.private * granule_bytes,
        reserve_bytes: usage.reserve * granule_bytes,
        free_bytes: usage.free * granule_bytes,
        totals: Counters::of(|counter| core.total(counter)),
    })
}
