//! Calls on many keys at once, counters, ranges of lists, and touches.

use slateboard::{
    CodecId, ErrorKind, MutationKind, PutOptions, Session,
    layout::{Head, geometry, record},
    region::{self, Access},
    sync::Ordering,
};
use slateboard_kit::{
    judge,
    places::{folder, small},
};
use std::{
    ops::{
        Bound::{self, Excluded, Included, Unbounded},
        ControlFlow, RangeBounds,
    },
    path::Path,
    time::Duration,
};

fn session(path: &Path) -> Session {
    small().create(path).unwrap().attach("writer").unwrap()
}

#[test]
fn many_gets_and_puts_answer_for_each_key() {
    let (_folder, path) = folder();
    let session = session(&path);
    let long = "x".repeat(2000);
    let puts = session.put_many([("a", "1"), (long.as_str(), "2"), ("b", "3"), ("a", "4")]);
    let told: Vec<_> =
        puts.iter().map(|put| put.as_ref().map(|receipt| (receipt.version, receipt.generation))).collect();
    assert!(matches!(told[..], [Ok((1, 1)), Err(_), Ok((1, 2)), Ok((2, 3))]), "{told:?}");
    assert_eq!(told[1].unwrap_err().kind(), ErrorKind::InvalidKey);
    let check = |found: Vec<slateboard::Result<Option<slateboard::Entry>>>| {
        let found: Vec<_> =
            found.into_iter().map(|got| got.map(|entry| entry.map(|entry| entry.value))).collect();
        assert!(matches!(&found[0], Ok(Some(value)) if value == b"3"));
        assert!(found[1].as_ref().is_err_and(|error| error.kind() == ErrorKind::InvalidKey));
        assert!(matches!((&found[2], &found[3]), (Ok(None), Ok(Some(value))) if value == b"4"));
    };
    let keys = ["b", "", "c", "a"];
    check(session.get_many(keys));
    check(session.reader().get_many(keys.map(String::from)));
    let view = session.view().unwrap();
    session.put("c", "later").unwrap();
    check(view.get_many(keys));
    drop(session);
    judge::assert_sound(&path);
}

#[test]
fn a_prefix_is_removed_and_nothing_else() {
    let (_folder, path) = folder();
    let session = session(&path);
    for n in 0..30 {
        session.put(&format!("{}/{n}", ["task", "tas", "free"][n % 3]), b"x").unwrap();
    }
    session.put("task", b"x").unwrap();
    assert_eq!((session.remove_prefix("task/").unwrap(), session.remove_prefix("task/").unwrap()), (10, 0));
    assert_eq!(session.list("task").keys().into_vec().unwrap(), ["task"]);
    assert_eq!(session.remove_prefix("").unwrap(), 21);
    assert_eq!(session.generation(), 31 + 31, "an event for each");
    assert_eq!(session.list("").into_vec().unwrap(), []);
    drop(session);
    judge::assert_sound(&path);
}

#[test]
fn a_key_is_counted_by_the_one_removal_that_removed_it() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let sessions = ["one", "two"].map(|name| board.attach(name).unwrap());
    for round in 0..20 {
        assert!(sessions[0].put_many((0..300).map(|n| (format!("task/{n}"), ""))).iter().all(Result::is_ok));
        let begin = std::sync::Barrier::new(2);
        let removed: u64 = std::thread::scope(|scope| {
            let removers = sessions.each_ref().map(|session| {
                scope.spawn(|| {
                    begin.wait();
                    session.remove_prefix("task/").unwrap()
                })
            });
            removers.into_iter().map(|remover| remover.join().unwrap()).sum()
        });
        assert_eq!((removed, round), (300, round), "both together");
    }
}

#[test]
fn damage_is_named_and_the_other_keys_of_the_prefix_are_removed() {
    let (_folder, path) = folder();
    let session = session(&path);
    for n in 0..5 {
        session.put(&format!("task/{n}"), b"value").unwrap();
    }
    let file = region::open(&path, Access::ReadWrite).unwrap();
    let (words, geometry) = (file.mapping.words(), &file.geometry);
    let hash = geometry.hash(b"task/3");
    let bucket = geometry.bucket(geometry.bucket_of(geometry.shard_of("task/3", hash), hash));
    let load = |at: usize| words[at].load(Ordering::Relaxed);
    let slot = (0..geometry::SLOTS)
        .map(|slot| bucket + 2 + 2 * slot)
        .find(|&at| load(at) as u16 == geometry::fingerprint_of(hash));
    let block = Head(load(slot.unwrap() + 1)).block();
    let at = geometry.data(geometry.block(block).unwrap()) + record::CHECKSUM;
    words[at].store(load(at) ^ 1, Ordering::Relaxed);
    let error = session.remove_prefix("task/").unwrap_err();
    assert!(error.is_corrupt() && error.to_string().contains("task/3"), "{error}");
    assert_eq!(session.list("task/").whole().unwrap().entries, []);
    assert_eq!(
        session.list("task/").map(|entry| entry.unwrap_err().is_corrupt()).collect::<Vec<_>>(),
        [true]
    );
}

