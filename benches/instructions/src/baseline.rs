//! The counts on record, and how others compare with them.

use crate::Outcome;

/// Counts may be off by so much: every board seeds its hash anew, which moves keys between buckets.
pub const TOLERANCE_PERCENT: f64 = 3.0;

const HEAD: &str =
    "# Instructions of one operation, counted by callgrind. Written by `.ci/instructions --record`.";
const MADE_WITH: &str = "made with: ";

/// Counts, and the build that they are of.
#[derive(PartialEq, Debug)]
pub struct Baseline {
    pub made_with: String,
    /// The name of each work, and instructions of one operation.
    pub counts: Vec<(String, f64)>,
}

/// How a count compares with the baseline's.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Verdict {
    Same,
    More,
    Fewer,
    /// It is in one of the two only.
    Unknown,
}

impl Baseline {
    pub fn text(&self) -> String {
        let mut text = format!("{HEAD}\n{MADE_WITH}{}\n", self.made_with);
        for (name, count) in &self.counts {
            text += &format!("{count:8.1}  {name}\n");
        }
        text
    }

    pub fn parse(text: &str) -> Outcome<Self> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let made_with = lines.next().and_then(|line| line.strip_prefix(MADE_WITH));
        let made_with = made_with.ok_or("the baseline does not say what it was made with")?.to_owned();
        let mut counts = Vec::new();
        for line in lines {
            let (count, name) = line.trim().split_once("  ").ok_or("a line is no count and no name")?;
            counts.push((name.to_owned(), count.parse()?));
        }
        Ok(Self { made_with, counts })
    }

    fn count(&self, name: &str) -> Option<f64> {
        self.counts.iter().find(|count| count.0 == name).map(|count| count.1)
    }
}

/// A line for each work of either, with its verdict.
pub fn compare(before: &Baseline, now: &Baseline) -> Vec<(String, Verdict)> {
    let gone = before.counts.iter().filter(|(name, _)| now.count(name).is_none());
    let names = now.counts.iter().chain(gone).map(|(name, _)| name);
    names.map(|name| line(name, before.count(name), now.count(name))).collect()
}

fn line(name: &str, before: Option<f64>, now: Option<f64>) -> (String, Verdict) {
    let (Some(before), Some(now)) = (before, now) else {
        let says = if before.is_none() { "not in the baseline" } else { "in the baseline only" };
        return (format!("{name}: {says}"), Verdict::Unknown);
    };
    let percent = (now / before - 1.0) * 100.0;
    let verdict = match percent {
        percent if percent > TOLERANCE_PERCENT => Verdict::More,
        percent if percent < -TOLERANCE_PERCENT => Verdict::Fewer,
        _ => Verdict::Same,
    };
    let says = match verdict {
        Verdict::More => "  MORE",
        Verdict::Fewer => "  FEWER: record the gain",
        _ => "",
    };
    (format!("{before:8.1} → {now:8.1}  {percent:+5.1} %  {name}{says}"), verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline(counts: &[(&str, f64)]) -> Baseline {
        let counts = counts.iter().map(|(name, count)| (name.to_string(), *count)).collect();
        Baseline { made_with: "rustc 1, libc 2".into(), counts }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let before = baseline(&[("get 64 B, by key", 250.5), ("put 1 KiB", 1200.0)]);
        assert_eq!(Baseline::parse(&before.text()).unwrap(), before);
        assert!(Baseline::parse("").is_err());
        assert!(Baseline::parse("made with: x\nseven of nine\n").is_err());
    }

    #[test]
    fn losses_gains_and_strangers_are_seen() {
        let before = baseline(&[("same", 100.0), ("more", 100.0), ("fewer", 100.0), ("gone", 1.0)]);
        let now = baseline(&[("same", 102.9), ("more", 103.1), ("fewer", 96.9), ("new", 1.0)]);
        let verdicts: Vec<Verdict> = compare(&before, &now).into_iter().map(|line| line.1).collect();
        use Verdict::*;
        assert_eq!(verdicts, [Same, More, Fewer, Unknown, Unknown]);
    }
}
