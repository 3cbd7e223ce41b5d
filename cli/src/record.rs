//! `.slate/board.toml`: which region is the project's board, and how to know it again.

use crate::failure::{Failure, Status};
use serde::{Deserialize, Serialize};
use std::{
    fmt, fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The folder of a project's board.
pub(crate) const FOLDER: &str = ".slate";
const FILE: &str = "board.toml";

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

/// What `board.toml` says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct Record {
    pub(crate) placement: Placement,
    #[serde(default)]
    pub(crate) scope: Scope,
    /// The region file; relative to `.slate/` when the region lives there, so that a project can be moved.
    pub(crate) path: PathBuf,
    /// Device of the region file. The bits of an unsigned number, because TOML's integers are signed.
    pub(crate) device: i64,
    /// Inode of the region file, likewise.
    pub(crate) inode: i64,
    pub(crate) uuid: String,
    /// The boot in which the region was made.
    pub(crate) boot_id: String,
}

/// Why a recorded region cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unreachable {
    /// The machine restarted, and shared memory with it.
    Restarted,
    /// This process sees another /dev/shm.
    Hidden,
    /// The same file system, but no region there.
    Removed,
    /// The same file system, but another file there.
    Replaced,
}

impl Record {
    /// The record in this `.slate/`; none when there is no such file.
    pub(crate) fn read(slate: &Path) -> Result<Option<Self>, Failure> {
        let path = slate.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::io(format!("reading {}", path.display()), &error)),
        };
        toml::from_str(&text).map(Some).map_err(|error| {
            let text = format!(
                "{} is not a board's record: {}; mend it, or make a new board with `slate init --replace`",
                path.display(),
                error.message()
            );
            Failure::new(Status::Corrupt, text)
        })
    }

    /// Writes the record whole. Without `replace`, whoever comes second gets `AlreadyExists`.
    pub(crate) fn write(&self, slate: &Path, replace: bool) -> Result<(), Failure> {
        let text = toml::to_string(self).map_err(|error| Failure::failed(error.to_string()))?;
        let (path, draft) = (slate.join(FILE), slate.join(format!("{FILE}.{}", std::process::id())));
        let written = write_private(&draft, text.as_bytes())
            .and_then(|()| if replace { fs::rename(&draft, &path) } else { fs::hard_link(&draft, &path) });
        // After a rename there is no draft; after a link it is one name too many.
        let _ = fs::remove_file(&draft);
        match written {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Failure::failed(format!(
                "{} was made by another meanwhile; use that board",
                path.display()
            ))),
            other => other.map_err(|error| Failure::io(format!("writing {}", path.display()), &error)),
        }
    }

    /// The region's path as this process would open it.
    pub(crate) fn region(&self, slate: &Path) -> PathBuf {
        slate.join(&self.path)
    }

    /// Whether this process sees the recorded region, and if not, why.
    pub(crate) fn check(&self, slate: &Path, boot_id: &str) -> Result<(), Unreachable> {
        let region = self.region(slate);
        let found = fs::metadata(&region).ok();
        match (self.placement, found) {
            (Placement::Project, Some(_)) => Ok(()),
            (Placement::Project, None) => Err(Unreachable::Removed),
            (Placement::Memory, Some(found)) if self.names(&found) => Ok(()),
            (Placement::Memory, _) if self.boot_id != boot_id => Err(Unreachable::Restarted),
            (Placement::Memory, found) => Err(self.why_not_seen(&region, found.is_some())),
        }
    }

    fn names(&self, found: &fs::Metadata) -> bool {
        found.dev() == self.device.cast_unsigned() && found.ino() == self.inode.cast_unsigned()
    }

    /// The nearest folder that exists tells whether this is the file system that held the region.
    fn why_not_seen(&self, region: &Path, occupied: bool) -> Unreachable {
        let device = region.ancestors().find_map(|folder| fs::metadata(folder).ok()).map(|found| found.dev());
        match (device == Some(self.device.cast_unsigned()), occupied) {
            (false, _) => Unreachable::Hidden,
            (true, true) => Unreachable::Replaced,
            (true, false) => Unreachable::Removed,
        }
    }
}

