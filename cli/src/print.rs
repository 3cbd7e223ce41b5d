//! Standard output: text for people, JSON documents for programs.
//!
//! Later versions only add members to JSON documents. A value that is valid UTF-8 is printed as text; any other value is
//! base64, with `"encoding":"base64"`. Times are given twice: as RFC 3339 text, and as nanoseconds since 1970.

use crate::{
    failure::{About, Failure, Status, say},
    units,
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;
use slateboard::{CodecId, Damage, Entry, Event, Mutation, MutationKind, Receipt};
use std::{
    borrow::Cow,
    env,
    io::{self, IsTerminal, Write},
};

/// How this process prints.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    color: bool,
}

/// An entry, as every command prints it.
#[derive(Serialize, Debug)]
pub(crate) struct EntryDoc<'a> {
    key: &'a str,
    #[serde(flatten)]
    value: ValueDoc<'a>,
    version: u64,
    generation: u64,
    /// Generation at which the key was created, since it was last removed.
    created: u64,
    writer: &'a str,
    session: u16,
    incarnation: u32,
    time: String,
    time_ns: u64,
    codec: String,
    /// Milliseconds until it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in_ms: Option<u64>,
    /// The session that the key is bound to; the key is removed when that session ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    ephemeral: Option<String>,
}

/// A value that may not be text.
#[derive(Serialize, Debug)]
pub(crate) struct ValueDoc<'a> {
    value: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
}

/// `rm --prefix --json`.
#[derive(Serialize)]
struct RemovedDoc<'a> {
    prefix: &'a str,
    removed: u64,
}

#[derive(Serialize)]
struct ReceiptDoc<'a> {
    key: &'a str,
    version: u64,
    generation: u64,
    retries: u32,
}

/// `update --json`.
#[derive(Serialize)]
struct UpdateDoc<'a> {
    #[serde(flatten)]
    receipt: ReceiptDoc<'a>,
    #[serde(flatten)]
    value: ValueDoc<'a>,
    codec: String,
}

#[derive(Serialize)]
struct FailureDoc<'a> {
    error: ErrorDoc<'a>,
}

/// A failure, as programs receive it.
#[derive(Serialize)]
pub(crate) struct ErrorDoc<'a> {
    kind: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume_at: Option<u64>,
    /// On a conflict, the current entry of the key; null if the key is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<Option<EntryDoc<'a>>>,
}

/// An event, as every command prints it.
#[derive(Serialize)]
pub(crate) struct EventDoc<'a> {
    generation: u64,
    writer: &'a str,
    session: u16,
    incarnation: u32,
    time: String,
    time_ns: u64,
    mutations: Vec<MutationDoc<'a>>,
}

#[derive(Serialize)]
struct MutationDoc<'a> {
    kind: &'static str,
    key: &'a str,
    version: u64,
    #[serde(flatten)]
    value: Option<ValueDoc<'a>>,
    codec: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<PreviousDoc<'a>>,
}

#[derive(Serialize)]
struct PreviousDoc<'a> {
    version: u64,
    generation: u64,
    writer: &'a str,
    session: u16,
    incarnation: u32,
    #[serde(flatten)]
    value: ValueDoc<'a>,
    codec: String,
}

/// The error member of a document, for records that cannot be read.
#[derive(Serialize)]
pub(crate) struct DamageDoc<'a> {
    kind: &'static str,
    message: String,
    /// The key of the first damaged record, if it can be read.
    key: Option<&'a str>,
    damaged: Vec<DamagedDoc<'a>>,
}

#[derive(Serialize)]
struct DamagedDoc<'a> {
    key: Option<&'a str>,
    /// Index of the slot's word in the region.
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<u64>,
    /// Generation of the event, if the damage is in the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<u64>,
    message: String,
}

