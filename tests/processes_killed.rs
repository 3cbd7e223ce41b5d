//! Processes that are killed: what they were told happened has happened, and what they held is freed.
//!
//! The other processes are this test program again, running one of the `as_…` tests below, which do nothing
//! unless they are given a role.

use nix::sys::{
    signal::{Signal, kill},
    wait::WaitStatus,
};
use slateboard::{
    Board, ErrorKind, Liveness, MutationKind, Newer, PutOptions, Session, layout::session as record,
};
use slateboard_kit::{
    children::{Child, SOON, ends, forked, role, say, stay},
    judge,
    places::{folder, rounds, small},
    random::Random,
};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::mpsc::{self, TryRecvError},
    time::Duration,
};

const EPHEMERAL: PutOptions = PutOptions::new().ephemeral(true);

/// Beats that never come: then nobody is reaped but by attaching.
const SELDOM: Duration = Duration::from_secs(3600);

/// What the victim does next: to which of its keys, and what it makes of it.
#[derive(Clone, Debug)]
struct Step {
    key: String,
    deed: Deed,
}

#[derive(Clone, PartialEq, Debug)]
enum Deed {
    Put(Vec<u8>),
    Bind(Vec<u8>),
    Remove,
}

/// The steps of a round, endless: the victim takes them, and the test knows them.
fn steps(round: u64) -> impl Iterator<Item = Step> {
    let mut random = Random::with_seed(round);
    std::iter::repeat_with(move || {
        let key = format!("victim/{}", random.u64(..12));
        let byte = random.u8(..);
        let deed = match random.u64(..10) {
            0..4 => Deed::Put(vec![byte; random.usize(..300)]),
            // Larger than an extent: a chain of pieces.
            4 | 5 => Deed::Put(vec![byte; 16_000 + random.usize(..30_000)]),
            6 => Deed::Bind(vec![byte; random.usize(..300)]),
            7 => Deed::Bind(vec![byte; 16_000 + random.usize(..10_000)]),
            _ => Deed::Remove,
        };
        Step { key, deed }
    })
}

fn take(session: &Session, step: &Step) {
    let done = match &step.deed {
        Deed::Put(value) => session.put(&step.key, value).map(|_| ()),
        Deed::Bind(value) => session.put_with(&step.key, value, EPHEMERAL).map(|_| ()),
        Deed::Remove => session.remove(&step.key).map(|_| ()),
    };
    done.unwrap_or_else(|error| panic!("{step:?}: {error}"));
}

#[test]
fn as_victim() {
    let Some((path, round)) = role() else { return };
    let session = Board::open(&path).unwrap().attach("victim").unwrap();
    for (n, step) in steps(round.parse().unwrap()).enumerate() {
        take(&session, &step);
        say(&format!("done {n}"));
    }
}

/// What the victim's keys have after the steps that it is known to have taken, and what the one key may have
/// instead whose step was under way.
struct Known {
    keys: BTreeMap<String, Deed>,
    under_way: Option<Step>,
}

impl Known {
    fn new() -> Self {
        Self { keys: BTreeMap::new(), under_way: None }
    }

    /// Waits for some steps, kills the victim, and learns how far it came.
    fn kill(&mut self, victim: &mut Child, round: u64, random: &mut Random) {
        let wanted = random.u64(..60);
        let mut taken = 0;
        let mut learn = |said: Option<String>| {
            taken = said.as_ref().map_or(taken, |n| n.parse::<u64>().unwrap() + 1);
            said.is_some()
        };
        for _ in 0..=wanted {
            assert!(learn(victim.hear("done ")), "the victim ended by itself in round {round}");
        }
        (0..random.u64(..50_000)).for_each(|_| std::hint::spin_loop());
        victim.kill();
        while learn(victim.hear("done ")) {}
        let mut steps = steps(round);
        for step in steps.by_ref().take(taken as usize) {
            self.keys.insert(step.key, step.deed);
        }
        self.under_way = steps.next();
    }

    /// The reaped victim's keys have what is known, and bound ones are gone.
    fn check(&mut self, session: &Session, round: u64) {
        let under_way = self.under_way.take();
        for n in 0..12 {
            let key = format!("victim/{n}");
            let found = session.get(&key).unwrap().map(|entry| entry.value);
            let known = self.keys.get(&key).and_then(Deed::left);
            let maybe = under_way.as_ref().filter(|step| step.key == key).map(|step| step.deed.left());
            let same = found.as_ref() == known || maybe.is_some_and(|left| found.as_ref() == left);
            let show = |value: Option<&Vec<u8>>| value.map(|value| (value.len(), value.first().copied()));
            assert!(same, "round {round}, {key}: {:?} is not {:?}", show(found.as_ref()), show(known));
            self.keys.insert(key, found.map_or(Deed::Remove, Deed::Put));
        }
    }
}

