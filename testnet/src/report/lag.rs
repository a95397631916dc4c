//! How late the machine woke the nodes up: the figure that tells whether it kept up.

use serde::{Deserialize, Serialize};

/// The lag of the scheduler, over the samples between the beginning and the close of the window.
/// Measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lag {
    /// The median of all nodes' samples, or a little more: see the module's words on how a second's
    /// summary is read.
    pub p50_us: Option<u64>,
    /// Likewise the 99th percentile.
    pub p99_us: Option<u64>,
    /// The greatest.
    pub max_us: Option<u64>,
    /// How many there are.
    pub samples: u64,
    /// The `p99_us` beyond which the run is not valid; absent when the manifest has none.
    pub limit_us: Option<u64>,
    /// Whether `p99_us` is within it; absent when there is none.
    pub ok: Option<bool>,
}
