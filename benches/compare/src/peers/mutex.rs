//! A table in shared memory with one process-shared mutex around it: crates `shared_memory` and `raw_sync`.
#![allow(unsafe_code, reason = "both crates hand out pointers")]

use super::{Peer, Place, Shape, table::Table};
use crate::Outcome;
use raw_sync::locks::{LockGuard, LockImpl, LockInit, Mutex as RawMutex};
use shared_memory::{Shmem, ShmemConf};
use slateboard::sync::Ordering;
use std::hint::black_box;

/// Bytes in front of the table, for the mutex.
const HEAD: usize = 128;

/// The table and its mutex.
pub struct Mutex {
    table: Table,
    lock: Box<dyn LockImpl>,
    _memory: Shmem,
}

impl Mutex {
    fn over(memory: Shmem, shape: Shape, new: bool) -> Outcome<Self> {
        let base = memory.as_ptr();
        let make = if new { RawMutex::new } else { RawMutex::from_existing };
        // SAFETY: the first HEAD bytes are the mutex's alone, and stay mapped beside it.
        let (lock, used) = unsafe { make(base, base) }.map_err(|error| error.to_string())?;
        assert!(used <= HEAD, "the mutex ends before the table");
        // SAFETY: HEAD bytes into a mapping of HEAD bytes and the table.
        let start = unsafe { base.add(HEAD) };
        // SAFETY: the rest of the mapping, which lives beside the table.
        let table = unsafe { Table::at(start, shape) };
        Ok(Self { table, lock, _memory: memory })
    }

    fn locked(&self) -> Outcome<LockGuard<'_>> {
        self.lock.lock().map_err(|error| error.to_string().into())
    }
}

impl Peer for Mutex {
    const NAME: &'static str = "mutex table";
    const LESS: &'static str = "a process that dies while it holds the mutex stops all others; no checksum, history or versions; keys and sizes are fixed";
    type Reading = usize;
    type Writing = usize;

    fn cannot(work: &str) -> Option<&'static str> {
        match work {
            "command" => Some("has no command"),
            "idle" => Some("offers no way to wait for a change"),
            _ => None,
        }
    }

    fn create(place: Place<'_>, shape: Shape) -> Outcome<Self> {
        let memory =
            ShmemConf::new().os_id(place.folder.id(place.part)).size(HEAD + Table::bytes(shape)).create()?;
        let made = Self::over(memory, shape, true)?;
        made.table.fill();
        Ok(made)
    }

    fn open(place: Place<'_>, shape: Shape) -> Outcome<Self> {
        Self::over(ShmemConf::new().os_id(place.folder.id(place.part)).open()?, shape, false)
    }

    fn reading(&self, key: &str) -> Outcome<usize> {
        self.table.number(key)
    }

    fn writing(&self, key: &str) -> Outcome<usize> {
        self.table.number(key)
    }

    fn get<T>(&self, at: &usize, buffer: &mut Vec<u8>, look: impl FnOnce(&[u8]) -> T) -> Outcome<T> {
        let guard = self.locked()?;
        self.table.read(*at, buffer);
        drop(guard);
        Ok(look(buffer))
    }

    fn put(&self, at: &usize, value: &[u8]) -> Outcome<()> {
        let _guard = self.locked()?;
        self.table.write(*at, value);
        Ok(())
    }

    fn get_key<T>(
        &self,
        key: &str,
        buffer: &mut Vec<u8>,
        look: impl FnOnce(&[u8]) -> T,
    ) -> Outcome<Option<T>> {
        self.get(&self.table.number(key)?, buffer, look).map(Some)
    }

    fn put_key(&self, key: &str, value: &[u8]) -> Outcome<()> {
        self.put(&self.table.number(key)?, value)
    }

    fn zero(&self, key: &str) -> Outcome<()> {
        let _guard = self.locked()?;
        self.table.word(self.table.number(key)?).store(0, Ordering::Relaxed);
        Ok(())
    }

    fn add_one(&self, at: &usize) -> Outcome<()> {
        let _guard = self.locked()?;
        let word = self.table.word(*at);
        word.store(word.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        Ok(())
    }

    fn total(&self, key: &str) -> Outcome<u64> {
        let _guard = self.locked()?;
        Ok(self.table.word(self.table.number(key)?).load(Ordering::Relaxed))
    }

    fn modify(&self, key: &str, buffer: &mut Vec<u8>, change: impl Fn(&mut [u8])) -> Outcome<()> {
        let number = self.table.number(key)?;
        let _guard = self.locked()?;
        self.table.read(number, buffer);
        change(buffer);
        self.table.write(number, buffer);
        Ok(())
    }

    fn scan(&self, prefix: &str, buffer: &mut Vec<u8>) -> Outcome<usize> {
        let first = self.table.number(&format!("{prefix}00"))?;
        let _guard = self.locked()?;
        for number in first..first + 100 {
            self.table.read(number, buffer);
            black_box(&buffer);
        }
        Ok(100)
    }
}
