//! The region files of projects: complete before other processes can find them, and removed when they are not needed.
//!
//! A region in memory has a folder of its own, `/dev/shm/slate-<uid>/<uuid>/`, with a file that names its project. While
//! the folder is created, its name begins with `.new-` and its creator holds its lock. While it is removed, its name
//! begins with `.gone-`. This shows later processes which folders a killed process left behind.

use super::{
    Placement,
    folder::{FolderId, FolderLock, IGNORE, SETTLED, SlateFolder, try_lock, writable_by_others},
    machine::{is_own, own_uid},
    record::{FILE, lock_of},
    whole,
};
use crate::{
    board::{Board, Options},
    error::{Error, ErrorKind, Result},
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

/// Where boards in memory live.
const SHARED_MEMORY: &str = "/dev/shm";
/// The prefix of a user's folder there.
const USER: &str = "slate-";
const REGION: &str = "region";
/// The file in a region's folder that names the project.
const OWNER: &str = "project.toml";
const DRAFT: &str = ".new-";
const GONE: &str = ".gone-";
/// Attempts to create a file or folder while other processes create or remove it too.
const ATTEMPTS: u32 = 16;

/// How many paths of one project are known: it was renamed, or is mounted at several places.
const PATHS_MAX: usize = 16;

/// The content of [`OWNER`]: which project a region in memory belongs to.
#[derive(Serialize, Deserialize, Debug)]
pub(super) struct Owner {
    /// The paths of `.slate/` at which processes used the board, newest first.
    slate: Vec<PathBuf>,
    /// Device of `.slate/`: an unsigned number stored by its bits.
    #[serde(default)]
    device: i64,
    /// Device and inode of the root folder, from which the paths start.
    #[serde(default)]
    root: [i64; 2],
    #[serde(flatten)]
    folder: FolderId,
}

/// Whether a region's project still has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Owned {
    /// The `.slate/` at this path.
    By(SlateFolder),
    /// No folder at the known paths is the project's, and their file system is the one that had it.
    ByNobody,
    /// The known paths cannot be seen from here.
    Unknown,
}

impl Owner {
    fn new(slate: &SlateFolder) -> Self {
        let device = fs::metadata(&slate.path).map_or(0, |found| found.dev().cast_signed());
        Self { slate: vec![slate.path.clone()], device, root: root(), folder: slate.id.clone() }
    }

    /// The note beside a region in memory; `None` if there is none, or if what is there is no such note.
    pub(super) fn read(folder: &Path) -> io::Result<Option<Self>> {
        match fs::read(folder.join(OWNER)) {
            Err(error) if is_nothing(&error) => Ok(None),
            note => Ok(String::from_utf8(note?).ok().and_then(|text| toml::from_str(&text).ok())),
        }
    }

    fn text(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| {
            Error::new(ErrorKind::InvalidArgument, format!("the project cannot be recorded: {error}"))
                .hint("use a path of UTF-8 text")
        })
    }

    /// The newest known path of the project.
    pub(super) fn path(&self) -> Option<&Path> {
        self.slate.first().map(PathBuf::as_path)
    }

    /// Looks for the project at each known path.
    pub(super) fn look(&self) -> Owned {
        let mut is_gone = self.root == root();
        for path in &self.slate {
            match SlateFolder::find(path) {
                Ok(Some(slate)) if slate.is(&self.folder) => return Owned::By(slate),
                Ok(_) => is_gone &= self.has_device_of(path),
                Err(_) => is_gone = false,
            }
        }
        if is_gone { Owned::ByNobody } else { Owned::Unknown }
    }

    /// Whether the file system at the path, as far as the path exists, is the one that had the project.
    fn has_device_of(&self, path: &Path) -> bool {
        let nearest = path.ancestors().find_map(|folder| fs::metadata(folder).ok());
        nearest.is_some_and(|found| found.dev().cast_signed() == self.device)
    }
}

fn root() -> [i64; 2] {
    fs::metadata("/").map_or([0; 2], |found| [found.dev(), found.ino()].map(u64::cast_signed))
}

/// Adds the path of a project that was renamed, or is mounted at another place, to the note beside its region in memory.
/// Otherwise the board would seem to belong to nobody. A failure leaves the note as it is.
pub(super) fn note_path(region: &Path, slate: &SlateFolder) {
    let Some(folder) = region.parent() else { return };
    let owner = Owner::read(folder).ok().flatten();
    let Some(mut owner) = owner.filter(|owner| slate.is(&owner.folder)) else { return };
    if owner.slate.contains(&slate.path) {
        return;
    }
    owner.slate.insert(0, slate.path.clone());
    owner.slate.truncate(PATHS_MAX);
    if let Ok(text) = owner.text() {
        let _ = whole::replace(&folder.join(OWNER), text.as_bytes());
    }
}

