
/// Mutants of single accesses, of which a run turns one on, or several that hide each other: `SLATE_MUTANT` has for each
/// the access's number and what is wrong with it.
pub mod mutants {
    use super::{AtomicU64, Ordering, fence};
    use std::{cell::Cell, sync::OnceLock};

    std::thread_local! {
        /// Whether the next load is one that is to lose its acquire. No party runs between the two.
        static NEXT: Cell<bool> = const { Cell::new(false) };
    }

    /// Whether an access is wrong in this way. `usize::MAX` stands for all accesses, of which each is printed when it is
    /// first made.
    fn is_on(number: usize, wrong: &str) -> bool {
        static ON: OnceLock<Vec<(usize, String)>> = OnceLock::new();
        let on = ON.get_or_init(|| {
            let value = std::env::var("SLATE_MUTANT").unwrap_or_default();
            let wrongs = value.split(';').filter_map(|wrong| wrong.split_once(' '));
            wrongs.map(|(number, wrong)| (number.parse().unwrap_or(usize::MAX), wrong.to_owned())).collect()
        });
        if wrong == "made" && on.first().is_some_and(|(which, _)| *which == usize::MAX) {
            made(number);
        }
        on.iter().any(|(which, name)| *which == number && name == wrong)
    }

    fn made(number: usize) {
        static MADE: std::sync::Mutex<std::collections::BTreeSet<usize>> = std::sync::Mutex::new(std::collections::BTreeSet::new());
        if MADE.lock().expect("one thread").insert(number) {
            println!("made {number}");
        }
    }

    fn weakened(number: usize, order: Ordering) -> Ordering {
        is_on(number, "made");
        let acquire = is_on(number, "acquire") || NEXT.take();
        match (order, acquire, is_on(number, "release")) {
            (Ordering::Acquire, true, _) | (Ordering::Release, _, true) => Ordering::Relaxed,
            (Ordering::AcqRel, true, _) => Ordering::Release,
            (Ordering::AcqRel, _, true) => Ordering::Acquire,
            (order, ..) => order,
        }
    }

    pub fn via<T>(number: usize, value: T) -> T {
        is_on(number, "made");
        if is_on(number, "acquire") {
            NEXT.set(true);
        }
        value
    }

    pub fn value(number: usize, value: u64) -> u64 {
        is_on(number, "made");
        if is_on(number, "zero") { 0 } else { value }
    }

    pub fn test(number: usize, held: bool) -> bool {
        is_on(number, "made");
        held || is_on(number, "passes")
    }

    pub fn fence_at(number: usize, order: Ordering) {
        is_on(number, "made");
        if !is_on(number, "dropped") {
            fence(order);
        }
    }

    pub trait At {
        fn load_at(&self, number: usize, order: Ordering) -> u64;
        fn store_at(&self, number: usize, value: u64, order: Ordering);
        fn swap_at(&self, number: usize, value: u64, order: Ordering) -> u64;
        fn fetch_max_at(&self, number: usize, value: u64, order: Ordering) -> u64;
        fn fetch_add_at(&self, number: usize, value: u64, order: Ordering) -> u64;
        fn compare_exchange_at(&self, number: usize, old: u64, new: u64, ok: Ordering, err: Ordering) -> Result<u64, u64>;
    }

    impl At for AtomicU64 {
        fn load_at(&self, number: usize, order: Ordering) -> u64 {
            let value = self.load(weakened(number, order));
            if is_on(number, "zero") { 0 } else { value }
        }
        fn store_at(&self, number: usize, value: u64, order: Ordering) {
            let order = weakened(number, order);
            if !is_on(number, "skipped") {
                self.store(value, order);
            }
        }
        fn swap_at(&self, number: usize, value: u64, order: Ordering) -> u64 {
            let order = weakened(number, order);
            if is_on(number, "skipped") { self.load(Ordering::Relaxed) } else { self.swap(value, order) }
        }
        fn fetch_max_at(&self, number: usize, value: u64, order: Ordering) -> u64 {
            let order = weakened(number, order);
            if is_on(number, "skipped") { self.load(Ordering::Relaxed) } else { self.fetch_max(value, order) }
        }
        fn fetch_add_at(&self, number: usize, value: u64, order: Ordering) -> u64 {
            let order = weakened(number, order);
            if is_on(number, "skipped") { self.load(Ordering::Relaxed) } else { self.fetch_add(value, order) }
        }
        fn compare_exchange_at(&self, number: usize, old: u64, new: u64, ok: Ordering, err: Ordering) -> Result<u64, u64> {
            let ok = weakened(number, ok);
            let err = if is_on(number, "failure") { Ordering::Relaxed } else { err };
            if is_on(number, "blind") {
                self.store(new, ok_of_store(ok));
                return Ok(old);
            }
            self.compare_exchange(old, new, ok, err)
        }
    }

    fn ok_of_store(order: Ordering) -> Ordering {
        match order {
            Ordering::AcqRel | Ordering::Release => Ordering::Release,
            _ => Ordering::Relaxed,
        }
    }
}
