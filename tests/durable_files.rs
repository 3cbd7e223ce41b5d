//! Snapshots, the journal and recovery, as they are when nothing fails: one property in each test. What happens when calls
//! fail is in `durable_faults`, and when bytes are damaged in `durable_damage`.

use slateboard::durable::{
    Disk, Folder, Journal, Limits, Record, Recovery, Save, Snapshot,
    aside::put_aside,
    journal::EPOCHS,
    prune, recover,
    save::{CHUNK_BYTES, SAVING},
};
use slateboard::{ErrorKind, Result};
use slateboard_kit::{
    disk::{Cut, Disk as Machine, Fault},
    durable::{BOARD, SMALL, Truth, author, plan},
};
use std::sync::Arc;

/// A process of a machine with an empty folder.
fn empty() -> (Machine, Arc<dyn Disk>) {
    let machine = Machine::new();
    let process = machine.process();
    (machine, process)
}

fn board(changes: u64) -> Truth {
    let mut truth = Truth::default();
    truth.changes(changes);
    truth
}

/// Appends and syncs everything.
fn sync(truth: &Truth, journal: &mut Journal) -> u64 {
    truth.drain(journal, 0, 0).unwrap();
    journal.sync().unwrap()
}

fn named<'n>(names: &'n [String], begin: &str) -> Vec<&'n str> {
    names.iter().map(|name| &**name).filter(|name| name.starts_with(begin)).collect()
}

#[test]
fn snapshot_and_journal_come_back_from_a_real_folder() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(Folder::open(folder.path()).unwrap());
    let mut truth = board(10);
    let mut journal = truth.journal(&disk, SMALL)?;
    sync(&truth, &mut journal);
    let saved = truth.save(&*disk)?.unwrap();
    truth.changes(10);
    sync(&truth, &mut journal);
    let plan = plan(&*disk);
    assert_eq!((saved.generation, plan.last, plan.events), (10, 20, 10));
    let footer = plan.snapshot().unwrap().footer();
    assert_eq!((footer.is_exact, footer.version_base, &*footer.shape), (true, 10, &b"shape"[..]));
    assert_eq!((truth.judge(&plan, 20), &plan.doubt), (0, &None));
    assert!(plan.to_string().starts_with("generations up to 20 are there, from snapshot-0-10 and 10 later"));
    Ok(())
}

#[test]
fn an_empty_folder_has_nothing_and_that_is_no_error() {
    let (_, disk) = empty();
    assert!(matches!(recover(&*disk, BOARD, 1), Ok(Recovery::Nothing)));
}

#[test]
fn a_journal_alone_is_enough() {
    let (_, disk) = empty();
    let truth = board(30);
    assert_eq!(sync(&truth, &mut truth.journal(&disk, SMALL).unwrap()), 30);
    assert_eq!(truth.judge(&plan(&*disk), 30), 0);
}

#[test]
fn the_last_three_snapshots_stay() {
    let (machine, disk) = empty();
    let mut truth = board(0);
    for _ in 0..5 {
        truth.changes(3);
        truth.save(&*disk).unwrap();
    }
    assert_eq!(named(&machine.names(), "snapshot"), ["snapshot-0-12", "snapshot-0-15", "snapshot-0-9"]);
}

#[test]
fn one_process_at_a_time_saves_or_recovers() {
    let (machine, disk) = empty();
    let truth = board(3);
    let other = machine.process();
    let held = other.lock(SAVING).unwrap();
    assert!(truth.save(&*disk).unwrap().is_none());
    assert_eq!(recover(&*disk, BOARD, 1).unwrap_err().kind(), ErrorKind::Contended);
    drop(held);
    assert!(truth.save(&*disk).unwrap().is_some());
}

#[test]
fn a_byte_is_locked_once_and_until_it_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Folder::open(folder.path()).unwrap();
    let (one, other) = (open(), open());
    let held = one.lock(SAVING).unwrap();
    assert!(held.is_some());
    assert!(other.lock(SAVING).unwrap().is_none() && one.lock(SAVING).unwrap().is_none());
    assert!(other.lock(EPOCHS).unwrap().is_some());
    drop(held);
    assert!(other.lock(SAVING).unwrap().is_some());
}

#[test]
fn what_a_killed_writer_left_is_removed_by_the_next() {
    let (machine, disk) = empty();
    let truth = board(3);
    machine.set("snapshot-0-2.new", b"half of a snapsh");
    machine.set("notes.new", b"the user's own");
    truth.save(&*disk).unwrap();
    assert_eq!(machine.names(), ["notes.new", "snapshot-0-3"]);
}

