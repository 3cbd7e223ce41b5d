//! Work done in parallel, and how it ended.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    thread,
};

/// How many passed and how many failed. Lines are printed as they come.
#[derive(Default)]
pub struct Score(Mutex<(usize, usize)>);

impl Score {
    /// Prints one line and counts it.
    pub fn line(&self, passed: bool, text: &str) {
        let mut score = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        println!("{text}");
        *if passed { &mut score.0 } else { &mut score.1 } += 1;
    }

    /// Passed and failed.
    pub fn counts(&self) -> (usize, usize) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of several parts of a list, and how long each item may take: what a long run is divided by.
#[derive(Clone, Copy)]
pub struct Portion {
    /// Which of the parts, from 1 on.
    part: usize,
    parts: usize,
    /// Seconds of each item.
    pub seconds: Option<u64>,
}

impl Default for Portion {
    /// The whole list, without a limit of time.
    fn default() -> Self {
        Self { part: 1, parts: 1, seconds: None }
    }
}

impl Portion {
    /// Takes the part that a text like `2/4` names.
    pub fn set_part(&mut self, text: &str) -> Result<(), String> {
        let numbers =
            text.split_once('/').and_then(|(part, parts)| Some((part.parse().ok()?, parts.parse().ok()?)));
        match numbers {
            Some((part, parts)) if (1..=parts).contains(&part) => (self.part, self.parts) = (part, parts),
            _ => return Err("a part is a text like 2/4".into()),
        }
        Ok(())
    }

    /// The items of the part: every one of so many.
    pub fn of<T>(self, items: Vec<T>) -> Vec<T> {
        items.into_iter().skip(self.part - 1).step_by(self.parts).collect()
    }
}

/// As many workers as there are processors.
pub fn workers() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Does the work in order, one item for each worker at a time.
pub fn in_parallel<T: Send>(work: impl IntoIterator<Item = T>, run: impl Fn(T) + Sync) {
    let queue = Mutex::new(work.into_iter().collect::<VecDeque<_>>());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    thread::scope(|scope| {
        for _ in 0..workers() {
            let (next, run) = (&next, &run);
            scope.spawn(move || {
                while let Some(item) = next() {
                    run(item);
                }
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_list_are_all_of_it() {
        let of = |text: &str| {
            let mut portion = Portion::default();
            portion.set_part(text).map(|()| portion.of(vec!['a', 'b', 'c', 'd', 'e']))
        };
        assert_eq!(of("1/2"), Ok(vec!['a', 'c', 'e']));
        assert_eq!(of("2/2"), Ok(vec!['b', 'd']));
        assert_eq!(of("1/1").map(|all| all.len()), Ok(5));
        for bad in ["", "1", "0/2", "3/2", "1/0", "a/b"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
