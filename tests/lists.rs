//! What a list tells where it cannot be of one generation, or whole.

use slateboard::{
    Board, Damage, Entry, Listing, PutOptions, Reader, Session,
    layout::{Head, geometry, record},
    region::{self, Access, RegionFile},
    sync::Ordering,
};
use slateboard_kit::{
    places::{folder, rounds, small},
    random::Random,
};
use std::{
    collections::BTreeSet,
    ops::{Bound, ControlFlow, RangeBounds},
    path::Path,
    sync::atomic::AtomicBool,
    time::Duration,
};

const STABLE: u64 = 300;

fn stable(n: u64) -> String {
    format!("{}/{n}", ["task", "free", "a/longer/name"][n as usize % 3])
}

/// A value that says whose it is.
fn value(key: &str, n: u64) -> Vec<u8> {
    format!("{key} {n} ").into_bytes().into_iter().cycle().take(key.len() + 22 + (n % 300) as usize).collect()
}

fn is_whole(key: &str, found: &[u8]) -> bool {
    let text = found.strip_prefix(key.as_bytes()).and_then(|rest| rest.strip_prefix(b" "));
    let number = text.and_then(|rest| std::str::from_utf8(rest.split(|&byte| byte == b' ').next()?).ok());
    number.and_then(|number| number.parse().ok()).is_some_and(|n| found == value(key, n))
}

fn put_stable(session: &Session, count: u64) {
    for n in 0..count {
        session.put(&stable(n), value(&stable(n), n)).unwrap();
    }
}

/// Lets the whole history go by.
fn laps(session: &Session, first: u64) {
    for n in first..first + 70 {
        session.put("busy/key", value("busy/key", n)).unwrap();
    }
}

/// A board with keys that stand, and its history of 64 events.
fn board(path: &Path) -> (Board, Session) {
    let board = small().capacity(4 << 20).sessions(8).create(path).unwrap();
    let session = board.attach("writer").unwrap();
    put_stable(&session, STABLE);
    (board, session)
}

/// Every key that stands is there, whole; no key is there twice; none is older than the beginning.
fn check(listing: &Listing, since: u64) {
    let keys: BTreeSet<&str> = listing.entries.iter().map(|entry| entry.key.as_str()).collect();
    assert!(listing.entries.is_sorted_by(|a, b| a.key < b.key), "a key twice, or out of order");
    (0..STABLE).for_each(|n| assert!(keys.contains(stable(n).as_str()), "{} is not there", stable(n)));
    for Entry { key, value, .. } in &listing.entries {
        assert!(is_whole(key, value), "{key} has {} bytes that nobody put there", value.len());
    }
    assert!(listing.generation >= since && listing.damaged.is_empty(), "{:?}", listing.damaged);
    if listing.exact {
        assert!(listing.entries.iter().all(|entry| entry.generation <= listing.generation));
    }
}

#[test]
fn a_list_that_cannot_be_exact_is_had_and_says_so() {
    let (_folder, path) = folder();
    let (board, session) = board(&path);
    for reader in [board.read_only().unwrap(), board.reader()] {
        // With an index, whose lists are read key by key: the history goes by while each is.
        (0..2).for_each(|_| drop(reader.list("").into_vec().unwrap()));
        let mut count = 0;
        let mut keys = 0;
        let listing = reader
            .list("")
            .gather(|key, found, meta| {
                count += 1;
                laps(&session, count);
                assert!(is_whole(key, found) && meta.len == found.len());
                keys += 1;
                key.to_owned()
            })
            .unwrap();
        assert!(!listing.exact && keys >= STABLE);
        assert!(listing.entries.len() as u64 >= STABLE && listing.entries.is_sorted_by(|a, b| a < b));
        assert!(
            reader.list("").into_vec().is_ok_and(|entries| entries.len() as u64 == STABLE + 1),
            "nobody writes now"
        );
        let listing = reader.list("").whole().unwrap();
        assert!(listing.exact);
        check(&listing, 0);
    }
}

#[test]
fn a_list_of_the_past_is_exact_or_says_that_it_is_gone() {
    let (_folder, path) = folder();
    let (board, session) = board(&path);
    let view = board.reader().view_at(session.generation() - 10).unwrap();
    let listing = view.list("").whole().unwrap();
    assert!(listing.exact && listing.generation == session.generation() - 10);
    assert_eq!(listing.entries.len() as u64, STABLE - 10);
    laps(&session, 0);
    assert!(view.list("").whole().unwrap_err().is_lagged());
}

