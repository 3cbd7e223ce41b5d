//! Random operations of several sessions beside the reference: every answer, every view of the past and every event is
//! compared exactly.

use proptest::{collection::vec, prelude::*};
use slateboard_kit::{
    judge,
    pair::Pair,
    places::{folder, rounds, small},
    public::Public,
    script::{Life, Op, Wish},
};
use std::time::Duration;

const SESSIONS: usize = 3;
const KEYS: [&str; 10] =
    ["task/0", "file/1", "free/2", "task/3", "file/4", "free/5", "task/6", "file/7", "free/8", "task/9"];
const PREFIXES: [&str; 4] = ["", "task/", "file/", "free/"];

fn op() -> impl Strategy<Value = Op> {
    let key = || 0..KEYS.len() as u8;
    let prefix = || 0..PREFIXES.len() as u8;
    let len = || prop_oneof![6 => 0u16..200, 2 => 200u16..4000, 1 => 16_000u16..24_000];
    let wish = || {
        prop_oneof![
            4 => Just(Wish::Any),
            1 => Just(Wish::Absent),
            1 => Just(Wish::Present),
            2 => any::<bool>().prop_map(Wish::Version),
            1 => any::<bool>().prop_map(Wish::Generation),
        ]
    };
    // A span of 0 is over at once; another does not end while the test runs.
    let life = prop_oneof![
        6 => Just(Life::Plain),
        2 => (0u8..2).prop_map(Life::Until),
        2 => Just(Life::Bound),
        1 => (0u8..2).prop_map(Life::BoundUntil),
    ];
    let put = (key(), len(), wish(), life, any::<bool>());
    prop_oneof![
        10 => put.prop_map(|(key, len, wish, life, hinted)| Op::Put { key, len, wish, life, hinted }),
        4 => (key(), wish()).prop_map(|(key, wish)| Op::Remove { key, wish, hinted: false }),
        2 => key().prop_map(|key| Op::Update { key }),
        3 => (key(), any::<bool>()).prop_map(|(key, hinted)| Op::Get { key, hinted }),
        1 => prefix().prop_map(|prefix| Op::List { prefix }),
        2 => (any::<u8>(), key(), prefix()).prop_map(|(back, key, prefix)| Op::Past { back, key, prefix }),
        1 => Just(Op::Replay),
        1 => Just(Op::Leave),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: rounds(48),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_operations_agree_with_a_map_that_remembers(ops in vec(op(), 1..400)) {
        let (_folder, path) = folder();
        // Beats that never come: nothing happens but the operations.
        let board = small().keys(16).beat(Duration::from_secs(3600)).create(&path).unwrap();
        // The board is large enough for whatever stands: a refusal is a failure.
        let mut pair = Pair::new(Public::new(board, SESSIONS, usize::MAX), &KEYS, &PREFIXES);
        for (number, op) in ops.into_iter().enumerate() {
            pair.take(Op::Turn { session: number as u8 });
            pair.take(op);
        }
        for back in 0..=70 {
            pair.take(Op::Past { back, key: 0, prefix: 0 });
        }
        pair.finish();
        drop(pair);
        judge::assert_sound(&path);
    }
}
