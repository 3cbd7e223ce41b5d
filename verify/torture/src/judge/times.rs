//! When each generation happened: not before somebody asked for it, and not after somebody was told of it. Generations
//! happen one after the other, so what is known of one bounds the others.

use super::{Epoch, Logged};
use crate::observer::Seen;
use slateboard::MutationKind;
use std::collections::HashMap;

/// Bounds of the moments at which generations happened.
pub struct Times {
    since: u64,
    bounds: Vec<[u64; 2]>,
}

impl Times {
    /// The bounds that the calls and the story give.
    pub fn of(epoch: &Epoch) -> Self {
        let newest = epoch.ended.generation.max(epoch.since);
        let mut times =
            Self { since: epoch.since, bounds: vec![[0, u64::MAX]; (newest - epoch.since) as usize] };
        let written: HashMap<u64, &Logged> = epoch.written();
        for call in &epoch.calls {
            let Some(generation) = call.generation() else { continue };
            let start = call.caused().map_or(0, |_| call.start);
            times.narrow(generation, start, call.end.unwrap_or(u64::MAX));
        }
        for &Seen { generation, value, at, kind, .. } in &epoch.story.events {
            let put = value.filter(|_| kind == MutationKind::Put).and_then(|id| written.get(&id));
            times.narrow(generation, put.map_or(0, |call| call.start), at);
        }
        let mut after = 0;
        for [earliest, _] in &mut times.bounds {
            after = after.max(*earliest);
            *earliest = after;
        }
        let mut before = u64::MAX;
        for [_, latest] in times.bounds.iter_mut().rev() {
            before = before.min(*latest);
            *latest = before;
        }
        times
    }

    fn narrow(&mut self, generation: u64, earliest: u64, latest: u64) {
        let place = generation.checked_sub(self.since + 1).and_then(|at| self.bounds.get_mut(at as usize));
        if let Some([known_earliest, known_latest]) = place {
            *known_earliest = earliest.max(*known_earliest);
            *known_latest = latest.min(*known_latest);
        }
    }

    fn bounds(&self, generation: u64) -> [u64; 2] {
        match generation.checked_sub(self.since + 1) {
            None => [0, 0],
            Some(at) => self.bounds.get(at as usize).copied().unwrap_or([u64::MAX; 2]),
        }
    }

    /// It did not happen before this moment.
    pub fn earliest(&self, generation: u64) -> u64 {
        self.bounds(generation)[0]
    }

    /// It had happened by this moment.
    pub fn latest(&self, generation: u64) -> u64 {
        self.bounds(generation)[1]
    }

    /// The newest generation that may have happened by a moment.
    pub fn newest_begun(&self, moment: u64) -> u64 {
        self.since + self.bounds.partition_point(|[earliest, _]| *earliest <= moment) as u64
    }

    /// The newest generation that had happened before a moment for certain.
    pub fn newest_before(&self, moment: u64) -> u64 {
        self.since + self.bounds.partition_point(|[_, latest]| *latest < moment) as u64
    }
}
