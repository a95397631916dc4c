//! What is known against a peer.

use serde::{Deserialize, Serialize};

/// What is known against a peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreView {
    /// Its peer id.
    pub peer: String,
    /// What it was charged and has not been forgotten: half is in a minute. At 100 it is kept away.
    pub points: f64,
    /// How often it was charged.
    pub offences: u64,
    /// What for, the last time: a stable word.
    pub last: Option<String>,
    /// Whether it is kept away.
    pub ban: Option<BanView>,
}

/// A peer is kept away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanView {
    /// For so many more seconds.
    pub left_s: u64,
    /// Why: a stable word.
    pub reason: String,
}
