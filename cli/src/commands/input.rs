//! Values from arguments, standard input and files, up to the board's limit.

use crate::failure::Failure;
use slateboard::{CodecId, ErrorKind};
use std::{
    fs::{self, File},
    io::{self, Read},
};

/// The value of an argument: `-` is standard input, `@FILE` is a file, `@@x` is the text `@x`, and anything else is the
/// value itself. Rejects a value of more than `limit` bytes, and reads at most one byte more than that.
pub(super) fn value(argument: &str, limit: u64) -> Result<Vec<u8>, Failure> {
    match argument.strip_prefix('@') {
        None => text_or_input(argument, limit),
        Some(text) if text.starts_with('@') => within(text.as_bytes(), limit, "VALUE"),
        Some(path) => file(path, limit),
    }
}

/// As [`value`], but an argument that begins with `@` is plain text.
pub(super) fn text_or_input(argument: &str, limit: u64) -> Result<Vec<u8>, Failure> {
    match argument {
        "-" => within(io::stdin().lock(), limit, "standard input"),
        text => within(text.as_bytes(), limit, "the argument"),
    }
}

/// Reads the whole source, if it has at most `limit` bytes.
pub(super) fn within(source: impl Read, limit: u64, what: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    source
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::io(format!("cannot read {what}"), &error))?;
    if bytes.len() as u64 <= limit {
        return Ok(bytes);
    }
    let text = format!(
        "{what} is longer than {limit} bytes, the limit for a value on this board; nothing was written. Split the value, \
         or create a board with a larger capacity"
    );
    Err(Failure { kind: ErrorKind::ValueTooLarge.name(), ..Failure::usage(text) })
}

fn file(path: &str, limit: u64) -> Result<Vec<u8>, Failure> {
    let failed = |error: &io::Error| {
        Failure::io(format!("cannot read the file {path:?} (for the text itself, write @@{path})"), error)
    };
    let kind = fs::metadata(path).map_err(|error| failed(&error))?.file_type();
    if kind.is_dir() {
        return Err(Failure::usage(format!("@{path}: this is a folder, not a file")));
    }
    if !kind.is_file() {
        let text = format!(
            "@{path}: this is a pipe or a device, not a file; to read from it, use `-` and `< {path}`"
        );
        return Err(Failure::usage(text));
    }
    let file = File::open(path).map_err(|error| failed(&error))?;
    within(file, limit, &format!("the file {path:?}"))
}

/// The default codec of a value.
pub(super) fn plain_codec(value: &[u8]) -> CodecId {
    if std::str::from_utf8(value).is_ok() { CodecId::UTF8 } else { CodecId::RAW }
}

/// Checks that the value is valid in the codec. Values in codecs of other programs are not checked.
pub(super) fn suits(codec: CodecId, value: &[u8]) -> Result<(), String> {
    match codec {
        CodecId::UTF8 => std::str::from_utf8(value).map(drop).map_err(|error| format!("not UTF-8: {error}")),
        CodecId::JSON => serde_json::from_slice::<serde::de::IgnoredAny>(value)
            .map(drop)
            .map_err(|error| format!("not JSON: {error}")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 8;

    #[test]
    fn values_come_from_arguments_and_files() {
        let file = tempfile::NamedTempFile::new().expect("file");
        fs::write(file.path(), [0, 255]).expect("written");
        let at = format!("@{}", file.path().display());
        assert_eq!(value(&at, LIMIT).expect("file"), [0, 255]);
        assert_eq!(value("@@x", LIMIT).expect("text"), b"@x");
        assert_eq!(
            (value("", LIMIT).expect("empty"), text_or_input("@x", LIMIT).expect("text")),
            (vec![], b"@x".into())
        );
        for (wrong, word) in
            [("@/nowhere/at/all", "/nowhere/at/all"), ("@", "@@"), ("@/", "folder"), ("@/dev/null", "device")]
        {
            assert!(value(wrong, LIMIT).is_err_and(|failure| failure.text.contains(word)), "{wrong}");
        }
    }

    #[test]
    fn no_more_is_read_than_is_allowed() {
        assert_eq!(within(io::repeat(7).take(LIMIT), LIMIT, "it").expect("whole"), [7; 8]);
        let failure = within(io::repeat(7), LIMIT, "it").expect_err("endless");
        assert_eq!((failure.kind, failure.text.contains("8 bytes")), ("value_too_large", true));
        assert!(value("123456789", LIMIT).is_err());
    }

    #[test]
    fn codecs_are_checked() {
        assert_eq!((plain_codec(b"text"), plain_codec(&[255])), (CodecId::UTF8, CodecId::RAW));
        assert!(suits(CodecId::JSON, b"{}").is_ok() && suits(CodecId::JSON, b"{").is_err());
        assert!(suits(CodecId::UTF8, &[255]).is_err() && suits(CodecId::POD, &[255]).is_ok());
    }
}