#[test]
fn a_value_that_is_not_text_is_not_counted() {
    let (_folder, path) = folder();
    let session = small().create(&path).unwrap().attach("counts").unwrap();
    session.put_pod("bytes", b"9").unwrap();
    let error = session.increment("bytes", 1).unwrap_err();
    assert_eq!((error.kind(), error.current().unwrap().version), (ErrorKind::Codec, 1));
    assert_eq!(session.get_pod::<[u8; 1]>("bytes").unwrap(), Some(*b"9"));
}

#[test]
fn increments_are_never_lost() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("counts").unwrap();
    session.put_with("team/count", b" 5\n", PutOptions::new().ttl(Duration::from_secs(3600))).unwrap();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let board = &board;
            scope.spawn(move || {
                let session = board.attach(&format!("counts-{number}")).unwrap();
                for _ in 0..250 {
                    session.increment_with("team/count", 1, slateboard::Retry::UNLIMITED).unwrap();
                }
            });
        }
    });
    let entry = session.get("team/count").unwrap().unwrap();
    assert_eq!((entry.text(), entry.version), (Some("1005"), 1001));
    assert!(entry.deadline.is_some(), "what an increment does not change stays");
    assert_eq!(session.increment("other", -7).unwrap(), -7);
    assert_eq!(session.get("other").unwrap().unwrap().codec, CodecId::UTF8);
}

#[test]
fn a_counter_keeps_its_codec_and_its_sum_says_what_was_put() {
    let (_folder, path) = folder();
    let session = session(&path);
    for (codec, text) in [(CodecId::RAW, "40"), (CodecId::UTF8, " +40\n"), (CodecId::JSON, "40")] {
        session.put_with("k", text, PutOptions::new().codec(codec)).unwrap();
        let sum = session.increment_with("k", 2, slateboard::Retry::new()).unwrap();
        let entry = session.get("k").unwrap().unwrap();
        assert_eq!((entry.text(), entry.codec), (Some("42"), codec));
        assert_eq!((sum.value, sum.codec), (42, codec));
        assert_eq!((sum.receipt.version, sum.receipt.generation), (entry.version, entry.generation));
    }
    for codec in [CodecId::POD, CodecId::new(77)] {
        session.put_with("k", "40", PutOptions::new().codec(codec)).unwrap();
        assert_eq!(session.increment("k", 2).unwrap_err().kind(), ErrorKind::Codec);
        assert_eq!(session.get("k").unwrap().unwrap().text(), Some("40"));
    }
    session.remove("k").unwrap();
    assert_eq!(session.increment("k", 2).unwrap(), 2, "a key without a value counts as zero");
}

#[test]
fn what_is_no_counter_is_left_as_it_is() {
    let (_folder, path) = folder();
    let session = session(&path);
    for (value, delta, kind) in [
        ("words", 1, ErrorKind::Codec),
        ("1.5", 1, ErrorKind::Codec),
        ("9223372036854775808", 1, ErrorKind::Codec),
        ("9223372036854775807", 1, ErrorKind::Codec),
        ("-9223372036854775808", -1, ErrorKind::Codec),
    ] {
        let version = session.put("k", value).unwrap().version;
        let error = session.increment("k", delta).unwrap_err();
        assert_eq!((error.kind(), error.key()), (kind, Some("k")), "{error}");
        let entry = session.get("k").unwrap().unwrap();
        assert_eq!((entry.text(), entry.version), (Some(value), version));
    }
}

