//! get, put and update of one key, over the size of its value.

use crate::fixture::{Filled, KEYS, SIZES, label, round};
use criterion::{BenchmarkId, Criterion, Throughput};
use slateboard::{KeyHandle, Retry, Session};
use std::hint::black_box;

pub fn gets(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("get");
    for size in SIZES {
        let filled = Filled::new(KEYS, size);
        group.throughput(Throughput::Bytes(size as u64));
        let mut bench = |name: &str, get: &mut dyn FnMut(usize)| {
            let mut number = round(KEYS);
            group.bench_function(BenchmarkId::new(name, label(size)), |bencher| {
                bencher.iter(|| get(number()));
            });
        };
        let mut buffer = Vec::with_capacity(size);
        let mut by_handle = |keys: &[KeyHandle], at: usize| {
            black_box(keys[at].get_into(&mut buffer).unwrap().unwrap());
        };
        bench("by handle", &mut |at| by_handle(&filled.keys, at));
        bench("by handle, scrub", &mut |at| by_handle(&filled.scrub_keys, at));
        let mut by_key = |session: &Session, at: usize| {
            black_box(session.get_into(&filled.names[at], &mut buffer).unwrap().unwrap());
        };
        bench("by key", &mut |at| by_key(&filled.session, at));
        bench("by key, scrub", &mut |at| by_key(&filled.scrub, at));
    }
    group.finish();
}

pub fn puts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("put");
    for size in SIZES {
        let filled = Filled::new(KEYS, size);
        group.throughput(Throughput::Bytes(size as u64));
        let mut number = round(KEYS);
        group.bench_function(BenchmarkId::new("by handle", label(size)), |bencher| {
            bencher.iter(|| filled.keys[number()].put(&filled.value).unwrap());
        });
        group.bench_function(BenchmarkId::new("by key", label(size)), |bencher| {
            bencher.iter(|| filled.session.put(&filled.names[number()], &filled.value).unwrap());
        });
    }
    group.finish();
}

pub fn updates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("update");
    for size in SIZES {
        let filled = Filled::new(KEYS, size);
        group.throughput(Throughput::Bytes(size as u64));
        let mut number = round(KEYS);
        group.bench_function(BenchmarkId::new("alone", label(size)), |bencher| {
            bencher.iter(|| {
                let next = |old: Option<&slateboard::Entry>| old.unwrap().value.clone();
                filled.session.update_with(&filled.names[number()], Retry::UNLIMITED, next).unwrap()
            });
        });
    }
    group.finish();
}
