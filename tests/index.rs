//! Lists by the index tell what a look at every slot tells, at every generation that the history holds.

use proptest::{collection::vec, prelude::*};
use slateboard::{
    Board, Entry, ErrorKind, PutOptions, Reader, Session, View,
    layout::{
        Head, geometry, header,
        record::{self, RecordKind},
    },
    protocol::{Core, Fault, Silent, read::Verify},
    region::{self, Access, RegionFile},
};
use slateboard_kit::{
    places::{folder, rounds, small},
    random::Random,
};
use std::{
    ops::ControlFlow,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

const PREFIXES: [&str; 6] = ["", "task/", "task/1", "free/", "churn/", "none/"];

/// Key, value, version and generation.
type Known = (String, Vec<u8>, u64, u64);

/// A look at every slot, by the protocol's own walk.
struct Oracle(RegionFile);

impl Oracle {
    fn new(path: &Path) -> Self {
        Self(region::open(path, Access::ReadWrite).unwrap())
    }

    fn core(&self) -> Core<'_> {
        Core::new(self.0.mapping.words(), &[], &Silent, &self.0.geometry).unwrap()
    }

    /// What the walk tells at a generation; `None` where that has left the history.
    fn list(&self, prefix: &str, generation: u64) -> Option<Vec<Known>> {
        let core = self.core();
        let mut found = Vec::new();
        let point = core.point_at(generation).ok()?;
        let walked = core.list_at(prefix, point, Verify::Always, |item| {
            let item = item.unwrap();
            let key = String::from_utf8(item.key).unwrap();
            found.push((key, item.value, item.header.version, item.generation));
        });
        assert!(walked.is_ok() || walked == Err(Fault::Lagged), "{walked:?}");
        found.sort_unstable();
        walked.is_ok().then_some(found)
    }

    /// First word of the slot that has the key.
    fn slot(&self, key: &str) -> usize {
        let geometry = &self.0.geometry;
        let hash = geometry.hash(key.as_bytes());
        let bucket = geometry.bucket(geometry.bucket_of(geometry.shard_of(key, hash), hash));
        let fits = |&at: &usize| self.load(at) as u16 == geometry::fingerprint_of(hash);
        (0..geometry::SLOTS).map(|slot| bucket + 2 + 2 * slot).find(fits).unwrap()
    }

    /// First word of the key's newest record.
    fn record(&self, key: &str) -> usize {
        let block = Head(self.load(self.slot(key) + 1)).block();
        self.0.geometry.data(self.0.geometry.block(block).unwrap())
    }

    fn load(&self, at: usize) -> u64 {
        self.0.mapping.words()[at].load(Ordering::Relaxed)
    }

    fn change(&self, at: usize, bits: u64) {
        self.0.mapping.words()[at].store(self.load(at) ^ bits, Ordering::Relaxed);
    }
}

fn known(entries: Vec<Entry>) -> Vec<Known> {
    entries.into_iter().map(|entry| (entry.key, entry.value, entry.version, entry.generation)).collect()
}

fn scanned(view: &View, prefix: &str) -> slateboard::Result<Vec<Known>> {
    let mut found = Vec::new();
    view.list(prefix).scan(|key, value, meta| {
        assert_eq!(meta.len, value.len());
        found.push((key.to_owned(), value.to_vec(), meta.version, meta.generation));
        ControlFlow::<()>::Continue(())
    })?;
    Ok(found)
}

/// Whether the generation was there to be compared.
fn same(oracle: &Oracle, reader: &Reader, generation: u64, prefix: &str) -> bool {
    let view = match reader.view_at(generation) {
        Ok(view) => view,
        Err(error) => {
            assert!(error.is_lagged(), "{error}");
            return false;
        }
    };
    let told = (view.list(prefix).into_vec(), scanned(&view, prefix), oracle.list(prefix, generation));
    let (listed, scanned, Some(walked)) = told else { return false };
    for told in [listed.map(known), scanned] {
        match told {
            Ok(told) => assert_eq!(told, walked, "{prefix:?} at {generation}"),
            Err(error) => assert!(error.is_lagged(), "{error}"),
        }
    }
    match view.list(prefix).keys().into_vec() {
        Ok(keys) => {
            assert!(keys.iter().eq(walked.iter().map(|known| &known.0)), "{prefix:?} at {generation}")
        }
        Err(error) => assert!(error.is_lagged(), "{error}"),
    }
    true
}

