//! Session records and names: whose life it is, and what a dead one leaves.

use super::{
    Model,
    board::{Board, shape},
};
use slateboard::{
    layout::{Shape, Writer},
    protocol::{Fault, Full, lane::Lane, publish::Now, sessions::Identity},
};

pub const MODELS: &[&Model] = &[&LIVES, &NAMES, &HALF_A_NAME, &SWEPT, &SHOWN, &FENCED];

/// Whoever sees a life sees who lives it.
static LIVES: Model = Model {
    name: "sessions::a_life_is_seen_with_its_identity",
    budget: 1_000,
    least: 5,
    must_see: &["free", "occupied"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(1, 1);
        let attach = {
            let board = board.clone();
            move || {
                let identity = Identity { pid: 42, boot: 43, ..Identity::default() };
                board.core().occupy(1, 0, &identity)
            }
        };
        let looker = {
            let (board, run) = (board.clone(), run.clone());
            move || {
                let view = board.core().session_view(1);
                if view.active {
                    assert_eq!((view.identity.pid, view.identity.boot, view.incarnation), (42, 43, 1));
                    assert!(board.core().is_occupied(1), "a life is over before it began");
                    run.saw("occupied");
                } else {
                    run.saw("free");
                }
            }
        };
        let (writer, ()) = run.two(attach, looker);
        assert_eq!((writer.session, writer.incarnation), (1, 1));
    },
};

/// Two sessions intern names: every entry has one, whole.
static NAMES: Model = Model {
    name: "sessions::an_interned_name_is_whole",
    budget: 4_000,
    least: 20,
    must_see: &["one entry", "two entries"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::new(Shape { names: 3, ..shape(1, 1) }, 1);
        let interns = [0, 1].map(|owner| {
            let board = board.clone();
            move || {
                let first = board.core().name(1);
                assert!(first.is_none_or(|name| name == "agent"), "a name that nobody wrote");
                let index = board.core().intern("agent", owner).expect("a free entry");
                assert_eq!(board.core().name(index).as_deref(), Some("agent"), "entry {index}");
                index
            }
        });
        let [one, two] = interns;
        let (one, two) = run.two(one, two);
        run.saw(if one == two { "one entry" } else { "two entries" });
    },
};

/// Killed anywhere while interning and reaped: the entry is whole or free again.
static HALF_A_NAME: Model = Model {
    name: "sessions::a_half_made_name_is_freed",
    budget: 400,
    least: 20,
    must_see: &["made", "freed"],
    kills: true,
    roles: 2,
    run: |run| {
        let board = Board::new(Shape { names: 2, ..shape(1, 1) }, 1);
        let mut setup = board.lane(0);
        let victim = {
            let (board, run, lane) = (board.clone(), run.clone(), board.lane(1));
            move || {
                run.victim(|| board.core().intern("agent", lane.session));
                board.reap(&mut setup, 1);
            }
        };
        board.lane(2);
        let other = {
            let board = board.clone();
            move || board.core().intern("other", 2)
        };
        let ((), other) = run.two(victim, other);
        let name = board.core().name(1);
        run.saw(if name.as_deref() == Some("agent") { "made" } else { "freed" });
        if other == Ok(1) {
            assert_eq!(name.as_deref(), Some("other"));
        } else {
            assert_eq!(board.core().intern("third", 0), Ok(1), "an entry is lost: {name:?}");
        }
    },
};

/// A session that ended has a name. One that attaches under it and one that attaches under another, for which there is
/// room only if the name is given up: whoever attached has its own name.
static SWEPT: Model = Model {
    name: "sessions::a_name_in_use_is_not_given_up",
    budget: 5_000,
    least: 500,
    must_see: &["taken again", "given up"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::new(Shape { names: 2, ..shape(1, 1) }, 1);
        assert_eq!(attach(&board, 2, "old"), Ok(1));
        let mut lane = Lane::new(&board.core(), 0, Writer { name: 1, session: 2, incarnation: 1 });
        board.core().leave(std::slice::from_mut(&mut lane), Now::default()).expect("an end");
        let again = {
            let board = board.clone();
            move || attach(&board, 0, "old")
        };
        let other = {
            let board = board.clone();
            move || attach(&board, 1, "new")
        };
        let (again, other) = run.two(again, other);
        let name = board.core().name(1);
        match (again, other) {
            (Ok(1), Err(Fault::Full(Full::Names))) => {
                assert_eq!(name.as_deref(), Some("old"), "a name in use is another's");
                run.saw("taken again");
            }
            (Err(Fault::Full(Full::Names)), Ok(1)) => {
                assert_eq!(name.as_deref(), Some("new"), "a name in use is another's");
                run.saw("given up");
            }
            both => panic!("one entry, and {both:?}"),
        }
    },
};

/// Begins a life and gives it its name.
fn attach(board: &Board, session: usize, name: &str) -> Result<u16, Fault> {
    board.core().occupy(session, 0, &Identity::default());
    board.core().intern(name, session)
}

/// A reader looks up the name of a session that ends meanwhile, and whose name is given up for another's: it is told
/// that session's name, or that it cannot be told.
static SHOWN: Model = Model {
    name: "sessions::a_name_that_is_shown_is_its_session_s",
    budget: 5_000,
    least: 500,
    must_see: &["shown", "freed meanwhile", "ended"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::new(Shape { names: 2, ..shape(1, 1) }, 1);
        assert_eq!(attach(&board, 1, "old"), Ok(1));
        let mut lane = Lane::new(&board.core(), 0, Writer { name: 1, session: 1, incarnation: 1 });
        let others = {
            let board = board.clone();
            move || {
                board.core().leave(std::slice::from_mut(&mut lane), Now::default()).expect("an end");
                assert_eq!(attach(&board, 2, "new"), Ok(1), "an unused name is not given up");
            }
        };
        let reader = {
            let (board, run) = (board.clone(), run.clone());
            move || {
                let core = board.core();
                let freed = core.names_freed();
                let view = core.session_view(1);
                if !view.active {
                    return run.saw("ended");
                }
                let name = core.name(view.name);
                if core.names_stand(freed) {
                    assert_eq!(name.as_deref(), Some("old"), "a session is shown under another's name");
                    run.saw("shown");
                } else {
                    run.saw("freed meanwhile");
                }
            }
        };
        run.two(others, reader);
    },
};

/// A session that was reaped learns it from its next call.
static FENCED: Model = Model {
    name: "sessions::a_reaped_session_is_fenced",
    budget: 5_000,
    least: 3,
    must_see: &["not yet", "fenced"],
    kills: false,
    roles: 2,
    run: |run| {
        let board = Board::small(1, 1);
        let (mut setup, lane) = (board.lane(0), board.lane(1));
        assert_eq!(board.core().check_fence(&lane), Ok(()), "a living session");
        let reaper = {
            let board = board.clone();
            move || board.reap(&mut setup, 1)
        };
        let stopped = {
            let board = board.clone();
            move || (board.core().check_fence(&lane), lane)
        };
        let ((), (then, lane)) = run.two(reaper, stopped);
        assert_eq!(board.core().check_fence(&lane), Err(Fault::Fenced));
        assert!(!board.core().is_occupied(1), "a reaped life goes on");
        let next = board.core().occupy(1, 0, &Identity::default());
        assert_eq!(next.incarnation, lane.writer.incarnation + 1, "a life is lived twice");
        assert_eq!(
            board.core().check_fence(&lane),
            Err(Fault::Fenced),
            "another life is taken for one's own"
        );
        run.saw(if then == Ok(()) { "not yet" } else { "fenced" });
    },
};
