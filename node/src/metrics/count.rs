//! What is counted and gauged.

use super::*;

impl Metrics {
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
}
