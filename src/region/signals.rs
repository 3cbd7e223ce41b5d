//! Ends sessions on SIGTERM and SIGINT, for programs that request it.
//!
//! The handler only records the signal. A keeper finds the record at its next check, ends its session, and lets the
//! process die of the signal as it would have without the handler. If no keeper checks, as after the end of the last
//! session and in a forked child, the signal has its previous effect.
//!
//! The global state consists of atomics and of cells that are set once, so a child of `fork(2)` cannot find a held lock.
//!
//! # Safety
//!
//! The handler is a function that lives as long as the program. It uses atomic accesses and calls that are safe in a
//! signal handler: `getpid`, `sigaction`, `pthread_sigmask`, `raise`, and the handler that was installed before.

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

/// The time between two checks for keepers that have not ended their sessions yet.
const LOOK: Duration = Duration::from_millis(1);
const SIGNALS: [Signal; 2] = [Signal::SIGTERM, Signal::SIGINT];

/// `process id:32 | number of keepers that check for signals:32`.
static LOOKING: AtomicU64 = AtomicU64::new(0);
/// The signal that was caught last; 0 for none.
static CAUGHT: AtomicU64 = AtomicU64::new(0);
/// The previous action of each signal.
static BEFORE: [OnceLock<SigAction>; 2] = [const { OnceLock::new() }; 2];

/// Represents a keeper that checks for signals. Dropping it ends that.
#[derive(Debug)]
pub struct Signals(());

impl Signals {
    /// Starts to catch SIGTERM and SIGINT, except those that the program ignores.
    ///
    /// # Errors
    /// `Io` if a handler cannot be set.
    pub fn catch() -> Result<Self> {
        for (signal, before) in SIGNALS.into_iter().zip(&BEFORE) {
            let failed = |error: Errno| Error::io("a signal handler could not be set", error);
            let old = set(signal, ours()).map_err(failed)?;
            match old.handler() {
                SigHandler::SigAction(handler) if is_ours(handler) => {}
                // Ignored signals stay ignored, and a handler that the program has set in place of ours stays.
                handler => {
                    if matches!(handler, SigHandler::SigIgn) || before.set(old).is_err() {
                        set(signal, old).map_err(failed)?;
                    }
                }
            }
        }
        // Relaxed, here and below: the words publish no other memory.
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

    /// Ends the process by the signal, as it would have ended without a handler. Waits first until the other keepers
    /// have ended their sessions, at most for `patience`.
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

/// The number of keepers of this process that check for signals. It is 0 if the word belongs to the parent.
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

/// Sets a handler, and returns the previous one.
fn set(signal: Signal, action: SigAction) -> Result<SigAction, Errno> {
    // SAFETY: the action is the default, the handler below, or one that the program itself had set.
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

// They start processes.
#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use std::{env, os::unix::process::ExitStatusExt, process::Command};

    /// Says what the process does that is this program again.
    const ROLE: &str = "SLATE_TEST_OF_SIGNALS";
    static CALLED: AtomicU64 = AtomicU64::new(0);

    extern "C" fn own(_: libc::c_int) {
        CALLED.fetch_add(1, Ordering::Relaxed);
    }

    extern "C" fn own_with_information(number: libc::c_int, info: *mut libc::siginfo_t, _: *mut c_void) {
        CALLED.fetch_add(u64::from(number == libc::SIGTERM && !info.is_null()), Ordering::Relaxed);
    }

    fn act(signal: Signal, handler: SigHandler) {
        set(signal, SigAction::new(handler, SaFlags::empty(), SigSet::empty())).unwrap();
    }

    fn called() -> u64 {
        CALLED.load(Ordering::Relaxed)
    }

    #[test]
    fn as_a_program() {
        let Ok(role) = env::var(ROLE) else { return };
        match role.as_str() {
            "ignores" => {
                act(Signal::SIGINT, SigHandler::SigIgn);
                let signals = Signals::catch().unwrap();
                raise(Signal::SIGINT).unwrap();
                assert_eq!(signals.caught(), None);
            }
            "handles" | "handles with information" => {
                act(
                    Signal::SIGTERM,
                    match role.as_str() {
                        "handles" => SigHandler::Handler(own),
                        _ => SigHandler::SigAction(own_with_information),
                    },
                );
                let signals = Signals::catch().unwrap();
                raise(Signal::SIGTERM).unwrap();
                assert_eq!((called(), signals.caught()), (1, Some(Signal::SIGTERM)));
                drop(signals);
                raise(Signal::SIGTERM).unwrap();
                assert_eq!(called(), 2, "nobody looks, so the signal has the effect that it had before");
            }
            "handles later" => {
                let _first = Signals::catch().unwrap();
                act(Signal::SIGTERM, SigHandler::Handler(own));
                let second = Signals::catch().unwrap();
                raise(Signal::SIGTERM).unwrap();
                assert_eq!((called(), second.caught()), (1, None));
            }
            "attaches again" => {
                let signals = Signals::catch().unwrap();
                raise(Signal::SIGTERM).unwrap();
                assert_eq!(signals.caught(), Some(Signal::SIGTERM), "it ends when its session has ended");
                drop(signals);
                assert_eq!(Signals::catch().unwrap().caught(), None);
            }
            "does not look" => {
                drop(Signals::catch().unwrap());
                raise(Signal::SIGTERM).unwrap();
            }
            "dies" => {
                SigSet::from(Signal::SIGTERM).thread_block().unwrap();
                Signals::catch().unwrap().die_of(Signal::SIGTERM, Duration::ZERO);
            }
            _ => unreachable!("no such role"),
        }
        std::process::exit(7);
    }

    #[test]
    fn a_signal_has_the_effect_that_the_program_gave_it() {
        for (role, signal) in [
            ("ignores", None),
            ("handles", None),
            ("handles with information", None),
            ("handles later", None),
            ("attaches again", None),
            ("does not look", Some(libc::SIGTERM)),
            ("dies", Some(libc::SIGTERM)),
        ] {
            let mut program = Command::new(env::current_exe().unwrap());
            program
                .args(["--exact", "region::signals::tests::as_a_program", "--test-threads=1"])
                .env(ROLE, role);
            let ended = program.output().unwrap();
            let code = if signal.is_none() { Some(7) } else { None };
            assert_eq!((ended.status.code(), ended.status.signal()), (code, signal), "{role}: {ended:?}");
        }
    }

    #[test]
    fn calls_that_the_handler_interrupts_go_on() {
        assert!(ours().flags().contains(SaFlags::SA_RESTART));
    }
}
