//! For those who read a configuration that others change: a process that cannot write follows a prefix, and has the whole of
//! it at each moment, in a process of its own.
//!
//! `cargo run --example config`

use slateboard::{Board, Reader};
use std::{collections::BTreeMap, env, path::Path, process::Command, time::Duration};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;
type Config = BTreeMap<String, String>;

const PREFIX: &str = "config/";
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [role, path] if role == "follow" => follow(Path::new(path)),
        [] => lead(),
        _ => Err("usage: config".into()),
    }
}

/// Changes the configuration while another process follows it.
fn lead() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("board");
    let session = Board::create(&path)?.attach("operator")?;
    session.put("config/level", "info")?;
    let mut follower = Command::new(env::current_exe()?).arg("follow").arg(&path).spawn()?;
    session.put("config/workers", "4")?;
    session.put("config/level", "debug")?;
    session.remove("config/workers")?;
    session.put("config/ready", "yes")?;
    let status = follower.wait()?;
    if status.success() { Ok(()) } else { Err(format!("the follower ended with {status}").into()) }
}

/// Follows the configuration until it is ready, and checks that it is what is on the board.
fn follow(path: &Path) -> Outcome<()> {
    let reader = Board::options().open_read_only(path)?;
    let (mut config, since) = read(&reader)?;
    println!("at generation {since}: {config:?}");
    let mut changes = reader.watch(PREFIX).since(since);
    while !config.contains_key("config/ready") {
        match changes.next_timeout(PATIENCE) {
            Ok(Some(event)) => {
                for change in event.mutations {
                    match change.value {
                        Some(value) => config.insert(change.key, String::from_utf8(value)?),
                        None => config.remove(&change.key),
                    };
                }
                println!("at generation {}: {config:?}", event.generation);
            }
            // More changes than the history holds came at once: the present has them all.
            Err(error) if error.is_lagged() => {
                let (anew, since) = read(&reader)?;
                config = anew;
                changes = reader.watch(PREFIX).since(since);
            }
            Ok(None) => return Err("the configuration never became ready".into()),
            Err(error) => return Err(error.into()),
        }
    }
    let (present, _) = read(&reader)?;
    if config != present {
        return Err(format!("followed {config:?}, the board has {present:?}").into());
    }
    Ok(())
}

/// The configuration, all of one generation, and that generation.
fn read(reader: &Reader) -> Outcome<(Config, u64)> {
    let view = reader.view()?;
    let text = |entry: slateboard::Entry| Ok((entry.key, String::from_utf8(entry.value)?));
    let config = view.list(PREFIX).into_vec()?.into_iter().map(text).collect::<Outcome<Config>>()?;
    Ok((config, view.generation()))
}
