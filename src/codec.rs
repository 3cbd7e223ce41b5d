//! How values are encoded. The codec's number is recorded with the value.
//!
//! A [`Codec`] turns values into bytes ([`Encode`]) and bytes into values ([`Decode`]). The two traits are separate, so a
//! value that is put may be borrowed (`str`, `[u8]`, a struct with references), while a value that is read owns its data.
//!
//! # Examples
//!
//! A program defines its own codec, with a number from 128 on:
//!
//! ```
//! use slateboard::{Board, CodecId, Error, Result, codec::{Codec, Decode, Encode}};
//! use std::borrow::Cow;
//!
//! /// A number in decimal digits.
//! struct Decimal;
//!
//! impl Codec for Decimal {
//!     const ID: CodecId = CodecId::new(128);
//! }
//! impl Encode<u64> for Decimal {
//!     fn encode(value: &u64) -> Result<Cow<'_, [u8]>> {
//!         Ok(value.to_string().into_bytes().into())
//!     }
//! }
//! impl Decode<u64> for Decimal {
//!     fn decode(bytes: &[u8]) -> Result<u64> {
//!         std::str::from_utf8(bytes).map_err(Error::codec)?.parse().map_err(Error::codec)
//!     }
//! }
//!
//! let session = Board::local()?.attach("planner")?;
//! session.put_as::<Decimal, _>("team/count", &42)?;
//! let (count, entry) = session.get_as::<Decimal, u64>("team/count")?.unwrap();
//! assert_eq!((count, entry.codec), (42, Decimal::ID));
//! # Ok::<_, Error>(())
//! ```

use crate::error::{Error, Result};
use std::{borrow::Cow, fmt};

/// The number of a codec, as it is recorded with a value. Programs may use the numbers from 128 on for their own codecs.
///
/// # Examples
///
/// ```
/// use slateboard::{Board, CodecId};
///
/// let session = Board::local()?.attach("planner")?;
/// session.put("plan", "draft")?;
/// assert_eq!(session.get("plan")?.unwrap().codec, CodecId::RAW);
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct CodecId(u8);

impl CodecId {
    /// Bytes as they are.
    pub const RAW: Self = Self(0);
    /// UTF-8 text.
    pub const UTF8: Self = Self(1);
    /// JSON.
    pub const JSON: Self = Self(2);
    /// Plain old data: the bytes of a value, little-endian.
    pub const POD: Self = Self(3);
    /// `bincode` 2, standard configuration.
    pub const BINCODE: Self = Self(4);

    /// The codec with this number.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(slateboard::CodecId::new(2), slateboard::CodecId::JSON);
    /// ```
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// The codec's number.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(slateboard::CodecId::UTF8.get(), 1);
    /// ```
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The name of a codec of this crate: `raw`, `utf8`, `json`, `pod`, `bincode`. `None` for other codecs.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::CodecId;
    ///
    /// assert_eq!(CodecId::JSON.name(), Some("json"));
    /// assert_eq!(CodecId::new(128).name(), None);
    /// ```
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::RAW => Some("raw"),
            Self::UTF8 => Some("utf8"),
            Self::JSON => Some("json"),
            Self::POD => Some("pod"),
            Self::BINCODE => Some("bincode"),
            _ => None,
        }
    }
}

/// Writes the codec's name, or its number if it has none.
impl fmt::Display for CodecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

impl From<u8> for CodecId {
    fn from(number: u8) -> Self {
        Self(number)
    }
}

impl From<CodecId> for u8 {
    fn from(id: CodecId) -> Self {
        id.0
    }
}

/// A way to encode values.
pub trait Codec {
    /// The number that is recorded with the value.
    const ID: CodecId;
}

/// Turns values of type `T` into bytes.
pub trait Encode<T: ?Sized>: Codec {
    /// The value's bytes. They are borrowed if the value contains them.
    ///
    /// # Errors
    /// [`Codec`](crate::ErrorKind::Codec) if the value cannot be encoded.
    fn encode(value: &T) -> Result<Cow<'_, [u8]>>;
}

/// Turns bytes into values of type `T`.
pub trait Decode<T>: Codec {
    /// Decodes a value from these bytes.
    ///
    /// # Errors
    /// [`Codec`](crate::ErrorKind::Codec) if the bytes are not the encoding of a value.
    fn decode(bytes: &[u8]) -> Result<T>;
}