impl Deed {
    /// What is left of it when its session has been reaped.
    fn left(&self) -> Option<&Vec<u8>> {
        match self {
            Deed::Put(value) => Some(value),
            Deed::Bind(_) | Deed::Remove => None,
        }
    }
}

#[test]
fn a_process_killed_at_any_moment_loses_and_leaks_nothing() {
    let (_folder, path) = folder();
    let options = small().beat(SELDOM);
    let board = options.clone().create(&path).unwrap();
    let mut random = Random::with_seed(0x51a7e);
    let mut known = Known::new();
    let mut generation = 0;
    for round in 0..u64::from(rounds(60)) {
        let mut victim = Child::start("as_victim", &path, &round.to_string());
        let survivor = options.clone().open(&path).unwrap().attach("survivor").unwrap();
        // Who was there all the time goes on, before the kill and beside the corpse.
        std::thread::scope(|scope| {
            // Inside, so that a failing test disconnects it and ends the thread.
            let (_stop, stopped) = mpsc::channel::<()>();
            let survivor = &survivor;
            scope.spawn(move || go_on(survivor, &stopped));
            known.kill(&mut victim, round, &mut random);
        });
        let next = board.attach("next").unwrap();
        assert!(board.sessions().unwrap().iter().all(|info| info.name != "victim"), "not reaped");
        known.check(&next, round);
        drop((next, survivor));
        judge::assert_sound(&path);
        assert!(board.generation() >= generation);
        generation = board.generation();
        check_history(&board);
    }
    assert!(board.metrics().unwrap().totals.reaped >= u64::from(rounds(60)));
    check_that_it_holds_as_much_as_a_new_one(&board, &path);
}

/// Writes and reads until it is told to stop, and some more.
fn go_on(survivor: &Session, stopped: &mpsc::Receiver<()>) {
    let mut left = 70;
    for n in 0u64.. {
        let (key, value) = (format!("task/{}", n % 7), n.to_string());
        survivor.put(&key, &value).unwrap();
        assert_eq!(survivor.get(&key).unwrap().unwrap().text(), Some(value.as_str()));
        left -= i32::from(left < 70 || stopped.try_recv() == Err(TryRecvError::Disconnected));
        if left == 0 {
            return;
        }
    }
}

/// The history is dense, and the versions of each key rise by one in it.
fn check_history(board: &Board) {
    let mut versions = BTreeMap::new();
    let mut expected = board.floor();
    for event in board.reader().events(expected) {
        let event = event.unwrap();
        expected += 1;
        assert_eq!(event.generation, expected);
        let mutation = &event.mutations[0];
        if let Some(before) = versions.insert(mutation.key.clone(), mutation.version) {
            assert_eq!(mutation.version, before + 1, "{}", mutation.key);
        }
    }
    assert_eq!(expected, board.generation());
}

fn check_that_it_holds_as_much_as_a_new_one(board: &Board, path: &Path) {
    let fill = |board: &Board| {
        let session = board.attach("filler").unwrap();
        for entry in session.list("").into_vec().unwrap() {
            session.remove(&entry.key).unwrap();
        }
        for _ in 0..200 {
            session.put("lap", b"").unwrap();
        }
        (0..).take_while(|n| session.put(&format!("fill/{n}"), vec![1; 50_000]).is_ok()).count()
    };
    let fresh = small().create(path.with_file_name("fresh")).unwrap();
    // Tombstones that have not been retired hold a few extents of the smallest blocks.
    let (worn, fresh) = (fill(board), fill(&fresh));
    assert!(worn + 2 >= fresh, "{worn} values on the worn board, {fresh} on a new one");
}

#[test]
fn as_holder() {
    let Some((path, name)) = role() else { return };
    let session = small().beat(SELDOM).open(&path).unwrap().attach(&name).unwrap();
    session.put_with(&format!("claim/{name}"), &name, EPHEMERAL).unwrap();
    session.put(&format!("plain/{name}"), &name).unwrap();
    let lease = session.lease(&format!("lease/{name}"), SOON).unwrap();
    say(&format!("holding {}", lease.token()));
    stay();
}

