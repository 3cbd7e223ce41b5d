//! Shards, chains of buckets, guards and slots.

use crate::{
    board::Board,
    finding::Findings,
    uses::{Use, Uses},
    words::{Asks, FREED, GenWord, Guard, Head, LIVE, OPEN, RETIRED, SlotHash},
};

/// Buckets of one chain, at most.
const CHAIN_MAX: usize = 128;

/// A slot that was used at least once, after what its chain's guard asks for.
pub struct Slot {
    pub head_at: usize,
    /// First bucket of its chain.
    pub chain: usize,
    pub hash: SlotHash,
    pub head: Head,
}

/// The slots of the whole board.
pub struct Slots {
    pub used: Vec<Slot>,
    pub longest_chain: usize,
}

/// Reads all chains, and notes the blocks of their overflow buckets as used.
pub fn read(board: &Board<'_>, uses: &mut Uses, out: &mut Findings) -> Slots {
    let mut slots = Slots { used: Vec::new(), longest_chain: 0 };
    let mut linked = vec![0; board.layout.shards()];
    let mut chain = Vec::new();
    for bucket in 0..board.layout.buckets() {
        follow(board, bucket, &mut chain, uses, out);
        linked[board.layout.shard_of_bucket(bucket)] += chain.len() as u64 - 1;
        slots.longest_chain = slots.longest_chain.max(chain.len());
        let first = slots.used.len();
        read_chain(board, bucket, &chain, &mut slots.used, out);
        for slot in &slots.used[first..] {
            check_kind(slot, out);
        }
        // Not earlier: positions in the chain count unused slots too.
        let mut kept = first;
        for at in first..slots.used.len() {
            if slots.used[at].hash.0 != 0 || slots.used[at].head.0 != 0 {
                slots.used.swap(kept, at);
                kept += 1;
            }
        }
        slots.used.truncate(kept);
    }
    for (shard, linked) in linked.into_iter().enumerate() {
        let counted = board.word(board.layout.shard(shard) + board.layout.profile.overflow());
        out.require(counted >> 23 == linked, "overflow-count", || {
            format!("shard {shard} counts {} overflow buckets and has {linked}", counted >> 23)
        });
    }
    slots
}

/// Collects the first words of a chain's buckets.
fn follow(board: &Board<'_>, bucket: usize, chain: &mut Vec<usize>, uses: &mut Uses, out: &mut Findings) {
    chain.clear();
    let mut base = board.layout.bucket(bucket);
    loop {
        chain.push(base);
        let link = board.word(base + 1);
        if link == 0 {
            return;
        }
        let block = u32::try_from(link).ok().filter(|&block| block < board.layout.granules);
        let size = block.and_then(|block| board.size_of(block)).unwrap_or(0) as usize;
        let Some(block) =
            block.filter(|_| size * board.layout.granule_words >= board.layout.profile.bucket_words())
        else {
            return out
                .push("chain", format!("the chain of bucket {bucket} links {link}, which is not a bucket"));
        };
        if !uses.note(block, Use::Bucket, || format!("the chain of bucket {bucket}"), out) {
            return;
        }
        let says = board.gen_word(block);
        out.require(says == GenWord::Bucket(bucket as u64), "chain", || {
            format!("the generation word of block {block}, a bucket of chain {bucket}, is {says:?}")
        });
        if chain.len() == CHAIN_MAX {
            return out
                .push("chain", format!("the chain of bucket {bucket} has more than {CHAIN_MAX} buckets"));
        }
        base = board.layout.data(block);
        let last = board.shard_word(bucket, board.layout.profile.overflow()) & 0x7f_ffff == u64::from(block);
        out.require(board.word(base) == 1 || (last && board.word(base) == 0), "overflow-count", || {
            format!("overflow bucket {block} is not marked as counted")
        });
    }
}

/// Adds the chain's slots, in order, after what the guard asks for.
fn read_chain(board: &Board<'_>, bucket: usize, chain: &[usize], slots: &mut Vec<Slot>, out: &mut Findings) {
    let first = slots.len();
    let guard = Guard(board.word(chain[0]));
    for base in chain {
        slots.extend((0..board.layout.profile.slots).map(|slot| {
            let hash_at = base + 2 + 2 * slot;
            let (hash, head) = (SlotHash(board.word(hash_at)), Head(board.word(hash_at + 1)));
            Slot { head_at: hash_at + 1, chain: bucket, hash, head }
        }));
    }
    let slots = &mut slots[first..];
    for slot in slots.iter() {
        let number = slot.hash.number();
        out.require(number <= guard.number() && slot.hash.0 >> 52 == 0, "guard", || {
            format!(
                "slot {} was written by guard {number}, and the guard of chain {bucket} has number {}",
                slot.head_at,
                guard.number()
            )
        });
    }
    if let Err(what) = apply(board, guard, chain, slots) {
        out.push("guard", format!("the guard of chain {bucket} {what}"));
    }
}

/// Applies the guard as a writer that meets it would.
fn apply(board: &Board<'_>, guard: Guard, chain: &[usize], slots: &mut [Slot]) -> Result<(), &'static str> {
    let number = guard.number();
    match guard.asks() {
        Asks::Nothing => {}
        Asks::Frozen => return Err("is frozen"),
        Asks::Link { block } if block >= board.layout.granules => {
            return Err("links a block that does not exist");
        }
        Asks::Link { block } if chain[1..].contains(&board.layout.data(block)) => {}
        Asks::Link { .. } => return Err("links a bucket that is not in the chain"),
        Asks::Claim { slot, fingerprint } => {
            let slot = slots.get_mut(slot).ok_or("claims a slot that does not exist")?;
            if fingerprint == 0 {
                return Err("claims a slot without a fingerprint");
            }
            if slot.hash.number() < number {
                // The hash is written before the head.
                if slot.head.kind() != FREED {
                    return Err("claims a slot that is in use");
                }
                slot.hash = SlotHash::new(number, fingerprint);
            }
            if slot.head.kind() == FREED {
                slot.head = slot.head.next(OPEN, 0);
            }
        }
        Asks::Free { slot } => {
            let slot = slots.get_mut(slot).ok_or("frees a slot that does not exist")?;
            if slot.head.kind() == RETIRED {
                slot.head = slot.head.next(FREED, 0);
            }
            if slot.hash.number() < number {
                slot.hash = SlotHash::new(number, 0);
            }
        }
    }
    Ok(())
}

/// Checks that a slot is FREED without a fingerprint, or LIVE, RETIRED or OPEN with one.
fn check_kind(slot: &Slot, out: &mut Findings) {
    let kind = slot.head.kind();
    let sound = match kind {
        FREED => slot.hash.fingerprint() == 0,
        LIVE | RETIRED | OPEN => slot.hash.fingerprint() != 0,
        _ => false,
    };
    out.require(sound, "head-kind", || {
        format!("slot {} is {} with fingerprint {:#06x}", slot.head_at, slot.head, slot.hash.fingerprint())
    });
}
