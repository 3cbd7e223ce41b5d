//! The byte tables of the durable files in `docs/format.md` equal the code.

use crate::format::{bits, document, rows, words};
use slateboard::durable::{frame, journal, names, record, save, segment};
use slateboard::layout::record::RecordKind;

#[test]
fn heads_of_durable_files_are_documented() {
    use frame::*;
    let code = [
        (MAGIC, "MAGIC"),
        (VERSION, "VERSION"),
        (LINE, "LINE"),
        (BOARD, "BOARD"),
        (SALT, "SALT"),
        (GENERATION, "GENERATION"),
        (EPOCH, "EPOCH"),
        (SEQUENCE, "SEQUENCE"),
        (CREATED_NS, "CREATED_NS"),
        (CHECK, "CHECK"),
        (HEAD_BYTES, "HEAD_BYTES"),
    ];
    assert_eq!(rows(&document(), "### Head of a durable file"), words(&code));
    assert_eq!(
        (VERSION_NUMBER, FileKind::Snapshot.magic(), FileKind::Segment.magic()),
        (1, b"slate\0sn", b"slate\0jr")
    );
}

#[test]
fn frames_are_documented() {
    use frame::*;
    let code = [
        (BODY_CHECK, "BODY_CHECK"),
        (HEAD_CHECK, "HEAD_CHECK"),
        (SHAPE, "SHAPE"),
        (NUMBER, "NUMBER"),
        (FRAME_HEAD_BYTES, "FRAME_HEAD_BYTES"),
    ];
    let mut code = words(&code);
    let kind = u64::from(u32::MAX) & !((1 << KIND_AT) - 1);
    code.extend(bits(&[
        (u64::from(PACKED_BIT) - 1, "length"),
        (u64::from(PACKED_BIT), "packed"),
        (kind, "kind"),
    ]));
    let kinds = [
        (FrameKind::Chunk as usize, "CHUNK"),
        (FrameKind::Footer as usize, "FOOTER"),
        (FrameKind::Event as usize, "EVENT"),
        (FrameKind::Gap as usize, "GAP"),
        (FrameKind::Synced as usize, "SYNCED"),
    ];
    code.extend(words(&kinds));
    assert_eq!(rows(&document(), "### Frame"), code);
    assert_eq!(PAYLOAD_MAX, 64 << 20);
}

#[test]
fn entries_are_documented() {
    use record::*;
    let code = [
        (VALUE_LENGTH, "VALUE_LENGTH"),
        (KEY_LENGTH, "KEY_LENGTH"),
        (KIND, "KIND"),
        (CODEC, "CODEC"),
        (VERSION_OF_KEY, "VERSION_OF_KEY"),
        (GENERATION_OF_ENTRY, "GENERATION_OF_ENTRY"),
        (CREATED, "CREATED"),
        (TIME_NS, "TIME_NS"),
        (DEADLINE_NS, "DEADLINE_NS"),
        (WRITER, "WRITER"),
        (EPHEMERAL, "EPHEMERAL"),
        (WRITER_NAME_LENGTH, "WRITER_NAME_LENGTH"),
        (OWNER_NAME_LENGTH, "OWNER_NAME_LENGTH"),
        (ENTRY_HEAD_BYTES, "ENTRY_HEAD_BYTES"),
    ];
    assert_eq!(rows(&document(), "### Entry"), words(&code));
    use RecordKind::{Detached, Died, Expired, Removed, Touched, Value};
    assert_eq!([Value, Touched, Removed, Expired, Detached, Died].map(|kind| kind as u8), [0, 1, 4, 5, 6, 7]);
}

#[test]
fn footers_gaps_and_locks_are_documented() {
    use save::*;
    let code = [
        (ENTRIES, "ENTRIES"),
        (CHUNKS, "CHUNKS"),
        (DIGEST, "DIGEST"),
        (VERSION_BASE, "VERSION_BASE"),
        (EXACT, "EXACT"),
        (SHAPE_OF_BOARD, "SHAPE_OF_BOARD"),
    ];
    assert_eq!(rows(&document(), "### Footer of a snapshot"), words(&code));
    let code = [(segment::LAST, "LAST"), (segment::BRIDGE, "BRIDGE"), (segment::GAP_BYTES, "GAP_BYTES")];
    assert_eq!(rows(&document(), "### Gap"), words(&code));
    let code = [(SAVING as usize, "SAVING"), (journal::EPOCHS as usize, "EPOCHS")];
    assert_eq!(rows(&document(), "### Locks of the folder"), words(&code));
}

#[test]
fn names_of_durable_files_are_documented() {
    for (name, parsed) in
        [("snapshot-1-2", true), ("journal-1-2-3", true), ("archive-1-2-3", true), ("lock", false)]
    {
        assert_eq!(
            names::Name::parse(name).is_some_and(|parsed| parsed.to_string() == name),
            parsed,
            "{name}"
        );
    }
    for name in
        ["snapshot-1", "journal-1-2", "snapshot-01-2", "snapshot-1-+2", "journal-1-2-3-4", "snapshot-1-2.new"]
    {
        assert_eq!(names::Name::parse(name), None, "{name}");
    }
    for ending in [names::NEW, names::CORRUPT, names::WHY] {
        assert!(document().contains(ending), "{ending}");
    }
}
