//! The board itself, with the checksum of each read verified, and with that left to the scrubber.

use super::{Peer, Place, Shape, first_word, is_whole, value};
use crate::Outcome;
use slateboard::{Board, KeyHandle, Options, Retry, Session, Verify};
use std::{cell::Cell, hint::black_box, ops::ControlFlow, path::PathBuf, process::Command, time::Duration};

/// A session on a board. With `SCRUB` it leaves checksums to the scrubber, like peers that verify nothing when they read.
pub struct Slate<const SCRUB: bool> {
    session: Session,
    path: PathBuf,
    /// The newest generation, and the newest version, that `newer` looked at.
    generation: Cell<u64>,
    version: Cell<u64>,
}

/// The default board, or one that is large enough.
fn options(shape: Shape) -> Options {
    let keys = (shape.keys + shape.spare) as u64;
    let bytes = keys * (shape.size as u64 + 256) * 4;
    let options = Board::options().sessions(128).capacity(bytes.clamp(64 << 20, 4 << 30));
    // Hashed keys fill shards unevenly.
    if keys > 32_768 { options.keys(keys * 2) } else { options }
}

impl<const SCRUB: bool> Slate<SCRUB> {
    const VERIFY: Verify = if SCRUB { Verify::Scrub } else { Verify::Always };

    fn over(board: &Board, place: Place<'_>) -> Outcome<Self> {
        let session = board.attach("peer")?;
        let generation = Cell::new(session.generation());
        Ok(Self { session, path: place.file(".board"), generation, version: Cell::new(0) })
    }
}

impl<const SCRUB: bool> Peer for Slate<SCRUB> {
    const NAME: &'static str = if SCRUB { "slateboard, scrub" } else { "slateboard" };
    const LESS: &'static str = "";
    const WAYS: &'static [&'static str] = &["polling a key", "polling the generation"];
    type Reading = KeyHandle;
    type Writing = KeyHandle;

    fn cannot(work: &str) -> Option<&'static str> {
        let same = SCRUB && matches!(work, "put" | "command" | "idle" | "attach");
        same.then_some("the same as with the checksum verified")
    }

    fn create(place: Place<'_>, shape: Shape) -> Outcome<Self> {
        let made = Self::over(&options(shape).verify(Self::VERIFY).create(place.file(".board"))?, place)?;
        let first = value(0, shape.size);
        for name in shape.names() {
            made.session.put(&name, &first)?;
        }
        Ok(made)
    }

    fn open(place: Place<'_>, _shape: Shape) -> Outcome<Self> {
        Self::over(&Board::options().verify(Self::VERIFY).open(place.file(".board"))?, place)
    }

    fn reading(&self, key: &str) -> Outcome<KeyHandle> {
        Ok(self.session.key(key)?)
    }

    fn writing(&self, key: &str) -> Outcome<KeyHandle> {
        Ok(self.session.key(key)?)
    }

    #[inline]
    fn get<T>(&self, at: &KeyHandle, buffer: &mut Vec<u8>, look: impl FnOnce(&[u8]) -> T) -> Outcome<T> {
        at.get_into(buffer)?.ok_or("no such key")?;
        Ok(look(buffer))
    }

    #[inline]
    fn put(&self, at: &KeyHandle, value: &[u8]) -> Outcome<()> {
        self.generation.set(at.put(value)?.generation);
        Ok(())
    }

    fn get_key<T>(
        &self,
        key: &str,
        buffer: &mut Vec<u8>,
        look: impl FnOnce(&[u8]) -> T,
    ) -> Outcome<Option<T>> {
        Ok(self.session.get_into(key, buffer)?.map(|_| look(buffer)))
    }

    fn put_key(&self, key: &str, value: &[u8]) -> Outcome<()> {
        self.session.put(key, value)?;
        Ok(())
    }

    fn newer(&self, way: usize, at: &KeyHandle, seen: u64, buffer: &mut Vec<u8>) -> Outcome<Option<u64>> {
        if way == 0 {
            let Some(meta) = at.get_newer_into(self.version.get(), buffer)? else { return Ok(None) };
            self.version.set(meta.version);
        } else {
            let now = self.session.generation();
            if now == self.generation.get() {
                return Ok(None);
            }
            at.get_into(buffer)?.ok_or("no such key")?;
            self.generation.set(now);
        }
        match first_word(buffer) {
            word if word == seen => Ok(None),
            _ if !is_whole(buffer) => Err("a value is torn".into()),
            word => Ok(Some(word)),
        }
    }

    fn zero(&self, key: &str) -> Outcome<()> {
        self.put_key(key, &0_u64.to_le_bytes())
    }

    fn add_one(&self, at: &KeyHandle) -> Outcome<()> {
        at.update_with(Retry::UNLIMITED, |old| (old.map_or(0, first_word) + 1).to_le_bytes())?;
        Ok(())
    }

    fn total(&self, key: &str) -> Outcome<u64> {
        Ok(self.session.get(key)?.map_or(0, |entry| first_word(&entry.value)))
    }

    fn modify(&self, key: &str, buffer: &mut Vec<u8>, change: impl Fn(&mut [u8])) -> Outcome<()> {
        self.session.update_with(key, Retry::UNLIMITED, |old| {
            let mut value = std::mem::take(buffer);
            value.clear();
            value.extend_from_slice(old.map_or(&[], |entry| &entry.value));
            change(&mut value);
            value
        })?;
        Ok(())
    }

    fn scan(&self, prefix: &str, buffer: &mut Vec<u8>) -> Outcome<usize> {
        let mut found = 0;
        self.session.list(prefix).scan(|_, value, _| {
            buffer.clear();
            buffer.extend_from_slice(value);
            black_box(&buffer);
            found += 1;
            ControlFlow::<()>::Continue(())
        })?;
        Ok(found)
    }

    fn wait(&self, key: &str) -> Outcome<()> {
        let key = self.session.key(key)?;
        key.wait_newer(key.version()?, Duration::from_secs(30))?;
        Ok(())
    }

    fn command(&self, key: &str) -> Outcome<(String, Command)> {
        let slate = std::env::current_exe()?.with_file_name("slate");
        if !slate.exists() {
            return Err("no `slate` beside this program: cargo build --release -p slateboard-cli".into());
        }
        let mut command = Command::new(slate);
        command.arg("get").arg(key).arg("--board").arg(&self.path);
        Ok(("`slate get`".into(), command))
    }
}
