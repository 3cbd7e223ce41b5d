//! Mutants of `src/board/view.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/view.rs";

const MOMENT: &str = "-p slateboard --lib board::view::tests::a_view_s_generation_is_the_newest_at_its_instant_unless_changes_never_pause";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "an entry outlives its deadline by an instant",
        lost: "A view has an entry that a get of the same instant does not find.",
        file: FILE,
        search: "deadline_ns <= instant_ns",
        replace: "deadline_ns < instant_ns",
        caught_by: &[test(
            "-p slateboard --lib board::view::tests::a_deadline_has_passed_at_its_own_instant",
        )],
    },
    Mutant {
        name: "a view's instant is after its generation",
        lost: "Beside writers that never pause, a view misses a key that always had a value.",
        file: FILE,
        search: "            return (after, instant_ns);",
        replace: "            return (before, instant_ns);",
        caught_by: &[test(MOMENT)],
    },
    Mutant {
        name: "a view's generation is not looked at again",
        lost: "A view and a list of a reader that was paused miss a key that always had a value.",
        file: FILE,
        search: "if after.generation == before.generation || attempt == MOMENTS {
            return (after, instant_ns);",
        replace: "if after.generation >= before.generation || attempt == MOMENTS {
            return (before, instant_ns);",
        caught_by: &[
            test(
                "-p slateboard --lib board::reader::tests::paused::a_view_has_a_value_that_replaced_one_whose_time_is_over",
            ),
            test(
                "-p slateboard --lib board::reader::tests::paused::a_list_has_a_value_that_replaced_one_whose_time_is_over",
            ),
        ],
    },
    Mutant {
        name: "a view's instant is before its generation",
        lost: "A view has an entry whose time to live was over beside a change that was made after that.",
        file: FILE,
        search: "after.generation == before.generation ||",
        replace: "after.generation >= before.generation ||",
        caught_by: &[test(MOMENT)],
    },
    Mutant {
        name: "a view of the present is made for as long as others write",
        lost: "Writers that never pause keep a reader from ever having a view or a list.",
        file: FILE,
        search: "|| attempt == MOMENTS {",
        replace: "|| attempt == MOMENTS + 1 {",
        caught_by: &[test(MOMENT)],
    },
    Mutant {
        name: "a view tells an entry whoever has its names now",
        lost: "A view tells an entry under the name of another session.",
        file: FILE,
        search: "        core.still_there(self.point).map_err(|fault| self.gone(core, fault).on_key(key))?;
",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::view::tests::an_entry_is_told_only_if_its_names_were_still_its_own",
        )],
    },
];
