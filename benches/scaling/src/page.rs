//! The curves as pictures, and their section of `docs/performance.md`.

use crate::{
    Outcome,
    charts::{CHARTS, Chart},
    measure::Plan,
    point::Point,
};
use slateboard_plot::{LineChart, Unit, label};
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const BEGIN: &str = "<!-- scaling:begin -->";
const END: &str = "<!-- scaling:end -->";
/// Where pictures and points are, from the page.
const PLOTS: &str = "plots";
const POINTS: &str = "scaling.jsonl";

/// Replaces the points of these sections by those of this run, and draws all there are.
pub fn write<'a>(plan: &Plan, sections: impl Iterator<Item = &'a str>, points: &[Point]) -> Outcome<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let plots = docs.join(PLOTS);
    fs::create_dir_all(&plots)?;
    let measured: Vec<&str> = sections.collect();
    let mut all = Point::of_lines(&fs::read_to_string(plots.join(POINTS)).unwrap_or_default())?;
    all.retain(|point| !measured.contains(&point.section.as_str()));
    all.extend_from_slice(points);
    let lines: String = all.iter().map(|point| point.line() + "\n").collect();
    fs::write(plots.join(POINTS), lines)?;
    let drawn: Vec<&Chart> =
        CHARTS.iter().filter(|chart| all.iter().any(|point| is_of(point, chart))).collect();
    for chart in &drawn {
        fs::write(plots.join(format!("{}.svg", chart.file)), picture(chart, &all))?;
    }
    let mut section = format!("## Scaling\n\n{}\n", head(plan, &measured)?);
    for chart in drawn {
        section += &part(chart, &all);
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

fn head(plan: &Plan, measured: &[&str]) -> Outcome<String> {
    let date = Command::new("date").arg("+%-d %B %Y").env("LC_ALL", "C").output()?;
    let date = String::from_utf8(date.stdout)?.trim().to_owned();
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let model = model.trim_start_matches([' ', '\t', ':']);
    let cores = std::thread::available_parallelism()?;
    let quick = if plan.quick { "a quick run, with more noise; " } else { "" };
    Ok(format!(
        "`cargo run --release -p scaling -- --write`, {date} ({quick}{}): a virtual machine with {cores} cores, \
         {model}. Works take turns, a figure is the median of their turns; those of one thread are timed by its own \
         clock. Boards are on tmpfs, the history is full where puts are measured. Points: \
         [{POINTS}]({PLOTS}/{POINTS}).",
        measured.join(", ")
    ))
}

/// A chart, what bends it, and its points as a table.
fn part(chart: &Chart, points: &[Point]) -> String {
    let mut text = format!("\n![{}]({PLOTS}/{}.svg)\n\n{}\n\n", chart.title, chart.file, chart.bends);
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
fn put_between(page: &PathBuf, section: &str) -> Outcome<()> {
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
