//! Every atomic access of the protocol is in `docs/atomics.md`, with what finds it when it is wrong; and what that
//! page, `docs/models.md` and `docs/promises.md` name exists. Every promise of the last has a mutant that breaks it.

use crate::source::{files, root};
use slateboard_mutants::{
    access::{
        self,
        list::{Answer, Row, rows},
        text::{Access, accesses},
    },
    source::strings,
    table::{self, Check, Mutant, Tool},
};
use std::collections::BTreeSet;

/// Why nothing may find a mutant of an access; `docs/atomics.md` explains each.
const REASONS: [&str; 8] = ["hint", "own", "private", "lock", "proved", "diagnostic", "loom", "needless"];

/// What a row can name.
struct Known {
    models: BTreeSet<String>,
    scenarios: BTreeSet<String>,
    families: BTreeSet<String>,
    operations: BTreeSet<String>,
    /// With the file that each changes.
    mutants: Vec<(String, String)>,
}

impl Known {
    fn load() -> Self {
        let strings_in = |folder| {
            let sources = files(&[folder], &[".rs"]);
            sources.iter().flat_map(|source| strings(&source.text)).collect::<BTreeSet<String>>()
        };
        let file = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        Self {
            models: strings_in("loom-tests/src/suite"),
            scenarios: strings_in("verify/search/src/scenarios"),
            families: strings_in("verify/search/src/schedules"),
            operations: strings_in("verify/stepper/src"),
            mutants: table::all().map(|mutant| (mutant.name.into(), file(mutant.file))).collect(),
        }
    }

    /// Whether a tool has what the check runs.
    fn runs(&self, check: &Check) -> bool {
        let names = match check.tool {
            Tool::Models => &self.models,
            Tool::States => &self.scenarios,
            Tool::Schedules => &self.families,
            Tool::Stepper => &self.operations,
            Tool::Torture => return check.what.contains("--seed "),
            Tool::Test => return is_test(check.what.rsplit([' ', ':']).next().unwrap_or_default()),
        };
        names.contains(check.what)
    }

    /// Whether a row's access can be made there: a model, a scenario or a test.
    fn makes(&self, place: &str) -> bool {
        let scenario = place.strip_prefix("scenario ").is_some_and(|name| self.scenarios.contains(name));
        let test = place.ends_with(".rs") && root().join(place).is_file();
        self.models.contains(place) || scenario || test
    }
}

/// Whether there is a test of this name.
fn is_test(name: &str) -> bool {
    let signature = format!("fn {name}()");
    files(&["tests", "src", "cli", "verify"], &[".rs"]).iter().any(|source| source.text.contains(&signature))
}

/// What is wrong with the list of these accesses.
fn findings(accesses: &[Access], rows: &[Row], known: &Known) -> Vec<String> {
    let mut found = Vec::new();
    for access in accesses {
        let count = rows.iter().filter(|row| row.is_of(access)).count();
        if count != 1 {
            let Access { file, function, .. } = access;
            found.push(format!("{file}: `{function}` | `{}` has {count} rows", access.what()));
        }
    }
    for row in rows {
        match accesses.iter().find(|access| row.is_of(access)) {
            Some(access) => {
                found.extend(wrong(access, row, known).map(|what| format!("{}: {what}", row.name())))
            }
            None => found.push(format!("{}: there is no such access", row.name())),
        }
    }
    found
}

