//! What a run has found: tables, ratios, plots, and where they go.

mod figures;
mod plots;
mod tables;
mod targets;

use crate::{
    Outcome,
    all::Results,
    peers::NAMES,
    plan::Plan,
    works::{WORKS, cannot, less},
};
use figures::Figures;
use std::{fmt::Write, fs, path::Path, process::Command};

const BEGIN: &str = "<!-- peers:begin -->";
const END: &str = "<!-- peers:end -->";

/// Prints the tables, and writes them with the plots into `docs/` where that is wanted.
pub fn publish(results: &Results, plan: &Plan, write: bool) -> Outcome<()> {
    let figures = Figures::of(&results.rows);
    let mut text = heading(results, plan);
    text += &tables::all(&figures);
    text += &targets::table(&figures);
    text += &problems(results);
    println!("{text}");
    if write {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let plots = plots::write(&figures, &docs.join("plots"))?;
        let page = docs.join("performance.md");
        fs::write(&page, inserted(&fs::read_to_string(&page)?, &(text + &plots + &capabilities()))?)?;
        eprintln!("written: docs/performance.md and docs/plots");
    }
    Ok(())
}

/// The page with what stands between the markers replaced; with both at its end where it has none.
fn inserted(page: &str, text: &str) -> Outcome<String> {
    let Some((before, rest)) = page.split_once(BEGIN) else {
        return Ok(format!("{page}\n## Beside other ways\n\n{BEGIN}\n{text}{END}\n"));
    };
    let (_, after) =
        rest.split_once(END).ok_or("docs/performance.md has a begin marker and no end marker")?;
    Ok(format!("{before}{BEGIN}\n{text}{END}{after}"))
}

fn heading(results: &Results, plan: &Plan) -> String {
    let command = plan.flag.map_or("all".into(), |flag| format!("all {flag}"));
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(": ")).map_or("?", |(_, value)| value).to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{}, `cargo run --release -p peers -- {command}`, {cores} cores of {} (family {}, model {}), Linux {}; {} rounds \
         in {} s; load {} at its end.\n",
        said("date", &["-u", "+%-d %B %Y"]),
        field("model name"),
        field("cpu family"),
        field("model\t"),
        said("uname", &["-r"]),
        plan.rounds,
        results.time.as_secs(),
        fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').next().unwrap_or("?"),
    )
}

fn problems(results: &Results) -> String {
    let mut text = String::new();
    for (peer, advice) in &results.absent {
        let _ = writeln!(text, "- {peer} is not in these tables: {advice}");
    }
    for failure in &results.failures {
        let _ = writeln!(text, "- {}, {}: **failed**: {}", failure.peer, failure.work, failure.text);
    }
    if text.is_empty() { text } else { format!("\n### What is missing\n\n{text}") }
}

/// Which peer does which work, why others do not, and where they do less.
pub fn capabilities() -> String {
    let names: Vec<&str> = WORKS.iter().map(|work| work.name).collect();
    let mut text = format!(
        "\n### Who does what\n\n| | {} |\n|{}\n",
        names.join(" | "),
        " --- |".repeat(names.len() + 1)
    );
    for peer in NAMES {
        let marks: Vec<&str> =
            WORKS.iter().map(|work| if cannot(peer, work.name).is_none() { "x" } else { "–" }).collect();
        let _ = writeln!(text, "| {peer} | {} |", marks.join(" | "));
    }
    text += "\n";
    for work in &WORKS {
        let _ = writeln!(text, "- `{}`: {}.", work.name, work.about);
    }
    text += "\nWhere a peer does less than a board, and why it cannot do a work:\n\n";
    for peer in NAMES {
        let reasons =
            WORKS.iter().filter_map(|work| Some(format!("`{}`: {}", work.name, cannot(peer, work.name)?)));
        let mut words: Vec<String> = reasons.collect();
        if !less(peer).is_empty() {
            words.insert(0, less(peer).to_owned());
        }
        if !words.is_empty() {
            let _ = writeln!(text, "- **{peer}**: {}.", words.join("; "));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, inserted};

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let page = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        assert_eq!(inserted(&page, "new\n").unwrap(), format!("before\n{BEGIN}\nnew\n{END}\nafter\n"));
        assert!(inserted(BEGIN, "new").is_err());
        assert!(inserted("before\n", "new\n").unwrap().ends_with(&format!("{BEGIN}\nnew\n{END}\n")));
    }
}
