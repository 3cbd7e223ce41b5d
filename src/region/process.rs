//! Other processes: finding one by the identity that it has recorded, and ending it.
//!
//! A process id alone names nobody: the process may have ended, and another one may have its id. A process file descriptor
//! names one process for as long as it is open. So it is opened first, then the process is compared with the record, and
//! then it is asked whether the process still exists. If it does, the comparison was with that process.

use super::identity::{ProcessIdentity, start_time_at};
use crate::error::{Error, ErrorKind, Result};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};
use std::{fs, os::fd::OwnedFd, path::PathBuf};

/// Another process, whose identity was verified.
#[derive(Debug)]
pub struct OtherProcess(OwnedFd);

impl OtherProcess {
    /// Finds the process with this identity; `None` if it has ended.
    ///
    /// # Errors
    /// `Unverified`, with the reason, if it cannot be proved that the process is the one with this identity;
    /// `InvalidArgument` for this process; `Io`.
    pub fn find(wanted: &ProcessIdentity) -> Result<Option<Self>> {
        let own = ProcessIdentity::current();
        if wanted == &own {
            return Err(Error::new(ErrorKind::InvalidArgument, "the process is this one")
                .hint("drop the session instead"));
        }
        check_reach(wanted, &own)?;
        let pid = i32::try_from(wanted.pid).ok().and_then(Pid::from_raw);
        let Some(pid) = pid else { return Err(unverified("its process id is not valid")) };
        let process = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(process) => Self(process),
            Err(Errno::SRCH) => return Ok(None),
            Err(error) => {
                return Err(Error::io(format!("process {} could not be opened", wanted.pid), error));
            }
        };
        let stat = PathBuf::from(format!("/proc/{}/stat", wanted.pid));
        let start_time = start_time_at(&stat);
        // After the look at the start time: before it, the process could have ended, and the look be at another one.
        if process.has_ended() {
            return Ok(None);
        }
        match start_time {
            Some(start_time) if start_time == wanted.start_time => Ok(Some(process)),
            // The id has another process by now.
            Some(_) => Ok(None),
            None => Err(unverified("the start time of its process cannot be read")),
        }
    }

    /// Whether the process has ended. A stopped process has not.
    pub fn has_ended(&self) -> bool {
        let mut process = [PollFd::new(&self.0, PollFlags::IN)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut process, Some(&now)).is_ok_and(|ready| ready > 0)
    }

    /// Kills the process, also if it is stopped.
    ///
    /// # Errors
    /// `Io` if the kernel refuses, as for a process of another user.
    pub fn kill(&self) -> Result<()> {
        match pidfd_send_signal(&self.0, Signal::KILL) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(Error::io("the process could not be killed", error)),
        }
    }
}

/// Checks that a process id of this identity means the same process here.
fn check_reach(wanted: &ProcessIdentity, own: &ProcessIdentity) -> Result<()> {
    if wanted.pid_namespace == 0 || wanted.pid_namespace != own.pid_namespace {
        return Err(unverified("its process is in another pid namespace, or in one that is not known"));
    }
    if wanted.start_time == 0 {
        return Err(unverified("the start time of its process was not recorded"));
    }
    // Another namespace's /proc would tell the start times of other processes.
    let shown = fs::read_link("/proc/self").ok();
    if shown.is_none_or(|shown| shown.to_str() != Some(&own.pid.to_string())) {
        return Err(unverified("/proc does not show the processes of this pid namespace"));
    }
    Ok(())
}

fn unverified(why: &str) -> Error {
    Error::new(ErrorKind::Unverified, why)
}

#[cfg(test)]
#[cfg(not(miri))]
mod tests {
    use super::*;
    use std::process::{Child, Command, Stdio};

    /// A process that ends when it is dropped.
    struct Sleeper(Child);

    impl Sleeper {
        fn start() -> (Self, ProcessIdentity) {
            let child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            let stat = PathBuf::from(format!("/proc/{}/stat", child.id()));
            let start_time = start_time_at(&stat).unwrap();
            let identity = ProcessIdentity { pid: child.id(), start_time, ..ProcessIdentity::current() };
            (Self(child), identity)
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn a_process_is_found_by_its_identity_and_killed() {
        let (mut sleeper, identity) = Sleeper::start();
        let process = OtherProcess::find(&identity).unwrap().expect("it runs");
        assert!(!process.has_ended());
        process.kill().unwrap();
        // Nobody has waited for it yet, so its id is still its own.
        let ends = (0..10_000).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(1));
            process.has_ended()
        });
        assert!(ends, "a process that was killed goes on");
        assert!(OtherProcess::find(&identity).unwrap().is_none(), "it is a zombie");
        sleeper.0.wait().unwrap();
        process.kill().expect("a process that has ended is killed in vain");
        assert!(OtherProcess::find(&identity).unwrap().is_none(), "it has ended");
    }

    #[test]
    fn a_process_that_has_the_id_of_another_is_not_found() {
        let (_sleeper, identity) = Sleeper::start();
        let earlier = ProcessIdentity { start_time: identity.start_time - 1, ..identity };
        assert!(OtherProcess::find(&earlier).unwrap().is_none());
    }

    #[test]
    fn what_cannot_be_proved_is_refused() {
        let (_sleeper, found) = Sleeper::start();
        for (wanted, why) in [
            (ProcessIdentity { pid_namespace: found.pid_namespace + 1, ..found }, "another pid namespace"),
            (ProcessIdentity { pid_namespace: 0, ..found }, "another pid namespace"),
            (ProcessIdentity { start_time: 0, ..found }, "was not recorded"),
            (ProcessIdentity { pid: 0, ..found }, "not valid"),
            (ProcessIdentity { pid: u32::MAX, ..found }, "not valid"),
        ] {
            let error = OtherProcess::find(&wanted).expect_err(why);
            assert!(error.kind() == ErrorKind::Unverified && error.to_string().contains(why), "{error}");
        }
        let own = OtherProcess::find(&ProcessIdentity::current()).unwrap_err();
        assert_eq!(own.kind(), ErrorKind::InvalidArgument);
    }
}
