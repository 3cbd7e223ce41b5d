//! The arguments of every command.

use crate::units::{parse_count, parse_duration, parse_integer, parse_size, parse_ttl};
use clap::{ArgGroup, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::{ffi::OsString, path::PathBuf, time::Duration};

const STATUSES: &str = "\
Exit status:
  0 done, 1 failed, 2 usage (also a key or a value that is too long), 3 no such key,
  4 conflict (the current entry is printed), 5 lease held, 6 full, 7 not a board, corrupt or incompatible,
  9 no board here, 124 timeout; `status`: 10 something needs attention.

With --json a failure is a document on standard output too:
  {\"error\": {\"kind\", \"message\", \"key\", ...}}

Times are written as in 500us, 250ms, 1.5s, 5m, 2h, 1d, 1w; sizes as in 64K, 1.5G, 1T, in powers of 1,024.

Which board, in this order:
  --board PATH, the variable SLATE_BOARD, the project's .slate/ found from the current folder upwards,
  the .slate/ of the git repository that the current worktree belongs to

Examples:
  slate init                              make this project's board
  slate put task/42 open                  write a key
  slate get task/42                       print its value
  slate update team/count --add 1         add to a number, safe beside others; prints the new value
  slate watch task/                       see changes as they happen
  slate demo                              watch several processes share a board over real work";

/// Shared context for many processes on one machine: versioned keys, compare-and-swap, one ordered history.
#[derive(Parser, Debug)]
#[command(name = "slate", version, after_help = STATUSES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EVERYWHERE: &str = "Options of all commands";

/// Options that every command takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct Globals {
    /// Region file of the board, instead of the project's.
    #[arg(long, global = true, value_name = "PATH", help_heading = EVERYWHERE)]
    pub(crate) board: Option<PathBuf>,
    /// Name to write under, for put, update, touch and rm [default: slate]; for watch and log: show only what it wrote;
    /// refused by commands for which it means nothing.
    #[arg(long, global = true, value_name = "NAME", help_heading = EVERYWHERE)]
    pub(crate) session: Option<String>,
    /// Print one JSON document, or one JSON object a line for streams.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(crate) json: bool,
    /// Print no receipts and no remarks; data and errors stay.
    #[arg(long, short, global = true, help_heading = EVERYWHERE)]
    pub(crate) quiet: bool,
}

/// The arguments of this process. Numbers may be negative, so that what takes none can say so: otherwise they would be
/// taken for options.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    parse_from(std::env::args_os())
}

