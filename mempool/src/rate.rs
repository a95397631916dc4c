//! Fees per byte, compared exactly.

use hearsay_chain::transaction::MAX_TX_BYTES;

/// Two different fractions whose denominators are at most `MAX_TX_BYTES` differ by at least one over
/// the square of that, which is more than one over this: scaled by it and rounded down, they still
/// differ, and equal ones are equal. So whole numbers order fee rates exactly.
const SCALE: u32 = 29;

const _: () = assert!((MAX_TX_BYTES as u64).pow(2) < 1 << SCALE);

/// Bits that a scaled rate takes: those of a fee and of the scale.
pub(crate) const RATE_BITS: u32 = u64::BITS + SCALE;

/// A fee per byte, as a multiple of 2⁻²⁹ units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeeRate(pub(crate) u128);

impl FeeRate {
    /// That of a transaction of `size` bytes. No bytes count as one.
    #[must_use]
    pub fn of(fee: u64, size: usize) -> Self {
        Self((u128::from(fee) << SCALE) / (size as u128).max(1))
    }

    /// So many units for each 1,000 bytes. Rounded down, so that 1,000 bytes reach it with just that.
    #[must_use]
    pub fn from_per_kb(units: u64) -> Self {
        Self((u128::from(units) << SCALE) / 1_000)
    }

    /// Units for each 1,000 bytes.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "for people and charts")]
    pub fn per_kb(self) -> f64 {
        self.0 as f64 * 1_000.0 / f64::from(1_u32 << SCALE)
    }

    /// Units for each 1,000 bytes, rounded down.
    pub(crate) fn whole_per_kb(self) -> u64 {
        u64::try_from(self.0.saturating_mul(1_000) >> SCALE).unwrap_or(u64::MAX)
    }

    /// The least fee with which `size` bytes reach this rate. It can exceed what a fee can be.
    #[must_use]
    pub fn fee_for(self, size: usize) -> u128 {
        let size = size as u128;
        // The rate of a fee is rounded down, and so must reach this: fee × 2²⁹ ≥ rate × size.
        self.0.saturating_mul(size).div_ceil(1 << SCALE)
    }

    /// So many percent more.
    pub(crate) fn raised(self, percent: u32) -> Self {
        Self((self.0 * (100 + u128::from(percent))).div_ceil(100))
    }

    /// Both rates together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_for_a_size_is_the_share_of_1_000_bytes_rounded_up() {
        for (per_kb, size, fee) in [
            (1, 165, 1),
            (1, 1_000, 1),
            (1, 1_001, 2),
            (7, 3_000, 21),
            (1_000, 165, 165),
            (0, 9, 0),
        ] {
            let rate = FeeRate::from_per_kb(per_kb);
            assert_eq!(rate.fee_for(size), fee, "{per_kb} for {size}");
            assert!(FeeRate::of(u64::try_from(fee).unwrap(), size) >= rate);
        }
    }
}