/// A region that was created for a project and is not recorded yet.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) board: Board,
    /// The path to record: relative to `.slate/` if the region is in it.
    pub(super) path: PathBuf,
    /// While it is held, other processes do not take the folder for one that was left behind.
    _lock: Option<FolderLock>,
}

/// Creates a region for a project.
pub(super) fn make(
    shape: &Options,
    placement: Placement,
    slate: &SlateFolder,
    is_locked: bool,
) -> Result<Made> {
    match placement {
        Placement::Memory => in_memory(shape, slate),
        Placement::Project => in_slate(shape, slate, is_locked),
    }
}

/// This user's boards in memory.
pub(super) fn own_memory() -> PathBuf {
    Path::new(SHARED_MEMORY).join(format!("{USER}{}", own_uid()))
}

/// A region in a folder of its own. The folder gets its final name, the uuid, when the region is complete.
fn in_memory(shape: &Options, slate: &SlateFolder) -> Result<Made> {
    let base = own_memory();
    let (draft, lock) = make_draft(&base)?;
    let moved = fill(shape, slate, &draft).and_then(|uuid| {
        let folder = base.join(uuid);
        fs::rename(&draft, &folder).map_err(|error| {
            Error::io("the folder of the region cannot be given its name", error).at_path(&folder)
        })?;
        Ok(folder)
    });
    let folder = moved.inspect_err(|_| remove_folder(&draft))?;
    let path = folder.join(REGION);
    let board = Board::open(&path).inspect_err(|_| remove_folder(&folder))?;
    Ok(Made { board, path, _lock: lock })
}

fn fill(shape: &Options, slate: &SlateFolder, draft: &Path) -> Result<String> {
    let text = Owner::new(slate).text()?;
    let note = draft.join(OWNER);
    whole::write_new(&note, text.as_bytes())
        .map_err(|error| Error::io("the file cannot be written", error).at_path(&note))?;
    Ok(uuid(shape.clone().create(draft.join(REGION))?.uuid()))
}

/// A draft folder, locked by this process if the file system has locks.
fn make_draft(base: &Path) -> Result<(PathBuf, Option<FolderLock>)> {
    for _ in 0..ATTEMPTS {
        let name = random_name(DRAFT)?;
        let draft = make_folder_in(base, &name)?;
        if let Some(lock) = lock_own(&draft) {
            return Ok((draft, lock));
        }
    }
    Err(Error::new(ErrorKind::Contended, "another process removes folders here as soon as they are created")
        .hint("stop it, and try again")
        .at_path(base))
}

/// The lock of a folder that was just created; the inner value is `None` if the file system has no locks. The outer value
/// is `None` if another process took the folder for one that was left behind, before it was locked.
#[allow(clippy::option_option, reason = "whether the folder is kept, and whether it is locked")]
fn lock_own(folder: &Path) -> Option<Option<FolderLock>> {
    let lock = match try_lock(folder) {
        Ok(Some(lock)) => Some(lock),
        Ok(None) => return None,
        Err(_) => None,
    };
    folder.is_dir().then_some(lock)
}

/// A random name, which no other process chooses.
fn random_name(prefix: &str) -> Result<String> {
    let random = whole::random_name().map_err(|error| Error::io("random bytes could not be read", error))?;
    Ok(format!("{prefix}{random}"))
}

/// A region in the project's own folder. The file of a replaced board stays until the new one is recorded.
fn in_slate(shape: &Options, slate: &SlateFolder, is_locked: bool) -> Result<Made> {
    let mut name = REGION.to_owned();
    for _ in 0..ATTEMPTS {
        let path = slate.path.join(&name);
        match shape.clone().create(&path) {
            Ok(board) => return Ok(Made { board, path: PathBuf::from(name), _lock: None }),
            Err(error) if error.kind() == ErrorKind::Exists => {}
            Err(error) => {
                // Without the folder's lock, another call may be creating a region of this name.
                if is_locked && is_missing(&path) {
                    remove_beside(&path);
                }
                return Err(match error.kind() {
                    ErrorKind::Refused => {
                        let text = format!("this folder cannot hold the region ({})", error.again());
                        Error::new(ErrorKind::Refused, text)
                            .hint("keep it in memory with `slate init --placement memory`")
                            .at_path(&slate.path)
                    }
                    _ => error,
                });
            }
        }
        name = random_name(&format!("{REGION}-"))?;
    }
    Err(Error::new(ErrorKind::Contended, "other processes keep creating regions here")
        .hint("stop them, and try again")
        .at_path(&slate.path))
}

