//! `[members]` and `[discovery]`: who is in the network, and to whom this node connects; as settings
//! and as flags.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use hearsay_network::Multiaddr;
use hearsay_network::choice::Strategy;
use hearsay_network::members::slots::SlotsConfig;
use hearsay_network::members::{self, About};
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// The least time between two probes, in milliseconds: below it a round trip across a continent does
/// not fit between them, and datagrams are so many that neighbours drop them.
const LEAST_PROBE_MS: u64 = 100;

/// The longest time between two probes, in milliseconds: with it a death is noticed within minutes.
const LONGEST_PROBE_MS: u64 = 60_000;

/// The most slots of each kind, and with them the most connections that this node seeks: as many
/// neighbours as a member may tell of (`hearsay_network::members::profile::MAX_NEIGHBOURS`).
const MOST_SLOTS: u32 = 32;

/// `[members]`: who is there, who has gone, who is busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Members {
    /// Whether this node takes part.
    pub enabled: bool,
    /// How often it probes one of the others, in milliseconds.
    pub probe_ms: u64,
    /// How long a direct answer may take before others are asked to help, in milliseconds.
    pub probe_rtt_ms: u64,
    /// Whether transactions that are handed in here are handed on to a member that has room for them,
    /// and how that one is chosen. Whoever hands one in may say otherwise.
    pub forward: Forward,
}

impl Default for Members {
    /// The times are those of the protocol itself.
    fn default() -> Self {
        let config = members::Config::default();
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            enabled: true,
            probe_ms: ms(config.probe_period),
            probe_rtt_ms: ms(config.probe_rtt),
            forward: Forward::default(),
        }
    }
}

impl Members {
    /// The protocol's times.
    #[must_use]
    pub fn machine(&self) -> members::Config {
        members::Config {
            probe_period: Duration::from_millis(self.probe_ms),
            probe_rtt: Duration::from_millis(self.probe_rtt_ms),
            ..members::Config::default()
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let Self { probe_ms, probe_rtt_ms, .. } = *self;
        if !(LEAST_PROBE_MS..=LONGEST_PROBE_MS).contains(&probe_ms) {
            return Err(ConfigError::Range(format!(
                "members.probe_ms is {probe_ms}; it must be {LEAST_PROBE_MS} to {LONGEST_PROBE_MS}"
            )));
        }
        if probe_rtt_ms == 0 || probe_rtt_ms >= probe_ms {
            return Err(ConfigError::Range(format!(
                "members.probe_rtt_ms is {probe_rtt_ms}; it must be at least 1 and less than \
                 members.probe_ms, which is {probe_ms}"
            )));
        }
        Ok(())
    }
}

/// Where transactions go that are handed in here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Forward {
    /// Into this node's own pool.
    #[default]
    Off,
    /// To this node or a neighbour, each with the same chance.
    Random,
    /// To this node and its neighbours in turn.
    RoundRobin,
    /// To this node or a neighbour, by how fast and how busy each is.
    Weighted,
}

impl Forward {
    /// How the one is chosen that takes a transaction; none: this node.
    #[must_use]
    pub fn strategy(self) -> Option<Strategy> {
        match self {
            Forward::Off => None,
            Forward::Random => Some(Strategy::Random),
            Forward::RoundRobin => Some(Strategy::RoundRobin),
            Forward::Weighted => Some(Strategy::Weighted),
        }
    }
}

/// `[discovery]`: to whom this node connects by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Discovery {
    /// Whether it connects to members by itself; otherwise to those alone that it is told of.
    pub slots: bool,
    /// Connections to members with a short round trip.
    pub near: u32,
    /// Connections to members chosen at random.
    pub random: u32,
    /// Connections to members with a long round trip.
    pub far: u32,
    /// Connections that this node made itself, at least.
    pub min_outbound: u32,
    /// Connections at most; beyond them, those are closed that others made and that fill no slot.
    pub most: u32,
    /// The address book; none: `peers.txt` in the data directory.
    pub book: Option<PathBuf>,
    /// Whether it asks others for peers, and answers them, by Kademlia.
    pub kademlia: bool,
    /// Whether it makes itself known on the local network, and connects to those that do.
    pub mdns: bool,
}

impl Default for Discovery {
    /// The defaults of the slots themselves.
    fn default() -> Self {
        let slots = SlotsConfig::default();
        let count = |slots: usize| u32::try_from(slots).unwrap_or(u32::MAX);
        Self {
            slots: true,
            near: count(slots.near),
            random: count(slots.random),
            far: count(slots.far),
            min_outbound: count(slots.min_outbound),
            most: count(slots.most),
            book: None,
            kademlia: false,
            mdns: false,
        }
    }
}

