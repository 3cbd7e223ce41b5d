//! Keys and values of all sizes where something begins or ends: a word, a block size, an extent, the limits.
//!
//! Through the public calls, over a board of this process alone: they are where a size is refused. Keys are
//! text there, so no other bytes come so far.

use arbitrary::{Arbitrary, Unstructured};
use slateboard::{
    Board, Error, ErrorKind, Expect, PutOptions, Session,
    layout::{
        Classes, Shape,
        record::{self, KEY_MAX},
    },
};
use std::{collections::BTreeMap, time::Duration};

/// Operations of one input, at most.
const OPERATIONS_MAX: usize = 48;
const CAPACITY: u64 = 1 << 20;
const KEY_EDGES: [usize; 18] =
    [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 63, 64, 65, 1016, KEY_MAX - 1, KEY_MAX, KEY_MAX + 1, 2 * KEY_MAX];
/// Characters of one to four bytes, and one that begins a folder.
const LETTERS: [&str; 5] = ["k", "é", "€", "𝄞", "/"];

/// A key's bytes: so many, of this letter, behind so many others that shift it against the words.
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

struct Edges {
    board: Board,
    session: Session,
    shape: Shape,
    known: BTreeMap<String, (Vec<u8>, u8)>,
    turn: u8,
}

/// Plays the operations that the bytes spell.
pub fn play(bytes: &[u8]) {
    let options = Board::options().capacity(CAPACITY).keys(64).history(64).sessions(2);
    // Beats that never come: nothing happens but the operations.
    let board = options.beat(Duration::from_secs(3600)).local().expect("the sizes can be");
    let session = board.attach("edges").expect("the first session");
    let shape = Shape::sized(CAPACITY, 64, 64, 2);
    let mut edges = Edges { board, session, shape, known: BTreeMap::new(), turn: 0 };
    let mut source = Unstructured::new(bytes);
    for _ in 0..OPERATIONS_MAX {
        match source.arbitrary() {
            Ok(op) if !source.is_empty() => edges.take(op),
            _ => break,
        }
    }
    edges.list("");
    edges.known.keys().for_each(|key| edges.get(key));
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
        self.turn = self.turn.wrapping_add(1);
        match op {
            Op::Put { name, near, off, absent } => self.put(&key(name), near, off, absent),
            Op::PutByHandle { name, near, off } => self.put_by_handle(&key(name), near, off),
            Op::Again { pick, near, off } => {
                if let Some(key) = self.pick(pick) {
                    self.put(&key, near, off, false);
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
                self.list(&key[..cut]);
            }
        }
    }

    fn pick(&self, pick: u8) -> Option<String> {
        self.known.keys().nth(usize::from(pick) % self.known.len().max(1)).cloned()
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

    /// Bytes that differ from place to place and from put to put.
    fn value(&self, len: usize) -> Vec<u8> {
        (0..len).map(|at| (at ^ at >> 8 ^ at >> 16) as u8 ^ self.turn).collect()
    }

    fn put(&mut self, key: &str, near: Near, off: i8, absent: bool) {
        let value = self.value(self.len(key, near, off));
        let expect = if absent { Expect::Absent } else { Expect::Any };
        let options = PutOptions::new().expect(expect).codec(self.turn.into());
        let before = self.board.generation();
        let result = self.session.put_with(key, &value, options).map(|receipt| receipt.generation);
        self.judge(key, value, self.turn, absent, before, result);
    }

    fn put_by_handle(&mut self, key: &str, near: Near, off: i8) {
        let value = self.value(self.len(key, near, off));
        let before = self.board.generation();
        let result = self.session.key(key).and_then(|handle| handle.put(&value));
        self.judge(key, value, 0, false, before, result.map(|receipt| receipt.generation));
    }

    /// The put happened, or was refused for the right reason and changed nothing.
    fn judge(
        &mut self,
        key: &str,
        value: Vec<u8>,
        codec: u8,
        absent: bool,
        before: u64,
        result: Result<u64, Error>,
    ) {
        let refusal = if !is_key(key) {
            Some(ErrorKind::InvalidKey)
        } else if value.len() as u64 > self.shape.value_max {
            Some(ErrorKind::ValueTooLarge)
        } else if absent && self.known.contains_key(key) {
            Some(ErrorKind::Conflict)
        } else {
            None
        };
        let (len, happened) = (value.len(), result.is_ok());
        match result {
            Ok(generation) => {
                assert_eq!(refusal, None, "{} bytes under {} were taken", len, key.len());
                assert_eq!(generation, before + 1);
                self.known.insert(key.to_owned(), (value, codec));
            }
            // Space is looked for before the expectation is.
            Err(error) if error.is_full() && matches!(refusal, None | Some(ErrorKind::Conflict)) => {
                let held: usize = self.known.values().map(|(value, _)| value.len()).sum();
                assert!((held + len) as u64 > CAPACITY / 4, "full with {held} bytes: {error}");
            }
            Err(error) => {
                assert_eq!(Some(error.kind()), refusal, "{} bytes under {}: {error}", len, key.len())
            }
        }
        assert_eq!(
            self.board.generation(),
            before + u64::from(happened),
            "only a put that happened is an event"
        );
        if is_key(key) {
            self.get(key);
        }
    }

    fn remove(&mut self, pick: u8) {
        let Some(key) = self.pick(pick) else { return };
        let removed = self.session.remove(&key).expect("a full board still takes removals");
        assert!(removed.is_some(), "{key} was there");
        self.known.remove(&key);
        self.get(&key);
    }

    fn get(&self, key: &str) {
        let found = match self.session.get(key) {
            Err(error) => return assert!(!is_key(key) && error.kind() == ErrorKind::InvalidKey, "{error}"),
            Ok(found) => found,
        };
        assert!(is_key(key), "a key of {} bytes was read", key.len());
        let found = found.as_ref().map(|entry| (&entry.value[..], entry.codec.get()));
        let known = self.known.get(key).map(|(value, codec)| (&value[..], *codec));
        assert!(found == known, "the bytes of a key of {}", key.len());
    }

    fn list(&self, prefix: &str) {
        let found = self.session.list(prefix).into_vec().expect("a sound board");
        let known = self.known.iter().filter(|(key, _)| key.starts_with(prefix));
        let known = known.map(|(key, (value, codec))| (key.as_str(), &value[..], *codec));
        let found = found.iter().map(|entry| (entry.key.as_str(), &entry.value[..], entry.codec.get()));
        assert!(found.eq(known), "the list of a prefix of {} bytes", prefix.len());
    }
}
