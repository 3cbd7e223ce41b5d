//! The byte tables of `docs/format.md` equal the code.

use crate::source::root;
use slateboard::layout::{
    DeadlineHint, GenWord, Guard, GuardOp, Head, HeadKind, RingWord, SlotHash, State, StateKind, Writer,
    geometry, groups, header, record,
    session::{self, NameKind, NameState, Weight},
    shape,
};

/// First column and name of every row of the tables in the section, which ends at the next heading.
pub fn rows(document: &str, heading: &str) -> Vec<(String, String)> {
    let section = document.split(&format!("\n{heading}\n")).nth(1).unwrap_or_else(|| panic!("no {heading}"));
    let section = section.split("\n#").next().unwrap_or_default();
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_string()).collect::<Vec<_>>();
    let rows = section.lines().filter(|line| line.starts_with("| ")).map(cells);
    rows.filter(|cells| cells[2].starts_with('`'))
        .map(|cells| (cells[1].clone(), cells[2].replace('`', "")))
        .collect()
}

pub fn words(words: &[(usize, &str)]) -> Vec<(String, String)> {
    words.iter().map(|(word, name)| (word.to_string(), name.to_string())).collect()
}

/// Fields, each given as the word that has ones in it and nowhere else.
pub fn bits(fields: &[(u64, &str)]) -> Vec<(String, String)> {
    let range = |mask: u64| {
        assert_eq!(mask.count_ones() + mask.leading_zeros() + mask.trailing_zeros(), 64, "one run of ones");
        format!("{}..{}", mask.trailing_zeros(), 64 - mask.leading_zeros())
    };
    fields.iter().map(|(mask, name)| (range(*mask), name.to_string())).collect()
}

pub fn document() -> String {
    std::fs::read_to_string(root().join("docs/format.md")).expect("docs/format.md is there")
}

#[test]
fn the_header_is_documented() {
    use header::*;
    let code = [
        (MAGIC, "MAGIC"),
        (VERSION, "VERSION"),
        (FINGERPRINT, "FINGERPRINT"),
        (ENDIANNESS, "ENDIANNESS"),
        (UUID, "UUID"),
        (BOOT, "BOOT"),
        (SEED, "SEED"),
        (CREATED_NS, "CREATED_NS"),
        (INCOMPATIBLE, "INCOMPATIBLE"),
        (READ_COMPATIBLE, "READ_COMPATIBLE"),
        (GEOMETRY_CHECKSUM, "GEOMETRY_CHECKSUM"),
        (GEOMETRY, "GEOMETRY"),
        (GENERATION, "GENERATION"),
        (FLOOR, "FLOOR"),
        (RESERVED, "RESERVED"),
        (EXTENT_HINT, "EXTENT_HINT"),
        (HEADER_WORDS, "HEADER_WORDS"),
    ];
    assert_eq!(rows(&document(), "## Header"), words(&code));
    let numbers = shape::SHAPE_WORDS - shape::DEDICATED_MAX * shape::DEDICATED_WORDS;
    assert_eq!((numbers, shape::DEDICATED_MAX, shape::DEDICATED_WORDS, FORMAT), (16, 8, 4, 4));
}

#[test]
fn the_geometry_is_documented() {
    let shape = shape::Shape {
        capacity: 100,
        granule_words: 101,
        extent_granules: 102,
        history: 103,
        history_min: 104,
        sessions: 105,
        names: 106,
        dedicated_buckets: 107,
        uniform_buckets: 108,
        uniform_shards: 109,
        overflow_max: 110,
        reserve_extents: 111,
        value_max: 112,
        commit_max: 113,
        keys: 114,
        dedicated: vec![String::new(); 2],
    };
    let numbers = shape.pack();
    let debug = format!("{shape:?}");
    // A field's number is where its value is packed.
    let named = |number: u64| {
        debug.split(&format!(": {number},")).next().unwrap().rsplit(' ').next().unwrap().to_owned()
    };
    let mut code: Vec<_> = (0..14).map(|at| (at.to_string(), named(numbers[at]))).collect();
    code.extend([("14".into(), "dedicated".into()), ("15".into(), named(numbers[15]))]);
    assert_eq!(rows(&document(), "## Geometry"), code);
    assert_eq!((numbers[14], shape::DEDICATED_NAME_MAX), (2, 31));
}

#[test]
fn the_session_record_is_documented() {
    use session::*;
    let code = [
        (INCARNATION, "INCARNATION"),
        (PID, "PID"),
        (PID_NAMESPACE, "PID_NAMESPACE"),
        (START_TIME, "START_TIME"),
        (LOCK_FILE, "LOCK_FILE"),
        (NAME, "NAME"),
        (HEARTBEAT_NS, "HEARTBEAT_NS"),
        (ATTACHED_NS, "ATTACHED_NS"),
        (INTENTS, "INTENTS"),
        (counter(0, 0), "COUNTERS"),
        (baseline(0), "BASELINE"),
        (RECORD_WORDS, "RECORD_WORDS"),
    ];
    assert_eq!(rows(&document(), "## Session record"), words(&code));
    assert_eq!((LANES, intent(1) - intent(0), counter(1, 0) - counter(0, 0)), (4, 8, 16));
    assert_eq!((NAME_WORDS, NAME_MAX), (8, 56));
}

#[test]
fn shards_and_buckets_are_documented() {
    use geometry::*;
    let code = [
        (SHARD_CHANGES, "SHARD_CHANGES"),
        (SHARD_VERSION_BASE, "SHARD_VERSION_BASE"),
        (SHARD_OVERFLOW, "SHARD_OVERFLOW"),
        (SHARD_WORDS, "SHARD_WORDS"),
    ];
    assert_eq!(rows(&document(), "## Shard and bucket"), words(&code));
    assert_eq!((BUCKET_WORDS, SLOTS), (16, 7));
}

