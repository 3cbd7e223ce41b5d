//! The mutants: flaws that the models must find.

/// A textual replacement, and the models of which one must fail after it.
pub struct Mutant {
    /// What it drops or changes.
    pub name: &'static str,
    /// The file, from the workspace's folder.
    pub file: &'static str,
    /// Text that stands there exactly once.
    pub search: &'static str,
    /// What it becomes.
    pub replace: &'static str,
    /// Run in this order until one fails.
    pub models: &'static [&'static str],
}

const FILL: &str = "src/engine/protocol/fill.rs";
const TOMBSTONES: &str = "src/engine/protocol/tombstones.rs";
const RETENTION: &str = "src/engine/protocol/retention.rs";
const INFLIGHT: &str = "src/engine/protocol/inflight.rs";
const GUARD: &str = "src/engine/protocol/guard.rs";
const COPY: &str = "src/engine/protocol/copy.rs";
const CLAIM: &str = "src/engine/protocol/claim.rs";
const HISTORY: &str = "src/engine/protocol/history.rs";
const PUBLISH: &str = "src/engine/protocol/publish.rs";
const READ: &str = "src/engine/protocol/read.rs";
const VIEW: &str = "src/engine/protocol/view.rs";
const SURVEY: &str = "src/engine/protocol/survey.rs";
const SLOTS: &str = "src/engine/protocol/slots.rs";
const BLOCKS: &str = "src/engine/protocol/blocks.rs";
const PIECES: &str = "src/engine/protocol/pieces.rs";
const EXPIRE: &str = "src/engine/protocol/expire.rs";
const REAP: &str = "src/engine/protocol/reap.rs";
const WAKE: &str = "src/engine/protocol/wake.rs";
const NAMES: &str = "src/engine/protocol/names.rs";
const SESSIONS: &str = "src/engine/protocol/sessions.rs";

