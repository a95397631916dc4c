//! Synthetic logs for tests: a testnet whose every event is written by hand.
//!
//! Times are microseconds after [`EPOCH_US`]. Each node has started at 0 unless told otherwise, and
//! its lines are sorted by time when they are written.

use std::collections::BTreeMap;
use std::fs;

use hearsay_node::trace::event::{Event, Kind, Origin, Record, SCHEMA, VerdictName, Via};
use jiff::Timestamp;
use tempfile::TempDir;

use super::join::Join;
use super::manifest::Manifest;
use super::run::Run;
use super::{Report, assemble};

/// 2026-01-01T00:00:00Z in microseconds since the Unix epoch.
pub(crate) const EPOCH_US: i64 = 1_767_225_600_000_000;

/// The moment of the last line that [`Lab::new`] gives each node, so that the nodes are known to
/// have run until then: 10 s.
pub(crate) const END: i64 = 10_000_000;

/// A testnet's logs in the making.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lab {
    lines: BTreeMap<String, Vec<(i64, String)>>,
    manifest: Option<String>,
}

/// The id of a message in these logs: `byte` in hex, to the length of a real one.
pub(crate) fn id(byte: u8) -> String {
    format!("{byte:02x}").repeat(32)
}

/// The peer id of a node in these logs.
pub(crate) fn peer(node: &str) -> String {
    format!("12D3KooW{node}")
}

impl Lab {
    /// Nodes n0, n1, … that all start at 0 and stop at [`END`].
    pub(crate) fn new(nodes: usize) -> Self {
        let mut lab = Lab::default();
        for node in 0..nodes {
            let node = format!("n{node}");
            lab.start(&node, 0);
            lab.stop(&node, END);
        }
        lab
    }

    /// A node with an empty log.
    pub(crate) fn add(&mut self, node: &str) -> &mut Self {
        self.lines.entry(node.to_owned()).or_default();
        self
    }

    /// Forgets all lines of a node from `us` on, as if it had been killed then.
    pub(crate) fn kill(&mut self, node: &str, us: i64) -> &mut Self {
        let lines = self.lines.entry(node.to_owned()).or_default();
        lines.retain(|line| line.0 < us);
        self
    }

    /// Any line at all; it ends in a line feed unless it is the node's last one and says otherwise.
    pub(crate) fn raw(&mut self, node: &str, us: i64, line: &str) -> &mut Self {
        let lines = self.lines.entry(node.to_owned()).or_default();
        lines.push((us, line.to_owned()));
        self
    }

    /// Any event.
    pub(crate) fn event(&mut self, node: &str, us: i64, event: Event) -> &mut Self {
        let line = line(node, us, us.unsigned_abs(), event);
        self.raw(node, us, &(line + "\n"))
    }

    pub(crate) fn start(&mut self, node: &str, us: i64) -> &mut Self {
        let event = Event::Start {
            schema: SCHEMA,
            peer: peer(node),
            genesis: id(0),
            version: "0.1.0".to_owned(),
            dilation: 1,
        };
        self.event(node, us, event)
    }

    pub(crate) fn stop(&mut self, node: &str, us: i64) -> &mut Self {
        let reason = "asked to".to_owned();
        self.event(node, us, Event::Stop { reason })
    }

    /// Node `node` publishes message `byte` of 100 bytes.
    pub(crate) fn publish(&mut self, node: &str, us: i64, kind: Kind, byte: u8) -> &mut Self {
        let origin = match kind {
            Kind::Tx => Origin::Rpc,
            Kind::Block => Origin::Produced,
        };
        let (id, bytes) = (id(byte), 100);
        let event = Event::Published { kind, id, bytes, origin };
        self.event(node, us, event)
    }

    /// The first copy, from the node `from`, by gossip.
    pub(crate) fn receive(
        &mut self,
        node: &str,
        us: i64,
        kind: Kind,
        byte: u8,
        from: &str,
    ) -> &mut Self {
        self.receive_via(node, us, kind, byte, from, Via::Gossip)
    }

    pub(crate) fn receive_via(
        &mut self,
        node: &str,
        us: i64,
        kind: Kind,
        byte: u8,
        from: &str,
        via: Via,
    ) -> &mut Self {
        let event = Event::Received {
            kind,
            id: id(byte),
            from: peer(from),
            via,
            bytes: 100,
            message: None,
        };
        self.event(node, us, event)
    }

    /// A later copy, from the node `from`, by gossip.
    pub(crate) fn duplicate(
        &mut self,
        node: &str,
        us: i64,
        kind: Kind,
        byte: u8,
        from: &str,
    ) -> &mut Self {
        let event = Event::Duplicate {
            kind,
            id: id(byte),
            from: peer(from),
            via: Via::Gossip,
            bytes: 100,
            copy: 2,
        };
        self.event(node, us, event)
    }

