//! Arguments of the commands about leases, claims and sessions.

use crate::units::{parse_count, parse_duration, parse_ttl};
use clap::Args;
use std::{ffi::OsString, time::Duration};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate lock deploy -- ./deploy.sh
  slate lock deploy --ttl 10s -- sh -c 'echo \"token $SLATE_FENCE\"'
  slate lock task/42 -- make                 a key with a value is locked by the key claim/task/42

Exits with 5 if another session has the lease, and prints it. The command gets the lease's token in SLATE_FENCE:
later leases have larger ones. Signals are passed on to the command. The lease is renewed while the command
runs, and released when it ends. If the lease is lost, the command gets SIGTERM, and the exit status is 5.")]
pub(crate) struct Lock {
    /// The key, such as deploy: 1 to 1,024 bytes.
    pub(crate) key: String,
    /// Time to live of the lease, which is renewed after each third of it. If this process is killed, the lease ends with its
    /// session; if it is stopped, after this time.
    #[arg(long, value_name = "T", value_parser = parse_ttl, default_value = "60s", allow_hyphen_values = true)]
    pub(crate) ttl: Duration,
    /// The command, with its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate run --name builder -- ./build.sh
  slate run --name builder -- sh -c 'slate put alive/builder yes --ephemeral && make'

The `slate` commands inside write under this session's name. Their ephemeral keys, claims and leases end with
this session: when the command ends, or when this process is killed. SLATE_SESSION tells them the session, and
SLATE_BOARD its board. When the session has ended, they fail with the error `fenced`.")]
pub(crate) struct Run {
    /// Name of the session [default: slate].
    #[arg(long, value_name = "N")]
    pub(crate) name: Option<String>,
    /// The command, with its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  token=$(slate claim deploy --ttl 5m) && ./deploy.sh && slate release deploy --token \"$token\"
  slate claim --next task/                   the first key with this prefix that nobody has claimed
  read -r token key < <(slate claim --next task/) && work \"$key\" && slate rm \"$key\"
  slate touch deploy --ttl 5m                renews a claim

A key with a value, such as a task, is claimed by the key claim/KEY, and keeps its value. Any other key is
itself the claim. Prints the token of the claim; with --next also the key.

Inside `slate run` a claim ends with its session. Elsewhere it ends with its time to live.
Exits with 5 if the key is claimed, and with 3 if there is no free task.")]
pub(crate) struct Claim {
    /// The key, such as deploy: 1 to 1,024 bytes.
    #[arg(required_unless_present = "next")]
    pub(crate) key: Option<String>,
    /// Claim the first key with this prefix, in key order, that has a value and is not claimed.
    #[arg(long, value_name = "PREFIX", conflicts_with = "key", allow_hyphen_values = true)]
    pub(crate) next: Option<String>,
    /// Time to live of the claim [default: 60s, and none inside `slate run`].
    #[arg(long, value_name = "T", value_parser = parse_ttl, allow_hyphen_values = true)]
    pub(crate) ttl: Option<Duration>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate release deploy --token 17
  slate release deploy                       inside `slate run`: a claim that ends with its session

Exits with 5 if another has claimed the key, and with 3 if nobody has.")]
pub(crate) struct Release {
    /// The key that was claimed.
    pub(crate) key: String,
    /// The token that `slate claim` printed.
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub(crate) token: Option<u64>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate evict 5.17                           a session, as `slate sessions` shows it
  slate evict builder                        by name, if only one session has it

The process is killed only if it is proved to be the session's: by its process id, start time and pid
namespace. All its sessions end. Exits with 3 if there is no such session, with 1 if nothing can be
proved, and with 124 if the session's lock is not released in time.")]
pub(crate) struct Evict {
    /// The session: its numbers or its name.
    #[arg(value_name = "SESSION")]
    pub(crate) target: String,
    /// How long to wait until the kernel has released the session's lock.
    #[arg(long, value_name = "T", value_parser = parse_duration, default_value = "10s", allow_hyphen_values = true)]
    pub(crate) timeout: Duration,
}

#[derive(Args, Debug)]
pub(crate) struct Exec {
    /// The process that starts the command.
    #[arg(long)]
    pub(crate) parent: i32,
    #[arg(last = true, required = true)]
    pub(crate) command: Vec<OsString>,
}
