//! An even part of all ids: what is compared at once where all would be too many.

use borsh::{BorshDeserialize, BorshSerialize};
use hearsay_chain::TxId;

/// The most ids that are compared at once: what one takes to name and sum them stays below 20 ms
/// on one core, which the engine can spare between two inputs.
pub const MAX_SET: usize = 1 << 17;

/// The finest part is one of 4,096: of a pool of 2^29, what is compared at once.
pub const MAX_BITS: u8 = 12;

/// The ids whose first bits are these. Ids are hashes, so each part of a pool is about as large.
/// Whoever makes transactions may choose a part for them and make it larger, but only by paying
/// for a pool full of them; the others are then compared as before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Part {
    bits: u8,
    index: u16,
}

impl Part {
    /// All ids.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// The part of this number among 2^`bits`: [`MAX_BITS`] at most; numbers wrap.
    #[must_use]
    pub fn new(bits: u8, index: u64) -> Self {
        let bits = bits.min(MAX_BITS);
        let index = u16::try_from(index & ((1 << bits) - 1)).unwrap_or(0);
        Self { bits, index }
    }

    /// How coarse parts of a pool of so many may be.
    #[must_use]
    pub fn bits_for(size: usize) -> u8 {
        // A little less than the most, so that a part that is larger than others fits too.
        let mut bits = 0;
        while bits < MAX_BITS && size >> bits > MAX_SET / 8 * 7 {
            bits += 1;
        }
        bits
    }

    /// One of how many parts it is, as a power of two.
    #[must_use]
    pub fn bits(&self) -> u8 {
        self.bits
    }

    /// Which one.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index.into()
    }

    /// Whether it is one that [`Part::new`] makes: what a peer sends may be any.
    #[must_use]
    pub fn is_proper(&self) -> bool {
        self.bits <= MAX_BITS && u32::from(self.index) < 1 << self.bits
    }

    /// Whether an id belongs to it.
    #[must_use]
    pub fn has(&self, id: &TxId) -> bool {
        let [first, second, ..] = id.0;
        let head = u32::from(u16::from_be_bytes([first, second]));
        head >> (16 - u32::from(self.bits.min(16))) == u32::from(self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_is_in_one_part_of_each_fineness() {
        for bits in [0, 1, 5, MAX_BITS] {
            for head in [0_u16, 1, 0x7fff, 0x8000, 0xabcd, u16::MAX] {
                let mut id = [7; 32];
                id[..2].copy_from_slice(&head.to_be_bytes());
                let of = (0..1 << bits).filter(|index| Part::new(bits, *index).has(&TxId(id)));
                assert_eq!(of.count(), 1, "{bits} {head}");
            }
        }
        assert_eq!(Part::new(0, 3), Part::all());
        assert_eq!(Part::new(2, 7), Part::new(2, 3));
    }

    #[test]
    fn what_is_no_part_is_told_apart() {
        assert!(Part::new(MAX_BITS, 4_095).is_proper());
        assert!(!Part { bits: MAX_BITS + 1, index: 0 }.is_proper());
        assert!(!Part { bits: 2, index: 4 }.is_proper());
        // It harms nobody either.
        assert!(!Part { bits: 255, index: 1 }.has(&TxId([0; 32])));
    }

    #[test]
    fn parts_of_a_large_pool_fit() {
        assert_eq!(Part::bits_for(0), 0);
        assert_eq!(Part::bits_for(90_000), 0);
        assert_eq!(Part::bits_for(1_000_000), 4);
        assert_eq!(Part::bits_for(usize::MAX), MAX_BITS);
    }
}
