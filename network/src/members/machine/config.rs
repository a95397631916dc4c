//! What a machine is told when it is built, and what it tells the state machine.

use std::num::{NonZeroU8, NonZeroUsize};
use std::time::Duration;

use libp2p::Multiaddr;

use super::super::codec::PACKET_BYTES;
use super::super::profile::Role;

/// The times of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How often one member is probed: 1 s. Also how long a probe may take in all.
    pub probe_period: Duration,
    /// How long to wait for a direct answer: 500 ms, the 99th percentile of two hops there and back
    /// between continents.
    pub probe_rtt: Duration,
    /// How many members are asked to probe for us: 3.
    pub helpers: NonZeroUsize,
    /// How often fresh news is pushed, beside what rides on probes: 200 ms. Without news, never.
    pub gossip_every: Duration,
    /// How often lists are compared with one partner: 10 s, and more rarely beyond 32 members.
    pub compare_every: Duration,
    /// How often one member that is down is looked for: 5 s.
    pub revive_every: Duration,
    /// How long a member that is down stays on the list, and is looked for: an hour.
    pub forget_after: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            probe_period: Duration::from_secs(1),
            probe_rtt: Duration::from_millis(500),
            helpers: NonZeroUsize::new(3).expect("not nought"),
            gossip_every: Duration::from_millis(200),
            compare_every: Duration::from_secs(10),
            revive_every: Duration::from_secs(5),
            forget_after: Duration::from_secs(3_600),
        }
    }
}

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The name it goes by.
    pub name: String,
    /// Authority or plain node.
    pub role: Role,
    /// The version of its software.
    pub version: String,
    /// Where it can be reached.
    pub addresses: Vec<Multiaddr>,
}

/// How often each piece of news goes out: four times the decimal logarithm of the members
/// (memberlist's `RetransmitMult`), which makes it all but certain that everybody hears it.
pub(super) fn transmissions(members: usize) -> u8 {
    let times = 4.0 * ((members + 1) as f64).log10().ceil();
    (times as u8).max(1)
}

pub(super) fn foca_config(config: &Config, transmissions: u8) -> foca::Config {
    foca::Config {
        probe_period: config.probe_period,
        probe_rtt: config.probe_rtt,
        num_indirect_probes: config.helpers,
        max_transmissions: NonZeroU8::new(transmissions).unwrap_or(NonZeroU8::MIN),
        // The machine times suspicions itself; foca asks for a timer, and never gets it.
        suspect_to_down_after: config.probe_period,
        remove_down_after: Some(config.forget_after),
        max_packet_size: NonZeroUsize::new(PACKET_BYTES).expect("not nought"),
        notify_down_members: false,
        periodic_announce: None,
        periodic_announce_to_down_members: None,
        periodic_gossip: None,
    }
}
