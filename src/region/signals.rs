//! Ending in good order on SIGTERM and SIGINT, for programs that ask for it.
//!
//! The handler only notes the signal; a keeper finds the note at its next look, ends its session, and
//! lets the process die of the signal as it would have without the handler. Where no keeper looks, as after the last
//! session's end and in a forked child, the signal does what it did before.
//!
//! All that the process shares here are atomics and a cell that is set once: a child of `fork(2)` meets no lock.
//!
//! # Safety
//!
//! The handler is a function that lives as long as the program. It makes atomic accesses and calls that are safe in a
//! signal handler: `getpid`, `sigaction`, `raise`, and the handler that was there before.

use crate::{
    error::{Error, Result},
    sync::{AtomicU64, Ordering},
};
use nix::{
    errno::Errno,
    libc,
    sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction},
};
use std::{
    ffi::c_void,
    process,
    sync::OnceLock,
    time::{Duration, Instant},
};

/// Between two looks for keepers that have not ended their sessions yet.
const LOOK: Duration = Duration::from_millis(1);
const SIGNALS: [Signal; 2] = [Signal::SIGTERM, Signal::SIGINT];

/// `process id:32 | keepers that look:32`.
static LOOKING: AtomicU64 = AtomicU64::new(0);
/// The signal that came last; 0 for none.
static CAUGHT: AtomicU64 = AtomicU64::new(0);
/// What each signal did before.
static BEFORE: [OnceLock<SigAction>; 2] = [const { OnceLock::new() }; 2];

/// A look-out for signals. Dropping it stops looking.
#[derive(Debug)]
pub struct Signals(());

impl Signals {
    /// Begins to catch SIGTERM and SIGINT, but those that the program ignores.
    ///
    /// # Errors
    /// `Io` where a handler cannot be set.
    pub fn catch() -> Result<Self> {
        for (signal, before) in SIGNALS.into_iter().zip(&BEFORE) {
            let failed = |error: Errno| Error::io("a signal handler could not be set", error);
            let old = set(signal, ours()).map_err(failed)?;
            match old.handler() {
                SigHandler::SigAction(handler) if is_ours(handler) => {}
                // Ignored signals stay so, and a handler that the program has set over ours stays its own.
                handler => {
                    if matches!(handler, SigHandler::SigIgn) || before.set(old).is_err() {
                        set(signal, old).map_err(failed)?;
                    }
                }
            }
        }
        // Relaxed, here and below: the words carry nothing but themselves.
        if count_in(LOOKING.load(Ordering::Relaxed)) == 0 {
            CAUGHT.store(0, Ordering::Relaxed);
        }
        change(|count| count + 1);
        Ok(Self(()))
    }

    /// The signal that was caught last.
    pub fn caught(&self) -> Option<Signal> {
        Signal::try_from(CAUGHT.load(Ordering::Relaxed) as i32).ok()
    }

    /// Does what the process would have done without a handler: it ends, once the other keepers have ended their sessions
    /// as well, or have had so much time for it.
    pub fn die_of(&self, signal: Signal, patience: Duration) {
        change(|count| count.saturating_sub(1));
        let started = Instant::now();
        while count_in(LOOKING.load(Ordering::Relaxed)) > 0 && started.elapsed() < patience {
            std::thread::sleep(LOOK);
        }
        Self::end_by(signal);
    }

    fn end_by(signal: Signal) {
        let _ = set(signal, SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty()));
        let _ = SigSet::from(signal).thread_unblock();
        let _ = raise(signal);
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        change(|count| count.saturating_sub(1));
    }
}

/// How many keepers of this process look; none where the word is a parent's.
fn count_in(word: u64) -> u64 {
    if word >> 32 == u64::from(process::id()) { word & 0xffff_ffff } else { 0 }
}

fn change(count: impl Fn(u64) -> u64) {
    let word = |old| Some(u64::from(process::id()) << 32 | count(count_in(old)));
    let _ = LOOKING.fetch_update(Ordering::Relaxed, Ordering::Relaxed, word);
}

fn ours() -> SigAction {
    SigAction::new(SigHandler::SigAction(note), SaFlags::SA_RESTART, SigSet::empty())
}

fn is_ours(handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut c_void)) -> bool {
    std::ptr::fn_addr_eq(handler, note as extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut c_void))
}

/// Sets a handler, and returns the one before.
fn set(signal: Signal, action: SigAction) -> Result<SigAction, Errno> {
    // SAFETY: the action is the default, the handler below, or one that the program had set itself.
    unsafe { sigaction(signal, &action) }
}

extern "C" fn note(number: libc::c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let looked_for = count_in(LOOKING.load(Ordering::Relaxed)) > 0;
    if looked_for {
        CAUGHT.store(number as u64, Ordering::Relaxed);
    }
    let Some(at) = SIGNALS.iter().position(|signal| *signal as libc::c_int == number) else { return };
    match BEFORE[at].get().map(|before| before.handler()) {
        Some(SigHandler::Handler(before)) => before(number),
        Some(SigHandler::SigAction(before)) => before(number, info, context),
        Some(SigHandler::SigDfl) if !looked_for => Signals::end_by(SIGNALS[at]),
        _ => {}
    }
}