impl<'a> DamageDoc<'a> {
    /// `None` if nothing is damaged.
    pub(crate) fn of(damaged: &'a [Damage]) -> Option<Self> {
        let first = damaged.first()?;
        let message = match damaged.len() {
            1 => first.to_string(),
            count => format!("{count} records are damaged and were left out"),
        };
        let damaged = damaged.iter().map(|damage| DamagedDoc {
            key: damage.key.as_deref(),
            slot: damage.slot,
            generation: damage.generation,
            message: damage.to_string(),
        });
        Some(Self { kind: "corrupt", message, key: first.key.as_deref(), damaged: damaged.collect() })
    }
}

#[derive(Serialize)]
struct MissedDoc {
    missed: u64,
    resume_at: u64,
}

impl<'a> ValueDoc<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self { value: text.into(), encoding: None },
            Err(_) => Self { value: BASE64.encode(bytes).into(), encoding: Some("base64") },
        }
    }
}

impl<'a> EntryDoc<'a> {
    pub(crate) fn new(entry: &'a Entry) -> Self {
        Self {
            key: &entry.key,
            value: ValueDoc::new(&entry.value),
            version: entry.version,
            generation: entry.generation,
            created: entry.created,
            writer: &entry.writer.name,
            session: entry.writer.session,
            incarnation: entry.writer.incarnation,
            time: units::timestamp(entry.time, 9),
            time_ns: units::since_epoch_ns(entry.time),
            codec: entry.codec.to_string(),
            expires_in_ms: entry.deadline.map(|deadline| units::millis(deadline.remaining())),
            ephemeral: entry.ephemeral.as_ref().map(ToString::to_string),
        }
    }
}

impl<'a> EventDoc<'a> {
    pub(crate) fn new(event: &'a Event, prefix: &str) -> Self {
        Self {
            generation: event.generation,
            writer: &event.session.name,
            session: event.session.session,
            incarnation: event.session.incarnation,
            time: units::timestamp(event.time, 9),
            time_ns: units::since_epoch_ns(event.time),
            mutations: concerned(event, prefix).map(MutationDoc::new).collect(),
        }
    }
}

impl<'a> MutationDoc<'a> {
    fn new(mutation: &'a Mutation) -> Self {
        Self {
            kind: kind_name(mutation.kind),
            key: &mutation.key,
            version: mutation.version,
            value: mutation.value.as_deref().map(ValueDoc::new),
            codec: mutation.codec.to_string(),
            previous: mutation.previous.as_ref().map(|previous| PreviousDoc {
                version: previous.version,
                generation: previous.generation,
                writer: &previous.writer.name,
                session: previous.writer.session,
                incarnation: previous.writer.incarnation,
                value: ValueDoc::new(&previous.value),
                codec: previous.codec.to_string(),
            }),
        }
    }
}

/// The mutations of an event whose keys have the prefix.
pub(crate) fn concerned<'a>(event: &'a Event, prefix: &str) -> impl Iterator<Item = &'a Mutation> {
    event.mutations.iter().filter(move |mutation| mutation.key.starts_with(prefix))
}

impl<'a> ErrorDoc<'a> {
    pub(crate) fn of(failure: &'a Failure) -> Self {
        let About { key, path, lagged, current } = &*failure.about;
        Self {
            kind: failure.kind,
            message: &failure.text,
            key: key.as_deref(),
            path: path.as_deref(),
            missed: lagged.map(|lagged| lagged.missed),
            resume_at: lagged.map(|lagged| lagged.resume_at),
            current: current.as_ref().map(|entry| entry.as_ref().map(EntryDoc::new)),
        }
    }
}

