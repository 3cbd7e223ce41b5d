//! A forked child uses its parent's session. The board must refuse it.

use nix::sys::{
    signal::Signal::SIGKILL,
    wait::{WaitStatus, waitpid},
};
use slateboard::{ErrorKind, Session};
use slateboard_kit::children::try_forked;

/// Whether a forked child is refused what it asks of its parent's session.
pub fn is_refused(session: &Session) -> bool {
    let child = try_forked(|| {
        let refused = |error: slateboard::Error| error.kind() == ErrorKind::Forked;
        let put = session.put("hot/4", "from a child").is_err_and(refused);
        let get = session.get("hot/4").is_err_and(refused);
        assert!(put && get, "a forked child was served");
    });
    match child {
        Ok(child) => waitpid(child, None) == Ok(WaitStatus::Signaled(child, SIGKILL, false)),
        // The machine had no room for another process: that is not the board's answer.
        Err(_) => true,
    }
}