/// The regions that were created for this project, recorded or not, newest first: with this placement, or with any.
///
/// Fails if a folder cannot be read: it may have such a region.
pub(super) fn regions_of(slate: &SlateFolder, placement: Option<Placement>) -> Result<Vec<PathBuf>> {
    let failed = |folder: &Path| {
        let folder = folder.to_owned();
        move |error: io::Error| {
            let text =
                "cannot determine which boards belong to this project, because this folder cannot be read";
            Error::io(text, error).at_path(&folder)
        }
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
    Ok(Owner::read(folder)?.is_some_and(|owner| slate.is(&owner.folder)))
}

/// The region in its folder in memory.
pub(super) fn region_in(folder: &Path) -> PathBuf {
    folder.join(REGION)
}

/// The folders of this user's regions in memory. Those that are being created or removed are left out.
pub(super) fn folders_in_memory() -> Result<Vec<PathBuf>> {
    let memory = own_memory();
    let all = read_entries(&memory)
        .map_err(|error| Error::io("the folder cannot be read", error).at_path(&memory))?;
    let is_region = |folder: &PathBuf| !name(folder).starts_with('.') && !is_missing(&folder.join(OWNER));
    Ok(all.into_iter().filter(is_region).collect())
}

/// Matches `region` and `region-<hexadecimal digits>`, but not the files that belong to a region.
fn is_region(path: &Path) -> bool {
    name(path).strip_prefix(REGION).is_some_and(|rest| {
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        digits.chars().all(|digit| digit.is_ascii_hexdigit())
    })
}

/// Removes what killed processes left behind: all regions of this project except the recorded one, drafts of its files,
/// and in memory the drafts of all projects. Files that may be in use are kept. Only the holder of the folder's lock may
/// call it.
pub(super) fn tidy(slate: &SlateFolder, recorded: &Path) {
    for region in regions_of(slate, None).unwrap_or_default() {
        if region != recorded {
            remove_region(&region);
        }
    }
    for draft in entries(&slate.path) {
        let name = name(&draft);
        let is_ours = [FILE, IGNORE].iter().any(|file| whole::is_draft_of(file, name))
            || name.strip_prefix(SETTLED).is_some_and(|rest| rest.starts_with('.'));
        if is_ours || is_left_by_creator(&draft) {
            let _ = fs::remove_file(draft);
        } else if let Some(region) = beside(&draft).filter(|region| is_region(region) && is_missing(region)) {
            // The lock keeps others from creating a region now, and sessions of a removed region do not use these names.
            remove_beside(&region);
        }
    }
    if is_in_memory(recorded) {
        // The note of the project's paths, which other processes may be replacing now: then they leave it as it is.
        let beside = recorded.parent().map(entries).unwrap_or_default();
        for draft in beside.iter().filter(|path| whole::is_draft_of(OWNER, name(path))) {
            let _ = fs::remove_file(draft);
        }
    }
    remove_left(DRAFT);
    for gone in entries(&own_memory()).iter().filter(|folder| name(folder).starts_with(GONE)) {
        let _ = fs::remove_dir_all(gone);
    }
}

/// Whether this is the temporary file of a region or of a bell whose creator has ended: it would hold the file's lock.
fn is_left_by_creator(path: &Path) -> bool {
    let name = name(path);
    let is_temporary = name.starts_with(&format!(".{REGION}")) && name.ends_with(".new");
    is_temporary && fs::File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

/// Removes the folders in memory with this prefix whose creators have ended, as their missing lock shows.
fn remove_left(prefix: &str) {
    for folder in entries(&own_memory()).iter().filter(|folder| name(folder).starts_with(prefix)) {
        if let Ok(Some(_lock)) = try_lock(folder) {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Removes a region and its files if it is certain that no process uses it.
pub(super) fn remove_region(region: &Path) {
    let is_unused = match Board::is_in_use(region) {
        Ok(is_in_use) => !is_in_use,
        // There is neither a region nor a lock file to query: these are the remains of a region that was removed by hand.
        Err(_) => is_missing(region) && is_missing(&lock_of(region)),
    };
    if is_unused {
        remove_unasked(region);
    }
}

/// As [`remove_region`], even if it is in use: its users get the error `Moved`.
pub(super) fn remove_unasked(region: &Path) {
    match region.parent() {
        Some(folder) if is_in_memory(region) => {
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

/// Whether the region has a folder of its own among the boards in memory, of whatever user id: in another user namespace,
/// this user had another one.
pub(super) fn is_in_memory(region: &Path) -> bool {
    let users = region.parent().and_then(Path::parent);
    users.is_some_and(|users| {
        users.parent() == Some(Path::new(SHARED_MEMORY))
            && name(users).starts_with(USER)
            && name(region) == REGION
    })
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
pub(super) fn is_missing(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| is_nothing(&error))
}

pub(super) fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// A board's uuid in the form in which it is printed and recorded.
pub(super) fn uuid(uuid: Option<Uuid>) -> String {
    format!("{:032x}", uuid.map_or(0, Uuid::as_u128))
}

/// Creates a private folder in a private folder, which other processes may be removing because it is empty.
fn make_folder_in(base: &Path, name: &str) -> Result<PathBuf> {
    let folder = base.join(name);
    let mut attempts = ATTEMPTS;
    loop {
        make_private_folder(base)?;
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempts > 0 => attempts -= 1,
            Err(error) => return Err(Error::io("the folder cannot be created", error).at_path(&folder)),
        }
    }
}

/// Creates a folder that only its owner can enter, or accepts an existing one that only this user can write to.
fn make_private_folder(folder: &Path) -> Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => {
            return Err(Error::io("the folder for boards in memory cannot be created", error)
                .hint("mount /dev/shm, or keep the board in the project: `slate init --placement project`")
                .at_path(folder));
        }
    }
    let found = match fs::symlink_metadata(folder) {
        Ok(found) => found,
        // Another process removed it because it was empty; the caller creates it again.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("the folder cannot be examined", error).at_path(folder)),
    };
    if !found.is_dir() || !is_own(found.uid()) {
        return Err(Error::new(ErrorKind::Corrupt, "this is not a folder that belongs to this user")
            .hint("move it away, and try again")
            .at_path(folder));
    }
    if found.mode() & 0o022 != 0 {
        return Err(writable_by_others(folder));
    }
    Ok(())
}

#[cfg(all(test, not(miri)))]
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

    #[test]
    fn what_a_living_creator_holds_stays() {
        let place = tempfile::tempdir().expect("folder");
        let slate = SlateFolder::make(&place.path().join(".slate")).expect("made");
        let [dead, living, other] =
            [".region.00.new", ".region.bell.01.new", ".regional"].map(|name| slate.path.join(name));
        for path in [&dead, &living, &other] {
            fs::write(path, "half").expect("file");
        }
        let held = fs::File::open(&living).expect("file");
        held.lock().expect("locked");
        tidy(&slate, &slate.path.join(REGION));
        assert!(!dead.exists() && living.exists() && other.exists());
    }

    #[test]
    fn a_region_in_memory_is_known_by_its_place() {
        for path in ["/dev/shm/slate-0/1234/region", "/dev/shm/slate-1000/1234/region"] {
            assert!(is_in_memory(Path::new(path)), "{path}");
        }
        for path in [
            "/dev/shm/region",
            "/dev/shm/slate-0/region",
            "/dev/shm/mine/1234/region",
            "/dev/shm/slate-0/1/a/region",
        ] {
            assert!(!is_in_memory(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn a_project_that_is_gone_is_told_from_one_that_cannot_be_seen() {
        let place = tempfile::tempdir().expect("folder");
        let [first, second] = ["first", "second"].map(|name| place.path().join(name).join(".slate"));
        fs::create_dir(first.parent().expect("folder")).expect("folder");
        let slate = SlateFolder::make(&first).expect("made");
        let owner = Owner::new(&slate);
        assert_eq!(owner.look(), Owned::By(slate.clone()));
        fs::rename(first.parent().expect("folder"), second.parent().expect("folder")).expect("renamed");
        assert_eq!(owner.look(), Owned::ByNobody);
        let renamed = Owner { slate: vec![second.clone(), first.clone()], ..Owner::new(&slate) };
        let renamed = Owner { device: owner.device, ..renamed };
        assert!(matches!(renamed.look(), Owned::By(slate) if slate.path == second));
        for elsewhere in [
            Owner { device: owner.device + 1, ..Owner::new(&slate) },
            Owner { device: owner.device, root: [0, 0], ..Owner::new(&slate) },
        ] {
            assert_eq!(elsewhere.look(), Owned::Unknown, "{elsewhere:?}");
        }
        let copy = SlateFolder::make(&place.path().join("copy")).expect("made");
        let copied = Owner { slate: vec![copy.path], device: owner.device, ..Owner::new(&slate) };
        assert_eq!(copied.look(), Owned::ByNobody, "another folder took the place");
    }
}
