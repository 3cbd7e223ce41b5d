//! What expired gives its room back, and everybody learns of it, though nobody touches the key again.

use slateboard::{
    Board, Event, MutationKind, Newer, Options, PutOptions, Reader, Session,
    layout::groups::GROUP_WORDS,
    region::{self, Access},
    sync::Ordering,
};
use slateboard_kit::{
    children::SOON,
    judge,
    places::{folder, small},
};
use std::{ops::ControlFlow, path::Path, time::Duration};

/// So seldom that a test sees no beat, and no keeper ends anything.
const NEVER: Duration = Duration::from_secs(1 << 20);
const OFTEN: Duration = Duration::from_millis(20);

fn living(ttl: Duration) -> PutOptions {
    PutOptions::new().ttl(ttl)
}

const AT_ONCE: Duration = Duration::from_nanos(1);
const LONG: Duration = Duration::from_secs(3600);

/// The next event that is an expiry.
fn next_expiry(watch: &mut slateboard::Watch) -> Event {
    loop {
        let event = watch.next_timeout(SOON).unwrap().expect("an event before the time is over");
        if event.mutations[0].kind == MutationKind::Expire {
            return event;
        }
    }
}

#[test]
fn a_keeper_tells_watchers_that_a_time_to_live_is_over() {
    let (_folder, path) = folder();
    let board = small().beat(OFTEN).create(&path).unwrap();
    let (writer, stays) = (board.attach("writer").unwrap(), board.attach("stays").unwrap());
    let absent = small().beat(NEVER).open(&path).unwrap().attach("keeps nothing").unwrap();
    // Shorter than a beat, longer than some, and left behind by a session that is gone.
    for (key, ttl) in [("task/short", 1), ("free/long", 70)] {
        let mut watch = stays.watch("");
        writer.put_with(key, b"brief", living(Duration::from_millis(ttl))).unwrap();
        let event = next_expiry(&mut watch);
        let mutation = &event.mutations[0];
        assert_eq!((mutation.key.as_str(), mutation.version, &mutation.value), (key, 2, &None));
        assert_eq!(mutation.previous.as_ref().unwrap().value, b"brief");
    }
    let mut watch = stays.watch("team/");
    drop(writer);
    absent.put_with("team/left", b"behind", living(Duration::from_millis(40))).unwrap();
    drop(absent);
    assert_eq!(next_expiry(&mut watch).session.name, "stays");
    // The keeper counts behind the event.
    while board.metrics().unwrap().totals.expired < 3 {
        std::thread::yield_now();
    }
    assert_eq!(board.metrics().unwrap().keys, 0);
}

#[test]
fn a_keeper_finds_what_another_board_handle_put() {
    let (_folder, path) = folder();
    let keeps = small().history(1024).beat(OFTEN).create(&path).unwrap().attach("keeps").unwrap();
    let puts = small().beat(NEVER).open(&path).unwrap().attach("puts").unwrap();
    let mut watch = keeps.watch("");
    for n in 0..300 {
        puts.put_with(&format!("x/{n}"), b"brief", living(AT_ONCE)).unwrap();
    }
    let mut keys: Vec<String> = (0..300).map(|_| next_expiry(&mut watch).mutations[0].key.clone()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 300, "each once");
}

#[test]
fn a_renewed_entry_is_not_ended() {
    let (_folder, path) = folder();
    let session = small().beat(Duration::from_millis(1)).create(&path).unwrap().attach("renews").unwrap();
    // Each is over soon, or is renewed: then the value that stays is the renewed one.
    for round in 0..500u64 {
        session.put_with("x", round.to_le_bytes(), living(Duration::from_millis(1))).unwrap();
        session.put_with("x", round.to_le_bytes(), living(LONG)).unwrap();
        assert_eq!(session.get("x").unwrap().unwrap().value, round.to_le_bytes());
        session.put("y", b"").unwrap();
        assert_eq!(session.get("x").unwrap().unwrap().value, round.to_le_bytes());
    }
}