#[test]
fn a_save_that_is_given_up_leaves_nothing() {
    let (machine, disk) = empty();
    let mut save = Save::begin(&*disk, &author(0), 1).unwrap().unwrap();
    save.entry(&board(1).at(1).unwrap().record()).unwrap();
    drop(save);
    assert_eq!(machine.names(), Vec::<String>::new());
    assert!(disk.lock(SAVING).unwrap().is_some());
}

#[test]
fn long_values_and_many_chunks_come_back() {
    for is_packing in [false, true] {
        let (machine, disk) = empty();
        let mut truth = board(0);
        // Three lengths around a chunk, one that is longer than 64 chunks, and one that cannot be packed.
        for (at, length) in [CHUNK_BYTES - 90, CHUNK_BYTES, 2 * CHUNK_BYTES, 16 << 20].into_iter().enumerate()
        {
            truth.put(&format!("long/{at}"), Some(vec![at as u8; length]));
        }
        let mut random = slateboard_kit::random::Random::with_seed(1);
        truth.put("random", Some(std::iter::repeat_with(|| random.u8(..)).take(100_000).collect()));
        let mut save =
            Save::begin(&*disk, &author(0), truth.generation()).unwrap().unwrap().packing(is_packing);
        for change in truth.entries(truth.generation()).values() {
            save.entry(&change.record()).unwrap();
        }
        let saved = save.finish(&truth.about()).unwrap();
        assert_eq!(is_packing, saved.bytes < 1 << 20, "{}", saved.bytes);
        assert_eq!(truth.judge(&plan(&*disk), 5), 0);
        let mut journal = truth.journal(&disk, Limits::default()).unwrap();
        assert_eq!(sync(&truth, &mut journal), 5);
        machine.set(&saved.name, b"");
        assert_eq!(truth.judge(&plan(&*disk), 5), 0);
    }
}

#[test]
fn an_entry_that_no_chunk_has_room_for_is_refused() {
    let (_, disk) = empty();
    let value = vec![0; 64 << 20];
    let record = Record { key: "k", value: &value, generation: 1, ..Record::default() };
    let mut save = Save::begin(&*disk, &author(0), 1).unwrap().unwrap();
    assert_eq!(save.entry(&record).unwrap_err().kind(), ErrorKind::ValueTooLarge);
    let mut journal = board(0).journal(&disk, SMALL).unwrap();
    assert_eq!(journal.append(1, &[record]).unwrap_err().kind(), ErrorKind::ValueTooLarge);
}

/// The disk writes something else than it was given, at each call.
#[test]
fn a_snapshot_that_is_not_read_back_as_it_was_written_is_no_snapshot() {
    let mut found = 0;
    for call in 1.. {
        let machine = Machine::new();
        let mut truth = board(3);
        truth.save(&*machine.process()).unwrap();
        truth.changes(3);
        let process = machine.failing(call, Fault::Wrong, false);
        let saved = truth.save(&*process);
        if let Err(error) = saved {
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.to_string().contains("older snapshots are kept"), "{error}");
            assert_eq!(machine.names(), ["snapshot-0-3"]);
            found += 1;
        }
        truth.judge(&plan(&*machine.process()), 3);
        if process.calls() < call {
            break;
        }
    }
    assert_eq!(found, 3, "head, chunk and footer");
}

#[test]
fn a_snapshot_whose_name_may_not_be_on_disk_is_removed() {
    let mut found = 0;
    for call in 1.. {
        let machine = Machine::new();
        let process = machine.failing(call, Fault::Device, false);
        let error = board(3).save(&*process).err().map(|error| error.to_string()).unwrap_or_default();
        if error.contains("syncing the folder failed") {
            assert_eq!(machine.names(), Vec::<String>::new());
            found += 1;
        }
        if process.calls() < call {
            break;
        }
    }
    assert_eq!(found, 1);
}

#[test]
fn a_segment_with_a_torn_end_is_not_gone_on_in() {
    let (machine, disk) = empty();
    let mut truth = board(4);
    sync(&truth, &mut truth.journal(&disk, SMALL).unwrap());
    let torn = [&machine.bytes("journal-0-1-0")[..], b"a part of a frame"].concat();
    machine.set("journal-0-1-0", &torn);
    truth.changes(2);
    let mut journal = truth.journal(&disk, SMALL).unwrap();
    assert_eq!((journal.epoch(), journal.due().unwrap()), (2, 5));
    sync(&truth, &mut journal);
    assert_eq!((truth.judge(&plan(&*disk), 6), machine.bytes("journal-0-1-0")), (0, torn));
}

