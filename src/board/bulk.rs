//! Calls on many keys, and on counters.

use super::{Reader, Receipt, Replacement, Retry, Session, View, listing};
use crate::{
    codec::CodecId,
    entry::Entry,
    error::{Error, ErrorKind, Result},
};
use std::num::IntErrorKind;

impl Reader {
    /// Gets several keys in one pass: an entry, or `None`, for each key in the order given. Each is of its own instant;
    /// [`View::get_many`] reads all of one generation.
    ///
    /// # Errors
    /// For each key those of [`Reader::get`]. An error of one key takes nothing from the others.
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
    pub fn get_many<K: AsRef<str>>(&self, keys: impl IntoIterator<Item = K>) -> Vec<Result<Option<Entry>>> {
        keys.into_iter().map(|key| self.get(key.as_ref())).collect()
    }
}

impl View {
    /// Gets several keys in one pass, all of the view's generation: an entry, or `None`, for each key in the order given.
    ///
    /// # Errors
    /// For each key those of [`View::get`]. An error of one key takes nothing from the others.
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
    pub fn get_many<K: AsRef<str>>(&self, keys: impl IntoIterator<Item = K>) -> Vec<Result<Option<Entry>>> {
        keys.into_iter().map(|key| self.get(key.as_ref())).collect()
    }
}

impl Session {
    /// As [`Reader::get_many`].
    pub fn get_many<K: AsRef<str>>(&self, keys: impl IntoIterator<Item = K>) -> Vec<Result<Option<Entry>>> {
        self.reader().get_many(keys)
    }

    /// Puts several keys in one pass, in the order given: a receipt for each. It is not atomic. Others see some of the
    /// puts before the rest, and a put that fails keeps none of the others from happening.
    ///
    /// # Errors
    /// For each key those of [`Session::put`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// for put in session.put_many([("task/1", "open"), ("task/2", "open")]) {
    ///     assert_eq!(put?.version, 1);
    /// }
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn put_many<K: AsRef<str>, V: AsRef<[u8]>>(
        &self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Vec<Result<Receipt>> {
        pairs.into_iter().map(|(key, value)| self.put(key.as_ref(), value)).collect()
    }

    /// Removes the keys that start with the prefix, one after the other, and returns how many it removed. It is not atomic.
    /// Keys that others put meanwhile may stay, and a key that another session removed first is not counted.
    ///
    /// # Errors
    /// As [`Session::remove`], for the first key that cannot be removed; the keys before it are removed. `Corrupt` for damaged
    /// records, which it names, after all others are removed.
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
        let mut removed = 0;
        for key in found.entries {
            removed += u64::from(self.remove(&key)?.is_some());
        }
        listing::sound(&found.damaged).map(|()| removed)
    }

    /// Adds to a counter atomically, retrying on conflict, and returns the sum. A counter is an integer in decimal digits, as
    /// `slate update --add` writes it. A key without a value counts as zero. What else is known of the entry stays as it
    /// is, as with [`Session::update`].
    ///
    /// # Errors
    /// `Codec`, with the entry in [`Error::current`], where the value is no integer of 64 bits; `InvalidArgument` where the
    /// sum is none. The key is left as it is then. As [`Session::update`] otherwise.
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
        self.increment_with(key, delta, Retry::new()).map(|(sum, _)| sum)
    }

    /// As [`Session::increment`], with other attempts and pauses, and with the receipt.
    ///
    /// # Errors
    /// `InvalidArgument` for zero attempts. As [`Session::increment`] otherwise.
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let (sum, receipt) = session.increment_with("team/done", 5, slateboard::Retry::UNLIMITED)?;
    /// assert_eq!((sum, receipt.version), (5, 1));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn increment_with(&self, key: &str, delta: i64, retry: Retry) -> Result<(i64, Receipt)> {
        let mut sum = 0;
        let receipt = self.try_update(key, retry, |old| {
            sum = added(key, old, delta)?;
            let text =
                matches!(old, Some(entry) if entry.codec == CodecId::RAW || entry.codec == CodecId::JSON);
            let next = Replacement::new(sum.to_string());
            Ok::<_, Error>(Some(if text { next } else { next.codec(CodecId::UTF8) }))
        })?;
        receipt.map(|receipt| (sum, receipt)).ok_or_else(|| super::update::nothing_to_put(key))
    }
}

/// The counter's value after this is added to it.
fn added(key: &str, old: Option<&Entry>, delta: i64) -> Result<i64> {
    let standing = match old {
        Some(entry) => entry.text().unwrap_or_default().trim().parse::<i64>().map_err(|error| {
            let too_large = matches!(error.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow);
            let what = if too_large { "an integer that does not fit into 64 bits" } else { "not an integer" };
            Error::new(ErrorKind::Codec, format!("the value of version {} is {what}", entry.version))
                .on_key(key)
                .with_current(Some(entry.clone()))
                .hint("the key was left as it is; put an integer to begin counting")
        })?,
        None => 0,
    };
    standing.checked_add(delta).ok_or_else(|| {
        let text = format!("{standing} + {delta} does not fit into 64 bits");
        Error::new(ErrorKind::InvalidArgument, text).on_key(key).hint("the key was left as it is")
    })
}
