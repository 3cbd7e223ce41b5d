//! Regions shared by processes: dead and stopped holders, forked children, full disks.
//!
//! The other processes are this test program again, running one of the `as_…` tests below, which do nothing
//! unless they are given a role.

use nix::sys::signal::kill;
use slateboard::{
    ErrorKind,
    layout::{Geometry, Shape},
    region::{
        self, Access, Doorbell, ForkPage, LockFile,
        futex::{self, WaitOutcome},
    },
    sync::Ordering,
};
use slateboard_kit::children::{Child, ROLE, forked, role, say, stay};
use std::{path::PathBuf, process::Command, time::Duration};

fn geometry() -> Geometry {
    Geometry::new(Shape::sized(1 << 20, 1024, 64, 4), 77).unwrap()
}

fn board() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board");
    region::create(&path, &geometry(), |_| {}).unwrap();
    (folder, path)
}

#[test]
fn as_holder() {
    let Some((path, _)) = role() else { return };
    let _certificate = LockFile::open(&path).unwrap().try_hold(7).unwrap().unwrap();
    say("holding");
    stay();
}

#[test]
fn a_killed_holder_is_dead_before_anybody_waits_for_it() {
    let (_folder, path) = board();
    let locks = LockFile::open(&path).unwrap();
    let mut holder = Child::start("as_holder", &path, "");
    assert!(holder.says("holding"));
    assert!(locks.is_held(7).unwrap() && locks.try_hold(7).unwrap().is_none());
    holder.kill();
    assert!(kill(holder.pid(), None).is_ok(), "a zombie still has its process id");
    assert!(!locks.is_held(7).unwrap());
    assert!(locks.try_hold(7).unwrap().is_some());
}

#[test]
fn a_stopped_holder_lives() {
    let (_folder, path) = board();
    let locks = LockFile::open(&path).unwrap();
    let mut holder = Child::start("as_holder", &path, "");
    assert!(holder.says("holding"));
    holder.stop();
    assert!(locks.is_held(7).unwrap() && locks.try_hold(7).unwrap().is_none());
    holder.go_on();
    holder.end_family();
    assert!(!locks.is_held(7).unwrap());
}

#[test]
fn as_parent() {
    let Some((path, _)) = role() else { return };
    let board = region::open(&path, Access::ReadWrite).unwrap();
    let (locks, mark) = (LockFile::open(&path).unwrap(), ForkPage::new().unwrap());
    let doorbell = Doorbell::open_or_create(&path, 3).unwrap();
    let certificate = locks.try_hold(7).unwrap().unwrap();
    let mut handles = Some((board, certificate, doorbell));
    assert!(!mark.in_child());
    forked(|| {
        let (board, certificate, doorbell) = handles.take().unwrap();
        let knows = mark.in_child();
        let empty = board.mapping.words().is_empty() && doorbell.flags().is_empty();
        let refused = locks.try_hold(8).is_err_and(|error| error.is_forked());
        // The name of the file would be among its mappings.
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let unmapped = !maps.contains(path.to_str().unwrap());
        drop((board, certificate, doorbell));
        // Handles of its own work, beside those that it inherited.
        let anew = LockFile::open(&path).unwrap().try_hold(9).unwrap();
        say(if knows && empty && refused && unmapped && anew.is_some() {
            "child well"
        } else {
            "child unwell"
        });
        stay();
    });
    stay();
}

#[test]
fn a_forked_child_has_neither_the_mapping_nor_the_certificate() {
    let (_folder, path) = board();
    let locks = LockFile::open(&path).unwrap();
    let mut parent = Child::start("as_parent", &path, "");
    assert_eq!(parent.hear("child ").as_deref(), Some("well"));
    assert!(locks.is_held(7).unwrap(), "the child's drop released the parent's certificate");
    assert!(locks.is_held(9).unwrap());
    parent.kill();
    assert!(locks.is_held(9).unwrap(), "the child lives on");
    assert!(!locks.is_held(7).unwrap(), "the child keeps the parent's certificate");
    parent.end_family();
    assert!(!locks.is_held(9).unwrap());
}

const CERTIFICATES: u64 = 200;

#[test]
fn as_parent_of_many() {
    let Some((path, _)) = role() else { return };
    let locks = LockFile::open(&path).unwrap();
    let certificates = std::thread::scope(|scope| {
        scope.spawn(|| (0..60).for_each(|_| assert!(forked(stay).as_raw() > 0)));
        let certificates: Vec<_> =
            (0..CERTIFICATES).map(|byte| locks.try_hold(byte).unwrap().unwrap()).collect();
        certificates
    });
    say("holding");
    stay();
    drop(certificates);
}

