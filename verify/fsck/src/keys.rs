//! The keys: each slot compared with its record, with the history, and with its shard and group.

use crate::{
    KeyState,
    board::Board,
    finding::Findings,
    history::History,
    known::{self, Known},
    layout::fingerprint_of,
    record::Record,
    slots::{Slot, Slots},
    uses::{Use, Uses},
    words::{GenWord, LIVE, RETIRED},
};
use std::{borrow::Cow, collections::HashMap};

const CHANGES: usize = 0;

/// Checks all slots. Returns the keys that have a value, in the order of their bytes.
pub fn check(
    board: &Board<'_>,
    history: &History,
    slots: &Slots,
    known: &Known<'_>,
    uses: &mut Uses,
    out: &mut Findings,
) -> Vec<KeyState> {
    let mut live = Vec::new();
    for slot in &slots.used {
        if slot.head.kind() == LIVE {
            live.extend(check_live(board, history, slot, uses, out));
        } else if slot.head.block() != 0 {
            check_retired(board, history, slot, uses, out);
        }
    }
    for record in history.records() {
        check_key(board, record, out);
    }
    check_replay(history, slots, out);
    check_changes(board, history, &live, known, out);
    known::check_keys(live.iter().map(|(_, record)| record.as_ref()), known, out);
    check_deadlines(board, &live, out);
    live.sort_unstable_by(|(_, one), (_, other)| one.key.cmp(&other.key));
    for pair in live.windows(2).filter(|pair| pair[0].1.key == pair[1].1.key) {
        let key = String::from_utf8_lossy(&pair[0].1.key);
        out.push(
            "key-twice",
            format!("{key:?} has two slots, {} and {}", pair[0].0.head_at, pair[1].0.head_at),
        );
    }
    let valued = live.into_iter().map(|(_, record)| record).filter(|record| !record.is_tombstone());
    valued.map(Cow::into_owned).map(state_of).collect()
}

fn state_of(record: Record) -> KeyState {
    KeyState {
        version: record.version,
        generation: record.generation.unwrap_or(0),
        value: record.value,
        codec: record.codec,
        deadline: record.deadline,
        ephemeral: record.ephemeral.0,
        writer: record.writer.0,
        key: record.key,
    }
}

/// Checks a slot with a LIVE head; the record that the head names.
fn check_live<'s, 'h>(
    board: &Board<'_>,
    history: &'h History,
    slot: &'s Slot,
    uses: &mut Uses,
    out: &mut Findings,
) -> Option<(&'s Slot, Cow<'h, Record>)> {
    let block = slot.head.block();
    let says = if block < board.layout.granules { board.gen_word(block) } else { GenWord::Other(0) };
    let counted =
        matches!(says, GenWord::Generation(generation) if (1..=history.generation).contains(&generation));
    if !counted || board.size_of(block).is_none() {
        out.push(
            "head-block",
            format!("slot {} is {}, whose generation word is {says:?}", slot.head_at, slot.head),
        );
        return None;
    }
    let record = history.record_in(board, block, out)?;
    let named = if record.is_tombstone() { Use::Tombstone } else { Use::Live };
    if uses.note(block, named, || format!("slot {}", slot.head_at), out) {
        uses.note_pieces(board, &record, out);
    }
    check_key(board, &record, out);
    let ours = record.head_at == slot.head_at
        && board.layout.chain_of(&record.key, record.hash) == slot.chain
        && fingerprint_of(record.hash) == slot.hash.fingerprint();
    out.require(ours, "head-block", || {
        format!(
            "slot {} of chain {} is {}, which holds {} of slot {}",
            slot.head_at,
            slot.chain,
            slot.head,
            record.name(),
            record.head_at
        )
    });
    out.require(record.previous.next(LIVE, block) == slot.head, "head-counter", || {
        format!("slot {} is {}, and its record stores {} before it", slot.head_at, slot.head, record.previous)
    });
    Some((slot, record))
}

/// Checks that the slot that a record names is in the chain of the record's key.
fn check_key(board: &Board<'_>, record: &Record, out: &mut Findings) {
    let chain = board.layout.chain_of(&record.key, record.hash);
    let found = chain_of_slot(board, record.head_at);
    out.require(found == Some(chain), "record-key", || {
        format!(
            "block {}, {}, belongs to chain {chain}, and its slot {} to {found:?}",
            record.block,
            record.name(),
            record.head_at
        )
    });
}

/// The chain of the slot whose head is at this word; `None` where that is no head.
fn chain_of_slot(board: &Board<'_>, head_at: usize) -> Option<usize> {
    let layout = board.layout;
    let bucket_words = layout.profile.bucket_words();
    let is_head = |base: usize| head_at > base + 2 && (head_at - base - 3).is_multiple_of(2);
    let table = layout.bucket(0)..layout.bucket(layout.buckets());
    if table.contains(&head_at) {
        let bucket = (head_at - table.start) / bucket_words;
        return is_head(layout.bucket(bucket)).then_some(bucket);
    }
    let granule = head_at.checked_sub(layout.data(0))? / layout.granule_words;
    let span = bucket_words.div_ceil(layout.granule_words);
    let starts = (0..span).filter_map(|back| u32::try_from(granule.checked_sub(back)?).ok());
    let mut blocks = starts.filter(|&block| block < layout.granules && board.size_of(block).is_some());
    blocks.find_map(|block| match board.gen_word(block) {
        GenWord::Bucket(bucket) if is_head(layout.data(block)) => usize::try_from(bucket).ok(),
        _ => None,
    })
}