impl Unreachable {
    /// What happened, to what, and what to do next.
    pub(crate) fn text(self, record: &Record, slate: &Path) -> String {
        let (region, file) = (record.region(slate), slate.join(FILE));
        let (region, file) = (region.display(), file.display());
        match self {
            Self::Restarted => format!(
                "the machine restarted since {file} was written, and the board in memory ({region}) is gone with \
                 what it held; make a new one with `slate init --replace`"
            ),
            Self::Hidden => format!(
                "{file} names the region {region}, and this process cannot see it although the machine did not \
                 restart; most likely it runs in a sandbox with a /dev/shm of its own. No second board was made: \
                 run it where the others run, or move everybody to a region in the project with \
                 `slate init --replace --placement project`"
            ),
            Self::Removed => format!(
                "{file} names the region {region}, and that file was removed; make a new, empty board with \
                 `slate init --replace`"
            ),
            Self::Replaced => format!(
                "another file stands where {file} says the region {region} is; put the region back, or make a \
                 new, empty board with `slate init --replace`"
            ),
        }
    }
}

/// Makes `.slate/` (0700), ignored by git through a file of its own.
pub(crate) fn make_folder(slate: &Path) -> Result<(), Failure> {
    make_private_folder(slate)?;
    let ignore = slate.join(".gitignore");
    match write_private(&ignore, b"*\n") {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Failure::io(format!("writing {}", ignore.display()), &error))
        }
        _ => Ok(()),
    }
}

/// Makes a folder that only its owner enters, or accepts one that is there and belongs to us alone.
pub(crate) fn make_private_folder(folder: &Path) -> Result<(), Failure> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(Failure::io(format!("making the folder {}", folder.display()), &error)),
    }
    let found = fs::symlink_metadata(folder)
        .map_err(|error| Failure::io(format!("looking at {}", folder.display()), &error))?;
    if !found.is_dir() || found.uid() != own_uid() {
        let text = format!("{} is not a folder of yours; move it away and try again", folder.display());
        return Err(Failure::new(Status::Corrupt, text));
    }
    if found.mode() & 0o022 != 0 {
        let text = format!("others may write to {0}; `chmod 700 {0}` and try again", folder.display());
        return Err(Failure::new(Status::Corrupt, text));
    }
    Ok(())
}

/// Makes a private folder of that name in a private folder that others may be removing because it is empty.
pub(crate) fn make_folder_in(base: &Path, name: &str) -> Result<PathBuf, Failure> {
    let folder = base.join(name);
    let mut attempts = 16;
    loop {
        make_private_folder(base)?;
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempts > 0 => attempts -= 1,
            Err(error) => return Err(Failure::io(format!("making the folder {}", folder.display()), &error)),
        }
    }
}

/// The user this process acts for.
pub(crate) fn own_uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Names the present boot of the machine; empty where the system does not tell.
pub(crate) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    io::Write::write_all(&mut file, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(region: &Path) -> Record {
        let found = fs::metadata(region).expect("region");
        Record {
            placement: Placement::Memory,
            scope: Scope::Project,
            path: region.to_owned(),
            device: found.dev().cast_signed(),
            inode: found.ino().cast_signed(),
            uuid: "0".repeat(32),
            boot_id: "this boot".into(),
        }
    }

    #[test]
    fn a_record_survives_writing_and_reading() {
        let folder = tempfile::tempdir().expect("folder");
        let record = record(folder.path());
        record.write(folder.path(), false).expect("written");
        assert_eq!(Record::read(folder.path()).expect("read"), Some(record.clone()));
        assert!(record.write(folder.path(), false).is_err(), "the second of two creators must be told");
        record.write(folder.path(), true).expect("replaced");
        assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 1, "no draft stays");
    }

    #[test]
    fn why_a_region_cannot_be_used() {
        let folder = tempfile::tempdir().expect("folder");
        let region = folder.path().join("region");
        fs::write(&region, "").expect("region");
        let record = record(&region);
        assert_eq!(record.check(folder.path(), "this boot"), Ok(()));
        fs::remove_file(&region).expect("removed");
        assert_eq!(record.check(folder.path(), "this boot"), Err(Unreachable::Removed));
        assert_eq!(record.check(folder.path(), "next boot"), Err(Unreachable::Restarted));
        let elsewhere = Record { device: record.device + 1, ..record.clone() };
        assert_eq!(elsewhere.check(folder.path(), "this boot"), Err(Unreachable::Hidden));
        let in_project = Record { placement: Placement::Project, path: "region".into(), ..record };
        assert_eq!(in_project.check(folder.path(), "next boot"), Err(Unreachable::Removed));
    }

    #[test]
    fn another_file_under_the_name_is_told_apart() {
        let folder = tempfile::tempdir().expect("folder");
        let region = folder.path().join("region");
        fs::write(&region, "").expect("region");
        let other = Record { inode: record(&region).inode + 1, ..record(&region) };
        assert_eq!(other.check(folder.path(), "this boot"), Err(Unreachable::Replaced));
    }
}
