//! Finds the board of a command: from `--board`, from the environment, or from the project.
//!
//! The functions depend only on folders and on [`Surroundings`], which holds everything that they need of the process.

use crate::{
    failure::{Failure, Status},
    folder::{FOLDER, SlateFolder},
    record::{FILE, Record, Scope, boot_id},
};
use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

/// The parts of the process and its environment that determine the board.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// `--board`.
    pub(crate) flag: Option<PathBuf>,
    /// `SLATE_BOARD`.
    pub(crate) variable: Option<OsString>,
    /// The current folder. Empty if a board is named: the current folder is then not needed, and may not exist any more.
    pub(crate) folder: PathBuf,
    pub(crate) boot_id: String,
}

/// How a board was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FoundBy {
    Flag,
    Variable,
    /// `.slate/` in the current folder or above it.
    Project,
    /// `.slate/` in the repository that the worktree belongs to.
    Repository,
}

impl FoundBy {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Variable => "environment",
            Self::Project => "project",
            Self::Repository => "repository",
        }
    }

    /// The same for people, after "from".
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Flag => "--board",
            Self::Variable => "the variable SLATE_BOARD",
            Self::Project => "the project's .slate",
            Self::Repository => "the .slate of the worktree's repository",
        }
    }
}

/// A board's region and how it was found.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    pub(crate) region: PathBuf,
    pub(crate) found_by: FoundBy,
}

impl Located {
    pub(crate) fn in_project(project: &Project) -> Self {
        Self { region: project.record.region(&project.slate.path), found_by: project.found_by }
    }
}

/// A project's `.slate/` with its record.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) slate: SlateFolder,
    pub(crate) record: Record,
    pub(crate) found_by: FoundBy,
}

impl Project {
    /// Checks that this process can use the board.
    ///
    /// Fails with status 9 and a message with the reason if it cannot.
    pub(crate) fn check(&self, boot_id: &str) -> Result<(), Failure> {
        self.record
            .check(&self.slate, boot_id)
            .map_err(|why| Failure::new(Status::NoBoard, why.text(&self.record, &self.slate.path)))
    }
}

/// Where `init` creates a project's `.slate/`, and the reason for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Root {
    pub(crate) folder: PathBuf,
    pub(crate) why: &'static str,
}

impl Surroundings {
    pub(crate) fn of_this_process(flag: Option<PathBuf>) -> Result<Self, Failure> {
        let variable = env::var_os("SLATE_BOARD").filter(|value| !value.is_empty());
        let folder = match flag.is_some() || variable.is_some() {
            true => PathBuf::new(),
            false => env::current_dir().map_err(|error| {
                let text = format!(
                    "cannot determine the current folder, where the search for a board starts ({error}); change to a \
                     folder that exists, or specify a board with --board or SLATE_BOARD"
                );
                Failure::new(Status::NoBoard, text)
            })?,
        };
        Ok(Self { flag, variable, folder, boot_id: boot_id() })
    }

    /// The region that `--board` or SLATE_BOARD specifies.
    pub(crate) fn named(&self) -> Option<Located> {
        let by_flag = self.flag.clone().map(|region| Located { region, found_by: FoundBy::Flag });
        by_flag.or_else(|| {
            let region = PathBuf::from(self.variable.as_ref()?);
            Some(Located { region, found_by: FoundBy::Variable })
        })
    }
}

/// The board to use.
///
/// Fails with status 9 if there is none, or if this process cannot use the recorded one.
pub(crate) fn find(surroundings: &Surroundings) -> Result<Located, Failure> {
    if let Some(named) = surroundings.named() {
        return Ok(named);
    }
    let project = the_project(surroundings)?;
    project.check(&surroundings.boot_id)?;
    Ok(Located::in_project(&project))
}

