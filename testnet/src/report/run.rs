//! The joined logs of one testnet: what happened to each message at each node.
//!
//! This is what is kept of the logs, in memory that grows with messages times nodes and not with
//! the length of the lines. Every time is in microseconds since the Unix epoch, as the node's wall
//! clock had it; the nodes of a local testnet share one machine's clock, so that times of different
//! nodes may be subtracted.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hearsay_node::trace::event::{Kind, Origin, VerdictName, Via};

use super::manifest::Manifest;
use super::members::MemberLine;
use super::reconciliation::RoundLog;
use super::words_table::Words;

/// A node's place in [`Run::nodes`].
pub(crate) type NodeIx = usize;

/// A word in one of the [`Words`] of a [`Run`].
pub(crate) type Word = u32;

/// A process without a stop line whose last line is older than the latest line of all by more than
/// this was killed. Nodes sample their sockets about every second, so this is three missed samples.
pub(crate) const SILENCE_US: i64 = 3_000_000;

/// A node that was starved logs the lag of its last starved second by so much later: its next two
/// summaries, one a second.
const LATE_US: i64 = 2_000_000;

/// Everything that the logs of one testnet say.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// The nodes, in the natural order of their names.
    pub(crate) nodes: Vec<NodeLog>,
    /// The transactions by id.
    pub(crate) txs: BTreeMap<Box<str>, Message>,
    /// The blocks by id.
    pub(crate) blocks: BTreeMap<Box<str>, Message>,
    /// Reasons, and block ids where an event points to a block.
    pub(crate) words: Words,
    /// Peer ids.
    pub(crate) peers: Words,
    /// The node behind each of `peers`; `None` for a peer whose log is not among these.
    pub(crate) peer_node: Vec<Option<NodeIx>>,
    /// What the logs say of blocks as such: their place in the chain.
    pub(crate) facts: HashMap<Word, BlockFacts>,
    /// What is wrong with the logs as a whole, in sentences.
    pub(crate) faults: BTreeSet<String>,
}

/// What one node's log says about the node itself.
#[derive(Debug, Default)]
pub(crate) struct NodeLog {
    /// The node's name: the folder that holds its log.
    pub(crate) name: String,
    /// The runs of its process, in order.
    pub(crate) lives: Vec<Life>,
    /// Lines that were read.
    pub(crate) lines: u64,
    /// Half-written lines that a killed process left behind.
    pub(crate) truncated: u64,
    /// Lines that are none, other than those.
    pub(crate) unreadable: u64,
    /// Lines of a newer program, which were skipped.
    pub(crate) unknown: u64,
    /// Whether the first line was no start.
    pub(crate) unstarted: bool,
    /// Times that the wall clock stepped while a process ran.
    pub(crate) clock_steps: u64,
    /// Changes of the tip, in order.
    pub(crate) tips: Vec<TipChange>,
    /// Blocks that became final, in order.
    pub(crate) finals: Vec<FinalBlock>,
    /// Comparisons of its pool with a peer's that it began, in order.
    pub(crate) rounds: Vec<RoundLog>,
    /// Summaries of the scheduler's lag, in order.
    pub(crate) lags: Vec<LagSummary>,
    /// What it wrote of other members, in order; what only updates one is left out.
    pub(crate) members: Vec<MemberLine>,
    /// Peers that it was connected to at some time.
    pub(crate) met: BTreeSet<Word>,
    /// Where it stands, as the manifest says.
    pub(crate) region: Option<String>,
    /// When it was held still, as the manifest says: it ran then only in name.
    pub(crate) pauses: Vec<(i64, i64)>,
}

/// The scheduler's lag over about a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LagSummary {
    /// When the second ended.
    pub(crate) at: i64,
    /// Half of the samples were no later.
    pub(crate) p50_us: u64,
    /// 99 of 100 were no later.
    pub(crate) p99_us: u64,
    /// The latest.
    pub(crate) max_us: u64,
    /// How many there were.
    pub(crate) samples: u64,
}

/// A block's place in the chain.
#[derive(Clone, Debug)]
pub(crate) struct BlockFacts {
    /// Its height.
    pub(crate) height: u64,
    /// Its slot.
    pub(crate) slot: u64,
    /// The block it was built on.
    pub(crate) parent: Word,
    /// The authority's key.
    pub(crate) proposer: Word,
    /// Its transactions.
    pub(crate) transactions: u64,
}

