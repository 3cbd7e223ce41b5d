//! The list of accesses in `docs/atomics.md`: what finds each mutant of each access, or why nothing can.

use super::text::Access;

/// What a row says of one mutant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// This model finds it, or finds it together with others behind which it hides: accesses by name, and what is
    /// wrong with each.
    Model(String, Vec<(String, String)>),
    /// This mutant of the table is the same.
    Mutant(String),
    /// Nothing can find it, for this reason, and what is to be said of it.
    Reason(String, String),
}

/// One row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Name of the file.
    pub file: String,
    /// The function around the access.
    pub function: String,
    /// The access within it.
    pub what: String,
    /// The model, the scenario or the test that makes it.
    pub made_in: String,
    /// What is said of each mutant.
    pub answers: Vec<(String, Answer)>,
}

impl Row {
    /// Whether the row is that of the access.
    pub fn is_of(&self, access: &Access) -> bool {
        self.file == access.file && self.function == access.function && self.what == access.what()
    }

    /// The row's name, which is its access's.
    pub fn name(&self) -> String {
        format!("{} {} {}", self.file, self.function, self.what)
    }
}

/// The rows of the list, or what cannot be understood in it.
pub fn rows(document: &str) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let mut file = String::new();
    for line in document.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            file = heading.trim_matches('`').to_owned();
        } else if line.starts_with("| `") && file.ends_with(".rs") {
            rows.push(
                row(&file, line)
                    .ok_or(format!("not a row of four cells with mutants and answers: {line}"))?,
            );
        }
    }
    Ok(rows)
}

fn row(file: &str, line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
    let [function, what, made_in, answers] = cells[..] else { return None };
    let plain = |cell: &str| cell.trim_matches('`').to_owned();
    let answers: Option<Vec<_>> = answers.split("; ").map(answer).collect();
    Some(Row {
        file: file.to_owned(),
        function: plain(function),
        what: plain(what),
        made_in: plain(made_in),
        answers: answers?,
    })
}

fn answer(text: &str) -> Option<(String, Answer)> {
    let (wrong, answer) = text.split_once(": ")?;
    let quoted = |kind: &str| {
        let rest = answer.strip_prefix(kind)?;
        rest.strip_prefix('`')?.strip_suffix('`').map(str::to_owned)
    };
    let answer = if answer.starts_with('`') {
        let mut parts = answer.split(" with ");
        let model = parts.next()?.strip_prefix('`')?.strip_suffix('`')?;
        let others: Option<Vec<_>> = parts.map(other).collect();
        Answer::Model(model.to_owned(), others?)
    } else if let Some(mutant) = quoted("mutant ") {
        Answer::Mutant(mutant)
    } else {
        let (reason, text) = answer.split_once(", ").unwrap_or((answer, ""));
        Answer::Reason(reason.to_owned(), text.to_owned())
    };
    Some((wrong.to_owned(), answer))
}

/// Another access and what is wrong with it: `` `file function access` wrong ``.
fn other(text: &str) -> Option<(String, String)> {
    let (access, wrong) = text.strip_prefix('`')?.split_once("` ")?;
    Some((access.to_owned(), wrong.to_owned()))
}
