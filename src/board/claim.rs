//! Claims: leases that no program holds on to. Scripts claim a key in one process and release it in another one.

use super::{Expect, PutOptions, Reader, Session, lease};
use crate::{
    codec::CodecId,
    entry::Entry,
    error::{Error, ErrorKind, Result},
};

/// Claims of keys that have a value of their own are put below this.
const CLAIMS: &str = "claim/";

/// A claim on a key: [`Session::claim`].
///
/// # Examples
/// See [`Session::claim`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Claim {
    /// The key that is claimed.
    pub key: String,
    /// The key of the claim's own entry: [`Reader::claim_key`].
    pub claim_key: String,
    /// The fencing token: the generation at which the claim was made. Later claims of the key have larger ones. Whoever
    /// knows it can [release](Session::release_claim) the claim.
    pub token: u64,
}

impl Reader {
    /// The key of the entry that a claim of this key has, or would have now. A key that has a value of its own, such as a task,
    /// is claimed by an entry below `claim/`, so that the value stays. Any other key is claimed by its own entry, as by
    /// [`Session::lease`].
    ///
    /// A value is the key's own if it has no time to live and is bound to no session.
    ///
    /// # Errors
    /// As [`Reader::get`].
    ///
    /// # Examples
    ///
    /// ```
    /// let session = slateboard::Board::local()?.attach("planner")?;
    /// session.put("task/42", "paint")?;
    /// assert_eq!(session.reader().claim_key("task/42")?, "claim/task/42");
    /// assert_eq!(session.reader().claim_key("deploy")?, "deploy");
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn claim_key(&self, key: &str) -> Result<String> {
        let beside = beside(key);
        // A task may be removed while it is claimed. Its claim is where it was.
        let is_claimed = self.claim_at(&beside)?.is_some();
        let has_value = self.get(key)?.is_some_and(|entry| !ends_by_itself(&entry));
        Ok(if is_claimed || has_value { beside } else { key.to_owned() })
    }

    /// The entry at the key of a claim. There is none if the key would be too long.
    fn claim_at(&self, claim_key: &str) -> Result<Option<Entry>> {
        match self.get(claim_key) {
            Err(error) if error.kind() == ErrorKind::InvalidKey => Ok(None),
            other => other,
        }
    }
}

