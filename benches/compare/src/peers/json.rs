//! A JSON file, a lock beside it, and a rename: how a first version is made. One file, or keys spread over several.

use super::{Peer, Place, Shape, first_word, value};
use crate::Outcome;
use std::{
    cell::Cell,
    collections::BTreeMap,
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    hint::black_box,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    process::Command,
};

type Values = BTreeMap<String, String>;

/// So many files, each with its lock.
pub struct Json<const FILES: usize> {
    files: Vec<(PathBuf, File)>,
    /// Which file was read last, by `newer`.
    seen: Cell<(u64, i64)>,
}

impl<const FILES: usize> Json<FILES> {
    fn over(place: Place<'_>) -> Outcome<Self> {
        let mut files = Vec::new();
        for number in 0..FILES {
            let lock = place.file(&format!("{number}.lock"));
            let lock = File::options().read(true).write(true).create(true).truncate(false).open(lock)?;
            files.push((place.file(&format!("{number}.json")), lock));
        }
        Ok(Self { files, seen: Cell::default() })
    }

    fn file_of(&self, key: &str) -> usize {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        hasher.finish() as usize % FILES
    }

    fn load(&self, file: usize) -> Outcome<Values> {
        Ok(serde_json::from_slice(&fs::read(&self.files[file].0)?)?)
    }

    /// Written beside and renamed, so that no reader sees half of it.
    fn store(&self, file: usize, values: &Values) -> Outcome<()> {
        let path = &self.files[file].0;
        let beside = path.with_extension("tmp");
        fs::write(&beside, serde_json::to_vec(values)?)?;
        Ok(fs::rename(beside, path)?)
    }

    /// Reads, changes and writes a file under its lock.
    fn change(&self, key: &str, change: impl FnOnce(&mut Values) -> Outcome<()>) -> Outcome<()> {
        let file = self.file_of(key);
        self.files[file].1.lock()?;
        let changed = self.load(file).and_then(|mut values| {
            change(&mut values)?;
            self.store(file, &values)
        });
        self.files[file].1.unlock()?;
        changed
    }
}

fn text(value: &[u8]) -> Outcome<String> {
    Ok(str::from_utf8(value)?.to_owned())
}

impl<const FILES: usize> Peer for Json<FILES> {
    const NAME: &'static str = if FILES == 1 { "JSON file" } else { "JSON, 3 files" };
    const LESS: &'static str = "every access reads a whole file, and every put writes it; no checksum, history or waiting; values are text";
    super::found_by_name!();

    fn cannot(work: &str) -> Option<&'static str> {
        match work {
            "attach" => Some("there is nothing to attach: every access opens the file"),
            "idle" => Some("offers no way to wait for a change"),
            "command" if FILES > 1 => Some("the same as with one file"),
            _ => None,
        }
    }

    fn create(place: Place<'_>, shape: Shape) -> Outcome<Self> {
        let made = Self::over(place)?;
        let mut files = vec![Values::new(); FILES];
        let first = text(&value(0, shape.size))?;
        for name in shape.names() {
            files[made.file_of(&name)].insert(name, first.clone());
        }
        for (file, values) in files.iter().enumerate() {
            made.store(file, values)?;
        }
        Ok(made)
    }

    fn open(place: Place<'_>, _shape: Shape) -> Outcome<Self> {
        Self::over(place)
    }

    /// Without the lock: a renamed file is whole.
    fn get_key<T>(
        &self,
        key: &str,
        _buffer: &mut Vec<u8>,
        look: impl FnOnce(&[u8]) -> T,
    ) -> Outcome<Option<T>> {
        let values = self.load(self.file_of(key))?;
        Ok(values.get(key).map(|value| look(value.as_bytes())))
    }

    fn put_key(&self, key: &str, value: &[u8]) -> Outcome<()> {
        let value = text(value)?;
        self.change(key, |values| {
            values.insert(key.to_owned(), value);
            Ok(())
        })
    }

    /// Looks at the folder first: a rename makes another file.
    fn newer(&self, _way: usize, at: &String, seen: u64, buffer: &mut Vec<u8>) -> Outcome<Option<u64>> {
        let about = fs::metadata(&self.files[self.file_of(at)].0)?;
        let now = (about.ino(), about.mtime_nsec());
        if now == self.seen.replace(now) {
            return Ok(None);
        }
        let word = self.get(at, buffer, first_word)?;
        Ok(Some(word).filter(|word| *word != seen))
    }

    fn zero(&self, key: &str) -> Outcome<()> {
        self.put_key(key, b"0")
    }

    fn add_one(&self, at: &String) -> Outcome<()> {
        self.change(at, |values| {
            let counter = values.get_mut(at).ok_or("no counter")?;
            *counter = (counter.parse::<u64>()? + 1).to_string();
            Ok(())
        })
    }

    fn total(&self, key: &str) -> Outcome<u64> {
        let read =
            self.get_key(key, &mut Vec::new(), |value| text(value).and_then(|text| Ok(text.parse()?)))?;
        read.ok_or("no counter")?
    }

    fn modify(&self, key: &str, buffer: &mut Vec<u8>, change: impl Fn(&mut [u8])) -> Outcome<()> {
        self.change(key, |values| {
            let value = values.get_mut(key).ok_or("no such key")?;
            buffer.clear();
            buffer.extend_from_slice(value.as_bytes());
            change(buffer);
            *value = text(buffer)?;
            Ok(())
        })
    }

    fn scan(&self, prefix: &str, _buffer: &mut Vec<u8>) -> Outcome<usize> {
        let mut found = 0;
        for file in 0..FILES {
            let values = self.load(file)?;
            let some = values.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
            found += some.map(black_box).count();
        }
        Ok(found)
    }

    fn command(&self, _key: &str) -> Outcome<(String, Command)> {
        let mut command = Command::new("cat");
        command.arg(&self.files[0].0);
        Ok(("`cat` of the JSON file".into(), command))
    }
}
