//! Counts the instructions of get and put with valgrind's callgrind and compares them with `baseline.txt`. Counts do not
//! depend on what else the machine does.
//!
//! ```text
//! .ci/instructions             counts and compares; fails where a count is off by more than 3 percent
//! .ci/instructions --record    counts and writes the baseline
//! ```
//!
//! A count that falls fails too: a gain that is not recorded would hide a later loss of the same size. Counts can be compared
//! only between builds by the same compiler, libc and valgrind. The baseline names those that it was made with; with others the
//! command says so and compares nothing.
//!
//! A system call, such as reading the clock, counts as the few instructions that make the call.

mod baseline;
mod work;

use baseline::{Baseline, Verdict};
use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};
use work::Work;

/// An error ends the program.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Operations of one count.
const OPERATIONS: u64 = 20_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["count", name] => count_here(name).map(|()| true),
        ["--record"] => record().map(|()| true),
        [] => compare(),
        _ => Err("usage: .ci/instructions [--record]".into()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What callgrind runs: one work, with as many operations as a count has.
fn count_here(name: &str) -> Outcome<()> {
    if !cfg!(feature = "valgrind") {
        return Err("valgrind does not survive this build: use .ci/instructions".into());
    }
    Work::all().into_iter().find(|work| work.name() == name).ok_or("no such work")?.run(OPERATIONS)
}

fn record() -> Outcome<()> {
    let counted = count_all()?;
    let path = baseline_path();
    std::fs::write(&path, counted.text())?;
    print!("{}", counted.text());
    println!("OK: {} counts recorded in {}", counted.counts.len(), path.display());
    Ok(())
}

/// Whether all counts are near those of the baseline.
fn compare() -> Outcome<bool> {
    let path = baseline_path();
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let before = Baseline::parse(&text)?;
    let made_with = made_with()?;
    if before.made_with != made_with {
        println!(
            "the baseline was made with {}\nthis build with                {made_with}",
            before.made_with
        );
        println!(
            "NOT COMPARED: counts of different builds say nothing. `.ci/instructions --record` makes a new baseline"
        );
        return Ok(true);
    }
    let counted = count_all()?;
    let lines = baseline::compare(&before, &counted);
    lines.iter().for_each(|(line, _)| println!("{line}"));
    let off = lines.iter().filter(|(_, verdict)| *verdict != Verdict::Same).count();
    if off > 0 {
        println!(
            "FAILED: {off} counts are not the baseline's. Where that is meant, `.ci/instructions --record`, and say \
             why in the commit"
        );
        return Ok(false);
    }
    println!("OK: {} counts within {} % of the baseline", lines.len(), baseline::TOLERANCE_PERCENT);
    Ok(true)
}

fn baseline_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("baseline.txt")
}

/// Everything that changes counts without a change of the code.
fn made_with() -> Outcome<String> {
    let parts = [
        output("rustc", &["--version"])?,
        output("getconf", &["GNU_LIBC_VERSION"])?,
        output("valgrind", &["--version"])?,
        format!("{}{}", std::env::consts::ARCH, wide_vectors()),
    ];
    Ok(parts.join(", "))
}

/// libc and the library choose routines by what the processor has, and valgrind passes AVX2 on, no more.
#[cfg(target_arch = "x86_64")]
fn wide_vectors() -> &'static str {
    if std::arch::is_x86_feature_detected!("avx2") { " with AVX2" } else { "" }
}

#[cfg(not(target_arch = "x86_64"))]
fn wide_vectors() -> &'static str {
    ""
}

fn output(program: &str, arguments: &[&str]) -> Outcome<String> {
    let output =
        Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn count_all() -> Outcome<Baseline> {
    let mut counts = Vec::new();
    for work in Work::all() {
        counts.push((work.name(), count(&work)?));
    }
    Ok(Baseline { made_with: made_with()?, counts })
}

/// Instructions of one operation: what callgrind collects in the counted function alone, by operations.
fn count(work: &Work) -> Outcome<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .arg(format!("--toggle-collect=*{}*", work::COUNTED))
        .arg(std::env::current_exe()?)
        .args(["count", &work.name()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{} under valgrind: {}\n{said}", work.name(), output.status).into());
    }
    let collected = said.lines().find_map(|line| line.split("Collected :").nth(1));
    let collected: u64 = collected.and_then(|count| count.trim().parse().ok()).unwrap_or(0);
    if collected < OPERATIONS {
        return Err(format!("callgrind collected nothing of {}:\n{said}", work.name()).into());
    }
    Ok(collected as f64 / OPERATIONS as f64)
}