#[test]
fn groups_are_documented() {
    use groups::*;
    let code = [(GROUP_SWEPT, "GROUP_SWEPT"), (GROUP_FRESH, "GROUP_FRESH"), (GROUP_WORDS, "GROUP_WORDS")];
    assert_eq!(rows(&document(), "### Group"), words(&code));
    assert_eq!((GROUPS_MAX, DeadlineHint::UNIT_NS), (1024, 1 << 20));
    // The first change of a word of ones has count 0 and the deadline that it is given.
    let deadline = DeadlineHint(u64::MAX).replaced(Some(u64::MAX)).0;
    let count = DeadlineHint(u64::MAX - 1).replaced(None).0;
    assert_eq!(
        rows(&document(), "### Deadline of a group"),
        bits(&[(deadline, "deadline"), (count, "count")])
    );
}

#[test]
fn records_are_documented() {
    use record::*;
    let code = [
        (VERSION, "VERSION"),
        (PREVIOUS, "PREVIOUS"),
        (PLACE, "PLACE"),
        (SHAPE, "SHAPE"),
        (WRITER, "WRITER"),
        (TIME, "TIME"),
        (CREATED, "CREATED"),
        (DEADLINE, "DEADLINE"),
        (EPHEMERAL, "EPHEMERAL"),
        (CHECKSUM, "CHECKSUM"),
        (HEADER_WORDS, "HEADER_WORDS"),
    ];
    assert_eq!(rows(&document(), "## Record"), words(&code));
    let shape = |kind, in_pieces, codec, key_len| RecordHeader {
        kind,
        in_pieces,
        codec,
        key_len,
        ..Default::default()
    };
    let empty = RecordHeader::default().shape();
    assert_eq!(shape(RecordKind::Value, false, 255, 0).shape(), empty | 255 << 15);
    assert_eq!(shape(RecordKind::Value, true, 0, 0).shape(), empty | 1 << 14);
    assert_eq!(shape(RecordKind::Touched, false, 0, 0).shape(), empty | 1 << 11);
    assert_eq!(shape(RecordKind::Expired, false, 0, 0).shape(), empty | 5 << 11);
    assert_eq!(shape(RecordKind::Value, false, 0, 1024).shape(), empty | 1024);
}

#[test]
fn packed_words_are_documented() {
    let all = u64::MAX;
    let free = GuardOp::Free { slot: 0 }; // operation 1
    let claim = |slot, fingerprint| Guard::new(0, GuardOp::Claim { slot, fingerprint }).0;
    let head = |counter, block| Head::new(HeadKind::Freed, counter, block).0;
    let state = |owner, tag| State::new(StateKind::Free, owner, tag).0;
    let writer = |name, session, incarnation| Writer { name, session, incarnation }.pack();
    let operand = GenWord::Generation(all).pack() ^ GenWord::Generation(0).pack();
    let name = |state: NameState, kind| state.with(kind).0;
    let ready = NameKind::Ready { len: u16::MAX };
    let tables: [(&str, &[(u64, &str)]); 10] = [
        (
            "### Head of a slot",
            &[(!head(all, u32::MAX), "kind"), (head(all, 0), "counter"), (head(0, u32::MAX), "block")],
        ),
        (
            "### Hash of a slot",
            &[(SlotHash::new(all, 0).0, "number"), (SlotHash::new(0, 0xffff).0, "fingerprint")],
        ),
        (
            "### Guard of a chain",
            &[
                (Guard::new(all, free).0 & !Guard::new(0, GuardOp::Frozen).0, "number"),
                (Guard::new(0, GuardOp::Frozen).0, "op"),
                (claim(0, 0xffff), "fingerprint"),
                (claim(0xffff, 0), "slot"),
            ],
        ),
        (
            "### State of a block",
            &[
                (state(0, all), "tag"),
                (state(0xffff, 0), "owner"),
                (State::new(StateKind::Limbo, 0, 0).0, "kind"),
            ],
        ),
        ("### Generation word of a block", &[(!operand, "kind"), (operand, "operand")]),
        (
            "### Word of the history ring",
            &[
                (RingWord::new(all, 0).0, "lap"),
                (!RingWord::new(all, u32::MAX).0, "kind"),
                (RingWord::new(0, u32::MAX).0, "block"),
            ],
        ),
        ("### Class word of an extent", &[(!0xff, "serial"), (0xff, "class")]),
        (
            "### State of a name's entry",
            &[
                (name(NameState(all), NameKind::Free), "uses"),
                (name(NameState(0), ready) & !0xff, "operand"),
                (NameState(all).0 & 0xff, "kind"),
            ],
        ),
        ("### Weight", &[(Weight(0).with(all, 0).0, "last"), (Weight(0).with(0, all).0, "sum")]),
        (
            "### Writer",
            &[(writer(!0, 0, 0), "name"), (writer(0, !0, 0), "session"), (writer(0, 0, !0), "incarnation")],
        ),
    ];
    for (heading, fields) in tables {
        assert_eq!(rows(&document(), heading), bits(fields), "{heading}");
    }
    let class = slateboard::layout::ClassWord(all);
    assert_eq!((class.class(), class.serial()), (0xff, all >> 8));
}

#[test]
fn a_row_that_differs_is_found() {
    let changed = document().replace("| 72 | `FLOOR` |", "| 73 | `FLOOR` |");
    assert_ne!(rows(&changed, "## Header"), rows(&document(), "## Header"));
    assert_eq!(
        rows("\n## A\n| word | name |\n| --- | --- |\n| 3 | `B` | x |\n## C\n", "## A"),
        words(&[(3, "B")])
    );
}
