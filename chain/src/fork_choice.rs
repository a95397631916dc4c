//! Which of two blocks is the better tip.

use crate::ids::BlockId;

/// A block as fork choice sees it. The greater one is the better tip: the greater height, and at
/// equal height the smaller id. The order is total and depends on the blocks alone, so nodes that
/// have the same blocks have the same tip, whatever came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its height.
    pub height: u64,
    /// Its id.
    pub id: BlockId,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.height.cmp(&other.height).then_with(|| other.id.cmp(&self.id))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(height: u64, id: u8) -> Candidate {
        Candidate { height, id: BlockId([id; 32]) }
    }

    #[test]
    fn the_greater_height_wins_whatever_the_id() {
        assert!(candidate(2, 9) > candidate(1, 1));
    }

    #[test]
    fn at_equal_height_the_smaller_id_wins() {
        assert!(candidate(2, 1) > candidate(2, 9));
    }
}
