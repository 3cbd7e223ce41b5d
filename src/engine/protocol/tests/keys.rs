//! What an index and a list read of a slot: nothing is believed of an event, a record or a slot that does not fit the key.

use super::*;
use crate::protocol::read::CopiedRecord;

/// A board with three keys of the same age. The second lives in the chain of the first, and the third has its fingerprint.
struct Neighbours {
    heap: Heap,
    mine: String,
    near: String,
    alike: String,
}

impl Neighbours {
    fn new() -> Self {
        let heap = Heap::small();
        let mine = String::from("task/0");
        let key = Key::new(&heap.geo, &mine);
        let find = |wanted: &dyn Fn(&Key<'_>) -> bool| {
            let mut names = (1..).map(|n| format!("task/{n}"));
            names.find(|name| wanted(&Key::new(&heap.geo, name))).expect("such a key")
        };
        let near = find(&|other| other.bucket == key.bucket && other.fingerprint != key.fingerprint);
        let alike = find(&|other| other.bucket != key.bucket && other.fingerprint == key.fingerprint);
        let mut lane = heap.lane(0);
        for name in [&mine, &near, &alike] {
            put(&heap.core(), &mut lane, name, name.as_bytes(), Expect::Any).unwrap();
        }
        Self { heap, mine, near, alike }
    }

    /// The key's slot, and the first word of its newest record.
    fn place(&self, name: &str) -> (Slot, usize) {
        let core = self.heap.core();
        let Sought::Slot(found) = core.find(&Key::new(&self.heap.geo, name), false).unwrap() else {
            panic!("{name} has a slot")
        };
        (found.slot, self.heap.geo.data(core.block(found.head.block()).unwrap()))
    }

    /// What a read in this slot tells of a key: its value, if it has one.
    fn get_in(&self, name: &str, head_at: usize) -> Result<Option<Vec<u8>>, Fault> {
        let core = self.heap.core();
        let (mut copy, mut out) = (CopiedRecord::EMPTY, Vec::new());
        let key = Key::new(&self.heap.geo, name);
        let is = core.get_in(&key, head_at, core.point(), Verify::Always, &mut copy, &mut out)?;
        Ok(is.then_some(out))
    }
}

/// Damage of a record could otherwise give its key the slot of another, which lists would then miss.
#[test]
#[cfg_attr(miri, ignore = "looks for a key with the same fingerprint")]
fn an_event_is_believed_only_if_it_fits_the_slot_that_it_names() {
    let board = Neighbours::new();
    let core = board.heap.core();
    let change = || core.slot_change(1, |_| true, &mut Vec::new()).map(|change| change.head_at);
    let (mine, record) = board.place(&board.mine);
    assert_eq!(change(), Ok(mine.head_at));
    let damaged = |word: usize, bits: u64| {
        board.heap.word(record + word).fetch_xor(bits, Relaxed);
        let outcome = change();
        board.heap.word(record + word).fetch_xor(bits, Relaxed);
        outcome
    };
    let other = |name: &str| ((mine.head_at ^ board.place(name).0.head_at) as u64) << 32;
    let wrong = Err(Fault::Corrupt("an event's slot"));
    assert_eq!(damaged(record::PLACE, other(&board.near)), wrong, "another fingerprint in the chain");
    assert_eq!(damaged(record::PLACE, other(&board.alike)), wrong, "the same fingerprint in another chain");
    let previous = board.heap.word(record + record::PREVIOUS).load(Relaxed);
    let later = Head::new(HeadKind::Freed, Head(previous).counter() + 1, 0).0;
    assert_eq!(damaged(record::PREVIOUS, previous ^ later), wrong, "a head that comes after the present one");
    assert_eq!(change(), Ok(mine.head_at));
}

