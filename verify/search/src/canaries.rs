//! The mutants: each takes one rule out of the protocol, and the search must notice. A check that has
//! never been seen failing shows nothing.

/// One textual change of the source.
pub struct Canary {
    /// Short name.
    pub name: &'static str,
    /// File, from `src/engine/protocol`.
    pub file: &'static str,
    /// What is replaced; occurs once.
    pub from: &'static str,
    /// What replaces it.
    pub to: &'static str,
    /// The scenarios of which one must fail.
    pub scenarios: &'static [&'static str],
}

const fn canary(
    name: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
    scenarios: &'static [&'static str],
) -> Canary {
    Canary { name, file, from, to, scenarios }
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Canary> {
    HISTORY.iter().chain(FLOOR).chain(REAP).chain(SLOTS).chain(BLOCKS).chain(STORES).chain(EXPIRE)
}

const HISTORY: &[Canary] = &[
    canary(
        "no lap check",
        "history.rs",
        "} else if word.lap() == lap - 1 || self.is_damaged_at(position) {",
        "} else {",
        &["lap-3", "doomed"],
    ),
    canary(
        "no counter help",
        "history.rs",
        "                    self.show(shard, own);\n",
        "",
        &["put-put-kill", "helper"],
    ),
    canary(
        "no shard counter help",
        "history.rs",
        "            self.raise_shard(shard, own);
",
        "            let _ = shard;
",
        &["helper", "put-put-kill"],
    ),
    canary(
        "generation word before generation",
        "history.rs",
        "            let generation = self.generation();
            let position = generation + 1;
            // After the generation, never before: that makes entries unique.
            match self.load_gen(block) {",
        "            let word = self.load_gen(block);
            let generation = self.generation();
            let position = generation + 1;
            match word {",
        &["put-put", "helper"],
    ),
    canary(
        "no tag test",
        "history.rs",
        "GenWord::Unlogged(other) if other == tag => {}",
        "GenWord::Unlogged(_) => {}",
        &["stale-helper"],
    ),
    canary(
        "finish without the generation's re-read",
        "history.rs",
        "        if self.generation() == position - 1 {",
        "        {",
        &["stale-finisher"],
    ),
    canary(
        "finish by store",
        "history.rs",
        "counter.compare_exchange(position - 1, position, Release, Relaxed).is_ok();",
        "{ counter.store(position, Release); true };",
        &["put-put", "helper"],
    ),
    canary(
        "no head re-check before log",
        "publish.rs",
        "                if self.head_is(found.slot.head_at, found.head) {
                    self.log(lane, block, tag)?;",
        "                {
                    self.log(lane, block, tag)?;",
        &["stale-helper", "doomed"],
    ),
    canary(
        "no help for the superseded",
        "publish.rs",
        "            GenWord::Generation(generation) => generation,
            GenWord::Unlogged(tag) => {
                // Published",
        "            GenWord::Generation(generation) => generation,
            GenWord::Unlogged(_) if block.index() > 0 => 0,
            GenWord::Unlogged(tag) => {
                // Published",
        &["put-put"],
    ),
];

const FLOOR: &[Canary] = &[
    canary(
        "floor past the generation",
        "retention.rs",
        "        if event > generation {
            return Ok(None);
        }
",
        "",
        &["floor", "doomed"],
    ),
    canary("no intent", "retention.rs", "        self.intend(lane, &oldest);\n", "", &["floor", "doomed"]),
    canary(
        "intent without floor re-read",
        "retention.rs",
        "        if self.at(header::FLOOR).load(Relaxed) != floor {
            return Ok(None);
        }
",
        "",
        &["two-keys"],
    ),
    canary(
        "no pin",
        "retention.rs",
        "StateKind::Inflight if self.doom(block, state) => return None,",
        "StateKind::Inflight => return self.reclaim(owner, block, state),",
        &["doomed", "lap-3"],
    ),
    canary(
        "doom by store",
        "retention.rs",
        "        self.state_of(block).compare_exchange(state.0, doomed.0, AcqRel, Acquire).is_ok()",
        "        self.state_of(block).store(doomed.0, Release);
        true",
        &["doomed", "lap-3"],
    ),
    canary(
        "head test dropped",
        "copy.rs",
        "Proof::Head(at, head) => self.head_is(at, head),",
        "Proof::Head(..) => true,",
        &["get-reuse", "get-kill"],
    ),
    canary(
        "the present is what is counted",
        "view.rs",
        "if word.lap() < lap {",
        "if word.lap() <= lap {",
        &["told"],
    ),
    canary(
        "floor test dropped",
        "copy.rs",
        "Proof::Floor(since) => floor_at_most(since),",
        "Proof::Floor(since) => floor_at_most(since) || since < u64::MAX,",
        &["view", "events"],
    ),
];

const REAP: &[Canary] = &[
    canary(
        "reap order",
        "reap.rs",
        "        let current = self.bucket_of_slot(slot).is_some_and(|_| self.names(slot, block));
        Ok(match self.load_gen(block) {",
        "        let word = self.load_gen(block);
        let current = self.bucket_of_slot(slot).is_some_and(|_| self.names(slot, block));
        Ok(match word {",
        &["put-put-kill", "reap-live"],
    ),
    canary(
        "reap without finish",
        "reap.rs",
        "        self.finish_pending(lane)?;\n",
        "",
        &["reaper-killed", "put-put-kill", "both-killed"],
    ),
    canary(
        "intents not finished",
        "reap.rs",
        "        self.finish_intents(lane, dead);\n",
        "",
        &["floor", "doomed"],
    ),
    canary(
        "the reaper adds nothing that was superseded",
        "reap.rs",
        "        self.weigh_for(dead, Sum::Superseded, own, superseded);\n",
        "        let _ = superseded;\n",
        &["reaper-killed", "put-put-kill"],
    ),
    canary(
        "the reaper adds what the dead added",
        "reap.rs",
        "        if !self.is_weighed(dead, sum, last) {",
        "        {",
        &["reaper-killed", "put-put-kill"],
    ),
    canary(
        "settled before it was added",
        "publish.rs",
        "        self.weigh(lane, Sum::Superseded, generation, superseded);
        self.settle(lane, claimed);",
        "        self.settle(lane, claimed);
        self.weigh(lane, Sum::Superseded, generation, superseded);",
        &["reaper-killed", "put-put-kill"],
    ),
    canary(
        "the reaper adds nothing that was freed",
        "reap.rs",
        "                if state == taken {",
        "                if state == taken && event == u64::MAX {",
        &["floor", "reuse-kill"],
    ),
    canary(
        "a doomed block's owner adds nothing",
        "inflight.rs",
        "            self.weigh(lane, Sum::Freed, Weight::of_doomed(own), self.footprint(claimed.block));\n",
        "            let _ = own;\n",
        &["doomed"],
    ),
    canary(
        "a name is taken before it is written down",
        "names.rs",
        "        self.at(self.geo.session(session) + session::NAME).store(index as u64, Release);
        // AcqRel: a sweep that sees it taken sees who refers to it; a freed one's last maker is over (P11).
        self.name_word(index).compare_exchange(state.0, next.0, AcqRel, Relaxed).is_ok()",
        "        let taken = self.name_word(index).compare_exchange(state.0, next.0, AcqRel, Relaxed).is_ok();
        self.at(self.geo.session(session) + session::NAME).store(index as u64, Release);
        taken",
        &["names-swept"],
    ),
    canary("names not freed", "reap.rs", "        self.free_names_of(dead as u16 + 1);\n", "", &["names"]),
    canary(
        "begin in the other order",
        "inflight.rs",
        "        self.gen_of(claimed.block).store(gen_word, Release);
        let state = State::new(StateKind::Inflight, lane.owner(), claimed.tag);
        self.state_of(claimed.block).store(state.0, Release);",
        "        let state = State::new(StateKind::Inflight, lane.owner(), claimed.tag);
        self.state_of(claimed.block).store(state.0, Release);
        self.gen_of(claimed.block).store(gen_word, Release);",
        &["reuse-kill"],
    ),
];

const SLOTS: &[Canary] = &[
    canary(
        "reopen",
        "guard.rs",
        "                    if head.is(HeadKind::Freed) {",
        "                    if head.is(HeadKind::Freed) || head.is(HeadKind::Retired) {",
        &["reopen"],
    ),
    canary(
        "no guard check",
        "guard.rs",
        "                if !stands() {
                    return Ok(false);
                }
                let number",
        "                let number",
        &["twins", "inserts", "retire", "reopen", "twice"],
    ),
    canary(
        "no hash re-check",
        "slots.rs",
        "(self.at(hash_at).load(Relaxed) == hash.0).then_some((hash, head))",
        "Some((hash, head))",
        &["retire", "twice"],
    ),
    canary(
        "given back while its head names it",
        "tombstones.rs",
        "        let limbo = state.and_then(|(block, state)| self.make_limbo(block, state));
",
        "        let limbo = state.and_then(|(block, state)| self.make_limbo(block, state));
        if let Some((block, state)) = limbo {
            self.free_owned(block, state);
        }
",
        &["give-back"],
    ),
    canary(
        "given back without a second look at the head",
        "tombstones.rs",
        "        if !self.head_is(head_at, head) {
            return;
        }
        let limbo",
        "        let limbo",
        &["give-back", "remove-lapped"],
    ),
    canary(
        "given back under its writer",
        "tombstones.rs",
        "            let limbo = State::new(StateKind::Limbo, state.owner(), state.tag());",
        "            let limbo = State::new(StateKind::Limbo, 0, state.tag());",
        &["remove-lapped"],
    ),
    canary(
        "a slot is kept while its tombstone's writer is stopped",
        "tombstones.rs",
        "            && matches!(self.load_gen(block), GenWord::Generation(event) if event <= self.floor())
",
        "            && matches!(self.load_gen(block), GenWord::Generation(event) if event <= self.floor())
            && self.load_state(block).is(StateKind::Owned)
",
        &["full-expired"],
    ),
    canary(
        "a writer leaves its tombstone that was given back",
        "inflight.rs",
        "            Err(_) => drop(self.leave_limbo(claimed.block, lane.owner(), claimed.tag)),
",
        "            Err(_) => {}
",
        &["full-expired"],
    ),
    canary(
        "the reaper leaves a tombstone that was given back",
        "reap.rs",
        "            StateKind::Limbo => {
                self.weigh_event(session_of(state), block, false);
                reaped.blocks += u64::from(self.leave_limbo(block, state.owner(), state.tag()));
            }
",
        "",
        &["remove-lapped", "full-expired"],
    ),
    canary(
        "a doomed block beside its reaper passes for one given back",
        "tombstones.rs",
        "        let left = word.compare_exchange(limbo(owner).0, limbo(0).0, AcqRel, Acquire).is_ok();",
        "        word.store(limbo(0).0, Release);
        let left = owner == owner;",
        &["doomed", "floor", "reap-live"],
    ),
    canary(
        "a tombstone given back beside its reaper passes for doomed",
        "reap.rs",
        "            if self.leave_limbo(block, state.owner(), state.tag()) {",
        "            if false {",
        &["remove-lapped", "full-expired"],
    ),
    canary(
        "a reader does not ask whether the slot lives",
        "slots.rs",
        "        let Some((hash, head)) = self.slot_at(slot.head_at - 1) else { return false };
        // MOVED",
        "        let Some((hash, head)) = self.slot_at(slot.head_at - 1) else { return true };
        if hash == hash { return true }
        // MOVED",
        &["give-back-read", "retire-read"],
    ),
    canary(
        "LIMBO is claimed as it is",
        "blocks.rs",
        "            self.end_limbo(block, state);
",
        "            let word = self.state_of(block);
            let _ = word.compare_exchange(state.0, state.0 & !7, AcqRel, Acquire);
",
        &["give-back"],
    ),
    canary(
        "no version base",
        "tombstones.rs",
        "        base.fetch_max(version, AcqRel);\n",
        "        let _ = (base, version);\n",
        &["retire", "twice"],
    ),
    canary(
        "link without in-chain check",
        "guard.rs",
        "            if at == base {
                return Ok(stands());
            }
",
        "            let _ = base;\n",
        &["link"],
    ),
    canary(
        "the reaper counts no bucket",
        "reap.rs",
        "                        if linked {",
        "                        if linked && bucket == usize::MAX {",
        &["link-count", "link-kill"],
    ),
    canary(
        "a bucket counted before the last does not say so",
        "guard.rs",
        "                self.at(self.geo.data(last)).store(Overflow::COUNTED, Relaxed);\n",
        "                let _ = last;\n",
        &["link-count"],
    ),
];

const STORES: &[Canary] = &[
    canary(
        "hash freed by a store",
        "guard.rs",
        "hash_word.compare_exchange(hash.0, SlotHash::new(number, 0).0, Release, Acquire);",
        "hash_word.store(SlotHash::new(number, 0).0, Release);",
        &["retire-kill"],
    ),
    canary(
        "generation given by a store",
        "history.rs",
        "let _ = self.gen_of(block).compare_exchange(gen_word.pack(), own, Release, Acquire);",
        "self.gen_of(block).store(own, Release);",
        &["lap-3", "stale-finisher", "doomed"],
    ),
    canary(
        "an intent is not forgotten",
        "retention.rs",
        "self.at(at + session::INTENT_EVENT).store(0, Release);",
        "let _ = at;",
        &["floor", "doomed", "two-keys"],
    ),
];

const EXPIRE: &[Canary] = &[
    canary(
        "deadline announced before publishing",
        "publish.rs",
        "        self.ask_lines(lane, key, hint);
        self.trim(lane)?;",
        "        self.ask_lines(lane, key, hint);
        if BOUND && change.deadline != 0 {
            self.announce_deadline(key.bucket, change.deadline);
            return self.change_as::<false>(lane, key, change, now, hint);
        }
        self.trim(lane)?;",
        &["sweeps", "deadline-kill"],
    ),
    canary(
        "deadlines of the dead not announced",
        "reap.rs",
        "                            self.announce_for(block);\n",
        "",
        &["deadline-kill"],
    ),
    canary(
        "fresh deadlines forgotten first",
        "expire.rs",
        "        let lowered = hint.with(!fresh);",
        "        let lowered = hint.with(!fresh);
        let _ = fresh_word.compare_exchange(fresh, 0, Acquire, Relaxed);",
        &["deadline-kill"],
    ),
    canary(
        "swept word replaced by a store",
        "expire.rs",
        "            let _ = word.compare_exchange(hint.0, hint.replaced(swept.next_ns).0, Release, Relaxed);",
        "            word.store(hint.replaced(swept.next_ns).0, Release);",
        &["sweeps"],
    ),
    canary(
        "no count of what is entered before a put is refused",
        "expire.rs",
        "            self.finish_pending(lane)?;\n",
        "",
        &["full-expired"],
    ),
];

const BLOCKS: &[Canary] = &[
    canary(
        "settle by store",
        "inflight.rs",
        "match word.compare_exchange(inflight.0, owned.0, Release, Acquire) {",
        "match Ok::<u64, u64>(word.swap(owned.0, Release)) {",
        &["doomed", "lap-3"],
    ),
    canary(
        "reclaimed with the old tag",
        "blocks.rs",
        "        let tag = state.next_tag();
        let claimed = State::new(StateKind::Claimed, owner, tag);
        // AcqRel",
        "        let tag = state.tag();
        let claimed = State::new(StateKind::Claimed, owner, tag);
        // AcqRel",
        &["doomed"],
    ),
];
