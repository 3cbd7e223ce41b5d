//! What the board is to reach, and whether it does.

use super::{
    figures::Figures,
    tables::{rate, time},
};
use crate::works::ycsb::WORKLOADS;
use std::fmt::Write;

const OURS: &str = "slateboard";
const SCRUB: &str = "slateboard, scrub";

/// A row: the work, what was reached, the target, and whether it is reached and surpassed.
struct Line {
    work: String,
    figure: String,
    target: String,
    /// `None` where a figure is missing.
    reached: Option<bool>,
    beyond: Option<(String, bool)>,
}

/// The table of targets.
pub fn table(figures: &Figures) -> String {
    let mut lines = Vec::new();
    gets(figures, &mut lines);
    puts(figures, &mut lines);
    syncs(figures, &mut lines);
    rates(figures, &mut lines);
    singles(figures, &mut lines);
    ycsb(figures, &mut lines);
    let mut text =
        "\n### Targets\n\nTimes of the board divided by the peer's; rates of the board as multiples of the \
                    peer's. Peers that verify nothing are compared with `scrub`. \
                    Near cores, unless *far* is said.\n\n| work | figure | target | reached | \
                    beyond |\n| --- | --- | --- | --- | --- |\n"
            .to_owned();
    for line in lines {
        let yes = |reached| if reached { "yes" } else { "**no**" };
        let beyond = line
            .beyond
            .map_or("–".into(), |(beyond, is)| format!("{beyond}: {}", if is { "yes" } else { "no" }));
        let reached = line.reached.map_or("not measured", yes);
        let _ =
            writeln!(text, "| {} | {} | {} | {reached} | {beyond} |", line.work, line.figure, line.target);
    }
    text
}

fn far(near: bool) -> &'static str {
    if near { "" } else { " *far*" }
}

/// One work, ours and a peer's.
type Compared<'a> = (&'a str, &'a str, &'a str);

/// The time of ours, and how many of the peer's that is.
fn in_times(figures: &Figures, ours: Compared<'_>, peer: Compared<'_>) -> Option<(f64, f64, String)> {
    let (mine, theirs, near) = figures.pair(ours, peer)?;
    let text = format!("{:.2} x {} ({} : {}){}", mine / theirs, peer.2, time(mine), time(theirs), far(near));
    Some((mine, mine / theirs, text))
}

/// The rate of ours as a multiple of the peer's.
fn in_rates(figures: &Figures, ours: Compared<'_>, peer: Compared<'_>) -> Option<(f64, String)> {
    let (mine, theirs, near) = figures.pair(ours, peer)?;
    let text = format!("{:.2} x {} ({} : {}){}", mine / theirs, peer.2, rate(mine), rate(theirs), far(near));
    Some((mine / theirs, text))
}

fn joined(parts: &[Option<String>]) -> String {
    let parts: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
    if parts.is_empty() { "–".into() } else { parts.join("; ") }
}

/// Gets against a peer that verifies nothing: `most` times its time at most.
fn gets(figures: &Figures, lines: &mut Vec<Line>) {
    let rows = [
        ("64 B, by handle", "64 B, by handle", "iceoryx2", 1.2),
        ("64 B, by key", "64 B, by key", "DashMap", 1.3),
        ("1 KiB, by handle", "1 KiB, by handle", "iceoryx2", 0.7),
        ("64 KiB, by handle", "64 KiB, by handle", "iceoryx2", 0.75),
    ];
    for (what, theirs, peer, most) in rows {
        let scrub = in_times(figures, ("get", what, SCRUB), ("get", theirs, peer));
        let verified = in_times(figures, ("get", what, OURS), ("get", theirs, peer));
        let plain = in_times(figures, ("get", what, SCRUB), ("get", what, "unprotected"));
        let large = !what.starts_with("64 B");
        let beyond = match (&scrub, &plain) {
            (_, Some((_, ratio, _))) if large => {
                Some((format!("1.1 x plain copy ({ratio:.2})"), *ratio <= 1.1))
            }
            (Some((_, ratio, _)), _) if !large => Some((format!("ahead of {peer}"), *ratio < 1.0)),
            _ => None,
        };
        lines.push(Line {
            work: format!("get {what}"),
            figure: joined(&[
                scrub.as_ref().map(|scrub| scrub.2.clone()),
                verified.map(|verified| format!("verified {:.2} x", verified.1)),
            ]),
            target: format!("{most} x {peer}"),
            reached: scrub.map(|scrub| scrub.1 <= most),
            beyond,
        });
    }
}

fn puts(figures: &Figures, lines: &mut Vec<Line>) {
    for (size, most, says) in
        [("64 B", 1.0 / 6.0, "60 ns or LMDB / 6"), ("1 KiB", 0.2, "LMDB / 5"), ("64 KiB", 1.4, "1.4 x LMDB")]
    {
        let what = format!("{size}, by handle");
        let by_key = format!("{size}, by key");
        let ours = ("put", what.as_str(), OURS);
        let lmdb = in_times(figures, ours, ("put", &by_key, "LMDB"));
        let mutex = in_times(figures, ours, ("put", &what, "mutex table"));
        let iceoryx = in_times(figures, ours, ("put", &what, "iceoryx2"));
        let beyond = match size {
            "64 B" => lmdb.as_ref().map(|lmdb| ("45 ns".to_owned(), lmdb.0 <= 45.0)),
            "64 KiB" => {
                iceoryx.map(|iceoryx| (format!("ahead of iceoryx2 ({:.2})", iceoryx.1), iceoryx.1 < 1.0))
            }
            _ => None,
        };
        lines.push(Line {
            work: format!("put {what}"),
            figure: joined(&[
                lmdb.as_ref().map(|lmdb| lmdb.2.clone()),
                mutex.map(|mutex| format!("{:.1} x mutex table", mutex.1)),
            ]),
            target: says.into(),
            reached: lmdb.map(|lmdb| lmdb.1 <= most || (size == "64 B" && lmdb.0 <= 60.0)),
            beyond,
        });
    }
}

