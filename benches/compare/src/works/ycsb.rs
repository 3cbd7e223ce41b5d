//! YCSB A to F (Cooper et al., "Benchmarking Cloud Serving Systems with YCSB", 2010): two processes, one store.
//!
//! A: half reads, half puts. B: 95 % reads. C: reads. D: 95 % reads of the latest, 5 % new keys. E: 95 % scans of up to
//! 100 neighbours, 5 % new keys. F: half reads, half read-modify-writes. Keys are zipfian with 0.99, scattered.

use super::{Run, gets::warm_up, slices};
use crate::{
    Outcome,
    pair::{Partner, Role, Second},
    peers::{Peer, Shape, first_word, value},
    row::{Row, Unit},
    wires::{Wire, Wires},
};
use rand::{Rng, SeedableRng, distr::Distribution, rngs::SmallRng};
use rand_distr::Zipf;
use serde_json::Value;
use std::hint::black_box;

/// The workloads in the order in which they run on one store. Those that insert come last. D comes after E, because a fast peer
/// uses up all spare keys in D, and E needs some.
pub const WORKLOADS: [char; 6] = ['A', 'B', 'C', 'F', 'E', 'D'];
const EXPONENT: f64 = 0.99;
/// Steps that are drawn before the clock starts, and used again and again.
const STEPS: usize = 1 << 15;
/// Steps between two looks at how many keys there are.
const STRIDE: usize = 8;

#[derive(Clone, Copy)]
enum Step {
    Read(usize),
    /// The one so many before the newest.
    ReadLatest(usize),
    Put(usize),
    Insert,
    Scan(usize),
    Modify(usize),
}

/// The first process: makes the store, and goes through the workloads with the second.
pub fn run<P: Peer>(run: &Run<'_>) -> Outcome<Vec<Row>> {
    let keys = run.plan.ycsb_keys;
    let shape = Shape { keys, spare: keys, size: run.size };
    let peer = P::create(run.place("a"), shape)?;
    let names: Vec<String> = shape.all_names().collect();
    if !P::ONE_WRITER {
        warm_up(&peer, &names[..keys], &value(1, run.size), run.plan.warm_up)?;
    }
    let mut rows = Vec::new();
    let mut there = keys;
    for (number, letter) in
        WORKLOADS.into_iter().enumerate().filter(|(_, letter)| P::WORKLOADS.contains(letter))
    {
        let present = Shape { keys: there, spare: 2 * keys - there, ..shape };
        let partner = Partner::start(
            run.plan,
            Role { peer: P::NAME, role: "ycsb", shape: present, folder: run.folder, number },
        )?;
        let driver = Driver { peer: &peer, names: &names, wires: &partner.wires, size: run.size };
        let steps = draw(letter, keys, 1);
        partner.go();
        let rates = slices::first(&partner, run.plan.ycsb, driver.next(&steps))?;
        there = (partner.wires.load(Wire::Keys) as usize).min(2 * keys);
        let done = partner.finish()?;
        let rate = rates.mine_per_second + rates.theirs_per_second;
        let row = Row::new(P::NAME, run.work.name, letter.to_string(), Unit::PerSecond, rate);
        rows.push(done.mark(row));
    }
    Ok(rows)
}

/// The second process.
pub fn second<P: Peer>(second: &Second<'_>) -> Outcome<Value> {
    let peer = P::open(second.place("a"), second.shape)?;
    let names: Vec<String> = second.shape.all_names().collect();
    let steps = draw(WORKLOADS[second.number], second.plan.ycsb_keys, 2);
    let driver = Driver { peer: &peer, names: &names, wires: second.wires, size: second.shape.size };
    second.ready()?;
    let mut next = driver.next(&steps);
    slices::second(second.wires, |_| next())?;
    Ok(Value::Null)
}

/// A workload's steps.
fn draw(letter: char, keys: usize, seed: u64) -> Vec<Step> {
    let mut random = SmallRng::seed_from_u64(seed * 1_000 + u64::from(u32::from(letter)));
    let zipf = Zipf::new(keys as f64, EXPONENT).expect("a zipfian of some keys");
    let rank = |random: &mut SmallRng| zipf.sample(random) as usize - 1;
    // Popular keys lie anywhere: the step is coprime to the number of keys, which ends in zeros.
    let scattered = |rank: usize| (rank * 7_919 + 12_289) % keys;
    let step = |_| {
        let other = match letter {
            'A' | 'F' => random.random_bool(0.5),
            'C' => false,
            _ => random.random_bool(0.05),
        };
        let rank = rank(&mut random);
        match (letter, other) {
            ('D' | 'E', true) => Step::Insert,
            ('D', false) => Step::ReadLatest(rank),
            ('E', false) => Step::Scan(scattered(rank)),
            ('F', true) => Step::Modify(scattered(rank)),
            (_, true) => Step::Put(scattered(rank)),
            (_, false) => Step::Read(scattered(rank)),
        }
    };
    (0..STEPS).map(step).collect()
}

/// One process's side.
struct Driver<'d, P> {
    peer: &'d P,
    names: &'d [String],
    wires: &'d Wires,
    size: usize,
}

impl<P: Peer> Driver<'_, P> {
    /// Takes one step after the other; the answer is `false` when the spare keys are used up.
    fn next<'a>(&'a self, steps: &'a [Step]) -> impl FnMut() -> Outcome<bool> + 'a {
        let (mut value, mut buffer) = (value(1, self.size), Vec::new());
        let mut done = 0_usize;
        move || {
            self.step(steps[done % STEPS], &mut value, &mut buffer)?;
            done += 1;
            Ok(!done.is_multiple_of(STRIDE)
                || self.wires.load(Wire::Keys) as usize + 2 * STRIDE <= self.names.len())
        }
    }

    fn step(&self, step: Step, value: &mut [u8], buffer: &mut Vec<u8>) -> Outcome<()> {
        let size = self.size;
        let look = |value: &[u8]| {
            black_box(value);
            value.len() == size && (!P::WHOLE || first_word(value) == first_word(&value[size - 8..]))
        };
        let right = match step {
            Step::Read(key) => self.peer.get_key(&self.names[key], buffer, look)?.unwrap_or(false),
            Step::ReadLatest(before) => {
                let newest = self.wires.load(Wire::Keys) as usize - 1;
                // Its number is given out before it is there.
                let key = newest.saturating_sub(before).min(self.names.len() - 1);
                self.peer.get_key(&self.names[key], buffer, look)?.unwrap_or(true)
            }
            Step::Put(key) => self.peer.put_key(&self.names[key], value).map(|()| true)?,
            Step::Insert => match self.names.get(self.wires.next(Wire::Keys) as usize) {
                Some(key) => self.peer.insert(key, value).map(|()| true)?,
                None => true,
            },
            Step::Scan(key) => {
                let name = &self.names[key];
                (1..=100).contains(&self.peer.scan(&name[..name.len() - 2], buffer)?)
            }
            Step::Modify(key) => {
                let change = |value: &mut [u8]| value[size / 2] ^= 1;
                self.peer.modify(&self.names[key], buffer, change).map(|()| true)?
            }
        };
        if right { Ok(()) } else { Err("a value is missing, torn or of another size".into()) }
    }
}
