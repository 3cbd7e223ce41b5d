//! Division by numbers that a board's geometry fixes.

/// Divides by a number that is known in advance, at the cost of a multiplication: by the reciprocal, rounded up, in
/// units of 2^-64 (Granlund and Montgomery, *Division by invariant integers using multiplication*, 1994). The result is
/// exact for numbers below 2^32.
#[derive(Clone, Copy, Debug)]
pub(super) struct Divisor {
    reciprocal: u64,
}

impl Divisor {
    /// Creates the divisor for a number below 2^32. 0 is treated as 1.
    pub(super) fn new(number: u64) -> Self {
        // The reciprocal of 1 does not fit into 64 bits, so 0 stands for it.
        Self { reciprocal: if number <= 1 { 0 } else { u64::MAX / number + 1 } }
    }

    #[inline]
    pub(super) fn divide(self, value: usize) -> usize {
        match self.reciprocal {
            0 => value,
            reciprocal => ((value as u128 * u128::from(reciprocal)) >> 64) as usize,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_divisor_divides(value: u32, number in 1..=u32::MAX) {
            for (value, number) in [(value, number), (value, number % 4096 + 1), (u32::MAX, number), (number, number)] {
                let quotient = Divisor::new(u64::from(number)).divide(value as usize);
                prop_assert_eq!(quotient, (value / number) as usize);
            }
        }
    }
}
