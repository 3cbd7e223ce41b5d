//! Registers descriptors that a forked child must not keep.
//!
//! An OFD lock lives as long as any descriptor of its open file, and `fork(2)` copies descriptors. A child would keep
//! the parent's death certificate, and nobody would notice the parent's death. The descriptors of certificates are
//! therefore registered in a fixed array, and a fork handler closes them in the child. The array is global, because a
//! fork and its handlers concern the whole process.
//!
//! If a fork happened between the opening of a descriptor and its entry in the array, it would copy a descriptor that
//! the handler does not know. Forks are therefore counted when they begin and when they end. If a fork was under way,
//! `register` opens the file again; at that time the descriptor does not hold a lock yet.
//!
//! # Safety
//!
//! Between `fork` and `exec`, a child of a program with threads may call only async-signal-safe functions. The handlers
//! use atomic accesses and `close(2)`, allocate nothing, and take no lock. The descriptors that they close belong to
//! `Registered` values of this module. When such a value is dropped, it closes its descriptor only if its entry still
//! exists.

use crate::{
    error::{Error, ErrorKind, Result},
    sync::{AtomicU64, Ordering},
};
use nix::libc;
use std::{
    fs::File,
    mem::ManuallyDrop,
    os::fd::{AsRawFd, RawFd},
    time::Duration,
};

/// The largest number of registered descriptors in one process: as many as one board has sessions, and some more for
/// open boards.
pub const CERTIFICATES_MAX: usize = 4096 + 512;
/// The maximal number of attempts of a registration that a fork disturbs each time.
const ATTEMPTS: usize = 10_000;
/// This many attempts follow each other without a sleep. Later ones sleep in between, because the forking thread may be
/// waiting for a processor.
const HASTY: usize = 100;
const PAUSE: Duration = Duration::from_millis(1);

/// `serial:32 | descriptor + 1:32`; 0 is a free entry.
static ENTRIES: [AtomicU64; CERTIFICATES_MAX] = [const { AtomicU64::new(0) }; CERTIFICATES_MAX];
static SERIAL: AtomicU64 = AtomicU64::new(1);
static FORKS_BEGUN: AtomicU64 = AtomicU64::new(0);
static FORKS_ENDED: AtomicU64 = AtomicU64::new(0);
/// Whether the handlers are installed. This is a plain word without a lock, so that a child can never find it locked by
/// a thread of the parent. Two threads may both install the handlers; then each fork is counted twice at both ends.
static HANDLERS: AtomicU64 = AtomicU64::new(0);

/// An open file whose descriptor is closed in a forked child by the fork handler.
#[derive(Debug)]
pub(super) struct Registered {
    file: ManuallyDrop<File>,
    index: usize,
    entry: u64,
}

impl Registered {
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    fn slot(&self) -> Option<&'static AtomicU64> {
        ENTRIES.get(self.index)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let Some(slot) = self.slot() else { return };
        // Acquire pairs with the release of the registration. A failure means that this is a child, in which the
        // handler has closed the descriptor. Its number may belong to another file now.
        if slot.compare_exchange(self.entry, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            // SAFETY: the file is dropped once, here, and not used again. The entry proves that the descriptor is ours.
            unsafe { ManuallyDrop::drop(&mut self.file) }
        }
    }
}

/// Opens a file by `open` and registers it. No child that is forked later, or during this call, keeps the descriptor.
///
/// # Errors
/// Those of `open`; `Full` if the array is full; `Contended` if a fork disturbed every attempt; `Io` if the fork
/// handlers could not be installed.
pub(super) fn register(mut open: impl FnMut() -> Result<File>) -> Result<Registered> {
    install_handlers()?;
    for attempt in 0..ATTEMPTS {
        // SeqCst throughout, because entry and counters are different words, and the entry must be ordered against the
        // begin of a fork. If the fork began first, it is seen below, and the file is opened again. If the entry came
        // first, the child has it.
        let ended = FORKS_ENDED.load(Ordering::SeqCst);
        let quiet = || FORKS_BEGUN.load(Ordering::SeqCst) == ended;
        if quiet() {
            let registered = enter(open()?)?;
            if quiet() {
                return Ok(registered);
            }
        }
        match attempt < HASTY {
            true => std::thread::yield_now(),
            false => std::thread::sleep(PAUSE),
        }
    }
    Err(Error::new(ErrorKind::Contended, "this process forked during every attempt to open the lock file")
        .hint("try again when it forks less often"))
}

