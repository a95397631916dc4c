//! When a block is final: once more than two thirds of the authorities have built on it.

use std::collections::VecDeque;

/// Who built the blocks of the main chain above the last final one. Two bytes a block, so that a
/// network which finalises nothing for a month still costs a few mebibytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Support {
    /// The height below the first of `built`.
    base: u64,
    /// The places of the authorities that built the blocks above `base`, lowest block first.
    built: VecDeque<u16>,
}

impl Support {
    /// Nothing built yet above a height.
    pub(super) fn above(base: u64) -> Self {
        Self { base, built: VecDeque::new() }
    }

    /// Notes the next block of the main chain.
    pub(super) fn push(&mut self, place: u16) {
        self.built.push_back(place);
    }

    /// Forgets what lies above a height.
    pub(super) fn truncate(&mut self, height: u64) {
        let kept = height.saturating_sub(self.base);
        self.built.truncate(usize::try_from(kept).unwrap_or(usize::MAX));
    }

    /// Forgets what lies at or below a height: it is final, and can change nothing.
    pub(super) fn finalise(&mut self, height: u64) {
        while self.base < height && self.built.pop_front().is_some() {
            self.base += 1;
        }
        self.base = self.base.max(height);
    }

    /// The greatest height that `quorum` of `authorities` have built on, strictly above it, if the
    /// main chain went up to `fork` and then on with blocks of `more`; none while too few have.
    ///
    /// Going down from the tip, that is one below the block of the quorum-th new authority.
    pub(super) fn final_height(
        &self,
        fork: u64,
        more: &[u16],
        (quorum, authorities): (usize, usize),
    ) -> Option<u64> {
        let kept = usize::try_from(fork.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let kept = kept.min(self.built.len());
        let tip = self.base + (kept + more.len()) as u64;
        let places = more.iter().rev().chain(self.built.range(..kept).rev());
        let mut seen = vec![false; authorities];
        let mut count = 0;
        for (down, place) in (0..).zip(places) {
            let seen = seen.get_mut(usize::from(*place))?;
            count += usize::from(!std::mem::replace(seen, true));
            if count >= quorum {
                return (tip - down).checked_sub(1);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn support(base: u64, built: &[u16]) -> Support {
        Support { base, built: built.iter().copied().collect() }
    }

    fn at_tip(support: &Support) -> Option<u64> {
        support.final_height(u64::MAX, &[], (3, 4))
    }

    #[test]
    fn three_of_four_that_built_on_a_block_make_it_final() {
        assert_eq!(at_tip(&support(16, &[3, 0, 1, 2])), Some(17));
    }

    #[test]
    fn two_of_four_make_nothing_final() {
        assert_eq!(at_tip(&support(0, &[0, 1, 0, 1, 1, 0])), None);
    }

    #[test]
    fn one_authority_alone_makes_the_block_under_its_own_final() {
        assert_eq!(support(0, &[0, 0]).final_height(9, &[], (1, 1)), Some(1));
    }

    #[test]
    fn an_authority_that_stopped_long_ago_holds_finality_back_to_where_it_stopped() {
        assert_eq!(at_tip(&support(0, &[3, 3, 2, 1, 0, 1, 0])), Some(2));
    }

    #[test]
    fn a_branch_counts_its_own_builders_and_those_below_the_fork() {
        let main = support(10, &[0, 1, 2, 3]);
        assert_eq!(main.final_height(12, &[3], (3, 4)), Some(10));
        assert_eq!(main.final_height(11, &[3, 3], (3, 4)), None);
    }

    #[test]
    fn what_is_final_no_longer_counts_and_what_is_undone_neither() {
        let mut main = support(10, &[0, 1, 2, 3, 0]);
        main.finalise(12);
        assert_eq!(main, support(12, &[2, 3, 0]));
        main.truncate(13);
        assert_eq!(main, support(12, &[2]));
        main.push(1);
        main.finalise(12);
        assert_eq!(main, support(12, &[2, 1]));
        main.finalise(20);
        assert_eq!(main, support(20, &[]));
    }
}
