//! Ending in good order on SIGTERM and SIGINT, for programs that ask for it.
//!
//! The handler only notes the signal; the keeper finds the note at its next look, ends the session, and
//! lets the process die of the signal as it would have without the handler.

// Not from `sync`: the type that the handler's library notes signals in.
use std::sync::atomic::AtomicUsize;

use crate::error::{Error, Result};
use signal_hook::{
    SigId,
    consts::{SIGINT, SIGTERM},
    flag,
    low_level::{emulate_default_handler, unregister},
};
use std::sync::{Arc, atomic::Ordering};

/// Caught signals. Dropping it stops catching.
#[derive(Debug)]
pub struct Signals {
    caught: Arc<AtomicUsize>,
    handlers: Vec<SigId>,
}

impl Signals {
    /// Begins to catch SIGTERM and SIGINT.
    ///
    /// # Errors
    /// `Io` where a handler cannot be set.
    pub fn catch() -> Result<Self> {
        let mut signals = Self { caught: Arc::default(), handlers: Vec::new() };
        for signal in [SIGTERM, SIGINT] {
            let handler = flag::register_usize(signal, Arc::clone(&signals.caught), signal as usize)
                .map_err(|error| Error::io("a signal handler could not be set", error))?;
            signals.handlers.push(handler);
        }
        Ok(signals)
    }

    /// The signal that was caught last.
    pub fn caught(&self) -> Option<i32> {
        // Relaxed: the note carries nothing but itself.
        Some(self.caught.load(Ordering::Relaxed) as i32).filter(|&signal| signal != 0)
    }

    /// Does what the process would have done without a handler: it ends.
    pub fn die_of(signal: i32) {
        let _ = emulate_default_handler(signal);
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.handlers.drain(..).for_each(|handler| {
            unregister(handler);
        });
    }
}
