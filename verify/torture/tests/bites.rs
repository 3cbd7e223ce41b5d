//! The judge finds each lie that is planted in a sound story.

use slateboard::{Board, Expect, MutationKind};
use slateboard_fsck::{Blocks, EventState, KeyState, Summary};
use slateboard_kit::calls::{self, Answer, Call};
use std::{collections::HashMap, path::PathBuf};
use torture::{
    judge::{Epoch, Listed, Logged, windows},
    nemesis::{self, Options},
    observer::{Seen, Story},
    worker::one,
};

const COUNT: u64 = 12;
const BRIEF: u64 = 16;
/// A lease on it outlasts each story; one on the other is over before the next step.
const LEASE: u64 = 27;
const BRIEF_LEASE: u64 = 24;
const MANY: u64 = 28;
const COLD: u64 = 36;
const MS: u64 = 1_000_000;

/// A call that lasts from one moment to another.
fn call(id: u64, key: u64, asked: Call, [start, end]: [u64; 2], answer: Answer) -> Logged {
    Logged { worker: id, id, key, asked, start, end: Some(end), answer: Some(answer) }
}

fn done(version: u64) -> Answer {
    Answer::Done { version, generation: version }
}

fn seen(version: u64, value: Option<u64>, previous: Option<u64>) -> Seen {
    let kind = if value.is_some() { MutationKind::Put } else { MutationKind::Remove };
    Seen { generation: version, key: 1, version, kind, value, previous, at: 1_000 * MS }
}

/// A story of calls of which each changes its key once, a generation after the other.
struct Tale {
    epoch: Epoch,
    /// The state of each key: version, generation, value.
    keys: HashMap<u64, (u64, u64, Option<u64>)>,
}

impl Tale {
    fn new() -> Self {
        let ended = Summary {
            generation: 0,
            floor: 0,
            keys: Vec::new(),
            events: Vec::<EventState>::new(),
            blocks: Blocks::default(),
            sessions: Vec::new(),
            longest_chain: 1,
        };
        let story = Story::default();
        let epoch =
            Epoch { since: 0, stood: HashMap::new(), calls: Vec::new(), lists: Vec::new(), story, ended };
        Self { epoch, keys: HashMap::new() }
    }

    /// When a step happens: ten milliseconds each, of which five are the call's.
    fn span(&self) -> [u64; 2] {
        let start = (self.epoch.calls.len() + self.epoch.lists.len()) as u64 * 10 * MS + MS;
        [start, start + 5 * MS]
    }

    /// An event of the key.
    fn event(mut self, key: u64, kind: MutationKind, value: Option<u64>) -> Self {
        let at = self.span()[1];
        let generation = self.epoch.ended.generation + 1;
        let (version, previous) = self
            .keys
            .get(&key)
            .map_or((1, None), |(version, before, value)| (version + 1, value.map(|_| *before)));
        self.keys.insert(key, (version, generation, value));
        self.epoch.story.events.push(Seen { generation, key, version, kind, value, previous, at });
        self.epoch.ended.generation = generation;
        self
    }

    /// A call that changes nothing.
    fn told(mut self, worker: u64, key: u64, asked: Call, answer: Answer) -> Self {
        let (id, span) = (worker << 24 | (self.epoch.calls.len() as u64 + 1), self.span());
        self.epoch.calls.push(Logged { worker, ..call(id, key, asked, span, answer) });
        self
    }

    /// A call of worker 1 that changes the key.
    fn change(self, key: u64, asked: Call) -> Self {
        let id = 1 << 24 | (self.epoch.calls.len() as u64 + 1);
        let before = self.keys.get(&key).and_then(|state| state.2);
        let kind = match asked {
            Call::Remove(_) => MutationKind::Remove,
            Call::Touch(_) => MutationKind::Touch,
            _ => MutationKind::Put,
        };
        let tale = self.event(key, kind, asked.effect(id, before));
        let (version, generation, _) = tale.keys[&key];
        let answer = match asked {
            Call::Update | Call::Increment(_) => {
                Answer::Updated { version, generation, saw: before.unwrap_or(0) }
            }
            _ => Answer::Done { version, generation },
        };
        tale.told(1, key, asked, answer)
    }