/// Ends the writers, also where the test fails.
struct Over<'o>(&'o AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn lists_beside_nonstop_writers_have_every_key_that_stands() {
    let (_folder, path) = folder();
    let (board, _session) = board(&path);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _over = Over(&over);
        for number in 0..2 {
            let (over, board) = (&over, &board);
            scope.spawn(move || write(board, number, over));
        }
        let reader = board.read_only().unwrap();
        (0..2).for_each(|_| drop(reader.list("").whole().unwrap()));
        for _ in 0..rounds(6) {
            let since = reader.generation();
            let listing = reader.list("").whole().unwrap();
            check(&listing, since);
            check(&inexact(&reader), since);
        }
    });
}

/// Overwrites some keys, creates and removes others, for as long as it is let.
fn write(board: &Board, number: u64, over: &AtomicBool) {
    let session = board.attach("nonstop").unwrap();
    let mut random = Random::with_seed(number);
    while !over.load(Ordering::Relaxed) {
        let n = random.u64(..1 << 30);
        let key = match n % 3 {
            0 => stable(n % STABLE),
            _ => format!("come/{}", n % 20),
        };
        match n % 5 {
            0 if key.starts_with("come/") => {
                session.remove(&key).unwrap();
            }
            _ => {
                session.put(&key, value(&key, n)).unwrap();
            }
        }
    }
}

/// A list that is not exact, of a handle that has an index: its own reader waits at a key until the history has gone by.
fn inexact(reader: &Reader) -> Listing {
    let listing = reader.list("").gather(|key, found, meta| {
        let since = reader.generation();
        while key == stable(2) && reader.generation() < since + 70 {
            std::thread::yield_now();
        }
        (key.to_owned(), found.to_vec(), meta.generation)
    });
    let listing = listing.unwrap();
    assert!(!listing.exact);
    for (key, found, _) in &listing.entries {
        assert!(is_whole(key, found));
    }
    let keys: BTreeSet<&String> = listing.entries.iter().map(|(key, ..)| key).collect();
    (0..STABLE).for_each(|n| assert!(keys.contains(&stable(n)), "{} is not there", stable(n)));
    assert!(listing.entries.is_sorted_by(|a, b| a.0 < b.0));
    // Lists of entries come to the same.
    reader.list("").whole().unwrap()
}

/// A board of thirty keys, and a way to damage it.
struct Subject {
    file: RegionFile,
    board: Board,
    session: Session,
    /// Word of the head of the slot that is damaged.
    head_at: u64,
    _folder: tempfile::TempDir,
}

impl Subject {
    fn new() -> Self {
        let (folder, path) = folder();
        let board = small().create(&path).unwrap();
        let session = board.attach("writer").unwrap();
        put_stable(&session, 30);
        Self {
            file: region::open(&path, Access::ReadWrite).unwrap(),
            board,
            session,
            head_at: 0,
            _folder: folder,
        }
    }

    fn load(&self, at: usize) -> u64 {
        self.file.mapping.words()[at].load(Ordering::Relaxed)
    }

    fn flip(&self, at: usize, bits: u64) {
        self.file.mapping.words()[at].store(self.load(at) ^ bits, Ordering::Relaxed);
    }

    /// First word of the key's slot, its hash.
    fn slot(&self, key: &str) -> usize {
        let geometry = &self.file.geometry;
        let hash = geometry.hash(key.as_bytes());
        let bucket = geometry.bucket(geometry.bucket_of(geometry.shard_of(key, hash), hash));
        let fits = |&at: &usize| self.load(at) as u16 == geometry::fingerprint_of(hash);
        (0..geometry::SLOTS).map(|slot| bucket + 2 + 2 * slot).find(fits).unwrap()
    }

    /// First word of the key's newest record.
    fn record(&self, key: &str) -> usize {
        let block = Head(self.load(self.slot(key) + 1)).block();
        self.file.geometry.data(self.file.geometry.block(block).unwrap())
    }

