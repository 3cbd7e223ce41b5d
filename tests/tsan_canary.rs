//! A data race on purpose, which ThreadSanitizer must report: `.ci/tsan` runs this first. What cannot see this sees
//! nothing. Nobody else runs it.

/// A number that two threads change without any order between them.
struct Raced(std::cell::UnsafeCell<u64>);

// SAFETY: none; this is the race. Both threads write the one word, and nothing else is at stake.
#[allow(unsafe_code, reason = "safe code has no data race to report")]
unsafe impl Sync for Raced {}

impl Raced {
    fn write(&self, value: u64) {
        // SAFETY: none, as above.
        #[allow(unsafe_code, reason = "safe code has no data race to report")]
        unsafe {
            *std::hint::black_box(self.0.get()) = value;
        }
    }
}

#[test]
#[ignore = "a data race on purpose: .ci/tsan runs it"]
fn two_threads_write_one_number() {
    let (raced, both) = (Raced(std::cell::UnsafeCell::new(0)), std::sync::Barrier::new(2));
    let write = |value| {
        // From here on nothing orders one thread's writes before the other's.
        both.wait();
        (0..1_000).for_each(|_| raced.write(value));
    };
    std::thread::scope(|scope| {
        scope.spawn(|| write(1));
        scope.spawn(|| write(2));
    });
    assert!(raced.0.into_inner() > 0);
}
