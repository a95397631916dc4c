//! What there is at the moment of a decision, in the order in which it is looked at.

use std::collections::BTreeMap;
use std::time::Duration;

use libp2p::PeerId;

use super::{Connected, Known, SlotsConfig};
use crate::members::routes::MAX_MEMBERS;

/// A round trip counts as near if it is no longer than this many times that of the member that would
/// fill the last near slot, and [`NOISE`] more: what is as good stays.
const NEAR_SLACK: f64 = 1.25;

/// Differences in round trips that mean nothing: what a busy machine adds.
pub(super) const NOISE: Duration = Duration::from_millis(2);

/// No round trip counts as longer, so that sums and products of them stay in range.
const LONGEST: Duration = Duration::from_secs(60);

/// A far slot is held by one that is at least at this share of the middle round trip.
const FAR_SLACK: f64 = 0.75;

/// The lists of one decision.
pub(super) struct View<'a> {
    /// Members that are not down.
    pub(super) known: BTreeMap<PeerId, &'a Known>,
    /// Connections.
    pub(super) connected: BTreeMap<PeerId, &'a Connected>,
    /// Connections that this node made.
    pub(super) outbound: usize,
    /// Round trips up to this are near.
    pub(super) near_bar: Duration,
    /// A far slot below this is none.
    pub(super) mid_bar: Duration,
    /// Round trips from this on are far: those of the last third.
    pub(super) far_bar: Duration,
    /// Whether anybody far is not connected.
    pub(super) has_far_candidate: bool,
    /// Round trips measured on connections, also on those that are gone.
    pub(super) measured: BTreeMap<PeerId, Duration>,
}

impl<'a> View<'a> {
    /// Also takes note of what the connections measure, and forgets it of those that are gone.
    pub(super) fn new(
        own: PeerId,
        config: &SlotsConfig,
        known: &'a [Known],
        connected: &'a [Connected],
        mut measured: BTreeMap<PeerId, Duration>,
    ) -> Self {
        let known: BTreeMap<PeerId, &Known> = known
            .iter()
            .filter(|known| known.peer != own)
            .take(MAX_MEMBERS)
            .map(|known| (known.peer, known))
            .collect();
        let connected: BTreeMap<PeerId, &Connected> =
            connected.iter().map(|c| (c.peer, c)).collect();
        measured.retain(|peer, _| known.contains_key(peer));
        for (peer, c) in &connected {
            if let Some(rtt) = c.rtt.filter(|_| known.contains_key(peer)) {
                measured.insert(*peer, rtt.min(LONGEST));
            }
        }
        let mut rtts: Vec<(PeerId, Duration)> = Vec::with_capacity(known.len());
        for (peer, known) in &known {
            let rtt = measured.get(peer).copied().or(known.rtt.map(|rtt| rtt.min(LONGEST)));
            rtts.extend(rtt.map(|rtt| (*peer, rtt)));
        }
        let mut sorted: Vec<Duration> = rtts.iter().map(|(_, rtt)| *rtt).collect();
        sorted.sort_unstable();
        let at = |index: usize, none: Duration| sorted.get(index).copied().unwrap_or(none);
        let last_near = at(config.near.saturating_sub(1), LONGEST);
        let far_bar = at(sorted.len().saturating_mul(2) / 3, Duration::MAX);
        let far = rtts.iter().any(|(peer, rtt)| *rtt >= far_bar && !connected.contains_key(peer));
        Self {
            outbound: connected.values().filter(|c| c.outbound).count(),
            near_bar: last_near.mul_f64(NEAR_SLACK).saturating_add(NOISE),
            mid_bar: at(sorted.len() / 2, Duration::ZERO).mul_f64(FAR_SLACK),
            far_bar,
            has_far_candidate: far,
            measured,
            known,
            connected,
        }
    }

    /// The round trip of a member: measured on a connection, else by probes; none if unknown.
    pub(super) fn rtt(&self, peer: &PeerId) -> Option<Duration> {
        let told = || self.known.get(peer)?.rtt.map(|rtt| rtt.min(LONGEST));
        self.measured_rtt(peer).or_else(told)
    }

    /// The round trip that was measured on a connection to a member.
    pub(super) fn measured_rtt(&self, peer: &PeerId) -> Option<Duration> {
        self.measured.get(peer).copied()
    }

    /// The connected members with a measured round trip, the nearest first.
    pub(super) fn connected_by_rtt(&self) -> Vec<(PeerId, Duration)> {
        let mut list: Vec<(PeerId, Duration)> = self
            .connected
            .keys()
            .filter_map(|peer| Some((*peer, self.measured_rtt(peer)?)))
            .collect();
        list.sort_by_key(|(peer, rtt)| (*rtt, *peer));
        list
    }
}