impl Output {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { json, quiet, color: wanted && io::stdout().is_terminal() }
    }

    /// Fails, as a write would, if the reader of the output has closed it. For commands that rarely write.
    pub(crate) fn check_reader(&self) -> Result<(), Failure> {
        let stdout = io::stdout();
        let mut output = [PollFd::new(&stdout, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let gone = poll(&mut output, Some(&now)).is_ok()
            && output[0].revents().intersects(PollFlags::ERR | PollFlags::HUP);
        if gone { Err(io::Error::from(io::ErrorKind::BrokenPipe).into()) } else { Ok(()) }
    }

    /// One JSON document on a line of its own.
    pub(crate) fn document(&self, document: &impl Serialize) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, document).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    }

    /// Text on standard output.
    pub(crate) fn line(&self, text: impl AsRef<str>) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_ref().as_bytes())?;
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    }

    /// Exactly these bytes on standard output.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        Ok(out.flush()?)
    }

    /// A note for people, on standard error.
    pub(crate) fn remark(&self, text: impl std::fmt::Display) {
        if !self.quiet {
            say(text);
        }
    }

    /// The version and generation of a write.
    pub(crate) fn receipt(&self, key: &str, receipt: &Receipt) -> Result<(), Failure> {
        let Receipt { version, generation, retries, .. } = *receipt;
        match (self.quiet, self.json) {
            (true, _) => Ok(()),
            (false, true) => self.document(&ReceiptDoc { key, version, generation, retries }),
            (false, false) => self.line(format!("version {version} generation {generation}")),
        }
    }

    /// The number of keys that were removed with a prefix.
    pub(crate) fn removed(&self, prefix: &str, removed: u64) -> Result<(), Failure> {
        match (self.quiet, self.json) {
            (true, _) => Ok(()),
            (false, true) => self.document(&RemovedDoc { prefix, removed }),
            (false, false) => self.line(format!("removed {removed}")),
        }
    }

    /// The new value of a key; for programs, also its version and generation.
    pub(crate) fn updated(
        &self,
        key: &str,
        receipt: &Receipt,
        value: &[u8],
        codec: CodecId,
    ) -> Result<(), Failure> {
        let Receipt { version, generation, retries, .. } = *receipt;
        match (self.quiet, self.json) {
            (true, _) => Ok(()),
            (false, true) => self.document(&UpdateDoc {
                receipt: ReceiptDoc { key, version, generation, retries },
                value: ValueDoc::new(value),
                codec: codec.to_string(),
            }),
            (false, false) => self.shown(value),
        }
    }

    /// The value of a key; for programs, the whole entry.
    pub(crate) fn value(&self, entry: &Entry) -> Result<(), Failure> {
        if self.json { self.document(&EntryDoc::new(entry)) } else { self.shown(&entry.value) }
    }

    /// A value, with a newline added if it has none.
    fn shown(&self, value: &[u8]) -> Result<(), Failure> {
        if std::str::from_utf8(value).is_err() && io::stdout().is_terminal() {
            say(format_args!(
                "the value is binary ({}); print it with `slate get --raw` or `slate get --json`",
                units::exact_size(value.len() as u64)
            ));
            return Ok(());
        }
        self.bytes(value)?;
        if value.ends_with(b"\n") { Ok(()) } else { self.bytes(b"\n") }
    }

    /// For programs, the document of a failure; for people, the current entry in case of a conflict.
    pub(crate) fn failure(&self, failure: &Failure) -> Result<(), Failure> {
        if self.json {
            return self.document(&FailureDoc { error: ErrorDoc::of(failure) });
        }
        let current = failure.about.current.as_ref().and_then(Option::as_ref);
        match current.filter(|_| matches!(failure.status, Status::Conflict | Status::Held)) {
            Some(entry) => self.table(&LONG, &[long_row(entry)]),
            None => Ok(()),
        }
    }

    /// One event: a JSON object, or one line for each mutation of a key with the prefix.
    pub(crate) fn event(&self, event: &Event, prefix: &str) -> Result<(), Failure> {
        if self.json {
            return self.document(&EventDoc::new(event, prefix));
        }
        for mutation in concerned(event, prefix) {
            let value = match (&mutation.value, &mutation.previous) {
                (Some(value), _) => preview(value, 60),
                // The session that published the expiry may not be the one that wrote the entry.
                (None, Some(previous)) if mutation.kind == MutationKind::Expire => {
                    format!("of {}", printable(&previous.writer.to_string()))
                }
                _ => String::new(),
            };
            self.line(format!(
                "{} {} {} {} {} v{} {value}",
                event.generation,
                units::timestamp(event.time, 3),
                printable(&event.session.to_string()),
                kind_name(mutation.kind),
                printable(&mutation.key),
                mutation.version,
            ))?;
        }
        Ok(())
    }

    /// Reports missed events: for programs in the stream itself, for people on standard error.
    pub(crate) fn missed(&self, missed: u64, resume_at: u64) -> Result<(), Failure> {
        if self.json {
            return self.document(&MissedDoc { missed, resume_at });
        }
        say(format_args!(
            "missed {missed} events that are no longer in the history; continuing after generation {resume_at}"
        ));
        Ok(())
    }

    /// A table whose columns are as wide as their widest cells. A heading that begins with `>` marks a right-aligned column.
    /// The last column is cut to the width of the terminal.
    pub(crate) fn table(&self, headings: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
        let titles: Vec<String> =
            headings.iter().map(|heading| heading.trim_start_matches('>').to_owned()).collect();
        let mut widths: Vec<usize> = titles.iter().map(|title| title.chars().count()).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        if let (Some(terminal), Some((last, others))) = (terminal_width(), widths.split_last_mut()) {
            let others: usize = others.iter().map(|width| width + COLUMN_GAP.len()).sum();
            *last = (*last).min(terminal.saturating_sub(others).max(LAST_COLUMN_MIN));
        }
        let mut text = self.bold(&aligned(headings, &widths, &titles)) + "\n";
        for row in rows {
            text.push_str(&aligned(headings, &widths, row));
            text.push('\n');
        }
        self.bytes(text.as_bytes())
    }

    /// Bold, if colors are enabled.
    pub(crate) fn bold(&self, text: &str) -> String {
        self.painted("1", text)
    }

    /// Green if healthy, yellow if something needs attention; only if colors are enabled.
    pub(crate) fn health(&self, healthy: bool, text: &str) -> String {
        self.painted(if healthy { "32" } else { "33" }, text)
    }

    fn painted(&self, style: &str, text: &str) -> String {
        if self.color { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

const COLUMN_GAP: &str = "  ";
/// The minimum width of a table's last column, even on a narrower terminal.
const LAST_COLUMN_MIN: usize = 20;

/// The number of columns of the terminal; `None` if standard output is not a terminal, in which case nothing is cut.
fn terminal_width() -> Option<usize> {
    let out = io::stdout();
    let size = out.is_terminal().then(|| rustix::termios::tcgetwinsize(&out).ok()).flatten()?;
    Some(usize::from(size.ws_col)).filter(|&columns| columns > 0)
}

/// A row of cells in columns. A cell that is wider than its column is shortened in the middle; the last cell is not
/// shortened if it has no width.
fn aligned(headings: &[&str], widths: &[usize], cells: &[String]) -> String {
    let mut line = String::new();
    for (column, (heading, cell)) in headings.iter().zip(cells).enumerate() {
        let is_last = column + 1 == headings.len();
        let cell = cut(cell, widths.get(column).copied().unwrap_or(usize::MAX));
        let width = widths.get(column).copied().unwrap_or(0);
        let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
        match heading.starts_with('>') {
            true => line.extend([&padding, &*cell]),
            false if is_last => line.push_str(&cell),
            false => line.extend([&*cell, &padding]),
        }
        line.push_str(if is_last { "" } else { COLUMN_GAP });
    }
    line
}

/// The text, with its middle replaced by `…` if it has more than `width` characters.
fn cut(text: &str, width: usize) -> Cow<'_, str> {
    let count = text.chars().count();
    if count <= width {
        return text.into();
    }
    let head = width.saturating_sub(1) / 2;
    let tail = width.saturating_sub(1) - head;
    text.chars().take(head).chain(['…']).chain(text.chars().skip(count - tail)).collect()
}

/// Headings of a long listing; see [`long_row`]. The key comes last, because it may be long.
pub(crate) const LONG: [&str; 7] = [">VERSION", ">GENERATION", ">BYTES", "WRITER", "TIME", "VALUE", "KEY"];

/// One entry of a long listing.
pub(crate) fn long_row(entry: &Entry) -> Vec<String> {
    vec![
        entry.version.to_string(),
        entry.generation.to_string(),
        entry.value.len().to_string(),
        printable(&entry.writer.to_string()),
        units::timestamp(entry.time, 3),
        preview(&entry.value, 40),
        printable(&entry.key),
    ]
}

/// The beginning of a value on one line, without control characters.
pub(crate) fn preview(value: &[u8], limit: usize) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => {
            let shown = printable(text.get(..text.floor_char_boundary(limit * 4)).unwrap_or(text));
            if shown.chars().count() > limit {
                shown.chars().take(limit - 1).chain(['…']).collect()
            } else {
                shown
            }
        }
        Err(_) => format!("({} of binary data)", units::exact_size(value.len() as u64)),
    }
}

