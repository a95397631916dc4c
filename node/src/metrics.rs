//! What the node counts, in the form that Prometheus scrapes.
//!
//! Every label is a static word, so the number of series is bounded by the program and no peer can
//! make it grow.

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
        };
        metrics.register_messages();
        metrics.register_network();
        metrics.register_reconciliation();
        metrics.register_state();
        metrics.register_pool();
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

    /// A message was judged. An accepted one has the reason `""`.
    pub fn verdict(&self, kind: &'static str, verdict: Verdict, reason: &'static str) {
        let verdict = match verdict {
            Verdict::Accept => "accept",
            Verdict::Ignore => "ignore",
            Verdict::Reject => "reject",
        };
        let labels = [("kind", kind), ("verdict", verdict), ("reason", reason)];
        self.verdicts.get_or_create(&labels).inc();
    }

    /// How long that took: from arrival until the engine took it up, and from there to the verdict.
    pub fn verdict_time(&self, kind: &'static str, queue: Duration, check: Duration) {
        for (stage, time) in [("queue", queue), ("check", check)] {
            let labels = [("kind", kind), ("stage", stage)];
            self.verdict_seconds.get_or_create(&labels).observe(time.as_secs_f64());
        }
    }

    /// A copy of a message arrived, with its size.
    pub fn copy(&self, kind: &'static str, first: bool, bytes: u64) {
        let copy = if first { "first" } else { "later" };
        self.copies.get_or_create(&[("kind", kind), ("copy", copy)]).inc();
        self.payload.get_or_create(&[("kind", kind)]).inc_by(bytes);
    }

    /// This node introduced a message.
    pub fn published(&self, kind: &'static str) {
        self.published.get_or_create(&[("kind", kind)]).inc();
    }

    /// Signatures were checked.
    pub fn signatures_checked(&self, count: u64) {
        self.signatures.inc_by(count);
    }

    /// Bytes on all sockets since the process started: totals, not the bytes since the last call.
    pub fn wire_totals(&self, sent: u64, received: u64) {
        // A counter must not step back, so a late report of an earlier total changes nothing.
        self.wire_sent.inner().fetch_max(sent, Ordering::Relaxed);
        self.wire_received.inner().fetch_max(received, Ordering::Relaxed);
    }

    /// What was gossiped since the process started: totals, as with [`Metrics::wire_totals`].
    pub fn gossip_totals(&self, sent: &Tally, received: &Tally) {
        for (way, tally) in [("sent", sent), ("received", received)] {
            for (traffic, total) in [("eager", tally.eager), ("lazy", tally.lazy)] {
                let copies =
                    self.gossip_copies.get_or_create(&[("way", way), ("traffic", traffic)]);
                copies.inner().fetch_max(total, Ordering::Relaxed);
            }
            let bytes = [
                ("eager", tally.eager_bytes),
                ("lazy", tally.lazy_bytes),
                ("control", tally.control_bytes),
            ];
            for (traffic, total) in bytes {
                let bytes = self.gossip_bytes.get_or_create(&[("way", way), ("traffic", traffic)]);
                bytes.inner().fetch_max(total, Ordering::Relaxed);
            }
        }
    }

    /// A bounded place gave up `count` items.
    pub fn dropped(&self, place: &'static str, reason: &'static str, count: u64) {
        self.dropped.get_or_create(&[("place", place), ("reason", reason)]).inc_by(count);
    }

    /// The pool was compared with a peer's: whether they differed, what it took, and how many
    /// transactions came in and went out for it.
    pub fn reconciled(&self, differed: bool, symbols: u64, bytes: u64, moved: (u64, u64)) {
        let result = if differed { "different" } else { "equal" };
        self.reconciled.get_or_create(&[("result", result)]).inc();
        self.reconcile_symbols.inc_by(symbols);
        self.reconcile_bytes.inc_by(bytes);
        for (way, count) in [("gained", moved.0), ("given", moved.1)] {
            self.reconcile_moved.get_or_create(&[("way", way)]).inc_by(count);
        }
    }

    /// A peer of another network was turned away.
    pub fn foreign_peer(&self) {
        self.foreign_peers.inc();
    }

    /// An RPC call was answered: `ok`, or the error's kind.
    pub fn rpc_call(&self, method: &'static str, outcome: &'static str) {
        self.rpc_calls.get_or_create(&[("method", method), ("outcome", outcome)]).inc();
    }

    /// How many peers are connected now.
    pub fn peers(&self, count: u64) {
        self.peers.set(count);
    }

    /// Where the chain is now.
    pub fn heights(&self, tip: u64, last_final: u64) {
        self.height.set(tip);
        self.final_height.set(last_final);
    }

    /// What the pool holds now.
    pub fn pool(&self, status: &MempoolStatus) {
        self.pool_count.set(status.count);
        self.pool_size.set(status.bytes);
        self.pool_queued.set(status.queued);
        self.pool_memory.set(status.memory);
        self.pool_local.set(status.local);
        self.pool_unbroadcast.set(status.unbroadcast);
        self.pool_floor.set(status.min_fee_per_kb);
    }

    /// What the journal of the pool holds now, and whether that is all that it should.
    pub fn journal(&self, is_complete: bool, transactions: u64, bytes: u64) {
        self.journal_complete.set(u64::from(is_complete));
        self.journal_count.set(transactions);
        self.journal_size.set(bytes);
    }

    /// The height being caught up to, or none when not behind.
    pub fn sync_target(&self, height: Option<u64>) {
        self.sync_target.set(height.unwrap_or(0));
    }

    /// Whether the node stands still because a disk is full.
    pub fn halted(&self, halted: bool) {
        self.halted.set(u64::from(halted));
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
