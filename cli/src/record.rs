//! `.slate/board.toml`: which region is the project's board, and how to recognize that region.

use crate::{
    failure::{Failure, Status},
    folder::{FolderId, SlateFolder},
    whole,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt, fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The record's name in the folder.
pub(crate) const FILE: &str = "board.toml";

/// Where a region lives.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Placement {
    /// Shared memory.
    Memory,
    /// The project's `.slate/`.
    Project,
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Project => "project",
        })
    }
}

/// Who shares a board.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    /// All worktrees of the repository.
    #[default]
    Project,
    /// This worktree only.
    Worktree,
}

/// The content of `board.toml`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct Record {
    pub(crate) placement: Placement,
    #[serde(default)]
    pub(crate) scope: Scope,
    /// The `.slate` folder that this record belongs to. In a copy of that folder, the record is not valid.
    #[serde(flatten)]
    pub(crate) folder: FolderId,
    /// The region file; relative to `.slate/` if the region is in it, so that the project can be moved.
    pub(crate) path: PathBuf,
    /// Device of the region file: an unsigned number stored by its bits, because integers in TOML are signed.
    pub(crate) device: i64,
    /// Inode of the region file, stored in the same way.
    pub(crate) inode: i64,
    pub(crate) uuid: String,
    /// The boot in which the region was created.
    pub(crate) boot_id: String,
}

/// Why a recorded region cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unreachable {
    /// The record belongs to another folder, and this folder is a copy of it.
    Copied,
    /// The machine restarted, and shared memory was lost.
    Restarted,
    /// This process sees a different /dev/shm.
    Hidden,
    /// This process cannot find out what is at the path of the region.
    Unseen,
    /// The file system is the same, but the region file is missing.
    Removed,
    /// The file system is the same, but another file is at the path of the region.
    Replaced,
}

impl Record {
    /// The record in this `.slate/`; `None` if there is no such file.
    pub(crate) fn read(slate: &Path) -> Result<Option<Self>, Failure> {
        let path = slate.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::io(format!("cannot read {}", path.display()), &error)),
        };
        toml::from_str(&text).map(Some).map_err(|error| {
            let text = format!(
                "{} is invalid: {}; repair it, or create a new board with `slate init --replace`",
                path.display(),
                error.message()
            );
            Failure::new(Status::Corrupt, text)
        })
    }

    /// Writes the record atomically, and replaces an existing one.
    pub(crate) fn replace(&self, slate: &Path) -> Result<(), Failure> {
        let path = slate.join(FILE);
        whole::replace(&path, self.text()?.as_bytes()).map_err(|error| cannot_write(&path, &error))
    }

    /// Writes the record atomically. Returns `false`, and writes nothing, if there is one already.
    pub(crate) fn create(&self, slate: &Path, is_locked: bool) -> Result<bool, Failure> {
        let path = slate.join(FILE);
        match whole::create(&path, self.text()?.as_bytes(), whole::ways(is_locked)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(cannot_write(&path, &error)),
        }
    }

    fn text(&self) -> Result<String, Failure> {
        toml::to_string(self).map_err(|error| Failure::failed(error.to_string()))
    }

    /// The path at which this process opens the region.
    pub(crate) fn region(&self, slate: &Path) -> PathBuf {
        slate.join(&self.path)
    }

    /// Checks that this process can reach the recorded region, and returns the reason if it cannot.
    pub(crate) fn check(&self, slate: &SlateFolder, boot_id: &str) -> Result<(), Unreachable> {
        if !slate.is(&self.folder) {
            return Err(Unreachable::Copied);
        }
        let region = self.region(&slate.path);
        let found = match fs::metadata(&region) {
            Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Err(Unreachable::Unseen);
            }
            found => found.ok(),
        };
        // An id that the system does not provide proves nothing.
        let restarted = self.boot_id != boot_id && !self.boot_id.is_empty() && !boot_id.is_empty();
        match (self.placement, found) {
            (Placement::Project, None) => Err(Unreachable::Removed),
            (_, Some(_)) if restarted && self.placement == Placement::Project => Err(Unreachable::Restarted),
            (Placement::Project, Some(_)) => Ok(()),
            (Placement::Memory, _) if restarted => Err(Unreachable::Restarted),
            (Placement::Memory, Some(found)) if self.names(&found) => Ok(()),
            (Placement::Memory, found) => Err(self.why_not_seen(&region, found.is_some())),
        }
    }

    fn names(&self, found: &fs::Metadata) -> bool {
        found.dev() == self.device.cast_unsigned() && found.ino() == self.inode.cast_unsigned()
    }

    /// The device of the nearest existing folder shows whether this is the file system that held the region.
    fn why_not_seen(&self, region: &Path, occupied: bool) -> Unreachable {
        let device = region.ancestors().find_map(|folder| fs::metadata(folder).ok()).map(|found| found.dev());
        match (device == Some(self.device.cast_unsigned()), occupied) {
            (false, _) => Unreachable::Hidden,
            (true, true) => Unreachable::Replaced,
            (true, false) => Unreachable::Removed,
        }
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::io(format!("cannot write {}", path.display()), error)
}

