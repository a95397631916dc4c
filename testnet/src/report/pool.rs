//! A transaction's life after its arrival: into the pools, into the chain, or neither.

use serde::{Deserialize, Serialize};

use super::run::AtNode;
use super::stats::Pair;
use super::window::Counted;

/// Transactions in the pools and the chain, over the transactions that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// From publication to the pool of a node, over nodes taking part that pooled it, in
    /// milliseconds.
    pub pooled_ms: Pair,
    /// From publication to the moment when a block with it was part of a node's chain, over nodes
    /// taking part that have it there, in milliseconds.
    pub included_ms: Pair,
    /// Transactions that some node has in its chain.
    pub included: u64,
    /// Transactions that some node evicted and none has in its chain.
    pub evicted: u64,
    /// Transactions that some node pooled, but that none evicted and none has in its chain by the
    /// end of the logs: still waiting then, or lost.
    pub never_included: u64,
}

impl Pool {
    /// Of the transactions in `counted`.
    pub(crate) fn of(counted: &[Counted<'_>]) -> Self {
        let mut pool = Pool::default();
        let (mut pooled, mut included) = (Vec::new(), Vec::new());
        for one in counted {
            for seen in one.taking_part() {
                pooled.extend(seen.pooled.map(|at| one.since(at)));
                included.extend(seen.included.map(|inclusion| one.since(inclusion.at)));
            }
            let any = |has: fn(&AtNode) -> bool| one.message.at.iter().any(has);
            if any(|seen| seen.included.is_some()) {
                pool.included += 1;
            } else if any(|seen| seen.evicted.is_some()) {
                pool.evicted += 1;
            } else if any(|seen| seen.pooled.is_some()) {
                pool.never_included += 1;
            }
        }
        pool.pooled_ms = Pair::of_us(pooled);
        pool.included_ms = Pair::of_us(included);
        pool
    }
}
