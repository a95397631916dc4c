//! Latency by pair of regions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::shortest::Shortest;
use super::stats::{Pair, ms};
use super::window::Counted;

/// Deliveries of messages introduced in one region to nodes in another, or in the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RegionPair {
    /// The region of the node that introduced the message.
    pub from: String,
    /// The region of the node that had it.
    pub to: String,
    /// Deliveries that came.
    pub deliveries: u64,
    /// From publication to receipt over them, in milliseconds. Measured.
    pub latency_ms: Pair,
    /// The delay one way that was asked for between the two, in milliseconds. Modelled.
    pub asked_ms: f64,
}

/// The pairs between which there were deliveries, in the order of the shape's regions.
pub(crate) fn latencies(shortest: &Shortest<'_>, counted: &[Counted<'_>]) -> Vec<RegionPair> {
    let mut pairs: BTreeMap<(usize, usize), Vec<i64>> = BTreeMap::new();
    for one in counted {
        for (node, receipt) in one.deliveries() {
            let (from, to) = (shortest.regions[one.origin], shortest.regions[node]);
            if let (Some(from), Some(to)) = (from, to) {
                pairs.entry((from, to)).or_default().push(one.since(receipt.at));
            }
        }
    }
    let shape = shortest.shape;
    let row = |((from, to), times): ((usize, usize), Vec<i64>)| RegionPair {
        from: shape.regions[from].clone(),
        to: shape.regions[to].clone(),
        deliveries: times.len() as u64,
        latency_ms: Pair::of_us(times),
        asked_ms: ms(i64::try_from(shape.one_way_us[from][to]).unwrap_or(i64::MAX)),
    };
    pairs.into_iter().map(row).collect()
}
