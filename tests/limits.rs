//! Boards at their limits: keys that come and go for ever, and everything that can be full.

use slateboard::{Board, Error, ErrorKind, Expect, Session};
use slateboard_kit::{
    children::{Child, role, say},
    judge,
    places::{folder, small},
};
use std::process::Command;

/// Distinct keys of the churn: a million where `SLATE_TEST_CHURN` says so.
fn churn() -> u64 {
    std::env::var("SLATE_TEST_CHURN").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000)
}

#[test]
fn a_million_keys_come_and_go_on_a_board_for_four_thousand() {
    let (_folder, path) = folder();
    let board = Board::options().capacity(4 << 20).keys(4096).history(1024).create(&path).unwrap();
    let session = board.attach("churner").unwrap();
    let folder = |n: u64| ["task", "file", "team", "free"][(n % 4) as usize];
    for n in 0..3000 {
        session.put(&format!("{}/stays/{n}", folder(n)), n.to_string()).unwrap();
    }
    let come_and_go = |keys: std::ops::Range<u64>| {
        for n in keys {
            let key = format!("{}/{n}", folder(n));
            session.put(&key, "brief").unwrap();
            assert!(session.remove(&key).unwrap().is_some());
        }
    };
    // By then every slot has had many lives.
    let warm = churn() / 2;
    come_and_go(0..warm);
    let longest_chain = || judge::assert_sound_with(&path, &[session.index()]).longest_chain;
    let (before, chain) = (board.metrics().unwrap(), longest_chain());
    come_and_go(warm..churn());
    let (after, chain_after) = (board.metrics().unwrap(), longest_chain());
    assert_eq!((before.keys, after.keys), (3000, 3000));
    // An overflow bucket stays, so each chain comes to hold as many of the history's removed keys as ever met
    // in it by chance: that rises like a logarithm. Slots that were never used again would be 500,000 more.
    assert!(after.slots <= before.slots + before.slots / 10, "{} slots became {}", before.slots, after.slots);
    assert!(chain_after <= chain + 1, "chains of {chain} became {chain_after}");
    assert!(after.claimed <= before.claimed + before.claimed / 10, "{before:?} became {after:?}");
    assert_eq!(after.generation, 3000 + 2 * churn());
    for n in (0..3000).step_by(100) {
        let entry = session.get(&format!("{}/stays/{n}", folder(n))).unwrap().unwrap();
        assert_eq!((entry.text(), entry.version), (Some(n.to_string().as_str()), 1));
    }
    drop(session);
    judge::assert_sound(&path);
}

/// Puts until the board is full; how many went in, and the error.
fn fill(session: &Session, prefix: &str, bytes: usize) -> (u64, Error) {
    for n in 0.. {
        if let Err(error) = session.put(&format!("{prefix}/{n}"), vec![n as u8; bytes]) {
            return (n, error);
        }
    }
    unreachable!("a board is finite")
}

#[test]
fn a_full_board_says_so_and_takes_removals() {
    for bytes in [100, 3000, 60_000] {
        let (_folder, path) = folder();
        let board = small().keys(16 << 10).create(&path).unwrap();
        let session = board.attach("filler").unwrap();
        let (count, error) = fill(&session, "fill", bytes);
        assert!(error.is_full() && !error.is_conflict(), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("no block of this size is free") && text.contains(&format!("fill/{count}")),
            "{text}"
        );
        assert!(text.contains("remove keys"), "{text}");
        assert!(count * bytes as u64 > 400 << 10, "full with {count} values of {bytes} bytes");
        assert!(session.get(&format!("fill/{count}")).unwrap().is_none());
        for n in 0..count {
            let value = session.get(&format!("fill/{n}")).unwrap().unwrap().value;
            assert!(value.len() == bytes && value.iter().all(|&byte| byte == n as u8));
        }
        // A full board can be emptied, to the last key.
        for n in 0..count {
            assert!(session.remove(&format!("fill/{n}")).unwrap().is_some());
        }
        assert!(session.list("").into_vec().unwrap().is_empty());
        let (again, error) = fill(&session, "more", bytes);
        assert!(
            error.is_full() && again * 20 >= count * 19,
            "{count} values of {bytes} bytes at first, then {again}"
        );
        drop(session);
        judge::assert_sound(&path);
    }
}

