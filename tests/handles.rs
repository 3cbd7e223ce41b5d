//! A handle that is held while its key changes, is removed, expires and moves to another slot: it never answers from what it
//! saw before.

use slateboard::{
    ErrorKind, Expect, KeyHandle, Newer, PutOptions, Session, Verify,
    layout::{Head, HeadKind, geometry, record},
    region::{self, Access, RegionFile},
    sync::Ordering,
};
use slateboard_kit::places::{folder, small};
use std::{path::Path, time::Duration};

/// Beats that never come: only the test's own calls change anything.
const SELDOM: Duration = Duration::from_secs(3600);
const BRIEF: Duration = Duration::from_millis(50);

/// Another mapping of the board, to see where keys live.
struct Inside(RegionFile);

impl Inside {
    fn open(path: &Path) -> Self {
        Self(region::open(path, Access::ReadOnly).unwrap())
    }

    fn word(&self, at: usize) -> u64 {
        self.0.mapping.words()[at].load(Ordering::Acquire)
    }

    /// The bucket where the key's chain begins.
    fn bucket(&self, key: &str) -> usize {
        let geometry = &self.0.geometry;
        let hash = geometry.hash(key.as_bytes());
        geometry.bucket(geometry.bucket_of(geometry.shard_of(key, hash), hash))
    }

    /// Where the head of a key's slot is. Only keys of the chain's first bucket are found.
    fn head_at(&self, key: &str) -> usize {
        let hash = self.0.geometry.hash(key.as_bytes());
        let bucket = self.bucket(key);
        let slots = (0..geometry::SLOTS).map(|slot| bucket + 2 + 2 * slot);
        let mut ours = slots.filter(|&at| {
            self.word(at) as u16 == geometry::fingerprint_of(hash)
                && Head(self.word(at + 1)).is(HeadKind::Live)
        });
        ours.next().expect("the key has a slot") + 1
    }

    fn head(&self, at: usize) -> Head {
        Head(self.word(at))
    }
}

/// Every way to ask a handle, twice, because it notes what it finds; and without a handle.
#[track_caller]
fn has(session: &Session, key: &KeyHandle, version: u64, value: &str) {
    let mut buffer = Vec::new();
    for _ in 0..2 {
        assert_eq!(key.version().unwrap(), version);
        let entry = key.get().unwrap().unwrap();
        assert_eq!((entry.version, entry.text()), (version, Some(value)));
        let meta = key.get_into(&mut buffer).unwrap().unwrap();
        assert_eq!((meta.version, &buffer[..]), (version, value.as_bytes()));
        for known in [0, version - 1] {
            buffer.clear();
            let meta = key.get_newer_into(known, &mut buffer).unwrap().expect("a newer version");
            assert_eq!((meta.version, &buffer[..]), (version, value.as_bytes()));
            let newer = key.wait_newer(known, Duration::ZERO).unwrap().and_then(Newer::entry).unwrap();
            assert_eq!(newer.version, version);
        }
        for known in [version, version + 1] {
            assert!(key.get_newer_into(known, &mut buffer).unwrap().is_none());
            assert!(key.wait_newer(known, Duration::ZERO).unwrap().is_none());
        }
        assert_eq!(session.get(key.name()).unwrap().unwrap(), entry);
    }
}

/// As `has`, of a key without a value.
#[track_caller]
fn is_absent(session: &Session, key: &KeyHandle) {
    for _ in 0..2 {
        let mut buffer = b"before".to_vec();
        assert_eq!(key.version().unwrap(), 0);
        assert!(key.get().unwrap().is_none());
        assert!(key.get_into(&mut buffer).unwrap().is_none() && buffer.is_empty());
        assert!(key.get_newer_into(0, &mut buffer).unwrap().is_none());
        assert!(key.wait_newer(0, Duration::ZERO).unwrap().is_none());
        assert_eq!(key.wait_newer(1, Duration::ZERO).unwrap(), Some(Newer::Removed));
        assert!(session.get(key.name()).unwrap().is_none());
    }
}

#[test]
fn a_handle_follows_its_key_through_changes_and_removals() {
    let (_folder, path) = folder();
    let session = small().beat(SELDOM).create(&path).unwrap().attach("w").unwrap();
    let key = session.key("k").unwrap();
    is_absent(&session, &key);
    for round in 0..200u64 {
        let value = round.to_string();
        // By the handle, and by others.
        let receipt = match round % 4 {
            0 => key.put(&value).unwrap(),
            1 => session.put("k", &value).unwrap(),
            2 => key.update(|_| &value).unwrap(),
            _ => session.key("k").unwrap().put_if(&value, Expect::Present).unwrap(),
        };
        has(&session, &key, receipt.version, &value);
        if round % 8 == 7 {
            session.remove("k").unwrap();
            is_absent(&session, &key);
        }
    }
}

