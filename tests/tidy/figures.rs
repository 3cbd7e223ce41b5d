//! Tables of measured figures say which command measured them, when, and on which processor.

use crate::source::{Source, files, root};

const UNITS: [&str; 13] = [
    "ns",
    "µs",
    "ms",
    "s",
    "minute",
    "minutes",
    "hour",
    "hours",
    "M/s",
    "k/s",
    "million/s",
    "instructions",
    "%",
];
/// Numbers in words. "A" and "an" are none, because an hour is often a setting.
const NUMBERS: [&str; 12] =
    ["half", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twenty"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Whether a row of a table has a number with a unit of what is measured.
fn has_figure(row: &str) -> bool {
    // An article may stand between a number and its unit, as in half an hour.
    let words: Vec<&str> = row
        .split([' ', '|', '(', ')', ';', ':', '`'])
        .filter(|word| !["", "a", "an"].contains(word))
        .collect();
    let is_number = |word: &str| {
        let digits = word.starts_with(|first: char| first.is_ascii_digit())
            && word.chars().all(|sign| sign.is_ascii_digit() || ",.".contains(sign));
        digits || NUMBERS.contains(&word)
    };
    words.windows(2).any(|pair| is_number(pair[0]) && UNITS.contains(&pair[1].trim_end_matches([',', '.'])))
}

/// Whether a text has a command, a date and a processor.
fn is_origin(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_year = |word: &str| {
        word.trim_matches([',', '.', ':', ';', '*', ')'])
            .parse()
            .is_ok_and(|year| (2024..2100).contains(&year))
    };
    let dated = words.windows(2).any(|pair| MONTHS.contains(&pair[0]) && is_year(pair[1]));
    let measured = ["`cargo ", "`.ci/", "`fuzz/"].iter().any(|command| text.contains(command));
    dated && measured && ["AMD ", "Intel ", "Arm "].iter().any(|maker| text.contains(maker))
}

/// The first row with a figure of each section whose text, and that of the page's head, say nothing of its origin. A section
/// begins at a heading of the second level; rows of tables are not text.
fn unmeasured(pages: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for page in pages {
        let (mut head, mut section, mut told) = (String::new(), None, false);
        for (number, line) in page.text.lines().enumerate() {
            if line.starts_with("## ") {
                (section, told) = (Some(String::new()), false);
            } else if !line.starts_with('|') {
                let text = section.as_mut().unwrap_or(&mut head);
                text.push_str(line);
                text.push('\n');
            } else if has_figure(line) && !told {
                told = true;
                let known = is_origin(&head) || section.as_deref().is_some_and(is_origin);
                let place = (!known).then(|| format!("{}:{}", page.path, number + 1));
                found.extend(place);
            }
        }
    }
    found
}

#[test]
fn figures_tell_their_command_date_and_processor() {
    let mut pages = files(&["docs"], &[".md"]);
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"] {
        let text = std::fs::read_to_string(root().join(name)).unwrap_or_else(|_| panic!("{name} is missing"));
        pages.push(Source { path: name.into(), text });
    }
    let found = unmeasured(&pages);
    assert!(found.is_empty(), "figures without command, date and processor: {found:#?}");
    let origin = "Measured on 1 May 2026 by `cargo peers` on an AMD EPYC.";
    let table = "| get | 43 ns |";
    let page = |head: &str, section: &str| {
        [Source::sample("docs/a.md", &format!("# a\n{head}\n## b\n{section}\n\n{table}\n"))]
    };
    assert!(unmeasured(&page(origin, "")).is_empty() && unmeasured(&page("", origin)).is_empty());
    let without = [
        "",
        "Measured on 1 May 2026 by `cargo peers`.",
        "By `cargo peers` on an AMD EPYC.",
        "On 1 May 2026, AMD EPYC.",
    ];
    for text in without {
        assert_eq!(unmeasured(&page("", text)), ["docs/a.md:6"], "{text:?}");
    }
    let other = format!("# a\n## b\n{origin}\n## c\n{table}\n");
    assert_eq!(unmeasured(&[Source::sample("docs/a.md", &other)]), ["docs/a.md:5"]);
    for timed in ["| `.ci/run` | in half an hour |", "| a run | ten minutes |", "| seven a minute |"] {
        assert!(has_figure(timed), "{timed}");
    }
    assert!(!has_figure("| leases | of 60 milliseconds and an hour |"));
    assert!(!has_figure("| 24..64 | in units of 2^20 ns |") && !has_figure("| 16 MiB | 8 sessions |"));
}