    /// A read that finds what stands.
    fn read(self, key: u64, asked: Call) -> Self {
        let answer = match self.keys.get(&key) {
            Some(&(version, generation, Some(value))) => Answer::Value { version, generation, value },
            _ => Answer::Absent,
        };
        self.told(2, key, asked, answer)
    }

    /// A list of these keys, with those that have a value.
    fn list(mut self, keys: &[u64], generation: Option<u64>) -> Self {
        let has = |key: &&u64| self.keys.get(key).is_some_and(|state| state.2.is_some());
        let (wanted, found) = (set(keys.iter()), set(keys.iter().filter(has)));
        let span = self.span();
        self.epoch.lists.push(Listed { span, generation, present: true, wanted, found });
        self
    }

    /// A lease event of a worker: its first session's name is the value.
    fn lease(self, worker: u64) -> Self {
        self.event(LEASE, MutationKind::Put, holder(worker))
    }

    /// The board at the end has what the last events say. `values` has the bytes.
    fn end(mut self) -> Epoch {
        let mut keys: Vec<_> = self.keys.iter().collect();
        keys.sort_unstable();
        for (&key, &(version, generation, value)) in keys {
            let Some(value) = value else { continue };
            let bytes = if (COUNT..BRIEF).contains(&key) {
                value.to_string().into_bytes()
            } else {
                calls::value(value, key, 30)
            };
            self.epoch.ended.keys.push(state(key, version, generation, bytes));
        }
        self.epoch
    }
}

fn set<'k>(keys: impl Iterator<Item = &'k u64>) -> [u64; 4] {
    keys.fold([0; 4], |mut set, key| {
        set[*key as usize / 64] |= 1 << (key % 64);
        set
    })
}

fn state(key: u64, version: u64, generation: u64, value: Vec<u8>) -> KeyState {
    let key = calls::key(key).into_bytes();
    KeyState { key, version, generation, value, codec: 0, deadline: 0, ephemeral: 0, writer: 0 }
}

/// Three puts of one key one after the other, and a read of the last.
fn sound() -> Epoch {
    let puts = (1..=3).map(|id| call(id, 1, Call::PUT, [id * 10, id * 10 + 5], done(id)));
    let read = call(9, 1, Call::Get, [40, 45], Answer::Value { version: 3, generation: 3, value: 3 });
    let mut epoch = Tale::new().epoch;
    epoch.ended.generation = 3;
    epoch.ended.keys = vec![state(1, 3, 3, calls::value(3, 1, 30))];
    epoch.calls = puts.chain([read]).collect();
    epoch.story.events = vec![seen(1, Some(1), None), seen(2, Some(2), Some(1)), seen(3, Some(3), Some(2))];
    epoch
}

/// A lie, and a part of what must be said of it.
type Lie = (&'static str, fn(&mut Epoch));

const LIES: &[Lie] = &[
    ("an acknowledged change is missing", |epoch| epoch.ended.keys[0].version = 2),
    ("an acknowledged put is missing", |epoch| epoch.ended.keys.clear()),
    ("something else stands", |epoch| epoch.ended.keys[0].value = calls::value(2, 1, 30)),
    ("does not have what its last event says", |epoch| epoch.ended.keys[0].generation = 2),
    ("a value that nobody wrote", |epoch| epoch.ended.keys[0].value = vec![7; 30]),
    ("was to end with a session", |epoch| epoch.ended.keys[0].ephemeral = 1),
    ("an old version was read", |epoch| {
        epoch.calls[3].answer = Some(Answer::Value { version: 2, generation: 2, value: 2 });
    }),
    ("a read was told what did not stand", |epoch| {
        epoch.calls[3].answer = Some(Answer::Value { version: 3, generation: 3, value: 77 });
    }),
    ("a read was told what did not stand", |epoch| {
        epoch.calls[3].answer = Some(Answer::Value { version: 4, generation: 3, value: 3 });
    }),
    ("a read was told what did not stand", |epoch| {
        (epoch.calls[3].start, epoch.calls[3].end) = (1, Some(2));
    }),
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
    ("its condition was not met", |epoch| epoch.calls[2].asked = Call::put(Expect::Version(1))),
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
        (epoch.story.events[1].value, epoch.story.events[1].kind) = (None, MutationKind::Remove);
    }),
    ("another than the key's last", |epoch| epoch.story.events[2].previous = Some(1)),
    ("no order explains", |epoch| epoch.calls[1].asked = Call::put(Expect::Absent)),
    ("no order explains", |epoch| epoch.calls[3].answer = Some(Answer::Absent)),
    ("no order explains", |epoch| epoch.calls[0].answer = Some(Answer::Conflict { version: 0 })),
];

