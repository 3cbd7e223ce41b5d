//! A forked child that touches its parent's handles, and must be refused.
#![allow(unsafe_code, reason = "fork is what is tested")]

use nix::{
    sys::wait::{WaitStatus, waitpid},
    unistd::{ForkResult, fork},
};
use slateboard::{ErrorKind, Session};

/// Whether a child of a fork is refused what it asks of its parent's session.
pub fn is_refused(session: &Session) -> bool {
    // SAFETY: the child calls nothing that takes a lock of this process's other threads: every call on the session
    // refuses before it does, and the child ends without unwinding.
    match unsafe { fork() } {
        Ok(ForkResult::Child) => {
            let refused = |error: slateboard::Error| error.kind() == ErrorKind::Forked;
            let put = session.put("hot/4", "from a child").is_err_and(refused);
            let get = session.get("hot/4").is_err_and(refused);
            let status = if put && get { 0 } else { 1 };
            // SAFETY: as `_exit` always is: it returns to nobody.
            unsafe { nix::libc::_exit(status) }
        }
        Ok(ForkResult::Parent { child }) => waitpid(child, None) == Ok(WaitStatus::Exited(child, 0)),
        // No room for another process is no answer of the board's.
        Err(_) => true,
    }
}
