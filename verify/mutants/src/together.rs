//! Many mutants in one tree, each behind a switch that a run turns on, so that a tool is built once for all of them.
//!
//! A function that mutants change gets one body for each of them beside its own, and the switch chooses. A mutant that
//! changes anything but the body of one function has to be built alone.

use crate::{source::functions, table::Mutant, tree::Tree};
use std::{collections::BTreeMap, ops::Range};

/// The environment variable with the number of the mutant that is on.
pub const SWITCH: &str = "SLATE_BROKEN";
/// What the library gets, so that a run can turn one mutant on.
const SWITCHES: &str = "
/// Which mutant is on.
#[doc(hidden)]
pub mod broken_on_purpose {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    static ON: AtomicUsize = AtomicUsize::new(usize::MAX);

    /// Whether it is this one.
    #[inline]
    pub fn is_on(number: usize) -> bool {
        let on = ON.load(Relaxed);
        (if on == usize::MAX { read() } else { on }) == number
    }

    #[cold]
    fn read() -> usize {
        let on = std::env::var(\"SLATE_BROKEN\").ok().and_then(|number| number.parse().ok()).unwrap_or(0);
        ON.store(on, Relaxed);
        on
    }
}
";

/// The library, whose functions alone can have switches.
const LIBRARY: &str = "src/";

/// A mutant with its number, which is not 0.
pub type Numbered = (usize, &'static Mutant);

/// Where the mutant changes the text, without what stays the same around that.
fn changed(text: &str, mutant: &Mutant) -> Option<Range<usize>> {
    let mut places = text.match_indices(mutant.search);
    let (Some((at, _)), None) = (places.next(), places.next()) else { return None };
    let (old, new) = (mutant.search.as_bytes(), mutant.replace.as_bytes());
    let shorter = old.len().min(new.len());
    let before = (0..shorter).take_while(|&n| old[n] == new[n]).count();
    let after =
        (0..shorter - before).take_while(|&n| old[old.len() - 1 - n] == new[new.len() - 1 - n]).count();
    Some(at + before..at + old.len() - after)
}

/// The body of the outermost function in which a change is, if a switch can stand there.
fn body(text: &str, changed: &Range<usize>) -> Option<Range<usize>> {
    let functions = functions(text);
    let around = functions
        .iter()
        .filter(|function| function.bytes.start <= changed.start && changed.end <= function.bytes.end);
    let outermost = around.min_by_key(|function| function.bytes.start)?;
    let inside = outermost.body.start < changed.start && changed.end < outermost.body.end;
    (inside && outermost.takes_switches).then(|| outermost.body.clone())
}

/// Whether the mutant can be built together with others.
pub fn is_switchable(text: &str, mutant: &Mutant) -> bool {
    mutant.file.starts_with(LIBRARY)
        && changed(text, mutant).is_some_and(|changed| body(text, &changed).is_some())
}

/// A file's text with these mutants, each behind its switch.
fn with_switches(text: &str, mutants: &[Numbered]) -> String {
    let mut bodies = BTreeMap::<(usize, usize), String>::new();
    for &(number, mutant) in mutants {
        let Some(body) = changed(text, mutant).and_then(|changed| body(text, &changed)) else { continue };
        let at = text.find(mutant.search).unwrap_or_default();
        let after = at + mutant.search.len();
        // The searched text may begin before the body or end after it: what it has there stays.
        let mutated = text[..at].to_owned() + mutant.replace + &text[after..];
        let wrong = &mutated[body.start..mutated.len() - (text.len() - body.end)];
        *bodies.entry((body.start, body.end)).or_default() +=
            &format!("if crate::broken_on_purpose::is_on({number}) {wrong} else ");
    }
    let (mut switched, mut done) = (String::new(), 0);
    for ((start, end), wrong) in bodies {
        switched += &format!("{}{{ {wrong}{} }}", &text[done..start], &text[start..end]);
        done = end;
    }
    switched + &text[done..]
}

/// Puts the mutants into the tree, none turned on.
pub fn put(tree: &Tree, mutants: &[Numbered]) -> Result<(), String> {
    let mut files = BTreeMap::<&str, Vec<Numbered>>::new();
    for &(number, mutant) in mutants {
        files.entry(mutant.file).or_default().push((number, mutant));
    }
    for (file, mutants) in files {
        tree.rewrite(file, |text| with_switches(text, &mutants))?;
    }
    tree.rewrite("src/lib.rs", |text| format!("{text}{SWITCHES}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "const A: u8 = 1;\nfn f(x: u8) -> u8 {\n    let y = x + 1;\n    y * 2\n}\nconst fn g() -> u8 { 3 }\n";

    fn mutant(search: &'static str, replace: &'static str) -> Mutant {
        Mutant { name: "m", lost: "", file: "src/a.rs", search, replace, caught_by: &[] }
    }

    #[test]
    fn only_changes_within_one_body_are_switchable() {
        for (search, replace, switchable) in [
            ("x + 1", "x", true),
            ("y * 2\n}\nconst", "y * 3\n}\nconst", true),
            ("A: u8 = 1", "A: u8 = 2", false),
            ("f(x: u8)", "f(x: u16)", false),
            ("{ 3 }", "{ 4 }", false),
        ] {
            assert_eq!(is_switchable(TEXT, &mutant(search, replace)), switchable, "{search}");
        }
        let elsewhere = Mutant { file: "cli/src/a.rs", ..mutant("x + 1", "x") };
        assert!(!is_switchable(TEXT, &elsewhere));
    }

    #[test]
    fn a_body_has_a_switch_for_each_mutant() {
        let one: &'static Mutant = Box::leak(Box::new(mutant("x + 1", "x")));
        let two: &'static Mutant = Box::leak(Box::new(mutant("y * 2", "y - 200")));
        let switched = with_switches(TEXT, &[(7, one), (9, two)]);
        assert_eq!(
            switched,
            "const A: u8 = 1;\nfn f(x: u8) -> u8 { \
             if crate::broken_on_purpose::is_on(7) {\n    let y = x;\n    y * 2\n} else \
             if crate::broken_on_purpose::is_on(9) {\n    let y = x + 1;\n    y - 200\n} else \
             {\n    let y = x + 1;\n    y * 2\n} }\nconst fn g() -> u8 { 3 }\n"
        );
        assert!(syn::parse_file(&switched).is_ok());
    }
}
