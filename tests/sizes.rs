//! Numbers that a board is made with: each is taken as it is or refused, and the board says what came of it.

use slateboard::{Board, ErrorKind, Options, PutOptions, Retry};
use std::{os::unix::fs::MetadataExt, time::Duration};

fn refused(options: Options, words: &[&str]) {
    let error = options.clone().local().err().unwrap_or_else(|| panic!("{options:?} is taken"));
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    words.iter().for_each(|word| assert!(error.to_string().contains(word), "{word:?} is not in {error}"));
}

#[test]
fn numbers_out_of_range_are_refused_with_least_and_most() {
    let of = Board::options;
    for bytes in [0, 3, (1 << 20) - 1, (16 << 30) + 1, u64::MAX] {
        refused(of().capacity(bytes), &[&bytes.to_string(), "1 MiB to 16 GiB"]);
    }
    for keys in [0, (4 << 20) + 1, u64::MAX] {
        refused(of().keys(keys), &[&keys.to_string(), "1 to 4,194,304"]);
    }
    for events in [0, 1, 63, (4 << 20) + 1, u64::MAX] {
        refused(of().history(events), &[&events.to_string(), "64 to 4,194,304"]);
    }
    for sessions in [0, 4097, u64::MAX] {
        refused(of().sessions(sessions), &[&sessions.to_string(), "1 to 4,096"]);
    }
    for shards in [0, 65, u64::MAX] {
        refused(of().uniform_shards(shards), &[&shards.to_string(), "1 to 64"]);
    }
    for name in [String::new(), "n".repeat(32), "a/b".into()] {
        refused(of().dedicated([name]), &["1 to 31 bytes"]);
    }
    refused(of().dedicated((0..9).map(|n| n.to_string())), &["up to 8"]);
    refused(of().dedicated(["task", "task"]), &["twice"]);
    refused(of().beat(Duration::ZERO), &["1 ms or longer"]);
    refused(of().beat(Duration::from_micros(999)), &["999", "1 ms or longer"]);
}

#[test]
fn a_beat_is_looked_at_when_a_board_is_opened_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board");
    Board::create(&path).unwrap();
    let of = || Board::options().beat(Duration::ZERO);
    for error in [of().open(&path).err(), of().open_read_only(&path).err()] {
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::InvalidArgument));
    }
}

#[test]
fn least_and_most_are_taken_as_they_are() {
    let least = Board::options().capacity(1 << 20).keys(1).history(64).sessions(1).uniform_shards(1);
    let metrics = least.beat(Duration::from_millis(1)).local().unwrap().metrics().unwrap();
    assert_eq!(
        (metrics.capacity, metrics.keys_made_for, metrics.history, metrics.sessions_max),
        (1 << 20, 1, 64, 1)
    );
    // A file, so that nothing but the tables is there.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board");
    let most = Board::options().capacity(16 << 30).keys(1000).history(1000).sessions(4096).uniform_shards(64);
    let metrics = most.create(&path).unwrap().metrics().unwrap();
    assert_eq!((metrics.capacity, metrics.history, metrics.sessions_max), (16 << 30, 1000, 4096));
    assert_eq!(metrics.region_bytes, path.metadata().unwrap().len());
}

#[test]
fn a_capacity_between_extents_is_rounded_up_and_told() {
    let metrics = Board::options().capacity(5_000_001).local().unwrap().metrics().unwrap();
    assert!(
        metrics.capacity > 5_000_001 && metrics.capacity < 5_000_001 + (128 << 10),
        "{}",
        metrics.capacity
    );
}

#[test]
fn a_board_is_made_for_the_keys_that_were_asked_for_and_takes_them() {
    for (keys, history) in [(1, 64), (7, 64), (1_000, 256), (3_333, 16_384)] {
        for folders in [&["task"][..], &["free"], &["task", "file", "team", "free"]] {
            let board = Board::options().capacity(4 << 20).keys(keys).history(history).local().unwrap();
            let session = board.attach("filler").unwrap();
            for n in 0..keys {
                let folder = folders[n as usize % folders.len()];
                session
                    .put(&format!("{folder}/{n}"), "v")
                    .unwrap_or_else(|error| panic!("{n} of {keys}: {error}"));
            }
            let metrics = board.metrics().unwrap();
            assert_eq!((metrics.keys_made_for, metrics.keys_fit, metrics.keys), (keys, keys, keys));
        }
    }
}

#[test]
fn the_room_for_values_bounds_the_keys_that_fit() {
    let board = Board::options().capacity(1 << 20).keys(100_000).local().unwrap();
    let session = board.attach("filler").unwrap();
    let fit = board.metrics().unwrap().keys_fit;
    let taken = (0..).take_while(|n| session.put(&format!("k{n}"), "").is_ok()).count() as u64;
    assert!(taken <= fit && taken >= fit - fit / 10, "{taken} keys on a board that says {fit}");
    assert_eq!(board.metrics().unwrap().keys_made_for, 100_000);
}

#[test]
fn the_tables_are_there_from_the_start_and_told_with_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board");
    let metrics = Board::options().capacity(1 << 20).keys(100_000).create(&path).unwrap().metrics().unwrap();
    let file = path.metadata().unwrap();
    assert_eq!(metrics.region_bytes, file.len());
    assert!(file.blocks() * 512 <= metrics.region_bytes + (64 << 10));
    assert!(metrics.region_bytes > metrics.capacity + (2 << 20), "a table for 100,000 keys: {metrics:?}");
}

#[test]
fn times_and_attempts_that_cannot_be_are_refused() {
    let session = Board::options().local().unwrap().attach("w").unwrap();
    let refused = |error: slateboard::Error, word: &str| {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    };
    let soon_over = PutOptions::new().ttl(Duration::ZERO);
    refused(session.put_with("k", "v", soon_over).unwrap_err(), "longer than zero");
    refused(session.lease("k", Duration::ZERO).err().unwrap(), "longer than zero");
    refused(session.touch("k", Duration::ZERO).unwrap_err(), "longer than zero");
    let never = Retry::new().attempts(0);
    refused(session.update_with("k", never, |_| "v").unwrap_err(), "1 attempt or more");
    assert!(session.get("k").unwrap().is_none(), "nothing happened");
    let endless = PutOptions::new().ttl(Duration::MAX);
    session.put_with("k", "v", endless).unwrap();
    assert!(session.get("k").unwrap().is_some());
}
