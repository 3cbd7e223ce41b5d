//! The result of the demo, as a table and as a document.

use super::{baseline::Baseline, coordinator::Expected, latency::Latency, tree::Skipped, verdict::Verdict};
use crate::{
    args::Demo,
    commands::Context,
    failure::{Failure, say},
    units::{grouped, nanoseconds},
};
use serde::Serialize;
use std::time::Duration;

/// `demo --json`.
#[derive(Serialize, Debug)]
pub(crate) struct Report {
    folder: String,
    /// Number of files found, including skipped ones.
    files: u64,
    skipped: Skipped,
    tasks: u64,
    agents: u32,
    /// Number of events on the board, all of which were checked.
    updates: u64,
    /// Number of conflicts of all sessions.
    pub(crate) conflicts: u64,
    /// Number of attempts that surviving agents repeated because another agent was faster.
    retries: u64,
    kills: u64,
    takeovers: u64,
    lost_updates: u64,
    /// Number of updates of killed agents that happened but were not acknowledged.
    in_flight: u64,
    equal: bool,
    /// Number of files that other programs changed while the demo ran.
    changed: u64,
    seconds: f64,
    tasks_per_second: f64,
    updates_per_second: f64,
    /// The time from a put until another process sees it, if both only poll and answer each other: half of a round trip.
    sync_latency_ns: Latency,
    sequential: Sequential,
    pub(crate) baselines: Vec<Baseline>,
    /// Problems, one sentence each.
    problems: Vec<String>,
}

/// One process, no board.
#[derive(Serialize, Debug)]
pub(crate) struct Sequential {
    seconds: f64,
    files_per_second: f64,
}

impl Report {
    pub(crate) fn new(
        expected: &Expected,
        args: &Demo,
        took: Duration,
        verdict: Verdict,
        latency: Latency,
    ) -> Self {
        let tasks = expected.files.len() as u64;
        let (seconds, alone) = (took.as_secs_f64(), expected.took.as_secs_f64());
        Self {
            folder: expected.folder.display().to_string(),
            files: tasks + expected.skipped.not_keys + expected.skipped.unreadable,
            skipped: expected.skipped,
            tasks,
            agents: args.agents,
            updates: verdict.updates,
            conflicts: 0,
            retries: verdict.retries,
            kills: verdict.kills,
            takeovers: verdict.takeovers,
            lost_updates: verdict.lost,
            in_flight: verdict.in_flight,
            equal: verdict.equal,
            changed: verdict.changed,
            seconds,
            tasks_per_second: tasks as f64 / seconds,
            updates_per_second: verdict.updates as f64 / seconds,
            sync_latency_ns: latency,
            sequential: Sequential { seconds: alone, files_per_second: tasks as f64 / alone },
            baselines: Vec::new(),
            problems: verdict.problems,
        }
    }

    pub(crate) fn is_good(&self) -> bool {
        self.equal && self.lost_updates == 0 && self.baselines.iter().all(|baseline| baseline.equal)
    }

    pub(crate) fn print(&self, context: &Context) -> Result<(), Failure> {
        if context.globals.json {
            context.out.document(self)?;
        } else {
            let out = &context.out;
            out.line(out.bold(&format!("{} agents, indexing {}", self.agents, self.folder)))?;
            self.rows().iter().try_for_each(|(name, value)| out.line(format!("{name:<22}{value}")))?;
            out.line("")?;
            out.table(&["THE SAME JOB WITH", ">TASKS/S", ">FILES", "EQUAL"], &self.comparison())?;
        }
        self.problems.iter().for_each(say);
        for baseline in self.baselines.iter().filter(|baseline| !baseline.equal) {
            say(format_args!("the result with {} differs from the sequential pass", baseline.name));
        }
        Ok(())
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let Skipped { unreadable, not_keys } = self.skipped;
        let Latency { times, processor_share } = &self.sync_latency_ns;
        let disturbed = match processor_share {
            0.9.. => String::new(),
            share => format!("; they had a CPU for only {:.0} % of the time", share * 100.0),
        };
        let mut rows = vec![
            ("files", grouped(self.files)),
            ("tasks", format!("{} in {:.2} s", grouped(self.tasks), self.seconds)),
            ("updates", grouped(self.updates)),
            ("conflicts", grouped(self.conflicts)),
            ("retries", grouped(self.retries)),
            ("kills", format!("{} ({} updates in flight)", self.kills, self.in_flight)),
            ("takeovers", grouped(self.takeovers)),
            ("lost updates", grouped(self.lost_updates)),
            ("equal to sequential", yes_or_no(self.equal).into()),
            (
                "sync latency p50",
                format!("{}, one way between two polling processes{disturbed}", nanoseconds(times.p50)),
            ),
            ("             p99", nanoseconds(times.p99)),
            (
                "             p99.9",
                format!("{} ({} round trips)", nanoseconds(times.p999), grouped(times.count)),
            ),
        ];
        if unreadable + not_keys > 0 {
            rows.insert(
                1,
                (
                    "  skipped",
                    format!("{unreadable} unreadable, {not_keys} with paths that are not valid keys"),
                ),
            );
        }
        if self.changed > 0 {
            rows.push(("changed meanwhile", format!("{} files, by other programs", self.changed)));
        }
        rows
    }

    fn comparison(&self) -> Vec<Vec<String>> {
        let row = |name: &str, rate: f64, files: u64, sampled: bool, equal: bool| {
            let files = if sampled { format!("first {}", grouped(files)) } else { grouped(files) };
            vec![name.to_owned(), grouped(rate as u64), files, yes_or_no(equal).to_owned()]
        };
        let mut rows = vec![
            row("the board", self.tasks_per_second, self.tasks, false, self.equal),
            row(
                "no board: one process, first read",
                self.sequential.files_per_second,
                self.tasks,
                false,
                true,
            ),
        ];
        rows.extend(self.baselines.iter().map(|baseline| {
            row(baseline.name, baseline.tasks_per_second, baseline.files, baseline.sampled, baseline.equal)
        }));
        rows
    }
}

fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "NO" }
}
