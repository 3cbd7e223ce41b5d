//! Heads and frames: what snapshots and segments are made of. `docs/format.md`, *Durable files*.

use super::{Author, disk::DiskFile};
use rustix::io::Errno;
use std::io;
use twox_hash::XxHash3_64;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The version of the format.
pub const VERSION_NUMBER: u32 = 1;

/// The place of the file's kind in its head.
pub const MAGIC: usize = 0;
/// The place of the format's version.
pub const VERSION: usize = 8;
/// The place of the board's line.
pub const LINE: usize = 12;
/// The place of the board's UUID.
pub const BOARD: usize = 16;
/// The place of the seed of all checks.
pub const SALT: usize = 32;
/// The place of the snapshot's generation, or of the segment's first one.
pub const GENERATION: usize = 40;
/// The place of the writer's epoch.
pub const EPOCH: usize = 48;
/// The place of the segment's number.
pub const SEQUENCE: usize = 56;
/// The place of the time of creation.
pub const CREATED_NS: usize = 64;
/// The place of the head's check.
pub const CHECK: usize = 72;
/// The bytes of a head.
pub const HEAD_BYTES: usize = 80;

/// The place of the check of a whole frame.
pub const BODY_CHECK: usize = 0;
/// The place of the check of the frame's own head.
pub const HEAD_CHECK: usize = 8;
/// The place of length, packing and kind.
pub const SHAPE: usize = 12;
/// The place of the frame's number.
pub const NUMBER: usize = 16;
/// The bytes before the payload.
pub const FRAME_HEAD_BYTES: usize = 24;
/// The bits of the payload's length in [`SHAPE`].
pub const LENGTH_BITS: u32 = 27;
/// The bit that says that the payload is packed.
pub const PACKED_BIT: u32 = 1 << LENGTH_BITS;
/// Where the kind begins.
pub const KIND_AT: u32 = LENGTH_BITS + 1;
/// The longest payload.
pub const PAYLOAD_MAX: usize = 64 << 20;
/// Frames begin at multiples of this.
const ALIGNMENT: usize = 8;
/// What a reader reads at once.
const WINDOW: usize = 256 << 10;

/// The largest number of a generation, an epoch or a segment. No board comes near it, and sums of such numbers do not overflow.
pub const NUMBER_MAX: u64 = 1 << 60;

/// What kind of file it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// A snapshot.
    Snapshot,
    /// A segment of the journal.
    Segment,
}

impl FileKind {
    /// The bytes at [`MAGIC`].
    pub const fn magic(self) -> &'static [u8; 8] {
        match self {
            Self::Snapshot => b"slate\0sn",
            Self::Segment => b"slate\0jr",
        }
    }
}

/// What kind of frame it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum FrameKind {
    /// Entries of a snapshot.
    Chunk = 1,
    /// The end of a snapshot.
    Footer = 2,
    /// An event of the history.
    Event = 3,
    /// Generations that the journal never had.
    Gap = 4,
    /// Everything up to here was on disk.
    Synced = 5,
}

impl FrameKind {
    fn of(kind: u32) -> Option<Self> {
        [Self::Chunk, Self::Footer, Self::Event, Self::Gap, Self::Synced]
            .into_iter()
            .find(|known| *known as u32 == kind)
    }
}

/// The head of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// The format's version.
    pub version: u32,
    /// The board's line.
    pub line: u32,
    /// The board's UUID.
    pub board: u128,
    /// The seed of all checks.
    pub salt: u64,
    /// The snapshot's generation, or the segment's first one.
    pub generation: u64,
    /// The writer's epoch.
    pub epoch: u64,
    /// The segment's number.
    pub sequence: u64,
    /// When it was made.
    pub created_ns: u64,
    /// XXH3 of everything before it.
    pub check: u64,
}

/// Why a file's head cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadHead {
    /// There are fewer bytes than a head has.
    Short,
    /// It is of another kind, or not a durable file at all.
    Foreign,
    /// Its check does not fit.
    Damaged,
    /// A generation or another number is larger than any board's.
    Impossible,
}

