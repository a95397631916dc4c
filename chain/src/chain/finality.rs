//! When a block is final: once more than two thirds of the authorities have built on it.

use std::collections::BTreeMap;

use crate::keys::PublicKey;

/// The height of each authority's last block on the main chain, above the last final block.
#[derive(Clone, Debug, Default)]
pub(super) struct Support {
    last: BTreeMap<PublicKey, u64>,
}

impl Support {
    /// Notes a block of the main chain.
    pub(super) fn add(&mut self, proposer: PublicKey, height: u64) {
        let last = self.last.entry(proposer).or_default();
        *last = height.max(*last);
    }

    /// The greatest height that `quorum` authorities have built on, strictly above it; none while
    /// too few have.
    ///
    /// With each authority's last block at hand, that is one below the quorum-th greatest.
    pub(super) fn final_height(&self, quorum: usize) -> Option<u64> {
        let mut heights: Vec<u64> = self.last.values().copied().collect();
        heights.sort_unstable_by(|a, b| b.cmp(a));
        heights.get(quorum.checked_sub(1)?)?.checked_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn support(last: &[u64]) -> Support {
        let mut support = Support::default();
        for (key, height) in last.iter().enumerate() {
            support.add(PublicKey([key as u8; 32]), *height);
        }
        support
    }

    #[test]
    fn three_of_four_that_built_on_a_block_make_it_final() {
        assert_eq!(support(&[20, 19, 18]).final_height(3), Some(17));
    }

    #[test]
    fn two_of_four_make_nothing_final() {
        assert_eq!(support(&[20, 19]).final_height(3), None);
    }

    #[test]
    fn one_authority_alone_makes_the_block_under_its_own_final() {
        assert_eq!(support(&[20]).final_height(1), Some(19));
    }

    #[test]
    fn an_authority_that_stopped_long_ago_holds_finality_back_to_where_it_stopped() {
        assert_eq!(support(&[20, 19, 3]).final_height(3), Some(2));
    }
}