/// The project whose board is to be used.
///
/// Fails with status 9 if there is none.
pub(crate) fn the_project(surroundings: &Surroundings) -> Result<Project, Failure> {
    find_project(surroundings)?.ok_or_else(|| {
        let text = format!(
            "no board for {}: there is no .slate/board.toml in this folder, in a folder above it, or in the git \
             repository of its worktree; create a board with `slate init`, or specify one with --board or SLATE_BOARD",
            surroundings.folder.display()
        );
        Failure::new(Status::NoBoard, text)
    })
}

/// The nearest project with a board. The search goes upwards folder by folder; at the top of a linked worktree, the
/// folder of its repository comes before the folders above.
fn find_project(surroundings: &Surroundings) -> Result<Option<Project>, Failure> {
    for folder in surroundings.folder.ancestors() {
        if let Some(project) = project_at(folder, FoundBy::Project)? {
            return Ok(Some(project));
        }
        let Some(shared) = repository_of(folder)? else { continue };
        if shared == folder {
            continue;
        }
        if let Some(project) = project_at(&shared, FoundBy::Repository)?
            && project.record.scope == Scope::Project
        {
            return Ok(Some(project));
        }
    }
    Ok(None)
}

/// The folder in which a new board of this project is created.
pub(crate) fn project_root(folder: &Path, scope: Scope) -> Result<Root, Failure> {
    for above in folder.ancestors() {
        match (repository_of(above)?, scope) {
            (Some(_), Scope::Worktree) => {
                return Ok(Root { folder: above.to_owned(), why: "the current folder is in this worktree" });
            }
            (Some(shared), Scope::Project) if shared != above => {
                return Ok(Root { folder: shared, why: "the current worktree belongs to this repository" });
            }
            (Some(shared), Scope::Project) => {
                return Ok(Root { folder: shared, why: "the current folder is in this git repository" });
            }
            (None, _) => {}
        }
    }
    Ok(Root { folder: folder.to_owned(), why: "the current folder is not in a git repository" })
}

fn project_at(folder: &Path, found_by: FoundBy) -> Result<Option<Project>, Failure> {
    let Some(slate) = SlateFolder::find(&folder.join(FOLDER))? else { return Ok(None) };
    match Record::read(&slate.path)? {
        Some(record) => Ok(Some(Project { slate, record, found_by })),
        None => {
            let text = format!(
                "{} has no {FILE}, so this project has no board yet; create one with `slate init`",
                slate.path.display()
            );
            Err(Failure::new(Status::NoBoard, text))
        }
    }
}

