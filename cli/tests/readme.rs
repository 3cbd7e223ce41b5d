//! The command prints what README.md shows. `.ci/newcomer` runs the `sh` blocks of README.md.

mod common;

use common::{Place, with_slate};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).expect("README.md")
}

/// The code blocks of this language.
fn blocks(language: &str) -> Vec<String> {
    let text = readme();
    let start = format!("```{language}\n");
    text.split(&start).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// A command, and the output that the page shows for it.
struct Shown {
    command: String,
    lines: Vec<String>,
}

fn shown(block: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), all.last_mut()) {
            (Some(command), _) => all.push(Shown { command: command.into(), lines: Vec::new() }),
            (None, Some(last)) => last.lines.push(line.into()),
            (None, None) => panic!("output without a command: {line}"),
        }
    }
    all
}

/// `…` matches any text, and any number of lines if it is alone on a line. Times and user ids may differ.
fn matches(shown: &[String], printed: &[&str]) -> bool {
    match (shown.split_first(), printed.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "…" => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        (Some((first, rest)), Some((line, others))) => line_matches(first, line) && matches(rest, others),
        _ => false,
    }
}

fn line_matches(shown: &str, printed: &str) -> bool {
    let is_time = |word: &&str| word.len() == 24 && word.ends_with('Z') && word.contains('T');
    let words = |line: &str| -> String {
        let words = line.split(' ').map(|word| if is_time(&word) { "TIME" } else { word });
        words.collect::<Vec<_>>().join(" ")
    };
    let (shown, mut printed) = (words(shown), words(printed).as_str().to_owned());
    let shown = shown.replace("/dev/shm/slate-1000/", "/dev/shm/slate-…/");
    let mut parts = shown.split('…');
    let start = parts.next().unwrap_or_default();
    let Some(rest) = printed.strip_prefix(start) else { return false };
    printed = rest.to_owned();
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return printed.is_empty() };
    for part in between {
        let Some(at) = printed.find(part) else { return false };
        printed = printed[at + part.len()..].to_owned();
    }
    printed.ends_with(last)
}

/// Runs a line as a reader would, with the built program in the PATH. Returns standard output and standard error, in order.
fn run(folder: &Path, line: &str) -> String {
    let output = with_slate(&mut Command::new("sh"))
        .args(["-c", &format!("{line} 2>&1")])
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env_remove("SLATE_BOARD")
        .output()
        .expect("sh runs");
    String::from_utf8(output.stdout).expect("text")
}

/// Removes the board that `init` created in shared memory.
struct Rubbish(PathBuf);

impl Drop for Rubbish {
    fn drop(&mut self) {
        let folder = self.0.parent().filter(|folder| folder.starts_with("/dev/shm"));
        if let Some(folder) = folder {
            let _ = fs::remove_dir_all(folder);
            // Succeeds only if it is empty, so that other boards are kept.
            let _ = folder.parent().map(fs::remove_dir);
        }
    }
}

#[test]
fn the_first_steps_print_what_the_page_shows() {
    let place = Place::empty();
    let folder = place.folder().join("project");
    fs::create_dir(&folder).expect("folder");
    let mut rubbish = Vec::new();
    let all: Vec<Shown> = blocks("console").iter().flat_map(|block| shown(block)).collect();
    for command in ["init", "put", "get", "watch"] {
        assert!(all.iter().any(|shown| shown.command.starts_with(&format!("slate {command}"))), "{command}");
    }
    for Shown { command, lines } in all {
        let printed = run(&folder, &command);
        let made = printed.lines().find_map(|line| line.strip_prefix("created "));
        rubbish.extend(made.map(|path| Rubbish(path.trim().into())));
        let is_shown = matches(&lines, &printed.lines().collect::<Vec<_>>());
        assert!(is_shown, "README.md: `{command}` prints\n{printed}\nand not\n{}", lines.join("\n"));
    }
}

#[test]
fn what_is_printed_otherwise_is_noticed() {
    let shown = |text: &str| text.lines().map(String::from).collect::<Vec<_>>();
    for (page, printed, same) in [
        ("a …z", "a bc z", true),
        ("a …z", "a bc y", false),
        ("a", "a b", false),
        ("…\nb", "x\ny\nb", true),
        ("…\nb", "x\ny", false),
        ("1 2026-11-24T08:12:31.201Z x", "1 2030-01-01T00:00:00.000Z x", true),
        ("1 2026-11-24T08:12:31.201Z x", "2 2030-01-01T00:00:00.000Z x", false),
    ] {
        assert_eq!(matches(&shown(page), &printed.lines().collect::<Vec<_>>()), same, "{page} {printed}");
    }
}

#[test]
fn the_commands_for_a_shell_are_those_that_ci_runs() {
    let lines: Vec<String> = blocks("sh").iter().flat_map(|block| block.lines().map(String::from)).collect();
    let commands = ["cargo run --release -- demo ", "cargo test", "cargo install --locked --path cli "];
    assert_eq!(lines.len(), commands.len(), "{lines:?}");
    assert!(commands.iter().all(|command| lines.iter().any(|line| line.starts_with(command))), "{lines:?}");
}

#[test]
fn the_dependency_is_named_as_it_is() {
    let blocks = blocks("toml");
    let [block] = blocks.as_slice() else { panic!("{blocks:?}") };
    let table: toml::Table = block.parse().expect("TOML");
    assert!(table["dependencies"]["slateboard"]["path"].is_str(), "{table}");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let manifest: toml::Table = fs::read_to_string(manifest).expect("manifest").parse().expect("TOML");
    assert_eq!(manifest["package"]["name"].as_str(), Some("slateboard"));
}

#[test]
fn the_limits_name_the_size_of_a_default_board() {
    let bytes = slateboard::Board::local().expect("board").metrics().expect("metrics").region_bytes;
    let words = format!("takes at most {} MiB", bytes.div_ceil(1 << 20));
    assert!(readme().contains(&words), "README.md does not say that a default board {words}");
}
