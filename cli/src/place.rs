//! The region files of projects: complete before other processes can find them, and removed when they are not needed.
//!
//! A region in memory has a folder of its own, `/dev/shm/slate-<uid>/<uuid>/`, with a file that names its project. While
//! the folder is created, its name begins with `.new-` and its creator holds its lock. While it is removed, its name
//! begins with `.gone-`. This shows later processes which folders a killed process left behind.

use crate::{
    failure::{Failure, Status},
    folder::{FolderId, FolderLock, SlateFolder, try_lock},
    record::{FILE, Placement, own_uid},
    whole,
};
use serde::{Deserialize, Serialize};
use slateboard::{Board, Options, Uuid};
use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

/// Where boards in memory live.
const SHARED_MEMORY: &str = "/dev/shm";
const REGION: &str = "region";
/// The file in a region's folder that names the project.
const OWNER: &str = "project.toml";
const DRAFT: &str = ".new-";
const GONE: &str = ".gone-";
/// Attempts to create a file or folder while other processes create or remove it too.
const ATTEMPTS: u32 = 16;

/// The content of [`OWNER`].
#[derive(Serialize, Deserialize, Debug)]
struct Owner {
    /// For people: the path of `.slate/` when the region was created.
    slate: PathBuf,
    #[serde(flatten)]
    folder: FolderId,
}

/// A region that was created for a project and is not recorded yet.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) board: Board,
    /// The path to record: relative to `.slate/` if the region is in it.
    pub(crate) path: PathBuf,
    /// While it is held, other processes do not take the folder for one that was left behind.
    _lock: Option<FolderLock>,
}

/// Creates a region for a project.
pub(crate) fn make(shape: &Options, placement: Placement, slate: &SlateFolder) -> Result<Made, Failure> {
    match placement {
        Placement::Memory => in_memory(shape, slate),
        Placement::Project => in_slate(shape, slate),
    }
}

/// This user's boards in memory.
pub(crate) fn own_memory() -> PathBuf {
    Path::new(SHARED_MEMORY).join(format!("slate-{}", own_uid()))
}

/// A region in a folder of its own. The folder gets its final name, the uuid, when the region is complete.
fn in_memory(shape: &Options, slate: &SlateFolder) -> Result<Made, Failure> {
    let base = own_memory();
    let (draft, lock) = make_draft(&base)?;
    let moved = fill(shape, slate, &draft).and_then(|uuid| {
        let folder = base.join(uuid);
        fs::rename(&draft, &folder).map_err(|error| {
            Failure::io(format!("cannot rename the folder of the region to {}", folder.display()), &error)
        })?;
        Ok(folder)
    });
    let folder = moved.inspect_err(|_| remove_folder(&draft))?;
    let path = folder.join(REGION);
    let board = Board::open(&path).inspect_err(|_| remove_folder(&folder))?;
    Ok(Made { board, path, _lock: lock })
}

fn fill(shape: &Options, slate: &SlateFolder, draft: &Path) -> Result<String, Failure> {
    let owner = Owner { slate: slate.path.clone(), folder: slate.id.clone() };
    let text = toml::to_string(&owner).map_err(|error| Failure::failed(error.to_string()))?;
    let note = draft.join(OWNER);
    whole::write_new(&note, text.as_bytes())
        .map_err(|error| Failure::io(format!("cannot write {}", note.display()), &error))?;
    Ok(uuid(shape.clone().create(draft.join(REGION))?.uuid()))
}

/// A draft folder, locked by this process if the file system has locks.
fn make_draft(base: &Path) -> Result<(PathBuf, Option<FolderLock>), Failure> {
    for _ in 0..ATTEMPTS {
        let name = random_name(DRAFT)?;
        let draft = make_folder_in(base, &name)?;
        if let Some(lock) = lock_own(&draft) {
            return Ok((draft, lock));
        }
    }
    Err(Failure::failed(format!(
        "another process removes folders in {} as soon as they are created; stop it, and try again",
        base.display()
    )))
}

/// The lock of a folder that was just created; the inner value is `None` if the file system has no locks. The outer value
/// is `None` if another process took the folder for one that was left behind, before it was locked.
#[allow(clippy::option_option, reason = "whether the folder is kept, and whether it is locked")]
pub(crate) fn lock_own(folder: &Path) -> Option<Option<FolderLock>> {
    let lock = match try_lock(folder) {
        Ok(Some(lock)) => Some(lock),
        Ok(None) => return None,
        Err(_) => None,
    };
    folder.is_dir().then_some(lock)
}

