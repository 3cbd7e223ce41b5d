//! The blackboard of ringfire: numbered slots of one size, each behind a sequence lock; one writer.

use super::{Peer, Place, Shape, value};
use crate::Outcome;
use ringfire::{BlackboardConsumer, BlackboardProducer};
use std::{cell::RefCell, collections::HashMap};

/// The producer where this process made the board, and a consumer. Slots have numbers; the names are kept here.
pub struct Ringfire<const N: usize> {
    writer: Option<RefCell<BlackboardProducer<[u8; N]>>>,
    reader: BlackboardConsumer<[u8; N]>,
    numbers: HashMap<String, usize>,
}

fn numbers(shape: Shape) -> HashMap<String, usize> {
    shape.names().enumerate().map(|(number, name)| (name, number)).collect()
}

impl<const N: usize> Peer for Ringfire<N> {
    const NAME: &'static str = "ringfire";
    const LESS: &'static str = "one writer process; numbered slots of one size (this program keeps the names); no checksum, history, compare-and-swap, insertion or scan (so of YCSB only C)";
    const ONE_WRITER: bool = true;
    /// The one that only reads.
    const WORKLOADS: &'static [char] = &['C'];
    type Reading = usize;
    type Writing = usize;

    fn cannot(work: &str) -> Option<&'static str> {
        match work {
            "contend" => Some("it has one writer"),
            "command" => Some("has no command that prints a value"),
            "idle" => Some("nobody can wait for a change of the blackboard, only for its rings"),
            _ => None,
        }
    }

    fn create(place: Place<'_>, shape: Shape) -> Outcome<Self> {
        let path = place.file(".ringfire");
        let mut writer = BlackboardProducer::create(&path, shape.keys)?;
        let first: [u8; N] = value(0, N).as_slice().try_into()?;
        for number in 0..shape.keys {
            writer.write(number, &first)?;
        }
        let reader = BlackboardConsumer::attach(&path)?;
        Ok(Self { writer: Some(RefCell::new(writer)), reader, numbers: numbers(shape) })
    }

    fn open(place: Place<'_>, shape: Shape) -> Outcome<Self> {
        let reader = BlackboardConsumer::attach(place.file(".ringfire"))?;
        Ok(Self { writer: None, reader, numbers: numbers(shape) })
    }

    fn reading(&self, key: &str) -> Outcome<usize> {
        Ok(*self.numbers.get(key).ok_or("no such key")?)
    }

    fn writing(&self, key: &str) -> Outcome<usize> {
        self.reading(key)
    }

    fn get<T>(&self, at: &usize, _buffer: &mut Vec<u8>, look: impl FnOnce(&[u8]) -> T) -> Outcome<T> {
        Ok(look(self.reader.read(*at)?.ok_or("an empty slot")?.as_slice()))
    }

    fn put(&self, at: &usize, value: &[u8]) -> Outcome<()> {
        let value: &[u8; N] = value.try_into()?;
        Ok(self.writer.as_ref().ok_or("one writer")?.borrow_mut().write(*at, value)?)
    }

    fn get_key<T>(
        &self,
        key: &str,
        buffer: &mut Vec<u8>,
        look: impl FnOnce(&[u8]) -> T,
    ) -> Outcome<Option<T>> {
        self.get(&self.reading(key)?, buffer, look).map(Some)
    }

    fn put_key(&self, key: &str, value: &[u8]) -> Outcome<()> {
        self.put(&self.writing(key)?, value)
    }
}
