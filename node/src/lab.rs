//! What a lab may do to a node: links that behave like long ones, a clock that runs slower, a store
//! in memory.
//!
//! A node has a lab only if its settings say so. Everything here is in undilated time and in bytes a
//! second: with `dilation = d` the node itself makes every delay `d` times longer in real time, and
//! tells all times as if it had not.

mod check;
mod desk;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use check::{GREATEST_DILATION, GREATEST_SKEW_MS};
pub(crate) use desk::{LabDesk, peer};

/// `[lab]`: how a node of the lab is set up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LabSettings {
    /// How many times slower than real time the whole network runs.
    pub dilation: u32,
    /// The moment at which undilated and real time are the same, in microseconds since the Unix
    /// epoch. The same at all nodes of a run; only of use with a dilation above 1.
    pub epoch_us: u64,
    /// How far this node's wall clock is off, in milliseconds. It moves the slots that the node
    /// believes in, not the times in its log.
    pub skew_ms: i64,
    /// Whether the chain is kept in memory alone.
    pub memory_store: bool,
    /// What everything random about the links comes from.
    pub seed: u64,
    /// Whether links start slowly, as TCP does.
    pub window: bool,
    /// The share of gossip's frames that the node throws away when they arrive, as if they had been
    /// lost: transactions and blocks, announcements, and what keeps meshes and trees.
    pub gossip_loss: f64,
    /// What the node sends and takes in altogether.
    pub access: AccessSettings,
    /// The link to every peer that has none of its own below.
    pub default: LinkSettings,
    /// Links by peer id.
    pub peers: BTreeMap<String, LinkSettings>,
}

impl Default for LabSettings {
    /// A lab that changes nothing.
    fn default() -> Self {
        Self {
            dilation: 1,
            epoch_us: 0,
            skew_ms: 0,
            memory_store: false,
            seed: 0,
            window: false,
            gossip_loss: 0.0,
            access: AccessSettings::default(),
            default: LinkSettings::default(),
            peers: BTreeMap::new(),
        }
    }
}

/// What a node sends and takes in altogether, in bytes a second; none: without a bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessSettings {
    /// To all peers.
    pub up: Option<u64>,
    /// From all peers.
    pub down: Option<u64>,
}

/// One link, from this node to a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkSettings {
    /// One way, in microseconds.
    pub delay_us: u64,
    /// The standard deviation of the delay, as a share of it. Order is kept.
    pub jitter: f64,
    /// Bytes a second; none: without a bound.
    pub rate: Option<u64>,
    /// The share of segments of 1,460 bytes that are lost. A model: the stream stalls.
    pub loss: f64,
    /// Whether nothing leaves.
    pub cut: bool,
}

/// A change while a node runs. What is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LabChange {
    /// What the node sends and takes in altogether.
    pub access: Option<AccessSettings>,
    /// The link to every peer that has none of its own.
    pub default: Option<LinkSettings>,
    /// Links by peer id; others stay as they are.
    pub peers: BTreeMap<String, LinkSettings>,
    /// How far the node's wall clock is off, in milliseconds.
    pub skew_ms: Option<i64>,
}

/// A measurement of a link, both ways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeRequest {
    /// The peer, which must be connected.
    pub peer: String,
    /// How many round trips to measure.
    pub rounds: u32,
    /// How many bytes to send for the rate; 0: none is measured.
    #[serde(default)]
    pub bytes: u64,
}

/// What a probe has measured, in undilated time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProbeResult {
    /// Round trips in microseconds, in the order they were made.
    pub rtt_us: Vec<u64>,
    /// Bytes a second to the peer.
    pub bytes_per_s: Option<f64>,
}

/// Why the lab did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabError {
    /// The node runs outside the lab.
    #[error("this node runs outside the lab: its settings have no [lab]")]
    NoLab,
    /// A value that is out of range, or a peer that is none.
    #[error("{0}")]
    Range(String),
    /// The probe came to nothing.
    #[error("the probe came to nothing: {0}")]
    Probe(String),
}

impl LabError {
    /// Why, as a stable word.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            LabError::NoLab => "no-lab",
            LabError::Range(_) => "out-of-range",
            LabError::Probe(_) => "probe-failed",
        }
    }
}