fn enter(file: File) -> Result<Registered> {
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let entry = (serial << 32) | (u64::from(file.as_raw_fd().unsigned_abs()) + 1);
    for (index, slot) in ENTRIES.iter().enumerate() {
        let free = slot.load(Ordering::Relaxed) == 0;
        if free && slot.compare_exchange(0, entry, Ordering::SeqCst, Ordering::Relaxed).is_ok() {
            return Ok(Registered { file: ManuallyDrop::new(file), index, entry });
        }
    }
    Err(Error::new(
        ErrorKind::Full,
        format!("this process already has {CERTIFICATES_MAX} sessions and open boards, which is the limit"),
    )
    .hint("detach sessions or close boards, or use another process"))
}

fn install_handlers() -> Result<()> {
    // Relaxed: the C library installed the handlers under its own lock.
    if HANDLERS.load(Ordering::Relaxed) != 0 {
        return Ok(());
    }
    // SAFETY: the three handlers are functions that live as long as the program. The module's documentation explains
    // why they may run during a fork.
    match unsafe { libc::pthread_atfork(Some(fork_begins), Some(fork_ended), Some(in_child)) } {
        0 => {
            HANDLERS.store(1, Ordering::Relaxed);
            Ok(())
        }
        error => Err(Error::io(
            "the fork handlers could not be installed",
            std::io::Error::from_raw_os_error(error),
        )),
    }
}

extern "C" fn fork_begins() {
    FORKS_BEGUN.fetch_add(1, Ordering::SeqCst);
}

extern "C" fn fork_ended() {
    FORKS_ENDED.fetch_add(1, Ordering::SeqCst);
}

extern "C" fn in_child() {
    for slot in &ENTRIES {
        let entry = slot.swap(0, Ordering::SeqCst);
        if let Some(descriptor) = descriptor(entry) {
            // SAFETY: `close` accepts any number. This one is the child's copy of a registered descriptor, whose owner
            // finds no entry and does not use it.
            unsafe { libc::close(descriptor) };
        }
    }
    // Forks that other threads had begun never end in the child, because those threads do not exist here.
    FORKS_ENDED.store(FORKS_BEGUN.load(Ordering::SeqCst), Ordering::SeqCst);
}

fn descriptor(entry: u64) -> Option<RawFd> {
    ((entry & 0xffff_ffff) as RawFd).checked_sub(1).filter(|descriptor| *descriptor >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "opens files")]
    fn a_dropped_descriptor_leaves_its_entry() {
        let registered = register(|| Ok(tempfile::tempfile().unwrap())).unwrap();
        let (slot, entry) = (registered.slot().unwrap(), registered.entry);
        assert_eq!(slot.load(Ordering::Relaxed), entry);
        assert_eq!(descriptor(entry), Some(registered.file().as_raw_fd()));
        drop(registered);
        assert_ne!(slot.load(Ordering::Relaxed), entry);
    }

    #[test]
    #[cfg_attr(miri, ignore = "forks")]
    fn a_fork_before_the_entry_is_seen_and_the_file_opened_again() {
        let mut opened = 0;
        let registered = register(|| {
            let file = tempfile::tempfile().unwrap();
            opened += 1;
            if opened == 1 {
                // SAFETY: the child does nothing but end, by a signal, which is async-signal-safe.
                match unsafe { nix::unistd::fork() }.unwrap() {
                    nix::unistd::ForkResult::Child => loop {
                        let _ = nix::sys::signal::raise(nix::sys::signal::SIGKILL);
                    },
                    nix::unistd::ForkResult::Parent { child } => {
                        nix::sys::wait::waitpid(child, None).unwrap();
                    }
                }
            }
            Ok(file)
        });
        assert!(registered.is_ok() && opened >= 2);
    }

    #[test]
    #[cfg_attr(miri, ignore = "opens files")]
    fn a_fork_that_takes_long_is_waited_for() {
        // A fork of another thread, which gets no processor for longer than many tries take.
        fork_begins();
        let registered = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(PAUSE * 200);
                fork_ended();
            });
            register(|| Ok(tempfile::tempfile().unwrap()))
        });
        assert!(registered.is_ok(), "{registered:?}");
    }

    #[test]
    fn an_empty_entry_has_no_descriptor() {
        assert_eq!((descriptor(0), descriptor(7 << 32), descriptor(1)), (None, None, Some(0)));
    }
}
