//! Who names which block: every block in use is named once, and everything else is free.

use crate::{
    Blocks,
    board::Board,
    finding::Findings,
    layout::Layout,
    record::Record,
    words::{CLAIMED, FREE, GenWord, LIMBO, OWNED, PART, State},
};

/// What a block is named as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// By nobody.
    None,
    /// As the record of a key's value.
    Live,
    /// As what an event of the history superseded.
    History,
    /// As the record of a key without a value.
    Tombstone,
    /// As the tombstone of a key that is gone.
    Retired,
    /// As an overflow bucket.
    Bucket,
    /// As a piece of a chained value.
    Piece,
}

/// The use of each granule where a block starts.
pub struct Names(Vec<Use>);

impl Names {
    pub fn new(layout: &Layout) -> Self {
        Self(vec![Use::None; layout.granules as usize])
    }

    /// Notes what a block is named as. Whether it is one that may be read: it is there, and was not named before.
    pub fn name(&mut self, block: u32, named: Use, by: impl Fn() -> String, out: &mut Findings) -> bool {
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
                    format!("block {block} is named as {first:?}, and as {named:?} by {}", by()),
                );
                false
            }
        }
    }

    /// Notes the pieces of a record that was named.
    pub fn name_pieces(&mut self, board: &Board<'_>, record: &Record, out: &mut Findings) {
        let parent = GenWord::parent(record.block, board.state(record.block));
        for &piece in &record.pieces {
            let by = || format!("the chain of block {}, {}", record.block, record.name());
            if self.name(piece, Use::Piece, by, out) && board.gen_word(piece) != parent {
                let says = board.gen_word(piece);
                out.push(
                    "pieces",
                    format!("piece {piece} of block {} says {says:?}, not {parent:?}", record.block),
                );
            }
        }
    }
}

/// Compares the names with the states of all blocks, and counts the granules.
pub fn check(board: &Board<'_>, names: &Names, living: &[u16], out: &mut Findings) -> Blocks {
    let layout = board.layout;
    let mut blocks = Blocks { granules: u64::from(layout.granules), ..Blocks::default() };
    out.unless(board.word(layout.state(0)) == 0, "block-start", || "block 0 is in use".to_owned());
    for extent in 0..board.reserved() {
        check_class(board, extent, out);
        let first = extent * layout.extent_granules;
        let size = board.size_in(extent);
        for offset in 0..layout.extent_granules {
            let granule = first + offset;
            match size.filter(|_| board.size_of(granule).is_some()) {
                Some(size) => check_block(board, granule, size, names, living, &mut blocks, out),
                None => check_inside(board, granule, names, out),
            }
        }
    }
    check_unreserved(board, names, out);
    let used =
        blocks.live + blocks.history + blocks.tombstones + blocks.buckets + blocks.pieces + blocks.private;
    blocks.free = blocks.granules - used;
    blocks
}

fn check_class(board: &Board<'_>, extent: u32, out: &mut Findings) {
    let class = board.word(board.layout.extent(extent)) as u8;
    let known = class == 0 || board.size_in(extent).is_some();
    out.unless(known, "extent-class", || format!("extent {extent} has class {class}"));
    if u64::from(extent) < board.layout.reserve_extents {
        // The longest tombstone: a header and a key of 1,024 bytes.
        let reserve = board.layout.class_for(crate::layout::RECORD_WORDS + 128);
        out.unless(usize::from(class) == reserve, "extent-class", || {
            format!("the reserve, extent {extent}, has class {class}, not {reserve}")
        });
    }
}

fn check_block(
    board: &Board<'_>,
    block: u32,
    size: u32,
    names: &Names,
    living: &[u16],
    blocks: &mut Blocks,
    out: &mut Findings,
) {
    let (state, named) = (board.state(block), names.0[block as usize]);
    let expected = if named == Use::Piece { PART } else { OWNED };
    match named {
        // LIMBO and named by nobody is free for whoever claims it.
        Use::None if state.is_nobodys(FREE) || state.is_nobodys(LIMBO) => {}
        Use::Retired if state.is_nobodys(LIMBO) => blocks.tombstones += u64::from(size),
        Use::None if state.kind() == CLAIMED => {
            let alive = state.owner().checked_sub(1).is_some_and(|session| living.contains(&session));
            out.unless(alive, "private", || format!("block {block} is {state}, which does not live"));
            blocks.private += u64::from(size);
        }
        Use::None => out.push("leak", format!("block {block} is {state}, and nothing names it")),
        _ if state.is_nobodys(expected) => *count_of(blocks, named) += u64::from(size),
        _ => out.push("block-state", format!("block {block} is {state}, and is named as {named:?}")),
    }
    if named != Use::Bucket
        && let GenWord::Bucket(chain) = board.gen_word(block)
    {
        out.push(
            "bucket-trace",
            format!("block {block} says it is a bucket of chain {chain}, which does not link it"),
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

/// A granule where no block starts.
fn check_inside(board: &Board<'_>, granule: u32, names: &Names, out: &mut Findings) {
    let (state, named) = (board.state(granule), names.0[granule as usize]);
    out.unless(state.is_nobodys(FREE), "block-start", || {
        format!("granule {granule} starts no block, and is {state}")
    });
    out.unless(named == Use::None, "block-start", || {
        format!("granule {granule} starts no block, and is named as {named:?}")
    });
    // A bucket's slots are looked up by the granules they lie in, so no trace of an earlier one may be there.
    if let GenWord::Bucket(chain) = board.gen_word(granule) {
        out.push("bucket-trace", format!("granule {granule}, where no block starts, names chain {chain}"));
    }
}

/// What is not reserved was never written.
fn check_unreserved(board: &Board<'_>, names: &Names, out: &mut Findings) {
    let layout = board.layout;
    let first = board.reserved();
    for extent in first..layout.extents {
        let class = board.word(layout.extent(extent));
        out.unless(class == 0, "reserved", || {
            format!("extent {extent} is not reserved, and has class word {class:#x}")
        });
    }
    let granule = first * layout.extent_granules;
    let table = board.slice(layout.state(granule), (layout.granules - granule) as usize * 2);
    if let Some(at) = table.iter().position(|&word| word != 0) {
        let (granule, state) = (granule + (at / 2) as u32, State(table[at & !1]));
        out.push("reserved", format!("block {granule} is not reserved, and is {state}"));
    }
    if let Some(at) = names.0[granule as usize..].iter().position(|&named| named != Use::None) {
        out.push("reserved", format!("block {} is not reserved, and is named", granule as usize + at));
    }
}
