//! A board that refuses puts, will refuse them soon, or is damaged, is never reported as healthy.

mod common;

use common::{Done, Place};
use serde_json::Value;
use slateboard::{
    Board, Session,
    layout::{Head, geometry, record, session},
    region::{self, Access, RegionFile},
    sync::Ordering,
};
use std::process::{Command, Stdio};

fn board(place: &Place) -> Board {
    Board::open(place.region()).expect("board")
}

fn small(args: &[&str]) -> Place {
    let place = Place::empty();
    place.run([&["init", "--placement", "project"], args].concat()).ok();
    place
}

/// Puts until the board is full, and returns the number of successful puts.
fn fill(session: &Session, bytes: usize) -> u64 {
    (0..)
        .find(|n| {
            let put = session.put(&format!("fill/{n}"), vec![7; bytes]);
            assert!(put.as_ref().is_ok() || put.as_ref().is_err_and(slateboard::Error::is_full), "{put:?}");
            put.is_err()
        })
        .expect("a full board")
}

fn document(done: &Done) -> Value {
    serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {done:?}"))
}

/// `status` exits with 10, and has a sentence with these words, as text and as JSON.
#[track_caller]
fn needs_attention(place: &Place, words: &[&str]) -> Value {
    let done = place.slate("status --json");
    assert_eq!(done.status, 10, "{done:?}");
    let found = document(&done);
    assert_eq!(found["healthy"], false);
    let sentences = found["attention"].as_array().expect("sentences");
    let says =
        |sentence: &Value| words.iter().all(|word| sentence.as_str().is_some_and(|text| text.contains(word)));
    assert!(sentences.iter().any(says), "{words:?} are not in {sentences:?}");
    let text = place.slate("status");
    assert!(text.status == 10 && words.iter().all(|word| text.out.contains(word)), "{text:?}");
    found
}

#[track_caller]
fn is_healthy(place: &Place) {
    let done = place.slate("status");
    assert!(done.status == 0 && done.out.contains("healthy"), "{done:?}");
}

#[test]
fn a_data_area_that_fills_up() {
    for bytes in [40, 3_000, 40_000, 130_000] {
        let place = small(&["--capacity", "2M", "--keys", "20000", "--history", "64"]);
        let session = board(&place).attach("writer").expect("session");
        session.put("fill/0", vec![7; bytes]).expect("put");
        is_healthy(&place);
        let count = fill(&session, bytes);
        let found = needs_attention(&place, &["data area", "slate rm", "--capacity"]);
        assert_eq!(found["keys"], count);
        // The same without an attached session.
        drop(session);
        needs_attention(&place, &["data area"]);
    }
}

#[test]
fn a_board_without_slots() {
    let place = small(&["--capacity", "4M", "--keys", "8", "--history", "64"]);
    let session = board(&place).attach("writer").expect("session");
    session.put("fill/0", "x").expect("put");
    is_healthy(&place);
    fill(&session, 10);
    needs_attention(&place, &["slots are used", "slate rm", "--keys"]);
}

#[test]
fn a_table_of_names_that_is_full() {
    let place = Place::with_board_of(&["--sessions", "2"]);
    let board = board(&place);
    for n in 0..board.metrics().expect("metrics").names_max {
        board.attach(&format!("worker-{n}")).expect("session");
    }
    let metrics = board.metrics().expect("metrics");
    if metrics.names == metrics.names_max {
        needs_attention(&place, &["table of names is full"]);
    } else {
        is_healthy(&place);
    }
}

#[test]
fn a_file_system_that_is_full() {
    let place = Place::empty();
    let script = r#"mount -t tmpfs -o size=6m none . && cd "$PWD" || { echo skipped; exit; }
        "$1" init --placement project --capacity 8M --quiet && head -c 64M /dev/zero >filler 2>/dev/null
        "$1" status; echo "status $?""#;
    let output = Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_slate")])
        .current_dir(place.folder())
        .env_remove("SLATE_BOARD")
        .stdin(Stdio::null())
        .output();
    let out = match output {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(error) => format!("skipped: {error}"),
    };
    if !out.contains("status ") {
        eprintln!("skipped: no small file system can be had here: {out}");
        return;
    }
    assert!(out.contains("status 10") && out.contains("file system under the board"), "{out}");
}

/// A board with thirty keys, and access to its words.
struct Damaged {
    place: Place,
    file: RegionFile,
}

impl Damaged {
    fn new() -> Self {
        let place = Place::with_board();
        let session = board(&place).attach("writer").expect("session");
        for n in 0..30 {
            session.put(&format!("k/{n}"), format!("value {n}")).expect("put");
        }
        let file = region::open(&place.region(), Access::ReadWrite).expect("region");
        Self { place, file }
    }

