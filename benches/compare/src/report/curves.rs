//! How the figures grow: the charts of the works named `scaling-…`, what bends their curves, and their points as tables.

use super::{
    charts::{Axis, Line, lines},
    figures::Figures,
};
use crate::{Outcome, row::Unit};
use std::{fmt::Write, fs, path::Path};

/// A chart of some curves of a work.
struct Chart {
    /// Its file in `docs/plots`, without the ending.
    file: &'static str,
    work: &'static str,
    title: &'static str,
    x: Axis,
    y: Axis,
    curves: &'static [&'static str],
    /// What bends the curves.
    bends: &'static str,
}

const TIME: Axis = Axis::log("time", Unit::Nanoseconds);
const SESSIONS: Axis =
    Axis { ticks: &[1.0, 4.0, 16.0, 64.0, 256.0, 1024.0], ..Axis::log("sessions attached", Unit::Count) };
const KEYS: Axis = Axis::log("keys", Unit::Count);
const SIZE: Axis = Axis::log("size of the value", Unit::Bytes);
const EVENTS: Axis = Axis {
    ticks: &[64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0],
    ..Axis::log("events of history", Unit::Count)
};
const WAITERS: Axis =
    Axis { ticks: &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0], ..Axis::log("waiters", Unit::Count) };

/// In the order of the page.
const CHARTS: [Chart; 10] = [
    Chart {
        file: "scaling-sessions",
        work: "scaling-sessions",
        title: "operations beside attached sessions",
        x: SESSIONS,
        y: TIME,
        curves: &[
            "get 64 B",
            "put 64 B",
            "put 64 B, no spare records",
            "attach and detach",
            "a thread started and joined",
        ],
        bends: "get and put are flat. A get looks at no session. A put adds up the bytes of the history over the \
                counters of every session record, but only when a 64th of the history's bound has been superseded \
                since the last time. Attaching grows as the beat of the elected keeper does: it looks for dead \
                sessions, so it asks the kernel about each session's lock, and the kernel walks all locks for \
                every answer.",
    },
    Chart {
        file: "scaling-beats",
        work: "scaling-sessions",
        title: "processor time of one beat",
        x: SESSIONS,
        y: TIME,
        curves: &[
            "beat, all in one process",
            "beat, others in 16 processes",
            "the same, not elected",
            "a thread that wakes",
        ],
        bends: "The figure is the processor time in each period. A beat asks the kernel whether the locks of sessions are held, \
                with one system call for each, and the kernel walks all locks of the file to answer. The elected \
                keeper asks about all sessions of other handles, so its time grows with the square of the sessions; \
                only one keeper on the board does this, once in each period. Keepers that are not elected ask about at most \
                eight sessions whose beats are late. Here all are late. From 32 sessions on they do not beat in \
                every period. Sessions of one handle know of each other without asking.",
    },
    Chart {
        file: "scaling-reap",
        work: "scaling-sessions",
        title: "from a process's death until its sessions are reaped",
        x: SESSIONS,
        y: TIME,
        curves: &["reaping all at once"],
        bends: "Reaping a session walks the whole block table once. It also takes and releases the session's lock, for which \
                the kernel walks all locks that are held. So the time grows faster than the number of sessions.",
    },
    Chart {
        file: "scaling-keys",
        work: "scaling-keys",
        title: "get and put of 64 B by key, keys at random",
        x: KEYS,
        y: TIME,
        curves: &[
            "get",
            "get, no dedicated shards",
            "put",
            "put, no dedicated shards",
            "HashMap, get and copy",
            "HashMap, find and copy",
        ],
        bends: "Caches and address translation bend the curves. The bucket, the block table and the record of a key lie in \
                three places that are far apart. From some ten thousand keys on each of them is a cache miss, and later a \
                page walk as well, over small pages. The standard library's hash table bends in the same place and \
                touches fewer cache lines. Keys outside the dedicated shards share a quarter of the table, so \
                their buckets overflow into chains sooner: this is the difference between the two curves.",
    },
    Chart {
        file: "scaling-list",
        work: "scaling-keys",
        title: "what looks at the whole board, among so many keys",
        x: KEYS,
        y: TIME,
        curves: &[
            "list of all",
            "list of 100 among them",
            "a keeper's beat",
            "reaping of one session",
            "clone of a BTreeMap's entries",
        ],
        bends: "From a handle's second list on, lists use an index of the keys, which the history keeps up to date. A list of a \
                hundred keys finds the first one and reads a hundred records, with a cache miss or two for each where they \
                lie far apart. Each event since the last list adds a fifth of a microsecond. Where the history has \
                lapped, a list looks at every slot again, as the first list of a handle does. This happens here, \
                because other works put keys between two lists. A list of all keys adds their copies and \
                allocations. A beat is cheap, but every sixteenth beat of the elected keeper looks at every slot of \
                the table, and the keeper measured here is elected. Reaping looks at every block.",
    },
    Chart {
        file: "scaling-memory",
        work: "scaling-keys",
        title: "memory of one key with a value of 64 B",
        x: KEYS,
        y: Axis::log("bytes of memory for each key", Unit::Bytes),
        curves: &["memory per key, whole board", "memory per key, grown since empty", "key and value"],
        bends: "The tables of a board exist before its first key, and few keys share their cost. From some ten thousand keys on, a \
                key takes its slot, its block's words in the block table, and its record with the header, rounded up to a \
                block size.",
    },
    Chart {
        file: "scaling-values",
        work: "scaling-values",
        title: "get and put over the size of the value",
        x: SIZE,
        y: TIME,
        curves: &["get", "get, Verify::Scrub", "put", "plain copy"],
        bends: "Up to a few hundred bytes the fixed part of a get or a put dominates. Beyond that the copy does, and for a \
                verified get also the checksum, which costs as much as the copy until memory is slower than both. \
                A put writes to blocks that have left the caches, so it reaches the speed of memory earlier than a \
                copy within the caches: the history holds up to a quarter of the data area before a block is used again.",
    },
    Chart {
        file: "scaling-history",
        work: "scaling-history",
        title: "put over the length of the history",
        x: EVENTS,
        y: TIME,
        curves: &["put 64 B", "put 1 KiB", "plain copy, ring of 64 B", "plain copy, ring of 1 KiB"],
        bends: "Nothing that a put does depends on the length of the history, and nothing bends before the history is far longer than \
                this. The record that a put lets go and the block that it takes were last touched one history \
                ago, but they return in the order in which they were taken. A plain ring of the larger \
                values bends where it outgrows the last cache of 32 MiB.",
    },
    Chart {
        file: "scaling-wake",
        work: "scaling-waiters",
        title: "from a put until half of those who wait for it are awake",
        x: WAITERS,
        y: TIME,
        curves: &[
            "Sleep, half of all awake",
            "Adaptive, half of all awake",
            "the put that wakes, Sleep",
            "condition variable, half of all awake",
        ],
        bends: "The put wakes all sleepers in one system call, which wakes them one after the other, and each needs a core. With two \
                cores the time until all are awake grows with the number of waiters. The same holds for a condition \
                variable, whose threads have less to do. Adaptive waiters that have seen their event look for the next one for \
                20 µs before they sleep, on the cores that the others wait for.",
    },
    Chart {
        file: "scaling-idle",
        work: "scaling-waiters",
        title: "processor time of waiting while nothing comes",
        x: WAITERS,
        y: Axis::log("percent of a core, all waiters together", Unit::Percent),
        curves: &["idle, Sleep", "idle, Adaptive", "threads that wake once a second"],
        bends: "A sleeper looks for itself after one second, then after two, then every four, in case a kill lost the wake-up. Each \
                look is a thread that wakes. Adaptive waiters spin for 20 µs only after an event has come.",
    },
];

