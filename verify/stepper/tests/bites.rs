//! The stepper finds what is wrong, and looks at what it says it looks at.

use slateboard::layout::{State, StateKind, header};
use std::path::PathBuf;
use stepper::{
    judge::{Expected, Judge},
    kill,
    place::Place,
    run::{self, Options},
    scenarios::{SCENARIOS, find},
    states,
};

fn options() -> Options {
    Options::new(PathBuf::from(env!("CARGO_BIN_EXE_stepper")))
}

#[test]
fn every_instruction_of_a_put_leaves_a_board_that_goes_on() {
    let tally = run::run(find("put over a value").unwrap(), &options());
    assert_eq!(tally.failures, Vec::<String>::new());
    // The stores alone are more. If nothing of the put was seen, there would be one image.
    assert!(tally.instructions > 300 && tally.images > 15, "{} {}", tally.instructions, tally.images);
    for state in [states::PRIVATE, states::PUBLISHED, states::ENTERED, states::UNCOUNTED, states::UNSETTLED] {
        assert!(tally.seen.contains_key(state), "{state} is not among {:?}", tally.seen);
    }
}

#[test]
fn a_death_that_nobody_reaps_is_found() {
    let tally = run::run(find("put over a value").unwrap(), &Options { reaps: false, ..options() });
    assert!(tally.failures.len() > 10, "{:?}", tally.failures);
}

#[test]
fn a_real_death_is_survived() {
    let tally = kill::run(find("put over what is not logged").unwrap(), &options(), 6, 1);
    assert_eq!(tally.failures, Vec::<String>::new());
    assert_eq!(tally.images, 6);
}

/// A board with one key of two versions, and what may stand on it: the first, then the second.
fn two_versions() -> (Place, Expected, [Vec<u64>; 2]) {
    let place = Place::new();
    let put = |value: &str| {
        place.board().attach("maker").unwrap().put("task/1", value).unwrap();
        place.words()
    };
    let (first, second) = (put("one"), put("two"));
    let summary = |words: &[u64]| slateboard_fsck::check(words, &[]).unwrap();
    let expected = Expected::new(&summary(&first), &summary(&second)).unwrap();
    (place, expected, [first, second])
}

#[test]
fn what_was_told_to_have_happened_must_stand() {
    let (place, expected, [first, second]) = two_versions();
    let judge = || Judge::new(place.geometry(), &expected, Vec::new());
    judge().judge(&first, false).unwrap();
    judge().judge(&second, true).unwrap();
    assert!(judge().judge(&first, true).unwrap_err().contains("0 of 1 events"));
}

#[test]
fn what_has_happened_does_not_go_away() {
    let (place, expected, [first, second]) = two_versions();
    let mut judge = Judge::new(place.geometry(), &expected, Vec::new());
    judge.judge(&second, false).unwrap();
    assert!(judge.judge(&first, false).unwrap_err().contains("none of what may stand"));
}

#[test]
fn damage_and_leaks_are_found() {
    let (place, expected, [_, second]) = two_versions();
    let damage = |at: usize, word: u64| {
        let mut words = second.clone();
        words[at] = word;
        Judge::new(place.geometry(), &expected, Vec::new()).judge(&words, true)
    };
    assert!(damage(header::GENERATION, 7).is_err());
    let free = place.geometry().block(place.geometry().granules() - 1).unwrap();
    assert!(damage(place.geometry().state(free), State::new(StateKind::Owned, 0, 1).0).is_err());
}

#[test]
fn every_scenario_has_a_name_of_its_own_and_a_predecessor_that_is_one() {
    for (number, scenario) in SCENARIOS.iter().enumerate() {
        assert!(SCENARIOS[..number].iter().all(|other| other.name != scenario.name), "{}", scenario.name);
        if let Some(before) = &scenario.before {
            assert!(find(before.scenario).is_some(), "{}", before.scenario);
        }
    }
}
