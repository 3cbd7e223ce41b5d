//! `slate demo`: processes index a source tree over one board, some are killed, and nothing may be lost.
//!
//! The coordinator ([`coordinator`]) puts a task for each file. Agents ([`mod@agent`]) claim tasks by
//! compare-and-swap, summarise files ([`index`]) and count what they did. The coordinator reads the whole
//! history as it happens ([`audit`]), kills agents that hold a claim ([`team`]), and at the end compares
//! with a sequential pass and with what the agents were told is written ([`verdict`]). How long a put takes to
//! be seen is measured when the work is done ([`latency`]). The same job over locked JSON files ([`baseline`])
//! gives the scale.

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
        return Err(Failure::usage("--board: the demo makes a board of its own and removes it at the end"));
    }
    if args.kill >= args.agents {
        return Err(Failure::usage(format!(
            "--kill {}: at least one of {} agents must survive to finish the work",
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

/// The process that removes the demo's folder when the demo is gone, however it went.
pub(crate) fn sweep(args: &DemoSweep) -> Result<Status, Failure> {
    scratch::sweep(&args.scratch)?;
    Ok(Status::Done)
}

/// Standard input is a pipe from the coordinator that never carries anything: its end is the
/// coordinator's end, and no agent may outlive that.
fn end_with_coordinator() {
    thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        process::exit(Status::Failed as i32);
    });
}
