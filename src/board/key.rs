//! A key handle: the slot found once.

use super::{Expect, Meta, Newer, PutOptions, Receipt, Replacement, Retry, Session, reader, update, watch};
use crate::{
    entry::Entry,
    error::{Error, Result},
    layout::Head,
    protocol::{
        read::Meta as Found,
        slots::{self, Slot},
    },
};
use std::{cell::Cell, fmt, time::Duration};

/// A key of a session, with its slot remembered. One thread at a time uses it; clone it for others.
#[derive(Clone)]
pub struct KeyHandle {
    session: Session,
    name: String,
    hash: u64,
    shard: usize,
    bucket: usize,
    fingerprint: u16,
    slot: Cell<Option<Slot>>,
    /// The version that was read last and where, where it has a value and no deadline.
    seen: Cell<Option<(u64, Slot, Head)>>,
}

impl KeyHandle {
    pub(super) fn new(session: Session, name: &str) -> Result<Self> {
        let slots::Key { hash, shard, bucket, fingerprint, .. } =
            reader::checked(&session.reader().core()?, name)?;
        Ok(Self {
            session,
            name: name.to_owned(),
            hash,
            shard,
            bucket,
            fingerprint,
            slot: Cell::new(None),
            seen: Cell::new(None),
        })
    }

