//! For those who look after a board: what is on it, what happened, and who is there, read through a mapping
//! that cannot be written to.
//!
//! `cargo run --example inspect [PATH]`; without a path it makes a small board and looks at that.

use slateboard::{Board, Reader, Result};

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    match std::env::args().nth(1) {
        Some(path) => inspect(&Board::options().open_read_only(path)?)?,
        None => {
            let folder = tempfile::tempdir()?;
            let board = Board::options().capacity(1 << 20).create(folder.path().join("board"))?;
            let session = board.attach("example")?;
            session.put("task/1", "open")?;
            session.put("task/1", "done")?;
            session.put("team/plan", "ship it")?;
            session.remove("team/plan")?;
            inspect(&board.read_only()?)?;
        }
    }
    Ok(())
}

fn inspect(reader: &Reader) -> Result<()> {
    println!("entries at generation {}:", reader.generation());
    for entry in reader.list("").into_vec()? {
        let value = entry.text().map_or_else(|| format!("{} bytes", entry.value.len()), str::to_string);
        println!("  {} = {value}  (version {}, by {})", entry.key, entry.version, entry.writer);
    }
    println!("newest events:");
    let since = reader.floor().max(reader.generation().saturating_sub(20));
    for event in reader.events(since) {
        match event {
            Ok(event) => {
                for change in &event.mutations {
                    println!(
                        "  {} {:?} {} version {}",
                        event.generation, change.kind, change.key, change.version
                    );
                }
            }
            // The history went on while this was printed; the iteration goes on where it begins now.
            Err(error) if error.is_lagged() => println!("  {error}"),
            Err(error) => return Err(error),
        }
    }
    println!("sessions:");
    for session in reader.sessions()? {
        println!("  {} {} pid {} {:?}", session.index, session.name, session.pid, session.liveness);
    }
    let metrics = reader.metrics()?;
    println!(
        "{} keys on a board for {}, {} bytes of values claimed",
        metrics.keys, metrics.keys_made_for, metrics.claimed
    );
    Ok(())
}
