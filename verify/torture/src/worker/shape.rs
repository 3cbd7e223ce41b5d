//! The part of a list that is asked for, and how it is collected.

use crate::log::Keys;
use slateboard::{List, Result};
use slateboard_kit::{
    calls::{self, FAMILIES, KEYS},
    random::Random,
};
use std::ops::{Bound, RangeBounds};

/// How a list is collected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Vec,
    Whole,
    Iterated,
}

/// A part of a list.
pub struct Shape {
    pub prefix: &'static str,
    range: (Bound<String>, Bound<String>),
    limit: usize,
    reverse: bool,
    pub way: Way,
    /// Chooses an entry.
    pub pick: usize,
}

impl Shape {
    /// Half of all lists are of a family, a half has bounds, a half has a limit, and a half is backwards.
    pub fn random(random: &mut Random) -> Self {
        let prefix = if random.bool() { "" } else { FAMILIES[random.usize(..FAMILIES.len())].1 };
        let mut bound = || match (random.u64(..4), calls::key(random.u64(..KEYS))) {
            (0, key) => Bound::Included(key),
            (1, key) => Bound::Excluded(key),
            _ => Bound::Unbounded,
        };
        let range = (bound(), bound());
        let limit = if random.bool() { random.usize(1..12) } else { usize::MAX };
        let way = [Way::Vec, Way::Whole, Way::Iterated][random.usize(..3)];
        Self { prefix, range, limit, reverse: random.bool(), way, pick: random.usize(..256) }
    }

    /// The list's part.
    pub fn of(&self, list: List) -> List {
        let list = match &self.range {
            (Bound::Excluded(key), Bound::Unbounded) => list.after(key),
            range => list.range(range.clone()),
        };
        let list = if self.limit == usize::MAX { list } else { list.limit(self.limit) };
        if self.reverse { list.reverse() } else { list }
    }

    /// Whether the names are in the part, in its order, and not too many.
    pub fn is_in_order(&self, names: &[String]) -> bool {
        let ordered = |pair: &[String]| if self.reverse { pair[0] > pair[1] } else { pair[0] < pair[1] };
        names.len() <= self.limit
            && names.windows(2).all(ordered)
            && names.iter().all(|name| name.starts_with(self.prefix) && self.range.contains(name))
    }

    /// The keys that the list must have where they are present, when it has these names. A limit cuts it after the last.
    pub fn wanted(&self, names: &[String]) -> Keys {
        let last = names.last().filter(|_| names.len() == self.limit);
        let in_reach =
            |name: &String| last.is_none_or(|last| if self.reverse { name >= last } else { name <= last });
        let keys = (0..KEYS).filter(|&key| {
            let name = calls::key(key);
            name.starts_with(self.prefix) && self.range.contains(&name) && in_reach(&name)
        });
        set(keys)
    }
}

/// A set of keys.
pub fn set(keys: impl Iterator<Item = u64>) -> Keys {
    keys.fold(Keys::default(), |mut set, key| {
        set[key as usize / 64] |= 1 << (key % 64);
        set
    })
}

/// What the list has, and its generation where it tells.
pub fn collect<T>(list: List<T>, way: Way) -> Result<(Vec<T>, Option<u64>)> {
    match way {
        Way::Vec => Ok((list.into_vec()?, None)),
        Way::Iterated => Ok((list.collect::<Result<Vec<T>>>()?, None)),
        Way::Whole => {
            let whole = list.whole()?;
            let generation = whole.exact.then_some(whole.generation);
            Ok((whole.into_sound()?, generation))
        }
    }
}
