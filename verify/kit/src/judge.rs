//! The judgement of a board at rest: the independent check ([`slateboard_fsck`]) of its bytes, and the comparison of
//! what it found with the reference.

use crate::{places::words, reference::Reference};
use slateboard::layout::record::RecordKind;
use slateboard_fsck::{Kind, Summary, check};
use std::path::Path;

/// What the words hold, or everything that is wrong with them. Nobody may be writing; `living` are the records of
/// attached sessions, which keep blocks at hand.
///
/// # Errors
/// The findings, one a line.
pub fn sound(words: &[u64], living: &[u16]) -> Result<Summary, String> {
    check(words, living).map_err(|findings| {
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        findings.join("\n")
    })
}

/// Fails unless the board is sound: above all, every block is free or named by exactly one slot, event, chain or
/// record. No session may be attached.
pub fn assert_sound(path: &Path) -> Summary {
    assert_sound_with(path, &[])
}

/// As [`assert_sound`], while the sessions of these records are attached.
pub fn assert_sound_with(path: &Path, living: &[u16]) -> Summary {
    let words = words(path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
    sound(&words, living).unwrap_or_else(|what| panic!("{} is not sound:\n{what}", path.display()))
}

/// Fails unless the check found what the reference knows: every key with its record, every event of the history.
pub fn assert_same(found: &Summary, reference: &Reference) {
    assert_eq!(found.generation, reference.generation());
    assert_eq!(found.keys.len(), reference.map.len());
    for (found, (key, known)) in found.keys.iter().zip(&reference.map) {
        assert_eq!(found.key, key.as_bytes());
        assert_eq!((found.version, found.generation), (known.version, known.generation), "{key}");
        assert_eq!((found.codec, found.deadline), (known.codec, known.deadline), "{key}");
        assert_eq!((found.ephemeral, found.writer), (known.ephemeral, known.writer), "{key}");
        assert_eq!(found.value, known.bytes, "{key}");
    }
    assert_eq!(found.events.len() as u64, found.generation - found.floor);
    for found in &found.events {
        let known = reference.event(found.generation);
        assert_eq!((&found.key[..], found.kind), (known.key.as_bytes(), kind(known.record.kind)));
        assert_eq!((found.version, found.writer), (known.record.version, known.record.writer));
        let value = (found.kind == Kind::Put).then_some(&known.record.bytes);
        assert_eq!(found.value.as_ref(), value, "the value of event {}", found.generation);
    }
}

fn kind(kind: RecordKind) -> Kind {
    match kind {
        RecordKind::Value => Kind::Put,
        RecordKind::Removed => Kind::Removed,
        RecordKind::Expired => Kind::Expired,
        RecordKind::Detached => Kind::Detached,
        RecordKind::Died => Kind::Died,
    }
}
