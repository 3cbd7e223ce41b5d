//! The arguments of commands that are mostly called by scripts and by shells.

use crate::units::parse_count;
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate diff 1200                           what changed from generation 1200 until now
  slate diff 1200 1300
  slate diff 1200 --prefix task/ --json | jq -r '.changes[].key'

A key that was changed and changed back is listed, because its version differs. A key that did not exist
at either generation is not listed.
Exits with 1 if events after the first GENERATION have left the history. Then it compares from the oldest
generation that is left, and says so.")]
pub(crate) struct Diff {
    /// Compare from this generation on.
    #[arg(value_name = "GENERATION", value_parser = parse_count, allow_negative_numbers = true)]
    pub(crate) from: u64,
    /// Compare up to this generation [default: the newest].
    #[arg(value_name = "GENERATION", value_parser = parse_count, allow_negative_numbers = true)]
    pub(crate) to: Option<u64>,
    /// Only keys with this prefix, such as task/.
    #[arg(long, value_name = "P", default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    pub(crate) prefix: String,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate completions bash > ~/.local/share/bash-completion/completions/slate
  slate completions zsh > ~/.zfunc/_slate
  slate completions fish > ~/.config/fish/completions/slate.fish
  source <(slate completions bash)          for this shell only")]
pub(crate) struct Completions {
    /// The shell that the script is for.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  slate man | man -l -                      read the page of slate itself
  slate man put | man -l -                  read the page of one command
  slate man --to ~/.local/share/man/man1    write all pages; then `man slate-put` finds them")]
pub(crate) struct Man {
    /// The command whose page is printed [default: slate itself].
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
    /// Write the pages of all commands to this folder, which is created if it is missing, and print their paths.
    #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
    pub(crate) to: Option<PathBuf>,
}
