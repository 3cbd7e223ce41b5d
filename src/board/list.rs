//! Lists: entries or keys in key order, all of one generation.

use super::{
    Damage, Listing, Meta, Reader, View, fault,
    index::{Candidates, Span, Wanted},
    reader,
};
use crate::{
    entry::Entry,
    error::{Error, Result},
    protocol::{Core, Fault, read::CopiedRecord, slots, view::Item},
};
use std::{
    fmt,
    iter::FusedIterator,
    ops::{Bound, ControlFlow, RangeBounds},
    vec,
};

/// The entries whose keys start with a prefix, in key order, all of one generation: [`Reader::list`], [`View::list`].
///
/// A list is an iterator. Its methods select the entries, their order, and whether it returns entries or only keys. It
/// reads nothing before its first item is requested. Then it reads step by step, so a range or a limit costs only what it
/// returns.
///
/// The iterator returns an error of kind `Corrupt` for each damaged record, and continues with the other keys. If its
/// generation leaves the history before everything is read, it returns `Lagged` and ends; [`List::into_vec`] starts again
/// in that case. `Moved` and `Forked` end it too.
///
/// From the second list of an open handle on, the cost depends on what the list finds and on the changes since the last
/// list, because the handle keeps an index of the board's keys in this process's memory. The index takes about 50 bytes
/// for each key (and the key's length, if it is more than 30), nine bytes for each slot of the table, and about a hundred
/// bytes for each removal that is still in the history. The first list looks at every slot, the second reads every key.
///
/// # Examples
/// ```
/// let session = slateboard::Board::local()?.attach("planner")?;
/// for (task, state) in [("task/1", "done"), ("task/2", "open"), ("task/3", "open"), ("team/plan", "ship")] {
///     session.put(task, state)?;
/// }
/// for entry in session.list("task/") {
///     let entry = entry?;
///     println!("{} = {:?}", entry.key, entry.text());
/// }
/// let newest = session.list("task/").reverse().limit(1).keys().into_vec()?;
/// assert_eq!(newest, ["task/3"]);
/// let some = session.list("").range("task/2".."team/").keys().into_vec()?;
/// assert_eq!(some, ["task/2", "task/3"]);
/// # Ok::<_, slateboard::Error>(())
/// ```
#[must_use = "a list reads nothing until it is iterated or collected"]
pub struct List<T = Entry> {
    of: Of,
    span: Span,
    backwards: bool,
    limit: usize,
    /// Whether the values are needed.
    values: bool,
    make: Make<T>,
    cursor: Option<Cursor>,
    /// The iterator has ended.
    over: bool,
}

/// What is listed.
enum Of {
    Present(Reader),
    Past(View),
}

/// Makes an item from a key and its value.
type Make<T> = fn(&Reader, &Core<'_>, &str, &[u8], &CopiedRecord) -> T;

/// How many views are tried if the history changes too fast.
const ATTEMPTS: u32 = 17;
/// How many views are tried before the keys are read one by one, each of its own generation. The first list of a handle
/// uses no index, the second builds it.
const EXACT_ATTEMPTS: u32 = 4;

impl Reader {
    /// The entries whose keys start with the prefix, in key order. All are of one generation and of one instant: the
    /// present when the first item is requested.
    ///
    /// # Examples
    /// See [`List`].
    pub fn list(&self, prefix: &str) -> List {
        List::new(Of::Present(self.clone()), prefix)
    }
}

impl View {
    /// The entries of this view whose keys start with the prefix, in key order.
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let before = session.put("task/1", "open")?.generation;
    /// session.put("task/2", "open")?;
    /// assert_eq!(session.view_at(before)?.list("task/").keys().into_vec()?, ["task/1"]);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn list(&self, prefix: &str) -> List {
        List::new(Of::Past(self.clone()), prefix)
    }
}

impl List {
    fn new(of: Of, prefix: &str) -> Self {
        Self {
            of,
            span: Span::of_prefix(prefix),
            backwards: false,
            limit: usize::MAX,
            values: true,
            make: |reader, core, key, value, found| {
                reader.entry(core, key.to_owned(), value.to_vec(), &found.header(), found.generation)
            },
            cursor: None,
            over: false,
        }
    }

