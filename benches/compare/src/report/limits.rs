//! The board beside raw limits: what the same work takes without any protection, or the least that its parts could take.

use super::{SCRUB, figures::Figures, tables::show};
use crate::{peers::OURS, row::digits, works::RAW};
use std::fmt::Write;

const COPIES: &str = "a clone of 1,000 sorted keys and values";
const COPY: &str = "a copy of one value";
const UNPROTECTED: &str = "unprotected";

/// A work and its form, beside the form that limits it and who does that.
type Limited = (&'static str, String, String, &'static str);

fn all() -> Vec<Limited> {
    let mut all: Vec<Limited> = Vec::new();
    for work in ["get", "put"] {
        for size in ["64 B", "1 KiB", "64 KiB"] {
            for way in ["by handle", "by key"] {
                all.push((work, format!("{size}, {way}"), format!("{size}, by handle"), UNPROTECTED));
            }
        }
    }
    let mut add = |work, what: &str, limit: &str, by| all.push((work, what.into(), limit.into(), by));
    for way in ["polling a key", "polling the generation"] {
        add("sync", &format!("64 B, {way}"), "64 B, raw ping-pong", UNPROTECTED);
    }
    add("contend", "two processes, one key", "two processes, one key", UNPROTECTED);
    add("beside", "64 B, reads", "64 B, reads", UNPROTECTED);
    add("beside", "1 KiB, reads", "1 KiB, reads", UNPROTECTED);
    add("attach", "attach and detach a session", "a thread started and joined", UNPROTECTED);
    add("whole", "list of 1,000 keys, 64 B", COPIES, RAW);
    add("whole", "1,000 events, 64 B, with previous values", COPIES, RAW);
    add("whole", "view", COPY, RAW);
    add("whole", "view and one get from it, 64 B", COPY, RAW);
    all
}

/// A row for each work that has a limit.
pub fn table(figures: &Figures) -> String {
    let mut text = "\n### The board beside raw limits\n\n| work | figure | raw limit in the same run | limit | figure / \
                    limit |\n| --- | ---: | --- | ---: | ---: |\n"
        .to_owned();
    for (work, what, limit_what, by) in all() {
        for ours in [OURS, SCRUB] {
            let near = figures.in_placement(work, &what, ours, true).is_some();
            let figure = figures.in_placement(work, &what, ours, near);
            let limit = figures.in_placement(work, &limit_what, by, near);
            let Some((figure, limit)) = figure.zip(limit) else { continue };
            let scrub = if ours == SCRUB { ", `Verify::Scrub`" } else { "" };
            let by = if by == RAW { String::new() } else { format!("{by}, ") };
            let ratio = digits(figure.value / limit.value, 3);
            let _ = writeln!(
                text,
                "| {work}: {what}{scrub} | {} | {by}{limit_what} | {} | {ratio} |",
                show(figure),
                show(limit)
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::all;
    use crate::works::WORKS;

    #[test]
    fn limits_are_of_works_that_there_are() {
        assert!(all().iter().all(|limited| WORKS.iter().any(|work| work.name == limited.0)));
    }
}
