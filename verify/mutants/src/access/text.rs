//! The accesses to shared words in the text of `src/engine/protocol`, and the same text with a flaw in each that a run
//! of the models may turn on.

use crate::text::{functions, split};
use std::collections::BTreeMap;

/// Methods of an atomic word.
const PRIMITIVES: &[&str] =
    &["load", "store", "swap", "compare_exchange", "fetch_max", "fetch_add", "fetch_or"];
/// Functions of the protocol that come to one acquire load.
const ACQUIRES: &[&str] = &[
    "acquire",
    "load_state",
    "load_gen",
    "load_head",
    "ring_word",
    "generation",
    "floor",
    "shard_changes",
    "class_of",
    "extents_in_use",
];
/// Functions of the protocol that come to one relaxed load, and what wraps what they say.
const RELAXED: &[(&str, &str)] = &[("record_word", "value"), ("head_is", "test")];

/// One access in the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Access {
    /// Name of the file.
    pub file: String,
    /// The function around it.
    pub function: String,
    /// The method, or the function of the protocol, that it goes through.
    pub method: String,
    /// The orderings that stand there; none where a function of the protocol has them.
    pub orders: Vec<String>,
    /// Which of the same in the function it is, from 1.
    pub ordinal: u32,
}

impl Access {
    /// How the list names it within its function.
    pub fn what(&self) -> String {
        let orders = self.orders.join("/");
        let words = [self.method.as_str(), &orders].into_iter().filter(|word| !word.is_empty());
        let text: Vec<&str> = words.collect();
        if self.ordinal == 1 { text.join(" ") } else { format!("{} #{}", text.join(" "), self.ordinal) }
    }

    /// How the list names it.
    pub fn name(&self) -> String {
        format!("{} {} {}", self.file, self.function, self.what())
    }

    /// The flaws of which each must be accounted for; where all are of a relaxed access, one of them.
    pub fn flaws(&self) -> Vec<&'static str> {
        let has = |at: usize, wanted: &[&str]| {
            self.orders.get(at).is_some_and(|order| wanted.contains(&order.as_str()))
        };
        let (acquires, releases) =
            (has(0, &["Acquire", "AcqRel", "SeqCst"]), has(0, &["Release", "AcqRel", "SeqCst"]));
        let mut flaws = Vec::new();
        match self.method.as_str() {
            "fence" => flaws.push("dropped"),
            method if ACQUIRES.contains(&method) => flaws.push("acquire"),
            _ => {
                flaws.extend(acquires.then_some("acquire"));
                flaws.extend(releases.then_some("release"));
                flaws.extend(has(1, &["Acquire"]).then_some("failure"));
                flaws.extend((self.method == "compare_exchange").then_some("blind"));
            }
        }
        flaws
    }

    /// The flaws of a relaxed access, of which one must be accounted for.
    pub fn relaxed_flaws(&self) -> &'static [&'static str] {
        match self.method.as_str() {
            "load" | "record_word" => &["zero"],
            "head_is" => &["passes"],
            "store" | "swap" | "fetch_max" | "fetch_add" | "fetch_or" => &["skipped"],
            _ => &[],
        }
    }
}

/// An access with its place in the text, in characters.
struct Placed {
    access: Access,
    name: usize,
    open: usize,
    close: usize,
}

/// The accesses in a file, in the order of its text.
pub fn accesses(file: &str, text: &str) -> Vec<Access> {
    placed(file, text).into_iter().map(|placed| placed.access).collect()
}

fn placed(file: &str, text: &str) -> Vec<Placed> {
    let code: Vec<char> = split(text).code.chars().collect();
    let functions = functions(text);
    let mut seen = BTreeMap::<(String, String, Vec<String>), u32>::new();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 0);
    while at < code.len() {
        if code[at] == '\n' {
            line += 1;
        }
        let end = word_end(&code, at);
        if end == at {
            at += 1;
            continue;
        }
        let method: String = code[at..end].iter().collect();
        if code.get(end) == Some(&'(') && is_access(&code, at, &method) {
            let around = functions.iter().filter(|f| f.starts <= line && line <= f.last);
            let function = around.max_by_key(|f| f.starts).map(|f| f.name.clone()).unwrap_or_default();
            let close = closing(&code, end);
            let orders = orders(&code, &method, end, close);
            // Another thing's method of that name.
            if PRIMITIVES.contains(&method.as_str()) && orders.is_empty() {
                at = end;
                continue;
            }
            let ordinal = seen.entry((function.clone(), method.clone(), orders.clone())).or_default();
            *ordinal += 1;
            let access = Access { file: file.into(), function, method, orders, ordinal: *ordinal };
            found.push(Placed { access, name: at, open: end, close });
        }
        at = end;
    }
    found
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Where the word ends that starts here; here where none does.
fn word_end(code: &[char], at: usize) -> usize {
    at + code[at..].iter().take_while(|char| is_word(**char)).count()
}

