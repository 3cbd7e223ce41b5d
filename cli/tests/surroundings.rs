//! Surroundings in which a process does not see the project's board as the others do, each made for real by mounts and
//! namespaces: a private shared memory, another boot or machine, overlays, read-only and bind mounts, other users, and what
//! becomes of a project that is copied, renamed or moved.
//!
//! They need the right to mount. Without it, the tests say that they are skipped. `file_systems.rs` has those of the file
//! system itself.

mod common;

use common::{Done, InMemory, Place, command_in, with_slate};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// Runs a shell script in this folder, in a mount namespace of its own: `None` if this process may not make one.
fn within(folder: &Path, script: &str) -> Option<Done> {
    let is_possible = Command::new("unshare").args(["-m", "true"]).output();
    if !is_possible.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: this process may not make a mount namespace");
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-ec", script]).current_dir(folder).env_remove("SLATE_BOARD");
    Some(Done::from(with_slate(&mut command).output().expect("run")))
}

fn reason(done: &Done) -> String {
    let document: serde_json::Value = serde_json::from_str(&done.out).expect("one document");
    assert_eq!(document["reachable"], false, "{document}");
    document["reason"].as_str().expect("a reason").to_owned()
}

#[test]
fn a_private_shared_memory() {
    let board = InMemory::new();
    board.place.slate("put k v").ok();
    let private = "mount -t tmpfs none /dev/shm";
    for line in ["get k", "put k w", "init", "init --ensure", "init --replace", "init --replace --force"] {
        let Some(done) = within(&board.place.folder(), &format!("{private}; slate {line}")) else { return };
        done.fails(9, &["sandbox", "--placement project"]);
    }
    let done = within(&board.place.folder(), &format!("{private}; slate where --json")).expect("run");
    assert_eq!((done.status, reason(&done).as_str()), (9, "hidden"));
    let done = within(&board.place.folder(), &format!("{private}; ls /dev/shm")).expect("run");
    assert_eq!(done.ok(), "", "no second board");
    assert_eq!(board.place.slate("get k").ok(), "v\n");
}

#[test]
fn another_boot_and_another_machine() {
    let board = InMemory::new();
    board.place.slate("put k v").ok();
    let folder = board.place.folder();
    fs::write(folder.join("boot"), "00000000-0000-0000-0000-000000000001\n").expect("file");
    fs::write(folder.join("machine"), "00000000000000000000000000000001\n").expect("file");
    fs::write(folder.join("none"), "\n").expect("file");
    let boot = "mount --bind boot /proc/sys/kernel/random/boot_id";
    let Some(done) = within(&folder, &format!("{boot}; slate get k")) else { return };
    done.fails(9, &["restarted", "--replace"]);
    if !Path::new("/etc/machine-id").exists() {
        return;
    }
    let other = format!("{boot}; mount --bind machine /etc/machine-id");
    for line in ["get k", "init --ensure", "init --replace"] {
        within(&folder, &format!("{other}; slate {line}"))
            .expect("run")
            .fails(9, &["another machine", "--force"]);
    }
    let nameless =
        format!("{boot}; mount --bind none /etc/machine-id; mount --bind none /proc/sys/kernel/hostname");
    let done = within(&folder, &format!("{nameless}; slate where --json")).expect("run");
    assert_eq!((done.status, reason(&done).as_str()), (9, "other_boot"));
    within(&folder, &format!("{nameless}; slate init --replace")).expect("run").fails(9, &["--force"]);
    // A container has a machine id of its own, and the same boot.
    let container = "mount --bind machine /etc/machine-id; slate get k";
    assert_eq!(within(&folder, container).expect("run").ok(), "v\n");
}

/// Mounts an overlay over the folder `below` at `over`. The upper layer is in memory.
const OVERLAY: &str = "mkdir -p over layers; mount -t tmpfs none layers; mkdir layers/upper layers/work; \
                       mount -t overlay none -o lowerdir=below,upperdir=layers/upper,workdir=layers/work over; cd over";

#[test]
fn the_lower_layer_of_an_overlay() {
    let root = Place::empty();
    let below = root.folder().join("below");
    fs::create_dir(&below).expect("folder");
    let run = |line: &str| Done::from(command_in(&below, line.split(' ')).output().expect("run"));
    run("init --placement project --capacity 8M").ok();
    run("put k below").ok();
    for line in ["get k", "put k over", "init", "init --ensure"] {
        let Some(done) = within(&root.folder(), &format!("{OVERLAY}; slate {line}")) else { return };
        done.fails(9, &["overlay", "slate init --adopt"]);
    }
    let adopted = "slate init --adopt --capacity 8M --quiet; slate put k over --quiet; slate get k";
    assert_eq!(within(&root.folder(), &format!("{OVERLAY}; {adopted}")).expect("run").ok(), "over\n");
    assert_eq!(run("get k").ok(), "below\n");
}

