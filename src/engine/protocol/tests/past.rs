//! Reads at a generation, beside the end of a slot's life: a tombstone belongs to no event, so its block passes on while the
//! generation of its removal can still be read.

use super::*;
use crate::protocol::{retention::Least, slots::SlotHead};
use std::sync::Mutex;

/// Long enough to be copied by the machine.
fn key(number: usize) -> String {
    format!("{number:0>300}")
}

/// A board of one bucket.
fn board() -> Heap {
    Heap::new(Shape {
        dedicated: Vec::new(),
        dedicated_buckets: 0,
        uniform_shards: 1,
        uniform_buckets: 1,
        overflow_max: 0,
        ..Shape::sized(1 << 20, 64, 64, 3)
    })
}

/// Puts keys 0 to 2, and removes the first. That is generation 4.
fn begin(core: &Core<'_>, lane: &mut Lane) {
    for number in 0..3 {
        put(core, lane, &key(number), b"", Expect::Absent).unwrap();
    }
    remove(core, lane, &key(0)).unwrap();
    assert_eq!(core.generation(), 4);
}

/// The slot of the removed key.
fn removed(core: &Core<'_>) -> SlotHead {
    let Ok(Sought::Slot(found)) = core.find(&Key::new(core.geometry(), &key(0)), false) else {
        panic!("it has a slot until the floor passes its removal")
    };
    found
}

/// The floor passes the removal, and a change of another key takes the tombstone's block. Generation 4 can still be read.
fn pass_on(core: &Core<'_>, lane: &mut Lane) {
    let block = core.block(removed(core).head.block()).unwrap();
    let life = core.load_state(block).tag();
    while core.shrink_to(lane, Least::Nothing).unwrap() {}
    for _ in 0..20 {
        put(core, lane, &key(1), b"", Expect::Any).unwrap();
        if core.load_state(block).tag() != life && matches!(core.load_gen(block), GenWord::Generation(_)) {
            assert_eq!(core.floor(), 4);
            return;
        }
    }
    panic!("the block is not used again");
}

/// Lets the slot's life end when a key is copied.
struct Meddler<'h> {
    heap: &'h Heap,
    lane: Mutex<Option<Lane>>,
}

impl Machine for Meddler<'_> {
    fn load(&self, from: &[AtomicU64], to: &mut [u8]) {
        let lane = self.lane.lock().unwrap().take();
        if let Some(mut lane) = lane {
            pass_on(&self.heap.core(), &mut lane);
        }
        Silent.load(from, to);
    }
}

#[test]
fn a_removed_key_whose_slot_passes_on_while_it_is_copied_is_absent() {
    for listed in [false, true] {
        let heap = board();
        let mut lane = heap.lane(0);
        begin(&heap.core(), &mut lane);
        let meddler = Meddler { heap: &heap, lane: Mutex::new(Some(lane)) };
        let core = heap.core_of(&meddler);
        let point = core.point();
        if listed {
            let mut keys = Vec::new();
            core.list_at("", point, Verify::Always, |item| keys.push(item.unwrap().key)).unwrap();
            assert_eq!(keys, [key(1).into_bytes(), key(2).into_bytes()]);
        } else {
            assert_eq!(core.get_at(&Key::new(&heap.geo, &key(0)), point, Verify::Always), Ok(None));
        }
        assert!(meddler.lane.lock().unwrap().is_none(), "nothing was copied");
    }
}

#[test]
fn a_slot_that_passed_on_leads_to_no_record_of_another_key() {
    let heap = board();
    let core = heap.core();
    let mut lane = heap.lane(0);
    begin(&core, &mut lane);
    let point = core.point();
    let found = removed(&core);
    pass_on(&core, &mut lane);
    assert_eq!(core.record_at(found, point), Ok(None));
}
