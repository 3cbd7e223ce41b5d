//! Typed values: the codec is recorded with the value.

use super::{PutOptions, Reader, Receipt, Session};
#[cfg(feature = "json")]
use crate::codec::Json;
use crate::{
    codec::{Decode, Encode, Pod},
    entry::Entry,
    error::{Error, ErrorKind, Result},
};

impl Session {
    /// Puts a value that codec `C` encodes.
    ///
    /// # Errors
    /// `Codec` when the value cannot be encoded. As [`Session::put`] otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, codec::Utf8};
    ///
    /// let session = Board::local()?.attach("planner")?;
    /// session.put_as::<Utf8, _>("note", "written as text")?;
    /// let (note, entry) = session.get_as::<Utf8, String>("note")?.unwrap();
    /// assert_eq!((note.as_str(), entry.version), ("written as text", 1));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn put_as<C: Encode<T>, T: ?Sized>(&self, key: &str, value: &T) -> Result<Receipt> {
        self.put_as_with::<C, T>(key, value, PutOptions::new())
    }

    /// Puts a value that codec `C` encodes, with options. The codec that the options name is not used.
    ///
    /// # Errors
    /// As [`Session::put_as`] and [`Session::put_with`].
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, Expect, PutOptions, codec::Pod};
    ///
    /// let session = Board::local()?.attach("planner")?;
    /// let new = PutOptions::new().expect(Expect::Absent);
    /// session.put_as_with::<Pod, _>("limit", &7_u64, new)?;
    /// assert_eq!(session.get_pod("limit")?, Some(7_u64));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn put_as_with<C: Encode<T>, T: ?Sized>(
        &self,
        key: &str,
        value: &T,
        options: PutOptions,
    ) -> Result<Receipt> {
        let bytes = C::encode(value).map_err(|error| error.on_key(key))?;
        self.put_with(key, bytes, options.codec(C::ID))
    }

    /// Puts a value as JSON. The value may be borrowed.
    ///
    /// # Errors
    /// As [`Session::put_as`].
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::Board;
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize)]
    /// struct Task<'a> {
    ///     title: &'a str,
    /// }
    /// #[derive(Deserialize)]
    /// struct OwnedTask {
    ///     title: String,
    /// }
    ///
    /// let session = Board::local()?.attach("planner")?;
    /// session.put_json("task/42", &Task { title: "paint" })?;
    /// let task: OwnedTask = session.get_json("task/42")?.unwrap();
    /// assert_eq!(task.title, "paint");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[cfg(feature = "json")]
    pub fn put_json<T: serde::Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<Receipt> {
        self.put_as::<Json, T>(key, value)
    }

    /// Puts a value's own bytes.
    ///
    /// # Errors
    /// As [`Session::put_as`].
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put_pod("position", &[1.5_f32, 2.5])?;
    /// assert_eq!(session.get_pod::<[f32; 2]>("position")?, Some([1.5, 2.5]));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn put_pod<T: bytemuck::NoUninit>(&self, key: &str, value: &T) -> Result<Receipt> {
        self.put_as::<Pod, T>(key, value)
    }
}

impl Reader {
    /// The key's value decoded by codec `C`, with its entry; `None` when the key has no value.
    ///
    /// # Errors
    /// `Codec` when another codec encoded the value, which is in [`Error::current`], or when it cannot be decoded. As
    /// [`Reader::get`] otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, codec::{Pod, Utf8}};
    ///
    /// let session = Board::local()?.attach("planner")?;
    /// session.put_as::<Utf8, _>("note", "text")?;
    /// assert!(session.reader().get_as::<Utf8, String>("note")?.is_some());
    /// let error = session.reader().get_as::<Pod, u32>("note").unwrap_err();
    /// assert_eq!(error.current().and_then(|entry| entry.text()), Some("text"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn get_as<C: Decode<T>, T>(&self, key: &str) -> Result<Option<(T, Entry)>> {
        let Some(entry) = self.get(key)? else { return Ok(None) };
        if entry.codec != C::ID {
            let text = format!("the value has codec {}, not {}", entry.codec, C::ID);
            return Err(Error::new(ErrorKind::Codec, text).on_key(key).with_current(Some(entry)));
        }
        let value = C::decode(&entry.value).map_err(|error| error.on_key(key))?;
        Ok(Some((value, entry)))
    }

    /// The key's value, decoded from JSON.
    ///
    /// # Errors
    /// As [`Reader::get_as`].
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put_json("counts", &[1, 2, 3])?;
    /// assert_eq!(session.reader().get_json("counts")?, Some(vec![1, 2, 3]));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[cfg(feature = "json")]
    pub fn get_json<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        Ok(self.get_as::<Json, T>(key)?.map(|(value, _)| value))
    }

    /// The key's value, from its own bytes.
    ///
    /// # Errors
    /// As [`Reader::get_as`].
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put_pod("limit", &7_u64)?;
    /// assert_eq!(session.reader().get_pod("limit")?, Some(7_u64));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn get_pod<T: bytemuck::AnyBitPattern>(&self, key: &str) -> Result<Option<T>> {
        Ok(self.get_as::<Pod, T>(key)?.map(|(value, _)| value))
    }
}
