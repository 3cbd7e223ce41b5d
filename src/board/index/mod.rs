//! An index of a board's keys in order. It is private to this process and derived from the board.
//!
//! The first list of a handle does not use the index, so that a program that lists once does not pay for it. The second
//! list builds it, and later ones bring it up to date from the history. If damage prevents building it, lists look at
//! every slot and report what they find.

mod keys;
mod name;
mod span;

use crate::{
    protocol::{Core, Fault, view::Point},
    region::Lock,
};
use keys::Keys;
pub(super) use span::Span;
use std::sync::{PoisonError, RwLock};

/// The index of one open handle.
#[derive(Default)]
pub(super) struct Index {
    state: RwLock<State>,
    spare: Lock<Vec<Candidates>>,
}

#[derive(Default)]
enum State {
    /// No list was made yet.
    #[default]
    Unused,
    /// The next list builds the index.
    Asked,
    /// The index could not be built. This number of lists does without it before the next attempt.
    Resting(u32),
    Made(Box<Keys>),
}

/// The keys that may have a value, in order, each with the word of its slot's head.
#[derive(Default)]
pub(super) struct Candidates {
    keys: Vec<u8>,
    /// Where each key ends in `keys`, and its slot.
    places: Vec<(usize, u32)>,
    /// A buffer for a value.
    pub(super) value: Vec<u8>,
}

impl Candidates {
    fn push(&mut self, key: &[u8], head_at: u32) {
        self.keys.extend_from_slice(key);
        self.places.push((self.keys.len(), head_at));
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// A candidate's key by its number.
    pub(super) fn key(&self, number: usize) -> Option<&[u8]> {
        let end = self.places.get(number)?.0;
        let start = number.checked_sub(1).map_or(0, |before| self.places[before].0);
        Some(&self.keys[start..end])
    }

    /// The slot of a candidate by its number.
    pub(super) fn slot(&self, number: usize) -> Option<usize> {
        self.places.get(number).map(|&(_, head_at)| head_at as usize)
    }
}

/// How many lists do without an index after one could not be built. Otherwise each list of a damaged board would cost both
/// a failed attempt and a walk.
const REST: u32 = 16;
/// How many buffers of candidates are kept for later lists, and their maximal size.
const SPARES: usize = 8;
const SPARE_BYTES: usize = 1 << 20;

/// Which candidates a list needs.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'s> {
    pub(super) span: &'s Span,
    /// Whether the last keys come first.
    pub(super) backwards: bool,
    pub(super) most: usize,
}

impl Index {
    /// The first keys of a span that may have a value at the point. As long as the point is in the history, they include all
    /// keys that have one. `None` if there is no index; then every slot must be looked at.
    pub(super) fn candidates(
        &self,
        core: &Core<'_>,
        wanted: Wanted<'_>,
        point: Point,
    ) -> Result<Option<Candidates>, Fault> {
        let mut found = self.spare.lock().pop().unwrap_or_default();
        if self.fill(core, wanted, point, &mut found)? {
            return Ok(Some(found));
        }
        self.give_back(found);
        Ok(None)
    }

    /// Keeps the buffers of candidates for the next list.
    pub(super) fn give_back(&self, mut candidates: Candidates) {
        candidates.keys.clear();
        candidates.places.clear();
        let mut spare = self.spare.lock();
        let places = candidates.places.capacity() * size_of::<(usize, u32)>();
        let bytes = candidates.keys.capacity().max(candidates.value.capacity()).max(places);
        if spare.len() < SPARES && bytes <= SPARE_BYTES {
            spare.push(candidates);
        }
    }

    fn fill(
        &self,
        core: &Core<'_>,
        wanted: Wanted<'_>,
        point: Point,
        found: &mut Candidates,
    ) -> Result<bool, Fault> {
        let mut each = |key: &[u8], head_at| found.push(key, head_at);
        // No code outside the index is called while the lock is held.
        if let State::Made(keys) = &*self.state.read().unwrap_or_else(PoisonError::into_inner)
            && keys.has(point.generation)
        {
            keys.within(wanted, &mut each);
            return Ok(true);
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let outcome = match &mut *state {
            State::Made(keys) => keys.catch_up(core, point.generation),
            State::Asked => {
                let mut keys = Box::new(Keys::new(core.geometry()));
                let outcome = keys.catch_up(core, point.generation);
                *state = State::Made(keys);
                outcome
            }
            State::Resting(left) if *left > 0 => {
                *left -= 1;
                return Ok(false);
            }
            State::Unused | State::Resting(_) => {
                *state = State::Asked;
                return Ok(false);
            }
        };
        match (outcome, &*state) {
            (Ok(()), State::Made(keys)) => {
                keys.within(wanted, &mut each);
                Ok(true)
            }
            (Err(Fault::Moved), _) => Err(Fault::Moved),
            (Err(Fault::Corrupt(_)), _) => {
                *state = State::Resting(REST);
                Ok(false)
            }
            // The history lapped during every attempt. The index so far can be used next time.
            _ => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Board, Session,
        board::region::Region,
        layout::record,
        protocol::{
            read::{CopiedRecord, Verify},
            slots::Key,
        },
        sync::Ordering::Relaxed,
    };

    fn session() -> Session {
        let session = Board::options().capacity(1 << 20).keys(64).local().unwrap().attach("writer").unwrap();
        session.put("key", "value").unwrap();
        session
    }

    fn is_made(region: &Region) -> bool {
        matches!(*region.index.state.read().unwrap(), State::Made(_))
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn the_second_list_builds_the_index() {
        let session = session();
        let region = &session.reader().region;
        for made in [false, true, true] {
            assert_eq!(session.list("").into_vec().unwrap().len(), 1);
            assert_eq!(is_made(region), made);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn an_index_that_could_not_be_built_is_tried_again_after_sixteen_lists() {
        let session = session();
        let region = &session.reader().region;
        let (geometry, core) = (region.geometry(), region.core().unwrap());
        let mut found = CopiedRecord::EMPTY;
        let key = Key::new(geometry, "key");
        assert!(core.get_to(&key, None, Verify::Always, &mut found, &mut Vec::new()).unwrap());
        let record = geometry.data(geometry.block(found.head.block()).unwrap());
        let word = &region.words().unwrap()[record + record::HEADER_WORDS];
        assert!(session.list("").into_vec().is_ok());
        // The key is no text any more.
        let text = word.swap(u64::MAX, Relaxed);
        assert!(session.list("").into_vec().is_err());
        assert!(
            matches!(*region.index.state.read().unwrap(), State::Resting(REST)),
            "it is tried at each list"
        );
        word.store(text, Relaxed);
        for _ in 0..REST {
            assert!(session.list("").into_vec().is_ok() && !is_made(region));
        }
        for made in [false, true] {
            assert!(session.list("").into_vec().is_ok());
            assert_eq!(is_made(region), made);
        }
    }
}
