//! What was asked of each link against what a probe measured on it before the run.

use serde::{Deserialize, Serialize};

/// A round trip is right when it is within this of what was asked …
pub const RTT_BAR_MS: f64 = 2.0;

/// … or within this share of it, in per cent.
pub const RTT_BAR_PERCENT: f64 = 2.0;

/// A rate is right when it is within this share of what was asked, in per cent.
pub const RATE_BAR_PERCENT: f64 = 5.0;

/// What the probes say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The links that were probed, in the manifest's order.
    pub links: Vec<LinkCheck>,
    /// Whether every one of them is within the bar.
    pub ok: bool,
    /// The greatest error of a round trip, without its sign, in milliseconds.
    pub worst_rtt_error_ms: Option<f64>,
    /// The greatest error of a rate, without its sign, in per cent.
    pub worst_rate_error_percent: Option<f64>,
}

/// One probed link. The round trip and the rate asked for are modelled, the others measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkCheck {
    /// The node that probed.
    pub from: String,
    /// The node that answered.
    pub to: String,
    /// The round trip that was asked for, in milliseconds.
    pub asked_rtt_ms: Option<f64>,
    /// The median of the measured ones, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// How many were measured.
    pub rounds: u64,
    /// `rtt_ms - asked_rtt_ms`.
    pub rtt_error_ms: Option<f64>,
    /// The same over `asked_rtt_ms`, in per cent; absent when no delay was asked for.
    pub rtt_error_percent: Option<f64>,
    /// The rate that was asked for, in bytes a second.
    pub asked_bytes_per_s: Option<f64>,
    /// The measured one.
    pub bytes_per_s: Option<f64>,
    /// Its error in per cent.
    pub rate_error_percent: Option<f64>,
    /// Whether the round trip is within [`RTT_BAR_MS`] or [`RTT_BAR_PERCENT`], and the rate within
    /// [`RATE_BAR_PERCENT`], as far as they were measured. Nothing measured is not right.
    pub ok: bool,
}
