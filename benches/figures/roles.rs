//! What the second process does, and the words that both share for the raw limits.

use crate::{Outcome, pair::board_of};
use rustix::{
    process::{Signal, set_parent_process_death_signal},
    thread::{CpuSet, sched_setaffinity},
};
use slateboard::{
    Entry, Retry,
    region::Mapping,
    sync::{AtomicU64, Ordering},
};
use std::{
    fs::File,
    path::{Path, PathBuf},
};

use Ordering::{AcqRel, Acquire, Relaxed, Release};

/// Words from one wire to the next: two lines, which processors fetch together.
const SPAN: usize = 16;
/// Wires, the last of which has room for a value.
const WORDS: usize = SPAN * 8 + 1024;
/// Polls between two looks at whether to stop.
const POLLS: usize = 1 << 14;

/// A shared word, on a line of its own.
#[derive(Clone, Copy)]
pub enum Wire {
    Ready,
    Go,
    Stop,
    Counted,
    Ping,
    Pong,
    Counter,
    /// First word of the value that is copied without protection.
    Value,
}

/// The shared words.
pub struct Wires(Mapping);

impl Wires {
    pub fn create(path: &Path) -> Outcome<Self> {
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        file.set_len(WORDS as u64 * 8)?;
        Ok(Self(Mapping::of_file(&file, true)?))
    }

    fn open(path: &Path) -> Outcome<Self> {
        Ok(Self(Mapping::of_file(&File::options().read(true).write(true).open(path)?, true)?))
    }

    pub fn word(&self, wire: Wire) -> &AtomicU64 {
        &self.0.words()[wire as usize * SPAN]
    }

    fn value(&self, size: usize) -> &[AtomicU64] {
        &self.0.words()[Wire::Value as usize * SPAN..][..size / 8]
    }

    pub fn load(&self, wire: Wire) -> u64 {
        self.word(wire).load(Acquire)
    }

    pub fn store(&self, wire: Wire, value: u64) {
        self.word(wire).store(value, Release);
    }

    /// As new, for the next partner.
    pub fn reset(&self) {
        self.0.words().iter().for_each(|word| word.store(0, Relaxed));
    }
}

/// What the second process may be asked to do.
#[derive(Clone, Copy)]
pub enum Role {
    RawEcho,
    KeyEcho,
    GenerationEcho,
    RawAdder,
    Adder,
    RawWriter,
    Writer,
}

impl Role {
    const ALL: [Self; 7] = [
        Self::RawEcho,
        Self::KeyEcho,
        Self::GenerationEcho,
        Self::RawAdder,
        Self::Adder,
        Self::RawWriter,
        Self::Writer,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::RawEcho => "raw-echo",
            Self::KeyEcho => "key-echo",
            Self::GenerationEcho => "generation-echo",
            Self::RawAdder => "raw-adder",
            Self::Adder => "adder",
            Self::RawWriter => "raw-writer",
            Self::Writer => "writer",
        }
    }
}

/// Plays the role that the arguments name: role, folder, bytes of a value.
pub fn play(arguments: &[String]) -> Outcome<()> {
    let [role, folder, size] = arguments else { return Err("a role needs a folder and a size".into()) };
    let role = Role::ALL.into_iter().find(|known| known.name() == role).ok_or("no such role")?;
    // Ends with the process that started it, also when that is killed.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    pin(1)?;
    let folder = PathBuf::from(folder);
    let wires = Wires::open(&folder.join("wires"))?;
    let size: usize = size.parse()?;
    match role {
        Role::RawEcho => raw_echo(&wires),
        Role::KeyEcho => key_echo(&wires, &folder, size),
        Role::GenerationEcho => generation_echo(&wires, &folder, size),
        Role::RawAdder => count_until_stopped(&wires, || {
            raw_increment(&wires);
            Ok(())
        }),
        Role::Adder => adder(&wires, &folder),
        Role::RawWriter => raw_writer(&wires, size),
        Role::Writer => writer(&wires, &folder, size),
    }
}

/// Keeps the calling thread on the first or the second core of the machine.
pub fn pin(core: usize) -> Outcome<()> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).map_err(|error| {
        format!("two processes are measured on cores 0 and 1, and {core} refuses: {error}").into()
    })
}

/// Polls some thousand times.
pub fn poll<T>(answer: &mut impl FnMut() -> Outcome<Option<T>>) -> Outcome<Option<T>> {
    for _ in 0..POLLS {
        if let Some(answer) = answer()? {
            return Ok(Some(answer));
        }
    }
    Ok(None)
}