#[test]
#[cfg_attr(miri, ignore = "looks for a key with the same fingerprint")]
fn a_key_whose_slot_has_another_by_now_is_read_where_it_lives() {
    let board = Neighbours::new();
    let (near, record) = board.place(&board.near);
    let value = |name: &str| Ok(Some(name.as_bytes().to_vec()));
    assert_eq!(board.get_in(&board.near, near.head_at), value(&board.near));
    assert_eq!(board.get_in(&board.mine, near.head_at), value(&board.mine));
    assert_eq!(board.get_in("task/absent", near.head_at), Ok(None));
    // The record in the slot is damaged, so that its key is another: neither key is absent.
    board.heap.word(record + record::HEADER_WORDS).fetch_xor(1, Relaxed);
    let damaged = Err(Fault::Corrupt("a record's checksum"));
    assert_eq!(board.get_in(&board.near, near.head_at), damaged);
    assert_eq!(board.get_in(&board.mine, near.head_at), damaged);
}

/// A value of three pieces, of which the last is shorter, is the same by every way to read it.
#[test]
fn a_value_in_pieces_is_read_piece_by_piece() {
    let heap = Heap::small();
    let core = heap.core();
    let value: Vec<u8> = (0..10_000_u32).flat_map(|n| (n as u16).to_le_bytes()).take(9_001).collect();
    assert_eq!(core.pieces(value.len()), 3);
    put(&core, &mut heap.lane(0), "long", &value, Expect::Any).unwrap();
    assert_eq!(get(&core, "long"), Some((1, value.clone())));
    let key = Key::new(&heap.geo, "long");
    assert_eq!(
        core.get_at(&key, core.point(), Verify::Always).unwrap().map(|item| item.value),
        Some(value.clone())
    );
    let event = core.event(1, Verify::Always, |_| true).unwrap().unwrap();
    assert_eq!(event.item.value, value);
}

#[test]
#[cfg_attr(miri, ignore = "looks for a key with the same fingerprint")]
fn a_list_reports_no_key_that_a_read_does_not_find() {
    let board = Neighbours::new();
    let (mine, _) = board.place(&board.mine);
    board.heap.word(mine.head_at - 1).fetch_xor(1, Relaxed);
    assert_eq!(get(&board.heap.core(), &board.mine), None);
    let wrong = Err(Fault::Corrupt("the hash of a record's slot"));
    assert_eq!(board.get_in(&board.mine, mine.head_at), wrong);
}

/// The keys and the damage that a walk without the history tells, in order.
fn present(core: &Core<'_>, prefix: &str) -> Result<(Vec<String>, Vec<Option<String>>), Fault> {
    let (mut keys, mut damaged) = (Vec::new(), Vec::new());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    core.present_keys(prefix, |key| match key {
        Ok(key) => keys.push(text(key)),
        Err(found) => damaged.push(found.key.as_deref().map(text)),
    })?;
    keys.sort_unstable();
    Ok((keys, damaged))
}

#[test]
fn a_walk_without_the_history_tells_its_prefix_and_its_damage_alone() {
    let heap = Heap::small();
    let core = heap.core();
    let mut lane = heap.lane(0);
    for name in ["task/1", "task/10", "task/2", "free/1"] {
        put(&core, &mut lane, name, b"1", Expect::Any).unwrap();
    }
    put(&core, &mut lane, "task/2", b"2", Expect::Any).unwrap();
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(present(&core, "task/1"), Ok((names(&["task/1", "task/10"]), vec![])));
    // The newest record has another key. The one before it still tells whose slot this is.
    let Sought::Slot(found) = core.find(&Key::new(&heap.geo, "task/2"), false).unwrap() else { panic!() };
    let record = heap.geo.data(core.block(found.head.block()).unwrap());
    heap.word(record + record::HEADER_WORDS).fetch_xor(1 << 40, Relaxed);
    assert_eq!(present(&core, "task/1"), Ok((names(&["task/1", "task/10"]), vec![])));
    let damaged = (names(&["task/1", "task/10"]), vec![Some("task/2".to_owned())]);
    assert_eq!(present(&core, "task/"), Ok(damaged));
    // A slot that has moved is not absent.
    let head = heap.word(found.slot.head_at);
    head.store(found.head.next(HeadKind::Moved, found.head.block()).0, Relaxed);
    assert_eq!(present(&core, "task/"), Err(Fault::Moved));
}
