//! What the fuzz targets do with their bytes. On stable, tests/fuzzed.rs and tests/mutated_image.rs do the same
//! with pseudo-random bytes and with the kept corpus.

pub mod calls;
pub mod children;
pub mod doing;
pub mod edges;
pub mod heap;
pub mod image;
pub mod judge;
pub mod operations;
pub mod random;
pub mod reference;
