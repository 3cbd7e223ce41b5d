//! The accesses to shared words in the text of `src/engine/protocol`, and the same text with a switch at each, by which a
//! run of the models does the access wrong.

use crate::source::{functions, tokens};
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
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
const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];

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

    /// The ways to do it wrong of which each must be accounted for.
    pub fn mutants(&self) -> Vec<&'static str> {
        let has = |at: usize, wanted: &[&str]| {
            self.orders.get(at).is_some_and(|order| wanted.contains(&order.as_str()))
        };
        let (acquires, releases) =
            (has(0, &["Acquire", "AcqRel", "SeqCst"]), has(0, &["Release", "AcqRel", "SeqCst"]));
        let mut wrong = Vec::new();
        match self.method.as_str() {
            "fence" => wrong.push("dropped"),
            method if ACQUIRES.contains(&method) => wrong.push("acquire"),
            _ => {
                wrong.extend(acquires.then_some("acquire"));
                wrong.extend(releases.then_some("release"));
                wrong.extend(has(1, &["Acquire"]).then_some("failure"));
                wrong.extend((self.method == "compare_exchange").then_some("blind"));
            }
        }
        wrong
    }

    /// The ways to do a relaxed access wrong, of which one must be accounted for.
    pub fn relaxed_mutants(&self) -> &'static [&'static str] {
        match self.method.as_str() {
            "load" | "record_word" => &["zero"],
            "head_is" => &["passes"],
            "store" | "swap" | "fetch_max" | "fetch_add" | "fetch_or" => &["skipped"],
            _ => &[],
        }
    }
}

/// A call in the text: what stands before its name, and its arguments.
struct Call {
    name: Ident,
    arguments: Group,
    before: Before,
    /// Where the words and dots start that stand before the name.
    receiver: usize,
}

/// What stands before a call's name.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// A dot: it is a method.
    Dot,
    /// A dot behind `geo`, whose methods are no accesses.
    Geometry,
    /// `fn`: it is not called here.
    Fn,
    Other,
}

impl Call {
    fn is_access(&self) -> bool {
        let method = self.name.to_string();
        let relaxed = RELAXED.iter().any(|(name, _)| *name == method);
        match method.as_str() {
            "fence" | "acquire" => !matches!(self.before, Before::Dot | Before::Geometry | Before::Fn),
            // Another thing's method of that name has no ordering.
            method if PRIMITIVES.contains(&method) => self.before == Before::Dot && !self.orders().is_empty(),
            method => self.before == Before::Dot && (ACQUIRES.contains(&method) || relaxed),
        }
    }

    fn orders(&self) -> Vec<String> {
        let method = self.name.to_string();
        if method != "fence" && !PRIMITIVES.contains(&method.as_str()) {
            return Vec::new();
        }
        let words = tokens(self.arguments.stream());
        let mut orders: Vec<String> =
            words.iter().map(ToString::to_string).filter(|word| ORDERINGS.contains(&word.as_str())).collect();
        let count = if method == "compare_exchange" { 2 } else { 1 };
        orders.split_off(orders.len().saturating_sub(count))
    }

    /// Where its last argument starts; `None` where there is none.
    fn last_argument(&self) -> Option<usize> {
        let arguments: Vec<TokenTree> = self.arguments.stream().into_iter().collect();
        let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
        let last =
            arguments.iter().rev().skip_while(|token| is_comma(token)).take_while(|token| !is_comma(token));
        last.last().map(start)
    }

    fn start(&self) -> usize {
        self.name.span().byte_range().start
    }

    fn open(&self) -> usize {
        self.arguments.span_open().byte_range().start
    }

    fn close(&self) -> usize {
        self.arguments.span_close().byte_range().start
    }
}

fn start(token: &TokenTree) -> usize {
    token.span().byte_range().start
}

fn is(token: Option<&TokenTree>, text: &str) -> bool {
    token.is_some_and(|token| token.to_string() == text)
}

