//! What a user does with a board, one story a test.

use slateboard::{
    Board, CodecId, Entry, Error, ErrorKind, Expect, Newer, PutOptions, Replacement, Retry, Verify, Wait,
    codec,
};
use std::{path::PathBuf, time::Duration};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board");
    (folder, path)
}

fn small() -> slateboard::Options {
    Board::options().capacity(4 << 20).keys(1024).history(256).sessions(8)
}

#[test]
fn a_value_is_put_read_changed_and_removed() {
    let (_folder, path) = folder();
    let board = small().open_or_create(&path).unwrap();
    let session = board.attach("planner").unwrap();
    assert!(session.get("task/42").unwrap().is_none());
    let first = session.put("task/42", b"open").unwrap();
    assert_eq!((first.version, first.generation), (1, 1));
    let entry = session.get("task/42").unwrap().unwrap();
    assert_eq!((entry.value.as_slice(), entry.version, entry.generation), (b"open".as_slice(), 1, 1));
    assert_eq!((entry.writer.name.as_str(), entry.created, entry.codec), ("planner", 1, CodecId::RAW));
    let second = session.put_if("task/42", b"mine", Expect::Version(1)).unwrap();
    assert_eq!((second.version, second.generation), (2, 2));
    assert_eq!(session.remove("task/42").unwrap().unwrap().version, 3);
    assert!(session.get("task/42").unwrap().is_none());
    assert!(session.remove("task/42").unwrap().is_none());
    assert_eq!(session.put("task/42", b"again").unwrap().version, 4, "versions never restart");
    assert_eq!((board.generation(), board.floor()), (4, 0));
}

#[test]
fn a_conflict_carries_what_stands_there() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let (one, two) = (board.attach("one").unwrap(), board.attach("two").unwrap());
    one.put("team/plan", "a").unwrap();
    let error = two.put_if("team/plan", "b", Expect::Absent).unwrap_err();
    assert!(error.is_conflict());
    let current = error.current().unwrap();
    assert_eq!((current.text(), current.version, current.writer.name.as_str()), (Some("a"), 1, "one"));
    assert!(error.to_string().contains("team/plan"), "{error}");
    for expect in [Expect::Version(7), Expect::Generation(9), Expect::Absent] {
        assert!(two.put_if("team/plan", "b", expect).unwrap_err().is_conflict(), "{expect:?}");
        assert!(two.remove_if("team/plan", expect).unwrap_err().is_conflict(), "{expect:?}");
    }
    for expect in [Expect::Version(1), Expect::Present] {
        let error = two.put_if("team/none", "b", expect).unwrap_err();
        assert!(error.is_conflict() && error.current().is_none(), "{expect:?}");
    }
    two.put_if("team/plan", "b", Expect::Generation(1)).unwrap();
}

#[test]
fn update_counts_exactly_over_threads() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let sessions: Vec<_> = (0..3).map(|n| board.attach(&format!("s{n}")).unwrap()).collect();
    std::thread::scope(|scope| {
        for session in sessions.iter().chain(&sessions[..1]) {
            scope.spawn(move || {
                for _ in 0..500 {
                    session
                        .update_with("team/count", Retry::UNLIMITED, |old| {
                            let old: u64 = old.map_or(0, |entry| entry.text().unwrap().parse().unwrap());
                            (old + 1).to_string()
                        })
                        .unwrap();
                }
            });
        }
    });
    let entry = sessions[0].get("team/count").unwrap().unwrap();
    assert_eq!((entry.text(), entry.version, entry.generation), (Some("2000"), 2000, 2000));
}

