//! Creates files atomically: a file is complete before it gets its name.
//!
//! The file is created without a name (`O_TMPFILE`), filled, and then named by `linkat(2)`, which never replaces an
//! existing file. A creator that is killed before `linkat` leaves nothing. One that is killed after it leaves a complete
//! board. Of two concurrent creators one succeeds, and the other one gets [`ErrorKind::Exists`].
//!
//! If the file system does not support this, the file is created under a temporary name (`.<name>.<random>.new`) and
//! renamed by `renameat2(RENAME_NOREPLACE)`. If that is not supported either, a second link gives it its name. In these
//! cases a killed creator leaves its temporary file, which nobody opens. A living creator holds a lock on its own
//! temporary file, so the next creator recognizes the abandoned ones and removes them.

use super::{
    clock::realtime_ns,
    file::{Folder, Identity, RegionFile},
    header::{self, Origin},
    identity::{boot_id, random_words},
    locks,
    mapping::{self, Mapping},
    memory::Budget,
    validate,
};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::Geometry,
    sync::Ordering,
};
use rustix::{
    fs::{
        AtFlags, CWD, Dir, FlockOperation, Mode, OFlags, RenameFlags, fchmod, flock, fstat, linkat, openat,
        renameat_with, statat, unlinkat,
    },
    io::Errno,
    process::{Resource, getrlimit},
};
use std::{
    ffi::OsStr,
    fs::{DirBuilder, File},
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::fs::DirBuilderExt,
    },
    path::{Path, PathBuf},
};

/// Creates a region. The pages of the header and of the fixed tables are reserved, the header's identity words are
/// stored, `init` fills the rest, and only then does the file get its name. `init` may store to the fixed words only
/// (`Geometry::fixed_words`).
///
/// Missing folders are created with mode 0700. The file has mode 0600. The lock file is created beside it.
///
/// # Errors
/// `Exists` if a file of that name exists, also if another process creates it at the same time; `Refused` if the file
/// system does not support coherent mappings or the reservation of pages; `Full`; `Io`.
#[cfg(any(test, feature = "internals"))]
pub fn create(
    path: &Path,
    geometry: &Geometry,
    init: impl FnOnce(&[crate::sync::AtomicU64]),
) -> Result<RegionFile> {
    create_with(path, geometry, |region| {
        init(region.mapping.words());
        Ok(())
    })
}

/// Creates a region like [`create`]. `init` may also reserve extents, fill them, and fail.
///
/// # Errors
/// Those of [`create`] and those of `init`. After an error no region exists.
pub fn create_with(
    path: &Path,
    geometry: &Geometry,
    init: impl FnOnce(&RegionFile) -> Result<()>,
) -> Result<RegionFile> {
    let len_bytes = geometry.words() as u64 * mapping::WORD_BYTES as u64;
    publish(path, len_bytes, |file, path| {
        // The lock file must exist first: without it, nobody can tell which sessions of the board are alive.
        locks::ensure_lock_file(path)?;
        Budget::of(&file).take((geometry.fixed_words() * mapping::WORD_BYTES) as u64)?;
        mapping::reserve(&file, len_bytes, 0..geometry.fixed_words())?;
        let region = found(file, path, geometry)?;
        init(&region)?;
        Ok(region)
    })
}

fn found(file: File, path: &Path, geometry: &Geometry) -> Result<RegionFile> {
    let stat = fstat(&file).map_err(|error| Error::io("the new file could not be examined", error))?;
    let origin = Origin { uuid: random_words()?, boot: boot_id(), created_ns: realtime_ns() };
    let mapping = Mapping::of_file(&file, true)?;
    for (word, value) in mapping.words().iter().zip(header::encode(geometry, &origin)) {
        // Relaxed: the file has no name yet, and `linkat` orders these stores before any later open.
        word.store(value, Ordering::Relaxed);
    }
    let (identity, folder) = (Identity::new(&origin, &stat), Folder::of(path)?);
    Ok(RegionFile { mapping, geometry: geometry.clone(), identity, file, path: path.to_owned(), folder })
}

/// Creates a file of `len_bytes` at `path`. The file gets its name only after `fill` has succeeded. `fill` takes
/// ownership of the file and gets its absolute path.
pub(super) fn publish<T>(
    path: &Path,
    len_bytes: u64,
    fill: impl FnOnce(File, &Path) -> Result<T>,
) -> Result<T> {
    let path = absolute(path)?;
    let place = Place::prepare(&path)?;
    let draft = Draft::new(&place)?;
    let file = draft
        .file
        .try_clone()
        .map_err(|error| Error::io("the descriptor of the new file could not be duplicated", error))?;
    let sized = |error: io::Error| {
        Error::io(format!("the new file could not be extended to {len_bytes} bytes"), error).at_path(&path)
    };
    check_size_limit(len_bytes).map_err(|error| sized(error.into()))?;
    file.set_len(len_bytes).map_err(sized)?;
    let value = fill(file, &path).map_err(|error| error.at_path(&path))?;
    draft.name(&place)?;
    Ok(value)
}

