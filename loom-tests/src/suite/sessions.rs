//! x
pub const MODELS: &[&super::Model] = &[];
