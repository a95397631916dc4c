//! What is asked of links: plain data, in bytes a second and in undilated time.

use std::collections::BTreeMap;
use std::time::Duration;

use libp2p::PeerId;
use serde::{Deserialize, Serialize};

/// The way from this node to one peer. The way back is the peer's to say. The default shapes
/// nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkSpec {
    /// How long a byte travels, one way.
    pub delay: Duration,
    /// The standard deviation of the delay, as a share of it. Bytes stay in order.
    pub jitter: f64,
    /// Bytes a second that the link carries, protocol headers included; none is no limit.
    pub rate: Option<u64>,
    /// The share of segments that is lost. A byte stream loses nothing: it stalls.
    pub loss: f64,
    /// Whether nothing leaves at all.
    pub cut: bool,
}

/// What connects a node to all its peers together, in bytes a second; none is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// Away from the node.
    pub up: Option<u64>,
    /// Towards the node.
    pub down: Option<u64>,
}

/// Everything that is asked of one node's links.
#[derive(Clone, Debug)]
pub struct LinksConfig {
    /// Whatever is drawn by lot (jitter, loss) comes from this and the two peers' ids.
    pub seed: u64,
    /// The way to a peer that [`LinksConfig::peers`] does not name.
    pub default: LinkSpec,
    /// The way to each peer.
    pub peers: BTreeMap<PeerId, LinkSpec>,
    /// The node's own access.
    pub access: Access,
    /// Whether connections start slowly, as TCP's do.
    pub window: bool,
    /// How many times slower than asked the network runs; at least 1. Both ends of a connection
    /// must agree.
    pub dilation: u32,
}

impl Default for LinksConfig {
    /// Nothing is shaped, and time is real.
    fn default() -> Self {
        Self {
            seed: 0,
            default: LinkSpec::default(),
            peers: BTreeMap::new(),
            access: Access::default(),
            window: false,
            dilation: 1,
        }
    }
}

/// The longest delay of a link: no link on Earth needs a tenth of it.
pub const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// The lowest rate of a link or an access, in bytes a second: slower than any telephone line, and
/// enough that a segment leaves within two seconds.
pub const LOWEST_RATE: u64 = 1_000;

/// The greatest loss: more, and a connection hardly ever comes to stand.
pub const MOST_LOSS: f64 = 0.5;

impl LinkSpec {
    /// The nearest link that can be played: whoever reads settings refuses what this would change.
    #[must_use]
    pub fn bounded(self) -> Self {
        let share = |value: f64, most: f64| if value > 0.0 { value.min(most) } else { 0.0 };
        Self {
            delay: self.delay.min(LONGEST_DELAY),
            jitter: share(self.jitter, 1.0),
            rate: self.rate.map(|rate| rate.max(LOWEST_RATE)),
            loss: share(self.loss, MOST_LOSS),
            cut: self.cut,
        }
    }
}

impl Access {
    /// The nearest access that can be played.
    #[must_use]
    pub fn bounded(self) -> Self {
        let bounded = |rate: Option<u64>| rate.map(|rate| rate.max(LOWEST_RATE));
        Self { up: bounded(self.up), down: bounded(self.down) }
    }
}
