//! Forked children, which have their parent's handles and must be refused.
#![allow(unsafe_code, reason = "fork is what is tested")]

use super::{SOON, say};
use nix::{
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{ForkResult, Pid, fork},
};
use std::time::{Duration, Instant};

/// As [`try_forked`], where there is room for another process.
pub fn forked(child: impl FnOnce()) -> Pid {
    try_forked(child).expect("there is room for another process")
}

/// Runs `child` in a forked child, which then ends without running anything of the parent's: by `SIGKILL`, or by
/// `SIGUSR1` where `child` panicked.
///
/// # Errors
/// There is no room for another process.
pub fn try_forked(child: impl FnOnce()) -> nix::Result<Pid> {
    // SAFETY: glibc makes its allocator usable in the child; the parent's other threads hold no lock that
    // `child` takes, since every handle they use refuses before it takes one.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
            if outcome.is_err() {
                say("child panicked");
                let _ = kill(Pid::this(), Signal::SIGUSR1);
            }
            loop {
                let _ = kill(Pid::this(), Signal::SIGKILL);
            }
        }
    }
}

/// Waits for a forked child to end; false where it does not end, and had to be killed.
pub fn ends(child: Pid) -> bool {
    let started = Instant::now();
    let wait = |flags| waitpid(child, flags).expect("the child can be waited for");
    while wait(Some(WaitPidFlag::WNOHANG)) == WaitStatus::StillAlive {
        if started.elapsed() > SOON {
            kill(child, Signal::SIGKILL).expect("the child can be signalled");
            wait(None);
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}
