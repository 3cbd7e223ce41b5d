//! Typed values: the codec is recorded with the value.

use super::{PutOptions, Reader, Receipt, Session};
use crate::{
    codec::{Codec, Json, Pod},
    entry::Entry,
    error::{Error, ErrorKind, Result},
};
use serde::{Serialize, de::DeserializeOwned};

impl Session {
    /// Puts a value encoded by codec `C`.
    ///
    /// # Errors
    /// `Codec` where it cannot be encoded; as [`Session::put`].
    pub fn put_as<C: Codec<T>, T>(&self, key: &str, value: &T) -> Result<Receipt> {
        self.put_as_with::<C, T>(key, value, PutOptions::default())
    }

    /// As [`Session::put_as`], with options; their codec is `C`'s.
    ///
    /// # Errors
    /// As [`Session::put_as`] and [`Session::put_with`].
    pub fn put_as_with<C: Codec<T>, T>(&self, key: &str, value: &T, options: PutOptions) -> Result<Receipt> {
        let bytes = C::encode(value).map_err(|error| error.on_key(key))?;
        self.put_with(key, bytes, PutOptions { codec: C::ID, ..options })
    }

    /// Puts a value as JSON.
    ///
    /// # Errors
    /// As [`Session::put_as`].
    pub fn put_json<T: Serialize + DeserializeOwned>(&self, key: &str, value: &T) -> Result<Receipt> {
        self.put_as::<Json, T>(key, value)
    }

    /// Puts a value's own bytes.
    ///
    /// # Errors
    /// As [`Session::put_as`].
    pub fn put_pod<T: bytemuck::Pod>(&self, key: &str, value: &T) -> Result<Receipt> {
        self.put_as::<Pod, T>(key, value)
    }
}

impl Reader {
    /// The key's value decoded by codec `C`, with its entry; `None` where the key has no value.
    ///
    /// # Errors
    /// `Codec` where it was encoded otherwise or cannot be decoded; as [`Reader::get`].
    pub fn get_as<C: Codec<T>, T>(&self, key: &str) -> Result<Option<(T, Entry)>> {
        let Some(entry) = self.get(key)? else { return Ok(None) };
        if entry.codec != C::ID {
            let text = format!("the value has codec {}, not {}", entry.codec, C::ID);
            return Err(Error::new(ErrorKind::Codec, text).on_key(key).with_current(Some(entry)));
        }
        let value = C::decode(&entry.value).map_err(|error| error.on_key(key))?;
        Ok(Some((value, entry)))
    }

    /// The key's value, from JSON.
    ///
    /// # Errors
    /// As [`Reader::get_as`].
    pub fn get_json<T: Serialize + DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        Ok(self.get_as::<Json, T>(key)?.map(|(value, _)| value))
    }

    /// The key's value, from its own bytes.
    ///
    /// # Errors
    /// As [`Reader::get_as`].
    pub fn get_pod<T: bytemuck::Pod>(&self, key: &str) -> Result<Option<T>> {
        Ok(self.get_as::<Pod, T>(key)?.map(|(value, _)| value))
    }
}
