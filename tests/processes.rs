//! Processes that live: they see each other, count together, read only, and stop for a while.
//!
//! The other processes are this test program again, running one of the `as_…` tests below, which do nothing
//! unless they are given a role.

use slateboard::{Board, Entry, ErrorKind, Expect, Newer, Retry};
use slateboard_kit::{
    children::{Child, SOON, role, say, stay},
    judge,
    places::{folder, rounds, small},
    random::Random,
};

/// Increments of each of four processes.
const INCREMENTS: u64 = 250_000;

fn number(entry: Option<&Entry>) -> u64 {
    entry.map_or(0, |entry| entry.text().unwrap().parse().unwrap())
}

#[test]
fn as_answerer() {
    let Some((path, _)) = role() else { return };
    let session = Board::open(&path).unwrap().attach("answerer").unwrap();
    let mut seen = 0;
    while let Some(Newer::Value(question)) = session.wait_newer("talk/question", seen, SOON).unwrap() {
        seen = question.version;
        session.put("talk/answer", format!("{} to {}", question.text().unwrap(), question.writer)).unwrap();
    }
}

#[test]
fn two_processes_see_each_others_writes() {
    let (_folder, path) = folder();
    let session = small().create(&path).unwrap().attach("asker").unwrap();
    let mut answerer = Child::start("as_answerer", &path, "");
    let answer = session.key("talk/answer").unwrap();
    let mut seen = 0;
    for n in 0..200 {
        let asked = session.put("talk/question", n.to_string()).unwrap();
        let entry = answer.wait_newer(seen, SOON).unwrap().and_then(Newer::entry).unwrap();
        assert_eq!(entry.text(), Some(format!("{n} to asker").as_str()));
        assert_eq!((entry.writer.name.as_str(), entry.version), ("answerer", seen + 1));
        assert!(entry.generation > asked.generation);
        seen = entry.version;
    }
    session.remove("talk/question").unwrap();
    assert!(answerer.ends_well());
}

#[test]
fn as_incrementer() {
    let Some((path, name)) = role() else { return };
    let session = Board::open(&path).unwrap().attach(&name).unwrap();
    say("attached");
    stay();
    for _ in 0..INCREMENTS {
        session.update_with("team/count", Retry::UNLIMITED, |old| (number(old) + 1).to_string()).unwrap();
    }
    say("counted");
}

#[test]
fn four_processes_count_to_a_million_exactly() {
    let (_folder, path) = folder();
    let board = Board::options().history(16_384).create(&path).unwrap();
    let mut actors: Vec<_> =
        (0..4).map(|n| Child::start("as_incrementer", &path, &format!("incrementer-{n}"))).collect();
    assert!(actors.iter_mut().all(|actor| actor.says("attached")));
    actors.iter_mut().for_each(Child::let_go);
    assert!(actors.iter_mut().all(|actor| actor.says("counted") && actor.ends_well()));

    let total = 4 * INCREMENTS;
    let entry = board.reader().get("team/count").unwrap().unwrap();
    assert_eq!((number(Some(&entry)), entry.version, entry.generation), (total, total, total));
    let floor = board.floor();
    assert!(floor >= total - 16_384 && floor < total);
    // One key and nothing else: its versions are the generations.
    let mut expected = floor;
    for event in board.reader().events(floor) {
        let event = event.unwrap();
        expected += 1;
        let mutation = &event.mutations[0];
        assert_eq!((event.generation, mutation.version), (expected, expected));
        assert_eq!(mutation.value.as_deref(), Some(expected.to_string().as_bytes()));
        assert_eq!(mutation.previous.as_ref().unwrap().generation, expected - 1);
    }
    assert_eq!(expected, total);
    assert_eq!(board.metrics().unwrap().totals.puts, total);
    judge::assert_sound(&path);
}

/// A value that shows whether it is whole: one byte, repeated, in a length that the byte tells.
fn whole(n: u64) -> Vec<u8> {
    let byte = n as u8;
    vec![byte; usize::from(byte) * 97]
}

#[test]
fn as_nonstop_writer() {
    let Some((path, _)) = role() else { return };
    let session = Board::open(&path).unwrap().attach("writer").unwrap();
    say("attached");
    let mut n = 0;
    while session.get("stop").unwrap().is_none() {
        n += 1;
        session.put(&format!("task/{}", n % 3), whole(n)).unwrap();
        if n % 7 == 0 {
            session.remove(&format!("task/{}", n % 2)).unwrap();
        }
    }
}

