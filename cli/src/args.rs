//! The arguments of every command.

mod claims;
mod scripts;

pub(crate) use claims::{Claim, Evict, Exec, Lock, Release, Run};
pub(crate) use scripts::{Completions, Diff, Man};

use crate::units::{parse_count, parse_duration, parse_integer, parse_size, parse_ttl};
use clap::{ArgGroup, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::{ffi::OsString, path::PathBuf, time::Duration};

const STATUSES: &str = "\
Exit status:
  0    success
  1    failure
  2    usage error, including an invalid or too long key or value
  3    no such key
  4    conflict (the current entry is printed)
  5    another session holds the lease
  6    the board or its file system is full
  7    not a board, or a corrupt or incompatible one
  9    no board found, or it cannot be reached
  10   `status`: something needs attention; `sessions`: it is unknown whether some are alive
  124  timeout
  126  `lock` and `run` only: the command cannot be run
  127  `lock` and `run` only: there is no such command
`lock` and `run` end with the status of the command that they run; it is 128 + N if signal N ended the command.

With --json, a failure is also a document on standard output:
  {\"error\": {\"kind\", \"message\", \"key\", ...}}

Durations are written like 500us, 250ms, 1.5s, 5m, 2h, 1d or 1w; a plain number means seconds.
Sizes are written like 64K, 1.5G or 1T, in powers of 1,024.

The board is the first of these:
  1. --board PATH
  2. the environment variable SLATE_BOARD
  3. the project's .slate/: the first one found from the current folder upwards. At the top of a git
     worktree, the .slate/ of its repository comes before the folders above.

Examples:
  slate init                              create the project's board
  slate put task/42 open                  write a key
  slate get task/42                       print its value
  slate update team/count --add 1         increment a number atomically, and print the new value
  slate watch task/                       print changes as they happen
  slate demo                              see several processes share one board";

/// Shared context for many processes on one machine: versioned keys, compare-and-swap, one ordered history.
#[derive(Parser, Debug)]
#[command(name = "slate", version, after_help = STATUSES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EVERYWHERE: &str = "Global options";

/// The options of every command.
#[derive(Args, Clone, Debug)]
pub(crate) struct Globals {
    /// Region file of the board, instead of the project's board.
    #[arg(long, global = true, value_name = "PATH", help_heading = EVERYWHERE)]
    pub(crate) board: Option<PathBuf>,
    /// Session name. For put, update, touch, rm, lock, claim and release: the name to write under [default: the session of
    /// `slate run`, otherwise slate]. For watch and log: print only the events of this session. Other commands reject it.
    #[arg(long, global = true, value_name = "NAME", help_heading = EVERYWHERE)]
    pub(crate) session: Option<String>,
    /// Print one JSON document; a stream prints one JSON object per line.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(crate) json: bool,
    /// Print no receipts and no notes; data and errors are still printed.
    #[arg(long, short, global = true, help_heading = EVERYWHERE)]
    pub(crate) quiet: bool,
}

/// Parses the arguments of this process. Every option accepts negative numbers, so that its own parser can reject them
/// with a clear message. Otherwise clap would take them for unknown options.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    parse_from(std::env::args_os())
}

fn parse_from(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Cli, clap::Error> {
    let mut command = with_negative_numbers(Cli::command());
    let matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// The definition of the command line, for completions and manual pages.
pub(crate) fn definition() -> clap::Command {
    with_negative_numbers(Cli::command())
}

fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let numbers = |arg: clap::Arg| {
        let takes = arg.get_action().takes_values() && !arg.is_positional();
        if takes { arg.allow_negative_numbers(true) } else { arg }
    };
    command.mut_args(numbers).mut_subcommands(with_negative_numbers)
}

impl Command {
    /// Whether the command accepts `--session`, as the name to write under or as the writer to show.
    pub(crate) fn takes_session(&self) -> bool {
        use Command::*;
        matches!(
            self,
            Put(_) | Update(_) | Touch(_) | Rm(_) | Lock(_) | Claim(_) | Release(_) | Watch(_) | Log(_)
        )
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Create the project's board, and print its location and the reason for it.
    Init(Init),
    /// Show which board is used, how it was found, and whether this process can reach it.
    Where(Where),
    /// Write a key, or many keys in one process, and print the new version and generation.
    Put(Put),
    /// Print the value of a key, or the entries of several keys.
    Get(Get),
    /// Update a key atomically, retrying on conflict, and print the new value.
    Update(Update),
    /// Renew the time to live of a key without changing its value.
    Touch(Touch),
    /// Remove a key, or all keys with a prefix.
    Rm(Rm),
    /// List keys. The list is of one generation, unless the history is too short for that.
    Ls(Ls),
    /// Stream changes as they happen, or run a command for each.
    Watch(Watch),
    /// Block until a key changes, then print its value.
    Wait(Wait),
    /// Print the history of changes.
    Log(Log),
    /// Show which keys differ between two generations.
    Diff(Diff),
    /// Show the health of the board.
    #[command(alias = "session-status")]
    Status(Status),
    /// Show the attached sessions.
    Sessions(Sessions),
    /// Run a command while holding a lease on a key.
    Lock(Lock),
    /// Run a command while holding a session, which the `slate` commands inside act for.
    Run(Run),
    /// Claim a key, or the first free task of a queue, and print the token of the claim.
    Claim(Claim),
    /// Release a claim.
    Release(Release),
    /// Kill the process of a session, such as one that is stopped, and reap the session.
    Evict(Evict),
    /// Index a source tree with several processes on one board, kill some of them, and check that no update is lost.
    Demo(Demo),
    /// Print a completion script for a shell.
    Completions(Completions),
    /// Print a manual page, or write all of them to a folder.
    Man(Man),
    /// One process of the demo's team.
    #[command(hide = true)]
    DemoAgent(DemoAgent),
    /// Becomes the command of `lock` or `run`.
    #[command(hide = true)]
    Exec(Exec),
    /// Removes the demo's folder when the demo has ended.
    #[command(hide = true)]
    DemoSweep(DemoSweep),
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum PlacementArg {
    /// In /dev/shm: fast, lost when the machine restarts.
    Memory,
    /// In the project's .slate/: also reachable from sandboxes with a private /dev/shm.
    Project,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum ScopeArg {
    /// All worktrees of a repository share one board.
    Project,
    /// Each worktree has a board of its own.
    Worktree,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate init
  slate init --placement project --capacity 256M
  slate init --ensure             in a script: create the board if there is none
  slate init --replace            after a restart of the machine
  slate init --adopt              in a copy of another project's folder
  slate --board /dev/shm/mine init")]
pub(crate) struct Init {
    /// Where the region file is created [default: memory].
    #[arg(long, value_enum)]
    pub(crate) placement: Option<PlacementArg>,
    /// Whether worktrees of one repository share the board [default: project].
    #[arg(long, value_enum)]
    pub(crate) scope: Option<ScopeArg>,
    /// Space for values, such as 64M: 1 MiB to 16 GiB. The tables take additional space [default: 64M].
    #[arg(long, value_name = "SIZE", value_parser = parse_size, allow_hyphen_values = true)]
    pub(crate) capacity: Option<u64>,
    /// Number of events that the history keeps: 64 to 4,194,304 [default: 16384].
    #[arg(long, value_name = "EVENTS", value_parser = parse_count)]
    pub(crate) history: Option<u64>,
    /// Number of keys that the table is sized for: 1 to 4,194,304 [default: 65536].
    #[arg(long, value_parser = parse_count)]
    pub(crate) keys: Option<u64>,
    /// Number of sessions that can be attached at the same time: 1 to 4,096 [default: 256].
    #[arg(long, value_parser = parse_count)]
    pub(crate) sessions: Option<u64>,
    /// Create a new, empty board in place of one that is lost or that no process has open.
    #[arg(long)]
    pub(crate) replace: bool,
    /// Together with --replace: replace the board even if it is in use, or if that cannot be determined. Its users get the
    /// error `moved`.
    #[arg(long, requires = "replace")]
    pub(crate) force: bool,
    /// Succeed if the board already exists. Safe to run from many processes at once. A lost board is not replaced.
    #[arg(long, visible_alias = "if-missing", conflicts_with = "replace")]
    pub(crate) ensure: bool,
    /// Accept a copied or restored folder as a project of its own, and create a new, empty board for it.
    #[arg(long, conflicts_with_all = ["replace", "ensure"])]
    pub(crate) adopt: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  slate where\n  slate where --json\n
Exits with 9 if there is no board, or if this process cannot reach it.")]
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
  slate put task/42 mine --if-version 3     exits with 4 if task/42 has another version
  slate put team/plan @plan.md              the content of a file (@@x is the text @x itself)
  make 2>&1 | slate put build/log -         standard input
  slate put claim/42 me --if-absent --ttl 60s
  slate run -- sh -c 'slate put alive/me yes --ephemeral && make'
  echo '{\"key\":\"task/42\",\"value\":\"open\"}' | slate put --stdin
  printf '%s\\0' task/1 open task/2 done | slate put --stdin0

--stdin and --stdin0 print one JSON line for each key, in the order of the input: its receipt or its error. A
key that fails does not stop the others. The exit status is that of the failures, or 1 if they differ.
A line of --stdin has the members `key` and `value` (text, or any JSON), and optionally `encoding` (base64),
`codec`, `ttl`, `if_version` and `if_absent`, which replace the options. It may be a line of `slate get --json`.")]
pub(crate) struct Put {
    /// The key, such as task/42: 1 to 1,024 bytes.
    #[arg(required_unless_present_any = ["stdin", "stdin0"])]
    pub(crate) key: Option<String>,
    /// The value itself, `-` for standard input, or `@FILE` for the content of a file; '' is an empty value.
    #[arg(value_name = "VALUE|-|@FILE", allow_negative_numbers = true, required_unless_present_any = ["stdin", "stdin0"])]
    pub(crate) value: Option<String>,
    /// Write many keys: each line of standard input is a JSON object with a key and a value.
    #[arg(long, conflicts_with_all = ["key", "value", "stdin0"])]
    pub(crate) stdin: bool,
    /// Write many keys: standard input has keys and values in turn, each ended by a zero byte.
    #[arg(long, conflicts_with_all = ["key", "value"])]
    pub(crate) stdin0: bool,
    /// Write only if the key has this version; 0 means that the key must not exist.
    #[arg(long, value_name = "N", conflicts_with = "if_absent", value_parser = parse_count)]
    pub(crate) if_version: Option<u64>,
    /// Write only if the key does not exist.
    #[arg(long)]
    pub(crate) if_absent: bool,
    /// Time to live, such as 60s. The key is removed when it has passed.
    #[arg(long, value_name = "T", value_parser = parse_ttl, allow_hyphen_values = true)]
    pub(crate) ttl: Option<Duration>,
    /// Remove the key when the session of the surrounding `slate run` ends. Rejected elsewhere, because the session of this
    /// command ends with the command.
    #[arg(long)]
    pub(crate) ephemeral: bool,
    /// Encoding of the value [default: utf8 for text, otherwise raw].
    #[arg(long, value_enum)]
    pub(crate) codec: Option<CodecArg>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate get task/42
  slate get task/42 --json | jq -r .writer
  slate get task/42 --at 1200               its value at generation 1200
  slate get image/logo --raw > logo.png
  slate get task/1 task/2                   one JSON line for each key
  slate ls task/ --null | slate get --stdin0

Several keys and --stdin0 print one JSON line for each key, in the given order: its entry or its error. A key
that fails does not stop the others. The exit status is that of the failures, or 1 if they differ.")]
pub(crate) struct Get {
    /// The key, such as task/42: 1 to 1,024 bytes.
    #[arg(value_name = "KEY", required_unless_present = "stdin0")]
    pub(crate) keys: Vec<String>,
    /// Read the keys from standard input, each ended by a zero byte.
    #[arg(long, conflicts_with = "keys")]
    pub(crate) stdin0: bool,
    /// Print the value that the key had at this generation.
    #[arg(long, value_name = "GENERATION", value_parser = parse_count)]
    pub(crate) at: Option<u64>,
    /// Print only the version.
    #[arg(long, conflicts_with = "raw")]
    pub(crate) version_only: bool,
    /// Print the exact bytes, without adding a newline.
    #[arg(long, conflicts_with_all = ["json", "stdin0"])]
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
  slate update team/list --exec 'sort -u'    the command reads the old value and prints the new one

The time to live and the session that the key is bound to stay the same. The encoding changes only if
the new value is not valid in it.")]
pub(crate) struct Update {
    /// The key, such as task/42: 1 to 1,024 bytes.
    pub(crate) key: String,
    /// Add an integer; a missing key counts as 0.
    #[arg(long, value_name = "N", value_parser = parse_integer)]
    pub(crate) add: Option<i64>,
    /// Apply a JSON merge patch: `null` removes a member; members that the patch does not name stay unchanged.
    #[arg(long, value_name = "JSON|-|@FILE", allow_hyphen_values = true)]
    pub(crate) merge: Option<String>,
    /// Append this text; `-` reads standard input.
    #[arg(long, value_name = "TEXT|-", allow_hyphen_values = true)]
    pub(crate) append: Option<String>,
    /// Run this command with `sh -c`: it gets the old value on standard input, and its output is the new value. SLATE_KEY
    /// and SLATE_VERSION are set. On conflict, the command runs again.
    #[arg(long, value_name = "COMMAND")]
    pub(crate) exec: Option<String>,
    /// Maximum number of attempts if other writers change the key meanwhile.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) attempts: u32,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate touch claim/42 --ttl 60s            the key expires 60 seconds from now

The version increases; the value and the session that the key is bound to stay the same.
Exits with 3 if the key does not exist.")]
pub(crate) struct Touch {
    /// The key, such as task/42: 1 to 1,024 bytes.
    pub(crate) key: String,
    /// New time to live, counted from now, such as 60s.
    #[arg(long, value_name = "T", value_parser = parse_ttl, allow_hyphen_values = true)]
    pub(crate) ttl: Duration,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate rm task/42
  slate rm task/42 --if-version 7
  slate rm --prefix task/                 removes the keys one by one; prints how many

Exits with 3 if KEY does not exist. With --prefix, removing no key is a success.")]
pub(crate) struct Rm {
    /// The key, such as task/42: 1 to 1,024 bytes.
    #[arg(required_unless_present = "prefix")]
    pub(crate) key: Option<String>,
    /// Remove only if the key has this version.
    #[arg(long, value_name = "N", value_parser = parse_count, conflicts_with = "prefix")]
    pub(crate) if_version: Option<u64>,
    /// Remove every key with this prefix, and print how many were removed.
    #[arg(long, value_name = "P", conflicts_with = "key", allow_hyphen_values = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) prefix: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate ls
  slate ls task/ --long
  slate ls --at 1200 --json
  slate ls task/ --null | xargs -0 -n1 slate get

Control characters and backslashes in keys are escaped, as in \\n and \\\\; --null and --json print keys unchanged.")]
pub(crate) struct Ls {
    /// Only keys with this prefix, such as task/.
    #[arg(default_value = "", hide_default_value = true)]
    pub(crate) prefix: String,
    /// Also print version, generation, size, writer, time and the beginning of the value.
    #[arg(long, short)]
    pub(crate) long: bool,
    /// End each key with a zero byte instead of a newline, and escape nothing.
    #[arg(long, short = '0', conflicts_with_all = ["long", "json"])]
    pub(crate) null: bool,
    /// List the keys that existed at this generation.
    #[arg(long, value_name = "GENERATION", value_parser = parse_count)]
    pub(crate) at: Option<u64>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate watch
  slate watch task/ --count 1 --timeout 60s
  slate watch --since 1200 --json           resume after generation 1200; reports missed events
  slate watch --session planner             only events of the session planner
  slate watch task/ -- sh -c 'echo $SLATE_KIND $SLATE_KEY'
  slate watch build/request --count 1 -- make

The command runs once for each event, one at a time and in order. It has the event in SLATE_GENERATION,
SLATE_TIME, SLATE_WRITER, SLATE_KIND, SLATE_KEY and SLATE_VERSION, and as one JSON line on standard input. SLATE_BOARD
names the board. SLATE_MISSED says how many events before this one were missed, because they had left the history.
A command that fails does not end the watch, unless --stop-on-failure is given; the watch then exits with 1.

Exits with 124 on timeout.")]
pub(crate) struct Watch {
    /// Only keys with this prefix, such as task/.
    #[arg(default_value = "", hide_default_value = true)]
    pub(crate) prefix: String,
    /// Start after this generation instead of now.
    #[arg(long, value_name = "GENERATION", value_parser = parse_count)]
    pub(crate) since: Option<u64>,
    /// Exit after this many events.
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub(crate) count: Option<u64>,
    /// Exit with 124 after this time, such as 60s. A command that is running is not interrupted.
    #[arg(long, value_name = "T", value_parser = parse_duration, allow_hyphen_values = true)]
    pub(crate) timeout: Option<Duration>,
    /// Exit with 1 as soon as the command fails.
    #[arg(long, requires = "command")]
    pub(crate) stop_on_failure: bool,
    /// Run this command for each event instead of printing the event.
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate wait task/42                        until the key changes
  slate wait task/42 --newer-than 0         until the key exists
  slate wait task/42 --newer-than 7 --timeout 60s

Exits with 3 if the key was removed, and with 124 on timeout.")]
pub(crate) struct Wait {
    /// The key, such as task/42: 1 to 1,024 bytes.
    pub(crate) key: String,
    /// Return as soon as the version is greater than this [default: the current version].
    #[arg(long, value_name = "VERSION", value_parser = parse_count)]
    pub(crate) newer_than: Option<u64>,
    /// Exit with 124 after this time, such as 60s.
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
    /// Only keys with this prefix, such as task/.
    #[arg(default_value = "", hide_default_value = true)]
    pub(crate) prefix: String,
    /// Print all events after this generation.
    #[arg(long, value_name = "GENERATION", conflicts_with = "last", value_parser = parse_count)]
    pub(crate) since: Option<u64>,
    /// Print the last N events [default: 50].
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub(crate) last: Option<u64>,
    /// Continue with new events as they happen.
    #[arg(long, short)]
    pub(crate) follow: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  slate status\n  slate status --json\n  slate status --watch\n
Reads every record and verifies its checksum. The data area and the tables of keys and sessions need
attention if they are at least 80% full.

Exits with 0 if the board is healthy, and with 10 if something needs attention.")]
pub(crate) struct Status {
    /// Repeat every second.
    #[arg(long)]
    pub(crate) watch: bool,
    /// With --watch, exit after this many repetitions.
    #[arg(long, value_name = "N", requires = "watch", value_parser = parse_count)]
    pub(crate) count: Option<u64>,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  slate sessions\n  slate sessions --json")]
pub(crate) struct Sessions {}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate demo                                index the current folder
  slate demo ~/.cargo/registry/src --agents 8 --kill 3
  slate demo --json

Exits with 1 if an update was lost, or if the result differs from a sequential pass.")]
pub(crate) struct Demo {
    /// Source tree to index.
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Number of agent processes.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) agents: u32,
    /// Number of agents that are killed while they work.
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..))]
    pub(crate) kill: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum StoreArg {
    /// The board.
    Board,
    /// One JSON file with a lock.
    OneFile,
    /// Three JSON files, each with a lock.
    Shards,
    /// A board on which the agent answers each request of the coordinator.
    Answers,
}

impl StoreArg {
    /// The value as it appears on the command line.
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
    /// Number of the task at which the search for work starts.
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
            assert!(matches!(cli.command, Command::Put(put) if put.value.as_deref() == Some(value)));
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