/// Checks the limit on the size of files (RLIMIT_FSIZE), because the kernel reports a violation by a signal that ends
/// the process (SIGXFSZ). Pages that are reserved later lie within the file's size, so the limit does not apply to them.
fn check_size_limit(len_bytes: u64) -> Result<(), Errno> {
    match getrlimit(Resource::Fsize).current {
        Some(limit) if limit < len_bytes => Err(Errno::FBIG),
        _ => Ok(()),
    }
}

/// The absolute path, which does not depend on the current folder.
pub(super) fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| {
        Error::io("the path is relative, and the current folder could not be determined", error)
            .hint("give an absolute path, or change to a folder that exists")
            .at_path(path)
    })
}

/// The place of the new file: its folder, which is open, and its name in that folder.
struct Place<'a> {
    folder: OwnedFd,
    name: &'a OsStr,
    path: &'a Path,
}

impl<'a> Place<'a> {
    fn prepare(path: &'a Path) -> Result<Self> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Error::new(ErrorKind::InvalidArgument, "the path does not end in a file name")
                .hint("give the path of a file")
                .at_path(path));
        };
        let failed = |error| Error::io("the folder could not be created", error).at_path(parent);
        DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(failed)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = openat(CWD, parent, flags, Mode::empty())
            .map_err(|error| Error::io("the folder could not be opened", error).at_path(parent))?;
        validate::check_file_system(&folder, path)?;
        let place = Self { folder, name, path };
        // This check only saves work. linkat and renameat2 decide.
        match statat(&place.folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Err(place.taken()),
            Err(_) => Ok(place),
        }
    }

    fn taken(&self) -> Error {
        Error::new(ErrorKind::Exists, "a file of this name already exists")
            .hint("open it, or choose another path")
            .at_path(self.path)
    }

    fn named(&self, outcome: Result<(), Errno>) -> Result<()> {
        outcome.map_err(|error| match error {
            Errno::EXIST => self.taken(),
            _ => Error::io("the new file could not be given its name", error).at_path(self.path),
        })
    }
}

/// A new file that has no name yet, or only a temporary one, which is removed when the draft is dropped.
struct Draft<'a> {
    file: File,
    temporary: Option<(String, &'a OwnedFd)>,
}

impl<'a> Draft<'a> {
    fn new(place: &'a Place<'_>) -> Result<Self> {
        let draft = match Self::nameless(place) {
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT) => Self::temporary(place)?,
            draft => draft.map_err(|error| Self::failed(place, error))?,
        };
        // Exactly 0600, whatever the umask is.
        fchmod(&draft.file, Mode::RUSR | Mode::WUSR).map_err(|error| Self::failed(place, error))?;
        Ok(draft)
    }

    fn nameless(place: &'a Place<'_>) -> Result<Self, Errno> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let open = || openat(&place.folder, c".", flags, Mode::RUSR | Mode::WUSR);
        let file = File::from(validate::above_standard(open)?);
        // `name` gives the file its name through /proc. Without /proc the file could never get one.
        statat(CWD, proc_path(&file), AtFlags::empty())?;
        Ok(Self { file, temporary: None })
    }

    fn temporary(place: &'a Place<'_>) -> Result<Self> {
        let prefix = format!(".{}.", place.name.to_string_lossy());
        remove_left(&place.folder, &prefix);
        for _ in 0..ATTEMPTS {
            let [random] = random_words()?;
            let name = format!("{prefix}{random:016x}{TEMPORARY}");
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            let open = || openat(&place.folder, &name, flags, Mode::RUSR | Mode::WUSR);
            let file = validate::above_standard(open).map_err(|error| Self::failed(place, error))?;
            // On a file system without locks nobody removes temporary files, so an unlocked one is safe.
            let is_locked = flock(&file, FlockOperation::NonBlockingLockExclusive) != Err(Errno::WOULDBLOCK);
            // Before it was locked, another creator may have taken the file for an abandoned one and removed it.
            if is_locked && statat(&place.folder, &name, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
                return Ok(Self { file: File::from(file), temporary: Some((name, &place.folder)) });
            }
        }
        Err(Self::failed(place, Errno::AGAIN))
    }

    fn failed(place: &Place<'_>, error: Errno) -> Error {
        Error::io("the new file could not be created", error).at_path(place.path)
    }

    fn name(mut self, place: &Place<'_>) -> Result<()> {
        match &self.temporary {
            None => place.named(linkat(
                CWD,
                proc_path(&self.file),
                &place.folder,
                place.name,
                AtFlags::SYMLINK_FOLLOW,
            )),
            Some((name, folder)) => {
                let renamed = renameat_with(folder, name, folder, place.name, RenameFlags::NOREPLACE);
                let renamed = match renamed {
                    Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => return self.link(place),
                    other => other,
                };
                place.named(renamed)?;
                self.temporary = None;
                Ok(())
            }
        }
    }

    /// Gives the file its name as a second link. The temporary name is removed when the draft is dropped.
    fn link(self, place: &Place<'_>) -> Result<()> {
        let Some((name, folder)) = &self.temporary else { return Ok(()) };
        match linkat(folder, name, folder, place.name, AtFlags::empty()) {
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS) => Err(Error::new(
                ErrorKind::Refused,
                "the file system has neither hard links nor a rename that never replaces a file, so another process's board \
                 could be replaced",
            )
            .hint("put the board on tmpfs or on a local disk")
            .at_path(place.path)),
            linked => place.named(linked),
        }
    }
}