#[test]
fn a_view_shows_one_generation_and_events_tell_the_way() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("w").unwrap();
    for n in 0..10u8 {
        session.put(&format!("task/{n}"), [n]).unwrap();
    }
    let view = session.view().unwrap();
    session.put("task/3", b"new").unwrap();
    session.remove("task/4").unwrap();
    assert_eq!(view.list("task/").unwrap().len(), 10);
    assert_eq!(view.get("task/3").unwrap().unwrap().value, [3]);
    assert_eq!(session.list("task/").unwrap().len(), 9);
    assert_eq!(session.view_at(5).unwrap().list("").unwrap().len(), 5);
    let events: Vec<_> = session.events(10).map(Result::unwrap).collect();
    assert_eq!(events.len(), 2);
    let put = &events[0].mutations[0];
    assert_eq!((put.key.as_str(), put.version, put.value.as_deref()), ("task/3", 2, Some(b"new".as_slice())));
    assert_eq!(put.previous.as_ref().unwrap().value, [3]);
    assert_eq!(events[1].mutations[0].kind, slateboard::MutationKind::Remove);
    assert_eq!(session.view_at(13).err().unwrap().kind(), ErrorKind::Future);
}

#[test]
fn a_reader_that_fell_behind_is_told_how_far() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("w").unwrap();
    for n in 0..1000u64 {
        session.put("x", n.to_le_bytes()).unwrap();
    }
    let floor = board.floor();
    assert!(floor >= 1000 - 256);
    let mut events = session.events(10);
    let error = events.next().unwrap().unwrap_err();
    let lagged = error.missed().unwrap();
    assert_eq!((lagged.missed, lagged.resume_at), (floor - 10, floor));
    assert!(error.is_lagged());
    assert_eq!(events.next().unwrap().unwrap().generation, floor + 1);
    assert_eq!(events.count() as u64, 1000 - floor - 1);
    assert!(session.view_at(5).err().unwrap().is_lagged());
}

#[test]
fn watchers_see_every_event_of_their_prefix() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("w").unwrap();
    for wait in [Wait::Spin, Wait::Adaptive, Wait::Sleep] {
        for prefix in ["task/", "other/", ""] {
            let start = board.generation();
            let mut watch = board.reader().watch(prefix).since(start).wait(wait);
            let seen = std::thread::spawn(move || {
                (0..20).map(|_| watch.next(SOON).unwrap().unwrap().mutations[0].version).collect::<Vec<_>>()
            });
            let key = format!("{}{wait:?}", if prefix.is_empty() { "free/" } else { prefix });
            let first = session.get(&key).unwrap().map_or(1, |entry| entry.version + 1);
            for n in 0..20u64 {
                session.put(&key, n.to_le_bytes()).unwrap();
                if !prefix.is_empty() {
                    session.put("elsewhere", b"").unwrap();
                }
            }
            assert_eq!(seen.join().unwrap(), (first..first + 20).collect::<Vec<_>>());
        }
    }
    let mut watch = session.watch("task/");
    assert!(watch.next(Duration::from_millis(5)).unwrap().is_none());
}

#[test]
fn waiting_for_a_key_ends_when_it_changes() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("w").unwrap();
    let other = board.attach("o").unwrap();
    let waiter = std::thread::spawn(move || {
        other.wait_newer("team/go", 0, SOON).unwrap().and_then(Newer::entry).unwrap().value
    });
    session.put("elsewhere", b"").unwrap();
    session.put("team/go", b"now").unwrap();
    assert_eq!(waiter.join().unwrap(), b"now");
    assert!(session.wait_newer("team/go", 1, Duration::from_millis(2)).unwrap().is_none());
    session.remove("team/go").unwrap();
    assert_eq!(session.wait_newer("team/go", 1, SOON).unwrap(), Some(Newer::Removed));
    // A time to live that ends is announced by nobody.
    let brief = PutOptions::new().ttl(Duration::from_millis(5));
    let version = session.put_with("team/go", b"brief", brief).unwrap().version;
    assert_eq!(session.wait_newer("team/go", version, SOON).unwrap(), Some(Newer::Removed));
}