/// The codec [`CodecId::RAW`]: bytes as they are.
///
/// # Examples
///
/// ```
/// use slateboard::{Board, codec::Raw};
///
/// let session = Board::local()?.attach("planner")?;
/// session.put_as::<Raw, _>("plan", &[1_u8, 2])?;
/// assert_eq!(session.get_as::<Raw, Vec<u8>>("plan")?.unwrap().0, [1, 2]);
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Raw;
/// The codec [`CodecId::UTF8`]: text.
///
/// # Examples
///
/// ```
/// use slateboard::{Board, codec::Utf8};
///
/// let session = Board::local()?.attach("planner")?;
/// session.put_as::<Utf8, _>("plan", "draft")?;
/// assert_eq!(session.get_as::<Utf8, String>("plan")?.unwrap().0, "draft");
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Utf8;
/// The codec [`CodecId::JSON`]: any type of `serde`. Feature `json`.
///
/// # Examples
///
/// ```
/// use slateboard::{Board, codec::Json};
///
/// let session = Board::local()?.attach("planner")?;
/// session.put_as::<Json, _>("plan", &("draft", 1))?;
/// assert_eq!(session.get_as::<Json, (String, u32)>("plan")?.unwrap().0, ("draft".to_owned(), 1));
/// # Ok::<_, slateboard::Error>(())
/// ```
#[cfg(feature = "json")]
#[derive(Clone, Copy, Debug)]
pub struct Json;
/// The codec [`CodecId::POD`]: the bytes of a plain value.
///
/// # Examples
///
/// ```
/// use slateboard::{Board, codec::Pod};
///
/// let session = Board::local()?.attach("planner")?;
/// session.put_as::<Pod, _>("limits", &[8_u32, 16])?;
/// assert_eq!(session.get_as::<Pod, [u32; 2]>("limits")?.unwrap().0, [8, 16]);
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Pod;
/// The codec [`CodecId::BINCODE`]. Feature `bincode`. The crate of that name is no longer maintained.
#[cfg(feature = "bincode")]
#[derive(Clone, Copy, Debug)]
pub struct Bincode;

impl Codec for Raw {
    const ID: CodecId = CodecId::RAW;
}

impl<T: AsRef<[u8]> + ?Sized> Encode<T> for Raw {
    fn encode(value: &T) -> Result<Cow<'_, [u8]>> {
        Ok(value.as_ref().into())
    }
}

impl Decode<Vec<u8>> for Raw {
    fn decode(bytes: &[u8]) -> Result<Vec<u8>> {
        Ok(bytes.to_vec())
    }
}

impl Codec for Utf8 {
    const ID: CodecId = CodecId::UTF8;
}

impl<T: AsRef<str> + ?Sized> Encode<T> for Utf8 {
    fn encode(value: &T) -> Result<Cow<'_, [u8]>> {
        Ok(value.as_ref().as_bytes().into())
    }
}

impl Decode<String> for Utf8 {
    fn decode(bytes: &[u8]) -> Result<String> {
        String::from_utf8(bytes.to_vec())
            .map_err(|error| refused("the value is not valid UTF-8").caused_by(error))
    }
}

#[cfg(feature = "json")]
impl Codec for Json {
    const ID: CodecId = CodecId::JSON;
}

#[cfg(feature = "json")]
impl<T: serde::Serialize + ?Sized> Encode<T> for Json {
    fn encode(value: &T) -> Result<Cow<'_, [u8]>> {
        serde_json::to_vec(value)
            .map(Cow::Owned)
            .map_err(|error| refused("the value cannot be written as JSON").caused_by(error))
    }
}

#[cfg(feature = "json")]
impl<T: serde::de::DeserializeOwned> Decode<T> for Json {
    fn decode(bytes: &[u8]) -> Result<T> {
        serde_json::from_slice(bytes)
            .map_err(|error| refused("the value is not JSON of the expected type").caused_by(error))
    }
}

impl Codec for Pod {
    const ID: CodecId = CodecId::POD;
}

impl<T: bytemuck::NoUninit> Encode<T> for Pod {
    fn encode(value: &T) -> Result<Cow<'_, [u8]>> {
        Ok(bytemuck::bytes_of(value).into())
    }
}

impl<T: bytemuck::AnyBitPattern> Decode<T> for Pod {
    fn decode(bytes: &[u8]) -> Result<T> {
        bytemuck::try_pod_read_unaligned(bytes)
            .map_err(|_| refused(&format!("the value has {} bytes, not {}", bytes.len(), size_of::<T>())))
    }
}

#[cfg(feature = "bincode")]
impl Codec for Bincode {
    const ID: CodecId = CodecId::BINCODE;
}

#[cfg(feature = "bincode")]
impl<T: bincode::Encode> Encode<T> for Bincode {
    fn encode(value: &T) -> Result<Cow<'_, [u8]>> {
        bincode::encode_to_vec(value, bincode::config::standard())
            .map(Cow::Owned)
            .map_err(|error| refused("the value cannot be encoded by bincode").caused_by(error))
    }
}

#[cfg(feature = "bincode")]
impl<T: bincode::Decode<()>> Decode<T> for Bincode {
    fn decode(bytes: &[u8]) -> Result<T> {
        bincode::decode_from_slice(bytes, bincode::config::standard())
            .map(|(value, _)| value)
            .map_err(|error| refused("the value cannot be decoded by bincode").caused_by(error))
    }
}

fn refused(what: &str) -> Error {
    Error::new(crate::ErrorKind::Codec, what)
}
