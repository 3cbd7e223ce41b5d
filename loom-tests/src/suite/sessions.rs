//! Session records and names say whose life it is. What a dead session leaves half made is freed.

use super::{
    Model, Run,
    board::{Board, shape},
    model,
    scene::{Party, Scene},
};
use slateboard::{
    layout::{Shape, Writer},
    protocol::{Fault, Full, lane::Lane, publish::Now, sessions::Identity},
};

pub const MODELS: &[Model] = &[
    model("sessions::a_life_is_seen_with_its_identity", lives)
        .budget(1_000)
        .least(5)
        .must_see(&["free", "occupied"]),
    model("sessions::an_interned_name_is_whole", names).least(20).must_see(&["one entry", "two entries"]),
    model("sessions::a_half_made_name_is_freed", half_a_name)
        .budget(400)
        .least(20)
        .must_see(&["made", "freed"]),
    model("sessions::a_name_in_use_is_not_given_up", swept)
        .budget(5_000)
        .least(500)
        .must_see(&["taken again", "given up"]),
    model("sessions::a_name_that_is_shown_is_its_session_s", shown).budget(5_000).least(500).must_see(&[
        "shown",
        "freed meanwhile",
        "ended",
    ]),
    model("sessions::a_reaped_session_is_fenced", fenced)
        .budget(5_000)
        .least(3)
        .must_see(&["not yet", "fenced"]),
];

/// A board with room for so many names, of which the first stays free.
fn board(run: &Run, names: u64) -> Scene {
    run.board(Shape { names, ..shape(1, 1) })
}

/// A reader that sees a life sees who lives it.
fn lives(run: &Run) {
    let mut board = board(run, 1);
    let attach = board.reader(|board| {
        let identity = Identity { pid: 42, lock_file: 43, ..Identity::default() };
        board.core().occupy(1, 0, &identity)
    });
    let looker = board.reader(|board| {
        let view = board.core().session_view(1);
        if view.active {
            assert_eq!((view.identity.pid, view.identity.lock_file, view.incarnation), (42, 43, 1));
            assert!(board.core().is_occupied(1), "a life is over before it began");
        }
        board.saw(if view.active { "occupied" } else { "free" });
    });
    let (writer, ()) = board.two(attach, looker);
    assert_eq!((writer.session, writer.incarnation), (1, 1));
}

/// Two sessions intern names. Every entry has one, whole.
fn names(run: &Run) {
    let mut board = board(run, 3);
    let interns = [0, 1].map(|owner| {
        board.reader(move |board| {
            let first = board.core().name(1);
            assert!(first.is_none_or(|name| name == "agent"), "a name that nobody wrote");
            let index = board.core().intern("agent", owner).expect("a free entry");
            assert_eq!(board.core().name(index).as_deref(), Some("agent"), "entry {index}");
            index
        })
    });
    let [one, two] = board.all(interns);
    board.saw(if one == two { "one entry" } else { "two entries" });
}

/// A session is killed anywhere while it interns a name, and reaped. The entry is whole or free again.
fn half_a_name(run: &Run) {
    let mut board = board(run, 2).attached();
    let victim = board.victim(board.party(1), |me| me.core().intern("agent", 1));
    board.party(2);
    let other = board.reader(|board| board.core().intern("other", 2));
    let (_, other) = board.two(victim, other);
    let name = board.core().name(1);
    board.saw(if name.as_deref() == Some("agent") { "made" } else { "freed" });
    if other == Ok(1) {
        assert_eq!(name.as_deref(), Some("other"));
    } else {
        assert_eq!(board.core().intern("third", 0), Ok(1), "an entry is lost: {name:?}");
    }
}

/// Begins a life and gives it its name.
fn attach(board: &Board, session: usize, name: &str) -> Result<u16, Fault> {
    board.core().occupy(session, 0, &Identity::default());
    board.core().intern(name, session)
}

/// A session with the name of entry 1.
fn old(board: &Scene, session: usize) -> Party {
    assert_eq!(attach(board, session, "old"), Ok(1));
    let writer = Writer { name: 1, session: session as u16, incarnation: 1 };
    board.party_of(Lane::new(&board.core(), 0, writer))
}

/// Ends the session of its own accord.
fn leave(me: &mut Party) {
    let (core, lane) = me.parts();
    core.leave(std::slice::from_mut(lane), Now::default()).expect("an end");
}

/// A session that ended has a name. One attaches under that name, and one under another, for which there is room only
/// if the old name is given up. A session that attached has its own name.
fn swept(run: &Run) {
    let mut board = board(run, 2);
    leave(&mut old(&board, 2));
    let again = board.reader(|board| attach(board, 0, "old"));
    let other = board.reader(|board| attach(board, 1, "new"));
    let (own, what) = match board.two(again, other) {
        (Ok(1), Err(Fault::Full(Full::Names))) => ("old", "taken again"),
        (Err(Fault::Full(Full::Names)), Ok(1)) => ("new", "given up"),
        both => panic!("one entry, and {both:?}"),
    };
    assert_eq!(board.core().name(1).as_deref(), Some(own), "a name in use is another's");
    board.saw(what);
}

/// A reader looks up the name of a session that ends meanwhile, and whose name is given up for another's. It is told
/// that session's name, or that it cannot be told.
fn shown(run: &Run) {
    let mut board = board(run, 2);
    let others = board.role_of(old(&board, 1), |me| {
        leave(me);
        assert_eq!(attach(me, 2, "new"), Ok(1), "an unused name is not given up");
    });
    let reader = board.reader(|board| {
        let core = board.core();
        let freed = core.names_freed();
        let view = core.session_view(1);
        if !view.active {
            return board.saw("ended");
        }
        let name = core.name(view.name);
        if !core.names_stand(freed) {
            return board.saw("freed meanwhile");
        }
        assert_eq!(name.as_deref(), Some("old"), "a session is shown under another's name");
        board.saw("shown");
    });
    board.two(others, reader);
}

/// A session that was reaped learns it from its next call.
fn fenced(run: &Run) {
    let mut board = board(run, 1).attached();
    let mut party = board.party(1);
    let check = |me: &mut Party| {
        let (core, lane) = me.parts();
        core.check_fence(lane)
    };
    assert_eq!(check(&mut party), Ok(()), "a living session");
    let reaper = board.setup_role(|me| me.reap(1));
    let stopped = board.role_of(party, move |me| (check(me), me.hand_over()));
    let ((), (then, mut party)) = board.two(reaper, stopped);
    assert_eq!(check(&mut party), Err(Fault::Fenced));
    assert!(!board.core().is_occupied(1), "a reaped life goes on");
    let next = board.core().occupy(1, 0, &Identity::default());
    assert_eq!(next.incarnation, party.lane().writer.incarnation + 1, "a life is lived twice");
    assert_eq!(check(&mut party), Err(Fault::Fenced), "another life is taken for one's own");
    board.saw(if then == Ok(()) { "not yet" } else { "fenced" });
}