impl BadHead {
    /// The reason, as text.
    pub const fn why(self) -> &'static str {
        match self {
            Self::Short => "it ends within its head",
            Self::Foreign => "it does not begin as such a file does",
            Self::Damaged => "the checksum of its head is wrong",
            Self::Impossible => "its head has a number that no board has",
        }
    }
}

/// Eight bytes of a fixed place, as a number.
pub(super) fn word(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
}

/// Four bytes of a fixed place, as a number.
pub(super) fn half(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}

impl Head {
    /// The head of an author's file.
    pub fn new(author: &Author, generation: u64, epoch: u64, sequence: u64) -> Self {
        let salt = [author.salt, generation, epoch, sequence]
            .iter()
            .fold(u64::from(author.line), |salt, part| xxh3_64_with_seed(&part.to_le_bytes(), salt));
        let Author { board, line, now_ns: created_ns, .. } = *author;
        Self { version: VERSION_NUMBER, line, board, salt, generation, epoch, sequence, created_ns, check: 0 }
    }

    /// Packs the head, and enters its check.
    pub fn pack(&mut self, kind: FileKind) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
        put(MAGIC, kind.magic());
        put(VERSION, &self.version.to_le_bytes());
        put(LINE, &self.line.to_le_bytes());
        put(BOARD, &self.board.to_be_bytes());
        put(SALT, &self.salt.to_le_bytes());
        put(GENERATION, &self.generation.to_le_bytes());
        put(EPOCH, &self.epoch.to_le_bytes());
        put(SEQUENCE, &self.sequence.to_le_bytes());
        put(CREATED_NS, &self.created_ns.to_le_bytes());
        self.check = xxh3_64_with_seed(&bytes[..CHECK], 0);
        bytes[CHECK..].copy_from_slice(&self.check.to_le_bytes());
        bytes
    }

    /// Reads the head.
    ///
    /// # Errors
    /// [`BadHead`]. The version is not looked at: a newer one is no damage.
    pub fn unpack(bytes: &[u8], kind: FileKind) -> Result<Self, BadHead> {
        let bytes = bytes.get(..HEAD_BYTES).ok_or(BadHead::Short)?;
        if xxh3_64_with_seed(&bytes[..CHECK], 0) != word(bytes, CHECK) {
            return Err(BadHead::Damaged);
        }
        if bytes[..VERSION] != *kind.magic() {
            return Err(BadHead::Foreign);
        }
        let numbers = [GENERATION, EPOCH, SEQUENCE].map(|at| word(bytes, at));
        if numbers.iter().any(|number| *number > NUMBER_MAX) || kind == FileKind::Segment && numbers[0] == 0 {
            return Err(BadHead::Impossible);
        }
        let mut board = [0; 16];
        board.copy_from_slice(&bytes[BOARD..SALT]);
        Ok(Self {
            version: half(bytes, VERSION),
            line: half(bytes, LINE),
            board: u128::from_be_bytes(board),
            salt: word(bytes, SALT),
            generation: word(bytes, GENERATION),
            epoch: word(bytes, EPOCH),
            sequence: word(bytes, SEQUENCE),
            created_ns: word(bytes, CREATED_NS),
            check: word(bytes, CHECK),
        })
    }
}

fn hash(bytes: &[u8], seed: u64) -> u64 {
    // The first is faster for short inputs, the second for long ones.
    if bytes.len() <= 240 {
        xxh3_64_with_seed(bytes, seed)
    } else {
        XxHash3_64::oneshot_with_seed(seed, bytes)
    }
}

/// The seed of a frame's checks: a frame is valid at one place of one file.
fn seed(salt: u64, offset: u64) -> u64 {
    salt.wrapping_add(offset)
}

fn head_check(frame: &[u8], seed: u64) -> u32 {
    hash(&frame[SHAPE..FRAME_HEAD_BYTES], seed) as u32
}

/// Bytes of a frame with a payload of this length.
fn frame_bytes(length: usize) -> usize {
    FRAME_HEAD_BYTES + length.next_multiple_of(ALIGNMENT)
}

