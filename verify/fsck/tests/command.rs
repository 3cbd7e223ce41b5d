//! The command: what it prints, and its exit status.

mod sample;

use sample::Sample;
use std::process::{Command, Output};

fn fsck(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fsck")).args(arguments).output().unwrap()
}

/// A file with these words.
fn file(words: &[u64]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

#[test]
fn a_sound_board_is_summarised() {
    let board = Sample::new();
    let file = file(&board.words);
    let output = fsck(&["--living", &board.living.to_string(), file.path().to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains(&format!("generation   {}", board.generation())), "{text}");
    assert!(text.contains("longest chain 3 buckets") && text.contains("sessions     1 attached"), "{text}");
}

#[test]
fn findings_are_printed_with_their_rules() {
    // Without `--living` no session may be attached.
    let file = file(&Sample::new().words);
    let output = fsck(&[file.path().to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let rules: Vec<_> = text.lines().filter_map(|line| line.split_once(": ")).map(|(rule, _)| rule).collect();
    assert!(rules.contains(&"session") && rules.contains(&"private"), "{text}");
}

#[test]
fn unusable_files_and_arguments_have_their_own_status() {
    let odd = file(&[1]);
    std::fs::write(odd.path(), [1, 2, 3]).unwrap();
    let odd = odd.path().to_str().unwrap();
    for arguments in [&["no/such/file"][..], &[odd], &[], &["--living", "x", odd], &["--what"]] {
        let output = fsck(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
    let help = fsck(&["--help"]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("--living"));
    let rules = fsck(&["--rules"]);
    assert_eq!(rules.stdout.iter().filter(|&&byte| byte == b'\n').count(), slateboard_fsck::RULES.len());
}
