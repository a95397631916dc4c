//! Latency by pair of regions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::shortest::Shortest;
use super::stats::Pair;
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
    /// The delay one way that was asked for between the two, in milliseconds: that of the regions,
    /// or the mean over these deliveries where single links differ from it. Modelled.
    pub asked_ms: f64,
}

/// Deliveries between two regions.
#[derive(Debug, Default)]
struct Between {
    times: Vec<i64>,
    /// The sum of the delays that were asked for, in microseconds.
    asked: u64,
}

/// The pairs between which there were deliveries, in the order of the shape's regions; none where
/// regions have no names, which is to say that there are none.
pub(crate) fn latencies(shortest: &Shortest<'_>, counted: &[Counted<'_>]) -> Vec<RegionPair> {
    let shape = shortest.shape;
    let mut pairs: BTreeMap<(usize, usize), Between> = BTreeMap::new();
    for one in counted {
        for (node, receipt) in one.deliveries() {
            let (from, to) = (shortest.regions[one.origin], shortest.regions[node]);
            if let (Some(from), Some(to)) = (from, to) {
                let between = pairs.entry((from, to)).or_default();
                between.times.push(one.since(receipt.at));
                let asked = shortest.delay(one.origin, node).unwrap_or_default();
                between.asked = between.asked.saturating_add(asked);
            }
        }
    }
    let named = |region: usize| !shape.regions[region].is_empty();
    pairs.retain(|&(from, to), _| named(from) && named(to));
    let row = |((from, to), Between { times, asked }): ((usize, usize), Between)| RegionPair {
        from: shape.regions[from].clone(),
        to: shape.regions[to].clone(),
        deliveries: times.len() as u64,
        asked_ms: asked as f64 / times.len() as f64 / 1000.0,
        latency_ms: Pair::of_us(times),
    };
    pairs.into_iter().map(row).collect()
}
