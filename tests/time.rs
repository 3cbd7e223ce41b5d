//! Times to live mean the same to every process, whatever the boot clock of its container shows, and survive whatever does
//! not change them.
//!
//! The clock goes on while the machine is suspended, as `CLOCK_BOOTTIME` does, which no test can try. It ends with the boot:
//! `tests/region_files.rs` shows that a region of another boot is refused.

use slateboard::{
    Board, CodecId, Entry, Error, Liveness, MutationKind, Newer, PutOptions, Replacement, Retry, Session,
};
use slateboard_kit::{
    children::{Child, SOON, role, say, stay},
    places::{folder, small},
};
use std::{path::Path, process::Command, time::Duration};

/// A keeper that beats this seldom never acts in a test.
const NEVER: Duration = Duration::from_secs(3600);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const AT_ONCE: Duration = Duration::from_nanos(1);

fn attach(path: &Path, name: &str) -> Session {
    small().beat(NEVER).open(path).unwrap().attach(name).unwrap()
}

#[test]
fn as_one_in_another_time() {
    let Some((path, argument)) = role() else { return };
    if argument == "reads" {
        let reader = Board::options().open_read_only(&path).unwrap();
        let hour = reader.get("hour").unwrap().expect("it lives").deadline.unwrap().remaining();
        assert!(hour <= HOUR && hour > HOUR / 2 && reader.get("over").unwrap().is_none(), "{hour:?}");
        say("read");
        return;
    }
    let session = attach(&path, "elsewhere");
    // What lives outside lives here, for as long, and what is over there is over here.
    let hour = session.get("hour").unwrap().expect("it lives").deadline.unwrap().remaining();
    assert!(hour <= HOUR && hour > HOUR / 2, "{hour:?}");
    assert!(session.get("over").unwrap().is_none());
    assert_eq!(session.view().unwrap().list("").keys().into_vec().unwrap(), ["hour"]);
    assert_eq!(session.wait_newer("over", 1, SOON).unwrap(), Some(Newer::Removed));
    let other = session.sessions().unwrap().into_iter().find(|one| one.name == "outside").unwrap();
    assert!(other.liveness == Liveness::Alive && other.beat_age < HOUR, "{other:?}");
    session.put_with("day", "", PutOptions::new().ttl(DAY)).unwrap();
    session.put_with("gone", "", PutOptions::new().ttl(AT_ONCE)).unwrap();
    session.touch("hour", HOUR * 2).unwrap().unwrap();
    let lease = session.lease("lease", HOUR).unwrap();
    say("put");
    stay();
    assert!(lease.is_held());
    say("asked");
}

#[test]
fn a_deadline_means_the_same_in_a_container_with_another_boot_time() {
    let other_time = |offset: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--time", "--boottime", offset]);
        command
    };
    if !other_time("1").arg("true").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine gives no time namespace");
        return;
    }
    for offset in ["8640000", "-600"] {
        let (_folder, path) = folder();
        drop(small().create(&path).unwrap());
        let session = attach(&path, "outside");
        session.put_with("hour", "", PutOptions::new().ttl(HOUR)).unwrap();
        session.put_with("over", "", PutOptions::new().ttl(AT_ONCE)).unwrap();
        let child = |what: &str| {
            let mut command = other_time(offset);
            command.arg(std::env::current_exe().unwrap());
            Child::start_by(command, "as_one_in_another_time", &path, what)
        };
        assert!(child("reads").says("read"), "the child's words are above");
        let mut child = child("writes");
        assert!(child.says("put"), "the child's words are above");
        let left = |key: &str| session.get(key).unwrap().map(|entry| entry.deadline.unwrap().remaining());
        assert!(left("day").is_some_and(|left| left <= DAY && left > DAY / 2), "{:?}", left("day"));
        assert!(left("hour").is_some_and(|left| left <= HOUR * 2 && left > HOUR), "{:?}", left("hour"));
        assert!(left("lease").is_some_and(|left| left <= HOUR && left > HOUR / 2), "{:?}", left("lease"));
        assert_eq!(left("gone"), None);
        let other = session.sessions().unwrap().into_iter().find(|one| one.name == "elsewhere").unwrap();
        assert!(other.liveness == Liveness::Alive && other.beat_age < HOUR, "{other:?}");
        child.let_go();
        assert!(child.says("asked"));
    }
}