/// What is wrong with a row.
fn wrong<'r>(access: &Access, row: &'r Row, known: &'r Known) -> impl Iterator<Item = String> + use<'r> {
    let required = access.mutants();
    let answered = |wrong: &str| row.answers.iter().any(|(answered, _)| answered == wrong);
    let mut found: Vec<String> = required
        .iter()
        .filter(|wrong| !answered(wrong))
        .map(|wrong| format!("nothing is said of {wrong}"))
        .collect();
    for (wrong, answer) in &row.answers {
        let a_mutant =
            required.contains(&wrong.as_str()) || access.relaxed_mutants().contains(&wrong.as_str());
        let other = wrong == "changed" && matches!(answer, Answer::Mutant(_));
        if !a_mutant && !other {
            found.push(format!("{wrong} is no mutant of it"));
        }
        let in_file =
            |all: &[(String, String)], name: &String| all.contains(&(name.clone(), row.file.clone()));
        let fine = match answer {
            Answer::Model(name, _) => known.models.contains(name),
            Answer::Mutant(name) => in_file(&known.mutants, name),
            Answer::Reason(word, _) => REASONS.contains(&word.as_str()),
        };
        if !fine {
            found.push(format!("{wrong} names what is not there, or not in this file: {answer:?}"));
        }
    }
    if !known.makes(&row.made_in) {
        found.push(format!("it is made in {}, which is not there", row.made_in));
    }
    found.into_iter()
}

/// The names in a document's tables that nothing has.
fn unknown_names(document: &str, known: &Known) -> Vec<String> {
    let mut found = Vec::new();
    for line in document.lines().filter(|line| line.starts_with("| ")) {
        for (before, name) in quoted(line) {
            let is = |names: &[(String, String)]| names.iter().any(|(known, _)| known == name);
            let fine = match before {
                "scenario" => known.scenarios.contains(name),
                "mutant" => is(&known.mutants),
                _ => known.models.contains(name),
            };
            if !fine {
                found.push(format!("{before} `{name}` is not there"));
            }
        }
    }
    found
}

/// What stands in back ticks, each with the word before it.
fn quoted(line: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = line.split('`').collect();
    let pairs = parts.chunks_exact(2);
    pairs.map(|pair| (pair[0].split_whitespace().last().unwrap_or_default(), pair[1])).collect()
}

fn document(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|_| panic!("{name} is there"))
}

#[test]
fn every_access_is_listed_with_what_falls() {
    let rows = rows(&document("docs/atomics.md")).expect("rows");
    assert_eq!(
        findings(&access::all(root()).expect("the protocol is there"), &rows, &Known::load()),
        Vec::<String>::new()
    );
}

#[test]
fn every_model_scenario_and_mutant_that_is_named_exists() {
    let known = Known::load();
    assert_eq!(unknown_names(&document("docs/models.md"), &known), Vec::<String>::new());
    let bad = "| a | `no::model`, scenario `none` | mutant `none` |";
    assert_eq!(unknown_names(bad, &known).len(), 3);
}

/// The rows of `docs/promises.md` that name no mutant, and the mutants above the core that it does not name.
fn unbroken(document: &str, mutants: &[&Mutant]) -> Vec<String> {
    let rows = || document.lines().filter(|line| line.starts_with("| "));
    let body = rows().filter(|line| !line.starts_with("| ---") && !line.ends_with(" by |"));
    let mut found: Vec<String> = body
        .filter(|line| !quoted(line).iter().any(|(before, _)| *before == "mutant"))
        .map(|line| format!("no mutant breaks {line}"))
        .collect();
    let named: BTreeSet<&str> = rows().flat_map(quoted).map(|(_, name)| name).collect();
    let above = mutants.iter().filter(|mutant| !mutant.file.starts_with("src/engine/"));
    found.extend(
        above
            .filter(|mutant| !named.contains(mutant.name))
            .map(|mutant| format!("{} is not named", mutant.name)),
    );
    found
}

#[test]
fn every_promise_has_a_mutant_that_breaks_it() {
    let (known, promises) = (Known::load(), document("docs/promises.md"));
    assert_eq!(unknown_names(&promises, &known), Vec::<String>::new());
    assert_eq!(unbroken(&promises, &table::all().collect::<Vec<_>>()), Vec::<String>::new());
    let mutant =
        Mutant { name: "m", lost: "", file: "src/board/a.rs", search: "", replace: "", caught_by: &[] };
    assert_eq!(
        unbroken("| promise | broken by |\n| --- | --- |\n| a | nothing |\n", &[&mutant]),
        ["no mutant breaks | a | nothing |", "m is not named"]
    );
}

