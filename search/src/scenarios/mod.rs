//! The scenarios.

mod publish;

use crate::scenario::Scenario;

/// All of them.
pub fn all() -> Vec<Scenario> {
    [publish::scenarios()].concat()
}
