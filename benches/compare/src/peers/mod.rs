//! The peers, and the interface through which every work meets every one of them.

/// For peers without handles: a key found for reading or writing is its name.
macro_rules! found_by_name {
    () => {
        const HANDLES: bool = false;
        type Reading = String;
        type Writing = String;

        fn reading(&self, key: &str) -> Outcome<String> {
            Ok(key.to_owned())
        }

        fn writing(&self, key: &str) -> Outcome<String> {
            Ok(key.to_owned())
        }

        fn get<T>(&self, at: &String, buffer: &mut Vec<u8>, look: impl FnOnce(&[u8]) -> T) -> Outcome<T> {
            self.get_key(at, buffer, look)?.ok_or_else(|| "no such key".into())
        }

        fn put(&self, at: &String, value: &[u8]) -> Outcome<()> {
            self.put_key(at, value)
        }
    };
}
use found_by_name;

mod dash;
mod iceoryx;
mod json;
mod lmdb;
mod mmap_sync;
mod mutex;
pub mod redis;
mod ringfire;
mod slate;
mod sqlite;
mod table;
mod unprotected;

use crate::{Outcome, folder::Folder, row::Row};

/// What a store holds.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Keys that have values from the beginning.
    pub keys: usize,
    /// Keys that may come later.
    pub spare: usize,
    /// Bytes of a value.
    pub size: usize,
}

impl Shape {
    /// So many keys with values of so many bytes, and none to come.
    pub fn new(keys: usize, size: usize) -> Self {
        Self { keys, spare: 0, size }
    }

    /// The keys that there are from the beginning.
    pub fn names(&self) -> impl Iterator<Item = String> {
        (0..self.keys).map(name)
    }

    /// These and those that may come.
    pub fn all_names(&self) -> impl Iterator<Item = String> {
        (0..self.keys + self.spare).map(name)
    }
}

/// The name of a key. Names that share all but the last two digits are 100 neighbours: a scan.
pub fn name(number: usize) -> String {
    format!("user/{number:08}")
}

/// A value: the number's letters again and again. Text, so that every peer can hold it.
pub fn value(number: u64, size: usize) -> Vec<u8> {
    let mut value = vec![0; size];
    fill(&mut value, number);
    value
}

/// Writes the number's letters over the whole value.
pub fn fill(value: &mut [u8], number: u64) {
    let word = word(number).to_le_bytes();
    value.as_chunks_mut::<8>().0.iter_mut().for_each(|chunk| *chunk = word);
}

/// Eight letters for the lower 32 bits of a number.
pub fn word(number: u64) -> u64 {
    let wide = number & 0xffff_ffff;
    let wide = (wide | wide << 16) & 0x0000_ffff_0000_ffff;
    let wide = (wide | wide << 8) & 0x00ff_00ff_00ff_00ff;
    let wide = (wide | wide << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    wide + 0x6161_6161_6161_6161
}

/// The first word of a value.
pub fn first_word(value: &[u8]) -> u64 {
    value.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Whether one write wrote all of the value.
pub fn is_whole(value: &[u8]) -> bool {
    let first = first_word(value);
    let words = value.as_chunks::<8>().0.iter();
    words.fold(0, |differing, word| differing | (u64::from_le_bytes(*word) ^ first)) == 0
}

/// Who waits while nothing happens.
pub const WAITERS: usize = 64;

/// Where a store is: a folder, and which of the stores in it.
#[derive(Clone, Copy)]
pub struct Place<'f> {
    /// The folder of the run.
    pub folder: &'f Folder,
    /// `a` or `b`.
    pub part: &'static str,
}

impl Place<'_> {
    /// A path for the store's file.
    pub fn file(&self, ending: &str) -> std::path::PathBuf {
        self.folder.path().join(format!("{}{ending}", self.part))
    }
}

