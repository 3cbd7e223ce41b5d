//! Sessions that act for another one, claims, and sessions that are evicted.
//!
//! The other processes are this test program again, running one of the `as_…` tests below, which do nothing
//! unless they are given a role.

use slateboard::{
    Board, ErrorKind, Eviction, Expect, Liveness, MutationKind, PutOptions, Session, SessionId,
    layout::session as record, region, sync::Ordering::Relaxed,
};
use slateboard_kit::{
    children::{Child, SOON, role, say, stay},
    judge,
    places::{folder, small},
};
use std::{path::Path, time::Duration};

/// Beats that never come: then nobody is reaped but by attaching.
const SELDOM: Duration = Duration::from_secs(3600);
const BOUND: PutOptions = PutOptions::new().ephemeral(true);

fn board(path: &Path) -> Board {
    small().beat(SELDOM).open_or_create(path).unwrap()
}

/// Replaces a word of the session's record.
fn set_word(path: &Path, session: &Session, word: usize, value: u64) -> u64 {
    let file = region::open(path, region::Access::ReadWrite).unwrap();
    let at = file.geometry.session(session.index().into()) + word;
    file.mapping.words()[at].swap(value, Relaxed)
}

#[test]
fn as_host() {
    let Some((path, _)) = role() else { return };
    let session = board(&path).attach("host").unwrap();
    say(&format!("invites {}", session.invite().unwrap()));
    stay();
}

#[test]
fn what_a_guest_binds_ends_with_its_host_whichever_way_that_ends() {
    for is_killed in [true, false] {
        let (_folder, path) = folder();
        let board = board(&path);
        let mut host = Child::start("as_host", &path, "");
        let id: SessionId = host.hear("invites ").unwrap().parse().unwrap();
        let guest = board.attach_for(id).unwrap();
        assert_eq!((guest.name(), guest.host()), ("host", Some(id)));
        assert!(guest.id() != id && id.board() == board.uuid());
        guest.put_with("alive", "", BOUND).unwrap();
        guest.put("stays", "").unwrap();
        let lease = guest.lease("lease", SOON).unwrap();
        let entry = guest.get("alive").unwrap().unwrap();
        assert_eq!((entry.writer.name.as_str(), entry.writer.session), ("host", guest.index()));
        let bound = entry.ephemeral.unwrap();
        assert_eq!((bound.session, bound.incarnation), (id.index(), id.incarnation()));
        // The end of the guest ends nothing that is bound to the host.
        let other = board.attach_for(id).unwrap();
        other.put_with("alive too", "", BOUND).unwrap();
        drop(other);
        let last = board.generation();
        assert_eq!(guest.list("alive").keys().into_vec().unwrap(), ["alive", "alive too"]);
        match is_killed {
            true => host.kill(),
            false => assert!(host.ends_well()),
        }
        let next = board.attach("next").unwrap();
        assert_eq!(next.list("").keys().into_vec().unwrap(), ["stays"]);
        let ends: Vec<_> = next.events(last).map(|event| event.unwrap().mutations[0].kind).collect();
        let kind = if is_killed { MutationKind::Died } else { MutationKind::Detached };
        assert_eq!(ends, [kind; 3]);
        // What the guest would bind from now on, nobody would remove.
        assert!(!lease.is_held() && lease.renew().unwrap_err().is_fenced());
        let before = board.generation();
        assert!(guest.put_with("late", "", BOUND).unwrap_err().is_fenced());
        assert!(guest.lease("late", SOON).err().unwrap().is_fenced());
        assert_eq!(board.generation(), before, "it was put");
        assert!(board.attach_for(id).unwrap_err().is_fenced());
        guest.put("goes on", "").unwrap();
        drop((lease, guest, next));
        judge::assert_sound(&path);
    }
}

