//! `slate demo`: several processes index a source tree on one board, some of them are killed, and no update may be lost.
//!
//! The coordinator ([`coordinator`]) puts one task for each file. Agents ([`mod@agent`]) claim tasks by compare-and-swap,
//! summarize files ([`index`]) and count finished tasks. The coordinator reads the whole history as it happens ([`audit`])
//! and kills agents that hold a claim ([`team`]). At the end it compares the board with a sequential pass, and the history
//! with the updates that were acknowledged to the agents ([`verdict`]). After the work, it measures the time until another
//! process sees a put ([`latency`]), and does the same job with locked JSON files for comparison ([`baseline`]).

mod agent;
mod audit;
mod baseline;
mod coordinator;
mod index;
mod latency;
mod plan;
mod report;
mod scratch;
mod team;
mod tree;
mod verdict;

use crate::{
    args::{Demo, DemoAgent, DemoSweep, StoreArg},
    commands::Context,
    failure::{Failure, Status},
};
use std::{io::Read, process, thread};

/// The demo itself.
pub(crate) fn run(context: &Context, args: &Demo) -> Result<Status, Failure> {
    if context.globals.board.is_some() {
        return Err(Failure::usage(
            "--board: the demo creates a board of its own and removes it at the end; leave the option out",
        ));
    }
    if args.kill >= args.agents {
        return Err(Failure::usage(format!(
            "--kill {}: at least one of {} agents must survive to finish the work; use a smaller number",
            args.kill, args.agents
        )));
    }
    let report = coordinator::run(context, args)?;
    report.print(context)?;
    Ok(if report.is_good() { Status::Done } else { Status::Failed })
}

/// One agent process of the team.
pub(crate) fn agent(args: &DemoAgent) -> Result<Status, Failure> {
    end_with_coordinator();
    match args.store {
        StoreArg::Board => agent::run(args)?,
        StoreArg::OneFile => baseline::agent(args, baseline::Layout::OneFile)?,
        StoreArg::Shards => baseline::agent(args, baseline::Layout::Shards)?,
        StoreArg::Answers => latency::agent(args)?,
    }
    Ok(Status::Done)
}

/// The process that removes the demo's folder when the demo has ended, even if it was killed.
pub(crate) fn sweep(args: &DemoSweep) -> Result<Status, Failure> {
    scratch::sweep(&args.scratch)?;
    Ok(Status::Done)
}

/// Ends this process when the coordinator ends. Standard input is a pipe from the coordinator that carries no data; its end
/// of file shows that the coordinator has ended.
fn end_with_coordinator() {
    thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        process::exit(Status::Failed as i32);
    });
}
