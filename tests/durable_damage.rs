//! Files are cut at every length, and every bit of them is flipped. No wrong value comes back, and no older value without being
//! told. The golden files are what this version of the format wrote; every later build must read them.

use slateboard::durable::{Disk, Limits, Recovery, Save, Snapshot, frame::HEAD_BYTES, recover};
use slateboard_kit::{
    disk::Disk as Machine,
    durable::{BOARD, SMALL, Truth, author, plan},
};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// A folder, and the board that wrote it.
struct World {
    name: &'static str,
    machine: Machine,
    truth: Truth,
}

/// Nine changes, each synced by itself; snapshots after some of them.
fn world(name: &'static str, snapshots: &[u64], limits: Limits) -> World {
    let (machine, mut truth) = (Machine::new(), Truth::default());
    let disk: Arc<dyn Disk> = machine.process();
    let mut journal = truth.journal(&disk, limits).unwrap();
    for generation in 1..=9 {
        truth.change();
        truth.drain(&mut journal, 0, 0).unwrap();
        journal.sync().unwrap();
        if snapshots.contains(&generation) {
            truth.save(&*disk).unwrap();
        }
    }
    drop(journal);
    World { name, machine, truth }
}

/// Snapshots and a journal of several segments, a journal alone, snapshots alone.
fn worlds() -> [World; 3] {
    let alone = world("snapshots alone", &[3, 9], Limits::default());
    let process = alone.machine.process();
    for name in alone.machine.names().iter().filter(|name| name.starts_with("journal")) {
        process.remove(name).unwrap();
    }
    [world("both", &[3, 6], SMALL), world("a journal alone", &[], SMALL), alone]
}

/// What came of the damage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    /// Nothing is missing, and nothing was noticed: nobody needed those bytes.
    Harmless,
    /// Nothing is missing, and the damage was told.
    Noticed,
    /// Generations that may be missing were named.
    Told,
    /// An error instead of a board.
    Refused,
    /// The file ends after a frame: as if its writer had got no further.
    CleanEnd,
}

impl World {
    /// What comes of other bytes in one file.
    fn outcome(&self, name: &str, bytes: &[u8], is_whole: bool) -> Outcome {
        let machine = self.machine.copy();
        machine.set(name, bytes);
        let process = machine.process();
        let plan = match recover(&*process, BOARD, 1) {
            Ok(Recovery::Plan(plan)) => plan,
            Ok(Recovery::Nothing) => panic!("{name}: an empty board in silence"),
            Err(error) => {
                assert!(error.is_corrupt(), "{name}: {error}");
                return Outcome::Refused;
            }
        };
        let is_noticed = plan.damaged > 0 || plan.doubt.is_some() || !plan.aside.is_empty();
        if is_whole && plan.last < self.truth.generation() && plan.known == plan.last && !is_noticed {
            self.truth.judge(&plan, plan.last);
            return Outcome::CleanEnd;
        }
        match self.truth.judge(&plan, self.truth.generation()) {
            0 if is_noticed => Outcome::Noticed,
            0 => Outcome::Harmless,
            _ => Outcome::Told,
        }
    }
}

/// Where frames end, by the format's page.
fn ends(bytes: &[u8]) -> Vec<usize> {
    let mut ends = vec![HEAD_BYTES];
    let mut at = HEAD_BYTES;
    while at < bytes.len() {
        let shape = u32::from_le_bytes(bytes[at + 12..at + 16].try_into().unwrap());
        at += 24 + ((shape & 0x7ff_ffff) as usize).next_multiple_of(8);
        ends.push(at);
    }
    ends
}

type Counts = BTreeMap<Outcome, u64>;

fn print(what: &str, world: &World, name: &str, counts: &Counts) {
    println!("{what}, {}, {name}: {counts:?}", world.name);
}

#[test]
fn a_file_that_is_cut_anywhere_gives_no_older_value_in_silence() {
    for world in worlds() {
        for name in world.machine.names() {
            let bytes = world.machine.bytes(&name);
            let ends = ends(&bytes);
            let mut counts = Counts::new();
            for length in 0..bytes.len() {
                let is_whole = name.starts_with("journal") && ends.contains(&length);
                *counts.entry(world.outcome(&name, &bytes[..length], is_whole)).or_default() += 1;
            }
            print("cut", &world, &name, &counts);
            let clean = counts.get(&Outcome::CleanEnd).copied().unwrap_or_default();
            assert!(clean <= ends.len() as u64, "{counts:?}");
        }
    }
}

