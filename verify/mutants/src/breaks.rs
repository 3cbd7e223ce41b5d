//! The protocol broken on purpose in three ways that each lose what it promises, and the checks that must see it.

/// What runs a check.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Tool {
    /// `cargo models`: memory orderings.
    Models,
    /// `cargo states`: all interleavings, a kill at every access.
    States,
    /// The stepper: a kill after every instruction of the optimised code.
    Stepper,
}

/// One run of a tool.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Check {
    /// The tool.
    pub tool: Tool,
    /// The model, the scenario or the operation that it runs alone.
    pub only: &'static str,
}

/// A textual replacement, and the checks of which each must fail after it.
pub struct Break {
    /// What it takes out of the protocol.
    pub name: &'static str,
    /// What is lost by it.
    pub lost: &'static str,
    /// The file, from the workspace's folder.
    pub file: &'static str,
    /// Text that stands there exactly once.
    pub search: &'static str,
    /// What it becomes.
    pub replace: &'static str,
    /// All of these must see it. An ordering that the processor gives anyway is seen by the models alone.
    pub checks: &'static [Check],
}

const fn models(only: &'static str) -> Check {
    Check { tool: Tool::Models, only }
}

const fn states(only: &'static str) -> Check {
    Check { tool: Tool::States, only }
}

const fn stepper(only: &'static str) -> Check {
    Check { tool: Tool::Stepper, only }
}

/// All of them.
pub const BREAKS: &[Break] = &[
    Break {
        name: "the superseder does not help",
        lost: "a put that was published and not logged is superseded, and never becomes an event",
        file: "src/engine/protocol/publish.rs",
        search: "            GenWord::Unlogged(tag) => {
                // Published",
        replace: "            GenWord::Unlogged(_) if block.index() > 0 => self.generation(),
            GenWord::Unlogged(tag) => {
                // Published",
        checks: &[
            models("publish::two_puts_of_one_key_make_a_chain"),
            states("put-put"),
            stepper("put over what is not logged"),
        ],
    },
    Break {
        name: "freed by a store",
        lost: "a superseded block is given away while its owner still looks at it",
        file: "src/engine/protocol/retention.rs",
        search: "StateKind::Inflight if self.doom(block, state) => return None,",
        replace: "StateKind::Inflight => {
                    self.state_of(block).store(State::new(StateKind::Free, 0, state.tag()).0, Release);
                    return None;
                }",
        checks: &[models("blocks::a_late_owner_learns_its_generation"), states("lap-3")],
    },
    Break {
        name: "published before the payload's fence",
        lost: "whoever finds the new head may find a record that is not filled yet",
        file: "src/engine/protocol/publish.rs",
        search: "                        .compare_exchange(found.head.0, new.0, Release, Relaxed)
                        .is_ok()
                    {",
        replace: "                        .compare_exchange(found.head.0, new.0, Relaxed, Relaxed)
                        .is_ok()
                    {
                        fence(Release);",
        checks: &[
            models("publish::two_puts_of_one_key_make_a_chain"),
            models("read::a_value_is_whole_while_its_block_is_reused"),
        ],
    },
];