#[test]
fn no_child_keeps_a_certificate_taken_while_it_was_forked() {
    let (_folder, path) = board();
    let locks = LockFile::open(&path).unwrap();
    let mut parent = Child::start("as_parent_of_many", &path, "");
    assert!(parent.says("holding"));
    assert!((0..CERTIFICATES).all(|byte| locks.is_held(byte).unwrap()));
    parent.kill();
    let kept = || (0..CERTIFICATES).filter(|byte| locks.is_held(*byte).unwrap()).collect::<Vec<u64>>();
    // A child that was just forked has its copies until its handler has run.
    let released = (0..10_000).any(|_| {
        kept().is_empty() || {
            std::thread::sleep(Duration::from_millis(1));
            false
        }
    });
    assert!(released, "children keep {:?}", kept());
    parent.end_family();
}

#[test]
fn as_creator() {
    let Some((path, _)) = role() else { return };
    let _ = region::create(&path, &geometry(), |_| {
        say("filling");
        stay();
    });
}

#[test]
fn a_killed_creator_leaves_no_board_and_no_litter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board");
    let mut creator = Child::start("as_creator", &path, "");
    assert!(creator.says("filling"));
    creator.kill();
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(left, [folder.path().join("board.lock")]);
    assert!(region::open(&path, Access::ReadOnly).unwrap_err().is_not_found());
    region::create(&path, &geometry(), |_| {}).unwrap();
}

#[test]
fn as_sleeper() {
    let Some((path, _)) = role() else { return };
    let board = region::open(&path, Access::ReadOnly).unwrap();
    let word = &board.mapping.words()[slateboard::layout::header::GENERATION];
    say("sleeping");
    let outcome = futex::wait(word, 0, Duration::from_secs(60));
    say(if matches!(outcome, WaitOutcome::Woken | WaitOutcome::Changed) { "up" } else { "down" });
}

#[test]
fn a_reader_of_another_process_is_woken() {
    let (_folder, path) = board();
    let board = region::open(&path, Access::ReadWrite).unwrap();
    let word = &board.mapping.words()[slateboard::layout::header::GENERATION];
    let mut sleeper = Child::start("as_sleeper", &path, "");
    assert!(sleeper.says("sleeping"));
    std::thread::scope(|scope| {
        let waker = scope.spawn(|| {
            // Only a wake counts, so the word changes when nobody can sleep on its old value any more.
            while futex::wake_all(word) == 0 && word.load(Ordering::Relaxed) == 0 {
                std::thread::yield_now();
            }
        });
        let up = sleeper.says("up");
        word.store(1, Ordering::Relaxed);
        waker.join().unwrap();
        assert!(up);
    });
}

#[test]
fn as_tenant_of_a_small_disk() {
    let Some((path, _)) = role() else { return };
    let board = region::create(&path, &geometry(), |_| {}).unwrap();
    let extents = board.geometry.extents();
    let full = board.reserve_extents(0..extents, |_| {}).unwrap_err();
    assert_eq!(full.kind(), ErrorKind::Full);
    assert!(full.to_string().contains("the file system is full"), "{full}");
    assert!(full.to_string().starts_with(path.to_str().unwrap()), "{full}");
    let fixed = &board.mapping.words()[..board.geometry.fixed_words()];
    assert!(fixed.iter().any(|word| word.load(Ordering::Relaxed) != 0));
    let second = path.with_file_name("second");
    let error = region::create(&second, &geometry(), |_| {}).unwrap_err();
    assert!(error.is_full() && !second.exists(), "{error}");
    while Doorbell::open_or_create(&path, 1).is_ok() {
        std::fs::remove_file(path.with_file_name("board.bell")).unwrap();
        std::fs::write(path.with_file_name("filler"), vec![1; 1 << 20]).unwrap_err();
    }
    assert!(Doorbell::open_or_create(&path, 1).unwrap_err().is_full());
    say("survived");
}

#[test]
fn a_full_disk_is_an_error_and_never_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let fixed = geometry().fixed_words() * 8;
    let size = (fixed + (300 << 10)).next_multiple_of(4096);
    let script = r#"mount -t tmpfs -o "size=$1" none "$2" || exec echo "cannot mount"; shift 2; exec "$@""#;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", script, "sh", &size.to_string()]);
    command.arg(folder.path()).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "as_tenant_of_a_small_disk", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, folder.path().join("board"));
    let probe = Command::new("unshare").args(["--mount", "--map-root-user", "true"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine gives no mount namespace, so no small file system");
        return;
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("cannot mount") {
        eprintln!("skipped: no tmpfs can be mounted here");
        return;
    }
    assert!(text.contains("survived"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}
