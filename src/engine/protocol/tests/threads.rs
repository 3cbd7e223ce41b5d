//! Two or three threads, a few calls each, on a board of a few blocks: small enough for Miri to run under many
//! seeds, each with other switches between the threads and other stale values of the relaxed loads.
//! `.ci/miri-seeds` does.

use super::{Heap, account, get, put, remove};
use crate::{
    layout::Shape,
    protocol::{
        Core, Fault,
        lane::Lane,
        publish::{Expect, Now, Outcome},
        read::Verify,
        slots::Key,
        view::Item,
    },
};
use std::thread::scope;

/// Calls of a thread: few, for Miri starts all over for each seed.
const ROUNDS: u8 = if cfg!(miri) { 3 } else { 100 };

/// Puts that leave few of the board's blocks free.
const BEFORE: u64 = 22;

/// A board of one bucket and thirty-odd blocks, for three sessions.
fn tiny() -> Heap {
    Heap::new(Shape {
        capacity: 2 * 32 * 64,
        granule_words: 8,
        extent_granules: 32,
        history: 64,
        history_min: 4,
        sessions: 3,
        names: 1,
        dedicated_buckets: 0,
        uniform_buckets: 1,
        uniform_shards: 1,
        overflow_max: 1,
        reserve_extents: 0,
        value_max: 256,
        commit_max: 64,
        keys: 7,
        dedicated: Vec::new(),
    })
}

/// The same when most blocks are in the history, so that the threads let events go and use blocks again. The key
/// `a` has had all of them: its versions and the generations are the same.
fn nearly_full() -> Heap {
    let heap = tiny();
    let mut lane = heap.lane(2);
    for _ in 0..BEFORE {
        done(put(&heap.core(), &mut lane, "a", &words(0), Expect::Any));
    }
    heap.core().leave(std::slice::from_mut(&mut lane), Now::default()).unwrap();
    heap
}

/// A value of four equal words.
fn words(number: u8) -> Vec<u8> {
    u64::from(number).to_le_bytes().repeat(4)
}

fn done(outcome: Result<Outcome, Fault>) -> (u64, u64) {
    match outcome {
        Ok(Outcome::Done { version, generation, .. }) => (version, generation),
        other => panic!("{other:?}"),
    }
}

fn assert_whole(value: &[u8]) {
    assert!(
        value.len() == 32 && value.chunks(8).all(|word| word == &value[..8]),
        "of several writes: {value:?}"
    );
}

/// Puts a key again and again; the versions and generations it was told.
fn puts(core: &Core<'_>, lane: &mut Lane, key: &str) -> Vec<(u64, u64)> {
    (0..ROUNDS).map(|round| done(put(core, lane, key, &words(round), Expect::Any))).collect()
}

#[test]
fn two_put_one_key() {
    let heap = nearly_full();
    let mut lanes = [heap.lane(0), heap.lane(1)];
    let [one, two] = &mut lanes;
    let mut told = scope(|scope| {
        let other = scope.spawn(|| puts(&heap.core(), one, "a"));
        let mut told = puts(&heap.core(), two, "a");
        told.extend(other.join().unwrap());
        told
    });
    told.sort_unstable();
    let all = 2 * u64::from(ROUNDS);
    assert_eq!(told, (BEFORE + 1..=BEFORE + all).map(|number| (number, number)).collect::<Vec<_>>());
    account(&heap.core(), &[&lanes[0], &lanes[1]]);
}

#[test]
fn two_update_one_key() {
    let heap = tiny();
    let mut lanes = [heap.lane(0), heap.lane(1)];
    let count = |lane: &mut Lane| {
        let core = heap.core();
        let mut added = 0;
        while added < ROUNDS {
            let (expect, old) = match get(&core, "a") {
                Some((version, value)) => (Expect::Version(version), value[0]),
                None => (Expect::Absent, 0),
            };
            match put(&core, lane, "a", &words(old + 1), expect).unwrap() {
                Outcome::Done { .. } => added += 1,
                Outcome::Conflict { .. } => {}
                Outcome::Nothing => panic!("a put removes nothing"),
            }
        }
    };
    scope(|scope| lanes.iter_mut().for_each(|lane| drop(scope.spawn(|| count(lane)))));
    let all = 2 * ROUNDS;
    assert_eq!(get(&heap.core(), "a"), Some((u64::from(all), words(all))));
    account(&heap.core(), &[&lanes[0], &lanes[1]]);
}