#[test]
fn ephemerals_and_leases_end_with_a_killed_process() {
    let (_folder, path) = folder();
    let board = small().beat(Duration::from_millis(5)).create(&path).unwrap();
    let session = board.attach("heir").unwrap();
    let mut holder = Child::start("as_holder", &path, "x");
    let token: u64 = holder.hear("holding ").unwrap().parse().unwrap();
    let version = session.get("claim/x").unwrap().unwrap().version;
    let held = session.lease("lease/x", SOON).err().unwrap();
    assert_eq!((held.kind(), held.current().unwrap().text()), (ErrorKind::Held, Some("x")));

    // A stopped holder is not a dead one, whatever the beats say.
    holder.stop();
    let beats = Duration::from_millis(50);
    assert!(session.wait_newer("claim/x", version, beats).unwrap().is_none());
    assert_eq!(session.lease("lease/x", SOON).err().unwrap().kind(), ErrorKind::Held);

    holder.kill();
    assert_eq!(session.wait_newer("claim/x", version, SOON).unwrap(), Some(Newer::Removed), "by the keeper");
    let old = session.get("lease/x").unwrap().map_or(0, |entry| entry.version);
    assert!(old == 0 || session.wait_newer("lease/x", old, SOON).unwrap() == Some(Newer::Removed));
    // The events say whose entries ended, and that it was death.
    let ended = |key: &str| {
        let mut events = session.events(session.floor()).map(Result::unwrap);
        events.find(|event| event.mutations[0].key == key && event.mutations[0].value.is_none())
    };
    for key in ["claim/x", "lease/x"] {
        let event = ended(key).unwrap();
        assert_eq!(
            (event.session.name.as_str(), event.mutations[0].kind),
            ("x", MutationKind::Died),
            "{key}"
        );
    }
    let lease = session.lease("lease/x", SOON).unwrap();
    assert!(lease.token() > token);
    assert_eq!(session.get("plain/x").unwrap().unwrap().text(), Some("x"), "what was not bound stays");
    assert_eq!(session.get("plain/x").unwrap().unwrap().writer.name, "x", "its writer keeps its name");
}

#[test]
fn as_large() {
    let Some((path, name)) = role() else { return };
    let session = small().beat(SELDOM).open(&path).unwrap().attach(&name).unwrap();
    say("writing");
    for turn in 0u64.. {
        session.put(&format!("large/{}", turn % 4), vec![turn as u8; 16_000]).unwrap();
    }
}

/// Writers of large values are killed anywhere: what the board says that its history holds is what it holds.
#[test]
fn what_the_history_holds_is_counted_exactly_after_kills() {
    let (_folder, path) = folder();
    let board = small().beat(SELDOM).create(&path).unwrap();
    let mut random = Random::with_seed(31);
    for round in 0..rounds(25) {
        let mut large = Child::start("as_large", &path, "x");
        assert!(large.says("writing"));
        std::thread::sleep(Duration::from_micros(random.u64(..3_000)));
        large.kill();
        // Whoever attaches reaps; the check of the bytes compares the sums with the events.
        drop(board.attach("heir").unwrap());
        let summary = judge::assert_sound(&path);
        assert!(summary.blocks.history > 0, "nothing was superseded until kill {round}");
    }
}

#[test]
fn as_polite() {
    let Some((path, name)) = role() else { return };
    let board = small().beat(SELDOM).end_on_signals(true).open(&path).unwrap();
    // The handlers of a session that ended before are gone with it.
    board.attach("before").unwrap().detach();
    let session = board.attach(&name).unwrap();
    let _others: Vec<Session> = (0..5).map(|_| board.attach("other").unwrap()).collect();
    session.put_with("claim/x", &name, EPHEMERAL).unwrap();
    session.put("plain/x", &name).unwrap();
    say("holding");
    stay();
}

/// Whether this process, and so its children, ignores the signal.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(ignored.trim(), 16).unwrap() >> (signal as i32 - 1) & 1 == 1
}

#[test]
fn a_signal_ends_the_session_in_good_order_and_then_the_process() {
    // Whoever starts a process may have it ignore a signal, as a shell does with SIGINT for what it runs in the background.
    for signal in [Signal::SIGTERM, Signal::SIGINT].into_iter().filter(|&signal| !is_ignored(signal)) {
        let (_folder, path) = folder();
        let board = small().create(&path).unwrap();
        let mut polite = Child::start("as_polite", &path, "x");
        assert!(polite.says("holding"));
        let ended = polite.ask_to_end(signal);
        assert!(matches!(ended, WaitStatus::Signaled(_, by, _) if by == signal), "{ended:?}");
        // Nobody was there to reap it.
        assert!(board.sessions().unwrap().is_empty());
        let reader = board.read_only().unwrap();
        assert!(reader.get("claim/x").unwrap().is_none(), "what was bound to the session is gone");
        assert_eq!(reader.get("plain/x").unwrap().unwrap().text(), Some("x"));
    }
}