    /// Twenty-nine keys are listed, by every way to list, and this one is named.
    fn lists_the_others(&self, key: &str, named: bool) {
        let observer = self.board.read_only().unwrap();
        // Without an index, when it is made, with it; of a handle that made its own before the damage.
        for reader in [&observer, &observer, &observer, self.session.reader()] {
            let listings = [
                reader.list("").whole().unwrap(),
                reader.view().unwrap().list("").whole().unwrap(),
                reader.view_at(reader.generation()).unwrap().list("").whole().unwrap(),
            ];
            for listing in listings {
                assert!(listing.exact);
                self.is_told(
                    key,
                    named,
                    listing.entries.iter().map(|entry| entry.key.as_str()),
                    &listing.damaged,
                );
            }
            let mut scanned = Vec::new();
            let scan = reader.list("").scan(|key, _, _| {
                scanned.push(key.to_owned());
                ControlFlow::<()>::Continue(())
            });
            assert_eq!(scanned.len(), 29);
            for error in [scan.unwrap_err(), reader.list("").into_vec().unwrap_err()] {
                assert!(error.is_corrupt() && (!named || error.to_string().contains(key)), "{error}");
            }
            let found = reader.soundness().unwrap();
            assert_eq!(found.keys, 29);
            let keyed: Vec<_> = found.damaged.iter().filter_map(|damage| damage.key.as_deref()).collect();
            assert!(!found.damaged.is_empty() && keyed.len() <= 1, "each key is named once: {keyed:?}");
        }
    }

    fn is_told<'k>(&self, key: &str, named: bool, keys: impl Iterator<Item = &'k str>, damaged: &[Damage]) {
        let keys: BTreeSet<_> = keys.collect();
        let expected = (0..30).map(stable).filter(|name| name != key).collect::<Vec<_>>();
        assert_eq!(keys, expected.iter().map(String::as_str).collect());
        let [damage] = damaged else { panic!("{damaged:?}") };
        match &damage.key {
            Some(told) => assert_eq!(told, key),
            None => assert!(!named && damage.slot == Some(self.head_at), "{damage:?}"),
        }
    }
}

#[test]
fn a_damaged_record_takes_nothing_from_other_keys_and_is_named() {
    // A value's byte; a byte of the key; the slot that a record names; its lengths; its version.
    for (word, bits, named) in [
        (record::HEADER_WORDS + 3, 1 << 20, true),
        (record::PLACE, 1 << 40, true),
        (record::VERSION, 1, true),
        (record::CHECKSUM, 1, true),
        (record::HEADER_WORDS, 1, false),
        (record::SHAPE, 1 << 63, false),
    ] {
        for warm in [false, true] {
            let mut subject = Subject::new();
            if warm {
                (0..3).for_each(|_| assert_eq!(subject.session.list("").into_vec().unwrap().len(), 30));
            }
            let key = stable(17);
            subject.head_at = subject.slot(&key) as u64 + 1;
            subject.flip(subject.record(&key) + word, bits);
            subject.lists_the_others(&key, named);
            // A record before it tells the key, where there is one; the next put heals it.
            subject.session.put(&key, value(&key, 1)).ok();
        }
    }
}

#[test]
fn a_damaged_key_is_not_taken_for_another_of_its_chain() {
    let subject = Subject::new();
    let geometry = &subject.file.geometry;
    let bucket = |key: &str| {
        let hash = geometry.hash(key.as_bytes());
        geometry.bucket_of(geometry.shard_of(key, hash), hash)
    };
    // One bit of a byte of some key, so that the damaged key could live in the same chain.
    let flips =
        (0..30).flat_map(|n| (0..stable(n).len()).flat_map(move |at| (0..7).map(move |bit| (n, at, bit))));
    let other = |n: u64, at: usize, bit: u32| {
        let mut bytes = stable(n).into_bytes();
        bytes[at] ^= 1 << bit;
        String::from_utf8(bytes).unwrap()
    };
    let mut fitting = flips.filter(|&(n, at, bit)| bucket(&other(n, at, bit)) == bucket(&stable(n)));
    let (n, at, bit) = fitting.next().expect("some key that falls into the same chain");
    let word = subject.record(&stable(n)) + record::HEADER_WORDS + at / 8;
    subject.flip(word, 1 << (at % 8 * 8 + bit as usize));
    let found = subject.session.soundness().unwrap();
    assert!(!found.damaged.is_empty());
    for damage in found.damaged {
        assert_ne!(damage.key, Some(other(n, at, bit)), "the damaged key is named as it is now");
    }
}

