//! LMDB by heed, as fast as it goes: nothing is synced, and the map is written to directly.
#![allow(unsafe_code, reason = "opening maps a file, and the flags give up durability")]

use super::{Peer, Place, Shape, value};
use crate::Outcome;
use heed::{
    CommitOrAbort, Database, Env, EnvFlags, EnvOpenOptions, WithTls,
    types::{Bytes, Str},
};
use std::{fs, hint::black_box};

/// An environment with its unnamed database.
pub struct Lmdb {
    env: Env<WithTls>,
    values: Values,
}

type Values = Database<'static, Str, Bytes>;

/// The unnamed database.
fn values(env: &Env<WithTls>) -> Outcome<Values> {
    let created = env.create_databases_and_commit(env.write_txn()?, |opener, write| -> heed::Result<_> {
        Ok(CommitOrAbort::<_, ()>::Commit(opener.create_database::<Str, Bytes>(write, None)?))
    })?;
    created.commit().ok_or_else(|| "no database".into())
}

fn environment(place: Place<'_>) -> Outcome<Env<WithTls>> {
    let path = place.file(".lmdb");
    fs::create_dir_all(&path)?;
    let mut options = EnvOpenOptions::new();
    options.map_size(4 << 30).max_readers(126);
    // SAFETY: a crash of the machine may lose the file, which is of this run only.
    unsafe { options.flags(EnvFlags::NO_SYNC | EnvFlags::WRITE_MAP) };
    // SAFETY: nobody but LMDB touches the file, and each process opens it once.
    Ok(unsafe { options.open(&path) }?)
}

impl Peer for Lmdb {
    const NAME: &'static str = "LMDB";
    const LESS: &'static str = "one write at a time, behind one mutex; no checksum, and no history to read; with these flags a crash of the machine may lose everything";
    super::found_by_name!();

    fn cannot(work: &str) -> Option<&'static str> {
        match work {
            "command" => Some("its commands print whole databases only"),
            "idle" => Some("offers no way to wait for a change"),
            _ => None,
        }
    }

    fn create(place: Place<'_>, shape: Shape) -> Outcome<Self> {
        let env = environment(place)?;
        let values = values(&env)?;
        let mut write = env.write_txn()?;
        let first = value(0, shape.size);
        for name in shape.names() {
            values.put(&mut write, &name, &first)?;
        }
        write.commit()?;
        Ok(Self { env, values })
    }

    fn open(place: Place<'_>, _shape: Shape) -> Outcome<Self> {
        let env = environment(place)?;
        let read = env.read_txn()?;
        let opened = env.open_databases_and_commit(read, |opener, read| -> heed::Result<_> {
            Ok(CommitOrAbort::<_, ()>::Commit(opener.open_database::<Str, Bytes>(read, None)?))
        })?;
        let values = opened.commit().flatten().ok_or("no database")?;
        Ok(Self { env, values })
    }

    fn get_key<T>(
        &self,
        key: &str,
        buffer: &mut Vec<u8>,
        look: impl FnOnce(&[u8]) -> T,
    ) -> Outcome<Option<T>> {
        let read = self.env.read_txn()?;
        let Some(value) = self.values.get(&read, key)? else { return Ok(None) };
        buffer.clear();
        buffer.extend_from_slice(value);
        drop(read);
        Ok(Some(look(buffer)))
    }

    fn put_key(&self, key: &str, value: &[u8]) -> Outcome<()> {
        let mut write = self.env.write_txn()?;
        self.values.put(&mut write, key, value)?;
        Ok(write.commit()?)
    }

    fn zero(&self, key: &str) -> Outcome<()> {
        self.put_key(key, &0_u64.to_le_bytes())
    }

    fn add_one(&self, at: &String) -> Outcome<()> {
        let mut write = self.env.write_txn()?;
        let old =
            self.values.get(&write, at)?.and_then(|bytes| bytes.first_chunk::<8>()).ok_or("no counter")?;
        let new = u64::from_le_bytes(*old) + 1;
        self.values.put(&mut write, at, &new.to_le_bytes())?;
        Ok(write.commit()?)
    }

    fn total(&self, key: &str) -> Outcome<u64> {
        let mut buffer = Vec::new();
        let total = self.get_key(key, &mut buffer, super::first_word)?;
        total.ok_or_else(|| "no counter".into())
    }

    fn modify(&self, key: &str, buffer: &mut Vec<u8>, change: impl Fn(&mut [u8])) -> Outcome<()> {
        let mut write = self.env.write_txn()?;
        buffer.clear();
        buffer.extend_from_slice(self.values.get(&write, key)?.ok_or("no such key")?);
        change(buffer);
        self.values.put(&mut write, key, buffer)?;
        Ok(write.commit()?)
    }

    fn scan(&self, prefix: &str, buffer: &mut Vec<u8>) -> Outcome<usize> {
        let read = self.env.read_txn()?;
        let mut found = 0;
        for entry in self.values.prefix_iter(&read, prefix)? {
            buffer.clear();
            buffer.extend_from_slice(entry?.1);
            black_box(&buffer);
            found += 1;
        }
        Ok(found)
    }
}
