//! The nodes one by one: where they stood, when they ran, and how late they woke up.

use serde::{Deserialize, Serialize};

use super::shape::Access;

/// One node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeFigures {
    /// Its name.
    pub name: String,
    /// Its region, when the manifest says.
    pub region: Option<String>,
    /// What it may send and receive as a whole; absent when it is not limited. Modelled.
    pub access: Option<Access>,
    /// The runs of its process, in order.
    pub lives: Vec<LifeSpan>,
    /// Whether it is expected to have everything: it ran without a break from the beginning to the
    /// end of the window.
    pub throughout: bool,
    /// Payload copies that it received of messages that count: first ones …
    pub first_copies: u64,
    /// … and all others.
    pub redundant_copies: u64,
    /// The 99th percentile of its scheduler's lag in the window, in microseconds, or a little more.
    pub lag_p99_us: Option<u64>,
    /// The greatest lag in the window.
    pub lag_max_us: Option<u64>,
    /// Seconds of processor time, when the manifest says.
    pub cpu_s: Option<f64>,
}

/// One run of a node's process, in microseconds since the Unix epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LifeSpan {
    /// Its first line.
    pub from_us: i64,
    /// Its last line.
    pub until_us: i64,
    /// Whether it ended before the logs do without a stop line.
    pub killed: bool,
}
