//! A board without a region, for tests of durable files: its history is known, and what is recovered is judged by it.

use slateboard::durable::{
    Author, Disk, Journal, Limits, Plan, Record, Recovery, Save, Saved, recover::Replay, save::About,
};
use slateboard::{Result, layout::record::RecordKind};
use std::{collections::BTreeMap, sync::Arc};

/// The board's UUID.
pub const BOARD: u128 = 0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8;
/// The names of sessions.
const NAMES: [&str; 3] = ["planner", "", "a reviewer with a long name"];

/// Small segments, so that they rotate.
pub const SMALL: Limits = Limits { segment_bytes: 1_200, total_bytes: 1 << 20 };

/// The author of a line.
pub fn author(line: u32) -> Author {
    Author { board: BOARD, line, now_ns: 1_700_000_000_000_000_000, salt: 0x5eed + u64::from(line) }
}

/// One change of one key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Its generation.
    pub generation: u64,
    key: String,
    /// `None` for a removal.
    value: Option<Vec<u8>>,
    version: u64,
    created: u64,
    line: u32,
}

impl Change {
    /// As files have it.
    pub fn record(&self) -> Record<'_> {
        let Self { generation, version, created, .. } = *self;
        let name = NAMES[generation as usize % 3];
        let has_deadline = generation.is_multiple_of(4);
        let is_bound = generation.is_multiple_of(5);
        Record {
            key: &self.key,
            value: self.value.as_deref().unwrap_or_default(),
            kind: if self.value.is_some() { RecordKind::Value } else { RecordKind::Removed },
            codec: (generation % 3) as u8,
            version,
            generation,
            created,
            time_ns: 1_000_000 + generation,
            deadline_ns: if has_deadline { 2_000_000 + generation } else { 0 },
            writer: (u64::from(self.line) << 8) | (generation % 3),
            writer_name: name,
            ephemeral: if is_bound { 77 } else { 0 },
            ephemeral_name: if is_bound { "planner" } else { "" },
        }
    }
}

/// The history of a board, as the board itself knows it.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    changes: BTreeMap<u64, Change>,
    /// The board's line.
    pub line: u32,
    /// Generations that never were: a recovery began after them.
    base: u64,
}

impl Truth {
    /// The newest generation.
    pub fn generation(&self) -> u64 {
        self.changes.last_key_value().map_or(0, |(generation, _)| *generation).max(self.base)
    }

    /// One change of one of seven keys, which follows from its generation and the line. Each eleventh removes its key.
    pub fn change(&mut self) {
        let generation = self.generation() + 1;
        let length = [3, 0, 40, 200][generation as usize % 4];
        let text = format!("{}/{generation}/", self.line);
        let value = text.bytes().cycle().take(length + text.len()).collect();
        self.put(&format!("task/{}", generation % 7), (!generation.is_multiple_of(11)).then_some(value));
    }

    /// One change; `None` removes the key.
    pub fn put(&mut self, key: &str, value: Option<Vec<u8>>) {
        let generation = self.generation() + 1;
        let before = self.changes.values().rev().find(|change| change.key == key);
        let version = before.map_or(1, |before| before.version + 1);
        let created =
            before.filter(|before| before.value.is_some()).map_or(generation, |before| before.created);
        let change = Change { generation, key: key.into(), value, version, created, line: self.line };
        self.changes.insert(generation, change);
    }

    /// Several changes.
    pub fn changes(&mut self, count: u64) {
        (0..count).for_each(|_| self.change());
    }

    /// The change of a generation.
    pub fn at(&self, generation: u64) -> Option<&Change> {
        self.changes.get(&generation)
    }

    /// What the keys have at a generation.
    pub fn entries(&self, generation: u64) -> BTreeMap<&str, &Change> {
        let mut entries = BTreeMap::new();
        for change in self.changes.range(..=generation).map(|(_, change)| change) {
            match change.value {
                Some(_) => entries.insert(&*change.key, change),
                None => entries.remove(&*change.key),
            };
        }
        entries
    }

    /// Saves a snapshot of the newest generation. `None` if another process is saving.
    ///
    /// # Errors
    /// Those of [`Save`].
    pub fn save(&self, disk: &dyn Disk) -> Result<Option<Saved>> {
        let Some(mut save) = Save::begin(disk, &author(self.line), self.generation())? else {
            return Ok(None);
        };
        for change in self.entries(self.generation()).values() {
            save.entry(&change.record())?;
        }
        save.finish(&self.about()).map(Some)
    }

