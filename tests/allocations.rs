//! Reading into a buffer and writing allocate nothing once they are warm.
//!
//! Counted on the thread that calls: a session's keeper has a thread of its own.

#![allow(unsafe_code, reason = "an allocator that counts is one")]

use slateboard::{Board, Session};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    ops::ControlFlow,
};

thread_local!(static ALLOCATIONS: Cell<u64> = const { Cell::new(0) });

struct Counting;

fn count() {
    // A thread that is ending has no counter any more.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system's allocator with the caller's arguments; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller guarantees what `System` asks for.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is `System`'s, with this layout: the caller guarantees it.
        unsafe { System.dealloc(block, layout) }
    }
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as `dealloc`, and the caller guarantees the size.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(mut work: impl FnMut()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// Small enough that a thousand puts go round history and blocks many times.
fn session() -> Session {
    Board::options().capacity(16 << 20).keys(1024).history(128).local().unwrap().attach("counted").unwrap()
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![1_u8; 100]))), 1);
    assert_eq!(allocations(|| ()), 0);
}

#[test]
fn a_warm_put_allocates_nothing() {
    let session = session();
    let handle = session.key("warm/handle").unwrap();
    for size in [0, 64, 1 << 10, 40 << 10, 100 << 10] {
        let value = vec![3; size];
        let mut work = || {
            for _ in 0..1000 {
                session.put("warm/key", &value).unwrap();
                handle.put(&value).unwrap();
            }
        };
        work();
        assert_eq!(allocations(&mut work), 0, "{size} bytes");
    }
}

#[test]
fn a_warm_read_into_a_buffer_allocates_nothing() {
    let session = session();
    for size in [0, 1, 64, 1 << 10, 40 << 10, 100 << 10] {
        session.put("warm/key", vec![3; size]).unwrap();
        let handle = session.key("warm/key").unwrap();
        let mut buffer = Vec::new();
        let mut work = || {
            for _ in 0..100 {
                assert_eq!(session.get_into("warm/key", &mut buffer).unwrap().unwrap().len, size);
                assert_eq!(handle.get_into(&mut buffer).unwrap().unwrap().len, size);
                let version = handle.version().unwrap();
                assert!(handle.get_newer_into(version, &mut buffer).unwrap().is_none());
                assert_eq!(
                    handle.get_newer_into(version - 1, &mut buffer).unwrap().unwrap().version,
                    version
                );
            }
        };
        work();
        assert_eq!(allocations(&mut work), 0, "{size} bytes");
    }
}

#[test]
fn a_warm_scan_allocates_nothing() {
    let session = session();
    for n in 0..100 {
        session.put(&format!("warm/{n}"), vec![3; 10 * n]).unwrap();
    }
    let mut work = || {
        let mut bytes = 0;
        session
            .list("warm/")
            .scan(|_, value, _| {
                bytes += value.len();
                ControlFlow::<()>::Continue(())
            })
            .unwrap();
        assert_eq!(bytes, 49_500);
        // Another value of a key that is there.
        session.put("warm/3", vec![5; 30].as_slice()).unwrap();
    };
    // The first looks at every slot, the second makes the index.
    (0..3).for_each(|_| work());
    assert_eq!(allocations(&mut work), 1, "the value that is put");
}
