//! `.slate/board.toml`: which region is the project's board, and how to recognize that region.

use super::{
    Placement, Scope, Unreachable,
    folder::{FolderId, SlateFolder},
    machine::{Compared, Machine},
    place::is_nothing,
    whole,
};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The suffix of a board's lock file.
const LOCK_SUFFIX: &str = ".lock";
/// The record's name in the folder.
pub(super) const FILE: &str = "board.toml";

/// The content of `board.toml`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(super) struct Record {
    pub(super) placement: Placement,
    #[serde(default)]
    pub(super) scope: Scope,
    /// The `.slate` folder that this record belongs to. In a copy of that folder, the record is not valid.
    #[serde(flatten)]
    pub(super) folder: FolderId,
    /// The region file; relative to `.slate/` if the region is in it, so that the project can be moved.
    pub(super) path: PathBuf,
    /// Device of the region file: an unsigned number stored by its bits, because integers in TOML are signed.
    pub(super) device: i64,
    /// Inode of the region file, stored in the same way.
    pub(super) inode: i64,
    /// The file system of the region: a later one may have the same device number. Missing if it has no identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) file_system: Option<i64>,
    /// Identifies the board's lock file.
    #[serde(flatten)]
    pub(super) lock: LockId,
    pub(super) uuid: String,
    /// For people: the path of `.slate/` when the record was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) slate: Option<PathBuf>,
    /// The machine and the boot in which the region was created.
    #[serde(flatten)]
    pub(super) machine: Machine,
}

/// Identifies a lock file. A file that was created anew may have the inode of the one before.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub(super) struct LockId {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lock_inode: Option<i64>,
    /// Birth time, in nanoseconds since 1970; missing if the file system has no birth times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lock_born: Option<i64>,
}

impl LockId {
    /// Of the lock file beside this region. Empty if it cannot be examined.
    pub(super) fn beside(region: &Path) -> Self {
        let found = fs::symlink_metadata(lock_of(region));
        found.map_or_else(
            |_| Self::default(),
            |found| Self {
                lock_inode: Some(found.ino().cast_signed()),
                lock_born: found.created().ok().and_then(nanoseconds),
            },
        )
    }

    /// Whether another file certainly has the lock file's name now. Opening the board tells if the file is missing.
    fn is_replaced_beside(&self, region: &Path) -> bool {
        let now = Self::beside(region);
        let differs =
            |now: Option<i64>, then: Option<i64>| now.zip(then).is_some_and(|(now, then)| now != then);
        differs(now.lock_inode, self.lock_inode) || differs(now.lock_born, self.lock_born)
    }
}

fn nanoseconds(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_nanos()).ok()
}

