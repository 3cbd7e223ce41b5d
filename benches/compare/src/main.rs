//! slateboard beside other ways to share state on one machine: the same work, in the same run.
//!
//! ```text
//! peers <peer> <work>       one work of one peer, in a process of its own; a JSON line a result
//! peers all                 everything, peers taking turns, for several rounds; then the tables
//!   --quick                 minutes; --smoke: seconds, to see that it works
//!   --write                 tables and plots into docs/, also after a quick run
//!   --peers a,b  --only W   some peers, some works
//! peers list                which peer does which work, and where a peer does less than we do
//! ```

mod all;
mod folder;
mod local;
mod pair;
mod peers;
mod plan;
mod report;
mod row;
mod wires;
mod works;

use plan::Plan;
use std::process::ExitCode;

const USAGE: &str = "\
usage: peers <peer> <work>         one work of one peer; a JSON line a result
       peers all                   everything, peers taking turns, for several rounds; writes tables and plots into docs/
         --quick | --smoke         minutes; seconds, to see that it works
         --write                   tables and plots after a quick run as well
         --peers a,b | --only W    some peers, some works
         --save F | --from F       keep the results; render kept ones
       peers list                  which peer does which work";

/// What goes wrong in a benchmark ends it.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["--role", role @ ..] => pair::play(role),
        [] | ["--help" | "-h" | "help", ..] | [_, "--help" | "-h", ..] => {
            println!("{USAGE}");
            Ok(())
        }
        ["list"] => {
            print!("{}", report::capabilities());
            Ok(())
        }
        ["all", options @ ..] => all::run(options),
        [peer, work, options @ ..] if !peer.starts_with('-') => single(peer, work, options),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One work of one peer: prints its rows.
fn single(peer: &str, work: &str, options: &[&str]) -> Outcome<()> {
    let plan = Plan::of(options)?;
    let folder = folder::Folder::new(plan::option(options, "--folder"))?;
    let rows = works::run(peer, work, &plan, &folder)?;
    for row in rows {
        println!("{}", serde_json::to_string(&row)?);
    }
    Ok(())
}
