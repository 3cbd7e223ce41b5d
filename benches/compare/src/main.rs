//! slateboard beside other ways to share state on one machine: the same work, in the same run. And the board alone beside
//! raw limits, over the number of sessions, keys and waiters, the size of values, the length of the history.

mod all;
mod child;
mod folder;
mod local;
mod pair;
mod peers;
mod plan;
mod report;
mod row;
mod wires;
mod works;

use lexopt::prelude::*;
use plan::Plan;
use std::{ffi::OsString, path::PathBuf, process::ExitCode};

const USAGE: &str = "\
usage: peers all                   every work of every peer; prints tables, and writes tables and charts into docs/
         --quick | --smoke         takes minutes, with more noise | takes seconds, to see that it works
         --write                   writes into docs/ after a quick run as well, or what --from reads
         --peers A,B               these peers only; names without commas, like \"slateboard scrub\"
         --only A,B                works whose names have one of these texts in them
         --rounds N                so many rounds
         --save FILE               writes the figures into FILE, one JSON object a line; other works in it stay
         --from FILE               reads figures from FILE instead of measuring
       peers PEER WORK             one work of one peer; prints one JSON object for each result
       peers list                  which peer does which work, and where a peer does less than the board";

/// An error ends the program; boards and child processes end with what holds them.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The options of the command line.
struct Options {
    plan: Plan,
    write: bool,
    peers: Option<String>,
    only: Option<String>,
    save: Option<PathBuf>,
    from: Option<PathBuf>,
    /// Where a single work keeps its files: for processes that `peers all` starts.
    folder: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let [role, rest @ ..] = arguments.as_slice()
        && role == "--role"
    {
        let rest: Option<Vec<&str>> = rest.iter().map(|text| text.to_str()).collect();
        return child::play(&rest.ok_or("a role's arguments are not text")?);
    }
    let Some((words, options)) = parse(lexopt::Parser::from_args(arguments))? else {
        println!("{USAGE}");
        return Ok(());
    };
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => {
            print!("{}", report::capabilities());
            Ok(())
        }
        ["all"] => all::run(&options),
        [peer, work] => single(peer, work, &options),
        _ => Err(format!("unknown arguments {words:?}\n{USAGE}").into()),
    }
}

/// The words and the options; `None` where help is wanted.
fn parse(mut parser: lexopt::Parser) -> Outcome<Option<(Vec<String>, Options)>> {
    let mut words = Vec::new();
    let (mut flag, mut rounds) = (None, None);
    let plan = Plan::of(None);
    let mut options =
        Options { plan, write: false, peers: None, only: None, save: None, from: None, folder: None };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("quick") => flag = Some("--quick"),
            Long("smoke") => flag = Some("--smoke"),
            Long("rounds") => rounds = Some(parser.value()?.parse()?),
            Long("write") => options.write = true,
            Long("peers") => options.peers = Some(parser.value()?.string()?),
            Long("only") => options.only = Some(parser.value()?.string()?),
            Long("save") => options.save = Some(parser.value()?.into()),
            Long("from") => options.from = Some(parser.value()?.into()),
            Long("folder") => options.folder = Some(parser.value()?.into()),
            Long("help") | Short('h') => return Ok(None),
            Value(word) => words.push(word.string()?),
            other => return Err(format!("{}\n{USAGE}", other.unexpected()).into()),
        }
    }
    options.plan = Plan::of(flag);
    options.plan.rounds = rounds.unwrap_or(options.plan.rounds);
    Ok((!words.is_empty() && words[0] != "help").then_some((words, options)))
}

/// One work of one peer: prints its rows.
fn single(peer: &str, work: &str, options: &Options) -> Outcome<()> {
    if options.folder.is_some() {
        child::end_with_parent();
    }
    let folder = folder::Folder::new(options.folder.as_deref())?;
    for row in works::run(peer, work, &options.plan, &folder)? {
        println!("{}", serde_json::to_string(&row)?);
    }
    Ok(())
}
