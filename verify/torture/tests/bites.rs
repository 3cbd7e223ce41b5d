//! The judge finds each lie that is planted in a sound story.

use slateboard::Expect;
use slateboard_fsck::{Blocks, EventState, KeyState, Summary};
use slateboard_kit::calls::{self, Answer, Call};
use std::{collections::HashMap, path::PathBuf};
use torture::{
    judge::{Epoch, Logged, windows},
    nemesis::{self, Options},
    observer::{Seen, Story},
};

fn call(id: u64, key: u64, asked: Call, [start, end]: [u64; 2], answer: Answer) -> Logged {
    Logged { worker: id, id, key, asked, start, end: Some(end), answer: Some(answer) }
}

fn done(version: u64) -> Answer {
    Answer::Done { version, generation: version }
}

fn seen(version: u64, value: Option<u64>, previous: Option<u64>) -> Seen {
    Seen { generation: version, key: 1, version, value, previous }
}

/// Three puts of one key one after the other, and a read of the last.
fn sound() -> Epoch {
    let puts = (1..=3).map(|id| call(id, 1, Call::PUT, [id * 10, id * 10 + 5], done(id)));
    let read = call(9, 1, Call::Get, [40, 45], Answer::Value { version: 3, generation: 3, value: 3 });
    let key = KeyState {
        key: calls::key(1).into_bytes(),
        version: 3,
        generation: 3,
        value: calls::value(3, 1, 30),
        codec: 0,
        deadline: 0,
        ephemeral: 0,
        writer: 0,
    };
    let ended = Summary {
        generation: 3,
        floor: 0,
        keys: vec![key],
        events: Vec::<EventState>::new(),
        blocks: Blocks::default(),
        sessions: Vec::new(),
        longest_chain: 1,
    };
    Epoch {
        since: 0,
        stood: HashMap::new(),
        calls: puts.chain([read]).collect(),
        story: Story {
            events: vec![seen(1, Some(1), None), seen(2, Some(2), Some(1)), seen(3, Some(3), Some(2))],
            ..Story::default()
        },
        ended,
    }
}

/// A lie, and a part of what must be said of it.
type Lie = (&'static str, fn(&mut Epoch));

const LIES: &[Lie] = &[
    ("an acknowledged change is missing", |epoch| epoch.ended.keys[0].version = 2),
    ("an acknowledged put is missing", |epoch| epoch.ended.keys.clear()),
    ("something else stands", |epoch| epoch.ended.keys[0].value = calls::value(2, 1, 30)),
    ("a value that nobody wrote", |epoch| epoch.ended.keys[0].value = vec![7; 30]),
    ("was to end with a session", |epoch| epoch.ended.keys[0].ephemeral = 1),
    ("an old version was read", |epoch| {
        epoch.calls[3].answer = Some(Answer::Value { version: 2, generation: 2, value: 2 });
    }),
    ("a value that nobody wrote was read", |epoch| {
        epoch.calls[3].answer = Some(Answer::Value { version: 3, generation: 3, value: 77 });
    }),
    ("another version than its writer was told", |epoch| {
        epoch.calls[3].answer = Some(Answer::Value { version: 4, generation: 3, value: 3 });
    }),
    ("before it was written", |epoch| (epoch.calls[3].start, epoch.calls[3].end) = (1, Some(2))),
    ("an answer that must not be", |epoch| epoch.calls[3].answer = Some(Answer::Wrong)),
    ("two changes with one generation", |epoch| {
        epoch.calls[2].answer = Some(Answer::Done { version: 3, generation: 2 });
    }),
    ("a generation that has not been", |epoch| {
        epoch.calls[2].answer = Some(Answer::Done { version: 3, generation: 9 });
    }),
    ("a version that was given before", |epoch| {
        epoch.calls[2].answer = Some(Answer::Done { version: 2, generation: 3 })
    }),
    ("succeeded on another version", |epoch| epoch.calls[2].asked = Call::put(Expect::Version(1))),
    ("differs from what its caller was told", |epoch| epoch.story.events[1].value = Some(9)),
    ("no event has what was told", |epoch| {
        epoch.story.events.remove(1);
    }),
    ("1 are behind the last", |epoch| {
        epoch.story.events.remove(2);
        epoch.story.missed = 7;
    }),
    ("an event that nobody asked for", |epoch| {
        epoch.calls.remove(1);
    }),
    ("a removal that nobody asked for", |epoch| {
        epoch.calls.remove(1);
        epoch.story.events[1].value = None;
    }),
    ("another than the key's last", |epoch| epoch.story.events[2].previous = Some(1)),
    ("no order explains", |epoch| epoch.calls[1].asked = Call::put(Expect::Absent)),
    ("no order explains", |epoch| epoch.calls[3].answer = Some(Answer::Absent)),
    ("no order explains", |epoch| epoch.calls[0].answer = Some(Answer::Conflict { version: 0 })),
];

#[test]
fn every_lie_is_found() {
    let (violations, checked) = sound().judge();
    assert_eq!(violations, Vec::<String>::new());
    assert_eq!((checked.calls, checked.events, checked.window_calls), (4, 3, 4));
    for (what, lie) in LIES {
        let mut epoch = sound();
        lie(&mut epoch);
        let (violations, _) = epoch.judge();
        assert!(violations.iter().any(|violation| violation.contains(what)), "{what}: {violations:?}");
    }
}

#[test]
fn an_update_ends_with_the_session_of_the_value_before_it_alone() {
    for (before, violation) in [(Call::BIND, false), (Call::PUT, true)] {
        let mut epoch = sound();
        (epoch.calls[1].asked, epoch.calls[2].asked) = (before, Call::Update);
        epoch.ended.keys.clear();
        let (violations, _) = epoch.judge();
        let missing = violations.iter().any(|what| what.contains("an acknowledged put is missing"));
        assert_eq!(missing, violation, "{before:?}: {violations:?}");
    }
}

#[test]
fn a_stale_read_has_no_order_and_an_overlapping_one_has() {
    let cell = windows::Cell { version: 1, value: Some(1) };
    let put = call(2, 1, Call::PUT, [10, 20], done(2));
    let read =
        |start| call(3, 1, Call::Get, [start, 40], Answer::Value { version: 1, generation: 1, value: 1 });
    assert!(windows::is_linearizable(&cell, &[put, read(15)]));
    assert!(!windows::is_linearizable(&cell, &[put, read(30)]));
}

#[test]
fn a_call_under_way_at_a_kill_may_have_happened_or_not() {
    for happened in [true, false] {
        let mut epoch = sound();
        (epoch.calls[2].end, epoch.calls[2].answer) = (None, None);
        if !happened {
            epoch.story.events.pop();
            epoch.calls.pop();
            epoch.ended.generation = 2;
            (epoch.ended.keys[0].version, epoch.ended.keys[0].value) = (2, calls::value(2, 1, 30));
        }
        assert_eq!(epoch.judge().0, Vec::<String>::new(), "happened: {happened}");
    }
}

#[test]
fn killed_and_stopped_processes_lose_nothing() {
    let folder = slateboard_kit::places::memory_folder();
    let options = Options {
        program: PathBuf::from(env!("CARGO_BIN_EXE_torture")),
        kills: 12,
        stops: 12,
        epoch: 6,
        workers: 3,
        seed: 7,
        capacity: 4 << 20,
        history: 4_096,
    };
    let tally = nemesis::run(&options, folder.path());
    assert_eq!(tally.violations, Vec::<String>::new());
    assert!(tally.kills >= 12 && tally.stops >= 12 && tally.rests >= 2);
    assert!(tally.checked.events > 0 && tally.checked.windows > 0);
}