/// Escapes control characters and invisible characters, because keys and names come from other processes. Backslashes
/// are escaped too, so that different keys look different.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Characters of zero width, and characters that change the direction of text.
            '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}' => {
                shown.extend(c.escape_unicode());
            }
            c if c.is_control() || c == '\\' => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown
}

pub(crate) fn kind_name(kind: MutationKind) -> &'static str {
    match kind {
        MutationKind::Put => "put",
        MutationKind::Touch => "touch",
        MutationKind::Remove => "remove",
        MutationKind::Expire => "expire",
        MutationKind::Detached => "detached",
        MutationKind::Died => "died",
        #[allow(unreachable_patterns, reason = "the library may get more kinds")]
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_not_text_are_base64() {
        let text = serde_json::to_string(&ValueDoc::new(b"plain")).expect("json");
        assert_eq!(text, r#"{"value":"plain"}"#);
        let binary = serde_json::to_string(&ValueDoc::new(&[0xff, 0x00])).expect("json");
        assert_eq!(binary, r#"{"value":"/wA=","encoding":"base64"}"#);
    }

    #[test]
    fn a_preview_is_short_and_harmless() {
        assert_eq!(preview(b"a\nb\x1b[2J", 20), "a\\nb\\u{1b}[2J");
        assert_eq!(preview("ä".repeat(100).as_bytes(), 10), format!("{}…", "ä".repeat(9)));
        assert_eq!(preview(&[0xff], 10), "(1 B of binary data)");
    }

    #[test]
    fn columns_line_up() {
        let cells: Vec<String> = ["7", "key"].map(String::from).into();
        assert_eq!(aligned(&[">N", "KEY"], &[3, 5], &cells), "  7  key");
        assert_eq!(aligned(&["KEY", ">N"], &[5, 3], &["key ".into(), "7".into()]), "key      7");
    }

    #[test]
    fn a_long_cell_is_cut_only_where_a_width_says_so() {
        let cells: Vec<String> = ["7".into(), "task/".repeat(10)].into();
        assert_eq!(aligned(&[">N", "KEY"], &[1, 11], &cells), "7  task/…task/");
        assert_eq!(aligned(&[">N", "KEY"], &[1], &cells), format!("7  {}", "task/".repeat(10)));
        assert_eq!(
            (cut("abcdef", 4).as_ref(), cut("äöü", 3).as_ref(), cut("ab", 1).as_ref()),
            ("a…ef", "äöü", "…")
        );
    }

    #[test]
    fn different_keys_look_different() {
        let keys = ["a\nb", "a\\nb", "a\\\nb", "a\u{200b}b", "a\\u{200b}b", "ab", "a\u{202e}b"];
        let shown: std::collections::HashSet<_> = keys.map(printable).into();
        assert_eq!(shown.len(), keys.len(), "{shown:?}");
        assert!(shown.iter().all(|text| text.is_ascii() && !text.contains('\n')), "{shown:?}");
    }
}