/// One run of a node's process.
#[derive(Debug)]
pub(crate) struct Life {
    /// Its first line.
    pub(crate) start: i64,
    /// Its last line.
    pub(crate) last: i64,
    /// When it ended; `None` when it was still running when the logs end.
    pub(crate) end: Option<i64>,
    /// Whether it wrote a stop line.
    pub(crate) stopped: bool,
    /// Its samples of bytes sent since it started: time and running total.
    pub(crate) wire: Vec<(i64, u64)>,
    /// Its samples of bytes that the membership protocol sent since it started.
    pub(crate) members_sent: Vec<(i64, u64)>,
}

impl Life {
    /// Whether the process was gone before the logs end, without a stop line.
    pub(crate) fn killed(&self) -> bool {
        self.end.is_some() && !self.stopped
    }

    /// Whether the process ran at every moment from `from` to `until`.
    pub(crate) fn covers(&self, from: i64, until: i64) -> bool {
        self.start <= from && self.end.is_none_or(|end| until <= end)
    }
}

/// One change of a node's tip.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TipChange {
    /// When.
    pub(crate) at: i64,
    /// The new tip.
    pub(crate) block: Word,
    /// The new tip's height.
    pub(crate) height: u64,
    /// The tip before it.
    pub(crate) previous: Word,
    /// Blocks undone.
    pub(crate) depth: u64,
}

/// A block that became final at a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FinalBlock {
    /// When.
    pub(crate) at: i64,
    /// The block.
    pub(crate) block: Word,
    /// Its height.
    pub(crate) height: u64,
}

/// One transaction or block, at every node.
#[derive(Debug)]
pub(crate) struct Message {
    /// Its encoded size as published; the size of the first copy when no publication was logged.
    pub(crate) bytes: u64,
    /// What each node saw of it, by [`NodeIx`].
    pub(crate) at: Vec<AtNode>,
}

/// What one node saw of one message.
#[derive(Debug, Default)]
pub(crate) struct AtNode {
    /// When and how this node introduced it.
    pub(crate) introduced: Option<(i64, Origin)>,
    /// The first copy from the network.
    pub(crate) first: Option<Receipt>,
    /// Every other copy from the network.
    pub(crate) again: Vec<Redundant>,
    /// The verdicts, in order. One is the rule; a replay after a restart may bring another.
    pub(crate) verdicts: Vec<Judged>,
    /// When it entered the pool.
    pub(crate) pooled: Option<i64>,
    /// When and why it left the pool without a block.
    pub(crate) evicted: Option<(i64, Word)>,
    /// Its way into the chain.
    pub(crate) included: Option<Inclusion>,
    /// When this block first became the tip.
    pub(crate) tip: Option<i64>,
    /// How this block was put together, if it came compact.
    pub(crate) rebuilt: Option<Rebuilt>,
    /// How long storing this block took, in microseconds.
    pub(crate) store_us: Option<u64>,
}

/// How a node put a compact block together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rebuilt {
    /// Transactions that were in its pool.
    pub(crate) from_pool: u64,
    /// All its transactions.
    pub(crate) transactions: u64,
    /// The size of the message.
    pub(crate) compact_bytes: u64,
    /// The size of the block.
    pub(crate) full_bytes: u64,
}

/// The first copy at a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receipt {
    /// When it arrived.
    pub(crate) at: i64,
    /// The peer that sent it.
    pub(crate) from: Word,
    /// The path it came by.
    pub(crate) via: Via,
    /// The size of the copy.
    pub(crate) bytes: u64,
}

/// A redundant copy at a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Redundant {
    /// When it arrived.
    pub(crate) at: i64,
    /// The size of the copy; saturates, which no message comes near.
    pub(crate) bytes: u32,
    /// The peer that sent it.
    pub(crate) from: Word,
    /// The path it came by.
    pub(crate) via: Via,
}

/// One verdict on a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged {
    /// When.
    pub(crate) at: i64,
    /// The answer.
    pub(crate) verdict: VerdictName,
    /// Why, for anything but accept.
    pub(crate) reason: Option<Word>,
    /// Waiting before it, in microseconds.
    pub(crate) queue_us: u64,
    /// Checking, in microseconds.
    pub(crate) check_us: u64,
}

/// A transaction's way into a node's chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inclusion {
    /// When a block with it was first part of the node's chain.
    pub(crate) at: i64,
    /// The block that holds it; the latest one, when a reorganisation moved it.
    pub(crate) block: Word,
    /// That block's height.
    pub(crate) height: u64,
}

