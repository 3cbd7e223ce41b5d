//! The limit: plain copies in shared memory, which nothing protects.
#![allow(unsafe_code, reason = "maps a file")]

use super::{Peer, Place, Shape, first_word, table::Table};
use crate::Outcome;
use memmap2::MmapMut;
use slateboard::sync::Ordering;
use std::{fs::File, hint::black_box};

/// A table in a mapped file.
pub struct Unprotected {
    table: Table,
    _mapping: MmapMut,
}

impl Unprotected {
    fn map(place: Place<'_>, shape: Shape) -> Outcome<Self> {
        let file =
            File::options().read(true).write(true).create(true).truncate(false).open(place.file(".raw"))?;
        file.set_len(Table::bytes(shape) as u64)?;
        // SAFETY: a file of this run, which nobody makes shorter.
        let mut mapping = unsafe { MmapMut::map_mut(&file)? };
        // SAFETY: the mapping has these bytes, and lives as long as the table beside it.
        let table = unsafe { Table::at(mapping.as_mut_ptr(), shape) };
        Ok(Self { table, _mapping: mapping })
    }
}

impl Peer for Unprotected {
    const NAME: &'static str = "unprotected";
    const LESS: &'static str = "no protection at all: values tear, updates are lost, keys and sizes are fixed; it is the limit, not an alternative";
    const WHOLE: bool = false;
    const WAYS: &'static [&'static str] = &["polling", "raw ping-pong"];
    type Reading = usize;
    type Writing = usize;

    fn cannot(work: &str) -> Option<&'static str> {
        match work {
            "command" => Some("has no command; the row of the JSON file has `cat`"),
            "idle" => Some("offers no way to wait for a change"),
            _ => None,
        }
    }

    fn create(place: Place<'_>, shape: Shape) -> Outcome<Self> {
        let made = Self::map(place, shape)?;
        made.table.fill();
        Ok(made)
    }

    fn open(place: Place<'_>, shape: Shape) -> Outcome<Self> {
        Self::map(place, shape)
    }

    fn reading(&self, key: &str) -> Outcome<usize> {
        self.table.number(key)
    }

    fn writing(&self, key: &str) -> Outcome<usize> {
        self.table.number(key)
    }

    #[inline]
    fn get<T>(&self, at: &usize, buffer: &mut Vec<u8>, look: impl FnOnce(&[u8]) -> T) -> Outcome<T> {
        self.table.read(*at, buffer);
        Ok(look(buffer))
    }

    #[inline]
    fn put(&self, at: &usize, value: &[u8]) -> Outcome<()> {
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

    /// A raw ping-pong is a cache line that is written by one and seen by the other process, and no more.
    fn newer(&self, way: usize, at: &usize, seen: u64, buffer: &mut Vec<u8>) -> Outcome<Option<u64>> {
        let word = self.table.word(*at).load(Ordering::Acquire);
        if word == seen || way == 1 {
            return Ok(Some(word).filter(|word| *word != seen));
        }
        self.table.read(*at, buffer);
        black_box(&buffer);
        Ok(Some(first_word(buffer)))
    }

    fn zero(&self, key: &str) -> Outcome<()> {
        self.table.word(self.table.number(key)?).store(0, Ordering::Release);
        Ok(())
    }

    /// The one thing that processors protect: a compare-and-swap of a word.
    fn add_one(&self, at: &usize) -> Outcome<()> {
        let word = self.table.word(*at);
        let mut seen = word.load(Ordering::Relaxed);
        while let Err(newer) = word.compare_exchange_weak(seen, seen + 1, Ordering::AcqRel, Ordering::Relaxed)
        {
            seen = newer;
        }
        Ok(())
    }

    fn total(&self, key: &str) -> Outcome<u64> {
        Ok(self.table.word(self.table.number(key)?).load(Ordering::Acquire))
    }

    fn modify(&self, key: &str, buffer: &mut Vec<u8>, change: impl Fn(&mut [u8])) -> Outcome<()> {
        let number = self.table.number(key)?;
        self.table.read(number, buffer);
        change(buffer);
        self.table.write(number, buffer);
        Ok(())
    }

    fn scan(&self, prefix: &str, buffer: &mut Vec<u8>) -> Outcome<usize> {
        let first = self.table.number(&format!("{prefix}00"))?;
        for number in first..first + 100 {
            self.table.read(number, buffer);
            black_box(&buffer);
        }
        Ok(100)
    }
}