fn without_keepers(options: Options, path: &Path) -> Session {
    options.beat(NEVER).create(path).unwrap().attach("writer").unwrap()
}

#[test]
fn keys_that_expire_never_fill_a_board_without_a_keeper() {
    let (_folder, path) = folder();
    let session = without_keepers(Board::options().capacity(1 << 20).keys(256).history(64), &path);
    for n in 0..200 {
        session.put(&format!("stays/{n}"), n.to_string()).unwrap();
    }
    let expire = |from: u64, to: u64| {
        for n in from..to {
            let key = format!("{}/{n}", ["task", "file", "team", "free"][n as usize % 4]);
            session.put_with(&key, vec![0; 1 + n as usize % 300], living(AT_ONCE)).unwrap();
        }
    };
    expire(0, 20_000);
    let (before, chain) = (session.metrics().unwrap(), judge::assert_sound_with(&path, &[0]).longest_chain);
    expire(20_000, 60_000);
    let (after, chain_after) =
        (session.metrics().unwrap(), judge::assert_sound_with(&path, &[0]).longest_chain);
    assert!(after.slots <= before.slots + before.slots / 5, "{} slots became {}", before.slots, after.slots);
    assert!(chain_after <= chain + 1, "chains of {chain} became {chain_after}");
    assert!(after.totals.expired > 50_000, "{after:?}");
    assert_eq!(session.list("stays/").into_vec().unwrap().len(), 200);
    drop(session);
    judge::assert_sound(&path);
}

/// Puts large values until one is refused.
fn fill(session: &Session, options: PutOptions) -> u64 {
    for n in 0.. {
        if let Err(error) = session.put_with(&format!("fill/{n}"), vec![7; 20_000], options) {
            assert!(error.is_full(), "{error}");
            return n;
        }
    }
    unreachable!("a board is finite")
}

#[test]
fn a_put_is_refused_only_for_what_lives() {
    let (_folder, path) = folder();
    let session = without_keepers(small(), &path);
    let brief = Duration::from_millis(200);
    for n in 0..20 {
        session.put_with(&format!("brief/{n}"), vec![7; 20_000], living(brief)).unwrap();
    }
    let long = fill(&session, living(LONG));
    // The put that was refused has looked at everything, and knows when the next entry is over.
    while session.get("brief/19").unwrap().is_some() {
        std::thread::sleep(Duration::from_millis(5));
    }
    // A quarter of the board may be held by the history.
    let again = (0..).take_while(|n| session.put(&format!("again/{n}"), vec![7; 20_000]).is_ok()).count();
    assert!(again >= 5, "{again} values in the room of 20, beside {long}");
    assert_eq!(session.metrics().unwrap().totals.expired, 20);
    assert_eq!(session.list("").into_vec().unwrap().len(), long as usize + again);
    drop(session);
    judge::assert_sound(&path);
}

#[test]
fn words_that_damage_made_too_late_cost_no_room() {
    let (_folder, path) = folder();
    let session = without_keepers(small(), &path);
    let brief = Duration::from_millis(300);
    let full = fill(&session, living(brief));
    while session.get(&format!("fill/{}", full - 1)).unwrap().is_some() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let file = region::open(&path, Access::ReadWrite).unwrap();
    let groups = file.geometry.groups();
    for word in groups.word(0)..groups.word(0) + groups.count() * GROUP_WORDS {
        file.mapping.words()[word].store(0, Ordering::Relaxed);
    }
    for n in 0..full / 2 {
        session.put(&format!("again/{n}"), vec![7; 20_000]).unwrap();
    }
    assert_eq!(session.list("").into_vec().unwrap().len() as u64, full / 2);
    drop(session);
    judge::assert_sound(&path);
}

