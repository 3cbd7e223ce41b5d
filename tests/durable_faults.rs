//! Every call to the disk fails once, n = 1, 2, 3 … until none fails, in each way; and the power is cut after each. What was
//! acknowledged as synced is there afterwards, and the board goes on. An independent record says what was acknowledged.
//!
//! A *story* is what one or two processes do with a folder, as a board's keepers will: they go on after a failure.

use slateboard::durable::{Disk, Journal, Limits, Recovery, prune, recover};
use slateboard_kit::{
    disk::{Cut, Disk as Machine, FAULTS, Fault, Process},
    durable::{BOARD, SMALL, Truth, plan},
};
use std::sync::Arc;

/// Room for a few segments only, so that what is covered is removed.
const TIGHT: Limits = Limits { segment_bytes: 900, total_bytes: 6_000 };
const CUTS: [Cut; 8] = [
    Cut::Nothing,
    Cut::Everything,
    Cut::Bytes,
    Cut::Names,
    Cut::Some(1),
    Cut::Some(2),
    Cut::Some(3),
    Cut::Some(4),
];

/// A board, and what its processes were told.
struct Board {
    machine: Machine,
    truth: Truth,
    /// Up to this generation all is on disk, as they were told.
    acknowledged: u64,
}

/// One process: what it has open, and what it does at each beat.
struct Keeper {
    process: Arc<Process>,
    limits: Limits,
    journal: Option<Journal>,
    /// How many events the history has: older ones can be read no more.
    history: u64,
    saved: u64,
}

impl Keeper {
    fn new(process: Arc<Process>, limits: Limits, history: u64) -> Self {
        Self { process, limits, journal: None, history, saved: 0 }
    }

    fn disk(&self) -> Arc<dyn Disk> {
        Arc::clone(&self.process) as Arc<dyn Disk>
    }

    /// Drains, syncs, and tells the board. What fails is done at the next beat.
    fn sync(&mut self, board: &mut Board) -> slateboard::Result<()> {
        if self.journal.is_none() {
            self.journal = Some(board.truth.journal(&self.disk(), self.limits)?);
        }
        let Some(journal) = &mut self.journal else { return Ok(()) };
        let floor = board.truth.generation().saturating_sub(self.history);
        // What left the history must be in a snapshot before it is noted as a gap.
        if journal.due()? <= floor && self.saved < floor {
            self.saved = board.truth.save(&*self.process)?.map_or(self.saved, |saved| saved.generation);
            if self.saved < floor {
                return Ok(());
            }
            board.acknowledged = board.acknowledged.max(self.saved);
        }
        board.truth.drain(journal, floor, self.saved)?;
        board.acknowledged = board.acknowledged.max(journal.sync()?);
        Ok(())
    }

    fn save(&mut self, board: &mut Board) -> slateboard::Result<()> {
        if let Some(saved) = board.truth.save(&*self.process)? {
            self.saved = saved.generation;
            board.acknowledged = board.acknowledged.max(saved.generation);
            prune(&*self.process, BOARD, (board.truth.line, saved.generation), self.limits)?;
        }
        Ok(())
    }
}

/// One process syncs, rotates, saves and prunes.
fn one(board: &mut Board, process: Arc<Process>) {
    let mut keeper = Keeper::new(process, TIGHT, u64::MAX);
    for round in 0..10 {
        board.truth.changes(2);
        let _ = keeper.sync(board);
        if round % 3 == 2 {
            let _ = keeper.save(board);
        }
    }
}

/// Snapshots are all there is.
fn snapshots(board: &mut Board, process: Arc<Process>) {
    let mut keeper = Keeper::new(process, SMALL, u64::MAX);
    for _ in 0..5 {
        board.truth.changes(2);
        let _ = keeper.save(board);
    }
}

/// The history is short, so that a failure makes a gap.
fn short_history(board: &mut Board, process: Arc<Process>) {
    let mut keeper = Keeper::new(process, SMALL, 3);
    for _ in 0..8 {
        board.truth.changes(2);
        let _ = keeper.sync(board);
    }
}