/// The suffix of temporary names.
const TEMPORARY: &str = ".new";
/// How many attempts are made to get a temporary file that no other creator removes.
const ATTEMPTS: usize = 16;

/// Removes the temporary files of killed creators, which are those that nobody has locked. A file that cannot be
/// removed stays.
fn remove_left(folder: &OwnedFd, prefix: &str) {
    let Ok(entries) = Dir::read_from(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_temporary =
            name.to_bytes().starts_with(prefix.as_bytes()) && name.to_bytes().ends_with(TEMPORARY.as_bytes());
        if !is_temporary {
            continue;
        }
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let Ok(file) = openat(folder, name, flags, Mode::empty()) else { continue };
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = unlinkat(folder, name, AtFlags::empty());
        }
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if let Some((name, folder)) = &self.temporary {
            // A failure does no harm, because nobody opens a file of such a name.
            let _ = unlinkat(folder, name, AtFlags::empty());
        }
    }
}

fn proc_path(file: &File) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "makes files")]
    fn a_temporary_name_becomes_the_name_and_never_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board");
        let place = Place::prepare(&path).unwrap();
        let (first, second) = (Draft::temporary(&place).unwrap(), Draft::temporary(&place).unwrap());
        first.name(&place).unwrap();
        assert_eq!(second.name(&place).unwrap_err().kind(), ErrorKind::Exists);
        let left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(left, std::slice::from_ref(&path));
        drop(place);
        assert!(Place::prepare(&path).is_err_and(|error| error.kind() == ErrorKind::Exists));
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes files")]
    fn a_second_link_never_replaces_and_leaves_one_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("board");
        let place = Place::prepare(&path).unwrap();
        let (first, second) = (Draft::temporary(&place).unwrap(), Draft::temporary(&place).unwrap());
        first.link(&place).unwrap();
        assert_eq!(second.link(&place).unwrap_err().kind(), ErrorKind::Exists);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        validate::check_file(&File::open(&path).unwrap(), &path).unwrap();
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes files")]
    fn what_a_killed_creator_left_goes_and_what_a_living_one_has_stays() {
        let folder = tempfile::tempdir().unwrap();
        let place_of = |path| Place::prepare(path).unwrap();
        let (path, other) = (folder.path().join("board"), folder.path().join("other"));
        let [left, foreign, similar] =
            [".board.12.new", ".other.12.new", ".board.12"].map(|name| folder.path().join(name));
        for path in [&left, &foreign, &similar] {
            std::fs::write(path, "half").unwrap();
        }
        let (place, other) = (place_of(&path), place_of(&other));
        let living = Draft::temporary(&place).unwrap();
        assert!(!left.exists() && foreign.exists() && similar.exists());
        let second = Draft::temporary(&place).unwrap();
        second.name(&place).unwrap();
        assert_eq!(living.name(&place).unwrap_err().kind(), ErrorKind::Exists);
        drop(Draft::temporary(&other).unwrap());
        assert!(!foreign.exists());
    }

    #[test]
    #[cfg_attr(miri, ignore = "examines files")]
    fn a_path_without_a_name_is_no_place() {
        let error = Place::prepare(Path::new("/")).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}