#[test]
fn a_touch_is_an_event_of_its_own_kind() {
    let (_folder, path) = folder();
    let session = session(&path);
    let options = PutOptions::new().ttl(Duration::from_secs(60)).codec(CodecId::JSON);
    let put = session.put_with("claim/1", "[1]", options).unwrap();
    let before = session.get("claim/1").unwrap().unwrap();
    let touched = session.touch("claim/1", Duration::from_secs(3600)).unwrap().unwrap();
    assert_eq!((touched.version, touched.generation), (2, 2));
    let after = session.get("claim/1").unwrap().unwrap();
    assert_eq!((&after.value, after.codec, after.created), (&before.value, before.codec, put.generation));
    assert!(after.deadline > before.deadline);
    session.put("claim/1", "[2]").unwrap();
    let events: Vec<_> = session.events(0).map(Result::unwrap).collect();
    let told: Vec<_> =
        events.iter().map(|event| (event.mutations[0].kind, event.mutations[0].value.as_deref())).collect();
    assert_eq!(
        told,
        [
            (MutationKind::Put, Some(&b"[1]"[..])),
            (MutationKind::Touch, Some(b"[1]")),
            (MutationKind::Put, Some(b"[2]")),
        ]
    );
    assert_eq!(
        events[2].mutations[0].previous.as_ref().unwrap().value,
        b"[1]",
        "a touch is a value to what follows"
    );
    assert_eq!(session.view_at(2).unwrap().list("").into_vec().unwrap(), [after]);
    assert!(session.touch("none", Duration::from_secs(1)).unwrap().is_none());
    drop(session);
    judge::assert_sound(&path);
}

/// Lists of a board, each compared with the same part of all of it.
fn compare(session: &Session, prefix: &str, start: Bound<&str>, end: Bound<&str>) {
    let mut all = session.list("").keys().into_vec().unwrap();
    all.retain(|key| key.starts_with(prefix) && RangeBounds::<str>::contains(&(start, end), key.as_str()));
    for backwards in [false, true] {
        for limit in [0, 1, 3, all.len(), usize::MAX] {
            let expected: Vec<_> = all.iter().take(limit).collect();
            let list = || {
                let list = session.list(prefix).range::<&str>((start, end)).limit(limit);
                if backwards { list.reverse() } else { list }
            };
            assert!(list().keys().into_vec().unwrap().iter().eq(expected.iter().copied()));
            assert!(list().keys().map(Result::unwrap).eq(expected.iter().copied().cloned()));
            let whole = list().whole().unwrap();
            assert!(whole.exact && whole.entries.iter().map(|entry| &entry.key).eq(expected.iter().copied()));
            let mut scanned = Vec::new();
            let stopped = list().scan(|key, value, _| {
                assert_eq!(key.as_bytes(), value);
                scanned.push(key.to_owned());
                if scanned.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            assert_eq!(stopped.unwrap().is_some(), expected.len() >= 2);
            assert!(scanned.iter().eq(expected.iter().take(2).copied()));
        }
        all.reverse();
    }
}

#[test]
fn ranges_limits_and_orders_are_parts_of_the_whole_list() {
    let (_folder, path) = folder();
    // More than are asked of the index at once.
    let board = small().keys(2048).capacity(4 << 20).history(4096).create(&path).unwrap();
    let session = board.attach("writer").unwrap();
    let keys: Vec<String> =
        (0..700).map(|n| format!("task/{n:03}")).chain((0..20).map(|n| format!("é/{n}"))).collect();
    assert!(session.put_many(keys.iter().map(|key| (key, key))).iter().all(Result::is_ok));
    session.remove("task/350").unwrap();
    let some = ["", "task/", "task/100", "task/350", "task/600", "task/6000", "zzz", "é/1"];
    // The first list of a handle looks at every slot, the second makes the index.
    for start in some {
        for end in some {
            compare(&session, "", Included(start), Excluded(end));
        }
        compare(&session, "task/", Excluded(start), Unbounded);
        compare(&session, start, Unbounded, Included("task/500"));
    }
    let fresh = small().open(&path).unwrap().attach("late").unwrap();
    let page = || fresh.list("task/").range("task/349".."task/360").limit(2).keys().into_vec().unwrap();
    (0..3).for_each(|_| assert_eq!(page(), ["task/349", "task/351"]));
}

#[test]
fn an_iterator_is_of_one_generation_and_ends_when_that_is_gone() {
    let (_folder, path) = folder();
    let session = session(&path);
    let _ = session.put_many((0..20).map(|n| (format!("task/{n:02}"), b"old")));
    for _ in 0..3 {
        let mut list = session.list("task/");
        assert_eq!(list.next().unwrap().unwrap().value, b"old");
        session.put("task/19", b"new").unwrap();
        session.put("task/20", b"new").unwrap();
        let rest: Vec<_> = list.by_ref().map(|entry| entry.unwrap().value).collect();
        assert_eq!(rest, vec![b"old"; 19]);
        session.put("task/19", b"old").unwrap();
        session.remove("task/20").unwrap();
        let mut list = session.list("task/");
        list.next().unwrap().unwrap();
        let _ = session.put_many((0..70).map(|n| ("busy", [n])));
        assert!(list.next().unwrap().unwrap_err().is_lagged());
        assert!(list.next().is_none() && list.next().is_none());
    }
}