    fn flip(&self, at: usize, bits: u64) {
        self.file.mapping.words()[at].fetch_xor(bits, Ordering::Relaxed);
    }

    /// Index of the first word of the key's newest record.
    fn record(&self, key: &str) -> usize {
        let geometry = &self.file.geometry;
        let load = |at: usize| self.file.mapping.words()[at].load(Ordering::Relaxed);
        let hash = geometry.hash(key.as_bytes());
        let bucket = geometry.bucket(geometry.bucket_of(geometry.shard_of(key, hash), hash));
        let fits = |&at: &usize| load(at) as u16 == geometry::fingerprint_of(hash);
        let slot = (0..geometry::SLOTS).map(|slot| bucket + 2 + 2 * slot).find(fits).expect("slot");
        geometry.data(geometry.block(Head(load(slot + 1)).block()).expect("block"))
    }
}

#[test]
fn a_damaged_record_is_named_and_the_others_are_listed() {
    let damaged = Damaged::new();
    is_healthy(&damaged.place);
    damaged.flip(damaged.record("k/7") + record::CHECKSUM, 1);
    for line in ["ls", "ls --long", "ls k/", "ls --at 30"] {
        let done = damaged.place.slate(line).fails(7, &["k/7", "checksum"]);
        let rows = done.out.lines().filter(|row| row.contains("k/")).count();
        assert!(rows == 29 && !done.out.contains("k/7 ") && !done.out.contains("k/7\n"), "{done:?}");
    }
    let done = damaged.place.slate("ls --json").fails(7, &["k/7"]);
    let found = document(&done);
    assert_eq!((found["entries"].as_array().map(Vec::len), &found["exact"]), (Some(29), &true.into()));
    assert_eq!((&found["error"]["kind"], &found["error"]["key"]), (&"corrupt".into(), &"k/7".into()));
    let sound: Value = serde_json::from_str(&damaged.place.slate("ls none/ --json").ok()).expect("json");
    assert_eq!((sound.get("error"), &sound["exact"]), (None, &true.into()));

    let found = needs_attention(&damaged.place, &["corruption found", "1 damaged record", "k/7", "slate ls"]);
    assert_eq!(found["error"]["damaged"][0]["key"], "k/7");
    let logged = damaged.place.slate("log").fails(7, &["k/7", "event 8"]);
    assert_eq!(logged.out.lines().count(), 29, "{logged:?}");
    // The next put repairs the key; the damaged event stays in the history.
    damaged.place.slate("put k/7 again").ok();
    assert_eq!(damaged.place.slate("ls").ok().lines().count(), 30);
}

#[test]
fn figures_of_damaged_words_are_cut_and_said_to_be() {
    let damaged = Damaged::new();
    let geometry = &damaged.file.geometry;
    for counter in 0..session::COUNTERS {
        damaged.flip(geometry.session(1) + session::counter(0, counter), 1 << 62 | 1 << 40);
    }
    let found = needs_attention(&damaged.place, &["corruption found", "sessions' records"]);
    assert!(found["history_bytes"].as_u64() <= found["capacity"].as_u64(), "{found}");
    assert!(found["totals"]["puts"].as_u64() <= Some(30), "{found}");
    let text = damaged.place.slate("status").out;
    assert!(!text.contains("000.0 GiB") && !text.contains("TiB"), "{text}");
}

/// Ends the writers, even if the test fails.
struct Over<'o>(&'o std::sync::atomic::AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_list_beside_nonstop_writers_is_had_and_says_what_it_is() {
    let place = small(&["--capacity", "4M", "--keys", "2000", "--history", "64"]);
    let board = board(&place);
    let session = board.attach("writer").expect("session");
    for n in 0..500 {
        session.put(&format!("stable/{n}"), "value").expect("put");
    }
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _over = Over(&over);
        for name in ["one", "two"] {
            let (session, over) = (board.attach(name).expect("session"), &over);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    session.put(&format!("busy/{name}"), "value").expect("put");
                }
            });
        }
        for _ in 0..5 {
            let done = place.slate("ls stable/ --json");
            let found = document(&done);
            assert!(done.status == 0 && found.get("error").is_none(), "{done:?}");
            assert_eq!(found["entries"].as_array().map(Vec::len), Some(500));
            let said = done.err.contains("not of one generation");
            assert_eq!(found["exact"] == false, said, "{}", done.err);
            let keys = place.slate("ls stable/ --quiet");
            assert_eq!((keys.status, keys.out.lines().count(), keys.err.as_str()), (0, 500, ""));
        }
    });
}
