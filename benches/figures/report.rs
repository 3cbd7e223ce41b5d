//! Figures, as a table for people or as JSON.

use serde_json::json;

/// A time or a rate, beside what limits it.
pub struct Figure {
    /// Section it is measured in.
    pub section: &'static str,
    /// What was measured.
    pub work: String,
    /// In what unit.
    pub unit: Unit,
    /// The figure.
    pub value: f64,
    /// What it is compared with.
    pub limit_work: String,
    /// The limit, in the same unit.
    pub limit: f64,
    /// 99th and 99.9th percentile of the figure and of the limit, for latencies.
    pub tails: Option<[f64; 4]>,
}

/// Of a figure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds a call.
    Nanoseconds,
    /// Calls a second.
    PerSecond,
}

/// All figures of a run.
pub struct Report {
    json: bool,
    figures: Vec<Figure>,
}

impl Report {
    /// An empty one. With `json`, figures are printed as they come.
    pub fn new(json: bool) -> Self {
        Self { json, figures: Vec::new() }
    }

    /// Takes a figure.
    pub fn add(&mut self, figure: Figure) {
        if self.json {
            println!("{}", figure.json());
        } else {
            eprintln!("  {}: {}", figure.work, figure.unit.format(figure.value));
        }
        self.figures.push(figure);
    }

    /// Takes the times of works, the first of which limits the others.
    pub fn add_times(&mut self, section: &'static str, names: &[String], times: &[f64]) {
        let Some((limit_work, &limit)) = names.first().zip(times.first()) else { return };
        for (work, &value) in names.iter().zip(times).skip(1) {
            let (work, limit_work) = (work.clone(), limit_work.clone());
            let unit = Unit::Nanoseconds;
            self.add(Figure { section, work, unit, value, limit_work, limit, tails: None });
        }
    }

    /// Prints the tables.
    pub fn print(&self) {
        if self.json {
            return;
        }
        let calls = self.figures.iter().filter(|figure| figure.tails.is_none());
        println!("| work | figure | raw limit in the same run | limit | figure / limit |");
        println!("| --- | ---: | --- | ---: | ---: |");
        for figure in calls {
            println!(
                "| {} | {} | {} | {} | {} |",
                figure.work,
                figure.unit.format(figure.value),
                figure.limit_work,
                figure.unit.format(figure.limit),
                ratio(figure.value / figure.limit),
            );
        }
        if self.figures.iter().any(|figure| figure.tails.is_some()) {
            println!("\n| one way between two processes | p50 | p99 | p99.9 | p50 / raw p50 |");
            println!("| --- | ---: | ---: | ---: | ---: |");
        }
        for figure in &self.figures {
            let Some([p99, p999, limit_p99, limit_p999]) = figure.tails else { continue };
            latency_row(&figure.limit_work, [figure.limit, limit_p99, limit_p999], figure.limit);
            latency_row(&figure.work, [figure.value, p99, p999], figure.limit);
        }
    }
}

fn latency_row(work: &str, [p50, p99, p999]: [f64; 3], raw: f64) {
    println!("| {work} | {p50:.0} ns | {p99:.0} ns | {p999:.0} ns | {} |", ratio(p50 / raw));
}

fn ratio(ratio: f64) -> String {
    if ratio < 1.0 { format!("{ratio:.2}") } else { format!("{ratio:.1}") }
}

impl Figure {
    fn json(&self) -> serde_json::Value {
        let unit = match self.unit {
            Unit::Nanoseconds => "ns",
            Unit::PerSecond => "1/s",
        };
        let mut line = json!({
            "section": self.section,
            "work": self.work,
            "unit": unit,
            "value": self.value,
            "limit_work": self.limit_work,
            "limit": self.limit,
        });
        if let (Some([p99, p999, limit_p99, limit_p999]), Some(line)) = (self.tails, line.as_object_mut()) {
            let tails = json!({ "p99": p99, "p999": p999, "limit_p99": limit_p99, "limit_p999": limit_p999 });
            line.insert("tails".to_owned(), tails);
        }
        line
    }
}

impl Unit {
    fn format(self, value: f64) -> String {
        match self {
            Self::Nanoseconds if value < 100.0 => format!("{value:.1} ns"),
            Self::Nanoseconds if value < 10_000.0 => format!("{value:.0} ns"),
            Self::Nanoseconds => format!("{:.1} µs", value / 1e3),
            Self::PerSecond if value < 1e6 => format!("{:.0} thousand/s", value / 1e3),
            Self::PerSecond => format!("{:.1} million/s", value / 1e6),
        }
    }
}
