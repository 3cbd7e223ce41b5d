//! What a lease says of itself, and what it does, when it is no longer held: whichever way it was lost.
//!
//! The other processes are this test program again, running one of the `as_…` tests below, which do nothing
//! unless they are given a role.

use slateboard::{Board, ErrorKind, Session, layout::session as record, region, sync::Ordering};
use slateboard_kit::{
    children::{Child, SOON, role, say, stay},
    places::{folder, small},
};
use std::{path::Path, time::Duration};

/// Beats that never come: what happens is done by a nudge.
const SELDOM: Duration = Duration::from_secs(3600);
/// Shorter than any beat, and long enough for a machine that is late.
const BRIEF: Duration = Duration::from_secs(6);

/// Ends a session's record, as a reaper does.
fn end_record(path: &Path, session: &Session) {
    let file = region::open(path, region::Access::ReadWrite).unwrap();
    let at = file.geometry.session(session.index().into()) + record::INCARNATION;
    let ended = record::incarnation_word(session.incarnation(), false);
    file.mapping.words()[at].store(ended, Ordering::Relaxed);
}

#[test]
fn a_lease_is_not_held_once_its_session_was_ended_by_others() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("evicted").unwrap();
    let (lease, other) = (session.lease("lease", SOON).unwrap(), session.lease("other", SOON).unwrap());
    assert!(lease.is_held() && other.is_held());
    end_record(&path, &session);
    assert!(!lease.is_held() && !other.is_held());
    assert!(lease.renew().unwrap_err().is_fenced());
    assert!(!lease.is_held());
    assert_eq!(lease.renew().unwrap_err().kind(), ErrorKind::Conflict, "it does not come back");
    assert!(other.release().unwrap_err().is_fenced());
}

#[test]
fn who_took_a_lease_by_force_keeps_it_from_renewals_and_from_releases() {
    let (_folder, path) = folder();
    let board = small().beat(SELDOM).create(&path).unwrap();
    let (holder, other) = (board.attach("holder").unwrap(), board.attach("other").unwrap());
    let stands = || other.get("lease").unwrap().is_some_and(|entry| entry.value == b"by force");

    // Released before any renewal has met the other's entry.
    let lease = holder.lease("lease", SOON).unwrap();
    other.put("lease", b"by force").unwrap();
    assert!(!lease.is_held());
    lease.release().unwrap();
    assert!(stands(), "the release removed another's entry");

    // Renewed by its holder.
    other.remove("lease").unwrap();
    let lease = holder.lease("lease", SOON).unwrap();
    let taken = other.put("lease", b"by force").unwrap();
    assert!(lease.renew().unwrap_err().is_conflict() && stands());
    drop(lease);
    assert!(stands());

    // Renewed by the keeper.
    other.remove_if("lease", slateboard::Expect::Version(taken.version)).unwrap();
    let lease = holder.lease("lease", BRIEF / 6).unwrap();
    let taken = other.put("lease", b"by force").unwrap();
    assert!(
        other.wait_newer("lease", taken.version, BRIEF / 3).unwrap().is_none(),
        "the keeper took it back"
    );
    assert!(stands() && !lease.is_held());
    let lost = lease.renew().unwrap_err();
    assert!(lost.is_conflict() && lost.to_string().contains("the lease was lost"), "{lost}");
    assert_eq!(lost.current().unwrap().writer.name, "other");
}

#[test]
fn a_lease_shorter_than_a_beat_is_renewed_in_time() {
    let (_folder, path) = folder();
    let session = small().beat(SELDOM).create(&path).unwrap().attach("holder").unwrap();
    // The keeper sleeps until its first beat.
    assert!(session.wait_newer("lease", 0, Duration::from_millis(100)).unwrap().is_none());
    let lease = session.lease("lease", BRIEF).unwrap();
    let version = session.get("lease").unwrap().unwrap().version;
    session
        .wait_newer("lease", version, SOON)
        .unwrap()
        .and_then(slateboard::Newer::entry)
        .expect("the lease lapsed");
    assert!(lease.is_held());
}

