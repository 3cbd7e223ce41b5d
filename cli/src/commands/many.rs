//! Many keys in one process: one JSON line for each key, in the order of the input.

use super::Context;
use crate::{
    args::Globals,
    failure::{Failure, Status, say},
    print::Output,
};
use slateboard::ErrorKind;
use std::io::{self, BufRead};

/// The longest key, in bytes.
pub(super) const KEY_MAX: usize = 1024;

/// The results of the keys so far.
pub(super) struct Many {
    /// Prints documents, also without `--json`.
    pub(super) context: Context,
    status: Status,
}

impl Many {
    pub(super) fn new(context: &Context) -> Self {
        let globals = Globals { json: true, ..context.globals.clone() };
        let out = Output::new(true, globals.quiet);
        Self { context: Context { globals, out }, status: Status::Done }
    }

    /// Reports the failure of one key.
    ///
    /// Fails if the other keys would fail for the same reason: the board is no longer there, or the output cannot be written.
    pub(super) fn failed(&mut self, failure: Failure) -> Result<(), Failure> {
        if failure.status == Status::NoBoard {
            return Err(failure);
        }
        self.context.out.failure(&failure)?;
        say(format_args!("slate: {}", failure.text));
        self.status = match self.status {
            Status::Done => failure.status,
            status if status == failure.status => status,
            _ => Status::Failed,
        };
        Ok(())
    }

    /// The common status of all failures; 1 if they differ.
    pub(super) fn status(&self) -> Status {
        self.status
    }
}

/// A part of the input, without the byte that ends it.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Piece {
    Whole(Vec<u8>),
    /// It was longer than the limit, and was skipped.
    TooLong,
}

/// The input in pieces that are ended by a separator. The last one may have none.
pub(super) struct Pieces<R> {
    source: R,
    separator: u8,
}

impl<R: BufRead> Pieces<R> {
    pub(super) fn new(source: R, separator: u8) -> Self {
        Self { source, separator }
    }

    /// The next piece. Keeps at most `limit` bytes of it.
    pub(super) fn next(&mut self, limit: usize) -> Result<Option<Piece>, Failure> {
        let (mut bytes, mut too_long, mut is_there) = (Vec::new(), false, false);
        loop {
            let chunk = match self.source.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::io("cannot read standard input", &error)),
            };
            let end = chunk.iter().position(|&byte| byte == self.separator);
            let part = end.map_or(chunk, |end| &chunk[..end]);
            let (read, is_end) = (part.len() + usize::from(end.is_some()), end.is_some() || chunk.is_empty());
            is_there |= !chunk.is_empty();
            too_long |= bytes.len() + part.len() > limit;
            if too_long {
                bytes = Vec::new();
            } else {
                bytes.extend_from_slice(part);
            }
            self.source.consume(read);
            if is_end {
                let piece = if too_long { Piece::TooLong } else { Piece::Whole(bytes) };
                return Ok(is_there.then_some(piece));
            }
        }
    }

    /// The next key. A key that cannot be one is a failure of this key alone.
    pub(super) fn next_key(&mut self) -> Result<Option<Result<String, Failure>>, Failure> {
        let key = match self.next(KEY_MAX)? {
            None => return Ok(None),
            Some(Piece::TooLong) => Err(format!("a key on standard input has more than {KEY_MAX} bytes")),
            Some(Piece::Whole(bytes)) => String::from_utf8(bytes)
                .map_err(|error| format!("a key on standard input is not UTF-8: {error}")),
        };
        let invalid = |text| Failure { kind: ErrorKind::InvalidKey.name(), ..Failure::usage(text) };
        Ok(Some(key.map_err(invalid)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Piece::{TooLong, Whole};

    fn pieces(input: &[u8], capacity: usize, limit: usize) -> Vec<Piece> {
        let mut pieces = Pieces::new(io::BufReader::with_capacity(capacity, input), 0);
        std::iter::from_fn(|| pieces.next(limit).expect("readable")).collect()
    }

    #[test]
    fn pieces_end_with_the_separator_or_with_the_input() {
        for capacity in [1, 2, 100] {
            let whole = |text: &str| Whole(text.into());
            assert_eq!(pieces(b"", capacity, 9), []);
            assert_eq!(pieces(b"ab\0", capacity, 9), [whole("ab")]);
            assert_eq!(pieces(b"ab\0\0c", capacity, 9), [whole("ab"), whole(""), whole("c")]);
            assert_eq!(pieces(b"ab\0abc\0c", capacity, 2), [whole("ab"), TooLong, whole("c")]);
        }
    }

    #[test]
    fn no_more_is_kept_than_is_allowed() {
        let endless = io::BufReader::new(io::Read::take(io::repeat(7), 1 << 24));
        assert_eq!(Pieces::new(endless, 0).next(8).expect("readable"), Some(TooLong));
    }
}
