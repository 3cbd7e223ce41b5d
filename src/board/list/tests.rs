//! Lists whose generation leaves the history just then, and the order of keys that are read one by one.

use super::*;
use crate::{Board, Session};
use std::cell::RefCell;

#[test]
fn a_key_that_a_walk_found_twice_is_told_once() {
    let found = || ["b", "a", "c", "a"].map(String::from).to_vec();
    for (backwards, expected) in [(false, ["a", "b", "c"]), (true, ["c", "b", "a"])] {
        let mut keys = found();
        in_order(&mut keys, backwards);
        assert_eq!(keys, expected);
    }
}

/// A list whose keys are read one by one, as beside writers that never pause: `make` may change the board.
#[test]
#[cfg_attr(miri, ignore = "maps memory")]
fn keys_that_are_read_one_by_one_have_the_damage_of_their_range_and_the_generation_of_the_beginning() {
    let session = Board::options().capacity(1 << 20).keys(64).local().unwrap().attach("writer").unwrap();
    let reader = session.reader();
    for key in ["a/1", "a/2", "b/1"] {
        session.put(key, [7; 100]).unwrap();
    }
    let core = reader.core().unwrap();
    for key in ["a/1", "b/1"] {
        // The last word of the value, which only the checksum knows.
        let slot_key = slots::Key::new(core.geometry(), key);
        let mut found = CopiedRecord::EMPTY;
        assert!(reader.read(&core, &slot_key, None, &mut found, &mut Vec::new()).unwrap());
        let last = core.geometry().data(core.geometry().block(found.head.block()).unwrap())
            + found.words.record_words()
            - 1;
        reader.region.words().unwrap()[last].store(0, crate::sync::Ordering::Relaxed);
    }
    let make = |_: &Reader, _: &Core<'_>, key: &str, _: &[u8], _: &CopiedRecord| {
        session.put("c", "meanwhile").unwrap();
        key.to_owned()
    };
    let listing = session.list("").range("a"..="a/9").one_by_one(reader, make).unwrap();
    assert_eq!((listing.entries, listing.generation, listing.exact), (vec!["a/2".to_owned()], 3, false));
    assert_eq!(listing.damaged, [Damage::of_key("a/1", "its newest record")]);
}

#[test]
#[cfg_attr(miri, ignore = "maps memory")]
fn an_item_is_told_only_if_its_names_were_still_its_own() {
    thread_local!(static WRITER: RefCell<Option<Session>> = const { RefCell::new(None) });
    let session = Board::options().capacity(1 << 20).keys(64).local().unwrap().attach("writer").unwrap();
    session.put("task/1", "open").unwrap();
    let view = session.view().unwrap();
    let make: Make<String> = |reader, core, key, value, found| {
        let entry = reader.entry(core, key.to_owned(), value.to_vec(), &found.header(), found.generation);
        WRITER.with_borrow(|writer| {
            let writer = writer.as_ref().expect("a session");
            while core.floor() < writer.generation().min(100) {
                writer.put("busy", "").unwrap();
            }
        });
        entry.writer.name
    };
    let List { of, span, backwards, limit, .. } = view.list("");
    let mut list = List { of, span, backwards, limit, values: true, make, cursor: None, over: false };
    WRITER.set(Some(session));
    assert!(list.next().unwrap().unwrap_err().is_lagged());
    assert!(list.next().is_none());
    WRITER.set(None);
}