    /// Lists only the keys. This takes less memory, because only one value at a time is held, for its checksum.
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("task/1", "open")?;
    /// let keys = session.list("task/").keys().collect::<Result<Vec<String>, _>>()?;
    /// assert_eq!(keys, ["task/1"]);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn keys(self) -> List<String> {
        let Self { of, span, backwards, limit, .. } = self;
        let make = |_: &Reader, _: &Core<'_>, key: &str, _: &[u8], _: &CopiedRecord| key.to_owned();
        List { of, span, backwards, limit, values: false, make, cursor: None, over: false }
    }

    /// Like [`List::whole`], with items that `make` creates from each key, its value and its metadata. `make` may be called
    /// more than once for a key.
    ///
    /// # Errors
    /// Those of [`List::whole`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("file/a", "twelve bytes")?;
    /// let lengths = session.list("file/").gather(|key, _, meta| (key.to_owned(), meta.len))?;
    /// assert_eq!(lengths.entries, [("file/a".to_owned(), 12)]);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn gather<U>(self, mut make: impl FnMut(&str, &[u8], &Meta) -> U) -> Result<Listing<U>> {
        self.gathered(|_, _, key, value, found| make(key, value, &reader::meta(found)))
    }

    /// Calls `each` with the key, the value and the metadata of each entry, until it breaks, and returns the value that it
    /// broke with. Entries are not allocated. `each` may make any call, also lists and scans.
    ///
    /// # Errors
    /// `Lagged` if the generation left the history meanwhile: the entries that `each` got are of one generation, but they are
    /// not all. `Corrupt` if records are damaged, after all others; `Moved`; `Forked`.
    ///
    /// # Examples
    /// ```
    /// use std::ops::ControlFlow;
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("task/1", "done")?;
    /// session.put("task/2", "open")?;
    /// let open = session.list("task/").scan(|key, value, _| match value {
    ///     b"open" => ControlFlow::Break(key.to_owned()),
    ///     _ => ControlFlow::Continue(()),
    /// })?;
    /// assert_eq!(open.as_deref(), Some("task/2"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn scan<B>(self, mut each: impl FnMut(&str, &[u8], &Meta) -> ControlFlow<B>) -> Result<Option<B>> {
        let mut damaged = Vec::new();
        let each = |_: &Core<'_>, key: &str, value: &[u8], found: &CopiedRecord| {
            each(key, value, &reader::meta(found))
        };
        let flow = self.cursor(self.of.view()?).visit(&mut damaged, each);
        match self.of.reader().region.kept(flow)? {
            ControlFlow::Break(told) => Ok(Some(told)),
            ControlFlow::Continue(()) => super::listing::sound(&damaged).map(|()| None),
        }
    }
}

