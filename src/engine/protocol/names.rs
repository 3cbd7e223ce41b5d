//! The table of session names: taking an entry, reading it, and giving up those that nothing refers to.
//!
//! Records name their writer by an entry's number, so an entry stays as long as a session refers to it, or a record that
//! a reader may still be shown. A full table is swept in three steps. First all state words are loaded. Then the sweep
//! looks at every session record, every slot's newest record and what it superseded, and the history's events and what
//! they superseded, in this order. Then it frees each entry that none of them refers to, by a compare-and-swap from the
//! word that was loaded.
//!
//! A session writes down which entry it takes, takes it by a compare-and-swap that changes its state word, and only then
//! writes records under it. If it takes the entry after the sweep loaded the word, the sweep's compare-and-swap fails.
//! If before, the sweep sees what it wrote down, or sees that the session has ended; then its records were published
//! before the sweep looks at them. A record moves only from a slot's head to what that supersedes, to an event of the
//! history, and out of it: a sweep that looks in this order meets it, or meets nobody who could be shown it.

use super::{Core, Fault, Full, acquire};
use crate::layout::{
    Block, GenWord, Head, HeadKind, Writer, record,
    session::{self, NAME_MAX, NameKind, NameState},
};
use crate::sync::{
    Ordering::{AcqRel, Acquire, Relaxed, Release},
    fence,
};

/// How often a session sweeps a full table for a name, while others take the entries that it freed.
const SWEEPS: usize = 4;

/// The set of entries that something refers to.
struct Referred(Vec<bool>);

impl Referred {
    fn add(&mut self, name: u16) {
        // An index outside the table comes from a torn or damaged copy, and refers to nothing.
        self.0.get_mut(usize::from(name)).into_iter().for_each(|referred| *referred = true);
    }
}

