//! Projects on file systems that lack something: hard links, files without a name, a rename that never replaces, locks, the
//! birth times of files, reserved pages.
//!
//! What a file system lacks is taken away by a filter of system calls, in a sandbox of bubblewrap, or is missing for real: an
//! ext4 or ext2 in a file, with inodes of 128 bytes. Where this machine has no bubblewrap or no loop devices, the tests say
//! that they are skipped.

mod common;

use common::{Done, Place, with_slate};
use nix::libc;
use std::{fs, path::Path, process::Command};

/// A system call that fails.
#[derive(Clone, Copy)]
struct Missing {
    call: libc::c_long,
    /// Only if this argument has one of these bits.
    bits: Option<(u32, u32)>,
    errno: libc::c_int,
}

const NO_NAMELESS: Missing = Missing {
    call: libc::SYS_openat,
    bits: Some((2, (libc::O_TMPFILE & !libc::O_DIRECTORY).cast_unsigned())),
    errno: libc::EOPNOTSUPP,
};
const NO_RENAME: Missing =
    Missing { call: libc::SYS_renameat2, bits: Some((4, libc::RENAME_NOREPLACE)), errno: libc::EINVAL };
const NO_LINK: Missing = Missing { call: libc::SYS_linkat, bits: None, errno: libc::EPERM };
const NO_LOCKS: Missing = Missing { call: libc::SYS_flock, bits: None, errno: libc::ENOLCK };

/// The program of a filter under which these calls fail, as the kernel reads it.
fn filter(missing: &[Missing]) -> Vec<u8> {
    const LOAD: u16 = 0x20;
    const IS: u16 = 0x15;
    const HAS: u16 = 0x45;
    const RETURN: u16 = 0x06;
    const ALLOW: u32 = 0x7fff_0000;
    const FAIL: u32 = 0x0005_0000;
    let mut program = Vec::new();
    let mut add = |code: u16, then: u8, otherwise: u8, value: u32| {
        program.extend(code.to_ne_bytes());
        program.extend([then, otherwise]);
        program.extend(value.to_ne_bytes());
    };
    for Missing { call, bits, errno } in missing {
        add(LOAD, 0, 0, 0);
        add(IS, 0, if bits.is_some() { 3 } else { 1 }, (*call).try_into().expect("a number"));
        if let Some((argument, bits)) = bits {
            add(LOAD, 0, 0, 16 + 8 * argument);
            add(HAS, 0, 1, *bits);
        }
        add(RETURN, 0, 0, FAIL | errno.cast_unsigned());
    }
    add(RETURN, 0, 0, ALLOW);
    program
}

/// Commands under a filter; `None` if there is no sandbox here.
struct Without(Place);

impl Without {
    fn new(missing: &[Missing]) -> Option<Self> {
        let place = Place::empty();
        fs::create_dir(place.folder().join("project")).expect("folder");
        fs::write(place.folder().join("filter"), filter(missing)).expect("filter");
        let without = Self(place);
        let tried = without.command("true").output();
        let is_possible = tried.is_ok_and(|output| output.status.success());
        if !is_possible {
            eprintln!("SKIPPED: bubblewrap is not installed, or may not make namespaces");
        }
        is_possible.then_some(without)
    }

    fn project(&self) -> std::path::PathBuf {
        self.0.folder().join("project")
    }

    /// Has a shared memory of its own, so that nothing of it is left.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("sh");
        let sandbox = "bwrap --bind / / --dev-bind /dev /dev --bind shm /dev/shm --seccomp 3 3<filter";
        command.args(["-ec", &format!("mkdir -p shm; exec {sandbox} sh -ec 'cd project; {line}'")]);
        command.current_dir(self.0.folder()).env_remove("SLATE_BOARD");
        with_slate(&mut command);
        command
    }

    fn slate(&self, line: &str) -> Done {
        Done::from(self.command(&format!("exec slate {line}")).output().expect("run"))
    }
}

