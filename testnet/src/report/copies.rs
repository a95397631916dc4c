//! Copies: how many came, by which path, and whose was the first.
//!
//! Over the messages that count, at the nodes taking part: those expected to have the message, and
//! those that introduced it.

use std::collections::BTreeMap;

use hearsay_node::trace::event::Via;
use serde::{Deserialize, Serialize};

use super::run::Run;
use super::stats::ratio;
use super::window::Counted;

/// Copies that came by one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViaCopies {
    /// The path.
    pub via: Via,
    /// First copies: each is a delivery.
    pub first: u64,
    /// All others, those that came back to the node that introduced the message included.
    pub redundant: u64,
}

/// First copies that came from one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FirstBy {
    /// The node that sent them; the peer id of one whose log is not here.
    pub node: String,
    /// How many.
    pub count: u64,
    /// Their share of all deliveries, from 0 to 1.
    pub share: Option<f64>,
}

/// In the order of [`Via`]'s declaration.
const VIAS: [Via; 6] =
    [Via::Gossip, Via::Lazy, Via::Compact, Via::Fetch, Via::Reconcile, Via::Sync];

/// All copies.
pub(crate) fn total(counted: &[Counted<'_>]) -> u64 {
    let seen = counted.iter().flat_map(Counted::taking_part);
    seen.map(|seen| seen.copies()).sum()
}

/// Copies by path. A path by which none came is left out.
pub(crate) fn by_via(counted: &[Counted<'_>]) -> Vec<ViaCopies> {
    let mut table = VIAS.map(|via| ViaCopies { via, first: 0, redundant: 0 });
    for seen in counted.iter().flat_map(Counted::taking_part) {
        let delivered = seen.delivered().is_some();
        for (via, is_first) in seen
            .first
            .map(|first| (first.via, delivered))
            .into_iter()
            .chain(seen.again.iter().map(|copy| (copy.via, false)))
        {
            for row in table.iter_mut().filter(|row| row.via == via) {
                row.first += u64::from(is_first);
                row.redundant += u64::from(!is_first);
            }
        }
    }
    let came = |row: &ViaCopies| row.first + row.redundant > 0;
    table.into_iter().filter(came).collect()
}

/// First copies by sender: nodes in their order, then strangers by peer id. Whoever delivered none
/// is left out.
pub(crate) fn first_by(run: &Run, counted: &[Counted<'_>]) -> Vec<FirstBy> {
    let mut counts: BTreeMap<(usize, &str), u64> = BTreeMap::new();
    for (_, receipt) in counted.iter().flat_map(Counted::deliveries) {
        let place = run.node_of(receipt.from).unwrap_or(usize::MAX);
        let sender = (place, run.peer_name(receipt.from));
        *counts.entry(sender).or_default() += 1;
    }
    let all = counts.values().sum();
    let row = |((_, node), count): ((usize, &str), u64)| FirstBy {
        node: node.to_owned(),
        count,
        share: ratio(count, all),
    };
    counts.into_iter().map(row).collect()
}