#[test]
fn an_overlay_over_a_project_whose_board_is_in_memory() {
    let root = Place::empty();
    let below = root.folder().join("below");
    fs::create_dir(&below).expect("folder");
    let run = |line: &str| Done::from(command_in(&below, line.split(' ')).output().expect("run"));
    let document = run("init --capacity 8M --json").json();
    let shared = "slate put k over --quiet; slate where --json";
    if let Some(done) = within(&root.folder(), &format!("{OVERLAY}; {shared}")) {
        assert_eq!(done.json()["uuid"], document["uuid"]);
        assert_eq!(run("get k").ok(), "over\n");
    }
    common::remove(Path::new(document["path"].as_str().expect("path")));
}

#[test]
fn a_read_only_mount_can_be_read() {
    let place = Place::with_board();
    place.slate("put k v").ok();
    let read_only = "mount --bind . /mnt; mount -o remount,ro,bind /mnt; cd /mnt";
    let Some(done) = within(&place.folder(), &format!("{read_only}; slate get k")) else { return };
    assert_eq!(done.ok(), "v\n");
    let done = within(&place.folder(), &format!("{read_only}; slate where --json")).expect("run").json();
    assert_eq!((&done["reachable"], &done["writable"]), (&true.into(), &false.into()));
    let done = within(&place.folder(), &format!("{read_only}; slate init --ensure --json")).expect("run");
    assert_eq!(done.json()["created"], false);
    within(&place.folder(), &format!("{read_only}; slate put k w")).expect("run").fails(1, &["writable"]);
}

#[test]
fn a_bind_mount_is_the_same_project() {
    let place = Place::with_board();
    let script = "mount --bind . /mnt; cd /mnt; slate put k bound --quiet; slate where --json";
    let Some(done) = within(&place.folder(), script) else { return };
    assert_eq!(done.json()["uuid"], place.slate("where --json").json()["uuid"]);
    assert_eq!(place.slate("get k").ok(), "bound\n");
}

#[test]
fn a_project_that_was_moved_to_another_file_system() {
    let root = Place::empty();
    let script = "mkdir disk project; mount -t tmpfs none disk; cd project; \
                  slate init --placement project --capacity 8M --quiet; cd ..; mv project disk/; cd disk/project; \
                  slate get k";
    let Some(done) = within(&root.folder(), script) else { return };
    done.fails(9, &["moved from another file system", "slate init --adopt"]);
}

/// A sandbox with a shared memory, processes and a `/dev` of its own. The folder of the project is writable in it.
const SANDBOX: &str =
    "bwrap --ro-bind / / --dev /dev --proc /proc --tmpfs /dev/shm --unshare-pid --bind \"$PWD\" \"$PWD\"";

/// Whether there is such a sandbox here.
fn has_sandbox() -> bool {
    let place = Place::empty();
    let tried =
        Command::new("sh").args(["-c", &format!("{SANDBOX} true")]).current_dir(place.folder()).output();
    let is_there = tried.is_ok_and(|output| output.status.success());
    if !is_there {
        eprintln!("SKIPPED: bubblewrap is not installed, or may not make namespaces");
    }
    is_there
}

/// Runs the command in a sandbox.
fn sandboxed(folder: &Path, line: &str) -> Done {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {SANDBOX} slate {line}")]).current_dir(folder);
    with_slate(command.env_remove("SLATE_BOARD"));
    Done::from(command.output().expect("run"))
}