impl Record {
    /// The record in this `.slate/`; `None` if there is no such file.
    pub(super) fn read(slate: &Path) -> Result<Option<Self>> {
        let path = slate.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            // Bytes that are no text.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(invalid(&path, &error.to_string()));
            }
            Err(error) => return Err(Error::io("the file cannot be read", error).at_path(&path)),
        };
        toml::from_str(&text).map(Some).map_err(|error| invalid(&path, error.message()))
    }

    /// Writes the record atomically, and replaces an existing one.
    pub(super) fn replace(&self, slate: &Path) -> Result<()> {
        let path = slate.join(FILE);
        whole::replace(&path, self.text()?.as_bytes()).map_err(|error| cannot_write(&path, error))
    }

    /// Writes the record atomically. Returns `false`, and writes nothing, if there is one already.
    pub(super) fn create(&self, slate: &Path, is_locked: bool) -> Result<bool> {
        let path = slate.join(FILE);
        match whole::create(&path, self.text()?.as_bytes(), whole::ways(is_locked)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(cannot_write(&path, error)),
        }
    }

    fn text(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| {
            Error::new(ErrorKind::InvalidArgument, format!("the project cannot be recorded: {error}"))
                .hint("use a path of UTF-8 text")
        })
    }

    /// The path at which this process opens the region.
    pub(super) fn region(&self, slate: &Path) -> PathBuf {
        slate.join(&self.path)
    }

    /// Where the record was written, to be put behind "another folder".
    pub(super) fn origin(&self) -> String {
        self.slate.as_ref().map_or_else(String::new, |slate| format!(" ({})", slate.display()))
    }

    /// The name of the machine, to be put behind "another machine".
    pub(super) fn host(&self) -> String {
        self.machine.host.as_ref().map_or_else(String::new, |host| format!(" ({host})"))
    }

    /// Whether this process sees the region that the others see, and the reason if it does not.
    pub(super) fn check(&self, slate: &SlateFolder, machine: &Machine) -> Option<Unreachable> {
        if !slate.is(&self.folder) {
            return Some(Unreachable::Copied);
        }
        let region = self.region(&slate.path);
        let found = match fs::metadata(&region) {
            Err(error) if !is_nothing(&error) => return Some(Unreachable::Unseen),
            found => found.ok(),
        };
        if self.placement == Placement::Project && found.is_none() {
            return Some(Unreachable::Removed);
        }
        match machine.compare(&self.machine) {
            Compared::Same => {}
            Compared::Restarted => return Some(Unreachable::Restarted),
            Compared::Other => return Some(Unreachable::OtherMachine),
            Compared::Unknown => return Some(Unreachable::OtherBoot),
        }
        match found {
            Some(found) if self.names(&found, &region) => self.check_lock(&region),
            found => Some(self.why_not_seen(&region, found.is_some(), slate)),
        }
    }

    fn names(&self, found: &Metadata, region: &Path) -> bool {
        let same_file =
            found.dev() == self.device.cast_unsigned() && found.ino() == self.inode.cast_unsigned();
        same_file && self.is_file_system_of(region)
    }

    fn is_file_system_of(&self, path: &Path) -> bool {
        self.file_system.is_none_or(|recorded| file_system_of(path).is_none_or(|now| now == recorded))
    }

    /// The nearest existing folder shows whether this is the file system that held the region.
    fn why_not_seen(&self, region: &Path, occupied: bool, slate: &SlateFolder) -> Unreachable {
        let nearest = region.ancestors().find_map(|folder| Some((folder, fs::metadata(folder).ok()?)));
        let is_same = nearest.is_some_and(|(folder, found)| {
            found.dev() == self.device.cast_unsigned() && self.is_file_system_of(folder)
        });
        match (is_same, occupied) {
            (false, _) if self.placement == Placement::Project && slate.is_layered => Unreachable::Layered,
            (false, _) => Unreachable::Hidden,
            (true, true) => Unreachable::Replaced,
            (true, false) => Unreachable::Removed,
        }
    }

    /// Another lock file under the name would make all sessions look dead.
    fn check_lock(&self, region: &Path) -> Option<Unreachable> {
        self.lock.is_replaced_beside(region).then_some(Unreachable::LockReplaced)
    }
}

/// The lock file beside a region.
pub(super) fn lock_of(region: &Path) -> PathBuf {
    let mut path = region.as_os_str().to_owned();
    path.push(LOCK_SUFFIX);
    PathBuf::from(path)
}

/// The identity of the file system at this path; `None` if it has none.
pub(super) fn file_system_of(path: &Path) -> Option<i64> {
    let id = rustix::fs::statvfs(path).ok()?.f_fsid;
    (id != 0).then_some(id.cast_signed())
}

fn invalid(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the record is invalid: {why}"))
        .hint("repair it, or create a new board with `slate init --replace`")
        .at_path(path)
}

