//! The command under resource limits, and with outputs that are full, closed or without a reader. It names the limit, and
//! is never killed by a signal.

mod common;

use common::{Done, Place};
use std::{fs, process::Stdio};

impl Place {
    /// Runs the command in a shell, after the setup `before` and with the redirections `after`.
    fn shell(&self, before: &str, line: &str, after: &str) -> Done {
        let script = format!("{before}; exec \"$SLATE\" {line} {after}");
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script]).current_dir(self.folder()).env("SLATE", env!("CARGO_BIN_EXE_slate"));
        command.env_remove("SLATE_BOARD").env("NO_COLOR", "1").stdin(Stdio::null());
        // This fails if a signal killed the command, because there is no exit status then.
        Done::from(command.output().expect("run"))
    }

    /// A command that was refused leaves no session attached.
    #[track_caller]
    fn assert_nobody(&self) {
        assert!(self.slate("sessions").err.contains("no session is attached"));
    }
}

#[test]
fn too_few_descriptors_are_named() {
    let place = Place::with_board();
    place.slate("put k v").ok();
    let mut refused = 0;
    for line in ["put k w", "get k", "update n --add 1", "ls", "watch --timeout 1ms", "wait k --timeout 1ms"]
    {
        for limit in 4..16 {
            let done = place.shell(&format!("ulimit -n {limit}"), line, "");
            let good = done.status == 0 || done.status == 124;
            assert!(good || done.err.contains("RLIMIT_NOFILE"), "{limit}: {line}: {done:?}");
            refused += usize::from(!good);
            if limit == 15 {
                assert!(good, "{line}: {done:?}");
            }
        }
    }
    assert!(refused > 0);
    place.assert_nobody();
}

#[test]
fn files_that_may_not_grow_are_named() {
    let place = Place::with_board();
    place.slate("put k v").ok();
    for line in ["get k", "ls", "put k w", "status"] {
        let done = place.shell("ulimit -f 0", line, "> out");
        done.fails(1, &["RLIMIT_FSIZE"]);
    }
    assert_eq!(
        place.slate("get k").ok(),
        "w\n",
        "the put succeeded, although its receipt could not be printed"
    );
    let other = Place::empty();
    for limit in ["0", "1000"] {
        other
            .shell(&format!("ulimit -f {limit}"), "init --placement project --capacity 4M", "")
            .fails(1, &["RLIMIT_FSIZE"]);
    }
    assert!(!other.region().exists());
    other.slate("init --placement project --capacity 4M").ok();
}

#[test]
fn too_little_address_space_is_named() {
    let place = Place::with_board();
    place.slate("put k v").ok();
    // The smallest limit with which the program itself can be loaded.
    let loads = |&limit: &u32| {
        let script = format!("ulimit -v {limit}; exec \"$0\" --version");
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_slate")]);
        command.output().expect("run").status.success()
    };
    let least = (1..1000).map(|step| step * 500).find(loads).expect("it can be loaded");
    let mut refused = 0;
    for limit in (1..16).map(|step| least + step * 1000) {
        for line in ["put k w", "get k", "ls"] {
            let done = place.shell(&format!("ulimit -v {limit}"), line, "");
            assert!(done.status == 0 || done.err.contains("RLIMIT_AS"), "{limit}: {line}: {done:?}");
            refused += usize::from(done.status != 0);
        }
    }
    assert!(refused > 0);
    place.assert_nobody();
}

#[test]
fn an_output_that_is_full_is_told_and_one_that_nobody_reads_is_not() {
    let place = Place::with_board();
    for n in 0..200 {
        place.slate(&format!("put k/{n} v")).ok();
    }
    for line in ["get k/1", "get k/1 --raw", "ls", "status", "put k/1 w"] {
        place.shell(":", line, "> /dev/full").fails(1, &["standard output"]);
    }
    for line in ["ls", "log", "ls --long", "ls --json"] {
        // The pipe may have no reader any more when the command writes.
        let done = place.shell("exec 3>&1", &format!("{line} |"), "true");
        assert_eq!((done.status, done.err.as_str()), (0, ""), "{line}");
    }
}

#[test]
fn a_watch_ends_when_nobody_reads_it() {
    let place = Place::with_board();
    for line in ["watch", "log --follow"] {
        let mut child =
            place.command(line.split(' ')).stdout(Stdio::piped()).stdin(Stdio::null()).spawn().expect("run");
        drop(child.stdout.take());
        // Nothing is put meanwhile. If the command does not end, the test harness ends the test.
        assert!(child.wait().expect("ended").success(), "{line}");
    }
}

#[test]
fn closed_standard_descriptors_do_no_harm() {
    let place = Place::with_board();
    let before = fs::metadata(place.region()).expect("board").len();
    for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        place.shell(":", "put k v", closed);
        place.shell(":", "get missing", closed);
        place.shell(":", "no-such-command", closed);
    }
    assert_eq!(place.slate("get k").ok(), "v\n");
    assert_eq!(fs::metadata(place.region()).expect("board").len(), before);
}

/// Runs a script on a file system of `mib` MiB; `None` if this machine cannot mount one.
fn on_small_file_system(mib: u32, script: &str) -> Option<Done> {
    let folder = tempfile::tempdir().expect("folder");
    let mount =
        format!("mount -t tmpfs -o size={mib}m none . && cd \"$PWD\" || {{ echo cannot mount; exit 0; }}");
    let mut command = std::process::Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", &format!("{mount}; {script}")]);
    command.current_dir(folder.path()).env("SLATE", env!("CARGO_BIN_EXE_slate"));
    command.env_remove("SLATE_BOARD").env("NO_COLOR", "1").stdin(Stdio::null());
    let output = command.output().ok()?;
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if said.contains("cannot mount") || said.contains("unshare") {
        return None;
    }
    Some(Done::from(output))
}

#[test]
fn a_full_file_system_is_told() {
    let init = "\"$SLATE\" init --placement project --capacity 4M --keys 1000";
    let Some(done) = on_small_file_system(1, &format!("head -c 1000000 /dev/zero > fill; {init}")) else {
        eprintln!(
            "skipped: no small file system can be made here; init and put on a full one were not tried"
        );
        return;
    };
    done.fails(6, &["full"]);
    let puts = "for n in $(seq 400); do \"$SLATE\" put k/$n @value >/dev/null || exit $?; done";
    let script = format!(
        "head -c 60000 /dev/zero > value; {init} >/dev/null; head -c 90000000 /dev/zero > fill; {puts}"
    );
    on_small_file_system(6, &script).expect("as before").fails(6, &["file system is full"]);
}