/// Commands that append what is due and end, some with a sync.
fn commands(board: &mut Board, process: Arc<Process>) {
    for round in 0..8 {
        board.truth.change();
        let disk = Arc::clone(&process) as Arc<dyn Disk>;
        let Ok(mut journal) = board.truth.journal(&disk, SMALL) else { continue };
        let drained = board.truth.drain(&mut journal, 0, 0);
        if drained.and_then(|()| journal.push()).is_ok()
            && round % 3 == 2
            && let Ok(synced) = journal.sync()
        {
            board.acknowledged = board.acknowledged.max(synced);
        }
    }
}

/// One writer is stopped while another takes over; then both go on. The first is the one that fails.
fn takeover(board: &mut Board, process: Arc<Process>) {
    let mut first = Keeper::new(process, SMALL, u64::MAX);
    let mut second = Keeper::new(board.machine.process(), SMALL, u64::MAX);
    board.truth.changes(3);
    let _ = first.sync(board);
    for _ in 0..4 {
        board.truth.changes(2);
        let _ = second.sync(board);
    }
    let _ = second.save(board);
    for _ in 0..3 {
        board.truth.changes(2);
        let _ = first.sync(board);
        let _ = second.sync(board);
    }
}

/// As before, but the one that takes over fails.
fn taken_over(board: &mut Board, process: Arc<Process>) {
    let mut first = Keeper::new(board.machine.process(), SMALL, u64::MAX);
    board.truth.changes(3);
    let _ = first.sync(board);
    board.truth.changes(2);
    let mut second = Keeper::new(process, SMALL, u64::MAX);
    for _ in 0..3 {
        let _ = second.sync(board);
        board.truth.changes(2);
    }
    let _ = first.sync(board);
    let _ = first.save(board);
}

type Story = fn(&mut Board, Arc<Process>);
const STORIES: [(&str, Story); 6] = [
    ("one", one),
    ("snapshots", snapshots),
    ("short history", short_history),
    ("commands", commands),
    ("takeover", takeover),
    ("taken over", taken_over),
];

/// What the runs came to.
#[derive(Default, Debug)]
struct Tally {
    calls: u64,
    runs: u64,
    nothing: u64,
    recovered: u64,
    acknowledged: u64,
}

impl Tally {
    /// What a folder gives after a failure.
    fn judge(&mut self, board: &Board, what: &str) {
        self.runs += 1;
        let process = board.machine.process();
        match recover(&*process, BOARD, 1) {
            Ok(Recovery::Plan(plan)) => {
                let told = board.truth.judge(&plan, board.acknowledged);
                assert_eq!(told, 0, "{what}: {} were acknowledged, and {plan}", board.acknowledged);
                assert!(plan.last >= board.acknowledged, "{what}: {} and {plan}", board.acknowledged);
                assert!(plan.conflicts.is_empty(), "{what}: {plan}");
                self.recovered += 1;
                self.acknowledged += board.acknowledged;
            }
            Ok(Recovery::Nothing) => {
                assert_eq!(board.acknowledged, 0, "{what}: nothing is there");
                self.nothing += 1;
            }
            // Of the first files nothing was permanent but their names.
            Err(error) => {
                assert!(error.is_corrupt() && board.acknowledged == 0, "{what}: {error}");
                self.nothing += 1;
            }
        }
    }

    /// The next line of the board works, and loses nothing of this one.
    fn go_on(&mut self, board: Board, what: &str) {
        let (machine, process) = (board.machine.clone(), board.machine.process());
        let disk: Arc<dyn Disk> = Arc::clone(&process) as Arc<dyn Disk>;
        let Ok(Recovery::Plan(plan)) = recover(&*process, BOARD, 2) else { return };
        let (truth, journal) =
            board.truth.begin_line(&plan, &disk, SMALL).unwrap_or_else(|error| panic!("{what}: {error}"));
        drop(plan);
        let mut board = Board { acknowledged: 0, truth, machine };
        board.truth.changes(3);
        let mut keeper = Keeper { journal: Some(journal), ..Keeper::new(process, SMALL, u64::MAX) };
        keeper.sync(&mut board).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(board.acknowledged, board.truth.generation(), "{what}");
        board.machine.cut(Cut::Nothing);
        self.judge(&board, what);
        let mut keeper = Keeper::new(board.machine.process(), SMALL, u64::MAX);
        keeper.save(&mut board).unwrap_or_else(|error| panic!("{what}: {error}"));
        board.machine.cut(Cut::Nothing);
        self.judge(&board, what);
    }
}