impl<T> List<T> {
    /// Lists only the keys in this range, among those that start with the prefix.
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put_many((0..5).map(|n| (format!("task/{n}"), "open"))).into_iter().collect::<Result<Vec<_>, _>>()?;
    /// assert_eq!(session.list("task/").range("task/1"..="task/2").keys().into_vec()?, ["task/1", "task/2"]);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn range<K: AsRef<str>>(mut self, range: impl RangeBounds<K>) -> Self {
        let bound = |bound: Bound<&K>| bound.map(|key| key.as_ref().to_owned());
        let (start, end) = (bound(range.start_bound()), bound(range.end_bound()));
        self.span.narrow(start.as_ref().map(String::as_str), end.as_ref().map(String::as_str));
        self
    }

    /// Lists only the keys after this one in key order, among those that start with the prefix. The key need not exist.
    ///
    /// # Examples
    /// The next page of a list begins after the last key of the previous page.
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put_many((0..5).map(|n| (format!("task/{n}"), "open"))).into_iter().collect::<Result<Vec<_>, _>>()?;
    /// let page = session.list("task/").limit(3).keys().into_vec()?;
    /// let next = session.list("task/").after(&page[2]).limit(3).keys().into_vec()?;
    /// assert_eq!(next, ["task/3", "task/4"]);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn after(mut self, key: &str) -> Self {
        self.span.narrow(Bound::Excluded(key), Bound::Unbounded);
        self
    }

    /// Limits the number of entries to the first ones in the list's order. Damaged records do not count.
    ///
    /// # Examples
    /// See [`List`].
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Reverses the order: the last key comes first.
    ///
    /// # Examples
    /// See [`List`].
    pub fn reverse(mut self) -> Self {
        self.backwards = !self.backwards;
        self
    }

    /// Collects the whole list, of one generation. If the generation leaves the history meanwhile, it starts again with a
    /// newer one, up to 16 times. In a [`View`], which has one generation, it does not.
    ///
    /// # Errors
    /// `Lagged` if the generation left the history during every attempt; `Corrupt`, which names the damaged records, if there
    /// are any. In both cases [`List::whole`] returns what can be read. `Moved`; `Forked`.
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("task/1", "open")?;
    /// let tasks = session.list("task/").into_vec()?;
    /// assert_eq!(tasks[0].text(), Some("open"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn into_vec(self) -> Result<Vec<T>> {
        let listing = self.tried(ATTEMPTS, self.make);
        self.of.reader().region.kept(listing)?.into_sound()
    }

    /// Collects everything that can be read. All entries are of one generation if the history holds it long enough;
    /// otherwise each entry is current at the time when it is read. Damaged entries are left out. The result tells which
    /// of this applies.
    ///
    /// # Errors
    /// `Contended` if a key changed so fast that it could not be read; `Lagged`, but only in a [`View`]; `Moved`; `Forked`.
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("task/1", "open")?;
    /// let listing = session.list("task/").whole()?;
    /// assert!(listing.exact && listing.damaged.is_empty());
    /// assert_eq!((listing.entries.len(), listing.generation), (1, 1));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn whole(self) -> Result<Listing<T>> {
        self.gathered(self.make)
    }

    fn gathered<U>(
        &self,
        mut make: impl FnMut(&Reader, &Core<'_>, &str, &[u8], &CopiedRecord) -> U,
    ) -> Result<Listing<U>> {
        let outcome = match (self.tried(EXACT_ATTEMPTS, &mut make), &self.of) {
            (Err(error), Of::Present(reader)) if error.is_lagged() => self.one_by_one(reader, make),
            (outcome, _) => outcome,
        };
        self.of.reader().region.kept(outcome)
    }

    /// A list of one generation, with this number of attempts if the generation is not given.
    fn tried<U>(
        &self,
        attempts: u32,
        mut make: impl FnMut(&Reader, &Core<'_>, &str, &[u8], &CopiedRecord) -> U,
    ) -> Result<Listing<U>> {
        let mut attempt = 1;
        loop {
            match self.exact(&mut make) {
                Err(error) if error.is_lagged() && attempt < attempts && self.of.may_begin_anew() => {
                    attempt += 1
                }
                outcome => return outcome,
            }
        }
    }

    fn exact<U>(
        &self,
        mut make: impl FnMut(&Reader, &Core<'_>, &str, &[u8], &CopiedRecord) -> U,
    ) -> Result<Listing<U>> {
        let (mut entries, mut damaged) = (Vec::new(), Vec::new());
        let view = self.of.view()?;
        let (generation, reader) = (view.generation(), self.of.reader());
        let _all = self.cursor(view).visit(&mut damaged, |core, key, value, found| {
            entries.push(make(reader, core, key, value, found));
            ControlFlow::<()>::Continue(())
        })?;
        Ok(Listing { entries, generation, exact: true, damaged })
    }

    /// Reads each key by a separate read.
    fn one_by_one<U>(
        &self,
        reader: &Reader,
        mut make: impl FnMut(&Reader, &Core<'_>, &str, &[u8], &CopiedRecord) -> U,
    ) -> Result<Listing<U>> {
        let core = reader.core()?;
        let generation = core.newest();
        let (mut keys, mut damaged) = (Vec::new(), Vec::new());
        let walked = core.present_keys(self.span.prefix(), |key| match key {
            Ok(key) if self.span.contains(key) => keys.extend(String::from_utf8(key.to_vec())),
            Ok(_) => {}
            Err(found) => {
                damaged.extend(Some(Damage::of(found)).filter(|damage| damage.concerns(&self.span)))
            }
        });
        walked.map_err(fault::error)?;
        in_order(&mut keys, self.backwards);
        let (mut value, mut found, mut entries) = (Vec::new(), CopiedRecord::EMPTY, Vec::new());
        for key in keys {
            if entries.len() == self.limit {
                break;
            }
            // The core is checked again for each key, because `make` may have forked.
            let core = reader.core()?;
            match reader.read(&core, &reader::checked(&core, &key)?, None, &mut found, &mut value) {
                Ok(true) => entries.push(make(reader, &core, &key, &value, &found)),
                Ok(false) => {}
                Err(error) if error.is_corrupt() => damaged.push(Damage::of_key(&key, "its newest record")),
                Err(error) => return Err(error.on_key(&key)),
            }
        }
        Ok(Listing { entries, generation, exact: false, damaged })
    }

    fn cursor(&self, view: View) -> Cursor {
        let Self { backwards, limit, values, .. } = *self;
        let (span, batch) = (self.span.clone(), Batch::Wanted);
        let (found, value) = (CopiedRecord::EMPTY, Vec::new());
        Cursor { view, span, backwards, left: limit, values, batch, found, value }
    }

    /// The iterator's next item.
    fn advance(&mut self) -> Result<Option<T>> {
        let cursor = match self.cursor.take() {
            Some(cursor) => cursor,
            None => self.cursor(self.of.view()?),
        };
        let cursor = self.cursor.insert(cursor);
        if cursor.left == 0 {
            return Ok(None);
        }
        match cursor.next()? {
            Some(Step::Found) => {
                let (key, value) = cursor.current()?;
                let reader = &cursor.view.reader;
                let core = reader.core()?;
                let item = (self.make)(reader, &core, key, value, &cursor.found);
                // A name entry belongs to its session as long as the records are in the history.
                cursor.view.is_there(&core).map(|()| Some(item))
            }
            Some(Step::Damaged(damage)) => Err(damage.error()),
            None => Ok(None),
        }
    }
}

impl<T> Iterator for List<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut attempt = 1;
        while !self.over {
            // If nothing was returned yet, another generation may be used.
            let first = self.cursor.is_none();
            let next = self.advance();
            let next = self.of.reader().region.kept(next);
            match &next {
                Ok(Some(_)) => {}
                Err(error)
                    if error.is_lagged() && first && attempt < ATTEMPTS && self.of.may_begin_anew() =>
                {
                    (self.cursor, attempt) = (None, attempt + 1);
                    continue;
                }
                Err(error) if error.is_corrupt() => {}
                Ok(None) | Err(_) => self.over = true,
            }
            return next.transpose();
        }
        None
    }
}

impl<T> FusedIterator for List<T> {}

impl<T> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").field("prefix", &self.span.prefix()).finish_non_exhaustive()
    }
}

