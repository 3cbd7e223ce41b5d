//! `fsck PATH`: checks the region file of a board at rest.

use slateboard_fsck::{RULES, Summary, check};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

const USAGE: &str = "\
Checks the region file of a board at rest, by its bytes alone.

Usage: fsck [--living RECORD,RECORD..] PATH
       fsck --rules

The board must be at rest: no call is under way, and dead sessions were reaped.
  --living  session records of the attached sessions, which may own private blocks
  --rules   list the rules

Exit status: 0 if the board is sound, after a summary of its contents; 1 if it is corrupt,
after one line for each finding; 2 if the file or the arguments are unusable.";

/// What the command line asks for.
enum Asked {
    Help,
    Rules,
    Check { path: PathBuf, living: Vec<u16> },
}

fn parse(mut arguments: lexopt::Parser) -> Result<Asked, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut path, mut living) = (None, Vec::new());
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Asked::Help),
            Long("rules") => return Ok(Asked::Rules),
            Long("living") => {
                let records = arguments.value()?.string()?;
                let number = |text: &str| {
                    text.parse().map_err(|_| format!("{text:?} is not the number of a session record"))
                };
                living = records.split(',').map(number).collect::<Result<_, _>>()?;
            }
            Value(place) if path.is_none() => path = Some(place.into()),
            _ => return Err(argument.unexpected()),
        }
    }
    let path = path.ok_or("the path of a region file is missing")?;
    Ok(Asked::Check { path, living })
}

fn main() -> ExitCode {
    match parse(lexopt::Parser::from_env()) {
        Ok(Asked::Help) => println!("{USAGE}"),
        Ok(Asked::Rules) => RULES.iter().for_each(|(name, what)| println!("{name:18} {what}")),
        Ok(Asked::Check { path, living }) => return run(&path, &living),
        Err(error) => return unusable(format!("fsck: {error}\n\n{USAGE}")),
    }
    ExitCode::SUCCESS
}

fn unusable(what: String) -> ExitCode {
    eprintln!("{what}");
    ExitCode::from(2)
}

fn run(path: &Path, living: &[u16]) -> ExitCode {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return unusable(format!("cannot read {}: {error}", path.display())),
    };
    let (words, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return unusable(format!("{} is not a region: its size is no multiple of 8 bytes", path.display()));
    }
    let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
    match check(&words, living) {
        Ok(summary) => print(&summary),
        Err(findings) => {
            findings.iter().for_each(|finding| println!("{finding}"));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn print(summary: &Summary) {
    let Summary { generation, floor, keys, events, blocks, sessions, longest_chain } = summary;
    let active = sessions.iter().filter(|session| session.active).count();
    println!("generation   {generation}, history from {}, {} events", floor + 1, events.len());
    println!("keys         {}, longest chain {longest_chain} buckets", keys.len());
    println!("sessions     {active} attached, {} records", sessions.len());
    println!("granules     {}", blocks.granules);
    let used = [
        ("live", blocks.live),
        ("history", blocks.history),
        ("tombstones", blocks.tombstones),
        ("buckets", blocks.buckets),
        ("pieces", blocks.pieces),
        ("private", blocks.private),
        ("free", blocks.free),
    ];
    for (name, granules) in used {
        println!("  {name:10} {granules}");
    }
}
