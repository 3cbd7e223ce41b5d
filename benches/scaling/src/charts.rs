//! The curves, and what bends each.

use slateboard_plot::{Axis, Unit};

/// A chart of some curves of a section.
pub struct Chart {
    /// Its file in `docs/plots`, without the ending.
    pub file: &'static str,
    pub section: &'static str,
    pub title: &'static str,
    pub x: fn() -> Axis,
    pub y: fn() -> Axis,
    pub series: &'static [&'static str],
    /// What bends the curves.
    pub bends: &'static str,
}

fn time() -> Axis {
    Axis::log("time", Unit::Time)
}

fn sessions() -> Axis {
    Axis::log("sessions attached", Unit::Count).ticks([1.0, 4.0, 16.0, 64.0, 256.0, 1024.0])
}

fn keys() -> Axis {
    Axis::log("keys", Unit::Count)
}

fn waiters() -> Axis {
    Axis::log("waiters", Unit::Count).ticks([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
}

fn events() -> Axis {
    Axis::log("events of history", Unit::Count).ticks([64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0])
}

/// In the order of the page.
pub const CHARTS: [Chart; 10] = [
    Chart {
        file: "scaling-sessions",
        section: "sessions",
        title: "operations beside attached sessions",
        x: sessions,
        y: time,
        series: &[
            "get 64 B",
            "put 64 B",
            "put 64 B, no spare records",
            "attach and detach",
            "a thread started and joined",
        ],
        bends: "BENDS",
    },
    Chart {
        file: "scaling-beats",
        section: "sessions",
        title: "processor time of one beat",
        x: sessions,
        y: time,
        series: &["beat, all in one process", "beat, others in 16 processes", "a thread that wakes"],
        bends: "BENDS",
    },
    Chart {
        file: "scaling-reap",
        section: "sessions",
        title: "from a process's death until its sessions are reaped",
        x: sessions,
        y: time,
        series: &["reaping all at once"],
        bends: "BENDS",
    },
    Chart {
        file: "scaling-keys",
        section: "keys",
        title: "get and put of 64 B by key, keys at random",
        x: keys,
        y: time,
        series: &[
            "get",
            "get, no dedicated shards",
            "put",
            "put, no dedicated shards",
            "HashMap, get and copy",
            "HashMap, find and copy",
        ],
        bends: "BENDS",
    },
    Chart {
        file: "scaling-list",
        section: "keys",
        title: "lists and beats among so many keys",
        x: keys,
        y: time,
        series: &[
            "list of all",
            "list of 100 among them",
            "a keeper's beat",
            "clone of a BTreeMap's entries",
        ],
        bends: "BENDS",
    },
    Chart {
        file: "scaling-memory",
        section: "keys",
        title: "memory of one key with a value of 64 B",
        x: keys,
        y: || Axis::log("bytes of memory for each key", Unit::Bytes),
        series: &["memory per key, whole board", "memory per key, grown since empty", "key and value"],
        bends: "BENDS",
    },
    Chart {
        file: "scaling-values",
        section: "values",
        title: "get and put over the size of the value",
        x: || Axis::log("size of the value", Unit::Bytes),
        y: time,
        series: &["get", "get, Verify::Scrub", "put", "plain copy"],
        bends: "BENDS",
    },
    Chart {
        file: "scaling-history",
        section: "history",
        title: "put over the length of the history",
        x: events,
        y: time,
        series: &["put 64 B", "put 1 KiB", "plain copy, ring of 64 B", "plain copy, ring of 1 KiB"],
        bends: "BENDS",
    },
    Chart {
        file: "scaling-wake",
        section: "waiters",
        title: "from a put until those who wait for it are awake",
        x: waiters,
        y: time,
        series: &[
            "Sleep, half of all awake",
            "Sleep, 99 % awake",
            "condition variable, half of all awake",
            "condition variable, 99 % awake",
            "the put that wakes, Sleep",
        ],
        bends: "BENDS",
    },
    Chart {
        file: "scaling-idle",
        section: "waiters",
        title: "processor time of waiting while nothing comes",
        x: waiters,
        y: || Axis::linear("part of a core, all waiters together", Unit::Percent),
        series: &["idle, Sleep", "idle, Adaptive", "threads that wake once a second"],
        bends: "BENDS",
    },
];
