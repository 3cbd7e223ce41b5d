//! A process that meets a limit of its own is told which one; it is not ended by a signal, and leaves nothing behind: no
//! session, no lock byte, no descriptor.
//!
//! The limited processes are this test program again, running one of the `as_…` tests below, which do nothing
//! unless they are given a role.
#![allow(unsafe_code, reason = "a descriptor is closed, as a careless program does")]

use nix::unistd::{Uid, setresgid, setresuid};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use slateboard::{Board, Error, PutOptions, Reader, Session};
use slateboard_kit::{
    children::{Child, role, say},
    judge,
    places::{TempDir, folder, memory_folder, small},
};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// The number of sessions of a board of [`small`].
const SESSIONS: usize = 8;

/// Runs a call under a limit, which is lifted afterwards.
fn under<T>(resource: Resource, limit: u64, call: impl FnOnce() -> T) -> T {
    let before = getrlimit(resource);
    setrlimit(resource, Rlimit { current: Some(limit), maximum: before.maximum }).unwrap();
    let outcome = call();
    setrlimit(resource, before).unwrap();
    outcome
}

/// Numbers of the open descriptors.
fn descriptors() -> Vec<u64> {
    let names = std::fs::read_dir("/proc/self/fd").unwrap();
    let mut numbers: Vec<u64> =
        names.map(|name| name.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
    numbers.sort_unstable();
    // The listing's own.
    numbers.pop();
    numbers
}

/// Everything that needs something of the system, in turn.
fn use_board(path: &Path) -> Result<(), Error> {
    let board = small().open(path)?;
    let session = board.attach("limited")?;
    session.put("x", b"1")?;
    assert_eq!(session.get("x")?.unwrap().value, b"1");
    let reader: Reader = board.read_only()?;
    assert_eq!(reader.list("x").into_vec()?.len(), 1);
    assert!(reader.watch("x").since(0).next_timeout(Duration::ZERO)?.is_some());
    Ok(())
}

/// Whatever was refused before, all records and their lock bytes are to be had.
fn assert_nothing_left(path: &Path) {
    let board = small().open(path).unwrap();
    assert!(board.sessions().unwrap().is_empty());
    let attach = |n| board.attach(&format!("s{n}")).unwrap();
    let sessions: Vec<Session> = (0..SESSIONS).map(attach).collect();
    drop(sessions);
}

/// Uses the board under a limit that is raised in steps until it is no longer met. Each refusal must name it; what was
/// refused.
fn raised_in_steps(path: &Path, resource: Resource, name: &str, from: u64, step: u64) -> Vec<String> {
    let mut refusals = Vec::new();
    for limit in (0..64).map(|number| from + number * step) {
        let before = descriptors();
        let outcome = under(resource, limit, || use_board(path));
        assert_eq!(descriptors(), before, "a descriptor is left behind");
        match outcome {
            Ok(()) => return refusals,
            Err(error) => refusals.push(error.to_string()),
        }
        assert!(refusals.iter().all(|text| text.contains(name)), "{refusals:?}");
    }
    panic!("under no limit: {refusals:?}");
}

/// Runs a role to its good end, and returns what it said.
fn limited(role: &str) -> String {
    let (_folder, path) = folder();
    small().create(&path).unwrap();
    let mut actor = Child::start(role, &path, "");
    let said = actor.hear("refused ").unwrap_or_else(|| panic!("{role} was ended"));
    assert!(actor.ends_well(), "{role}");
    judge::assert_sound(&path);
    said
}

#[test]
fn as_short_of_descriptors() {
    let Some((path, _)) = role() else { return };
    // Beginning with the standard descriptors alone: others that are open already stay so.
    let refusals = raised_in_steps(&path, Resource::Nofile, "RLIMIT_NOFILE", 3, 1);
    assert_nothing_left(&path);
    say(&format!("refused {}", refusals.len()));
}

#[test]
fn a_process_without_descriptors_is_told_so() {
    let refused: usize = limited("as_short_of_descriptors").parse().unwrap();
    assert!(refused >= 2, "opening and attaching: {refused}");
}

#[test]
fn as_short_of_address_space() {
    let Some((path, _)) = role() else { return };
    // Small pieces of memory that are free: they are not what this is about.
    let mut pieces: Vec<Option<Box<[u8; 2000]>>> = (0..2000).map(|_| Some(Box::new([1; 2000]))).collect();
    pieces.iter_mut().step_by(2).for_each(|piece| drop(piece.take()));
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = status.split_whitespace().next().unwrap().parse().unwrap();
    let refusals = raised_in_steps(&path, Resource::As, "RLIMIT_AS", pages * 4096, 1 << 18);
    assert_nothing_left(&path);
    drop(pieces);
    say(&format!("refused {}", refusals.len()));
}

#[test]
fn a_process_without_address_space_is_told_so() {
    assert_ne!(limited("as_short_of_address_space"), "0");
}

#[test]
fn as_limited_in_the_size_of_files() {
    let Some((path, _)) = role() else { return };
    let error = under(Resource::Fsize, 4096, || {
        // The board has its size already, so all its pages may be reserved.
        let session = small().open(&path).unwrap().attach("limited").unwrap();
        let put = |n: u32| session.put(&format!("fill/{n}"), [1; 10_000]);
        let error = (0..).map(put).find_map(Result::err).unwrap();
        assert!(error.is_full(), "{error}");
        session.remove("fill/0").unwrap();
        small().create(path.with_extension("other")).unwrap_err()
    });
    assert!(error.to_string().contains("RLIMIT_FSIZE"), "{error}");
    assert!(!path.with_extension("other").exists());
    std::fs::remove_file(path.with_extension("bell")).unwrap();
    let error = under(Resource::Fsize, 0, || small().open(&path).unwrap_err());
    assert!(error.to_string().contains("RLIMIT_FSIZE"), "{error}");
    assert_nothing_left(&path);
    say("refused it");
}

#[test]
fn a_process_that_may_not_make_large_files_is_told_so() {
    limited("as_limited_in_the_size_of_files");
}

#[test]
fn as_limited_in_processes() {
    if role().is_none() {
        return;
    }
    // The limit is not for the superuser.
    if Uid::effective().is_root() {
        let nobody = 65534;
        setresgid(nobody.into(), nobody.into(), nobody.into()).unwrap();
        setresuid(nobody.into(), nobody.into(), nobody.into()).unwrap();
    }
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let error = under(Resource::Nproc, 0, || board.attach("limited").unwrap_err());
    assert!(error.to_string().contains("RLIMIT_NPROC"), "{error}");
    // Who only reads needs no thread.
    under(Resource::Nproc, 0, || board.read_only().unwrap().list("").into_vec().unwrap());
    assert_nothing_left(&path);
    judge::assert_sound(&path);
    say("refused it");
}

#[test]
fn a_process_that_may_start_no_thread_is_told_so() {
    limited("as_limited_in_processes");
}

#[test]
fn as_limited_in_locked_memory() {
    let Some((path, _)) = role() else { return };
    under(Resource::Memlock, 0, || use_board(&path)).unwrap();
    say("refused it");
}

#[test]
fn no_memory_needs_to_be_locked() {
    limited("as_limited_in_locked_memory");
}

/// A control group with a limit on memory, which is removed at drop.
struct Group(PathBuf);

impl Group {
    /// `None` where this process may not make one.
    fn new(name: &str, bytes: u64) -> Option<Self> {
        let name = format!("slateboard-test-{name}-{}", std::process::id());
        [("memory", "memory.limit_in_bytes"), ("", "memory.max")].into_iter().find_map(|(mount, limit)| {
            let folder = Path::new("/sys/fs/cgroup").join(mount).join(&name);
            fs::create_dir(&folder).ok()?;
            let group = Self(folder);
            fs::write(group.0.join(limit), bytes.to_string()).ok()?;
            Some(group)
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A process that was just killed may still be leaving it.
        for _ in 0..1000 {
            match fs::remove_dir(&self.0) {
                Err(error) if error.kind() == std::io::ErrorKind::ResourceBusy => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                _ => break,
            }
        }
    }
}

/// Starts a role on a board in memory, in a group whose limit the board does not fit under.
fn start_in_group(role: &str) -> Option<(Group, TempDir, Child)> {
    let Some(group) = Group::new(role, 48 << 20) else {
        eprintln!("SKIPPED: this process may not make control groups that limit memory");
        return None;
    };
    let folder = memory_folder();
    let actor = Child::start(role, &folder.path().join("board"), group.0.to_str().unwrap());
    Some((group, folder, actor))
}

fn enter(group: &str) {
    fs::write(Path::new(group).join("cgroup.procs"), std::process::id().to_string()).unwrap();
}

#[test]
fn as_limited_in_memory() {
    let Some((path, group)) = role() else { return };
    enter(&group);
    let session = Board::options().create(&path).unwrap().attach("limited").unwrap();
    let put = |n: u32| session.put(&format!("fill/{n}"), vec![1; 500_000]);
    let error = (0..).map(put).find_map(Result::err).unwrap();
    assert!(error.is_full() && error.to_string().contains("memory limit of the control group"), "{error}");
    session.remove("fill/0").unwrap();
    assert_eq!(session.get("fill/1").unwrap().unwrap().value.len(), 500_000);
    session.put("small", "fits").unwrap();
    let error = Board::options().keys(4 << 20).create(path.with_extension("other")).unwrap_err();
    assert!(error.is_full() && error.to_string().contains("memory limit of the control group"), "{error}");
    say("refused it");
}

#[test]
fn a_board_beyond_the_memory_limit_is_refused_and_nobody_is_killed() {
    let Some((_group, folder, mut actor)) = start_in_group("as_limited_in_memory") else { return };
    assert!(actor.says("refused it") && actor.ends_well());
    judge::assert_sound(&folder.path().join("board"));
    assert!(!folder.path().join("other").exists());
}

#[test]
fn as_killed_for_its_memory() {
    let Some((path, group)) = role() else { return };
    enter(&group);
    let session = small().open(&path).unwrap().attach("greedy").unwrap();
    session.put_with("alive", "", PutOptions::new().ephemeral(true)).unwrap();
    say("attached");
    let pieces: Vec<Vec<u8>> = (0..200).map(|_| vec![1; 1 << 20]).collect();
    panic!("{} pieces are more than the limit", pieces.len());
}

#[test]
fn who_is_killed_for_its_memory_leaves_the_others_working() {
    let folder = memory_folder();
    let path = folder.path().join("board");
    let board = small().create(&path).unwrap();
    let Some(group) = Group::new("as_killed_for_its_memory", 48 << 20) else {
        eprintln!("SKIPPED: this process may not make control groups that limit memory");
        return;
    };
    let mut actor = Child::start("as_killed_for_its_memory", &path, group.0.to_str().unwrap());
    assert!(actor.says("attached") && actor.line().is_none_or(|line| !line.contains("pieces")));
    while !actor.has_ended() {
        std::thread::yield_now();
    }
    let ended = actor.status().unwrap().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(9), "{ended}");
    let session = board.attach("survivor").unwrap();
    session.put("key", "value").unwrap();
    assert!(session.get("alive").unwrap().is_none(), "what was bound to it ended");
    drop(session);
    judge::assert_sound(&path);
}

#[test]
fn as_without_standard_descriptors() {
    let Some((path, _)) = role() else { return };
    for descriptor in 0..3 {
        // SAFETY: nothing of this process uses the three but to print, which is what is tried here.
        unsafe { nix::libc::close(descriptor) };
    }
    let other = path.with_extension("made");
    let boards = [small().open(&path).unwrap(), small().create(&other).unwrap()];
    let sessions: Vec<Session> = boards.iter().map(|board| board.attach("careless").unwrap()).collect();
    let text = [b'!'; 4096];
    for descriptor in 0..3 {
        // SAFETY: the bytes are there; where the descriptor is none, the call fails.
        unsafe { nix::libc::write(descriptor, text.as_ptr().cast(), text.len()) };
    }
    for session in &sessions {
        session.put("x", b"1").unwrap();
    }
    drop(sessions);
    std::process::exit(0);
}

#[test]
fn what_a_program_prints_that_closed_its_output_does_not_go_into_the_board() {
    let (_folder, path) = folder();
    small().create(&path).unwrap();
    let mut careless = Child::start("as_without_standard_descriptors", &path, "");
    assert!(careless.ends_well());
    for path in [path.clone(), path.with_extension("made")] {
        let reader = small().open_read_only(&path).unwrap();
        assert_eq!(reader.get("x").unwrap().unwrap().value, b"1");
        judge::assert_sound(&path);
    }
}

#[test]
fn as_creator_whose_files_have_no_rights() {
    let Some((path, _)) = role() else { return };
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o777));
    use_board_of(&path);
    say("used");
}

fn use_board_of(path: &Path) {
    drop(small().create(path).unwrap());
    use_board(path).unwrap();
}

#[test]
fn the_files_of_a_board_are_their_users_whatever_the_umask_is() {
    let (folder, path) = folder();
    let mut creator = Child::start("as_creator_whose_files_have_no_rights", &path, "");
    assert!(creator.hear("used").is_some() && creator.ends_well());
    for name in ["board", "board.lock", "board.bell"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
