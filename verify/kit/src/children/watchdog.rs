//! A watchdog for processes that must survive: the first panic of any thread ends the process, and so does a call
//! that never returns. Each prints which call was under way.

use super::SOON;
use std::sync::Mutex;

static CALL: Mutex<String> = Mutex::new(String::new());

/// Notes which call is under way.
pub fn note(call: String) {
    *CALL.lock().expect("nobody panics with the lock") = call;
}

/// Ends the process at the first panic of any thread, and when no other call was noted for [`SOON`].
pub fn start() {
    std::panic::set_hook(Box::new(|panic| {
        let call = CALL.try_lock().map(|call| call.clone()).unwrap_or_default();
        let trace = std::backtrace::Backtrace::force_capture();
        eprintln!("{panic}\nduring {call}\n{trace}");
        std::process::abort();
    }));
    std::thread::spawn(|| {
        let mut last = String::new();
        loop {
            std::thread::sleep(SOON);
            let now = CALL.lock().expect("nobody panics with the lock").clone();
            if now == last {
                eprintln!("the call does not return: {now}");
                std::process::abort();
            }
            last = now;
        }
    });
}
