//! Real deaths: the stepped child gets a `SIGKILL` at an instruction, the kernel releases its lock, and another process
//! attaches.

use crate::{
    judge::{Bound, Expected, Judge},
    run::{Options, Stage, Tally, rehearse},
    scenarios::{Operation, Scenario},
    trace::Did,
};
use slateboard_kit::places::words;

/// Kills the scenario's child `times` times, at instructions spread over the operation. `seed` shifts them.
pub fn run(scenario: &Scenario, options: &Options, times: u64, seed: u64) -> Tally {
    let mut tally = Tally::default();
    if matches!(scenario.operation, Operation::Create) {
        return tally;
    }
    let (expected, bound) = match rehearse(scenario, options) {
        Ok(rehearsed) => rehearsed,
        Err(what) => return Tally { failures: vec![format!("the rehearsal: {what}")], ..Tally::default() },
    };
    let instructions = length(scenario, options);
    for number in 0..times {
        // A fraction of the way, the same for the same seed; multiples of the golden ratio spread evenly.
        let fraction = (seed.wrapping_add(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let at = ((u128::from(fraction) * u128::from(instructions)) >> 64) as u64;
        tally.images += 1;
        tally.instructions += at;
        if let Err(what) = killed(scenario, options, at, &expected, &bound) {
            tally.failures.push(format!("killed after instruction {at} of {instructions}: {what}"));
        }
    }
    tally
}

/// How many instructions the operation has.
fn length(scenario: &Scenario, options: &Options) -> u64 {
    let mut stage = Stage::set(scenario, options);
    let mut count = 1;
    while stage.child.step() == Did::Step {
        count += 1;
    }
    count
}

fn killed(
    scenario: &Scenario,
    options: &Options,
    at: u64,
    expected: &Expected,
    bound: &[Bound],
) -> Result<(), String> {
    let mut stage = Stage::set(scenario, options);
    for _ in 0..at {
        stage.child.step();
    }
    stage.child.kill();
    if let Some(before) = &mut stage.before {
        before.kill();
    }
    let told = |error: slateboard::Error| error.to_string();
    let board = stage.place.board();
    // An attach reaps every session whose lock the kernel has released.
    let session = board.attach("survivor").map_err(told)?;
    let dead =
        board.sessions().map_err(told)?.into_iter().filter(|other| other.index != session.index()).count();
    if dead != 0 {
        return Err(format!("{dead} dead sessions were not reaped"));
    }
    drop(session);
    let words = words(&stage.place.path()).map_err(|error| error.to_string())?;
    let mut judge = Judge::new(stage.place.geometry(), expected, bound.to_vec());
    judge.full = scenario.full;
    judge.judge(&words, false)
}
