//! A contiguous range of keys in key order.

use super::name::Name;
use std::ops::{
    Bound::{self, Excluded, Included, Unbounded},
    RangeBounds,
};

/// The keys that start with a prefix and lie between two bounds.
#[derive(Clone, Debug)]
pub(in crate::board) struct Span {
    prefix: Name,
    start: Bound<Name>,
    end: Bound<Name>,
}

type Bounds<'s> = (Bound<&'s [u8]>, Bound<&'s [u8]>);

impl Span {
    pub(in crate::board) fn of_prefix(prefix: &str) -> Self {
        let name = Name::new(prefix);
        // The end is the first name after all that start with the prefix. The bytes of UTF-8 are below 255.
        let end = match prefix.as_bytes().split_last() {
            Some((&last, rest)) => Excluded(Name::of(rest, last.saturating_add(1))),
            None => Unbounded,
        };
        Self { start: Included(name.clone()), end, prefix: name }
    }

    /// The prefix of all keys in the span.
    pub(in crate::board) fn prefix(&self) -> &str {
        std::str::from_utf8(self.prefix.bytes()).unwrap_or_default()
    }

    /// Removes the keys before `start` and after `end`.
    pub(in crate::board) fn narrow(&mut self, start: Bound<&str>, end: Bound<&str>) {
        let is_tighter = |old: &Bound<Name>, new: &Bound<Name>, start: bool| match (old, new) {
            (_, Unbounded) => false,
            (Unbounded, _) => true,
            (Included(old) | Excluded(old), Included(new) | Excluded(new)) if old != new => {
                (new > old) == start
            }
            (_, new) => matches!(new, Excluded(_)),
        };
        let (start, end) = (start.map(Name::new), end.map(Name::new));
        if is_tighter(&self.start, &start, true) {
            self.start = start;
        }
        if is_tighter(&self.end, &end, false) {
            self.end = end;
        }
    }

    /// Removes this key and those that come before it: in key order, or backwards.
    pub(in crate::board) fn pass(&mut self, key: &str, backwards: bool) {
        let bound = Excluded(Name::new(key));
        if backwards { self.end = bound } else { self.start = bound }
    }

    pub(in crate::board) fn contains(&self, key: &[u8]) -> bool {
        RangeBounds::<[u8]>::contains(&self.bounds(), key)
    }

    /// The bounds; `None` if no key can lie between them.
    pub(super) fn range(&self) -> Option<Bounds<'_>> {
        let (start, end) = self.bounds();
        let empty = match (start, end) {
            (Included(start), Included(end)) => start > end,
            (Included(start) | Excluded(start), Included(end) | Excluded(end)) => start >= end,
            _ => false,
        };
        (!empty).then_some((start, end))
    }

    fn bounds(&self) -> Bounds<'_> {
        (self.start.as_ref().map(Name::bytes), self.end.as_ref().map(Name::bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(prefix: &str, start: Bound<&str>, end: Bound<&str>) -> Span {
        let mut span = Span::of_prefix(prefix);
        span.narrow(start, end);
        span
    }

    #[test]
    fn a_span_has_the_keys_of_its_prefix_between_its_bounds() {
        let keys = ["", "a", "a/", "a/1", "a/2", "a/\u{10ffff}\u{10ffff}", "a0", "b", "é", "\u{10ffff}"];
        let bounds = |key| [Unbounded, Included(key), Excluded(key)];
        for prefix in keys {
            for (start, end) in keys.iter().flat_map(|&start| keys.iter().map(move |&end| (start, end))) {
                for (start, end) in bounds(start).into_iter().flat_map(|s| bounds(end).map(|e| (s, e))) {
                    let span = span(prefix, start, end);
                    for key in keys {
                        let expected =
                            key.starts_with(prefix) && RangeBounds::<str>::contains(&(start, end), key);
                        assert_eq!(span.contains(key.as_bytes()), expected, "{key:?} {span:?}");
                        assert!(!expected || span.range().is_some());
                    }
                }
            }
        }
    }

    #[test]
    fn what_was_passed_is_left_out_in_either_direction() {
        for (backwards, left) in [(false, ["a/2", "a/3"]), (true, ["a/0", "a/1"])] {
            let mut span = Span::of_prefix("a/");
            let pivot = if backwards { "a/2" } else { "a/1" };
            span.pass(pivot, backwards);
            let keys = ["a/0", "a/1", "a/2", "a/3", "b"];
            assert!(keys.into_iter().filter(|key| span.contains(key.as_bytes())).eq(left));
        }
    }
}