#[test]
fn a_guest_acts_only_for_a_session_of_the_board_that_lives_and_has_invited_it() {
    let ((_folder, path), (_other, elsewhere)) = (folder(), folder());
    let board = board(&path);
    let (host, other) = (board.attach("host").unwrap(), self::board(&elsewhere).attach("other").unwrap());
    assert_eq!(
        board.attach_for(host.id()).unwrap_err().kind(),
        ErrorKind::InvalidArgument,
        "it has not invited"
    );
    let id = host.invite().unwrap();
    assert!(board.attach_for(other.invite().unwrap()).unwrap_err().is_fenced(), "another board");
    let strangers = [(id.index(), id.incarnation() + 1), (id.index() + 1, id.incarnation()), (u16::MAX, 1)];
    for (index, incarnation) in strangers {
        assert!(board.attach_for(SessionId::new(index, incarnation)).unwrap_err().is_fenced(), "{index}");
    }
    assert_eq!(board.sessions().unwrap().len(), 1, "who was refused is attached");
    assert!(host.clone().host().is_none());
    board.attach_for(id).unwrap();
    drop(host);
    assert!(board.attach_for(id).unwrap_err().is_fenced(), "it has ended");
    // The record's next session is another one, whatever it allows.
    let next = board.attach("next").unwrap();
    assert_eq!(next.index(), id.index());
    assert!(board.attach_for(id).unwrap_err().is_fenced(), "it is over");
}

/// The kernel's lock tells, and not the record alone.
#[test]
fn a_guest_does_not_act_for_a_dead_session_that_nobody_has_reaped() {
    let (_folder, path) = folder();
    let board = board(&path);
    let mut host = Child::start("as_host", &path, "");
    let id: SessionId = host.hear("invites ").unwrap().parse().unwrap();
    host.kill();
    assert_eq!(board.sessions().unwrap()[0].liveness, Liveness::Dead);
    assert!(board.attach_for(id).unwrap_err().is_fenced());
    assert_eq!(board.sessions().unwrap().len(), 1, "it was reaped, and not asked about");
}

#[test]
fn a_claim_is_released_by_who_knows_its_token_and_by_nobody_else() {
    let board = Board::options().capacity(1 << 20).keys(64).local().unwrap();
    let [one, two] = ["one", "two"].map(|name| board.attach(name).unwrap());
    let options = PutOptions::new().ttl(SOON);
    let claim = one.claim("deploy", options).unwrap();
    assert_eq!((claim.token, claim.claim_key.as_str()), (board.generation(), "deploy"));
    // It is no session's own, so the session that made it cannot release it without the token either.
    for (session, token) in [(&one, None), (&two, None), (&one, Some(claim.token + 1)), (&two, Some(0))] {
        let refused = session.release_claim("deploy", token).unwrap_err();
        assert!(refused.is_held() && refused.current().unwrap().writer.name == "one", "{token:?}");
    }
    two.touch("deploy", SOON).unwrap();
    assert!(two.release_claim("deploy", Some(claim.token)).unwrap());
    assert!(!two.release_claim("deploy", Some(claim.token)).unwrap());
    assert!(
        two.claim("deploy", PutOptions::new()).is_err_and(|error| error.kind() == ErrorKind::InvalidArgument)
    );
    // The token is of one claim.
    let bound = two.claim("deploy", BOUND).unwrap();
    assert!(
        one.release_claim("deploy", Some(claim.token)).unwrap_err().is_held() && bound.token > claim.token
    );
    assert!(one.release_claim("deploy", None).unwrap_err().is_held());
    assert!(two.release_claim("deploy", None).unwrap());
    // A value that stays is no claim, whatever its generation.
    let value = one.put("plan", "paint").unwrap();
    assert!(!one.release_claim("plan", Some(value.generation)).unwrap());
    assert!(one.get("plan").unwrap().is_some());
    assert!(one.release_claim("", None).is_err() && one.claim("", options).is_err());
}

#[test]
fn claims_and_leases_exclude_each_other() {
    let board = Board::options().capacity(1 << 20).keys(64).local().unwrap();
    let [one, two] = ["one", "two"].map(|name| board.attach(name).unwrap());
    let lease = one.lease("deploy", SOON).unwrap();
    assert!(two.claim("deploy", BOUND).unwrap_err().is_held());
    drop(lease);
    two.claim("deploy", BOUND).unwrap();
    assert!(one.lease("deploy", SOON).err().unwrap().is_held());
    // The claim of a task stays where it is when the task is removed.
    one.put("task", "paint").unwrap();
    let claim = one.claim("task", BOUND).unwrap();
    assert_eq!(claim.claim_key, "claim/task");
    one.remove("task").unwrap();
    assert!(two.claim("task", BOUND).unwrap_err().is_held());
    assert!(one.release_claim("task", Some(claim.token)).unwrap());
    assert_eq!(two.claim("task", BOUND).unwrap().claim_key, "task");
}