#[test]
fn a_sandbox_and_the_processes_outside_share_a_board_in_the_project() {
    if !has_sandbox() {
        return;
    }
    let place = Place::with_board();
    let (folder, here) = (place.folder(), place.slate("where --json").json());
    let inside = sandboxed(&folder, "where --json").json();
    assert_eq!((&inside["uuid"], &inside["reachable"]), (&here["uuid"], &true.into()));
    sandboxed(&folder, "put k inside --quiet").ok();
    assert_eq!(place.slate("get k").ok(), "inside\n");
    // A process inside sees an event outside, whether or not it waits for it already.
    let waiting = std::thread::spawn({
        let folder = folder.clone();
        move || sandboxed(&folder, "wait word --newer-than 0 --timeout 60s").ok()
    });
    place.slate("put word outside --quiet").ok();
    assert_eq!(waiting.join().expect("ended"), "outside\n");
    // A session inside lives for the processes outside, and ends for them.
    let mut held = Command::new("sh");
    held.args(["-c", &format!("exec {SANDBOX} slate run --name inside -- sh -c 'echo ready; read line'")]);
    with_slate(held.current_dir(&folder).env_remove("SLATE_BOARD"));
    let mut held = held.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("run");
    let mut ready = String::new();
    let output = held.stdout.as_mut().expect("output");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut ready).expect("line");
    let sessions = place.slate("sessions --json").json();
    assert_eq!(
        (&sessions["sessions"][0]["name"], &sessions["sessions"][0]["liveness"]),
        (&"inside".into(), &"alive".into())
    );
    place.slate("init --replace").fails(1, &["in use", "inside"]);
    drop(held.stdin.take());
    held.wait().expect("ended");
    assert_eq!(place.slate("sessions --json").json()["sessions"], serde_json::json!([]));
}

#[test]
fn a_sandbox_is_told_that_it_does_not_see_the_memory_of_the_others() {
    if !has_sandbox() {
        return;
    }
    let board = InMemory::new();
    board.place.slate("put k v --quiet").ok();
    let folder = board.place.folder();
    for line in ["get k", "put k w", "init --ensure", "init --replace", "init --replace --placement project"]
    {
        sandboxed(&folder, line).fails(9, &["private /dev/shm", "--replace --force --placement project"]);
    }
    assert_eq!(board.place.slate("get k").ok(), "v\n");
    // What the message says: afterwards all share a board in the project.
    sandboxed(&folder, "init --replace --force --placement project --capacity 8M --quiet").ok();
    sandboxed(&folder, "put k both --quiet").ok();
    assert_eq!(board.place.slate("get k").ok(), "both\n");
}

#[test]
fn a_reader_behind_a_read_only_mount_is_a_user_of_the_board() {
    let place = Place::with_board();
    place.slate("put k v --quiet").ok();
    let script = "seen=$(mktemp); mount --bind . /mnt; mount -o remount,ro,bind /mnt; \
                  (cd /mnt; exec slate watch --since 0 >$seen) & \
                  while ! [ -s $seen ]; do sleep 0.01; done; rm $seen; \
                  ! slate init --replace --capacity 8M; kill $!; wait $! || :; \
                  slate init --replace --capacity 8M --quiet";
    let Some(done) = within(&place.folder(), script) else { return };
    assert_eq!(done.status, 0, "{done:?}");
    assert!(done.err.contains("in use") && done.err.contains("reads it"), "{done:?}");
}

#[test]
fn a_copy_a_renamed_project_and_a_linked_folder() {
    let root = Place::empty();
    let run = |folder: &str, line: &str| {
        Done::from(command_in(&root.folder().join(folder), line.split(' ')).output().expect("run"))
    };
    let shell = |line: &str| {
        let done = Command::new("sh").args(["-ec", line]).current_dir(root.folder()).output().expect("run");
        assert!(done.status.success(), "{done:?}");
    };
    for placement in ["project", "memory"] {
        shell("mkdir p");
        let made = run("p", &format!("init --placement {placement} --capacity 8M --json")).json();
        run("p", "put k v --quiet").ok();
        shell("cp -a p copy; mkdir linked; ln -s ../p/.slate linked/.slate");
        for line in ["get k", "put k w", "init", "init --ensure"] {
            run("copy", line).fails(9, &["this folder is a copy of it", "slate init --adopt"]);
        }
        run("copy", "init --adopt --capacity 8M --quiet").ok();
        run("copy", "put k copied --quiet").ok();
        assert_eq!(run("p", "get k").ok(), "v\n", "{placement}");
        run("linked", "put k linked --quiet").ok();
        assert_eq!(run("p", "get k").ok(), "linked\n", "{placement}");
        shell("mv p renamed");
        assert_eq!(run("renamed", "get k").ok(), "linked\n", "{placement}");
        assert_eq!(run("renamed", "where --json").json()["uuid"], made["uuid"]);
        run("linked", "get k").fails(7, &["dangling symbolic link"]);
        for folder in ["renamed", "copy"] {
            let found = run(folder, "where --json").json();
            if placement == "memory" {
                common::remove(Path::new(found["path"].as_str().expect("path")));
            }
        }
        shell("rm -r renamed copy linked");
    }
}

