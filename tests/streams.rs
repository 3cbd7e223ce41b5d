//! Watching without a thread for each watch: streams, and descriptors that can be polled.

use futures_lite::{StreamExt, future};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use slateboard::{Board, PollableWatch, Session, WatchStream};
use slateboard_kit::{
    children::SOON,
    places::{folder, small},
};
use std::{
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

const SOON_SPEC: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

fn session() -> (tempfile::TempDir, Board, Session) {
    let (folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("writer").unwrap();
    (folder, board, session)
}

fn key(event: Option<slateboard::Result<slateboard::Event>>) -> String {
    event.unwrap().unwrap().mutations[0].key.clone()
}

#[test]
fn a_stream_has_every_event_of_its_prefix_in_order() {
    const PUTS: u32 = 500;
    let (folder, path) = folder();
    let board = small().history(4096).create(&path).unwrap();
    let readers = [board.reader(), board.read_only().unwrap(), Board::open(&path).unwrap().reader()];
    let threads: Vec<_> = readers
        .into_iter()
        .flat_map(|reader| ["", "task/"].map(|prefix| reader.watch(prefix).stream().unwrap()))
        .map(|stream| {
            std::thread::spawn(move || {
                let tasks =
                    stream.filter(|event| event.as_ref().unwrap().mutations[0].key.starts_with("task/"));
                let keys: Vec<_> =
                    future::block_on(tasks.take(PUTS as usize).map(|event| key(Some(event))).collect());
                assert!(keys.into_iter().eq((0..PUTS).map(|n| format!("task/{n}"))));
            })
        })
        .collect();
    let session = board.attach("writer").unwrap();
    for n in 0..PUTS {
        session.put(&format!("task/{n}"), b"").unwrap();
        session.put("free/other", b"").unwrap();
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    drop(folder);
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Flag {
    fn wait(&self) {
        while !self.0.swap(false, Ordering::SeqCst) {
            std::thread::yield_now();
        }
    }
}

/// Polls once.
fn look(stream: &mut WatchStream, waker: &Waker) -> Poll<Option<String>> {
    let next = pin!(stream.next());
    next.poll(&mut Context::from_waker(waker)).map(|event| event.map(|event| key(Some(event))))
}

use std::future::Future;

#[test]
fn a_task_is_woken_for_each_event_that_comes_while_it_is_pending() {
    let (_folder, board, session) = session();
    let mut stream = board.reader().watch("task/").stream().unwrap();
    let flag = Arc::new(Flag::default());
    let waker = Waker::from(Arc::clone(&flag));
    for n in 0..300 {
        // It may be woken without need, and must be woken for the event.
        assert_eq!(look(&mut stream, &waker), Poll::Pending);
        session.put(&format!("task/{n}"), b"").unwrap();
        flag.wait();
        while look(&mut stream, &waker).is_pending() {
            flag.wait();
        }
    }
}

#[test]
fn streams_of_a_lost_board_say_so_once_and_end() {
    let (_folder, path) = folder();
    let board = small().beat(Duration::from_millis(5)).create(&path).unwrap();
    let _session = board.attach("looks").unwrap();
    let mut stream = board.reader().watch("").stream().unwrap();
    let mut pollable = board.reader().watch("").pollable().unwrap();
    assert_eq!(pollable.try_next().unwrap(), None);
    let remover = path.clone();
    let thread = std::thread::spawn(move || std::fs::remove_file(remover).unwrap());
    assert!(future::block_on(stream.next()).unwrap().unwrap_err().is_moved());
    assert!(future::block_on(stream.next()).is_none());
    assert_eq!(ready(&pollable), 1);
    assert!(pollable.try_next().unwrap_err().is_moved());
    thread.join().unwrap();
}

#[test]
fn a_stream_that_fell_behind_says_how_far_and_goes_on() {
    let (_folder, board, session) = session();
    let mut stream = board.reader().watch("").since(0).stream().unwrap();
    let _ = session.put_many((0..100).map(|n| ("busy", [n])));
    let error = future::block_on(stream.next()).unwrap().unwrap_err();
    let missed = error.missed().unwrap();
    let event = future::block_on(stream.next()).unwrap().unwrap();
    assert_eq!((missed.missed, missed.resume_at + 1), (session.floor(), event.generation));
    assert_eq!(stream.generation(), event.generation);
}

/// How many of the descriptors are readable, after waiting for one.
fn ready(pollable: &PollableWatch) -> usize {
    poll(&mut [PollFd::new(pollable, PollFlags::IN)], Some(&SOON_SPEC)).unwrap()
}

fn is_readable(pollable: &PollableWatch) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(pollable, PollFlags::IN)], Some(&now)).unwrap() == 1
}

#[test]
fn a_descriptor_is_readable_as_long_as_there_is_something_to_read() {
    let (_folder, board, session) = session();
    for prefix in ["", "task/"] {
        let mut watch = board.reader().watch(prefix).pollable().unwrap();
        assert!(is_readable(&watch), "nobody has looked yet");
        assert_eq!(watch.try_next().unwrap(), None);
        assert!(!is_readable(&watch));
        for n in 0..100 {
            // Two each time: who reads one must be told of the other.
            let keys = [format!("task/{n}a"), format!("task/{n}b")];
            let _ = session.put_many(keys.iter().map(|key| (key, b"")));
            for key in keys {
                let event = loop {
                    assert_eq!(ready(&watch), 1, "{key} was not told");
                    if let Some(event) = watch.try_next().unwrap() {
                        break event;
                    }
                };
                assert_eq!((&event.mutations[0].key, watch.generation()), (&key, event.generation));
            }
            while watch.try_next().unwrap().is_some() {}
        }
    }
}

#[test]
fn a_descriptor_is_told_by_its_edge() {
    use rustix::event::epoll::{CreateFlags, Event, EventData, EventFlags, add, create, wait};
    let (_folder, board, session) = session();
    let mut watch = board.reader().watch("task/").pollable().unwrap();
    let epoll = create(CreateFlags::CLOEXEC).unwrap();
    add(&epoll, &watch, EventData::new_u64(7), EventFlags::IN | EventFlags::ET).unwrap();
    let mut seen = 0;
    let writer = std::thread::spawn(move || {
        for n in 0..200 {
            session.put(&format!("task/{n}"), b"").unwrap();
            if n % 10 == 0 {
                std::thread::yield_now();
            }
        }
        session
    });
    // As runtimes do: wait for an edge, then read until there is nothing.
    while seen < 200 {
        let mut events = [Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }; 4];
        assert_eq!(wait(&epoll, &mut events, Some(&SOON_SPEC)).unwrap(), 1, "after {seen} events");
        loop {
            match watch.try_next() {
                Ok(Some(_)) => seen += 1,
                Ok(None) => break,
                Err(error) => seen += error.missed().unwrap().missed as usize,
            }
        }
    }
    drop(writer.join().unwrap());
}

