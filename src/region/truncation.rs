//! Turns the SIGBUS of an access past the end of a truncated file into "the board has moved", for programs that request it.
//!
//! The kernel raises SIGBUS when a process accesses a page of a mapping that its file no longer has. The handler records in the
//! mapping's mark that the board has moved, and puts a page of zeros in the place of the missing one. The interrupted access
//! then succeeds, and the call that made it looks at the mark before it returns: see `Region::stands`. What a process stores
//! into such a page is seen by nobody else, and is never acknowledged.
//!
//! Every other SIGBUS goes to the handler that was there before.
//!
//! # Safety
//!
//! - *The handler* is a function that lives as long as the program. It uses atomic accesses and calls that are safe in a
//!   signal handler: `getpid`, `mmap`, `sigaction`, `raise`, and the handler that was installed before.
//! - *The replaced page* lies in a mapping of this process that is registered. The thread that faulted borrows that mapping,
//!   so it is not unmapped meanwhile, and its addresses are not reused. The page that is replaced has no content: its file
//!   ends before it. A page of zeros is as valid as any other content of atomic words.
//! - *The mark* is a word of a page that the mapping owns, which lives as long as the mapping.

use super::fork::ForkPage;
use crate::{
    error::{Error, ErrorKind, Result},
    sync::{AtomicU64, Ordering},
};
use nix::{
    errno::Errno,
    libc,
    sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction},
};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
use std::{
    ffi::c_void,
    ops::Range,
    process,
    ptr::{with_exposed_provenance, with_exposed_provenance_mut},
    sync::OnceLock,
};

/// The maximal number of mappings that a process has registered at once. A board has two: its region and its doorbell.
const COVERS_MAX: usize = 1024;
/// `Cover::start` while the other words change. No mapping starts there.
const CHANGING: u64 = 1;

/// What SIGBUS did before; set once the handler is installed.
static BEFORE: OnceLock<SigAction> = OnceLock::new();
/// The size of a page; set before the handler is installed.
static PAGE_BYTES: AtomicU64 = AtomicU64::new(4096);
static TABLE: [Entry; COVERS_MAX] = [const { Entry::FREE }; COVERS_MAX];

/// A registered mapping. The words that describe it are stable while `start` has its address.
struct Entry {
    /// Its first address; 0 if the entry is free.
    start: AtomicU64,
    end: AtomicU64,
    /// The address of the word that records that the board has moved.
    mark: AtomicU64,
    writable: AtomicU64,
    /// The process that registered it. A forked child has the table, but not the mappings.
    process: AtomicU64,
}

impl Entry {
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "the initial value of each element of the table"
    )]
    const FREE: Self = Self {
        start: AtomicU64::new(0),
        end: AtomicU64::new(0),
        mark: AtomicU64::new(0),
        writable: AtomicU64::new(0),
        process: AtomicU64::new(0),
    };

    /// Takes the entry if it is free or belongs to a parent of this process.
    fn take(&self, process: u64) -> bool {
        let start = self.start.load(Ordering::Acquire);
        let is_free = start == 0 || start != CHANGING && self.process.load(Ordering::Relaxed) != process;
        is_free && self.start.compare_exchange(start, CHANGING, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// The mark, and whether the mapping is writable, if this entry's mapping has the address.
    fn covers(&self, address: u64, process: u64) -> Option<(u64, bool)> {
        let start = self.start.load(Ordering::Acquire);
        let end = self.end.load(Ordering::Acquire);
        let mark = self.mark.load(Ordering::Acquire);
        let writable = self.writable.load(Ordering::Acquire) == 1;
        let theirs = self.process.load(Ordering::Acquire);
        let is_stable = start > CHANGING && self.start.load(Ordering::Relaxed) == start;
        let covers = is_stable && theirs == process && (start..end).contains(&address);
        covers.then_some((mark, writable))
    }
}

/// Installs the handler, once for the process.
///
/// # Errors
/// `Io` if it cannot be installed.
pub fn catch() -> Result<()> {
    let ours = SigAction::new(
        SigHandler::SigAction(on_bus),
        SaFlags::SA_ONSTACK | SaFlags::SA_RESTART,
        SigSet::empty(),
    );
    let failed = |error: Errno| Error::io("the handler of SIGBUS could not be set", error);
    if BEFORE.get().is_none() {
        PAGE_BYTES.store(rustix::param::page_size() as u64, Ordering::Relaxed);
        let before = set(ours).map_err(failed)?;
        // If another thread was faster, this handler was there before, and that thread notes what was there before it.
        if !is_ours(&before) {
            let _ = BEFORE.set(before);
        }
    }
    Ok(())
}

fn is_ours(action: &SigAction) -> bool {
    let ours: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut c_void) = on_bus;
    matches!(action.handler(), SigHandler::SigAction(handler) if std::ptr::fn_addr_eq(handler, ours))
}