/// Appends a frame to `out`, whose first byte will be at `offset` of the file. `payload` appends the payload, and says whether it is
/// packed. Returns the frame's check.
pub fn write(
    out: &mut Vec<u8>,
    (salt, offset): (u64, u64),
    (kind, number): (FrameKind, u64),
    payload: impl FnOnce(&mut Vec<u8>) -> bool,
) -> u64 {
    let begin = out.len();
    let seed = seed(salt, offset + begin as u64);
    out.resize(begin + FRAME_HEAD_BYTES, 0);
    let packed = payload(out);
    let length = out.len() - begin - FRAME_HEAD_BYTES;
    debug_assert!(length <= PAYLOAD_MAX, "the caller knows the limit");
    out.resize(begin + frame_bytes(length), 0);
    let frame = &mut out[begin..];
    let shape = length as u32 | u32::from(packed) << LENGTH_BITS | (kind as u32) << KIND_AT;
    frame[SHAPE..NUMBER].copy_from_slice(&shape.to_le_bytes());
    frame[NUMBER..FRAME_HEAD_BYTES].copy_from_slice(&number.to_le_bytes());
    let check = head_check(frame, seed);
    frame[HEAD_CHECK..SHAPE].copy_from_slice(&check.to_le_bytes());
    let check = hash(&frame[HEAD_CHECK..], seed);
    frame[..HEAD_CHECK].copy_from_slice(&check.to_le_bytes());
    check
}

/// A frame of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'f> {
    /// Its kind.
    pub kind: FrameKind,
    /// Its number.
    pub number: u64,
    /// Whether the payload is packed.
    pub packed: bool,
    /// The payload.
    pub payload: &'f [u8],
    /// Its check.
    pub check: u64,
}

/// Bytes that are no frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The first of them.
    pub from: u64,
    /// The first byte after them.
    pub to: u64,
    /// Whether no frame follows.
    pub at_end: bool,
}

/// What stands next in a file.
#[derive(Debug)]
pub enum Step<'f> {
    /// A sound frame.
    Frame(Frame<'f>),
    /// Bytes that are no frame.
    Damage(Damage),
    /// Nothing.
    End,
}

/// The frames of a file, one after the other.
#[derive(Debug)]
pub struct Frames {
    file: Box<dyn DiskFile>,
    head: Head,
    length: u64,
    /// The next frame.
    offset: u64,
    /// The bytes of the file from `window_at` on.
    window: Vec<u8>,
    window_at: u64,
}

/// What a frame's own head says.
struct Announced {
    kind: Option<FrameKind>,
    packed: bool,
    bytes: u64,
    length: usize,
    number: u64,
}

impl Frames {
    /// Reads a file's head.
    ///
    /// # Errors
    /// `Err` if the file cannot be read; `Ok(Err)` if its head cannot be used.
    pub fn open(file: Box<dyn DiskFile>, kind: FileKind) -> io::Result<Result<Self, BadHead>> {
        let length = file.length()?;
        let mut frames = Self {
            file,
            head: Head::new(&Author { board: 0, line: 0, now_ns: 0, salt: 0 }, 0, 0, 0),
            length,
            offset: HEAD_BYTES as u64,
            window: Vec::new(),
            window_at: 0,
        };
        let bytes = frames.bytes(0, HEAD_BYTES as u64)?.unwrap_or_default();
        let head = if length < HEAD_BYTES as u64 { Err(BadHead::Short) } else { Head::unpack(bytes, kind) };
        Ok(head.map(|head| Self { head, ..frames }))
    }

