//! A mad peer writes garbage over a part of the region while others work. The others return typed errors for what is
//! damaged and serve the rest. They never crash, hang, or return what nobody wrote.
//!
//! A value says which key and which worker it belongs to, so that a wrong or torn one is recognised. A worker ends after a
//! number of calls; a call that never returns ends its process. One limit remains: bytes that agree with their checksum
//! pass for genuine, so a record that a peer copies back whole may be read again. Nothing is promised about a malicious
//! writer.

mod peer;
mod places;
mod worker;

use peer::Manner;
use places::{Part, witness};
use slateboard::Options;
use slateboard_kit::{
    children::Child,
    places::{folder, rounds, small},
};
use std::collections::BTreeMap;

/// Workers beside the peer.
const WORKERS: usize = 2;

fn options() -> Options {
    small().keys(48).sessions(6)
}

/// How often each kind of answer came.
type Tally = BTreeMap<String, u64>;

/// Runs workers and a mad peer on a board of their own. Returns how often the workers got each kind of answer.
fn run(part: Part, manner: Manner, seed: u64) -> Tally {
    let (_folder, path) = folder();
    let board = options().create(&path).unwrap();
    let session = board.attach("founder").unwrap();
    for n in 0..places::WITNESSES {
        session.put(&witness(n), worker::witness_value(n)).unwrap();
    }
    let mut workers: Vec<_> = (0..WORKERS)
        .map(|n| Child::start("worker::as_worker", &path, &format!("{part:?} {n} {seed}")))
        .collect();
    assert!(workers.iter_mut().all(|worker| worker.says("ready")));
    let mut peer = Child::start("peer::as_mad_peer", &path, &format!("{part:?} {manner:?} {seed}"));
    assert!(peer.says("mad"));
    workers.iter_mut().for_each(Child::let_go);
    let mut tally = Tally::new();
    for worker in &mut workers {
        let told = worker.hear("tally ").unwrap_or_else(|| {
            panic!("a worker died beside {manner:?} in {part:?}, seed {seed}: told above")
        });
        for count in told.split(' ') {
            let (kind, times) = count.split_once('=').unwrap();
            *tally.entry(kind.to_owned()).or_default() += times.parse::<u64>().unwrap();
        }
        assert!(worker.ends_well(), "a worker's end beside {manner:?} in {part:?}, seed {seed}");
    }
    assert!(peer.ends_well(), "{manner:?} in {part:?}, seed {seed}: the peer itself");
    tally
}

/// Plays all manners of damage in the part. Each answer in `bites` must come, which shows that the workers met the
/// damage.
fn survives(part: Part, bites: &[&str]) {
    for round in 0..u64::from(rounds(1)) {
        let mut total = Tally::new();
        for manner in Manner::ALL {
            for (kind, times) in run(part, manner, round) {
                *total.entry(kind).or_default() += times;
            }
        }
        eprintln!("{part:?}, round {round}: {total:?}");
        assert!(total["done"] > 0, "{part:?}, round {round}: nothing was served: {total:?}");
        for bite in bites {
            assert!(total.contains_key(*bite), "{part:?}, round {round}: no answer is {bite}: {total:?}");
        }
    }
}

#[test]
fn in_the_identity() {
    survives(Part::Identity, &["Refused"]);
}

#[test]
fn in_the_counters() {
    survives(Part::Counters, &["Corrupt"]);
}

#[test]
fn in_the_reservation() {
    survives(Part::Reservation, &["Corrupt"]);
}

#[test]
fn in_session_records() {
    survives(Part::Sessions, &["Fenced"]);
}

#[test]
fn in_the_name_table() {
    survives(Part::Names, &["stranger"]);
}

#[test]
fn in_shard_headers() {
    survives(Part::Shards, &["leap"]);
}

#[test]
fn in_buckets() {
    survives(Part::Buckets, &["Corrupt"]);
}

#[test]
fn in_the_history() {
    survives(Part::History, &["Corrupt"]);
}

#[test]
fn in_the_extent_table() {
    survives(Part::Extents, &["Corrupt"]);
}

#[test]
fn in_the_block_table() {
    survives(Part::Blocks, &["Corrupt"]);
}

#[test]
fn in_the_data() {
    survives(Part::Data, &["Corrupt"]);
}

#[test]
fn anywhere() {
    survives(Part::Anywhere, &["Corrupt"]);
}
