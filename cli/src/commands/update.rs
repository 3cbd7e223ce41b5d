//! `slate update`: read, change, compare-and-swap; repeated with the new entry on conflict.

use super::{Context, input};
use crate::{
    args::Update,
    failure::{Failure, Status},
    merge::merge,
};
use slateboard::{CodecId, Entry, ErrorKind, Replacement, Retry};
use std::{
    io::{self, Write},
    process::{Command, Stdio},
    thread,
};

/// How the new value is computed from the current one.
enum Change<'a> {
    /// A merge patch.
    Merge(String),
    Append(Vec<u8>),
    /// A shell command, and the maximum length of its output in bytes.
    Exec(&'a str, u64),
}

pub(crate) fn run(context: &Context, args: &Update) -> Result<Status, Failure> {
    let board = context.board()?;
    let retry = Retry::new().attempts(args.attempts);
    if let Some(delta) = args.add {
        let sum = context.attach(&board)?.increment_with(&args.key, delta, retry)?;
        context.out.updated(&args.key, &sum.receipt, sum.value.to_string().as_bytes(), sum.codec)?;
        return Ok(Status::Done);
    }
    let change = Change::of(args, board.reader().value_max())?;
    let session = context.attach(&board)?;
    let mut made = (Vec::new(), CodecId::UTF8);
    let done = session.try_update(&args.key, retry, |old| {
        let value = change.apply(&args.key, old)?;
        let codec = change.codec(old, &value);
        made = (value.clone(), codec);
        Ok::<_, Failure>(Some(Replacement::new(value).codec(codec)))
    })?;
    let receipt = done.ok_or_else(|| Failure::no_key(&args.key))?;
    context.out.updated(&args.key, &receipt, &made.0, made.1)?;
    Ok(Status::Done)
}

impl<'a> Change<'a> {
    fn of(args: &'a Update, value_max: u64) -> Result<Self, Failure> {
        match (&args.merge, &args.append, &args.exec) {
            (Some(patch), ..) => Self::merge(&input::value(patch, value_max)?),
            (None, Some(text), _) => Ok(Self::Append(input::text_or_input(text, value_max)?)),
            (None, None, Some(command)) if command.trim().is_empty() => Err(Failure::usage(
                "--exec: the command is empty, and would make the value empty; give a command",
            )),
            (None, None, Some(command)) => Ok(Self::Exec(command, value_max)),
            (None, None, None) => {
                Err(Failure::usage("one of --add, --merge, --append and --exec is required"))
            }
        }
    }

    fn merge(patch: &[u8]) -> Result<Self, Failure> {
        let not_json = |error: &dyn std::fmt::Display| {
            Failure::usage(format!("--merge: the patch is not JSON, or is nested too deeply: {error}"))
        };
        let patch = std::str::from_utf8(patch).map_err(|error| not_json(&error))?;
        // A trial run on an absent value, so that an invalid patch is reported before any error of the board.
        merge(None, patch).map_err(|error| not_json(&error))?;
        Ok(Self::Merge(patch.into()))
    }

    fn apply(&self, key: &str, old: Option<&Entry>) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Merge(patch) => merged(old, patch),
            Self::Append(text) => {
                Ok([old.map_or(&[][..], |entry| entry.value.as_slice()), text.as_slice()].concat())
            }
            Self::Exec(command, value_max) => execute(key, old, command, *value_max),
        }
    }

    /// The codec of the entry if the new value is valid in it, otherwise the default codec.
    fn codec(&self, old: Option<&Entry>, value: &[u8]) -> CodecId {
        let codec = match (old, self) {
            (Some(entry), _) => entry.codec,
            (None, Self::Merge(_)) => CodecId::JSON,
            (None, _) => input::plain_codec(value),
        };
        if input::suits(codec, value).is_ok() { codec } else { input::plain_codec(value) }
    }
}

fn merged(old: Option<&Entry>, patch: &str) -> Result<Vec<u8>, Failure> {
    let whole = |entry: &Entry, target: Option<&str>| {
        target
            .and_then(|target| merge(Some(target), patch).ok())
            .ok_or_else(|| unsuitable("--merge", entry, "not JSON"))
    };
    let merged = match old {
        Some(entry) => whole(entry, entry.text())?,
        None => merge(None, patch).map_err(|error| Failure::usage(format!("--merge: {error}")))?,
    };
    Ok(merged.into_bytes())
}

fn execute(key: &str, old: Option<&Entry>, command: &str, value_max: u64) -> Result<Vec<u8>, Failure> {
    let running = |error: &io::Error| Failure::io(format!("--exec: cannot run `{command}`"), error);
    let mut child = Command::new("sh")
        .args(["-c", command])
        .env("SLATE_KEY", key)
        .env("SLATE_VERSION", old.map_or(0, |entry| entry.version).to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| running(&error))?;
    // Another thread writes the input, because the command may fill its output pipe before it has read all input. The
    // thread is not joined, because a command may ignore its input.
    if let Some(mut input) = child.stdin.take() {
        let value = old.map(|entry| entry.value.clone()).unwrap_or_default();
        thread::spawn(move || drop(input.write_all(&value)));
    }
    let output = child.stdout.take().map_or(Ok(Vec::new()), |output| {
        input::within(output, value_max, &format!("--exec: the output of `{command}`"))
    });
    if output.is_err() {
        // The command may run forever; its child processes end when they write to the closed pipe.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| running(&error))?;
    let output = output?;
    if status.success() {
        return Ok(output);
    }
    let text = format!("--exec: `{command}` failed ({status}); key {key:?} was not changed");
    Err(Failure::failed(text).on_key(key))
}

fn unsuitable(option: &str, entry: &Entry, what: &str) -> Failure {
    let text = format!(
        "{option}: the value of key {:?} at version {} is {what}; the key was not changed",
        entry.key, entry.version
    );
    Failure::of_key(ErrorKind::Codec, &entry.key, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_make_values() {
        assert_eq!(execute("k", None, "printf %s $SLATE_VERSION", 9).expect("ran"), b"0");
        let failure = execute("k", None, "exit 3", 9).expect_err("failed");
        assert!(
            failure.text.contains("exit 3") && failure.text.contains("was not changed"),
            "{}",
            failure.text
        );
        let failure = execute("k", None, "yes", 9).expect_err("endless");
        assert_eq!((failure.kind, failure.status), ("value_too_large", Status::Usage));
    }
}
