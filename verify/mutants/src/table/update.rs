//! Mutants of `src/board/update.rs`.

use super::{Mutant, long, test, torture};

const FILE: &str = "src/board/update.rs";

const NAMES: &str = "-p slateboard --lib board::reader::tests::paused::an_update_is_told_its_own_writer_s_name_or_none_and_the_next_attempt_begins_anew";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "pauses grow without end",
        lost: "An update with many attempts sleeps for hours.",
        file: FILE,
        search: "pause.saturating_mul(2).min(self.longest_pause)",
        replace: "pause.saturating_mul(2)",
        caught_by: &[test("-p slateboard --lib board::update::tests::pauses_double_up_to_the_longest")],
    },
    Mutant {
        name: "pauses do not grow",
        lost: "Many writers of one key keep one another from it.",
        file: FILE,
        search: "pause.saturating_mul(2).min(self.longest_pause)",
        replace: "(*pause).min(self.longest_pause)",
        caught_by: &[test("-p slateboard --lib board::update::tests::pauses_double_up_to_the_longest")],
    },
    Mutant {
        name: "a touch takes any key",
        lost: "A call with a key that cannot be one is answered as if it could.",
        file: FILE,
        search: "        check_ttl(key, ttl)?;
        reader::check(key)?;
",
        replace: "        check_ttl(key, ttl)?;
",
        caught_by: &[test("-p slateboard --test conditions every_call_refuses_what_cannot_be_a_key")],
    },
    Mutant {
        name: "a touch takes a time to live of zero",
        lost: "A touch with no time to live is answered as if it had one.",
        file: FILE,
        search: "        check_ttl(key, ttl)?;
        reader::check(key)?;
",
        replace: "        reader::check(key)?;
",
        caught_by: &[test("-p slateboard --test sizes times_and_attempts_that_cannot_be_are_refused")],
    },
    Mutant {
        name: "an update takes any key",
        lost: "The board holds a key that cannot be one.",
        file: FILE,
        search: "        reader::check(key)?;
        let reader = self.reader();",
        replace: "        let reader = self.reader();",
        caught_by: &[test("-p slateboard --test conditions every_call_refuses_what_cannot_be_a_key")],
    },
    Mutant {
        name: "an update has one attempt more",
        lost: "An update makes more attempts than it was given.",
        file: FILE,
        search: "for attempt in 0..retry.attempts {",
        replace: "for attempt in 0..=retry.attempts {",
        caught_by: &[test(
            "-p slateboard --test conditions an_update_gives_up_after_its_attempts_and_changes_nothing",
        )],
    },
    Mutant {
        name: "an update that wants nothing puts all the same",
        lost: "A key is changed although the caller left it as it is.",
        file: FILE,
        search: "                return Ok(None);",
        replace: "                return self.remove(key).map_err(E::from);",
        caught_by: &[test(
            "-p slateboard --test conditions an_update_that_fails_or_wants_nothing_leaves_the_key_as_it_is",
        )],
    },
    Mutant {
        name: "an update of an absent key puts whatever stands there",
        lost: "An update is lost: another session's value, put meanwhile, is overwritten.",
        file: FILE,
        search: "Change::put(value.as_ref(), Expect::Absent)",
        replace: "Change::put(value.as_ref(), Expect::Any)",
        caught_by: &[
            test("-p slateboard --test conditions an_update_makes_its_value_of_what_stands_when_it_is_put"),
            long(torture("--kills 60 --seed 1")),
        ],
    },
    Mutant {
        name: "an update puts whatever stands there",
        lost: "An update is lost: another session's value, put meanwhile, is overwritten.",
        file: FILE,
        search: "change.expect = Expect::Version(found.words.version());",
        replace: "change.expect = Expect::Any;",
        caught_by: &[
            test("-p slateboard --test conditions an_update_makes_its_value_of_what_stands_when_it_is_put"),
            long(torture("--kills 60 --seed 1")),
        ],
    },
    Mutant {
        name: "an update puts whatever value stands there",
        lost: "An update is lost: another session's value, put meanwhile, is overwritten.",
        file: FILE,
        search: "change.expect = Expect::Version(found.words.version());",
        replace: "change.expect = Expect::Present;",
        caught_by: &[test(
            "-p slateboard --test conditions an_update_makes_its_value_of_what_stands_when_it_is_put",
        )],
    },
    Mutant {
        name: "an update loses the deadline",
        lost: "A counter with a time to live stays for ever once it is counted.",
        file: FILE,
        search: "(change.codec, change.deadline) = (standing.codec(), standing.deadline());",
        replace: "(change.codec, change.deadline) = (standing.codec(), 0);",
        caught_by: &[
            test("-p slateboard --test api an_update_keeps_what_it_does_not_change"),
            long(torture("--kills 60 --seed 1")),
        ],
    },
    Mutant {
        name: "an update loses the codec",
        lost: "What was JSON is raw bytes once it is updated.",
        file: FILE,
        search: "(change.codec, change.deadline) = (standing.codec(), standing.deadline());",
        replace: "(change.codec, change.deadline) = (0, standing.deadline());",
        caught_by: &[test("-p slateboard --test api an_update_keeps_what_it_does_not_change")],
    },
    Mutant {
        name: "an update loses the session that the entry ends with",
        lost: "An entry outlives its session once another has updated it.",
        file: FILE,
        search: "change.ephemeral = standing.ephemeral();",
        replace: "change.ephemeral = 0;",
        caught_by: &[test("-p slateboard --test api an_update_keeps_what_it_does_not_change")],
    },
    Mutant {
        name: "an update does not set the codec",
        lost: "A replacement's codec is not used.",
        file: FILE,
        search: "change.codec = codec.map_or(change.codec, CodecId::get);",
        replace: "change.codec = codec.map_or(change.codec, |_| change.codec);",
        caught_by: &[test("-p slateboard --test api an_update_keeps_what_it_does_not_change")],
    },
    Mutant {
        name: "a touch is told as a put",
        lost: "Whoever follows the changes takes a touch for a new value.",
        file: FILE,
        search: "            if touch {
",
        replace: "            if touch && ttl.is_none() {
",
        caught_by: &[test("-p slateboard --test bulk a_touch_is_an_event_of_its_own_kind")],
    },
    Mutant {
        name: "a replacement's time to live may be zero",
        lost: "An entry is over before anybody sees it, and no error says so.",
        file: FILE,
        search: "                check_ttl(key, ttl)?;
                change.deadline",
        replace: "                change.deadline",
        caught_by: &[test(
            "-p slateboard --test conditions an_update_that_fails_or_wants_nothing_leaves_the_key_as_it_is",
        )],
    },
    Mutant {
        name: "an update does not set the time to live",
        lost: "A touch renews nothing.",
        file: FILE,
        search: "change.deadline = deadline_after(ttl);",
        replace: "change.deadline = change.deadline.max(1).min(deadline_after(ttl));",
        caught_by: &[
            test("-p slateboard --test api a_touch_renews_the_time_to_live_and_nothing_else"),
            long(torture("--kills 60 --seed 1")),
        ],
    },
    Mutant {
        name: "a touch does not tell the keeper its deadline",
        lost: "An entry that lives shorter than a beat is ended a beat late.",
        file: FILE,
        search: "self.seat().expects_expiry(change.deadline);",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::presence::tests::a_put_and_a_touch_with_a_time_to_live_tell_the_keeper_their_deadline",
        )],
    },
    Mutant {
        name: "an update does not count its own attempts",
        lost: "A receipt says that no other writer was first.",
        file: FILE,
        search: "Receipt { version, generation, retries: retries + attempt }",
        replace: "Receipt { version, generation, retries }",
        caught_by: &[test(
            "-p slateboard --test conditions an_update_makes_its_value_of_what_stands_when_it_is_put",
        )],
    },
    Mutant {
        name: "an update does not tell what stands there",
        lost: "Whoever gives up has to read the key again.",
        file: FILE,
        search: ".with_current(self.get(key).ok().flatten())
            .hint(\"try again\")",
        replace: ".hint(\"try again\")",
        caught_by: &[test(
            "-p slateboard --test conditions an_update_gives_up_after_its_attempts_and_changes_nothing",
        )],
    },
    Mutant {
        name: "an update is told whatever name its writer's place has",
        lost: "An update is told the name of a session that came later.",
        file: FILE,
        search: "if core.names_stand(freed) { entry } else { entry.without_names() }",
        replace: "if core.names_stand(freed) || freed < u64::MAX { entry } else { entry.without_names() }",
        caught_by: &[test(NAMES)],
    },
    Mutant {
        name: "an update that was told no name is told none again",
        lost: "An update does not learn who wrote, once a name was freed during an earlier attempt.",
        file: FILE,
        search: "            freed = core.names_freed();
            f(entry",
        replace: "            freed += 0;
            f(entry",
        caught_by: &[test(NAMES)],
    },
];