#[test]
fn the_history_shrinks_before_the_board_is_full() {
    let (_folder, path) = folder();
    let board = Board::options().capacity(1 << 20).keys(64).history(16_384).create(&path).unwrap();
    let session = board.attach("writer").unwrap();
    // Far more than fits, if all of it were kept: each put supersedes one.
    for n in 0..3000u64 {
        session.put(&format!("x/{}", n % 10), vec![n as u8; 4000]).unwrap();
    }
    let (generation, floor) = (board.generation(), board.floor());
    assert_eq!(generation, 3000);
    assert!(floor > 0, "the history of 16,384 events had to become shorter");
    let events: Vec<_> = session.events(floor).map(|event| event.unwrap().generation).collect();
    assert_eq!(events, (floor + 1..=generation).collect::<Vec<_>>());
    assert!(session.view_at(floor).unwrap().list("").into_vec().unwrap().len() == 10);
    assert!(session.view_at(floor - 1).err().unwrap().is_lagged());
}

#[test]
fn a_board_without_slots_says_so() {
    let (_folder, path) = folder();
    let board = Board::options().capacity(4 << 20).keys(16).history(64).create(&path).unwrap();
    let session = board.attach("filler").unwrap();
    let (count, error) = fill(&session, "task", 1);
    assert!(error.is_full() && error.to_string().contains("no slot for another key"), "{error}");
    assert!(error.to_string().contains("for more keys"), "{error}");
    assert!(count >= 16, "{count} keys on a board for 16");
    for n in 0..count {
        session.put(&format!("task/{n}"), b"changes").unwrap();
    }
    session.remove("task/0").unwrap().unwrap();
    // The slot is free when the removal has left the history; then another key may have it.
    let receipt = session.put(&format!("task/{count}"), b"late");
    if let Err(error) = receipt {
        assert!(error.is_full(), "{error}");
        (0..64).for_each(|n| assert!(session.put("task/1", vec![n; 8]).is_ok()));
        session.put(&format!("task/{count}"), b"late").unwrap();
    }
    assert_eq!(session.list("task/").into_vec().unwrap().len() as u64, count);
}

#[test]
fn values_from_nothing_to_the_largest() {
    let (_folder, path) = folder();
    let board = Board::options().capacity(128 << 20).keys(64).create(&path).unwrap();
    let session = board.attach("writer").unwrap();
    let observer = board.read_only().unwrap();
    for (round, len) in [0, 1, 64 << 10, 16 << 20, 0, 16 << 20].into_iter().enumerate() {
        let value: Vec<u8> = (0..len).map(|at| (at * 7 + round) as u8).collect();
        let receipt = session.put("free/x", &value).unwrap();
        let entry = observer.get("free/x").unwrap().unwrap();
        assert!(entry.value == value && entry.version == receipt.version, "{len} bytes");
        let event = observer.event(receipt.generation).unwrap();
        assert!(event.mutations[0].value.as_ref() == Some(&value));
    }
    let error = session.put("free/x", vec![0; (16 << 20) + 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ValueTooLarge);
    assert_eq!(session.get("free/x").unwrap().unwrap().version, 6, "a refused value changes nothing");
}

#[test]
fn a_session_too_many_is_told_so_until_one_ends() {
    let (_folder, path) = folder();
    let board = small().sessions(3).create(&path).unwrap();
    let mut sessions: Vec<_> = (0..3).map(|n| board.attach(&format!("s{n}")).unwrap()).collect();
    let error = board.attach("late").unwrap_err();
    assert!(error.is_full() && error.to_string().contains("all 3 session records are in use"), "{error}");
    assert!(error.to_string().contains("end a session"), "{error}");
    drop(sessions.remove(1));
    let late = board.attach("late").unwrap();
    assert_eq!((late.index(), late.incarnation()), (1, 2));
    assert!(board.attach("later").unwrap_err().is_full());
}

/// Names that nothing refers to any more are given up, so that whoever comes later is shown by name, too.
#[test]
fn names_of_sessions_that_are_forgotten_make_room_for_others() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let kept = board.attach("kept by a value").unwrap();
    kept.put("task/kept", b"").unwrap();
    drop(kept);
    let names_max = board.metrics().unwrap().names_max;
    assert!(names_max >= 4095, "{names_max} names");
    let sessions = names_max + names_max / 4;
    for n in 0..sessions {
        let name = format!("worker-{n}");
        let session = board.attach(&name).unwrap();
        if n % 64 == 0 || n + 8 > sessions {
            session.put("task/last", n.to_string()).unwrap();
            assert_eq!(session.get("task/last").unwrap().unwrap().writer.name, name);
            assert_eq!(board.sessions().unwrap()[0].name, name);
        }
    }
    assert_eq!(board.reader().get("task/kept").unwrap().unwrap().writer.name, "kept by a value");
    let events: Vec<_> = board.reader().events(board.reader().floor()).map(Result::unwrap).collect();
    assert!(events.iter().all(|event| !event.session.name.is_empty()));
    let last = format!("worker-{}", sessions - 1);
    assert!(events.iter().any(|event| event.session.name == last));
    let names = board.metrics().unwrap().names;
    assert!(names <= names_max / 2, "{names} names are in use");
}