impl Unreachable {
    /// What happened, to what, and what to do next.
    pub(crate) fn text(self, record: &Record, slate: &Path) -> String {
        let (region, file) = (record.region(slate), slate.join(FILE));
        let (region, file) = (region.display(), file.display());
        match self {
            Self::Copied => format!(
                "{file} belongs to another folder: this folder is a copy of it, or was restored or moved from another \
                 file system. The board {region} still belongs to the other folder; create a new, empty board for \
                 this folder with `slate init --adopt`"
            ),
            Self::Restarted if record.placement == Placement::Project => format!(
                "the machine restarted since {file} was written, or the folder comes from another machine: writers of \
                 the region {region} were interrupted, and its times to live refer to another clock; create a new, \
                 empty board with `slate init --replace`"
            ),
            Self::Restarted => format!(
                "the machine restarted since {file} was written, so the board in memory ({region}) and its content \
                 are lost; create a new board with `slate init --replace`"
            ),
            Self::Hidden => format!(
                "{file} names the region {region}, but this process cannot see that file although the machine did \
                 not restart. The process probably runs in a sandbox with a private /dev/shm. Run the command \
                 outside the sandbox, or create a new, empty board in the project, for all processes, with \
                 `slate init --replace --placement project`"
            ),
            Self::Unseen => format!(
                "{file} names the region {region}, but this process cannot access that path, so it cannot determine \
                 whether the board exists and is in use. Make the folders above it accessible to the user who created it"
            ),
            Self::Removed => format!(
                "{file} names the region {region}, but that file was removed; create a new, empty board with \
                 `slate init --replace`"
            ),
            Self::Replaced => format!(
                "{file} names the region {region}, but another file is at that path; restore the region, or create a \
                 new, empty board with `slate init --replace`"
            ),
        }
    }
}

/// The user id of this process.
pub(crate) fn own_uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Identifies the current boot of the machine; empty if the system does not provide an id.
pub(crate) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, SlateFolder) {
        let folder = tempfile::tempdir().expect("folder");
        let slate = SlateFolder::make(&folder.path().join(".slate")).expect("made");
        (folder, slate)
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
            uuid: "0".repeat(32),
            boot_id: "this boot".into(),
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
    }

    #[test]
    fn why_a_region_cannot_be_used() {
        let (_folder, slate) = folder();
        let region = slate.path.join("region");
        fs::write(&region, "").expect("region");
        let record = record(&slate, &region);
        let in_project = Record { placement: Placement::Project, path: "region".into(), ..record.clone() };
        assert_eq!(record.check(&slate, "this boot"), Ok(()));
        assert_eq!(in_project.check(&slate, "this boot"), Ok(()));
        assert_eq!(in_project.check(&slate, "next boot"), Err(Unreachable::Restarted));
        let (_other, copy) = folder();
        assert_eq!(record.check(&copy, "this boot"), Err(Unreachable::Copied));
        fs::remove_file(&region).expect("removed");
        assert_eq!(record.check(&slate, "this boot"), Err(Unreachable::Removed));
        assert_eq!(record.check(&slate, "next boot"), Err(Unreachable::Restarted));
        let elsewhere = Record { device: record.device + 1, ..record.clone() };
        assert_eq!(elsewhere.check(&slate, "this boot"), Err(Unreachable::Hidden));
        assert_eq!(in_project.check(&slate, "next boot"), Err(Unreachable::Removed));
    }

    #[test]
    fn another_file_under_the_name_is_told_apart() {
        let (_folder, slate) = folder();
        let region = slate.path.join("region");
        fs::write(&region, "").expect("region");
        let other = Record { inode: record(&slate, &region).inode + 1, ..record(&slate, &region) };
        assert_eq!(other.check(&slate, "this boot"), Err(Unreachable::Replaced));
    }
}