fn names(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("entry").file_name();
    let mut names: Vec<_> =
        fs::read_dir(folder).expect("list").map(|entry| name(entry).to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

const WHOLE: [&str; 5] = [".gitignore", "board.toml", "region", "region.bell", "region.lock"];

#[test]
fn without_files_that_have_no_name_or_without_a_careful_rename() {
    for missing in [&[NO_NAMELESS][..], &[NO_NAMELESS, NO_RENAME], &[NO_NAMELESS, NO_LINK], &[NO_RENAME]] {
        let Some(without) = Without::new(missing) else { return };
        without.slate("init --placement project --capacity 8M").ok();
        without.slate("init").fails(1, &["already exists"]);
        without.slate("put k v").ok();
        assert_eq!(without.slate("get k").ok(), "v\n");
        assert_eq!(names(&without.project().join(".slate")), WHOLE);
        without.slate("init --replace --capacity 8M").ok();
        without.slate("get k").fails(3, &[]);
        assert_eq!(names(&without.project().join(".slate")).len(), 5);
        // A creator that was killed leaves its temporary file.
        let left = without.project().join(".slate/.region.0123456789abcdef.new");
        fs::write(&left, "half").expect("file");
        without.slate("init --ensure").ok();
        assert!(!left.exists());
    }
}

#[test]
fn without_hard_links_and_without_a_careful_rename_a_region_is_refused() {
    let Some(without) = Without::new(&[NO_NAMELESS, NO_RENAME, NO_LINK]) else { return };
    let words = ["neither hard links nor", "--placement memory"];
    without.slate("init --placement project --capacity 8M").fails(7, &words);
    assert_eq!(names(&without.project().join(".slate")), [".gitignore"], "nothing is left of it");
    without.slate("get k").fails(9, &["slate init"]);
}

#[test]
fn without_locks_of_folders() {
    for placement in ["memory", "project"] {
        let Some(without) = Without::new(&[NO_LOCKS]) else { return };
        without.slate(&format!("init --placement {placement} --capacity 8M")).ok();
        without.slate("put k v").ok();
        without.slate("init").fails(1, &["already exists"]);
        without.slate("init --ensure").ok();
        assert_eq!(without.slate("get k").ok(), "v\n");
        without.slate("init --replace --capacity 8M").ok();
        without.slate("get k").fails(3, &[]);
    }
}

/// Runs a script beside two new file systems of this kind, mounted at `one` and `other`; `None` if that cannot be done here.
fn with_disks(kind: &str, script: &str) -> Option<Done> {
    let place = Place::empty();
    let make = format!(
        "for disk in one other; do mkdir $disk; truncate -s 64M $disk.img; \
         PATH=$PATH:/sbin:/usr/sbin mkfs.{kind} -q -F -I 128 $disk.img 2>/dev/null; mount -o loop $disk.img $disk; done"
    );
    let run = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-ec", script]).current_dir(place.folder()).env_remove("SLATE_BOARD");
        with_slate(&mut command).output()
    };
    if !run(&make).is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: this process may not mount a file");
        return None;
    }
    let again = "for disk in one other; do mount -o loop $disk.img $disk; done; mount -t tmpfs none /dev/shm";
    Some(Done::from(run(&format!("{again}; {script}")).expect("run")))
}

#[test]
fn a_folder_without_a_birth_time() {
    for placement in ["memory", "project"] {
        let make = format!(
            "mkdir one/p; cd one/p; slate init --placement {placement} --capacity 8M --quiet; slate put k v --quiet; cd ../.."
        );
        let Some(done) = with_disks("ext4", &format!("{make}; mv one/p one/q; cd one/q; slate get k")) else {
            return;
        };
        assert_eq!(done.ok(), "v\n", "a renamed folder is the same");
        // The copies have the inode number of the original, as the first of their file systems.
        for copy in [
            "cp -a one/p one/q; cd one/q",
            "mkdir other/p; cp -a one/p/.slate other/p/; [ $(stat -c %i one/p/.slate) = $(stat -c %i other/p/.slate) ]; cd other/p",
        ] {
            let done = with_disks("ext4", &format!("{make}; {copy}; slate get k")).expect("mounted");
            done.fails(9, &["this folder is a copy of it", "slate init --adopt"]);
            let adopt = "slate init --adopt --capacity 8M --quiet; slate put k copied --quiet; slate get k";
            let done = with_disks("ext4", &format!("{make}; {copy}; {adopt}")).expect("mounted");
            assert_eq!(done.ok(), "copied\n");
        }
    }
}

#[test]
fn a_file_system_that_reserves_no_pages() {
    let refused = "cd one; slate init --placement project --capacity 8M";
    let Some(done) = with_disks("ext2", refused) else { return };
    done.fails(7, &["does not support fallocate", "--placement memory"]);
    let left = with_disks("ext2", &format!("({refused}) 2>/dev/null || ls -A one/.slate")).expect("mounted");
    assert_eq!(left.ok(), ".gitignore\n", "nothing is left of it");
    let script = "cd one; slate init --capacity 8M --quiet; slate put k v --quiet; slate get k";
    assert_eq!(with_disks("ext2", script).expect("mounted").ok(), "v\n");
}
