//! The curves as pictures, and their section of `docs/performance.md`.

use crate::{
    Outcome,
    charts::{CHARTS, Chart},
    point::{self, Line, Point, Run},
};
use slateboard_plot::{LineChart, Unit, label};
use std::{fmt::Write, fs, path::Path};

const BEGIN: &str = "<!-- scaling:begin -->";
const END: &str = "<!-- scaling:end -->";
/// Where pictures and points are, from the page.
const PLOTS: &str = "plots";
const POINTS: &str = "scaling.jsonl";

/// Replaces the kept lines of the sections that these are of, and draws all there are.
pub fn write(lines: &[Line]) -> Outcome<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let plots = docs.join(PLOTS);
    fs::create_dir_all(&plots)?;
    let mut all = point::parse(&fs::read_to_string(plots.join(POINTS)).unwrap_or_default())?;
    all.retain(|kept| lines.iter().all(|line| line.section() != kept.section()));
    all.extend_from_slice(lines);
    fs::write(plots.join(POINTS), point::text(&all))?;
    let (mut points, mut runs) = (Vec::new(), Vec::new());
    for line in all {
        match line {
            Line::Point(point) => points.push(point),
            Line::Run(run) => runs.push(run),
        }
    }
    let mut section = format!("## Scaling\n\n{}\n", head(&runs));
    for chart in CHARTS.iter().filter(|chart| points.iter().any(|point| is_of(point, chart))) {
        fs::write(plots.join(format!("{}.svg", chart.file)), picture(chart, &points))?;
        section += &part(chart, &points);
    }
    put_between(&docs.join("performance.md"), &section)
}

fn is_of(point: &Point, chart: &Chart) -> bool {
    point.section == chart.section && chart.series.contains(&point.series.as_str())
}

/// The points of one curve.
fn curve<'a>(chart: &Chart, series: &str, points: &'a [Point]) -> impl Iterator<Item = &'a Point> {
    points.iter().filter(move |point| point.section == chart.section && point.series == series)
}

fn picture(chart: &Chart, points: &[Point]) -> String {
    let empty = LineChart::new(chart.title, (chart.x)(), (chart.y)());
    let add = |picture: LineChart, series: &&str| {
        picture.series(*series, curve(chart, series, points).map(|point| (point.x, point.y)))
    };
    chart.series.iter().fold(empty, add).svg()
}

fn head(runs: &[Run]) -> String {
    let of = |run: &Run| {
        let quick = if run.quick { ", a quick run with more noise" } else { "" };
        format!("- {}: {}, {}{quick}", run.section, run.date, run.machine)
    };
    let runs: Vec<String> = runs.iter().map(of).collect();
    format!(
        "`cargo run --release -p scaling -- --write`. Works take turns, a figure is the median of their turns; those of \
         one thread are timed by its own clock. Boards are on tmpfs, the history is full where puts are measured. The \
         points are in [{POINTS}]({PLOTS}/{POINTS}).\n\n{}",
        runs.join("\n")
    )
}

/// A chart, what bends it, and its points as a table.
fn part(chart: &Chart, points: &[Point]) -> String {
    let mut text = format!(
        "\n### {}\n\n![{}]({PLOTS}/{}.svg)\n\n{}\n\n",
        chart.title, chart.title, chart.file, chart.bends
    );
    let shown: Vec<&&str> =
        chart.series.iter().filter(|series| curve(chart, series, points).next().is_some()).collect();
    let mut xs: Vec<f64> = points.iter().filter(|point| is_of(point, chart)).map(|point| point.x).collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    let mut row = |first: &str, cells: &mut dyn Iterator<Item = String>| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {first} | {} |", cells.collect::<Vec<_>>().join(" | "));
    };
    row("", &mut shown.iter().map(|series| series.to_string()));
    row("---:", &mut shown.iter().map(|_| "---:".to_string()));
    for x in xs {
        let unit = if chart.section == "values" { Unit::Bytes } else { Unit::Count };
        row(
            &label(unit, x),
            &mut shown.iter().map(|series| {
                let point = curve(chart, series, points).find(|point| point.x == x);
                point.map_or_else(|| "–".into(), |point| label(unit_of(&point.unit), point.y))
            }),
        );
    }
    text
}

fn unit_of(name: &str) -> Unit {
    match name {
        "ns" => Unit::Time,
        "bytes" => Unit::Bytes,
        "%" => Unit::Percent,
        _ => Unit::Count,
    }
}

/// Replaces what is between the marks of the page; without marks it goes to the end.
fn put_between(page: &Path, section: &str) -> Outcome<()> {
    let text = fs::read_to_string(page)?;
    fs::write(page, between(&text, section))?;
    Ok(())
}

fn between(text: &str, section: &str) -> String {
    let marked = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = marked.unwrap_or((text, "\n"));
    let gap = if marked.is_none() { "\n" } else { "" };
    format!("{before}{gap}{BEGIN}\n{section}\n{END}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_replaces_itself_alone() {
        let once = between("# Page\n", "first");
        assert_eq!(once, format!("# Page\n\n{BEGIN}\nfirst\n{END}\n"));
        let twice = between(&format!("{once}more\n"), "second");
        assert_eq!(twice, format!("# Page\n\n{BEGIN}\nsecond\n{END}\nmore\n"));
    }

    #[test]
    fn a_table_has_a_row_for_each_x() {
        let point = |series: &str, x: f64| Point {
            section: "values".into(),
            series: series.into(),
            x,
            y: 80.0,
            unit: "ns".into(),
            raw: false,
        };
        let chart = CHARTS.iter().find(|chart| chart.section == "values").unwrap();
        let text = part(chart, &[point("get", 8.0), point("get", 1024.0), point("put", 8.0)]);
        assert!(text.contains("| 8 B | 80 ns | 80 ns |") && text.contains("| 1 KiB | 80 ns | – |"), "{text}");
    }
}
