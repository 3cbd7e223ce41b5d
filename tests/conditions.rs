//! Changes under a condition, and updates beside a second writer: nothing happens unless the condition was met, and no value
//! is lost that another writer put between the read and the put of an update.

use slateboard::{
    CodecId, Entry, Error, ErrorKind, Expect, PutOptions, Receipt, Replacement, Result, Retry, Session, codec,
};
use slateboard_kit::places::{folder, small};
use std::time::Duration;

/// Beats that never come: only the test's own calls change anything.
const SELDOM: Duration = Duration::from_secs(3600);
const AT_ONCE: Duration = Duration::from_nanos(1);

/// The ways to update a key: what the function sees, and what it makes of it, are bytes in each.
type Update = fn(&Session, Retry, &mut dyn FnMut(Option<&[u8]>) -> Vec<u8>) -> Result<Receipt>;

const UPDATES: [(&str, Update); 4] = [
    ("update", |session, retry, next| {
        session.update_with("k", retry, |old| next(old.map(|entry| &entry.value[..])))
    }),
    ("try_update", |session, retry, next| {
        let replace = |old: Option<&Entry>| {
            Ok::<_, Error>(Some(Replacement::new(next(old.map(|entry| &entry.value[..])))))
        };
        Ok(session.try_update("k", retry, replace)?.expect("a value is put"))
    }),
    ("a new handle's update", |session, retry, next| session.key("k")?.update_with(retry, next)),
    ("the update of a handle that knows the slot", |session, retry, next| {
        let key = session.key("k")?;
        key.get()?;
        key.update_with(retry, next)
    }),
];

/// What stands before an update, what the second writer does meanwhile, and what stands then.
type Meanwhile = (Option<&'static str>, fn(&Session) -> Result<Option<Receipt>>, Option<&'static str>);

const MEANWHILE: [Meanwhile; 6] = [
    (None, |other| other.put("k", "theirs").map(Some), Some("theirs")),
    (Some("old"), |other| other.put("k", "theirs").map(Some), Some("theirs")),
    (Some("old"), |other| other.remove("k"), None),
    (Some("old"), |other| other.remove("k").and_then(|_| other.put("k", "theirs").map(Some)), Some("theirs")),
    (Some("old"), |other| other.touch("k", SELDOM), Some("old")),
    (Some("old"), |other| other.put_with("k", "over", PutOptions::new().ttl(AT_ONCE)).map(Some), None),
];

#[test]
fn an_update_makes_its_value_of_what_stands_when_it_is_put() {
    let (_folder, path) = folder();
    let board = small().beat(SELDOM).create(&path).unwrap();
    let (one, other) = (board.attach("one").unwrap(), board.attach("other").unwrap());
    for (way, update) in UPDATES {
        for (case, (before, change, after)) in MEANWHILE.into_iter().enumerate() {
            // A key that never was, and then one that was removed.
            one.remove("k").unwrap();
            before.map(|value| one.put("k", value).unwrap());
            let mut seen = Vec::new();
            let receipt = update(&one, Retry::new(), &mut |old| {
                let old = old.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
                let next = format!("{}, mine", old.as_deref().unwrap_or("nothing"));
                seen.push(old);
                if seen.len() == 1 {
                    change(&other).unwrap();
                }
                next.into_bytes()
            })
            .unwrap();
            let told = [before, after].map(|value| value.map(str::to_owned));
            assert_eq!(seen, told, "{way}, case {case}: what it was given");
            let found = one.get("k").unwrap().unwrap();
            assert_eq!(
                found.text().unwrap(),
                format!("{}, mine", after.unwrap_or("nothing")),
                "{way}, case {case}"
            );
            assert_eq!((found.version, found.generation), (receipt.version, receipt.generation));
            assert_eq!(receipt.retries, 1, "{way}, case {case}");
        }
    }
}

#[test]
fn an_update_gives_up_after_its_attempts_and_changes_nothing() {
    let (_folder, path) = folder();
    let board = small().beat(SELDOM).create(&path).unwrap();
    let (one, other) = (board.attach("one").unwrap(), board.attach("other").unwrap());
    let retry = Retry::new().pauses(Duration::ZERO, Duration::ZERO);
    for (way, update) in UPDATES {
        for attempts in [1, 3] {
            let mut calls = 0;
            let error = update(&one, retry.attempts(attempts), &mut |_| {
                calls += 1;
                other.put("k", calls.to_string()).unwrap();
                b"mine".to_vec()
            })
            .unwrap_err();
            assert_eq!((error.kind(), calls), (ErrorKind::RetriesExhausted, attempts), "{way}");
            assert_eq!(error.current().unwrap().text(), Some(attempts.to_string().as_str()), "{way}");
            assert_eq!(one.get("k").unwrap().unwrap().writer.name, "other", "{way}");
        }
        let error = update(&one, retry.attempts(0), &mut |_| panic!("no attempt was allowed")).unwrap_err();
        assert_eq!((error.kind(), error.key()), (ErrorKind::InvalidArgument, Some("k")), "{way}");
    }
}

