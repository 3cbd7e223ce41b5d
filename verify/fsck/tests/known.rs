//! What the caller knows about a board besides its words: each rule finds a board that contradicts it. The board is in
//! memory and has no header, so the caller gives its layout.

use slateboard::{
    layout::{Geometry, Head, Shape, State, StateKind, geometry, record, record::RecordKind},
    protocol::{
        Core, Silent,
        lane::Lane,
        publish::{Change, Expect, Now, Outcome},
        sessions::Identity,
        slots::Key,
    },
    sync::{AtomicU64, Ordering},
};
use slateboard_fsck::{Known, KnownEvent, Layout, Profile, RULES, check_known};
use std::sync::LazyLock;

/// A board at rest, and what is known about it.
#[derive(Clone)]
struct Sample {
    words: Vec<u64>,
    geo: Geometry,
    events: Vec<KnownEvent<'static>>,
    private: Vec<usize>,
    living: Vec<u16>,
}

static SOUND: LazyLock<Sample> = LazyLock::new(Sample::new);

impl Sample {
    /// The removal of `gone` has left the history, `often` was put again and again, `other` once. Session 1 is attached
    /// and owns private blocks.
    fn new() -> Self {
        let geo = Geometry::new(Shape::sized(1 << 20, 64, 64, 3), 7).unwrap();
        let cells: Vec<AtomicU64> = (0..geo.words()).map(|_| AtomicU64::new(0)).collect();
        let core = Core::new(&cells, &[], &Silent, &geo).unwrap();
        core.raise_reserved(geo.extents());
        core.cut_reserve();
        let mut lane = Lane::new(&core, 0, core.occupy(1, 0, &Identity::default()));
        let remove = Change::tombstone(RecordKind::Removed, Expect::Any);
        let put = Change::put(b"value", Expect::Any);
        let calls = [("gone", put), ("gone", remove)].into_iter();
        let calls = calls.chain((0..200).map(|_| ("often", put))).chain([("other", put)]);
        let mut events = Vec::new();
        for (key, change) in calls {
            let outcome = core.change(&mut lane, &Key::new(&geo, key), &change, Now::default(), None);
            let Ok(Outcome::Done { version, generation, .. }) = outcome else { panic!("{outcome:?}") };
            let word = |at: usize| cells[at].load(Ordering::Relaxed);
            let block = (word(geo.ring(generation)) & 0x7f_ffff) as u32;
            let previous = Head(word(geo.data(geo.block(block).unwrap()) + record::PREVIOUS));
            events.push(KnownEvent {
                generation,
                key: key.as_bytes(),
                version,
                value: change.kind == RecordKind::Value,
                block,
                superseded: previous.block(),
            });
        }
        let words: Vec<u64> = cells.iter().map(|cell| cell.load(Ordering::Relaxed)).collect();
        let states = (1..geo.granules()).map(|index| State(words[geo.state(geo.block(index).unwrap())]));
        let private = vec![0, states.filter(|state| state.is(StateKind::Claimed)).count()];
        assert!(private[1] > 0);
        Self { words, geo, events, private, living: vec![1] }
    }

    fn last(&mut self) -> &mut KnownEvent<'static> {
        self.events.last_mut().unwrap()
    }

    fn rules_broken(&self) -> Vec<&'static str> {
        let layout = Layout::new(Profile::PRODUCT, self.geo.seed(), &self.geo.shape().pack()).unwrap();
        let known = Known { living: &self.living, private: Some(&self.private), events: Some(&self.events) };
        match check_known(&self.words, &layout, &known) {
            Ok(_) => Vec::new(),
            Err(findings) => findings.into_iter().map(|finding| finding.rule).collect(),
        }
    }
}

type Break = fn(&mut Sample);

/// A rule, and a change that breaks it.
const BREAKS: &[(&str, Break)] = &[
    ("geometry", |board| board.words.truncate(board.geo.words() - 1)),
    ("known-event", |board| board.last().version += 1),
    ("known-event", |board| board.last().superseded += 1),
    ("known-event", |board| {
        let at = board.events.len() - 2;
        board.events[at].block += 1;
        board.events[at - 1].block += 1;
    }),
    ("known-event", |board| {
        let at = board.events.len() - 2;
        board.events[at].value = false;
    }),
    ("known-generation", |board| board.events.truncate(100)),
    ("known-key", |board| board.events[0].key = b"lost"),
    ("known-private", |board| board.private[1] += 1),
    ("known-private", |board| board.private.clear()),
    ("shard-changes", |board| {
        // The shard has no event in the history, and none of its slots has a value.
        let shard = board.geo.shard_of("gone", board.geo.hash(b"gone"));
        board.words[board.geo.shard(shard) + geometry::SHARD_CHANGES] = 1;
    }),
];

#[test]
fn every_rule_finds_what_breaks_it() {
    assert_eq!(SOUND.rules_broken(), Vec::<&str>::new());
    for (number, (rule, change)) in BREAKS.iter().enumerate() {
        let mut board = SOUND.clone();
        change(&mut board);
        let mut broken = board.rules_broken();
        broken.dedup();
        assert!(broken.contains(rule), "break {number}, of {rule}, is found as {broken:?}");
    }
    let known = RULES.iter().filter(|(rule, _)| rule.starts_with("known-"));
    let untested: Vec<_> = known.filter(|(rule, _)| BREAKS.iter().all(|(name, _)| name != rule)).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

#[test]
fn a_key_that_was_put_elsewhere_is_found() {
    let mut board = SOUND.clone();
    board.last().block += 1;
    assert_eq!(board.rules_broken(), ["known-event", "known-key"]);
}

#[test]
fn a_dead_session_owns_nothing() {
    let mut board = SOUND.clone();
    board.living.clear();
    let broken = board.rules_broken();
    assert!(broken.contains(&"session") && broken.contains(&"private"), "{broken:?}");
}
