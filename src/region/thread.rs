//! A background thread that a forked child can start, whatever the parent's threads were doing at the fork.
//!
//! When the standard library starts or ends a thread, it takes a lock of the whole process (it keeps what it reports
//! about a stack overflow in one table), and it reads the environment under another lock. A child of `fork(2)` inherits
//! these locks in their current state. If a thread of the parent held one, even for the moment of a thread's start, it
//! stays locked in the child forever. This module therefore starts threads with `pthread_create(3)`, and uses only those
//! parts of the standard library whose locks are within their own values. The C library resets its own locks in a child.
//!
//! The thread blocks all signals except those of faults, so that signal handlers run in the program's own threads.
//! The thread is never joined. [`Thread::ends_within`] waits for its end for a bounded time.
//!
//! # Safety
//!
//! `pthread_create` gets attributes that were initialized just before, and a function that lives as long as the program.
//! Its argument is a box. The new thread owns it if the thread was started; otherwise the caller takes it back. No panic
//! leaves the function.

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

/// The signals of faults. If they were blocked, a fault would end the process without running its handlers.
const FAULTS: [Signal; 6] =
    [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGFPE, Signal::SIGILL, Signal::SIGTRAP, Signal::SIGSYS];

/// A thread that was started here. Dropping this value does not stop the thread.
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

/// The argument of a new thread.
struct Start {
    name: &'static CStr,
    work: Box<dyn FnOnce() + Send>,
    life: Arc<Life>,
}

impl Thread {
    /// Starts a thread that runs `work`, with a stack of `stack_bytes` bytes of address space. (The size is explicit
    /// because the C library looks up the default size under a lock.) Everything that `work` owns is dropped before the
    /// thread counts as ended. A panic of `work` ends only this thread.
    ///
    /// # Errors
    /// `Io` if the system cannot start a thread.
    pub fn start(
        name: &'static CStr,
        stack_bytes: usize,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<Self> {
        let life = Arc::new(Life::default());
        let start = Start { name, work: Box::new(work), life: Arc::clone(&life) };
        match without_signals(|| create(stack_bytes, Box::new(start))) {
            0 => Ok(Self(life)),
            error => Err(refused(name, error)),
        }
    }

    /// Whether the caller runs in this thread.
    pub fn is_current(&self) -> bool {
        self.0.stage() == Stage::Running(gettid())
    }

    /// Waits for the thread's end, at most for `patience`. Returns whether the thread has ended.
    pub fn ends_within(&self, patience: Duration) -> bool {
        let stage = self.0.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.changed.wait_timeout_while(stage, patience, |stage| *stage != Stage::Over);
        let (stage, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *stage == Stage::Over
    }
}

/// Runs `call` while this thread blocks all signals except those of faults. A thread that `call` starts inherits this.
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

/// Creates the thread, detached. Returns 0, or an error number if that fails.
fn create(stack_bytes: usize, start: Box<Start>) -> i32 {
    let mut attributes = mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: the pointer is to memory of the right size, which this call initializes.
    let _ = unsafe { libc::pthread_attr_init(attributes) };
    // SAFETY: the attributes were initialized above.
    let _ = unsafe { libc::pthread_attr_setstacksize(attributes, stack_bytes) };
    // SAFETY: the attributes were initialized above.
    let _ = unsafe { libc::pthread_attr_setdetachstate(attributes, libc::PTHREAD_CREATE_DETACHED) };
    let start = Box::into_raw(start);
    let mut thread = 0;
    // SAFETY: the attributes were initialized above. `enter` takes ownership of the box, once.
    let status = unsafe { libc::pthread_create(&raw mut thread, attributes, enter, start.cast()) };
    if status != 0 {
        // SAFETY: no thread was started, so the box still belongs to this function.
        drop(unsafe { Box::from_raw(start) });
    }
    // SAFETY: the attributes were initialized above, and are not used again.
    let _ = unsafe { libc::pthread_attr_destroy(attributes) };
    status
}

extern "C" fn enter(start: *mut c_void) -> *mut c_void {
    // SAFETY: `create` made the pointer from a box, and passed it to this thread alone.
    let start = unsafe { Box::from_raw(start.cast::<Start>()) };
    let Start { name, work, life } = *start;
    let _ = set_name(name);
    life.enter(Stage::Running(gettid()));
    if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
        // The panic hook has reported the panic already. Dropping the payload could panic again.
        mem::forget(panic);
    }
    life.enter(Stage::Over);
    ptr::null_mut()
}

fn refused(name: &CStr, error: i32) -> Error {
    let error = io::Error::from_raw_os_error(error);
    Error::new(ErrorKind::Io, format!("the thread {} could not be started", name.to_string_lossy()))
        .hint(
            "raise the limit on processes (RLIMIT_NPROC, `ulimit -u`) or on address space (RLIMIT_AS, `ulimit -v`), \
             or end other processes, then try again",
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
    fn a_thread_knows_itself() {
        let (hand, take) = channel::<Thread>();
        let (say, hear) = channel();
        let work = move || say.send(take.recv().unwrap().is_current()).unwrap();
        let thread = Thread::start(c"slate-test", STACK_BYTES, work).unwrap();
        assert!(!thread.is_current());
        hand.send(thread).unwrap();
        assert_eq!(hear.recv(), Ok(true));
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
        let error = refused(c"slate-test", libc::EAGAIN).to_string();
        assert!(error.contains("thread slate-test could not be started"), "{error}");
        assert!(error.contains("RLIMIT_NPROC") && error.contains("RLIMIT_AS"), "{error}");
    }
}