#[test]
fn an_update_that_fails_or_wants_nothing_leaves_the_key_as_it_is() {
    let (_folder, path) = folder();
    let session = small().beat(SELDOM).create(&path).unwrap().attach("one").unwrap();
    session.put("k", "old").unwrap();
    for key in ["k", "none"] {
        let before = session.generation();
        let failed =
            session.try_update(key, Retry::new(), |_| Err::<Option<Replacement<&str>>, _>(Refused::Own));
        assert!(matches!(failed, Err(Refused::Own)), "{failed:?}");
        let nothing = session.try_update(key, Retry::new(), |_| Ok::<Option<Replacement<&str>>, Error>(None));
        assert!(nothing.unwrap().is_none());
        let never = |_: Option<&Entry>| Ok::<_, Error>(Some(Replacement::new("new").ttl(Duration::ZERO)));
        let refused = session.try_update(key, Retry::new(), never).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
        assert_eq!(session.generation(), before);
    }
    assert_eq!(session.get("k").unwrap().unwrap().text(), Some("old"));
    assert!(session.get("none").unwrap().is_none());
}

/// An error of the caller's own.
#[derive(Debug)]
enum Refused {
    Own,
    #[allow(dead_code, reason = "shown by a failing test")]
    Board(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Board(error)
    }
}

/// What a key may be, and how it became that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Never,
    Stands,
    Removed,
    Expired,
}

/// Brings the key into a state. Returns the version and the generation of the newest record: of a removed key they are
/// those of its removal.
fn bring(session: &Session, key: &str, state: State) -> (u64, u64) {
    if state == State::Never {
        return (1, 1);
    }
    session.put(key, "before").unwrap();
    let receipt = match state {
        State::Removed => session.remove(key).unwrap().unwrap(),
        State::Expired => session.put_with(key, "over", PutOptions::new().ttl(AT_ONCE)).unwrap(),
        _ => session.put(key, "stands").unwrap(),
    };
    (receipt.version, receipt.generation)
}

/// What is expected, of the version and the generation of the key's newest record.
type Condition = fn(u64, u64) -> Expect;

/// An earlier number, but not 0, which means no value.
fn another(number: u64) -> u64 {
    if number > 1 { number - 1 } else { 100 }
}

/// The puts that take an expectation.
type Put = fn(&Session, &str, Expect) -> Result<Receipt>;

const PUTS: [(&str, Put); 5] = [
    ("put_if", |session, key, expect| session.put_if(key, "new", expect)),
    ("put_with", |session, key, expect| {
        let options = PutOptions::new().ttl(SELDOM).ephemeral(true).codec(CodecId::UTF8);
        session.put_with(key, "new", options.expect(expect))
    }),
    ("put_as_with", |session, key, expect| {
        session.put_as_with::<codec::Utf8, str>(key, "new", PutOptions::new().expect(expect))
    }),
    ("a new handle's put_if", |session, key, expect| session.key(key)?.put_if("new", expect)),
    ("the put_if of a handle that knows the slot", |session, key, expect| {
        let handle = session.key(key)?;
        handle.get()?;
        handle.put_if("new", expect)
    }),
];

