//! The identity of a board.

use std::fmt;

/// The universally unique identifier of a board: 128 random bits that it gets when it is created.
///
/// It is displayed as hyphenated hexadecimal digits, as `67e55044-10b1-426f-9247-bb680e5fe0c8`.
///
/// # Examples
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("board");
/// let board = slateboard::Board::create(&path)?;
/// let uuid = board.attach("planner")?.uuid().expect("a board with a file has one");
/// assert_eq!(uuid.to_string().len(), 36);
/// # Ok::<_, slateboard::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(u128);

impl Uuid {
    pub(crate) fn of_words([high, low]: [u64; 2]) -> Self {
        Self(u128::from(high) << 64 | u128::from(low))
    }

    #[cfg(feature = "project")]
    pub(crate) fn of_number(number: u128) -> Self {
        Self(number)
    }

    /// The identifier as a number, whose hexadecimal digits are those of the identifier.
    ///
    /// # Examples
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// let uuid = slateboard::Board::create(&path)?.attach("planner")?.uuid().unwrap();
    /// assert_eq!(format!("{:032x}", uuid.as_u128()), uuid.to_string().replace('-', ""));
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// The identifier's bytes, in the order in which they are displayed.
    ///
    /// # Examples
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("board");
    /// let uuid = slateboard::Board::create(&path)?.attach("planner")?.uuid().unwrap();
    /// assert_eq!(u128::from_be_bytes(uuid.to_bytes()), uuid.as_u128());
    /// # Ok::<_, slateboard::Error>(())
    /// ```
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        f.pad(&parts.join("-"))
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_shown_with_hyphens() {
        let uuid = Uuid::of_words([0x67e5_5044_10b1_426f, 0x9247_bb68_0e5f_e0c8]);
        assert_eq!(uuid.to_string(), "67e55044-10b1-426f-9247-bb680e5fe0c8");
        assert_eq!(format!("{uuid:?}"), uuid.to_string());
        assert_eq!(uuid.to_bytes()[..2], [0x67, 0xe5]);
        assert_eq!(Uuid::of_words([0, 1]).as_u128(), 1);
    }
}