#[test]
fn a_keeper_mends_words_that_damage_made_too_late() {
    let (_folder, path) = folder();
    let board = small().keys(1).beat(Duration::from_millis(1)).create(&path).unwrap();
    let writer = small().beat(NEVER).open(&path).unwrap().attach("writer").unwrap();
    let mut watch = writer.watch("");
    writer.put_with("x", b"brief", living(AT_ONCE)).unwrap();
    let file = region::open(&path, Access::ReadWrite).unwrap();
    let groups = file.geometry.groups();
    for word in groups.word(0)..groups.word(0) + groups.count() * GROUP_WORDS {
        file.mapping.words()[word].store(0, Ordering::Relaxed);
    }
    let _keeps = board.attach("keeps").unwrap();
    assert_eq!(next_expiry(&mut watch).mutations[0].key, "x");
}

/// Keys of the view, by all that tell them.
fn keys(view: &slateboard::View) -> Vec<String> {
    let listed: Vec<String> = view.list("").into_vec().unwrap().into_iter().map(|entry| entry.key).collect();
    let mut scanned = Vec::new();
    view.list("")
        .scan(|key, _, _| {
            scanned.push(key.to_owned());
            ControlFlow::<()>::Continue(())
        })
        .unwrap();
    assert_eq!(listed, scanned);
    for key in ["brief", "long", "over"] {
        let got = view.get(key).unwrap().is_some();
        assert_eq!(got, listed.iter().any(|listed| listed == key), "{key}");
    }
    listed
}

#[test]
fn a_view_is_of_one_instant_or_of_none() {
    let (_folder, path) = folder();
    let session = without_keepers(small(), &path);
    // The keys get their slots first, because a put that needs a slot ends what expired in its chain of buckets.
    for key in ["long", "brief", "over"] {
        session.put(key, b"").unwrap();
    }
    session.put_with("long", b"", living(LONG)).unwrap();
    session.put_with("brief", b"", living(Duration::from_millis(200))).unwrap();
    let over = session.put_with("over", b"", living(AT_ONCE)).unwrap().generation;
    let (present, given) = (session.view().unwrap(), session.view_at(over).unwrap());
    let lived = session.get("brief").unwrap().is_some();
    // Twice: the first lists by a look at every slot, the later ones by the index.
    for _ in 0..3 {
        assert!(!lived || keys(&present) == ["brief", "long"]);
        assert_eq!(keys(&given), ["brief", "long", "over"]);
    }
    while session.get("brief").unwrap().is_some() {
        std::thread::sleep(Duration::from_millis(5));
    }
    for _ in 0..3 {
        assert!(!lived || keys(&present) == ["brief", "long"], "what was there is there");
        assert_eq!(keys(&given), ["brief", "long", "over"]);
        assert_eq!(keys(&session.view_at(over).unwrap()), ["brief", "long", "over"]);
        assert_eq!(keys(&session.view().unwrap()), ["long"]);
    }
    // The expire event of the one comes first, then the new value.
    let put = session.put("over", b"anew").unwrap().generation;
    assert_eq!(put, over + 2);
    assert_eq!(keys(&session.view_at(over).unwrap()), ["brief", "long", "over"]);
    assert_eq!(keys(&session.view_at(over + 1).unwrap()), ["brief", "long"]);
    assert_eq!(keys(&session.view_at(put).unwrap()), ["brief", "long", "over"]);
    assert_eq!(keys(&session.view().unwrap()), ["long", "over"]);
}

#[test]
fn waits_end_with_the_time_to_live() {
    let (_folder, path) = folder();
    let session = without_keepers(small(), &path);
    let observer: Reader = Board::options().open_read_only(&path).unwrap();
    let put = |key: &str| session.put_with(key, b"brief", living(Duration::from_millis(30))).unwrap().version;
    let version = put("task/a");
    assert_eq!(observer.wait_newer("task/a", version, SOON).unwrap(), Some(Newer::Removed));
    assert_eq!(session.wait_newer("task/a", 1, SOON).unwrap(), Some(Newer::Removed));
    let version = put("task/b");
    assert_eq!(session.key("task/b").unwrap().wait_newer(version, SOON).unwrap(), Some(Newer::Removed));
    // Nobody published anything: nobody needed to.
    assert_eq!(session.metrics().unwrap().totals.expired, 0);
}
