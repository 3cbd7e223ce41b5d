//! An event that was entered and has its generation word counts for readers, although its writer was killed before it
//! raised the counter, and nobody is attached who would.

use slateboard::{
    Board, Reader, Wait,
    layout::{geometry, header},
    region::{self, Access, RegionFile},
    sync::Ordering,
};
use slateboard_kit::places::{folder, small};
use std::{path::Path, time::Duration};

const NOW: Duration = Duration::ZERO;

/// A board whose last put, of `key`, was killed between its generation word and the counter.
fn uncounted(path: &Path, key: &str, shard_too: bool) -> (Board, u64) {
    let board = small().create(path).unwrap();
    let session = board.attach("writer").unwrap();
    for n in 0..3 {
        session.put(key, format!("value {n}")).unwrap();
        session.put("other/key", "other").unwrap();
    }
    let before = board.generation();
    let told = session.put(key, "last").unwrap().generation;
    drop(session);
    let file = region::open(path, Access::ReadWrite).unwrap();
    let store = |at: usize, word| file.mapping.words()[at].store(word, Ordering::Release);
    store(header::GENERATION, before);
    if !shard_too {
        store(shard_word(&file, key), before - 1);
    }
    (board, told)
}

fn shard_word(file: &RegionFile, key: &str) -> usize {
    let geometry = &file.geometry;
    let shard = geometry.shard_of(key, geometry.hash(key.as_bytes()));
    geometry.shard(shard) + geometry::SHARD_CHANGES
}

fn has_it(reader: &Reader, key: &str, told: u64) {
    let found = reader.get(key).unwrap().unwrap();
    assert_eq!((found.generation, found.text()), (told, Some("last")));
    assert_eq!((reader.generation(), reader.metrics().unwrap().generation), (told, told));
    for view in [reader.view().unwrap(), reader.view_at(told).unwrap()] {
        assert_eq!((view.generation(), view.get(key).unwrap().unwrap().generation), (told, told));
    }
    // Without an index, with one that is made, with one that is there.
    for _ in 0..3 {
        let listed = reader.list("").into_vec().unwrap();
        assert!(listed.iter().any(|entry| entry.generation == told && entry.key == key), "{listed:?}");
    }
    assert_eq!(reader.event(told).unwrap().generation, told);
    let last = reader.events(0).last().unwrap().unwrap();
    assert_eq!(last.generation, told);
    for (prefix, wait) in [("", Wait::Spin), ("task/", Wait::Adaptive), ("task/k", Wait::Sleep)] {
        for since in [0, told - 1] {
            let mut watch = reader.watch(prefix).since(since).wait(wait);
            let mut newest = None;
            while let Some(event) = watch.next_timeout(NOW).unwrap() {
                newest = Some(event.generation);
            }
            assert_eq!(newest, Some(told), "a watch of {prefix:?} from {since} on");
        }
    }
    // From the present on, which has it.
    assert_eq!(reader.watch("task/").next_timeout(NOW).unwrap(), None);
    assert!(reader.wait_newer(key, found.version - 1, NOW).unwrap().is_some());
    let future = reader.view_at(told + 1).err().unwrap();
    assert!(future.to_string().contains(&format!("the newest is {told}")), "{future}");
}

#[test]
fn what_a_get_told_is_listed_viewed_watched_and_counted_for_readers() {
    for shard_too in [true, false] {
        let (_folder, path) = folder();
        let (board, told) = uncounted(&path, "task/key", shard_too);
        let observer = board.read_only().unwrap();
        has_it(&observer, "task/key", told);
        has_it(&board.reader(), "task/key", told);
        // Readers stored nothing.
        let file = region::open(&path, Access::ReadOnly).unwrap();
        assert_eq!(file.mapping.words()[header::GENERATION].load(Ordering::Acquire), told - 1);
        // A watch that went on before it was counted misses nothing, and tells nothing twice.
        let mut watch = observer.watch("task/").since(told - 1);
        assert_eq!(watch.next_timeout(NOW).unwrap().unwrap().generation, told);
        let session = board.attach("next").unwrap();
        assert_eq!(session.put("task/key", "next").unwrap().generation, told + 1);
        assert_eq!(watch.next_timeout(NOW).unwrap().unwrap().generation, told + 1);
        assert_eq!(watch.next_timeout(NOW).unwrap(), None);
    }
}

#[test]
fn who_attaches_counts_it_before_anything_else() {
    let (_folder, path) = folder();
    let (_board, told) = uncounted(&path, "task/key", true);
    let file = region::open(&path, Access::ReadOnly).unwrap();
    let counted = || file.mapping.words()[header::GENERATION].load(Ordering::Acquire);
    assert_eq!(counted(), told - 1);
    // Its keeper does nothing, and it writes nothing.
    let seldom = small().beat(Duration::from_secs(1 << 20));
    let session = seldom.open(&path).unwrap().attach("next").unwrap();
    assert_eq!(counted(), told);
    drop(session);
}
