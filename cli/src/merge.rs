//! JSON merge patch, [RFC 7396](https://www.rfc-editor.org/rfc/rfc7396), over text.
//!
//! Members that the patch does not name keep their text: their numbers are not rounded, their escapes are not rewritten,
//! and their order stays the same. If several members have the same name, the last one counts, as in most JSON parsers.

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::HashMap, fmt};

/// The maximum nesting of objects in a patch.
const DEPTH_MAX: usize = 128;

/// Applies the patch to the target. `None` stands for an absent target.
pub(crate) fn merge(target: Option<&str>, patch: &str) -> serde_json::Result<String> {
    let whole = |text| serde_json::from_str::<&RawValue>(text).map(RawValue::get);
    let mut out = String::new();
    merge_into(&mut out, target.map(whole).transpose()?, whole(patch)?, 0)?;
    Ok(out)
}

/// Appends the result to `out`. Both texts must be valid JSON.
fn merge_into(out: &mut String, target: Option<&str>, patch: &str, depth: usize) -> serde_json::Result<()> {
    let Some(patch) = Members::of(patch)? else {
        out.push_str(patch);
        return Ok(());
    };
    if depth == DEPTH_MAX {
        return Err(Error::custom(format_args!("the patch nests objects more than {DEPTH_MAX} levels deep")));
    }
    let changes = Changes::new(patch);
    let target = target.map(Members::of).transpose()?.flatten().unwrap_or_default();
    let mut last = vec![None; changes.list.len()];
    for (at, (name, _)) in target.0.iter().enumerate() {
        if let Some(change) = changes.of(name) {
            last[change] = Some(at);
        }
    }
    let mut writer = ObjectWriter::new(out);
    for (at, (name, value)) in target.0.into_iter().enumerate() {
        match changes.of(name).map(|change| (changes.list[change].1, last[change] == Some(at))) {
            None => writer.member(name).push_str(value),
            Some((change, true)) if change != "null" => {
                merge_into(writer.member(name), Some(value), change, depth + 1)?;
            }
            Some(_) => {}
        }
    }
    for (&(name, change), last) in changes.list.iter().zip(last) {
        if last.is_none() && change != "null" {
            merge_into(writer.member(name), None, change, depth + 1)?;
        }
    }
    writer.end();
    Ok(())
}

/// The members of an object, in order: names with their quotes, and values, each as in the text.
#[derive(Default)]
struct Members<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Members<'a> {
    /// `None` if the text is not an object.
    fn of(text: &'a str) -> serde_json::Result<Option<Self>> {
        text.starts_with('{').then(|| serde_json::from_str(text)).transpose()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor).map(Self)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(&'de str, &'de str)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
            members.push((name.get(), value.get()));
        }
        Ok(members)
    }
}

/// The members of a patch; each name occurs once.
struct Changes<'a> {
    list: Vec<(&'a str, &'a str)>,
    by_name: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Changes<'a> {
    fn new(patch: Members<'a>) -> Self {
        let mut changes = Self { list: Vec::new(), by_name: HashMap::new() };
        for (name, change) in patch.0 {
            let at = *changes.by_name.entry(meant(name)).or_insert(changes.list.len());
            match changes.list.get_mut(at) {
                Some(earlier) => earlier.1 = change,
                None => changes.list.push((name, change)),
            }
        }
        changes
    }

    fn of(&self, name: &str) -> Option<usize> {
        self.by_name.get(&meant(name)).copied()
    }
}

/// The name without quotes and escapes. A name with half of a surrogate pair cannot be decoded, and is compared as it is
/// written.
fn meant(name: &str) -> Cow<'_, str> {
    let plain = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    if plain.contains('\\') {
        serde_json::from_str(name).map_or(Cow::Borrowed(name), Cow::Owned)
    } else {
        Cow::Borrowed(plain)
    }
}

/// Writes an object member by member.
struct ObjectWriter<'o> {
    out: &'o mut String,
    separator: char,
}

impl<'o> ObjectWriter<'o> {
    fn new(out: &'o mut String) -> Self {
        Self { out, separator: '{' }
    }

    /// Writes the name of a member; the caller appends the value to the returned text.
    fn member(&mut self, name: &str) -> &mut String {
        self.out.push(std::mem::replace(&mut self.separator, ','));
        self.out.push_str(name);
        self.out.push(':');
        self.out
    }

    fn end(self) {
        self.out.push_str(if self.separator == '{' { "{}" } else { "}" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_7396() {
        for (target, patch, result) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, r#"{}"#),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            assert_eq!(merge(Some(target), patch).expect(patch), result, "{target} {patch}");
        }
        assert_eq!(merge(None, r#"{"a":{"b":null,"c":1}}"#).expect("merged"), r#"{"a":{"c":1}}"#);
    }

    #[test]
    fn what_is_not_named_keeps_its_text() {
        let kept = r#""big":12345678901234567890123,"x":1.0,"e":1E400,"n":-0,"ä":"\u00e4\/","deep":{"z":[1.10, 2],"a":1e2}"#;
        let target = format!(r#" {{ {kept} , "named" : {{"b":1.50,"a":2}} }} "#);
        let merged = merge(Some(&target), r#"{"named":{"a":3.00},"new":0.10}"#).expect("merged");
        assert_eq!(merged, format!(r#"{{{kept},"named":{{"b":1.50,"a":3.00}},"new":0.10}}"#));
    }

    #[test]
    fn names_are_compared_by_what_they_mean() {
        let merge = |target, patch| merge(Some(target), patch).expect("merged");
        assert_eq!(merge(r#"{"\u0061":1,"b":2}"#, r#"{"a":3}"#), r#"{"\u0061":3,"b":2}"#);
        assert_eq!(merge(r#"{"a":1,"b":2}"#, r#"{"\u0061":null}"#), r#"{"b":2}"#);
        assert_eq!(merge(r#"{"\ud800":1}"#, r#"{"a":2}"#), r#"{"\ud800":1,"a":2}"#);
    }

    #[test]
    fn of_members_of_one_name_the_last_counts() {
        let merge = |target, patch| merge(Some(target), patch).expect("merged");
        assert_eq!(merge(r#"{"a":1,"b":2,"a":{"c":3}}"#, r#"{"d":4}"#), r#"{"a":1,"b":2,"a":{"c":3},"d":4}"#);
        assert_eq!(merge(r#"{"a":1,"b":2,"a":{"c":3}}"#, r#"{"a":{"d":4}}"#), r#"{"b":2,"a":{"c":3,"d":4}}"#);
        assert_eq!(merge(r#"{"a":1,"b":2,"a":3}"#, r#"{"a":null}"#), r#"{"b":2}"#);
        assert_eq!(merge("{}", r#"{"a":{"x":1},"a":{"y":2}}"#), r#"{"a":{"y":2}}"#);
    }

    #[test]
    fn what_is_no_json_or_too_deep_is_an_error() {
        for (target, patch) in [("{", "{}"), ("{}", "{"), ("{} x", "{}"), ("", "{}"), (r#"{"a":01}"#, "{}")] {
            assert!(merge(Some(target), patch).is_err(), "{target} {patch}");
        }
        let nested = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        assert!(merge(None, &nested(DEPTH_MAX)).is_ok());
        assert!(merge(None, &nested(100_000)).is_err_and(|error| error.to_string().contains("128")));
        let deep = nested(100_000);
        assert_eq!(merge(Some(&deep), r#"{"b":2}"#).expect("merged").len(), deep.len() + 6);
    }
}