/// A random name, which no other process chooses.
pub(crate) fn random_name(prefix: &str) -> Result<String, Failure> {
    let random = whole::random_name().map_err(|error| Failure::io("cannot get random bytes", &error))?;
    Ok(format!("{prefix}{random}"))
}

/// A region in the project's own folder. The file of a replaced board stays until the new one is recorded.
fn in_slate(shape: &Options, slate: &SlateFolder) -> Result<Made, Failure> {
    let mut name = REGION.to_owned();
    for _ in 0..ATTEMPTS {
        let path = slate.path.join(&name);
        match shape.clone().create(&path) {
            Ok(board) => return Ok(Made { board, path: PathBuf::from(name), _lock: None }),
            Err(error) if error.kind() == slateboard::ErrorKind::Exists => {}
            Err(error) => return Err(error.into()),
        }
        name = random_name(&format!("{REGION}-"))?;
    }
    Err(Failure::failed(format!(
        "other processes keep creating regions in {}; stop them, and try again",
        slate.path.display()
    )))
}

/// The regions that were created for this project, recorded or not, newest first: with this placement, or with any.
///
/// Fails if a folder cannot be read: it may have such a region.
pub(crate) fn regions_of(slate: &SlateFolder, placement: Option<Placement>) -> Result<Vec<PathBuf>, Failure> {
    let failed = |folder: &Path| {
        let text =
            format!("cannot determine which boards belong to this project: cannot read {}", folder.display());
        move |error: io::Error| Failure::io(text, &error)
    };
    let mut regions = Vec::new();
    if placement != Some(Placement::Project) {
        let memory = own_memory();
        for folder in read_entries(&memory).map_err(failed(&memory))? {
            if is_made_for(&folder, slate).map_err(failed(&folder))? {
                regions.push(folder.join(REGION));
            }
        }
    }
    if placement != Some(Placement::Memory) {
        let all = read_entries(&slate.path).map_err(failed(&slate.path))?;
        regions.extend(all.into_iter().filter(|path| is_region(path)));
    }
    let made = |path: &PathBuf| fs::symlink_metadata(path).and_then(|found| found.created()).ok();
    regions.sort_by_cached_key(|path| std::cmp::Reverse(made(path)));
    Ok(regions)
}

fn is_made_for(folder: &Path, slate: &SlateFolder) -> io::Result<bool> {
    let is_draft = name(folder).starts_with('.');
    if is_draft {
        return Ok(false);
    }
    let note = match fs::read(folder.join(OWNER)) {
        Err(error) if is_nothing(&error) => return Ok(false),
        note => note?,
    };
    let owner = String::from_utf8(note).ok().and_then(|text| toml::from_str::<Owner>(&text).ok());
    Ok(owner.is_some_and(|owner| slate.is(&owner.folder)))
}

/// Matches `region` and `region-<hexadecimal digits>`, but not the files that belong to a region.
fn is_region(path: &Path) -> bool {
    name(path).strip_prefix(REGION).is_some_and(|rest| {
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        digits.chars().all(|digit| digit.is_ascii_hexdigit())
    })
}

/// Removes what killed processes left behind: all regions of this project except the recorded one, drafts of its record,
/// and in memory the drafts of all projects. Files that may be in use are kept. Only the holder of the folder's lock may
/// call it.
pub(crate) fn tidy(slate: &SlateFolder, recorded: &Path) {
    for region in regions_of(slate, None).unwrap_or_default() {
        if region != recorded {
            remove_region(&region);
        }
    }
    for draft in entries(&slate.path) {
        let name = name(&draft);
        if name.starts_with(FILE) && name != FILE {
            let _ = fs::remove_file(draft);
        } else if let Some(region) = beside(&draft).filter(|region| is_region(region) && is_missing(region)) {
            // The lock keeps others from creating a region now, and sessions of a removed region do not use these names.
            remove_beside(&region);
        }
    }
    remove_left(DRAFT);
    for gone in entries(&own_memory()).iter().filter(|folder| name(folder).starts_with(GONE)) {
        let _ = fs::remove_dir_all(gone);
    }
}

