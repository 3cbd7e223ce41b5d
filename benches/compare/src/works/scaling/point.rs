//! What is measured: points of curves.

use crate::Outcome;
use serde::{Deserialize, Serialize};
use std::process::Command;

/// One point of one curve.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Point {
    /// The section that measured it.
    pub section: String,
    /// The curve.
    pub series: String,
    /// How many, or how many bytes: what the section varies.
    pub x: f64,
    /// The figure.
    pub y: f64,
    /// Of `y`: `ns`, `bytes` or `%`, per what the curve's name says.
    pub unit: String,
    /// Whether this is a limit without slateboard.
    pub raw: bool,
}

/// When and where a section was measured.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Run {
    pub section: String,
    pub date: String,
    pub machine: String,
    /// For a first look, with more noise.
    pub quick: bool,
}

/// A line of what is kept of runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    Point(Point),
    Run(Run),
}

impl Line {
    pub fn section(&self) -> &str {
        match self {
            Self::Point(point) => &point.section,
            Self::Run(run) => &run.section,
        }
    }
}

/// The points of a run. Each is printed as it comes.
pub struct Points {
    run: Run,
    lines: Vec<Line>,
}

impl Points {
    pub fn new(quick: bool) -> Outcome<Self> {
        let date = Command::new("date").arg("+%-d %B %Y").env("LC_ALL", "C").output()?;
        let date = String::from_utf8(date.stdout)?.trim().to_owned();
        let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = processor.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
        let model = model.trim_start_matches([' ', '\t', ':']);
        let machine = format!("{} cores, {model}", std::thread::available_parallelism()?);
        let run = Run { section: String::new(), date, machine, quick };
        Ok(Self { run, lines: Vec::new() })
    }

    /// Points from here on are of this section.
    pub fn begin(&mut self, section: &str) {
        self.run.section = section.to_owned();
        self.push(Line::Run(self.run.clone()));
    }

    /// A point of slateboard's.
    pub fn add(&mut self, series: &str, x: usize, y: f64, unit: &str) {
        self.add_point(series, x, y, unit, false);
    }

    /// A point of a limit.
    pub fn add_raw(&mut self, series: &str, x: usize, y: f64, unit: &str) {
        self.add_point(series, x, y, unit, true);
    }

    fn add_point(&mut self, series: &str, x: usize, y: f64, unit: &str, raw: bool) {
        let (section, series, unit) = (self.run.section.clone(), series.to_owned(), unit.to_owned());
        self.push(Line::Point(Point { section, series, x: x as f64, y: (y * 1e3).round() / 1e3, unit, raw }));
    }

    fn push(&mut self, line: Line) {
        println!("{}", text(std::slice::from_ref(&line)).trim_end());
        self.lines.push(line);
    }

    pub fn lines(&self) -> &[Line] {
        &self.lines
    }
}

/// One JSON object a line.
pub fn text(lines: &[Line]) -> String {
    lines.iter().map(|line| serde_json::to_string(line).unwrap_or_default() + "\n").collect()
}

/// The lines of such a text.
pub fn parse(text: &str) -> Outcome<Vec<Line>> {
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_are_written() {
        let mut points = Points::new(true).unwrap();
        points.begin("keys");
        points.add("get", 100, 83.1234, "ns");
        points.add_raw("copy", 1_000_000, 4.0, "ns");
        assert_eq!(parse(&text(points.lines())).unwrap(), points.lines());
        assert!(parse("{}").is_err());
    }
}