#[test]
fn a_damaged_slot_is_told_and_hides_nothing() {
    for (offset, bits) in [(1, 7 << 61), (0, 1), (1, (1 << 22) - 1)] {
        for warm in [false, true] {
            let mut subject = Subject::new();
            if warm {
                (0..3).for_each(|_| assert_eq!(subject.session.list("").into_vec().unwrap().len(), 30));
            }
            let key = stable(17);
            let slot = subject.slot(&key);
            subject.head_at = slot as u64 + 1;
            subject.flip(slot + offset, bits);
            subject.lists_the_others(&key, false);
        }
    }
}

#[test]
fn damage_under_another_prefix_is_not_told() {
    let mut subject = Subject::new();
    let key = stable(17);
    subject.head_at = subject.slot(&key) as u64 + 1;
    subject.flip(subject.record(&key) + record::CHECKSUM, 1);
    for _ in 0..3 {
        let listing = subject.session.list("task/").whole().unwrap();
        assert!(listing.damaged.is_empty() && listing.entries.len() == 10, "{listing:?}");
        // A range may leave out what its prefix has. This reader has no index yet.
        let reader = subject.board.read_only().unwrap();
        let listing = reader.list("").range("task/".."task0").whole().unwrap();
        assert!(listing.damaged.is_empty() && listing.entries.len() == 10, "{listing:?}");
    }
}

/// A list, as it was asked for.
#[derive(Clone, Debug)]
struct Asked {
    prefix: &'static str,
    range: (Bound<&'static str>, Bound<&'static str>),
    backwards: bool,
    limit: usize,
}

impl Asked {
    fn of(&self, reader: &Reader) -> slateboard::List {
        let list = reader.list(self.prefix).range::<&str>(self.range).limit(self.limit);
        if self.backwards { list.reverse() } else { list }
    }

