//! Rust text: its tokens, its functions and its comments, each with its place.

use proc_macro2::{TokenStream, TokenTree};
use std::{collections::BTreeSet, ops::Range};
use syn::{spanned::Spanned, visit::Visit};

/// The words, signs and literals of a stream, without the brackets around them.
pub fn tokens(stream: TokenStream) -> Vec<TokenTree> {
    let mut found = Vec::new();
    for token in stream {
        match token {
            TokenTree::Group(group) => found.extend(tokens(group.stream())),
            token => found.push(token),
        }
    }
    found
}

/// The words, signs and brackets of Rust text, each with its place: no literals, and so no documentation.
pub fn words(text: &str) -> Vec<(usize, &str)> {
    let strings = parsed(text).into_iter().filter(|token| matches!(token, TokenTree::Literal(_)));
    let literals: BTreeSet<usize> = strings.map(|token| token.span().byte_range().start).collect();
    let code = spans(text).into_iter().filter(|span| !literals.contains(&span.start));
    code.map(|span| (span.start, &text[span])).collect()
}

/// The strings in Rust text.
pub fn strings(text: &str) -> Vec<String> {
    let literal = |token| match token {
        TokenTree::Literal(literal) => Some(syn::Lit::new(literal)),
        _ => None,
    };
    let literals = parsed(text).into_iter().filter_map(literal);
    literals
        .filter_map(|literal| if let syn::Lit::Str(text) = literal { Some(text.value()) } else { None })
        .collect()
}

/// The comments and the documentation in Rust text, each with its place.
pub fn comments(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut done = 0;
    for span in spans(text).into_iter().chain(std::iter::once(text.len()..text.len())) {
        found.push((done, &text[done..span.start.max(done)]));
        // The tokens of documentation all stand where the comment stands.
        if text[span.clone()].starts_with("//") {
            found.push((span.start, &text[span.clone()]));
        }
        done = done.max(span.end);
    }
    found.retain(|(_, comment)| !comment.trim().is_empty());
    found
}

/// Where the tokens and brackets of Rust text stand, in its order.
fn spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    spans_of(text.parse().unwrap_or_else(|error| panic!("{error}: {text}")), &mut spans);
    spans.sort_by_key(|span| (span.start, span.end));
    spans
}

fn spans_of(stream: TokenStream, found: &mut Vec<Range<usize>>) {
    for token in stream {
        match token {
            TokenTree::Group(group) => {
                found.extend([group.span_open().byte_range(), group.span_close().byte_range()]);
                spans_of(group.stream(), found);
            }
            token => found.push(token.span().byte_range()),
        }
    }
}

fn parsed(text: &str) -> Vec<TokenTree> {
    tokens(text.parse().unwrap_or_else(|error| panic!("{error}: {text}")))
}

/// A function with a body.
pub struct Function {
    /// Its name.
    pub name: String,
    /// Where it stands, from its signature to the end of its body.
    pub bytes: Range<usize>,
    /// Where it stands with its attributes and its documentation.
    pub documented: Range<usize>,
    /// Where its body stands, with the braces.
    pub body: Range<usize>,
    /// Whether its body may become a choice between two bodies: it runs at run time, and its type has a name.
    pub takes_switches: bool,
}

/// The functions in Rust text.
pub fn functions(text: &str) -> Vec<Function> {
    let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let mut functions = Functions(Vec::new());
    functions.visit_file(&file);
    functions.0
}

/// Whether the function returns some type that has a trait.
fn returns_impl(signature: &syn::Signature) -> bool {
    match &signature.output {
        syn::ReturnType::Default => false,
        syn::ReturnType::Type(_, returned) => {
            let mut named = Impl(false);
            named.visit_type(returned);
            named.0
        }
    }
}

struct Impl(bool);

impl<'a> Visit<'a> for Impl {
    fn visit_type_impl_trait(&mut self, _: &'a syn::TypeImplTrait) {
        self.0 = true;
    }
}

struct Functions(Vec<Function>);

impl Functions {
    fn add(&mut self, whole: &impl Spanned, signature: &syn::Signature, body: &syn::Block) {
        let braces = body.span().byte_range();
        let end = braces.end;
        let start = signature.span().byte_range().start;
        let documented = whole.span().byte_range().start.min(start)..end;
        self.0.push(Function {
            name: signature.ident.to_string(),
            bytes: start..end,
            documented,
            body: braces,
            takes_switches: signature.constness.is_none() && !returns_impl(signature),
        });
    }
}

impl<'a> Visit<'a> for Functions {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.add(item, &item.sig, &item.block);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.add(item, &item.sig, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.add(item, &item.sig, body);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }
}

#[test]
fn comments_and_strings_are_no_code() {
    let text = "let a = \"fn x\"; // fn y\nlet b = 'x'; /* fn z */ r#\"fn \"w\"#; fn v() {}";
    let code: String = words(text).into_iter().map(|(_, word)| word).collect();
    assert_eq!(code, "leta=;letb=;;fnv(){}");
    assert_eq!(strings(text), ["fn x", "fn \"w"]);
    let comments: Vec<&str> = comments(text).iter().map(|(_, comment)| comment.trim()).collect();
    assert_eq!(comments, ["// fn y", "/* fn z */"]);
}

#[test]
fn functions_are_found_with_their_documentation() {
    let text = "trait T { fn a(&self); }\n/// Says.\nfn b(x: [u8; 2]) -> u8 {\n    if x { 1 }\n}\n";
    let found = functions(text);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].name, "b");
    assert!(text[found[0].bytes.clone()].starts_with("fn b") && text[found[0].bytes.clone()].ends_with('}'));
    assert!(text[found[0].documented.clone()].starts_with("/// Says."));
    assert!(
        comments(text)
            .iter()
            .any(|(at, comment)| found[0].documented.contains(at) && *comment == "/// Says.")
    );
}
