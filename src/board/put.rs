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
    /// What the key must have for the put to happen: anything, unless set.
    pub expect: Expect,
    /// Time to live: none, unless set. When it has passed the entry is absent, for reads and for expectations.
    pub ttl: Option<Duration>,
    /// Whether the entry ends when this session detaches or dies: not, unless set.
    pub ephemeral: bool,
    /// How the value is encoded: [`CodecId::RAW`], unless set.
    pub codec: CodecId,
}

impl PutOptions {
    /// No expectation, no time to live, not ephemeral, raw bytes.
    pub const fn new() -> Self {
        Self { expect: Expect::Any, ttl: None, ephemeral: false, codec: CodecId::RAW }
    }
    /// What the key must have for the put to happen.
    #[must_use]
    pub const fn expect(mut self, expect: Expect) -> Self {
        self.expect = expect;
        self
    }
    /// Time to live. It must be longer than zero. One that is longer than the clock can count never ends.
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }
    /// Whether the entry ends when this session detaches or dies.
    #[must_use]
    pub const fn ephemeral(mut self, ephemeral: bool) -> Self {
        self.ephemeral = ephemeral;
        self
    }
    /// How the value is encoded.
    #[must_use]
    pub const fn codec(mut self, codec: CodecId) -> Self {
        self.codec = codec;
        self
    }
}
