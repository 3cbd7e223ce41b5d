//! The files of a source tree.

use super::plan::file_key;
use crate::failure::Failure;
use serde::Serialize;
use std::{fs, path::Path};

/// Folders without sources, which are skipped.
const PASSED_OVER: [&str; 2] = [".git", "target"];

/// The result of a walk over the tree.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Paths of regular files relative to the tree, in order.
    pub(crate) paths: Vec<String>,
    pub(crate) skipped: Skipped,
}

/// Files that are not indexed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Debug)]
pub(crate) struct Skipped {
    /// Files and folders that cannot be read.
    pub(crate) unreadable: u64,
    /// Paths too long for a key, or not UTF-8.
    pub(crate) not_keys: u64,
}

/// Walks the tree. Symbolic links are not followed, so that the walk ends.
pub(crate) fn survey(root: &Path) -> Result<Survey, Failure> {
    let mut survey = Survey::default();
    // The root must be readable; unreadable folders below it are only counted.
    fs::read_dir(root)
        .map_err(|error| Failure::io(format!("cannot read the folder {}", root.display()), &error))?;
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            survey.skipped.unreadable += 1;
            continue;
        };
        for entry in entries {
            let Ok((entry, kind)) = entry.and_then(|entry| entry.file_type().map(|kind| (entry, kind)))
            else {
                survey.skipped.unreadable += 1;
                continue;
            };
            if kind.is_dir() && !PASSED_OVER.iter().any(|name| entry.file_name() == *name) {
                folders.push(entry.path());
            } else if kind.is_file() {
                survey.add(root, &entry.path());
            }
        }
    }
    survey.paths.sort_unstable();
    Ok(survey)
}

impl Survey {
    fn add(&mut self, root: &Path, path: &Path) {
        let relative = path.strip_prefix(root).ok().and_then(Path::to_str);
        match relative.filter(|path| file_key(path).is_some()) {
            Some(path) => self.paths.push(path.to_owned()),
            None => self.skipped.not_keys += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt, os::unix::fs::symlink};

    #[test]
    fn what_is_indexed_and_what_is_not() {
        let tree = tempfile::tempdir().expect("folder");
        let root = tree.path();
        for folder in ["src/deep", ".git", "target/debug"] {
            fs::create_dir_all(root.join(folder)).expect("folder");
        }
        for file in ["b.rs", "src/deep/a.rs", ".git/config", "target/debug/x", ".hidden"] {
            fs::write(root.join(file), "x").expect("file");
        }
        fs::write(root.join(OsStr::from_bytes(b"not-utf8-\xff")), "x").expect("file");
        symlink(root, root.join("src/loop")).expect("link");
        let survey = survey(root).expect("survey");
        assert_eq!(survey.paths, [".hidden", "b.rs", "src/deep/a.rs"]);
        assert_eq!(survey.skipped, Skipped { unreadable: 0, not_keys: 1 });
    }

    #[test]
    fn no_folder_is_an_error_that_names_it() {
        let failure = survey(Path::new("/nowhere/at/all")).expect_err("missing");
        assert!(failure.text.contains("/nowhere/at/all"), "{}", failure.text);
    }
}
