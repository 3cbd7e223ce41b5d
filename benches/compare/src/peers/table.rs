//! A table of values of one size in shared memory, found by number. What the limit and the mutex's table are made of.
#![allow(unsafe_code, reason = "copies in memory that other processes write to")]

use super::{Shape, value};
use crate::Outcome;
use std::collections::HashMap;

/// Where the values stand: a pointer to memory that stays mapped as long as its owner lives.
pub struct Table {
    base: *mut u8,
    shape: Shape,
    numbers: HashMap<String, usize>,
}

impl Table {
    /// Bytes that a table of this shape takes.
    pub fn bytes(shape: Shape) -> usize {
        (shape.keys + shape.spare) * shape.size
    }

    /// A table at this address.
    ///
    /// # Safety
    /// [`Table::bytes`] bytes from there stay mapped, writable and aligned to 8, for as long as the table is used.
    pub unsafe fn at(base: *mut u8, shape: Shape) -> Self {
        let numbers = shape.all_names().enumerate().map(|(number, name)| (name, number)).collect();
        Self { base, shape, numbers }
    }

    /// Fills the values that are there from the beginning.
    pub fn fill(&self) {
        let value = value(0, self.shape.size);
        (0..self.shape.keys).for_each(|number| self.write(number, &value));
    }

    /// The number of a key.
    pub fn number(&self, key: &str) -> Outcome<usize> {
        Ok(*self.numbers.get(key).ok_or("no such key")?)
    }

    fn slot(&self, number: usize) -> *mut u8 {
        assert!(number < self.shape.keys + self.shape.spare, "the key is in the table");
        // SAFETY: the slot lies in the table, which `at` was promised to be mapped.
        unsafe { self.base.add(number * self.shape.size) }
    }

    /// Copies a value out.
    #[inline]
    pub fn read(&self, number: usize, buffer: &mut Vec<u8>) {
        buffer.resize(self.shape.size, 0);
        // SAFETY: both sides have `size` bytes and do not overlap. Without a lock another process may be writing them:
        // the bytes then are of several writes, which is what the limit measures, and no more than bytes.
        unsafe { self.slot(number).copy_to_nonoverlapping(buffer.as_mut_ptr(), self.shape.size) };
    }

    /// Copies a value in.
    #[inline]
    pub fn write(&self, number: usize, value: &[u8]) {
        assert_eq!(value.len(), self.shape.size);
        // SAFETY: as `read`, the other way.
        unsafe { self.slot(number).copy_from_nonoverlapping(value.as_ptr(), value.len()) };
    }

    /// The value's first eight bytes, as one word that several processes may change.
    pub fn word(&self, number: usize) -> &slateboard::sync::AtomicU64 {
        // SAFETY: mapped as long as the table is used, aligned because values are multiples of eight bytes.
        unsafe { slateboard::sync::AtomicU64::from_ptr(self.slot(number).cast()) }
    }
}
