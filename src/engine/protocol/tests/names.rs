//! The table of session names: who shares an entry, and which entries a sweep of a full table keeps.

use super::{Heap, put};
use crate::{
    layout::{Shape, Writer, session},
    protocol::{
        Core, Fault, Full,
        lane::Lane,
        publish::{Expect, Now},
        sessions::Identity,
    },
    sync::Ordering::Relaxed,
};

/// A sweep of a full table frees the names that nothing refers to. It keeps those of attached sessions, of values, and of
/// what the history still holds.
#[test]
fn a_sweep_of_names_keeps_those_that_are_referred_to() {
    let heap = Heap::new(Shape { names: 8, ..Shape::sized(1 << 20, 64, 64, 3) });
    let core = heap.core();
    let attach = |session: usize, name: &str| {
        let writer = core.occupy(session, 0, &Identity::default());
        core.intern(name, session).map(|name| Lane::new(&core, 0, Writer { name, ..writer }))
    };
    let put = |lane: &mut Lane, key: &str| put(&core, lane, key, b"value", Expect::Any).unwrap();
    let leave = |mut lane: Lane| core.leave(std::slice::from_mut(&mut lane), Now::default()).unwrap();
    let mut value = attach(0, "has a value").unwrap();
    put(&mut value, "kept");
    leave(value);
    let mut old = attach(0, "in the history").unwrap();
    put(&mut old, "changed");
    leave(old);
    let mut here = attach(1, "here").unwrap();
    put(&mut here, "changed");
    // Entries 4 to 7 are taken and freed.
    for number in 0..100 {
        let name = format!("passing {number}");
        let lane = attach(0, &name).unwrap();
        assert_eq!(core.name(lane.writer.name), Some(name));
        leave(lane);
    }
    for (index, name) in [(1, "has a value"), (2, "in the history"), (3, "here")] {
        assert_eq!(core.name(index).as_deref(), Some(name));
    }
    // The record leaves the history, and its name becomes free.
    while core.advance_floor(&mut here, false).unwrap() {}
    assert_eq!(core.sweep_names(), Ok(true));
    // A session that found the table full, and sweeps it after another did, finds what that freed.
    assert_eq!(core.sweep_names(), Ok(true));
    assert_eq!((core.name(1).as_deref(), core.name(2)), (Some("has a value"), None));
    // If something refers to all entries, another name is refused.
    let lanes: Vec<Lane> = (0..5)
        .map(|number| {
            let mut lane = attach(0, &format!("writes {number}")).unwrap();
            put(&mut lane, &format!("by {number}"));
            lane
        })
        .collect();
    assert_eq!(lanes.len(), 5);
    assert_eq!(attach(0, "one too many").err(), Some(Fault::Full(Full::Names)));
}

/// A board for seven names, and a session that is attached under one.
fn attached(heap: &Heap, session: usize, name: &str) -> Result<Lane, Fault> {
    let core = heap.core();
    let writer = core.occupy(session, 0, &Identity::default());
    core.intern(name, session).map(|name| Lane::new(&core, 0, Writer { name, ..writer }))
}

/// Sessions of one name share its entry. A session for whose name there is no room refers to none.
#[test]
fn a_name_has_one_entry_and_a_session_without_one_refers_to_none() {
    let heap = Heap::new(Shape { names: 3, ..Shape::sized(1 << 20, 64, 64, 3) });
    let core = heap.core();
    let lanes = [0, 1].map(|session| attached(&heap, session, "shared").unwrap());
    assert_eq!(lanes.map(|lane| lane.writer.name), [1, 1]);
    attached(&heap, 1, "other").unwrap();
    assert_eq!(attached(&heap, 2, "refused").err(), Some(Fault::Full(Full::Names)));
    assert_eq!(core.at(core.geometry().session(2) + session::NAME).load(Relaxed), 0);
}

/// A name that another one begins with is a name of its own.
#[test]
fn a_name_is_compared_in_whole() {
    let heap = Heap::new(Shape { names: 4, ..Shape::sized(1 << 20, 64, 64, 3) });
    let core = heap.core();
    let lanes = ["planner-2", "planner"].map(|name| {
        let session = usize::from(name == "planner");
        attached(&heap, session, name).unwrap()
    });
    assert_eq!(lanes.map(|lane| core.name(lane.writer.name).unwrap()), ["planner-2", "planner"]);
}

/// A name that nothing refers to any more makes room for another, and does not count.
#[test]
#[cfg_attr(miri, ignore = "looks at a whole board")]
fn only_names_that_something_refers_to_are_in_use() {
    let heap = Heap::new(Shape { names: 8, ..Shape::sized(1 << 20, 64, 64, 3) });
    let core = heap.core();
    let mut writer = attached(&heap, 0, "writer").unwrap();
    let mut idle = attached(&heap, 1, "idle").unwrap();
    assert_eq!(core.names_in_use(), 2);
    put(&core, &mut writer, "key", b"value", Expect::Any).unwrap();
    for lane in [&mut writer, &mut idle] {
        core.leave(std::slice::from_mut(lane), Now::default()).unwrap();
    }
    assert_eq!(core.names_in_use(), 1, "the writer's value stands");
}

/// The history still holds a record whose writer has ended, as an event and as what an event superseded. A name stays as
/// long as one of the two.
#[test]
fn a_name_stays_as_long_as_the_history_shows_it() {
    let heap = Heap::new(Shape { names: 8, ..Shape::sized(1 << 20, 64, 64, 4) });
    let core = heap.core();
    for name in ["first", "second", "third"] {
        let mut lane = attached(&heap, 0, name).unwrap();
        put(&core, &mut lane, "key", b"value", Expect::Any).unwrap();
        core.leave(std::slice::from_mut(&mut lane), Now::default()).unwrap();
    }
    let mut here = attached(&heap, 1, "here").unwrap();
    let swept = |core: &Core<'_>| {
        core.sweep_names().unwrap();
        [1, 2, 3, 4].map(|name| core.name(name).is_some())
    };
    // The events are the first's, the second's, the third's.
    assert_eq!(swept(&core), [true, true, true, true]);
    core.advance_floor(&mut here, false).unwrap();
    assert_eq!(swept(&core), [true, true, true, true], "the second event superseded the first's record");
    core.advance_floor(&mut here, false).unwrap();
    assert_eq!(swept(&core), [false, true, true, true]);
    core.advance_floor(&mut here, false).unwrap();
    assert_eq!(swept(&core), [false, false, true, true]);
}
