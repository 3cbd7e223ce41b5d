//! Follows the history, in a thread of the parent, through a read-only mapping.

use slateboard::{Board, MutationKind, region::boottime_ns};
use slateboard_kit::calls;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// An event, as it was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Its generation.
    pub generation: u64,
    /// The key.
    pub key: u64,
    /// The key's version.
    pub version: u64,
    /// What happened.
    pub kind: MutationKind,
    /// Which value: see [`calls::identify`]. `None` for a removal.
    pub value: Option<u64>,
    /// Generation of the value that it superseded.
    pub previous: Option<u64>,
    /// When it had been read, nanoseconds of `CLOCK_BOOTTIME`.
    pub at: u64,
}

/// What was read.
#[derive(Clone, Default, Debug)]
pub struct Story {
    /// The events, in their order.
    pub events: Vec<Seen>,
    /// Events that left the history before they were read.
    pub missed: u64,
    /// What was wrong.
    pub wrong: Vec<String>,
}

/// The thread that reads.
pub struct Observer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Story>,
}

impl Observer {
    /// Follows the history after generation `since`.
    pub fn start(board: &Path, since: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (theirs, board) = (Arc::clone(&stop), board.to_owned());
        let thread = std::thread::spawn(move || follow(&board, since, &theirs));
        Self { stop, thread }
    }

    /// Ends the thread. Its story includes everything that happened before this call.
    pub fn end(self) -> Story {
        self.stop.store(true, Ordering::Release);
        self.thread
            .join()
            .unwrap_or_else(|_| Story { wrong: vec!["the observer panicked".into()], ..Story::default() })
    }
}

fn follow(board: &Path, since: u64, stop: &AtomicBool) -> Story {
    let mut story = Story::default();
    let reader = match Board::options().open_read_only(board) {
        Ok(reader) => reader,
        Err(error) => return Story { wrong: vec![error.to_string()], ..story },
    };
    let mut last = since;
    loop {
        // Loaded before the events are read, so that everything before the order to stop is read.
        let stopping = stop.load(Ordering::Acquire);
        for event in reader.events(last) {
            match event {
                Ok(event) => note(&mut story, &event, &mut last),
                Err(error) => match error.missed() {
                    Some(lag) if lag.resume_at == last + lag.missed => {
                        story.missed += lag.missed;
                        last = lag.resume_at;
                    }
                    _ => {
                        story.wrong.push(format!("after generation {last}: {error}"));
                        return story;
                    }
                },
            }
        }
        if stopping {
            return story;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn note(story: &mut Story, event: &slateboard::Event, last: &mut u64) {
    if event.generation != *last + 1 {
        story.wrong.push(format!("generation {} follows {last}", event.generation));
    }
    *last = event.generation;
    for mutation in &event.mutations {
        let Some(key) = calls::index(mutation.key.as_bytes()) else {
            story
                .wrong
                .push(format!("generation {}: a key that nobody wrote: {}", event.generation, mutation.key));
            continue;
        };
        let value = mutation.value.as_ref().map(|value| calls::identify(value, key));
        let previous = mutation.previous.as_ref().map(|previous| previous.generation);
        let kind = mutation.kind;
        if value == Some(None) || matches!(kind, MutationKind::Put | MutationKind::Touch) != value.is_some() {
            story.wrong.push(format!("generation {}: a value that nobody wrote", event.generation));
        }
        let (generation, version, at) = (event.generation, mutation.version, boottime_ns());
        story.events.push(Seen { generation, key, version, kind, value: value.flatten(), previous, at });
    }
}
