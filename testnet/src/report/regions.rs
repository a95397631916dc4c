//! Latency by pair of regions.

use serde::{Deserialize, Serialize};

use super::stats::Pair;

/// Deliveries from messages introduced in one region to nodes in another, or in the same.
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
