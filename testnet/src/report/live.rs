//! Figures while the testnet runs: a running tally over the lines as they come.
//!
//! The lines of different nodes may come in any order; those of one node in theirs. Memory is
//! bounded however long the testnet runs: latencies are kept as a histogram, and of the messages
//! only the latest 65,536 are remembered. The report proper reads the logs anew and is exact.

use std::collections::{BTreeMap, HashMap, VecDeque};

use hearsay_node::trace::event::{Event, Kind};

use super::histogram::Histogram;
use super::line::{self, Line};

/// Transactions that are remembered: at a thousand a second, those of a minute and more. What comes
/// of an older one is no longer noticed.
const TRACKED: usize = 65_536;

/// Deliveries remembered of a transaction whose publication has not been read yet.
const EARLY: usize = 256;

/// A running tally of transactions and chain.
#[derive(Clone, Debug, Default)]
pub struct LiveTally {
    running: BTreeMap<String, bool>,
    txs: HashMap<String, Tracked>,
    order: VecDeque<String>,
    latencies: Histogram,
    published: u64,
    expected: u64,
    delivered: u64,
    blocks: u64,
    height: u64,
    unreadable: u64,
    members: BTreeMap<String, Said>,
}

/// What a [`LiveTally`] says at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Live {
    /// Nodes that run, by their start and stop lines.
    pub nodes: u64,
    /// Transactions published so far.
    pub published_tx: u64,
    /// Deliveries that came so far over those that are due, from 0 to 1: a transaction is due at
    /// every node that ran when its publication was read, but for the one that published it. Absent
    /// before the first.
    pub delivered: Option<f64>,
    /// The median time from publication to receipt so far, in milliseconds; up to 0.8 % too high.
    pub p50_ms: Option<f64>,
    /// The 99th percentile of the same.
    pub p99_ms: Option<f64>,
    /// Blocks published so far.
    pub blocks: u64,
    /// The greatest height of a tip so far.
    pub height: u64,
    /// Lines that could not be read.
    pub unreadable: u64,
    /// Bytes of the membership protocol that a node that runs sent a second, over the last three seconds
    /// and on average; absent until each has sent some for so long.
    pub members_per_node_s: Option<f64>,
}

/// Lines of a node, one a second, over which a rate is taken: a start has its pauses.
const RATE_OVER: usize = 4;

/// When a node had sent how many bytes of its membership protocol, by its last lines; nothing before the
/// first of them.
#[derive(Clone, Debug, Default)]
struct Said(VecDeque<(i64, u64)>);

impl Said {
    fn say(&mut self, at: i64, sent: u64) {
        if sent == 0 {
            return;
        }
        if self.0.len() == RATE_OVER {
            self.0.pop_front();
        }
        self.0.push_back((at, sent));
    }

    /// Bytes a second.
    fn rate(&self) -> Option<f64> {
        let (&(from, before), &(to, after)) = (self.0.front()?, self.0.back()?);
        let bytes = after.checked_sub(before).filter(|_| self.0.len() == RATE_OVER && from < to)?;
        Some(bytes as f64 * 1e6 / (to - from) as f64)
    }
}

#[derive(Clone, Debug, Default)]
struct Tracked {
    published: Option<i64>,
    due: u64,
    came: u64,
    early: Vec<i64>,
}

impl LiveTally {
    /// A tally of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one whole line of a node's log. Blank lines and lines of a newer program are passed
    /// over; a line that is none is counted.
    pub fn feed(&mut self, node: &str, line: &str) {
        let line = line.trim();
        if line.is_empty() {
            return;
        }
        match line::parse(line.as_bytes()) {
            Line::Record(at, record) | Line::Torn(at, record) => self.event(node, at, record.event),
            Line::Unknown => {}
            Line::Unreadable => self.unreadable += 1,
        }
    }

    /// Notes that a node's process is gone without a stop line, as after a kill: nothing that is
    /// published from here on is due at it, until it starts again.
    pub fn gone(&mut self, node: &str) {
        self.running.insert(node.to_owned(), false);
    }

    /// What it says now.
    pub fn snapshot(&self) -> Live {
        let ms = |us: u64| us as f64 / 1000.0;
        Live {
            nodes: self.running.values().filter(|runs| **runs).count() as u64,
            published_tx: self.published,
            delivered: super::stats::ratio(self.delivered, self.expected),
            p50_ms: self.latencies.percentile(50).map(ms),
            p99_ms: self.latencies.percentile(99).map(ms),
            blocks: self.blocks,
            height: self.height,
            unreadable: self.unreadable,
            members_per_node_s: self.members_per_node_s(),
        }
    }

    fn members_per_node_s(&self) -> Option<f64> {
        let running = || self.running.iter().filter(|(_, runs)| **runs);
        let rate = |(node, _)| self.members.get(node).and_then(Said::rate);
        let rates = running().map(rate).collect::<Option<Vec<f64>>>()?;
        (!rates.is_empty()).then(|| rates.iter().sum::<f64>() / rates.len() as f64)
    }

    fn event(&mut self, node: &str, at: i64, event: Event) {
        match event {
            Event::Start { .. } => {
                self.running.insert(node.to_owned(), true);
                self.members.remove(node);
            }
            Event::Stop { .. } => {
                self.running.insert(node.to_owned(), false);
            }
            Event::Published { kind: Kind::Tx, id, .. } => self.publish(node, at, id),
            Event::Published { kind: Kind::Block, .. } => self.blocks += 1,
            Event::Received { kind: Kind::Tx, id, .. } => self.receive(at, id),
            Event::Wire { members_sent: Some(sent), .. } => {
                self.members.entry(node.to_owned()).or_default().say(at, sent);
            }
            Event::Tip { height, .. } => self.height = self.height.max(height),
            _ => {}
        }
    }

    fn publish(&mut self, node: &str, at: i64, id: String) {
        let others = self.running.iter().filter(|(name, runs)| **runs && *name != node);
        let due = others.count() as u64;
        let tracked = self.track(id);
        if tracked.published.is_some() {
            // Introduced at a second node: it remains the same transaction.
            return;
        }
        tracked.published = Some(at);
        tracked.due = due;
        let early = std::mem::take(&mut tracked.early);
        let came: Vec<_> = early.into_iter().take(due as usize).collect();
        tracked.came = came.len() as u64;
        self.published += 1;
        self.expected += due;
        self.delivered += came.len() as u64;
        for received in came {
            self.latencies.add(since(at, received));
        }
    }

    fn receive(&mut self, at: i64, id: String) {
        let tracked = self.track(id);
        match tracked.published {
            None if tracked.early.len() < EARLY => tracked.early.push(at),
            Some(published) if tracked.came < tracked.due => {
                tracked.came += 1;
                self.delivered += 1;
                self.latencies.add(since(published, at));
            }
            _ => {}
        }
    }

    /// The transaction's entry; the oldest one gives way to a new one.
    fn track(&mut self, id: String) -> &mut Tracked {
        if !self.txs.contains_key(&id) {
            if self.order.len() == TRACKED
                && let Some(oldest) = self.order.pop_front()
            {
                self.txs.remove(&oldest);
            }
            self.order.push_back(id.clone());
        }
        self.txs.entry(id).or_default()
    }
}

fn since(published: i64, received: i64) -> u64 {
    u64::try_from(received - published).unwrap_or(0)
}