impl<'r> Core<'r> {
    fn name_word(&self, index: usize) -> &'r crate::sync::AtomicU64 {
        self.at(self.geo.name(index))
    }

    /// Returns the table's entry for a name, and creates it if there is none. From now on the session's record names
    /// it. The caller is the session. If it is killed, its reaper frees the unfinished entry.
    pub fn intern(&self, name: &str, session: usize) -> Result<u16, Fault> {
        let name = &name.as_bytes()[..name.len().min(NAME_MAX)];
        for _ in 0..SWEEPS {
            if let Some(index) = self.take_name(name, session) {
                return Ok(index);
            }
            // If damage prevents a sweep of the table, the table counts as full.
            if !self.sweep_names().unwrap_or(false) {
                break;
            }
        }
        // Relaxed: a session without a name refers to no entry.
        self.at(self.geo.session(session) + session::NAME).store(0, Relaxed);
        Err(Fault::Full(Full::Names))
    }

    /// Takes the entry that has the name, or a free one.
    fn take_name(&self, name: &[u8], session: usize) -> Option<u16> {
        let mut free = None;
        for index in 1..self.geo.names() {
            for _ in 0..64 {
                let state = NameState(acquire(self.name_word(index)));
                if state.kind() == Some(NameKind::Free) {
                    free = free.or(Some(index));
                }
                let same = self.name_bytes(index, state).is_some_and(|bytes| bytes == name);
                let Some(kind) = state.kind().filter(|_| same) else { break };
                // The bytes belong to the life of this word: if the compare-and-swap succeeds, the word did not change.
                if self.take_entry(index, state, state.taken(kind), session) {
                    return Some(index as u16);
                }
            }
        }
        (free?..self.geo.names())
            .find(|&index| self.make_name(index, name, session))
            .map(|index| index as u16)
    }

    /// Takes the entry from this state, after recording that this session refers to it.
    fn take_entry(&self, index: usize, state: NameState, next: NameState, session: usize) -> bool {
        // Release: a sweep that sees the name of the next life sees that the last one is over (P9).
        self.at(self.geo.session(session) + session::NAME).store(index as u64, Release);
        // AcqRel: a sweep that sees the entry taken sees the session that refers to it. The last creator of a freed
        // entry is done with it (P11).
        self.name_word(index).compare_exchange(state.0, next.0, AcqRel, Relaxed).is_ok()
    }

    /// Gives a free entry the name. Returns whether it was free.
    fn make_name(&self, index: usize, name: &[u8], session: usize) -> bool {
        let state = NameState(acquire(self.name_word(index)));
        let claimed = state.taken(NameKind::Claimed { owner: session as u16 + 1 });
        if state.kind() != Some(NameKind::Free) || !self.take_entry(index, state, claimed, session) {
            return false;
        }
        // Release: a thread that sees one of the bytes below also sees the claim and the sweep before it (P11).
        fence(Release);
        self.store_bytes(self.geo.name(index) + 1, name);
        let ready = claimed.with(NameKind::Ready { len: name.len() as u16 });
        // Release: a thread that sees the entry ready sees its name, and the session that refers to it (P11).
        self.name_word(index).store(ready.0, Release);
        true
    }

    /// The name of a table entry; `None` for 0 and for an unfinished entry. The name belongs to the writer of a record
    /// only if no entry was freed since before the record was read: see [`Core::names_stand`].
    pub fn name(&self, index: u16) -> Option<String> {
        let index = Some(usize::from(index)).filter(|index| (1..self.geo.names()).contains(index))?;
        let bytes = self.name_bytes(index, NameState(acquire(self.name_word(index))))?;
        String::from_utf8(bytes).ok()
    }

    fn name_bytes(&self, index: usize, state: NameState) -> Option<Vec<u8>> {
        let Some(NameKind::Ready { len }) = state.kind() else { return None };
        let mut bytes = vec![0; usize::from(len)];
        self.load_bytes(self.geo.name(index) + 1, &mut bytes);
        Some(bytes)
    }

    /// How often entries were freed. A reader notes this before it reads a record, for [`Core::names_stand`].
    pub fn names_freed(&self) -> u64 {
        acquire(self.name_word(0))
    }

    /// Whether no entry was freed since [`Core::names_freed`] returned this number.
    pub fn names_stand(&self, freed: u64) -> bool {
        // A thread that read another session's name, or a part of it, sees that the entry was freed before (P11).
        fence(Acquire);
        self.name_word(0).load(Relaxed) == freed
    }

    /// The number of entries that something refers to. If damage hides that, the number of entries that have a name. An
    /// estimate.
    pub fn names_in_use(&self) -> u64 {
        let referred = self.referred_names();
        let used = |&index: &usize| {
            // Relaxed: the number is only displayed.
            let state = NameState(self.name_word(index).load(Relaxed));
            let referred = referred.as_ref().map_or(true, |referred| referred.0[index]);
            referred && matches!(state.kind(), Some(NameKind::Ready { .. }))
        };
        (1..self.geo.names()).filter(used).count() as u64
    }

    /// Frees name entries that a killed session left unfinished.
    pub(super) fn free_names_of(&self, owner: u16) {
        for index in 1..self.geo.names() {
            let word = self.name_word(index);
            let state = NameState(word.load(Relaxed));
            if state.kind() == Some(NameKind::Claimed { owner }) {
                // AcqRel: the accesses of the dead creator are over for the next one (P11).
                let _ = word.compare_exchange(state.0, state.with(NameKind::Free).0, AcqRel, Relaxed);
            }
        }
    }

    /// Frees the entries that nothing refers to. Returns whether there is room: whether it found any, or entries that are
    /// free. A sweep that another session was faster than finds those.
    pub fn sweep_names(&self) -> Result<bool, Fault> {
        let state = |index| NameState(acquire(self.name_word(index)));
        let states: Vec<NameState> = (0..self.geo.names()).map(state).collect();
        let referred = self.referred_names()?;
        let ready = |index: usize| matches!(states[index].kind(), Some(NameKind::Ready { .. }));
        let unused: Vec<usize> =
            (1..self.geo.names()).filter(|&index| ready(index) && !referred.0[index]).collect();
        if unused.is_empty() {
            return Ok(states[1..].iter().any(|state| state.kind() == Some(NameKind::Free)));
        }
        // AcqRel: raised before another session can take any of them, so a reader that reads that session's name sees
        // this (P11).
        self.name_word(0).fetch_add(1, AcqRel);
        for index in unused {
            let (state, free) = (states[index], states[index].with(NameKind::Free));
            // AcqRel: fails if a session took the entry since it was loaded (P11).
            let _ = self.name_word(index).compare_exchange(state.0, free.0, AcqRel, Relaxed);
        }
        Ok(true)
    }

    fn referred_names(&self) -> Result<Referred, Fault> {
        let mut referred = Referred(vec![false; self.geo.names()]);
        self.refer_sessions(&mut referred);
        self.refer_slots(&mut referred)?;
        self.refer_history(&mut referred)?;
        Ok(referred)
    }

    fn refer_sessions(&self, referred: &mut Referred) {
        for at in (0..self.geo.sessions()).map(|session| self.geo.session(session)) {
            if session::is_active(acquire(self.at(at + session::INCARNATION))) {
                referred.add(acquire(self.at(at + session::NAME)) as u16);
            }
        }
    }

    fn refer_slots(&self, referred: &mut Referred) -> Result<(), Fault> {
        for bucket in 0..self.geo.buckets() {
            let mut chain = self.chain(bucket);
            for hash_at in chain.by_ref().flat_map(super::slots::slots_of) {
                self.refer_slot(hash_at + 1, referred)?;
            }
            chain.ended()?;
        }
        Ok(())
    }

    /// Marks what the slot's newest record and the one before it refer to. The one before counts, because the event that
    /// superseded it may not be in the history yet.
    fn refer_slot(&self, head_at: usize, referred: &mut Referred) -> Result<(), Fault> {
        for _ in 0..64 {
            let head = self.load_head(head_at);
            match head.kind() {
                Some(HeadKind::Moved) => return Err(Fault::Moved),
                Some(HeadKind::Live) => {}
                _ => return Ok(()),
            }
            if let Some(block) = self.block(head.block()) {
                self.refer_record(block, referred);
            }
            // The copy comes from one life of the block only if the head did not change (P2).
            fence(Acquire);
            if self.head_is(head_at, head) {
                return Ok(());
            }
        }
        Err(Fault::Contended)
    }

    fn refer_history(&self, referred: &mut Referred) -> Result<(), Fault> {
        // The generation first: the history may lap between the two loads, and the floor passes no event that is not counted.
        let newest = self.generation();
        let floor = self.floor();
        if newest.saturating_sub(floor) > self.geo.history() {
            return Err(Fault::Corrupt("the distance of the history's two counters"));
        }
        for event in floor + 1..=newest {
            let word = self.ring_word(event);
            let block = self.block(word.block()).filter(|_| word.lap() == self.geo.lap(event));
            match block {
                Some(block) => self.refer_record(block, referred),
                None if self.floor() >= event => {}
                None => return Err(Fault::Corrupt("a word of the history ring")),
            }
        }
        Ok(())
    }

    /// The entries that the record in the block refers to, and those of the record before it, unless that has left the
    /// history. Damaged records refer to none, because no reader is shown them.
    fn refer_record(&self, block: Block, referred: &mut Referred) {
        let Some(words) = self.header_words(block) else { return };
        let gone = matches!(self.load_gen(block), GenWord::Generation(event) if event <= self.floor());
        let previous = Head(words.0[record::PREVIOUS]);
        let before =
            self.block(previous.block()).filter(|_| !gone).and_then(|block| self.header_words(block));
        for words in [Some(words), before].into_iter().flatten() {
            words.writers().into_iter().for_each(|writer: Writer| referred.add(writer.name));
        }
    }
}
