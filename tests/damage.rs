//! Garbage in every kind of shared word, under live handles: typed errors, and never a panic, a hang or data
//! that nobody wrote.
//!
//! Each kind runs in a process of its own, which is this test program again: there a panic of any thread,
//! also of a keeper, ends the process, and so does a call that never returns.

use slateboard::{
    Board, Entry, Error, Event, Expect, KeyHandle, Metrics, PutOptions, Reader, Retry, Session, Verify, View,
    Wait,
    layout::{Head, HeadKind, RingWord, geometry, groups::GROUP_WORDS, header, record, session},
    region::{self, Access, RegionFile},
    sync::Ordering,
};
use slateboard_kit::{
    children::{Child, SOON, role, say, watchdog},
    places::{folder, rounds, small},
    random::Random,
};
use std::{path::Path, time::Duration};

/// Too short to wait for anything.
const NOW: Duration = Duration::from_micros(50);
const EPHEMERAL: PutOptions = PutOptions::new().ephemeral(true);
const KEYS: u64 = 14;

fn key(n: u64) -> String {
    let folder = ["task", "file", "free", "a/longer/name/than/others/have"][(n % 4) as usize];
    format!("{folder}/{n}")
}

/// A value that says whose it is, in several sizes up to chains.
fn value(key: &str, n: u64) -> Vec<u8> {
    let len = [0, 40, 700, 9_000, 40_000][(n % 5) as usize];
    format!("{key} {n} ").into_bytes().into_iter().cycle().take(key.len() + 22 + len).collect()
}

/// Whether somebody put this value under this key.
fn is_genuine(key: &str, found: &[u8]) -> bool {
    let text = found.strip_prefix(key.as_bytes()).and_then(|rest| rest.strip_prefix(b" "));
    let number = text.and_then(|rest| std::str::from_utf8(rest.split(|&byte| byte == b' ').next()?).ok());
    number.and_then(|number| number.parse().ok()).is_some_and(|n| found == value(key, n))
}

/// The kinds of words.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Generation,
    Floor,
    Reserved,
    ExtentHint,
    SessionRecord,
    DeadRecord,
    Name,
    ShardHeader,
    Group,
    Guard,
    Link,
    Hash,
    Head,
    Ring,
    ExtentClass,
    State,
    GenerationWord,
    RecordHeader,
    KeyBytes,
    ValueBytes,
    Pieces,
    Anywhere,
}

/// A board in use, with a second way to its words.
struct Subject {
    file: RegionFile,
    board: Board,
    session: Session,
    other: Session,
    observer: Reader,
    lazy: Reader,
    view: View,
    key: KeyHandle,
    written: u64,
}

impl Subject {
    fn new(path: &Path) -> Self {
        let options = small().keys(24).sessions(4).beat(Duration::from_millis(3));
        let board = options.clone().create(path).unwrap();
        let (session, other) = (board.attach("one").unwrap(), board.attach("two").unwrap());
        for n in 0..90 {
            session.put(&key(n % KEYS), value(&key(n % KEYS), n)).unwrap();
            if n % 3 == 0 {
                let gone = format!("gone/{n}");
                other.put(&gone, value(&gone, n)).unwrap();
                other.remove(&gone).unwrap();
            }
        }
        other.put_with(&key(3), value(&key(3), 7), EPHEMERAL).unwrap();
        Self {
            file: region::open(path, Access::ReadWrite).unwrap(),
            observer: board.read_only().unwrap(),
            lazy: options.clone().verify(Verify::Scrub).open_read_only(path).unwrap(),
            view: session.view().unwrap(),
            key: session.key(&key(2)).unwrap(),
            board,
            session,
            other,
            written: 1000,
        }
    }

    fn load(&self, at: usize) -> u64 {
        self.file.mapping.words()[at].load(Ordering::Relaxed)
    }

    fn store(&self, at: usize, word: u64) {
        self.file.mapping.words()[at].store(word, Ordering::Relaxed);
    }

