//! The fuzz targets `snapshot` and `journal`: recovery from files that are damaged, or that are sound and say impossible things.
//!
//! Recovery returns, with whatever it makes of the files. What it returns can be read to the end. From files that were
//! only damaged, it gives no value that the board did not have.

use crate::{
    disk::Disk as Machine,
    durable::{BOARD, SMALL, Truth, author},
};
use slateboard::durable::{
    Disk, Recovery,
    frame::{self, FileKind, FrameKind, Head},
    recover,
    recover::Replay,
    save::digest,
};
use std::sync::{Arc, OnceLock};

/// Frames of one file, at most.
const FRAMES_MAX: usize = 32;

/// A folder with two snapshots and a journal of two segments, and the board that wrote it.
fn sample() -> &'static (Machine, Truth) {
    static SAMPLE: OnceLock<(Machine, Truth)> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let (machine, mut truth) = (Machine::new(), Truth::default());
        let disk: Arc<dyn Disk> = machine.process();
        let mut journal = truth.journal(&disk, SMALL).expect("an empty folder");
        for _ in 0..3 {
            truth.changes(3);
            truth.drain(&mut journal, 0, 0).and_then(|()| journal.sync()).expect("a sound disk");
            truth.save(&*disk).expect("a sound disk");
        }
        drop(journal);
        (machine, truth)
    })
}

/// Damages a snapshot, or writes one.
pub fn play_snapshot(bytes: &[u8]) {
    play(bytes, "snapshot-0-9", write_snapshot);
}

/// Damages a segment, or writes one.
pub fn play_journal(bytes: &[u8]) {
    play(bytes, "journal-0-1-0", write_segment);
}

/// The first byte says what the others are: the file, damage of the sample's file, or what a writer is given.
fn play(bytes: &[u8], name: &str, write: fn(&mut Script<'_>) -> Vec<u8>) {
    let Some((way, rest)) = bytes.split_first() else { return };
    let (sample, truth) = sample();
    let machine = sample.copy();
    match way % 4 {
        0 => machine.set(name, rest),
        1 | 2 => machine.set(name, &damaged(sample.bytes(name), rest)),
        _ => {
            let mut script = Script { bytes: rest };
            if script.byte().is_multiple_of(2) {
                // Nothing else is there.
                let process = machine.process();
                machine.names().iter().for_each(|name| process.remove(name).unwrap_or_default());
            }
            machine.set(name, &write(&mut script));
        }
    }
    let process = machine.process();
    let Ok(Recovery::Plan(plan)) = recover(&*process, BOARD, 1) else { return };
    assert!(plan.known >= plan.last, "{plan}");
    if way % 4 < 3 {
        truth.judge(&plan, truth.generation());
    }
    let mut before = 0;
    // A sound checksum over bytes that are no entries is an error when they are read.
    let _ = plan.replay(|step| {
        let records = match &step {
            Replay::Entry(record) => std::slice::from_ref(*record),
            Replay::Event(generation, records) => {
                assert!(*generation > before, "generations rise");
                before = *generation;
                *records
            }
        };
        assert!(records.iter().all(|record| (1..=1024).contains(&record.key.len())));
        Ok(())
    });
    let disk: Arc<dyn Disk> = machine.process();
    let line = plan.begin_line(&disk, &author(0), SMALL);
    assert!(line.is_ok_and(|journal| journal.synced() == plan.known), "{plan}");
}

/// Three bytes each: where, and which bits are flipped. What is beyond the end cuts the file.
fn damaged(mut file: Vec<u8>, damage: &[u8]) -> Vec<u8> {
    for harm in damage.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([harm[0], harm[1]]));
        match file.get_mut(at) {
            Some(byte) => *byte ^= harm[2],
            None => file.truncate(file.len().saturating_sub(usize::from(harm[2]))),
        }
    }
    file
}

/// Bytes that decide what is written. Once they are used up, they are zeros.
struct Script<'s> {
    bytes: &'s [u8],
}

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }

    /// A small number nearly always, and sometimes any.
    fn number(&mut self) -> u64 {
        let first = self.byte();
        if first < 240 { u64::from(first) } else { u64::from_le_bytes(std::array::from_fn(|_| self.byte())) }
    }

    fn some(&mut self) -> Vec<u8> {
        let length = usize::from(self.byte());
        (0..length).map(|_| self.byte()).collect()
    }

    /// A payload: any bytes, or entries of the sample, of which some are damaged.
    fn payload(&mut self, number: u64) -> Vec<u8> {
        if self.byte() < 40 {
            return self.some();
        }
        let mut payload = Vec::new();
        for _ in 0..=self.byte() % 2 {
            let generation = 1 + u64::from(self.byte()) % 9;
            if let Some(change) = sample().1.at(generation) {
                slateboard::durable::Record { generation: number, ..change.record() }.write(&mut payload);
            }
        }
        if self.byte() < 60 {
            payload = damaged(payload, &self.some());
        }
        payload
    }
}

fn write_snapshot(script: &mut Script<'_>) -> Vec<u8> {
    let mut head = Head::new(&author(0), 9, 0, 0);
    let mut file = head.pack(FileKind::Snapshot).to_vec();
    let mut sum = head.check;
    let chunks = usize::from(script.byte()) % FRAMES_MAX;
    for number in 0..chunks as u64 {
        let (payload, is_packed) = (script.payload(number), script.byte() < 128);
        let begin = file.len() as u64;
        let mut frame = Vec::new();
        let check = frame::write(&mut frame, (head.salt, begin), (FrameKind::Chunk, number), |out| {
            out.extend_from_slice(&payload);
            is_packed
        });
        sum = digest(sum, check);
        file.extend_from_slice(&frame);
    }
    let begin = file.len() as u64;
    let numbers = [script.number(), chunks as u64, sum, script.number(), script.number()];
    let mut frame = Vec::new();
    frame::write(&mut frame, (head.salt, begin), (FrameKind::Footer, chunks as u64), |out| {
        numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
        false
    });
    file.extend_from_slice(&frame);
    file
}

fn write_segment(script: &mut Script<'_>) -> Vec<u8> {
    let first = script.number();
    let mut head = Head::new(&author(0), first, 1, 0);
    let mut file = head.pack(FileKind::Segment).to_vec();
    for _ in 0..usize::from(script.byte()) % FRAMES_MAX {
        let kind = [FrameKind::Event, FrameKind::Gap, FrameKind::Synced, FrameKind::Chunk];
        let kind = kind[usize::from(script.byte() % 8).saturating_sub(4)];
        let number = script.number();
        let payload = match kind {
            FrameKind::Gap => {
                [script.number(), script.number()].iter().flat_map(|n| n.to_le_bytes()).collect()
            }
            _ => script.payload(number),
        };
        let begin = file.len() as u64;
        let mut frame = Vec::new();
        frame::write(&mut frame, (head.salt, begin), (kind, number), |out| {
            out.extend_from_slice(&payload);
            false
        });
        file.extend_from_slice(&frame);
    }
    file
}
