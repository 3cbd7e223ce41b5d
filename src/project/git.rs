//! Which folder all worktrees of a git repository share. Reads git's files, so that git need not be installed.

use crate::error::{Error, ErrorKind, Result};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// If `folder` is the top of a worktree, the folder that all worktrees of its repository share: the main working tree, or
/// the repository itself if it is bare or kept apart from its working tree.
///
/// Fails if the repository of a worktree is missing. If that were ignored, the board of another project would be used.
pub(super) fn repository_of(folder: &Path) -> Result<Option<PathBuf>> {
    let git = folder.join(".git");
    let is_none =
        |error: &io::Error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    let link = match fs::metadata(&git) {
        Ok(found) if found.is_dir() => return Ok(Some(folder.to_owned())),
        Ok(_) => fs::read_to_string(&git),
        Err(error) if is_none(&error) => return Ok(None),
        Err(error) => Err(error),
    };
    let link = link.map_err(|error| Error::io("the file cannot be read", error).at_path(&git))?;
    let Some(private) = link.strip_prefix("gitdir:").map(|path| folder.join(path.trim())) else {
        return Ok(None);
    };
    let common = match fs::read_to_string(private.join("commondir")) {
        Ok(common) => private.join(common.trim()),
        // A submodule's working tree, or the main one of a repository that is kept apart.
        Err(_) => private,
    };
    let common = fs::canonicalize(common).map_err(|error| lost(folder, &error))?;
    let is_inside = common.file_name().is_some_and(|name| name == ".git");
    let inside = if is_inside { common.parent().map(Path::to_owned) } else { None };
    Ok(inside.or_else(|| working_tree_of(&common)).or(Some(common)))
}

/// The main working tree of a repository that is kept apart from it, as a submodule's is: git records its path. It must
/// still refer to the repository.
fn working_tree_of(repository: &Path) -> Option<PathBuf> {
    let recorded = ["config.worktree", "config"].iter().find_map(|name| {
        let text = fs::read_to_string(repository.join(name)).ok()?;
        worktree_in(&text)
    })?;
    let tree = fs::canonicalize(repository.join(recorded)).ok()?;
    let link = fs::read_to_string(tree.join(".git")).ok()?;
    let target = fs::canonicalize(tree.join(link.strip_prefix("gitdir:")?.trim())).ok()?;
    (target == repository).then_some(tree)
}

/// The value of `core.worktree` in a configuration file of git.
fn worktree_in(config: &str) -> Option<String> {
    let mut in_core = false;
    let mut found = None;
    for line in config.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            in_core = section.split(']').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("core"));
        } else if let Some((name, value)) = line.split_once('=').filter(|_| in_core)
            && name.trim().eq_ignore_ascii_case("worktree")
        {
            let value = value.trim();
            let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            found = Some(quoted.unwrap_or(value).replace("\\\\", "\\"));
        }
    }
    found
}

fn lost(folder: &Path, error: &io::Error) -> Error {
    let text = format!("this is a worktree of a repository that cannot be found ({error})");
    Error::new(ErrorKind::NotFound, text)
        .hint("run `git worktree repair`, or specify a board by its path, with --board or SLATE_BOARD")
        .at_path(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worktree_of_the_configuration_is_found() {
        let config =
            "[core]\n\tbare = false\n\tworktree = ../../../sub dir\n[remote \"core\"]\n\tworktree = no\n";
        assert_eq!(worktree_in(config).as_deref(), Some("../../../sub dir"));
        assert_eq!(worktree_in("[Core]\nWorkTree = \"a # b\"\n").as_deref(), Some("a # b"));
        assert_eq!(worktree_in("[core]\nbare = true\n"), None);
        assert_eq!(worktree_in("worktree = a\n"), None);
    }
}