#[test]
fn as_who_is_killed() {
    let Some((path, _)) = role() else { return };
    let session = small().beat(SELDOM).open(&path).unwrap().attach("killed").unwrap();
    let lease = session.lease("lease", SELDOM).unwrap();
    say(&format!("holding {}", lease.token()));
    stay();
}

#[test]
fn a_lease_ends_with_its_session_long_before_its_time() {
    let (_folder, path) = folder();
    let board = small().beat(SELDOM).create(&path).unwrap();
    let before = board.attach("before").unwrap();
    before.put("other", b"").unwrap();
    let mut holder = Child::start("as_who_is_killed", &path, "");
    let token: u64 = holder.hear("holding ").unwrap().parse().unwrap();
    assert_eq!(token, before.generation(), "the generation at which it was taken");
    let refused = before.lease("lease", SOON).err().unwrap();
    assert_eq!((refused.kind(), refused.current().unwrap().text()), (ErrorKind::Held, Some("killed")));
    assert!(refused.to_string().contains("killed holds the lease"), "{refused}");
    holder.kill();
    // Whoever attaches reaps the dead.
    let next = board.attach("next").unwrap();
    let lease = next.lease("lease", SOON).expect("the lease of a dead session");
    assert!(lease.token() > token && lease.is_held());
}

#[test]
fn as_holder() {
    let Some((path, _)) = role() else { return };
    let session = small().beat(SELDOM).open(&path).unwrap().attach("stopped").unwrap();
    let lease = session.lease("lease", BRIEF / 3).unwrap();
    say(&format!("holding {} {}", lease.token(), lease.is_held()));
    // Until the test has stopped this process, and let it go on.
    stay();
    say(&format!("awake {} {}", lease.token(), lease.is_held()));
    say(&format!("renewed {:?}", lease.renew().map_err(|error| error.is_conflict())));
    say(&format!("released {:?}", lease.release().map_err(|error| error.kind())));
}

#[test]
fn a_lease_that_was_over_while_its_process_was_stopped_is_lost() {
    let (_folder, path) = folder();
    let session = small().create(&path).unwrap().attach("next").unwrap();
    let mut holder = Child::start("as_holder", &path, "");
    let holding = holder.hear("holding ").unwrap();
    let token = holding.strip_suffix(" true").expect("it is held at first").to_owned();
    holder.stop();
    let lease = loop {
        match session.lease("lease", SOON) {
            Err(error) if error.kind() == ErrorKind::Held => {
                assert!(error.current().is_none_or(|entry| entry.deadline.is_some()), "it would never end");
                std::thread::sleep(Duration::from_millis(20));
            }
            other => break other.unwrap(),
        }
    };
    assert!(lease.token() > token.parse().unwrap());
    let version = session.get("lease").unwrap().unwrap().version;
    holder.let_go();
    holder.go_on();
    assert_eq!(holder.hear("awake ").unwrap(), format!("{token} false"), "a token says what was");
    assert_eq!(holder.hear("renewed ").unwrap(), "Err(true)");
    assert_eq!(holder.hear("released ").unwrap(), "Ok(())");
    assert!(holder.ends_well());
    let stands = session.get("lease").unwrap().unwrap();
    assert!(lease.is_held() && stands.version == version && stands.writer.name == "next");
}

#[test]
fn what_outlives_a_session_only_reads() {
    let (_folder, path) = folder();
    let board: Board = small().create(&path).unwrap();
    let session = board.attach("evicted").unwrap();
    session.put("x", b"1").unwrap();
    let (key, mut watch) = (session.key("x").unwrap(), session.watch("x"));
    end_record(&path, &session);
    assert_eq!(key.get().unwrap().unwrap().value, b"1");
    assert!(key.put(b"2").unwrap_err().is_fenced() && key.update(|_| b"2").unwrap_err().is_fenced());
    assert!(session.lease("lease", SOON).err().unwrap().is_fenced());
    drop((key, session));
    board.attach("other").unwrap().put("x", b"3").unwrap();
    let event = watch.next_timeout(SOON).unwrap().expect("a watch goes on without the session that made it");
    assert_eq!(event.session.name, "other");
}
