//! The plots, as SVG: what the tables say, for the eye.

use super::{
    figures::Figures,
    tables::{way_name, ways},
};
use crate::{Outcome, peers::NAMES, works::ycsb::WORKLOADS};
use slateboard_plot::{Axis, BarChart, LineChart, Unit};
use std::{fs, path::Path};

/// Peers of charts that have a colour for each of eight.
const EIGHT: [&str; 8] =
    ["slateboard", "slateboard, scrub", "unprotected", "mutex table", "LMDB", "SQLite", "Redis", "JSON file"];
const SIZES: [&str; 3] = ["64 B", "1 KiB", "64 KiB"];

/// Writes them into the folder; Markdown that shows them.
pub fn write(figures: &Figures, folder: &Path) -> Outcome<String> {
    fs::create_dir_all(folder)?;
    let charts = [
        ("peers-get.svg", "get by size of the value", sizes(figures, "get")),
        ("peers-put.svg", "put by size of the value", sizes(figures, "put")),
        ("peers-sync.svg", "one way between two processes", sync(figures)),
        ("peers-ycsb.svg", "YCSB, two processes", ycsb(figures)),
    ];
    let mut text = "\n### Plots\n\n".to_owned();
    for (name, title, svg) in charts {
        fs::write(folder.join(name), svg)?;
        text += &format!("![{title}](plots/{name})\n\n");
    }
    Ok(text.trim_end().to_owned() + "\n")
}

/// A group for each peer: by handle where it has handles, which is the faster way.
fn sizes(figures: &Figures, work: &str) -> String {
    let title = format!("{work}, 1,000 keys, one process (by handle where there are handles)");
    let mut chart = BarChart::new(title, Axis::log("time of a call", Unit::Time), SIZES);
    for peer in NAMES {
        let value = |size: &str| {
            let by = |way: &str| figures.get(work, &format!("{size}, {way}"), peer);
            by("by handle").or_else(|| by("by key")).map(|(figure, _)| figure.value)
        };
        let values = SIZES.map(value);
        if values.iter().any(Option::is_some) {
            chart = chart.group(peer, values);
        }
    }
    chart.svg()
}

/// A curve for each way, with near cores where there are such runs.
fn sync(figures: &Figures) -> String {
    let ways = ways(figures);
    let near = ways.iter().any(|(peer, form)| figures.in_placement("sync", form, peer, true).is_some());
    let cores = if near { "near" } else { "far" };
    let title = format!("64 B, one way between two processes, {cores} cores, shared memory");
    let mut chart =
        LineChart::new(title, Axis::nines("of round trips, at most"), Axis::log("time one way", Unit::Time));
    // Eight, each in a colour of its own. The others are a hundred times as far up: the table has them.
    let shown =
        |peer: &str| !["slateboard, scrub", "SQLite", "Redis", "JSON file", "JSON, 3 files"].contains(&peer);
    for (peer, form) in ways.iter().filter(|(peer, _)| shown(peer)) {
        let Some(figure) = figures.in_placement("sync", form, peer, near) else { continue };
        chart = chart
            .series(way_name(peer, form), figure.curve.iter().map(|(share, time)| (share * 100.0, *time)));
    }
    chart.svg()
}

/// A group for each workload.
fn ycsb(figures: &Figures) -> String {
    let axis = Axis::log("operations a second", Unit::Count);
    let mut chart = BarChart::new("YCSB, 100,000 keys of 1 KiB, two processes", axis, EIGHT);
    let mut letters = WORKLOADS;
    letters.sort_unstable();
    for letter in letters.map(String::from) {
        let rate = |peer: &str| figures.get("ycsb", &letter, peer).map(|(figure, _)| figure.value);
        chart = chart.group(format!("workload {letter}"), EIGHT.map(rate));
    }
    chart.svg()
}
