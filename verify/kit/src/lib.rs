//! The testing kit of slateboard: what its tests, fuzz targets and tools share.
//!
//! [`random`] has random numbers, [`children`] other processes, [`places`] folders and files of boards, [`judge`] the check
//! of a board at rest. [`reference`](mod@reference) is a map that knows what a board should answer. [`calls`] are the
//! operations and answers of a session. [`disk`] is a disk in memory that fails and whose power can be cut, and [`durable`] a board for
//! it. [`operations`], [`edges`], [`image`] and [`durable_files`] are the bodies of the fuzz targets; the library's tests
//! run them too, on the stable toolchain.

pub mod calls;
pub mod children;
pub mod disk;
pub mod durable;
pub mod durable_files;
pub mod edges;
pub mod heap;
pub mod image;
pub mod judge;
pub mod operations;
pub mod pair;
pub mod places;
pub mod public;
pub mod random;
pub mod reference;
pub mod script;
