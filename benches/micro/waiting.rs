//! Watching: an event that is there already, and two threads that answer each other by each way of waiting.

use criterion::{BenchmarkId, Criterion};
use slateboard::{Board, Session, Wait};
use slateboard_micro::memory;
use std::{hint::black_box, time::Duration};

const SECOND: Duration = Duration::from_secs(1);
/// The last thing the other thread is told.
const END: &str = "end";

pub fn watches(criterion: &mut Criterion) {
    let folder = tempfile::tempdir_in(memory()).unwrap();
    let board = Board::create(folder.path().join("board")).unwrap();
    let session = board.attach("watcher").unwrap();
    there_already(criterion, &session);
    let mut group = criterion.benchmark_group("watch");
    for wait in [Wait::Spin, Wait::Adaptive, Wait::Sleep] {
        std::thread::scope(|scope| {
            let partner = board.attach("partner").unwrap();
            let watching = partner.generation();
            scope.spawn(move || answer(&partner, watching, wait));
            let mut answers = session.watch("pong/").wait(wait);
            group.bench_function(BenchmarkId::new("there and back", format!("{wait:?}")), |bencher| {
                bencher.iter(|| {
                    session.put("ping/1", "now").unwrap();
                    black_box(answers.next_timeout(SECOND).unwrap().unwrap());
                });
            });
            session.put("ping/1", END).unwrap();
        });
    }
    group.finish();
}

/// A put and the event that it makes, by one thread: what watching costs without waiting.
fn there_already(criterion: &mut Criterion, session: &Session) {
    let mut watch = session.watch("alone/");
    criterion.bench_function("watch/a put and its event", |bencher| {
        bencher.iter(|| {
            session.put("alone/1", "now").unwrap();
            black_box(watch.next_timeout(Duration::ZERO).unwrap().unwrap());
        });
    });
}

/// Answers every ping by a pong, until the end. Nothing comes for longer than a benchmark pauses: it ends too.
fn answer(partner: &Session, since: u64, wait: Wait) {
    let mut questions = partner.watch("ping/").since(since).wait(wait);
    while let Some(event) = questions.next_timeout(60 * SECOND).unwrap() {
        let ended = partner.get("ping/1").unwrap().unwrap().value == END.as_bytes();
        black_box(event);
        if ended {
            return;
        }
        partner.put("pong/1", "then").unwrap();
    }
}
