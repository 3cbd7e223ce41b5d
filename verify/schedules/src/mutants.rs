//! The mutants that schedules must catch, and where: those of the search by its names for them, and some of what only
//! whole records have.

use slateboard_search::canaries::{self, Canary};

/// A mutant, and the families of which one must fail.
pub struct Mutant {
    /// Its name, among the canaries of the search or in [`OF_WHOLE_RECORDS`].
    pub name: &'static str,
    /// Families, the likeliest first.
    pub families: &'static [&'static str],
    /// Whether a quick run has it too.
    pub quick: bool,
}

const fn quick(name: &'static str, families: &'static [&'static str]) -> Mutant {
    Mutant { name, families, quick: true }
}

const fn long(name: &'static str, families: &'static [&'static str]) -> Mutant {
    Mutant { name, families, quick: false }
}

/// All of them.
pub const MUTANTS: &[Mutant] = &[
    quick("no help for the superseded", &["one-key"]),
    quick("reap order", &["one-key"]),
    quick("no intent", &["one-key"]),
    quick("no lap check", &["one-key"]),
    quick("no pin", &["one-key"]),
    long("no guard check", &["slots"]),
    long("no counter help", &["one-key"]),
    long("no shard counter help", &["one-key"]),
    long("generation word before generation", &["one-key"]),
    long("no tag test", &["one-key"]),
    long("finish without the generation's re-read", &["one-key"]),
    long("finish by store", &["one-key"]),
    long("no head re-check before log", &["one-key"]),
    long("floor past the generation", &["one-key"]),
    long("intent without floor re-read", &["scarce"]),
    long("doom by store", &["one-key"]),
    long("head test dropped", &["one-key"]),
    long("floor test dropped", &["one-key"]),
    long("reap without finish", &["one-key"]),
    long("intents not finished", &["one-key"]),
    long("names not freed", &["mortals"]),
    long("begin in the other order", &["one-key"]),
    long("reopen", &["slots"]),
    long("no hash re-check", &["slots"]),
    long("given back while its head names it", &["slots"]),
    long("no version base", &["slots"]),
    long("link without in-chain check", &["slots"]),
    long("settle by store", &["one-key"]),
    long("reclaimed with the old tag", &["one-key"]),
    quick("an updated entry outlives its session", &["bound"]),
    quick("an update that is not logged outlives its session", &["bound"]),
];

/// Those that the search, whose records end with no session, cannot see.
const OF_WHOLE_RECORDS: &[Canary] = &[
    Canary {
        name: "an updated entry outlives its session",
        file: "reap.rs",
        from: "Ok(_) => tried = generation,",
        to: "Ok(_) => return Ok(false),",
        scenarios: &[],
    },
    Canary {
        name: "an update that is not logged outlives its session",
        file: "reap.rs",
        from: "GenWord::Unlogged(_) if is_ours => match",
        to: "GenWord::Unlogged(_) if is_ours && head.0 == 0 => match",
        scenarios: &[],
    },
];

impl Mutant {
    /// Its text.
    pub fn canary(&self) -> Result<&'static Canary, String> {
        let all = OF_WHOLE_RECORDS.iter().chain(canaries::all());
        all.into_iter().find(|canary| canary.name == self.name).ok_or("there is no such canary".into())
    }
}
