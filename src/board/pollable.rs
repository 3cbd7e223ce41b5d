//! Watching without a thread: by a descriptor for `poll(2)` and similar calls, or as a stream for tasks.

use super::{
    Event, Watch,
    notifier::{Alert, Place},
};
use crate::error::{Error, Result};
use rustix::event::{EventfdFlags, eventfd};
use std::{
    fmt,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
    sync::Arc,
};

/// A [`Watch`] with a descriptor that is readable while there may be something new: for `poll(2)`, `epoll(7)`, and
/// runtimes that wait for descriptors, such as tokio's `AsyncFd`.
///
/// All of an open board's pollable watches and streams share one thread.
///
/// # Examples
/// ```
/// use rustix::event::{PollFd, PollFlags, poll};
///
/// let session = slateboard::Board::local()?.attach("planner")?;
/// let mut tasks = session.watch("task/").pollable()?;
/// session.put("task/1", "open")?;
/// loop {
///     poll(&mut [PollFd::new(&tasks, PollFlags::IN)], None)?;
///     // A readable descriptor means that there may be an event. `None` means that there is none yet.
///     if let Some(event) = tasks.try_next()? {
///         assert_eq!(event.mutations[0].key, "task/1");
///         break;
///     }
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct PollableWatch {
    watch: Watch,
    place: Place,
    descriptor: Arc<OwnedFd>,
}

impl Watch {
    /// Turns the watch into one with a descriptor that can be polled. The setting of [`Watch::wait`] has no effect then.
    ///
    /// # Errors
    /// `Io` if the system provides no descriptor or no thread; `Moved`; `Forked`.
    ///
    /// # Examples
    /// See [`PollableWatch`].
    pub fn pollable(self) -> Result<PollableWatch> {
        let place = Place::take(self.region())?;
        // The descriptor is readable at first, because events may be there already.
        let descriptor = eventfd(1, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map(Arc::new)
            .map_err(|error| Error::io("the descriptor to poll could not be created", error))?;
        Ok(PollableWatch { watch: self, place, descriptor })
    }
}

impl PollableWatch {
    /// The next event, if there is one. After `None` the descriptor becomes readable when there may be a new event. After
    /// an event or an error it stays readable.
    ///
    /// # Errors
    /// Those of [`Watch::next_timeout`].
    ///
    /// # Examples
    /// See [`PollableWatch`].
    pub fn try_next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.watch.read()? {
                return Ok(Some(event));
            }
            if self.waits(Place::register)? {
                return Ok(None);
            }
        }
    }

    /// Clears the descriptor and registers, to be alerted when there may be a new event. Returns `false`, and the descriptor is
    /// readable, if there may be one already.
    fn waits(&self, register: impl FnOnce(&Place, usize, u64, Alert) -> Result<bool>) -> Result<bool> {
        // The descriptor is cleared before the registration: a later event makes it readable again. The read fails if it is
        // clear already, which does no harm.
        let _ = rustix::io::read(&*self.descriptor, &mut [0; 8]);
        let alert = Alert::Descriptor(Arc::clone(&self.descriptor));
        let wanted = self.watch.wanted();
        let registered =
            wanted.and_then(|(counter, wanted)| register(&self.place, counter, wanted, alert.clone()));
        if !matches!(registered, Ok(true)) {
            // There is another event, or an error, so the descriptor must be readable.
            alert.fire();
        }
        registered
    }

    /// The generation up to which events were read. [`Watch::since`] resumes there.
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let mut tasks = session.watch("task/").pollable()?;
    /// let put = session.put("task/1", "open")?;
    /// assert!(tasks.try_next()?.is_some());
    /// assert_eq!(tasks.generation(), put.generation);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn generation(&self) -> u64 {
        self.watch.generation()
    }
}

impl AsFd for PollableWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl AsRawFd for PollableWatch {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}

impl fmt::Debug for PollableWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PollableWatch").field(&self.watch).finish()
    }
}

#[cfg(feature = "stream")]
pub use stream::WatchStream;

#[cfg(feature = "stream")]
mod stream {
    use super::{super::event::is_lost, Alert, Event, Place, Result, Watch};
    use futures_core::{FusedStream, Stream};
    use std::{
        fmt,
        pin::Pin,
        task::{Context, Poll, ready},
    };

