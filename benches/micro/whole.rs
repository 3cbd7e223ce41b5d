//! What looks at many keys: list, views, events.

use crate::{KEYS, SIZES, filled, label};
use criterion::{BenchmarkId, Criterion, Throughput};
use slateboard::Board;
use slateboard_micro::PREFIX;
use std::{hint::black_box, ops::ControlFlow};

pub fn lists(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("list");
    for keys in [10, 100, 1_000, 10_000] {
        let filled = filled(keys, 64);
        group.throughput(Throughput::Elements(keys as u64));
        group.bench_function(BenchmarkId::new("64 B", keys), |bencher| {
            bencher.iter(|| {
                let listed = filled.session.list(PREFIX).into_vec().unwrap();
                assert_eq!(black_box(&listed).len(), keys);
            });
        });
    }
    group.finish();
}

/// Neighbours among many others, without an allocation.
pub fn scans(criterion: &mut Criterion) {
    const FOUND: usize = 100;
    let mut group = criterion.benchmark_group("scan");
    for keys in [1_000, 100_000] {
        let board = Board::options().capacity(256 << 20).keys(2 * keys).local().unwrap();
        let session = board.attach("bench").unwrap();
        for number in 0..keys {
            session.put(&format!("{PREFIX}{number:06}"), [1; 64]).unwrap();
        }
        group.throughput(Throughput::Elements(FOUND as u64));
        group.bench_function(BenchmarkId::new("100 keys, 64 B, among", keys), |bencher| {
            let mut hundred = 0;
            bencher.iter(|| {
                hundred = (hundred + 7) % (keys / FOUND as u64);
                let (mut found, mut bytes) = (0, 0);
                let prefix = format!("{PREFIX}{hundred:04}");
                session
                    .list(&prefix)
                    .scan(|_, value, _| {
                        (found, bytes) = (found + 1, bytes + value.len());
                        ControlFlow::<()>::Continue(())
                    })
                    .unwrap();
                assert_eq!((found, black_box(bytes)), (FOUND, FOUND * 64));
            });
        });
    }
    group.finish();
}

pub fn views(criterion: &mut Criterion) {
    let filled = filled(KEYS, 64);
    let session = &filled.session;
    criterion.bench_function("view", |bencher| {
        bencher.iter(|| black_box(session.view().unwrap().generation()));
    });
    let view = session.view().unwrap();
    criterion.bench_function("view, get 64 B", |bencher| {
        bencher.iter(|| black_box(view.get(&filled.names[7]).unwrap().unwrap()));
    });
    let old = session.view_at(session.generation() - 1_000).unwrap();
    criterion.bench_function("view, get 64 B, 1,000 events ago", |bencher| {
        bencher.iter(|| black_box(old.get(&filled.names[7]).unwrap().unwrap()));
    });
}

pub fn events(criterion: &mut Criterion) {
    const EVENTS: u64 = 1_000;
    let mut group = criterion.benchmark_group("events");
    group.throughput(Throughput::Elements(EVENTS));
    for size in &SIZES[1..4] {
        let filled = filled(KEYS, *size);
        let since = filled.session.generation() - EVENTS;
        group.bench_function(BenchmarkId::new("1,000 with what they replaced", label(*size)), |bencher| {
            bencher.iter(|| {
                let seen = filled.session.events(since).inspect(|event| assert!(event.is_ok())).count();
                assert_eq!(seen as u64, EVENTS);
            });
        });
    }
    group.finish();
}
