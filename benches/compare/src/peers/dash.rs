//! DashMap: a concurrent map of the threads of one process.

use super::{Peer, Place, Shape, value};
use crate::Outcome;
use dashmap::DashMap;

/// The map.
pub struct Dash(DashMap<String, Vec<u8>>);

impl Peer for Dash {
    const NAME: &'static str = "DashMap";
    const LESS: &'static str = "for the threads of one process only; no checksum, history or versions";
    super::found_by_name!();

    fn cannot(work: &str) -> Option<&'static str> {
        (!matches!(work, "get" | "put")).then_some("it is for the threads of one process only")
    }

    fn create(_place: Place<'_>, shape: Shape) -> Outcome<Self> {
        Ok(Self(shape.names().map(|name| (name, value(0, shape.size))).collect()))
    }

    fn open(_place: Place<'_>, _shape: Shape) -> Outcome<Self> {
        Err("it is for the threads of one process only".into())
    }

    fn get_key<T>(
        &self,
        key: &str,
        buffer: &mut Vec<u8>,
        look: impl FnOnce(&[u8]) -> T,
    ) -> Outcome<Option<T>> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        buffer.clear();
        buffer.extend_from_slice(&value);
        drop(value);
        Ok(Some(look(buffer)))
    }

    /// Over the value that stands there: an insertion would allocate the key's name anew.
    fn put_key(&self, key: &str, value: &[u8]) -> Outcome<()> {
        match self.0.get_mut(key) {
            Some(mut old) => {
                old.clear();
                old.extend_from_slice(value);
            }
            None => drop(self.0.insert(key.to_owned(), value.to_vec())),
        }
        Ok(())
    }
}
