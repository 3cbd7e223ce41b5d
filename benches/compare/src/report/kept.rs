//! What is kept of runs: medians, and when and where they were measured, one JSON object a line.

use super::figures::{Figure, Figures};
use crate::{Outcome, all::Results, plan::Plan};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fs, path::Path, process::Command};

/// When and where a work was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The work.
    pub work: String,
    /// The day.
    pub date: String,
    /// The command that measured it.
    pub command: String,
    /// The processor, and what else may matter.
    pub machine: String,
    /// Peers without figures, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Figure(Figure),
    Run(Run),
}

/// The figures of some runs.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// One run for each work.
    pub runs: Vec<Run>,
    /// The medians.
    pub figures: Figures,
}

impl Book {
    /// The figures of these results.
    pub fn of(results: &Results, plan: &Plan) -> Self {
        let absent = results.absent.iter().map(|(peer, advice)| (None, format!("{peer}: {advice}")));
        let failed = results.failures.iter().map(|failure| {
            (Some(&failure.work), format!("{}, {}: **failed**: {}", failure.peer, failure.work, failure.text))
        });
        let missing: Vec<_> = absent.chain(failed).collect();
        let works: BTreeSet<&String> = results.rows.iter().map(|row| &row.work).collect();
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let (date, machine) = (said("date", &["-u", "+%-d %B %Y"]), machine(results, plan));
        let run = |work: &String| Run {
            work: work.clone(),
            date: date.clone(),
            command: format!("cargo peers -- {}", arguments.join(" ")),
            machine: machine.clone(),
            missing: missing
                .iter()
                .filter(|(of, _)| of.is_none_or(|of| of == work))
                .map(|(_, text)| text.clone())
                .collect(),
        };
        Self { runs: works.into_iter().map(run).collect(), figures: Figures::of(&results.rows) }
    }

    /// What a file keeps.
    pub fn read(file: &Path) -> Outcome<Self> {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        Self::parse(&text)
    }

    /// What a file keeps; nothing where there is no such file.
    pub fn read_or_new(file: &Path) -> Outcome<Self> {
        if file.exists() { Self::read(file) } else { Ok(Self::default()) }
    }

    fn parse(text: &str) -> Outcome<Self> {
        let mut book = Self::default();
        for line in text.lines() {
            match serde_json::from_str(line)? {
                Line::Figure(figure) => book.figures.0.push(figure),
                Line::Run(run) => book.runs.push(run),
            }
        }
        Ok(book)
    }

    /// Keeps it in a file.
    pub fn write(&self, file: &Path) -> Outcome<()> {
        Ok(fs::write(file, self.text()?)?)
    }

    fn text(&self) -> Outcome<String> {
        let runs = self.runs.iter().cloned().map(Line::Run);
        let mut text = String::new();
        for line in runs.chain(self.figures.0.iter().cloned().map(Line::Figure)) {
            text += &(serde_json::to_string(&line)? + "\n");
        }
        Ok(text)
    }

    /// With the works of another book instead of its own.
    pub fn replaced_by(mut self, newer: Self) -> Self {
        let is_kept = |work: &str| newer.runs.iter().all(|run| run.work != work);
        self.runs.retain(|run| is_kept(&run.work));
        self.figures.0.retain(|figure| is_kept(&figure.work));
        self.runs.extend(newer.runs);
        self.figures.0.extend(newer.figures.0);
        self
    }
}

/// What a program prints; nothing where there is no such program.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).env("LC_ALL", "C").output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

fn machine(results: &Results, plan: &Plan) -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(": ")).map_or("?", |(_, value)| value).to_owned()
    };
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{} cores of {} (family {}, model {}), Linux {}; {} rounds in {} s; load {} at the end",
        std::thread::available_parallelism().map_or(0, usize::from),
        field("model name"),
        field("cpu family"),
        field("model\t"),
        said("uname", &["-r"]),
        plan.rounds,
        results.time.as_secs(),
        load.split(' ').next().unwrap_or("?"),
    )
}

#[cfg(test)]
mod tests {
    use super::{Book, Run};
    use crate::{
        report::figures::Figures,
        row::{Row, Unit},
    };

    fn book(work: &str, value: f64) -> Book {
        let row = Row { x: Some(100.0), ..Row::new("slateboard", work, "get", Unit::Nanoseconds, value) };
        let run = Run {
            work: work.into(),
            date: "today".into(),
            command: "cargo peers -- all".into(),
            machine: "2 cores".into(),
            missing: Vec::new(),
        };
        Book { runs: vec![run], figures: Figures::of(&[row]) }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let book = book("keys", 83.1234);
        let again = Book::parse(&book.text().unwrap()).unwrap();
        assert_eq!((again.runs, again.figures.0), (book.runs, book.figures.0));
        assert!(Book::parse("{}").is_err());
    }

    #[test]
    fn a_run_replaces_its_own_works_alone() {
        let both = book("keys", 1.0).replaced_by(book("values", 2.0)).replaced_by(book("keys", 3.0));
        let values: Vec<f64> = both.figures.0.iter().map(|figure| figure.value).collect();
        assert_eq!((both.runs.len(), values), (2, vec![2.0, 3.0]));
    }
}
