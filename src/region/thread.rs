//! A thread of the library's own, which a forked child can start whatever the parent's threads were doing.
//!
//! The standard library's thread start and end take a lock of the whole process (what it reports of a stack overflow is
//! in one table), and read the environment under another. A child of `fork(2)` has these locks as they were: held for
//! ever where a thread of the parent was in them, be it only for the moment of a thread's start. So threads are started by
//! `pthread_create(3)` here, and what this makes of the standard library touches no lock that is not within itself.
//! The C library makes its own locks anew in a child.
//!
//! The thread blocks all signals but those of faults, so that handlers run in the program's own threads.
//! Nobody joins it: [`Thread::ends_within`] waits for a bounded time.
//!
//! # Safety
//!
//! `pthread_create` gets attributes that were made on the lines above, and a function that lives as long as the program.
//! Its argument is the work, boxed: given away where the thread starts, taken back where it does not. No panic leaves the
//! function.

use crate::error::{Error, ErrorKind, Result};
use nix::{
    libc,
    sys::signal::{SigSet, SigmaskHow, Signal},
};
use rustix::thread::{Pid, gettid, set_name};
use std::{
    ffi::{CStr, c_void},
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

/// Signals of faults: where they are blocked the process ends without running its handlers.
const FAULTS: [Signal; 6] =
    [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGFPE, Signal::SIGILL, Signal::SIGTRAP, Signal::SIGSYS];

/// A thread that was started here. Dropping it leaves the thread alone.
#[derive(Debug)]
pub struct Thread(Arc<Life>);

#[derive(Debug, Default)]
struct Life {
    stage: Mutex<Stage>,
    changed: Condvar,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Stage {
    #[default]
    Starting,
    Running(Pid),
    Over,
}

impl Life {
    fn enter(&self, stage: Stage) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
        self.changed.notify_all();
    }

    fn stage(&self) -> Stage {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a started thread is given.
struct Start {
    name: &'static CStr,
    work: Box<dyn FnOnce() + Send>,
    life: Arc<Life>,
}

impl Thread {
    /// Starts a thread that does this, with address space for a stack of so many bytes (the C library looks the usual size
    /// up under a lock). What the work owns is dropped before the thread counts as ended; a panic of the work ends the
    /// thread alone.
    ///
    /// # Errors
    /// `Io` where the system gives no thread.
    pub fn start(
        name: &'static CStr,
        stack_bytes: usize,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<Self> {
        let life = Arc::new(Life::default());
        let start = Start { name, work: Box::new(work), life: Arc::clone(&life) };
        match without_signals(|| create(stack_bytes, Box::new(start))) {
            0 => Ok(Self(life)),
            error => Err(refused(error)),
        }
    }

    /// Whether this is the thread that asks.
    pub fn is_current(&self) -> bool {
        self.0.stage() == Stage::Running(gettid())
    }

    /// Waits for the thread's end, at most this long. Whether it has ended.
    pub fn ends_within(&self, patience: Duration) -> bool {
        let stage = self.0.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.changed.wait_timeout_while(stage, patience, |stage| *stage != Stage::Over);
        let (stage, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *stage == Stage::Over
    }
}

/// Runs a call while this thread, and so each that it starts, blocks all signals but faults.
fn without_signals<T>(call: impl FnOnce() -> T) -> T {
    let mut blocked = SigSet::all();
    FAULTS.into_iter().for_each(|fault| blocked.remove(fault));
    let before = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK);
    let outcome = call();
    if let Ok(before) = before {
        let _ = before.thread_set_mask();
    }
    outcome
}

/// Creates the thread, detached; an error number where that fails.
fn create(stack_bytes: usize, start: Box<Start>) -> i32 {
    let mut attributes = mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: the pointer is to room for the attributes, which this makes.
    let _ = unsafe { libc::pthread_attr_init(attributes) };
    // SAFETY: the attributes were made above.
    let _ = unsafe { libc::pthread_attr_setstacksize(attributes, stack_bytes) };
    // SAFETY: the attributes were made above.
    let _ = unsafe { libc::pthread_attr_setdetachstate(attributes, libc::PTHREAD_CREATE_DETACHED) };
    let start = Box::into_raw(start);
    let mut thread = 0;
    // SAFETY: the attributes were made above; `enter` takes the box over, once.
    let status = unsafe { libc::pthread_create(&raw mut thread, attributes, enter, start.cast()) };
    if status != 0 {
        // SAFETY: no thread was started, so the box is still ours.
        drop(unsafe { Box::from_raw(start) });
    }
    // SAFETY: the attributes were made above, and are not used again.
    let _ = unsafe { libc::pthread_attr_destroy(attributes) };
    status
}

extern "C" fn enter(start: *mut c_void) -> *mut c_void {
    // SAFETY: the pointer that `create` made of a box, given to this thread alone.
    let start = unsafe { Box::from_raw(start.cast::<Start>()) };
    let Start { name, work, life } = *start;
    let _ = set_name(name);
    life.enter(Stage::Running(gettid()));
    if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
        // The panic was told already; dropping what it carries could panic again.
        mem::forget(panic);
    }
    life.enter(Stage::Over);
    ptr::null_mut()
}

fn refused(error: i32) -> Error {
    let error = io::Error::from_raw_os_error(error);
    Error::new(ErrorKind::Io, "the thread that keeps the session attached could not be started")
        .hint(
            "raise the limit on processes (RLIMIT_NPROC, `ulimit -u`) or on address space (RLIMIT_AS, `ulimit -v`), \
             or end other processes",
        )
        .caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    const SOON: Duration = Duration::from_secs(60);
    const STACK_BYTES: usize = 2 << 20;

    #[test]
    #[cfg_attr(miri, ignore = "starts a thread without the standard library")]
    fn a_thread_does_its_work_drops_what_it_owns_and_ends() {
        let owned = Arc::new(());
        let theirs = Arc::clone(&owned);
        let (go_on, wait) = channel::<()>();
        let thread = Thread::start(c"slate-test", STACK_BYTES, move || {
            let _ = wait.recv();
            drop(theirs);
        });
        let thread = thread.unwrap();
        assert!(!thread.is_current() && !thread.ends_within(Duration::from_millis(1)));
        go_on.send(()).unwrap();
        assert!(thread.ends_within(SOON) && Arc::strong_count(&owned) == 1);
    }

    #[test]
    #[cfg_attr(miri, ignore = "starts a thread without the standard library")]
    fn a_panic_ends_the_thread_alone() {
        let thread = Thread::start(c"slate-test", STACK_BYTES, || panic!("on purpose")).unwrap();
        assert!(thread.ends_within(SOON));
    }

    #[test]
    #[cfg_attr(miri, ignore = "starts a thread without the standard library")]
    fn signals_are_blocked_there_and_as_they_were_here() {
        let before = SigSet::thread_get_mask().unwrap();
        let (say, hear) = channel();
        let thread = Thread::start(c"slate-test", STACK_BYTES, move || {
            let mask = SigSet::thread_get_mask().unwrap();
            let name = std::fs::read_to_string("/proc/thread-self/comm").unwrap();
            let blocked = |signal| mask.contains(signal);
            say.send((blocked(Signal::SIGTERM), blocked(Signal::SIGSEGV), name)).unwrap();
        });
        thread.unwrap();
        assert_eq!(hear.recv().unwrap(), (true, false, "slate-test\n".into()));
        assert_eq!(SigSet::thread_get_mask().unwrap(), before);
    }

    #[test]
    fn a_system_without_threads_names_the_limit() {
        let error = refused(libc::EAGAIN).to_string();
        assert!(error.contains("RLIMIT_NPROC") && error.contains("RLIMIT_AS"), "{error}");
    }
}
