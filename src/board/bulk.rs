//! Calls on many keys, and on counters.

use super::{Reader, Receipt, Replacement, Retry, Session, View, listing, update};
use crate::{
    codec::CodecId,
    entry::Entry,
    error::{Error, ErrorKind, Result},
};
use std::num::IntErrorKind;

impl Reader {
    /// Gets several keys in one pass: an entry, or `None`, for each key, in the given order. Each entry is read at its
    /// own instant. [`View::get_many`] reads all of one generation.
    ///
    /// # Errors
    /// Each key has its own result, with the errors of [`Reader::get`]. An error of one key does not affect the others.
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("task/1", "open")?;
    /// let found = session.get_many(["task/1", "task/2"]).into_iter().collect::<Result<Vec<_>, _>>()?;
    /// assert_eq!(found[0].as_ref().and_then(|entry| entry.text()), Some("open"));
    /// assert!(found[1].is_none());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use = "each key has its own result"]
    pub fn get_many<K: AsRef<str>>(&self, keys: impl IntoIterator<Item = K>) -> Vec<Result<Option<Entry>>> {
        keys.into_iter().map(|key| self.get(key.as_ref())).collect()
    }
}

impl View {
    /// Gets several keys in one pass, all of the view's generation: an entry, or `None`, for each key, in the given order.
    ///
    /// # Errors
    /// Each key has its own result, with the errors of [`View::get`]. An error of one key does not affect the others.
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("from", "5")?;
    /// session.put("to", "0")?;
    /// let view = session.view()?;
    /// session.put("from", "0")?;
    /// let both = view.get_many(["from", "to"]).into_iter().collect::<Result<Option<Vec<_>>, _>>()?.unwrap();
    /// assert_eq!((both[0].text(), both[1].text()), (Some("5"), Some("0")));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use = "each key has its own result"]
    pub fn get_many<K: AsRef<str>>(&self, keys: impl IntoIterator<Item = K>) -> Vec<Result<Option<Entry>>> {
        keys.into_iter().map(|key| self.get(key.as_ref())).collect()
    }
}

impl Session {
    /// Gets several keys in one pass. As [`Reader::get_many`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("task/1", "open")?;
    /// let found = session.get_many(["task/1", "task/2"]).into_iter().collect::<Result<Vec<_>, _>>()?;
    /// assert!(found[0].is_some() && found[1].is_none());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use = "each key has its own result"]
    pub fn get_many<K: AsRef<str>>(&self, keys: impl IntoIterator<Item = K>) -> Vec<Result<Option<Entry>>> {
        self.reader().get_many(keys)
    }

    /// Puts several keys in one pass, in the given order, and returns a receipt for each. It is not atomic: others see some
    /// of the puts before the rest, and a put that fails does not prevent the others.
    ///
    /// # Errors
    /// Each key has its own result, with the errors of [`Session::put`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// for put in session.put_many([("task/1", "open"), ("task/2", "open")]) {
    ///     assert_eq!(put?.version, 1);
    /// }
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[must_use = "each key has its own result"]
    pub fn put_many<K: AsRef<str>, V: AsRef<[u8]>>(
        &self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Vec<Result<Receipt>> {
        pairs.into_iter().map(|(key, value)| self.put(key.as_ref(), value)).collect()
    }

    /// Removes the keys that start with the prefix, one after the other, and returns how many it removed. The empty prefix
    /// removes all keys. It is not atomic: a key that another session creates meanwhile may stay, a value that another session
    /// puts to one of the keys meanwhile may be removed, and a key that another session removed first is not counted.
    ///
    /// # Errors
    /// Those of [`Session::remove`], for the first key that cannot be removed; the keys before it are removed. `Corrupt`,
    /// which names the damaged records, after all other keys are removed.
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// for key in ["task/1", "task/2", "team/plan"] {
    ///     session.put(key, "")?;
    /// }
    /// assert_eq!(session.remove_prefix("task/")?, 2);
    /// assert_eq!(session.list("").keys().into_vec()?, ["team/plan"]);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn remove_prefix(&self, prefix: &str) -> Result<u64> {
        let found = self.list(prefix).keys().whole()?;
        let removed = self.remove_each(&found.entries)?;
        listing::sound(&found.damaged).map(|()| removed)
    }

