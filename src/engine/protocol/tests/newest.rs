//! Who polls a slot, and what answers while a record is not in the history.

use super::*;

/// The newest head of a key, and the tag under which its record would be logged.
fn newest(core: &Core<'_>, key: &str) -> (Slot, Head, u64) {
    let key = Key::new(core.geometry(), key);
    let Sought::Slot(found) = core.find(&key, false).unwrap() else { panic!("the key has a slot") };
    let block = core.block(found.head.block()).unwrap();
    (found.slot, found.head, core.load_state(block).tag())
}

/// Makes a head's record one whose writer was stopped before it entered the event. Returns its generation word.
fn unlog(core: &Core<'_>, head: Head, tag: u64) -> u64 {
    let word = core.gen_of(core.block(head.block()).unwrap());
    word.swap(GenWord::Unlogged(tag).pack(), Relaxed)
}

fn log_again(core: &Core<'_>, head: Head, word: u64) {
    core.gen_of(core.block(head.block()).unwrap()).store(word, Relaxed);
}

/// Who polls a head goes on with what it saw while the next change is not in the history, and only then.
#[test]
fn a_head_is_the_newest_until_the_next_change_is_in_the_history() {
    let heap = Heap::small();
    let core = heap.core();
    let mut lane = heap.lane(0);
    put(&core, &mut lane, "key", b"1", Expect::Any).unwrap();
    let (slot, first, _) = newest(&core, "key");
    assert!(core.is_newest(slot, first));
    put(&core, &mut lane, "key", b"2", Expect::Any).unwrap();
    let (_, second, tag) = newest(&core, "key");
    assert!(!core.is_newest(slot, first) && core.is_newest(slot, second));
    let word = unlog(&core, second, tag);
    assert!(core.is_newest(slot, first), "the second is not in the history");
    assert_eq!(get(&core, "key"), Some((1, b"1".to_vec())));
    log_again(&core, second, word);
    put(&core, &mut lane, "key", b"3", Expect::Any).unwrap();
    let (_, third, tag) = newest(&core, "key");
    let word = unlog(&core, third, tag);
    assert!(!core.is_newest(slot, first), "the second, which is in the history, lies in between");
    assert!(core.is_newest(slot, second));
    log_again(&core, third, word);
    assert!(!core.is_newest(slot, second));
    // The same block in a later life is another record.
    assert!(!core.is_newest(slot, Head::new(HeadKind::Live, first.counter(), third.block())));
    // Nor does a head stand for its block's life in another slot.
    put(&core, &mut lane, "other", b"1", Expect::Any).unwrap();
    let (elsewhere, _, _) = newest(&core, "other");
    assert!(!core.is_newest(elsewhere, third));
    remove(&core, &mut lane, "key").unwrap();
    assert!(!core.is_newest(slot, third), "a removal is a change");
}

/// A reader that meets a record which is not in the history answers from the one before it, whatever that is.
#[test]
fn before_a_record_that_is_not_in_the_history_its_predecessor_answers() {
    let heap = Heap::small();
    let core = heap.core();
    let mut lane = heap.lane(0);
    put(&core, &mut lane, "key", b"1", Expect::Any).unwrap();
    let (slot, head, tag) = newest(&core, "key");
    let ask = || {
        let (key, mut out) = (Key::new(&heap.geo, "key"), Vec::new());
        let by_slot = core.get(&key, Some(slot), Verify::Always, &mut out).unwrap();
        assert_eq!(
            by_slot.map(|copy| (copy.words.version(), out)),
            get(&core, "key"),
            "by its slot, and without"
        );
        get(&core, "key")
    };
    let word = unlog(&core, head, tag);
    assert_eq!(ask(), None, "the key was never there");
    log_again(&core, head, word);
    remove(&core, &mut lane, "key").unwrap();
    assert_eq!(ask(), None);
    let (_, head, tag) = newest(&core, "key");
    let word = unlog(&core, head, tag);
    assert_eq!(ask(), Some((1, b"1".to_vec())), "its removal has not happened");
    log_again(&core, head, word);
    put(&core, &mut lane, "key", b"3", Expect::Any).unwrap();
    assert_eq!(ask(), Some((3, b"3".to_vec())));
    let (_, head, tag) = newest(&core, "key");
    unlog(&core, head, tag);
    assert_eq!(ask(), None, "it was removed");
}

/// A handle does not compare its key again. The record must name its slot, and the checksum covers the key.
#[test]
fn a_record_of_another_slot_and_a_changed_value_are_damage() {
    let heap = Heap::small();
    let core = heap.core();
    let mut lane = heap.lane(0);
    put(&core, &mut lane, "key", b"mine", Expect::Any).unwrap();
    put(&core, &mut lane, "other", b"other", Expect::Any).unwrap();
    let ((slot, mine, _), (_, theirs, _)) = (newest(&core, "key"), newest(&core, "other"));
    let key = Key::new(&heap.geo, "key");
    let ask = |verify| {
        let mut out = Vec::new();
        core.get(&key, Some(slot), verify, &mut out).map(|copy| copy.map(|_| out))
    };
    for verify in [Verify::Always, Verify::Scrub] {
        let head = Head::new(HeadKind::Live, mine.counter(), theirs.block());
        core.at(slot.head_at).store(head.0, Relaxed);
        assert!(matches!(ask(verify), Err(Fault::Corrupt(_))), "{verify:?}: {:?}", ask(verify));
        core.at(slot.head_at).store(mine.0, Relaxed);
        assert_eq!(ask(verify), Ok(Some(b"mine".to_vec())));
    }
    let block = core.block(mine.block()).unwrap();
    let value = core.at(heap.geo.data(block) + record::HEADER_WORDS + 1);
    value.store(value.load(Relaxed) ^ 1, Relaxed);
    assert!(matches!(ask(Verify::Always), Err(Fault::Corrupt(_))));
    assert!(matches!(ask(Verify::Scrub), Ok(Some(_))), "the scrubber finds it");
}
