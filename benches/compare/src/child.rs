//! Child processes: this program again, in a role. They answer line by line and end with the value that holds them.

use crate::{Outcome, folder, local::time, pair, works::scaling};
use rustix::{
    process::{Signal, set_parent_process_death_signal},
    time::ClockId,
};
use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Write},
    process::{Child as Process, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

/// A child process in some role. Killed when dropped.
pub struct Child {
    process: Process,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Child {
    /// Starts a process in this role.
    pub fn start(role: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Outcome<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--role", role])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().ok_or("no pipe")?);
        Ok(Self { process, questions, answers })
    }

    /// Waits until the process says that it is ready, as [`serve`] does.
    pub fn ready(mut self) -> Outcome<Self> {
        match self.answer()?.as_str() {
            "ready" => Ok(self),
            other => Err(format!("a child process says {other:?} instead of \"ready\"").into()),
        }
    }

    /// Asks, and returns the answer, one line.
    pub fn ask(&mut self, question: &str) -> Outcome<String> {
        let questions = self.questions.as_mut().ok_or("no pipe")?;
        writeln!(questions, "{question}")?;
        questions.flush()?;
        self.answer()
    }

    /// The next line that the process prints.
    pub fn answer(&mut self) -> Outcome<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("a child process ended early".into());
        }
        Ok(line.trim_end().to_owned())
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether it has ended.
    pub fn is_lost(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }

    /// Kills it and waits until it is gone.
    pub fn kill(&mut self) -> Outcome<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Lets it end by itself: its input is closed. Fails when it fails.
    pub fn end(&mut self) -> Outcome<()> {
        self.questions = None;
        let status = self.process.wait()?;
        if status.success() { Ok(()) } else { Err(format!("a child process failed: {status}").into()) }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
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
    end_with_parent()?;
    match arguments {
        ["second", rest @ ..] => pair::play(rest),
        rest => scaling::roles::play(rest),
    }
}

/// In the child: it ends with the process that started it, also when that one is killed.
pub fn end_with_parent() -> Outcome<()> {
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}

/// In the child: says that it is ready, and answers questions until nobody asks any more.
pub fn serve(mut answer: impl FnMut(&str) -> String) -> Outcome<()> {
    let mut out = std::io::stdout();
    writeln!(out, "ready")?;
    out.flush()?;
    for question in std::io::stdin().lock().lines() {
        match question?.as_str() {
            "cpu" => writeln!(out, "{}", time(ClockId::ProcessCPUTime).as_nanos())?,
            other => writeln!(out, "{}", answer(other))?,
        }
        out.flush()?;
    }
    Ok(())
}
