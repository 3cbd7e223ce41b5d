//! The mutants: flaws that the models must find.

/// A textual replacement, and the models of which one must fail after it.
pub struct Mutant {
    /// What it drops or changes.
    pub name: &'static str,
    /// The file, from the workspace's folder.
    pub file: &'static str,
    /// Text that stands there exactly once.
    pub search: &'static str,
    /// What it becomes.
    pub replace: &'static str,
    /// Run in this order until one fails.
    pub models: &'static [&'static str],
}

/// All of them, by file.
pub const MUTANTS: &[Mutant] = &[Mutant {
    name: "no lap check",
    file: "src/protocol/history.rs",
    search: "word.lap() == lap - 1 || self.is_damaged_at(position)",
    replace: "true",
    models: &["publish::two_puts_of_one_key_lap_a_ring_of_one"],
}];
