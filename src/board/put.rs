//! How a put is made, and what it became.

use super::Expect;
use crate::codec::CodecId;
use std::time::Duration;

/// What a change became.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Receipt {
    /// The key's new version.
    pub version: u64,
    /// The generation of the change.
    pub generation: u64,
    /// Attempts that other writers won.
    pub retries: u32,
}

/// Options of a put: [`Session::put_with`](super::Session::put_with).
///
/// # Examples
///
/// ```
/// use slateboard::{Board, CodecId, Expect, PutOptions};
/// use std::time::Duration;
///
/// let session = Board::local()?.attach("worker")?;
/// let claim = PutOptions::new().expect(Expect::Absent).ttl(Duration::from_secs(60)).ephemeral(true).codec(CodecId::UTF8);
/// session.put_with("claim/42", "worker", claim)?;
/// assert!(session.put_with("claim/42", "worker", claim).unwrap_err().is_conflict());
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct PutOptions {
    /// Condition for the put. Default: [`Expect::Any`].
    pub expect: Expect,
    /// Time to live. After it has passed, the entry is absent for reads and for expectations. Default: none.
    pub ttl: Option<Duration>,
    /// Removes the entry when this session detaches or dies. Default: false.
    pub ephemeral: bool,
    /// Encoding of the value. Default: [`CodecId::RAW`].
    pub codec: CodecId,
}

impl PutOptions {
    /// No expectation, no time to live, not ephemeral, raw bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(slateboard::PutOptions::new(), slateboard::PutOptions::default());
    /// ```
    pub const fn new() -> Self {
        Self { expect: Expect::Any, ttl: None, ephemeral: false, codec: CodecId::RAW }
    }
    /// Sets the condition for the put.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, Expect, PutOptions};
    ///
    /// let session = Board::local()?.attach("worker")?;
    /// let create = PutOptions::new().expect(Expect::Absent);
    /// session.put_with("claim/42", "me", create)?;
    /// assert!(session.put_with("claim/42", "me, too", create).unwrap_err().is_conflict());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use]
    pub const fn expect(mut self, expect: Expect) -> Self {
        self.expect = expect;
        self
    }
    /// Sets the time to live. It must be longer than zero. A time that is longer than the clock can count never ends.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, PutOptions};
    /// use std::time::Duration;
    ///
    /// let session = Board::local()?.attach("worker")?;
    /// session.put_with("offer", "half price", PutOptions::new().ttl(Duration::from_secs(60)))?;
    /// assert!(session.get("offer")?.unwrap().deadline.is_some());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }
    /// Sets whether the entry is removed when this session detaches or dies.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("worker")?;
    /// session.put_with("alive/worker", "", slateboard::PutOptions::new().ephemeral(true))?;
    /// session.detach();
    /// assert!(board.reader().get("alive/worker")?.is_none());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use]
    pub const fn ephemeral(mut self, ephemeral: bool) -> Self {
        self.ephemeral = ephemeral;
        self
    }
    /// Sets the encoding of the value.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, CodecId, PutOptions};
    ///
    /// let session = Board::local()?.attach("worker")?;
    /// session.put_with("note", "text", PutOptions::new().codec(CodecId::UTF8))?;
    /// assert_eq!(session.get("note")?.unwrap().codec, CodecId::UTF8);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use]
    pub const fn codec(mut self, codec: CodecId) -> Self {
        self.codec = codec;
        self
    }
}
