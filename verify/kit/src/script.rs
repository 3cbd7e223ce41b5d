//! Scripts: operations of several sessions that the bytes of a fuzzer spell, or that a test generates.

use arbitrary::{Arbitrary, Unstructured};

/// What a change expects, as seen from what stands; `true` is right.
#[derive(Clone, Copy, PartialEq, Eq, Arbitrary, Debug)]
#[allow(missing_docs, reason = "as the board's expectations")]
pub enum Wish {
    Any,
    Absent,
    Present,
    Version(bool),
    Generation(bool),
}

/// How long a value lives.
#[derive(Clone, Copy, PartialEq, Eq, Arbitrary, Debug)]
pub enum Life {
    /// Until it is removed.
    Plain,
    /// For so long from now.
    Until(u8),
    /// As long as its session.
    Bound,
    /// As long as its session, and no longer than this.
    BoundUntil(u8),
}

impl Life {
    /// Whether it ends with its session.
    pub fn is_bound(self) -> bool {
        matches!(self, Self::Bound | Self::BoundUntil(_))
    }

    /// How long it lives at most.
    pub fn span(self) -> Option<u8> {
        match self {
            Self::Until(span) | Self::BoundUntil(span) => Some(span),
            Self::Plain | Self::Bound => None,
        }
    }
}

/// An operation. Numbers of keys and prefixes are taken modulo those that there are; `hinted` calls use the slot that
/// the key was found in before.
#[derive(Clone, Copy, Arbitrary, Debug)]
#[allow(missing_docs, reason = "the fields are those of the board's calls")]
pub enum Op {
    Put {
        key: u8,
        len: u16,
        wish: Wish,
        life: Life,
        hinted: bool,
    },
    PutSmall {
        key: u8,
        len: u8,
    },
    Remove {
        key: u8,
        wish: Wish,
        hinted: bool,
    },
    Update {
        key: u8,
    },
    Get {
        key: u8,
        hinted: bool,
    },
    List {
        prefix: u8,
    },
    /// A view of a generation, counted back from a little after the present.
    Past {
        back: u8,
        key: u8,
        prefix: u8,
    },
    /// All events of the history.
    Replay,
    /// Time passes.
    Pass {
        ns: u8,
    },
    /// Ends an entry by its deadline, whether that has passed or not.
    Expire {
        key: u8,
        right: bool,
    },
    /// Moves the floor of the history.
    Floor {
        early: bool,
        steps: u8,
    },
    /// Another session acts from now on.
    Turn {
        session: u8,
    },
    /// The session detaches.
    Leave,
    /// The session dies, and is reaped.
    Kill,
    /// Looks for slots that were opened and not used.
    Sweep,
    EmptyStash,
}

/// The operations that the bytes spell, `max` of them at most.
pub fn read<O: for<'b> Arbitrary<'b>>(bytes: &[u8], max: usize) -> Vec<O> {
    let mut source = Unstructured::new(bytes);
    let mut ops = Vec::new();
    while ops.len() < max {
        match source.arbitrary() {
            Ok(op) if !source.is_empty() => ops.push(op),
            _ => break,
        }
    }
    ops
}
