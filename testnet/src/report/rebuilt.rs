//! Compact blocks: what of them was found in pools, and how much smaller they were.

use super::run::{AtNode, Rebuilt};
use super::stats::ratio;
use super::window::Counted;

/// Of the blocks that came compact, over the blocks that count and the nodes that are expected to have
/// them. A block that nobody had to put together says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Compactness {
    /// Transactions that were in the receivers' pools, over all; absent when there was none at all.
    pub(crate) rebuilt_share: Option<f64>,
    /// Bytes of the messages over those of the blocks.
    pub(crate) compact_ratio: Option<f64>,
}

impl Compactness {
    pub(crate) fn of(counted: &[Counted<'_>]) -> Self {
        let seen = counted.iter().flat_map(Counted::taking_part);
        let rebuilt: Vec<Rebuilt> = seen.filter_map(|seen: &AtNode| seen.rebuilt).collect();
        let sum = |of: fn(&Rebuilt) -> u64| rebuilt.iter().map(of).sum::<u64>();
        Compactness {
            rebuilt_share: ratio(sum(|it| it.from_pool), sum(|it| it.transactions)),
            compact_ratio: ratio(sum(|it| it.compact_bytes), sum(|it| it.full_bytes)),
        }
    }
}