/// Polls until there is an answer; `None` when it is time to stop.
fn poll_until<T>(wires: &Wires, mut answer: impl FnMut() -> Outcome<Option<T>>) -> Outcome<Option<T>> {
    while wires.load(Wire::Stop) == 0 {
        if let Some(answer) = poll(&mut answer)? {
            return Ok(Some(answer));
        }
    }
    Ok(None)
}

/// Whether the wire shows the number.
pub fn raw_trip(wires: &Wires, wire: Wire, number: u64) -> Outcome<Option<()>> {
    Ok((wires.load(wire) == number).then_some(()))
}

fn raw_echo(wires: &Wires) -> Outcome<()> {
    wires.store(Wire::Ready, 1);
    let mut number = 1;
    while poll_until(wires, || raw_trip(wires, Wire::Ping, number))?.is_some() {
        wires.store(Wire::Pong, number);
        number += 1;
    }
    Ok(())
}

fn key_echo(wires: &Wires, folder: &Path, size: usize) -> Outcome<()> {
    let session = board_of(folder)?;
    let (ping, pong) = (session.key("sync/ping")?, session.key("sync/pong")?);
    let (value, mut buffer) = (vec![8; size], Vec::new());
    let mut seen = ping.version()?;
    wires.store(Wire::Ready, 1);
    while poll_until(wires, || Ok(ping.get_newer_into(seen, &mut buffer)?))?.is_some() {
        seen += 1;
        pong.put(&value)?;
    }
    Ok(())
}

fn generation_echo(wires: &Wires, folder: &Path, size: usize) -> Outcome<()> {
    let session = board_of(folder)?;
    let (ping, pong) = (session.key("sync/ping")?, session.key("sync/pong")?);
    let (value, mut buffer) = (vec![8; size], Vec::new());
    let mut seen = session.generation();
    wires.store(Wire::Ready, 1);
    while poll_until(wires, || Ok((session.generation() > seen).then_some(())))?.is_some() {
        ping.get_into(&mut buffer)?.ok_or("the value is gone")?;
        seen = pong.put(&value)?.generation;
    }
    Ok(())
}

/// One more, by a compare-and-swap loop.
pub fn raw_increment(wires: &Wires) {
    let word = wires.word(Wire::Counter);
    let mut seen = word.load(Relaxed);
    while let Err(newer) = word.compare_exchange_weak(seen, seen + 1, AcqRel, Relaxed) {
        seen = newer;
    }
}

/// One more than the entry says.
pub fn one_more(old: Option<&Entry>) -> [u8; 8] {
    let old = old.and_then(|entry| entry.value.as_slice().try_into().ok()).map_or(0, u64::from_le_bytes);
    (old + 1).to_le_bytes()
}

fn adder(wires: &Wires, folder: &Path) -> Outcome<()> {
    let session = board_of(folder)?;
    count_until_stopped(wires, || {
        session.update_with("contended/counter", Retry::UNLIMITED, one_more)?;
        Ok(())
    })
}

fn raw_writer(wires: &Wires, size: usize) -> Outcome<()> {
    let mut number = 0;
    count_until_stopped(wires, || {
        number += 1;
        wires.value(size).iter().for_each(|word| word.store(number, Relaxed));
        Ok(())
    })
}

fn writer(wires: &Wires, folder: &Path, size: usize) -> Outcome<()> {
    let session = board_of(folder)?;
    let key = session.key("beside/value")?;
    let mut value = vec![0; size];
    let mut number = 0_u64;
    count_until_stopped(wires, || {
        number += 1;
        for word in value.as_chunks_mut::<8>().0 {
            *word = number.to_le_bytes();
        }
        key.put(&value)?;
        Ok(())
    })
}

fn count_until_stopped(wires: &Wires, mut once: impl FnMut() -> Outcome<()>) -> Outcome<()> {
    wires.store(Wire::Ready, 1);
    if poll_until(wires, || raw_trip(wires, Wire::Go, 1))?.is_none() {
        return Ok(());
    }
    let mut counted = 0;
    while wires.load(Wire::Stop) == 0 {
        once()?;
        counted += 1;
    }
    wires.store(Wire::Counted, counted);
    Ok(())
}

/// Copies the value without any protection.
pub fn read_raw(wires: &Wires, size: usize, out: &mut Vec<u8>) {
    out.clear();
    out.resize(size, 0);
    for (bytes, word) in out.as_chunks_mut::<8>().0.iter_mut().zip(wires.value(size)) {
        *bytes = word.load(Relaxed).to_le_bytes();
    }
}

/// Whether all words of the value are of one write.
pub fn value_is_whole(value: &[u8]) -> bool {
    let (words, _) = value.as_chunks::<8>();
    let first = words.first().map_or(0, |word| u64::from_le_bytes(*word));
    words.iter().fold(0, |differing, word| differing | (u64::from_le_bytes(*word) ^ first)) == 0
}
