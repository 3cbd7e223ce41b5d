//! A whole command, from its start to its end, that prints one value.

use super::Run;
use crate::{
    Outcome,
    peers::{Peer, Shape, name, value},
    row::{Row, Unit, median},
};
use std::{process::Stdio, time::Instant};

/// Runs the command again and again, and checks what it prints.
pub fn run<P: Peer>(run: &Run<'_>) -> Outcome<Vec<Row>> {
    // `cat` prints all that there is: one value.
    let keys = if P::NAME == "JSON file" { 1 } else { 1_000 };
    let peer = P::create(run.place("a"), Shape::new(keys, run.size))?;
    let (what, mut command) = peer.command(&name(0))?;
    command.stdin(Stdio::null()).stderr(Stdio::inherit()).stdout(Stdio::piped());
    let expected = String::from_utf8(value(0, run.size))?;
    let mut times = Vec::new();
    for number in 0..=run.plan.commands {
        let started = Instant::now();
        let output = match command.output() {
            Ok(output) => output,
            Err(error) => return Err(format!("{what} does not start ({error}): is it installed?").into()),
        };
        let time = started.elapsed().as_nanos() as f64;
        if !output.status.success() || !String::from_utf8_lossy(&output.stdout).contains(&expected) {
            return Err(format!("{what} does not print the value: {}", output.status).into());
        }
        // The first one reads the program from the disk.
        if number > 0 {
            times.push(time);
        }
    }
    Ok(vec![Row::new(P::NAME, run.work.name, what, Unit::Nanoseconds, median(&mut times))])
}
