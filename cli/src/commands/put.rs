//! `slate put`.

use super::Context;
use crate::{
    args::{CodecArg, Put},
    failure::{Failure, Status},
};
use slateboard::{Expect, PutOptions, codec};
use std::{
    fs,
    io::{self, IsTerminal, Read},
};

pub(crate) fn run(context: &Context, args: Put) -> Result<Status, Failure> {
    if args.ephemeral {
        return Err(Failure::usage(
            "--ephemeral: the key would be removed at once, because it lives as long as the session that wrote \
             it and this command's session ends with the command; use --ttl, or hold a session in a program of \
             your own",
        ));
    }
    let value = value_of(args.value.as_deref())?;
    let codec = codec_of(args.codec, &value)?;
    let expect = match (args.if_version, args.if_absent) {
        (Some(version), _) => Expect::Version(version),
        (None, true) => Expect::Absent,
        (None, false) => Expect::Any,
    };
    let options = PutOptions { expect, ttl: args.ttl, codec, ..PutOptions::default() };
    let receipt = context.session()?.put_with(&args.key, &value, options)?;
    context.out.receipt(&args.key, &receipt)?;
    Ok(Status::Done)
}

fn value_of(argument: Option<&str>) -> Result<Vec<u8>, Failure> {
    match argument {
        None if io::stdin().is_terminal() => {
            Err(Failure::usage("no value: give one, or `-` for standard input, or @FILE"))
        }
        None | Some("-") => {
            let mut value = Vec::new();
            io::stdin()
                .read_to_end(&mut value)
                .map_err(|error| Failure::io("reading standard input", &error))?;
            Ok(value)
        }
        Some(text) => match text.strip_prefix('@') {
            Some(rest) if rest.starts_with('@') => Ok(rest.as_bytes().to_vec()),
            Some(path) => fs::read(path).map_err(|error| Failure::io(format!("reading {path}"), &error)),
            None => Ok(text.as_bytes().to_vec()),
        },
    }
}

fn codec_of(argument: Option<CodecArg>, value: &[u8]) -> Result<u8, Failure> {
    match argument {
        None if std::str::from_utf8(value).is_ok() => Ok(codec::UTF8),
        None | Some(CodecArg::Raw) => Ok(codec::RAW),
        Some(CodecArg::Utf8) => match std::str::from_utf8(value) {
            Ok(_) => Ok(codec::UTF8),
            Err(error) => Err(Failure::usage(format!("--codec utf8: the value is not UTF-8: {error}"))),
        },
        Some(CodecArg::Json) => match serde_json::from_slice::<serde::de::IgnoredAny>(value) {
            Ok(_) => Ok(codec::JSON),
            Err(error) => Err(Failure::usage(format!("--codec json: the value is not JSON: {error}"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_from_arguments_and_files() {
        let file = tempfile::NamedTempFile::new().expect("file");
        fs::write(file.path(), [0, 255]).expect("written");
        let at = format!("@{}", file.path().display());
        assert_eq!(value_of(Some(&at)).expect("file"), [0, 255]);
        assert_eq!(value_of(Some("@@x")).expect("text"), b"@x");
        assert!(value_of(Some("@/nowhere/at/all")).expect_err("missing").text.contains("/nowhere/at/all"));
    }

    #[test]
    fn codecs_are_checked() {
        assert_eq!(codec_of(None, b"text").expect("codec"), codec::UTF8);
        assert_eq!(codec_of(None, &[255]).expect("codec"), codec::RAW);
        assert_eq!(codec_of(Some(CodecArg::Json), b"{}").expect("codec"), codec::JSON);
        assert_eq!(codec_of(Some(CodecArg::Json), b"{").expect_err("not JSON").status, Status::Usage);
        assert_eq!(codec_of(Some(CodecArg::Utf8), &[255]).expect_err("not UTF-8").status, Status::Usage);
    }
}
