//! What the other processes do.

use crate::{Outcome, child::serve, local::now_ns};
use slateboard::{Board, Reader, Wait};
use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// Plays the role that the arguments name.
pub fn play(arguments: &[&str]) -> Outcome<()> {
    match arguments {
        ["crowd", board, sessions, beat_ms] => crowd(board, sessions.parse()?, beat_ms.parse()?),
        ["sleepers", threads, period_ms] => sleepers(threads.parse()?, period_ms.parse()?),
        ["waiters", board, threads, wait] => waiters(board, threads.parse()?, wait),
        _ => Err("no such role".into()),
    }
}

/// Sessions that are attached and do nothing but beat.
fn crowd(board: &str, sessions: usize, beat_ms: u64) -> Outcome<()> {
    let board = Board::options().beat(Duration::from_millis(beat_ms)).open(board)?;
    let attach = |number| board.attach(&format!("crowd {}", number % 16));
    let attached = (0..sessions).map(attach).collect::<slateboard::Result<Vec<_>>>()?;
    serve(|_| attached.len().to_string())
}

/// Threads that wake now and then and do nothing: the least that beating could cost.
fn sleepers(threads: usize, period_ms: u64) -> Outcome<()> {
    for _ in 0..threads {
        thread::Builder::new().stack_size(64 << 10).spawn(move || {
            loop {
                thread::sleep(Duration::from_millis(period_ms));
            }
        })?;
    }
    serve(|_| threads.to_string())
}

/// Threads that wait for a key each change of which is the time of its put, and note how long it took to see it.
fn waiters(board: &str, threads: usize, wait: &str) -> Outcome<()> {
    let wait = match wait {
        "Sleep" => Wait::Sleep,
        "Adaptive" => Wait::Adaptive,
        _ => return Err("no such way to wait".into()),
    };
    let seen = Arc::new(Mutex::new(Vec::new()));
    for _ in 0..threads {
        let (reader, seen) = (Board::options().open_read_only(board)?, Arc::clone(&seen));
        thread::Builder::new().spawn(move || note_changes(&reader, wait, &seen))?;
    }
    serve(|_| {
        let taken = std::mem::take(&mut *seen.lock().unwrap_or_else(|broken| broken.into_inner()));
        let texts: Vec<String> = taken.iter().map(|ns: &u64| ns.to_string()).collect();
        // An answer is a line that is not empty.
        if texts.is_empty() { "none".into() } else { texts.join(" ") }
    })
}

/// Until the process ends.
fn note_changes(reader: &Reader, wait: Wait, seen: &Mutex<Vec<u64>>) {
    let mut changes = reader.watch("wake/").wait(wait);
    loop {
        let Ok(Some(event)) = changes.next_timeout(Duration::from_secs(3600)) else { continue };
        let now_ns = now_ns();
        let value = event.mutations.first().and_then(|mutation| mutation.value.as_deref());
        let put_ns = value.and_then(|value| value.try_into().ok()).map(u64::from_le_bytes);
        let Some(put_ns) = put_ns else { continue };
        seen.lock().unwrap_or_else(|broken| broken.into_inner()).push(now_ns.saturating_sub(put_ns));
    }
}