/// Finds nothing in a sound story, and something that contains `what` in one that lies.
fn assert_bites(sound: fn() -> Epoch, lies: &[Lie]) {
    let (violations, checked) = sound().judge();
    assert_eq!((violations, checked.unknown), (Vec::<String>::new(), 0));
    for (what, lie) in lies {
        let mut epoch = sound();
        lie(&mut epoch);
        let (violations, _) = epoch.judge();
        assert!(violations.iter().any(|violation| violation.contains(what)), "{what}: {violations:#?}");
    }
}

#[test]
fn every_lie_of_one_key_is_found() {
    assert_bites(sound, LIES);
    let (_, checked) = sound().judge();
    assert_eq!((checked.calls, checked.events, checked.window_calls), (4, 3, 4));
}

fn answer(epoch: &mut Epoch, call: usize) -> &mut Answer {
    epoch.calls[call].answer.as_mut().expect("an answer")
}

/// An update of an absent key, one of its value, a counter, and a touch.
fn updated() -> Epoch {
    Tale::new()
        .change(1, Call::Update)
        .change(1, Call::Update)
        .change(COUNT, Call::Increment(5))
        .change(COUNT, Call::Increment(7))
        .change(1, Call::Touch(3_600_000))
        .change(1, Call::REMOVE)
        .told(2, 1, Call::Touch(5), Answer::Absent)
        .end()
}