/// A way to share values between processes, as its own users would use it.
///
/// Every store is filled with [`value`]`(0)` when it is made. The bytes that `get` shows are the caller's own copy.
pub trait Peer: Sized {
    /// As on the command line and in tables.
    const NAME: &'static str;
    /// Where it does less than a board does; empty where it does not.
    const LESS: &'static str;
    /// Whether only one process may write: works of two processes give each a store of its own.
    const ONE_WRITER: bool = false;
    /// Whether keys have handles that are found once and used often.
    const HANDLES: bool = true;
    /// Whether a call's work is done outside the calling thread, so that only the clock on the wall sees it.
    const WALL: bool = false;
    /// Whether reads are promised to be whole beside a writer.
    const WHOLE: bool = true;
    /// Ways to notice a change: what `newer` is asked for.
    const WAYS: &'static [&'static str] = &["polling"];
    /// The YCSB workloads that it can do.
    const WORKLOADS: &'static [char] = &['A', 'B', 'C', 'D', 'E', 'F'];
    /// Keys of a store where a work needs no certain number: 1 where the whole store is one value.
    const KEYS: usize = 1_000;

    /// A key found for reading.
    type Reading;
    /// A key found for writing.
    type Writing;

    /// Why it cannot do a work; `None` where it can.
    fn cannot(work: &str) -> Option<&'static str>;

    /// Makes a store and fills it.
    fn create(place: Place<'_>, shape: Shape) -> Outcome<Self>;
    /// Opens the store that another process has made.
    fn open(place: Place<'_>, shape: Shape) -> Outcome<Self>;

    /// Finds a key for reading.
    fn reading(&self, key: &str) -> Outcome<Self::Reading>;
    /// Finds a key for writing.
    fn writing(&self, key: &str) -> Outcome<Self::Writing>;
    /// Shows the value that stands there.
    fn get<T>(&self, at: &Self::Reading, buffer: &mut Vec<u8>, look: impl FnOnce(&[u8]) -> T) -> Outcome<T>;
    /// Puts a value there.
    fn put(&self, at: &Self::Writing, value: &[u8]) -> Outcome<()>;
    /// As [`Peer::get`], by the key's name; `None` where it has no value.
    fn get_key<T>(
        &self,
        key: &str,
        buffer: &mut Vec<u8>,
        look: impl FnOnce(&[u8]) -> T,
    ) -> Outcome<Option<T>>;
    /// As [`Peer::put`], by the key's name. Makes the key where the peer can.
    fn put_key(&self, key: &str, value: &[u8]) -> Outcome<()>;

    /// The value's first word once it differs from `seen`, by one of [`Peer::WAYS`]. The value must be whole.
    fn newer(
        &self,
        _way: usize,
        at: &Self::Reading,
        seen: u64,
        buffer: &mut Vec<u8>,
    ) -> Outcome<Option<u64>> {
        let look = |value: &[u8]| (first_word(value), is_whole(value));
        match self.get(at, buffer, look)? {
            (word, _) if word == seen => Ok(None),
            (word, true) => Ok(Some(word)),
            (_, false) if !Self::WHOLE => Ok(None),
            (_, false) => Err("a value is torn".into()),
        }
    }

    /// Makes a counter of the key, at 0.
    fn zero(&self, _key: &str) -> Outcome<()> {
        Err("no counter".into())
    }
    /// Adds one to it, so that no addition of others is lost.
    fn add_one(&self, _at: &Self::Writing) -> Outcome<()> {
        Err("no counter".into())
    }
    /// What the counter says.
    fn total(&self, _key: &str) -> Outcome<u64> {
        Err("no counter".into())
    }
    /// Reads the value, changes it and writes it, so that no change of others is lost.
    fn modify(&self, _key: &str, _buffer: &mut Vec<u8>, _change: impl Fn(&mut [u8])) -> Outcome<()> {
        Err("no read-modify-write".into())
    }
    /// Makes a key that is not there yet.
    fn insert(&self, key: &str, value: &[u8]) -> Outcome<()> {
        self.put_key(key, value)
    }
    /// Reads all values whose keys start with the prefix; how many there are.
    fn scan(&self, _prefix: &str, _buffer: &mut Vec<u8>) -> Outcome<usize> {
        Err("no scan".into())
    }
    /// Blocks until the key is put to again, at most some seconds.
    fn wait(&self, _key: &str) -> Outcome<()> {
        Err("no waiting".into())
    }
    /// Puts to the key so that those who wait for it wake.
    fn wake(&self, key: &str, value: &[u8]) -> Outcome<()> {
        self.put_key(key, value)
    }
    /// A process whose time counts as the peer's too.
    fn server(&self) -> Option<u32> {
        None
    }
    /// A command that prints the value of this key, and what it is called; builds what it needs.
    fn command(&self, _key: &str) -> Outcome<(String, std::process::Command)> {
        Err("no command".into())
    }
}

/// Something to do with a peer that is known by name only.
pub trait Visit {
    /// Does it.
    fn visit<P: Peer>(self) -> Outcome<Vec<Row>>;
}

/// The board itself.
pub const OURS: &str = slate::Slate::<false>::NAME;

/// All peers, in the order of tables.
pub const NAMES: [&str; 13] = [
    slate::Slate::<false>::NAME,
    slate::Slate::<true>::NAME,
    unprotected::Unprotected::NAME,
    iceoryx::Iceoryx::<64>::NAME,
    ringfire::Ringfire::<64>::NAME,
    mmap_sync::MmapSync::NAME,
    mutex::Mutex::NAME,
    dash::Dash::NAME,
    lmdb::Lmdb::NAME,
    sqlite::Sqlite::NAME,
    redis::Redis::NAME,
    json::Json::<1>::NAME,
    json::Json::<3>::NAME,
];

/// Calls the visitor with the peer of this name, for values of this size.
pub fn with(name: &str, size: usize, visitor: impl Visit) -> Outcome<Vec<Row>> {
    match (name, size) {
        (slate::Slate::<false>::NAME, _) => visitor.visit::<slate::Slate<false>>(),
        (slate::Slate::<true>::NAME, _) => visitor.visit::<slate::Slate<true>>(),
        (unprotected::Unprotected::NAME, _) => visitor.visit::<unprotected::Unprotected>(),
        ("iceoryx2", 64) => visitor.visit::<iceoryx::Iceoryx<64>>(),
        ("iceoryx2", 1024) => visitor.visit::<iceoryx::Iceoryx<1024>>(),
        ("iceoryx2", 65536) => visitor.visit::<iceoryx::Iceoryx<65536>>(),
        ("ringfire", 64) => visitor.visit::<ringfire::Ringfire<64>>(),
        ("ringfire", 1024) => visitor.visit::<ringfire::Ringfire<1024>>(),
        ("ringfire", 65536) => visitor.visit::<ringfire::Ringfire<65536>>(),
        (mmap_sync::MmapSync::NAME, _) => visitor.visit::<mmap_sync::MmapSync>(),
        (mutex::Mutex::NAME, _) => visitor.visit::<mutex::Mutex>(),
        (dash::Dash::NAME, _) => visitor.visit::<dash::Dash>(),
        (lmdb::Lmdb::NAME, _) => visitor.visit::<lmdb::Lmdb>(),
        (sqlite::Sqlite::NAME, _) => visitor.visit::<sqlite::Sqlite>(),
        (redis::Redis::NAME, _) => visitor.visit::<redis::Redis>(),
        (json::Json::<1>::NAME, _) => visitor.visit::<json::Json<1>>(),
        (json::Json::<3>::NAME, _) => visitor.visit::<json::Json<3>>(),
        _ => Err(format!("no peer {name} for values of {size} bytes; see `peers list`").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{fill, first_word, is_whole, value, word};

    #[test]
    fn numbers_become_text_and_differ() {
        let words: std::collections::BTreeSet<u64> =
            (0..1_000).map(|number| word(number * 4_294_967)).collect();
        assert_eq!(words.len(), 1_000);
        assert!(words.iter().all(|word| word.to_le_bytes().iter().all(u8::is_ascii_lowercase)));
    }

    #[test]
    fn a_torn_value_is_not_whole() {
        let mut torn = value(7, 64);
        assert!(is_whole(&torn) && first_word(&torn) == word(7));
        fill(&mut torn[32..], 8);
        assert!(!is_whole(&torn));
    }
}