#[test]
fn a_waiter_that_is_dropped_lets_the_board_be_closed() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let flag = Arc::new(Flag::default());
    let mut streams: Vec<_> = (0..3).map(|_| board.reader().watch("").stream().unwrap()).collect();
    for stream in &mut streams {
        assert_eq!(look(stream, &Waker::from(Arc::clone(&flag))), Poll::Pending);
    }
    drop((streams, board));
    let started = std::time::Instant::now();
    while Board::is_in_use(&path).unwrap() {
        assert!(started.elapsed() < SOON, "the thread keeps the board open");
        std::thread::yield_now();
    }
    assert_eq!(Arc::strong_count(&flag), 1, "no waker is kept");
}

#[test]
fn wakers_that_panic_take_nothing_from_others() {
    struct Panics(AtomicUsize);
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
            panic!("on purpose");
        }
    }
    let (_folder, board, session) = session();
    let (panics, flag) = (Arc::new(Panics(AtomicUsize::new(0))), Arc::new(Flag::default()));
    let mut streams: Vec<_> = (0..2).map(|_| board.reader().watch("").stream().unwrap()).collect();
    assert_eq!(look(&mut streams[0], &Waker::from(Arc::clone(&panics))), Poll::Pending);
    assert_eq!(look(&mut streams[1], &Waker::from(Arc::clone(&flag))), Poll::Pending);
    for n in 0..3 {
        session.put("x", [n]).unwrap();
        flag.wait();
        while look(&mut streams[1], &Waker::from(Arc::clone(&flag))).is_ready() {}
    }
    assert!(panics.0.load(Ordering::SeqCst) >= 1);
}

#[test]
fn a_waker_may_own_a_stream_of_the_same_board() {
    struct Owns(#[expect(dead_code, reason = "it is dropped")] Mutex<WatchStream>);
    impl Wake for Owns {
        fn wake(self: Arc<Self>) {}
    }
    let (_folder, board, _session) = session();
    let waiting = || {
        let mut stream = board.reader().watch("").stream().unwrap();
        assert_eq!(look(&mut stream, Waker::noop()), Poll::Pending);
        stream
    };
    for replaced in [true, false] {
        let mut stream = waiting();
        let owner = Waker::from(Arc::new(Owns(Mutex::new(waiting()))));
        assert_eq!(look(&mut stream, &owner), Poll::Pending);
        // From here on the board alone keeps the waker. Dropping the waker drops the stream that it owns.
        drop(owner);
        if replaced {
            assert_eq!(look(&mut stream, Waker::noop()), Poll::Pending);
        }
        drop(stream);
    }
}