#[test]
fn a_handle_learns_of_a_change_although_the_record_lies_in_the_same_block() {
    // A checksum would find what a comparison of heads left out.
    for verify in [Verify::Scrub, Verify::Always] {
        changes_in_the_same_block(verify);
    }
}

fn changes_in_the_same_block(verify: Verify) {
    let (_folder, path) = folder();
    let session = small().beat(SELDOM).verify(verify).create(&path).unwrap().attach("w").unwrap();
    let inside = Inside::open(&path);
    let key = session.key("k").unwrap();
    session.put("k", "first").unwrap();
    let at = inside.head_at("k");
    let change = |times: u64| {
        (1..times).for_each(|_| assert!(session.put("k", times.to_string()).is_ok()));
        session.put("k", times.to_string()).unwrap().version
    };
    let (mut buffer, mut met) = (Vec::new(), 0);
    // The blocks of a key take turns. Somewhere up to this many changes the turn is over.
    for changes in 1..200 {
        let version = key.version().unwrap();
        assert!(key.get_newer_into(version, &mut buffer).unwrap().is_none(), "it notes what it found");
        let before = inside.head(at);
        let last = change(changes);
        met += u32::from(inside.head(at).block() == before.block());
        assert_eq!(key.version().unwrap(), last, "after {changes} changes");
        session.put("k", "last").unwrap();
        let before = inside.head(at);
        let noted = key.version().unwrap();
        let last = change(changes);
        met += u32::from(inside.head(at).block() == before.block());
        let meta = key.get_newer_into(noted, &mut buffer).unwrap().expect("a newer version");
        assert_eq!((meta.version, &buffer[..]), (last, changes.to_string().as_bytes()));
    }
    assert!(met > 0, "no block came back to the key");
}

#[test]
fn a_handle_returns_a_value_again_whatever_its_length() {
    for verify in [Verify::Always, Verify::Scrub] {
        let (_folder, path) = folder();
        let session = small().beat(SELDOM).verify(verify).create(&path).unwrap().attach("w").unwrap();
        let key = session.key("k").unwrap();
        // The last one lies in several blocks.
        for len in [0, 1, 7, 8, 9, 64, 100, 255, 256, 257, 1000, 4096, 40_000] {
            let value: Vec<u8> = (0..len).map(|at| (at * 7 + at / 251 + len) as u8).collect();
            let receipt = session.put("k", &value).unwrap();
            for before in [0, 3, len, len + 5] {
                let mut buffer = vec![0xee; before];
                let meta = key.get_into(&mut buffer).unwrap().unwrap();
                assert!(buffer == value, "{len} bytes into {before}, {verify:?}");
                assert_eq!(
                    (meta.version, meta.generation, meta.len),
                    (receipt.version, receipt.generation, len)
                );
            }
        }
    }
}

#[test]
fn a_handle_verifies_a_value_each_time_that_it_returns_it() {
    for len in [5, 64, 300] {
        let (_folder, path) = folder();
        let session = small().beat(SELDOM).create(&path).unwrap().attach("w").unwrap();
        let (inside, key, value) = (Inside::open(&path), session.key("k").unwrap(), vec![7; len]);
        session.put("k", &value).unwrap();
        let mut buffer = Vec::new();
        key.get_into(&mut buffer).unwrap().expect("the handle notes it");
        let file = region::open(&path, Access::ReadWrite).unwrap();
        let block = file.geometry.block(inside.head(inside.head_at("k")).block()).unwrap();
        let first = file.geometry.data(block) + record::HEADER_WORDS + 1;
        for word in &file.mapping.words()[first..first + len / 8] {
            let sound = word.fetch_xor(1 << 13, Ordering::Relaxed);
            let error = key.get_into(&mut buffer).expect_err("a damaged value");
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            word.store(sound, Ordering::Relaxed);
            assert!(key.get_into(&mut buffer).unwrap().is_some() && buffer == value);
        }
    }
}

