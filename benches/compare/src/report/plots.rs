//! The plots, as SVG: what the tables say, for the eye.

use super::{
    charts::{Axis, Group, Line, Scale, bars, lines},
    figures::Figures,
    tables::{letters, way_name, ways},
};
use crate::{Outcome, peers::NAMES, row::Unit};
use std::{fs, path::Path};

/// Peers of charts that have a colour for each of eight.
const EIGHT: [&str; 8] =
    ["slateboard", "slateboard, scrub", "unprotected", "mutex table", "LMDB", "SQLite", "Redis", "JSON file"];
const SIZES: [&str; 3] = ["64 B", "1 KiB", "64 KiB"];

/// Writes them into the folder; Markdown that shows them.
pub fn write(figures: &Figures, folder: &Path) -> Outcome<String> {
    fs::create_dir_all(folder)?;
    let charts = [
        ("peers-get.svg", "get by size of the value", sizes(figures, "get")?),
        ("peers-put.svg", "put by size of the value", sizes(figures, "put")?),
        ("peers-sync.svg", "one way between two processes", sync(figures)?),
        ("peers-ycsb.svg", "YCSB, two processes", ycsb(figures)?),
    ];
    let mut text = "\n### Plots\n\n".to_owned();
    for (name, title, svg) in charts {
        fs::write(folder.join(name), svg)?;
        text += &format!("![{title}](plots/{name})\n\n");
    }
    Ok(text.trim_end().to_owned() + "\n")
}

/// A group for each peer: by handle where it has handles, which is the faster way.
fn sizes(figures: &Figures, work: &str) -> Outcome<String> {
    let title = format!("{work}, 1,000 keys, one process (by handle where there are handles)");
    let group = |peer: &str| -> Group {
        let value = |size: &str| {
            let by = |way: &str| figures.get(work, &format!("{size}, {way}"), peer);
            by("by handle").or_else(|| by("by key")).map(|(figure, _)| figure.value)
        };
        (peer.to_owned(), SIZES.iter().map(|size| value(size)).collect())
    };
    let groups: Vec<Group> =
        NAMES.into_iter().map(group).filter(|group| group.1.iter().any(Option::is_some)).collect();
    bars(&title, &Axis::log("time of a call", Unit::Nanoseconds), &SIZES, &groups)
}

/// A curve for each way, with near cores where there are such runs.
fn sync(figures: &Figures) -> Outcome<String> {
    let ways = ways(figures);
    let near = ways.iter().any(|(peer, form)| figures.in_placement("sync", form, peer, true).is_some());
    let cores = if near { "near" } else { "far" };
    let title = format!("64 B, one way between two processes, {cores} cores, shared memory");
    // Eight, each in a colour of its own, and the raw limit. The others are a hundred times as far up: the table has them.
    let shown =
        |peer: &str| !["slateboard, scrub", "SQLite", "Redis", "JSON file", "JSON, 3 files"].contains(&peer);
    let line = |(peer, form): &(&str, String)| -> Option<Line> {
        let figure = figures.in_placement("sync", form, peer, near)?;
        let points = figure.curve.iter().map(|(share, time)| (share * 100.0, *time)).collect();
        Some((way_name(peer, form), points))
    };
    let curves: Vec<Line> = ways.iter().filter(|(peer, _)| shown(peer)).filter_map(line).collect();
    let x = Axis { scale: Scale::Nines, ..Axis::log("of round trips, at most", Unit::Percent) };
    lines(&title, &x, &Axis::log("time one way", Unit::Nanoseconds), &curves)
}

/// A group for each workload.
fn ycsb(figures: &Figures) -> Outcome<String> {
    let group = |letter: String| -> Group {
        let rate = |peer: &str| figures.get("ycsb", &letter, peer).map(|(figure, _)| figure.value);
        (format!("workload {letter}"), EIGHT.iter().map(|peer| rate(peer)).collect())
    };
    let groups: Vec<Group> = letters().into_iter().map(group).collect();
    let axis = Axis::log("operations a second", Unit::PerSecond);
    bars("YCSB, 100,000 keys of 1 KiB, two processes", &axis, &EIGHT, &groups)
}