    /// A [`Watch`] as a stream, for any executor. Feature `stream`.
    ///
    /// The items are those of the iterator: after an error of kind `Lagged` or `Corrupt` later events follow; `Moved` and
    /// `Forked` end the stream. All streams of an open board share one thread.
    ///
    /// # Examples
    /// ```
    /// use futures_lite::{StreamExt, future};
    ///
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let mut tasks = session.watch("task/").stream()?;
    /// session.put("task/1", "open")?;
    /// let event = future::block_on(tasks.next()).expect("a stream goes on")?;
    /// assert_eq!(event.mutations[0].key, "task/1");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub struct WatchStream {
        watch: Watch,
        place: Place,
        over: bool,
    }

    impl Watch {
        /// Turns the watch into a stream. The setting of [`Watch::wait`] has no effect then. Feature `stream`.
        ///
        /// # Errors
        /// `Io` if the system provides no thread; `Moved`; `Forked`.
        ///
        /// # Examples
        /// See [`WatchStream`].
        pub fn stream(self) -> Result<WatchStream> {
            let place = Place::take(self.region())?;
            Ok(WatchStream { watch: self, place, over: false })
        }
    }

    impl WatchStream {
        /// The generation up to which events were read. [`Watch::since`] resumes there.
        ///
        /// # Examples
        /// ```
        /// use futures_lite::{StreamExt, future};
        ///
        /// let session = slateboard::Board::local()?.attach("planner")?;
        /// let mut tasks = session.watch("task/").stream()?;
        /// let put = session.put("task/1", "open")?;
        /// future::block_on(tasks.next()).expect("a stream goes on")?;
        /// assert_eq!(tasks.generation(), put.generation);
        /// # Ok::<_, slateboard::Error>(())
        /// ```
        pub fn generation(&self) -> u64 {
            self.watch.generation()
        }

        pub(super) fn poll_event(
            &mut self,
            context: &Context<'_>,
            register: impl Fn(&Place, usize, u64, Alert) -> Result<bool>,
        ) -> Poll<Result<Event>> {
            loop {
                if let Some(event) = self.watch.read()? {
                    return Poll::Ready(Ok(event));
                }
                let (counter, wanted) = self.watch.wanted()?;
                if register(&self.place, counter, wanted, Alert::Task(context.waker().clone()))? {
                    return Poll::Pending;
                }
            }
        }
    }

    impl Stream for WatchStream {
        type Item = Result<Event>;

        fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            if self.over {
                return Poll::Ready(None);
            }
            let event = ready!(self.poll_event(context, Place::register));
            self.over = event.as_ref().is_err_and(is_lost);
            Poll::Ready(Some(event))
        }
    }

    impl FusedStream for WatchStream {
        fn is_terminated(&self) -> bool {
            self.over
        }
    }

    impl fmt::Debug for WatchStream {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_tuple("WatchStream").field(&self.watch).finish()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Board, Session};

    fn waiter() -> Session {
        Board::options().capacity(1 << 20).keys(64).local().unwrap().attach("waiter").unwrap()
    }

    fn waiting(session: &Session) -> usize {
        session.reader().region.notifier.get().unwrap().waiting()
    }

    fn is_readable(watch: &PollableWatch) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut [PollFd::new(watch, PollFlags::IN)], Some(&now)).unwrap() == 1
    }

    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_descriptor_with_nothing_to_read_waits_to_be_alerted() {
        let session = waiter();
        let mut watch = session.watch("").pollable().unwrap();
        assert!(is_readable(&watch), "nobody has looked yet");
        let flags = rustix::io::fcntl_getfd(&watch).unwrap();
        assert!(flags.contains(rustix::io::FdFlags::CLOEXEC), "new programs get it");
        assert_eq!(watch.try_next().unwrap(), None);
        assert!(!is_readable(&watch) && waiting(&session) == 1);
    }

    /// An event may come at any moment around the registration. Nothing is registered here, so that nobody else alerts.
    #[test]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn what_comes_around_the_registration_leaves_the_descriptor_readable() {
        let session = waiter();
        let watch = session.watch("").pollable().unwrap();
        assert!(!watch.waits(|_, _, _, _| Ok(false)).unwrap());
        assert!(is_readable(&watch), "nobody is told of an event before the registration");
        let alerted = |_: &Place, _, _, alert: Alert| {
            alert.fire();
            Ok(true)
        };
        assert!(watch.waits(alerted).unwrap());
        assert!(is_readable(&watch), "an alert right after the registration is taken");
        let failed = |_: &Place, _, _, _| Err(Error::new(crate::ErrorKind::Moved, "the board moved"));
        assert!(watch.waits(failed).unwrap_err().is_moved());
        assert!(is_readable(&watch), "nobody is told of an error");
        assert!(watch.waits(|_, _, _, _| Ok(true)).unwrap());
        assert!(!is_readable(&watch), "there is nothing to read");
    }

    #[test]
    #[cfg(feature = "stream")]
    #[cfg_attr(miri, ignore = "maps memory")]
    fn a_stream_is_pending_only_while_it_waits_to_be_alerted() {
        use futures_core::Stream;
        use std::{
            pin::Pin,
            task::{Context, Waker},
        };
        let session = waiter();
        let mut stream = session.watch("").stream().unwrap();
        let context = &mut Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut stream).poll_next(context).is_pending());
        assert_eq!(waiting(&session), 1);
        let event = stream.poll_event(context, |place, counter, wanted, alert| {
            session.put("task/1", "after the read").unwrap();
            place.register(counter, wanted, alert)
        });
        assert!(matches!(event, std::task::Poll::Ready(Ok(_))), "an event is slept over");
    }
}