fn parse_from(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Cli, clap::Error> {
    let mut command = with_negative_numbers(Cli::command());
    let matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let numbers = |arg: clap::Arg| {
        let takes = arg.get_action().takes_values() && !arg.is_positional();
        if takes { arg.allow_negative_numbers(true) } else { arg }
    };
    command.mut_args(numbers).mut_subcommands(with_negative_numbers)
}

impl Command {
    /// Whether `--session` means something: the name to write under, or the one to show.
    pub(crate) fn takes_session(&self) -> bool {
        use Command::*;
        matches!(self, Put(_) | Update(_) | Touch(_) | Rm(_) | Watch(_) | Log(_))
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Make this project's board; print where it is and why there.
    Init(Init),
    /// Show which board is meant, how it was found, and whether this process sees it.
    Where(Where),
    /// Write a key; print its new version and generation.
    Put(Put),
    /// Print a key's value.
    Get(Get),
    /// Read, change and write a key, again when another was faster; print the new value.
    Update(Update),
    /// Renew a key's time to live, with the value that it has.
    Touch(Touch),
    /// Remove a key.
    Rm(Rm),
    /// List keys, all of one generation where the history lasts long enough.
    Ls(Ls),
    /// Stream changes as they happen.
    Watch(Watch),
    /// Block until a key changes, then print its value.
    Wait(Wait),
    /// Print the history.
    Log(Log),
    /// Show the board's health.
    #[command(alias = "session-status")]
    Status(Status),
    /// Show who is attached.
    Sessions(Sessions),
    /// Let several processes index a source tree over one board, kill some of them, and check that nothing is lost.
    Demo(Demo),
    /// One process of the demo's team.
    #[command(hide = true)]
    DemoAgent(DemoAgent),
    /// Removes the demo's folder when the demo is gone.
    #[command(hide = true)]
    DemoSweep(DemoSweep),
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum PlacementArg {
    /// In /dev/shm: memory speed, gone at restart.
    Memory,
    /// In the project's .slate/: visible from sandboxes that have a /dev/shm of their own.
    Project,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum ScopeArg {
    /// All worktrees of a repository share one board.
    Project,
    /// Each worktree has its own.
    Worktree,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate init
  slate init --placement project --capacity 256M
  slate init --ensure             in a script: one board, made or used
  slate init --replace            after a restart of the machine
  slate init --adopt              in a copy of another project's folder
  slate --board /dev/shm/mine init")]
pub(crate) struct Init {
    /// Where the region lives [default: memory].
    #[arg(long, value_enum)]
    pub(crate) placement: Option<PlacementArg>,
    /// Whether worktrees of one repository share the board [default: project].
    #[arg(long, value_enum)]
    pub(crate) scope: Option<ScopeArg>,
    /// Room for values, as in 64M: 1 MiB to 16 GiB; the tables come on top [default: 64M].
    #[arg(long, value_name = "SIZE", value_parser = parse_size, allow_hyphen_values = true)]
    pub(crate) capacity: Option<u64>,
    /// Events that the history keeps: 64 to 4,194,304 [default: 16384].
    #[arg(long, value_name = "EVENTS", value_parser = parse_count)]
    pub(crate) history: Option<u64>,
    /// Keys that the table is made for: 1 to 4,194,304 [default: 65536].
    #[arg(long, value_parser = parse_count)]
    pub(crate) keys: Option<u64>,
    /// Sessions that may be attached at once: 1 to 4,096 [default: 64].
    #[arg(long, value_parser = parse_count)]
    pub(crate) sessions: Option<u64>,
    /// Make a new, empty board in place of one that is gone, or that nobody has open.
    #[arg(long)]
    pub(crate) replace: bool,
    /// Replace it under those who use it, or where nobody can be asked: they are told that it moved.
    #[arg(long, requires = "replace")]
    pub(crate) force: bool,
    /// Succeed when there is a board already; safe from many processes at once. One that is gone is not replaced.
    #[arg(long, visible_alias = "if-missing", conflicts_with = "replace")]
    pub(crate) ensure: bool,
    /// Accept a copied or restored folder as a project of its own, with a new, empty board.
    #[arg(long, conflicts_with_all = ["replace", "ensure"])]
    pub(crate) adopt: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  slate where\n  slate where --json\n
Ends with status 9 when there is no board, or this process does not see it.")]
pub(crate) struct Where {}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum CodecArg {
    Raw,
    Utf8,
    Json,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate put task/42 open
  slate put task/42 mine --if-version 3     exit status 4 when another was faster
  slate put team/plan @plan.md              the content of a file (@@x is the text @x)
  make 2>&1 | slate put build/log -         standard input
  slate put claim/42 me --if-absent --ttl 60s")]
pub(crate) struct Put {
    /// The key, as in task/42: 1 to 1,024 bytes.
    pub(crate) key: String,
    /// The value itself, `-` for standard input, or `@FILE` for a file's content; '' is an empty value.
    #[arg(value_name = "VALUE|-|@FILE", allow_negative_numbers = true)]
    pub(crate) value: String,
    /// Only if the key stands at this version; 0: only if it does not exist.
    #[arg(long, value_name = "N", conflicts_with = "if_absent", value_parser = parse_count)]
    pub(crate) if_version: Option<u64>,
    /// Only if the key does not exist.
    #[arg(long)]
    pub(crate) if_absent: bool,
    /// Time to live, as in 60s: the key is removed when it is over.
    #[arg(long, value_name = "T", value_parser = parse_ttl, allow_hyphen_values = true)]
    pub(crate) ttl: Option<Duration>,
    /// Remove the key when the writing session ends: refused, since this command's session ends with the command.
    #[arg(long, hide = true)]
    pub(crate) ephemeral: bool,
    /// How the value is encoded [default: utf8 for text, raw otherwise].
    #[arg(long, value_enum)]
    pub(crate) codec: Option<CodecArg>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate get task/42
  slate get task/42 --json | jq -r .writer
  slate get task/42 --at 1200               as it was at generation 1200
  slate get image/logo --raw > logo.png")]
pub(crate) struct Get {
    /// The key, as in task/42: 1 to 1,024 bytes.
    pub(crate) key: String,
    /// As it was at this generation.
    #[arg(long, value_name = "GENERATION", value_parser = parse_count)]
    pub(crate) at: Option<u64>,
    /// Print only the version.
    #[arg(long, conflicts_with = "raw")]
    pub(crate) version_only: bool,
    /// Print exactly the bytes, without a line end added.
    #[arg(long, conflicts_with = "json")]
    pub(crate) raw: bool,
}

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("change").required(true).args(["add", "merge", "append", "exec"])))]
#[command(after_help = "\
Examples:
  slate update team/count --add 1
  slate update team/plan --merge '{\"owner\":\"planner\",\"draft\":null}'   JSON merge patch, RFC 7396
  slate update team/notes --append 'one more line'$'\\n'
  date | slate update team/notes --append -  standard input
  slate update team/list --exec 'sort -u'    old value on its input, new value from its output

Whatever is not changed stays: the time to live, the session that the key ends with, how the value is encoded.")]
pub(crate) struct Update {
    /// The key, as in task/42: 1 to 1,024 bytes.
    pub(crate) key: String,
    /// Add an integer; a missing key counts as 0.
    #[arg(long, value_name = "N", value_parser = parse_integer)]
    pub(crate) add: Option<i64>,
    /// Merge into the JSON value; `null` removes a member, what is not named stays as it is written.
    #[arg(long, value_name = "JSON|-|@FILE", allow_hyphen_values = true)]
    pub(crate) merge: Option<String>,
    /// Append this text; `-` reads standard input.
    #[arg(long, value_name = "TEXT|-", allow_hyphen_values = true)]
    pub(crate) append: Option<String>,
    /// Run by `sh -c`, with SLATE_KEY and SLATE_VERSION set; it runs again when another was faster.
    #[arg(long, value_name = "COMMAND")]
    pub(crate) exec: Option<String>,
    /// How often it is tried while others are faster.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) attempts: u32,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate touch claim/42 --ttl 60s            another minute from now on

The version rises; the value, and the session that the key ends with, stay. Ends with status 3 when the key is gone.")]
pub(crate) struct Touch {
    /// The key, as in task/42: 1 to 1,024 bytes.
    pub(crate) key: String,
    /// Time to live from now on, as in 60s.
    #[arg(long, value_name = "T", value_parser = parse_ttl, allow_hyphen_values = true)]
    pub(crate) ttl: Duration,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate rm task/42
  slate rm task/42 --if-version 7
  slate rm --prefix task/                 one after the other; prints how many

Ends with status 3 when there is no such key.")]
pub(crate) struct Rm {
    /// The key, as in task/42: 1 to 1,024 bytes.
    #[arg(required_unless_present = "prefix")]
    pub(crate) key: Option<String>,
    /// Only if the key stands at this version.
    #[arg(long, value_name = "N", value_parser = parse_count, conflicts_with = "prefix")]
    pub(crate) if_version: Option<u64>,
    /// Remove every key that starts with this instead, and print how many were removed.
    #[arg(long, value_name = "P", conflicts_with = "key", allow_hyphen_values = true)]
    pub(crate) prefix: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate ls
  slate ls task/ --long
  slate ls --at 1200 --json
  slate ls task/ --null | xargs -0 -n1 slate get

Control characters and backslashes in keys are shown escaped, as in \\n and \\\\; --null and --json give keys as they are.")]
pub(crate) struct Ls {
    /// Only keys that begin so, as in task/.
    #[arg(default_value = "", hide_default_value = true)]
    pub(crate) prefix: String,
    /// Version, generation, size, writer, time and the beginning of the value as well.
    #[arg(long, short)]
    pub(crate) long: bool,
    /// End each key with a zero byte, and escape nothing.
    #[arg(long, short = '0', conflicts_with_all = ["long", "json"])]
    pub(crate) null: bool,
    /// As it was at this generation.
    #[arg(long, value_name = "GENERATION", value_parser = parse_count)]
    pub(crate) at: Option<u64>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate watch
  slate watch task/ --count 1 --timeout 60s
  slate watch --since 1200 --json           resume; what was missed is said
  slate watch --session planner             only what planner writes

Ends with status 124 when the time is over.")]
pub(crate) struct Watch {
    /// Only keys that begin so, as in task/.
    #[arg(default_value = "", hide_default_value = true)]
    pub(crate) prefix: String,
    /// Begin after this generation instead of now.
    #[arg(long, value_name = "GENERATION", value_parser = parse_count)]
    pub(crate) since: Option<u64>,
    /// End after this many events.
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub(crate) count: Option<u64>,
    /// End after this time.
    #[arg(long, value_name = "T", value_parser = parse_duration, allow_hyphen_values = true)]
    pub(crate) timeout: Option<Duration>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate wait task/42                        until it changes
  slate wait task/42 --newer-than 0         until it exists
  slate wait task/42 --newer-than 7 --timeout 60s

Ends with status 3 when the key was removed, 124 when the time is over.")]
pub(crate) struct Wait {
    /// The key, as in task/42: 1 to 1,024 bytes.
    pub(crate) key: String,
    /// Return at once if the version is newer than this [default: the present version].
    #[arg(long, value_name = "VERSION", value_parser = parse_count)]
    pub(crate) newer_than: Option<u64>,
    /// End after this time.
    #[arg(long, value_name = "T", value_parser = parse_duration, allow_hyphen_values = true)]
    pub(crate) timeout: Option<Duration>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate log
  slate log task/ --last 10 --session planner
  slate log --since 1200 --json
  slate log --follow")]
pub(crate) struct Log {
    /// Only keys that begin so, as in task/.
    #[arg(default_value = "", hide_default_value = true)]
    pub(crate) prefix: String,
    /// Everything after this generation.
    #[arg(long, value_name = "GENERATION", conflicts_with = "last", value_parser = parse_count)]
    pub(crate) since: Option<u64>,
    /// The last N events [default: 50].
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub(crate) last: Option<u64>,
    /// Go on with new events as they happen.
    #[arg(long, short)]
    pub(crate) follow: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  slate status\n  slate status --json\n  slate status --watch\n
Every record is read and its checksum verified. What is four fifths full needs attention.
Exit status: 0 all healthy, 10 something needs attention, 9 no board.")]
pub(crate) struct Status {
    /// Show it again every second.
    #[arg(long)]
    pub(crate) watch: bool,
    /// With --watch, end after this many times.
    #[arg(long, value_name = "N", requires = "watch", value_parser = parse_count)]
    pub(crate) count: Option<u64>,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  slate sessions\n  slate sessions --json")]
pub(crate) struct Sessions {}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate demo                                over the current folder
  slate demo ~/.cargo/registry/src --agents 8 --kill 3
  slate demo --json

Ends with status 1 when an update was lost or the result differs from a sequential pass.")]
pub(crate) struct Demo {
    /// The source tree to index.
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Agent processes.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) agents: u32,
    /// How many of them are killed in the middle of their work.
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..))]
    pub(crate) kill: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum StoreArg {
    /// The board.
    Board,
    /// One JSON file under one lock.
    OneFile,
    /// Three JSON files, each under a lock.
    Shards,
    /// A board on which one asks and the other answers.
    Answers,
}

impl StoreArg {
    /// The value as it is written on the command line.
    pub(crate) fn flag(self) -> &'static str {
        match self {
            Self::Board => "board",
            Self::OneFile => "one-file",
            Self::Shards => "shards",
            Self::Answers => "answers",
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct DemoAgent {
    /// The region, or the folder of the JSON files.
    pub(crate) at: PathBuf,
    /// The source tree.
    pub(crate) folder: PathBuf,
    #[arg(long)]
    pub(crate) name: String,
    #[arg(long, value_enum)]
    pub(crate) store: StoreArg,
    /// At which task to begin looking for work.
    #[arg(long)]
    pub(crate) first: u64,
}

#[derive(Args, Debug)]
pub(crate) struct DemoSweep {
    pub(crate) scratch: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        with_negative_numbers(Cli::command()).debug_assert();
    }

    #[test]
    fn every_visible_command_has_examples() {
        for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("slate {}", command.get_name())), "{}", command.get_name());
        }
    }

    #[test]
    fn values_may_look_like_numbers_and_dashes() {
        for value in ["-5", "-", "@file", "plain", ""] {
            let cli = parse_from(["slate", "put", "k", value]).expect(value);
            assert!(matches!(cli.command, Command::Put(put) if put.value == value));
        }
        let cli = parse_from(["slate", "update", "k", "--add", "-5"]).expect("update");
        assert!(matches!(cli.command, Command::Update(update) if update.add == Some(-5)));
    }

    #[test]
    fn negative_numbers_are_told_to_be_that() {
        for line in [
            "watch --since -1",
            "put k v --ttl -1s",
            "init --capacity -64M",
            "log --last -1",
            "get k --at -1",
        ] {
            let error = parse_from(["slate"].into_iter().chain(line.split(' '))).expect_err(line).to_string();
            assert!(error.contains("must not be negative") && !error.contains("tip"), "{error}");
        }
    }
}
