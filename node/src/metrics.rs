//! What the node counts, in the form that Prometheus scrapes.
//!
//! Every label is a static word, so the number of series is bounded by the program and no peer can
//! make it grow.

mod count;
mod members;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hearsay_chain::Verdict;
use hearsay_network::Tally;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::api::MempoolStatus;

/// The media type of [`Metrics::encode`]'s text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// From a signature check (60 µs) to a stall that matters (4 s): each bucket twice the last.
const VERDICT_BUCKETS: [f64; 17] = [
    0.000_06, 0.000_12, 0.000_25, 0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125,
    0.25, 0.5, 1.0, 2.0, 4.0,
];

type Labels<const N: usize> = [(&'static str, &'static str); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;
type UnsignedGauge = Gauge<u64, AtomicU64>;

/// All counters, gauges and histograms of one node. Shared behind an `Arc`; every method may be
/// called from any thread.
///
/// A `kind` is `tx` or `block`; a `reason` is the stable word that logs and RPC errors carry too.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    verdicts: Counters<3>,
    verdict_seconds: Family<Labels<2>, Histogram, fn() -> Histogram>,
    copies: Counters<2>,
    payload: Counters<1>,
    published: Counters<1>,
    wire_sent: Counter,
    wire_received: Counter,
    gossip_copies: Counters<2>,
    gossip_bytes: Counters<2>,
    dropped: Counters<2>,
    reconciled: Counters<1>,
    reconcile_symbols: Counter,
    reconcile_bytes: Counter,
    reconcile_moved: Counters<1>,
    foreign_peers: Counter,
    signatures: Counter,
    rpc_calls: Counters<2>,
    peers: UnsignedGauge,
    height: UnsignedGauge,
    final_height: UnsignedGauge,
    pool_count: UnsignedGauge,
    pool_size: UnsignedGauge,
    pool_queued: UnsignedGauge,
    pool_memory: UnsignedGauge,
    pool_local: UnsignedGauge,
    pool_unbroadcast: UnsignedGauge,
    pool_floor: UnsignedGauge,
    journal_complete: UnsignedGauge,
    journal_count: UnsignedGauge,
    journal_size: UnsignedGauge,
    sync_target: UnsignedGauge,
    halted: UnsignedGauge,
    membership: members::MemberMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Everything at zero.
    #[must_use]
    pub fn new() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(VERDICT_BUCKETS);
        let mut metrics = Self {
            registry: Registry::with_prefix("hearsay"),
            verdicts: Family::default(),
            verdict_seconds: Family::new_with_constructor(histogram),
            copies: Family::default(),
            payload: Family::default(),
            published: Family::default(),
            wire_sent: Counter::default(),
            wire_received: Counter::default(),
            gossip_copies: Family::default(),
            gossip_bytes: Family::default(),
            dropped: Family::default(),
            reconciled: Family::default(),
            reconcile_symbols: Counter::default(),
            reconcile_bytes: Counter::default(),
            reconcile_moved: Family::default(),
            foreign_peers: Counter::default(),
            signatures: Counter::default(),
            rpc_calls: Family::default(),
            peers: Gauge::default(),
            height: Gauge::default(),
            final_height: Gauge::default(),
            pool_count: Gauge::default(),
            pool_size: Gauge::default(),
            pool_queued: Gauge::default(),
            pool_memory: Gauge::default(),
            pool_local: Gauge::default(),
            pool_unbroadcast: Gauge::default(),
            pool_floor: Gauge::default(),
            journal_complete: Gauge::default(),
            journal_count: Gauge::default(),
            journal_size: Gauge::default(),
            sync_target: Gauge::default(),
            halted: Gauge::default(),
            membership: members::MemberMetrics::new(),
        };
        metrics.register_messages();
        metrics.register_network();
        metrics.register_reconciliation();
        metrics.register_state();
        metrics.register_pool();
        metrics.membership.register(&mut metrics.registry);
        metrics
    }

    fn register_messages(&mut self) {
        let registry = &mut self.registry;
        registry.register("verdicts", "Messages judged", self.verdicts.clone());
        registry.register_with_unit(
            "verdict",
            "Time that a message waited (queue) and was checked (check)",
            Unit::Seconds,
            self.verdict_seconds.clone(),
        );
        registry.register("copies", "Copies of messages that arrived", self.copies.clone());
        registry.register_with_unit(
            "payload",
            "Bytes of the copies that arrived",
            Unit::Bytes,
            self.payload.clone(),
        );
        registry.register(
            "published",
            "Messages that this node introduced",
            self.published.clone(),
        );
        registry.register(
            "signatures_checked",
            "Signatures checked, singly or in batches",
            self.signatures.clone(),
        );
    }

    fn register_network(&mut self) {
        let registry = &mut self.registry;
        registry.register_with_unit(
            "wire_sent",
            "Bytes written to peers' sockets, encryption and framing included",
            Unit::Bytes,
            self.wire_sent.clone(),
        );
        registry.register_with_unit(
            "wire_received",
            "Bytes read from peers' sockets, encryption and framing included",
            Unit::Bytes,
            self.wire_received.clone(),
        );
        registry.register(
            "gossip_copies",
            "Copies of messages, pushed (eager) or asked for (lazy); gossipsub's only as received",
            self.gossip_copies.clone(),
        );
        registry.register_with_unit(
            "gossip",
            "Payload of those copies, and what streams carried beside it (control)",
            Unit::Bytes,
            self.gossip_bytes.clone(),
        );
        registry.register(
            "dropped",
            "Items given up because a bounded place was full",
            self.dropped.clone(),
        );
        registry.register(
            "foreign_peers",
            "Peers of another network that were turned away",
            self.foreign_peers.clone(),
        );
        registry.register("peers", "Connected peers", self.peers.clone());
        registry.register("rpc_calls", "RPC calls answered", self.rpc_calls.clone());
    }

    fn register_reconciliation(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "reconciliations",
            "Comparisons of the pool with a peer's that this node began and ended",
            self.reconciled.clone(),
        );
        let symbols = self.reconcile_symbols.clone();
        registry.register("reconciliation_symbols", "Symbols that they took", symbols);
        registry.register_with_unit(
            "reconciliation",
            "Bytes of their questions, symbols and names, transactions not counted",
            Unit::Bytes,
            self.reconcile_bytes.clone(),
        );
        registry.register(
            "reconciliation_transactions",
            "Transactions that peers gave (gained) or were offered (given) after them",
            self.reconcile_moved.clone(),
        );
    }

    fn register_state(&mut self) {
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        let registry = &mut self.registry;
        registry.register("build", "The program", version);
        registry.register("height", "Height of the tip", self.height.clone());
        registry.register(
            "final_height",
            "Height of the last final block",
            self.final_height.clone(),
        );
        registry.register(
            "sync_target_height",
            "The height being caught up to; 0 when not behind",
            self.sync_target.clone(),
        );
        registry.register(
            "halted",
            "1 while the node stands still because a disk is full",
            self.halted.clone(),
        );
    }

    fn register_pool(&mut self) {
        let registry = &mut self.registry;
        registry.register("mempool_count", "Transactions in the pool", self.pool_count.clone());
        registry.register_with_unit(
            "mempool",
            "Bytes of the transactions in the pool",
            Unit::Bytes,
            self.pool_size.clone(),
        );
        registry.register(
            "mempool_queued",
            "Transactions in the pool that wait for an earlier nonce",
            self.pool_queued.clone(),
        );
        registry.register_with_unit(
            "mempool_memory",
            "Memory that the transactions in the pool and its indexes take",
            Unit::Bytes,
            self.pool_memory.clone(),
        );
        registry.register(
            "mempool_local",
            "Transactions in the pool that were handed in here and are protected for it",
            self.pool_local.clone(),
        );
        registry.register(
            "mempool_unbroadcast",
            "Transactions in the pool that were handed in here and that no peer is known to have",
            self.pool_unbroadcast.clone(),
        );
        registry.register(
            "mempool_min_fee_per_kb",
            "What 1,000 bytes from elsewhere must pay now, in units",
            self.pool_floor.clone(),
        );
        registry.register(
            "mempool_journal_complete",
            "1 while the journal of the pool takes down all that it should",
            self.journal_complete.clone(),
        );
        registry.register(
            "mempool_journal_count",
            "Transactions in the journal of the pool",
            self.journal_count.clone(),
        );
        registry.register_with_unit(
            "mempool_journal",
            "Bytes of the journal of the pool",
            Unit::Bytes,
            self.journal_size.clone(),
        );
    }

    /// Everything as text, of the media type [`CONTENT_TYPE`].
    ///
    /// # Panics
    /// Never: a string takes every write.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        text::encode(&mut text, &self.registry).expect("a string takes every write");
        text
    }
}

#[cfg(test)]
mod tests;
