//! A worker beside the mad peer. It makes a fixed number of calls of every kind, and judges each answer.

use super::{
    Tally, options,
    places::{Part, WITNESSES, witness},
};
use slateboard::{Entry, Error, ErrorKind, Event, Expect, Retry, Session, Wait};
use slateboard_kit::{
    children::{role, say, stay, watchdog},
    random::Random,
};
use std::{path::PathBuf, time::Duration};

/// Calls that a worker makes, of all kinds together.
const CALLS: u64 = 300;
const KEYS: u64 = 12;
/// Too short to wait for anything.
const NOW: Duration = Duration::from_micros(50);
/// More versions than a key can have come to.
const VERSIONS: u64 = 100_000;

fn key(n: u64) -> String {
    let folder = ["task", "file", "team", "free"][(n % 4) as usize];
    format!("{folder}/{n}")
}

/// A value that names its key, writer and number, in several sizes up to chains.
fn value(key: &str, writer: u64, count: u64) -> Vec<u8> {
    let len = [0, 40, 700, 3_000, 20_000][(count % 5) as usize];
    format!("{key} {writer} {count} ").into_bytes().into_iter().cycle().take(key.len() + 44 + len).collect()
}

/// Whether somebody wrote this value under this key, whole.
fn is_genuine(key: &str, found: &[u8]) -> bool {
    if let Some(n) = (0..WITNESSES).find(|&n| witness(n) == key) {
        return found == witness_value(n);
    }
    let numbers = || {
        let text = found.strip_prefix(key.as_bytes())?.strip_prefix(b" ")?;
        let mut words =
            text.split(|&byte| byte == b' ').map(|word| std::str::from_utf8(word).ok()?.parse().ok());
        Some((words.next()??, words.next()??))
    };
    numbers().is_some_and(|(writer, count)| found == value(key, writer, count))
}

/// The value of a witness; the last one's takes a chain.
pub fn witness_value(n: u64) -> Vec<u8> {
    vec![n as u8 + 1; [30, 500, 5_000, 40_000][n as usize % 4]]
}

struct Worker {
    path: PathBuf,
    part: Part,
    number: u64,
    session: Option<Session>,
    random: Random,
    count: u64,
    tally: Tally,
}

#[test]
fn as_worker() {
    let Some((path, argument)) = role() else { return };
    watchdog::start();
    let words: Vec<&str> = argument.split(' ').collect();
    let (number, seed): (u64, u64) = (words[1].parse().unwrap(), words[2].parse().unwrap());
    let mut worker = Worker {
        part: Part::named(words[0]),
        number,
        session: Some(attach(&path, number).unwrap()),
        path,
        random: Random::with_seed(seed << 8 | number),
        count: 0,
        tally: Tally::new(),
    };
    worker.populate();
    say("ready");
    stay();
    for call in 0..CALLS {
        worker.call(call);
    }
    worker.come_late();
    let told: Vec<String> = worker.tally.iter().map(|(kind, times)| format!("{kind}={times}")).collect();
    say(&format!("tally {}", told.join(" ")));
    // The end is tested too: the session detaches, and its keeper is joined.
    watchdog::note("leaving".into());
    drop(worker.session.take());
    std::process::exit(0);
}

fn attach(path: &PathBuf, number: u64) -> Result<Session, Error> {
    options().beat(Duration::from_millis(3)).open(path)?.attach(&format!("worker {number}"))
}

impl Worker {
    /// Puts the keys to work on, and leaves removed keys in the history.
    fn populate(&mut self) {
        for n in 0..KEYS {
            self.put(&key(n), Expect::Any);
        }
        for n in 0..KEYS {
            let gone = format!("{}/gone", key(n));
            self.put(&gone, Expect::Any);
            self.remove(&gone);
        }
        self.tally.clear();
    }

    fn note(&mut self, kind: &str) {
        *self.tally.entry(kind.to_owned()).or_default() += 1;
    }

    /// Counts the result. An error must be one that damage explains. If it is `Corrupt`, it names the key of the call.
    fn judge<T>(&mut self, call: &str, key: Option<&str>, result: Result<T, Error>) -> Option<T> {
        let error = match result {
            Ok(value) => {
                self.note("done");
                return Some(value);
            }
            Err(error) => error,
        };
        let text = error.to_string();
        assert!(
            !matches!(error.kind(), ErrorKind::Forked | ErrorKind::Codec | ErrorKind::InvalidKey),
            "{call}: {text}"
        );
        if let Some(key) = key.filter(|_| error.is_corrupt()) {
            assert!(text.contains(key), "{call} of {key}: {text}");
        }
        error.current().into_iter().for_each(|entry| self.check_entry(entry));
        self.note(&format!("{:?}", error.kind()));
        if error.is_fenced() {
            self.session = None;
        }
        None
    }

    fn check_entry(&mut self, entry: &Entry) {
        assert!(
            is_genuine(&entry.key, &entry.value),
            "{:?}: nobody wrote its {} bytes",
            entry.key,
            entry.value.len()
        );
        if !["founder", "worker 0", "worker 1"].contains(&entry.writer.name.as_str()) {
            self.note("stranger");
        }
        if entry.version > VERSIONS {
            self.note("leap");
        }
    }

    fn check_event(&mut self, event: &Event) {
        for mutation in &event.mutations {
            let previous = mutation.previous.as_ref().map(|previous| &previous.value);
            for value in mutation.value.iter().chain(previous) {
                let key = &mutation.key;
                assert!(is_genuine(key, value), "event {} of {key:?}: nobody wrote it", event.generation);
            }
        }
    }