#[test]
fn as_polite_parent() {
    let Some((path, _)) = role() else { return };
    let options = small().beat(SELDOM).end_on_signals(true);
    let session = options.clone().open(&path).unwrap().attach("parent").unwrap();
    let idle = forked(stay);
    let attached = forked(|| {
        let child = options.open(&path).unwrap().attach("child").unwrap();
        child.put_with("claim/child", b"", EPHEMERAL).unwrap();
        stay();
    });
    session.wait_newer("claim/child", 0, SOON).unwrap().unwrap();
    for child in [idle, attached] {
        kill(child, Signal::SIGTERM).unwrap();
        assert!(ends(child), "nobody looks for the signals that a child catches");
    }
    assert!(session.get("claim/child").unwrap().is_none(), "the child's session ended in good order");
    session.detach();
    say("detached");
    stay();
}

#[test]
fn a_signal_ends_a_process_that_has_no_session_and_a_forked_child() {
    let (_folder, path) = folder();
    small().create(&path).unwrap();
    let mut parent = Child::start("as_polite_parent", &path, "");
    assert!(parent.says("detached"));
    let ended = parent.ask_to_end(Signal::SIGTERM);
    assert!(matches!(ended, WaitStatus::Signaled(_, Signal::SIGTERM, _)), "{ended:?}");
}

#[test]
fn a_plain_put_by_another_outlives_the_binding() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("heir").unwrap();
    let mut holder = Child::start("as_holder", &path, "x");
    assert!(holder.says("holding "));
    session.put("claim/x", b"taken over").unwrap();
    holder.kill();
    let _next = board.attach("next").unwrap();
    assert_eq!(session.get("claim/x").unwrap().unwrap().value, b"taken over");
    assert!(session.get("lease/x").unwrap().is_none());
}

#[test]
fn records_of_killed_processes_are_taken_over() {
    let (_folder, path) = folder();
    let board = small().beat(SELDOM).create(&path).unwrap();
    let mut holders: Vec<_> = (0..8).map(|n| Child::start("as_holder", &path, &format!("h{n}"))).collect();
    assert!(holders.iter_mut().all(|holder| holder.says("holding ")));
    let error = board.attach("ninth").unwrap_err();
    assert!(error.is_full() && error.to_string().contains("all 8 session records"), "{error}");
    let before = board.sessions().unwrap();
    assert_eq!(before.len(), 8);
    assert!(before.iter().all(|info| info.liveness == Liveness::Alive));
    assert!(before.iter().all(|info| holders.iter().any(|holder| holder.pid().as_raw() as u32 == info.pid)));

    holders.iter().for_each(Child::kill);
    let dead = board.sessions().unwrap();
    assert!(dead.len() == 8 && dead.iter().all(|info| info.liveness == Liveness::Dead));
    let session = board.attach("ninth").unwrap();
    let after = board.sessions().unwrap();
    assert_eq!((after.len(), after[0].name.as_str()), (1, "ninth"), "attaching reaps all of them");
    assert_eq!((after[0].index, after[0].incarnation), (0, before[0].incarnation + 1));
    assert!(
        session.list("claim/").into_vec().unwrap().is_empty()
            && session.list("lease/").into_vec().unwrap().is_empty()
    );
    assert_eq!(session.list("plain/").into_vec().unwrap().len(), 8);
    let _others: Vec<_> = (0..7).map(|n| board.attach(&format!("s{n}")).unwrap()).collect();
}

#[test]
fn a_session_whose_record_was_ended_is_fenced() {
    let (_folder, path) = folder();
    let board = small().create(&path).unwrap();
    let session = board.attach("evicted").unwrap();
    session.put_with("claim", b"", EPHEMERAL).unwrap();
    let key = session.key("claim").unwrap();
    {
        let file = slateboard::region::open(&path, slateboard::region::Access::ReadWrite).unwrap();
        let at = file.geometry.session(session.index().into()) + record::INCARNATION;
        let ended = record::incarnation_word(session.incarnation(), false);
        file.mapping.words()[at].store(ended, slateboard::sync::Ordering::Relaxed);
    }
    assert!(session.put("x", b"").unwrap_err().is_fenced());
    assert!(session.remove("claim").unwrap_err().is_fenced());
    assert!(key.put(b"").unwrap_err().is_fenced());
    assert!(session.lease("lease", SOON).err().unwrap().is_fenced());
    let error = session.update("x", |_| "1").unwrap_err();
    assert!(error.is_fenced() && error.to_string().contains("attach again"), "{error}");
    assert!(session.get("claim").unwrap().is_some(), "reading is free");
    drop((key, session));
    board.attach("again").unwrap().put("x", b"").unwrap();
}