    /// The key.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn slot_key(&self) -> slots::Key<'_> {
        slots::Key {
            bytes: self.name.as_bytes(),
            hash: self.hash,
            shard: self.shard,
            bucket: self.bucket,
            fingerprint: self.fingerprint,
        }
    }

    #[inline]
    fn read(&self, found: &mut Found, out: &mut Vec<u8>) -> Result<bool> {
        if let Some(slot) = self.slot.get() {
            let region = &*self.session.reader().region;
            let core = region.core_to_read(region.words()?);
            let glance = core.glance_at(self.hash, slot, self.session.reader().verify, found, out);
            if let Some(is) = reader::told(glance, found, out) {
                return Ok(is);
            }
        }
        self.read_in_full(found, out)
    }

    /// As `read`, where a glance did not tell.
    #[cold]
    fn read_in_full(&self, found: &mut Found, out: &mut Vec<u8>) -> Result<bool> {
        let is = self
            .session
            .reader()
            .read(&self.session.reader().core()?, &self.slot_key(), self.slot.get(), found, out)
            .map_err(|error| error.on_key(&self.name))?;
        if is {
            self.remember(found.slot);
        }
        Ok(is)
    }

    /// A slot that is known already is compared and not stored: storing takes longer.
    fn remember(&self, slot: Slot) {
        if self.slot.get().is_none_or(|known| known != slot) {
            self.slot.set(Some(slot));
        }
    }

    /// The key's entry; `None` where it has no value.
    ///
    /// # Errors
    /// As [`Reader::get`](super::Reader::get).
    pub fn get(&self) -> Result<Option<Entry>> {
        let reader = self.session.reader();
        let core = reader.core()?;
        reader.named(&core, || {
            let (mut found, mut value) = (Found::EMPTY, Vec::new());
            let is = self.read(&mut found, &mut value)?;
            let entry = || reader.entry(&core, self.name.clone(), value, &found.header(), found.generation);
            Ok(is.then(entry))
        })
    }

    /// Replaces `buffer` with the key's value. Allocates only where the buffer is too small.
    ///
    /// # Errors
    /// As [`Reader::get`](super::Reader::get).
    pub fn get_into(&self, buffer: &mut Vec<u8>) -> Result<Option<Meta>> {
        let mut found = Found::EMPTY;
        Ok(self.read(&mut found, buffer)?.then(|| reader::meta(&found)))
    }

    /// As [`KeyHandle::get_into`], if the key has a value of a version newer than `version`; `None` where it has none, with
    /// `buffer` as it was or of no meaning. Made for polling: while the key does not change, a call costs a few
    /// loads, whatever the value's length.
    ///
    /// # Errors
    /// As [`Reader::get`](super::Reader::get).
    pub fn get_newer_into(&self, version: u64, buffer: &mut Vec<u8>) -> Result<Option<Meta>> {
        if let Some(seen) = self.newest_seen()?
            && seen <= version
        {
            return Ok(None);
        }
        let mut found = Found::EMPTY;
        let is = self.read_and_note(&mut found, buffer)?;
        Ok((is && found.words.version() > version).then(|| reader::meta(&found)))
    }

    /// The key's version; 0 where it has no value. Made for polling, as [`KeyHandle::get_newer_into`].
    ///
    /// # Errors
    /// As [`Reader::get`](super::Reader::get).
    pub fn version(&self) -> Result<u64> {
        if let Some(seen) = self.newest_seen()? {
            return Ok(seen);
        }
        let mut found = Found::EMPTY;
        let is = self.read_and_note(&mut found, &mut Vec::new())?;
        Ok(if is { found.words.version() } else { 0 })
    }

    /// The version that was read last, if it is the newest still.
    #[inline]
    fn newest_seen(&self) -> Result<Option<u64>> {
        let Some((version, slot, head)) = self.seen.get() else { return Ok(None) };
        let region = &*self.session.reader().region;
        let core = region.core_to_read(region.words()?);
        Ok(core.is_newest(slot, head).then_some(version))
    }

    /// As `read`, and notes what was found, for [`KeyHandle::newest_seen`].
    fn read_and_note(&self, found: &mut Found, out: &mut Vec<u8>) -> Result<bool> {
        let is = self.read(found, out)?;
        let seen = (found.words.version(), found.slot, found.head);
        self.seen.set(Some(seen).filter(|_| is && found.words.deadline() == 0));
        Ok(is)
    }

    /// Gives the key this value.
    ///
    /// # Errors
    /// As [`Session::put`].
    pub fn put(&self, value: impl AsRef<[u8]>) -> Result<Receipt> {
        self.put_if(value, Expect::Any)
    }

    /// Gives the key this value if what stands there is as expected.
    ///
    /// # Errors
    /// As [`Session::put_if`].
    pub fn put_if(&self, value: impl AsRef<[u8]>, expect: Expect) -> Result<Receipt> {
        let change = self.session.change(value.as_ref(), PutOptions::new().expect(expect));
        let (receipt, slot) = self.session.put_at(&self.name, &self.slot_key(), &change, self.slot.get())?;
        self.remember(slot);
        Ok(receipt)
    }

    /// Gives the key the value that `f` makes of its present bytes, `None` where it has no value, as often as it takes
    /// to win against other writers, up to 16 attempts. The codec, the deadline and the session that the entry ends with
    /// stay as they are.
    ///
    /// # Errors
    /// As [`Session::update`].
    pub fn update<V: AsRef<[u8]>>(&self, f: impl FnMut(Option<&[u8]>) -> V) -> Result<Receipt> {
        self.update_with(Retry::new(), f)
    }

    /// As [`KeyHandle::update`], with other attempts and pauses.
    ///
    /// # Errors
    /// As [`Session::update`].
    pub fn update_with<V: AsRef<[u8]>>(
        &self,
        retry: Retry,
        mut f: impl FnMut(Option<&[u8]>) -> V,
    ) -> Result<Receipt> {
        let mut slot = self.slot.get();
        let next =
            |found: Option<&Found>, old: &[u8]| Ok::<_, Error>(Some(Replacement::new(f(found.map(|_| old)))));
        let receipt = self.session.update_at(&self.name, &self.slot_key(), &mut slot, retry, next)?;
        slot.into_iter().for_each(|slot| self.remember(slot));
        receipt.ok_or_else(|| update::nothing_to_put(&self.name))
    }

    /// Blocks until the key's version is newer than `version`, or the key is removed or expires. Returns `None` when the
    /// timeout passes first. With version 0, waits for the key to have a value.
    ///
    /// # Errors
    /// As [`Reader::get`](super::Reader::get).
    pub fn wait_newer(&self, version: u64, timeout: Duration) -> Result<Option<Newer>> {
        watch::wait_newer(self.session.reader(), self.shard, version, timeout, || self.get())
    }
}

impl fmt::Debug for KeyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyHandle")
            .field("name", &self.name)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}
