//! Mutants of `src/board/list.rs`.

use super::{Mutant, test};

const FILE: &str = "src/board/list.rs";

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a list begins anew after it told something",
        lost: "A list tells keys twice, and of two generations.",
        file: FILE,
        search: "if error.is_lagged() && first && attempt",
        replace: "if error.is_lagged() && (first || attempt > 0) && attempt",
        caught_by: &[test("-p slateboard --test lists a_list_that_began_is_never_begun_anew")],
    },
    Mutant {
        name: "a list read key by key ignores the order",
        lost: "The same list is in another order when the history goes by.",
        file: FILE,
        search: "    if backwards {",
        replace: "    if backwards && keys.is_empty() {",
        caught_by: &[test(
            "-p slateboard --test lists a_range_an_order_and_a_limit_mean_the_same_by_every_way_to_list",
        )],
    },
    Mutant {
        name: "a list read key by key has no limit",
        lost: "A list has more than was asked for when the history goes by.",
        file: FILE,
        search: "if entries.len() == self.limit {",
        replace: "if self.limit == 0 {",
        caught_by: &[test(
            "-p slateboard --test lists a_range_an_order_and_a_limit_mean_the_same_by_every_way_to_list",
        )],
    },
    Mutant {
        name: "a list has no limit",
        lost: "A list returns more than was asked for.",
        file: FILE,
        search: "self.left -= usize::from(matches!(step, Step::Found));",
        replace: "self.left -= usize::from(matches!(step, Step::Found) && self.left == usize::MAX);",
        caught_by: &[test(
            "-p slateboard --test lists a_range_an_order_and_a_limit_mean_the_same_by_every_way_to_list",
        )],
    },
    Mutant {
        name: "a list read key by key has no range",
        lost: "A list has keys outside its range when the history goes by.",
        file: FILE,
        search: "Ok(key) if self.span.contains(key) => keys.extend",
        replace: "Ok(key) if key.starts_with(self.span.prefix().as_bytes()) => keys.extend",
        caught_by: &[test(
            "-p slateboard --test lists a_range_an_order_and_a_limit_mean_the_same_by_every_way_to_list",
        )],
    },
    Mutant {
        name: "a walk has no range",
        lost: "The first list of a handle has keys outside its range.",
        file: FILE,
        search: "Ok(item) if !self.span.contains(&item.key) => {}",
        replace: "Ok(item) if item.key.is_empty() => {}",
        caught_by: &[test(
            "-p slateboard --test lists a_range_an_order_and_a_limit_mean_the_same_by_every_way_to_list",
        )],
    },
    Mutant {
        name: "a walk ignores the order",
        lost: "The first list of a handle is in another order than later ones.",
        file: FILE,
        search: "        items.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        if self.backwards {",
        replace: "        items.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        if self.backwards && items.is_empty() {",
        caught_by: &[test(
            "-p slateboard --test lists a_range_an_order_and_a_limit_mean_the_same_by_every_way_to_list",
        )],
    },
    Mutant {
        name: "a walk tells what expired",
        lost: "The first list of a handle has entries that a get does not find.",
        file: FILE,
        search: "items.find(|item| !self.view.is_expired(item.header.deadline))",
        replace: "items.next()",
        caught_by: &[test(
            "-p slateboard --test lists a_range_an_order_and_a_limit_mean_the_same_by_every_way_to_list",
        )],
    },
    Mutant {
        name: "an indexed list tells what expired",
        lost: "A list has entries that a get does not find.",
        file: FILE,
        search: "Ok(true) if !self.view.is_expired(self.found.words.deadline()) =>",
        replace: "Ok(true) =>",
        caught_by: &[test(
            "-p slateboard --test lists a_range_an_order_and_a_limit_mean_the_same_by_every_way_to_list",
        )],
    },
    Mutant {
        name: "the first batch of a list is its last",
        lost: "A list of many keys ends early.",
        file: FILE,
        search: "let more = candidates.len() == most;",
        replace: "let more = candidates.len() > most;",
        caught_by: &[test(
            "-p slateboard --test lists a_list_of_more_keys_than_are_fetched_at_once_is_whole_in_both_orders",
        )],
    },
    Mutant {
        name: "a list that is over does not ask whether its generation is still there",
        lost: "A list whose generation went by misses keys and says nothing.",
        file: FILE,
        search: "return self.view.is_there(&self.view.reader.core()?).map(|()| None);",
        replace: "return Ok(None);",
        caught_by: &[test(
            "-p slateboard --test index views_of_before_the_index_find_what_was_removed_since",
        )],
    },
    Mutant {
        name: "what reverses the order twice reverses it once",
        lost: "A list that is reversed twice is backwards.",
        file: FILE,
        search: "self.backwards = !self.backwards;",
        replace: "self.backwards = true;",
        caught_by: &[test("-p slateboard --test lists a_scan_stops_where_it_is_told")],
    },
    Mutant {
        name: "a walk tells damage outside its range",
        lost: "A list fails for a key that it was not asked for.",
        file: FILE,
        search: "damaged.retain(|damage| damage.concerns(&self.span));",
        replace: "damaged.retain(|damage| damage.key.is_none() || damage.concerns(&Span::of_prefix(\"\")));",
        caught_by: &[test("-p slateboard --test lists damage_under_another_prefix_is_not_told")],
    },
    Mutant {
        name: "a scan does not stop",
        lost: "A scan goes on after it was told to stop.",
        file: FILE,
        search: "if flow.is_break() {",
        replace: "if flow.is_break() && key.is_empty() {",
        caught_by: &[test("-p slateboard --test lists a_scan_stops_where_it_is_told")],
    },
    Mutant {
        name: "a list that reached its limit does not ask whether its generation is still there",
        lost: "A list whose generation went by says nothing.",
        file: FILE,
        search: "        self.let_go(Batch::Over);
        self.view.is_there(&self.view.reader.core()?)",
        replace: "        self.let_go(Batch::Over);
        Ok(())",
        caught_by: &[test(
            "-p slateboard --test lists a_list_that_reached_its_limit_says_whether_its_generation_was_there_until_then",
        )],
    },
    Mutant {
        name: "an item is told whoever has its names now",
        lost: "An entry is told under the name of another session.",
        file: FILE,
        search: "cursor.view.is_there(&core).map(|()| Some(item))",
        replace: "Ok(Some(item))",
        caught_by: &[test(
            "-p slateboard --lib board::list::tests::an_item_is_told_only_if_its_names_were_still_its_own",
        )],
    },
    Mutant {
        name: "a key that a walk found twice is told twice",
        lost: "A list that is read key by key has a key twice.",
        file: FILE,
        search: "    keys.dedup();
",
        replace: "",
        caught_by: &[test(
            "-p slateboard --lib board::list::tests::a_key_that_a_walk_found_twice_is_told_once",
        )],
    },
    Mutant {
        name: "damage of a key that is read by itself is not told",
        lost: "A list that is not exact leaves a key out, and nobody learns it.",
        file: FILE,
        search: "Err(error) if error.is_corrupt() => damaged.push(Damage::of_key(&key, \"its newest record\")),",
        replace: "Err(error) if error.is_corrupt() => {}",
        caught_by: &[test(
            "-p slateboard --lib board::list::tests::keys_that_are_read_one_by_one_have_the_damage_of_their_range_and_the_generation_of_the_beginning",
        )],
    },
    Mutant {
        name: "a list read key by key has the generation of its end",
        lost: "An entry may be older than the generation that the list names.",
        file: FILE,
        search: "Ok(Listing { entries, generation, exact: false, damaged })",
        replace: "Ok(Listing { entries, generation: generation.max(core.newest()), exact: false, damaged })",
        caught_by: &[test(
            "-p slateboard --lib board::list::tests::keys_that_are_read_one_by_one_have_the_damage_of_their_range_and_the_generation_of_the_beginning",
        )],
    },
];
