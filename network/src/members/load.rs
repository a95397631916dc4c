//! What a node says of its load: a few bytes in every datagram of its own, so that others can give
//! work to those who have room for it.
//!
//! The figures are a node's own claim. They are bounded when they arrive, and whoever claims to be
//! idle gains no more than the share of a node that is.

use std::time::Duration;

use borsh::{BorshDeserialize, BorshSerialize};

/// What [`Load::busy`] says of a node that uses all the processor time it may use.
pub const WHOLLY_BUSY: u8 = 200;

/// The largest pool anybody is believed to hold: 64 GiB, more than a node's machine has memory for.
pub const MAX_POOL_KIB: u32 = 64 << 20;

/// The largest height anybody is believed to have: ten blocks a second for 3,000 years.
pub const MAX_HEIGHT: u64 = 1 << 40;

/// From this share of its processor time on, a node counts as overloaded: 95 %. Waiting grows with
/// 1 / (1 - share), so what comes on top waits twenty times as long as at an idle node.
const OVERLOADED_BUSY: u8 = 190;

/// A node whose queue takes longer than this to work off counts as overloaded, in seconds: the time
/// within which a user expects a transaction to be taken.
const OVERLOADED_WAIT_S: f64 = 1.0;

/// Transactions a second that a node is taken to manage at least: one that has had nothing to do
/// lately says 0. One core checks some 16,000 signatures a second, so even the slow manage this.
const LEAST_RATE: f64 = 64.0;

/// A queue that takes so long to work off halves a node's weight, in seconds: a round trip within a
/// continent, which is what it costs to ask somebody else.
const HALVING_WAIT_S: f64 = 0.05;

/// Added to each round trip, in seconds, so that a neighbour on the same machine is not worth a
/// thousand others.
const BASE_RTT_S: f64 = 0.02;

/// The round trip of a node that nobody has measured, in seconds: what lies between two continents,
/// so that somebody known to be near comes first.
const UNKNOWN_RTT_S: f64 = 0.15;

/// A round trip counts as no longer than this, in seconds.
const LONGEST_RTT_S: f64 = 10.0;

/// How much is going on at a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Load {
    /// The transactions in its pool, in KiB.
    pub pool_kib: u32,
    /// Transactions that it judged a second, lately; those beyond the type's range are not told.
    pub tx_per_s: u16,
    /// Messages that wait for a check or a verdict; those beyond the type's range are not told.
    pub queue: u16,
    /// The share of the processor time it may use that it uses, in two hundredths: see
    /// [`WHOLLY_BUSY`].
    pub busy: u8,
    /// The height of its tip.
    pub height: u64,
}

/// The bytes of a [`Load`] on the wire.
pub const LOAD_BYTES: usize = 17;

impl Load {
    /// The share of processor time as [`Load::busy`] tells it; what is no number is 0.
    #[must_use]
    pub fn busy_of(share: f64) -> u8 {
        // A cast from a float saturates, and makes 0 of what is no number.
        (share * f64::from(WHOLLY_BUSY)).round().clamp(0.0, f64::from(WHOLLY_BUSY)) as u8
    }

    /// The share of processor time that it uses, from 0 to 1.
    #[must_use]
    pub fn busy_share(&self) -> f64 {
        f64::from(self.busy.min(WHOLLY_BUSY)) / f64::from(WHOLLY_BUSY)
    }

    /// Whether every figure is one that an honest node can have.
    #[must_use]
    pub fn sane(&self) -> bool {
        *self == self.bounded()
    }

    /// The same load with each figure brought within its bounds.
    #[must_use]
    pub fn bounded(self) -> Self {
        Self {
            pool_kib: self.pool_kib.min(MAX_POOL_KIB),
            busy: self.busy.min(WHOLLY_BUSY),
            height: self.height.min(MAX_HEIGHT),
            ..self
        }
    }

    /// How long its queue takes to work off at the rate it had lately, in seconds.
    #[must_use]
    pub fn wait_s(&self) -> f64 {
        f64::from(self.queue) / f64::from(self.tx_per_s).max(LEAST_RATE)
    }