fn cannot_write(path: &Path, error: io::Error) -> Error {
    Error::io("the record cannot be written", error).at_path(path)
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, SlateFolder) {
        let folder = tempfile::tempdir().expect("folder");
        let slate = SlateFolder::make(&folder.path().join(".slate")).expect("made");
        (folder, slate)
    }

    fn boot(boot_id: &str) -> Machine {
        Machine { boot_id: boot_id.into(), machine: Some("this machine".into()), host: None }
    }

    fn record(slate: &SlateFolder, region: &Path) -> Record {
        let found = fs::metadata(region).expect("region");
        Record {
            placement: Placement::Memory,
            scope: Scope::Project,
            folder: slate.id.clone(),
            path: region.to_owned(),
            device: found.dev().cast_signed(),
            inode: found.ino().cast_signed(),
            file_system: file_system_of(region),
            lock: LockId::default(),
            uuid: "0".repeat(32),
            slate: Some(slate.path.clone()),
            machine: boot("this boot"),
        }
    }

    #[test]
    fn a_record_survives_writing_and_reading() {
        let (_folder, slate) = folder();
        let record = record(&slate, &slate.path);
        assert!(record.create(&slate.path, true).expect("written"));
        assert_eq!(Record::read(&slate.path).expect("read"), Some(record.clone()));
        assert!(!record.create(&slate.path, true).expect("asked"), "the second of two creators must be told");
        record.replace(&slate.path).expect("replaced");
        assert_eq!(fs::read_dir(&slate.path).expect("list").count(), 2, "no draft stays");
        fs::write(slate.path.join(FILE), b"\xff").expect("written");
        assert!(Record::read(&slate.path).expect_err("no text").is_corrupt());
    }

    #[test]
    fn why_a_region_cannot_be_used() {
        let (_folder, slate) = folder();
        let region = slate.path.join("region");
        fs::write(&region, "").expect("region");
        let record = record(&slate, &region);
        let in_project = Record { placement: Placement::Project, path: "region".into(), ..record.clone() };
        let (here, next) = (boot("this boot"), boot("next boot"));
        assert_eq!(record.check(&slate, &here), None);
        assert_eq!(in_project.check(&slate, &here), None);
        assert_eq!(in_project.check(&slate, &next), Some(Unreachable::Restarted));
        let other = Machine { machine: Some("another".into()), ..next.clone() };
        assert_eq!(record.check(&slate, &other), Some(Unreachable::OtherMachine));
        let unknown = Machine { machine: None, ..next.clone() };
        assert_eq!(record.check(&slate, &unknown), Some(Unreachable::OtherBoot));
        let (_other, copy) = folder();
        assert_eq!(record.check(&copy, &here), Some(Unreachable::Copied));
        fs::remove_file(&region).expect("removed");
        assert_eq!(record.check(&slate, &here), Some(Unreachable::Removed));
        assert_eq!(record.check(&slate, &next), Some(Unreachable::Restarted));
        let elsewhere = Record { device: record.device + 1, ..record.clone() };
        assert_eq!(elsewhere.check(&slate, &here), Some(Unreachable::Hidden));
        assert_eq!(in_project.check(&slate, &next), Some(Unreachable::Removed));
    }

    #[test]
    fn another_file_under_the_name_is_told_apart() {
        let (_folder, slate) = folder();
        let region = slate.path.join("region");
        fs::write(&region, "").expect("region");
        let record = record(&slate, &region);
        let here = boot("this boot");
        for placement in [Placement::Memory, Placement::Project] {
            let other = Record { placement, inode: record.inode + 1, ..record.clone() };
            assert_eq!(other.check(&slate, &here), Some(Unreachable::Replaced), "{placement}");
        }
    }

    #[test]
    fn a_device_number_that_another_file_system_got_is_told_apart() {
        let (_folder, slate) = folder();
        let region = slate.path.join("region");
        fs::write(&region, "").expect("region");
        let record = record(&slate, &region);
        let here = boot("this boot");
        let other = Record { file_system: record.file_system.map(|id| id ^ 1), ..record.clone() };
        assert_eq!(other.check(&slate, &here), Some(Unreachable::Hidden));
        fs::remove_file(&region).expect("removed");
        assert_eq!(
            other.check(&slate, &here),
            Some(Unreachable::Hidden),
            "it was not removed: it is elsewhere"
        );
    }

    #[test]
    fn in_a_layer_the_region_of_the_project_is_not_the_recorded_one() {
        let (_folder, mut slate) = folder();
        let region = slate.path.join("region");
        fs::write(&region, "").expect("region");
        slate.is_layered = true;
        let record =
            Record { placement: Placement::Project, path: "region".into(), ..record(&slate, &region) };
        let here = boot("this boot");
        assert_eq!(record.check(&slate, &here), None, "a board that was made in this layer");
        let below = Record { device: record.device + 1, ..record.clone() };
        assert_eq!(below.check(&slate, &here), Some(Unreachable::Layered));
        let in_memory = Record { placement: Placement::Memory, path: region, ..below };
        assert_eq!(in_memory.check(&slate, &here), Some(Unreachable::Hidden));
    }

    #[test]
    fn a_region_whose_path_cannot_be_accessed_is_unseen() {
        let (_folder, slate) = folder();
        // Even the superuser cannot access a path whose links lead to themselves.
        let path = slate.path.join("circle");
        std::os::unix::fs::symlink(&path, &path).expect("link");
        let record = Record { path: path.join("region"), ..record(&slate, &slate.path) };
        assert_eq!(record.check(&slate, &boot("this boot")), Some(Unreachable::Unseen));
    }

    #[test]
    fn another_lock_file_is_told_apart() {
        let (_folder, slate) = folder();
        let region = slate.path.join("region");
        let lock = lock_of(&region);
        for path in [&region, &lock] {
            fs::write(path, "").expect("file");
        }
        let record = Record { lock: LockId::beside(&region), ..record(&slate, &region) };
        let here = boot("this boot");
        assert_eq!(record.check(&slate, &here), None);
        let inode = LockId { lock_inode: record.lock.lock_inode.map(|inode| inode + 1), lock_born: None };
        let born = LockId { lock_born: record.lock.lock_born.map(|born| born + 1), ..record.lock.clone() };
        assert!(record.lock.lock_born.is_some(), "this file system has no birth times");
        for lock in [inode, born] {
            let other = Record { lock, ..record.clone() };
            assert_eq!(other.check(&slate, &here), Some(Unreachable::LockReplaced));
        }
        fs::remove_file(&lock).expect("removed");
        assert_eq!(
            record.check(&slate, &here),
            None,
            "whoever opens the board is told that the lock file is missing"
        );
    }
}