impl Session {
    /// Claims a key, if nobody else has claimed it: puts the session's name at the key's [claim key](Reader::claim_key). The
    /// claim ends with its time to live, or with the session if it is [ephemeral](PutOptions::ephemeral), or when it is
    /// [released](Session::release_claim). Nobody renews it but [`Session::touch`]; [`Session::lease`] is renewed.
    ///
    /// Claims and leases exclude each other.
    ///
    /// # Errors
    /// `Held`, with the claim that stands there in [`Error::current`]; `InvalidArgument` for options without a time to live that
    /// are not ephemeral either. As [`Session::put`] otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, PutOptions};
    /// use std::time::Duration;
    ///
    /// let board = Board::local()?;
    /// let options = PutOptions::new().ttl(Duration::from_secs(60));
    /// let token = board.attach("first script")?.claim("deploy", options)?.token;
    /// assert!(board.attach("another")?.claim("deploy", options).unwrap_err().is_held());
    /// assert!(board.attach("second script")?.release_claim("deploy", Some(token))?);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn claim(&self, key: &str, options: PutOptions) -> Result<Claim> {
        let claim_key = self.reader().claim_key(key)?;
        self.claim_by(key, claim_key, options)
    }

    /// Claims the first key with this prefix that nobody has claimed, in key order: a task of a queue. `None` if there is none.
    /// Whoever has finished a task removes its key, and then releases the claim.
    ///
    /// Keys whose values end by themselves, by a time to live or with a session, are no tasks, and neither are claims.
    ///
    /// # Errors
    /// As [`Session::claim`], but not `Held`.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, PutOptions};
    ///
    /// let session = Board::local()?.attach("worker")?;
    /// session.put("task/1", "paint")?;
    /// session.put("task/2", "sand")?;
    /// let options = PutOptions::new().ephemeral(true);
    /// assert_eq!(session.claim_next("task/", options)?.unwrap().key, "task/1");
    /// assert_eq!(session.claim_next("task/", options)?.unwrap().key, "task/2");
    /// assert_eq!(session.claim_next("task/", options)?, None);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn claim_next(&self, prefix: &str, options: PutOptions) -> Result<Option<Claim>> {
        for key in self.list(prefix).keys().whole()?.entries {
            let claim_key = beside(&key);
            if key.starts_with(CLAIMS)
                || !self.is_task(&key)?
                || self.reader().claim_at(&claim_key)?.is_some()
            {
                continue;
            }
            let claim = match self.claim_by(&key, claim_key, options) {
                Err(error) if error.is_held() => continue,
                other => other?,
            };
            // Somebody may have finished the task since it was listed, and released the claim.
            if self.is_task(&key)? {
                return Ok(Some(claim));
            }
            self.release_claim(&key, Some(claim.token))?;
        }
        Ok(None)
    }

    /// Releases a claim of the key: the one with this token; without a token, one that is bound to this session, or to the
    /// session that this one [acts for](super::Board::attach_for). Returns whether there was one. A claim that ended by itself is
    /// no error.
    ///
    /// # Errors
    /// `Held`, with the entry in [`Error::current`], if somebody else has claimed the key. As [`Session::remove_if`] otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use slateboard::{Board, PutOptions};
    ///
    /// let session = Board::local()?.attach("worker")?;
    /// let claim = session.claim("deploy", PutOptions::new().ephemeral(true))?;
    /// assert!(session.release_claim("deploy", Some(claim.token + 1)).unwrap_err().is_held());
    /// assert!(session.release_claim("deploy", None)?);
    /// assert!(!session.release_claim("deploy", None)?);
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub fn release_claim(&self, key: &str, token: Option<u64>) -> Result<bool> {
        let mut others = None;
        for claim_key in [beside(key), key.to_owned()] {
            while let Some(entry) = self.reader().claim_at(&claim_key)? {
                if !ends_by_itself(&entry) {
                    break;
                }
                if !self.has_claimed(&entry, token) {
                    others.get_or_insert(entry);
                    break;
                }
                match self.remove_if(&claim_key, Expect::Version(entry.version)) {
                    Ok(_) => return Ok(true),
                    // It was renewed, or has ended. The next look tells.
                    Err(error) if error.is_conflict() => {}
                    Err(error) => return Err(error),
                }
            }
        }
        match others {
            Some(entry) => Err(lease::held_by(key, Some(entry))),
            // A key that no claim can have is told.
            None => self.reader().get(key).map(|_| false),
        }
    }

    fn claim_by(&self, key: &str, claim_key: String, options: PutOptions) -> Result<Claim> {
        if options.ttl.is_none() && !options.ephemeral {
            return Err(Error::new(ErrorKind::InvalidArgument, "a claim must end by itself")
                .on_key(key)
                .hint("give it a time to live, or let it end with the session"));
        }
        let options = options.expect(Expect::Absent).codec(CodecId::UTF8);
        let receipt =
            self.put_with(&claim_key, self.name(), options).map_err(|error| lease::held(error, key))?;
        Ok(Claim { key: key.to_owned(), claim_key, token: receipt.generation })
    }

    fn is_task(&self, key: &str) -> Result<bool> {
        Ok(self.reader().get(key)?.is_some_and(|entry| !ends_by_itself(&entry)))
    }

    fn has_claimed(&self, entry: &Entry, token: Option<u64>) -> bool {
        let mine = self.seat().binding();
        match token {
            Some(token) => entry.created == token,
            None => entry
                .ephemeral
                .as_ref()
                .is_some_and(|bound| (bound.session, bound.incarnation) == (mine.session, mine.incarnation)),
        }
    }
}

fn beside(key: &str) -> String {
    format!("{CLAIMS}{key}")
}

/// Whether the entry is one of a claim or a lease, and not a value that stays.
fn ends_by_itself(entry: &Entry) -> bool {
    entry.deadline.is_some() || entry.ephemeral.is_some()
}
