//! Other processes, which answer line by line and end with what holds them.

use crate::Outcome;
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child as Process, ChildStdin, ChildStdout, Command, Stdio},
};

/// A second process of this program in some role. Killed when dropped.
pub struct Child {
    process: Process,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Child {
    /// Starts a process in this role and waits until it is ready.
    pub fn start(role: &str, arguments: &[String]) -> Outcome<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--role", role])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().ok_or("no pipe")?);
        let mut child = Self { process, questions, answers };
        match child.answer()?.as_str() {
            "ready" => Ok(child),
            other => Err(format!("a child in the role {role} says {other:?}").into()),
        }
    }

    /// Asks, and returns the answer, one line.
    pub fn ask(&mut self, question: &str) -> Outcome<String> {
        let questions = self.questions.as_mut().ok_or("no pipe")?;
        writeln!(questions, "{question}")?;
        questions.flush()?;
        self.answer()
    }

    /// Its processor time so far, nanoseconds.
    pub fn cpu_ns(&mut self) -> Outcome<f64> {
        Ok(self.ask("cpu")?.parse()?)
    }

    /// Kills it and waits until it is gone.
    pub fn kill(&mut self) -> Outcome<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Lets it end in good order.
    pub fn end(mut self) -> Outcome<()> {
        self.questions = None;
        self.process.wait()?;
        Ok(())
    }

    fn answer(&mut self) -> Outcome<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("a child ended early".into());
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Processor time of all children over a span, nanoseconds a second.
pub fn idle_ns_per_s(children: &mut [Child], span: std::time::Duration) -> Outcome<f64> {
    let mut before = Vec::new();
    for child in &mut *children {
        before.push((std::time::Instant::now(), child.cpu_ns()?));
    }
    std::thread::sleep(span);
    let mut sum = 0.0;
    for (child, (since, cpu_ns)) in children.iter_mut().zip(before) {
        sum += (child.cpu_ns()? - cpu_ns) / since.elapsed().as_secs_f64();
    }
    Ok(sum)
}
