//! What a model is written with: a board, the parties on it, and the roles that run side by side.
//!
//! A model sets the scene, runs its roles with [`Scene::two`], [`Scene::three`], [`Scene::all`] or
//! [`Scene::stalled`], asserts what must hold, and ends with [`Scene::check`] or [`Scene::drain`].

use super::{
    Exploration,
    board::{Board, STORES_TO_PUBLISH, done, shape},
    fsck, lock,
};
use loom::thread::Builder;
use slateboard::{
    layout::{GenWord, Shape, StateKind, geometry, record::RecordKind},
    protocol::{
        Core, Fault,
        history::Logged,
        lane::{Claimed, Lane},
        publish::{Change, Expect, Now, Outcome},
        sessions::Identity,
    },
    sync::modelled,
};
use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex},
};

/// Words a role's stack may take.
const STACK_WORDS: usize = 0x4000;

/// Someone who works on a board with a lane of a session. A reader has no lane.
pub struct Party {
    board: Arc<Board>,
    lane: Option<Lane>,
}

impl Deref for Party {
    type Target = Board;

    fn deref(&self) -> &Board {
        &self.board
    }
}

impl Party {
    /// Hands its lane over: the party returned has it.
    pub fn hand_over(&mut self) -> Self {
        Self { board: self.board.clone(), lane: self.lane.take() }
    }

    /// A session that attaches now.
    pub fn party(&self, session: usize) -> Party {
        let core = self.core();
        let lane = Lane::new(&core, 0, core.occupy(session, 0, &Identity::default()));
        self.party_of(lane)
    }

    /// A party with this lane.
    pub fn party_of(&self, lane: Lane) -> Party {
        Party { board: self.board.clone(), lane: Some(lane) }
    }

    /// A session that attaches now, with a block at hand.
    pub fn ready(&self, session: usize) -> Party {
        let mut party = self.party(session);
        // A removal of nothing takes a block and keeps it.
        let nothing = party.try_remove("zz");
        assert_eq!((nothing, party.lane().stashed()), (Ok(Outcome::Nothing), 1));
        party
    }

    /// A party without a lane.
    fn nobody(&self) -> Party {
        Party { board: self.board.clone(), lane: None }
    }

    /// Its lane.
    pub fn lane(&mut self) -> &mut Lane {
        self.parts().1
    }

    /// The protocol, and the lane that it is called with.
    pub fn parts(&mut self) -> (Core<'_>, &mut Lane) {
        (self.board.core(), self.lane.as_mut().expect("a party with a lane"))
    }

    /// Changes a key.
    pub fn change(&mut self, key: &str, change: &Change<'_>) -> Result<Outcome, Fault> {
        let key = self.key(key);
        let (core, lane) = self.parts();
        core.change(lane, &key, change, Now::default(), None)
    }

    /// Puts a value of one word where the key is as expected.
    pub fn try_put(&mut self, key: &str, value: u64, expect: Expect) -> Result<Outcome, Fault> {
        self.change(key, &Change::put(&value.to_le_bytes(), expect))
    }

    /// Puts a value of one word and returns version and generation.
    pub fn put(&mut self, key: &str, value: u64) -> (u64, u64) {
        done(self.try_put(key, value, Expect::Any))
    }

    /// Removes a key, if it is there.
    pub fn try_remove(&mut self, key: &str) -> Result<Outcome, Fault> {
        self.change(key, &Change::tombstone(RecordKind::Removed, Expect::Any))
    }

    /// Removes a key that is there and returns version and generation.
    pub fn remove(&mut self, key: &str) -> (u64, u64) {
        done(self.try_remove(key))
    }

    /// Lets the oldest events go until the floor is `floor`.
    pub fn floor_to(&mut self, floor: u64) {
        let (core, lane) = self.parts();
        while core.floor() < floor {
            core.advance_floor(lane, false).expect("a step of the floor");
        }
    }

    /// Gives the block at hand back, so that the lane keeps the next one that its floor step frees.
    pub fn empty_hand(&mut self) {
        let (core, lane) = self.parts();
        core.empty_stash(lane);
    }

    /// Claims a block of so many granules.
    pub fn claim(&mut self, granules: usize) -> Result<Claimed, Fault> {
        let (core, lane) = self.parts();
        core.claim(lane, granules, false)
    }

    /// Frees blocks that were claimed.
    pub fn free(&mut self, claimed: impl IntoIterator<Item = Claimed>) {
        let (core, _) = self.parts();
        claimed.into_iter().for_each(|claimed| core.free(claimed));
    }

    /// Logs a put that was published.
    pub fn log(&mut self, put: Claimed) -> Result<Logged, Fault> {
        let (core, lane) = self.parts();
        core.log(lane, put.block, put.tag)
    }