/// Runs a story with the n-th call failing, for each n.
fn each_call(story: Story, name: &str, fault: Fault, for_ever: bool, tally: &mut Tally) {
    for call in 1.. {
        let run = || {
            let mut board = Board { machine: Machine::new(), truth: Truth::default(), acknowledged: 0 };
            let process = board.machine.failing(call, fault, for_ever);
            story(&mut board, Arc::clone(&process));
            (board, process.calls())
        };
        let (board, calls) = run();
        let what = format!("{name}, call {call}: {fault:?}");
        // The processes die, and the system goes on.
        board.machine.kill_all();
        tally.judge(&board, &what);
        tally.go_on(board, &what);
        for cut in CUTS {
            let (board, _) = run();
            board.machine.cut(cut);
            let what = format!("{what}, then {cut:?}");
            tally.judge(&board, &what);
            tally.go_on(board, &what);
        }
        tally.calls += 1;
        if calls < call {
            return;
        }
    }
}

fn all_faults(name: &str) {
    let story = STORIES.iter().find(|(known, _)| *known == name).unwrap().1;
    let mut tally = Tally::default();
    for fault in FAULTS {
        each_call(story, name, fault, false, &mut tally);
    }
    // A snapshot whose folder could not be synced, and whose name could not be removed either, is not told from others: alone,
    // it is lost if the power is cut after the recovery that used it.
    let for_ever: &[Fault] = if name == "snapshots" { &[] } else { &[Fault::NoSpace, Fault::Device] };
    for fault in for_ever {
        each_call(story, name, *fault, true, &mut tally);
    }
    println!("{name}: {tally:?}");
    assert!(tally.recovered > 1_000 && tally.acknowledged > 0, "{tally:?}");
}

#[test]
fn one_writer_loses_nothing_acknowledged() {
    all_faults("one");
}

#[test]
fn snapshots_alone_lose_nothing_acknowledged() {
    all_faults("snapshots");
}

#[test]
fn a_writer_with_a_short_history_loses_nothing_acknowledged() {
    all_faults("short history");
}

#[test]
fn commands_lose_nothing_acknowledged() {
    all_faults("commands");
}

#[test]
fn a_writer_that_was_stopped_loses_nothing_acknowledged() {
    all_faults("takeover");
}

#[test]
fn a_writer_that_takes_over_loses_nothing_acknowledged() {
    all_faults("taken over");
}

#[test]
fn a_story_without_a_failure_acknowledges_everything() {
    for (name, story) in STORIES {
        let mut board = Board { machine: Machine::new(), truth: Truth::default(), acknowledged: 0 };
        let process = board.machine.process();
        story(&mut board, process);
        let behind = board.truth.generation() - board.acknowledged;
        assert!(behind <= 2, "{name}: {behind} are not acknowledged");
        let process = board.machine.process();
        assert_eq!(board.truth.judge(&plan(&*process), board.acknowledged), 0, "{name}");
    }
}

/// Recovery itself is interrupted at each call, with damage that it has to put aside. The next one finds the same.
#[test]
fn a_recovery_that_fails_changes_nothing_that_the_next_needs() {
    let mut board = Board { machine: Machine::new(), truth: Truth::default(), acknowledged: 0 };
    let process = board.machine.process();
    one(&mut board, process);
    board.machine.kill_all();
    let newest = board.machine.names().into_iter().filter(|name| name.starts_with("snapshot")).max().unwrap();
    let mut bytes = board.machine.bytes(&newest);
    bytes[100] ^= 1;
    board.machine.set(&newest, &bytes);
    let (mut runs, mut failed) = (0, 0);
    for fault in FAULTS {
        for call in 1.. {
            let machine = board.machine.copy();
            let process = machine.failing(call, fault, false);
            failed += usize::from(recover(&*process, BOARD, 3).is_err());
            let is_over = process.calls() < call;
            machine.cut(CUTS[(call as usize) % CUTS.len()]);
            let process = machine.process();
            board.truth.judge(&plan(&*process), board.acknowledged);
            runs += 1;
            if is_over {
                break;
            }
        }
    }
    println!("recovery: {runs} runs, {failed} failed");
    assert!(failed > 20 && runs > failed, "{failed} of {runs}");
}