fn is_access(code: &[char], at: usize, method: &str) -> bool {
    let before = at.checked_sub(1).map(|before| code[before]);
    let defined = at >= 3 && code[at - 3..at] == ['f', 'n', ' '];
    let relaxed = RELAXED.iter().any(|(name, _)| *name == method);
    match method {
        "fence" | "acquire" => before != Some('.') && !defined,
        _ if code[..at].ends_with(&['g', 'e', 'o', '.']) => false,
        _ => before == Some('.') && (PRIMITIVES.contains(&method) || ACQUIRES.contains(&method) || relaxed),
    }
}

/// The parenthesis that closes the one at `open`.
fn closing(code: &[char], open: usize) -> usize {
    let mut depth = 0;
    for (at, char) in code.iter().enumerate().skip(open) {
        depth += i32::from(matches!(char, '(' | '[' | '{')) - i32::from(matches!(char, ')' | ']' | '}'));
        if depth == 0 {
            return at;
        }
    }
    code.len() - 1
}

/// Where the last argument starts; `None` where there is none.
fn last_argument(code: &[char], open: usize, close: usize) -> Option<usize> {
    let (mut depth, mut start) = (0, open + 1);
    for (at, char) in code.iter().enumerate().take(close).skip(open + 1) {
        depth += i32::from(matches!(char, '(' | '[' | '{')) - i32::from(matches!(char, ')' | ']' | '}'));
        let more = code[at + 1..close].iter().any(|char| !char.is_whitespace());
        if *char == ',' && depth == 0 && more {
            start = at + 1;
        }
    }
    let blank = code[start..close].iter().take_while(|char| char.is_whitespace()).count();
    (start + blank < close).then_some(start + blank)
}

fn orders(code: &[char], method: &str, open: usize, close: usize) -> Vec<String> {
    if method != "fence" && !PRIMITIVES.contains(&method) {
        return Vec::new();
    }
    let arguments: String = code[open + 1..close].iter().collect();
    let named = |word: &&str| ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"].contains(word);
    let words: Vec<&str> = arguments.split(|char| !is_word(char)).filter(named).collect();
    let count = if method == "compare_exchange" { 2 } else { 1 };
    words[words.len().saturating_sub(count)..].iter().map(ToString::to_string).collect()
}

/// The text with each access given a number, from `first` on, by which a run may turn a flaw of it on.
pub fn with_flaws(file: &str, text: &str, first: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut inserted = Vec::new();
    for (number, placed) in placed(file, text).iter().enumerate() {
        insert(&chars, placed, first + number, &mut inserted);
    }
    inserted.sort_by_key(|(at, _)| *at);
    let mut changed = String::new();
    let mut done = 0;
    for (at, text) in inserted {
        changed.extend(&chars[done..at]);
        changed.push_str(&text);
        done = at;
    }
    changed.extend(&chars[done..]);
    changed.replacen("\nuse ", "\nuse crate::sync::flaws::At as _;\nuse ", 1)
}

fn insert(chars: &[char], placed: &Placed, number: usize, inserted: &mut Vec<(usize, String)>) {
    let method = placed.access.method.as_str();
    let wrapped = RELAXED.iter().find(|(name, _)| *name == method).map(|(_, wrapper)| *wrapper);
    if method == "fence" {
        inserted.push((placed.name, "crate::sync::flaws::".into()));
        inserted.push((placed.open, "_at".into()));
        inserted.push((placed.open + 1, format!("{number}, ")));
    } else if PRIMITIVES.contains(&method) {
        inserted.push((placed.open, "_at".into()));
        inserted.push((placed.open + 1, format!("{number}, ")));
    } else {
        let wrapper = format!("crate::sync::flaws::{}({number}, ", wrapped.unwrap_or("via"));
        let receiver = receiver(chars, placed.name);
        let (start, end) = match (wrapped, last_argument(chars, placed.open, placed.close)) {
            (Some(_), _) => (receiver, placed.close + 1),
            (None, Some(argument)) => (argument, placed.close),
            (None, None) => (receiver, placed.name - 1),
        };
        inserted.push((start, wrapper));
        inserted.push((end, ")".into()));
    }
}

/// Where the words and dots start that stand before a method's name; two dots are a range.
fn receiver(chars: &[char], name: usize) -> usize {
    let mut start = name;
    while start > 0 && (is_word(chars[start - 1]) || chars[start - 1] == '.') {
        if chars[start - 1] == '.' && start > 1 && chars[start - 2] == '.' {
            break;
        }
        start -= 1;
    }
    start
}