/// What is wrong with the table of mutants.
fn wrong_mutants<'m>(mutants: impl Iterator<Item = &'m Mutant>, known: &Known) -> Vec<String> {
    let (mut found, mut names) = (Vec::new(), BTreeSet::new());
    for mutant in mutants {
        let text = std::fs::read_to_string(root().join(mutant.file)).unwrap_or_default();
        let count = text.matches(mutant.search).count();
        if count != 1 {
            found
                .push(format!("{}: its text stands in {} {count} times, not once", mutant.name, mutant.file));
        }
        if !names.insert(mutant.name) {
            found.push(format!("{} is there twice", mutant.name));
        }
        let unknown = mutant.caught_by.iter().filter(|check| !known.runs(check));
        found.extend(unknown.map(|check| format!("{}: there is no {check:?}", mutant.name)));
        if mutant.caught_by.is_empty() {
            found.push(format!("{} has no check", mutant.name));
        }
    }
    found
}

#[test]
fn every_mutant_changes_the_text_and_is_caught_by_what_exists() {
    let known = Known::load();
    assert_eq!(wrong_mutants(table::all(), &known), Vec::<String>::new());
    let checks = &[Check { tool: Tool::States, what: "none", long: false }];
    let bad = |search, caught_by| Mutant {
        name: "bad",
        lost: "",
        file: "src/lib.rs",
        search,
        replace: "",
        caught_by,
    };
    let once = "pub struct Readme;";
    assert_eq!(wrong_mutants([bad("no such text", checks), bad(once, &[])].iter(), &known).len(), 4);
}

#[test]
fn an_access_that_is_not_listed_as_it_is_is_found() {
    let code = "fn f() {\n    // fence(Release)\n    word.store(1, Release);\n    word.load(Relaxed);\n}\n";
    let accesses = accesses("a.rs", code);
    let known = Known {
        models: ["m::a".to_owned()].into(),
        scenarios: ["s".to_owned()].into(),
        families: BTreeSet::new(),
        operations: BTreeSet::new(),
        mutants: vec![("x".into(), "a.rs".into()), ("y".into(), "b.rs".into())],
    };
    let found = |cells: &[&str]| {
        let list =
            cells.iter().fold("## `a.rs`\n".to_owned(), |list, cells| format!("{list}| `f` | {cells} |\n"));
        findings(&accesses, &rows(&list).expect("rows"), &known)
    };
    let (store, load) =
        ("`store Release` | `m::a` | release: `m::a`", "`load Relaxed` | `scenario s` | zero: own");
    assert_eq!(found(&[store, load]), Vec::<String>::new());
    assert_eq!(found(&[store]), ["a.rs: `f` | `load Relaxed` has 0 rows"]);
    for bad in [
        "`store Release #2` | `m::a` | release: `m::a`",
        "`store Relaxed` | `m::a` | release: `m::a`",
        "`fence Release` | `m::a` | dropped: `m::a`",
    ] {
        assert_eq!(found(&[store, load, bad]).len(), 1, "{bad}");
    }
    for bad in [
        "`store Release` | `m::a` | skipped: `m::a`",
        "`store Release` | `m::a` | release: `m::b`",
        "`store Release` | `m::a` | release: mutant `y`",
        "`store Release` | `m::a` | release: because",
        "`store Release` | `m::a` | release: `m::a`; acquire: `m::a`",
        "`store Release` | `scenario m::a` | release: `m::a`",
    ] {
        assert_eq!(found(&[bad, load]).len(), 1, "{bad}");
    }
    assert!(rows("## `a.rs`\n| `f` | `load` | own |\n").is_err());
}
