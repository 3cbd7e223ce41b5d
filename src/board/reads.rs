//! Reading through a session: plain methods that call those of its [`Reader`].

use super::{
    Event, Events, Listing, Meta, Metrics, Newer, Reader, Session, SessionInfo, Soundness, View, Watch,
};
use crate::{codec::Decode, entry::Entry, error::Result, uuid::Uuid};
use std::time::Duration;

/// Reading: every method of [`Reader`], with the same names, arguments, results and errors.
impl Session {
    /// As [`Reader::get`].
    pub fn get(&self, key: &str) -> Result<Option<Entry>> {
        self.reader().get(key)
    }

    /// As [`Reader::get_into`].
    #[inline]
    pub fn get_into(&self, key: &str, buffer: &mut Vec<u8>) -> Result<Option<Meta>> {
        self.reader().get_into(key, buffer)
    }

    /// As [`Reader::get_as`].
    pub fn get_as<C: Decode<T>, T>(&self, key: &str) -> Result<Option<(T, Entry)>> {
        self.reader().get_as::<C, T>(key)
    }

    /// As [`Reader::get_json`].
    #[cfg(feature = "json")]
    pub fn get_json<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        self.reader().get_json(key)
    }

    /// As [`Reader::get_pod`].
    pub fn get_pod<T: bytemuck::AnyBitPattern>(&self, key: &str) -> Result<Option<T>> {
        self.reader().get_pod(key)
    }

    /// As [`Reader::list`].
    pub fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        self.reader().list(prefix)
    }

    /// As [`Reader::list_whole`].
    pub fn list_whole(&self, prefix: &str) -> Result<Listing> {
        self.reader().list_whole(prefix)
    }

    /// As [`Reader::keys`].
    pub fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        self.reader().keys(prefix)
    }

    /// As [`Reader::keys_whole`].
    pub fn keys_whole(&self, prefix: &str) -> Result<Listing<String>> {
        self.reader().keys_whole(prefix)
    }

    /// As [`Reader::scan`].
    pub fn scan(&self, prefix: &str, each: impl FnMut(&str, &[u8], &Meta)) -> Result<()> {
        self.reader().scan(prefix, each)
    }

    /// As [`Reader::gather`].
    pub fn gather<T>(&self, prefix: &str, make: impl FnMut(&str, &[u8], &Meta) -> T) -> Result<Listing<T>> {
        self.reader().gather(prefix, make)
    }

    /// As [`Reader::view`].
    pub fn view(&self) -> Result<View> {
        self.reader().view()
    }

    /// As [`Reader::view_at`].
    pub fn view_at(&self, generation: u64) -> Result<View> {
        self.reader().view_at(generation)
    }

    /// As [`Reader::events`].
    pub fn events(&self, since: u64) -> Events {
        self.reader().events(since)
    }

    /// As [`Reader::event`].
    pub fn event(&self, generation: u64) -> Result<Event> {
        self.reader().event(generation)
    }

    /// As [`Reader::watch`].
    pub fn watch(&self, prefix: &str) -> Watch {
        self.reader().watch(prefix)
    }

    /// As [`Reader::wait_newer`].
    pub fn wait_newer(&self, key: &str, version: u64, timeout: Duration) -> Result<Option<Newer>> {
        self.reader().wait_newer(key, version, timeout)
    }

    /// As [`Reader::value_max`].
    pub fn value_max(&self) -> u64 {
        self.reader().value_max()
    }

    /// As [`Reader::generation`].
    pub fn generation(&self) -> u64 {
        self.reader().generation()
    }

    /// As [`Reader::floor`].
    pub fn floor(&self) -> u64 {
        self.reader().floor()
    }

    /// As [`Reader::uuid`].
    pub fn uuid(&self) -> Option<Uuid> {
        self.reader().uuid()
    }

    /// As [`Reader::sessions`].
    pub fn sessions(&self) -> Result<Vec<SessionInfo>> {
        self.reader().sessions()
    }

    /// As [`Reader::metrics`].
    pub fn metrics(&self) -> Result<Metrics> {
        self.reader().metrics()
    }

    /// As [`Reader::check_locks`].
    pub fn check_locks(&self) -> Result<()> {
        self.reader().check_locks()
    }

    /// As [`Reader::soundness`].
    pub fn soundness(&self) -> Result<Soundness> {
        self.reader().soundness()
    }
}

impl AsRef<Reader> for Session {
    fn as_ref(&self) -> &Reader {
        self.reader()
    }
}
