//! `slate update`: read, change, compare-and-swap; again with what another wrote meanwhile.

use super::Context;
use crate::{
    args::Update,
    failure::{Failure, Status},
};
use serde_json::Value;
use slateboard::{Entry, Expect, PutOptions, Receipt, Session, codec};
use std::{
    io::{self, Write},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

/// Attempts before giving up. Commands may take long, so that many others pass them.
const ATTEMPTS: u32 = 1_000;
const FIRST_PAUSE: Duration = Duration::from_micros(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(2);

/// The new value and how it is encoded.
type Changed = (Vec<u8>, u8);

pub(crate) fn run(context: &Context, args: &Update) -> Result<Status, Failure> {
    let merge = args.merge.as_deref().map(parse_merge).transpose()?;
    let session = context.session()?;
    let receipt = retried(&session, &args.key, |old| change(args, merge.as_ref(), old))?;
    context.out.receipt(&args.key, &receipt)?;
    Ok(Status::Done)
}

fn parse_merge(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::usage(format!("--merge: not JSON: {error}")))
}

fn change(args: &Update, merge: Option<&Value>, old: Option<&Entry>) -> Result<Changed, Failure> {
    match (args.add, merge, &args.append, &args.exec) {
        (Some(step), ..) => add(old, step),
        (None, Some(patch), ..) => merged(old, patch),
        (None, None, Some(text), _) => Ok(appended(old, text)),
        (None, None, None, Some(command)) => execute(&args.key, old, command),
        (None, None, None, None) => Err(Failure::usage("one of --add, --merge, --append, --exec is needed")),
    }
}

fn retried(
    session: &Session,
    key: &str,
    mut change: impl FnMut(Option<&Entry>) -> Result<Changed, Failure>,
) -> Result<Receipt, Failure> {
    let mut old = session.get(key)?;
    let mut pause = FIRST_PAUSE;
    for attempt in 0..ATTEMPTS {
        let (value, codec) = change(old.as_ref())?;
        let expect = old.as_ref().map_or(Expect::Absent, |entry| Expect::Version(entry.version));
        match session.put_with(key, &value, PutOptions { expect, codec, ..PutOptions::default() }) {
            Ok(mut receipt) => {
                receipt.retries = receipt.retries.saturating_add(attempt);
                return Ok(receipt);
            }
            Err(error) if error.is_conflict() => old = error.current().cloned(),
            Err(error) if error.is_retryable() => old = session.get(key)?,
            Err(error) => return Err(error.into()),
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    let text = format!("key {key:?}: others were faster {ATTEMPTS} times; nothing was written, try again");
    Err(Failure::failed(text))
}

fn add(old: Option<&Entry>, step: i64) -> Result<Changed, Failure> {
    let standing = match old {
        None => 0,
        Some(entry) => {
            let number = entry.text().and_then(|text| text.trim().parse::<i64>().ok());
            number.ok_or_else(|| unsuitable("--add", entry, "an integer"))?
        }
    };
    let sum = standing
        .checked_add(step)
        .ok_or_else(|| Failure::failed(format!("--add: {standing} + {step} does not fit into 64 bits")))?;
    Ok((sum.to_string().into_bytes(), codec::UTF8))
}

fn merged(old: Option<&Entry>, patch: &Value) -> Result<Changed, Failure> {
    let mut value = match old {
        None => Value::Null,
        Some(entry) => {
            serde_json::from_slice(&entry.value).map_err(|_| unsuitable("--merge", entry, "JSON"))?
        }
    };
    merge_patch(&mut value, patch);
    let bytes = serde_json::to_vec(&value).map_err(|error| Failure::failed(format!("--merge: {error}")))?;
    Ok((bytes, codec::JSON))
}

/// JSON merge patch, RFC 7396. The depth is bounded by the parser's limit.
fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(object) = target else { return };
    for (name, member) in members {
        if member.is_null() {
            object.remove(name);
        } else {
            merge_patch(object.entry(name.as_str()).or_insert(Value::Null), member);
        }
    }
}

fn appended(old: Option<&Entry>, text: &str) -> Changed {
    let mut value = old.map(|entry| entry.value.clone()).unwrap_or_default();
    value.extend_from_slice(text.as_bytes());
    let codec = old.map_or(codec::UTF8, |entry| entry.codec);
    // What was one JSON document need not be one any more.
    (value, if codec == codec::JSON { codec::UTF8 } else { codec })
}

fn execute(key: &str, old: Option<&Entry>, command: &str) -> Result<Changed, Failure> {
    let running = |error: &io::Error| Failure::io(format!("--exec: running `{command}`"), error);
    let mut child = Command::new("sh")
        .args(["-c", command])
        .env("SLATE_KEY", key)
        .env("SLATE_VERSION", old.map_or(0, |entry| entry.version).to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| running(&error))?;
    let input = child.stdin.take();
    let value = old.map(|entry| entry.value.clone()).unwrap_or_default();
    // Written by another thread: the command may fill its output before it reads all of its input.
    let feeder = thread::spawn(move || {
        if let Some(mut input) = input {
            // A command that does not want its input is free to close it.
            let _ = input.write_all(&value);
        }
    });
    let output = child.wait_with_output().map_err(|error| running(&error))?;
    let _ = feeder.join();
    if !output.status.success() {
        let text = format!("--exec: `{command}` ended with {}; key {key:?} was left as it is", output.status);
        return Err(Failure::failed(text));
    }
    let codec = if std::str::from_utf8(&output.stdout).is_ok() { codec::UTF8 } else { codec::RAW };
    Ok((output.stdout, codec))
}

fn unsuitable(option: &str, entry: &Entry, wanted: &str) -> Failure {
    Failure::failed(format!(
        "{option}: key {:?} stands at version {} and its value is not {wanted}; it was left as it is",
        entry.key, entry.version
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn merge_patch_does_what_rfc_7396_shows() {
        for (mut target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            merge_patch(&mut target, &patch);
            assert_eq!(target, result, "{patch}");
        }
    }

    #[test]
    fn a_missing_number_counts_as_zero() {
        assert_eq!(add(None, -3).expect("sum"), (b"-3".to_vec(), codec::UTF8));
    }

    #[test]
    fn commands_make_values() {
        assert_eq!(execute("k", None, "printf %s $SLATE_VERSION").expect("ran").0, b"0");
        let failure = execute("k", None, "exit 3").expect_err("failed");
        assert!(
            failure.text.contains("exit 3") && failure.text.contains("left as it is"),
            "{}",
            failure.text
        );
    }
}