/// Registers a mapping for as long as it lives. Dropped before the mapping.
#[derive(Debug)]
pub(super) struct Cover {
    entry: usize,
    process: u64,
}

impl Cover {
    /// Registers a mapping with these addresses, if the handler is installed.
    ///
    /// # Errors
    /// `Full` if too many mappings are registered; `Refused` if the system has no pages that a fork wipes.
    pub(super) fn new(addresses: Range<usize>, mark: &ForkPage, writable: bool) -> Result<Option<Self>> {
        if BEFORE.get().is_none() || addresses.is_empty() {
            return Ok(None);
        }
        let mark = mark.address().ok_or_else(|| {
            Error::new(ErrorKind::Refused, "this kernel cannot cover a mapping against a truncated file")
                .hint("use Linux 4.14 or newer, or do not call catch_truncation")
        })?;
        let process = u64::from(process::id());
        let entry = TABLE.iter().position(|entry| entry.take(process)).ok_or_else(|| {
            Error::new(ErrorKind::Full, format!("this process has {COVERS_MAX} mappings of boards already"))
                .hint("close boards that are no longer used")
        })?;
        let Entry { start, end, mark: at, writable: may, process: of } = &TABLE[entry];
        end.store(addresses.end as u64, Ordering::Relaxed);
        at.store(mark as u64, Ordering::Relaxed);
        may.store(u64::from(writable), Ordering::Relaxed);
        of.store(process, Ordering::Relaxed);
        // Release: whoever sees the address sees the words that describe the mapping.
        start.store(addresses.start as u64, Ordering::Release);
        Ok(Some(Self { entry, process }))
    }
}

impl Drop for Cover {
    fn drop(&mut self) {
        // In a forked child the entry may describe a mapping of the child.
        if let Some(entry) = TABLE.get(self.entry).filter(|_| u64::from(process::id()) == self.process) {
            entry.start.store(0, Ordering::Release);
        }
    }
}

/// Sets a handler of SIGBUS, and returns the previous one.
fn set(action: SigAction) -> Result<SigAction, Errno> {
    // SAFETY: the action is the default, or the handler below.
    unsafe { sigaction(Signal::SIGBUS, &action) }
}

/// Puts a page of zeros in the place of the page at this address, if it belongs to a registered mapping.
fn replace(address: u64) -> bool {
    let process = u64::from(process::id());
    let Some((mark, writable)) = TABLE.iter().find_map(|entry| entry.covers(address, process)) else {
        return false;
    };
    // The mark first: who reads the page of zeros finds it.
    // SAFETY: the mark is a word of a page of the mapping, which another call of this thread borrows.
    ForkPage::note_cut(unsafe { &*with_exposed_provenance::<AtomicU64>(mark as usize) });
    let page_bytes = PAGE_BYTES.load(Ordering::Relaxed) as usize;
    let page = with_exposed_provenance_mut(address as usize / page_bytes * page_bytes);
    let access = if writable { ProtFlags::READ | ProtFlags::WRITE } else { ProtFlags::READ };
    // SAFETY: the page is in a mapping that lives, and has no content: the file ends before it.
    unsafe { mmap_anonymous(page, page_bytes, access, MapFlags::PRIVATE | MapFlags::FIXED) }.is_ok()
}

extern "C" fn on_bus(number: libc::c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes a valid description of the signal.
    let (code, address) = match unsafe { info.as_ref() } {
        // SAFETY: SIGBUS with this code has an address.
        Some(info) if info.si_code == libc::BUS_ADRERR => (info.si_code, unsafe { info.si_addr() } as u64),
        Some(info) => (info.si_code, 0),
        None => (0, 0),
    };
    if code == libc::BUS_ADRERR && replace(address) {
        return;
    }
    match BEFORE.get().map(SigAction::handler) {
        Some(SigHandler::Handler(before)) => before(number),
        Some(SigHandler::SigAction(before)) => before(number, info, context),
        // The kernel does not let a fault be ignored.
        Some(SigHandler::SigIgn) if code <= 0 => {}
        _ => {
            let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
            // Ends the process when this handler returns.
            let _ = set(default);
            let _ = raise(Signal::SIGBUS);
        }
    }
}