    /// First word of a slot, its hash, of some key.
    fn slot(&self, random: &mut Random) -> usize {
        let geometry = &self.file.geometry;
        let name = key(random.u64(..KEYS));
        let hash = geometry.hash(name.as_bytes());
        let bucket = geometry.bucket(geometry.bucket_of(geometry.shard_of(&name, hash), hash));
        let slots = (0..geometry::SLOTS).map(|slot| bucket + 2 + 2 * slot);
        let used: Vec<_> = slots.filter(|&at| self.load(at + 1) != 0).collect();
        let at = random.usize(..used.len());
        used.get(at).copied().unwrap_or(bucket + 2)
    }

    /// A block that a slot or the history names.
    fn block(&self, random: &mut Random) -> slateboard::layout::Block {
        let geometry = &self.file.geometry;
        let index = match random.u64(..2) {
            0 => Head(self.load(self.slot(random) + 1)).block(),
            _ => RingWord(self.load(geometry.ring(1 + random.u64(..geometry.history())))).block(),
        };
        geometry
            .block(index)
            .unwrap_or_else(|| geometry.block(1 + index % (geometry.granules() - 1)).unwrap())
    }

    /// Some word of the kind.
    fn word(&self, kind: Kind, random: &mut Random) -> usize {
        let geometry = &self.file.geometry;
        let mut below = |bound: usize| random.usize(..bound);
        match kind {
            Kind::Generation => header::GENERATION,
            Kind::Floor => header::FLOOR,
            Kind::Reserved => header::RESERVED,
            Kind::ExtentHint => header::EXTENT_HINT,
            Kind::SessionRecord => geometry.session(below(2)) + below(session::RECORD_WORDS),
            Kind::DeadRecord => geometry.session(3) + session::intent(0) + below(3),
            Kind::Name => geometry.name(below(4)) + below(session::NAME_WORDS),
            Kind::ShardHeader => geometry.shard(below(geometry.shards())) + below(geometry::SHARD_WORDS),
            Kind::Group => geometry.groups().word(below(geometry.groups().count())) + below(GROUP_WORDS),
            Kind::ExtentClass => {
                geometry.extent(below(geometry.extents() as usize) as u32) + usize::from(below(4) == 0)
            }
            Kind::Guard => {
                self.slot(random).next_multiple_of(geometry::BUCKET_WORDS) - geometry::BUCKET_WORDS
            }
            Kind::Link => {
                self.slot(random).next_multiple_of(geometry::BUCKET_WORDS) - geometry::BUCKET_WORDS + 1
            }
            Kind::Hash => self.slot(random),
            Kind::Head => self.slot(random) + 1,
            Kind::Ring => geometry.ring(self.load(header::GENERATION).wrapping_sub(random.u64(..40))),
            Kind::State => geometry.state(self.block(random)),
            Kind::GenerationWord => geometry.generation(self.block(random)),
            Kind::RecordHeader => {
                geometry.data(self.block(random)) + random.u64(..record::HEADER_WORDS as u64) as usize
            }
            Kind::KeyBytes => geometry.data(self.block(random)) + record::HEADER_WORDS,
            Kind::ValueBytes | Kind::Pieces => {
                geometry.data(self.block(random)) + record::HEADER_WORDS + 1 + random.usize(..5)
            }
            Kind::Anywhere => header::GENERATION + below(geometry.words() - header::GENERATION),
        }
    }

    /// Puts garbage into a word of the kind; says what.
    fn damage(&self, kind: Kind, random: &mut Random) -> String {
        let at = self.word(kind, random);
        let old = self.load(at);
        let granules = u64::from(self.file.geometry.granules());
        let new = match random.u64(..12) {
            0 => 0,
            1 => u64::MAX,
            2 => random.u64(..),
            3 | 4 => old ^ 1 << random.u64(..64),
            5 => old.wrapping_add(1),
            6 => old.wrapping_sub(1),
            7 => old >> 23 << 23 | random.u64(..granules + 10),
            8 => random.u64(..granules),
            9 => old ^ 1 << 63,
            10 => old.wrapping_add(random.u64(..200)),
            _ => old ^ random.u64(..256),
        };
        self.store(at, new);
        if let Kind::DeadRecord = kind {
            // A session that died with this intent: nobody holds its lock.
            let record = self.file.geometry.session(3);
            self.store(record + session::INCARNATION, session::incarnation_word(9, true));
            self.store(record + session::counter(0, session::Counter::Ephemerals as usize), random.u64(..));
        }
        format!("{kind:?}: word {at} from {old:#x} to {new:#x}")
    }

