//! What the history tells: the events and the views of every generation that it holds, and what is told beyond its ends.

use slateboard::{Board, CodecId, Event, MutationKind, PutOptions, Session};
use slateboard_kit::places::{folder, small};
use std::{collections::BTreeMap, ops::ControlFlow, path::Path, time::Duration};

const NEVER: Duration = Duration::from_secs(3600);
const KEYS: [&str; 7] = ["task", "task/", "task/1", "task/10", "task0", "team/é", "é"];

/// A board on which no keeper adds events.
fn board(path: &Path) -> (Board, Session) {
    let board = small().beat(NEVER).create(path).unwrap();
    let session = board.attach("writer").unwrap();
    (board, session)
}

/// The key of each event, and which of its values it is; `None` for a removal. The first is that of generation 1.
type Changes = Vec<(&'static str, Option<u64>)>;

/// More changes than the history holds.
fn changes(session: &Session) -> Changes {
    let mut changes = Changes::new();
    for n in 0..150 {
        let key = KEYS[n as usize % KEYS.len()];
        // Each third event of a key removes it.
        let value = (n / KEYS.len() as u64 % 3 < 2).then_some(n);
        let generation = match value {
            Some(n) => session.put(key, n.to_string()).unwrap().generation,
            None => session.remove(key).unwrap().unwrap().generation,
        };
        changes.push((key, value));
        assert_eq!(generation, changes.len() as u64);
    }
    assert!(session.floor() > 50 && session.generation() == 150);
    changes
}

fn is_told(changes: &Changes, event: &Event) {
    let (key, value) = changes[event.generation as usize - 1];
    let mutation = &event.mutations[0];
    assert_eq!((mutation.key.as_str(), event.mutations.len()), (key, 1));
    assert_eq!(mutation.value, value.map(|n| n.to_string().into_bytes()));
    assert_eq!(mutation.kind, if value.is_some() { MutationKind::Put } else { MutationKind::Remove });
}

#[test]
fn each_event_is_told_once_and_in_order_from_any_generation_on() {
    let (_folder, path) = folder();
    let (_board, session) = board(&path);
    let changes = changes(&session);
    let (floor, newest) = (session.floor(), session.generation());
    for since in (0..=newest).chain([newest + 1, u64::MAX - 1, u64::MAX]) {
        let mut events = session.events(since);
        let mut next = since.saturating_add(1);
        if since < floor {
            let missed = events.next().unwrap().unwrap_err().missed().unwrap();
            assert_eq!((missed.missed, missed.resume_at), (floor - since, floor));
            next = floor + 1;
        }
        for event in events.by_ref() {
            let event = event.unwrap();
            assert_eq!(event.generation, next, "after {since}");
            is_told(&changes, &event);
            next += 1;
        }
        assert_eq!(next, newest.max(since).saturating_add(1), "after {since}");
        assert_eq!(events.generation(), next - 1);
    }
}

#[test]
fn a_single_event_is_told_or_where_it_is() {
    let (_folder, path) = folder();
    let (_board, session) = board(&path);
    let changes = changes(&session);
    let (floor, newest) = (session.floor(), session.generation());
    for generation in floor + 1..=newest {
        is_told(&changes, &session.event(generation).unwrap());
    }
    for generation in [0, 1, floor] {
        let error = session.event(generation).unwrap_err();
        assert!(error.is_lagged(), "{error}");
    }
    assert_eq!(session.event(newest + 1).unwrap_err().kind(), slateboard::ErrorKind::Future);
}

#[test]
fn a_watch_tells_what_its_prefix_has_and_nothing_else() {
    let (_folder, path) = folder();
    let (board, session) = board(&path);
    let changes = changes(&session);
    let (floor, newest) = (session.floor(), session.generation());
    for reader in [session.reader().clone(), board.read_only().unwrap()] {
        for prefix in ["", "t", "task", "task/", "task/1", "task/10", "team/", "é", "none/", "z"] {
            for since in [floor, floor + 1, newest - 20, newest - 8, newest - 2, newest - 1, newest] {
                let expected =
                    (since + 1..=newest).filter(|&at| changes[at as usize - 1].0.starts_with(prefix));
                let mut watch = reader.watch(prefix).since(since);
                for generation in expected {
                    let event =
                        watch.next_timeout(Duration::ZERO).unwrap().expect("an event that has happened");
                    assert_eq!(event.generation, generation, "{prefix:?} after {since}");
                    is_told(&changes, &event);
                    assert_eq!(watch.generation(), generation);
                }
                assert_eq!(watch.next_timeout(Duration::ZERO).unwrap(), None);
                assert_eq!(watch.generation(), newest);
            }
        }
    }
}

#[test]
fn a_view_is_of_any_generation_from_the_floor_to_the_newest() {
    let (_folder, path) = folder();
    let (_board, session) = board(&path);
    let changes = changes(&session);
    let (floor, newest) = (session.floor(), session.generation());
    let mut then = BTreeMap::new();
    for (generation, &(key, value)) in (1..).zip(&changes) {
        match value {
            Some(n) => then.insert(key, n.to_string().into_bytes()),
            None => then.remove(key),
        };
        if generation < floor {
            continue;
        }
        let view = session.view_at(generation).unwrap();
        assert_eq!(view.generation(), generation);
        for key in KEYS {
            assert_eq!(view.get(key).unwrap().map(|entry| entry.value), then.get(key).cloned(), "{key}");
        }
        let listed = view.list("").into_vec().unwrap().into_iter().map(|entry| (entry.key, entry.value));
        assert!(listed.eq(then.iter().map(|(key, value)| ((*key).to_owned(), value.clone()))));
    }
    assert_eq!(session.view().unwrap().generation(), newest);
    assert_eq!(session.view_at(newest + 1).unwrap_err().kind(), slateboard::ErrorKind::Future);
    for generation in [0, 1, floor - 1] {
        let missed = session.view_at(generation).unwrap_err().missed().unwrap();
        assert_eq!((missed.missed, missed.resume_at), (floor - generation, floor));
    }
}

#[test]
fn a_view_answers_until_the_floor_passes_its_generation() {
    let (_folder, path) = folder();
    let (_board, session) = board(&path);
    changes(&session);
    let view = session.view_at(session.floor() + 3).unwrap();
    let generation = view.generation();
    // With an index and without.
    for _ in 0..8 {
        let outcomes = [
            view.get("task").map(|_| ()),
            view.get("none").map(|_| ()),
            view.list("").into_vec().map(|_| ()),
            view.list("none").into_vec().map(|_| ()),
            view.list("").limit(1).keys().into_vec().map(|_| ()),
            view.list("").whole().map(|_| ()),
            view.list("").scan(|_, _, _| ControlFlow::<()>::Continue(())).map(|_| ()),
            view.list("").next().transpose().map(|_| ()),
        ];
        for (which, outcome) in outcomes.into_iter().enumerate() {
            match outcome {
                Ok(()) => assert!(session.floor() <= generation, "way {which}"),
                Err(error) => {
                    assert!(session.floor() > generation, "way {which}: {error}");
                    let missed = error.missed().unwrap();
                    assert_eq!(
                        (missed.missed, missed.resume_at),
                        (session.floor() - generation, session.floor())
                    );
                }
            }
        }
        session.put("busy", "x").unwrap();
    }
    assert!(session.floor() > generation);
}

#[test]
fn an_event_tells_what_was_done_by_whom_and_what_it_superseded() {
    let (_folder, path) = folder();
    let (board, session) = board(&path);
    let other = board.attach("other").unwrap();
    let brief = PutOptions::new().ttl(Duration::from_nanos(1));
    session.put_with("a", "1", PutOptions::new().codec(CodecId::POD).ttl(NEVER)).unwrap();
    other.touch("a", NEVER).unwrap().unwrap();
    session.put("a", "2").unwrap();
    other.remove("a").unwrap();
    session.put_with("a", "3", brief).unwrap();
    other.put("a", "4").unwrap();
    other.put_with("b", "5", PutOptions::new().ephemeral(true)).unwrap();
    other.detach();
    use MutationKind::{Detached, Expire, Put, Remove, Touch};
    // Kind, version, value and writer; version, generation, value and writer of what was superseded.
    type Told = (MutationKind, u64, Option<&'static str>, &'static str);
    type Before = (u64, u64, &'static str, &'static str);
    let expected: [(Told, Option<Before>); 9] = [
        ((Put, 1, Some("1"), "writer"), None),
        ((Touch, 2, Some("1"), "other"), Some((1, 1, "1", "writer"))),
        ((Put, 3, Some("2"), "writer"), Some((2, 2, "1", "other"))),
        ((Remove, 4, None, "other"), Some((3, 3, "2", "writer"))),
        ((Put, 5, Some("3"), "writer"), None),
        ((Expire, 6, None, "other"), Some((5, 5, "3", "writer"))),
        ((Put, 7, Some("4"), "other"), None),
        ((Put, 1, Some("5"), "other"), None),
        ((Detached, 2, None, "other"), Some((1, 8, "5", "other"))),
    ];
    for (generation, (told, previous)) in (1..).zip(expected) {
        let event = session.event(generation).unwrap();
        let mutation = &event.mutations[0];
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
        let value = mutation.value.as_deref().map(text);
        assert_eq!(
            (mutation.kind, mutation.version, value.as_deref(), event.session.name.as_str()),
            told,
            "event {generation}"
        );
        let before = mutation.previous.as_ref();
        let before = before.map(|it| (it.version, it.generation, text(&it.value), it.writer.name.clone()));
        let previous =
            previous.map(|(version, at, value, name)| (version, at, value.to_owned(), name.to_owned()));
        assert_eq!(before, previous, "event {generation}");
    }
    let codecs = |generation| {
        let mutation = session.event(generation).unwrap().mutations.remove(0);
        (mutation.codec, mutation.previous.unwrap().codec)
    };
    assert_eq!((codecs(2), codecs(3)), ((CodecId::POD, CodecId::POD), (CodecId::RAW, CodecId::POD)));
}