/// Removes the folders in memory with this prefix whose creators have ended, as their missing lock shows.
pub(crate) fn remove_left(prefix: &str) {
    for folder in entries(&own_memory()).iter().filter(|folder| name(folder).starts_with(prefix)) {
        if let Ok(Some(_lock)) = try_lock(folder) {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Removes a region and its files if it is certain that no process uses it.
pub(crate) fn remove_region(region: &Path) {
    let is_unused = match Board::is_in_use(region) {
        Ok(is_in_use) => !is_in_use,
        // There is neither a region nor a lock file to query: these are the remains of a region that was removed by hand.
        Err(_) => is_missing(region) && is_missing(&region.with_file_name(format!("{}.lock", name(region)))),
    };
    if is_unused {
        remove_unasked(region);
    }
}

/// As [`remove_region`], even if it is in use: its users get the error `Moved`.
pub(crate) fn remove_unasked(region: &Path) {
    match region.parent() {
        Some(folder) if folder.starts_with(own_memory()) => {
            // A folder that is being made is locked, and one that cannot be locked may be.
            let is_made = matches!(try_lock(folder), Ok(Some(_)));
            if is_made {
                remove_folder(folder);
            }
        }
        _ => {
            let _ = fs::remove_file(region);
            remove_beside(region);
        }
    }
}

/// Renames the folder first, so that no board is ever visible with some of its files missing.
fn remove_folder(folder: &Path) {
    let Ok(name) = random_name(GONE) else { return };
    let gone = folder.with_file_name(name);
    let _ = fs::rename(folder, &gone).and_then(|()| fs::remove_dir_all(gone));
}

fn remove_beside(region: &Path) {
    for suffix in SUFFIXES {
        let mut name = region.as_os_str().to_owned();
        name.push(suffix);
        let _ = fs::remove_file(name);
    }
}

const SUFFIXES: [&str; 2] = [".bell", ".lock"];

/// The region that this `.bell` or `.lock` file belongs to.
fn beside(path: &Path) -> Option<PathBuf> {
    let name = name(path);
    SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)).map(|region| path.with_file_name(region))
}

/// What is in a folder; nothing if the folder does not exist or cannot be read.
fn entries(folder: &Path) -> Vec<PathBuf> {
    read_entries(folder).unwrap_or_default()
}

/// What is in a folder; nothing if the folder does not exist.
fn read_entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Err(error) if is_nothing(&error) => Ok(Vec::new()),
        entries => entries?.map(|entry| entry.map(|entry| entry.path())).collect(),
    }
}

/// Whether it is certain that nothing is at this path. A path that cannot be examined may have a board.
pub(crate) fn is_missing(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| is_nothing(&error))
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// A board's uuid in the form in which it is printed and recorded.
pub(crate) fn uuid(uuid: Option<Uuid>) -> String {
    format!("{:032x}", uuid.map_or(0, Uuid::as_u128))
}

/// Creates a private folder in a private folder, which other processes may be removing because it is empty.
pub(crate) fn make_folder_in(base: &Path, name: &str) -> Result<PathBuf, Failure> {
    let folder = base.join(name);
    let mut attempts = ATTEMPTS;
    loop {
        make_private_folder(base)?;
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempts > 0 => attempts -= 1,
            Err(error) => {
                return Err(Failure::io(format!("cannot create the folder {}", folder.display()), &error));
            }
        }
    }
}

/// Creates a folder that only its owner can enter, or accepts an existing one that only this user can write to.
fn make_private_folder(folder: &Path) -> Result<(), Failure> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => {
            return Err(Failure::io(format!("cannot create the folder {}", folder.display()), &error));
        }
    }
    let found = match fs::symlink_metadata(folder) {
        Ok(found) => found,
        // Another process removed it because it was empty; the caller creates it again.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure::io(format!("cannot examine {}", folder.display()), &error)),
    };
    if !found.is_dir() || found.uid() != own_uid() {
        let text = format!(
            "{} is not a folder that belongs to this user; move it away, and try again",
            folder.display()
        );
        return Err(Failure::new(Status::Corrupt, text));
    }
    if found.mode() & 0o022 != 0 {
        let text =
            format!("other users can write to {0}; run `chmod 700 {0}` and try again", folder.display());
        return Err(Failure::new(Status::Corrupt, text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_known_by_its_name() {
        for name in ["region", "region-0123456789abcdef", "region-12"] {
            assert!(is_region(Path::new(name)), "{name}");
        }
        for name in ["region.lock", "region.bell", "region-1.lock", "regional", "board.toml", ".gitignore"] {
            assert!(!is_region(Path::new(name)), "{name}");
        }
        assert_eq!(beside(Path::new("a/region-1.lock")), Some(PathBuf::from("a/region-1")));
        assert_eq!(beside(Path::new("a/board.toml")), None);
    }
}