impl Of {
    fn reader(&self) -> &Reader {
        match self {
            Self::Present(reader) => reader,
            Self::Past(view) => &view.reader,
        }
    }

    fn view(&self) -> Result<View> {
        match self {
            Self::Present(reader) => reader.view(),
            Self::Past(view) => Ok(view.clone()),
        }
    }

    /// Whether a newer generation may be used instead.
    fn may_begin_anew(&self) -> bool {
        matches!(self, Self::Present(_))
    }
}

/// Visits, in order, the keys of a span that have a value in a view.
struct Cursor {
    view: View,
    /// The keys that are left.
    span: Span,
    backwards: bool,
    /// How many keys may still be returned.
    left: usize,
    values: bool,
    batch: Batch,
    /// The record that was found last.
    found: CopiedRecord,
    value: Vec<u8>,
}

/// The keys that are visited next.
enum Batch {
    /// The next batch has not been fetched yet.
    Wanted,
    /// Candidates of the index, from `next` on. `more` tells whether others may follow.
    Indexed { candidates: Candidates, next: usize, more: bool },
    /// The result of a walk over all slots: all keys that are left, and the damage that was found.
    Walked { items: vec::IntoIter<Item>, key: Vec<u8>, damaged: vec::IntoIter<Damage> },
    /// No key is left.
    Over,
}

