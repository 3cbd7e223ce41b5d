//! Random schedules of more parties than can be searched whole, with kills and the same checks.

use crate::{
    explore::{Step, conclude, tell},
    party::Party,
    programs::Programs,
    scenario::{Role, Scenario, board, mortal, three_keys},
    world::{Choice, Undo, World, mix},
};
use slateboard::{layout::Shape, protocol::publish::Expect};

/// Kills in one schedule, at most.
const KILLS: usize = 2;
/// Most parties.
const PARTIES: usize = 8;
/// One move in so many is another party's than the last one's.
const SWITCH: u64 = 5;
/// One move in so many is a kill.
const KILL: u64 = 500;

fn scenario(parties: usize) -> Scenario {
    let mut roles = ROLES.to_vec();
    roles.truncate(parties.clamp(1, PARTIES));
    Scenario {
        shape: Shape { overflow_max: 1, ..board(1, 32, 2) },
        keys: three_keys,
        roles,
        kills: KILLS,
        mortal_reapers: true,
        may_fill: true,
        may_lag: true,
        ..Scenario::new("random", "random schedules")
    }
}

const ROLES: [Role; PARTIES] = [
    mortal("put a twice", |party: &Party<'_>| {
        party.put(0, 2, Expect::Any);
        party.put(0, 3, Expect::Any);
    }),
    mortal("put b, remove a", |party| {
        party.put(1, 4, Expect::Any);
        party.remove(0);
    }),
    mortal("get a and b", |party| {
        party.get(0);
        party.get(1);
        party.get(0);
    }),
    mortal("put c, remove c", |party| {
        party.put(2, 5, Expect::Any);
        party.remove(2);
        party.put(2, 6, Expect::Absent);
    }),
    mortal("cas a", |party| {
        party.put(0, 7, Expect::Version(1));
        party.put(0, 8, Expect::Present);
    }),
    mortal("remove b, put b", |party| {
        party.remove(1);
        party.put(1, 9, Expect::Absent);
    }),
    mortal("floor, finish", |party| {
        party.floor(false);
        party.finish_pending();
        party.put(2, 10, Expect::Any);
    }),
    mortal("view", |party| {
        party.get_now(0);
        party.get_now(2);
        let newest = party.core().generation();
        party.event(newest.max(1));
    }),
];

/// Numbers that look random.
pub struct Random(u64);

impl Random {
    /// The numbers that follow from a seed.
    pub fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The next one, below the bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        mix(self.0) % bound
    }
}

/// Runs `count` schedules; what they were, or the way to the flaw.
pub fn run(parties: usize, seed: u64, count: u64) -> Result<String, String> {
    let scenario = scenario(parties);
    let (programs, words) = Programs::new(&scenario)?;
    let mut world = World::new(programs, words)?;
    let mut random = Random::new(seed);
    let (mut moves, mut kills) = (0, 0);
    for schedule in 0..count {
        world.restart();
        let mut path = Vec::new();
        let ended = one(&mut world, &mut random, &mut path);
        moves += path.len();
        kills += world.dead().count_ones();
        if let Err(reason) = ended {
            let steps: Vec<Step> = path.iter().map(|(_, step)| *step).collect();
            return Err(format!("schedule {schedule} of seed {seed}: {reason}\n{}", tell(&world, &steps)));
        }
        for (undo, _) in path.iter().rev() {
            world.back(undo);
        }
    }
    Ok(format!("{count} random schedules of {} parties: {moves} moves, {kills} kills", scenario.roles.len()))
}

/// One schedule, to its end and the checks there.
fn one(world: &mut World<'_>, random: &mut Random, path: &mut Vec<(Undo, Step)>) -> Result<(), String> {
    loop {
        let able: Vec<usize> = (0..world.stands.len()).filter(|&actor| world.next(actor).is_some()).collect();
        if able.is_empty() {
            return conclude(world).map(drop);
        }
        let stay = world.last.filter(|last| able.contains(last)).filter(|_| random.below(SWITCH) > 0);
        let actor = stay.unwrap_or_else(|| able[random.below(able.len() as u64) as usize]);
        let dies = world.may_die(actor) && random.below(KILL) == 0;
        let choice = if dies { Choice::Kill(actor) } else { Choice::Step(actor) };
        let step = Step::of(world, choice);
        match world.take(choice) {
            Ok(undo) => path.push((undo, step)),
            Err((undo, reason)) => {
                path.push((undo, step));
                return Err(reason);
            }
        }
    }
}
