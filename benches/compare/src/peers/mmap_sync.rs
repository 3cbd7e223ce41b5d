//! mmap-sync: one value, here a whole map, that one writer replaces and readers use where it lies.
#![allow(
    unsafe_code,
    reason = "its reads are unsafe: nobody may use a value longer than the writer's patience"
)]

use super::{Peer, Place, Shape, value};
use crate::Outcome;
use bytecheck::CheckBytes;
use mmap_sync::{locks::LockDisabled, synchronizer::Synchronizer};
use rkyv::{Archive, Deserialize, Serialize};
use std::{cell::RefCell, collections::HashMap, time::Duration};

/// What is shared.
#[derive(Archive, Serialize, Deserialize)]
#[archive_attr(derive(CheckBytes))]
struct Whole {
    values: HashMap<String, Vec<u8>>,
}

/// With sleeps of a microsecond where a reader still holds the copy that is to be written; the default is a second.
type Shared = Synchronizer<wyhash::WyHash, LockDisabled, 1024, 1_000>;

/// After which a reader that does not let go counts as dead.
const PATIENCE: Duration = Duration::from_secs(1);

/// The shared map, and the writer's own copy of it.
pub struct MmapSync {
    shared: RefCell<Shared>,
    whole: RefCell<Whole>,
}

impl MmapSync {
    fn publish(&self) -> Outcome<()> {
        self.shared.borrow_mut().write(&*self.whole.borrow(), PATIENCE)?;
        Ok(())
    }
}

impl Peer for MmapSync {
    const NAME: &'static str = "mmap-sync";
    const LESS: &'static str = "one writer process; a put writes the whole map again (so of YCSB only C); no history or compare-and-swap; reads do not verify the checksum";
    const ONE_WRITER: bool = true;
    /// The one that only reads.
    const WORKLOADS: &'static [char] = &['C'];
    const WALL: bool = true;
    const KEYS: usize = 1;
    super::found_by_name!();

    fn cannot(work: &str) -> Option<&'static str> {
        match work {
            "contend" => Some("it has one writer"),
            "command" => Some("has no command"),
            "idle" => Some("offers no way to wait for a change"),
            _ => None,
        }
    }

    fn create(place: Place<'_>, shape: Shape) -> Outcome<Self> {
        let values = shape.names().map(|name| (name, value(0, shape.size))).collect();
        let shared = RefCell::new(Shared::with_params(place.file("").as_os_str()));
        let made = Self { shared, whole: RefCell::new(Whole { values }) };
        made.publish()?;
        Ok(made)
    }

    fn open(place: Place<'_>, _shape: Shape) -> Outcome<Self> {
        let shared = RefCell::new(Shared::with_params(place.file("").as_os_str()));
        Ok(Self { shared, whole: RefCell::new(Whole { values: HashMap::new() }) })
    }

    fn get_key<T>(
        &self,
        key: &str,
        buffer: &mut Vec<u8>,
        look: impl FnOnce(&[u8]) -> T,
    ) -> Outcome<Option<T>> {
        let mut shared = self.shared.borrow_mut();
        // SAFETY: the value is copied at once and let go, long before the writer's patience ends. As its users do, the
        // bytes are taken for what the writer checked.
        let whole = unsafe { shared.read::<Whole>(false)? };
        let Some(value) = whole.values.get(key) else { return Ok(None) };
        buffer.clear();
        buffer.extend_from_slice(value);
        Ok(Some(look(buffer)))
    }

    fn put_key(&self, key: &str, value: &[u8]) -> Outcome<()> {
        let mut whole = self.whole.borrow_mut();
        let old = whole.values.get_mut(key).ok_or("one writer, fixed keys")?;
        old.clear();
        old.extend_from_slice(value);
        drop(whole);
        self.publish()
    }
}