/// A step of a cursor.
enum Step {
    /// A key with a value, which is current now.
    Found,
    Damaged(Damage),
}

/// How many candidates are fetched at once.
const BATCH: usize = 512;
/// How many candidates ahead of the visit slots and records are prefetched, because they are scattered, and each of them
/// would cause a cache miss.
const AHEAD_SLOTS: usize = 8;
const AHEAD_RECORDS: usize = 4;

impl Cursor {
    /// Moves to the next key. After an error there is none.
    fn next(&mut self) -> Result<Option<Step>> {
        let next = self.step();
        if next.is_err() {
            self.batch = Batch::Over;
        }
        next
    }

    fn step(&mut self) -> Result<Option<Step>> {
        while self.left > 0 {
            let step = match &self.batch {
                Batch::Wanted => {
                    self.batch = self.fetch()?;
                    None
                }
                Batch::Indexed { .. } => self.next_indexed()?,
                Batch::Walked { .. } => self.next_walked()?,
                Batch::Over => return Ok(None),
            };
            if let Some(step) = step {
                self.left -= usize::from(matches!(step, Step::Found));
                return Ok(Some(step));
            }
        }
        self.end().map(|()| None)
    }

    /// Ends the cursor when the limit is reached.
    fn end(&mut self) -> Result<()> {
        if matches!(self.batch, Batch::Over) {
            return Ok(());
        }
        self.let_go(Batch::Over);
        self.view.is_there(&self.view.reader.core()?)
    }

    /// The current key and its value.
    fn current(&self) -> Result<(&str, &[u8])> {
        let key = match &self.batch {
            Batch::Indexed { candidates, next, .. } => next.checked_sub(1).and_then(|at| candidates.key(at)),
            Batch::Walked { key, .. } => Some(key.as_slice()),
            Batch::Wanted | Batch::Over => None,
        };
        Ok((utf8(key.unwrap_or_default())?, &self.value))
    }

    fn fetch(&mut self) -> Result<Batch> {
        let core = self.view.reader.core()?;
        let most = self.left.min(BATCH);
        let wanted = Wanted { span: &self.span, backwards: self.backwards, most };
        let index = &self.view.reader.region.index;
        let candidates = index.candidates(&core, wanted, self.view.point);
        match candidates.map_err(|fault| self.view.gone(&core, fault))? {
            Some(mut candidates) => {
                self.value = std::mem::take(&mut candidates.value);
                let more = candidates.len() == most;
                Ok(Batch::Indexed { candidates, next: 0, more })
            }
            None => self.walk(&core),
        }
    }

    /// Fetches the keys by a walk over all slots.
    fn walk(&self, core: &Core<'_>) -> Result<Batch> {
        let (mut items, mut damaged) = (Vec::new(), Vec::new());
        let (prefix, point, verify) = (self.span.prefix(), self.view.point, self.view.reader.verify);
        let walked = core.list_at(prefix, point, verify, |item| match item {
            Ok(item) if !self.span.contains(&item.key) => {}
            Ok(item) if self.values => items.push(item),
            Ok(item) => items.push(Item { value: Vec::new(), ..item }),
            Err(found) => damaged.push(Damage::of(found)),
        });
        walked.map_err(|fault| self.view.gone(core, fault))?;
        damaged.retain(|damage| damage.concerns(&self.span));
        items.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        if self.backwards {
            items.reverse();
        }
        Ok(Batch::Walked { items: items.into_iter(), key: Vec::new(), damaged: damaged.into_iter() })
    }

