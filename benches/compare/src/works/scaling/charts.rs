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
        bends: "get and put are flat: a read looks at no session, and a put weighs the history, over the \
                counters of every record, only when a 64th of its bound has been superseded since. Attaching grows \
                as the elected keeper's beat does: it looks for dead sessions, and so asks the kernel \
                about each, which walks all locks for every answer.",
    },
    Chart {
        file: "scaling-beats",
        section: "sessions",
        title: "processor time of one beat",
        x: sessions,
        y: time,
        series: &[
            "beat, all in one process",
            "beat, others in 16 processes",
            "the same, not elected",
            "a thread that wakes",
        ],
        bends: "Time in each period. A beat asks the kernel whether sessions' locks are held, one system call each, \
                and the kernel walks all locks of the file to answer. The elected keeper asks for all that other \
                handles hold: that takes the square of the sessions, once a period on the whole board. Those that \
                are not elected ask for at most eight whose beats are late, as all are here, and from 32 sessions \
                on do not beat in every period. Sessions of one handle know each other without asking.",
    },
    Chart {
        file: "scaling-reap",
        section: "sessions",
        title: "from a process's death until its sessions are reaped",
        x: sessions,
        y: time,
        series: &["reaping all at once"],
        bends: "Each dead session is one walk through the whole block table, and one lock that is taken and given back among \
                all that are held, which the kernel walks: so many times as many take more than so many times as long.",
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
        bends: "Caches and address translation: bucket, block table and record lie in three places far apart, \
                and from some ten thousand keys on each is a miss, then a page walk as well, over small pages. \
                The hash table of the standard library has the same bend with fewer lines. Keys of no dedicated \
                shard have a quarter of the table to themselves, so their buckets overflow sooner into chains: \
                the difference between the two lines.",
    },
    Chart {
        file: "scaling-list",
        section: "keys",
        title: "what looks at the whole board, among so many keys",
        x: keys,
        y: time,
        series: &[
            "list of all",
            "list of 100 among them",
            "a keeper's beat",
            "reaping of one session",
            "clone of a BTreeMap's entries",
        ],
        bends: "A handle's second list and all later ones go by an index of the keys, which the history keeps up to date: \
                a hundred keys cost the way to the first and a hundred records, with a miss or two each where \
                they lie far apart. Each event since the last list costs it a fifth of a microsecond more, and \
                where the history lapped it looks at every slot again, as the first list of a handle does: \
                here, other works put keys between two lists. Listing all adds the copies and their allocations. A beat is cheap, but each sixteenth one of the elected keeper, \
                which this one is, looks at every slot of the table; reaping looks at every block.",
    },
    Chart {
        file: "scaling-memory",
        section: "keys",
        title: "memory of one key with a value of 64 B",
        x: keys,
        y: || Axis::log("bytes of memory for each key", Unit::Bytes),
        series: &["memory per key, whole board", "memory per key, grown since empty", "key and value"],
        bends: "The tables of a board are there before its first key, and few keys share them. From some ten \
                thousand on a key takes its slot, its block's words in the table and its record with the header, \
                rounded up to a size of block.",
    },
    Chart {
        file: "scaling-values",
        section: "values",
        title: "get and put over the size of the value",
        x: || Axis::log("size of the value", Unit::Bytes),
        y: time,
        series: &["get", "get, Verify::Scrub", "put", "plain copy"],
        bends: "Up to some hundred bytes the fixed part of a get and a put is all there is. Then copying, and \
                for a verified get the checksum, which costs as much as the copy until memory is slower than \
                either. A put into blocks that have left the caches meets memory earlier than a copy within \
                them: the history holds up to a quarter of the data before a block is used again.",
    },
    Chart {
        file: "scaling-history",
        section: "history",
        title: "put over the length of the history",
        x: events,
        y: time,
        series: &["put 64 B", "put 1 KiB", "plain copy, ring of 64 B", "plain copy, ring of 1 KiB"],
        bends: "Nothing that a put does depends on the length, and nothing bends until the history is far longer \
                than this: the record that is let go and the block that is taken for the next value were last \
                touched a history ago, but they come back in the order in which they were taken. A plain ring of \
                the larger values bends where it outgrows the 32 MiB of the last cache.",
    },
    Chart {
        file: "scaling-wake",
        section: "waiters",
        title: "from a put until half of those who wait for it are awake",
        x: waiters,
        y: time,
        series: &[
            "Sleep, half of all awake",
            "Adaptive, half of all awake",
            "the put that wakes, Sleep",
            "condition variable, half of all awake",
        ],
        bends: "The put itself wakes all who sleep, in one system call that wakes them one by one, and they need \
                a core each: with two cores the time for all is the number of waiters by the cores, as it is for \
                a condition variable, whose threads have less to do. Adaptive waiters that have seen their event \
                look for the next one for 20 µs before they sleep, on the cores that the others wait for.",
    },
    Chart {
        file: "scaling-idle",
        section: "waiters",
        title: "processor time of waiting while nothing comes",
        x: waiters,
        y: || Axis::linear("part of a core, all waiters together", Unit::Percent),
        series: &["idle, Sleep", "idle, Adaptive", "threads that wake once a second"],
        bends: "A sleeper looks for itself after one second, then two, then every four, in case the wake \
                was lost to a kill: each look is a thread that wakes. Adaptive ones spin for 20 µs only \
                when something came.",
    },
];