#[test]
fn a_session_is_reaped_beside_a_writer_and_a_reader() {
    let heap = tiny();
    let (mut dead, mut reaper, mut writer) = (heap.lane(0), heap.lane(1), heap.lane(2));
    puts(&heap.core(), &mut dead, "a");
    // Gone with a block that it had just begun to fill, and one in its stash.
    let core = heap.core();
    core.claim(&mut dead, 2, false).unwrap();
    scope(|scope| {
        scope.spawn(|| {
            let reaped = heap.core().reap(&mut reaper, 0, Now::default()).unwrap();
            assert!(reaped.blocks > 0);
        });
        scope.spawn(|| puts(&heap.core(), &mut writer, "a"));
        for _ in 0..ROUNDS {
            let (_, value) = get(&core, "a").unwrap();
            assert_whole(&value);
        }
    });
    assert!(!core.is_occupied(0));
    account(&core, &[&reaper, &writer]);
}

#[test]
fn one_removes_what_the_other_puts() {
    let heap = nearly_full();
    let mut lanes = [heap.lane(0), heap.lane(1)];
    let [one, two] = &mut lanes;
    let removed = scope(|scope| {
        scope.spawn(|| puts(&heap.core(), one, "a"));
        let core = heap.core();
        (0..ROUNDS).filter(|_| matches!(remove(&core, two, "a").unwrap(), Outcome::Done { .. })).count()
    });
    let core = heap.core();
    assert_eq!(core.generation(), BEFORE + u64::from(ROUNDS) + removed as u64);
    account(&core, &[&lanes[0], &lanes[1]]);
}

#[test]
fn a_view_and_the_events_are_whole_beside_a_writer() {
    let heap = nearly_full();
    let mut lane = heap.lane(0);
    scope(|scope| {
        scope.spawn(|| puts(&heap.core(), &mut lane, "a"));
        let core = heap.core();
        let key = Key::new(&heap.geo, "a");
        for _ in 0..ROUNDS {
            let point = core.point();
            match core.get_at(&key, point, Verify::Always) {
                Ok(item) => is_of(&item.expect("the key is never removed"), point.generation),
                Err(fault) => assert_eq!(fault, Fault::Lagged),
            }
            match core.event(point.generation, Verify::Always, |_| true) {
                Ok(event) => is_of(&event.expect("nothing is filtered").item, point.generation),
                Err(fault) => assert_eq!(fault, Fault::Lagged),
            }
        }
    });
    account(&heap.core(), &[&lane]);
}

/// Nothing is removed: versions and generations are the same.
fn is_of(item: &Item, generation: u64) {
    assert_eq!((item.header.version, item.generation), (generation, generation));
    assert_whole(&item.value);
}

#[test]
fn two_insert_keys_into_a_bucket_that_overflows() {
    let heap = tiny();
    let mut lanes = [heap.lane(0), heap.lane(1)];
    let insert = |lane: &mut Lane, names: [&str; 5]| {
        let core = heap.core();
        for name in names {
            done(put(&core, lane, name, &words(1), Expect::Absent));
        }
    };
    let [one, two] = &mut lanes;
    scope(|scope| {
        scope.spawn(|| insert(one, ["a", "b", "c", "d", "e"]));
        insert(two, ["f", "g", "h", "i", "j"]);
    });
    let core = heap.core();
    assert!(["a", "e", "f", "j"].iter().all(|name| get(&core, name) == Some((1, words(1)))));
    account(&core, &[&lanes[0], &lanes[1]]);
}

#[test]
fn two_use_the_slots_of_keys_that_are_gone() {
    let heap = tiny();
    let mut lanes = [heap.lane(0), heap.lane(1)];
    let come_and_go = |lane: &mut Lane, names: [&str; 5]| {
        let core = heap.core();
        for name in names {
            done(put(&core, lane, name, &words(1), Expect::Absent));
            done(remove(&core, lane, name));
        }
    };
    let [one, two] = &mut lanes;
    scope(|scope| {
        scope.spawn(|| come_and_go(one, ["a", "b", "c", "d", "e"]));
        come_and_go(two, ["f", "g", "h", "i", "j"]);
    });
    let core = heap.core();
    assert_eq!(core.generation(), 20);
    assert!(["a", "e", "f", "j"].iter().all(|name| get(&core, name).is_none()));
    account(&core, &[&lanes[0], &lanes[1]]);
}