fn saw(epoch: &mut Epoch, call: usize) -> &mut u64 {
    match answer(epoch, call) {
        Answer::Updated { saw, .. } => saw,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_update_is_judged_by_what_it_read() {
    assert_bites(
        updated,
        &[
            // It published over a value that it had not read.
            ("an update replaced what it had not read", |epoch| *saw(epoch, 1) = 0),
            ("no order explains", |epoch| *saw(epoch, 1) = 0),
            ("an update replaced what it had not read", |epoch| *saw(epoch, 1) = 77),
            ("an update replaced what it had not read", |epoch| *saw(epoch, 0) = 77),
            ("an update replaced what it had not read", |epoch| *saw(epoch, 3) = 4),
            ("made another value than was asked for", |epoch| epoch.calls[3].asked = Call::Increment(8)),
            ("made another value than was asked for", |epoch| epoch.story.events[4].value = Some(77)),
            ("a change was refused that nothing forbids", |epoch| {
                epoch.calls[6].start = epoch.calls[4].start;
                epoch.calls[6].end = epoch.calls[4].end;
            }),
            ("not the version after", |epoch| {
                epoch.story.events[1].version = 3;
                *answer(epoch, 1) = Answer::Updated { version: 3, generation: 2, saw: (1 << 24) + 1 };
            }),
        ],
    );
}

/// What ends by its time to live, with an event and without.
fn brief() -> Epoch {
    let put = |ttl| Call::Put { expect: Expect::Any, bound: false, ttl };
    let mut tale = Tale::new()
        .change(BRIEF, put(3))
        .event(BRIEF, MutationKind::Expire, None)
        .change(BRIEF + 1, put(3))
        .change(BRIEF + 2, put(600_000))
        .read(BRIEF + 2, Call::Get)
        .told(2, BRIEF + 1, Call::Get, Answer::Absent)
        .change(COLD, Call::BIND)
        .event(COLD, MutationKind::Died, None);
    // The value without an event stands at the end, and nobody finds it.
    tale.keys.get_mut(&(BRIEF + 1)).expect("a key").0 = 1;
    tale.end()
}

#[test]
fn a_value_stands_until_its_time_to_live_is_over_and_no_longer() {
    assert_bites(
        brief,
        &[
            ("a value ended before its time", |epoch| {
                epoch.calls[0].asked = Call::Put { expect: Expect::Any, bound: false, ttl: 600_000 };
            }),
            ("a value without a time to live expired", |epoch| epoch.calls[0].asked = Call::PUT),
            ("what had no value ended by itself", |epoch| {
                epoch.story.events[0].kind = MutationKind::Expire;
                epoch.story.events[0].value = None;
            }),
            // A value is read that is over, and one is not found that is not.
            ("a read was told what did not stand", |epoch| {
                *answer(epoch, 4) = Answer::Value { version: 1, generation: 3, value: (1 << 24) + 2 };
            }),
            ("a read was told what did not stand", |epoch| *answer(epoch, 3) = Answer::Absent),
            ("with a session that it was not bound to", |epoch| {
                epoch.story.events[1].kind = MutationKind::Died;
            }),
        ],
    );
}

/// Three views: of the past, of the present, and of what has left the history.
fn viewed() -> Epoch {
    let at = |generation, present| Call::At { generation, present };
    let mut epoch = Tale::new()
        .change(1, Call::PUT)
        .read(1, at(1, false))
        .change(1, Call::PUT)
        .change(2, Call::PUT)
        .told(2, 0, Call::Present, Answer::Generation(3))
        .read(1, at(3, true))
        .read(COLD, at(3, true))
        .told(2, 1, at(0, false), Answer::Lagged)
        .end();
    epoch.ended.floor = 1;
    epoch
}

#[test]
fn a_view_shows_one_generation() {
    const WHAT: &str = "a view shows what did not stand at its generation";
    assert_bites(
        viewed,
        &[
            // A newer value, an older one, none, and one that was not there.
            (WHAT, |epoch| {
                *answer(epoch, 1) = Answer::Value { version: 2, generation: 2, value: (1 << 24) + 3 }
            }),
            (WHAT, |epoch| {
                *answer(epoch, 5) = Answer::Value { version: 1, generation: 1, value: (1 << 24) + 1 }
            }),
            (WHAT, |epoch| *answer(epoch, 5) = Answer::Absent),
            (WHAT, |epoch| *answer(epoch, 6) = Answer::Value { version: 2, generation: 2, value: 3 }),
            ("a view of the present is of the past", |epoch| *answer(epoch, 4) = Answer::Generation(2)),
            ("a generation that had not happened", |epoch| {
                (epoch.calls[4].start, epoch.calls[4].end) = (0, Some(1));
            }),
            ("a generation was refused that is in the history", |epoch| {
                epoch.calls[7].asked = Call::At { generation: 2, present: false };
            }),
        ],
    );
}

/// A handle that is held while its key changes, is removed, and comes again.
fn polled() -> Epoch {
    Tale::new()
        .change(1, Call::PUT)
        .told(2, 1, Call::Version, Answer::Stands { version: 1 })
        .told(2, 1, Call::Newer(1), Answer::Absent)
        .change(1, Call::PUT)
        .read(1, Call::Newer(1))
        .change(1, Call::REMOVE)
        .told(2, 1, Call::Newer(1), Answer::Absent)
        .told(2, 1, Call::Version, Answer::Absent)
        .change(1, Call::PUT)
        .read(1, Call::Newer(2))
        .end()
}

#[test]
fn a_handle_that_is_held_tells_what_stands() {
    const WHAT: &str = "a read was told what did not stand";
    assert_bites(
        polled,
        &[
            // It takes what it has seen for the newest: after a change, a removal, and in another life of the key.
            (WHAT, |epoch| *answer(epoch, 4) = Answer::Absent),
            (WHAT, |epoch| *answer(epoch, 9) = Answer::Absent),
            (WHAT, |epoch| *answer(epoch, 7) = Answer::Stands { version: 2 }),
            (WHAT, |epoch| *answer(epoch, 1) = Answer::Stands { version: 2 }),
            ("no order explains", |epoch| *answer(epoch, 4) = Answer::Absent),
            // It tells something that is not newer.
            (WHAT, |epoch| epoch.calls[4].asked = Call::Newer(2)),
            ("an old version was read", |epoch| {
                *answer(epoch, 4) = Answer::Value { version: 1, generation: 1, value: (1 << 24) + 1 };
            }),
        ],
    );
}

/// Lists of the present and of a generation.
fn listed() -> Epoch {
    Tale::new()
        .change(1, Call::PUT)
        .change(2, Call::PUT)
        .list(&[1, 2, 3], None)
        .change(3, Call::PUT)
        .change(2, Call::REMOVE)
        .list(&[1, 2, 3], Some(4))
        .end()
}

#[test]
fn a_list_has_what_was_present_and_nothing_else() {
    assert_bites(
        listed,
        &[
            ("a list misses a key that was present", |epoch| epoch.lists[0].found = set([1].iter())),
            ("a list misses a key that was present", |epoch| epoch.lists[1].found = set([1].iter())),
            ("a list has a key that was not present", |epoch| epoch.lists[0].found = set([1, 2, 3].iter())),
            ("a list has a key that was not present", |epoch| epoch.lists[1].found = set([1, 2, 3].iter())),
            ("a list has a key that was not present", |epoch| epoch.lists[1].generation = Some(2)),
        ],
    );
}

/// A view and a list of a generation in which a value's time to live is 40 ms. It is replaced within 36 ms, while
/// the callers are paused until its time is over.
fn paused() -> Epoch {
    let brief = |ttl| Call::Put { expect: Expect::Any, bound: false, ttl };
    let mut epoch = Tale::new()
        .change(BRIEF, brief(40))
        .read(BRIEF, Call::At { generation: 1, present: true })
        .list(&[BRIEF], Some(1))
        .change(BRIEF, brief(600_000))
        .end();
    epoch.calls[1].end = Some(90 * MS);
    epoch.lists[0].span[1] = 90 * MS;
    epoch
}

#[test]
fn who_is_paused_misses_no_value_that_was_replaced_before_its_time_was_over() {
    assert_bites(
        paused,
        &[
            ("a view shows what did not stand at its generation", |epoch| *answer(epoch, 1) = Answer::Absent),
            ("a list misses a key that was present", |epoch| epoch.lists[0].found = set([].iter())),
        ],
    );
}

/// Worker 5 takes a lease, renews it and releases it; worker 6 takes it, and loses it to a put.
fn leased() -> Epoch {
    Tale::new()
        .lease(5)
        .told(5, LEASE, Call::Take, Answer::Generation(1))
        .lease(5)
        .told(5, LEASE, Call::Renew(1), Answer::Yes)
        .lease(5)
        .told(5, LEASE, Call::Held(1), Answer::Yes)
        // Another key's put bounds the time of what follows.
        .change(1, Call::PUT)
        .told(6, LEASE, Call::Take, Answer::Conflict { version: 3 })
        .event(LEASE, MutationKind::Remove, None)
        .told(5, LEASE, Call::Release(1), Answer::Yes)
        .lease(6)
        .told(6, LEASE, Call::Take, Answer::Generation(6))
        .change(LEASE, Call::PUT)
        .told(6, LEASE, Call::Renew(6), Answer::No)
        .told(6, LEASE, Call::Held(6), Answer::No)
        .told(6, LEASE, Call::Release(6), Answer::Yes)
        .end()
}

fn holder(worker: u64) -> Option<u64> {
    calls::identify(calls::holder(worker, 0).as_bytes(), LEASE)
}

#[test]
fn a_lease_has_one_holder() {
    assert_bites(
        leased,
        &[
            // Taken from its holder, stolen back, renewed after it was released, released by another.
            ("a lease was taken while another value stood", |epoch| {
                epoch.story.events[1].value = holder(6);
                (epoch.calls[1].worker, epoch.calls[1].asked) = (6, Call::Take);
                *answer(epoch, 1) = Answer::Generation(2);
            }),
            ("a lease that was lost was renewed", |epoch| {
                epoch.story.events[2].value = holder(7);
            }),
            ("a lease that was lost was renewed", |epoch| {
                let last = epoch.story.events[6];
                let (generation, version, value) = (8, 7, holder(6));
                epoch.story.events.push(Seen { generation, version, value, previous: Some(7), ..last });
                epoch.ended.generation = 8;
            }),
            ("a lease was released by another than its holder", |epoch| {
                epoch.calls[5].asked = Call::Release(77);
            }),
            ("is said to be held that another may take", |epoch| *answer(epoch, 9) = Answer::Yes),
            ("is said to be renewed that was lost", |epoch| *answer(epoch, 8) = Answer::Yes),
            ("is said to be held that another may take", |epoch| epoch.calls[2].asked = Call::Held(77)),
            ("is said to be lost that is held", |epoch| *answer(epoch, 1) = Answer::No),
            ("a lease stands that was released", |epoch| epoch.calls[2].asked = Call::Release(1)),
            ("a change was refused that nothing forbids", |epoch| {
                (epoch.calls[4].start, epoch.calls[4].end) = (0, Some(1));
            }),
        ],
    );
}

#[test]
fn a_lease_whose_time_is_over_is_not_renewed() {
    for (key, violation) in [(LEASE, false), (BRIEF_LEASE, true)] {
        let mut epoch = Tale::new()
            .event(key, MutationKind::Put, holder(5))
            .told(5, key, Call::Take, Answer::Generation(1))
            .change(1, Call::PUT)
            .event(key, MutationKind::Put, holder(5))
            .told(5, key, Call::Renew(1), Answer::Yes)
            .event(key, MutationKind::Died, None)
            .end();
        let (violations, _) = epoch.judge();
        let found = violations.iter().any(|what| what.contains("a lease whose time was over was renewed"));
        assert_eq!((found, violations.is_empty()), (violation, !violation), "{violations:#?}");
    }
}

/// Keys of one prefix are put together and removed together.
fn many() -> Epoch {
    Tale::new()
        .change(MANY, Call::PUT)
        .change(MANY + 1, Call::PUT)
        .event(MANY, MutationKind::Remove, None)
        .event(MANY + 1, MutationKind::Remove, None)
        .told(3, MANY, Call::RemoveAll, Answer::Count(2))
        .read(MANY, Call::Get)
        .end()
}

#[test]
fn a_removal_of_a_prefix_removes_all_its_keys_and_counts_them() {
    assert_bites(
        many,
        &[
            ("removed 2 keys, and told of 3", |epoch| *answer(epoch, 2) = Answer::Count(3)),
            ("removed 2 keys, and told of 1", |epoch| *answer(epoch, 2) = Answer::Count(1)),
            ("a removal of a prefix left a key", |epoch| {
                epoch.story.events.pop();
                epoch.ended.generation = 3;
                let value = calls::value((1 << 24) + 2, MANY + 1, 30);
                epoch.ended.keys.push(state(MANY + 1, 1, 2, value));
                *answer(epoch, 2) = Answer::Count(1);
            }),
            ("a removal that nobody asked for", |epoch| {
                epoch.calls.remove(2);
            }),
        ],
    );
}

#[test]
fn an_update_ends_with_the_session_of_the_value_before_it_alone() {
    for (before, violation) in [(Call::BIND, false), (Call::PUT, true)] {
        let mut epoch = sound();
        (epoch.calls[1].asked, epoch.calls[2].asked) = (before, Call::Update);
        epoch.calls[2].answer = Some(Answer::Updated { version: 3, generation: 3, saw: 2 });
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
            epoch.ended.keys = vec![state(1, 2, 2, calls::value(2, 1, 30))];
        }
        assert_eq!(epoch.judge().0, Vec::<String>::new(), "happened: {happened}");
    }
}

/// A value that is longer than an extent is a chain of pieces. A reader may be given a piece of another value, pieces in another
/// order, or one too few.
#[test]
fn a_long_value_with_a_wrong_piece_is_no_answer() {
    const PIECE: usize = 16 << 10;
    const KEY: u64 = 1;
    let session = Board::local().unwrap().attach("reader").unwrap();
    let name = calls::key(KEY);
    let told = |bytes: &[u8]| {
        session.put(&name, bytes).unwrap();
        one::read(session.get(&name), KEY)
    };
    let (value, other) = (calls::value(7, KEY, 4 * PIECE + 100), calls::value(8, KEY, 4 * PIECE + 100));
    assert!(matches!(told(&value), Answer::Value { value: 7, .. }));
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = value.clone();
        change(&mut bytes);
        told(&bytes)
    };
    for piece in 0..4 {
        let place = piece * PIECE..(piece + 1) * PIECE;
        let foreign = changed(&|bytes| bytes[place.clone()].copy_from_slice(&other[place.clone()]));
        assert_eq!(foreign, Answer::Wrong, "piece {piece} is of another value");
        assert_eq!(changed(&|bytes| bytes[place.clone()].fill(0)), Answer::Wrong, "piece {piece} is empty");
        assert_eq!(
            changed(&|bytes| drop(bytes.drain(place.clone()))),
            Answer::Wrong,
            "piece {piece} is left out"
        );
    }
    assert_eq!(changed(&|bytes| bytes.rotate_left(PIECE)), Answer::Wrong);
    assert_eq!(changed(&|bytes| bytes[PIECE..3 * PIECE].rotate_left(PIECE)), Answer::Wrong);
    assert_eq!(changed(&|bytes| bytes.truncate(3 * PIECE)), Answer::Wrong);
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
