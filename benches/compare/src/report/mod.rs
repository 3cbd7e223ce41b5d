//! What a run has found: tables, ratios, charts, and where they go.

mod charts;
mod curves;
mod figures;
mod kept;
mod limits;
mod plots;
mod tables;
mod targets;

use crate::{
    Outcome,
    peers::NAMES,
    works::{WORKS, cannot, less},
};
pub use kept::Book;
use kept::Run;
use std::{fmt::Write, fs, path::Path};

/// The board with checksums left to the scrubber, as peers leave them out.
const SCRUB: &str = "slateboard, scrub";
/// What is kept of runs, beside the charts.
const KEPT: &str = "figures.jsonl";
const SCALING: &str = "scaling";
const PEERS: &str = "peers";

/// Prints the tables.
pub fn print(book: &Book) {
    println!("{}{}{}", runs(book, |_| true), tables(book), curves::tables(&book.figures));
}

/// Puts these works in the place of what `docs/` has of them, and draws all charts there anew.
pub fn write(book: Book) -> Outcome<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let plots = docs.join("plots");
    fs::create_dir_all(&plots)?;
    let kept = plots.join(KEPT);
    let book = Book::read_or_new(&kept)?.replaced_by(book);
    book.write(&kept)?;
    let is_curve = |work: &str| work.starts_with(SCALING);
    let peers = runs(&book, |work| !is_curve(work))
        + &tables(&book)
        + &plots::write(&book.figures, &plots)?
        + &capabilities();
    let scaling = runs(&book, is_curve) + &curves::write(&book.figures, &plots)?;
    let page = docs.join("performance.md");
    let text = inserted(&fs::read_to_string(&page)?, SCALING, &scaling)?;
    fs::write(&page, inserted(&text, PEERS, &peers)?)?;
    eprintln!("written: docs/performance.md and docs/plots");
    Ok(())
}

fn tables(book: &Book) -> String {
    tables::all(&book.figures) + &limits::table(&book.figures) + &targets::table(&book.figures)
}

/// The page with what stands between a section's marks replaced.
fn inserted(page: &str, section: &str, text: &str) -> Outcome<String> {
    let (begin, end) = (format!("<!-- {section}:begin -->"), format!("<!-- {section}:end -->"));
    let parts = page.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let (before, after) = parts.ok_or(format!("docs/performance.md has no {begin} and {end}"))?;
    Ok(format!("{before}{begin}\n{text}{end}{after}"))
}

/// When and where works were measured, and which peers are missing. Works of one run stand together.
fn runs(book: &Book, is_shown: impl Fn(&str) -> bool) -> String {
    let runs: Vec<_> = book.runs.iter().filter(|run| is_shown(&run.work)).collect();
    let mut text = String::new();
    for group in runs.chunk_by(|one, other| Run { work: other.work.clone(), ..(*one).clone() } == **other) {
        let works: Vec<String> = group.iter().map(|run| format!("`{}`", run.work)).collect();
        let Run { date, command, machine, missing, .. } = group[0];
        // Writing to a String cannot fail.
        let _ = writeln!(text, "- {}: {date}, `{command}`, {machine}", works.join(", "));
        for missing in missing {
            let _ = writeln!(text, "  - missing: {missing}");
        }
    }
    text
}

/// Which peer does which work, why others do not, and where they do less.
pub fn capabilities() -> String {
    let (alone, of_all): (Vec<_>, Vec<_>) = WORKS.iter().partition(|work| work.alone);
    let names: Vec<&str> = of_all.iter().map(|work| work.name).collect();
    let mut text = format!(
        "\n### Who does what\n\n| | {} |\n|{}\n",
        names.join(" | "),
        " --- |".repeat(names.len() + 1)
    );
    for peer in NAMES {
        let marks: Vec<&str> =
            of_all.iter().map(|work| if cannot(peer, work).is_none() { "x" } else { "–" }).collect();
        let _ = writeln!(text, "| {peer} | {} |", marks.join(" | "));
    }
    text += "\n";
    for work in &of_all {
        let _ = writeln!(text, "- `{}`: {}.", work.name, work.about);
    }
    text += "\nWorks of the board alone, which take turns with raw limits in the same process:\n\n";
    for work in &alone {
        let _ = writeln!(text, "- `{}`: {}.", work.name, work.about);
    }
    text += "\nWhere a peer does less than a board, and why it cannot do a work:\n\n";
    for peer in NAMES {
        let reasons =
            of_all.iter().filter_map(|work| Some(format!("`{}`: {}", work.name, cannot(peer, work)?)));
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
    use super::inserted;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let page = |text: &str| format!("before\n<!-- peers:begin -->\n{text}<!-- peers:end -->\nafter\n");
        assert_eq!(inserted(&page("old\n"), "peers", "new\n").unwrap(), page("new\n"));
        assert!(inserted(&page(""), "scaling", "new").is_err());
    }
}