fn syncs(figures: &Figures, lines: &mut Vec<Line>) {
    for way in ["polling a key", "polling the generation"] {
        let what = format!("64 B, {way}");
        let near = figures.in_placement("sync", &what, OURS, true).is_some();
        let Some(figure) = figures.in_placement("sync", &what, OURS, near) else { continue };
        let (pings, tail) = (figure.pings.unwrap_or(f64::NAN), figure.pings_999.unwrap_or(f64::NAN));
        let raw = time(figure.ping.unwrap_or_default());
        let iceoryx = figures.pair(("sync", &what, OURS), ("sync", "64 B, polling", "iceoryx2"));
        lines.push(Line {
            work: format!("sync latency 64 B p50, {way}"),
            figure: format!("{pings:.1} x raw ping-pong ({} : {raw}){}", time(figure.value), far(near)),
            target: "3 x raw ping-pong".into(),
            reached: Some(pings <= 3.0),
            beyond: iceoryx.map(|(mine, theirs, _)| {
                (format!("ahead of iceoryx2 ({:.2} x its time)", mine / theirs), mine < theirs)
            }),
        });
        lines.push(Line {
            work: format!("sync latency p99.9, {way}"),
            figure: format!("{tail:.1} x raw ping-pong p50{}", far(near)),
            target: "6 x".into(),
            reached: Some(tail <= 6.0),
            beyond: None,
        });
    }
}

fn rates(figures: &Figures, lines: &mut Vec<Line>) {
    let what = "two processes, one key";
    let mutex = in_rates(figures, ("contend", what, OURS), ("contend", what, "mutex table"));
    let lmdb = in_rates(figures, ("contend", what, OURS), ("contend", what, "LMDB"));
    let reached = mutex.as_ref().zip(lmdb.as_ref()).map(|(mutex, lmdb)| mutex.0 >= 1.5 && lmdb.0 >= 8.0);
    lines.push(Line {
        work: "contended increments, exact".into(),
        figure: joined(&[mutex.map(|mutex| mutex.1), lmdb.map(|lmdb| lmdb.1)]),
        target: "1.5 x mutex table, 8 x LMDB".into(),
        reached,
        beyond: None,
    });
    for (what, least) in [("64 B, reads", 10.0), ("1 KiB, reads", 2.5)] {
        let scrub = in_rates(figures, ("beside", what, SCRUB), ("beside", what, "iceoryx2"));
        let verified = in_rates(figures, ("beside", what, OURS), ("beside", what, "iceoryx2"));
        lines.push(Line {
            work: format!("{what} beside a nonstop writer"),
            figure: joined(&[
                scrub.as_ref().map(|scrub| scrub.1.clone()),
                verified.map(|verified| format!("verified {:.2} x", verified.0)),
            ]),
            target: format!("{least} x iceoryx2"),
            reached: scrub.map(|scrub| scrub.0 >= least),
            beyond: None,
        });
    }
}

fn singles(figures: &Figures, lines: &mut Vec<Line>) {
    if let Some((figure, _)) = figures.get("attach", "attach and detach a session", OURS) {
        lines.push(Line {
            work: "attach and detach".into(),
            figure: time(figure.value),
            target: "under 200 µs".into(),
            reached: Some(figure.value < 200e3),
            beyond: Some(("50 µs".into(), figure.value <= 50e3)),
        });
    }
    let slate = ("command", "`slate get`", OURS);
    let redis = in_times(figures, slate, ("command", "`redis-cli get`", "Redis"));
    let sqlite = in_times(figures, slate, ("command", "`sqlite3 db 'SELECT ..'`", "SQLite"));
    let known: Vec<f64> = [&redis, &sqlite].into_iter().flatten().map(|peer| peer.1).collect();
    lines.push(Line {
        work: "whole-process `slate get`".into(),
        reached: (!known.is_empty()).then(|| known.iter().all(|ratio| *ratio <= 1.0)),
        figure: joined(&[redis.map(|redis| redis.2), sqlite.map(|sqlite| sqlite.2)]),
        target: "not slower than redis-cli and sqlite3".into(),
        beyond: None,
    });
    for form in figures.forms("idle") {
        let Some((figure, _)) = figures.get("idle", &form, OURS) else { continue };
        lines.push(Line {
            work: format!("idle waiting: {form}"),
            figure: format!("{:.3} % of a core", figure.value),
            target: "under 0.1 %".into(),
            reached: Some(figure.value < 0.1),
            beyond: None,
        });
    }
}

fn ycsb(figures: &Figures, lines: &mut Vec<Line>) {
    let mut letters = WORKLOADS;
    letters.sort_unstable();
    for letter in letters.map(String::from) {
        let against = |peer| in_rates(figures, ("ycsb", &letter, OURS), ("ycsb", &letter, peer));
        let peers: Vec<(f64, String)> = ["LMDB", "SQLite", "Redis"].into_iter().filter_map(against).collect();
        let lmdb = against("LMDB");
        lines.push(Line {
            work: format!("YCSB {letter}, 2 processes"),
            figure: joined(&peers.iter().map(|peer| Some(peer.1.clone())).collect::<Vec<_>>()),
            target: "ahead of LMDB, SQLite, Redis".into(),
            reached: (!peers.is_empty()).then(|| peers.iter().all(|peer| peer.0 > 1.0)),
            beyond: lmdb.map(|lmdb| ("5 x LMDB".into(), lmdb.0 >= 5.0)),
        });
    }
}
