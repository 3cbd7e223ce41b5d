//! Runs one scenario: prepares the board, rehearses the operation, steps it, and judges every image.

use crate::{
    judge::{Bound, Expected, Judge, reap_all},
    place::Place,
    scenarios::{self, Before, Operation, Scenario},
    states,
    trace::{Did, Traced},
};
use slateboard::{
    layout::Geometry,
    protocol::{Core, Silent},
    sync::{AtomicU64, Ordering},
};
use slateboard_fsck::Summary;
use slateboard_kit::judge::sound;
use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
};

/// The options of a run.
pub struct Options {
    /// The program that plays the children: this one, or the stepper that a test was built with.
    pub program: PathBuf,
    /// Where failing images are kept.
    pub keep: Option<PathBuf>,
    /// Whether the dead are reaped. A test sets it to false, and must see failures.
    pub reaps: bool,
}

impl Options {
    /// With children of this program.
    pub fn new(program: PathBuf) -> Self {
        Self { program, keep: None, reaps: true }
    }
}

/// The result of a scenario's run.
#[derive(Default)]
pub struct Tally {
    /// Instructions of the operation.
    pub instructions: u64,
    /// Different images after these instructions.
    pub images: u64,
    /// How many of them show each state.
    pub seen: BTreeMap<&'static str, u64>,
    /// What was wrong.
    pub failures: Vec<String>,
}

/// A scenario's board with its processes: the child is about to begin its operation.
pub struct Stage {
    /// The board.
    pub place: Place,
    /// Stopped where the scenario wants it.
    pub before: Option<Traced>,
    /// Before its operation.
    pub child: Traced,
}

impl Stage {
    /// Prepares a new board for the scenario, and starts its child.
    pub fn set(scenario: &Scenario, options: &Options) -> Self {
        let place = Place::new();
        (scenario.prepare)(&place.board());
        Self::on(place, scenario, options)
    }

    /// Starts the scenario's processes on a prepared board.
    pub fn on(place: Place, scenario: &Scenario, options: &Options) -> Self {
        let path = place.path();
        let start = |scenario: &str| Traced::start(&options.program, scenario, &path);
        // A stopped predecessor attaches first. It lives while the child attaches, so the child does not reap it.
        let mut before = scenario.before.as_ref().map(|before| (start(before.scenario), before));
        if let Some((traced, before)) = &mut before {
            come_to(traced, before, &place);
            if before.killed {
                traced.kill();
            }
        }
        let mut child = start(scenario.name);
        assert_eq!(child.run(), Did::Marker, "{}: the child gets ready", scenario.name);
        Self { place, before: before.map(|(traced, _)| traced), child }
    }
}

/// Steps a predecessor until the board shows the state.
fn come_to(traced: &mut Traced, before: &Before, place: &Place) {
    assert_eq!(traced.run(), Did::Marker, "{} gets ready", before.scenario);
    let mut words = Vec::new();
    loop {
        assert_eq!(traced.step(), Did::Step, "{} comes to: {}", before.scenario, before.until);
        if place.is(&words) {
            continue;
        }
        place.read(&mut words);
        if states::of(&words, place.geometry()).contains(before.until) {
            return;
        }
    }
}

/// What the independent check finds in these words after every session in them was reaped.
pub fn reaped(words: &[u64], geometry: &Geometry) -> Result<Summary, String> {
    let words: Vec<AtomicU64> = words.iter().map(|&word| AtomicU64::new(word)).collect();
    let core = Core::new(&words, &[], &Silent, geometry).ok_or("the image is too short")?;
    reap_all(&core)?;
    let words: Vec<u64> = words.iter().map(|word| word.load(Ordering::Relaxed)).collect();
    sound(&words, &[])
}

/// The states that may stand, from a rehearsal in which the child is not stepped, and the values that are bound to
/// sessions.
pub fn rehearse(scenario: &Scenario, options: &Options) -> Result<(Expected, Vec<Bound>), String> {
    let mut stage = Stage::set(scenario, options);
    let geometry = stage.place.geometry().clone();
    let start = stage.place.words();
    assert_eq!(stage.child.run(), Did::Marker, "{}: the operation ends", scenario.name);
    let end = stage.place.words();
    let (before, after) = (at_rest(&start, &geometry)?, at_rest(&end, &geometry)?);
    let bound = |summary: &Summary| {
        let keys = summary.keys.iter().filter(|key| key.ephemeral != 0);
        keys.map(|key| (key.key.clone(), key.version)).collect::<Vec<_>>()
    };
    let bound = [bound(&before), bound(&after)].concat();
    Expected::new(&before, &after).map(|expected| (expected, bound))
}