#[test]
fn a_time_to_live_ends_an_entry_for_reads_and_expectations() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("w").unwrap();
    let options = PutOptions::new().ttl(Duration::from_nanos(1));
    session.put_with("x", b"brief", options).unwrap();
    assert!(session.get("x").unwrap().is_none() && session.list("").unwrap().is_empty());
    let receipt = session.put_if("x", b"next", Expect::Absent).unwrap();
    assert_eq!((receipt.version, receipt.generation), (3, 3), "the expire event has a version of its own");
    let kinds: Vec<_> = session.events(0).map(|event| event.unwrap().mutations[0].kind).collect();
    use slateboard::MutationKind::{Expire, Put};
    assert_eq!(kinds, [Put, Expire, Put]);
    // Whose entry it was, whoever published its end.
    let expired = session.event(session.generation() - 1).unwrap();
    assert_eq!(expired.mutations[0].previous.as_ref().unwrap().writer.name, "w");
    let long = PutOptions::new().ttl(Duration::from_secs(1000));
    session.put_with("y", b"long", long).unwrap();
    assert!(session.get("y").unwrap().unwrap().deadline.is_some());
}

#[test]
fn ephemeral_entries_end_with_their_session() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let (one, two) = (board.attach("one").unwrap(), board.attach("two").unwrap());
    let ephemeral = PutOptions::new().ephemeral(true);
    one.put_with("claim/1", b"", ephemeral).unwrap();
    one.put_with("claim/2", b"", ephemeral).unwrap();
    two.put("claim/2", b"taken over").unwrap();
    assert_eq!(two.get("claim/1").unwrap().unwrap().ephemeral.unwrap().name, "one");
    drop(one);
    assert!(two.get("claim/1").unwrap().is_none());
    assert_eq!(two.get("claim/2").unwrap().unwrap().value, b"taken over");
    let event = two.event(two.generation()).unwrap();
    let mutation = &event.mutations[0];
    assert_eq!((event.session.name.as_str(), mutation.kind), ("one", slateboard::MutationKind::Detached));
    assert_eq!((mutation.key.as_str(), &mutation.value), ("claim/1", &None));
    assert_eq!(board.sessions().unwrap().len(), 1);
}

#[test]
fn an_update_keeps_what_it_does_not_change() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let (one, two) = (board.attach("one").unwrap(), board.attach("two").unwrap());
    let options = PutOptions::new().ttl(SOON).ephemeral(true).codec(CodecId::POD);
    one.put_with("k", b"0", options).unwrap();
    let before = two.get("k").unwrap().unwrap();
    two.update("k", |_| "1").unwrap();
    two.key("k").unwrap().update(|_| "2").unwrap();
    two.try_update("k", Retry::new(), |_| Ok::<_, Error>(Some(Replacement::new("3")))).unwrap();
    let after = two.get("k").unwrap().unwrap();
    assert_eq!((after.text(), after.version, after.writer.name.as_str()), (Some("3"), 4, "two"));
    assert_eq!((after.deadline, after.codec), (before.deadline, before.codec));
    assert_eq!(after.ephemeral, before.ephemeral);
    let encoded = |old: Option<&Entry>| {
        Ok::<_, Error>(old.map(|old| Replacement::new(old.value.clone()).codec(CodecId::UTF8)))
    };
    two.try_update("k", Retry::new(), encoded).unwrap().unwrap();
    let after = two.get("k").unwrap().unwrap();
    assert_eq!(
        (after.codec, after.deadline, after.ephemeral),
        (CodecId::UTF8, before.deadline, before.ephemeral)
    );
    // A put by another ends the binding, and with it what one of its own begins.
    two.put("free", b"").unwrap();
    drop(one);
    assert!(two.get("k").unwrap().is_none(), "it ends with the session that put it");
    assert!(two.get("free").unwrap().is_some());
}

