//! Folders and repositories for the tests of this module.

use std::{fs, path::PathBuf};

/// A temporary folder with projects in it.
pub(super) struct Tree(tempfile::TempDir);

impl Tree {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().expect("folder"))
    }

    /// The folder at this path, which is made if it is missing.
    pub(super) fn folder(&self, path: &str) -> PathBuf {
        let folder = fs::canonicalize(self.0.path()).expect("root").join(path);
        fs::create_dir_all(&folder).expect("folder");
        folder
    }

    /// Makes a repository at `main` with a linked worktree at `worktree`.
    pub(super) fn repository(&self, main: &str, worktree: &str) {
        let private = self.folder(&format!("{main}/.git/worktrees/w"));
        fs::write(private.join("commondir"), "../..\n").expect("commondir");
        let link = format!("gitdir: {}\n", private.display());
        fs::write(self.folder(worktree).join(".git"), link).expect("link");
    }
}