#[test]
fn tasks_are_claimed_in_the_order_of_their_keys_and_once() {
    let board = Board::options().capacity(1 << 20).keys(256).local().unwrap();
    let session = board.attach("maker").unwrap();
    for n in (0..40).rev() {
        session.put(&format!("task/{n:02}"), "paint").unwrap();
    }
    session.put_with("task/mark", "", BOUND).unwrap();
    session.claim("task/00", BOUND).unwrap();
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let session = board.attach("worker").unwrap();
            std::thread::spawn(move || {
                let mut had = Vec::new();
                while let Some(claim) = session.claim_next("task/", BOUND).unwrap() {
                    // Finished before the claim is released: nobody gets it again.
                    session.remove(&claim.key).unwrap();
                    assert!(session.release_claim(&claim.key, Some(claim.token)).unwrap());
                    had.push(claim.key);
                }
                had
            })
        })
        .collect();
    let each: Vec<Vec<String>> = workers.into_iter().map(|worker| worker.join().unwrap()).collect();
    assert!(each.iter().all(|had| had.is_sorted()), "{each:?}");
    let mut all = each.concat();
    all.sort();
    assert_eq!(all, (1..40).map(|n| format!("task/{n:02}")).collect::<Vec<_>>());
    let left = session.list("").keys().into_vec().unwrap();
    assert_eq!(left, ["claim/task/00", "task/00", "task/mark"]);
}

#[test]
fn a_stopped_session_is_evicted_and_what_was_bound_to_it_ends() {
    let (_folder, path) = folder();
    let board = board(&path);
    let mut host = Child::start("as_host", &path, "");
    let id: SessionId = host.hear("invites ").unwrap().parse().unwrap();
    board.attach_for(id).unwrap().put_with("alive", "", BOUND).unwrap();
    host.stop();
    let pid = host.pid().as_raw().cast_unsigned();
    assert_eq!(board.evict(id, SOON).unwrap(), Some(Eviction::Killed { pid }));
    assert!(host.has_ended() && board.sessions().unwrap().is_empty());
    assert!(board.reader().get("alive").unwrap().is_none());
    assert_eq!(board.evict(id, SOON).unwrap(), Some(Eviction::Gone));
    // The next session of that record is another one.
    let next = board.attach("next").unwrap();
    assert_eq!(next.index(), id.index());
    assert_eq!(board.evict(id, SOON).unwrap(), Some(Eviction::Gone));
    assert_eq!(board.evict(next.id(), SOON).unwrap_err().kind(), ErrorKind::InvalidArgument, "itself");
    assert!(next.put_if("k", "", Expect::Absent).is_ok());
    // One whose process has ended already.
    let mut host = Child::start("as_host", &path, "");
    let id: SessionId = host.hear("invites ").unwrap().parse().unwrap();
    host.kill();
    assert_eq!(board.evict(id, SOON).unwrap(), Some(Eviction::Dead));
    assert_eq!(board.sessions().unwrap().len(), 1);
}

#[test]
fn a_process_that_is_not_proved_to_be_the_session_s_is_not_killed() {
    let (_folder, path) = folder();
    let board = board(&path);
    let mut host = Child::start("as_host", &path, "");
    let id: SessionId = host.hear("invites ").unwrap().parse().unwrap();
    let other = board.attach("other").unwrap();
    // Its record is made to name a bystander.
    let bystander = Child::start("as_host", &path, "");
    let info = board.sessions().unwrap().into_iter().find(|info| info.index == id.index()).unwrap();
    let at = Session::index(&other);
    let forge = |word: usize, value: u64| {
        let file = region::open(&path, region::Access::ReadWrite).unwrap();
        let record = file.geometry.session(id.index().into());
        file.mapping.words()[record + word].swap(value, Relaxed)
    };
    for (word, wrong) in [(record::PID_NAMESPACE, 1), (record::PID_NAMESPACE, 0), (record::START_TIME, 0)] {
        let was = forge(word, wrong);
        let error = board.evict(id, SOON).unwrap_err();
        assert!(
            error.kind() == ErrorKind::Unverified && error.to_string().contains("cannot be evicted"),
            "{error}"
        );
        forge(word, was);
    }
    forge(record::PID, u64::from(bystander.pid().as_raw().cast_unsigned()));
    forge(record::START_TIME, info.start_time + 1);
    assert_eq!(board.evict(id, Duration::ZERO).unwrap(), None, "its lock is held");
    assert!(!bystander.has_ended() && !host.has_ended() && other.index() == at);
    set_word(&path, &other, record::HEARTBEAT_NS, 0);
    assert!(host.ends_well());
}
