//! Rust text with its comments and strings taken out, and the functions in it.

/// What part of Rust text a character is in.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Code,
    Line,
    Block(u32),
    Text,
    Raw(usize),
}

/// The code and the comments of Rust text, each with everything else turned into spaces: lines and columns
/// stay.
pub struct Split {
    pub code: String,
    pub comments: String,
}

pub fn split(text: &str) -> Split {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut comments) = (String::new(), String::new());
    let mut part = Part::Code;
    let mut at = 0;
    while at < chars.len() {
        let (next, taken) = step(part, &chars[at..]);
        // What opens a comment belongs to it; quotes belong to nothing.
        let of = if matches!(next, Part::Line | Part::Block(_)) { next } else { part };
        for &char in &chars[at..at + taken] {
            let blank = if char == '\n' { '\n' } else { ' ' };
            let comment = matches!(of, Part::Line | Part::Block(_));
            code.push(if of == Part::Code && next == Part::Code { char } else { blank });
            comments.push(if comment { char } else { blank });
        }
        (part, at) = (next, at + taken);
    }
    Split { code, comments }
}

/// The part behind the next few characters, and how many those are.
fn step(part: Part, rest: &[char]) -> (Part, usize) {
    let starts = |text: &str| text.chars().enumerate().all(|(at, char)| rest.get(at) == Some(&char));
    match part {
        Part::Code if starts("//") => (Part::Line, 2),
        Part::Code if starts("/*") => (Part::Block(1), 2),
        Part::Code if starts("\"") => (Part::Text, 1),
        Part::Code if starts("r\"") || starts("r#") => match raw_start(rest) {
            Some(hashes) => (Part::Raw(hashes), hashes + 2),
            None => (Part::Code, 1),
        },
        Part::Code if starts("'\\") => {
            (Part::Code, 3 + rest.iter().skip(3).take_while(|c| **c != '\'').count())
        }
        Part::Code if starts("'") && rest.get(2) == Some(&'\'') => (Part::Code, 3),
        Part::Line if starts("\n") => (Part::Code, 1),
        Part::Block(depth) if starts("/*") => (Part::Block(depth + 1), 2),
        Part::Block(1) if starts("*/") => (Part::Code, 2),
        Part::Block(depth) if starts("*/") => (Part::Block(depth - 1), 2),
        Part::Text if starts("\\") => (Part::Text, 2.min(rest.len())),
        Part::Text if starts("\"") => (Part::Code, 1),
        Part::Raw(hashes) if starts(&format!("\"{}", "#".repeat(hashes))) => (Part::Code, 1 + hashes),
        part => (part, 1),
    }
}

fn raw_start(rest: &[char]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|char| **char == '#').count();
    (rest.get(1 + hashes) == Some(&'"')).then_some(hashes)
}

/// A function of a file: its first and last line, from 0, its documentation included.
pub struct Function {
    pub name: String,
    pub first: usize,
    pub starts: usize,
    pub last: usize,
}

/// The functions with a body in Rust text.
pub fn functions(text: &str) -> Vec<Function> {
    let code = split(text).code;
    let lines: Vec<&str> = text.lines().collect();
    let bytes = code.as_bytes();
    let line_of = |at: usize| bytes[..at].iter().filter(|byte| **byte == b'\n').count();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let word = at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        let name: String = code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let Some(end) = body_end(&code[at..]).filter(|_| word && !name.is_empty()) else { continue };
        let starts = line_of(at);
        let above = lines[..starts].iter().rev();
        let docs =
            above.take_while(|line| line.trim().starts_with("//") || line.trim().starts_with("#[")).count();
        found.push(Function { name, first: starts - docs, starts, last: line_of(at + end) });
    }
    found
}

/// Where the body that begins behind a signature ends; `None` where `;` ends the signature.
fn body_end(code: &str) -> Option<usize> {
    let (mut round, mut depth) = (0i32, 0i32);
    for (at, char) in code.char_indices() {
        match char {
            '(' | '[' => round += 1,
            ')' | ']' => round -= 1,
            ';' if depth == 0 && round == 0 => return None,
            '{' => depth += 1,
            '}' if depth == 1 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[test]
fn comments_and_strings_are_no_code() {
    let split = split("let a = \"fn x\"; // fn y\nlet b = 'x'; /* fn z */ r#\"fn \"w\"#; fn v() {}");
    assert!(split.code.contains("let b = 'x';") && split.code.contains("fn v() {}"));
    assert!(!["fn x", "fn y", "fn z", "fn \"w"].iter().any(|gone| split.code.contains(gone)));
    assert!(split.comments.contains("fn y") && split.comments.contains("fn z"));
    assert_eq!(split.code.lines().count(), 2);
}

#[test]
fn functions_are_found_with_their_documentation() {
    let text = "trait T { fn a(&self); }\n/// Says.\nfn b(x: [u8; 2]) -> u8 {\n    if x { 1 }\n}\n";
    let found = functions(text);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].name.as_str(), found[0].first, found[0].starts, found[0].last), ("b", 1, 2, 4));
}
