//! For processes that must survive: the first panic of any thread ends them, and so does a call that never
//! returns, each with what the process was at.

use crate::children::SOON;
use std::sync::Mutex;

static DOING: Mutex<String> = Mutex::new(String::new());

/// Notes what the process is at, for the report.
pub fn doing(what: String) {
    *DOING.lock().unwrap() = what;
}

/// A panic of any thread, and a call that does not return, end the process with what it was at.
pub fn end_at_the_first_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let doing = DOING.try_lock().map(|doing| doing.clone()).unwrap_or_default();
        let trace = std::backtrace::Backtrace::force_capture();
        eprintln!("{panic}\nafter {doing}\n{trace}");
        std::process::abort();
    }));
    std::thread::spawn(|| {
        let mut last = String::new();
        loop {
            std::thread::sleep(SOON);
            let now = DOING.lock().unwrap().clone();
            if now == last {
                eprintln!("no call returns after {now}");
                std::process::abort();
            }
            last = now;
        }
    });
}
