//! `slate put` of many keys.

use super::{
    Context, input,
    many::{KEY_MAX, Many, Piece, Pieces},
    put,
};
use crate::{
    args::Put,
    failure::{Failure, Status},
    units::parse_ttl,
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, value::RawValue};
use slateboard::{CodecId, ErrorKind, Expect, PutOptions, Session};
use std::{
    io::{self, BufRead},
    time::Duration,
};

/// A line of `--stdin`. An unknown member is an error, so that a misspelled condition never becomes an unconditional put.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    key: String,
    value: Box<RawValue>,
    encoding: Option<String>,
    codec: Option<String>,
    /// A duration as on the command line; a number means seconds.
    ttl: Option<Value>,
    if_version: Option<u64>,
    if_absent: Option<bool>,
    /// As `get --json` prints it: what is left of the time to live of the copied entry.
    expires_in_ms: Option<u64>,
    /// As `get --json` prints it. A copy cannot be bound to that session.
    ephemeral: Option<IgnoredAny>,
    #[serde(rename = "version")]
    _version: Option<IgnoredAny>,
    #[serde(rename = "generation")]
    _generation: Option<IgnoredAny>,
    #[serde(rename = "created")]
    _created: Option<IgnoredAny>,
    #[serde(rename = "writer")]
    _writer: Option<IgnoredAny>,
    #[serde(rename = "session")]
    _session: Option<IgnoredAny>,
    #[serde(rename = "incarnation")]
    _incarnation: Option<IgnoredAny>,
    #[serde(rename = "time")]
    _time: Option<IgnoredAny>,
    #[serde(rename = "time_ns")]
    _time_ns: Option<IgnoredAny>,
}

/// What is put to a key.
struct Change {
    key: String,
    value: Vec<u8>,
    options: PutOptions,
}

/// The input, and what the options say about every key of it.
struct Keys<'a, R> {
    args: &'a Put,
    pieces: Pieces<R>,
    value_max: u64,
}

pub(crate) fn run(context: &Context, args: &Put) -> Result<Status, Failure> {
    let board = context.board()?;
    let session = context.attach(&board)?;
    let separator = if args.stdin0 { 0 } else { b'\n' };
    let pieces = Pieces::new(io::stdin().lock(), separator);
    let mut keys = Keys { args, pieces, value_max: board.reader().value_max() };
    let mut many = Many::new(context);
    while let Some(change) = keys.next()? {
        let done = change.and_then(|change| put_one(&session, change));
        match done {
            Ok((key, receipt)) => many.context.out.receipt(&key, &receipt)?,
            Err(failure) => many.failed(failure)?,
        }
    }
    Ok(many.status())
}

fn put_one(session: &Session, change: Change) -> Result<(String, slateboard::Receipt), Failure> {
    let Change { key, value, options } = change;
    let receipt = session.put_with(&key, &value, options)?;
    Ok((key, receipt))
}