#[test]
fn a_handle_learns_that_its_key_expired_although_nobody_changes_anything() {
    let (_folder, path) = folder();
    let session = small().beat(SELDOM).create(&path).unwrap().attach("w").unwrap();
    let (polled, read, long) =
        (session.key("k").unwrap(), session.key("k").unwrap(), session.key("long").unwrap());
    session.put_with("long", "stays", PutOptions::new().ttl(SELDOM)).unwrap();
    // Until the value was read before its time was over.
    loop {
        session.remove("k").unwrap();
        let version = session.put_with("k", "brief", PutOptions::new().ttl(BRIEF)).unwrap().version;
        let known = read.get().unwrap().is_some();
        if polled.version().unwrap() == version && known {
            break;
        }
    }
    let told = session.generation();
    if let Some(entry) = session.get("k").unwrap() {
        std::thread::sleep(entry.deadline.unwrap().remaining());
    }
    is_absent(&session, &polled);
    is_absent(&session, &read);
    has(&session, &long, 1, "stays");
    assert_eq!(session.generation(), told, "nobody published that it expired");
    // What is put then is new to all.
    read.update(|old| if old.is_none() { "begun" } else { "updated" }).unwrap();
    has(&session, &polled, session.get("k").unwrap().unwrap().version, "begun");
}

#[test]
fn a_read_into_a_buffer_knows_deadlines() {
    let (_folder, path) = folder();
    let session = small().beat(SELDOM).create(&path).unwrap().attach("w").unwrap();
    let mut buffer = b"before".to_vec();
    session.put_with("k", "over", PutOptions::new().ttl(Duration::from_nanos(1))).unwrap();
    assert!(session.get_into("k", &mut buffer).unwrap().is_none() && buffer.is_empty());
    session.put_with("k", "stays", PutOptions::new().ttl(SELDOM)).unwrap();
    assert_eq!(session.get_into("k", &mut buffer).unwrap().unwrap().version, 3, "after an event for its end");
    assert_eq!(buffer, b"stays");
}

#[test]
fn keys_of_one_fingerprint_in_one_chain_are_told_apart() {
    // A checksum, which covers the key, would find what a comparison left out.
    for verify in [Verify::Scrub, Verify::Always] {
        twins(verify);
    }
}

fn twins(verify: Verify) {
    let (_folder, path) = folder();
    let board = small().keys(16).beat(SELDOM).verify(verify).create(&path).unwrap();
    let session = board.attach("w").unwrap();
    let inside = Inside::open(&path);
    let fingerprint = |key: &str| geometry::fingerprint_of(inside.0.geometry.hash(key.as_bytes()));
    let is_twin =
        |key: &String| fingerprint(key) == fingerprint("k") && inside.bucket(key) == inside.bucket("k");
    let twin = (0..).map(|n| format!("twin/{n}")).find(is_twin).unwrap();
    let (key, other) = (session.key("k").unwrap(), session.key(&twin).unwrap());
    for round in 0..3 {
        let first = session.put("k", "mine").unwrap();
        has(&session, &key, first.version, "mine");
        is_absent(&session, &other);
        let second = session.put(&twin, "theirs").unwrap();
        has(&session, &key, first.version, "mine");
        has(&session, &other, second.version, "theirs");
        let mut buffer = Vec::new();
        for (name, value) in [("k", "mine"), (&twin, "theirs")] {
            session.get_into(name, &mut buffer).unwrap().unwrap();
            assert_eq!(buffer, value.as_bytes(), "round {round}");
        }
        session.remove("k").unwrap();
        is_absent(&session, &key);
        has(&session, &other, second.version, "theirs");
        session.remove(&twin).unwrap();
    }
}

#[test]
fn a_handle_is_not_taken_in_by_another_key_in_its_slot() {
    for _ in 0..10 {
        let (_folder, path) = folder();
        let session = small().beat(SELDOM).create(&path).unwrap().attach("w").unwrap();
        let inside = Inside::open(&path);
        let (key, writes) = (session.key("k").unwrap(), session.key("k").unwrap());
        let version = writes.put("mine").unwrap().version;
        has(&session, &key, version, "mine");
        let at = inside.head_at("k");
        let hash = inside.word(at - 1);
        session.remove("k").unwrap();
        // The slot comes back when the removal leaves the history.
        for _ in 0..80 {
            session.put("busy", "").unwrap();
        }
        let of_another = || inside.word(at - 1) != hash && inside.head(at).is(HeadKind::Live);
        // Keys of the same chain, until one of them has the slot.
        let mut others = 0;
        for other in
            (0..).map(|n| format!("other/{n}")).filter(|other| inside.bucket(other) == inside.bucket("k"))
        {
            session.put(&other, "theirs").unwrap();
            others += 1;
            if of_another() {
                break;
            }
            assert!(others < geometry::SLOTS, "no other key took the slot");
        }
        is_absent(&session, &key);
        // A writer that knows the slot does not write to the other key either.
        assert!(writes.put_if("mine", Expect::Present).unwrap_err().is_conflict());
        let again = writes.put("mine again").unwrap();
        has(&session, &key, again.version, "mine again");
        let theirs = session.list("other/").into_vec().unwrap();
        assert!(theirs.len() == others && theirs.iter().all(|entry| entry.text() == Some("theirs")));
    }
}
