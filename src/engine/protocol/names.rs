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

/// How often a session sweeps a full table for a name, while others take what it freed.
const SWEEPS: usize = 4;

/// The entries that something refers to.
struct Referred(Vec<bool>);

impl Referred {
    fn add(&mut self, name: u16) {
        // What is not in the table refers to nothing: a copy that was torn, or damaged.
        self.0.get_mut(usize::from(name)).into_iter().for_each(|referred| *referred = true);
    }
}

impl<'r> Core<'r> {
    fn name_word(&self, index: usize) -> &'r crate::sync::AtomicU64 {
        self.at(self.geo.name(index))
    }

    /// The table's entry for a name, made where there is none; the session's record names it from now on. The caller
    /// is the session; a killed one's half-made entry is freed by its reaper.
    pub fn intern(&self, name: &str, session: usize) -> Result<u16, Fault> {
        let name = &name.as_bytes()[..name.len().min(NAME_MAX)];
        for _ in 0..SWEEPS {
            if let Some(index) = self.take_name(name, session) {
                return Ok(index);
            }
            // A table that cannot be swept for damage is as full as one where all is in use.
            if !self.sweep_names().unwrap_or(false) {
                break;
            }
        }
        // Relaxed: of a session that has no name nothing is referred to.
        self.at(self.geo.session(session) + session::NAME).store(0, Relaxed);
        Err(Fault::Full(Full::Names))
    }

    /// Takes the entry that has the name, or else a free one.
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
                // The bytes are of this word's life: it stood still if this succeeds.
                if self.take_entry(index, state, state.taken(kind), session) {
                    return Some(index as u16);
                }
            }
        }
        (free?..self.geo.names())
            .find(|&index| self.make_name(index, name, session))
            .map(|index| index as u16)
    }

    /// Takes the entry from this state, after writing down that this session does.
    fn take_entry(&self, index: usize, state: NameState, next: NameState, session: usize) -> bool {
        // Release: and a sweep that sees the next life's name sees the last one over (P9).
        self.at(self.geo.session(session) + session::NAME).store(index as u64, Release);
        // AcqRel: a sweep that sees it taken sees who refers to it; a freed one's last maker is over (P11).
        self.name_word(index).compare_exchange(state.0, next.0, AcqRel, Relaxed).is_ok()
    }

    /// Gives a free entry the name. Whether it was free.
    fn make_name(&self, index: usize, name: &[u8], session: usize) -> bool {
        let state = NameState(acquire(self.name_word(index)));
        let claimed = state.taken(NameKind::Claimed { owner: session as u16 + 1 });
        if state.kind() != Some(NameKind::Free) || !self.take_entry(index, state, claimed, session) {
            return false;
        }
        // Release: no byte below is seen by who does not see the claim, and the sweep before it (P11).
        fence(Release);
        self.store_bytes(self.geo.name(index) + 1, name);
        let ready = claimed.with(NameKind::Ready { len: name.len() as u16 });
        // Release: who sees it ready sees the name, and who refers to it (P11).
        self.name_word(index).store(ready.0, Release);
        true
    }

    /// The name of a table entry; `None` for 0 and for what is no finished entry. It is the name of who wrote a record
    /// if that could still be read afterwards, or if no entry was freed since before it was read: [`Core::names_stand`].
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

    /// How often entries were freed: to be noted before a record is read, for [`Core::names_stand`].
    pub fn names_freed(&self) -> u64 {
        acquire(self.name_word(0))
    }

    /// Whether no entry was freed since [`Core::names_freed`] said this.
    pub fn names_stand(&self, freed: u64) -> bool {
        // Who met another's name, or a part of it, sees that the entry was freed before (P11).
        fence(Acquire);
        self.name_word(0).load(Relaxed) == freed
    }

    /// Entries that something refers to; where damage hides that, those that have a name. An estimate.
    pub fn names_in_use(&self) -> u64 {
        let referred = self.referred_names();
        let used = |&index: &usize| {
            // Relaxed: for people.
            let state = NameState(self.name_word(index).load(Relaxed));
            let referred = referred.as_ref().map_or(true, |referred| referred.0[index]);
            referred && matches!(state.kind(), Some(NameKind::Ready { .. }))
        };
        (1..self.geo.names()).filter(used).count() as u64
    }

    /// Frees name entries that a killed session left half made.
    pub(super) fn free_names_of(&self, owner: u16) {
        for index in 1..self.geo.names() {
            let word = self.name_word(index);
            let state = NameState(word.load(Relaxed));
            if state.kind() == Some(NameKind::Claimed { owner }) {
                // AcqRel: the dead maker is over for whoever makes the entry next.
                let _ = word.compare_exchange(state.0, state.with(NameKind::Free).0, AcqRel, Relaxed);
            }
        }
    }

    /// Frees the entries that nothing refers to. Whether there were any.
    pub fn sweep_names(&self) -> Result<bool, Fault> {
        let state = |index| NameState(acquire(self.name_word(index)));
        let states: Vec<NameState> = (0..self.geo.names()).map(state).collect();
        let referred = self.referred_names()?;
        let ready = |index: usize| matches!(states[index].kind(), Some(NameKind::Ready { .. }));
        let unused: Vec<usize> =
            (1..self.geo.names()).filter(|&index| ready(index) && !referred.0[index]).collect();
        if unused.is_empty() {
            return Ok(false);
        }
        // AcqRel: before any of them can be taken by another: a reader that met that one's name sees this (P11).
        self.name_word(0).fetch_add(1, AcqRel);
        for index in unused {
            let (state, free) = (states[index], states[index].with(NameKind::Free));
            // AcqRel: fails where a session took the entry since it was loaded (P11).
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

    /// The slot's newest record, and the one before: between the two, the history may not know of it yet.
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
            // The copy is of one life of the block only if the head stood still (P2).
            fence(Acquire);
            if self.head_is(head_at, head) {
                return Ok(());
            }
        }
        Err(Fault::Contended)
    }

    fn refer_history(&self, referred: &mut Referred) -> Result<(), Fault> {
        let (floor, newest) = (self.floor(), self.generation());
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

    /// What the record in the block refers to, and the one before it, unless that has left the history. Where they are
    /// damaged nobody is shown them.
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