impl<R: BufRead> Keys<'_, R> {
    /// The next change, or why this one cannot be made.
    fn next(&mut self) -> Result<Option<Result<Change, Failure>>, Failure> {
        if self.args.stdin0 { self.next_pair() } else { self.next_line() }
    }

    fn next_pair(&mut self) -> Result<Option<Result<Change, Failure>>, Failure> {
        let Some(key) = self.pieces.next_key()? else { return Ok(None) };
        // A value is read for a key that is refused, too, so that the next key is one.
        let value = self.pieces.next(usize::try_from(self.value_max).unwrap_or(usize::MAX))?;
        Ok(Some(key.and_then(|key| {
            let value = match value {
                Some(Piece::Whole(value)) => value,
                Some(Piece::TooLong) => return Err(self.too_long(&key)),
                None => {
                    let text = format!(
                        "standard input ends after key {key:?}, without a value for it; it was not written"
                    );
                    return Err(Failure::usage(text).on_key(&key));
                }
            };
            let codec = put::codec_of(self.args.codec, &value).map_err(|failure| failure.on_key(&key))?;
            Ok(self.change(key, value, codec, put::expectation(self.args), self.args.ttl))
        })))
    }

    fn next_line(&mut self) -> Result<Option<Result<Change, Failure>>, Failure> {
        // Each byte of a value may be written as an escape of six.
        let line_max = usize::try_from(self.value_max)
            .unwrap_or(usize::MAX)
            .saturating_add(4 * KEY_MAX)
            .saturating_mul(6);
        loop {
            let line = match self.pieces.next(line_max)? {
                None => return Ok(None),
                Some(Piece::TooLong) => {
                    let text =
                        format!("a line of standard input has more than {line_max} bytes; it was skipped");
                    return Ok(Some(Err(Failure {
                        kind: ErrorKind::ValueTooLarge.name(),
                        ..Failure::usage(text)
                    })));
                }
                Some(Piece::Whole(line)) => line,
            };
            if !line.trim_ascii().is_empty() {
                return Ok(Some(self.parse(&line)));
            }
        }
    }

    fn parse(&self, line: &[u8]) -> Result<Change, Failure> {
        let line: Line = serde_json::from_slice(line).map_err(|error| {
            let shown: String = String::from_utf8_lossy(line).chars().take(60).collect();
            Failure::usage(format!(
                "not an object with `key` and `value`: {error}: {shown:?}; it was not written"
            ))
        })?;
        self.understand(&line).map_err(|failure| failure.on_key(&line.key))
    }

    fn understand(&self, line: &Line) -> Result<Change, Failure> {
        let wrong = |what: String| Failure::usage(format!("key {:?}: {what}; it was not written", line.key));
        if line.ephemeral.is_some() {
            return Err(wrong(
                "`ephemeral`: the session of this command ends with the command, and the key would end with it; leave the \
                 member out, and use `ttl`"
                    .into(),
            ));
        }
        let (value, is_json) = match (line.encoding.as_deref(), line.value.get()) {
            (None, text) if !text.starts_with('"') => (text.as_bytes().to_vec(), true),
            (None, text) => {
                let text: String =
                    serde_json::from_str(text).map_err(|error| wrong(format!("`value`: {error}")))?;
                (text.into_bytes(), false)
            }
            (Some("base64"), text) => {
                let text: String =
                    serde_json::from_str(text).map_err(|error| wrong(format!("`value`: {error}")))?;
                let bytes = BASE64.decode(text);
                (bytes.map_err(|error| wrong(format!("`value` is not base64: {error}")))?, false)
            }
            (Some(other), _) => return Err(wrong(format!("`encoding` is {other:?}, and must be base64"))),
        };
        if value.len() as u64 > self.value_max {
            return Err(self.too_long(&line.key));
        }
        let codec = match (&line.codec, self.args.codec) {
            (Some(name), _) => codec_named(name).ok_or_else(|| {
                wrong(format!("`codec` is {name:?}, and must be raw, utf8, json or a number"))
            })?,
            (None, None) if is_json => CodecId::JSON,
            (None, argument) => put::codec_of(argument, &value)?,
        };
        input::suits(codec, &value)
            .map_err(|why| wrong(format!("`codec` is {codec}, and the value is {why}")))?;
        let expect = match (line.if_version, line.if_absent) {
            (Some(_), Some(true)) => {
                return Err(wrong("`if_version` and `if_absent` exclude each other".into()));
            }
            (Some(version), _) => Expect::Version(version),
            (None, Some(true)) => Expect::Absent,
            (None, Some(false)) => Expect::Any,
            (None, None) => put::expectation(self.args),
        };
        let ttl = self.ttl(line).map_err(wrong)?;
        Ok(self.change(line.key.clone(), value, codec, expect, ttl))
    }

    fn ttl(&self, line: &Line) -> Result<Option<Duration>, String> {
        let parsed = |text: &str| parse_ttl(text).map(Some).map_err(|why| format!("`ttl`: {why}"));
        match (&line.ttl, line.expires_in_ms) {
            (Some(Value::String(text)), _) => parsed(text),
            (Some(Value::Number(seconds)), _) => parsed(&seconds.to_string()),
            (Some(other), _) => Err(format!("`ttl` is {other}, and must be a duration such as \"60s\"")),
            (None, Some(0)) => Err("`expires_in_ms` is 0: the entry has expired".into()),
            (None, Some(left)) => Ok(Some(Duration::from_millis(left))),
            (None, None) => Ok(self.args.ttl),
        }
    }

    fn change(
        &self,
        key: String,
        value: Vec<u8>,
        codec: CodecId,
        expect: Expect,
        ttl: Option<Duration>,
    ) -> Change {
        let mut options = PutOptions::new().expect(expect).codec(codec).ephemeral(self.args.ephemeral);
        options.ttl = ttl;
        Change { key, value, options }
    }

    fn too_long(&self, key: &str) -> Failure {
        let text = format!(
            "the value of key {key:?} is longer than {} bytes, the limit for a value on this board; it was not written. \
             Split the value, or create a board with a larger capacity",
            self.value_max
        );
        Failure::of_key(ErrorKind::ValueTooLarge, key, text)
    }
}

/// The codec that is printed like this.
fn codec_named(name: &str) -> Option<CodecId> {
    (0..=u8::MAX).map(CodecId::new).find(|codec| codec.to_string() == name)
}