    /// Ends a dead session's life, as a board does: only if its record is still occupied. A reaper that was killed may have ended
    /// it. Its lane no longer counts when the board is checked.
    pub fn reap(&mut self, dead: usize) {
        let (core, lane) = self.parts();
        if core.is_occupied(dead) {
            core.reap(lane, dead, Now::default()).expect("a reap");
        }
        self.board.was_reaped(dead);
    }

    /// Works until it has made so many stores, and stops for good before the next. `None` where it did.
    pub fn killed_after<R>(&mut self, stores: u32, work: impl FnOnce(&mut Self) -> R) -> Option<R> {
        modelled::killed_after(stores, || work(self))
    }

    /// Publishes a value of one word and stops before logging it. The lane needs a block at hand and the key
    /// a slot.
    pub fn publish_only(&mut self, key: &str, value: u64) -> Claimed {
        let ended = self.killed_after(STORES_TO_PUBLISH, |me| me.put(key, value));
        assert_eq!(ended, None, "the put was to die after it was published");
        let owner = self.lane().owner();
        let mut blocks = (1..self.geo.granules()).map(|index| self.block(index));
        let owned = blocks.find(|&block| {
            let state = self.state(block);
            state.is(StateKind::Inflight) && state.owner() == owner
        });
        let block = owned.expect("the block of a put");
        let tag = self.state(block).tag();
        assert_eq!(self.gen_word(block), GenWord::Unlogged(tag));
        let mut heads = (0..geometry::SLOTS).map(|slot| self.head(slot));
        assert!(heads.any(|head| head.block() == block.index()), "the put was not published");
        Claimed { block, tag }
    }
}

/// A role that has not begun: who works, and what it does.
pub struct Role<R> {
    party: Party,
    /// Whether its lane is the one that set the board up.
    sets_up: bool,
    work: Box<dyn FnOnce(&mut Party) -> R + Send>,
}

impl<R: 'static> Role<R> {
    /// The same party does this next.
    pub fn then<S>(self, next: impl FnOnce(&mut Party, R) -> S + Send + 'static) -> Role<S> {
        let Self { party, sets_up, work } = self;
        let work = move |me: &mut Party| {
            let done = work(me);
            next(me, done)
        };
        Role { party, sets_up, work: Box::new(work) }
    }
}

/// What a role came to, and the party with its lane.
type Ended<R> = Arc<Mutex<Option<(R, Party)>>>;

/// A board, the lane that sets it up and checks it at the end, and the lanes of roles that ended.
pub struct Scene {
    setup: Party,
    ended: Vec<Lane>,
}

impl Deref for Scene {
    type Target = Party;

    fn deref(&self) -> &Party {
        &self.setup
    }
}

impl DerefMut for Scene {
    fn deref_mut(&mut self) -> &mut Party {
        &mut self.setup
    }
}

impl Exploration {
    /// A board of `blocks` blocks of one granule and a ring of `history`, set up by session 0 with a block at hand.
    pub fn small(self: &Arc<Self>, blocks: u64, history: u64) -> Scene {
        self.board(shape(blocks, history)).ready_to_set_up()
    }

    /// A board of this shape, without a lane that sets it up.
    pub fn board(self: &Arc<Self>, shape: Shape) -> Scene {
        Scene::over(Board::new(self, shape, 1))
    }
}

impl Scene {
    /// A board without a lane that sets it up.
    pub fn over(board: Board) -> Self {
        Self { setup: Party { board: Arc::new(board), lane: None }, ended: Vec::new() }
    }

    /// Session 0 sets the board up.
    pub fn attached(mut self) -> Self {
        self.setup = self.party(0);
        self
    }

    /// Session 0 sets the board up, with a block at hand.
    pub fn ready_to_set_up(mut self) -> Self {
        self.setup = self.ready(0);
        self
    }

    /// A role of a session that attaches now, with a block at hand.
    pub fn role<R>(&self, session: usize, work: impl FnOnce(&mut Party) -> R + Send + 'static) -> Role<R> {
        self.role_of(self.ready(session), work)
    }

    /// A role of this party.
    pub fn role_of<R>(&self, party: Party, work: impl FnOnce(&mut Party) -> R + Send + 'static) -> Role<R> {
        Role { party, sets_up: false, work: Box::new(work) }
    }

    /// A role of the lane that set the board up.
    pub fn setup_role<R>(&mut self, work: impl FnOnce(&mut Party) -> R + Send + 'static) -> Role<R> {
        Role { party: self.hand_over(), sets_up: true, work: Box::new(work) }
    }

    /// A role without a lane.
    pub fn reader<R>(&self, work: impl FnOnce(&Board) -> R + Send + 'static) -> Role<R> {
        self.role_of(self.nobody(), move |me| work(me))
    }

