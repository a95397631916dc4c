//! The links as they were asked for: what the manifest says of delays, rates and topology.
//!
//! These are settings of the model that shapes the links, not measurements; what a probe measured on
//! them is the [calibration](super::calibration).

use serde::{Deserialize, Serialize};

/// How the links were shaped. Modelled: these are the settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shape {
    /// The region matrix by its name; absent when delays were given by hand.
    pub profile: Option<String>,
    /// The standard deviation of a link's delay as a share of it.
    pub jitter: f64,
    /// The chance that a segment is lost, which stalls the stream.
    pub loss: f64,
    /// Whether TCP's start-up window is modelled.
    pub window: bool,
    /// The rate of each link in bytes a second; absent when it is not limited.
    pub link_rate: Option<u64>,
    /// The regions' names.
    pub regions: Vec<String>,
    /// The delay one way from the region of the row to the region of the column, in microseconds.
    pub one_way_us: Vec<Vec<u64>>,
    /// The region of each node, as a place in `regions`, in the order of the manifest's nodes.
    pub node_region: Vec<usize>,
}

/// What a node as a whole may send and receive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Access {
    /// Bytes a second to all others together; absent when it is not limited.
    pub up: Option<u64>,
    /// Bytes a second from all others together; absent when it is not limited.
    pub down: Option<u64>,
}

/// One thing that the scenario did to the network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Action {
    /// When, in microseconds since the Unix epoch.
    pub at_us: i64,
    /// What, in words.
    pub what: String,
    /// The nodes that it was done to.
    pub nodes: Vec<String>,
}

/// A stretch of time during which a node was held still. It counts as not running.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// The node.
    pub node: String,
    /// From when, in microseconds since the Unix epoch …
    pub from_us: i64,
    /// … until when; absent when it was never resumed.
    #[serde(default)]
    pub until_us: Option<i64>,
}

/// A stretch of time during which nothing went from some nodes to others. The nodes go on running
/// and remain expected to have everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// From when, in microseconds since the Unix epoch …
    pub from_us: i64,
    /// … until when; absent when it was never healed.
    #[serde(default)]
    pub until_us: Option<i64>,
    /// The nodes on one side.
    pub from: Vec<String>,
    /// The nodes on the other side.
    pub to: Vec<String>,
}
