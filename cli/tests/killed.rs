//! `slate init` is killed before each of its system calls that can change a file: between two of these, what it leaves is
//! the same. The next one finds what was left behind: afterwards the project has one
//! board that works, and no other file, neither in `.slate/` nor in shared memory.
//!
//! The tests run as users of their own, so that the folders of their boards in memory are theirs alone. Where this process
//! cannot become another user, only boards in the project's folder are tested.

mod common;

use common::{Done, Place};
use nix::{
    libc,
    sys::{
        ptrace,
        signal::{Signal, kill},
        wait::{WaitStatus, waitpid},
    },
    unistd::Pid,
};
use std::{
    ffi::OsString,
    fs,
    io::Write,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// A project of a user who has nothing else.
struct Own {
    place: Place,
    user: Option<u32>,
}

impl Own {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let place = Place::empty();
        // Relaxed: only the number counts.
        let user = 1_000_000_000 + std::process::id() * 8 + NUMBER.fetch_add(1, Ordering::Relaxed);
        let user = chown(place.folder(), Some(user), Some(user)).is_ok().then_some(user);
        Self { place, user }
    }

    /// The command as this user; its input is a pipe that holds a shell back until a line comes.
    fn command(&self, line: &str, held: bool) -> Command {
        let slate = self.place.command(line.split(' '));
        let mut command = match held {
            false => Command::new(slate.get_program()),
            true => Command::new("sh"),
        };
        if held {
            command.args(["-c", "read line; exec \"$@\"", "sh"]).arg(slate.get_program());
        }
        command
            .args(slate.get_args())
            .current_dir(self.place.folder())
            .env_remove("SLATE_BOARD")
            .env_remove("SLATE_SESSION");
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command.stdin(Stdio::null());
        command
    }

    fn slate(&self, line: &str) -> Done {
        Done::from(self.command(line, false).output().expect("run"))
    }

    fn memory(&self) -> PathBuf {
        Path::new("/dev/shm").join(format!("slate-{}", self.user.expect("a user of its own")))
    }

    /// Runs the command and kills it before the call of this number among those that can change a file. `false` if it ended
    /// by itself.
    fn kill_at(&self, line: &str, call: u32) -> bool {
        let mut command = self.command(line, true);
        let held = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut shell = held.spawn().expect("run");
        let process = Pid::from_raw(shell.id().try_into().expect("a process"));
        let options = ptrace::Options::PTRACE_O_EXITKILL
            | ptrace::Options::PTRACE_O_TRACEEXEC
            | ptrace::Options::PTRACE_O_TRACESYSGOOD;
        ptrace::seize(process, options).expect("traced");
        shell.stdin.take().expect("input").write_all(b"\n").expect("the shell reads");
        let was_killed = trace(process, call);
        // It was waited for already.
        let _ = shell.wait();
        was_killed
    }

    /// Checks that nothing is left beside the board, and that it works.
    fn check(&self, made: &serde_json::Value, what: &str) {
        let region = PathBuf::from(made["path"].as_str().expect("path"));
        let slate = self.place.folder().join(".slate");
        let name = region.file_name().expect("name").to_string_lossy().into_owned();
        let files = |more: &[&str]| {
            let mut files = [name.clone(), format!("{name}.bell"), format!("{name}.lock")].to_vec();
            files.extend(more.iter().map(|name| (*name).to_owned()));
            files.sort();
            files
        };
        self.slate("put works yes").ok();
        if region.starts_with(&slate) {
            assert_eq!(names(&slate), files(&[".gitignore", "board.toml"]), "{what}");
            assert!(self.user.is_none() || names(&self.memory()).is_empty(), "{what}");
        } else {
            assert_eq!(names(&slate), [".gitignore", "board.toml"], "{what}");
            let folder = region.parent().expect("folder");
            assert_eq!(
                names(&self.memory()),
                [folder.file_name().expect("name").to_string_lossy()],
                "{what}"
            );
            assert_eq!(names(folder), files(&["project.toml"]), "{what}");
        }
        assert_eq!(fs::read(slate.join(".gitignore")).expect("read"), b"*\n", "{what}");
    }

    fn clear(&self) {
        let _ = fs::remove_dir_all(self.place.folder().join(".slate"));
        if self.user.is_some() {
            let _ = fs::remove_dir_all(self.memory());
        }
    }

    /// Kills the command at each of its calls after these commands, and checks what the `next` one makes of what is left. The
    /// command's own number of calls is the number of rounds.
    fn kill_at_each(&self, before: &[&str], line: &str, next: &str) {
        for call in 1.. {
            self.clear();
            before.iter().for_each(|line| drop(self.slate(line).ok()));
            let was_killed = self.kill_at(line, call);
            let made = self.slate(next).json();
            self.check(&made, &format!("{line}, killed at call {call}"));
            if !was_killed {
                assert!(call > 20, "{call} calls");
                return;
            }
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Lets a traced shell become the command, and kills that before the call of this number.
fn trace(process: Pid, call: u32) -> bool {
    let (mut is_slate, mut is_inside, mut left) = (false, true, call);
    loop {
        let signal = match waitpid(process, None).expect("state") {
            WaitStatus::PtraceEvent(..) => {
                is_slate = true;
                None
            }
            // The first stop is the end of the call that started the program; then each call has two.
            WaitStatus::PtraceSyscall(_) => {
                is_inside = !is_inside;
                left -= u32::from(is_inside && changes_files(process));
                None
            }
            WaitStatus::Stopped(_, signal) => Some(signal),
            WaitStatus::Exited(_, status) => {
                assert!(is_slate, "{status}");
                return false;
            }
            other => panic!("{other:?}"),
        };
        if left == 0 {
            kill(process, Signal::SIGKILL).expect("killed");
            assert!(matches!(waitpid(process, None), Ok(WaitStatus::Signaled(_, Signal::SIGKILL, _))));
            return true;
        }
        match is_slate {
            true => ptrace::syscall(process, signal),
            false => ptrace::cont(process, signal),
        }
        .expect("goes on");
    }
}

/// Whether the call that the process is about to make can change a file. All others but these are taken for such calls.
fn changes_files(process: Pid) -> bool {
    let text = fs::read_to_string(format!("/proc/{process}/syscall")).expect("the call");
    let mut words = text.split(' ');
    let call: libc::c_long = words.next().and_then(|word| word.parse().ok()).expect("its number");
    let flags = words.nth(2).and_then(|word| i64::from_str_radix(word.strip_prefix("0x")?, 16).ok());
    let makes_file = i64::from(libc::O_CREAT | libc::O_TMPFILE & !libc::O_DIRECTORY);
    match call {
        libc::SYS_openat => flags.is_none_or(|flags| flags & makes_file != 0),
        libc::SYS_read
        | libc::SYS_pread64
        | libc::SYS_getdents64
        | libc::SYS_readlinkat
        | libc::SYS_lseek => false,
        libc::SYS_statx | libc::SYS_fstat | libc::SYS_newfstatat | libc::SYS_fstatfs | libc::SYS_statfs => {
            false
        }
        libc::SYS_mmap | libc::SYS_munmap | libc::SYS_mprotect | libc::SYS_madvise | libc::SYS_brk => false,
        // Locks end with the process, as its descriptors do.
        libc::SYS_close | libc::SYS_fcntl | libc::SYS_flock | libc::SYS_fsync | libc::SYS_faccessat => false,
        libc::SYS_rt_sigaction | libc::SYS_rt_sigprocmask | libc::SYS_sigaltstack | libc::SYS_futex => false,
        libc::SYS_getpid | libc::SYS_gettid | libc::SYS_getuid | libc::SYS_geteuid | libc::SYS_getrandom => {
            false
        }
        libc::SYS_set_tid_address | libc::SYS_set_robust_list | libc::SYS_rseq | libc::SYS_prlimit64 => false,
        _ => true,
    }
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let name = |name: OsString| name.to_string_lossy().into_owned();
    let mut names: Vec<_> = entries.map(|entry| name(entry.expect("entry").file_name())).collect();
    names.sort();
    names
}

/// A project of a user who may become another one.
fn with_memory() -> Option<Own> {
    let own = Own::new();
    if own.user.is_none() {
        eprintln!("SKIPPED: this process cannot become another user");
    }
    own.user.is_some().then_some(own)
}

/// The arguments of a small board.
const SMALL: &str = "--capacity 1M --keys 100 --placement";

#[test]
fn an_init_in_the_project() {
    let line = format!("init --ensure --json {SMALL} project");
    Own::new().kill_at_each(&[], &line, &line);
}

#[test]
fn an_init_in_memory() {
    let Some(own) = with_memory() else { return };
    let line = format!("init --ensure --json {SMALL} memory");
    own.kill_at_each(&[], &line, &line);
}

#[test]
fn a_replacement_in_the_project() {
    let [make, replace] = ["--ensure", "--replace"].map(|verb| format!("init {verb} --json {SMALL} project"));
    Own::new().kill_at_each(&[&make], &replace, &make);
}

#[test]
fn a_replacement_in_memory() {
    let Some(own) = with_memory() else { return };
    let [make, replace] = ["--ensure", "--replace"].map(|verb| format!("init {verb} --json {SMALL} memory"));
    own.kill_at_each(&[&make], &replace, &make);
}

#[test]
fn a_move_from_memory_to_the_project_and_back() {
    let Some(own) = with_memory() else { return };
    let [memory, project] = ["memory", "project"].map(|to| format!("init --replace --json {SMALL} {to}"));
    own.kill_at_each(&[&memory], &project, "init --ensure --json");
    own.kill_at_each(&[&project], &memory, "init --ensure --json");
}

#[test]
fn an_init_that_is_refused_cleans_up_too() {
    let place = Place::with_board();
    let slate = place.folder().join(".slate");
    for left in ["board.toml", ".gitignore", ".region", ".region.bell"] {
        fs::write(slate.join(format!("{left}.0123456789abcdef.new")), "half").expect("file");
    }
    fs::write(slate.join(".settled.0123456789abcdef"), "").expect("file");
    place.slate("init").fails(1, &["already exists"]);
    assert_eq!(names(&slate), [".gitignore", "board.toml", "region", "region.bell", "region.lock"]);
}
