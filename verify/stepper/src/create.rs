//! The scenario of a board that is being made: nobody sees it before it is whole.

use crate::{
    place::opens,
    run::{Options, Tally, keep},
    trace::{Did, Traced},
};
use slateboard::Board;
use slateboard_kit::{
    judge::sound,
    places::{memory_folder, words},
};
use std::{fs, os::unix::fs::MetadataExt, path::Path};

/// The board that is made.
pub fn options() -> slateboard::Options {
    Board::options().capacity(1 << 20).keys(64).history(64).sessions(4)
}

/// Steps a creator. After every instruction there is no file of that name, or a sound one. Others are really killed, at the
/// beginning and the end of each system call, and another creator makes the board or finds it. Between two system calls a
/// creator changes only a file without a name, which ends with it.
pub fn run(options: &Options) -> Tally {
    let mut tally = Tally::default();
    let folder = memory_folder();
    let path = folder.path().join("board");
    let mut child = ready(options, &path);
    let mut seen = None;
    loop {
        let did = child.step();
        tally.instructions += 1;
        let stands = fs::metadata(&path).ok().map(|file| (file.ino(), file.len()));
        if stands != seen {
            tally.images += 1;
            seen = stands;
            if let Err(what) = look(&path, options) {
                tally.failures.push(format!("after instruction {}: {what}", tally.instructions));
            }
        }
        if did == Did::Marker {
            break;
        }
    }
    if seen.is_none() {
        tally.failures.push("the board was never made".into());
    }
    drop(child);
    let (mut last, mut stops) = (Did::Step, 0);
    while last == Did::Step {
        let outcome;
        (last, outcome) = killed(stops, options);
        if let Err(what) = outcome {
            tally.failures.push(format!("killed after {stops} stops at system calls: {what}"));
        }
        tally.images += 1;
        stops += 1;
    }
    tally
}

fn ready(options: &Options, path: &Path) -> Traced {
    let mut child = Traced::start(&options.program, "create", path);
    assert_eq!(child.run(), Did::Marker, "the creator gets ready");
    child
}

/// The file of that name is a whole board.
fn look(path: &Path, options: &Options) -> Result<(), String> {
    let words = words(path).map_err(|error| error.to_string())?;
    sound(&words, &[]).inspect_err(|_| keep(options, &words, "create"))?;
    if opens(path) { Ok(()) } else { Err("it does not open".into()) }
}

/// Kills a creator after so many stops at system calls, tells what its last stop was, and judges what it leaves.
fn killed(stops: u64, run: &Options) -> (Did, Result<(), String>) {
    let folder = memory_folder();
    let path = folder.path().join("board");
    let mut child = ready(run, &path);
    let mut last = Did::Step;
    for _ in 0..stops {
        last = child.to_system_call();
    }
    child.kill();
    (last, survived(folder.path(), &path, run))
}

/// Another creator makes the board or finds it, two agree on one board, and no other file is left.
fn survived(folder: &Path, path: &Path, run: &Options) -> Result<(), String> {
    let told = |error: slateboard::Error| error.to_string();
    let first = options().open_or_create(path).map_err(told)?;
    let second = options().open_or_create(path).map_err(told)?;
    first.attach("first").map_err(told)?.put("task/1", "one").map_err(told)?;
    let found = second.reader().get("task/1").map_err(told)?;
    if found.is_none_or(|entry| entry.value != b"one") {
        return Err("two creators have two boards".into());
    }
    drop((first, second));
    look(path, run)?;
    let left: Vec<_> =
        fs::read_dir(folder).expect("the folder").flatten().map(|file| file.file_name()).collect();
    let ours =
        |name: &std::ffi::OsString| ["board", "board.lock", "board.bell"].iter().any(|known| name == known);
    match left.iter().find(|name| !ours(name)) {
        Some(litter) => Err(format!("{litter:?} is left behind")),
        None => Ok(()),
    }
}
