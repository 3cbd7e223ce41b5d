//! The blackboard of iceoryx2: keys and types fixed when it is made, one writer, readers without locks.

use super::{Peer, Place, Shape, value};
use crate::Outcome;
use iceoryx2::{
    port::{
        reader::{EntryHandle, Reader},
        writer::{EntryHandleMut, Writer},
    },
    prelude::{Config, NodeBuilder, ServiceName, ipc},
    service::port_factory::blackboard::PortFactory,
};

type Name = [u8; 16];
type Service = ipc::Service;

/// A service, with its one writer where this process made it.
pub struct Iceoryx<const N: usize> {
    writer: Option<Writer<Service, Name>>,
    reader: Reader<Service, Name>,
    _service: PortFactory<Service, Name>,
    _node: iceoryx2::node::Node<Service>,
}

fn key(key: &str) -> Name {
    let mut name = [0; 16];
    name[..key.len()].copy_from_slice(key.as_bytes());
    name
}

fn node(place: Place<'_>) -> Outcome<(iceoryx2::node::Node<Service>, ServiceName)> {
    let mut config = Config::default();
    // Its files are named after the run's folder, so that they go with it.
    config.global.prefix = place.folder.id("").as_str().try_into()?;
    config.global.set_root_path(&place.folder.path().to_string_lossy().as_ref().try_into()?);
    let node = NodeBuilder::new().config(&config).create::<Service>()?;
    Ok((node, place.part.try_into()?))
}

fn bytes<const N: usize>(value: &[u8]) -> Outcome<[u8; N]> {
    Ok(value.try_into()?)
}

impl<const N: usize> Peer for Iceoryx<N> {
    const NAME: &'static str = "iceoryx2";
    const LESS: &'static str = "one writer process for all keys; keys, sizes and types are fixed at creation; no checksum, history or compare-and-swap";
    const ONE_WRITER: bool = true;
    type Reading = EntryHandle<Service, Name, [u8; N]>;
    type Writing = EntryHandleMut<Service, Name, [u8; N]>;

    fn cannot(work: &str) -> Option<&'static str> {
        match work {
            "contend" => Some("it has one writer"),
            "ycsb" => Some(
                "it has one writer, no insertion and no scan; it finds a key by walking all keys, which is slow with 100,000",
            ),
            "command" => Some("has no command that prints a value"),
            "idle" => {
                Some("nobody can wait for a change of the blackboard; events are a service of their own")
            }
            _ => None,
        }
    }

    fn create(place: Place<'_>, shape: Shape) -> Outcome<Self> {
        let (node, name) = node(place)?;
        let mut creator = node.service_builder(&name).blackboard_creator::<Name>();
        let first = bytes::<N>(&value(0, N))?;
        for name in shape.names() {
            creator = creator.add::<[u8; N]>(key(&name), first);
        }
        let service = creator.create()?;
        let writer = Some(service.writer_builder().create()?);
        let reader = service.reader_builder().create()?;
        Ok(Self { writer, reader, _service: service, _node: node })
    }

    fn open(place: Place<'_>, _shape: Shape) -> Outcome<Self> {
        let (node, name) = node(place)?;
        let service = node.service_builder(&name).blackboard_opener::<Name>().open()?;
        let reader = service.reader_builder().create()?;
        Ok(Self { writer: None, reader, _service: service, _node: node })
    }

    fn reading(&self, name: &str) -> Outcome<Self::Reading> {
        Ok(self.reader.entry(&key(name))?)
    }

    fn writing(&self, name: &str) -> Outcome<Self::Writing> {
        Ok(self.writer.as_ref().ok_or("one writer")?.entry(&key(name))?)
    }

    fn get<T>(&self, at: &Self::Reading, _buffer: &mut Vec<u8>, look: impl FnOnce(&[u8]) -> T) -> Outcome<T> {
        Ok(look(at.get().as_slice()))
    }

    fn put(&self, at: &Self::Writing, value: &[u8]) -> Outcome<()> {
        at.update_with_copy(bytes(value)?);
        Ok(())
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
