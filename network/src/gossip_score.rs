//! How gossipsub scores its peers: plain clients, and all peers in the modes without
//! [`crate::push`].
//!
//! The defaults graylist the honest: they expect a rate of messages that a quiet network does not
//! have (P3, P3b), and take several nodes behind one address for one attacker (P6). Here a peer loses
//! only by what it does: messages that are never valid (P4), and breaking the rules of the mesh
//! (P7). It gains a little by being first (P2), so that meshes keep those that are useful. All of it
//! decays, so that a repaired node is taken back.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use libp2p::gossipsub::{
    PeerScoreParams, PeerScoreThresholds, TopicScoreParams, score_parameter_decay_with_base,
};

use crate::topic::{Topic, Topics};

/// How often counters decay; gossipsub takes no less than a second.
const DECAY_INTERVAL: Duration = Duration::from_secs(1);

/// A counter below this share of one is zero.
const DECAY_TO_ZERO: f64 = 0.01;

/// First deliveries that count, at most, of each topic: those of both weigh less than three invalid
/// messages, so nobody can gather enough of them to send invalid ones unpunished.
const FIRST_CAP: f64 = 40.0;

/// What a first delivery adds.
const FIRST_WEIGHT: f64 = 0.1;

/// How long a first delivery counts.
const FIRST_LASTS: Duration = Duration::from_secs(120);

/// What invalid messages cost, times their square: one or two cost little, as a node that is being
/// upgraded may have other rules for a moment.
const INVALID_WEIGHT: f64 = -1.0;

/// How long an invalid message counts: ten within this time are not by mistake.
const INVALID_LASTS: Duration = Duration::from_secs(600);

/// Breaches that are forgiven. A node whose queue to us is full breaks a promise with each of its
/// heartbeats, 700 ms apart, and means no harm: with the decay below that comes to 19.
const BREACHES_FORGIVEN: f64 = 20.0;

/// What breaches beyond cost, times their square: ten more, as a flood of grafts brings within
/// seconds, and the peer is not heard.
const BREACH_WEIGHT: f64 = -1.0;

/// How long a breach counts.
const BREACH_LASTS: Duration = Duration::from_secs(60);

/// A peer that is gone keeps its score so long: as long as a ban lasts, so that leaving and coming
/// back does not wash anyone clean. Longer, and peers that come once would fill the memory.
const RETAIN: Duration = Duration::from_secs(120);

/// Below this score a peer is not heard at all. What it sends is still read, so whoever stays there is
/// to be sent away.
pub(crate) const UNHEARD: f64 = -90.0;

fn decay(lasts: Duration) -> f64 {
    score_parameter_decay_with_base(lasts, DECAY_INTERVAL, DECAY_TO_ZERO)
}

fn topic() -> TopicScoreParams {
    TopicScoreParams {
        topic_weight: 1.0,
        // P1: who stays in a mesh has not earned anything by it.
        time_in_mesh_weight: 0.0,
        first_message_deliveries_weight: FIRST_WEIGHT,
        first_message_deliveries_decay: decay(FIRST_LASTS),
        first_message_deliveries_cap: FIRST_CAP,
        // P3 and P3b: silence is no offence in a quiet network.
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: INVALID_WEIGHT,
        invalid_message_deliveries_decay: decay(INVALID_LASTS),
        ..TopicScoreParams::default()
    }
}

/// The parameters for the topics of one network, all of whose clocks run `dilation` times slower.
pub(crate) fn params(topics: &Topics, dilation: u32) -> PeerScoreParams {
    let topics: HashMap<_, _> =
        [Topic::Tx, Topic::Block].map(|it| (topics.ident(it).hash(), topic())).into();
    PeerScoreParams {
        topics,
        topic_score_cap: 0.0,
        // P5: nothing is said by the application; whom the engine blames is banned.
        app_specific_weight: 0.0,
        // P6: a lab, a data centre and a household are one address.
        ip_colocation_factor_weight: 0.0,
        ip_colocation_factor_whitelist: HashSet::new(),
        behaviour_penalty_weight: BREACH_WEIGHT,
        behaviour_penalty_threshold: BREACHES_FORGIVEN,
        behaviour_penalty_decay: decay(BREACH_LASTS),
        decay_interval: DECAY_INTERVAL.saturating_mul(dilation),
        decay_to_zero: DECAY_TO_ZERO,
        retain_score: RETAIN.saturating_mul(dilation),
        // A slow link is no offence either.
        slow_peer_weight: 0.0,
        ..PeerScoreParams::default()
    }
}

/// What a score means. The worst that an honest peer can have is that of an invalid message or two.
pub(crate) fn thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds {
        // Three invalid messages: nothing is announced to it, and its announcements are not heard.
        gossip_threshold: -9.0,
        // Five: nothing is published to it.
        publish_threshold: -25.0,
        // Ten, or ten breaches beyond those forgiven: it is not heard at all.
        graylist_threshold: UNHEARD,
        // Peer exchange is off: it takes more than can be had.
        accept_px_threshold: 1_000.0,
        // Opportunistic grafting needs a median that quiet networks do not have.
        opportunistic_graft_threshold: 0.0,
    }
}

#[cfg(test)]
mod tests;