/// What the independent check finds on a board whose sessions live. If one of them is in the middle of an operation, they
/// are reaped first.
fn at_rest(words: &[u64], geometry: &Geometry) -> Result<Summary, String> {
    let living: Vec<u16> = (0..geometry.sessions() as u16).collect();
    sound(words, &living).or_else(|_| reaped(words, geometry))
}

/// Steps a scenario's operation to its end, and judges every image.
pub fn run(scenario: &Scenario, options: &Options) -> Tally {
    if matches!(scenario.operation, Operation::Create) {
        return crate::create::run(options);
    }
    let (expected, bound) = match rehearse(scenario, options) {
        Ok(rehearsed) => rehearsed,
        Err(what) => return Tally { failures: vec![format!("the rehearsal: {what}")], ..Tally::default() },
    };
    let mut stage = Stage::set(scenario, options);
    let geometry = stage.place.geometry().clone();
    let mut judge = Judge::new(&geometry, &expected, bound);
    judge.reaps = options.reaps;
    judge.full = scenario.full;
    let mut walk = Walk { tally: Tally::default(), met: HashSet::new(), words: Vec::new(), options };
    walk.look(&stage.place, &stage.child, &mut judge, false, scenario.name);
    loop {
        let did = stage.child.step();
        walk.tally.instructions += 1;
        walk.look(&stage.place, &stage.child, &mut judge, did == Did::Marker, scenario.name);
        if did == Did::Marker {
            break;
        }
        assert_eq!(did, Did::Step, "{}: the child goes on", scenario.name);
    }
    let mut tally = walk.tally;
    let inherited = scenario.before.as_ref().map(|before| &before.until);
    for state in scenario.must_see.iter().chain(inherited).filter(|state| !tally.seen.contains_key(*state)) {
        tally.failures.push(format!("no image showed: {state}"));
    }
    tally
}

/// The walk through one operation's images.
struct Walk<'o> {
    tally: Tally,
    met: HashSet<u128>,
    words: Vec<u64>,
    options: &'o Options,
}

impl Walk<'_> {
    /// Judges the board if its image is new.
    fn look(&mut self, place: &Place, child: &Traced, judge: &mut Judge<'_>, done: bool, name: &str) {
        // The last image is judged again: the whole operation must be there now.
        if place.is(&self.words) && !done {
            return;
        }
        place.read(&mut self.words);
        if !self.met.insert(hash(&self.words)) && !done {
            return;
        }
        self.tally.images += 1;
        for state in states::of(&self.words, place.geometry()) {
            *self.tally.seen.entry(state).or_default() += 1;
        }
        if let Err(what) = judge.judge(&self.words, done) {
            let at = child.at().map_or(String::new(), |at| format!(", at {at:#x}"));
            let number = self.tally.instructions;
            self.tally.failures.push(format!("killed after instruction {number}{at}: {what}"));
            keep(self.options, &self.words, &format!("{name}-{number}"));
        }
    }
}

/// A hash that tells images apart.
pub fn hash(words: &[u64]) -> u128 {
    // Word by word: seeing words as bytes would take unsafe code.
    let mut digest = xxhash_rust::xxh3::Xxh3::new();
    for chunk in words.chunks(512) {
        let mut bytes = [0; 4096];
        for (bytes, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(chunk) {
            *bytes = word.to_le_bytes();
        }
        digest.update(&bytes[..chunk.len() * 8]);
    }
    digest.digest128()
}

/// Keeps a failing image if the options ask for it.
pub fn keep(options: &Options, words: &[u64], name: &str) {
    let Some(folder) = &options.keep else { return };
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let path = folder.join(name.replace(' ', "-"));
    if let Err(error) = std::fs::write(&path, bytes) {
        eprintln!("{}: {error}", path.display());
    }
}

/// The scenarios of a run: the one of this name, or those whose names contain the text.
pub fn chosen(only: Option<&str>) -> Vec<&'static Scenario> {
    let wanted = |scenario: &&Scenario| only.is_none_or(|text| scenario.name.contains(text));
    match only.and_then(scenarios::find) {
        Some(scenario) => vec![scenario],
        None => scenarios::SCENARIOS.iter().filter(wanted).collect(),
    }
}