    /// An accepting verdict at `us`, after the given waiting and checking.
    pub(crate) fn accept(
        &mut self,
        node: &str,
        us: i64,
        kind: Kind,
        byte: u8,
        queue_us: u64,
        check_us: u64,
    ) -> &mut Self {
        let event = Event::Verdict {
            kind,
            id: id(byte),
            verdict: VerdictName::Accept,
            reason: None,
            queue_us,
            check_us,
        };
        self.event(node, us, event)
    }

    /// Block `byte` at `height` becomes the tip after block `previous`.
    pub(crate) fn tip(
        &mut self,
        node: &str,
        us: i64,
        byte: u8,
        height: u64,
        previous: u8,
        depth: u64,
    ) -> &mut Self {
        let event = Event::Tip {
            kind: Kind::Block,
            id: id(byte),
            height,
            previous: id(previous),
            depth,
            previous_height: 0,
            applied: 1,
            transactions: 0,
            store_us: None,
        };
        self.event(node, us, event)
    }

    pub(crate) fn wire(&mut self, node: &str, us: i64, sent: u64) -> &mut Self {
        let received = sent;
        let wire = Event::Wire { sent, received, members_sent: None, members_received: None };
        self.event(node, us, wire)
    }

    /// A manifest that measures from `from` to `until`, and no time to settle.
    pub(crate) fn measure(&mut self, from: i64, until: i64) -> &mut Self {
        let (from, until) = (EPOCH_US + from, EPOCH_US + until);
        self.manifest = Some(format!(
            r#"{{"scenario":"hand","seed":7,
                "measure":{{"from_us":{from},"until_us":{until},"settle_us":0}}}}"#
        ));
        self
    }

    /// A manifest, as it stands in the file.
    pub(crate) fn manifest(&mut self, text: &str) -> &mut Self {
        self.manifest = Some(text.to_owned());
        self
    }

    /// A second's summary of the scheduler's lag, with 200 samples.
    pub(crate) fn lag(&mut self, node: &str, us: i64, [p50, p99, max]: [u64; 3]) -> &mut Self {
        let (p50_us, p99_us, max_us, samples) = (p50, p99, max, 200);
        self.event(node, us, Event::Lag { p50_us, p99_us, max_us, samples })
    }

    /// Block `byte` on block `parent` is stored, with the slot and the producer of its number.
    pub(crate) fn stored(
        &mut self,
        node: &str,
        us: i64,
        byte: u8,
        height: u64,
        parent: u8,
        store_us: u64,
    ) -> &mut Self {
        let event = Event::Block {
            kind: Kind::Block,
            id: id(byte),
            height,
            slot: byte.into(),
            parent: id(parent),
            proposer: format!("{byte:02x}"),
            transactions: 3,
            bytes: 100,
            store_us: Some(store_us),
        };
        self.event(node, us, event)
    }

    /// The logs as files, in a folder that goes with the value.
    pub(crate) fn write(&self) -> TempDir {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for (node, text) in self.texts() {
            let folder = dir.path().join(node);
            fs::create_dir(&folder).expect("a node's folder");
            fs::write(folder.join("events.jsonl"), text).expect("a node's log");
        }
        if let Some(manifest) = &self.manifest {
            fs::write(dir.path().join("testnet.json"), manifest).expect("a manifest");
        }
        dir
    }

    /// The logs joined without files, the nodes' logs taken in the order that `order` gives them.
    pub(crate) fn join(&self, order: impl Fn(usize) -> usize) -> Run {
        let texts = self.texts();
        let mut join = Join::new(texts.keys().map(|node| (*node).to_owned()));
        let mut logs: Vec<(usize, &String)> = texts.values().enumerate().collect();
        logs.sort_by_key(|(node, _)| order(*node));
        for (node, text) in logs {
            for piece in text.split_inclusive('\n') {
                let line = piece.trim_end_matches('\n');
                join.line(node, line.as_bytes(), line.len() < piece.len());
            }
        }
        join.finish()
    }

    /// The report on these logs.
    pub(crate) fn report(&self) -> Report {
        self.report_in_order(|node| node)
    }

    pub(crate) fn report_in_order(&self, order: impl Fn(usize) -> usize) -> Report {
        let manifest = self.manifest.as_ref();
        let manifest = manifest.map(|text| Manifest::parse(text.as_bytes()));
        assemble(self.join(order), &manifest.unwrap_or_default())
    }

    fn texts(&self) -> BTreeMap<&str, String> {
        let text = |lines: &Vec<(i64, String)>| {
            let mut lines = lines.clone();
            lines.sort_by_key(|line| line.0);
            lines.into_iter().map(|line| line.1).collect()
        };
        let logs = self.lines.iter();
        logs.map(|(node, lines)| (&**node, text(lines))).collect()
    }
}

/// A line of a log without its line feed.
pub(crate) fn line(node: &str, us: i64, mono_us: u64, event: Event) -> String {
    let t = Timestamp::from_microsecond(EPOCH_US + us).expect("a time in range");
    let record = Record { t: format!("{t:.6}"), mono_us, node: node.to_owned(), event };
    serde_json::to_string(&record).expect("a record serialises")
}
