//! What each block is used for: every block in use is named once, and all others are free.

use crate::{
    Blocks,
    board::Board,
    finding::Findings,
    known::{self, Known},
    layout::Layout,
    record::Record,
    words::{CLAIMED, FREE, GenWord, LIMBO, OWNED, PART, State},
};
use std::collections::HashMap;

/// What a block is used as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// As nothing: no slot, event, chain or record names it.
    None,
    /// As the record of a key's value.
    Live,
    /// As the record that an event of the history superseded.
    History,
    /// As the record of a key without a value.
    Tombstone,
    /// As the tombstone that a RETIRED head names.
    Retired,
    /// As an overflow bucket.
    Bucket,
    /// As a piece of a chained value.
    Piece,
}

/// The use of the block that starts at each granule.
pub struct Uses(Vec<Use>);

impl Uses {
    pub fn new(layout: &Layout) -> Self {
        Self(vec![Use::None; layout.granules as usize])
    }

    /// Notes what a block is used as. Returns whether the block exists and was not in use before, so that its words may
    /// be read.
    pub fn note(&mut self, block: u32, named: Use, by: impl Fn() -> String, out: &mut Findings) -> bool {
        match self.0.get_mut(block as usize).filter(|_| block != 0) {
            None => {
                out.push("block-state", format!("{} names block {block}, which does not exist", by()));
                false
            }
            Some(first @ Use::None) => {
                *first = named;
                true
            }
            Some(first) => {
                out.push(
                    "double-use",
                    format!("block {block} is used as {first:?}, and as {named:?} by {}", by()),
                );
                false
            }
        }
    }

    /// Notes the pieces of a record whose block was noted.
    pub fn note_pieces(&mut self, board: &Board<'_>, record: &Record, out: &mut Findings) {
        let parent = GenWord::parent(record.block, board.state(record.block));
        for &piece in &record.pieces {
            let by = || format!("the chain of block {}, {}", record.block, record.name());
            if self.note(piece, Use::Piece, by, out) && board.gen_word(piece) != parent {
                let says = board.gen_word(piece);
                out.push(
                    "pieces",
                    format!("the generation word of piece {piece} is {says:?}, expected {parent:?}"),
                );
            }
        }
    }
}

/// Checks the state of every block against its use, and counts granules.
pub fn check(board: &Board<'_>, uses: &Uses, known: &Known<'_>, out: &mut Findings) -> Blocks {
    let layout = board.layout;
    let mut owned = HashMap::new();
    let mut blocks = Blocks { granules: u64::from(layout.granules), ..Blocks::default() };
    out.require(board.word(layout.state(0)) == 0, "block-start", || {
        "block 0, which no one may use, is in use".to_owned()
    });
    for extent in 0..board.reserved() {
        check_class(board, extent, out);
        let first = extent * layout.extent_granules;
        let size = board.size_in(extent);
        for offset in 0..layout.extent_granules {
            let granule = first + offset;
            match size.filter(|_| board.size_of(granule).is_some()) {
                Some(size) => {
                    let (state, named) = (board.state(granule), uses.0[granule as usize]);
                    if named == Use::None && state.kind() == CLAIMED {
                        blocks.private += u64::from(size);
                        check_private(granule, state, known, &mut owned, out);
                    } else {
                        check_block(board, granule, size, named, &mut blocks, out);
                    }
                }
                None => check_inside(board, granule, uses, out),
            }
        }
    }
    known::check_private(&owned, known, out);
    check_unreserved(board, uses, out);
    let used =
        blocks.live + blocks.history + blocks.tombstones + blocks.buckets + blocks.pieces + blocks.private;
    blocks.free = blocks.granules - used;
    blocks
}

fn check_class(board: &Board<'_>, extent: u32, out: &mut Findings) {
    let class = board.word(board.layout.extent(extent)) as u8;
    let known = class == 0 || board.size_in(extent).is_some();
    out.require(known, "extent-class", || format!("extent {extent} has class {class}, which does not exist"));
    if u64::from(extent) < board.layout.reserve_extents {
        // The longest tombstone is a header and a key of 1,024 bytes.
        let reserve = board.layout.class_for(board.layout.profile.record_words() + 128);
        out.require(usize::from(class) == reserve, "extent-class", || {
            format!("the reserve, extent {extent}, has class {class}, expected {reserve}")
        });
    }
}

