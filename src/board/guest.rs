//! Sessions that act for another one, which lives in another process.

use super::{Board, Options, Session, presence::Presence, region::Region};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::{Writer, session::Counter},
    uuid::Uuid,
};
use std::{fmt, str::FromStr, sync::Arc};

/// Names a session for ever: its board, the index of its record, and the number of the record's life.
///
/// It is displayed as `5.17@67e55044-10b1-426f-9247-bb680e5fe0c8`: index, incarnation and board. A session of a local board,
/// which has no identifier, is displayed as `5.17`.
///
/// # Examples
///
/// ```
/// use slateboard::SessionId;
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("board");
/// let session = slateboard::Board::create(&path)?.attach("planner")?;
/// let text = session.id().to_string();
/// assert_eq!(text.parse::<SessionId>()?, session.id());
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct SessionId {
    board: Option<Uuid>,
    session: u16,
    incarnation: u32,
}

impl SessionId {
    /// The session with this index and incarnation, on whatever board it is looked up. [`Session::id`] names the board too.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// let id = slateboard::SessionId::new(session.index(), session.incarnation());
    /// assert_eq!(id, session.id());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub const fn new(index: u16, incarnation: u32) -> Self {
        Self { board: None, session: index, incarnation }
    }

    /// The identifier of the session's board; `None` for a local board, and if it is not known.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// assert_eq!(session.id().board(), None);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub const fn board(&self) -> Option<Uuid> {
        self.board
    }

    /// The index of the session's record.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// assert_eq!(session.id().index(), session.index());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub const fn index(&self) -> u16 {
        self.session
    }

    /// The number of the record's life that the session is.
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// assert_eq!(session.id().incarnation(), session.incarnation());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub const fn incarnation(&self) -> u32 {
        self.incarnation
    }

    /// The life that a session of this board names; `None` if it is of another board, or if there is no such record.
    pub(super) fn life_on(&self, region: &Region) -> Option<Writer> {
        let is_here = self.board.is_none_or(|board| region.uuid() == Some(board));
        let is_record = usize::from(self.session) < region.geometry().sessions();
        (is_here && is_record).then_some(Writer {
            name: 0,
            session: self.session,
            incarnation: self.incarnation,
        })
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{}", self.session, self.incarnation);
        match self.board {
            Some(board) => f.pad(&format!("{text}@{board}")),
            None => f.pad(&text),
        }
    }
}

impl FromStr for SessionId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (session, board) = match text.split_once('@') {
            Some((session, board)) => (session, Some(board)),
            None => (text, None),
        };
        let parsed = session.split_once('.').and_then(|(index, incarnation)| {
            let board = board.map_or(Some(None), |board| parse_uuid(board).map(Some))?;
            Some(Self { board, session: number(index)?, incarnation: number(incarnation)? })
        });
        parsed.ok_or_else(|| {
            Error::new(ErrorKind::InvalidArgument, format!("{text:?} does not name a session"))
                .hint("a session is named like 5.17 or 5.17@67e55044-10b1-426f-9247-bb680e5fe0c8")
        })
    }
}

/// A number in plain digits: without a sign, which `parse` would accept.
fn number<N: FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn parse_uuid(text: &str) -> Option<Uuid> {
    let digits = text.replace('-', "");
    let is_hex = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let value = u128::from_str_radix(&digits, 16).ok().filter(|_| is_hex)?;
    let uuid = Uuid::of_words([(value >> 64) as u64, value as u64]);
    (uuid.to_string() == text).then_some(uuid)
}

impl Session {
    /// Names this session, for ever.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let (one, two) = (board.attach("planner")?, board.attach("planner")?);
    /// assert_ne!(one.id(), two.id());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn id(&self) -> SessionId {
        SessionId { board: self.uuid(), session: self.index(), incarnation: self.incarnation() }
    }

    /// Lets other processes act for this session until it ends: [`Board::attach_for`] with the identifier that this returns.
    /// Pass it on as text, for example in an environment variable.
    ///
    /// [`Counters::ephemerals`] of an inviting session counts each invitation as well.
    ///
    /// [`Counters::ephemerals`]: super::Counters::ephemerals
    ///
    /// # Errors
    /// `Fenced`; `Moved`; `Forked`.
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("worker")?;
    /// let guest = board.attach_for(session.invite()?)?;
    /// assert_eq!(guest.name(), "worker");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn invite(&self) -> Result<SessionId> {
        self.check()?;
        self.reader().core()?.expect_guests(&self.seat().lane());
        Ok(self.id())
    }

    /// The session that this one acts for: [`Board::attach_for`].
    ///
    /// # Examples
    ///
    /// ```
    /// let board = slateboard::Board::local()?;
    /// let session = board.attach("worker")?;
    /// assert_eq!(session.host(), None);
    /// assert_eq!(board.attach_for(session.invite()?)?.host(), Some(session.id()));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn host(&self) -> Option<SessionId> {
        let host = self.seat().host?;
        Some(SessionId { board: self.uuid(), session: host.session, incarnation: host.incarnation })
    }

    /// Checks that the session goes on that this one acts for, if it acts for one.
    pub(super) fn check_host(&self) -> Result<()> {
        let Some(host) = self.seat().host else { return Ok(()) };
        let outcome = match self.reader().core()?.is_in_life(host) {
            true => Ok(()),
            false => Err(over(host)),
        };
        self.reader().region.kept(outcome)
    }
}