/// If `folder` is the top of a worktree, the folder that all worktrees of its repository share: the main working tree,
/// or the repository itself if it is bare.
///
/// Fails if the repository of a worktree is missing. If that were ignored, the board of another project would be used.
fn repository_of(folder: &Path) -> Result<Option<PathBuf>, Failure> {
    let git = folder.join(".git");
    let is_none =
        |error: &io::Error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    let link = match fs::metadata(&git) {
        Ok(found) if found.is_dir() => return Ok(Some(folder.to_owned())),
        Ok(_) => fs::read_to_string(&git),
        Err(error) if is_none(&error) => return Ok(None),
        Err(error) => Err(error),
    };
    let link = link.map_err(|error| Failure::io(format!("cannot read {}", git.display()), &error))?;
    let Some(private) = link.strip_prefix("gitdir:").map(|path| folder.join(path.trim())) else {
        return Ok(None);
    };
    let Ok(common) = fs::read_to_string(private.join("commondir")) else {
        // A submodule: its repository is elsewhere, and this folder is its only working tree.
        return Ok(Some(folder.to_owned()));
    };
    let common = fs::canonicalize(private.join(common.trim())).map_err(|error| {
        let text = format!(
            "{} is a worktree of a repository that cannot be found ({error}); run `git worktree repair`, or specify \
             a board with --board or SLATE_BOARD",
            folder.display()
        );
        Failure::new(Status::NoBoard, text)
    })?;
    let is_inside = common.file_name().is_some_and(|name| name == ".git");
    Ok(if is_inside { common.parent().map(Path::to_owned) } else { Some(common) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Placement;
    use std::os::unix::fs::symlink;

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("folder"))
        }
        fn folder(&self, path: &str) -> PathBuf {
            let folder = fs::canonicalize(self.0.path()).expect("root").join(path);
            fs::create_dir_all(&folder).expect("folder");
            folder
        }
        fn board(&self, path: &str, scope: Scope) -> PathBuf {
            let slate = SlateFolder::make(&self.folder(path).join(FOLDER)).expect("slate");
            fs::write(slate.path.join("region"), "").expect("region");
            let record = Record {
                placement: Placement::Project,
                scope,
                folder: slate.id,
                path: "region".into(),
                device: 0,
                inode: 0,
                uuid: String::new(),
                boot_id: String::new(),
            };
            record.replace(&slate.path).expect("record");
            slate.path.join("region")
        }
        /// A repository at `main` with a linked worktree at `worktree`.
        fn repository(&self, main: &str, worktree: &str) {
            let private = self.folder(&format!("{main}/.git/worktrees/w"));
            fs::write(private.join("commondir"), "../..\n").expect("commondir");
            let link = format!("gitdir: {}\n", private.display());
            fs::write(self.folder(worktree).join(".git"), link).expect("link");
        }
        fn surroundings(&self, folder: &str) -> Surroundings {
            Surroundings { flag: None, variable: None, folder: self.folder(folder), boot_id: String::new() }
        }
        fn found(&self, folder: &str) -> Option<(PathBuf, FoundBy)> {
            find(&self.surroundings(folder)).ok().map(|located| (located.region, located.found_by))
        }
    }

    #[test]
    fn the_argument_wins_over_the_environment_over_the_project() {
        let tree = Tree::new();
        tree.board("p", Scope::Project);
        let mut surroundings = tree.surroundings("p");
        surroundings.variable = Some("/variable".into());
        assert_eq!(find(&surroundings).expect("found").region, Path::new("/variable"));
        surroundings.flag = Some("/flag".into());
        assert_eq!(find(&surroundings).expect("found").region, Path::new("/flag"));
    }

    #[test]
    fn a_project_is_found_upwards() {
        let tree = Tree::new();
        let region = tree.board("p", Scope::Project);
        assert_eq!(tree.found("p/a/b"), Some((region, FoundBy::Project)));
    }

    #[test]
    fn no_board_is_status_9_with_what_to_do() {
        let tree = Tree::new();
        let failure = find(&tree.surroundings("empty")).expect_err("none");
        assert_eq!(failure.status, Status::NoBoard);
        assert!(failure.text.contains("slate init"), "{}", failure.text);
    }

    #[test]
    fn a_worktree_shares_its_repository_board_unless_told_otherwise() {
        let tree = Tree::new();
        tree.repository("main", "elsewhere/wt");
        tree.folder("elsewhere/wt/src");
        assert_eq!(tree.found("elsewhere/wt/src"), None);
        let region = tree.board("main", Scope::Project);
        assert_eq!(tree.found("elsewhere/wt/src"), Some((region, FoundBy::Repository)));
        let own = tree.board("elsewhere/wt", Scope::Worktree);
        assert_eq!(tree.found("elsewhere/wt/src"), Some((own, FoundBy::Project)));
    }

    #[test]
    fn a_worktree_without_its_repository_never_takes_the_board_above() {
        let tree = Tree::new();
        tree.board("", Scope::Project);
        tree.repository("main", "wt");
        fs::write(tree.folder("main/.git/worktrees/w").join("commondir"), "../../../gone\n").expect("link");
        let failure = find(&tree.surroundings("wt/src")).expect_err("no repository");
        assert!(
            failure.status == Status::NoBoard && failure.text.contains("git worktree"),
            "{}",
            failure.text
        );
        assert!(project_root(&tree.folder("wt/src"), Scope::Project).is_err());
    }

    #[test]
    fn a_board_for_one_worktree_is_not_shared() {
        let tree = Tree::new();
        tree.repository("main", "wt");
        tree.board("main", Scope::Worktree);
        assert_eq!(tree.found("wt"), None);
        assert!(tree.found("main").is_some());
    }

    #[test]
    fn a_worktree_prefers_its_repository_to_an_unrelated_project_above() {
        let tree = Tree::new();
        tree.repository("main", "other/wt");
        tree.board("other", Scope::Project);
        let region = tree.board("main", Scope::Project);
        assert_eq!(tree.found("other/wt"), Some((region, FoundBy::Repository)));
    }

    #[test]
    fn init_goes_to_the_repository() {
        let tree = Tree::new();
        tree.repository("main", "wt");
        let main = tree.folder("main");
        let root = |folder, scope| project_root(&tree.folder(folder), scope).expect("root").folder;
        assert_eq!(root("main/src", Scope::Project), main);
        assert_eq!(root("wt/src", Scope::Project), main);
        assert_eq!(root("wt/src", Scope::Worktree), tree.folder("wt"));
    }

    #[test]
    fn a_submodule_is_its_own_project() {
        let tree = Tree::new();
        let private = tree.folder("main/.git/modules/sub");
        let link = format!("gitdir: {}\n", private.display());
        fs::write(tree.folder("main/sub").join(".git"), link).expect("link");
        let root = project_root(&tree.folder("main/sub"), Scope::Project).expect("root");
        assert_eq!(root.folder, tree.folder("main/sub"));
    }

    #[test]
    fn what_stands_for_a_project_and_cannot_be_used_never_leads_to_the_one_above() {
        let tree = Tree::new();
        let region = tree.board("above", Scope::Project);
        let slate = tree.folder("above/p").join(FOLDER);
        let find = || find(&tree.surroundings("above/p/src"));
        assert_eq!(find().expect("found").region, region);
        fs::create_dir(&slate).expect("folder");
        let failure = find().expect_err("no record");
        assert!(failure.status == Status::NoBoard && failure.text.contains("slate init"), "{}", failure.text);
        fs::remove_dir(&slate).expect("removed");
        fs::write(&slate, "").expect("file");
        let failure = find().expect_err("a file");
        assert!(
            failure.status == Status::Corrupt && failure.text.contains("is not a folder"),
            "{}",
            failure.text
        );
        fs::remove_file(&slate).expect("removed");
        for (target, word) in [(tree.folder("nowhere").join("deep"), "dangling"), (region, "not a folder")] {
            symlink(&target, &slate).expect("link");
            let failure = find().expect_err(word);
            assert!(failure.status == Status::Corrupt && failure.text.contains(word), "{}", failure.text);
            fs::remove_file(&slate).expect("removed");
        }
        tree.board("elsewhere", Scope::Project);
        symlink(tree.folder("elsewhere").join(FOLDER), &slate).expect("link");
        let located = find().expect("followed");
        assert_eq!(located.region, slate.join("region"));
    }

    #[test]
    fn a_named_board_needs_no_current_folder() {
        let named = Surroundings::of_this_process(Some("/a/board".into())).expect("surroundings");
        assert_eq!(named.folder, Path::new(""));
        assert_eq!(find(&named).expect("found").region, Path::new("/a/board"));
    }

    #[test]
    fn a_damaged_record_is_an_error_and_not_no_board() {
        let tree = Tree::new();
        tree.board("p", Scope::Project);
        fs::write(tree.folder("p/.slate").join("board.toml"), "placement = \"moon\"").expect("written");
        let failure = find(&tree.surroundings("p")).expect_err("damaged");
        assert_eq!(failure.status, Status::Corrupt);
        assert!(failure.text.contains("board.toml"), "{}", failure.text);
    }
}