/// The board is recovered and goes on in the next line, and each call of that fails. Before the power was cut, the last events
/// were only in the system's memory.
#[test]
fn a_line_that_begins_loses_nothing_of_the_one_before() {
    let mut tally = Tally::default();
    for fault in FAULTS {
        for (call, cut) in (1..).flat_map(|call| CUTS.map(|cut| (call, cut))) {
            let mut board = Board { machine: Machine::new(), truth: Truth::default(), acknowledged: 0 };
            let process = board.machine.process();
            commands(&mut board, process);
            board.machine.kill_all();
            let process = board.machine.failing(call, fault, false);
            let disk: Arc<dyn Disk> = Arc::clone(&process) as Arc<dyn Disk>;
            if let Ok(Recovery::Plan(plan)) = recover(&*process, BOARD, 3)
                && let Ok((truth, journal)) = board.truth.clone().begin_line(&plan, &disk, SMALL)
            {
                // The journal that was begun has everything up to here on disk.
                (board.acknowledged, board.truth) = (journal.synced(), truth);
                board.truth.changes(2);
                let mut keeper = Keeper { journal: Some(journal), ..Keeper::new(process.clone(), SMALL, 9) };
                let _ = keeper.sync(&mut board);
            }
            let is_over = process.calls() < call;
            let what = format!("the next line, call {call}: {fault:?}, then {cut:?}");
            board.machine.cut(cut);
            tally.judge(&board, &what);
            tally.go_on(board, &what);
            tally.calls = tally.calls.max(call);
            if is_over && cut == CUTS[CUTS.len() - 1] {
                break;
            }
        }
    }
    println!("the next line: {tally:?}");
    assert!(tally.recovered > 1_000, "{tally:?}");
}

/// The writer of a snapshot was killed before it had synced the folder. A recovery uses the snapshot, and each of its calls is
/// the last before the power is cut.
#[test]
fn the_name_of_a_snapshot_is_on_disk_before_a_line_counts_on_it() {
    let truth = || {
        let mut truth = Truth::default();
        truth.changes(3);
        truth
    };
    let saving = |call| {
        let machine = Machine::new();
        let _ = truth().save(&*machine.failing(call, Fault::DiesAfter, false));
        machine
    };
    let renamed = (1..).find(|call| saving(*call).names() == ["snapshot-0-3"]).unwrap();
    let mut tally = Tally::default();
    for (call, cut) in (1..).flat_map(|call| CUTS.map(|cut| (call, cut))) {
        let machine = saving(renamed);
        let process = machine.failing(call, Fault::DiesAfter, false);
        let disk: Arc<dyn Disk> = Arc::clone(&process) as Arc<dyn Disk>;
        let is_begun = match recover(&*process, BOARD, 3) {
            Ok(Recovery::Plan(plan)) => truth().begin_line(&plan, &disk, SMALL).is_ok(),
            _ => false,
        };
        machine.cut(cut);
        // The line is there only together with the snapshot.
        let is_there = machine.names().iter().any(|name| name.starts_with("journal-1"));
        let acknowledged = if is_begun || is_there { 3 } else { 0 };
        tally.judge(&Board { machine, truth: truth(), acknowledged }, &format!("call {call}, {cut:?}"));
        if process.calls() < call && cut == CUTS[CUTS.len() - 1] {
            break;
        }
    }
    assert!(tally.runs > 100 && tally.acknowledged > 0, "{tally:?}");
}
