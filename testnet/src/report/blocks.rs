//! The blocks one by one, on a time line.

use serde::{Deserialize, Serialize};

use super::stats::Summary;

/// One block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlockRow {
    /// Its id.
    pub id: String,
    /// Its height, when a log tells.
    pub height: Option<u64>,
    /// Its slot, when a log tells.
    pub slot: Option<u64>,
    /// The block it was built on, when a log tells.
    pub parent: Option<String>,
    /// The authority's key, when a log tells.
    pub proposer: Option<String>,
    /// The node that published it; absent when its log is not here.
    pub node: Option<String>,
    /// When it was published, or first seen where the publication is in no log: microseconds since
    /// the Unix epoch.
    pub at_us: i64,
    /// From then until the first other node had it, in milliseconds.
    pub first_seen_ms: Option<f64>,
    /// From then until it was the tip of a node, over all nodes of which it ever was, in
    /// milliseconds.
    pub tip_ms: Summary,
    /// Nodes of which it ever was the tip.
    pub tips: u64,
    /// Transactions in it, when a log tells.
    pub transactions: Option<u64>,
    /// Its encoded size.
    pub bytes: u64,
    /// Whether it is beside the chain; absent when the logs do not tell.
    pub stale: Option<bool>,
    /// Whether it was published within the window.
    pub counted: bool,
}