impl Discovery {
    /// The plan for connections, unless this node connects to nobody by itself.
    #[must_use]
    pub fn plan(&self) -> Option<SlotsConfig> {
        self.slots.then(|| SlotsConfig {
            near: self.near as usize,
            random: self.random as usize,
            far: self.far as usize,
            min_outbound: self.min_outbound as usize,
            most: self.most as usize,
            ..SlotsConfig::default()
        })
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let Self { near, random, far, min_outbound, most, .. } = *self;
        for (key, value) in [("near", near), ("random", random), ("far", far)] {
            if value > MOST_SLOTS {
                return Err(ConfigError::Range(format!(
                    "discovery.{key} is {value}; it must be at most {MOST_SLOTS}"
                )));
            }
        }
        for (key, is_set) in [("kademlia", self.kademlia), ("mdns", self.mdns)] {
            if is_set && !self.slots {
                return Err(ConfigError::Range(format!(
                    "discovery.{key} finds peers, but discovery.slots is false and nobody is \
                     connected to; leave one of the two out"
                )));
            }
        }
        let slots = near + random + far;
        if slots == 0 && self.slots {
            return Err(ConfigError::Range(
                "discovery.near, discovery.random and discovery.far are all 0; to connect to \
                 nobody but those that are named, set discovery.slots to false"
                    .to_owned(),
            ));
        }
        if min_outbound > MOST_SLOTS || most < slots.max(min_outbound) {
            return Err(ConfigError::Range(format!(
                "discovery.min_outbound is {min_outbound} and discovery.most is {most}; \
                 min_outbound must be at most {MOST_SLOTS}, and most at least as much as it and as \
                 near, random and far together, which are {slots}"
            )));
        }
        Ok(())
    }
}

/// What a node tells the others of itself. Names and versions are shortened to what a member may
/// have. Without addresses the network side fills in those it listens on.
pub(crate) fn about(name: &str, authority: bool, addresses: Vec<Multiaddr>) -> About {
    let role = if authority { members::Role::Authority } else { members::Role::Relay };
    let visible = |text: &str| text.chars().filter(char::is_ascii_graphic).collect();
    About { name: visible(name), role, version: visible(env!("CARGO_PKG_VERSION")), addresses }
}

/// The flags of `[members]`.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[command(next_help_heading = "Members")]
pub struct MembersFlags {
    /// Whether this node learns of all members, and they of it [default: true]
    #[arg(long = "members-enabled", env = "HEARSAY_MEMBERS_ENABLED", value_name = "BOOL")]
    pub enabled: Option<bool>,
    /// Milliseconds between two probes of members [default: 1000]
    #[arg(long = "members-probe-ms", env = "HEARSAY_MEMBERS_PROBE_MS", value_name = "MS")]
    pub probe_ms: Option<u64>,
    /// Milliseconds to wait for a direct answer before others are asked to help [default: 500]
    #[arg(long = "members-probe-rtt-ms", env = "HEARSAY_MEMBERS_PROBE_RTT_MS", value_name = "MS")]
    pub probe_rtt_ms: Option<u64>,
    /// Who takes transactions that are handed in here: this node (off), or it and its neighbours by a
    /// strategy [default: off]
    #[arg(long = "members-forward", env = "HEARSAY_MEMBERS_FORWARD", value_name = "STRATEGY")]
    pub forward: Option<Forward>,
}

/// The flags of `[discovery]`.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[command(next_help_heading = "Discovery")]
pub struct DiscoveryFlags {
    /// Whether this node connects to members by itself [default: true]
    #[arg(long = "discovery-slots", env = "HEARSAY_DISCOVERY_SLOTS", value_name = "BOOL")]
    pub slots: Option<bool>,
    /// Connections to near members [default: 3]
    #[arg(long = "discovery-near", env = "HEARSAY_DISCOVERY_NEAR", value_name = "N")]
    pub near: Option<u32>,
    /// Connections to members chosen at random [default: 3]
    #[arg(long = "discovery-random", env = "HEARSAY_DISCOVERY_RANDOM", value_name = "N")]
    pub random: Option<u32>,
    /// Connections to far members [default: 2]
    #[arg(long = "discovery-far", env = "HEARSAY_DISCOVERY_FAR", value_name = "N")]
    pub far: Option<u32>,
    /// Connections that this node makes itself, at least [default: 3]
    #[arg(
        long = "discovery-min-outbound",
        env = "HEARSAY_DISCOVERY_MIN_OUTBOUND",
        value_name = "N"
    )]
    pub min_outbound: Option<u32>,
    /// Connections beyond which those are closed that this node has no use for [default: 16]
    #[arg(long = "discovery-most", env = "HEARSAY_DISCOVERY_MOST", value_name = "N")]
    pub most: Option<u32>,
    /// The file in which this node notes where members are [default: DATA_DIR/peers.txt]
    #[arg(long = "discovery-book", env = "HEARSAY_DISCOVERY_BOOK", value_name = "FILE")]
    pub book: Option<PathBuf>,
    /// Whether this node asks others for peers, and answers them, by Kademlia: for networks with more
    /// than 1,000 nodes [default: false]
    #[arg(long = "discovery-kademlia", env = "HEARSAY_DISCOVERY_KADEMLIA", value_name = "BOOL")]
    pub kademlia: Option<bool>,
    /// Whether this node makes itself known on the local network by mDNS, and connects to those that
    /// do [default: false]
    #[arg(long = "discovery-mdns", env = "HEARSAY_DISCOVERY_MDNS", value_name = "BOOL")]
    pub mdns: Option<bool>,
}
