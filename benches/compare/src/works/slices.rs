//! Rates of two processes at once, without the times in which another program had one of the cores: the other process then has
//! the memory to itself and seems many times as fast.

use crate::{
    Outcome,
    pair::Partner,
    wires::{Wire, Wires},
};
use std::{
    fs::File,
    os::unix::fs::FileExt,
    time::{Duration, Instant},
};

/// Length of a slice, unless one call takes longer.
const SLICE: Duration = Duration::from_millis(1);
/// Calls between two looks at the clock, at most.
const STRIDE_MAX: u64 = 16;
/// A stride that takes longer than this does not grow.
const STRIDE_LONG: Duration = Duration::from_micros(50);
/// A longer wait for a core is due to another program and not to short work of the kernel, nanoseconds.
const DISTURBED_NS: u64 = 50_000;
/// How long at most to see whether the second process runs, after the last slice, nanoseconds.
const AFTER_NS: u64 = 50_000_000;
/// With fewer undisturbed slices than this, all are taken.
const SLICES_MIN: usize = 5;

/// What both did.
pub struct Rates {
    /// Calls of the first process, in all.
    pub mine: u64,
    /// Calls a second of the first process, over undisturbed slices.
    pub mine_per_second: f64,
    /// The same of the second.
    pub theirs_per_second: f64,
}

/// What was done between two readings of the clock.
#[derive(Clone, Copy)]
struct Slice {
    /// From the beginning, nanoseconds.
    start: u64,
    end: u64,
    mine: u64,
    theirs: u64,
    disturbed: bool,
}

/// How long a thread has been ready to run while its core ran something else.
struct Waiting(Option<File>, u64);

impl Waiting {
    fn of(path: &str) -> Self {
        let mut waiting = Self(File::open(path).ok(), 0);
        waiting.more();
        waiting
    }

    /// Nanoseconds since the last call. The kernel counts them when the thread runs again.
    fn more(&mut self) -> u64 {
        let mut text = [0; 64];
        let length = self.0.as_ref().and_then(|file| file.read_at(&mut text, 0).ok()).unwrap_or(0);
        let numbers = str::from_utf8(&text[..length]).unwrap_or_default();
        let now = numbers.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(self.1);
        now - std::mem::replace(&mut self.1, now)
    }
}

/// Calls for so long, or until the answer is `false`, while the second process does and counts.
pub fn first(partner: &Partner, length: Duration, mut once: impl FnMut() -> Outcome<bool>) -> Outcome<Rates> {
    let mut waiting = [
        Waiting::of("/proc/thread-self/schedstat"),
        Waiting::of(&format!("/proc/{}/schedstat", partner.id())),
    ];
    let mut slices = Vec::new();
    let started = Instant::now();
    let since = |time: Instant| (time - started).as_nanos() as u64;
    let (mut count, mut stride) = (0_u64, 1_u64);
    let mut before = (0, 0, partner.wires.load(Wire::Counted));
    let (mut strode, mut more) = (started, true);
    while more && strode - started < length {
        for _ in 0..stride {
            more &= once()?;
        }
        count += stride;
        let now = Instant::now();
        if now - strode < STRIDE_LONG {
            stride = (stride * 2).min(STRIDE_MAX);
        }
        strode = now;
        if since(now) - before.0 >= SLICE.as_nanos() as u64 {
            let theirs = partner.wires.load(Wire::Counted);
            let (start, end) = (before.0, since(now));
            slices.push(Slice {
                start,
                end,
                mine: count - before.1,
                theirs: theirs - before.2,
                disturbed: false,
            });
            mark(&mut slices, start, waiting.each_mut().map(Waiting::more));
            // What the look itself took is in no slice.
            before = (since(Instant::now()), count, theirs);
        }
    }
    // A wait that lasts still is counted when the second process runs again.
    let seen = partner.wires.load(Wire::Counted);
    while partner.wires.load(Wire::Counted) == seen && since(Instant::now()) < before.0 + AFTER_NS {}
    mark(&mut slices, before.0, waiting.each_mut().map(Waiting::more));
    Ok(rates(count, &slices))
}

/// Marks the slices in which threads waited for their cores before and after this time, so long: a wait may have begun long
/// before the kernel counts it.
fn mark(slices: &mut [Slice], time: u64, waited: [u64; 2]) {
    let longest = waited[0].max(waited[1]);
    if longest > DISTURBED_NS {
        let from = time.saturating_sub(longest);
        slices.iter_mut().filter(|slice| slice.end > from).for_each(|slice| slice.disturbed = true);
    }
}

fn rates(mine: u64, slices: &[Slice]) -> Rates {
    let mut kept: Vec<&Slice> = slices.iter().filter(|slice| !slice.disturbed).collect();
    if kept.len() < SLICES_MIN {
        kept = slices.iter().collect();
    }
    let seconds = kept.iter().map(|slice| slice.end - slice.start).sum::<u64>() as f64 / 1e9;
    let per_second = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
    Rates {
        mine,
        mine_per_second: per_second(kept.iter().map(|slice| slice.mine).sum()),
        theirs_per_second: per_second(kept.iter().map(|slice| slice.theirs).sum()),
    }
}

/// The second process: calls until it is told to stop or the answer is `false`, and shows how often.
pub fn second(wires: &Wires, mut once: impl FnMut(u64) -> Outcome<bool>) -> Outcome<u64> {
    let (mut count, mut more) = (0, true);
    while more && wires.load(Wire::Stop) == 0 {
        more = once(count)?;
        count += 1;
        wires.store(Wire::Counted, count);
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::{Slice, mark, rates};

    #[test]
    fn slices_in_which_a_thread_waited_do_not_count() {
        let slice = |number: u64, mine| Slice {
            start: number * 1_000_000,
            end: (number + 1) * 1_000_000,
            mine,
            theirs: 1,
            disturbed: false,
        };
        let mut slices: Vec<Slice> = (0..6).map(|number| slice(number, 10)).collect();
        for (number, mine) in [(6, 900), (7, 900), (8, 900)] {
            slices.push(slice(number, mine));
        }
        mark(&mut slices, 8_000_000, [0, 1_900_000]);
        assert_eq!(slices.iter().filter(|slice| slice.disturbed).count(), 3);
        let rates = rates(0, &slices);
        assert!(
            (rates.mine_per_second - 10_000.0).abs() < 1.0 && (rates.theirs_per_second - 1_000.0).abs() < 1.0
        );
    }
}
