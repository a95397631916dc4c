//! Where the time of a delivery went, from the publication on along its whole way.

use serde::{Deserialize, Serialize};

/// The mean time in each stage over some deliveries, in milliseconds. The stages add up to `total`
/// but for hops that are clamped. Measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeSpent {
    /// Which deliveries: `all`, `slowest_10` and `slowest_1` per cent.
    pub of: String,
    /// How many they are: those whose whole way is in the logs.
    pub deliveries: u64,
    /// From publication to receipt.
    pub total_ms: Option<f64>,
    /// On the network, pushed.
    pub network_ms: Option<f64>,
    /// Until nodes had asked for it and had it.
    pub pull_ms: Option<f64>,
    /// In the queues of the relays.
    pub queue_ms: Option<f64>,
    /// In the checks of the relays.
    pub check_ms: Option<f64>,
    /// At the relays and in neither of the two, and until it was introduced again.
    pub other_ms: Option<f64>,
    /// After the receipt: storing it at the receiver, over those whose log tells. Not in `total`.
    pub store_ms: Option<f64>,
}