#[test]
fn a_change_happens_exactly_if_its_condition_is_met() {
    let (_folder, path) = folder();
    let session =
        small().keys(4096).capacity(4 << 20).beat(SELDOM).create(&path).unwrap().attach("w").unwrap();
    let mut keys = (0..).map(|n| format!("k{n}"));
    for state in [State::Never, State::Stands, State::Removed, State::Expired] {
        let stands = state == State::Stands;
        // Each with whether it is met.
        let conditions: [(Condition, bool); 11] = [
            (|_, _| Expect::Any, true),
            (|_, _| Expect::Absent, !stands),
            (|_, _| Expect::Version(0), !stands),
            (|_, _| Expect::Generation(0), !stands),
            (|_, _| Expect::Present, stands),
            (|version, _| Expect::Version(version), stands),
            (|_, generation| Expect::Generation(generation), stands),
            (|version, _| Expect::Version(version + 1), false),
            (|_, generation| Expect::Generation(generation + 1), false),
            (|version, _| Expect::Version(another(version)), false),
            (|_, generation| Expect::Generation(another(generation)), false),
        ];
        for (condition, met) in conditions {
            for (call, put) in PUTS {
                let key = keys.next().unwrap();
                let (version, generation) = bring(&session, &key, state);
                let expect = condition(version, generation);
                let outcome = put(&session, &key, expect);
                let found = session.get(&key).unwrap();
                let told = format!("{call} of a key that is {state:?}, {expect:?}: {outcome:?}");
                match outcome {
                    Ok(receipt) if met => {
                        let found = found.unwrap();
                        assert_eq!((found.text(), found.version), (Some("new"), receipt.version), "{told}");
                    }
                    Err(error) if !met && error.is_conflict() => {
                        assert_eq!(error.current(), found.as_ref(), "{told}");
                        assert_eq!(found.map(|entry| entry.version), stands.then_some(version), "{told}");
                    }
                    _ => panic!("{told}"),
                }
            }
            let key = keys.next().unwrap();
            let (version, generation) = bring(&session, &key, state);
            let expect = condition(version, generation);
            let outcome = session.remove_if(&key, expect);
            let found = session.get(&key).unwrap();
            let told = format!("the removal of a key that is {state:?}, {expect:?}: {outcome:?}");
            match outcome {
                Ok(receipt) if met => {
                    assert_eq!(
                        receipt.map(|receipt| receipt.version),
                        stands.then_some(version + 1),
                        "{told}"
                    );
                    assert!(found.is_none(), "{told}");
                }
                Err(error) if !met && error.is_conflict() => {
                    assert_eq!(error.current(), found.as_ref(), "{told}");
                    assert_eq!(found.map(|entry| entry.version), stands.then_some(version), "{told}");
                }
                _ => panic!("{told}"),
            }
        }
    }
}

#[test]
fn what_was_not_changed_takes_no_slot_and_no_generation() {
    let (_folder, path) = folder();
    let session = small().beat(SELDOM).create(&path).unwrap().attach("w").unwrap();
    session.put("k", "stands").unwrap();
    let before = session.metrics().unwrap();
    for n in 0..300 {
        let key = format!("none/{n}");
        for expect in [Expect::Present, Expect::Version(7), Expect::Generation(7)] {
            assert!(session.put_if(&key, "new", expect).unwrap_err().is_conflict());
            assert!(session.remove_if(&key, expect).unwrap_err().is_conflict());
        }
        assert!(session.remove(&key).unwrap().is_none());
        assert!(session.touch(&key, SELDOM).unwrap().is_none());
        assert!(session.put_if("k", "new", Expect::Absent).unwrap_err().is_conflict());
    }
    let after = session.metrics().unwrap();
    assert_eq!((after.slots, after.generation), (before.slots, before.generation));
    assert_eq!(after.totals.conflicts - before.totals.conflicts, 300, "of a key that stands");
}

#[test]
fn every_call_refuses_what_cannot_be_a_key() {
    let (_folder, path) = folder();
    let session = small().beat(SELDOM).create(&path).unwrap().attach("w").unwrap();
    for key in [String::new(), "k".repeat(1025), "k".repeat(1 << 20)] {
        let key = key.as_str();
        let one = || Some((key, "v"));
        let errors = [
            session.get(key).err(),
            session.get_into(key, &mut Vec::new()).err(),
            session.get_as::<codec::Utf8, String>(key).err(),
            session.get_many([key]).remove(0).err(),
            session.view().unwrap().get(key).err(),
            session.wait_newer(key, 0, Duration::ZERO).err(),
            session.key(key).err(),
            session.put(key, "v").err(),
            session.put_if(key, "v", Expect::Absent).err(),
            session.put_with(key, "v", PutOptions::new().ttl(SELDOM)).err(),
            session.put_as::<codec::Utf8, str>(key, "v").err(),
            session.put_many(one()).remove(0).err(),
            session.remove(key).err(),
            session.remove_if(key, Expect::Present).err(),
            session.update(key, |_| "v").err(),
            session.try_update(key, Retry::new(), |_| Ok::<Option<Replacement<&str>>, Error>(None)).err(),
            session.touch(key, SELDOM).err(),
            session.increment(key, 1).err(),
            session.lease(key, SELDOM).err(),
        ];
        for (call, error) in errors.into_iter().enumerate() {
            let kind = error.as_ref().map(Error::kind);
            assert_eq!(kind, Some(ErrorKind::InvalidKey), "call {call}, {} bytes", key.len());
        }
    }
    assert_eq!(session.generation(), 0, "nothing happened");
}

#[test]
fn an_entry_knows_since_when_its_key_has_a_value() {
    let (_folder, path) = folder();
    let session = small().beat(SELDOM).create(&path).unwrap().attach("w").unwrap();
    session.put("other", "").unwrap();
    for _ in 0..3 {
        let began = session.put("k", "1").unwrap().generation;
        for n in 0..4 {
            assert_eq!(session.get("k").unwrap().unwrap().created, began, "after {n} changes");
            session.update("k", |_| n.to_string()).unwrap();
            session.put("other", "").unwrap();
        }
        session.remove("k").unwrap();
    }
}
