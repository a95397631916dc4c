//! Which transaction is worth more: one number for one total order.

use std::num::NonZeroU32;

use hearsay_chain::TxId;

use crate::rate::{FeeRate, RATE_BITS};

/// Bits of the id in a key's first word: what flag and rate leave.
const ID_BITS: u32 = u128::BITS - 1 - RATE_BITS;
const READY: u128 = 1 << (u128::BITS - 1);

/// A transaction's place among others; the greatest goes into a block first, the least leaves first.
///
/// What is ready stands above what is queued, then the higher fee per byte, then the smaller id, not
/// the earlier arrival: nodes that hold the same transactions then build the same templates and push
/// out the same ones, whatever order they heard them in. Of the id there are 66 bits, which is 2³³
/// signatures away from two that tie; those two would be ordered by their numbers in the slab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    high: u64,
    low: u64,
    tie: u32,
    /// The transaction.
    slot: Slot,
}

/// The number of a transaction in the pool's slab, and whether it is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot(NonZeroU32);

const PROTECTED: u32 = 1 << 31;

impl Slot {
    pub(crate) fn new(number: u32, protected: bool) -> Self {
        let flag = if protected { PROTECTED } else { 0 };
        Self(NonZeroU32::MIN.saturating_add(number) | flag)
    }

    pub(crate) fn number(self) -> u32 {
        (self.0.get() & !PROTECTED) - 1
    }

    pub(crate) fn is_protected(self) -> bool {
        self.0.get() & PROTECTED != 0
    }
}

#[allow(clippy::cast_possible_truncation, reason = "words are cut on purpose")]
impl Key {
    /// The key of a ready transaction.
    pub(crate) fn new(rate: FeeRate, id: &TxId, slot: Slot) -> Self {
        let of_id = u128::from_be_bytes(std::array::from_fn(|at| id.0[at]));
        // Inverted, so that the smaller id makes the greater key.
        let tie = !of_id;
        let word = READY | (rate.0 << ID_BITS) | (tie >> (u128::BITS - ID_BITS));
        Self {
            high: (word >> 64) as u64,
            low: word as u64,
            tie: (tie >> (u128::BITS - ID_BITS - u32::BITS)) as u32,
            slot,
        }
    }

    fn word(self) -> u128 {
        u128::from(self.high) << 64 | u128::from(self.low)
    }

    /// The same for one that is queued.
    pub(crate) fn queued(self) -> Self {
        Self { high: self.high & !((READY >> 64) as u64), ..self }
    }

    pub(crate) fn is_ready(self) -> bool {
        self.word() & READY != 0
    }

    pub(crate) fn rate(self) -> FeeRate {
        FeeRate((self.word() & !READY) >> ID_BITS)
    }

    pub(crate) fn slot(self) -> Slot {
        self.slot
    }
}

/// What a sender keeps of each of its transactions: enough to find its run and what that is worth
/// without a look elsewhere.
///
/// Flat and with a number that is never zero, so that one of these and a list of them fit in the
/// same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    high: u64,
    low: u64,
    pub(crate) nonce: u64,
    /// Amount and fee.
    pub(crate) cost: u64,
    tie: u32,
    /// Where among its sender's entries the one is that is worth least, of those that stand as this
    /// one does and come no later.
    pub(crate) weakest: u32,
    pub(crate) slot: Slot,
}

impl Entry {
    pub(crate) fn new(nonce: u64, cost: u64, key: Key) -> Self {
        let Key { high, low, tie, slot } = key;
        Self { high, low, nonce, cost, tie, weakest: 0, slot }
    }

    /// Whether it is surely above a ready key. By the first word, which is most often enough.
    pub(crate) fn is_above(&self, key: Key) -> bool {
        self.high > key.high
    }

    /// Its own key, as if it were ready.
    pub(crate) fn key(&self) -> Key {
        Key { high: self.high, low: self.low, tie: self.tie, slot: self.slot }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_slot_keeps_number_and_flag_apart() {
        for number in [0, 1, (1 << 30) - 1] {
            for protected in [false, true] {
                let slot = Slot::new(number, protected);
                assert_eq!((slot.number(), slot.is_protected()), (number, protected));
            }
        }
    }

    proptest! {
        #[test]
        fn keys_order_by_exact_fractions_and_then_by_id(
            fees in [0..2_000_u64, 0..2_000],
            sizes in [165..16_525_usize, 165..16_525],
            shift in 0..53_u32,
            ids in any::<[[u8; 32]; 2]>(),
        ) {
            let fees = fees.map(|fee| fee << shift);
            let key = |at: usize| {
                let slot = Slot::new(at as u32, false);
                Key::new(FeeRate::of(fees[at], sizes[at]), &TxId(ids[at]), slot)
            };
            let products = [fees[0] as u128 * sizes[1] as u128, fees[1] as u128 * sizes[0] as u128];
            let expected = products[0].cmp(&products[1]).then(ids[1].cmp(&ids[0]));
            prop_assert_eq!(key(0).cmp(&key(1)), expected);
            prop_assert_eq!(key(0).rate(), FeeRate::of(fees[0], sizes[0]));
            prop_assert!(key(0).is_ready() && !key(0).queued().is_ready());
            prop_assert!(key(0).queued() < key(1));
        }
    }
}
