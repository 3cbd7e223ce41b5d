//! The summary that an agent computes for a file.

use serde::Serialize;
use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read},
    path::Path,
};
use xxhash_rust::xxh3::Xxh3;

/// Number of identifiers that are kept for each file.
const KEPT: usize = 5;
/// Shorter identifiers are ignored, because they are not informative.
const SHORTEST: usize = 3;
/// Longer identifiers are ignored, because they are encoded data or minified code.
const LONGEST: usize = 64;
/// Files are read in pieces of this many bytes, so that large files take no more memory.
const PIECE: usize = 256 * 1_024;

/// Value of `file/<path>`.
#[derive(Serialize, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    pub(crate) words: u64,
    /// XXH3, 64 bits, in hexadecimal.
    pub(crate) checksum: String,
    /// The most frequent identifiers and their counts, the most frequent one first.
    pub(crate) identifiers: Vec<(String, u64)>,
}

/// The encoded summary of a file. If the file cannot be read any more, the summary says so.
pub(crate) fn summary_of(path: &Path) -> Vec<u8> {
    let encoded = summarize(path).and_then(|summary| serde_json::to_vec(&summary).map_err(io::Error::from));
    encoded.unwrap_or_else(|error| {
        serde_json::json!({ "unreadable": error.kind().to_string() }).to_string().into_bytes()
    })
}

/// Reads the file once, and computes its summary.
pub(crate) fn summarize(path: &Path) -> io::Result<Summary> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; PIECE];
    let mut scan = Scan::default();
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(scan.finish()),
            Ok(length) => scan.piece(buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[derive(Default)]
struct Scan {
    bytes: u64,
    lines: u64,
    words: u64,
    in_word: bool,
    checksum: Xxh3,
    /// The current identifier, which may continue in the next piece.
    current: Vec<u8>,
    /// Whether the current identifier is longer than [`LONGEST`] or begins with a digit.
    is_noise: bool,
    counts: HashMap<Vec<u8>, u64>,
}

impl Scan {
    fn piece(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        self.checksum.update(piece);
        for &byte in piece {
            self.lines += u64::from(byte == b'\n');
            let is_space = byte.is_ascii_whitespace();
            self.words += u64::from(!is_space && !self.in_word);
            self.in_word = !is_space;
            if byte.is_ascii_alphanumeric() || byte == b'_' {
                self.extend(byte);
            } else {
                self.end_identifier();
            }
        }
    }

    fn extend(&mut self, byte: u8) {
        if self.current.is_empty() {
            self.is_noise = byte.is_ascii_digit();
        }
        if self.current.len() < LONGEST {
            self.current.push(byte);
        } else {
            self.is_noise = true;
        }
    }

    fn end_identifier(&mut self) {
        if self.current.len() >= SHORTEST && !self.is_noise {
            match self.counts.get_mut(&self.current) {
                Some(count) => *count += 1,
                None => {
                    self.counts.insert(self.current.clone(), 1);
                }
            }
        }
        self.current.clear();
    }

    fn finish(mut self) -> Summary {
        self.end_identifier();
        let mut identifiers: Vec<_> = self.counts.into_iter().collect();
        identifiers.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        identifiers.truncate(KEPT);
        Summary {
            bytes: self.bytes,
            lines: self.lines,
            words: self.words,
            checksum: format!("{:016x}", self.checksum.digest()),
            identifiers: identifiers
                .into_iter()
                .map(|(name, count)| (String::from_utf8_lossy(&name).into_owned(), count))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(pieces: &[&[u8]]) -> Summary {
        let mut scan = Scan::default();
        pieces.iter().for_each(|piece| scan.piece(piece));
        scan.finish()
    }

    #[test]
    fn counts_what_it_says() {
        let summary = scan(&[b"let name = name + other;\nname 0xff _x ab\n"]);
        assert_eq!((summary.bytes, summary.lines, summary.words), (41, 2, 10));
        let expected = [("name", 3), ("let", 1), ("other", 1)].map(|(name, count)| (name.to_owned(), count));
        assert_eq!(summary.identifiers, expected);
    }

    #[test]
    fn pieces_do_not_matter() {
        let text = b"first second\nthird first ".repeat(20);
        for cut in 0..text.len() {
            let (head, tail) = text.split_at(cut);
            assert_eq!(scan(&[head, tail]), scan(&[&text]), "cut at {cut}");
        }
    }

    #[test]
    fn noise_and_binary_are_read_too() {
        let long = [b'a'; 65];
        assert_eq!(scan(&[&long, b" 9lives"]).identifiers, []);
        assert_eq!(scan(&[&[0xff, 0, b'\n']]).lines, 1);
    }

    #[test]
    fn a_file_that_is_gone_has_a_summary_that_says_so() {
        let summary = summary_of(Path::new("/nowhere/at/all"));
        assert!(String::from_utf8_lossy(&summary).contains("unreadable"));
    }
}
