//! A soak: keys that never repeat, on a small board. Each is removed, expires, or ends with its session. No put may be
//! refused, and nothing may grow.
//!
//! One run uses sessions whose keepers beat often. The other calls the protocol as a session does, without a keeper:
//! there a put that needs room makes it.

use slateboard::{
    Board, PutOptions, Session,
    layout::record::RecordKind,
    layout::{Geometry, session},
    protocol::{
        Core, Fault, Silent,
        lane::Lane,
        publish::{Change, Expect, Now, Outcome},
        sessions::Identity,
        slots::Key,
    },
    region::{self, Access, RegionFile},
};
use slateboard_kit::{judge::sound, places::words};
use std::{collections::VecDeque, path::Path, time::Duration};

/// Keys that the board is made for.
const KEYS: u64 = 4_096;
/// Keys that have a value at once, at most.
const LIVING: usize = 2_000;
/// Keys that live for the whole time.
const STAYING: usize = 500;
/// Keys that end with one session.
const BOUND: usize = 200;
/// How often the figures are taken.
const LOOKS: u64 = 10;
const TTL: Duration = Duration::from_millis(2);

/// Figures of a board after so many keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Keys so far.
    pub keys: u64,
    /// Slots, overflow included.
    pub slots: u64,
    /// Bytes that are cut into blocks.
    pub claimed: u64,
    /// Buckets of the longest chain.
    pub longest_chain: usize,
    /// Entries that were ended by their deadlines.
    pub expired: u64,
}

/// Puts `keys` keys that never repeat. Returns the figures after each tenth of them.
///
/// # Errors
/// A put that was refused, or a board that is not sound.
pub fn run(keys: u64, keeper: bool, folder: &Path) -> Result<Vec<Figures>, String> {
    let path = folder.join(if keeper { "kept" } else { "unkept" });
    let options = Board::options().capacity(8 << 20).keys(KEYS).history(1_024).sessions(8);
    let board = options.beat(Duration::from_millis(20)).create(&path).map_err(|error| error.to_string())?;
    if keeper {
        let mut hand = Attached::new(&board)?;
        churn(keys, &path, &mut hand)
    } else {
        drop(board);
        let mut hand = Alone::new(&path)?;
        churn(keys, &path, &mut hand)
    }
}

/// Bytes that the claimed memory may grow by at any time. It is counted in whole extents, and chance may add one extent of
/// each of two sizes.
const CLAIMED_STEP: u64 = 2 * 65_536;

/// Fails when the last figures are above those at the half, apart from what chance adds.
///
/// # Errors
/// What grew.
pub fn judge(figures: &[Figures]) -> Result<(), String> {
    let (Some(half), Some(last)) = (figures.get(figures.len() / 2), figures.last()) else {
        return Err("there are no figures".into());
    };
    let grown = |before: u64, after: u64, step: u64| after > before + (before / 10).max(step);
    if grown(half.slots, last.slots, 0) || grown(half.claimed, last.claimed, CLAIMED_STEP) {
        return Err(format!("the board grew: {half:?} became {last:?}"));
    }
    if last.longest_chain > half.longest_chain + 1 {
        return Err(format!("chains grew: {half:?} became {last:?}"));
    }
    Ok(())
}

/// What a soak does with a board.
trait Hand {
    /// Puts a key that lives until it is removed, or for a while.
    fn put(&mut self, key: &str, ttl: Option<Duration>) -> Result<(), String>;
    fn remove(&mut self, key: &str) -> Result<(), String>;
    /// Puts these keys in another session's name, which then ends.
    fn bind(&mut self, keys: &[String]) -> Result<(), String>;
    /// Records of the sessions that are attached.
    fn living(&self) -> Vec<u16>;
}

fn churn(keys: u64, path: &Path, hand: &mut impl Hand) -> Result<Vec<Figures>, String> {
    let folder = |n: u64| ["task", "file", "team", "free", "more"][(n % 5) as usize];
    for n in 0..STAYING as u64 {
        hand.put(&format!("{}/stays/{n}", folder(n)), None)?;
    }
    let (mut removable, mut bound) = (VecDeque::new(), Vec::new());
    let mut figures = Vec::new();
    for n in 0..keys {
        let key = format!("{}/{n}", folder(n));
        match n % 3 {
            0 => {
                hand.put(&key, None)?;
                removable.push_back(key);
            }
            1 => hand.put(&key, Some(TTL))?,
            _ => bound.push(key),
        }
        if removable.len() > BOUND {
            let key = removable.pop_front().unwrap_or_default();
            hand.remove(&key)?;
        }
        if bound.len() == BOUND {
            hand.bind(&bound)?;
            bound.clear();
        }
        // Without a pause, more keys would live at once than the board is made for.
        if n % (LIVING - STAYING - 2 * BOUND) as u64 == 0 {
            std::thread::sleep(TTL);
        }
        if (n + 1).is_multiple_of((keys / LOOKS).max(1)) {
            figures.push(look(path, n + 1, &hand.living())?);
        }
    }
    Ok(figures)
}