#[test]
fn a_bit_that_is_flipped_gives_no_wrong_value_and_no_older_one_in_silence() {
    for world in worlds() {
        for name in world.machine.names() {
            let bytes = world.machine.bytes(&name);
            let mut counts = Counts::new();
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                *counts.entry(world.outcome(&name, &flipped, false)).or_default() += 1;
            }
            print("flipped", &world, &name, &counts);
            // An older snapshot is not read while the newest is sound.
            let is_read = name != "snapshot-0-3";
            assert_eq!(counts.contains_key(&Outcome::Harmless), !is_read, "{name}: {counts:?}");
        }
    }
}

/// Damage in the middle of a segment takes only what it hit.
#[test]
fn behind_a_damaged_frame_the_journal_goes_on() {
    let world = world("one segment", &[], Limits::default());
    let bytes = world.machine.bytes("journal-0-1-0");
    // The third event: behind each there is a note that it was synced.
    let frame = ends(&bytes)[4];
    for (at, what) in [(frame + 13, "its head"), (frame + 30, "its payload")] {
        let machine = world.machine.copy();
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        machine.set("journal-0-1-0", &damaged);
        let process = machine.process();
        let plan = plan(&*process);
        assert_eq!((world.truth.judge(&plan, 9), plan.last), (1, 9), "{what}");
        assert!(plan.to_string().contains("3 to 3 may be missing"), "{what}: {plan}");
    }
}

/// A frame is valid at its own place only.
#[test]
fn a_frame_of_another_place_or_file_is_none() {
    let world = world("one segment", &[], Limits::default());
    let bytes = world.machine.bytes("journal-0-1-0");
    let ends = ends(&bytes);
    let mut moved = bytes[..ends[2]].to_vec();
    moved.extend_from_slice(&bytes[ends[4]..]);
    assert_eq!(world.outcome("journal-0-1-0", &moved, false), Outcome::Told);
    // The same events, in a file with another salt.
    let (machine, truth) = (Machine::new(), world.truth.clone());
    let author = slateboard::durable::Author { salt: 99, ..author(0) };
    let disk: Arc<dyn Disk> = machine.process();
    let mut journal = slateboard::durable::Journal::open(&disk, &author, Limits::default(), 0).unwrap();
    truth.drain(&mut journal, 0, 0).unwrap();
    journal.sync().unwrap();
    let mut mixed = bytes[..HEAD_BYTES].to_vec();
    mixed.extend_from_slice(&machine.bytes("journal-0-1-0")[HEAD_BYTES..]);
    assert_eq!(world.outcome("journal-0-1-0", &mixed, false), Outcome::Told);
}

fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/durable-1")
}

/// `SLATE_GOLDEN=write` writes the files anew, for the next version of the format.
#[test]
fn golden_files_are_read_and_would_be_written_the_same() {
    let world = world("golden", &[], Limits::default());
    let process = world.machine.process();
    let save = |generation, is_packing| {
        let mut save = Save::begin(&*process, &author(0), generation).unwrap().unwrap().packing(is_packing);
        for change in world.truth.entries(generation).values() {
            save.entry(&change.record()).unwrap();
        }
        save.finish(&world.truth.about()).unwrap().name
    };
    let names = [save(6, false), save(8, true), "journal-0-1-0".into()];
    let is_packed = |name: &str| name == names[1];
    if std::env::var_os("SLATE_GOLDEN").is_some() {
        std::fs::create_dir_all(golden()).unwrap();
        names.iter().for_each(|name| std::fs::write(golden().join(name), world.machine.bytes(name)).unwrap());
    }
    let machine = Machine::new();
    for name in &names {
        let bytes = std::fs::read(golden().join(name)).unwrap();
        // What a packed chunk looks like is the packer's matter.
        assert!(is_packed(name) || bytes == world.machine.bytes(name), "{name} would be written otherwise");
        machine.set(name, &bytes);
    }
    let process = machine.process();
    let plan_of_both = plan(&*process);
    assert_eq!((world.truth.judge(&plan_of_both, 9), plan_of_both.last), (0, 9));
    assert_eq!(plan_of_both.snapshot().map(Snapshot::name), Some("snapshot-0-8"));
    drop(plan_of_both);
    process.remove("snapshot-0-8").unwrap();
    assert_eq!(world.truth.judge(&plan(&*process), 9), 0);
    process.remove("snapshot-0-6").unwrap();
    assert_eq!(world.truth.judge(&plan(&*process), 9), 0);
}
