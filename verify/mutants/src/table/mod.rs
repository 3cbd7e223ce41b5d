//! The mutants: every way in which slateboard's text is broken on purpose, and the checks that must find it.
//!
//! There is one file of mutants for each source file that they change. The mutants of single accesses are not here:
//! they are made of the accesses themselves, and `docs/atomics.md` says what catches each.

mod blocks;
mod board;
mod board_claim;
mod board_view;
mod bulk;
mod claim;
mod cli_lock;
mod cli_sessions;
mod clock;
mod copy;
mod create;
mod doorbell;
mod durable_aside;
mod durable_frame;
mod durable_journal;
mod durable_load;
mod durable_merge;
mod durable_mod;
mod durable_prune;
mod durable_record;
mod durable_recover;
mod durable_save;
mod durable_segment;
mod event;
mod evict;
mod expire;
mod file;
mod fill;
mod fork;
mod fsck;
mod futex;
mod guard;
mod guest;
mod history;
mod identity;
mod index;
mod index_keys;
mod inflight;
mod keeper;
mod key;
mod keys;
mod lane;
mod lease;
mod list;
mod listing;
mod lock;
mod locks;
mod lookout;
mod mapping;
mod memory;
mod metrics;
mod names;
mod notifier;
mod options;
mod pieces;
mod pollable;
mod presence;
mod process;
mod project;
mod publish;
mod read;
mod reader;
mod reap;
mod recall;
mod region;
mod registry;
mod retention;
mod seat;
mod session;
mod sessions;
mod shape;
mod signals;
mod slots;
mod span;
mod survey;
mod thread;
mod tombstones;
mod truncation;
mod typed;
mod update;
mod usage;
mod view;
mod wake;
mod watch;
mod words;

/// A change of the text that takes something out of it, and the checks of which each must find it.
pub struct Mutant {
    /// What it drops or changes.
    pub name: &'static str,
    /// What is lost by it.
    pub lost: &'static str,
    /// The file, from the workspace's folder.
    pub file: &'static str,
    /// Text that stands in the file exactly once.
    pub search: &'static str,
    /// What the text becomes.
    pub replace: &'static str,
    /// Each of these must find it. An ordering that the processor gives anyway is found by the models alone.
    pub caught_by: &'static [Check],
}

/// One run of a tool, which passes without the mutant and finds something with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Check {
    /// The tool.
    pub tool: Tool,
    /// What the tool runs: see [`Tool`].
    pub what: &'static str,
    /// Whether it is for `--long` alone, because another check of the mutant is faster.
    pub long: bool,
}

/// What runs a check.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Tool {
    /// `cargo models`, memory orderings: runs the model of this name.
    Models,
    /// `cargo states`, interleavings within bounds, with a kill before every access: runs the scenario of this name.
    States,
    /// `cargo schedules`, random schedules of many actors: runs the family of this name.
    Schedules,
    /// `cargo stepper`, a kill after every instruction of the optimised code: runs the operations of this name.
    Stepper,
    /// `cargo torture`, processes killed and stopped at random: runs with these options, among them a seed.
    Torture,
    /// `cargo test`: runs with these arguments, the last of which is the name of the test.
    Test,
}

const fn models(model: &'static str) -> Check {
    Check { tool: Tool::Models, what: model, long: false }
}

const fn states(scenario: &'static str) -> Check {
    Check { tool: Tool::States, what: scenario, long: false }
}

const fn schedules(family: &'static str) -> Check {
    Check { tool: Tool::Schedules, what: family, long: false }
}

const fn stepper(operation: &'static str) -> Check {
    Check { tool: Tool::Stepper, what: operation, long: false }
}

const fn test(arguments: &'static str) -> Check {
    Check { tool: Tool::Test, what: arguments, long: false }
}

const fn torture(options: &'static str) -> Check {
    Check { tool: Tool::Torture, what: options, long: false }
}

const fn long(check: Check) -> Check {
    Check { long: true, ..check }
}

/// All of them, by file.
#[allow(clippy::too_many_lines, reason = "a list")]
pub fn all() -> impl Iterator<Item = &'static Mutant> {
    [
        blocks::MUTANTS,
        board::MUTANTS,
        board_claim::MUTANTS,
        board_view::MUTANTS,
        bulk::MUTANTS,
        claim::MUTANTS,
        cli_lock::MUTANTS,
        cli_sessions::MUTANTS,
        clock::MUTANTS,
        copy::MUTANTS,
        doorbell::MUTANTS,
        create::MUTANTS,
        durable_aside::MUTANTS,
        durable_frame::MUTANTS,
        durable_journal::MUTANTS,
        durable_load::MUTANTS,
        durable_merge::MUTANTS,
        durable_mod::MUTANTS,
        durable_prune::MUTANTS,
        durable_record::MUTANTS,
        durable_recover::MUTANTS,
        durable_save::MUTANTS,
        durable_segment::MUTANTS,
        event::MUTANTS,
        evict::MUTANTS,
        expire::MUTANTS,
        fill::MUTANTS,
        fork::MUTANTS,
        file::MUTANTS,
        fsck::MUTANTS,
        futex::MUTANTS,
        guard::MUTANTS,
        guest::MUTANTS,
        history::MUTANTS,
        identity::MUTANTS,
        index::MUTANTS,
        index_keys::MUTANTS,
        inflight::MUTANTS,
        keeper::MUTANTS,
        key::MUTANTS,
        lane::MUTANTS,
        keys::MUTANTS,
        lease::MUTANTS,
        list::MUTANTS,
        listing::MUTANTS,
        lock::MUTANTS,
        locks::MUTANTS,
        lookout::MUTANTS,
        mapping::MUTANTS,
        memory::MUTANTS,
        metrics::MUTANTS,
        names::MUTANTS,
        notifier::MUTANTS,
        options::MUTANTS,
        pieces::MUTANTS,
        pollable::MUTANTS,
        presence::MUTANTS,
        process::MUTANTS,
        project::MUTANTS,
        publish::MUTANTS,
        read::MUTANTS,
        reader::MUTANTS,
        reap::MUTANTS,
        recall::MUTANTS,
        region::MUTANTS,
        registry::MUTANTS,
        retention::MUTANTS,
        seat::MUTANTS,
        session::MUTANTS,
        sessions::MUTANTS,
        shape::MUTANTS,
        signals::MUTANTS,
        slots::MUTANTS,
        span::MUTANTS,
        survey::MUTANTS,
        thread::MUTANTS,
        tombstones::MUTANTS,
        truncation::MUTANTS,
        typed::MUTANTS,
        update::MUTANTS,
        usage::MUTANTS,
        view::MUTANTS,
        wake::MUTANTS,
        words::MUTANTS,
        watch::MUTANTS,
    ]
    .into_iter()
    .flatten()
}
