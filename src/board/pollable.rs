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
            // The descriptor is cleared before the registration: a later event makes it readable again. The read fails if
            // it is clear already, which does no harm.
            let _ = rustix::io::read(&*self.descriptor, &mut [0; 8]);
            let alert = Alert::Descriptor(Arc::clone(&self.descriptor));
            let wanted = self.watch.wanted();
            let registered =
                wanted.and_then(|(counter, wanted)| self.place.register(counter, wanted, alert.clone()));
            if matches!(registered, Ok(true)) {
                return Ok(None);
            }
            // There is another event, or an error, so the descriptor must be readable.
            alert.fire();
            registered?;
        }
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

        fn poll_event(&mut self, context: &Context<'_>) -> Poll<Result<Event>> {
            loop {
                if let Some(event) = self.watch.read()? {
                    return Poll::Ready(Ok(event));
                }
                let (counter, wanted) = self.watch.wanted()?;
                if self.place.register(counter, wanted, Alert::Task(context.waker().clone()))? {
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
            let event = ready!(self.poll_event(context));
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