    fn next_walked(&mut self) -> Result<Option<Step>> {
        let Batch::Walked { items, key, damaged } = &mut self.batch else { return Ok(None) };
        if let Some(item) = items.find(|item| !self.view.is_expired(item.header.deadline)) {
            self.found = CopiedRecord {
                words: item.header.pack(),
                generation: item.generation,
                ..CopiedRecord::EMPTY
            };
            (*key, self.value) = (item.key, item.value);
            return Ok(Some(Step::Found));
        }
        if let Some(damage) = damaged.next() {
            return Ok(Some(Step::Damaged(damage)));
        }
        self.end().map(|()| None)
    }

    fn next_indexed(&mut self) -> Result<Option<Step>> {
        let Batch::Indexed { candidates, next, more } = &mut self.batch else { return Ok(None) };
        let number = *next;
        let Some(head_at) = candidates.slot(number) else {
            let more = *more;
            if let Some(last) = number.checked_sub(1).and_then(|last| candidates.key(last)).filter(|_| more) {
                self.span.pass(utf8(last)?, self.backwards);
            }
            self.let_go(if more { Batch::Wanted } else { Batch::Over });
            // Without this check a key that left the index with its removal might be missing.
            return self.view.is_there(&self.view.reader.core()?).map(|()| None);
        };
        *next += 1;
        let View { reader, point, .. } = &self.view;
        // The core is checked again for each key, because the caller may have forked.
        let core = reader.region.core_to_read(reader.region.words()?);
        let far = if number == 0 { 0..=AHEAD_SLOTS } else { number + AHEAD_SLOTS..=number + AHEAD_SLOTS };
        far.filter_map(|number| candidates.slot(number)).for_each(|head_at| core.prefetch_slot(head_at));
        if let Some(head_at) = candidates.slot(number + AHEAD_RECORDS) {
            core.prefetch_record(head_at, self.found.words.record_words());
        }
        let key = utf8(candidates.key(number).unwrap_or_default())?;
        let slot_key = slots::Key::new(core.geometry(), key);
        match core.get_in(&slot_key, head_at, *point, reader.verify, &mut self.found, &mut self.value) {
            Ok(true) if !self.view.is_expired(self.found.words.deadline()) => Ok(Some(Step::Found)),
            Ok(_) => Ok(None),
            Err(Fault::Corrupt(what)) => Ok(Some(Step::Damaged(Damage::of_key(key, what)))),
            Err(fault) => Err(self.view.gone(&core, fault)),
        }
    }

    /// Calls `each` for every key that is left, until it breaks, and collects the damaged ones.
    fn visit<B>(
        mut self,
        damaged: &mut Vec<Damage>,
        mut each: impl FnMut(&Core<'_>, &str, &[u8], &CopiedRecord) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>> {
        while let Some(step) = self.next()? {
            match step {
                Step::Found => {
                    let (key, value) = self.current()?;
                    let flow = each(&self.view.reader.core()?, key, value, &self.found);
                    if flow.is_break() {
                        return Ok(flow);
                    }
                }
                Step::Damaged(damage) => damaged.push(damage),
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Replaces the batch. The buffers of this one are kept for the next list.
    fn let_go(&mut self, next: Batch) {
        if let Batch::Indexed { mut candidates, .. } = std::mem::replace(&mut self.batch, next) {
            let region = &self.view.reader.region;
            // Not in a forked child, where the lock may be held by a thread that does not exist there.
            if !region.in_child() {
                candidates.value = std::mem::take(&mut self.value);
                region.index.give_back(candidates);
            }
        }
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        self.let_go(Batch::Over);
    }
}

/// Sorts keys, and leaves out those that a walk found twice.
fn in_order(keys: &mut Vec<String>, backwards: bool) {
    keys.sort_unstable();
    keys.dedup();
    if backwards {
        keys.reverse();
    }
}

fn utf8(key: &[u8]) -> Result<&str> {
    std::str::from_utf8(key).map_err(|_| not_text())
}

#[cold]
pub(super) fn not_text() -> Error {
    fault::error(Fault::Corrupt("a record's key, which is not UTF-8,"))
}

#[cfg(test)]
mod tests;
