//! A pair finds what is wrong: each lie is planted in the answers of a sound board.

use slateboard::{
    Expect,
    layout::record::RecordKind::{self, Expired},
};
use slateboard_kit::{
    calls::Answer,
    pair::{Listing, Outside, Pair, Subject},
    places::{folder, small},
    public::Public,
    reference::{Record, Reference},
    script::{Life, Op, Wish},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

const KEYS: [&str; 3] = ["task/1", "file/2", "free/3"];
const PREFIXES: [&str; 2] = ["", "task/"];

/// What a board tells wrongly.
const LIES: [&str; 25] = [
    "version of a put",
    "generation of a put",
    "put that is refused",
    "put that is full",
    "conflict that is none",
    "version of a conflict",
    "version of a removal",
    "removal of nothing",
    "value read",
    "codec read",
    "created read",
    "deadline read",
    "bound read",
    "writer read",
    "expired read",
    "key not listed",
    "keys counted",
    "view of the present",
    "view of the future",
    "view lost",
    "update saw nothing",
    "kind of an event",
    "bound that stays",
    "floor back",
    "floor ahead",
];

/// A sound board that lies.
struct Liar {
    board: Public,
    lie: &'static str,
}

impl Liar {
    fn if_lies<T>(&self, lie: &str, wrong: T, right: T) -> T {
        if self.lie == lie { wrong } else { right }
    }

    fn put_answer(&self, answer: Answer) -> Answer {
        match (self.lie, answer) {
            ("version of a put", Answer::Done { version, generation }) => {
                Answer::Done { version: version + 1, generation }
            }
            ("generation of a put", Answer::Done { version, generation }) => {
                Answer::Done { version, generation: generation + 1 }
            }
            ("put that is refused", Answer::Done { version, .. }) => Answer::Conflict { version },
            ("put that is full", Answer::Done { .. }) => Answer::Full,
            ("conflict that is none", Answer::Conflict { version }) => {
                Answer::Done { version: version + 1, generation: self.generation() }
            }
            ("version of a conflict", Answer::Conflict { version }) => {
                Answer::Conflict { version: version + 1 }
            }
            (_, answer) => answer,
        }
    }

    fn record(&self, record: Record) -> Record {
        let Record { codec, created, deadline, ephemeral, writer, .. } = record;
        let mut bytes = record.bytes.clone();
        if self.lie == "value read" {
            bytes.push(0);
        }
        Record {
            bytes,
            codec: self.if_lies("codec read", codec ^ 1, codec),
            created: self.if_lies("created read", 0, created),
            deadline: self.if_lies("deadline read", 0, deadline),
            ephemeral: self.if_lies("bound read", 0, ephemeral),
            writer: self.if_lies("writer read", writer + 1, writer),
            ..record
        }
    }
}

impl Subject for Liar {
    const SHOWS_EXPIRED: bool = Public::SHOWS_EXPIRED;

    fn generation(&self) -> u64 {
        self.board.generation()
    }

    fn floor(&self) -> u64 {
        let floor = self.board.floor();
        match self.lie {
            "floor back" => 100 - self.generation().min(100),
            "floor ahead" => self.generation() + 1,
            _ => floor,
        }
    }

    fn history(&self) -> u64 {
        self.board.history()
    }

    fn value_max(&self) -> usize {
        self.board.value_max()
    }

    fn keys(&self) -> Option<usize> {
        self.board.keys().map(|keys| self.if_lies("keys counted", keys + 1, keys))
    }

    fn now(&self) -> u64 {
        self.board.now()
    }

    fn deadline(&self, span: u8) -> u64 {
        self.board.deadline(span)
    }

    fn writer(&self) -> u64 {
        self.board.writer()
    }

    fn turn(&mut self, session: u8) {
        self.board.turn(session);
    }

    fn put(&mut self, key: &str, record: &Record, expect: Expect, hinted: bool) -> Answer {
        let mut record = record.clone();
        if self.lie == "bound that stays" {
            record.ephemeral = 0;
        }
        let answer = self.board.put(key, &record, expect, hinted);
        self.put_answer(answer)
    }

    fn update(&mut self, key: &str, next: fn(Option<&[u8]>) -> Vec<u8>) -> (Option<Record>, Record, Answer) {
        let (seen, record, answer) = self.board.update(key, next);
        (seen.filter(|_| self.lie != "update saw nothing"), record, answer)
    }

    fn remove(&mut self, key: &str, expect: Expect, hinted: bool) -> Answer {
        match (self.lie, self.board.remove(key, expect, hinted)) {
            ("version of a removal", Answer::Done { version, generation }) => {
                Answer::Done { version: version + 1, generation }
            }
            ("removal of nothing", Answer::Absent) => {
                Answer::Done { version: 1, generation: self.generation() }
            }
            (_, answer) => answer,
        }
    }

    fn get(&self, key: &str, hinted: bool) -> Option<Record> {
        let found = self.board.get(key, hinted);
        if self.lie == "expired read" && found.is_none() && key == KEYS[2] {
            return self.view(self.generation(), key, "").ok()?.0;
        }
        found.map(|record| self.record(record))
    }

    fn list(&self, prefix: &str) -> Listing {
        let mut listed = self.board.list(prefix);
        if self.lie == "key not listed" {
            listed.pop();
        }
        listed
    }

    fn view(&self, generation: u64, key: &str, prefix: &str) -> Result<(Option<Record>, Listing), Outside> {
        let shown = match self.lie {
            "view of the present" => generation.max(self.generation()),
            "view of the future" => generation.min(self.generation()),
            "view lost" => return Err(Outside::Lagged),
            _ => generation,
        };
        self.board.view(shown, key, prefix)
    }

    fn event(&self, generation: u64) -> (String, RecordKind, u64) {
        let (key, kind, writer) = self.board.event(generation);
        (key, self.if_lies("kind of an event", Expired, kind), writer)
    }

    fn replay(&self, reference: &Reference) {
        self.board.replay(reference);
    }

    fn leave(&mut self) -> bool {
        self.board.leave()
    }

    fn assert_full(&self, bytes: usize) {
        self.board.assert_full(bytes);
    }
}

/// Every operation that the public calls have, on keys that expire, are bound, are removed and are made again. `alter`
/// changes the reference before the history is compared with it.
fn play(lie: &'static str, alter: fn(&mut Reference)) {
    let (_folder, path) = folder();
    let board = small().beat(Duration::from_secs(3600)).create(path).unwrap();
    let board = Public::new(board, 2, usize::MAX);
    let mut pair = Pair::new(Liar { board, lie }, &KEYS, &PREFIXES);
    let put = |key, wish, life| Op::Put { key, len: 20, wish, life, hinted: false };
    let gets = |pair: &mut Pair<Liar>| {
        (0..3).for_each(|key| pair.take(Op::Get { key, hinted: false }));
    };
    for (key, life) in [(0, Life::Plain), (1, Life::BoundUntil(1)), (2, Life::Until(0))] {
        pair.take(put(key, Wish::Absent, life));
    }
    gets(&mut pair);
    pair.take(put(0, Wish::Version(true), Life::Plain));
    pair.take(put(0, Wish::Version(false), Life::Plain));
    pair.take(Op::Update { key: 0 });
    gets(&mut pair);
    pair.take(Op::List { prefix: 0 });
    (0..10).for_each(|back| pair.take(Op::Past { back, key: 0, prefix: 0 }));
    pair.take(Op::Leave);
    pair.take(Op::Remove { key: 0, wish: Wish::Any, hinted: false });
    pair.take(Op::Remove { key: 0, wish: Wish::Any, hinted: false });
    pair.take(put(0, Wish::Any, Life::Plain));
    pair.take(put(0, Wish::Any, Life::Plain));
    alter(&mut pair.reference);
    pair.take(Op::Replay);
    pair.finish();
}

#[test]
fn every_lie_is_found() {
    play("nothing", |_| {});
    for lie in LIES {
        let found = catch_unwind(AssertUnwindSafe(|| play(lie, |_| {}))).is_err();
        assert!(found, "{lie}");
    }
}

#[test]
fn a_history_that_tells_something_else_is_found() {
    let alterations: [fn(&mut Reference); 6] = [
        |reference| reference.events.last_mut().unwrap().key.push('x'),
        |reference| reference.events.last_mut().unwrap().record.kind = Expired,
        |reference| reference.events.last_mut().unwrap().record.version += 1,
        |reference| reference.events.last_mut().unwrap().record.writer += 1,
        |reference| reference.events.last_mut().unwrap().record.bytes.push(0),
        |reference| reference.events.last_mut().unwrap().previous = None,
    ];
    for (number, alter) in alterations.into_iter().enumerate() {
        let found = catch_unwind(AssertUnwindSafe(|| play("nothing", alter))).is_err();
        assert!(found, "alteration {number}");
    }
}
