//! `fsck PATH`: checks a board that nobody is using.

use slateboard_fsck::{RULES, Summary, check};
use std::process::ExitCode;

const USAGE: &str = "\
Checks the region file of a board at rest, by its bytes alone.

Usage: fsck [--living RECORD,RECORD..] PATH
       fsck --rules

The board must be at rest: no call is under way, and whoever died was reaped.
  --living  records of attached sessions, which may keep private blocks
  --rules   lists what is checked
Prints what the board holds and exits with 0; with findings, prints them and exits with 1;
with 2 where the file cannot be read or the arguments cannot be understood.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--help" | "-h"] => say(USAGE),
        ["--rules"] => RULES.iter().for_each(|(name, what)| println!("{name:18} {what}")),
        ["--living", records, path] => {
            return living(records).map_or_else(unusable, |living| run(path, &living));
        }
        [path] if !path.starts_with('-') => return run(path, &[]),
        _ => return unusable(USAGE.to_owned()),
    }
    ExitCode::SUCCESS
}

fn say(text: &str) {
    println!("{text}");
}

fn unusable(what: String) -> ExitCode {
    eprintln!("{what}");
    ExitCode::from(2)
}

fn living(records: &str) -> Result<Vec<u16>, String> {
    let number = |text: &str| text.parse().map_err(|_| format!("{text:?} is no session record"));
    records.split(',').map(number).collect()
}

fn run(path: &str, living: &[u16]) -> ExitCode {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return unusable(format!("{path} cannot be read: {error}")),
    };
    let (words, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return unusable(format!("{path} is no region: it ends within a word"));
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