    /// What it has of these keys.
    fn from(&self, keys: &BTreeSet<&'static str>) -> Vec<&'static str> {
        let lies =
            |key: &&str| key.starts_with(self.prefix) && RangeBounds::<str>::contains(&self.range, *key);
        let mut found: Vec<_> = keys.iter().copied().filter(lies).collect();
        if self.backwards {
            found.reverse();
        }
        found.truncate(self.limit);
        found
    }
}

/// Every combination of a few prefixes, ranges, orders and limits.
fn all_asked() -> Vec<Asked> {
    use Bound::{Excluded, Included, Unbounded};
    let prefixes = ["", "task", "task/", "task/\u{10ffff}", "none/"];
    let ranges = [
        (Unbounded, Unbounded),
        (Included("task/1"), Excluded("task/3")),
        (Excluded("task/1"), Included("task/3")),
        (Excluded("task/1"), Excluded("task/1")),
        (Included("z"), Unbounded),
    ];
    let mut all = Vec::new();
    for (prefix, range) in prefixes.into_iter().flat_map(|prefix| ranges.map(|range| (prefix, range))) {
        for (backwards, limit) in [(false, usize::MAX), (true, usize::MAX), (false, 2), (true, 2), (false, 0)]
        {
            all.push(Asked { prefix, range, backwards, limit });
        }
    }
    all
}

#[test]
fn a_range_an_order_and_a_limit_mean_the_same_by_every_way_to_list() {
    let (_folder, path) = folder();
    let board = small().beat(Duration::from_secs(3600)).create(&path).unwrap();
    let session = board.attach("writer").unwrap();
    let keys = BTreeSet::from([
        "task",
        "task/",
        "task/1",
        "task/2",
        "task/3",
        "task/30",
        "task/\u{10ffff}",
        "task/\u{10ffff}\u{10ffff}",
        "task0",
        "team",
        "z/1",
        "\u{10ffff}",
    ]);
    // The keys get their slots first, because a put that needs a slot ends what expired in its chain of buckets.
    for key in keys.iter().chain(&["task/15", "task/25", "task/26"]) {
        session.put(key, value(key, 1)).unwrap();
    }
    // Among them are some that have no value.
    session.remove("task/15").unwrap();
    for key in ["task/25", "task/26"] {
        session.put_with(key, "over", PutOptions::new().ttl(Duration::from_nanos(1))).unwrap();
    }
    let indexed = board.read_only().unwrap();
    (0..3).for_each(|_| drop(indexed.list("").into_vec().unwrap()));
    for asked in all_asked() {
        let expected = asked.from(&keys);
        // The first list of a handle looks at every slot.
        let walking = Board::open(&path).unwrap().read_only().unwrap();
        for reader in [&walking, &indexed] {
            let whole = asked.of(reader).keys().whole().unwrap();
            assert!(whole.exact);
            assert_eq!(whole.entries, expected, "{asked:?}");
            let items: Vec<_> = asked.of(reader).map(|entry| entry.unwrap().key).collect();
            assert_eq!(items, expected, "{asked:?}");
        }
    }
    // Where the history goes by meanwhile, each key is read by itself. The key that changes is one that nobody asks for.
    for asked in all_asked().into_iter().filter(|asked| asked.prefix.starts_with("task")) {
        let expected = asked.from(&keys);
        let listing = asked.of(&indexed).gather(|key, _, _| {
            laps(&session, 0);
            key.to_owned()
        });
        let listing = listing.unwrap();
        assert!(!listing.exact || expected.is_empty());
        assert_eq!(listing.entries, expected, "{asked:?}, key by key");
    }
}

#[test]
fn a_list_that_began_is_never_begun_anew() {
    let (_folder, path) = folder();
    let (board, session) = board(&path);
    let reader = board.read_only().unwrap();
    // By a look at every slot, and by an index.
    for _ in 0..3 {
        let mut list = reader.list("");
        let mut keys = vec![list.next().unwrap().unwrap().key];
        laps(&session, 0);
        let mut errors = 0;
        for entry in list.by_ref() {
            match entry {
                Ok(entry) => keys.push(entry.key),
                Err(error) => {
                    assert!(error.is_lagged(), "{error}");
                    errors += 1;
                }
            }
        }
        assert!(keys.is_sorted_by(|a, b| a < b), "a key is told again");
        assert_eq!((errors, list.next().is_none()), (1, true));
    }
}

#[test]
fn a_list_that_reached_its_limit_says_whether_its_generation_was_there_until_then() {
    let (_folder, path) = folder();
    let (_board, session) = board(&path);
    // The first list looks at every slot, the second makes the index.
    for list in 0..3 {
        let mut told = 0;
        let ended = session.list("").limit(2).scan(|_, _, _| {
            told += 1;
            if told == 2 {
                laps(&session, 0);
            }
            ControlFlow::<()>::Continue(())
        });
        assert!(told == 2 && ended.unwrap_err().is_lagged(), "list {list}");
    }
}

#[test]
fn a_list_of_more_keys_than_are_fetched_at_once_is_whole_in_both_orders() {
    let (_folder, path) = folder();
    let session =
        Board::options().capacity(4 << 20).keys(2048).create(&path).unwrap().attach("writer").unwrap();
    let keys: Vec<String> = (0..1500).map(|n| format!("task/{n:04}")).collect();
    for key in &keys {
        session.put(key, "x").unwrap();
    }
    for _ in 0..3 {
        assert_eq!(session.list("").keys().into_vec().unwrap(), keys);
        let backwards = session.list("").reverse().keys().into_vec().unwrap();
        assert!(backwards.iter().eq(keys.iter().rev()));
        assert_eq!(
            session.list("").after("task/0700").limit(600).keys().into_vec().unwrap(),
            keys[701..1301]
        );
    }
}

#[test]
fn a_scan_stops_where_it_is_told() {
    let (_folder, path) = folder();
    let (_board, session) = board(&path);
    for _ in 0..3 {
        let mut seen = 0;
        let told = session.list("free/").scan(|key, _, _| {
            seen += 1;
            if seen == 3 { ControlFlow::Break(key.to_owned()) } else { ControlFlow::Continue(()) }
        });
        let third = session.list("free/").limit(3).keys().into_vec().unwrap().pop();
        assert_eq!((told.unwrap(), seen), (third.clone(), 3));
        assert_eq!(
            session.list("free/").reverse().reverse().limit(3).keys().into_vec().unwrap().pop(),
            third
        );
    }
}