#[test]
fn an_observer_beside_a_nonstop_writer_reads_whole_values_only() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let mut writer = Child::start("as_nonstop_writer", &path, "");
    assert!(writer.says("attached"));
    let observer = board.read_only().unwrap();
    let is_whole = |value: &[u8]| value == whole(value.first().copied().unwrap_or(0).into());
    let (mut newest, mut values, mut lists, mut events) = ([0; 3], 0u64, 0u64, 0u64);
    while values < 20_000 || lists < 200 || events < 2000 {
        for (n, newest) in newest.iter_mut().enumerate() {
            let Some(entry) = observer.get(&format!("task/{n}")).unwrap() else { continue };
            assert!(is_whole(&entry.value), "{} bytes of {:?}", entry.value.len(), entry.value.first());
            assert!(entry.version >= *newest, "versions go back");
            *newest = entry.version;
            values += 1;
        }
        match observer.view().unwrap().list("task/").into_vec() {
            Ok(entries) => {
                assert!(entries.iter().all(|entry| is_whole(&entry.value)));
                lists += 1;
            }
            Err(error) => assert!(error.is_lagged(), "{error}"),
        }
        let since = observer.generation().saturating_sub(8);
        for event in observer.events(since).take(8) {
            match event {
                Ok(event) => {
                    let mutation = &event.mutations[0];
                    assert!(mutation.value.as_deref().is_none_or(is_whole));
                    assert!(mutation.previous.as_ref().is_none_or(|previous| is_whole(&previous.value)));
                    events += 1;
                }
                Err(error) => assert!(error.is_lagged(), "{error}"),
            }
        }
    }
    board.attach("stopper").unwrap().put("stop", b"").unwrap();
    assert!(writer.ends_well());
}

/// What a writer may be told when the history has lapped while it was stopped.
fn is_proper(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Conflict | ErrorKind::Contended | ErrorKind::RetriesExhausted | ErrorKind::Full)
}

#[test]
fn as_sleepwalker() {
    let Some((path, _)) = role() else { return };
    let session = Board::open(&path).unwrap().attach("sleepwalker").unwrap();
    let (mut done, mut refused) = (0, 0);
    for n in 0u64.. {
        if session.get("stop").unwrap().is_some() {
            break;
        }
        let old = session.get("both/count").unwrap();
        let expect = old.as_ref().map_or(Expect::Absent, |entry| Expect::Version(entry.version));
        match session.put_if("both/count", (number(old.as_ref()) + 1).to_string(), expect) {
            Ok(_) => done += 1,
            Err(error) if error.is_conflict() => {}
            Err(error) if is_proper(error.kind()) => refused += 1,
            Err(error) => panic!("{error:?}"),
        }
        let kept =
            session.put("walker/kept", vec![n as u8; (n % 40_000) as usize]).map(|receipt| receipt.version);
        match kept {
            Ok(version) => say(&format!("kept {n} {version}")),
            Err(error) => assert!(is_proper(error.kind()), "{error:?}"),
        }
    }
    say(&format!("done {done} {refused}"));
}

#[test]
fn a_stopped_process_holds_nobody_up_and_goes_on_later() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("other").unwrap();
    let mut walker = Child::start("as_sleepwalker", &path, "");
    let mut random = Random::with_seed(7);
    let mut ours = 0;
    for _ in 0..rounds(25) {
        for _ in 0..random.u64(..40) {
            assert!(walker.says("kept "));
        }
        (0..random.u64(..20_000)).for_each(|_| std::hint::spin_loop());
        walker.stop();
        let before = session.get("walker/kept").unwrap();
        let lapped = board.generation() + 64 * 3;
        while board.generation() < lapped {
            session.update("both/count", |old| (number(old) + 1).to_string()).unwrap();
            ours += 1;
            session.put(&format!("other/{}", ours % 5), vec![1; 100]).unwrap();
        }
        // Its newest put may have been on the way: it, or the one before, is there.
        let after = session.get("walker/kept").unwrap();
        assert!(before.is_none() || after.is_some());
        assert!(board.sessions().unwrap().iter().any(|info| info.name == "sleepwalker"));
        assert!(session.list("").into_vec().unwrap().len() >= 5);
        walker.go_on();
    }
    session.put("stop", b"").unwrap();
    let done = walker.hear("done ").expect("the stopped process came to no good end");
    let theirs: u64 = done.split(' ').next().unwrap().parse().unwrap();
    assert!(walker.ends_well());
    assert_eq!(number(session.get("both/count").unwrap().as_ref()), ours + theirs);
    drop(session);
    judge::assert_sound(&path);
}