/// Checks a slot without a key that names a block: the last key's tombstone, which is still to be freed.
fn check_retired(board: &Board<'_>, history: &History, slot: &Slot, uses: &mut Uses, out: &mut Findings) {
    let block = slot.head.block();
    out.require(slot.head.kind() == RETIRED, "retired", || {
        format!("slot {} is {}: a slot without a key names a block", slot.head_at, slot.head)
    });
    if !uses.note(block, Use::Retired, || format!("slot {}", slot.head_at), out) {
        return;
    }
    let Some(record) = history.record_in(board, block, out) else { return };
    let gone = record.generation.is_some_and(|generation| generation <= history.floor);
    let sound = record.is_tombstone() && record.head_at == slot.head_at && gone;
    out.require(sound, "retired", || {
        format!(
            "slot {} is {}, which holds {} of generation {:?}",
            slot.head_at,
            slot.head,
            record.name(),
            record.generation
        )
    });
    out.require(slot.head.is_after(record.previous), "head-counter", || {
        format!(
            "slot {} is {}, and its tombstone stores {} before it",
            slot.head_at, slot.head, record.previous
        )
    });
    let base = board.version_base(slot.chain);
    out.require(record.version <= base, "version-base", || {
        format!("{} left the shard of chain {}, whose version base is {base}", record.name(), slot.chain)
    });
}

/// Checks that the head of each slot with events in the history is LIVE and names the newest of them.
fn check_replay(history: &History, slots: &Slots, out: &mut Findings) {
    let mut newest = HashMap::new();
    for record in history.records() {
        newest.insert(record.head_at, record);
    }
    for slot in &slots.used {
        if let Some(record) = newest.remove(&slot.head_at) {
            let named = slot.head.kind() == LIVE && slot.head.block() == record.block;
            out.require(named, "replay", || {
                let (event, block) = (record.generation.unwrap_or(0), record.block);
                format!(
                    "slot {} is {}, its newest event {event}, {}, is block {block}",
                    slot.head_at,
                    slot.head,
                    record.name()
                )
            });
        }
    }
    for record in newest.values() {
        let event = record.generation.unwrap_or(0);
        out.push(
            "replay",
            format!("event {event}, {}, names slot {}, which does not exist", record.name(), record.head_at),
        );
    }
}

/// Checks the two words of each group, by which sweeps find expired entries.
fn check_deadlines(board: &Board<'_>, live: &[(&Slot, Cow<'_, Record>)], out: &mut Findings) {
    for (slot, record) in live.iter().filter(|(_, record)| !record.is_tombstone() && record.deadline != 0) {
        let at = board.layout.group_of(slot.chain);
        let (swept, fresh) = (board.word(at) >> 24, board.word(at + 1));
        // In units, at least one: 0 means no deadline.
        let unit = (record.deadline >> board.layout.profile.deadline_shift).clamp(1, (1 << 40) - 1);
        let told = (1..=unit).contains(&swept) || (fresh != 0 && !fresh <= record.deadline);
        // A deadline of all ones never comes.
        out.require(told || record.deadline == u64::MAX, "deadline", || {
            format!(
                "{} has deadline {}, and its group has {swept} and {fresh:#x}",
                record.name(),
                record.deadline
            )
        });
    }
}

/// Checks that each shard's counter is that of its newest event, or above it: a reaper raises all to the generation.
fn check_changes(
    board: &Board<'_>,
    history: &History,
    live: &[(&Slot, Cow<'_, Record>)],
    known: &Known<'_>,
    out: &mut Findings,
) {
    let mut newest = vec![0; board.layout.shards()];
    let standing = live.iter().map(|(slot, record)| (slot.chain, record.generation));
    let events =
        history.records().map(|record| (board.layout.chain_of(&record.key, record.hash), record.generation));
    let chain_of = |key| board.layout.chain_of(key, board.layout.hash(key));
    let noted = known.events.unwrap_or_default().iter();
    let noted = noted.map(|event| (chain_of(event.key), Some(event.generation)));
    for (chain, generation) in standing.chain(events).chain(noted) {
        let shard = board.layout.shard_of_bucket(chain);
        newest[shard] = newest[shard].max(generation.unwrap_or(0));
    }
    for (shard, newest) in newest.into_iter().enumerate() {
        let changes = board.word(board.layout.shard(shard) + CHANGES);
        out.require((newest..=history.generation).contains(&changes), "shard-changes", || {
            let generation = history.generation;
            format!("the counter of shard {shard} is {changes}, its newest event {newest}, the generation {generation}")
        });
    }
}
