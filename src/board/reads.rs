//! Reading through a session: plain methods that call those of its [`Reader`].

use super::{
    Event, Events, List, Meta, Metrics, Newer, Reader, Session, SessionInfo, Soundness, View, Watch,
};
use crate::{codec::Decode, entry::Entry, error::Result, uuid::Uuid};
use std::time::Duration;

/// Reading: every method of [`Reader`], with the same names, arguments, results and errors.
impl Session {
    /// The key's entry. As [`Reader::get`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("plan", "draft")?;
    /// assert_eq!(session.get("plan")?.unwrap().text(), Some("draft"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn get(&self, key: &str) -> Result<Option<Entry>> {
        self.reader().get(key)
    }

    /// Reads a value into a buffer. As [`Reader::get_into`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("plan", "draft")?;
    /// let mut buffer = Vec::new();
    /// let meta = session.get_into("plan", &mut buffer)?.unwrap();
    /// assert_eq!((buffer.as_slice(), meta.version), (b"draft".as_slice(), 1));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[inline]
    pub fn get_into(&self, key: &str, buffer: &mut Vec<u8>) -> Result<Option<Meta>> {
        self.reader().get_into(key, buffer)
    }

    /// Reads a value by a codec. As [`Reader::get_as`].
    ///
    /// # Examples
    /// ```
    /// use slateboard::codec::Utf8;
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put_as::<Utf8, _>("plan", "draft")?;
    /// let (text, entry) = session.get_as::<Utf8, String>("plan")?.unwrap();
    /// assert_eq!((text.as_str(), entry.version), ("draft", 1));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn get_as<C: Decode<T>, T>(&self, key: &str) -> Result<Option<(T, Entry)>> {
        self.reader().get_as::<C, T>(key)
    }

    /// Reads a JSON value. As [`Reader::get_json`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put_json("limits", &[1, 2])?;
    /// assert_eq!(session.get_json::<Vec<u32>>("limits")?, Some(vec![1, 2]));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    #[cfg(feature = "json")]
    pub fn get_json<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        self.reader().get_json(key)
    }

    /// Reads a plain value. As [`Reader::get_pod`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put_pod("limit", &8_u64)?;
    /// assert_eq!(session.get_pod::<u64>("limit")?, Some(8));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn get_pod<T: bytemuck::AnyBitPattern>(&self, key: &str) -> Result<Option<T>> {
        self.reader().get_pod(key)
    }

    /// Lists the keys that start with a prefix. As [`Reader::list`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("task/1", "open")?;
    /// assert_eq!(session.list("task/").keys().into_vec()?, ["task/1"]);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn list(&self, prefix: &str) -> List {
        self.reader().list(prefix)
    }

    /// A view of the present. As [`Reader::view`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("plan", "draft")?;
    /// let view = session.view()?;
    /// session.put("plan", "final")?;
    /// assert_eq!(view.get("plan")?.unwrap().text(), Some("draft"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn view(&self) -> Result<View> {
        self.reader().view()
    }

    /// A view of a generation. As [`Reader::view_at`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let draft = session.put("plan", "draft")?;
    /// session.put("plan", "final")?;
    /// assert_eq!(session.view_at(draft.generation)?.get("plan")?.unwrap().text(), Some("draft"));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn view_at(&self, generation: u64) -> Result<View> {
        self.reader().view_at(generation)
    }

    /// The events after a generation. As [`Reader::events`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("plan", "draft")?;
    /// session.remove("plan")?;
    /// assert_eq!(session.events(0).count(), 2);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn events(&self, since: u64) -> Events {
        self.reader().events(since)
    }

    /// The event of a generation. As [`Reader::event`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let put = session.put("plan", "draft")?;
    /// assert_eq!(session.event(put.generation)?.mutations[0].key, "plan");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn event(&self, generation: u64) -> Result<Event> {
        self.reader().event(generation)
    }

    /// Follows the changes of the keys that start with a prefix. As [`Reader::watch`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let mut tasks = session.watch("task/");
    /// session.put("task/1", "open")?;
    /// assert_eq!(tasks.next().unwrap()?.mutations[0].key, "task/1");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn watch(&self, prefix: &str) -> Watch {
        self.reader().watch(prefix)
    }

    /// Waits for a newer version of a key. As [`Reader::wait_newer`].
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let put = session.put("plan", "draft")?;
    /// let newer = session.wait_newer("plan", put.version, Duration::from_millis(1))?;
    /// assert_eq!(newer, None);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn wait_newer(&self, key: &str, version: u64, timeout: Duration) -> Result<Option<Newer>> {
        self.reader().wait_newer(key, version, timeout)
    }

    /// The length limit of a value in bytes. As [`Reader::value_max`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// assert!(session.value_max() >= 1 << 20);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn value_max(&self) -> u64 {
        self.reader().value_max()
    }

    /// The newest generation. As [`Reader::generation`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let put = session.put("plan", "draft")?;
    /// assert_eq!(session.generation(), put.generation);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn generation(&self) -> u64 {
        self.reader().generation()
    }

    /// The newest generation that has left the history. As [`Reader::floor`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("plan", "draft")?;
    /// assert_eq!(session.floor(), 0);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn floor(&self) -> u64 {
        self.reader().floor()
    }

    /// The board's identifier. As [`Reader::uuid`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// assert!(session.uuid().is_none(), "a local board has none");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn uuid(&self) -> Option<Uuid> {
        self.reader().uuid()
    }

    /// The sessions of the board. As [`Reader::sessions`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// assert_eq!(session.sessions()?[0].name, "planner");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn sessions(&self) -> Result<Vec<SessionInfo>> {
        self.reader().sessions()
    }

    /// The figures of the board. As [`Reader::metrics`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("plan", "draft")?;
    /// assert_eq!(session.metrics()?.keys, 1);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn metrics(&self) -> Result<Metrics> {
        self.reader().metrics()
    }

    /// Checks that sessions can attach. As [`Reader::check_locks`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.check_locks()?;
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn check_locks(&self) -> Result<()> {
        self.reader().check_locks()
    }

    /// Reads everything and names the damaged records. As [`Reader::soundness`].
    ///
    /// # Examples
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("plan", "draft")?;
    /// assert!(session.soundness()?.damaged.is_empty());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn soundness(&self) -> Result<Soundness> {
        self.reader().soundness()
    }
}

impl AsRef<Reader> for Session {
    fn as_ref(&self) -> &Reader {
        self.reader()
    }
}