/// All of them, by file.
pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "no lap check",
        file: HISTORY,
        search: "word.lap() == lap - 1 || self.is_damaged_at(position)",
        replace: "true",
        models: &[
            "history::a_stale_view_overwrites_no_event_of_a_later_lap",
            "history::a_stale_view_overwrites_no_event",
        ],
    },
    Mutant {
        name: "the counter is not helped",
        file: HISTORY,
        search: "self.show(shard, own);",
        replace: "",
        models: &["history::two_helpers_of_one_put_make_one_event"],
    },
    Mutant {
        name: "generation word loaded before the counter",
        file: HISTORY,
        search: "let generation = self.generation();
            let position = generation + 1;
            // After the generation, never before: that makes entries unique.
            match self.load_gen(block) {",
        replace: "let gen_word = self.load_gen(block);
            let generation = self.generation();
            let position = generation + 1;
            match gen_word {",
        models: &["history::two_helpers_of_one_put_make_one_event"],
    },
    Mutant {
        name: "the counter is raised by a store",
        file: HISTORY,
        search: "counter.compare_exchange(position - 1, position, Release, Relaxed).is_ok()",
        replace: "{ counter.store(position, Release); true }",
        models: &["history::a_late_finisher_takes_nothing_back"],
    },
    Mutant {
        name: "the counter is raised without release",
        file: HISTORY,
        search: "counter.compare_exchange(position - 1, position, Release, Relaxed).is_ok()",
        replace: "counter.compare_exchange(position - 1, position, Relaxed, Relaxed).is_ok()",
        models: &["history::a_poller_finds_what_the_counter_tells"],
    },
    Mutant {
        name: "the shard's counter is not raised",
        file: HISTORY,
        search: "if let Some(shard) = shard {
            self.raise_shard(shard, position);
        }",
        replace: "",
        models: &["history::a_poller_finds_what_the_counter_tells"],
    },
    Mutant {
        name: "the floor may pass the generation",
        file: RETENTION,
        search: "if event > generation {",
        replace: "if event == u64::MAX {",
        models: &["history::the_floor_stays_below_the_generation"],
    },
    Mutant {
        name: "no tag test",
        file: HISTORY,
        search: "GenWord::Unlogged(other) if other == tag => {}",
        replace: "GenWord::Unlogged(_) => {}",
        models: &["history::a_late_helper_logs_no_later_life"],
    },
    Mutant {
        name: "no intent",
        file: RETENTION,
        search: "self.intend(lane, &oldest);",
        replace: "",
        models: &["reap::a_killed_floor_step_leaks_nothing"],
    },
    Mutant {
        name: "intent without a second look at the floor",
        file: RETENTION,
        search: "if self.at(header::FLOOR).load(Relaxed) != floor {
            return Ok(None);
        }
        // Room is made before an event enters the ring. Without this a damaged counter would be walked after.
        if floor + self.geo.history() < generation {
            return Err(Fault::Corrupt(\"the distance of the history's two counters\"));
        }",
        replace: "",
        models: &["reap::a_killed_floor_step_frees_no_other_key"],
    },
    Mutant {
        name: "doomed by a store",
        file: RETENTION,
        search: "self.state_of(block).compare_exchange(state.0, doomed.0, AcqRel, Acquire).is_ok()",
        replace: "{ self.state_of(block).store(doomed.0, Release); true }",
        models: &["blocks::a_late_owner_learns_its_generation"],
    },
    Mutant {
        name: "helping without a second look at the head",
        file: PUBLISH,
        search: "if self.head_is(found.slot.head_at, found.head) {
                    self.log(",
        replace: "{
                    self.log(",
        models: &["history::a_helper_logs_no_private_block"],
    },
    Mutant {
        name: "the owner does not pin its block",
        file: PUBLISH,
        search: "let logged = loop {",
        replace: "self.settle(lane, claimed);
        let logged = loop {",
        models: &["stall::a_put_learns_its_own_generation"],
    },
    Mutant {
        name: "no release fence after the claim",
        file: PUBLISH,
        search: "fence(Release);",
        replace: "",
        models: &["read::a_value_is_whole_while_its_block_is_reused"],
    },
    Mutant {
        name: "published without release",
        file: PUBLISH,
        search: ".compare_exchange(found.head.0, new.0, Release, Relaxed)",
        replace: ".compare_exchange(found.head.0, new.0, Relaxed, Relaxed)",
        models: &[
            "publish::two_puts_of_one_key_make_a_chain",
            "slots::two_inserts_of_one_key_share_a_slot",
            "read::a_value_is_whole_while_its_block_is_reused",
        ],
    },
    Mutant {
        name: "a slot just retired by another is not seen",
        file: GUARD,
        search: "if room || self.has_room(key.bucket, guard) {",
        replace: "if room {",
        models: &["stall::a_late_helper_applies_no_old_guard"],
    },
    Mutant {
        name: "no acquire fence after a copy",
        file: COPY,
        search: "fence(Acquire);
        // Relaxed, all: behind the fence.",
        replace: "",
        models: &["view::an_event_is_whole_or_gone"],
    },
    Mutant {
        name: "the value before an unlogged one is accepted by the head",
        file: READ,
        search: "let proof = Proof::Floor(since);",
        replace: "let now = Head(self.at(slot.head_at).load(Relaxed));
        let proof = Proof::HeadOrFloor(slot, now, since);",
        models: &["read::the_value_before_an_unlogged_one_is_whole"],
    },
    Mutant {
        name: "the second pass loads the generation after the head",
        file: READ,
        search: "Proof::HeadOrFloor(slot, head, since);",
        replace: "Proof::HeadOrFloor(slot, head, self.generation());",
        models: &["stall::a_second_pass_copies_no_reused_block"],
    },
    Mutant {
        name: "a reader stores",
        file: READ,
        search: "let since = self.generation();",
        replace: "let since = self.generation();
            self.raise_shard(key.shard, since);",
        models: &["read::the_value_before_an_unlogged_one_is_whole"],
    },
    Mutant {
        name: "a handle's reader does not ask whose slot it is",
        file: READ,
        search: "Some((hash, head)) if hash == slot.hash && head.is(HeadKind::Live) => {",
        replace: "Some((_, head)) if head.is(HeadKind::Live) => {",
        models: &["slots::a_known_slot_answers_for_no_other_key"],
    },
    Mutant {
        name: "a handle's writer does not ask whose slot it is",
        file: PUBLISH,
        search: "(hash == slot.hash && head.is(HeadKind::Live)).then_some(Found { slot, head })",
        replace: "(hash.number() > 0 && head.is(HeadKind::Live)).then_some(Found { slot, head })",
        models: &["slots::a_known_slot_takes_no_other_key_s_place"],
    },
    Mutant {
        name: "a view never lags",
        file: VIEW,
        search: "Proof::Floor(point.floor_max)",
        replace: "Proof::Floor(point.floor_max | u64::MAX)",
        models: &["view::a_view_is_whole_or_lags"],
    },
    Mutant {
        name: "an event outlives its floor by one",
        file: VIEW,
        search: "Proof::Floor(before)",
        replace: "Proof::Floor(position)",
        models: &["view::an_event_is_whole_or_gone"],
    },
    Mutant {
        name: "a walk believes what it copied",
        file: SURVEY,
        search: "if self.holds(Proof::HeadOrFloor(slot, head, since)) {",
        replace: "if since < u64::MAX {",
        models: &["view::a_walk_finds_every_key_that_stands"],
    },
    Mutant {
        name: "the present is what is counted",
        file: VIEW,
        search: "if word.lap() < lap {",
        replace: "if word.lap() <= lap {",
        models: &["told::what_a_read_told_can_be_listed"],
    },
    Mutant {
        name: "no second look at the counter",
        file: VIEW,
        search: "if self.is_entered(next, word) { next } else { self.generation() }",
        replace: "if self.is_entered(next, word) { next } else { counted }",
        models: &["told::what_a_read_told_is_in_a_later_present"],
    },
    Mutant {
        name: "the present has an event without its generation word",
        file: VIEW,
        search: "if self.is_entered(next, word) { next } else",
        replace: "if word.lap() == lap { next } else",
        models: &["told::what_a_read_told_can_be_listed", "told::what_a_read_told_is_in_a_later_present"],
    },
    Mutant {
        name: "the next generation is accepted before it is entered",
        file: VIEW,
        search: "generation > counted && generation > self.newest()",
        replace: "generation > counted && generation > counted + 1",
        models: &["view::the_next_generation_can_be_seen_when_it_is_entered"],
    },
    Mutant {
        name: "no second look at the hash",
        file: SLOTS,
        search: "(self.at(hash_at).load(Relaxed) == hash.0).then_some((hash, head))",
        replace: "Some((hash, head))",
        models: &["stall::a_put_finds_its_own_slot"],
    },
    Mutant {
        name: "a poller takes any change that is not in the history for its own",
        file: READ,
        search: "is_some_and(entering) && self.holds(Proof::Head(slot.head_at, now))",
        replace: "is_some_and(entering)",
        models: &["stall::a_poller_takes_no_later_change_for_its_own"],
    },
    Mutant {
        name: "no look at the guard before applying it",
        file: GUARD,
        search: "if !stands() {
                    return Ok(false);
                }
                let number",
        replace: "let number",
        models: &["stall::a_late_helper_applies_no_old_guard", "stall::a_put_finds_its_own_slot"],
    },
    Mutant {
        name: "no version base",
        file: TOMBSTONES,
        search: "base.fetch_max(version, AcqRel);",
        replace: "let _ = base;",
        models: &["slots::versions_never_restart"],
    },
    Mutant {
        name: "a retired head drops its tombstone",
        file: TOMBSTONES,
        search: "let retired = head.next(HeadKind::Retired, head.block());
        // AcqRel: who sees it RETIRED",
        replace: "let retired = head.next(HeadKind::Retired, 0);
        // AcqRel: who sees it RETIRED",
        models: &["slots::a_tombstone_is_given_back_once"],
    },
    Mutant {
        name: "a tombstone is given back without a second look at the head",
        file: TOMBSTONES,
        search: "if !self.head_is(head_at, head) {
            return;
        }
        let limbo",
        replace: "let limbo",
        models: &["stall::a_late_giver_frees_no_later_life"],
    },
    Mutant {
        name: "a tombstone is given back under its writer",
        file: TOMBSTONES,
        search: "let limbo = State::new(StateKind::Limbo, state.owner(), state.tag());",
        replace: "let limbo = State::new(StateKind::Limbo, 0, state.tag());",
        models: &["stall::a_stopped_removal_keeps_no_slot"],
    },
    Mutant {
        name: "a slot is kept while its tombstone's writer is stopped",
        file: TOMBSTONES,
        search: "GenWord::Generation(event) if event <= self.floor())
",
        replace: "GenWord::Generation(event) if event <= self.floor())
            && self.load_state(block).is(StateKind::Owned)
",
        models: &["stall::a_stopped_removal_keeps_no_slot"],
    },
    Mutant {
        name: "who gives a tombstone back does not see it settled",
        file: TOMBSTONES,
        search: "Err(now) if State(now).tag() == state.tag() => state = State(now),",
        replace: "Err(now) if now == 0 => state = State(now),",
        models: &["slots::a_tombstone_is_given_back_beside_its_writer"],
    },
    Mutant {
        name: "a writer leaves its tombstone that was given back",
        file: INFLIGHT,
        search: "Err(_) => drop(self.leave_limbo(claimed.block, lane.owner(), claimed.tag)),",
        replace: "Err(_) => {}",
        models: &[
            "slots::a_tombstone_is_given_back_beside_its_writer",
            "stall::a_stopped_removal_keeps_no_slot",
        ],
    },
    Mutant {
        name: "a reader takes a slot's life for going on",
        file: SLOTS,
        search: "else { return false };
        // MOVED with a block was LIVE.
        hash == slot.hash &&",
        replace: "else { return true };
        // MOVED with a block was LIVE.
        hash != hash || head.0 < u64::MAX ||",
        models: &["slots::a_reader_takes_no_reused_tombstone", "view::a_view_takes_no_reused_tombstone"],
    },
    Mutant {
        name: "a put that finds no block retires nothing",
        file: CLAIM,
        search: "self.retire_all()?;",
        replace: "",
        models: &["slots::a_tombstone_left_behind_gives_room"],
    },
    Mutant {
        name: "an overflow bucket is linked again",
        file: GUARD,
        search: "if at == base {
                return Ok(stands());
            }",
        replace: "",
        models: &["slots::inserts_into_a_full_bucket_link_others"],
    },
    Mutant {
        name: "the bucket that was counted last is counted again",
        file: GUARD,
        search: "if marked || overflow.last() == block.index() {",
        replace: "if marked {",
        models: &["slots::a_linked_bucket_is_counted_once"],
    },
    Mutant {
        name: "a frozen guard asks for nothing",
        file: GUARD,
        search: "Some(GuardOp::Frozen) => return Err(Fault::Moved),",
        replace: "Some(GuardOp::Frozen) => return Ok(true),",
        models: &["moved::an_insert_that_links_is_frozen_or_told"],
    },
    Mutant {
        name: "a moved key is absent",
        file: READ,
        search: "Some(HeadKind::Moved) => Err(Fault::Moved),",
        replace: "Some(HeadKind::Moved) => Ok(None),",
        models: &["moved::a_read_finds_the_key_or_is_told"],
    },
    Mutant {
        name: "a view of a moved slot is empty",
        file: VIEW,
        search: "Some(HeadKind::Moved) => Err(Fault::Moved),",
        replace: "Some(HeadKind::Moved) => Ok(None),",
        models: &["moved::a_read_finds_the_key_or_is_told"],
    },
    Mutant {
        name: "claimed by a store",
        file: BLOCKS,
        search: "word.compare_exchange(state.0, claimed.0, Acquire, Relaxed).ok()?;",
        replace: "word.store(claimed.0, Release);",
        models: &["blocks::no_block_is_claimed_twice"],
    },
    Mutant {
        name: "no second look at the class",
        file: BLOCKS,
        search: "if self.class_of(self.geo.extent_of(block)).class() != class {",
        replace: "if class == u8::MAX {",
        models: &["blocks::a_recut_extent_gives_no_block_of_its_old_class"],
    },
    Mutant {
        name: "an extent is recut around a block in use",
        file: BLOCKS,
        search: "let done = complete
            && self",
        replace: "let done = (complete || !held.is_empty())
            && self",
        models: &["stall::an_extent_in_use_is_not_recut"],
    },
    Mutant {
        name: "a doomed block keeps its tag",
        file: INFLIGHT,
        search: "Err(state) if state == doomed.0 => self.free_doomed(lane, claimed, doomed),",
        replace: "Err(state) if state == doomed.0 => {
                let held = State::new(StateKind::Claimed, lane.owner(), claimed.tag);
                self.state_of(claimed.block).store(held.0 | state & 0, Release);
                self.keep(lane, claimed);
            }",
        models: &["blocks::a_doomed_block_begins_with_another_tag"],
    },
    Mutant {
        name: "settled by a store",
        file: INFLIGHT,
        search: "match word.compare_exchange(inflight.0, owned.0, Release, Acquire) {",
        replace: "word.store(owned.0, Release);
        match Ok::<u64, u64>(inflight.0) {",
        models: &["blocks::a_late_owner_learns_its_generation"],
    },
    Mutant {
        name: "settled for the dead by a store",
        file: REAP,
        search: "if self.state_of(block).compare_exchange(state.0, owned.0, AcqRel, Acquire).is_ok() {",
        replace: "self.state_of(block).store(owned.0, crate::sync::Ordering::Release);
            if owned.0 != 0 {",
        models: &["reap::a_put_let_go_while_it_is_reaped"],
    },
    Mutant {
        name: "no look at a piece's parent",
        file: PIECES,
        search: "state.is(StateKind::Part) && self.load_gen(piece) == GenWord::parent(head.index(), tag)",
        replace: "state.is(StateKind::Part) && tag != u64::MAX",
        models: &["chain::a_killed_long_put_frees_no_piece_of_another"],
    },
    Mutant {
        name: "a piece is a piece before it is listed",
        file: FILL,
        search:
            "self.at(self.geo.data(head.block) + at + number).store(u64::from(piece.block.index()), Relaxed);
            let parent = GenWord::parent(head.block.index(), head.tag);
            // Release, in this order: who sees PART sees whose it is.
            self.gen_of(piece.block).store(parent.pack(), Release);
            let part = State::new(StateKind::Part, 0, piece.tag);
            self.state_of(piece.block).store(part.0, Release);",
        replace: "let parent = GenWord::parent(head.block.index(), head.tag);
            self.gen_of(piece.block).store(parent.pack(), Release);
            let part = State::new(StateKind::Part, 0, piece.tag);
            self.state_of(piece.block).store(part.0, Release);
            self.at(self.geo.data(head.block) + at + number).store(u64::from(piece.block.index()), Relaxed);",
        models: &["chain::a_killed_long_put_leaks_no_piece"],
    },
    Mutant {
        name: "the reaper loads the generation word before the head",
        file: REAP,
        search: "let current = self.bucket_of_slot(slot).is_some_and(|_| self.names(slot, block));
        Ok(match self.load_gen(block) {",
        replace: "let gen_word = self.load_gen(block);
        let current = self.bucket_of_slot(slot).is_some_and(|_| self.names(slot, block));
        Ok(match gen_word {",
        models: &["reap::a_put_that_is_superseded_meanwhile_was_published"],
    },
    Mutant {
        name: "reaped without finishing the next event",
        file: REAP,
        search: "self.finish_pending(lane)?;",
        replace: "",
        models: &["reap::an_uncounted_event_is_counted"],
    },
    Mutant {
        name: "reaped without finishing intents",
        file: REAP,
        search: "self.finish_intents(lane, dead);",
        replace: "",
        models: &["reap::a_killed_floor_step_leaks_nothing"],
    },
    Mutant {
        name: "reaped without waking",
        file: REAP,
        search: "self.announce_all();",
        replace: "",
        models: &["wake::a_killed_writer_s_sleepers_are_woken"],
    },
    Mutant {
        name: "half-made names stay",
        file: REAP,
        search: "self.free_names_of(dead as u16 + 1);",
        replace: "",
        models: &["sessions::a_half_made_name_is_freed"],
    },
    Mutant {
        name: "the deadline is announced before the entry is published",
        file: PUBLISH,
        search: "self.ask_lines(lane, key, hint);
        self.trim(lane)?;",
        replace: "self.ask_lines(lane, key, hint);
        if BOUND && change.deadline != 0 {
            self.announce_deadline(key.bucket, change.deadline);
            return self.change_as::<false>(lane, key, change, now, hint);
        }
        self.trim(lane)?;",
        models: &["expire::two_sweeps_lose_no_deadline", "expire::a_sweep_loses_no_deadline"],
    },
    Mutant {
        name: "the reaper announces no deadline",
        file: REAP,
        search: "self.announce_for(block);",
        replace: "",
        models: &["expire::a_killed_put_s_deadline_is_known"],
    },
    Mutant {
        name: "the deadline is announced without release",
        file: EXPIRE,
        search: "fetch_max(!deadline_ns, Release);",
        replace: "fetch_max(!deadline_ns, Relaxed);",
        models: &["expire::two_sweeps_lose_no_deadline", "expire::a_sweep_loses_no_deadline"],
    },
    Mutant {
        name: "a sweep forgets fresh deadlines before it takes them over",
        file: EXPIRE,
        search: "let lowered = hint.with(!fresh);",
        replace: "let lowered = hint.with(!fresh);
        let _ = fresh_word.compare_exchange(fresh, 0, Acquire, Relaxed);",
        models: &["expire::a_killed_sweep_loses_no_deadline", "expire::two_sweeps_lose_no_deadline"],
    },
    Mutant {
        name: "a sweep ends whatever stands there",
        file: EXPIRE,
        search: "Expect::Generation(generation)",
        replace: "if generation > 0 { Expect::Any } else { Expect::Absent }",
        models: &["expire::a_renewed_entry_is_not_ended"],
    },
    Mutant {
        name: "a put without room does not count what is entered",
        file: EXPIRE,
        search: "self.finish_pending(lane)?;",
        replace: "",
        models: &["expire::a_put_is_not_refused_for_what_expired"],
    },
    Mutant {
        name: "a put without room goes by the groups' words alone",
        file: EXPIRE,
        search: "if ended > 0 { Ok(ended) } else { self.walk(lane, now) }",
        replace: "Ok(ended)",
        models: &["expire::a_put_looks_at_every_slot_before_it_is_refused"],
    },
    Mutant {
        name: "no fence before looking at the flag",
        file: WAKE,
        search: "fence(SeqCst);
        self.wake_if_asked(1 + shard);",
        replace: "self.wake_if_asked(1 + shard);",
        models: &["wake::a_sleeper_on_a_shard_is_woken", "wake::a_sleeper_on_the_board_is_woken"],
    },
    Mutant {
        name: "no fence behind setting the flag",
        file: WAKE,
        search: "fence(SeqCst);
        acquire(self.counter(counter))",
        replace: "acquire(self.counter(counter))",
        models: &["wake::a_sleeper_on_a_shard_is_woken", "wake::a_sleeper_on_the_board_is_woken"],
    },
    Mutant {
        name: "a life is shown before its identity",
        file: SESSIONS,
        search: "word.store(session::incarnation_word(incarnation, true), Release);",
        replace: "word.store(session::incarnation_word(incarnation, true), Relaxed);",
        models: &["sessions::a_life_is_seen_with_its_identity"],
    },
    Mutant {
        name: "a name is shown before it is whole",
        file: NAMES,
        search: "self.name_word(index).store(ready.0, Release);",
        replace: "self.name_word(index).store(ready.0, Relaxed);",
        models: &["sessions::an_interned_name_is_whole"],
    },
    Mutant {
        name: "a name's entry is taken without being changed",
        file: NAMES,
        search: "state.taken(kind)",
        replace: "state.with(kind)",
        models: &["sessions::a_name_in_use_is_not_given_up"],
    },
    Mutant {
        name: "a sweep of names does not look at sessions",
        file: NAMES,
        search: "self.refer_sessions(&mut referred);",
        replace: "",
        models: &["sessions::a_name_in_use_is_not_given_up"],
    },
    Mutant {
        name: "a sweep of names looks at sessions first",
        file: NAMES,
        search: "let states: Vec<NameState> = (0..self.geo.names()).map(state).collect();
        let referred = self.referred_names()?;",
        replace: "let referred = self.referred_names()?;
        let states: Vec<NameState> = (0..self.geo.names()).map(state).collect();",
        models: &["sessions::a_name_in_use_is_not_given_up"],
    },
    Mutant {
        name: "a reader does not learn that names were freed",
        file: NAMES,
        search: "self.name_word(0).fetch_add(1, AcqRel);",
        replace: "",
        models: &["sessions::a_name_that_is_shown_is_its_session_s"],
    },
];
