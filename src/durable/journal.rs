//! Writes the journal: append, sync, rotate, and mend what failed.
//!
//! A writer holds the byte of its epoch in the folder's lock file. It goes on in the newest segment if it can have that segment's
//! epoch, because then nobody else appends there. Otherwise it opens the next epoch, and leaves the other writer's segment to that writer.
//!
//! The frames that a segment had before are on disk for certain only up to its last SYNCED frame. The sync that would have covered
//! the others may have failed under their writer. So before a writer claims that they are on disk, it writes them again, in a
//! segment of its own (`mend`). The same step mends a failed append and a failed sync.

use super::{
    Author, Disk, DiskFile, Record,
    disk::{Held, LOCK},
    failed,
    frame::{self, FileKind, Frame, FrameKind, HEAD_BYTES, Head, PAYLOAD_MAX, Step},
    names::{self, NEW, SegmentName},
    prune, segment,
};
use crate::error::{Error, ErrorKind, Result};
use std::sync::Arc;

/// The byte of epoch 0 in the lock file. The bytes of the other epochs follow.
pub const EPOCHS: u64 = 16;
/// Frames are written when there are as many bytes of them.
const BATCH: usize = 256 << 10;
/// How many epochs a writer tries to open, while others open the same.
const ATTEMPTS: u64 = 64;

/// How much the journal may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// A segment that has as many bytes is followed by the next.
    pub segment_bytes: u64,
    /// All segments together, archived ones too.
    pub total_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { segment_bytes: 4 << 20, total_bytes: 64 << 20 }
    }
}

/// The writer of a board's journal.
#[derive(Debug)]
pub struct Journal {
    disk: Arc<dyn Disk>,
    author: Author,
    limits: Limits,
    _held: Box<dyn Held>,
    name: SegmentName,
    head: Head,
    file: Box<dyn DiskFile>,
    /// Bytes of the file.
    length: u64,
    /// Frames that are not in the file yet.
    batch: Vec<u8>,
    /// The last generation that was appended.
    appended: u64,
    /// Up to this generation all is on disk for certain.
    synced: u64,
    /// A sync of this file does not tell whether everything in it is on disk.
    is_doubtful: bool,
    /// Nothing may be appended to this file any more.
    is_broken: bool,
    /// The largest number of a segment that this writer tried to create.
    sequence: u64,
    /// While a failure is being mended: the segment that has what must be written again.
    source: Option<SegmentName>,
}

impl Journal {
    /// Opens the journal of the author's line. A journal that is not there begins after the generation `after`.
    ///
    /// # Errors
    /// `Incompatible` for files of a newer version; `Refused` for those of another board; `Contended`, `Full`, `Io`.
    pub fn open(disk: &Arc<dyn Disk>, author: &Author, limits: Limits, after: u64) -> Result<Self> {
        let names = disk.list().map_err(|error| failed(&**disk, "", "listed", error))?;
        let segments = names::segments(&names);
        let mut source = None;
        for name in segments.iter().rev().filter(|name| name.line == author.line) {
            if let Ok(scan) = segment::scan(&**disk, *name, author.board)? {
                source = Some((*name, scan));
                break;
            }
        }
        let newest = segments.iter().map(|name| name.epoch).max().unwrap_or(0);
        if let Some((name, scan)) = source
            && name.epoch == newest
            && scan.length < limits.segment_bytes
            && let Some(journal) = Self::go_on(disk, author, limits, name)?
        {
            return Ok(journal);
        }
        let synced = source.map_or(after, |(_, scan)| scan.synced);
        let mut journal = Self::next_epoch(disk, author, limits, newest, synced, "")?;
        if let Some((name, _)) = source {
            journal.copy_from(name)?;
        }
        Ok(journal)
    }

