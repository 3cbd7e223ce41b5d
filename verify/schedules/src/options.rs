//! What the command line asks for.

/// How to use it.
pub const HELP: &str = "\
Random schedules of many actors over slateboard's protocol code, each of which may be killed at any access.

usage: cargo schedules [--long] [--schedules N] [--actors N] [--seed S] [--only TEXT]... [--no-mutants]
       cargo schedules --replay FAMILY ORDER ACTORS SEED INDEX

  --long         a hundred times as many schedules, and all mutants
  --schedules N  so many of each family in each order
  --actors N     2 to 32 instead of 4 to 8
  --seed S       instead of one that is new in each run
  --only TEXT    the families and the mutants whose name holds the text
  --no-mutants   leave the mutants out
  --replay ...   one schedule again, with every access; a failed one says how

The last line is `N passed, N failed`; the exit status is 1 when one failed.";

/// Schedules of each family in each order: in a quick run, and in a long one.
const SCHEDULES: [u64; 2] = [4_000, 400_000];

/// The options.
pub struct Options {
    /// All mutants, not only the quick ones.
    pub long: bool,
    /// Schedules of each family in each order.
    pub schedules: u64,
    /// Actors; 0 for four to eight.
    pub actors: u64,
    /// What all random numbers come from.
    pub seed: u64,
    /// Parts of names; none for all.
    pub only: Vec<String>,
    /// Whether mutants are run.
    pub mutants: bool,
    /// A schedule to run again.
    pub replay: Option<Vec<String>>,
}

impl Options {
    /// What the arguments ask for; `None` for help. `fresh` is the seed where none is given.
    pub fn parse(mut arguments: impl Iterator<Item = String>, fresh: u64) -> Result<Option<Self>, String> {
        let mut options = Self {
            long: false,
            schedules: 0,
            actors: 0,
            seed: fresh,
            only: Vec::new(),
            mutants: true,
            replay: None,
        };
        while let Some(argument) = arguments.next() {
            let mut number = || {
                let number = arguments.next().and_then(|number| number.parse().ok());
                number.ok_or(format!("{argument} needs a number"))
            };
            match argument.as_str() {
                "--help" | "-h" => return Ok(None),
                "--long" => options.long = true,
                "--schedules" => options.schedules = number()?,
                "--actors" => options.actors = number()?,
                "--seed" => options.seed = number()?,
                "--no-mutants" => options.mutants = false,
                "--only" => options.only.push(arguments.next().ok_or("--only needs a part of a name")?),
                "--replay" => {
                    let words: Vec<String> = arguments.by_ref().take(5).collect();
                    if words.len() < 5 {
                        return Err("--replay needs family, order, actors, seed, index".into());
                    }
                    options.replay = Some(words);
                }
                other => return Err(format!("unknown argument {other}")),
            }
        }
        if !matches!(options.actors, 0 | 2..=32) {
            return Err("--actors is 2 to 32".into());
        }
        if options.schedules == 0 {
            options.schedules = SCHEDULES[usize::from(options.long)];
        }
        Ok(Some(options))
    }

    /// Whether a family or a mutant of this name is asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|text| name.contains(text.as_str()))
    }
}
