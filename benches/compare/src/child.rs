//! Child processes: this program again, in a role. The kit starts them, talks to them by lines, and ends them.

use crate::{Outcome, folder, local::time, pair, works::scaling};
use rustix::time::ClockId;
pub use slateboard_kit::children::{Child, end_with_parent};
use std::{
    ffi::OsStr,
    io::Write,
    process::Command,
    time::{Duration, Instant},
};

/// Starts a process in this role.
pub fn start(role: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Outcome<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--role", role]).args(arguments);
    Ok(Child::spawn(command)?)
}

/// Starts a process in this role, and waits until it says that it is ready, as [`serve`] does.
pub fn ready(role: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Outcome<Child> {
    let mut child = start(role, arguments)?;
    match child.line().as_deref() {
        Some("ready") => Ok(child),
        other => {
            Err(format!("a child process in the role {role} says {other:?} instead of \"ready\"").into())
        }
    }
}

/// Processor time that all children use together, nanoseconds a second, measured over a span.
pub fn idle_ns_per_s(children: &mut [Child], span: Duration) -> Outcome<f64> {
    let cpu_ns = |child: &mut Child| -> Outcome<f64> { Ok(child.ask("cpu")?.parse()?) };
    let mut before = Vec::new();
    for child in &mut *children {
        before.push((Instant::now(), cpu_ns(child)?));
    }
    std::thread::sleep(span);
    let mut sum = 0.0;
    for (child, (since, before_ns)) in children.iter_mut().zip(before) {
        sum += (cpu_ns(child)? - before_ns) / since.elapsed().as_secs_f64();
    }
    Ok(sum)
}

/// In the child: plays the role that the arguments name.
pub fn play(arguments: &[&str]) -> Outcome<()> {
    if let ["janitor", path] = arguments {
        return folder::janitor(path.as_ref());
    }
    end_with_parent();
    match arguments {
        ["second", rest @ ..] => pair::play(rest),
        rest => scaling::roles::play(rest),
    }
}

/// In the child: says that it is ready, and answers questions until nobody asks any more.
pub fn serve(mut answer: impl FnMut(&str) -> String) -> Outcome<()> {
    let mut out = std::io::stdout();
    writeln!(out, "ready")?;
    for question in std::io::stdin().lines() {
        match question?.as_str() {
            "cpu" => writeln!(out, "{}", time(ClockId::ProcessCPUTime).as_nanos())?,
            other => writeln!(out, "{}", answer(other))?,
        }
    }
    Ok(())
}