/// The calls in the text, in the order of their names.
fn calls(stream: TokenStream, found: &mut Vec<Call>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match (token, tokens.get(at + 1)) {
            (TokenTree::Group(group), _) => calls(group.stream(), found),
            (TokenTree::Ident(name), Some(TokenTree::Group(arguments)))
                if arguments.delimiter() == Delimiter::Parenthesis =>
            {
                let nth_before = |n: usize| at.checked_sub(n).map(|before| &tokens[before]);
                let before = match nth_before(1) {
                    dot if is(dot, ".") && is(nth_before(2), "geo") => Before::Geometry,
                    dot if is(dot, ".") => Before::Dot,
                    word if is(word, "fn") => Before::Fn,
                    _ => Before::Other,
                };
                let receiver = start(&tokens[receiver(&tokens, at)]);
                found.push(Call { name: name.clone(), arguments: arguments.clone(), before, receiver });
            }
            _ => {}
        }
    }
}

/// The first of the words and single dots that stand before a name; two dots are a range.
fn receiver(tokens: &[TokenTree], name: usize) -> usize {
    let mut first = name;
    while first >= 2 && is(tokens.get(first - 1), ".") && matches!(tokens[first - 2], TokenTree::Ident(_)) {
        first -= 2;
    }
    first
}

/// The accesses in a file, in the order of its text.
pub fn accesses(file: &str, text: &str) -> Vec<Access> {
    placed(file, text).into_iter().map(|(access, _)| access).collect()
}

fn placed(file: &str, text: &str) -> Vec<(Access, Call)> {
    let functions = functions(text);
    let mut found = Vec::new();
    calls(text.parse().unwrap_or_else(|error| panic!("{file}: {error}")), &mut found);
    let mut seen = BTreeMap::<(String, String, Vec<String>), u32>::new();
    let numbered = found.into_iter().filter(Call::is_access).map(|call| {
        let around = functions.iter().filter(|function| function.bytes.contains(&call.start()));
        let function = around.max_by_key(|function| function.bytes.start);
        let function = function.map(|function| function.name.clone()).unwrap_or_default();
        let (method, orders) = (call.name.to_string(), call.orders());
        let ordinal = seen.entry((function.clone(), method.clone(), orders.clone())).or_default();
        *ordinal += 1;
        (Access { file: file.into(), function, method, orders, ordinal: *ordinal }, call)
    });
    numbered.collect()
}

/// The text with each access given a number, from `first` on, by which a run may do it wrong.
pub fn with_switches(file: &str, text: &str, first: usize) -> String {
    let mut inserted = Vec::new();
    for (number, (access, call)) in placed(file, text).iter().enumerate() {
        insert(&access.method, call, first + number, &mut inserted);
    }
    inserted.sort_by_key(|(at, _)| *at);
    let mut changed = String::new();
    let mut done = 0;
    for (at, switch) in inserted {
        changed.push_str(&text[done..at]);
        changed.push_str(&switch);
        done = at;
    }
    changed.push_str(&text[done..]);
    changed.replacen("\nuse ", "\nuse crate::sync::mutants::At as _;\nuse ", 1)
}

fn insert(method: &str, call: &Call, number: usize, inserted: &mut Vec<(usize, String)>) {
    let wrapped = RELAXED.iter().find(|(name, _)| *name == method).map(|(_, wrapper)| *wrapper);
    if method == "fence" || PRIMITIVES.contains(&method) {
        if method == "fence" {
            inserted.push((call.start(), "crate::sync::mutants::".into()));
        }
        inserted.push((call.open(), "_at".into()));
        inserted.push((call.open() + 1, format!("{number}, ")));
        return;
    }
    let (start, end) = match (wrapped, call.last_argument()) {
        (Some(_), _) => (call.receiver, call.close() + 1),
        (None, Some(argument)) => (argument, call.close()),
        (None, None) => (call.receiver, call.start() - 1),
    };
    inserted.push((start, format!("crate::sync::mutants::{}({number}, ", wrapped.unwrap_or("via"))));
    inserted.push((end, ")".into()));
}