    /// What goes into the footer.
    pub fn about(&self) -> About {
        About { is_exact: true, version_base: self.generation(), shape: b"shape".to_vec() }
    }

    /// Opens the journal.
    ///
    /// # Errors
    /// Those of [`Journal::open`].
    pub fn journal(&self, disk: &Arc<dyn Disk>, limits: Limits) -> Result<Journal> {
        Journal::open(disk, &author(self.line), limits, self.base)
    }

    /// Begins the next line with what was recovered.
    ///
    /// # Errors
    /// Those of [`Plan::begin_line`].
    pub fn begin_line(
        self,
        plan: &Plan<'_>,
        disk: &Arc<dyn Disk>,
        limits: Limits,
    ) -> Result<(Self, Journal)> {
        let truth = self.recovered(plan);
        let journal = plan.begin_line(disk, &author(truth.line), limits)?;
        Ok((truth, journal))
    }

    /// Appends what the journal has not. Events that are older than `floor` have left the history: they are a gap, which the
    /// snapshot `bridge` bridges.
    ///
    /// # Errors
    /// Those of [`Journal::append`].
    pub fn drain(&self, journal: &mut Journal, floor: u64, bridge: u64) -> Result<()> {
        let next = journal.due()?;
        if next <= floor {
            journal.gap(floor, bridge)?;
        }
        for change in self.changes.range(next.max(floor + 1)..).map(|(_, change)| change) {
            journal.append(change.generation, &[change.record()])?;
        }
        Ok(())
    }

    /// The board goes on from what was recovered.
    fn recovered(mut self, plan: &Plan<'_>) -> Self {
        let last = plan.last;
        self.changes.retain(|generation, _| *generation <= last && !is_missing(plan, *generation));
        Self { base: plan.known, line: plan.next_line, ..self }
    }

    /// Judges a plan. Each value must be one that the key had; unless the plan says so, no later change of the key is missing. Up to
    /// `acknowledged` all must be there, or be told. Returns the generations that are missing and told.
    ///
    /// # Panics
    /// If something is wrong.
    pub fn judge(&self, plan: &Plan<'_>, acknowledged: u64) -> u64 {
        let mut found: BTreeMap<String, u64> = BTreeMap::new();
        let mut before = 0;
        plan.replay(|step| {
            let records = match &step {
                Replay::Entry(record) => std::slice::from_ref(*record),
                Replay::Event(generation, records) => {
                    assert!(*generation > before, "{generation} follows {before}");
                    before = *generation;
                    assert!(records.iter().all(|record| record.generation == *generation));
                    *records
                }
            };
            for record in records {
                let real = self.at(record.generation).map(Change::record);
                assert_eq!(Some(*record), real, "nobody wrote this: {plan}");
                found.insert(record.key.into(), record.generation);
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{plan}: {error}"));
        let is_told =
            |generation| is_missing(plan, generation) || (generation > plan.known && plan.doubt.is_some());
        for change in self.changes.range(..=acknowledged).map(|(_, change)| change) {
            // A snapshot has only the newest change of a key, and no removed key.
            let newest = found.get(&*change.key).copied();
            let is_there = newest.is_some_and(|newest| newest >= change.generation)
                || self
                    .entries(plan.snapshot().map_or(0, |snapshot| snapshot.head().generation))
                    .get(&*change.key)
                    .is_none_or(|entry| entry.generation > change.generation)
                    && plan
                        .snapshot()
                        .is_some_and(|snapshot| snapshot.head().generation >= change.generation);
            assert!(is_there || is_told(change.generation), "{} is missing: {plan}", change.generation);
        }
        self.changes.range(..=acknowledged).filter(|(generation, _)| is_told(**generation)).count() as u64
    }
}

fn is_missing(plan: &Plan<'_>, generation: u64) -> bool {
    plan.missing.iter().any(|range| (range.first..=range.last).contains(&generation))
}

/// The plan that a folder gives.
///
/// # Panics
/// If there is none.
pub fn plan(disk: &dyn Disk) -> Plan<'_> {
    match slateboard::durable::recover(disk, BOARD, 1_800_000_000_000_000_000) {
        Ok(Recovery::Plan(plan)) => plan,
        other => panic!("{other:?}"),
    }
}