    /// Every call there is. What is returned must be genuine.
    fn exercise(&mut self) {
        self.read_everything();
        self.write_everything();
        self.read_everything();
        if let Some(late) = typed("attach", self.board.attach("late")) {
            typed("late put", late.put("late/x", value("late/x", 1)));
        }
    }

    fn read_everything(&self) {
        for reader in [self.session.reader(), &self.observer] {
            for n in 0..KEYS {
                typed("get", reader.get(&key(n))).flatten().iter().for_each(check_entry);
            }
            let mut buffer = Vec::new();
            if typed("get_into", reader.get_into(&key(1), &mut buffer)).flatten().is_some() {
                assert!(is_genuine(&key(1), &buffer));
            }
            for prefix in ["", "task/", "free/", "a/longer"] {
                typed("list", reader.list(prefix).into_vec()).iter().flatten().for_each(check_entry);
            }
            for since in [0, self.board.generation().saturating_sub(70), u64::MAX] {
                for event in reader.events(since).take(150) {
                    typed("events", event).iter().for_each(check_event);
                }
            }
            for generation in [0, 1, reader.floor(), reader.generation(), u64::MAX] {
                typed("event", reader.event(generation)).iter().for_each(check_event);
                if let Some(view) = typed("view_at", reader.view_at(generation)) {
                    typed("view list", view.list("").into_vec()).iter().flatten().for_each(check_entry);
                }
            }
            typed("metrics", reader.metrics()).iter().for_each(check_metrics);
            let whole = typed("list_whole", reader.list("").whole());
            whole.iter().flat_map(|listing| &listing.entries).for_each(check_entry);
            typed("soundness", reader.soundness());
            typed("sessions", reader.sessions());
            typed("wait", reader.wait_newer(&key(1), u64::MAX - 1, NOW));
            for (prefix, wait) in [("", Wait::Spin), ("task/", Wait::Adaptive), ("free/", Wait::Sleep)] {
                typed("watch", reader.watch(prefix).wait(wait).next_timeout(NOW))
                    .iter()
                    .flatten()
                    .for_each(check_event);
                let since = reader.generation().wrapping_sub(5);
                let mut watch = reader.watch(prefix).since(since).wait(wait);
                typed("watch", watch.next_timeout(NOW)).iter().flatten().for_each(check_event);
            }
        }
        typed("view get", self.view.get(&key(4))).flatten().iter().for_each(check_entry);
        typed("view list", self.view.list("").into_vec()).iter().flatten().for_each(check_entry);
        typed("key get", self.key.get()).flatten().iter().for_each(check_entry);
        typed("key version", self.key.version());
        typed("key get newer", self.key.get_newer_into(0, &mut Vec::new()));
        typed("key wait", self.key.wait_newer(u64::MAX - 1, NOW));
        // Without checksums any bytes may come back; only panics and hangs are looked for.
        (0..KEYS).for_each(|n| drop(typed("lazy get", self.lazy.get(&key(n)))));
        typed("lazy list", self.lazy.list("").into_vec());
        self.lazy.events(0).take(150).for_each(|event| drop(typed("lazy events", event)));
    }

