//! Starts workers, and kills, stops and continues them at random. When all have ended, their answers are judged.

use crate::{
    judge::{self, Checked, Epoch, Heard, Stood},
    log::Log,
    observer::Observer,
};
use slateboard::Board;
use slateboard_fsck::Summary;
use slateboard_kit::{children::Child, judge::sound, places::words, random::Random};
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// Long enough for whatever must happen. Only a failing run waits that long.
const SOON: Duration = Duration::from_secs(60);
/// Records that the other workers must log while one is stopped.
const PROGRESS: usize = 20;

/// The options of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program that plays the workers.
    pub program: PathBuf,
    /// Kills in all.
    pub kills: u64,
    /// Stops in all.
    pub stops: u64,
    /// Kills between two moments of rest. At rest no process uses the board.
    pub epoch: u64,
    /// Workers at a time.
    pub workers: usize,
    /// Seed of the random numbers.
    pub seed: u64,
    /// Bytes of the board's data area.
    pub capacity: u64,
    /// Events of its history.
    pub history: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            program: PathBuf::new(),
            kills: 300,
            stops: 300,
            epoch: 100,
            workers: 4,
            seed: 0,
            capacity: 4 << 20,
            history: 4_096,
        }
    }
}

/// The result of a run.
#[derive(Clone, Default, Debug)]
pub struct Tally {
    /// Processes killed.
    pub kills: u64,
    /// Processes stopped. The others had to make progress meanwhile.
    pub stops: u64,
    /// Processes started.
    pub started: u64,
    /// Moments of rest.
    pub rests: u64,
    /// What was judged.
    pub checked: Checked,
    /// Events that the observer was too slow for.
    pub missed: u64,
    /// What was wrong.
    pub violations: Vec<String>,
}

/// A worker that runs.
struct Worker {
    child: Child,
    log: Log,
    number: u64,
}

/// The state of a run.
pub struct Nemesis<'o> {
    options: &'o Options,
    folder: &'o Path,
    random: Random,
    workers: Vec<Worker>,
    /// Logs of workers that have ended.
    ended: Vec<(u64, Log)>,
    next: u64,
    beat_ms: u64,
    tally: Tally,
}

/// A whole run, in an existing folder.
pub fn run(options: &Options, folder: &Path) -> Tally {
    let board = Board::options().capacity(options.capacity).keys(1_024).history(options.history);
    let board = board.sessions(64).create(folder.join("board")).expect("the board is made");
    let mut nemesis = Nemesis {
        options,
        folder,
        random: Random::with_seed(options.seed),
        workers: Vec::new(),
        ended: Vec::new(),
        next: 1,
        beat_ms: 5,
        tally: Tally::default(),
    };
    let mut stood = HashMap::new();
    while nemesis.tally.violations.is_empty() && !nemesis.is_done() {
        // Epochs take turns: keepers reap all the time, or only those who attach reap.
        nemesis.beat_ms = if nemesis.tally.rests.is_multiple_of(2) { 5 } else { 1 << 30 };
        nemesis.epoch(&board, &mut stood);
    }
    std::mem::take(&mut nemesis.tally)
}

