//! A key as the index stores it. Short keys lie inside the tree's nodes, so a scan reads them from consecutive memory.

use std::cmp::Ordering;

/// The largest length of a key that is stored without an allocation of its own.
const SHORT: usize = 30;

/// A key of the index.
#[derive(Clone, Debug)]
pub(super) enum Name {
    Short { len: u8, bytes: [u8; SHORT] },
    Long(Box<[u8]>),
}

impl Name {
    pub(super) fn new(key: &str) -> Self {
        let mut bytes = [0; SHORT];
        match bytes.get_mut(..key.len()) {
            Some(place) => {
                place.copy_from_slice(key.as_bytes());
                Self::Short { len: key.len() as u8, bytes }
            }
            None => Self::Long(key.as_bytes().into()),
        }
    }

    /// A name of these bytes and one more. It need not be a valid key, because it may be the bound of a span.
    pub(super) fn of(first: &[u8], last: u8) -> Self {
        let mut bytes = [0; SHORT];
        match bytes.get_mut(..=first.len()) {
            Some(place) => {
                place[..first.len()].copy_from_slice(first);
                place[first.len()] = last;
                Self::Short { len: first.len() as u8 + 1, bytes }
            }
            None => Self::Long([first, &[last]].concat().into()),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Short { len, bytes } => &bytes[..usize::from(*len)],
            Self::Long(key) => key,
        }
    }
}

// A tree of names is searched by bytes.
impl std::borrow::Borrow<[u8]> for Name {
    fn borrow(&self) -> &[u8] {
        self.bytes()
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes().cmp(other.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_their_bytes() {
        assert!(size_of::<Name>() <= 32);
        let long = "x".repeat(SHORT + 1);
        let keys = ["", "a", "a\0", "b", "é", &long[..SHORT - 1], &long[..SHORT], &long];
        for one in keys {
            assert_eq!(Name::new(one).bytes(), one.as_bytes());
            for other in keys {
                assert_eq!(Name::new(one).cmp(&Name::new(other)), one.as_bytes().cmp(other.as_bytes()));
            }
        }
    }
}