impl Board {
    /// Attaches a session that acts for another one, which has [invited](Session::invite) others and lives in this or in another
    /// process. The new session has a record of its own. It has the name of the other, its host; and its
    /// [ephemeral](super::PutOptions::ephemeral) entries and its [leases](Session::lease) are bound to the host: they end with
    /// the host, and not with this session. A lease is renewed as long as this session holds it.
    ///
    /// When the host has ended, puts of ephemeral entries and leases are refused as `Fenced`. Whatever else this session does
    /// goes on.
    ///
    /// # Errors
    /// `Fenced` if the host has ended, or is a session of another board; `InvalidArgument` if it has not invited others. As
    /// [`Board::attach`] otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, PutOptions};
    ///
    /// let board = Board::local()?;
    /// let host = board.attach("worker")?;
    /// let id = host.invite()?;
    ///
    /// let guest = board.attach_for(id)?;
    /// guest.put_with("alive/worker", "", PutOptions::new().ephemeral(true))?;
    /// drop(guest);
    /// assert!(board.reader().get("alive/worker")?.is_some());
    ///
    /// drop(host);
    /// assert!(board.reader().get("alive/worker")?.is_none());
    /// assert!(board.attach_for(id).unwrap_err().is_fenced());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn attach_for(&self, host: SessionId) -> Result<Session> {
        let Some(life) = host.life_on(&self.region) else {
            return Err(fenced(format!("session {host} is not a session of this board")));
        };
        let name = self.region.kept(self.name_of_host(life))?;
        self.region.kept(attach(&self.region, &self.options, &name, life))
    }

    /// The name of a session that lives, and that lets others act for it.
    fn name_of_host(&self, life: Writer) -> Result<String> {
        let core = self.region.core()?;
        let index = usize::from(life.session);
        let record = core.session_view(index);
        if !core.is_in_life(life) {
            return Err(over(life));
        }
        // The record alone does not tell: its process may be dead.
        match self.region.presence(&core, index) {
            Presence::Alive => {}
            Presence::Dead => return Err(over(life)),
            Presence::Unknown => {
                self.region.roll.check()?;
                let text =
                    format!("whether session {}.{} lives is not known", life.session, life.incarnation);
                return Err(Error::new(ErrorKind::Io, text).hint("try again"));
            }
        }
        if record.counters[Counter::Ephemerals as usize] == 0 {
            let text = format!("session {}.{} lets nobody act for it", life.session, life.incarnation);
            return Err(Error::new(ErrorKind::InvalidArgument, text).hint("it must call `Session::invite`"));
        }
        // A session keeps its name while it lives.
        let name = core.name(record.name).filter(|_| core.is_in_life(life));
        name.ok_or_else(|| over(life))
    }
}

fn attach(region: &Arc<Region>, options: &Options, name: &str, host: Writer) -> Result<Session> {
    Session::attach(Arc::clone(region), options, name, Some(host))
}

fn over(life: Writer) -> Error {
    fenced(format!("session {}.{} has ended", life.session, life.incarnation))
}

fn fenced(text: String) -> Error {
    Error::new(ErrorKind::Fenced, text).hint("attach a session of its own, or for a session that lives")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_named_by_its_numbers_and_its_board() {
        let board = Uuid::of_words([0x67e5_5044_10b1_426f, 0x9247_bb68_0e5f_e0c8]);
        let id = SessionId { board: Some(board), session: 5, incarnation: 17 };
        assert_eq!(id.to_string(), "5.17@67e55044-10b1-426f-9247-bb680e5fe0c8");
        assert_eq!(id.to_string().parse::<SessionId>().unwrap(), id);
        assert_eq!("5.17".parse::<SessionId>().unwrap(), SessionId::new(5, 17));
        assert_eq!(SessionId::new(5, 17).to_string(), "5.17");
    }

    #[test]
    fn what_names_no_session_is_refused() {
        for text in [
            "",
            "5",
            "5.",
            ".17",
            "+5.17",
            "5.-17",
            "65536.1",
            "5.4294967296",
            "5.17@",
            "5.17@67e55044",
            "5.17@67e5504410b1426f9247bb680e5fe0c8",
            "5.17@+7e55044-10b1-426f-9247-bb680e5fe0c8",
            "5.17@67e55044-10b1-426f-9247-bb680e5fe0c8 ",
        ] {
            let error = text.parse::<SessionId>().expect_err(text);
            assert!(
                error.kind() == ErrorKind::InvalidArgument && error.to_string().contains(text),
                "{error}"
            );
        }
    }
}
