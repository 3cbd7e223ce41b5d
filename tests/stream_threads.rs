//! A thousand streams and descriptors of a board use one thread. Alone in its process, whose threads it counts.

use futures_lite::StreamExt;
use slateboard::{PollableWatch, WatchStream};
use slateboard_kit::places::{folder, small};
use std::{future::poll_fn, task::Poll};

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn a_thousand_waiters_use_one_thread() {
    let (_folder, path) = folder();
    let board = small().sessions(4).create(&path).unwrap();
    let session = board.attach("writer").unwrap();
    let reader = board.reader();
    let before = threads();
    let mut streams: Vec<WatchStream> =
        (0..1000).map(|n| reader.watch(&format!("task/{n}/")).stream().unwrap()).collect();
    let mut polled: Vec<PollableWatch> =
        (0..100).map(|_| reader.watch("team/").pollable().unwrap()).collect();
    assert!(polled.iter_mut().all(|watch| watch.try_next().unwrap().is_none()));
    // All are pending before the first event.
    let mut event = std::pin::pin!(poll_fn(|context| {
        let ready = streams.iter_mut().map(|stream| stream.poll_next(context)).filter(Poll::is_ready).count();
        if ready > 0 { Poll::Ready(ready) } else { Poll::Pending }
    }));
    assert!(futures_lite::future::block_on(futures_lite::future::poll_once(&mut event)).is_none());
    assert_eq!(threads(), before + 1);
    session.put("task/7/x", b"").unwrap();
    assert_eq!(futures_lite::future::block_on(event), 1);
    assert_eq!(threads(), before + 1);
}
