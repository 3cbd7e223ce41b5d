//! The folder to which a project's board belongs.

use super::{
    FoundBy, Scope,
    create::Verb,
    find::{Standing, standing},
    folder::{FOLDER, SlateFolder},
    git::repository_of,
    record::Record,
};
use crate::error::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

/// Where a project's board belongs, and the reason for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Root {
    pub(super) folder: PathBuf,
    /// The worktree at hand, if it shares the board of another folder.
    worktree: Option<PathBuf>,
    pub(super) found_by: FoundBy,
    pub(super) scope: Option<Scope>,
    pub(super) why: &'static str,
}

/// The top of the worktree that a folder is in.
struct Top {
    folder: PathBuf,
    /// What all worktrees of the repository share.
    shared: PathBuf,
}

fn top_of(folder: &Path) -> Result<Option<Top>> {
    for above in folder.ancestors() {
        if let Some(shared) = repository_of(above)? {
            return Ok(Some(Top { folder: above.to_owned(), shared }));
        }
    }
    Ok(None)
}

impl Root {
    /// The folder to which the board belongs.
    pub(super) fn of(folder: &Path, scope: Option<Scope>, verb: Verb, here: bool) -> Result<Self> {
        let at = |folder: &Path, why| Self::new(folder, FoundBy::Project, scope, why);
        if here {
            return Ok(at(folder, "it was asked for in this folder"));
        }
        let top = top_of(folder)?;
        match (standing(folder)?, &top) {
            (Some(standing), Some(top))
                if scope == Some(Scope::Worktree) && standing.found_by == FoundBy::Repository =>
            {
                Ok(at(&top.folder, "the current folder is in this worktree"))
            }
            // A repository below a project is a project of its own, if a board for it is asked for.
            (Some(standing), Some(top)) if verb == Verb::Create && !standing.is_of(top) => {
                of_repository(top, scope)
            }
            (Some(standing), top) => of_standing(standing, top.as_ref(), scope),
            (None, Some(top)) => of_repository(top, scope),
            (None, None) => Ok(at(folder, "the current folder is not in a git repository")),
        }
    }

    fn new(folder: &Path, found_by: FoundBy, scope: Option<Scope>, why: &'static str) -> Self {
        Self { folder: folder.to_owned(), worktree: None, found_by, scope, why }
    }

    /// The folders that may have the settings: the project's, and the worktree at hand, because a repository without a
    /// working tree of its own has no settings.
    pub(super) fn folders(&self) -> Vec<&Path> {
        std::iter::once(self.folder.as_path()).chain(self.worktree.as_deref()).collect()
    }
}

impl Standing {
    /// Whether it belongs to the repository, or to a part of it.
    fn is_of(&self, top: &Top) -> bool {
        self.folder.starts_with(&top.folder) || self.folder == top.shared
    }
}

/// The folder whose `.slate/` the other calls find, too.
fn of_standing(standing: Standing, top: Option<&Top>, scope: Option<Scope>) -> Result<Root> {
    let is_linked = top.is_some_and(|top| top.shared != top.folder && top.folder == standing.folder);
    if is_linked && scope == Some(Scope::Project) && standing.is_for_one_worktree() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "this worktree has a board of its own, which it would go on using",
        )
        .hint("remove this folder to share the board of the repository")
        .at_path(&standing.slate.path));
    }
    let why = match (standing.found_by, top) {
        (FoundBy::Repository, _) => "the current worktree belongs to this repository",
        (_, Some(top)) if top.folder == standing.folder && is_linked => {
            "the current folder is in this worktree"
        }
        (_, Some(top)) if top.folder == standing.folder => "the current folder is in this git repository",
        _ => "the current folder is in this project",
    };
    // A linked worktree's own board is for that worktree.
    let scope = scope.or((is_linked && matches!(standing.record, Ok(None))).then_some(Scope::Worktree));
    let worktree =
        top.filter(|top| standing.found_by == FoundBy::Repository && top.folder != standing.folder);
    let worktree = worktree.map(|top| top.folder.clone());
    Ok(Root { folder: standing.folder, worktree, found_by: standing.found_by, scope, why })
}

/// The folder of a repository in which no board is found.
fn of_repository(top: &Top, scope: Option<Scope>) -> Result<Root> {
    let own = |why| Ok(Root::new(&top.folder, FoundBy::Project, Some(Scope::Worktree), why));
    if scope == Some(Scope::Worktree) {
        return own("the current folder is in this worktree");
    }
    if top.shared == top.folder {
        return Ok(Root::new(
            &top.folder,
            FoundBy::Project,
            scope,
            "the current folder is in this git repository",
        ));
    }
    let shared = SlateFolder::find(&top.shared.join(FOLDER))?;
    let record = shared.and_then(|slate| Record::read(&slate.path).ok().flatten());
    // Another worktree keeps the board of the repository's folder to itself, so this one needs its own.
    match (record.map(|record| record.scope), scope) {
        (Some(Scope::Worktree), None) => own("the board of the repository's folder is for another worktree"),
        (Some(Scope::Worktree), Some(_)) => Err(Error::new(
            ErrorKind::InvalidArgument,
            "the board of the repository's folder is for its own worktree only, so it cannot be shared",
        )
        .hint("replace it there with `slate init --replace --scope project`, or leave --scope out")
        .at_path(&top.shared)),
        _ => Ok(Root {
            worktree: Some(top.folder.clone()),
            ..Root::new(
                &top.shared,
                FoundBy::Repository,
                scope,
                "the current worktree belongs to this repository",
            )
        }),
    }
}
