//! For those who let several agents work on one thing: tasks are claimed by compare-and-swap, results and
//! progress are shared, and nobody does a task twice.
//!
//! `cargo run --release --example task_queue [AGENTS] [TASKS]`

use slateboard::{Board, Expect, Result, Session};
use std::{
    env,
    sync::{Arc, Barrier},
    thread,
};

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut numbers = env::args().skip(1).map(|argument| argument.parse::<u32>());
    let agents = numbers.next().transpose()?.unwrap_or(4);
    let tasks = numbers.next().transpose()?.unwrap_or(200);
    // Threads of one process share a local board; processes would all open one path.
    let board = Board::options().sessions(u64::from(agents) + 1).local()?;
    let coordinator = board.attach("coordinator")?;
    for put in coordinator.put_many((0..tasks).map(|task| (format!("task/{task}"), "open"))) {
        put?;
    }
    let start = Arc::new(Barrier::new(agents as usize));
    let mut workers = Vec::new();
    for number in 0..agents {
        let (agent, start) = (board.attach(&format!("agent-{number}"))?, Arc::clone(&start));
        workers.push(thread::spawn(move || {
            start.wait();
            work(&agent)
        }));
    }
    for worker in workers {
        let (name, done, lost) = worker.join().map_err(|_| "an agent panicked")??;
        println!("{name}: {done} tasks done, {lost} claims lost to others");
    }
    let progress = coordinator.increment("team/progress", 0)?;
    println!("progress: {progress} of {tasks}, after {} events", board.generation());
    let results = coordinator.list("result/").into_vec()?;
    let twice = results.iter().filter(|entry| entry.version != 1).count();
    println!("results: {}, written twice: {twice}", results.len());
    if progress != i64::from(tasks) || results.len() != tasks as usize || twice > 0 {
        return Err("each task must be done once".into());
    }
    Ok(())
}

/// Claims open tasks until there are none. The name, tasks done, and claims that another made first.
fn work(agent: &Session) -> Result<(String, u32, u32)> {
    let (mut done, mut lost) = (0, 0);
    loop {
        let tasks = agent.list("task/").into_vec()?;
        let open: Vec<_> = tasks.into_iter().filter(|task| task.text() == Some("open")).collect();
        if open.is_empty() {
            return Ok((agent.name().to_string(), done, lost));
        }
        for task in open {
            match agent.put_if(&task.key, agent.name(), Expect::Version(task.version)) {
                Ok(_) => {
                    finish(agent, &task.key)?;
                    done += 1;
                }
                Err(error) if error.is_conflict() => lost += 1,
                Err(error) => return Err(error),
            }
        }
    }
}

/// The work itself, and its traces: a result, and one more in everybody's progress.
fn finish(agent: &Session, task: &str) -> Result<()> {
    let number: u64 = task.rsplit('/').next().and_then(|number| number.parse().ok()).unwrap_or(0);
    let primes =
        (2..10_000 + number).filter(|&n| (2..).take_while(|d| d * d <= n).all(|d| n % d != 0)).count();
    agent.put(&format!("result/{number}"), primes.to_string())?;
    agent.increment("team/progress", 1)?;
    Ok(())
}