    /// A role in which the victim works until it dies or ends, and the lane that set the board up then reaps it. Returns
    /// what the work came to where the victim lived.
    pub fn victim<R>(
        &mut self,
        mut victim: Party,
        work: impl FnOnce(&mut Party) -> R + Send + 'static,
    ) -> Role<Option<R>> {
        self.setup_role(move |reaper| {
            let told = reaper.run.victim(|| work(&mut victim));
            if told.is_some() {
                reaper.saw("lived");
                victim.empty_hand();
            }
            reaper.reap(victim.lane().session);
            told
        })
    }

    /// Runs two roles side by side to their ends.
    pub fn two<A: Send + 'static, B: Send + 'static>(&mut self, a: Role<A>, b: Role<B>) -> (A, B) {
        let mut roles = Vec::new();
        let ended = (start(&mut roles, a), start(&mut roles, b));
        self.run.side_by_side(roles);
        (self.end(ended.0), self.end(ended.1))
    }

    /// Runs three roles side by side to their ends.
    pub fn three<A, B, C>(&mut self, a: Role<A>, b: Role<B>, c: Role<C>) -> (A, B, C)
    where
        A: Send + 'static,
        B: Send + 'static,
        C: Send + 'static,
    {
        let mut roles = Vec::new();
        let ended = (start(&mut roles, a), start(&mut roles, b), start(&mut roles, c));
        self.run.side_by_side(roles);
        (self.end(ended.0), self.end(ended.1), self.end(ended.2))
    }

    /// Runs like roles side by side to their ends.
    pub fn all<const N: usize, R: Send + 'static>(&mut self, like: [Role<R>; N]) -> [R; N] {
        let mut roles = Vec::new();
        let ended = like.map(|role| start(&mut roles, role));
        self.run.side_by_side(roles);
        ended.map(|ended| self.end(ended))
    }

    /// Runs a role that stands still twice, while `busy` does first the one and then the other work.
    pub fn stalled<R: Send + 'static>(
        &mut self,
        role: Role<R>,
        busy: Party,
        once: impl FnOnce(&mut Party) + Send + 'static,
        again: impl FnOnce(&mut Party) + Send + 'static,
    ) -> R {
        let busy = Arc::new(Mutex::new(busy));
        let (first, second, run) = (busy.clone(), busy.clone(), self.run.clone());
        let Role { party, sets_up, work } = role;
        let work = move |me: &mut Party| {
            let once = move || once(&mut lock(&first));
            let again = move || again(&mut lock(&second));
            run.stalled(|| work(me), Box::new(once), Box::new(again))
        };
        let [came_to] = self.all([Role { party, sets_up, work: Box::new(work) }]);
        self.ended.extend(lock(&busy).lane.take());
        came_to
    }

    /// What a role came to. Its lane is kept for the check.
    fn end<R>(&mut self, (sets_up, ended): (bool, Ended<R>)) -> R {
        let (came_to, party) = lock(&ended).take().expect("a role that ended");
        if sets_up {
            self.setup.lane = party.lane;
        } else {
            self.ended.extend(party.lane);
        }
        came_to
    }

    /// Checks the board, on which every role has ended, with the lanes of living sessions. Where no lane set the board
    /// up, the first role's takes its place. This is the one place that calls the judge.
    pub fn check(&mut self) {
        if self.setup.lane.is_none() {
            self.setup.lane = Some(self.ended.remove(0));
        }
        let lanes = self.setup.lane.iter().chain(&self.ended);
        let living: Vec<&Lane> = lanes.filter(|lane| !self.is_reaped(lane.session)).collect();
        fsck::check(self, &living);
    }

    /// Checks the board, lets every event leave the history, and checks it again, so that a block which is never freed
    /// is found.
    pub fn drain(&mut self) {
        self.check();
        let newest = self.core().generation();
        self.floor_to(newest);
        self.check();
    }
}

/// Adds the role to those that start, and returns where it will leave what it came to.
fn start<R: Send + 'static>(roles: &mut Vec<Start>, role: Role<R>) -> (bool, Ended<R>) {
    let Role { mut party, sets_up, work } = role;
    let ended = Ended::default();
    let goal = ended.clone();
    roles.push(Box::new(move || {
        let came_to = work(&mut party);
        *lock(&goal) = Some((came_to, party));
    }));
    (sets_up, ended)
}

/// A role as a thread runs it.
type Start = Box<dyn FnOnce() + Send>;

impl Exploration {
    /// Runs roles side by side to their ends. Which begins first varies with the exploration.
    fn side_by_side(&self, mut roles: Vec<Start>) {
        let first = self.begin(roles.len());
        roles.rotate_left(first);
        let mut threads: Vec<_> = roles
            .into_iter()
            .map(|role| Builder::new().stack_size(STACK_WORDS).spawn(role).expect("a thread"))
            .collect();
        threads.rotate_right(first);
        threads.into_iter().for_each(|thread| thread.join().expect("a role panicked"));
    }
}
