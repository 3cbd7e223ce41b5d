//! Second order: a survivor repairs what a death left behind, and is killed after every instruction as well.

use crate::{
    judge::{Expected, Judge},
    place::Place,
    run::{self, Options, Stage, Tally, reaped},
    scenarios::{self, Operation, Scenario},
    states,
    trace::{Did, Traced},
};
use std::collections::HashSet;

/// The scenarios of the survivor: an attach reaps the dead.
const SURVIVORS: &[&str] = &["attach"];

/// Steps the scenario to `points` images, spread over its stores. From each, a survivor reaps the dead and is killed after
/// every instruction. Then a third session reaps both.
pub fn run(scenario: &Scenario, options: &Options, points: usize) -> Tally {
    let mut tally = Tally::default();
    if matches!(scenario.operation, Operation::Create) {
        return tally;
    }
    let images = images(scenario, options);
    let step = images.len().div_ceil(points.max(1)).max(1);
    for (number, words) in images.iter().enumerate().step_by(step) {
        for survivor in SURVIVORS {
            let survivor = scenarios::find(survivor).expect("the survivor is a scenario");
            if let Err(what) = survive(words, scenario, survivor, options, &mut tally) {
                tally.failures.push(format!("killed at image {number}, then {}: {what}", survivor.name));
                run::keep(options, words, &format!("{}-image-{number}", scenario.name));
            }
        }
    }
    tally
}

/// The different images of a scenario's operation.
fn images(scenario: &Scenario, options: &Options) -> Vec<Vec<u64>> {
    let mut stage = Stage::set(scenario, options);
    let mut words = stage.place.words();
    let mut images = vec![words.clone()];
    while stage.child.step() == Did::Step {
        if !stage.place.is(&words) {
            stage.place.read(&mut words);
            images.push(words.clone());
        }
    }
    images
}

/// Steps a survivor on a board with these words, on which everybody is dead.
fn survive(
    words: &[u64],
    dead: &Scenario,
    survivor: &Scenario,
    options: &Options,
    tally: &mut Tally,
) -> Result<(), String> {
    let place = Place::with(words);
    let geometry = place.geometry().clone();
    // Whenever the survivor dies, the board must end as a single reaper leaves it.
    let alone = reaped(words, &geometry)?;
    let expected = Expected::new(&alone, &alone)?;
    let mut judge = Judge::new(&geometry, &expected, Vec::new());
    judge.full = dead.full;
    let mut child = Traced::start(&options.program, survivor.name, &place.path());
    if child.run() != Did::Marker {
        return Err("the survivor does not get ready".into());
    }
    let (mut met, mut words) = (HashSet::new(), Vec::new());
    loop {
        let did = child.step();
        tally.instructions += 1;
        let changed = !place.is(&words);
        if changed {
            place.read(&mut words);
        }
        if changed && met.insert(run::hash(&words)) {
            tally.images += 1;
            for state in states::of(&words, &geometry) {
                *tally.seen.entry(state).or_default() += 1;
            }
            let number = tally.instructions;
            judge
                .judge(&words, did == Did::Marker)
                .map_err(|what| format!("instruction {number}: {what}"))?;
        }
        if did == Did::Marker {
            return Ok(());
        }
    }
}
