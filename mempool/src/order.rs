//! Which transaction is worth more: exact arithmetic on fees per byte, and one total order.

use std::cmp::{Ordering, Reverse};

use hearsay_chain::{TxId, VerifiedTx};

/// A fee per byte. Compared as a fraction: no rounding, and 1/2 equals 2/4.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FeeRate {
    fee: u64,
    size: u64,
}

impl FeeRate {
    pub(crate) fn new(fee: u64, size: usize) -> Self {
        Self { fee, size: (size as u64).max(1) }
    }

    /// The least fee with which a transaction of `size` bytes replaces one of this rate: `percent`
    /// more per byte, and more at all, else a transaction without fee could be replaced for ever.
    ///
    /// Written as a fee it is the same rule as `fee × size_old × 100 ≥ fee_old × size × 110`, and
    /// it can be told to the user.
    pub(crate) fn least_replacement(self, size: usize, percent: u32) -> u128 {
        let same = u128::from(self.fee) * size as u128;
        let own_size = u128::from(self.size);
        let raised = (same * (100 + u128::from(percent))).div_ceil(own_size * 100);
        raised.max(same / own_size + 1)
    }
}

impl Ord for FeeRate {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (u128::from(self.fee), u128::from(other.fee));
        (a * u128::from(other.size)).cmp(&(b * u128::from(self.size)))
    }
}

impl PartialOrd for FeeRate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for FeeRate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for FeeRate {}

/// A transaction's place among others; the greatest goes into a block first.
///
/// Equal rates are ordered by id, not by arrival: nodes that hold the same transactions then build
/// the same templates and push out the same ones, whatever order they heard them in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Priority {
    rate: FeeRate,
    id: Reverse<TxId>,
}

impl Priority {
    pub(crate) fn of(tx: &VerifiedTx) -> Self {
        Self { rate: FeeRate::new(tx.transfer().fee, tx.size()), id: Reverse(tx.id()) }
    }

    /// The place of one that is not in yet: behind all of its rate, since to push another out it
    /// must pay more, not have a luckier id.
    pub(crate) fn of_newcomer(rate: FeeRate) -> Self {
        Self { rate, id: Reverse(TxId([u8::MAX; 32])) }
    }

    pub(crate) fn id(&self) -> TxId {
        self.id.0
    }
}

/// How a transaction stands when room is scarce; the least goes first: what is queued before what
/// is ready, then by priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) ready: bool,
    pub(crate) priority: Priority,
}