    /// The session, or another one if others ended it.
    fn session(&mut self) -> Option<Session> {
        if self.session.is_none() {
            let attached = attach(&self.path, self.number);
            self.session = self.judge("attach", None, attached);
        }
        self.session.clone()
    }

    fn call(&mut self, call: u64) {
        let key = key(self.random.u64(..KEYS));
        watchdog::note(format!("call {call}, {key}, {:?}", self.part));
        match self.random.u64(..11) {
            0 | 1 => self.put(&key, Expect::Any),
            2 => self.put(&key, Expect::Absent),
            3 => self.remove(&key),
            4 => self.update(&key),
            5 => self.list(),
            6 => self.events(),
            7 => self.view(&key),
            8 => self.watch(),
            9 => self.come_and_go(call),
            _ => self.get(&key),
        }
        self.ask_witness(call % WITNESSES);
    }

    fn put(&mut self, key: &str, expect: Expect) {
        let Some(session) = self.session() else { return };
        self.count += 1;
        let put = session.put_if(key, value(key, self.number, self.count), expect);
        let receipt = self.judge("put", Some(key), put);
        if receipt.is_some_and(|receipt| receipt.version > VERSIONS) {
            self.note("leap");
        }
    }

    /// A key that never was, and is no more.
    fn come_and_go(&mut self, call: u64) {
        let brief = format!("{}/brief/{call}", key(call));
        self.put(&brief, Expect::Any);
        self.get(&brief);
        self.remove(&brief);
    }

    fn remove(&mut self, key: &str) {
        let Some(session) = self.session() else { return };
        let removed = session.remove(key);
        self.judge("remove", Some(key), removed);
    }

    fn update(&mut self, key: &str) {
        let Some(session) = self.session() else { return };
        self.count += 1;
        let new = value(key, self.number, self.count);
        let mut seen = Vec::new();
        let retry = Retry::new().attempts(3);
        let updated = session.update_with(key, retry, |old| {
            seen.extend(old.cloned());
            &new
        });
        self.judge("update", Some(key), updated);
        seen.iter().for_each(|entry| self.check_entry(entry));
    }

    fn get(&mut self, key: &str) {
        let Some(session) = self.session() else { return };
        if let Some(entry) = self.judge("get", Some(key), session.get(key)).flatten() {
            assert_eq!(entry.key, key);
            self.check_entry(&entry);
        }
        let mut buffer = Vec::new();
        if self.judge("get_into", Some(key), session.get_into(key, &mut buffer)).flatten().is_some() {
            assert!(is_genuine(key, &buffer), "{key:?}: nobody wrote its {} bytes", buffer.len());
        }
    }

    fn list(&mut self) {
        let Some(session) = self.session() else { return };
        for prefix in ["", "task/"] {
            for entry in self.judge("list", None, session.list(prefix).into_vec()).unwrap_or_default() {
                assert!(entry.key.starts_with(prefix));
                self.check_entry(&entry);
            }
        }
    }

    fn events(&mut self) {
        let Some(session) = self.session() else { return };
        for event in session.events(session.floor()).take(80) {
            if let Some(event) = self.judge("events", None, event) {
                self.check_event(&event);
            }
        }
    }

    fn view(&mut self, key: &str) {
        let Some(session) = self.session() else { return };
        let generation = session.generation().saturating_sub(self.random.u64(..40));
        let Some(view) = self.judge("view_at", None, session.view_at(generation)) else { return };
        if let Some(entry) = self.judge("view get", Some(key), view.get(key)).flatten() {
            self.check_entry(&entry);
        }
        for entry in self.judge("view list", None, view.list("").into_vec()).unwrap_or_default() {
            self.check_entry(&entry);
        }
    }

    fn watch(&mut self) {
        let Some(session) = self.session() else { return };
        let since = session.generation().saturating_sub(5);
        for (prefix, wait) in [("", Wait::Spin), ("task/", Wait::Adaptive), ("free/", Wait::Sleep)] {
            let mut watch = session.watch(prefix).since(since).wait(wait);
            for _ in 0..3 {
                if let Some(event) = self.judge("watch", None, watch.next_timeout(NOW)).flatten() {
                    self.check_event(&event);
                }
            }
        }
    }

    /// Reads a key that nobody changes and whose words are spared.
    fn ask_witness(&mut self, n: u64) {
        let Some(session) = self.session() else { return };
        let key = witness(n);
        let found = session.get(&key);
        if self.part.leaves_witnesses() {
            let entry = found.unwrap_or_else(|error| panic!("{key} is spared: {error}"));
            assert!(entry.is_some_and(|entry| entry.value == witness_value(n)), "{key} is spared");
        } else if let Some(entry) = self.judge("witness", Some(&key), found).flatten() {
            self.check_entry(&entry);
        }
    }

    /// Opens the damaged board: it is served, or told why not.
    fn come_late(&mut self) {
        watchdog::note("coming late".into());
        let late = attach(&self.path, self.number);
        let Some(late) = self.judge("late attach", None, late) else { return };
        if let Some(entry) = self.judge("late get", Some(&key(0)), late.get(&key(0))).flatten() {
            self.check_entry(&entry);
        }
        let put = late.put(&key(1), value(&key(1), self.number, 0));
        self.judge("late put", Some(&key(1)), put);
    }
}
