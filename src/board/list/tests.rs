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
