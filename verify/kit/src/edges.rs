//! The fuzz target `edges`: keys and values of sizes near those where something begins or ends: a word, a block size, an
//! extent, the limits.
//!
//! It uses the public calls, since they are what refuses a size. Keys are text there, so no other bytes reach the engine.

use crate::{
    pair::{Pair, Subject},
    public::Public,
    script::{self, Life},
};
use arbitrary::Arbitrary;
use slateboard::{
    Board, ErrorKind, Expect,
    layout::{
        Classes, Shape,
        record::{self, KEY_MAX},
    },
};
use std::time::Duration;

/// Operations of one input, at most.
const OPERATIONS_MAX: usize = 48;
const CAPACITY: u64 = 1 << 20;
const KEY_EDGES: [usize; 18] =
    [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 63, 64, 65, 1016, KEY_MAX - 1, KEY_MAX, KEY_MAX + 1, 2 * KEY_MAX];
/// Characters of one to four bytes, and one that begins a folder.
const LETTERS: [&str; 5] = ["k", "é", "€", "𝄞", "/"];

/// How a key is made: its length, its letter, and how many other letters shift it against the words.
#[derive(Clone, Copy, Arbitrary, Debug)]
struct Name {
    edge: u8,
    letter: u8,
    shift: u8,
    dedicated: bool,
}

/// A value's length: near one of these.
#[derive(Clone, Copy, Arbitrary, Debug)]
enum Near {
    Nothing,
    Word(u8),
    Class(u8),
    Extent(u8),
    Limit,
    Any(u16),
}

#[derive(Clone, Copy, Arbitrary, Debug)]
enum Op {
    Put { name: Name, near: Near, off: i8, absent: bool },
    PutByHandle { name: Name, near: Near, off: i8 },
    Again { pick: u8, near: Near, off: i8 },
    Remove { pick: u8 },
    Get { name: Name },
    List { pick: u8, cut: u16 },
}

/// Plays the operations that the bytes spell.
pub fn play(bytes: &[u8]) {
    let options = Board::options().capacity(CAPACITY).keys(64).history(64).sessions(2);
    // Beats that never come: nothing happens but the operations.
    let board = options.beat(Duration::from_secs(3600)).local().expect("the sizes can be");
    let public = Public::new(board, 1, CAPACITY as usize / 4);
    let shape = Shape::sized(CAPACITY, 64, 64, 2);
    let mut edges = Edges { pair: Pair::new(public, &[], &[]), shape };
    for op in script::read(bytes, OPERATIONS_MAX) {
        edges.take(op);
    }
    edges.pair.list("");
    edges.pair.reference.map.keys().for_each(|key| edges.get(key));
}

struct Edges {
    pair: Pair<Public>,
    shape: Shape,
}

/// The key that a name stands for; distinct names may give the same one.
fn key(name: Name) -> String {
    let len = KEY_EDGES[usize::from(name.edge) % KEY_EDGES.len()];
    let letter = LETTERS[usize::from(name.letter) % LETTERS.len()];
    let start = if name.dedicated { "task/" } else { "" };
    let mut key = format!("{start}{}", "abc".get(..usize::from(name.shift) % 4).unwrap_or_default());
    key.truncate(len);
    while key.len() + letter.len() <= len {
        key.push_str(letter);
    }
    // Fewer bytes are left than the letter has.
    key.push_str(&"-".repeat(len - key.len()));
    key
}

fn is_key(key: &str) -> bool {
    (1..=KEY_MAX).contains(&key.len())
}

impl Edges {
    fn take(&mut self, op: Op) {
        match op {
            Op::Put { name, near, off, absent } => {
                let expect = if absent { Expect::Absent } else { Expect::Any };
                self.put(&key(name), near, off, expect, false);
            }
            Op::PutByHandle { name, near, off } => self.put(&key(name), near, off, Expect::Any, true),
            Op::Again { pick, near, off } => {
                if let Some(key) = self.pick(pick) {
                    self.put(&key, near, off, Expect::Any, false);
                }
            }
            Op::Remove { pick } => self.remove(pick),
            Op::Get { name } => self.get(&key(name)),
            Op::List { pick, cut } => {
                let key = self.pick(pick).unwrap_or_default();
                let mut cut = usize::from(cut) % (key.len() + 1);
                while !key.is_char_boundary(cut) {
                    cut -= 1;
                }
                self.pair.list(&key[..cut]);
            }
        }
    }

    fn pick(&self, pick: u8) -> Option<String> {
        let known = &self.pair.reference.map;
        known.keys().nth(usize::from(pick) % known.len().max(1)).cloned()
    }

    fn len(&self, key: &str, near: Near, off: i8) -> usize {
        let granule = self.shape.granule_words as usize * 8;
        let extent = self.shape.extent_granules as usize * granule;
        let before = record::words_of(key.len(), 0) * 8;
        let classes = Classes::new(self.shape.extent_granules as u32);
        let edge = match near {
            Near::Nothing => 0,
            Near::Word(words) => usize::from(words) * 8,
            Near::Class(class) => {
                let granules = classes.granules(class % classes.count() + 1).unwrap_or(1) as usize;
                (granules * granule).saturating_sub(before)
            }
            Near::Extent(count) => extent * (1 + usize::from(count) % 8),
            Near::Limit => self.shape.value_max as usize,
            Near::Any(len) => usize::from(len),
        };
        edge.saturating_add_signed(isize::from(off % 4))
    }

    /// The put agrees with the reference, or its size is refused and nothing changes.
    fn put(&mut self, key: &str, near: Near, off: i8, expect: Expect, by_handle: bool) {
        let value = self.pair.value(self.len(key, near, off));
        if is_key(key) && value.len() as u64 <= self.shape.value_max {
            self.pair.put(key, value, expect, Life::Plain, by_handle);
            return self.get(key);
        }
        let refusal = if is_key(key) { ErrorKind::ValueTooLarge } else { ErrorKind::InvalidKey };
        let session = self.pair.subject.session();
        let receipt = if by_handle {
            session.key(key).and_then(|handle| handle.put(&value))
        } else {
            session.put_if(key, &value, expect)
        };
        let error = receipt.expect_err("a size beyond the limits");
        assert_eq!(error.kind(), refusal, "{} bytes under {}: {error}", value.len(), key.len());
        let (found, known) = (self.pair.subject.generation(), self.pair.reference.generation());
        assert_eq!(found, known, "only a put that happened is an event");
    }

    fn remove(&mut self, pick: u8) {
        let Some(key) = self.pick(pick) else { return };
        self.pair.remove(&key, Expect::Any, false);
        assert!(!self.pair.reference.map.contains_key(&key), "a full board still takes removals");
        self.get(&key);
    }

    fn get(&self, key: &str) {
        if is_key(key) {
            return self.pair.get(key, false);
        }
        let error = self.pair.subject.session().get(key).expect_err("a key beyond the limits");
        assert_eq!(error.kind(), ErrorKind::InvalidKey, "a key of {} bytes: {error}", key.len());
    }
}
