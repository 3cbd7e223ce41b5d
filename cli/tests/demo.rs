//! The demo with generated trees: no update is lost, and nothing is left behind.

mod common;

use common::Place;
use serde_json::Value;
use std::{
    ffi::OsStr, fs, os::unix::ffi::OsStrExt, os::unix::fs::symlink, path::PathBuf, thread, time::Duration,
};

fn tree(files: usize) -> Place {
    let place = Place::empty();
    for number in 0..files {
        let folder = place.folder().join(format!("src/part{}", number % 5));
        fs::create_dir_all(&folder).expect("folder");
        let content = format!("fn part_{number}() {{\n    let value = {number};\n    value\n}}\n")
            .repeat(1 + number % 40);
        fs::write(folder.join(format!("file{number}.rs")), content).expect("file");
    }
    place
}

/// The folder of the demo that this process coordinates. The name of the folder is random; the command line of the child
/// process that removes it shows the path.
fn scratch_of(pid: u32) -> Option<PathBuf> {
    let parent = format!("PPid:\t{pid}");
    fs::read_dir("/proc").expect("processes").flatten().find_map(|process| {
        let line = fs::read(process.path().join("cmdline")).ok()?;
        let mut arguments = line.split(|byte| *byte == 0).skip(1);
        let is_sweeper = arguments.next()? == b"demo-sweep";
        let folder = PathBuf::from(OsStr::from_bytes(arguments.next()?));
        let status = fs::read_to_string(process.path().join("status")).ok()?;
        (is_sweeper && status.lines().any(|line| line == parent)).then_some(folder)
    })
}

fn assert_good(report: &Value, files: u64, kills: u64) {
    assert_eq!(report["problems"], Value::Array(Vec::new()), "{report:#}");
    assert_eq!(report["equal"], true, "{report:#}");
    assert_eq!(report["lost_updates"], 0, "{report:#}");
    assert_eq!((&report["tasks"], &report["kills"]), (&files.into(), &kills.into()), "{report:#}");
    assert!(report["updates"].as_u64() >= Some(files * 5), "{report:#}");
    // The claim of a killed agent is taken over, unless its last, unacknowledged update finished the task.
    let settled = report["takeovers"].as_u64().unwrap_or(0) + report["in_flight"].as_u64().unwrap_or(0);
    assert!(settled >= kills, "{report:#}");
    let baselines = report["baselines"].as_array().expect("baselines");
    assert!(baselines.len() == 2 && baselines.iter().all(|baseline| baseline["equal"] == true), "{report:#}");
    for member in ["p50", "p99", "p999"] {
        assert!(report["sync_latency_ns"][member].is_u64(), "{report:#}");
    }
}

#[test]
fn one_of_three_is_killed_and_nothing_is_lost() {
    let place = tree(60);
    fs::write(place.folder().join(OsStr::from_bytes(b"not-utf8-\xff")), "x").expect("file");
    symlink(place.folder(), place.folder().join("loop")).expect("link");
    let mut demo = place.background("demo . --agents 3 --kill 1 --json");
    let mut scratch = None;
    while demo.is_running() && scratch.is_none() {
        scratch = scratch_of(demo.id());
    }
    let report: Value = serde_json::from_str(&demo.finish().ok()).expect("report");
    assert!(
        scratch.is_some_and(|folder| !folder.exists()),
        "the folder of the demo was not seen, or it stays"
    );
    assert_good(&report, 60, 1);
    assert_eq!((&report["files"], &report["skipped"]["not_keys"]), (&61.into(), &1.into()));
}

#[test]
fn a_tree_too_small_to_catch_an_agent_at_work() {
    for (files, agents, kills) in [(1, 2, 1), (2, 4, 3), (3, 1, 0)] {
        let place = tree(files);
        let line = format!("demo --agents {agents} --kill {kills} --json");
        let expected = kills.min(files as u64);
        assert_good(&place.slate(&line).json(), files as u64, expected);
    }
}

#[test]
fn the_table_says_what_matters() {
    let place = tree(10);
    let text = place.slate("demo --agents 2 --kill 0").ok();
    for word in [
        "files",
        "tasks",
        "updates",
        "conflicts",
        "retries",
        "kills",
        "takeovers",
        "lost updates",
        "equal",
        "p99.9",
        "JSON",
    ] {
        assert!(text.contains(word), "{word} is not in {text}");
    }
}

#[test]
fn what_cannot_be_demonstrated_is_refused() {
    let place = tree(2);
    place.slate("demo --agents 2 --kill 2").fails(2, &["survive"]);
    place.slate("demo --agents 0 --kill 0").fails(2, &["--agents"]);
    place.slate("demo --agents 100").fails(2, &["--agents"]);
    place.slate("demo --board x").fails(2, &["board of its own"]);
    place.slate("demo nowhere").fails(1, &["nowhere"]);
    Place::empty().slate("demo").fails(1, &["no files"]);
}

#[test]
fn a_killed_coordinator_leaves_nothing_behind() {
    let place = tree(2_000);
    let mut demo = place.background("demo --agents 2 --kill 0");
    let mut scratch = None;
    // The sweeper starts before the folder is created.
    while !scratch.as_ref().is_some_and(|folder: &PathBuf| folder.exists()) {
        assert!(demo.is_running(), "the demo ended before its folder was seen");
        scratch = scratch.or_else(|| scratch_of(demo.id()));
    }
    demo.kill();
    let folder = scratch.expect("folder");
    // The limit only turns a failure into a panic.
    for _ in 0..6_000 {
        if !folder.exists() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the folder of a killed demo stays: {}", folder.display());
}