#[test]
fn as_tenant_of_a_small_disk() {
    let Some((path, _)) = role() else { return };
    let board = Board::options().capacity(8 << 20).keys(512).history(64).sessions(8).create(&path).unwrap();
    let session = board.attach("tenant").unwrap();
    let observer = board.read_only().unwrap();
    // Others take what the disk has left.
    let filler = path.with_file_name("filler");
    std::fs::write(&filler, vec![1; 64 << 20]).unwrap_err();
    let (count, error) = fill(&session, "fill", 30_000);
    assert!(error.is_full() && error.to_string().contains("the file system is full"), "{error}");
    assert!(count > 0 && count * 30_000 < 8 << 20, "{count} values of 30,000 bytes");
    for n in 0..count {
        assert_eq!(observer.get(&format!("fill/{n}")).unwrap().unwrap().value, vec![n as u8; 30_000]);
    }
    assert_eq!(observer.list("").into_vec().unwrap().len() as u64, count);
    let metrics = observer.metrics().unwrap();
    assert!(metrics.file_system_free.unwrap() < metrics.capacity - metrics.reserved, "{metrics:?}");
    assert_eq!(session.events(board.floor()).filter(Result::is_err).count(), 0);
    let late = board.attach("late").unwrap();
    assert!(late.remove("fill/0").unwrap().is_some());
    (1..count).for_each(|n| assert!(session.remove(&format!("fill/{n}")).unwrap().is_some()));
    session.put_if("fill/0", vec![7; 30_000], Expect::Absent).unwrap();
    // With room on the disk there is room on the board.
    std::fs::remove_file(&filler).unwrap();
    let (more, error) = fill(&session, "more", 30_000);
    assert!(error.is_full() && more > count, "{count} values, then {more}: {error}");
    say("survived");
}

#[test]
fn a_full_disk_is_an_error_and_reads_and_removals_go_on() {
    let (folder, path) = folder();
    let script = r#"mount -t tmpfs -o size=6m none "$1" || exec echo "cannot mount"; shift; exec "$@""#;
    let probe = Command::new("unshare").args(["--mount", "--map-root-user", "true"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine gives no mount namespace, so no small file system");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", script, "sh"]);
    command.arg(folder.path()).arg(std::env::current_exe().unwrap());
    let mut tenant = Child::start_by(command, "as_tenant_of_a_small_disk", &path, "");
    match tenant.hear("") {
        Some(line) if line.contains("cannot mount") => {
            eprintln!("skipped: no tmpfs can be mounted here");
        }
        _ => assert!(tenant.says("survived"), "the tenant's words are above"),
    }
}
