//! The tables, as Markdown.

use super::figures::{Figure, Figures};
use crate::{
    peers::NAMES,
    row::{Unit, at},
    works::ycsb::WORKLOADS,
};
use std::fmt::Write;

/// A time as people read it, from nanoseconds.
pub fn time(ns: f64) -> String {
    match ns {
        ns if ns < 100.0 => format!("{ns:.1} ns"),
        ns if ns < 10_000.0 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.1} µs", ns / 1e3),
        ns => format!("{:.1} ms", ns / 1e6),
    }
}

/// A rate as people read it, from calls a second.
pub fn rate(per_second: f64) -> String {
    match per_second {
        rate if rate < 100.0 => format!("{rate:.1} /s"),
        rate if rate < 10_000.0 => format!("{rate:.0} /s"),
        rate if rate < 1e6 => format!("{:.1} k/s", rate / 1e3),
        rate => format!("{:.1} M/s", rate / 1e6),
    }
}

/// A figure in its unit.
pub fn show(figure: &Figure) -> String {
    match figure.unit {
        Unit::Nanoseconds => time(figure.value),
        Unit::PerSecond => rate(figure.value),
        Unit::Percent => format!("{:.2} %", figure.value),
    }
}

/// All of them.
pub fn all(figures: &Figures) -> String {
    let sizes = ["64 B", "1 KiB", "64 KiB"];
    let ways = |way: &str| sizes.map(|size| format!("{size}, {way}"));
    let both: Vec<String> = ways("by handle").into_iter().chain(ways("by key")).collect();
    let columns: Vec<(String, String)> =
        both.iter().map(|what| (what.replace(", by", " by"), what.clone())).collect();
    let mut text = String::new();
    text += &table(figures, "### get, 1,000 keys", "get", &columns);
    text += &table(figures, "### put, 1,000 keys", "put", &columns);
    text += &latencies(figures);
    text += &together(figures);
    text += &alone(figures);
    let letters: Vec<(String, String)> = {
        let mut letters = WORKLOADS;
        letters.sort_unstable();
        letters.map(|letter| (letter.to_string(), letter.to_string())).to_vec()
    };
    text += &table(figures, "### YCSB, operations a second of two processes", "ycsb", &letters);
    text + "\n*near*, *far*: the cores stood otherwise than for most peers; compare such figures with each other only. A \
            peer that stands in no row of a table cannot do that work.\n"
}

/// Where the cores stood, in words, for a heading.
fn cores(figures: &Figures, work: &str) -> &'static str {
    if figures.usually_near(work) { "near cores" } else { "far cores" }
}

/// A row for each peer that has a figure.
fn table(figures: &Figures, title: &str, work: &str, columns: &[(String, String)]) -> String {
    let heads: Vec<&str> = columns.iter().map(|(head, _)| head.as_str()).collect();
    let mut text =
        format!("\n{title}\n\n| | {} |\n| --- |{}\n", heads.join(" | "), " ---: |".repeat(heads.len()));
    for peer in NAMES {
        let cells: Vec<String> = columns.iter().map(|(_, what)| cell(figures, work, what, peer)).collect();
        if cells.iter().any(|cell| cell != "–") {
            let _ = writeln!(text, "| {peer} | {} |", cells.join(" | "));
        }
    }
    text
}

fn cell(figures: &Figures, work: &str, what: &str, peer: &str) -> String {
    match figures.get(work, what, peer) {
        None => "–".into(),
        Some((figure, near)) if near == figures.usually_near(work) => show(figure),
        Some((figure, true)) => format!("{} *near*", show(figure)),
        Some((figure, false)) => format!("{} *far*", show(figure)),
    }
}

/// The ways of sync that a peer has, with their names for tables.
pub fn ways(figures: &Figures) -> Vec<(&'static str, String)> {
    let forms = figures.forms("sync");
    let has = |peer: &str, form: &str| figures.get("sync", form, peer).is_some();
    NAMES
        .into_iter()
        .flat_map(|peer| {
            forms.iter().filter(move |form| has(peer, form)).map(move |form| (peer, form.clone()))
        })
        .collect()
}

/// How a way is called beside its peer's name.
pub fn way_name(peer: &str, form: &str) -> String {
    match form.split_once(", ").map_or("", |(_, way)| way) {
        "" | "polling" => peer.to_owned(),
        way => format!("{peer}, {way}"),
    }
}

fn latencies(figures: &Figures) -> String {
    let mut text = "\n### One way between two processes, 64 B\n\n| | cores | p50 | p99 | p99.9 | p50 / raw ping-pong | raw \
                    ping-pong | rounds |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    for (peer, form) in ways(figures) {
        for near in [true, false] {
            let Some(figure) = figures.in_placement("sync", &form, peer, near) else { continue };
            let share = |share| time(at(&figure.curve, share));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {:.1} | {} | {} |",
                way_name(peer, &form),
                if near { "near" } else { "far" },
                share(0.5),
                share(0.99),
                share(0.999),
                figure.pings.unwrap_or_default(),
                time(figure.ping.unwrap_or_default()),
                figure.rounds,
            );
        }
    }
    text
}

fn together(figures: &Figures) -> String {
    let columns = [
        ("increments of one key, exact", "contend", "two processes, one key"),
        ("reads of 64 B beside a writer", "beside", "64 B, reads"),
        ("its writes", "beside", "64 B, writes"),
        ("reads of 1 KiB beside a writer", "beside", "1 KiB, reads"),
        ("its writes", "beside", "1 KiB, writes"),
    ];
    let near = match [cores(figures, "contend"), cores(figures, "beside")] {
        [one, other] if one == other => one.to_owned(),
        [one, other] => format!("{one} and {other}"),
    };
    let heads: Vec<&str> = columns.iter().map(|column| column.0).collect();
    let mut text = format!(
        "\n### Two processes, one key, {near}\n\n| | {} |\n| --- |{}\n",
        heads.join(" | "),
        " ---: |".repeat(5)
    );
    for peer in NAMES {
        let cells: Vec<String> =
            columns.iter().map(|(_, work, what)| cell(figures, work, what, peer)).collect();
        if cells.iter().any(|cell| cell != "–") {
            let _ = writeln!(text, "| {peer} | {} |", cells.join(" | "));
        }
    }
    text
}

fn alone(figures: &Figures) -> String {
    let mut text =
        "\n### Attaching, commands, waiting\n\n| work | | figure |\n| --- | --- | ---: |\n".to_owned();
    for work in ["attach", "command", "idle"] {
        for form in figures.forms(work) {
            for peer in NAMES {
                if let Some((figure, _)) = figures.get(work, &form, peer) {
                    let _ = writeln!(text, "| {form} | {peer} | {} |", show(figure));
                }
            }
        }
    }
    text
}
