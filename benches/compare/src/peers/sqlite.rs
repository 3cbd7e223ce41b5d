//! SQLite by rusqlite with its own copy of the library: write-ahead log, nothing synced, mapped, on tmpfs.

use super::{Peer, Place, Shape, value};
use crate::Outcome;
use rusqlite::{Connection, OptionalExtension, params};
use std::{hint::black_box, path::PathBuf, process::Command, time::Duration};

/// A connection.
pub struct Sqlite {
    connection: Connection,
    path: PathBuf,
}

const GET: &str = "SELECT value FROM entries WHERE key = ?1";
const PUT: &str =
    "INSERT INTO entries (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";

fn connect(place: Place<'_>) -> Outcome<Sqlite> {
    let path = place.file(".sqlite");
    let connection = Connection::open(&path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "off")?;
    connection.pragma_update(None, "mmap_size", 1_u32 << 30)?;
    connection.busy_timeout(Duration::from_secs(30))?;
    Ok(Sqlite { connection, path })
}

impl Peer for Sqlite {
    const NAME: &'static str = "SQLite";
    const LESS: &'static str = "one write at a time; no checksum, history or blocking wait; without syncing, a crash of the machine may damage the file";
    super::found_by_name!();

    fn cannot(work: &str) -> Option<&'static str> {
        (work == "idle").then_some("offers no way to wait for a change by another process")
    }

    fn create(place: Place<'_>, shape: Shape) -> Outcome<Self> {
        let made = connect(place)?;
        made.connection.execute_batch("CREATE TABLE entries (key TEXT PRIMARY KEY, value); BEGIN")?;
        let first = value(0, shape.size);
        for name in shape.names() {
            made.put_key(&name, &first)?;
        }
        made.connection.execute_batch("COMMIT")?;
        Ok(made)
    }

    fn open(place: Place<'_>, _shape: Shape) -> Outcome<Self> {
        connect(place)
    }

    fn get_key<T>(
        &self,
        key: &str,
        buffer: &mut Vec<u8>,
        look: impl FnOnce(&[u8]) -> T,
    ) -> Outcome<Option<T>> {
        let found = self.connection.prepare_cached(GET)?.query_row([key], |row| {
            buffer.clear();
            buffer.extend_from_slice(row.get_ref(0)?.as_bytes()?);
            Ok(())
        });
        Ok(found.optional()?.map(|()| look(buffer)))
    }

    fn put_key(&self, key: &str, value: &[u8]) -> Outcome<()> {
        self.connection.prepare_cached(PUT)?.execute(params![key, value])?;
        Ok(())
    }

    fn zero(&self, key: &str) -> Outcome<()> {
        self.connection.prepare_cached(PUT)?.execute(params![key, 0])?;
        Ok(())
    }

    fn add_one(&self, at: &String) -> Outcome<()> {
        let add = "UPDATE entries SET value = value + 1 WHERE key = ?1";
        self.connection.prepare_cached(add)?.execute([at])?;
        Ok(())
    }

    fn total(&self, key: &str) -> Outcome<u64> {
        let total: i64 = self.connection.query_row(GET, [key], |row| row.get(0))?;
        Ok(total.unsigned_abs())
    }

    fn modify(&self, key: &str, buffer: &mut Vec<u8>, change: impl Fn(&mut [u8])) -> Outcome<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        self.get_key(key, buffer, |_| ())?.ok_or("no such key")?;
        change(buffer);
        self.put_key(key, buffer)?;
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    fn scan(&self, prefix: &str, buffer: &mut Vec<u8>) -> Outcome<usize> {
        let range = "SELECT value FROM entries WHERE key >= ?1 AND key < ?2";
        let mut statement = self.connection.prepare_cached(range)?;
        // Digits end before this sign.
        let mut rows = statement.query([prefix, &format!("{prefix}:")])?;
        let mut found = 0;
        while let Some(row) = rows.next()? {
            buffer.clear();
            buffer.extend_from_slice(row.get_ref(0)?.as_bytes()?);
            black_box(&buffer);
            found += 1;
        }
        Ok(found)
    }

    fn command(&self, key: &str) -> Outcome<(String, Command)> {
        let mut command = Command::new("sqlite3");
        command.arg(&self.path).arg(format!("SELECT CAST(value AS TEXT) FROM entries WHERE key = '{key}'"));
        Ok(("`sqlite3 db 'SELECT ..'`".into(), command))
    }
}
