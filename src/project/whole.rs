//! Files that get their name only when they are complete, so that no process reads a partial file.

use rustix::{
    fs::{AtFlags, CWD, RenameFlags, linkat, renameat_with},
    io::Errno,
    rand::{GetRandomFlags, getrandom},
};
use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// How a file gets its name without replacing a file that another process has created meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// `renameat2(RENAME_NOREPLACE)`.
    Rename,
    /// A hard link, for file systems without `RENAME_NOREPLACE`.
    Link,
    /// A check and a plain rename, for file systems that support neither. Correct only while no other process does the same.
    Alone,
}

/// The ways in the order in which they are tried. The last one is allowed only if the folder is locked.
pub(super) fn ways(is_locked: bool) -> &'static [Way] {
    const WAYS: [Way; 3] = [Way::Rename, Way::Link, Way::Alone];
    if is_locked { &WAYS } else { &WAYS[..2] }
}

/// The end of a draft's name, behind the file's own name and random digits.
const NEW: &str = ".new";

/// Whether a file of this name is the draft of a file of another name.
pub(super) fn is_draft_of(name: &str, draft: &str) -> bool {
    let digits = draft.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')?.strip_suffix(NEW));
    digits.is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// Random digits, which no other process chooses. A process id would not do: it is unique only in its namespace.
pub(super) fn random_name() -> io::Result<String> {
    let mut bytes = [0; 8];
    getrandom(&mut bytes, GetRandomFlags::empty())?;
    Ok(format!("{:016x}", u64::from_ne_bytes(bytes)))
}

/// Creates a file with mode 0600; fails if it exists. A reader may see it before it is complete.
pub(super) fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Creates a file, or replaces the one with this name.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = Draft::write(path, content)?;
    fs::rename(&draft.0, path)?;
    sync_folder(path);
    Ok(())
}

/// Creates a complete file; fails with `AlreadyExists` if the name is taken.
pub(super) fn create(path: &Path, content: &[u8], ways: &[Way]) -> io::Result<()> {
    let draft = Draft::write(path, content)?;
    let mut failed = io::Error::from(io::ErrorKind::Unsupported);
    for way in ways {
        match name(&draft.0, path, *way) {
            Ok(()) => {
                sync_folder(path);
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn name(draft: &Path, path: &Path, way: Way) -> io::Result<()> {
    match way {
        Way::Rename => renameat_with(CWD, draft, CWD, path, RenameFlags::NOREPLACE)?,
        Way::Link => linkat(CWD, draft, CWD, path, AtFlags::empty())?,
        Way::Alone => match fs::symlink_metadata(path) {
            Ok(_) => return Err(Errno::EXIST.into()),
            Err(_) => fs::rename(draft, path)?,
        },
    }
    Ok(())
}

/// Writes the change of the name to disk. If this fails, a restart may undo the whole change, but never half of it.
fn sync_folder(path: &Path) {
    let _ = path.parent().map(|folder| File::open(folder).and_then(|folder| folder.sync_all()));
}

/// A temporary file beside the final one. Dropping it removes the temporary name.
struct Draft(PathBuf);

impl Draft {
    fn write(path: &Path, content: &[u8]) -> io::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}{NEW}", random_name()?));
        let draft = Self(PathBuf::from(name));
        write_new(&draft.0, content)?;
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename the temporary name does not exist any more; after a link it is superfluous.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn each_way_makes_a_whole_file_and_never_replaces() {
        for way in ways(true) {
            let folder = tempfile::tempdir().expect("folder");
            let path = folder.path().join("file");
            create(&path, b"first", &[*way]).expect("made");
            let error = create(&path, b"second", &[*way]).expect_err("there is one");
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{way:?}");
            assert_eq!(fs::read(&path).expect("read"), b"first");
            replace(&path, b"third").expect("replaced");
            assert_eq!(fs::read(&path).expect("read"), b"third");
            assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 1, "no draft stays");
        }
    }

    #[test]
    fn a_draft_is_known_by_its_name() {
        assert!(is_draft_of("file", "file.0123456789abcdef.new"));
        for name in [
            "file",
            "file.new",
            "file.0123456789abcdef",
            "file.0123456789abcdeg.new",
            "fil.0123456789abcdef.new",
        ] {
            assert!(!is_draft_of("file", name), "{name}");
        }
    }

    #[test]
    fn without_any_way_nothing_is_made() {
        let folder = tempfile::tempdir().expect("folder");
        assert!(create(&folder.path().join("file"), b"", &[]).is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 0);
        assert_eq!(ways(false), [Way::Rename, Way::Link]);
    }

    #[test]
    fn of_many_makers_one_is_first() {
        for ways in [&ways(true)[..1], &ways(true)[1..2]] {
            let folder = tempfile::tempdir().expect("folder");
            let (path, start) = (folder.path().join("file"), Barrier::new(8));
            let made = std::thread::scope(|scope| {
                let make = |number: u8| {
                    let (path, start) = (&path, &start);
                    scope.spawn(move || {
                        start.wait();
                        create(path, &[number], ways).is_ok()
                    })
                };
                let makers: Vec<_> = (0..8).map(make).collect();
                makers.into_iter().map(|maker| maker.join().expect("ended")).collect::<Vec<_>>()
            });
            assert_eq!(made.iter().filter(|made| **made).count(), 1);
            let winner = made.iter().position(|made| *made).expect("one");
            assert_eq!(fs::read(&path).expect("read"), [winner as u8]);
        }
    }
}