impl Run {
    /// Notes what only the manifest tells: where nodes stand, when they were held still, and when
    /// they were killed or died.
    pub(crate) fn note(&mut self, manifest: &Manifest) {
        for (place, entry) in manifest.nodes.iter().enumerate() {
            let by_shape = || Some(manifest.shape.as_ref()?.region_of(place)?.to_owned());
            if let Some(node) = self.node_named(&entry.name) {
                let own = entry.region.clone().filter(|region| !region.is_empty());
                self.nodes[node].region = own.or_else(by_shape);
            }
        }
        for (name, at) in manifest.deaths() {
            if let Some(node) = self.node_named(name) {
                self.nodes[node].died(at);
            }
        }
        // A process that is not let run is late by the scenario's doing, and not by the machine's.
        for starved in &manifest.starved {
            if let Some(node) = self.node_named(&starved.node) {
                let until = starved.until_us.unwrap_or(i64::MAX).saturating_add(LATE_US);
                self.nodes[node].lags.retain(|lag| lag.at < starved.from_us || until < lag.at);
            }
        }
        for pause in &manifest.pauses {
            if let Some(node) = self.node_named(&pause.node) {
                let until = pause.until_us.unwrap_or(i64::MAX);
                self.nodes[node].pauses.push((pause.from_us, until));
            }
        }
    }

    /// The messages of one kind, by id.
    pub(crate) fn messages(&self, kind: Kind) -> &BTreeMap<Box<str>, Message> {
        match kind {
            Kind::Tx => &self.txs,
            Kind::Block => &self.blocks,
        }
    }

    /// The node behind a peer id, when its log is among these.
    pub(crate) fn node_of(&self, peer: Word) -> Option<NodeIx> {
        self.peer_node.get(peer as usize).copied().flatten()
    }

    /// What to call a peer: its node's name, or its peer id when it is a stranger.
    pub(crate) fn peer_name(&self, peer: Word) -> &str {
        match self.node_of(peer) {
            Some(node) => &self.nodes[node].name,
            None => self.peers.get(peer),
        }
    }

    /// Whether one process of the node ran, and was not held still, at every moment from `from` to
    /// `until`.
    pub(crate) fn ran(&self, node: NodeIx, from: i64, until: i64) -> bool {
        let log = &self.nodes[node];
        log.lives.iter().any(|life| life.covers(from, until))
            && !log.pauses.iter().any(|&(held, resumed)| held <= until && from <= resumed)
    }

    /// The node of this name.
    pub(crate) fn node_named(&self, name: &str) -> Option<NodeIx> {
        self.nodes.iter().position(|node| node.name == name)
    }

    /// Whether this process ran until the logs end, or stopped along with the others: its last line
    /// is no older than [`SILENCE_US`] when the latest of all is written.
    pub(crate) fn reaches_the_end(&self, life: &Life) -> bool {
        self.latest().is_none_or(|latest| latest - SILENCE_US <= life.last)
    }

    /// The time of the latest line of all logs.
    pub(crate) fn latest(&self) -> Option<i64> {
        let lives = self.nodes.iter().flat_map(|node| &node.lives);
        lives.map(|life| life.last).max()
    }
}

impl Message {
    /// The node that introduced the message first, and when.
    pub(crate) fn origin(&self) -> Option<(NodeIx, i64)> {
        let nodes = self.at.iter().enumerate();
        nodes
            .filter_map(|(node, at)| at.introduced.map(|(t, _)| (node, t)))
            .min_by_key(|&(node, t)| (t, node))
    }

    /// Whether it is a block: those are produced, where transactions are handed in.
    pub(crate) fn is_block(&self) -> bool {
        let mut introduced = self.at.iter().filter_map(|at| at.introduced);
        introduced.any(|(_, origin)| origin == Origin::Produced)
    }
}

impl AtNode {
    /// When this node introduced the message without having heard of it before.
    pub(crate) fn root_at(&self) -> Option<i64> {
        let (at, _) = self.introduced?;
        self.first.is_none_or(|first| at <= first.at).then_some(at)
    }

    /// When this node had the message from another one; `None` for a node that introduced it.
    pub(crate) fn delivered(&self) -> Option<Receipt> {
        self.first.filter(|_| self.root_at().is_none())
    }

    /// When this node first accepted the message, which is what lets it relay it.
    pub(crate) fn accepted_at(&self) -> Option<i64> {
        let accept = |judged: &&Judged| judged.verdict == VerdictName::Accept;
        self.verdicts.iter().find(accept).map(|judged| judged.at)
    }

    /// All copies that came from the network.
    pub(crate) fn copies(&self) -> u64 {
        u64::from(self.first.is_some()) + self.again.len() as u64
    }
}
