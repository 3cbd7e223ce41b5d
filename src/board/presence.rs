//! Finds out which sessions are alive, by the lock bytes that they hold, and reaps those whose byte nobody holds.

use super::region::{self, Region};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::Writer,
    protocol::{Core, Silent, lane::Lane},
    region::{Access, Certificate, Lock, LockFile},
};
use std::{collections::BTreeSet, path::Path};

/// Knows which sessions of a board live.
pub(super) struct Roll {
    locks: Locks,
    /// The lock bytes that sessions of this handle hold. They are never probed, because their sessions live.
    held: Lock<BTreeSet<usize>>,
    /// The session of this handle that is the board's elected one.
    elected: Lock<Option<usize>>,
}

/// The source that tells which sessions live.
pub(super) enum Locks {
    File(LockFile),
    /// A local board has no lock file. All of its sessions belong to this handle.
    Local,
    /// The lock file cannot be queried, for this reason.
    Unknown(Error),
}

/// What is known of the process of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Presence {
    Alive,
    Dead,
    /// The lock file could not be queried. Nothing may be done that requires the session to be dead.
    Unknown,
}

/// The sessions that a keeper which is not elected probes: those whose beats are late.
///
/// A late beat only suggests that a session is dead. The lock byte proves it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suspects {
    /// The session to begin with. After the last one follows the first.
    pub(super) from: usize,
    /// The present in nanoseconds of `CLOCK_BOOTTIME`.
    pub(super) boot_ns: u64,
    /// A beat that is older than this is late.
    pub(super) late_ns: u64,
}

impl Suspects {
    /// The maximal number of living sessions that one call probes. When the machine is overloaded, all sessions are late. If
    /// each of them probed all others, that would increase the load.
    const LOOKS: usize = 8;

    /// A beat in the future is late as well: it is from before a reboot, or from another clock.
    fn is_late(&self, heartbeat_ns: u64) -> bool {
        heartbeat_ns.abs_diff(self.boot_ns) > self.late_ns
    }
}

impl Roll {
    pub(super) fn new(locks: Locks) -> Self {
        Self { locks, held: Lock::default(), elected: Lock::default() }
    }

    /// Takes a record's lock byte if it is free. A local board has no lock file; there the set is the lock.
    #[allow(clippy::option_option, reason = "whether it is held, and by what certificate")]
    fn hold(&self, index: usize) -> Result<Option<Option<Certificate>>> {
        let mut held = self.held.lock();
        if held.contains(&index) {
            return Ok(None);
        }
        let certificate = match &self.locks {
            Locks::File(locks) => match locks.try_hold(index as u64)? {
                Some(certificate) => Some(certificate),
                None => return Ok(None),
            },
            Locks::Local => None,
            Locks::Unknown(_) => return Ok(None),
        };
        held.insert(index);
        Ok(Some(certificate))
    }

    pub(super) fn let_go(&self, index: usize, certificate: Option<Certificate>) {
        self.elected.lock().take_if(|elected| *elected == index);
        drop(certificate);
        // The set forgets the byte last. Until then this process gives the index to no other session, which would find
        // itself elected.
        self.held.lock().remove(&index);
    }

    /// Whether this session of the handle is the board's elected one, or becomes it by this call. It stays elected until its
    /// certificate is dropped.
    pub(super) fn is_elected(&self, index: usize, certificate: Option<&Certificate>) -> bool {
        let mut elected = self.elected.lock();
        if elected.is_none() && certificate.map_or(matches!(self.locks, Locks::Local), Certificate::try_elect)
        {
            *elected = Some(index);
        }
        *elected == Some(index)
    }

    /// The inode of the lock file; 0 without one.
    pub(super) fn lock_file(&self) -> u64 {
        match &self.locks {
            Locks::File(locks) => locks.inode(),
            Locks::Local | Locks::Unknown(_) => 0,
        }
    }

    /// Whether the process of an occupied record is alive that names this lock file. A byte of another file than the one
    /// that is open here proves nothing.
    fn presence(&self, index: usize, lock_file: u64) -> Presence {
        if self.held.lock().contains(&index) {
            return Presence::Alive;
        }
        match &self.locks {
            _ if lock_file != self.lock_file() => Presence::Unknown,
            Locks::Local => Presence::Dead,
            Locks::Unknown(_) => Presence::Unknown,
            Locks::File(locks) => match locks.is_held(index as u64) {
                Ok(true) => Presence::Alive,
                Ok(false) => Presence::Dead,
                Err(_) => Presence::Unknown,
            },
        }
    }