/// Checks that a private block belongs to a living session, and counts it for that session.
fn check_private(
    block: u32,
    state: State,
    known: &Known<'_>,
    owned: &mut HashMap<u16, usize>,
    out: &mut Findings,
) {
    let owner = state.owner().checked_sub(1);
    let alive = owner.is_some_and(|session| known.living.contains(&session));
    out.require(alive, "private", || format!("block {block} is {state}, expected that of a living session"));
    *owned.entry(owner.unwrap_or(u16::MAX)).or_default() += 1;
}

fn check_block(
    board: &Board<'_>,
    block: u32,
    size: u32,
    named: Use,
    blocks: &mut Blocks,
    out: &mut Findings,
) {
    let state = board.state(block);
    let expected = if named == Use::Piece { PART } else { OWNED };
    match named {
        // A LIMBO block that nothing names is free for whoever claims it.
        Use::None if state.is_nobodys(FREE) || state.is_nobodys(LIMBO) => {}
        Use::Retired if state.is_nobodys(LIMBO) => blocks.tombstones += u64::from(size),
        Use::None => out.push("leak", format!("block {block} is {state}, and nothing names it")),
        _ if state.is_nobodys(expected) => *count_of(blocks, named) += u64::from(size),
        _ => out.push("block-state", format!("block {block} is {state}, and is used as {named:?}")),
    }
    if named != Use::Bucket
        && let GenWord::Bucket(chain) = board.gen_word(block)
    {
        out.push(
            "bucket-trace",
            format!("block {block} is marked as a bucket of chain {chain}, which does not link it"),
        );
    }
}

fn count_of(blocks: &mut Blocks, named: Use) -> &mut u64 {
    match named {
        Use::None => &mut blocks.free,
        Use::Live => &mut blocks.live,
        Use::History => &mut blocks.history,
        Use::Tombstone | Use::Retired => &mut blocks.tombstones,
        Use::Bucket => &mut blocks.buckets,
        Use::Piece => &mut blocks.pieces,
    }
}

/// Checks that a granule where no block starts is unused.
fn check_inside(board: &Board<'_>, granule: u32, uses: &Uses, out: &mut Findings) {
    let (state, named) = (board.state(granule), uses.0[granule as usize]);
    out.require(state.is_nobodys(FREE), "block-start", || {
        format!("granule {granule}, where no block starts, is {state}")
    });
    out.require(named == Use::None, "block-start", || {
        format!("granule {granule}, where no block starts, is used as {named:?}")
    });
    // Slots are found by the granule that they lie in, so a mark of an earlier bucket would mislead.
    if let GenWord::Bucket(chain) = board.gen_word(granule) {
        out.push(
            "bucket-trace",
            format!("granule {granule}, where no block starts, is marked as a bucket of chain {chain}"),
        );
    }
}

/// Checks that extents which are not reserved were never written.
fn check_unreserved(board: &Board<'_>, uses: &Uses, out: &mut Findings) {
    let layout = board.layout;
    let first = board.reserved();
    for extent in first..layout.extents {
        let class = board.word(layout.extent(extent));
        out.require(class == 0, "reserved", || {
            format!("extent {extent} is not reserved, and its class word is {class:#x}")
        });
    }
    let granule = first * layout.extent_granules;
    let table = board.slice(layout.state(granule), (layout.granules - granule) as usize * 2);
    if let Some(at) = table.iter().position(|&word| word != 0) {
        let (granule, state) = (granule + (at / 2) as u32, State(table[at & !1]));
        out.push("reserved", format!("block {granule} is not reserved, and is {state}"));
    }
    if let Some(at) = uses.0[granule as usize..].iter().position(|&named| named != Use::None) {
        out.push("reserved", format!("block {} is not reserved, and is in use", granule as usize + at));
    }
}