impl Nemesis<'_> {
    fn is_done(&self) -> bool {
        self.tally.kills >= self.options.kills && self.tally.stops >= self.options.stops
    }

    /// From one moment of rest to the next.
    fn epoch(&mut self, board: &Board, stood: &mut HashMap<u64, Stood>) {
        let since = board.generation();
        let observer = Observer::start(&self.path("board"), since);
        while self.workers.len() < self.options.workers {
            self.start();
        }
        let first = self.tally.kills + self.tally.stops;
        while self.tally.violations.is_empty()
            && !self.is_done()
            && self.tally.kills + self.tally.stops < first + 2 * self.options.epoch
        {
            self.strike();
        }
        self.end_all();
        // An attach reaps the dead.
        if let Err(error) = board.attach("judge") {
            self.tally.violations.push(format!("nobody can attach any more: {error}"));
        }
        let story = observer.end();
        self.tally.rests += 1;
        self.tally.missed += story.missed;
        let Some(ended) = self.checker() else { return };
        match self.heard() {
            Ok(Heard { calls, lists }) => {
                let mut epoch = Epoch { since, stood: std::mem::take(stood), calls, lists, story, ended };
                let (violations, checked) = epoch.judge();
                self.note(violations, checked);
                *stood = judge::stood(&epoch.ended).unwrap_or_default();
            }
            Err(what) => self.tally.violations.push(what),
        }
    }

    fn note(&mut self, violations: Vec<String>, checked: Checked) {
        let sum = &mut self.tally.checked;
        sum.calls += checked.calls;
        sum.pending += checked.pending;
        sum.events += checked.events;
        sum.windows += checked.windows;
        sum.window_calls += checked.window_calls;
        sum.skipped += checked.skipped;
        sum.lists += checked.lists;
        sum.unknown += checked.unknown;
        self.tally.violations.extend(violations);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn start(&mut self) {
        let number = self.next;
        self.next += 1;
        self.tally.started += 1;
        let path = self.path(&format!("log-{number}"));
        let log = Log::create(&path).expect("a log can be made");
        let mut command = Command::new(&self.options.program);
        command.arg("--worker").arg(self.path("board")).arg(&path).arg(number.to_string());
        command.arg(self.random.u64(..).to_string()).arg(self.beat_ms.to_string()).arg(self.path("stop"));
        let child = Child::spawn(command).expect("a worker starts");
        self.workers.push(Worker { child, log, number });
    }

    /// Moves a worker that has ended to the list of ended ones.
    fn retire(&mut self, index: usize) {
        let worker = self.workers.swap_remove(index);
        // The mapping stays. Its name is no longer needed.
        let _ = fs::remove_file(self.path(&format!("log-{}", worker.number)));
        self.ended.push((worker.number, worker.log));
    }

    /// Replaces workers whose logs are full.
    fn replace_ended(&mut self) {
        for index in (0..self.workers.len()).rev() {
            match self.workers[index].child.status() {
                Ok(None) => {}
                Ok(Some(status)) => {
                    if !status.success() {
                        let number = self.workers[index].number;
                        self.tally.violations.push(format!("worker {number} ended by itself: {status}"));
                    }
                    self.retire(index);
                    self.start();
                }
                Err(error) => self.tally.violations.push(format!("a worker cannot be waited for: {error}")),
            }
        }
    }

    /// Kills or stops one worker.
    fn strike(&mut self) {
        self.replace_ended();
        let index = self.random.usize(..self.workers.len());
        let kills_left = self.tally.kills < self.options.kills;
        let stops_left = self.tally.stops < self.options.stops;
        if stops_left && (!kills_left || self.random.u64(..2) == 0) {
            self.stop(index);
        } else if kills_left {
            self.kill(index);
        }
        std::thread::sleep(Duration::from_micros(self.random.u64(..1_500)));
    }

    fn kill(&mut self, index: usize) {
        self.workers[index].child.kill();
        self.tally.kills += 1;
        self.retire(index);
        self.start();
    }

    /// Stops a worker, waits until the others have made progress, and continues or kills it.
    fn stop(&mut self, index: usize) {
        let number = self.workers[index].number;
        self.workers[index].child.stop();
        self.tally.stops += 1;
        let before = self.noted(number);
        let started = Instant::now();
        while self.noted(number) < before + PROGRESS {
            std::thread::sleep(Duration::from_micros(50));
            // The stopped worker has not ended, so this replaces only others.
            self.replace_ended();
            if started.elapsed() > SOON {
                self.tally.violations.push(format!("while worker {number} is stopped nobody gets on"));
                break;
            }
        }
        match self.workers.iter().position(|worker| worker.number == number) {
            Some(index) if self.tally.kills < self.options.kills && self.random.u64(..4) == 0 => {
                self.kill(index);
            }
            Some(index) => self.workers[index].child.go_on(),
            // It had ended by itself before the signal.
            None => {}
        }
    }

    /// How many records all workers but this one have logged.
    fn noted(&self, but: u64) -> usize {
        let others = self.workers.iter().filter(|worker| worker.number != but);
        let ended: usize =
            self.ended.iter().filter(|(number, _)| *number != but).map(|(_, log)| log.len()).sum();
        others.map(|worker| worker.log.len()).sum::<usize>() + ended
    }

    /// Asks all workers to end, and waits for them.
    fn end_all(&mut self) {
        fs::write(self.path("stop"), "").expect("a file can be made");
        let started = Instant::now();
        for index in (0..self.workers.len()).rev() {
            let worker = &mut self.workers[index];
            while !worker.child.has_ended() {
                if started.elapsed() > SOON {
                    self.tally.violations.push(format!("worker {} does not end", worker.number));
                    break;
                }
                std::thread::sleep(Duration::from_micros(200));
            }
            self.retire(index);
        }
        let _ = fs::remove_file(self.path("stop"));
    }

    /// What the independent check finds on the board, which nobody uses.
    fn checker(&mut self) -> Option<Summary> {
        let words = words(&self.path("board")).expect("the board is there");
        let summary = sound(&words, &[]).map_err(|findings| {
            self.tally.violations.extend(findings.lines().take(20).map(str::to_owned));
        });
        summary.ok()
    }

    /// What all workers logged since the last moment of rest.
    fn heard(&mut self) -> Result<Heard, String> {
        let mut all = Heard::default();
        for (number, log) in self.ended.drain(..) {
            let records =
                log.records().ok_or_else(|| format!("the log of worker {number} cannot be read"))?;
            let heard = judge::heard(number, &records)?;
            all.calls.extend(heard.calls);
            all.lists.extend(heard.lists);
        }
        Ok(all)
    }
}
