//! Mutants of `src/project`.

use super::{Mutant, test};

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a copy of a project's folder is the project",
        lost: "A copied project uses the original's board.",
        file: "src/project/record.rs",
        search: "if !slate.is(&self.folder) {",
        replace: "if false && !slate.is(&self.folder) {",
        caught_by: &[test("-p slateboard --lib project::record::tests::why_a_region_cannot_be_used")],
    },
    Mutant {
        name: "a region of another machine is one after a restart",
        lost: "A board that another machine may be using is replaced without being asked for.",
        file: "src/project/record.rs",
        search: "Compared::Other => return Some(Unreachable::OtherMachine)",
        replace: "Compared::Other => return Some(Unreachable::Restarted)",
        caught_by: &[test("-p slateboard --lib project::record::tests::why_a_region_cannot_be_used")],
    },
    Mutant {
        name: "a boot without a machine id is a restart",
        lost: "A board of another machine passes for a lost one.",
        file: "src/project/machine.rs",
        search: "            _ => Compared::Unknown,",
        replace: "            _ => Compared::Restarted,",
        caught_by: &[test(
            "-p slateboard --lib project::machine::tests::the_boot_decides_then_the_machine_then_the_name",
        )],
    },
    Mutant {
        name: "a file system is known by its device number",
        lost: "A private /dev/shm passes for the one whose device number it got, and the board for removed.",
        file: "src/project/record.rs",
        search: "self.file_system.is_none_or(|recorded| file_system_of(path).is_none_or(|now| now == recorded))",
        replace: "path.exists() || self.file_system.is_none()",
        caught_by: &[test(
            "-p slateboard --lib project::record::tests::a_device_number_that_another_file_system_got_is_told_apart",
        )],
    },
    Mutant {
        name: "a layer over the region is a private file system",
        lost: "A container is told to leave the sandbox, though its folder is a copy.",
        file: "src/project/record.rs",
        search: "(false, _) if self.placement == Placement::Project && slate.is_layered => Unreachable::Layered,",
        replace: "(false, _) if false && slate.is_layered => Unreachable::Layered,",
        caught_by: &[test(
            "-p slateboard --lib project::record::tests::in_a_layer_the_region_of_the_project_is_not_the_recorded_one",
        )],
    },
    Mutant {
        name: "any lock file will do",
        lost: "Whoever opens the board takes living sessions for dead.",
        file: "src/project/record.rs",
        search: "self.lock.is_replaced_beside(region).then_some(Unreachable::LockReplaced)",
        replace: "(false && self.lock.is_replaced_beside(region)).then_some(Unreachable::LockReplaced)",
        caught_by: &[test("-p slateboard --lib project::record::tests::another_lock_file_is_told_apart")],
    },
    Mutant {
        name: "without birth times the inode number identifies a folder on any file system",
        lost: "A copy on another file system uses the original's board.",
        file: "src/project/folder.rs",
        search: "_ => same_inode && recorded.folder_file_system.is_none_or(|then| then == self.file_system),",
        replace: "_ => same_inode && recorded.folder_file_system.is_none_or(|then| then != 0),",
        caught_by: &[test(
            "-p slateboard --lib project::folder::tests::a_folder_is_known_by_inode_and_birth",
        )],
    },
    Mutant {
        name: "the board of one worktree is shared",
        lost: "A worktree uses a board that is for another one.",
        file: "src/project/find.rs",
        search: "            && !standing.is_for_one_worktree()",
        replace: "            && (!standing.is_for_one_worktree() || standing.slate.path.exists())",
        caught_by: &[test(
            "-p slateboard --lib project::find::tests::a_board_for_one_worktree_is_not_shared",
        )],
    },
    Mutant {
        name: "a project that cannot be seen is gone",
        lost: "Boards of projects that are not mounted here are removed as orphans.",
        file: "src/project/place.rs",
        search: "let mut is_gone = self.root == root();",
        replace: "let mut is_gone = self.root == root() || true;",
        caught_by: &[test(
            "-p slateboard --lib project::place::tests::a_project_that_is_gone_is_told_from_one_that_cannot_be_seen",
        )],
    },
    Mutant {
        name: "a folder below a project is a project of its own",
        lost: "A second board is made below a project, and nobody there hears the first.",
        file: "src/project/root.rs",
        search: "(Some(standing), top) => of_standing(standing, top.as_ref(), scope),",
        replace: "(Some(_), None) => Ok(at(folder, \"the current folder is not in a git repository\")),\n            (Some(standing), top) => of_standing(standing, top.as_ref(), scope),",
        caught_by: &[test(
            "-p slateboard --lib project::create::tests::a_board_that_the_others_find_is_the_project_s",
        )],
    },
    Mutant {
        name: "differences from what was asked for are not told",
        lost: "A board of other sizes is taken for what was asked for.",
        file: "src/project/settings.rs",
        search: "asked_for.filter(|(_, has, asked)| has != asked)",
        replace: "asked_for.filter(|(_, has, asked)| has != asked && has.is_empty())",
        caught_by: &[test(
            "-p slateboard --lib project::settings::tests::only_what_was_asked_for_can_differ",
        )],
    },
    Mutant {
        name: "a region that cannot be opened has no users",
        lost: "A second board is made beside one whose users cannot be asked for.",
        file: "src/project/create.rs",
        search: "nobody_uses(&region)?;
                continue;",
        replace: "continue;",
        caught_by: &[test(
            "-p slateboard-cli --test unknown no_second_board_is_made_beside_one_that_cannot_be_asked",
        )],
    },
    Mutant {
        name: "an init that finds a board leaves the remains of killed ones",
        lost: "Regions and drafts of killed calls take space for ever.",
        file: "src/project/create.rs",
        search: "self.tidy(found.path());",
        replace: "let _ = found.path();",
        caught_by: &[test("-p slateboard-cli --test killed an_init_in_the_project")],
    },
    Mutant {
        name: "an init that is refused leaves the remains of killed ones",
        lost: "Regions and drafts of killed calls take space until the board is replaced.",
        file: "src/project/create.rs",
        search: "self.tidy(&region);
                    return Err(exists(&region));",
        replace: "return Err(exists(&region));",
        caught_by: &[test("-p slateboard-cli --test killed an_init_that_is_refused_cleans_up_too")],
    },
    Mutant {
        name: "the file that makes git ignore the folder is there before its line",
        lost: "After a kill the file stays empty, and git offers the board to be committed.",
        file: "src/project/folder.rs",
        search: "match whole::create(&ignore, b\"*\\n\", whole::ways(true)) {",
        replace: "match whole::write_new(&ignore, b\"*\\n\") {",
        caught_by: &[test("-p slateboard-cli --test killed an_init_in_the_project")],
    },
    Mutant {
        name: "drafts of the project's files stay",
        lost: "Each killed call leaves a file for ever.",
        file: "src/project/place.rs",
        search: "if is_ours || is_left_by_creator(&draft) {",
        replace: "if is_left_by_creator(&draft) {",
        caught_by: &[test("-p slateboard-cli --test killed an_init_that_is_refused_cleans_up_too")],
    },
    Mutant {
        name: "a file system without an identity is any other one",
        lost: "A copy on another file system of FUSE uses the original's board, if its folder has the same number.",
        file: "src/project/folder.rs",
        search: "0 => device.cast_signed(),",
        replace: "0 => device.cast_signed() & 0,",
        caught_by: &[test(
            "-p slateboard --lib project::folder::tests::a_file_system_without_an_identity_is_known_by_its_device",
        )],
    },
    Mutant {
        name: "a region that could not be made leaves its lock file",
        lost: "Each refused replacement leaves a file.",
        file: "src/project/place.rs",
        search: "if is_locked && is_missing(&path) {",
        replace: "if is_locked && is_missing(&path) && path.as_os_str().is_empty() {",
        caught_by: &[test("-p slateboard-cli --test file_systems a_file_system_that_reserves_no_pages")],
    },
    Mutant {
        name: "the temporary files of living creators go",
        lost: "A creator's file is removed before it gets its name, and the creator fails.",
        file: "src/project/place.rs",
        search: "is_temporary && fs::File::open(path).is_ok_and(|file| file.try_lock().is_ok())",
        replace: "is_temporary && fs::File::open(path).is_ok()",
        caught_by: &[test("-p slateboard --lib project::place::tests::what_a_living_creator_holds_stays")],
    },
    Mutant {
        name: "a boot that is unknown is another boot",
        lost: "Where the system has no boot id, a board that is there passes for one that a restart lost.",
        file: "src/project/machine.rs",
        search: "            _ if !is_known => Compared::Same,",
        replace: "            _ if !is_known && self.boot_id == recorded.boot_id => Compared::Same,",
        caught_by: &[test(
            "-p slateboard --lib project::machine::tests::the_boot_decides_then_the_machine_then_the_name",
        )],
    },
    Mutant {
        name: "a region that cannot be seen was removed",
        lost: "A board in a folder that this process may not enter is replaced, although it may be in use.",
        file: "src/project/record.rs",
        search: "Err(error) if !is_nothing(&error) => return Some(Unreachable::Unseen),",
        replace: "Err(error) if false && !is_nothing(&error) => return Some(Unreachable::Unseen),",
        caught_by: &[test(
            "-p slateboard --lib project::record::tests::a_region_whose_path_cannot_be_accessed_is_unseen",
        )],
    },
    Mutant {
        name: "a board whose lock file was replaced has no users",
        lost: "A board is replaced under those who hold the old lock file.",
        file: "src/project/create.rs",
        search: "if self.verb == Verb::Replace && why == Unreachable::LockReplaced && !self.force {",
        replace: "if self.verb == Verb::Replace && why == Unreachable::LockReplaced && !self.force && self.root.folder.as_os_str().is_empty() {",
        caught_by: &[test("-p slateboard-cli --test surroundings a_lock_file_that_was_replaced_by_hand")],
    },
];