    /// Goes on in the newest segment, if it ends with a frame and its epoch is free.
    fn go_on(
        disk: &Arc<dyn Disk>,
        author: &Author,
        limits: Limits,
        name: SegmentName,
    ) -> Result<Option<Self>> {
        let Some(held) = lock(&**disk, name.epoch)? else { return Ok(None) };
        // The byte is held only from here on: another may have appended since the first look, or begun another segment.
        let names = disk.list().map_err(|error| failed(&**disk, "", "listed", error))?;
        let is_last = names::segments(&names).last() == Some(&name);
        let Ok(scan) = segment::scan(&**disk, name, author.board)? else { return Ok(None) };
        if !is_last || name.is_archived || !scan.is_clean {
            return Ok(None);
        }
        let text = name.to_string();
        let file = disk.open(&text).map_err(|error| failed(&**disk, &text, "opened", error))?;
        Ok(Some(Self {
            disk: Arc::clone(disk),
            author: *author,
            limits,
            _held: held,
            name,
            head: scan.head,
            file,
            length: scan.length,
            batch: Vec::new(),
            appended: scan.last,
            synced: scan.synced,
            is_doubtful: scan.last > scan.synced,
            is_broken: false,
            sequence: name.sequence,
            source: None,
        }))
    }

    /// Opens an epoch that nobody has, with a segment that begins after `synced`.
    fn next_epoch(
        disk: &Arc<dyn Disk>,
        author: &Author,
        limits: Limits,
        newest: u64,
        synced: u64,
        ending: &str,
    ) -> Result<Self> {
        prune::make_room(&**disk, limits)?;
        for epoch in newest + 1..=newest + ATTEMPTS {
            let Some(held) = lock(&**disk, epoch)? else { continue };
            let name = SegmentName { line: author.line, epoch, sequence: 0, is_archived: false };
            let Some((head, file)) = create(&**disk, author, name, synced, ending)? else { continue };
            return Ok(Self {
                disk: Arc::clone(disk),
                author: *author,
                limits,
                _held: held,
                name,
                head,
                file,
                length: HEAD_BYTES as u64,
                batch: Vec::new(),
                appended: synced,
                synced,
                is_doubtful: false,
                is_broken: false,
                sequence: 0,
                source: None,
            });
        }
        Err(Error::new(
            ErrorKind::Contended,
            format!("{ATTEMPTS} epochs of the journal were opened by others"),
        )
        .hint("try again")
        .at_path(disk.path()))
    }

