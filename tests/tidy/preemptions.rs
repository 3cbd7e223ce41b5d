//! `docs/models.md` says within how many preemptions `cargo states` searches each scenario.

use crate::source::{files, root};
use std::collections::BTreeMap;

/// What a scenario has that says nothing else, in `verify/search/src/scenario.rs`.
const UNSAID: &str = "2";

/// The preemptions of each scenario, as the text of the scenarios says.
fn searched(text: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut parts = text.split("Scenario::new(");
    let mut before = parts.next().unwrap_or_default();
    for part in parts {
        // The fields of a scenario stand before the name that `new` gets.
        let fields = before.rsplit("Scenario {").next().unwrap_or_default();
        let said = fields.split("preemptions: ").nth(1).and_then(|rest| rest.split(',').next());
        let name = part.split('"').nth(1).unwrap_or_default();
        all.insert(name.to_owned(), said.unwrap_or(UNSAID).to_owned());
        before = part;
    }
    all
}

/// The same, as the table of the page says.
fn told(page: &str) -> BTreeMap<String, String> {
    let rows = page.lines().skip_while(|line| !line.starts_with("| preemptions |")).skip(2);
    let mut all = BTreeMap::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let number = row.trim_start_matches("| ").split(' ').next().unwrap_or_default();
        all.extend(row.split('`').skip(1).step_by(2).map(|name| (name.to_owned(), number.to_owned())));
    }
    all
}

#[test]
fn the_preemptions_of_each_scenario_are_told() {
    let page = std::fs::read_to_string(root().join("docs/models.md")).expect("docs/models.md is there");
    let scenarios = files(&["verify/search/src/scenarios"], &[".rs"]);
    let text: String = scenarios.into_iter().map(|file| file.text).collect();
    assert_eq!(told(&page), searched(&text));
    let sample = "Scenario { preemptions: 1, ..Scenario::new(\"a\", \"\") }, Scenario { ..Scenario::new(\"b\", \"\") }";
    let table = "| preemptions | scenarios |\n| --: | --- |\n| 1 | scenario `a` |\n| 2 | scenario `b` |\n\n| 3 | `c` |";
    assert_eq!(told(table), searched(sample));
    assert_eq!(told(table).len(), 2);
}