#[test]
fn other_users() {
    let place = Place::with_board();
    place.slate("put k v").ok();
    let Some(done) = within(&place.folder(), "exec unshare --user --map-user=1000 slate get k") else {
        return;
    };
    assert_eq!(done.ok(), "v\n", "the same user under another id");
    let unmapped = within(&place.folder(), "exec unshare --user slate get k").expect("run");
    unmapped.fails(7, &["does not map", "SLATE_BOARD"]);
}

#[test]
fn a_lock_file_that_was_replaced_by_hand() {
    let place = Place::with_board();
    let lock = place.folder().join(".slate/region.lock");
    fs::rename(&lock, place.folder().join("aside")).expect("moved");
    fs::copy(place.folder().join("aside"), &lock).expect("copied");
    for line in ["put k v", "init", "init --ensure"] {
        place.slate(line).fails(9, &["lock file", "--force"]);
    }
    let done = place.slate("where --json");
    assert_eq!((done.status, reason(&done).as_str()), (9, "lock_replaced"));
    // Its users would not be found, because they hold the other file.
    place.slate("init --replace").fails(1, &["cannot determine", "lock file was replaced", "--force"]);
    // What is on it can be read.
    place.slate("get k").fails(3, &[]);
    assert!(place.slate("status").out.contains("no session can attach"));
    fs::rename(place.folder().join("aside"), &lock).expect("moved back");
    place.slate("get k").fails(3, &[]);
}

#[test]
fn a_board_whose_project_was_removed_is_found_and_removed() {
    let board = InMemory::new();
    let uuid = board.region.parent().and_then(Path::file_name).expect("uuid").to_string_lossy().into_owned();
    let row = |line: &str| {
        let document = Place::empty().slate(line).json();
        let boards = document["boards"].as_array().expect("boards").clone();
        boards.into_iter().find(|board| board["uuid"] == uuid.as_str())
    };
    assert_eq!(row("boards --json").expect("listed")["ownership"], "owned");
    board.place.slate(&format!("boards {uuid} --remove")).fails(1, &["belongs to a project"]);
    board.place.slate("boards --remove").fails(2, &["--orphaned"]);
    fs::remove_dir_all(board.place.folder().join(".slate")).expect("removed");
    let orphan = row("boards --orphaned --json").expect("listed");
    assert_eq!((&orphan["ownership"], &orphan["in_use"]), (&"orphaned".into(), &false.into()));
    let session = slateboard::Board::open(&board.region).expect("board").attach("busy").expect("session");
    board.place.slate(&format!("boards {uuid} --remove")).fails(1, &["busy", "in use"]);
    drop(session);
    board.place.slate(&format!("boards {uuid} --remove")).ok();
    assert!(!board.region.exists() && row("boards --json").is_none());
    board.place.slate(&format!("boards {uuid}")).fails(9, &["slate boards"]);
}

#[test]
fn a_renamed_project_that_was_used_is_no_orphan() {
    let root = Place::empty();
    let [first, second] = ["first", "second"].map(|name| root.folder().join(name));
    fs::create_dir(&first).expect("folder");
    let run =
        |folder: &Path, line: &str| Done::from(command_in(folder, line.split(' ')).output().expect("run"));
    let document = run(&first, "init --capacity 8M --json").json();
    fs::rename(&first, &second).expect("renamed");
    run(&second, "ls").ok();
    let boards = run(&second, "boards --json").json();
    let board =
        boards["boards"].as_array().expect("boards").iter().find(|board| board["uuid"] == document["uuid"]);
    assert_eq!(board.expect("listed")["ownership"], "owned");
    common::remove(Path::new(document["path"].as_str().expect("path")));
}

#[test]
fn the_settings_of_a_team() {
    let place = Place::empty();
    fs::write(
        place.folder().join("slate.toml"),
        "capacity = \"8M\"\nplacement = \"project\"\nsessions = 7\n",
    )
    .expect("file");
    let made = place.slate("init --ensure --json").json();
    assert_eq!((&made["sessions"], &made["placement"]), (&7.into(), &"project".into()));
    place.slate("init --ensure").ok();
    // An argument counts more than the settings.
    let done = place.slate("init --ensure --sessions 9 --json");
    assert!(done.err.contains("sessions is 7, and 9 was asked for"), "{done:?}");
    let document: serde_json::Value = serde_json::from_str(&done.out).expect("one document");
    assert_eq!((&document["created"], &document["differs"][0]["name"]), (&false.into(), &"sessions".into()));
    fs::write(place.folder().join("slate.toml"), "capacitiy = 1\n").expect("file");
    place.slate("init --ensure").fails(2, &["slate.toml", "capacitiy"]);
}