/// Writes the charts into a folder; Markdown that shows each with its points.
pub fn write(figures: &Figures, folder: &Path) -> Outcome<String> {
    let mut text = String::new();
    for chart in CHARTS.iter().filter(|chart| !chart.xs(figures).is_empty()) {
        let curve = |what: &&str| -> Line {
            let points = figures.curve(chart.work, what).map(|(x, figure)| (x, figure.value));
            (what.to_string(), points.collect())
        };
        let curves: Vec<Line> = chart.curves.iter().map(curve).collect();
        let svg = lines(chart.title, &chart.x, &chart.y, &curves)?;
        fs::write(folder.join(format!("{}.svg", chart.file)), svg)?;
        let Chart { title, file, bends, .. } = chart;
        text +=
            &format!("\n### {title}\n\n![{title}](plots/{file}.svg)\n\n{bends}\n\n{}", chart.table(figures));
    }
    Ok(text)
}

/// The points of all charts as tables.
pub fn tables(figures: &Figures) -> String {
    let shown = CHARTS.iter().filter(|chart| !chart.xs(figures).is_empty());
    shown.map(|chart| format!("\n### {}\n\n{}", chart.title, chart.table(figures))).collect()
}

impl Chart {
    /// Where there are points.
    fn xs(&self, figures: &Figures) -> Vec<f64> {
        let points = self.curves.iter().flat_map(|what| figures.curve(self.work, what));
        let mut xs: Vec<f64> = points.map(|point| point.0).collect();
        xs.sort_by(f64::total_cmp);
        xs.dedup();
        xs
    }

    /// The points as a table, a row for each x.
    fn table(&self, figures: &Figures) -> String {
        let shown: Vec<&&str> =
            self.curves.iter().filter(|what| figures.curve(self.work, what).next().is_some()).collect();
        let heads: Vec<&str> = shown.iter().map(|what| **what).collect();
        let mut text = format!("|  | {} |\n| ---: |{}\n", heads.join(" | "), " ---: |".repeat(heads.len()));
        for x in self.xs(figures) {
            let cell = |what: &&&str| {
                let point = figures.curve(self.work, what).find(|point| point.0 == x);
                point.map_or_else(|| "–".into(), |(_, figure)| figure.unit.brief(figure.value))
            };
            let cells: Vec<String> = shown.iter().map(cell).collect();
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| {} | {} |", self.x.unit.brief(x), cells.join(" | "));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{CHARTS, Figures};
    use crate::{
        row::{Row, Unit},
        works::WORKS,
    };

    #[test]
    fn a_table_has_a_row_for_each_x() {
        let row = |what: &str, x: f64| Row {
            x: Some(x),
            ..Row::new("", "scaling-values", what, Unit::Nanoseconds, 80.0)
        };
        let chart = CHARTS.iter().find(|chart| chart.work == "scaling-values").unwrap();
        let figures = Figures::of(&[row("get", 8.0), row("get", 1024.0), row("put", 8.0)]);
        let text = chart.table(&figures);
        assert!(text.contains("| 8 B | 80 ns | 80 ns |") && text.contains("| 1 KiB | 80 ns | – |"), "{text}");
    }

    #[test]
    fn charts_are_of_works_that_there_are() {
        assert!(CHARTS.iter().all(|chart| WORKS.iter().any(|work| work.name == chart.work)));
    }
}