    /// Begins the author's line after `synced`, with the events that `fill` copies. All of them are on disk when the segment has its
    /// name: the name makes the later generations of earlier lines void.
    pub(super) fn begin_line(
        disk: &Arc<dyn Disk>,
        author: &Author,
        limits: Limits,
        synced: u64,
        fill: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<Self> {
        let names = disk.list().map_err(|error| failed(&**disk, "", "listed", error))?;
        let newest = names::segments(&names).iter().map(|name| name.epoch).max().unwrap_or(0);
        let mut journal = Self::next_epoch(disk, author, limits, newest, synced, NEW)?;
        fill(&mut journal)?;
        journal.push()?;
        let name = journal.name.to_string();
        let new = format!("{name}{NEW}");
        journal.file.sync().map_err(|error| failed(&**disk, &new, "synced", error))?;
        disk.rename(&new, &name).map_err(|error| failed(&**disk, &new, "renamed", error))?;
        disk.sync_folder().map_err(|error| failed(&**disk, &name, "made permanent", error))?;
        journal.synced = journal.appended;
        Ok(journal)
    }

    /// Appends an event as another segment has it.
    pub(super) fn copy(&mut self, generation: u64, payload: &[u8]) -> Result<()> {
        self.enter((FrameKind::Event, generation), |out| out.extend_from_slice(payload));
        self.appended = generation;
        if self.batch.len() >= BATCH { self.push() } else { Ok(()) }
    }

    /// The epoch of this writer.
    pub fn epoch(&self) -> u64 {
        self.name.epoch
    }
    /// The name of the segment.
    pub fn segment(&self) -> SegmentName {
        self.name
    }
    /// Up to this generation all is on disk.
    pub fn synced(&self) -> u64 {
        self.synced
    }

    /// The generation that must be appended next. After a failure this may be one that was appended before: it is not on disk,
    /// and has to be appended again.
    ///
    /// # Errors
    /// `Full`, `Io` if a failure could not be mended.
    pub fn due(&mut self) -> Result<u64> {
        if self.is_broken {
            self.mend()?;
        }
        Ok(self.appended + 1)
    }

    /// Appends an event: all that one generation changed. Returns whether it was new.
    ///
    /// # Errors
    /// `InvalidArgument` if generations lie between ([`Journal::gap`]); `Corrupt` after a failure ([`Journal::due`]);
    /// `ValueTooLarge`, `Full`, `Io`.
    pub fn append(&mut self, generation: u64, mutations: &[Record<'_>]) -> Result<bool> {
        if generation <= self.appended {
            return Ok(false);
        }
        self.check_next(generation)?;
        let bytes: usize = mutations.iter().map(Record::bytes).sum();
        if bytes > PAYLOAD_MAX {
            let what = format!("an event of {bytes} bytes is longer than the journal can have");
            return Err(Error::new(ErrorKind::ValueTooLarge, what).at_path(self.disk.path()));
        }
        self.enter((FrameKind::Event, generation), |out| {
            mutations.iter().for_each(|record| record.write(out));
        });
        self.appended = generation;
        if self.batch.len() >= BATCH { self.push().map(|()| true) } else { Ok(true) }
    }

    /// Notes that the generations up to `last` are not in the journal, and which snapshot has what became of them.
    ///
    /// # Errors
    /// `Corrupt` after a failure ([`Journal::due`]).
    pub fn gap(&mut self, last: u64, bridge: u64) -> Result<()> {
        let first = self.appended + 1;
        if last < first {
            return Ok(());
        }
        self.check_next(first)?;
        self.enter((FrameKind::Gap, first), |out| {
            out.extend_from_slice(&last.to_le_bytes());
            out.extend_from_slice(&bridge.to_le_bytes());
        });
        self.appended = last;
        Ok(())
    }

    fn check_next(&self, generation: u64) -> Result<()> {
        let wrong = |kind, what: String, next| {
            Err(Error::new(kind, what).hint(next).at_path(&self.disk.path().join(self.name.to_string())))
        };
        if self.is_broken {
            let what = "an append or a sync failed, so nothing more is appended to this segment";
            return wrong(ErrorKind::Corrupt, what.into(), "ask for the next generation, and go on there");
        }
        if generation != self.appended + 1 {
            let what = format!("generation {generation} was to follow {}", self.appended);
            return wrong(ErrorKind::InvalidArgument, what, "note the gap first");
        }
        Ok(())
    }

    fn enter(&mut self, what: (FrameKind, u64), payload: impl FnOnce(&mut Vec<u8>)) {
        let place = (self.head.salt, self.length);
        frame::write(&mut self.batch, place, what, |out| {
            payload(out);
            false
        });
    }

    /// Gives the system everything that was appended. It survives the death of this process, and not yet a power cut.
    ///
    /// # Errors
    /// `Full`, `Io`: see [`Journal::due`].
    pub fn push(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.file.append(&batch) {
            self.is_broken = true;
            return Err(failed(&*self.disk, &self.name.to_string(), "written", error));
        }
        self.length += batch.len() as u64;
        self.batch = batch;
        self.batch.clear();
        Ok(())
    }

    /// Makes everything that was appended permanent, and returns the last generation of it. Begins the next segment when this
    /// one is long enough.
    ///
    /// # Errors
    /// `Full`, `Io`: see [`Journal::due`].
    pub fn sync(&mut self) -> Result<u64> {
        if self.is_broken || self.is_doubtful {
            self.push_if_sound()?;
            self.mend()?;
        }
        if self.synced == self.appended {
            return Ok(self.synced);
        }
        self.push()?;
        if let Err(error) = self.file.sync() {
            self.is_broken = true;
            return Err(failed(&*self.disk, &self.name.to_string(), "synced", error));
        }
        self.synced = self.appended;
        self.enter((FrameKind::Synced, self.synced), |_| {});
        // Everything is on disk, whatever becomes of the note.
        let noted = self.push();
        if noted.is_ok() && self.length >= self.limits.segment_bytes {
            // While there is no room for another segment, this one grows.
            let _ = self.begin_segment();
        }
        Ok(self.synced)
    }

    fn push_if_sound(&mut self) -> Result<()> {
        if self.is_broken { Ok(()) } else { self.push() }
    }

    /// Begins another segment after everything that is on disk.
    fn begin_segment(&mut self) -> Result<()> {
        prune::make_room(&*self.disk, self.limits)?;
        self.author.salt = self.author.salt.wrapping_add(1);
        // A number that was used is not used again, even if creating failed: the file may be there.
        self.sequence += 1;
        let name = SegmentName { sequence: self.sequence, ..self.name };
        let Some((head, file)) = create(&*self.disk, &self.author, name, self.synced, "")? else {
            return Err(Error::new(ErrorKind::Exists, "a segment of this name is there already")
                .at_path(&self.disk.path().join(name.to_string())));
        };
        (self.name, self.head, self.file, self.length) = (name, head, file, HEAD_BYTES as u64);
        self.batch.clear();
        self.appended = self.synced;
        Ok(())
    }

    /// Begins another segment, and writes again there what is not on disk for certain, as far as it can be read.
    fn mend(&mut self) -> Result<()> {
        let source = *self.source.get_or_insert(self.name);
        self.is_broken = true;
        self.begin_segment()?;
        (self.is_broken, self.is_doubtful) = (false, false);
        self.copy_from(source).inspect_err(|_| self.is_broken = true)?;
        self.source = None;
        Ok(())
    }

    /// Appends the events of another segment that follow what is here.
    fn copy_from(&mut self, source: SegmentName) -> Result<()> {
        // What cannot be read is read from the board's history instead, or is a gap.
        let Ok(mut frames) = segment::open(&*self.disk, source, self.author.board)? else { return Ok(()) };
        loop {
            let step =
                frames.next().map_err(|error| failed(&*self.disk, &source.to_string(), "read", error))?;
            match step {
                Step::Frame(Frame {
                    kind: kind @ (FrameKind::Event | FrameKind::Gap),
                    number,
                    payload,
                    ..
                }) if number == self.appended + 1 => {
                    self.enter((kind, number), |out| out.extend_from_slice(payload));
                    let gap = segment::gap(payload).filter(|_| kind == FrameKind::Gap);
                    self.appended = gap.map_or(number, |(last, _)| last);
                    if self.batch.len() >= BATCH {
                        self.push()?;
                    }
                }
                Step::Frame(_) | Step::Damage(_) => {}
                Step::End => return self.push(),
            }
        }
    }
}

/// Locks the byte of an epoch.
fn lock(disk: &dyn Disk, epoch: u64) -> Result<Option<Box<dyn Held>>> {
    disk.lock(EPOCHS + epoch).map_err(|error| failed(disk, LOCK, "locked", error))
}

/// Creates a segment that begins after `synced`; `None` if its name is taken. Head and name are on disk.
fn create(
    disk: &dyn Disk,
    author: &Author,
    name: SegmentName,
    synced: u64,
    ending: &str,
) -> Result<Option<(Head, Box<dyn DiskFile>)>> {
    let text = format!("{name}{ending}");
    let mut file = match disk.create(&text) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(failed(disk, &text, "created", error)),
    };
    let mut head = Head::new(author, synced + 1, name.epoch, name.sequence);
    let written = file.append(&head.pack(FileKind::Segment)).and_then(|()| file.sync());
    match written.and_then(|()| disk.sync_folder()) {
        Ok(()) => Ok(Some((head, file))),
        Err(error) => {
            let _ = disk.remove(&text);
            Err(failed(disk, &text, "begun", error))
        }
    }
}