/// What no change of the value may change.
fn kept(entry: &Entry) -> impl PartialEq + Clone + std::fmt::Debug + use<> {
    (entry.deadline, entry.ephemeral.clone(), entry.codec, entry.created)
}

#[test]
fn a_time_to_live_survives_whatever_does_not_change_it() {
    let (_folder, path) = folder();
    drop(small().create(&path).unwrap());
    let (owner, other) = (attach(&path, "owner"), attach(&path, "other"));
    let options = || PutOptions::new().ttl(HOUR).ephemeral(true).codec(CodecId::JSON);
    owner.put_with("n", "1", options()).unwrap();
    let entry = || other.get("n").unwrap().unwrap();
    let before = kept(&entry());
    let handle = other.key("n").unwrap();
    let other_value = |_: Option<&Entry>| Ok::<_, Error>(Some(Replacement::new("5")));
    let no_value = |_: Option<&Entry>| Ok::<_, Error>(None::<Replacement<&str>>);
    let changes: [(&str, &dyn Fn() -> u64); 8] = [
        ("read", &|| owner.get("n").unwrap().unwrap().version),
        ("increment", &|| other.increment("n", 1).map(|_| 2).unwrap()),
        ("update", &|| other.update("n", |_| "2").unwrap().version),
        ("update by its owner", &|| owner.update("n", |_| "3").unwrap().version),
        ("update with attempts", &|| other.update_with("n", Retry::UNLIMITED, |_| "4").unwrap().version),
        ("try_update", &|| other.try_update("n", Retry::new(), other_value).unwrap().unwrap().version),
        ("update by a handle", &|| handle.update(|_| "6").unwrap().version),
        ("nothing", &|| other.try_update("n", Retry::new(), no_value).unwrap().map_or(7, |_| 0)),
    ];
    for (name, change) in changes {
        assert_eq!((change(), kept(&entry())), (entry().version, before.clone()), "{name}");
    }
    assert_eq!(entry().version, 7);
    // A touch changes the deadline alone, and a put all of it.
    other.touch("n", HOUR * 2).unwrap().unwrap();
    let touched = entry();
    assert!(touched.deadline.unwrap().remaining() > HOUR);
    assert_eq!((touched.codec, touched.ephemeral.unwrap().name.as_str()), (CodecId::JSON, "owner"));
    other.put("n", "8").unwrap();
    assert_eq!((entry().deadline, entry().ephemeral), (None, None));
}

#[test]
fn a_view_shows_an_entry_as_it_stood_with_its_deadline_and_its_session() {
    let (_folder, path) = folder();
    drop(small().create(&path).unwrap());
    let session = attach(&path, "owner");
    let put = session.put_with("k", "1", PutOptions::new().ttl(HOUR).ephemeral(true)).unwrap().generation;
    let first = session.get("k").unwrap().unwrap();
    let touched = session.touch("k", DAY).unwrap().unwrap().generation;
    let updated = session.update("k", |_| "2").unwrap().generation;
    let plain = session.put("k", "3").unwrap().generation;
    let brief = session.put_with("k", "4", PutOptions::new().ttl(AT_ONCE)).unwrap().generation;
    let reader = Board::options().open_read_only(&path).unwrap();
    let at = |generation: u64| reader.view_at(generation).unwrap().get("k").unwrap().unwrap();
    assert_eq!(at(put), first);
    let (second, third) = (at(touched), at(updated));
    assert_eq!((&second.value, &third.value), (&b"1".to_vec(), &b"2".to_vec()));
    assert!(second.deadline > first.deadline && third.deadline == second.deadline);
    assert!([&first, &second, &third].iter().all(|entry| entry.ephemeral == first.ephemeral));
    assert_eq!((at(plain).deadline, at(plain).ephemeral), (None, None));
    // Its time is over, and nobody has published that: at its generation it stood.
    assert!(reader.get("k").unwrap().is_none() && at(brief).deadline.is_some());
    assert_eq!((at(brief).version, at(brief).value), (5, b"4".to_vec()));
    // Whoever meets it publishes its end first.
    let put = session.put("k", "5").unwrap().generation;
    assert_eq!(put, brief + 2);
    assert!(reader.view_at(brief + 1).unwrap().get("k").unwrap().is_none());
    let event = session.events(brief).next().unwrap().unwrap();
    assert_eq!(event.mutations[0].kind, MutationKind::Expire);
}