    /// Checks that the lock file can be queried, and that sessions can attach.
    pub(super) fn check(&self) -> Result<()> {
        match &self.locks {
            Locks::File(locks) => locks.check(),
            Locks::Local => Ok(()),
            Locks::Unknown(error) => Err(error.again()),
        }
    }

    /// For a forked child: the memory is leaked, because another thread may have been using it at the fork.
    pub(super) fn forget(&mut self) {
        std::mem::forget(std::mem::take(self.held.get_mut()));
    }
}

/// What to do about sessions that cannot be asked.
const UNKNOWN_HINT: &str = "the lock file was replaced, so it cannot be known whether some of them are alive: end the processes that \
    use the board, and create a new board";

/// Whether any process has the board at this path open. The lock file tells, and the records tell whether all sessions have
/// their bytes in it.
pub(super) fn is_in_use(path: &Path) -> Result<bool> {
    let (is_locked, lock_file) = LockFile::is_in_use(path)?;
    if is_locked {
        return Ok(true);
    }
    let file = match crate::region::open(path, Access::ReadOnly) {
        Ok(file) => file,
        // The board may be sound, with sessions that have their bytes elsewhere.
        Err(error) if matches!(error.kind(), ErrorKind::Io | ErrorKind::Full) => return Err(error),
        // There are no records that could be read.
        Err(_) => return Ok(false),
    };
    let Some(core) = Core::new(file.mapping.words(), &[], &Silent, &file.geometry) else { return Ok(false) };
    let is_elsewhere = |&index: &usize| core.is_occupied(index) && core.lock_file(index) != lock_file;
    match (0..file.geometry.sessions()).filter(is_elsewhere).count() {
        0 => Ok(false),
        sessions => Err(Error::new(
            ErrorKind::Refused,
            format!(
                "the lock file was replaced while {sessions} sessions were attached, and they may be alive"
            ),
        )
        .hint("end the processes that use the board, and create a new board")
        .at_path(path)),
    }
}

impl Region {
    /// Takes the lock byte of a free session record, or of one whose session is dead, which is reaped.
    pub(super) fn take_record(&self) -> Result<(usize, Option<Certificate>)> {
        let core = self.core()?;
        let sessions = self.geometry().sessions();
        let (free, mut occupied): (Vec<usize>, Vec<usize>) =
            (0..sessions).partition(|&i| !core.is_occupied(i));
        let others = occupied.len();
        occupied.retain(|&index| self.can_ask(&core, index));
        let unknown = others - occupied.len();
        let mut failed = None;
        for index in free.into_iter().chain(occupied) {
            let Some(certificate) = self.roll.hold(index)? else { continue };
            // The record is checked again under the lock: another process may have taken it meanwhile, and been killed.
            let reaped = if core.is_occupied(index) { self.reap_held(&core, index) } else { Ok(true) };
            match reaped {
                Ok(true) => return Ok((index, certificate)),
                Ok(false) => self.roll.let_go(index, certificate),
                // A later reaper reaps this session. Another record may be free.
                Err(error) => {
                    self.roll.let_go(index, certificate);
                    failed = Some(error);
                }
            }
        }
        Err(failed.unwrap_or_else(|| {
            let full = Error::new(ErrorKind::Full, format!("all {sessions} session records are in use"));
            match unknown {
                0 => full.hint("end a session, or make the board with more"),
                _ => full.hint(UNKNOWN_HINT),
            }
        }))
    }