    fn write_everything(&mut self) {
        for n in 0..KEYS {
            self.written += 1;
            let (key, value) = (key(n), value(&key(n), self.written));
            typed("put", self.session.put(&key, &value));
            typed("put_if", self.other.put_if(&key, &value, Expect::Version(self.written)));
            if n % 5 == 1 {
                typed("remove", self.other.remove(&key));
            }
            if n % 6 == 1 {
                typed("bind", self.other.put_with(&key, &value, EPHEMERAL));
            }
            if n % 7 == 1 {
                let options = PutOptions::new().ttl(Duration::from_nanos(1));
                typed("put_with", self.session.put_with(&key, &value, options));
            }
        }
        let (name, new) = (key(5), value(&key(5), self.written));
        let retry = Retry::new().attempts(3);
        typed("update", self.session.update_with(&name, retry, |_| &new));
        typed("key put", self.key.put(value(&key(2), self.written)));
        if let Some(lease) = typed("acquire", self.session.lease("lease", SOON)) {
            typed("renew", lease.renew());
            typed("release", lease.release());
        }
        // Enough to lap the history, and keys that come and go.
        for n in 0..80 {
            let key = format!("churn/{}", self.written + n);
            typed("churn put", self.other.put(&key, value(&key, n)));
            typed("churn remove", self.other.remove(&key));
        }
    }
}