#[test]
fn an_update_of_what_has_expired_begins_anew() {
    let (_folder, path) = folder();
    let session = small().create(&path).unwrap().attach("w").unwrap();
    let brief = PutOptions::new().ttl(Duration::from_nanos(1)).codec(CodecId::POD);
    session.put_with("k", b"old", brief).unwrap();
    session.update("k", |old| if old.is_some() { "updated" } else { "begun" }).unwrap();
    let entry = session.get("k").unwrap().unwrap();
    assert_eq!((entry.text(), entry.deadline, entry.codec), (Some("begun"), None, CodecId::RAW));
}

#[test]
fn a_touch_renews_the_time_to_live_and_nothing_else() {
    let (_folder, path) = folder();
    let session = small().create(&path).unwrap().attach("w").unwrap();
    assert!(session.touch("k", SOON).unwrap().is_none());
    let options = PutOptions::new().ttl(SOON).ephemeral(true).codec(CodecId::POD);
    session.put_with("k", b"v", options).unwrap();
    let before = session.get("k").unwrap().unwrap();
    let receipt = session.touch("k", SOON * 2).unwrap().unwrap();
    let after = session.get("k").unwrap().unwrap();
    assert_eq!((receipt.version, after.version), (2, 2));
    assert!(after.deadline > before.deadline);
    assert_eq!((after.value, after.codec), (before.value, before.codec));
    assert_eq!(after.ephemeral, before.ephemeral);
}

#[test]
fn version_0_is_that_of_no_value() {
    let (_folder, path) = folder();
    let session = small().create(&path).unwrap().attach("w").unwrap();
    for nothing in [Expect::Version(0), Expect::Generation(0)] {
        assert!(session.remove_if("k", nothing).unwrap().is_none());
        session.put_if("k", b"first", nothing).unwrap();
        assert!(session.put_if("k", b"second", nothing).unwrap_err().is_conflict());
        assert!(session.key("k").unwrap().put_if(b"second", nothing).unwrap_err().is_conflict());
        assert!(session.remove_if("k", nothing).unwrap_err().is_conflict());
        assert_eq!(session.get("k").unwrap().unwrap().text(), Some("first"));
        session.remove("k").unwrap();
        session.key("k").unwrap().put_if(b"third", nothing).unwrap();
        session.remove("k").unwrap();
    }
}

#[test]
fn a_lease_has_one_holder_and_rising_tokens() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let (one, two) = (board.attach("one").unwrap(), board.attach("two").unwrap());
    let lease = one.lease("deploy", SOON).unwrap();
    let error = two.lease("deploy", SOON).err().unwrap();
    assert_eq!((error.kind(), error.current().unwrap().text()), (ErrorKind::Held, Some("one")));
    lease.renew().unwrap();
    let token = lease.token();
    drop(lease);
    let lease = two.lease("deploy", SOON).unwrap();
    assert!(lease.token() > token);
    one.remove("deploy").unwrap();
    assert_eq!(lease.renew().unwrap_err().kind(), ErrorKind::Conflict);
    assert!(!lease.is_held());
    lease.release().unwrap();
    // A renewed lease outlives its time.
    let lease = two.lease("brief", Duration::from_millis(300)).unwrap();
    let version = two.get("brief").unwrap().unwrap().version;
    let renewed = two.wait_newer("brief", version + 2, SOON).unwrap().and_then(Newer::entry);
    assert!(renewed.unwrap().version > version + 2 && lease.is_held());
}