/// The frame says another generation than what it has.
#[test]
fn an_event_whose_mutations_are_of_another_generation_is_none() {
    let (_, disk) = empty();
    let truth = board(3);
    let mut journal = truth.journal(&disk, SMALL).unwrap();
    for (generation, of) in [(1, 1), (2, 1), (3, 3)] {
        journal.append(generation, &[truth.at(of).unwrap().record()]).unwrap();
    }
    journal.append(4, &[]).unwrap();
    journal.sync().unwrap();
    let plan = plan(&*disk);
    assert_eq!((truth.judge(&plan, 3), plan.last, plan.known, plan.damaged), (1, 3, 4, 2));
}

#[test]
fn what_no_snapshot_covers_is_never_removed() {
    let (_, disk) = empty();
    let mut truth = board(3);
    let mut journal = truth.journal(&disk, SMALL).unwrap();
    sync(&truth, &mut journal);
    let saved = truth.save(&*disk).unwrap().unwrap();
    for _ in 0..10 {
        truth.changes(3);
        sync(&truth, &mut journal);
    }
    let limits = Limits { total_bytes: 1_000, ..SMALL };
    let error = prune(&*disk, BOARD, (0, saved.generation), limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert_eq!(truth.judge(&plan(&*disk), 33), 0);
}

/// Two snapshots with the same head, each with a chunk that is valid in the other.
#[test]
fn a_chunk_of_another_snapshot_is_not_taken_for_one_of_this() {
    let (machine, other) = (Machine::new(), Machine::new());
    let (mut one, mut two) = (board(0), board(0));
    one.put("key", Some(b"one".to_vec()));
    two.put("key", Some(b"two".to_vec()));
    let (_, saved) = (one.save(&*machine.process()).unwrap(), two.save(&*other.process()).unwrap().unwrap());
    let (mine, its) = (machine.bytes(&saved.name), other.bytes(&saved.name));
    assert_eq!(mine.len(), its.len());
    let footer = mine.len() - 24 - 48;
    let process = machine.process();
    for mixed in [[&its[..footer], &mine[footer..]].concat(), [&mine[..], &[0; 8]].concat()] {
        machine.set(&saved.name, &mixed);
        assert!(Snapshot::open(&*process, &saved.name, BOARD).unwrap().is_err());
    }
    machine.set(&saved.name, &mine);
    assert!(Snapshot::open(&*process, &saved.name, BOARD).unwrap().is_ok());
}

#[test]
fn what_the_device_cannot_read_is_damage() {
    let (machine, disk) = empty();
    let truth = board(9);
    sync(&truth, &mut truth.journal(&disk, Limits::default()).unwrap());
    machine.make_unreadable("journal-0-1-0", 400..401);
    let plan = plan(&*disk);
    assert_eq!(truth.judge(&plan, 9), 1);
    assert!(plan.last == 9 && plan.missing.len() == 1, "{plan}");
}

/// The power is cut before anything is synced: an empty journal is no damage.
#[test]
fn a_segment_that_was_only_begun_is_not_put_aside() {
    for cut in [Cut::Nothing, Cut::Names, Cut::Bytes] {
        let (machine, disk) = empty();
        let mut truth = board(3);
        truth.save(&*disk).unwrap();
        let _journal = Journal::open(&disk, &author(0), SMALL, 3).unwrap();
        truth.changes(1);
        machine.cut(cut);
        let process = machine.process();
        let plan = plan(&*process);
        assert!(plan.aside.is_empty() && plan.doubt.is_none(), "{plan}");
    }
}

#[test]
fn a_segment_that_is_long_enough_is_followed_by_the_next() {
    let (machine, disk) = empty();
    let mut truth = board(0);
    let mut journal = truth.journal(&disk, SMALL).unwrap();
    for _ in 0..20 {
        truth.changes(3);
        sync(&truth, &mut journal);
    }
    let names = machine.names();
    let segments = named(&names, "journal");
    assert!(segments.len() > 5, "{segments:?}");
    let longest = segments.iter().map(|name| machine.bytes(name).len()).max().unwrap();
    assert!(longest < 2_400, "{longest}");
    assert_eq!(truth.judge(&plan(&*disk), 60), 0);
}

#[test]
fn an_event_may_have_several_mutations() {
    let (_, disk) = empty();
    let (mut journal, truth) = (board(0).journal(&disk, SMALL).unwrap(), board(2));
    let records = [1, 2].map(|generation| Record { generation: 1, ..truth.at(generation).unwrap().record() });
    journal.append(1, &records).unwrap();
    journal.sync().unwrap();
    let mut keys = Vec::new();
    plan(&*disk)
        .replay(|step| {
            let slateboard::durable::recover::Replay::Event(1, records) = step else { panic!("{step:?}") };
            keys.extend(records.iter().map(|record| record.key.to_owned()));
            Ok(())
        })
        .unwrap();
    assert_eq!(keys, ["task/1", "task/2"]);
}

#[test]
fn generations_are_appended_once_and_in_order() {
    let (_, disk) = empty();
    let truth = board(5);
    let mut journal = truth.journal(&disk, SMALL).unwrap();
    let record = |generation| [truth.at(generation).unwrap().record()];
    assert!(journal.append(1, &record(1)).unwrap());
    assert!(!journal.append(1, &record(1)).unwrap());
    let error = journal.append(3, &record(3)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("note the gap first"), "{error}");
    assert_eq!(journal.due().unwrap(), 2);
}

#[test]
fn the_next_writer_goes_on_in_the_same_segment() {
    let (machine, disk) = empty();
    let mut truth = board(0);
    // Each is a process that appends what is due and ends, without a sync.
    for _ in 0..4 {
        truth.change();
        let mut journal = truth.journal(&disk, SMALL).unwrap();
        truth.drain(&mut journal, 0, 0).unwrap();
        journal.push().unwrap();
    }
    assert_eq!(named(&machine.names(), "journal"), ["journal-0-1-0"]);
    machine.kill_all();
    assert_eq!(truth.judge(&plan(&*machine.process()), 4), 0);
}

#[test]
fn what_another_writer_did_not_sync_is_written_again_before_it_is_acknowledged() {
    let (machine, disk) = empty();
    let truth = board(4);
    let mut journal = truth.journal(&disk, SMALL).unwrap();
    truth.drain(&mut journal, 0, 0).unwrap();
    journal.push().unwrap();
    drop(journal);
    // The sync of the first writer failed, perhaps: a later one of the same file proves nothing.
    let mut journal = truth.journal(&disk, SMALL).unwrap();
    assert_eq!((journal.due().unwrap(), journal.synced()), (5, 0));
    assert_eq!(journal.sync().unwrap(), 4);
    assert_eq!(named(&machine.names(), "journal"), ["journal-0-1-0", "journal-0-1-1"]);
    machine.set("journal-0-1-0", b"");
    assert_eq!(truth.judge(&plan(&*disk), 4), 0);
}

#[test]
fn a_stopped_writer_does_not_keep_another_from_the_next_epoch() {
    let (machine, disk) = empty();
    let mut truth = board(4);
    let mut stopped = truth.journal(&disk, SMALL).unwrap();
    sync(&truth, &mut stopped);
    truth.changes(2);
    truth.drain(&mut stopped, 0, 0).unwrap();
    let mut other = truth.journal(&(machine.process() as Arc<dyn Disk>), SMALL).unwrap();
    assert_eq!((stopped.epoch(), other.epoch()), (1, 2));
    assert_eq!((other.synced(), other.due().unwrap()), (4, 5));
    truth.changes(2);
    assert_eq!(sync(&truth, &mut other), 8);
    // It goes on in its own segment, and has nothing new.
    assert_eq!(stopped.sync().unwrap(), 6);
    truth.changes(1);
    assert_eq!(sync(&truth, &mut stopped), 9);
    machine.cut(Cut::Nothing);
    let disk = machine.process();
    let plan = plan(&*disk);
    assert_eq!((truth.judge(&plan, 9), plan.conflicts.len()), (0, 0));
}

#[test]
fn where_epochs_differ_the_newest_counts_and_that_is_told() {
    let (machine, disk) = empty();
    let mut truth = board(4);
    let mut stopped = truth.journal(&disk, SMALL).unwrap();
    sync(&truth, &mut stopped);
    let mut wrong = truth.clone();
    wrong.put("task/1", Some(b"another history".to_vec()));
    wrong.drain(&mut stopped, 0, 0).unwrap();
    truth.changes(3);
    let mut other = truth.journal(&(machine.process() as Arc<dyn Disk>), SMALL).unwrap();
    sync(&truth, &mut other);
    stopped.sync().unwrap();
    let plan = plan(&*disk);
    assert_eq!((truth.judge(&plan, 7), &*plan.conflicts), (0, &[5][..]));
    assert!(plan.to_string().contains("1 generations have different events"), "{plan}");
}

#[test]
fn a_gap_is_told_unless_a_snapshot_has_it() {
    let (machine, disk) = empty();
    let mut truth = board(4);
    let mut journal = truth.journal(&disk, SMALL).unwrap();
    sync(&truth, &mut journal);
    truth.changes(6);
    let bridge = truth.save(&*disk).unwrap().unwrap();
    truth.changes(2);
    // Generations up to 8 have left the history.
    truth.drain(&mut journal, 8, bridge.generation).unwrap();
    assert_eq!(journal.sync().unwrap(), 12);
    assert_eq!(truth.judge(&plan(&*disk), 12), 0);
    machine.set(&bridge.name, b"damaged");
    let plan = plan(&*disk);
    assert_eq!(truth.judge(&plan, 12), 4);
    assert!(plan.to_string().contains("5 to 8 may be missing"), "{plan}");
    assert!(plan.to_string().contains("never had 5 to 8, which the snapshot of generation 10"), "{plan}");
}

#[test]
fn segments_that_a_snapshot_covers_are_archived_and_then_removed() {
    let (machine, disk) = empty();
    let limits = Limits { segment_bytes: 1_000, total_bytes: 6_000 };
    let mut truth = board(0);
    let mut journal = truth.journal(&disk, limits).unwrap();
    let mut most = 0;
    for round in 0..60 {
        truth.changes(2);
        sync(&truth, &mut journal);
        if round % 4 == 3 {
            let saved = truth.save(&*disk).unwrap().unwrap();
            most = most.max(prune(&*disk, BOARD, (0, saved.generation), limits).unwrap());
        }
    }
    assert!(most > 4_000 && most <= 6_000, "{most}");
    let names = machine.names();
    assert!(named(&names, "archive").len() > 1 && named(&names, "journal").len() < 3, "{names:?}");
    let total: usize = named(&names, "archive").iter().map(|name| machine.bytes(name).len()).sum();
    assert!(total < 6_000, "{total}");
    // Without the newest snapshot, the archive has what follows the one before.
    machine.set("snapshot-0-120", b"damaged");
    assert_eq!(truth.judge(&plan(&*disk), 120), 0);
}

#[test]
fn a_journal_that_no_snapshot_covers_does_not_grow_beyond_its_limit() {
    let (_, disk) = empty();
    let limits = Limits { segment_bytes: 1_000, total_bytes: 3_000 };
    let truth = board(40);
    let mut journal = truth.journal(&disk, limits).unwrap();
    sync(&truth, &mut journal);
    drop(journal);
    let error = truth.journal(&disk, limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(error.to_string().contains("save a snapshot"), "{error}");
}

#[test]
fn the_segment_of_a_stopped_writer_is_not_archived() {
    let (machine, disk) = empty();
    let truth = board(4);
    let mut stopped = truth.journal(&disk, SMALL).unwrap();
    sync(&truth, &mut stopped);
    let other: Arc<dyn Disk> = machine.process();
    let _other = truth.journal(&other, SMALL).unwrap();
    let archived = || {
        prune(&*other, BOARD, (0, 4), SMALL).unwrap();
        named(&machine.names(), "archive").len()
    };
    assert_eq!(archived(), 0);
    drop(stopped);
    assert_eq!(archived(), 1);
}

#[test]
fn the_next_line_makes_the_rest_of_the_earlier_one_void() {
    let (machine, disk) = empty();
    let mut truth = board(4);
    let mut journal = truth.journal(&disk, SMALL).unwrap();
    sync(&truth, &mut journal);
    let before = machine.copy();
    truth.changes(4);
    sync(&truth, &mut journal);
    truth.save(&*disk).unwrap();
    // A recovery that did not see the last four: the disk had hidden them.
    let hidden = before.process();
    let plan_of_four = plan(&*hidden);
    let (mut after, mut journal) = truth.clone().begin_line(&plan_of_four, &disk, SMALL).unwrap();
    assert_eq!((after.line, after.generation()), (1, 4));
    after.changes(2);
    sync(&after, &mut journal);
    let plan = plan(&*disk);
    assert_eq!((plan.last, plan.next_line, plan.snapshot().is_none()), (6, 2, true));
    assert_eq!(after.judge(&plan, 6), 0);
}

#[test]
fn files_of_a_newer_version_are_refused_and_stay() {
    let (machine, disk) = empty();
    let truth = board(4);
    sync(&truth, &mut truth.journal(&disk, SMALL).unwrap());
    let saved = truth.save(&*disk).unwrap().unwrap();
    for name in [&*saved.name, "journal-0-1-0"] {
        let newer = machine.copy();
        let mut bytes = newer.bytes(name);
        bytes[8] = 2;
        let check = xxhash_rust::xxh3::xxh3_64(&bytes[..72]);
        bytes[72..80].copy_from_slice(&check.to_le_bytes());
        newer.set(name, &bytes);
        let error = recover(&*newer.process(), BOARD, 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incompatible);
        let text = error.to_string();
        assert!(text.contains("version 2") && text.contains("update slateboard here"), "{text}");
        assert_eq!(newer.names(), machine.names());
    }
}

/// What the head says counts, not the name.
#[test]
fn a_file_under_the_name_of_another_is_not_used() {
    let (machine, disk) = empty();
    let mut truth = board(4);
    truth.save(&*disk).unwrap();
    truth.changes(4);
    let mut journal = truth.journal(&disk, SMALL).unwrap();
    sync(&truth, &mut journal);
    machine.set("snapshot-0-8", &machine.bytes("snapshot-0-4"));
    machine.set("journal-0-2-0", &machine.bytes("journal-0-1-0"));
    let plan = plan(&*disk);
    assert_eq!(truth.judge(&plan, 8), 0);
    let aside: Vec<_> = plan.aside.iter().map(|aside| (&*aside.name, &*aside.why)).collect();
    let why = ["it is another segment than its name says", "it is another snapshot than its name says"];
    assert_eq!(aside, [("journal-0-2-0", why[0]), ("snapshot-0-8", why[1])]);
}

#[test]
fn files_of_another_board_are_refused() {
    let (_, disk) = empty();
    let truth = board(4);
    truth.save(&*disk).unwrap();
    let error = recover(&*disk, BOARD + 1, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("give each board a folder of its own"), "{error}");
}

#[test]
fn files_without_a_valid_one_are_an_error_and_not_an_empty_board() {
    let (machine, disk) = empty();
    machine.set("snapshot-0-3", b"damaged");
    machine.set("journal-0-1-0", b"");
    // The second time, too, when everything is put aside.
    for _ in 0..2 {
        let error = recover(&*disk, BOARD, 9).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains("restore the folder from a backup"), "{error}");
    }
    let names = machine.names();
    assert_eq!(named(&names, "snapshot").len(), 2, "{names:?}");
    let why = machine.bytes("snapshot-0-3.corrupt-00000000000000000009.why");
    assert_eq!(String::from_utf8(why).unwrap(), "snapshot-0-3: it ends within its head\n");
}

#[test]
fn a_snapshot_that_was_put_aside_before_is_still_told() {
    let (machine, disk) = empty();
    let mut truth = board(4);
    truth.save(&*disk).unwrap();
    truth.changes(4);
    let newest = truth.save(&*disk).unwrap().unwrap();
    machine.set(&newest.name, b"damaged");
    for _ in 0..2 {
        let plan = plan(&*disk);
        assert_eq!((plan.last, plan.known), (4, 8));
        assert_eq!(truth.judge(&plan, 8), 4);
    }
}

#[test]
fn the_last_three_files_that_were_put_aside_stay() {
    let (machine, disk) = empty();
    for time in 1..=5 {
        machine.set("snapshot-0-1", b"damaged");
        put_aside(&*disk, "snapshot-0-1", "it is damaged", time).unwrap();
    }
    machine.set("snapshot-0-1", b"damaged");
    recover(&*disk, BOARD, 6).unwrap_err();
    let (names, is_why) = (machine.names(), |name: &&str| name.ends_with(".why"));
    let aside = named(&names, "snapshot");
    assert_eq!((aside.len(), aside.iter().copied().filter(is_why).count()), (6, 3), "{aside:?}");
    assert!(aside[0].ends_with("-00000000000000000004"), "{aside:?}");
}