/// Checks the board. Keepers may be at work, so it tries until the board is at rest.
fn look(path: &Path, keys: u64, living: &[u16]) -> Result<Figures, String> {
    let reader = Board::options().open_read_only(path).map_err(|error| error.to_string())?;
    let mut told = String::new();
    for _ in 0..200 {
        let words = words(path).map_err(|error| error.to_string())?;
        match sound(&words, living) {
            Ok(summary) => {
                let metrics = reader.metrics().map_err(|error| error.to_string())?;
                return Ok(Figures {
                    keys,
                    slots: metrics.slots,
                    claimed: metrics.claimed,
                    longest_chain: summary.longest_chain,
                    expired: metrics.totals.expired,
                });
            }
            Err(findings) => told = findings,
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err(format!("after {keys} keys the board is not sound: {told}"))
}

/// Sessions with keepers.
struct Attached {
    board: Board,
    session: Session,
}

impl Attached {
    fn new(board: &Board) -> Result<Self, String> {
        let session = board.attach("soak").map_err(|error| error.to_string())?;
        Ok(Self { board: board.clone(), session })
    }
}

impl Hand for Attached {
    fn put(&mut self, key: &str, ttl: Option<Duration>) -> Result<(), String> {
        let mut options = PutOptions::new();
        options.ttl = ttl;
        let put = self.session.put_with(key, b"brief", options);
        put.map(|_| ()).map_err(|error| error.to_string())
    }

    fn remove(&mut self, key: &str) -> Result<(), String> {
        self.session.remove(key).map(|_| ()).map_err(|error| error.to_string())
    }

    fn bind(&mut self, keys: &[String]) -> Result<(), String> {
        let other = self.board.attach("bound").map_err(|error| error.to_string())?;
        let options = PutOptions::new().ephemeral(true);
        keys.iter().try_for_each(|key| {
            other.put_with(key, b"bound", options).map(|_| ()).map_err(|error| error.to_string())
        })
    }

    fn living(&self) -> Vec<u16> {
        vec![self.session.index()]
    }
}

const NOW: Now = Now { real_ns: 1, boot_ns: region::boottime_ns };

/// The protocol alone.
struct Alone {
    file: RegionFile,
    lane: Lane,
}

impl Alone {
    fn new(path: &Path) -> Result<Self, String> {
        let file = region::open(path, Access::ReadWrite).map_err(|error| error.to_string())?;
        file.reserve_extents(0..file.geometry.extents(), |_| {}).map_err(|error| error.to_string())?;
        let core = core_of(file.mapping.words(), &file.geometry)?;
        core.raise_reserved(file.geometry.extents());
        let lane = occupy(&core, 0);
        Ok(Self { file, lane })
    }

    fn change(&mut self, key: &str, change: &Change<'_>) -> Result<(), String> {
        let core = core_of(self.file.mapping.words(), &self.file.geometry)?;
        told(key, core.change(&mut self.lane, &Key::new(core.geometry(), key), change, NOW, None))
    }
}

fn core_of<'r>(words: &'r [slateboard::sync::AtomicU64], geometry: &'r Geometry) -> Result<Core<'r>, String> {
    Core::new(words, &[], &Silent, geometry).ok_or_else(|| "the region is too short".into())
}

fn occupy(core: &Core<'_>, index: usize) -> Lane {
    let writer = core.occupy(index, 0, &Identity::default());
    Lane::new(core, index % session::LANES, writer)
}

fn told(key: &str, outcome: Result<Outcome, Fault>) -> Result<(), String> {
    match outcome {
        Ok(Outcome::Done { .. }) => Ok(()),
        other => Err(format!("{key}: {other:?}")),
    }
}

impl Hand for Alone {
    fn put(&mut self, key: &str, ttl: Option<Duration>) -> Result<(), String> {
        let deadline = ttl.map_or(0, |ttl| region::boottime_ns() + ttl.as_nanos() as u64);
        self.change(key, &Change { deadline, ..Change::put(b"brief", Expect::Any) })
    }

    fn remove(&mut self, key: &str) -> Result<(), String> {
        self.change(key, &Change::tombstone(RecordKind::Removed, Expect::Any))
    }

    /// The session dies, and is reaped.
    fn bind(&mut self, keys: &[String]) -> Result<(), String> {
        let core = core_of(self.file.mapping.words(), &self.file.geometry)?;
        let mut other = occupy(&core, 1);
        let change = Change { ephemeral: other.writer.pack(), ..Change::put(b"bound", Expect::Any) };
        for key in keys {
            told(key, core.change(&mut other, &Key::new(core.geometry(), key), &change, NOW, None))?;
        }
        let mut reaper = Lane::for_reaping(&core, 1);
        core.reap(&mut reaper, 1, NOW).map(|_| ()).map_err(|fault| format!("a reap: {fault:?}"))
    }

    fn living(&self) -> Vec<u16> {
        vec![0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_soak_refuses_nothing_and_does_not_grow() {
        let folder = slateboard_kit::places::memory_folder();
        for keeper in [true, false] {
            let figures = run(60_000, keeper, folder.path()).expect("a soak");
            judge(&figures).expect("no growth");
            assert!(figures.iter().map(|figures| figures.expired).max() > Some(10_000), "{figures:?}");
        }
    }

    #[test]
    fn growth_is_told() {
        let at = |slots, longest_chain| Figures { slots, longest_chain, claimed: 10, ..Figures::default() };
        assert!(judge(&[at(100, 2), at(110, 3)]).is_ok() && judge(&[]).is_err());
        assert!(judge(&[at(100, 2), at(100, 2), at(111, 2)]).is_err());
        assert!(judge(&[at(100, 2), at(100, 2), at(100, 4)]).is_err());
        let claimed = |claimed| Figures { claimed, ..at(100, 2) };
        assert!(judge(&[claimed(400_000), claimed(400_000 + CLAIMED_STEP)]).is_ok());
        assert!(judge(&[claimed(0), claimed(400_000), claimed(400_001 + CLAIMED_STEP)]).is_err());
    }
}
