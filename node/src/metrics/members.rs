//! The members of the network, as Prometheus reads them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use hearsay_network::members::MemberView;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{Counters, Labels, Metrics, UnsignedGauge};
use crate::api::MemberStats;
use crate::trace::event::MemberState;

/// From a round trip on one machine (250 µs) to more than any probe may take (8 s): each bucket twice
/// the last.
const PROBE_BUCKETS: [f64; 16] = [
    0.000_25, 0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1.0, 2.0,
    4.0, 8.0,
];

/// What is counted and gauged of the membership.
#[derive(Debug)]
pub(super) struct MemberMetrics {
    members: Family<Labels<1>, UnsignedGauge>,
    frames: Counters<1>,
    bytes: Counters<1>,
    probes: Counters<1>,
    probe_seconds: Histogram,
    suspicions: Counter,
    refutations: Counters<1>,
    downs: Counter,
    false_positives: Counter,
    renewals: Counter,
    exchanges: Counter,
    refused: Counters<1>,
    health: UnsignedGauge,
}

impl MemberMetrics {
    pub(super) fn new() -> Self {
        Self {
            members: Family::default(),
            frames: Family::default(),
            bytes: Family::default(),
            probes: Family::default(),
            probe_seconds: Histogram::new(PROBE_BUCKETS),
            suspicions: Counter::default(),
            refutations: Family::default(),
            downs: Counter::default(),
            false_positives: Counter::default(),
            renewals: Counter::default(),
            exchanges: Counter::default(),
            refused: Family::default(),
            health: UnsignedGauge::default(),
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("members", "Members of the network by state", self.members.clone());
        let frames = self.frames.clone();
        registry.register("member_frames", "Frames of the membership protocol", frames);
        registry.register_with_unit(
            "member_traffic",
            "Bytes of those frames: sent of this node's own, carried on for others, received",
            Unit::Bytes,
            self.bytes.clone(),
        );
        registry.register(
            "member_probes",
            "Probes begun, by what came of them",
            self.probes.clone(),
        );
        registry.register_with_unit(
            "member_probe",
            "Round trips of probes, over as many hops as they took; looked at once a second",
            Unit::Seconds,
            self.probe_seconds.clone(),
        );
        let suspicions = self.suspicions.clone();
        registry.register("member_suspicions", "Members that came under suspicion", suspicions);
        registry.register(
            "member_refutations",
            "Suspicions that were refuted: of others, and of this node by itself (own)",
            self.refutations.clone(),
        );
        registry.register(
            "member_downs",
            "Members that were held to be down, without those that left",
            self.downs.clone(),
        );
        registry.register(
            "member_false_positives",
            "Of those, members that came back without having restarted",
            self.false_positives.clone(),
        );
        registry.register(
            "member_renewals",
            "How often this node came back after it was held to be down",
            self.renewals.clone(),
        );
        let exchanges = self.exchanges.clone();
        registry.register("member_exchanges", "Lists exchanged because they differed", exchanges);
        registry.register(
            "member_refused",
            "Input of the membership protocol that was refused or dropped, by why",
            self.refused.clone(),
        );
        registry.register(
            "member_health",
            "How badly this node keeps its own times: 0 to 8",
            self.health.clone(),
        );
    }
}

impl Metrics {
    /// The members there are now, what happened since the process started (totals, as with
    /// [`Metrics::wire_totals`]), and the round trips that were measured since the last call.
    pub fn members(&self, members: &[MemberView], stats: &MemberStats, rtts: &[Duration]) {
        let own = &self.membership;
        for state in [MemberState::Alive, MemberState::Suspect, MemberState::Down] {
            let count = members.iter().filter(|it| MemberState::from(it.state) == state).count();
            own.members.get_or_create(&[("state", state.word())]).set(count as u64);
        }
        for (way, traffic) in
            [("sent", stats.sent), ("carried", stats.carried), ("received", stats.received)]
        {
            raise(&own.frames.get_or_create(&[("way", way)]), traffic.frames);
            raise(&own.bytes.get_or_create(&[("way", way)]), traffic.bytes);
        }
        let answered = stats.probes.saturating_sub(stats.probes_failed);
        for (result, total) in [("answered", answered), ("failed", stats.probes_failed)] {
            raise(&own.probes.get_or_create(&[("result", result)]), total);
        }
        rtts.iter().for_each(|rtt| own.probe_seconds.observe(rtt.as_secs_f64()));
        for (of, total) in [("others", stats.refuted), ("own", stats.refutations)] {
            raise(&own.refutations.get_or_create(&[("of", of)]), total);
        }
        raise(&own.suspicions, stats.suspicions);
        raise(&own.downs, stats.downs);
        raise(&own.false_positives, stats.false_positives);
        raise(&own.renewals, stats.renewals);
        raise(&own.exchanges, stats.exchanges);
        for (why, total) in stats.refused.words() {
            raise(&own.refused.get_or_create(&[("reason", why)]), total);
        }
        own.health.set(u64::from(stats.health));
    }
}

/// Brings a counter up to a total. It must not step back, so an earlier total changes nothing.
fn raise(counter: &Counter, total: u64) {
    counter.inner().fetch_max(total, Ordering::Relaxed);
}
