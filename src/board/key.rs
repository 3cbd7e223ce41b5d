//! A handle to a key, which finds the key's slot once.

use super::{
    Expect, Meta, Newer, PutOptions, Receipt, Replacement, Retry, Session,
    reader::{self, Seen},
    update, watch,
};
use crate::{
    entry::Entry,
    error::{Error, Result},
    protocol::{
        read::{CopiedRecord, Lookup},
        recall::Recall,
        slots::{self, Slot},
    },
};
use std::{cell::Cell, fmt, time::Duration};

/// A key of a session, which remembers where the key lives and what it read last: [`Session::key`]. Reads and writes are
/// faster through it, most of all reads of a value that has not changed since the handle read it.
///
/// One thread at a time uses a handle. Clone it for other threads.
#[derive(Clone)]
pub struct KeyHandle {
    session: Session,
    name: String,
    hash: u64,
    shard: usize,
    bucket: usize,
    fingerprint: u16,
    slot: Cell<Option<Slot>>,
    /// What was read last, if that was a value without a deadline. In cells and without a lock, because one thread at a
    /// time uses a handle; in two, so that a read which the first suffices for moves nothing of the second.
    noted: Cell<Option<Recall>>,
    noted_meta: Cell<Meta>,
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
            noted: Cell::new(None),
            noted_meta: Cell::new(reader::meta(&CopiedRecord::EMPTY)),
        })
    }

    /// The key.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let count = session.key("count")?;
    /// assert_eq!(count.name(), "count");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
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
    fn read(&self, found: &mut CopiedRecord, out: &mut Vec<u8>) -> Result<bool> {
        let reader = self.session.reader();
        let core = reader.region.core_to_read(reader.region.words()?);
        core.glance_or(
            self.slot.get().map_or(Lookup::Nowhere, |slot| Lookup::InSlot(self.hash, slot)),
            reader.verify,
            found,
            out,
            |is, found, out| match reader::seen(is, found) {
                // Not asked whether the board stands: a page of zeros does not pass a comparison of checksums, and
                // `Verify::Scrub` leaves damage to the scrubber.
                Seen::Value => Ok(true),
                Seen::Expired => self.read_in_full(Some(found.generation), found, out),
                Seen::Nothing => {
                    out.clear();
                    Ok(false)
                }
            },
            |found, out| self.read_in_full(None, found, out),
        )
    }

    /// As `read`, when a glance was not enough. `over` is the generation of the expired record that it found.
    #[cold]
    fn read_in_full(&self, over: Option<u64>, found: &mut CopiedRecord, out: &mut Vec<u8>) -> Result<bool> {
        let reader = self.session.reader();
        let is = reader
            .read_since(&reader.core()?, &self.slot_key(), self.slot.get(), over, found, out)
            .map_err(|error| error.on_key(&self.name));
        let is = reader.region.kept(is)?;
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

    /// The key's entry; `None` when it has no value.
    ///
    /// # Errors
    /// As [`Reader::get`](super::Reader::get).
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let count = session.key("count")?;
    /// assert!(count.get()?.is_none());
    /// count.put("1")?;
    /// assert_eq!(count.get()?.unwrap().text(), Some("1"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn get(&self) -> Result<Option<Entry>> {
        let reader = self.session.reader();
        let core = reader.core()?;
        reader.named(&core, || {
            let (mut found, mut value) = (CopiedRecord::EMPTY, Vec::new());
            let is = self.read(&mut found, &mut value)?;
            let entry = || reader.entry(&core, self.name.clone(), value, &found.header(), found.generation);
            Ok(is.then(entry))
        })
    }

    /// Replaces `buffer` with the key's value. Allocates only when the buffer is too small.
    ///
    /// # Errors
    /// As [`Reader::get`](super::Reader::get).
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let count = session.key("count")?;
    /// count.put("1")?;
    /// let mut buffer = Vec::new();
    /// let meta = count.get_into(&mut buffer)?.unwrap();
    /// assert_eq!((meta.version, buffer.as_slice()), (1, &b"1"[..]));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn get_into(&self, buffer: &mut Vec<u8>) -> Result<Option<Meta>> {
        let reader = self.session.reader();
        if let Some(recall) = self.noted.get()
            && recall.copy(reader.region.words_or_none(), &*reader.region, reader.verify, buffer)
        {
            return Ok(Some(self.noted_meta.get()));
        }
        self.get_anew_into(buffer)
    }

    /// As [`KeyHandle::get_into`], without a look at what the handle remembers. Notes what was found.
    #[inline(never)]
    fn get_anew_into(&self, buffer: &mut Vec<u8>) -> Result<Option<Meta>> {
        let mut found = CopiedRecord::EMPTY;
        let is = self.read(&mut found, buffer)?;
        let meta = is.then(|| reader::meta(&found));
        let geo = self.session.reader().region.geometry();
        // What has a deadline is looked up each time, because it ends although nobody changes the head.
        let lasts = meta.filter(|_| found.words.deadline() == 0);
        self.noted.set(lasts.map(|_| Recall::of(geo, &found)));
        lasts.into_iter().for_each(|meta| self.noted_meta.set(meta));
        Ok(meta)
    }

    /// Replaces `buffer` with the key's value if its version is newer than `version`. Otherwise returns `None`, and the buffer
    /// has no defined content. Made for polling: while the key does not change, a call costs a few loads, whatever the value's
    /// length.
    ///
    /// # Errors
    /// As [`Reader::get`](super::Reader::get).
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let count = session.key("count")?;
    /// let version = count.put("1")?.version;
    /// let mut buffer = Vec::new();
    /// assert!(count.get_newer_into(version, &mut buffer)?.is_none());
    /// count.put("2")?;
    /// assert!(count.get_newer_into(version, &mut buffer)?.is_some());
    /// assert_eq!(buffer, b"2");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn get_newer_into(&self, version: u64, buffer: &mut Vec<u8>) -> Result<Option<Meta>> {
        if let Some(seen) = self.newest_seen()?
            && seen <= version
        {
            return Ok(None);
        }
        Ok(self.get_into(buffer)?.filter(|meta| meta.version > version))
    }

    /// The key's version; 0 when it has no value. Made for polling, as [`KeyHandle::get_newer_into`].
    ///
    /// # Errors
    /// As [`Reader::get`](super::Reader::get).
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let count = session.key("count")?;
    /// assert_eq!(count.version()?, 0);
    /// count.put("1")?;
    /// assert_eq!(count.version()?, 1);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn version(&self) -> Result<u64> {
        if let Some(seen) = self.newest_seen()? {
            return Ok(seen);
        }
        Ok(self.get_anew_into(&mut Vec::new())?.map_or(0, |meta| meta.version))
    }

    /// The version that was read last, if it is still the newest.
    #[inline]
    fn newest_seen(&self) -> Result<Option<u64>> {
        let Some(recall) = self.noted.get() else { return Ok(None) };
        let region = &*self.session.reader().region;
        let core = region.core_to_read(region.words()?);
        Ok(core.is_newest(recall.slot, recall.head).then(|| self.noted_meta.get().version))
    }

    /// Puts a value, whatever the key has.
    ///
    /// # Errors
    /// As [`Session::put`].
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let count = session.key("count")?;
    /// assert_eq!(count.put("1")?.version, 1);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn put(&self, value: impl AsRef<[u8]>) -> Result<Receipt> {
        self.put_if(value, Expect::Any)
    }

    /// Puts a value if the key has what is expected.
    ///
    /// # Errors
    /// As [`Session::put_if`].
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let count = session.key("count")?;
    /// count.put_if("1", slateboard::Expect::Absent)?;
    /// assert!(count.put_if("1", slateboard::Expect::Absent).unwrap_err().is_conflict());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn put_if(&self, value: impl AsRef<[u8]>, expect: Expect) -> Result<Receipt> {
        let change = self.session.change(value.as_ref(), PutOptions::new().expect(expect));
        let (receipt, slot) = self.session.put_at(&self.name, &self.slot_key(), &change, self.slot.get())?;
        self.remember(slot);
        Ok(receipt)
    }

    /// Updates the key atomically, retrying on conflict: puts the value that `f` makes of the present bytes, which are `None` when
    /// the key has no value, in up to 16 attempts. The codec, the deadline and the session that the entry ends with stay as they
    /// are.
    ///
    /// # Errors
    /// As [`Session::update`].
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let count = session.key("count")?;
    /// let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
    /// count.update(|old| (old.map_or(0, number) + 1).to_le_bytes())?;
    /// count.update(|old| (old.map_or(0, number) + 1).to_le_bytes())?;
    /// assert_eq!(number(&count.get()?.unwrap().value), 2);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn update<V: AsRef<[u8]>>(&self, f: impl FnMut(Option<&[u8]>) -> V) -> Result<Receipt> {
        self.update_with(Retry::new(), f)
    }

    /// Updates the key as [`KeyHandle::update`] does, with other attempts and pauses.
    ///
    /// # Errors
    /// As [`Session::update_with`].
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let count = session.key("count")?;
    /// count.update_with(slateboard::Retry::UNLIMITED, |_| "1")?;
    /// assert_eq!(count.version()?, 1);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn update_with<V: AsRef<[u8]>>(
        &self,
        retry: Retry,
        mut f: impl FnMut(Option<&[u8]>) -> V,
    ) -> Result<Receipt> {
        let mut slot = self.slot.get();
        let next = |found: Option<&CopiedRecord>, old: &[u8]| {
            Ok::<_, Error>(Some(Replacement::new(f(found.map(|_| old)))))
        };
        let receipt = self.session.update_at(&self.name, &self.slot_key(), &mut slot, retry, next)?;
        slot.into_iter().for_each(|slot| self.remember(slot));
        receipt.ok_or_else(|| update::nothing_to_put(&self.name))
    }

    /// Blocks until the key's version is newer than `version`, or the key is removed or expires. Returns `None` when the
    /// timeout passes first. With version 0, waits for the key to have a value.
    ///
    /// # Errors
    /// As [`Reader::get`](super::Reader::get).
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, Newer};
    /// use std::time::Duration;
    ///
    /// let session = Board::local()?.attach("planner")?;
    /// let count = session.key("count")?;
    /// assert!(count.wait_newer(0, Duration::ZERO)?.is_none());
    /// let version = count.put("1")?.version;
    /// assert!(matches!(count.wait_newer(0, Duration::ZERO)?, Some(Newer::Value(_))));
    /// session.remove("count")?;
    /// assert_eq!(count.wait_newer(version, Duration::ZERO)?, Some(Newer::Removed));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
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
