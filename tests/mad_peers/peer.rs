//! The mad peer: it writes to a part of the region while the others work.

use super::places::{Part, spared};
use slateboard::{
    layout::{GenWord, Guard, GuardOp, Head, HeadKind, RingWord, State, StateKind},
    region::{self, Access, RegionFile},
    sync::Ordering,
};
use slateboard_kit::{
    children::{role, say, stay, watchdog},
    random::Random,
};
use std::{
    ops::Range,
    sync::mpsc::{self, TryRecvError},
};

/// How it writes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Manner {
    /// Random words, here and there.
    Words,
    /// Single bits flipped.
    Flips,
    /// Runs of zeros.
    Zeros,
    /// The whole part, with one word.
    Fill,
    /// The words of one place, over another.
    Copies,
    /// Words that could be right, with kinds, blocks and generations of this board.
    Plausible,
    /// All of it, without a pause.
    Storm,
}

impl Manner {
    pub const ALL: [Self; 7] =
        [Self::Words, Self::Flips, Self::Zeros, Self::Fill, Self::Copies, Self::Plausible, Self::Storm];
}

struct Peer {
    file: RegionFile,
    part: Range<usize>,
    spared: Vec<Range<usize>>,
    random: Random,
}

impl Peer {
    fn load(&self, at: usize) -> u64 {
        self.file.mapping.words()[at].load(Ordering::Relaxed)
    }

    fn store(&self, at: usize, word: u64) {
        if self.part.contains(&at) && !self.spared.iter().any(|range| range.contains(&at)) {
            self.file.mapping.words()[at].store(word, Ordering::Relaxed);
        }
    }

    fn somewhere(&mut self) -> usize {
        self.part.start + self.random.usize(..self.part.len())
    }

    /// Writes once.
    fn strike(&mut self, manner: Manner) {
        let count = 1 + self.random.u64(..8);
        match manner {
            Manner::Words => (0..count).for_each(|_| {
                let (at, word) = (self.somewhere(), self.random.u64(..));
                self.store(at, word);
            }),
            Manner::Flips => (0..count).for_each(|_| {
                let (at, bit) = (self.somewhere(), self.random.u64(..64));
                self.store(at, self.load(at) ^ 1 << bit);
            }),
            Manner::Zeros => {
                let (at, len) = (self.somewhere(), self.random.usize(..64));
                (at..at + len).for_each(|at| self.store(at, 0));
            }
            Manner::Fill => {
                let word = [0, u64::MAX, self.random.u64(..), self.plausible()][self.random.usize(..4)];
                self.part.clone().for_each(|at| self.store(at, word));
            }
            Manner::Copies => {
                // Whole lines, so that the copy looks like a record, a bucket or a session.
                let line = |at: usize, start: usize| start + (at - start) / 8 * 8;
                let (from, to) = (self.somewhere(), self.somewhere());
                let (from, to) = (line(from, self.part.start), line(to, self.part.start));
                let len = 8 << self.random.u64(..4);
                let words: Vec<u64> =
                    (from..from + len).filter(|at| self.part.contains(at)).map(|at| self.load(at)).collect();
                words.into_iter().zip(to..).for_each(|(word, at)| self.store(at, word));
            }
            Manner::Plausible => (0..count).for_each(|_| {
                let (at, word) = (self.somewhere(), self.plausible());
                self.store(at, word);
            }),
            Manner::Storm => {
                let manners = &Manner::ALL[..Manner::ALL.len() - 1];
                let manner = manners[self.random.usize(..manners.len())];
                self.strike(manner);
            }
        }
    }

    /// A word of some kind, with numbers that occur on this board.
    fn plausible(&mut self) -> u64 {
        let geometry = &self.file.geometry;
        let generation = self.load(slateboard::layout::header::GENERATION);
        let block = self.random.u32(..geometry.granules());
        let small = self.random.u64(..40);
        let near = generation.wrapping_add(20).saturating_sub(small);
        let kinds = [HeadKind::Live, HeadKind::Retired, HeadKind::Open, HeadKind::Moved, HeadKind::Freed];
        let states =
            [StateKind::Free, StateKind::Owned, StateKind::Part, StateKind::Inflight, StateKind::Doomed];
        match self.random.u64(..8) {
            0 => Head::new(kinds[self.random.usize(..5)], small, block).0,
            1 => State::new(states[self.random.usize(..5)], self.random.u16(..4), small).0,
            2 => GenWord::Generation(near).pack(),
            3 => GenWord::Bucket(self.random.u64(..geometry.buckets() as u64)).pack(),
            4 => RingWord::new(geometry.lap(near.max(1)), block).0,
            5 => Guard::new(small, GuardOp::Claim { slot: small as u16, fingerprint: 1 }).0,
            6 => Guard::new(small, GuardOp::Link { block }).0,
            _ => u64::from(block),
        }
    }
}

#[test]
fn as_mad_peer() {
    let Some((path, argument)) = role() else { return };
    let words: Vec<&str> = argument.split(' ').collect();
    let part = Part::named(words[0]);
    let manner = Manner::ALL.into_iter().find(|manner| format!("{manner:?}") == words[1]).unwrap();
    watchdog::note(argument.clone());
    let file = region::open(&path, Access::ReadWrite).unwrap();
    let spared = if part == Part::Anywhere { Vec::new() } else { spared(&file) };
    let seed = words[2].parse::<u64>().unwrap() << 8 | manner as u64;
    let mut peer = Peer { part: part.words(&file), spared, file, random: Random::with_seed(seed) };
    let (stop, stopped) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        stay();
        drop(stop);
    });
    say("mad");
    while stopped.try_recv() == Err(TryRecvError::Empty) {
        peer.strike(manner);
        if manner != Manner::Storm {
            // Lets others make progress before the next one.
            (0..peer.random.u64(..20_000)).for_each(|_| std::hint::spin_loop());
        }
    }
}