    /// Removes the keys, and counts those that had a value.
    fn remove_each(&self, keys: &[String]) -> Result<u64> {
        let mut removed = 0;
        for key in keys {
            removed += u64::from(self.remove(key)?.is_some());
        }
        Ok(removed)
    }

    /// Adds to a counter atomically, retrying on conflict, and returns the sum. A counter is an integer in decimal digits, as
    /// `slate update --add` writes it. A key without a value counts as zero. The entry keeps its codec and its time to live,
    /// as with [`Session::update`].
    ///
    /// # Errors
    /// `Codec`, with the entry in [`Error::current`], if the value is not text (`RAW`, `UTF8` or `JSON`), or the value or the sum
    /// is not a 64-bit integer; the key is not changed then. Otherwise those of [`Session::update`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// assert_eq!(session.increment("team/done", 1)?, 1);
    /// assert_eq!(session.increment("team/done", -3)?, -2);
    /// assert_eq!(session.get("team/done")?.unwrap().text(), Some("-2"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn increment(&self, key: &str, delta: i64) -> Result<i64> {
        self.increment_with(key, delta, Retry::new()).map(|sum| sum.value)
    }

    /// As [`Session::increment`], with a given number of attempts and pauses. Returns the receipt as well.
    ///
    /// # Errors
    /// `InvalidArgument` for zero attempts. Otherwise those of [`Session::increment`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let sum = session.increment_with("team/done", 5, slateboard::Retry::UNLIMITED)?;
    /// assert_eq!((sum.value, sum.receipt.version), (5, 1));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn increment_with(&self, key: &str, delta: i64, retry: Retry) -> Result<Sum> {
        let (mut value, mut codec) = (0, CodecId::UTF8);
        let receipt = self.try_update(key, retry, |old| {
            value = added(key, old, delta)?;
            codec = old.map_or(CodecId::UTF8, |entry| entry.codec);
            Ok::<_, Error>(Some(Replacement::new(value.to_string()).codec(codec)))
        })?;
        receipt.map(|receipt| Sum { value, codec, receipt }).ok_or_else(|| update::nothing_to_put(key))
    }
}

/// The result of an increment: [`Session::increment_with`].
///
/// # Examples
/// See [`Session::increment_with`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Sum {
    /// The counter's new value.
    pub value: i64,
    /// How the value is encoded: like the previous value, or as UTF-8 text if there was none.
    pub codec: CodecId,
    /// The receipt of the put.
    pub receipt: Receipt,
}

/// The counter's value after the addition.
fn added(key: &str, old: Option<&Entry>, delta: i64) -> Result<i64> {
    let Some(entry) = old else { return Ok(delta) };
    let refused = |what: &str| {
        Error::new(ErrorKind::Codec, format!("{what}; version {} was not changed", entry.version))
            .on_key(key)
            .with_current(Some(entry.clone()))
            .hint("put an integer to restart the counter")
    };
    if ![CodecId::RAW, CodecId::UTF8, CodecId::JSON].contains(&entry.codec) {
        return Err(refused("the value is not encoded as text"));
    }
    let standing =
        entry.text().unwrap_or_default().trim().parse::<i64>().map_err(|error| match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => {
                refused("the value is an integer that does not fit into 64 bits")
            }
            _ => refused("the value is not an integer"),
        })?;
    let sum = standing.checked_add(delta);
    sum.ok_or_else(|| refused(&format!("{standing} + {delta} does not fit into 64 bits")))
}

#[cfg(test)]
mod tests {
    use crate::Board;

    #[test]
    fn a_key_that_another_removed_first_is_not_counted() {
        let session = Board::local().unwrap().attach("planner").unwrap();
        session.put("task/1", "open").unwrap();
        assert_eq!(session.remove_each(&["task/1".into(), "task/2".into()]).unwrap(), 1);
    }
}