#[test]
fn key_handles_follow_their_key() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("w").unwrap();
    let key = session.key("task/7").unwrap();
    assert_eq!(key.version().unwrap(), 0);
    key.put(b"a").unwrap();
    session.remove("task/7").unwrap();
    assert!(key.get().unwrap().is_none());
    for n in 0..600u32 {
        session.put(&format!("task/n{n}"), b"").unwrap();
        session.remove(&format!("task/n{n}")).unwrap();
    }
    assert!(key.get().unwrap().is_none());
    let receipt = key.put_if(b"b", Expect::Absent).unwrap();
    let mut buffer = Vec::new();
    let meta = key.get_into(&mut buffer).unwrap().unwrap();
    assert_eq!((buffer.as_slice(), meta.version, meta.len), (b"b".as_slice(), receipt.version, 1));
    assert!(key.get_newer_into(receipt.version, &mut buffer).unwrap().is_none());
    let newer = session.put("task/7", b"c").unwrap();
    let meta = key.get_newer_into(receipt.version, &mut buffer).unwrap().unwrap();
    assert_eq!((buffer.as_slice(), meta.version), (b"c".as_slice(), newer.version));
    session.remove("task/7").unwrap();
    assert!(key.get_newer_into(newer.version, &mut buffer).unwrap().is_none());
    assert_eq!(key.version().unwrap(), 0);
    let receipt = key.put(b"b").unwrap();
    let waiter = {
        let key = key.clone();
        std::thread::spawn(move || {
            key.wait_newer(receipt.version, SOON).unwrap().and_then(Newer::entry).unwrap().value
        })
    };
    session.put("task/7", b"c").unwrap();
    assert_eq!(waiter.join().unwrap(), b"c");
}

#[test]
fn typed_values_carry_their_codec() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("w").unwrap();
    session.put_json("j", &vec![1, 2, 3]).unwrap();
    session.put_pod("p", &[1.5f64, 2.5]).unwrap();
    session.put_as::<codec::Utf8, _>("u", "text").unwrap();
    assert_eq!(session.get_json::<Vec<u32>>("j").unwrap(), Some(vec![1, 2, 3]));
    assert_eq!(session.get_pod::<[f64; 2]>("p").unwrap(), Some([1.5, 2.5]));
    assert_eq!(session.get_pod::<u64>("p").unwrap_err().kind(), ErrorKind::Codec);
    assert_eq!(session.get_json::<u64>("p").unwrap_err().kind(), ErrorKind::Codec);
    assert_eq!(session.get("u").unwrap().unwrap().codec, CodecId::UTF8);
}

#[test]
fn what_is_put_may_be_borrowed() {
    #[derive(serde::Serialize)]
    struct Task<'a> {
        title: &'a str,
    }
    #[derive(serde::Deserialize, PartialEq, Debug)]
    struct OwnedTask {
        title: String,
    }
    let session = small().local().unwrap().attach("w").unwrap();
    let title = String::from("paint");
    session.put_json("task", &Task { title: &title }).unwrap();
    assert_eq!(session.get_json("task").unwrap(), Some(OwnedTask { title }));
    session.put_json("text", "a str").unwrap();
    session.put_json("numbers", &[1, 2][..]).unwrap();
    assert_eq!(session.get_json::<String>("text").unwrap().as_deref(), Some("a str"));
    session.put_as::<codec::Raw, [u8]>("bytes", &[1, 2]).unwrap();
    session.put_as::<codec::Raw, str>("bytes", "str").unwrap();
    assert_eq!(session.get_as::<codec::Raw, Vec<u8>>("bytes").unwrap().unwrap().0, b"str");
    let error = session.get_as::<codec::Utf8, String>("bytes").unwrap_err();
    assert_eq!(error.to_string(), r#"key "bytes": the value has codec raw, not utf8"#);
}

#[test]
fn every_handle_can_be_shown() {
    let session = small().local().unwrap().attach("w").unwrap();
    let lease = session.lease("lease", SOON).unwrap();
    let shown = format!(
        "{session:?} {lease:?} {:?} {:?} {:?} {:?}",
        session.reader(),
        session.view().unwrap(),
        session.key("lease").unwrap(),
        session.watch("")
    );
    for name in ["Session {", "Lease {", "Reader {", "View {", "KeyHandle {", "Watch {"] {
        assert!(shown.contains(name), "{shown}");
    }
}