/// The result, or an error with something to say. A conflict has a genuine entry, if any.
fn typed<T>(call: &str, result: Result<T, Error>) -> Option<T> {
    let error = match result {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    assert!(error.to_string().len() > 10, "{call}: {error:?}");
    if let Some(entry) = error.current().filter(|entry| entry.key != "lease") {
        check_entry(entry);
    }
    None
}

fn check_entry(entry: &Entry) {
    let genuine = entry.key == "lease" || is_genuine(&entry.key, &entry.value);
    assert!(genuine, "{:?} has {} bytes that nobody put there", entry.key, entry.value.len());
}

/// No figure is more than the board can have.
fn check_metrics(metrics: &Metrics) {
    let Metrics { live_bytes, history_bytes, private_bytes, reserve_bytes, free_bytes, .. } = *metrics;
    let all = live_bytes + history_bytes + private_bytes + reserve_bytes + free_bytes;
    assert!(all <= metrics.capacity && metrics.used <= metrics.capacity, "{metrics:?}");
    assert!(metrics.claimed <= metrics.reserved && metrics.reserved <= metrics.capacity, "{metrics:?}");
    let table = [metrics.keys, metrics.slots_used, metrics.slots, metrics.slots_max];
    assert!(table.is_sorted() && metrics.overflow <= metrics.overflow_max, "{metrics:?}");
    assert!(metrics.sessions <= metrics.sessions_max && metrics.names <= metrics.names_max, "{metrics:?}");
    assert!(metrics.floor <= metrics.generation, "{metrics:?}");
    let span = metrics.generation - metrics.floor;
    assert!(span <= metrics.history + 1 || metrics.implausible.is_some(), "{metrics:?}");
    let changes = metrics.totals.puts.max(metrics.totals.removes);
    assert!(changes <= metrics.generation + 1000, "{metrics:?}");
}

fn check_event(event: &Event) {
    for mutation in event.mutations.iter().filter(|mutation| mutation.key != "lease") {
        let previous = mutation.previous.as_ref().map(|previous| &previous.value);
        for value in mutation.value.iter().chain(previous) {
            assert!(is_genuine(&mutation.key, value), "event of {:?}", mutation.key);
        }
    }
}

const KINDS: [Kind; 22] = [
    Kind::Generation,
    Kind::Floor,
    Kind::Reserved,
    Kind::ExtentHint,
    Kind::SessionRecord,
    Kind::DeadRecord,
    Kind::Name,
    Kind::ShardHeader,
    Kind::Group,
    Kind::Guard,
    Kind::Link,
    Kind::Hash,
    Kind::Head,
    Kind::Ring,
    Kind::ExtentClass,
    Kind::State,
    Kind::GenerationWord,
    Kind::RecordHeader,
    Kind::KeyBytes,
    Kind::ValueBytes,
    Kind::Pieces,
    Kind::Anywhere,
];

#[test]
fn as_user_of_a_damaged_board() {
    let Some((path, kind)) = role() else { return };
    let kind = *KINDS.iter().find(|known| format!("{known:?}") == kind).unwrap();
    watchdog::start();
    for round in 0..u64::from(rounds(2)) {
        let path = path.with_extension(round.to_string());
        let mut subject = Subject::new(&path);
        let mut random = Random::with_seed(round << 8 | kind as u64);
        let mut story = format!("round {round}");
        for _ in 0..4 {
            let damage = subject.damage(kind, &mut random);
            story = format!("{story}, {damage}");
            watchdog::note(story.clone());
            subject.exercise();
        }
        // Ending is part of it: sessions leave, keepers are joined.
        drop(subject);
        std::fs::remove_file(&path).unwrap();
    }
    say("survived");
    std::process::exit(0);
}

fn survives(kind: Kind) {
    let (_folder, path) = folder();
    let mut user = Child::start("as_user_of_a_damaged_board", &path, &format!("{kind:?}"));
    assert!(user.says("survived"), "{kind:?}: a panic or a hang, told above");
}

macro_rules! each_kind {
    ($($test:ident $kind:ident),* $(,)?) => {$(
        #[test]
        fn $test() {
            survives(Kind::$kind);
        }
    )*};
}

each_kind! {
    garbage_in_the_generation Generation,
    garbage_in_the_floor Floor,
    garbage_in_the_number_of_reserved_extents Reserved,
    garbage_in_the_extent_hint ExtentHint,
    garbage_in_live_session_records SessionRecord,
    garbage_in_a_dead_sessions_intent DeadRecord,
    garbage_in_names Name,
    garbage_in_shard_headers ShardHeader,
    garbage_in_groups Group,
    garbage_in_guards Guard,
    garbage_in_links Link,
    garbage_in_hashes Hash,
    garbage_in_heads Head,
    garbage_in_the_history_ring Ring,
    garbage_in_extent_classes ExtentClass,
    garbage_in_state_words State,
    garbage_in_generation_words GenerationWord,
    garbage_in_record_headers RecordHeader,
    garbage_in_keys KeyBytes,
    garbage_in_values ValueBytes,
    garbage_in_lists_of_pieces Pieces,
    garbage_anywhere Anywhere,
}

#[test]
fn a_damaged_value_is_reported_with_its_key_and_other_keys_are_served() {
    let (_folder, path) = folder();
    let subject = Subject::new(&path);
    let (damaged, well) = (key(5), key(6));
    let geometry = &subject.file.geometry;
    let hash = geometry.hash(damaged.as_bytes());
    let bucket = geometry.bucket(geometry.bucket_of(geometry.shard_of(&damaged, hash), hash));
    let fingerprint = geometry::fingerprint_of(hash);
    let slot = (0..geometry::SLOTS).map(|slot| bucket + 2 + 2 * slot);
    let slot = slot.into_iter().find(|&at| subject.load(at) as u16 == fingerprint).unwrap();
    let head = Head(subject.load(slot + 1));
    assert!(head.is(HeadKind::Live));
    let value_at = geometry.data(geometry.block(head.block()).unwrap()) + record::HEADER_WORDS + 2;
    subject.store(value_at, subject.load(value_at) ^ 1);

    for reader in [subject.session.reader(), &subject.observer] {
        let error = reader.get(&damaged).unwrap_err();
        assert!(error.is_corrupt() && error.to_string().contains(&damaged), "{error}");
        assert!(reader.get(&well).unwrap().is_some());
        let error = reader.view().unwrap().get(&damaged).unwrap_err();
        assert!(error.is_corrupt() && error.to_string().contains(&damaged), "{error}");
    }
    let events = subject.session.events(subject.board.floor());
    let (sound, corrupt): (Vec<_>, Vec<_>) = events.partition(Result::is_ok);
    assert!((1..=2).contains(&corrupt.len()), "the event, and the one that superseded it: {corrupt:?}");
    // What the history's bytes leave room for.
    assert!(sound.len() > 20 && corrupt.iter().flatten().count() == 0);
    for error in corrupt.into_iter().filter_map(Result::err) {
        let text = error.to_string();
        assert!(text.contains(&damaged) && text.contains("event"), "{text}");
    }
    // The next put heals the key; its history keeps the damage until that is over.
    subject.session.put(&damaged, value(&damaged, 3)).unwrap();
    check_entry(&subject.session.get(&damaged).unwrap().unwrap());
    assert_eq!(subject.session.list("").into_vec().unwrap().len() as u64, KEYS);
}
