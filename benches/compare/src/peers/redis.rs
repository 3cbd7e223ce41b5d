//! Redis over a Unix socket: the server of the distribution, started for a run and ended with it.

use super::{Peer, Place, Shape, value};
use crate::Outcome;
use redis::{Client, Cmd, Connection, FromRedisValue, cmd, pipe};
use std::{
    cell::RefCell,
    hint::black_box,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Keys in key order: what a scan goes by, as YCSB's own client for Redis does it.
const INDEX: &str = "index";
/// Keys of a command, while a store is filled.
const BATCH: usize = 1_000;

/// A connection, and the server where this process started it.
pub struct Redis {
    connection: RefCell<Connection>,
    socket: PathBuf,
    server: Option<Server>,
}

/// Ends with this value; and with the process, should that be killed.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether there is a server to start.
pub fn is_installed() -> bool {
    let version =
        Command::new("redis-server").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

fn start(place: Place<'_>) -> Outcome<Server> {
    if !is_installed() {
        return Err("no redis-server here: apt-get install redis-server".into());
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "redis-server", "--port", "0", "--save", "", "--appendonly", "no"]);
    command.args(["--daemonize", "no", "--loglevel", "warning", "--unixsocket"]).arg(place.file(".socket"));
    command.arg("--dir").arg(place.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
    Ok(Server(command.spawn()?))
}

fn connect(place: Place<'_>) -> Outcome<Connection> {
    let client = Client::open(format!("redis+unix://{}", place.file(".socket").display()))?;
    let patience = Instant::now() + Duration::from_secs(10);
    loop {
        match client.get_connection() {
            Ok(connection) => return Ok(connection),
            Err(error) if Instant::now() > patience => return Err(error.into()),
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

impl Redis {
    fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Outcome<T> {
        Ok(command.query(&mut *self.connection.borrow_mut())?)
    }
}

impl Peer for Redis {
    const NAME: &'static str = "Redis";
    const LESS: &'static str =
        "a server process must run; no checksum, and no history of values (streams are a type of their own)";
    const WALL: bool = true;
    super::found_by_name!();

    fn cannot(_work: &str) -> Option<&'static str> {
        None
    }

    fn create(place: Place<'_>, shape: Shape) -> Outcome<Self> {
        let server = Some(start(place)?);
        let mut connection = connect(place)?;
        let first = value(0, shape.size);
        let names: Vec<String> = shape.names().collect();
        for batch in names.chunks(BATCH) {
            let (mut values, mut index) = (cmd("MSET"), cmd("ZADD"));
            index.arg(INDEX);
            for name in batch {
                values.arg(name).arg(&first);
                index.arg(0).arg(name);
            }
            pipe().add_command(values).ignore().add_command(index).ignore().exec(&mut connection)?;
        }
        Ok(Self { connection: RefCell::new(connection), socket: place.file(".socket"), server })
    }

    fn open(place: Place<'_>, _shape: Shape) -> Outcome<Self> {
        let connection = RefCell::new(connect(place)?);
        Ok(Self { connection, socket: place.file(".socket"), server: None })
    }

    /// The reply is the caller's own bytes already.
    fn get_key<T>(
        &self,
        key: &str,
        _buffer: &mut Vec<u8>,
        look: impl FnOnce(&[u8]) -> T,
    ) -> Outcome<Option<T>> {
        let value: Option<Vec<u8>> = self.ask(cmd("GET").arg(key))?;
        Ok(value.map(|value| look(&value)))
    }

    fn put_key(&self, key: &str, value: &[u8]) -> Outcome<()> {
        self.ask(cmd("SET").arg(key).arg(value))
    }

    fn zero(&self, key: &str) -> Outcome<()> {
        self.ask(cmd("SET").arg(key).arg(0))
    }

    fn add_one(&self, at: &String) -> Outcome<()> {
        self.ask::<u64>(cmd("INCR").arg(at)).map(drop)
    }

    fn total(&self, key: &str) -> Outcome<u64> {
        self.ask(cmd("GET").arg(key))
    }

    /// Optimistic, as its own documentation does compare-and-swap: WATCH, GET, then SET in a transaction.
    fn modify(&self, key: &str, buffer: &mut Vec<u8>, change: impl Fn(&mut [u8])) -> Outcome<()> {
        let mut connection = self.connection.borrow_mut();
        loop {
            let watched =
                pipe().cmd("WATCH").arg(key).ignore().cmd("GET").arg(key).query(&mut *connection)?;
            let (value,): (Vec<u8>,) = watched;
            *buffer = value;
            change(buffer);
            let set = pipe().atomic().cmd("SET").arg(key).arg(&*buffer).ignore().query(&mut *connection)?;
            if let Some(()) = set {
                return Ok(());
            }
        }
    }

    fn insert(&self, key: &str, value: &[u8]) -> Outcome<()> {
        let mut both = pipe();
        both.cmd("SET").arg(key).arg(value).ignore().cmd("ZADD").arg(INDEX).arg(0).arg(key).ignore();
        Ok(both.exec(&mut *self.connection.borrow_mut())?)
    }

    fn scan(&self, prefix: &str, _buffer: &mut Vec<u8>) -> Outcome<usize> {
        let mut range = cmd("ZRANGEBYLEX");
        range.arg(INDEX).arg(format!("[{prefix}")).arg(format!("({prefix}:"));
        let keys: Vec<String> = self.ask(&range)?;
        if keys.is_empty() {
            return Ok(0);
        }
        let values: Vec<Option<Vec<u8>>> = self.ask(cmd("MGET").arg(&keys))?;
        Ok(black_box(values).len())
    }

    /// Waits for an element of a list: a string cannot be waited for.
    fn wait(&self, key: &str) -> Outcome<()> {
        let answer: Option<(String, String)> = self.ask(cmd("BLPOP").arg(format!("{key}/list")).arg(30))?;
        answer.map(drop).ok_or_else(|| "nobody woke a waiter".into())
    }

    fn wake(&self, key: &str, _value: &[u8]) -> Outcome<()> {
        let elements = vec!["woken"; super::WAITERS];
        self.ask::<u64>(cmd("RPUSH").arg(format!("{key}/list")).arg(elements)).map(drop)
    }

    fn server(&self) -> Option<u32> {
        self.server.as_ref().map(|server| server.0.id())
    }

    fn command(&self, key: &str) -> Outcome<(String, Command)> {
        let mut command = Command::new("redis-cli");
        command.arg("-s").arg(&self.socket).args(["GET", key]);
        Ok(("`redis-cli get`".into(), command))
    }
}
