//! When the network has come to rest after the load. Pure.

use hearsay_chain::BlockId;
use hearsay_node::api::NodeStatus;

/// Looks at the nodes, round after round, until they are at rest: no pool has a transaction left
/// and all have the same tip.
///
/// The nodes of one round answer at slightly different moments. Two rounds in a row with the same
/// tip everywhere are what it takes: no node leaves a tip and comes back to it, so between the two
/// rounds all had that tip at the same time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rest {
    before: Option<BlockId>,
    /// Whether transactions may wait behind a gap for ever, since an earlier one was refused.
    gaps: bool,
}

impl Rest {
    /// Nothing seen yet. With `gaps`, transactions that wait for an earlier nonce do not count.
    #[must_use]
    pub fn new(gaps: bool) -> Self {
        Self { before: None, gaps }
    }

    /// Takes one round, in which a node that did not answer is absent, and says whether the network
    /// is at rest.
    pub fn round(&mut self, round: &[Option<NodeStatus>]) -> bool {
        let tip = self.common_tip(round);
        let rests = tip.is_some() && tip == self.before;
        self.before = tip;
        rests
    }

    fn common_tip(&self, round: &[Option<NodeStatus>]) -> Option<BlockId> {
        let mut tips = round.iter().map(|status| {
            let status = status.as_ref()?;
            let waiting = if self.gaps { status.mempool.ready } else { status.mempool.count };
            (waiting == 0).then_some(status.tip)
        });
        let first = tips.next()??;
        tips.all(|tip| tip == Some(first)).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use hearsay_node::api::MempoolStatus;

    use super::*;
    use crate::cluster::testing::status;

    fn node(tip: u8, count: u64, ready: u64) -> Option<NodeStatus> {
        let mempool = MempoolStatus { count, ready, ..MempoolStatus::default() };
        Some(NodeStatus { tip: BlockId([tip; 32]), mempool, ..status() })
    }

    #[test]
    fn two_rounds_with_one_tip_and_empty_pools_are_rest() {
        let mut rest = Rest::new(false);
        assert!(!rest.round(&[node(1, 0, 0), node(1, 0, 0)]));
        assert!(rest.round(&[node(1, 0, 0), node(1, 0, 0)]));
    }

    #[test]
    fn a_tip_that_moved_between_the_rounds_is_no_rest() {
        let mut rest = Rest::new(false);
        assert!(!rest.round(&[node(1, 0, 0), node(1, 0, 0)]));
        assert!(!rest.round(&[node(2, 0, 0), node(2, 0, 0)]));
        assert!(!rest.round(&[node(2, 0, 0), node(3, 0, 0)]));
        assert!(!rest.round(&[node(3, 0, 0), node(3, 0, 0)]));
    }

    #[test]
    fn a_node_that_does_not_answer_is_no_rest_and_no_nodes_are_none_either() {
        let mut rest = Rest::new(false);
        assert!(!rest.round(&[node(1, 0, 0), None]));
        assert!(!rest.round(&[node(1, 0, 0), None]));
        assert!(!rest.round(&[]));
    }

    #[test]
    fn what_waits_behind_a_gap_counts_unless_gaps_are_expected() {
        let waiting = [node(1, 2, 0)];
        let (mut strict, mut lenient) = (Rest::new(false), Rest::new(true));
        assert!(!strict.round(&waiting) && !strict.round(&waiting));
        assert!(!lenient.round(&waiting) && lenient.round(&waiting));
    }
}