    /// The file's head.
    pub fn head(&self) -> &Head {
        &self.head
    }
    /// The bytes of the file.
    pub fn length(&self) -> u64 {
        self.length
    }
    /// Where the next frame begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The bytes of a part of the file; `None` if it has fewer, or if the device cannot read them at a second attempt either.
    fn bytes(&mut self, from: u64, count: u64) -> io::Result<Option<&[u8]>> {
        let window_end = self.window_at + self.window.len() as u64;
        if from < self.window_at || from + count > window_end {
            if from + count > self.length {
                return Ok(None);
            }
            let size = count.max(WINDOW as u64).min(self.length - from);
            self.window.resize(size as usize, 0);
            self.window_at = from;
            let mut read = self.file.read_at(&mut self.window, from);
            if is_of_the_device(&read) {
                read = self.file.read_at(&mut self.window, from);
            }
            if is_of_the_device(&read) {
                // Only what is asked for, so that damage ahead takes nothing from what is before it.
                self.window.truncate(count as usize);
                read = self.file.read_at(&mut self.window, from);
            }
            if is_of_the_device(&read) {
                self.window.clear();
                return Ok(None);
            }
            if let Err(error) = read {
                self.window.clear();
                return Err(error);
            }
        }
        let begin = (from - self.window_at) as usize;
        Ok(self.window.get(begin..begin + count as usize))
    }

    /// What the head of a frame at this offset says, if its check fits.
    fn announced(&mut self, offset: u64) -> io::Result<Option<Announced>> {
        let seed = seed(self.head.salt, offset);
        let Some(head) = self.bytes(offset, FRAME_HEAD_BYTES as u64)? else { return Ok(None) };
        let shape = half(head, SHAPE);
        let length = (shape & (PACKED_BIT - 1)) as usize;
        if head_check(head, seed) != half(head, HEAD_CHECK) || length > PAYLOAD_MAX {
            return Ok(None);
        }
        Ok(Some(Announced {
            kind: FrameKind::of(shape >> KIND_AT),
            packed: shape & PACKED_BIT != 0,
            bytes: frame_bytes(length) as u64,
            length,
            number: word(head, NUMBER),
        }))
    }

    /// The whole frame at this offset, if its check fits.
    fn sound(&mut self, offset: u64, said: &Announced) -> io::Result<bool> {
        let seed = seed(self.head.salt, offset);
        let Some(frame) = self.bytes(offset, said.bytes)? else { return Ok(false) };
        Ok(said.kind.is_some()
            && said.number <= NUMBER_MAX
            && hash(&frame[HEAD_CHECK..], seed) == word(frame, BODY_CHECK))
    }

    /// What stands next.
    ///
    /// # Errors
    /// Those of reading, except what the device cannot read: that is damage.
    #[allow(clippy::should_implement_trait, reason = "the frame borrows the reader's buffer")]
    pub fn next(&mut self) -> io::Result<Step<'_>> {
        let from = self.offset;
        if from >= self.length {
            return Ok(Step::End);
        }
        let said = self.announced(from)?;
        if let Some(said) = &said
            && self.sound(from, said)?
        {
            self.offset += said.bytes;
            let (kind, packed, number, length) = (said.kind, said.packed, said.number, said.length);
            let Some((frame, kind)) = self.bytes(from, said.bytes)?.zip(kind) else { return Ok(Step::End) };
            let payload = &frame[FRAME_HEAD_BYTES..FRAME_HEAD_BYTES + length];
            let check = word(frame, BODY_CHECK);
            return Ok(Step::Frame(Frame { kind, number, packed, payload, check }));
        }
        // A head that fits says where the next frame is. Otherwise, or where none is there, it is looked for.
        let mut next = from + said.map_or(ALIGNMENT as u64, |said| said.bytes);
        while next < self.length {
            if let Some(said) = self.announced(next)?
                && self.sound(next, &said)?
            {
                self.offset = next;
                return Ok(Step::Damage(Damage { from, to: next, at_end: false }));
            }
            next += ALIGNMENT as u64;
        }
        self.offset = self.length;
        Ok(Step::Damage(Damage { from, to: self.length, at_end: true }))
    }
}

/// Whether a part of the device cannot be read. Every other error says nothing about the file's bytes.
fn is_of_the_device(read: &io::Result<()>) -> bool {
    read.as_ref().is_err_and(|error| Errno::from_io_error(error) == Some(Errno::IO))
}
