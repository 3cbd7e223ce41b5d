//! For those who let a second process stand in for a first: two processes want one lease. The one that holds it is killed, and
//! the other takes it over, with a larger token, by which what the first left behind can be told.
//!
//! `cargo run --example takeover`

use slateboard::{Board, Session};
use std::{
    env,
    process::{Child, Command},
    time::Duration,
};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const LEASE: &str = "lease/printer";
const TTL: Duration = Duration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [role, path, name] if role == "serve" => serve(path, name),
        [] => lead(),
        _ => Err("usage: takeover".into()),
    }
}

/// Starts two servers, kills the one that holds the lease, and watches the other take it over.
fn lead() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("board");
    let board = Board::create(&path)?;
    let session = board.attach("leader")?;
    let mut first = Server::start(&path, "first")?;
    let before = served(&session, "first")?;
    let _second = Server::start(&path, "second")?;
    // It waits for the lease, and does not get it as long as the first one lives.
    session.wait_newer("waits/second", 0, PATIENCE)?.ok_or("the second server does not wait")?;
    println!("first holds {LEASE} with token {before}; it is killed now");
    first.0.kill()?;
    first.0.wait()?;
    let after = served(&session, "second")?;
    println!("second holds {LEASE} with token {after}");
    if after <= before {
        return Err("the second token must be larger".into());
    }
    // Nobody waits for the lease's time to be over: a dead process holds nothing.
    let holder = session.get(LEASE)?.ok_or("nobody holds the lease")?;
    if holder.writer.name != "second" {
        return Err(format!("{} holds the lease", holder.writer).into());
    }
    Ok(())
}

/// The token with which the server of this name says that it serves.
fn served(session: &Session, name: &str) -> Outcome<u64> {
    let said = session.wait_newer(&format!("serves/{name}"), 0, PATIENCE)?;
    let entry = said.and_then(slateboard::Newer::entry).ok_or_else(|| format!("{name} does not serve"))?;
    Ok(entry.text().ok_or("no token")?.parse()?)
}

/// A server: waits for the lease, says that it has it, and serves until it is killed.
fn serve(path: &str, name: &str) -> Outcome<()> {
    let session = Board::open(path)?.attach(name)?;
    // Before the attempt: a change after it is not missed.
    let mut changes = session.watch(LEASE);
    let lease = loop {
        match session.lease(LEASE, TTL) {
            Ok(lease) => break lease,
            Err(error) if error.is_held() => {
                session.put(&format!("waits/{name}"), "")?;
                changes.next_timeout(PATIENCE)?.ok_or("the lease is never given up")?;
            }
            Err(error) => return Err(error.into()),
        }
    };
    session.put(&format!("serves/{name}"), lease.token().to_string())?;
    std::thread::sleep(PATIENCE);
    Err("nobody ended this process".into())
}

/// A process that is killed when this is dropped.
struct Server(Child);

impl Server {
    fn start(path: &std::path::Path, name: &str) -> Outcome<Self> {
        Ok(Self(Command::new(env::current_exe()?).arg("serve").arg(path).arg(name).spawn()?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended already is no concern.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
