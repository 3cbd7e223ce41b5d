//! A locked byte of a file that is not a board's lock file: one duty, one holder.
//!
//! The lock is of the open file description, and no forked child keeps it, like a [certificate](super::locks).

use super::{
    locks::{lock_of, try_lock},
    registry::{self, Registered},
};
use crate::error::{Error, Result};
use nix::libc;
use std::{fs::File, io};

/// A byte that this process holds until this value is dropped.
#[derive(Debug)]
pub struct HeldByte {
    _file: Registered,
}

/// Opens a file by `open` and locks one byte of it. Returns `None` if another open file has the byte locked.
///
/// # Errors
/// Those of `open`, and of the registration of a descriptor; `Io`.
pub fn try_hold(open: impl FnMut() -> Result<File>, byte: u64) -> Result<Option<HeldByte>> {
    let file = registry::register(open)?;
    match try_lock(file.file(), &lock_of(byte, 1, libc::F_WRLCK)) {
        Ok(true) => Ok(Some(HeldByte { _file: file })),
        Ok(false) => Ok(None),
        Err(error) => Err(Error::io(format!("byte {byte} could not be locked"), io::Error::from(error))),
    }
}