#[test]
fn an_observer_reads_and_a_local_board_needs_no_file() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("w").unwrap();
    let observer = board.read_only().unwrap();
    session.put("x", b"1").unwrap();
    assert_eq!(observer.get("x").unwrap().unwrap().value, b"1");
    assert_eq!(observer.list("").unwrap().len(), 1);
    assert_eq!(observer.sessions().unwrap().len(), 1);
    let scrub = Board::options().verify(Verify::Scrub).open(&path).unwrap();
    assert_eq!(scrub.reader().get("x").unwrap().unwrap().value, b"1");
    let local = small().local().unwrap();
    let (one, two) = (local.attach("one").unwrap(), local.attach("two").unwrap());
    one.put("x", b"2").unwrap();
    assert_eq!(two.get("x").unwrap().unwrap().value, b"2");
    drop(one);
    assert_eq!((local.path(), local.sessions().unwrap().len()), (None, 1));
}

#[test]
fn values_of_every_size_come_back_whole() {
    let (_folder, path) = folder();
    let board = Board::options().capacity(128 << 20).keys(1024).create(&path).unwrap();
    let session = board.attach("w").unwrap();
    for len in [0, 1, 7, 8, 9, 63, 64, 65, 1000, 65_000, 65_536, 65_537, 200_000, 1 << 20, 16 << 20] {
        let value: Vec<u8> = (0..len).map(|at| (at * 31 + len) as u8).collect();
        session.put("x", &value).unwrap();
        assert!(session.get("x").unwrap().unwrap().value == value, "{len} bytes");
    }
    let error = session.put("x", vec![0; (16 << 20) + 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ValueTooLarge);
    assert!(error.to_string().contains("16777216"), "{error}");
}

#[test]
fn a_large_value_is_overwritten_a_thousand_times() {
    let (_folder, path) = folder();
    let board = Board::create(&path).unwrap();
    let session = board.attach("w").unwrap();
    let mut value = vec![7u8; 8 << 20];
    for n in 0..1000u32 {
        value[..4].copy_from_slice(&n.to_le_bytes());
        session.put("big", &value).unwrap();
    }
    assert!(session.get("big").unwrap().unwrap().value == value);
    assert_eq!(board.generation(), 1000);
}

#[test]
fn bad_names_and_keys_are_refused_with_reasons() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("w").unwrap();
    for key in [String::new(), "k".repeat(1025)] {
        assert_eq!(session.put(&key, b"").unwrap_err().kind(), ErrorKind::InvalidKey);
        assert_eq!(session.get(&key).unwrap_err().kind(), ErrorKind::InvalidKey);
    }
    session.put(&"k".repeat(1024), b"").unwrap();
    for name in [String::new(), "n".repeat(57), "a\nb".into()] {
        assert_eq!(board.attach(&name).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
    let error = session.put("x", vec![0; 600 << 10]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ValueTooLarge);
    assert_eq!(small().create(&path).err().unwrap().kind(), ErrorKind::Exists);
    assert!(Board::open(path.with_extension("none")).err().unwrap().is_not_found());
    let _others: Vec<_> = (0..7).map(|n| board.attach(&format!("s{n}")).unwrap()).collect();
    let error = board.attach("late").unwrap_err();
    assert!(error.is_full() && error.to_string().contains("8 session records"), "{error}");
}

#[test]
fn a_session_that_ends_while_its_threads_write_leaves_nothing_behind() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    for round in 0..20u8 {
        let session = board.attach("brief").unwrap();
        let writers: Vec<_> = (0..3)
            .map(|n| {
                let session = session.clone();
                std::thread::spawn(move || {
                    for value in 0..50u8 {
                        session.put(&format!("x/{n}"), [round, value]).unwrap();
                    }
                })
            })
            .collect();
        drop(session);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    }
    assert!(board.sessions().unwrap().is_empty());
    assert_eq!(board.generation(), 20 * 3 * 50);
}
