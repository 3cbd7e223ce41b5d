//! How values are encoded. The codec's number is recorded with the value.

use crate::error::{Error, ErrorKind, Result};
use serde::{Serialize, de::DeserializeOwned};

/// Bytes as they are.
pub const RAW: u8 = 0;
/// UTF-8 text.
pub const UTF8: u8 = 1;
/// JSON.
pub const JSON: u8 = 2;
/// Plain old data: the bytes of a value, little-endian.
pub const POD: u8 = 3;
/// `bincode` 2, standard configuration.
pub const BINCODE: u8 = 4;

/// Turns values into bytes and back. Numbers from 128 on are free for programs' own codecs.
pub trait Codec<T> {
    /// The number recorded with the value.
    const ID: u8;
    /// The value's bytes.
    ///
    /// # Errors
    /// `Codec`.
    fn encode(value: &T) -> Result<Vec<u8>>;
    /// The value that has these bytes.
    ///
    /// # Errors
    /// `Codec`.
    fn decode(bytes: &[u8]) -> Result<T>;
}

/// [`RAW`].
pub struct Raw;
/// [`UTF8`].
pub struct Utf8;
/// [`JSON`].
pub struct Json;
/// [`POD`].
pub struct Pod;
/// [`BINCODE`], behind the feature `bincode`: the crate is no longer maintained.
#[cfg(feature = "bincode")]
pub struct Bincode;

fn refused(what: &str) -> Error {
    Error::new(ErrorKind::Codec, what)
}

impl Codec<Vec<u8>> for Raw {
    const ID: u8 = RAW;
    fn encode(value: &Vec<u8>) -> Result<Vec<u8>> {
        Ok(value.clone())
    }
    fn decode(bytes: &[u8]) -> Result<Vec<u8>> {
        Ok(bytes.to_vec())
    }
}

impl Codec<String> for Utf8 {
    const ID: u8 = UTF8;
    fn encode(value: &String) -> Result<Vec<u8>> {
        Ok(value.clone().into_bytes())
    }
    fn decode(bytes: &[u8]) -> Result<String> {
        String::from_utf8(bytes.to_vec()).map_err(|error| refused("the value is not UTF-8").caused_by(error))
    }
}

impl<T: Serialize + DeserializeOwned> Codec<T> for Json {
    const ID: u8 = JSON;
    fn encode(value: &T) -> Result<Vec<u8>> {
        serde_json::to_vec(value)
            .map_err(|error| refused("the value cannot be written as JSON").caused_by(error))
    }
    fn decode(bytes: &[u8]) -> Result<T> {
        serde_json::from_slice(bytes)
            .map_err(|error| refused("the value is not the JSON that was expected").caused_by(error))
    }
}

impl<T: bytemuck::Pod> Codec<T> for Pod {
    const ID: u8 = POD;
    fn encode(value: &T) -> Result<Vec<u8>> {
        Ok(bytemuck::bytes_of(value).to_vec())
    }
    fn decode(bytes: &[u8]) -> Result<T> {
        bytemuck::try_pod_read_unaligned(bytes)
            .map_err(|_| refused(&format!("the value has {} bytes, not {}", bytes.len(), size_of::<T>())))
    }
}

#[cfg(feature = "bincode")]
impl<T: bincode::Encode + bincode::Decode<()>> Codec<T> for Bincode {
    const ID: u8 = BINCODE;
    fn encode(value: &T) -> Result<Vec<u8>> {
        bincode::encode_to_vec(value, bincode::config::standard())
            .map_err(|error| refused("the value cannot be encoded").caused_by(error))
    }
    fn decode(bytes: &[u8]) -> Result<T> {
        bincode::decode_from_slice(bytes, bincode::config::standard())
            .map(|(value, _)| value)
            .map_err(|error| refused("the value cannot be decoded").caused_by(error))
    }
}