#[derive(Clone, Debug)]
enum Op {
    Put(u8, u8),
    Remove(u8),
    PutOver(u8),
    /// So many keys come and go.
    Churn(u8),
    List(u8),
    /// Another handle lists, which does so seldom.
    Late(u8),
    Past(u8, u8),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..60u8, any::<u8>()).prop_map(|(key, len)| Op::Put(key, len)),
        3 => (0..60u8).prop_map(Op::Remove),
        1 => (0..60u8).prop_map(Op::PutOver),
        1 => (1..50u8).prop_map(Op::Churn),
        4 => (0..6u8).prop_map(Op::List),
        1 => (0..6u8).prop_map(Op::Late),
        3 => (0..6u8, 0..70u8).prop_map(|(prefix, back)| Op::Past(prefix, back)),
    ]
}

fn name(key: u8) -> String {
    format!("{}/{key}", ["task", "free", "tasks", "a/longer"][usize::from(key) % 4])
}

/// So few slots are sometimes too few.
fn done_or_full<T>(result: slateboard::Result<T>) {
    if let Err(error) = result {
        assert!(error.is_full(), "{error}");
    }
}

struct Boards {
    session: Session,
    late: Reader,
    oracle: Oracle,
    churned: u64,
}

impl Boards {
    fn take(&mut self, op: &Op) {
        let Self { session, late, oracle, churned } = self;
        let prefix = |prefix: u8| PREFIXES[usize::from(prefix)];
        match *op {
            Op::Put(key, len) => done_or_full(session.put(&name(key), vec![len; usize::from(len)])),
            Op::Remove(key) => {
                session.remove(&name(key)).unwrap();
            }
            Op::PutOver(key) => {
                let options = PutOptions::new().ttl(Duration::from_nanos(1));
                done_or_full(session.put_with(&name(key), b"over", options));
            }
            Op::Churn(count) => {
                for _ in 0..count {
                    *churned += 1;
                    done_or_full(session.put(&format!("churn/{churned}"), b"x"));
                    if *churned > 5 {
                        session.remove(&format!("churn/{}", *churned - 5)).unwrap();
                    }
                }
            }
            Op::List(at) => assert!(same(oracle, session.reader(), session.generation(), prefix(at))),
            Op::Late(at) => assert!(same(oracle, late, session.generation(), prefix(at))),
            Op::Past(at, back) => {
                let generation = session.generation().saturating_sub(u64::from(back));
                let is_there = generation >= session.floor();
                assert_eq!(same(oracle, session.reader(), generation, prefix(at)), is_there);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: rounds(64),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_operations_leave_the_index_as_the_slots_are(ops in vec(op(), 1..250)) {
        let (_folder, path) = folder();
        // Few slots, so that chains grow and slots pass from key to key; and a history that is soon over.
        let board = small().keys(16).beat(Duration::from_secs(3600)).create(&path).unwrap();
        let (session, late) = (board.attach("writer").unwrap(), board.read_only().unwrap());
        let mut boards = Boards { session, late, oracle: Oracle::new(&path), churned: 0 };
        ops.iter().for_each(|op| boards.take(op));
        for back in 0..70 {
            boards.take(&Op::Past(0, back));
        }
        boards.take(&Op::Late(0));
    }
}

/// Two handles write, a third lists, each through a mapping of its own.
fn written_meanwhile(history: u64, least: u32) {
    let (_folder, path) = folder();
    Board::options().capacity(8 << 20).keys(256).history(history).sessions(8).create(&path).unwrap();
    let oracle = Oracle::new(&path);
    let over = AtomicBool::new(false);
    let write = |number: u64| {
        let session = Board::open(&path).unwrap().attach("writer").unwrap();
        let mut random = Random::with_seed(number);
        while !over.load(Ordering::Relaxed) {
            let key = format!("{}/{}", ["task", "free"][random.usize(..2)], random.u64(..60));
            match random.u64(..3) {
                0 => {
                    session.remove(&key).unwrap();
                }
                _ => {
                    session.put(&key, random.u64(..).to_le_bytes()).unwrap();
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let _over = Over(&over);
        scope.spawn(|| write(1));
        scope.spawn(|| write(2));
        let reader = Board::open(&path).unwrap().read_only().unwrap();
        let mut random = Random::with_seed(3);
        let mut compared = 0;
        while compared < least {
            let back = random.u64(..history / 2);
            let generation = reader.generation().saturating_sub(back);
            let prefix = PREFIXES[random.usize(..4)];
            compared += u32::from(same(&oracle, &reader, generation, prefix));
        }
    });
}

/// Ends the writers, also where the test fails.
struct Over<'o>(&'o AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn others_that_write_meanwhile_change_no_view() {
    written_meanwhile(8192, rounds(300));
}

#[test]
fn a_history_that_laps_meanwhile_is_caught_up_with() {
    written_meanwhile(512, rounds(100));
}

#[test]
fn an_index_that_is_made_while_others_write_is_whole() {
    let (_folder, path) = folder();
    Board::options().capacity(8 << 20).keys(4096).history(8192).sessions(8).create(&path).unwrap();
    let oracle = Oracle::new(&path);
    let sessions = ["one", "two"].map(|name| Board::open(&path).unwrap().attach(name).unwrap());
    for n in 0..2000 {
        sessions[0].put(&format!("task/{n}"), b"there").unwrap();
    }
    for round in 0..rounds(60) {
        let reader = Board::open(&path).unwrap().read_only().unwrap();
        reader.list("none/").into_vec().unwrap();
        std::thread::scope(|scope| {
            for (number, session) in sessions.iter().enumerate() {
                scope.spawn(move || {
                    let mut random = Random::with_seed(u64::from(round) << 1 | number as u64);
                    for _ in 0..500 {
                        let key = format!("task/{}", random.u64(..4000));
                        session.remove(&key).unwrap();
                        session.put(&format!("task/{}", random.u64(..4000)), b"new").unwrap();
                    }
                });
            }
            (0..20).for_each(|_| drop(reader.list("none/").into_vec().unwrap()));
        });
        assert!(same(&oracle, &reader, reader.generation(), "task/"));
    }
}

/// A board with some keys, a session whose index is made, and the oracle.
fn indexed(path: &Path) -> (Session, Oracle) {
    let board = small().beat(Duration::from_secs(3600)).create(path).unwrap();
    let session = board.attach("writer").unwrap();
    for n in 0..40 {
        session.put(&name(n), [n; 40]).unwrap();
    }
    for _ in 0..3 {
        assert_eq!(session.list("").into_vec().unwrap().len(), 40);
    }
    (session, Oracle::new(path))
}

/// The error of a list, and of a scan with how many keys that told.
fn told_as_corrupt(reader: &Reader, prefix: &str, sound: usize) {
    let mut told = 0;
    let errors = [
        reader.list(prefix).into_vec().unwrap_err(),
        reader
            .list(prefix)
            .scan(|_, _, _| {
                told += 1;
                ControlFlow::<()>::Continue(())
            })
            .unwrap_err(),
    ];
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::Corrupt), "{errors:?}");
    assert_eq!(told, sound);
}

#[test]
fn a_damaged_value_is_reported_and_the_other_keys_are_told() {
    let (_folder, path) = folder();
    let (session, oracle) = indexed(&path);
    oracle.change(oracle.record("task/4") + record::HEADER_WORDS + 2, 1);
    told_as_corrupt(session.reader(), "task/", 9);
    assert!(session.list("task/4").into_vec().unwrap_err().to_string().contains("task/4"));
    assert_eq!(session.list("free/").into_vec().unwrap().len(), 10);
    // A handle that has no index yet, and cannot read the record either.
    let late = Board::open(&path).unwrap().read_only().unwrap();
    (0..4).for_each(|_| told_as_corrupt(&late, "task/", 9));
    session.put("task/4", b"healed").unwrap();
    assert_eq!(session.list("task/").into_vec().unwrap().len(), 10);
}

#[test]
fn a_damaged_key_is_reported_by_whoever_knew_it_and_keeps_an_index_from_being_made() {
    let (_folder, path) = folder();
    let (session, oracle) = indexed(&path);
    let late = Board::open(&path).unwrap().read_only().unwrap();
    // "task/4" becomes "task/5", whose hash is another.
    oracle.change(oracle.record("task/4") + record::HEADER_WORDS, 1 << 40);
    for _ in 0..40 {
        told_as_corrupt(&late, "task/", 9);
        told_as_corrupt(session.reader(), "task/", 9);
    }
    // Those who may not see it are not hurt.
    assert_eq!(session.list("free/").into_vec().unwrap().len(), 10);
    assert_eq!(late.list("file/").into_vec().unwrap().len(), 0);
}

#[test]
fn damage_that_looks_like_a_removal_hides_nothing() {
    let (_folder, path) = folder();
    let (session, oracle) = indexed(&path);
    session.put("task/new", b"here").unwrap();
    let shape = record::RecordHeader { kind: RecordKind::Removed, ..Default::default() }.shape();
    oracle.change(oracle.record("task/new") + record::SHAPE, shape);
    // The event is read after the damage, and long after its removal would be over.
    (0..3).for_each(|_| told_as_corrupt(session.reader(), "task/new", 0));
    for n in 0..200u8 {
        session.put("free/1", [n]).unwrap();
        if n % 20 == 0 {
            told_as_corrupt(session.reader(), "task/new", 0);
        }
    }
}

#[test]
fn a_new_key_whose_record_follows_nothing_is_not_taken_for_a_known_one() {
    let (_folder, path) = folder();
    let (session, oracle) = indexed(&path);
    session.put("task/new", b"here").unwrap();
    let previous = oracle.record("task/new") + record::PREVIOUS;
    oracle.change(previous, oracle.load(previous));
    (0..40).for_each(|_| told_as_corrupt(session.reader(), "task/new", 0));
}

#[test]
fn a_damaged_event_costs_a_walk_and_hides_no_key() {
    let (_folder, path) = folder();
    let (session, oracle) = indexed(&path);
    for at in 0..5 {
        let event = session.put(&format!("new/{at}"), b"here").unwrap().generation;
        oracle.change(oracle.0.geometry.ring(event), 1 << 40);
        assert_eq!(session.list("new/").into_vec().unwrap().len(), at + 1);
    }
    assert!((0..40).all(|_| session.list("").into_vec().unwrap().len() == 45));
}

#[test]
fn counters_that_jump_leave_the_index_as_the_slots_are() {
    let (_folder, path) = folder();
    let (session, oracle) = indexed(&path);
    // Back by three: whoever comes next counts the events again.
    session.put("free/1", b"a").unwrap();
    session.put("free/1", b"b").unwrap();
    session.put("free/1", b"c").unwrap();
    assert_eq!(session.list("").into_vec().unwrap().len(), 40);
    let generation = session.generation();
    oracle.change(header::GENERATION, generation ^ (generation - 3));
    for key in ["new/1", "new/2", "new/3"] {
        session.put(key, b"here").unwrap();
    }
    assert_eq!(session.list("new/").into_vec().unwrap().len(), 3);
    // And far ahead: nobody walks after it.
    oracle.change(header::GENERATION, 1 << 50);
    let _ = session.list("new/").into_vec();
}

#[test]
fn what_a_scan_calls_may_list_and_write() {
    let (_folder, path) = folder();
    let (session, _oracle) = indexed(&path);
    let mut told = 0;
    session
        .list("task/")
        .scan(|key, value, _| {
            told += 1;
            assert_eq!(session.list("task/").into_vec().unwrap().len(), 10);
            session.put(key, value).unwrap();
            session
                .list("free/")
                .scan(|key, _, _| {
                    assert!(session.get(key).unwrap().is_some());
                    ControlFlow::<()>::Continue(())
                })
                .unwrap();
            ControlFlow::<()>::Continue(())
        })
        .unwrap();
    assert_eq!(told, 10);
}

#[test]
fn the_index_has_the_keys_of_every_slot() {
    let (_folder, path) = folder();
    let session = small().keys(256).create(&path).unwrap().attach("writer").unwrap();
    // The first key of a bucket gets its first slot.
    let keys: Vec<String> = (0..100).map(|n| format!("task/{n:02}")).collect();
    assert!(session.put_many(keys.iter().map(|key| (key, b""))).iter().all(Result::is_ok));
    let fresh = Board::open(&path).unwrap().reader();
    // The first list looks at every slot, the second makes the index.
    for list in 0..3 {
        assert_eq!(fresh.list("").keys().into_vec().unwrap(), keys, "list {list}");
    }
}

#[test]
fn views_of_before_the_index_find_what_was_removed_since() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("writer").unwrap();
    for n in 0..40 {
        session.put(&name(n), [n; 40]).unwrap();
    }
    let before = session.view().unwrap();
    for n in 0..10 {
        session.remove(&name(n)).unwrap();
    }
    for _ in 0..3 {
        assert_eq!(
            (before.list("").into_vec().unwrap().len(), session.list("").into_vec().unwrap().len()),
            (40, 30)
        );
    }
    for n in 10..20 {
        session.remove(&name(n)).unwrap();
    }
    assert_eq!(
        (before.list("").into_vec().unwrap().len(), session.list("").into_vec().unwrap().len()),
        (40, 20)
    );
    for n in 0..100 {
        session.put("task/32", [n]).unwrap();
    }
    assert!(
        before.list("").into_vec().unwrap_err().is_lagged()
            && before.list("none").into_vec().unwrap_err().is_lagged()
    );
    assert_eq!(session.list("").into_vec().unwrap().len(), 20);
}