    /// Whether it should be spared as long as there is somebody else.
    #[must_use]
    pub fn overloaded(&self) -> bool {
        self.busy >= OVERLOADED_BUSY || self.wait_s() >= OVERLOADED_WAIT_S
    }

    /// How good it is to ask this node rather than another: speed over load, positive and finite.
    ///
    /// `1 / (rtt + 20 ms) × idle share / (1 + queueing time / 50 ms)`. A queue with one server makes
    /// an arrival wait for 1 / (1 - utilisation) service times, hence the idle share; it counts as at
    /// least a twentieth, where [`Load::overloaded`] begins. `rtt` is this node's own measurement, so
    /// no claim can better it.
    #[must_use]
    pub fn weight(&self, rtt: Option<Duration>) -> f64 {
        let rtt = rtt.map_or(UNKNOWN_RTT_S, |rtt| rtt.as_secs_f64().min(LONGEST_RTT_S));
        let idle = (1.0 - self.busy_share()).max(0.05);
        idle / (1.0 + self.wait_s() / HALVING_WAIT_S) / (rtt + BASE_RTT_S)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HERE: Option<Duration> = Some(Duration::from_millis(10));

    fn busy(share: f64) -> Load {
        Load { busy: Load::busy_of(share), ..Load::default() }
    }

    #[test]
    fn a_load_takes_as_many_bytes_as_it_says() {
        let load = Load { height: MAX_HEIGHT, queue: u16::MAX, ..Load::default() };
        let bytes = borsh::to_vec(&load).unwrap();
        assert_eq!(bytes.len(), LOAD_BYTES);
        assert_eq!(borsh::from_slice::<Load>(&bytes).unwrap(), load);
    }

    #[test]
    fn the_idle_the_near_and_those_with_a_short_queue_weigh_more() {
        let idle = Load::default();
        assert!(idle.weight(HERE) > busy(0.5).weight(HERE));
        assert!(busy(0.5).weight(HERE) > busy(1.0).weight(HERE));
        assert!(idle.weight(HERE) > idle.weight(Some(Duration::from_millis(200))));
        assert!(idle.weight(HERE) > idle.weight(None));
        let queue = |queue, tx_per_s| Load { queue, tx_per_s, ..idle }.weight(HERE);
        assert!(queue(10, 1_000) > queue(100, 1_000));
        assert!(queue(100, 1_000) > queue(100, 100), "the same queue takes a slow node longer");
    }

    #[test]
    fn a_node_without_time_or_with_a_long_queue_is_overloaded() {
        assert!(!Load::default().overloaded());
        assert!(!busy(0.9).overloaded());
        assert!(busy(0.95).overloaded());
        assert!(Load { queue: 500, tx_per_s: 100, ..Load::default() }.overloaded());
        assert!(!Load { queue: 500, tx_per_s: 2_000, ..Load::default() }.overloaded());
    }

    #[test]
    fn figures_out_of_range_are_brought_back() {
        let absurd = Load { pool_kib: u32::MAX, busy: 255, height: u64::MAX, ..Load::default() };
        assert!(!absurd.sane() && absurd.bounded().sane());
        assert_eq!(absurd.bounded().height, MAX_HEIGHT);
        assert!((absurd.busy_share() - 1.0).abs() < 1e-9);
        assert_eq!([Load::busy_of(-1.0), Load::busy_of(f64::NAN), Load::busy_of(9.0)], [0, 0, 200]);
    }

    proptest! {
        #[test]
        fn every_weight_is_positive_finite_and_no_better_than_an_idle_nodes(
            pool_kib: u32, tx_per_s: u16, queue: u16, busy: u8, height: u64, ms: Option<u64>,
        ) {
            let rtt = ms.map(Duration::from_millis);
            let weight = Load { pool_kib, tx_per_s, queue, busy, height }.weight(rtt);
            prop_assert!(weight > 0.0 && weight <= Load::default().weight(rtt));
        }
    }
}