    /// Reaps all dead sessions. Returns their number.
    pub(super) fn reap_dead(&self) -> Result<usize> {
        let core = self.core()?;
        let (mut reaped, mut failed) = (0, None);
        for index in 0..self.geometry().sessions() {
            match self.reap_if_dead(&core, index) {
                Ok(was_dead) => reaped += usize::from(was_dead),
                // The others are reaped nevertheless.
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(reaped), Err)
    }

    /// Reaps dead sessions among those whose beats are late, up to a number of looks. Returns where the next call is to
    /// begin.
    pub(super) fn reap_suspects(&self, suspects: &Suspects) -> Result<usize> {
        let core = self.core()?;
        let sessions = self.geometry().sessions();
        let mut looks = 0;
        for index in (0..sessions).map(|step| (suspects.from + step) % sessions) {
            if looks == Suspects::LOOKS {
                return Ok(index);
            }
            if !core.is_occupied(index) {
                continue;
            }
            let was_dead = suspects.is_late(core.heartbeat_ns(index))
                && self.reap_if_dead(&core, index).unwrap_or(false);
            looks += usize::from(!was_dead);
        }
        Ok(suspects.from)
    }

    /// The number of records that have a session, dead or alive.
    pub(super) fn occupied(&self) -> Result<usize> {
        let core = self.core()?;
        Ok((0..self.geometry().sessions()).filter(|&index| core.is_occupied(index)).count())
    }

    /// Whether the session of an occupied record is alive, as far as that can be known from here.
    pub(super) fn presence(&self, core: &Core<'_>, index: usize) -> Presence {
        self.roll.presence(index, core.lock_file(index))
    }

    /// Whether the lock file that is open here has the byte of this occupied record.
    fn can_ask(&self, core: &Core<'_>, index: usize) -> bool {
        core.lock_file(index) == self.roll.lock_file()
    }

    /// Reaps the session if it is dead. Only a lock byte that nobody holds proves that.
    fn reap_if_dead(&self, core: &Core<'_>, index: usize) -> Result<bool> {
        if !core.is_occupied(index) || self.presence(core, index) != Presence::Dead {
            return Ok(false);
        }
        self.reap_unheld(core, index)
    }

    /// Reaps this life of a session if its lock byte is free. Returns whether the life is over now.
    pub(super) fn reap_life(&self, life: Writer) -> Result<bool> {
        let core = self.core()?;
        self.reap_if_dead(&core, usize::from(life.session))?;
        Ok(!core.is_in_life(life))
    }

    /// Reaps the session of a record whose lock byte nobody held a moment ago. The record is looked at again under the lock,
    /// because another process may have reaped the session meanwhile. Returns whether this call reaped it.
    fn reap_unheld(&self, core: &Core<'_>, index: usize) -> Result<bool> {
        let Some(certificate) = self.roll.hold(index)? else { return Ok(false) };
        let outcome = if core.is_occupied(index) { self.reap_held(core, index) } else { Ok(false) };
        self.roll.let_go(index, certificate);
        outcome
    }

    /// Reaps the session of an occupied record whose lock byte is held. Returns `false`, and leaves the session alone, if
    /// the session may hold its own byte in another lock file.
    fn reap_held(&self, core: &Core<'_>, index: usize) -> Result<bool> {
        if !self.can_ask(core, index) {
            return Ok(false);
        }
        let mut lane = Lane::for_reaping(core, index);
        self.with_space(&mut lane, 1, |lane| core.reap(lane, index, region::now())).map(|_| true)
    }
}

// They map memory.
#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use crate::{
        board::{
            Options, PutOptions, Session,
            seat::tests::{attach, board, board_of, die, is_attached, put, put_bound, words},
        },
        layout::{GenWord, Guard, GuardOp, Shape, State, StateKind, session::Counter},
        protocol::slots::Key,
    };
    use std::{sync::Arc, time::Duration};

    /// Makes the session one that cannot be reaped: damage says that its record is about to get a bucket of a frozen chain.
    fn make_unreapable(region: &Region, index: usize) {
        let (geometry, words) = (region.geometry(), region.words().unwrap());
        let store = |at: usize, word: u64| words[at].store(word, crate::sync::Ordering::Relaxed);
        let block = geometry.block(geometry.extent_granules() + 1).unwrap();
        store(geometry.state(block), State::new(StateKind::Inflight, index as u16 + 1, 1).0);
        store(geometry.generation(block), GenWord::Bucket(0).pack());
        store(geometry.bucket(0), Guard::new(1, GuardOp::Frozen).0);
    }

    #[test]
    fn a_session_that_cannot_be_reaped_keeps_nobody_from_anything() {
        let region = board(4);
        let [damaged, dead] = ["damaged", "dead"].map(|name| attach(&region, name));
        make_unreapable(&region, 0);
        die(&damaged);
        die(&dead);
        // It is told, and the others are reaped nevertheless.
        assert!(region.reap_dead().is_err());
        assert!(is_attached(&damaged) && !is_attached(&dead));
        let one = session(&region, "one").unwrap();
        let two = attach(&region, "two");
        die(&two);
        let late = Suspects { from: 0, boot_ns: u64::MAX, late_ns: 0 };
        assert_eq!(region.reap_suspects(&late).unwrap(), 0);
        assert!(is_attached(&damaged) && !is_attached(&two));
        // All records but that one are had.
        let more = [attach(&region, "three"), attach(&region, "four")];
        die(&more[0]);
        let last = attach(&region, "five");
        assert_eq!(last.writer.session, more[0].writer.session);
        assert!(region.take_record().is_err_and(|error| !error.is_full()), "the damage is told");
        drop(one);
    }

    #[test]
    fn a_put_finds_the_room_of_the_dead_although_another_cannot_be_reaped() {
        let region = board(3);
        let [damaged, dead, living] = ["damaged", "dead", "living"].map(|name| attach(&region, name));
        // Not in the chain that is damaged below.
        let elsewhere = |key: &String| Key::new(region.geometry(), key).bucket != 0;
        let mut keys = (0..).map(|n| format!("key/{n}")).filter(elsewhere);
        let mine = keys.next().unwrap();
        assert!(keys.any(|key| put_bound(&dead, &key, &[7; 60_000]).is_err()));
        assert!(put(&living, &mine, &[7; 60_000]).unwrap_err().is_full());
        make_unreapable(&region, 0);
        die(&damaged);
        die(&dead);
        put(&living, &mine, &[7; 60_000]).unwrap();
        assert!(is_attached(&damaged) && !is_attached(&dead));
    }

    #[test]
    fn a_lock_that_cannot_be_probed_proves_no_death() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options::default().capacity(1 << 20).keys(64);
        drop(options.create(folder.path().join("board")).unwrap());
        let region = Region::open(&folder.path().join("board")).unwrap();
        let lock_file = region.roll.lock_file();
        assert_eq!(region.roll.presence(0, lock_file), Presence::Dead);
        // No file has a byte there.
        assert_eq!(region.roll.presence(usize::MAX, lock_file), Presence::Unknown);
    }

    #[test]
    fn a_session_counts_from_its_attach() {
        let region = board(1);
        let counters = || region.core().unwrap().session_view(0).counters;
        for puts in 1..4 {
            let seat = attach(&region, "writer");
            assert_eq!(counters()[Counter::Puts as usize], 0);
            for _ in 0..puts {
                put(&seat, "key", b"value").unwrap();
            }
            assert_eq!(counters()[Counter::Puts as usize], puts);
            seat.leave();
        }
        assert_eq!(region.core().unwrap().total(Counter::Puts), 6);
    }

    #[test]
    fn a_session_that_another_reaped_meanwhile_is_not_reaped_again() {
        let region = board(2);
        let [elsewhere, dead] = ["elsewhere", "dead"].map(|name| attach(&region, name));
        die(&dead);
        let (core, index) = (region.core().unwrap(), usize::from(dead.writer.session));
        assert!(region.reap_unheld(&core, index).unwrap() && !is_attached(&dead));
        let before = words(&region);
        assert!(!region.reap_unheld(&core, index).unwrap(), "it is counted twice");
        assert!(words(&region) == before, "the board changed");
        assert!(is_attached(&elsewhere));
        // The record can be had.
        assert_eq!(attach(&region, "next").writer.session, dead.writer.session);
    }

    /// A session whose keeper sleeps.
    fn session(region: &Arc<Region>, name: &str) -> Result<Session> {
        Session::attach(
            Arc::clone(region),
            &Options::default().beat(Duration::from_secs(1 << 20)),
            name,
            None,
        )
    }

    #[test]
    fn a_beat_is_late_when_it_is_too_far_from_the_present_on_either_side() {
        let suspects = Suspects { from: 0, boot_ns: 1000, late_ns: 10 };
        assert!([990, 1000, 1010].iter().all(|&beat_ns| !suspects.is_late(beat_ns)));
        assert!([989, 1011, 0, u64::MAX].iter().all(|&beat_ns| suspects.is_late(beat_ns)));
    }

    #[test]
    fn each_record_has_one_session_and_there_are_no_more_sessions_than_records() {
        let region = board(3);
        let seats = ["one", "two", "three"].map(|name| attach(&region, name));
        assert_eq!(seats.each_ref().map(|seat| seat.writer.session), [0, 1, 2]);
        let full = region.take_record().unwrap_err();
        assert!(full.is_full() && full.to_string().contains("all 3 session records"), "{full}");
        seats[1].leave();
        let again = attach(&region, "again");
        assert_eq!((again.writer.session, again.writer.incarnation), (1, 2));
        assert!(region.take_record().unwrap_err().is_full());
    }

    #[test]
    fn a_dead_session_s_record_is_reaped_and_taken_when_no_other_is_free() {
        let region = board(3);
        let [lives, dead] = ["lives", "dead"].map(|name| attach(&region, name));
        put_bound(&dead, "bound", b"to the dead").unwrap();
        let keys = || region.core().unwrap().usage().keys;
        die(&dead);
        let next = attach(&region, "takes the free record");
        assert!(next.writer.session == 2 && is_attached(&dead) && keys() == 1);
        let last = attach(&region, "takes the dead one's");
        assert_eq!((last.writer.session, last.writer.incarnation, keys()), (1, 2, 0));
        assert!(is_attached(&lives) && is_attached(&next));
    }

    #[test]
    fn the_dead_are_counted_and_the_living_and_the_free_are_not() {
        let region = board(5);
        let seats = ["lives", "dead", "dead too", "gone"].map(|name| attach(&region, name));
        assert_eq!(region.reap_dead().unwrap(), 0);
        seats[1..3].iter().for_each(die);
        seats[3].leave();
        assert_eq!(region.occupied().unwrap(), 3);
        let presence = [0, 1, 2].map(|index| region.presence(&region.core().unwrap(), index));
        assert_eq!(presence, [Presence::Alive, Presence::Dead, Presence::Dead]);
        assert_eq!(region.reap_dead().unwrap(), 2);
        assert_eq!((region.occupied().unwrap(), region.reap_dead().unwrap()), (1, 0));
        // The records of the dead are free again.
        let more = ["one", "two", "three", "four"].map(|name| attach(&region, name));
        assert_eq!(more.map(|seat| seat.writer.session), [1, 2, 3, 4]);
    }

    #[test]
    fn a_session_that_may_have_its_lock_elsewhere_is_neither_reaped_nor_replaced() {
        let region = board(3);
        let [lives, elsewhere, dead] = ["lives", "elsewhere", "dead"].map(|name| attach(&region, name));
        for seat in [&elsewhere, &dead] {
            put_bound(seat, &seat.name, b"v").unwrap();
            die(seat);
        }
        let lock_file = region.geometry().session(1) + crate::layout::session::LOCK_FILE;
        region.words().unwrap()[lock_file].store(1, crate::sync::Ordering::Relaxed);
        let core = region.core().unwrap();
        let presence = [0, 1, 2].map(|index| region.presence(&core, index));
        assert_eq!(presence, [Presence::Alive, Presence::Unknown, Presence::Dead]);
        assert!(!region.reap_unheld(&core, 1).unwrap() && is_attached(&elsewhere));
        // Its byte was given back, and it can be held, but the record is not taken.
        let (index, certificate) = region.take_record().unwrap();
        assert!(index == 2 && !is_attached(&dead) && is_attached(&elsewhere));
        assert!(
            region.take_record().is_err_and(|error| error.to_string().contains("lock file was replaced"))
        );
        region.roll.let_go(index, certificate);
        assert_eq!(
            (region.reap_dead().unwrap(), is_attached(&elsewhere), is_attached(&lives)),
            (0, true, true)
        );
    }

    #[test]
    fn who_attaches_reaps_the_dead_although_there_is_a_free_record() {
        let region = board(3);
        let dead = attach(&region, "dead");
        die(&dead);
        let session = session(&region, "attaches").unwrap();
        assert!(!is_attached(&dead) && region.occupied().unwrap() == 1);
        drop(session);
        assert_eq!(region.occupied().unwrap(), 0, "a dropped session is attached");
    }

    #[test]
    fn a_session_that_finds_no_room_for_its_name_leaves_record_and_lock_free() {
        let region = board_of(Shape { names: 2, ..Shape::sized(1 << 20, 256, 64, 2) });
        let one = session(&region, "one").unwrap();
        assert!(session(&region, "two").unwrap_err().is_full());
        let again = session(&region, "one").unwrap();
        assert!((one.index(), again.index()) == (0, 1) && region.occupied().unwrap() == 2);
    }

    #[test]
    fn a_name_has_1_to_56_bytes() {
        let region = board(2);
        for bytes in [1, 56] {
            assert_eq!(session(&region, &"n".repeat(bytes)).unwrap().name().len(), bytes);
        }
        for bytes in [0, 57] {
            assert_eq!(session(&region, &"n".repeat(bytes)).unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
    }

    #[test]
    fn a_put_and_a_touch_with_a_time_to_live_tell_the_keeper_their_deadline() {
        let region = board(2);
        let options = Options::default().beat(Duration::from_secs(60));
        let session = Session::attach(Arc::clone(&region), &options, "writer", None).unwrap();
        let start_ns = crate::region::boottime_ns();
        let noted_s = || (session.seat().expiries.next_ns() - start_ns) / 1_000_000_000;
        session.put_with("brief", "", PutOptions::new().ttl(Duration::from_secs(50))).unwrap();
        assert!((50..60).contains(&noted_s()), "{}", noted_s());
        session.touch("brief", Duration::from_secs(20)).unwrap();
        assert!((20..30).contains(&noted_s()), "{}", noted_s());
    }
}
