//! Joining the logs: lines go in, node by node or mixed, and a [`Run`] comes out.
//!
//! Nothing here reads a file. Peer ids are matched to nodes at the end, so that the order in which
//! the logs are read makes no difference.

use std::collections::BTreeMap;

use hearsay_node::trace::event::{Event, Kind, MemberChange, PeerState, Record, SCHEMA, Via};

use super::clock::ClockWatch;
use super::line::{self, Line};
use super::members::MemberLine;
use super::reconciliation::RoundLog;
use super::run::{
    AtNode, BlockFacts, FinalBlock, Inclusion, Judged, LagSummary, Life, Message, NodeIx, NodeLog,
    Rebuilt, Receipt, Redundant, Run, SILENCE_US, TipChange, Word,
};

/// A death is noted within milliseconds of it; a node that wrote a line later than this after it did
/// not die then.
const DEATH_US: i64 = 100_000;

/// Logs on their way to a [`Run`].
#[derive(Debug, Default)]
pub(crate) struct Join {
    run: Run,
    clocks: Vec<ClockWatch>,
    /// Whether each node's line before this one was unreadable.
    broken: Vec<bool>,
    claims: BTreeMap<Word, NodeIx>,
    genesis: BTreeMap<String, NodeIx>,
}

impl Join {
    /// Begins with the names of all nodes, in the order that the report shall have.
    pub(crate) fn new(names: impl IntoIterator<Item = String>) -> Self {
        let named = |name| NodeLog { name, ..NodeLog::default() };
        let nodes: Vec<_> = names.into_iter().map(named).collect();
        Join {
            clocks: vec![ClockWatch::default(); nodes.len()],
            broken: vec![false; nodes.len()],
            run: Run { nodes, ..Run::default() },
            ..Join::default()
        }
    }

    /// Takes one line of a node's log, without its line feed; `complete` says whether it had one.
    /// The lines of one node come in their order.
    pub(crate) fn line(&mut self, node: NodeIx, bytes: &[u8], complete: bool) {
        if bytes.trim_ascii().is_empty() {
            return;
        }
        let log = &mut self.run.nodes[node];
        log.lines += 1;
        let broken = std::mem::take(&mut self.broken[node]);
        match line::parse(bytes) {
            Line::Record(at, record) => {
                // A new process ends the line that the one before it was killed in.
                if broken && matches!(record.event, Event::Start { .. }) {
                    log.unreadable -= 1;
                    log.truncated += 1;
                }
                self.record(node, at, *record);
            }
            Line::Torn(at, record) => {
                log.truncated += 1;
                self.record(node, at, *record);
            }
            Line::Unknown => log.unknown += 1,
            Line::Unreadable if complete => {
                log.unreadable += 1;
                self.broken[node] = true;
            }
            Line::Unreadable => log.truncated += 1,
        }
    }

    /// Notes a line that was too long to be looked at.
    pub(crate) fn overlong(&mut self, node: NodeIx) {
        self.run.nodes[node].lines += 1;
        self.run.nodes[node].unreadable += 1;
    }

    /// Ends the joining: tells who was killed, and which node each peer is.
    pub(crate) fn finish(mut self) -> Run {
        let latest = self.run.latest().unwrap_or_default();
        for (log, clock) in self.run.nodes.iter_mut().zip(&self.clocks) {
            log.clock_steps = clock.steps();
            if let Some(life) = log.lives.last_mut()
                && !life.stopped
                && life.last < latest - SILENCE_US
            {
                life.end = Some(life.last);
            }
        }
        if self.genesis.len() > 1 {
            let whose = self.genesis.values();
            let names: Vec<_> = whose.map(|&node| &*self.run.nodes[node].name).collect();
            let names = names.join(", ");
            let fault = format!("not all nodes have the same genesis: compare {names}");
            self.run.faults.insert(fault);
        }
        self.run.peer_node = vec![None; self.run.peers.len()];
        for (peer, node) in self.claims {
            self.run.peer_node[peer as usize] = Some(node);
        }
        self.run
    }

    fn record(&mut self, node: NodeIx, at: i64, record: Record) {
        let offset = at.saturating_sub_unsigned(record.mono_us);
        self.live(node, at, offset, &record);
        let words = &mut self.run.words;
        match record.event {
            Event::Published { kind, id, bytes, origin } => {
                let message = self.message(kind, id, bytes);
                message.bytes = bytes;
                message.at[node].introduced.get_or_insert((at, origin));
            }
            Event::Received { kind, id, from, via, bytes, .. } => {
                let from = self.run.peers.intern(&from);
                let seen = &mut self.message(kind, id, bytes).at[node];
                match seen.first {
                    None => seen.first = Some(Receipt { at, from, via, bytes }),
                    Some(_) => seen.again.push(Redundant::new(at, from, via, bytes)),
                }
            }
            Event::Duplicate { kind, id, from, via, bytes, .. } => {
                let from = self.run.peers.intern(&from);
                let seen = &mut self.message(kind, id, bytes).at[node];
                seen.again.push(Redundant::new(at, from, via, bytes));
            }
            Event::Verdict { kind, id, verdict, reason, queue_us, check_us } => {
                let reason = reason.map(|reason| words.intern(&reason));
                let judged = Judged { at, verdict, reason, queue_us, check_us };
                self.seen(node, kind, id).verdicts.push(judged);
            }
            Event::Pooled { kind, id, .. } => {
                self.seen(node, kind, id).pooled.get_or_insert(at);
            }
            Event::Evicted { kind, id, reason } => {
                let reason = words.intern(&reason);
                self.seen(node, kind, id).evicted = Some((at, reason));
            }
            Event::Included { kind, id, block, height } => {
                let block = words.intern(&block);
                let seen = self.seen(node, kind, id);
                let at = seen.included.map_or(at, |first| first.at);
                seen.included = Some(Inclusion { at, block, height });
            }
            Event::Tip { kind, id, height, previous, depth, store_us, .. } => {
                let change = TipChange {
                    at,
                    block: words.intern(&id),
                    height,
                    previous: words.intern(&previous),
                    depth,
                };
                self.run.nodes[node].tips.push(change);
                let seen = self.seen(node, kind, id);
                seen.tip.get_or_insert(at);
                seen.store_us = seen.store_us.or(store_us);
            }
            Event::Block {
                kind,
                id,
                height,
                slot,
                parent,
                proposer,
                transactions,
                store_us,
                ..
            } => {
                let (block, parent) = (words.intern(&id), words.intern(&parent));
                let proposer = words.intern(&proposer);
                let facts = BlockFacts { height, slot, parent, proposer, transactions };
                self.run.facts.entry(block).or_insert(facts);
                if store_us.is_some() {
                    self.seen(node, kind, id).store_us = store_us;
                }
            }
            Event::Rebuilt {
                kind,
                id,
                from_pool,
                carried,
                fetched,
                compact_bytes,
                full_bytes,
                ..
            } => {
                let transactions = from_pool.saturating_add(carried).saturating_add(fetched);
                let rebuilt = Rebuilt { from_pool, transactions, compact_bytes, full_bytes };
                self.seen(node, kind, id).rebuilt.get_or_insert(rebuilt);
            }
            Event::Lag { p50_us, p99_us, max_us, samples } => {
                let summary = LagSummary { at, p50_us, p99_us, max_us, samples };
                self.run.nodes[node].lags.push(summary);
            }
            Event::Reconciled {
                strategy,
                theirs,
                ours,
                symbols,
                bytes,
                took_us,
                gained,
                given,
                ..
            } => {
                let (strategy, different) = (words.intern(&strategy), theirs > 0 || ours > 0);
                let round =
                    RoundLog { at, strategy, different, symbols, bytes, gained, given, took_us };
                self.run.nodes[node].rounds.push(round);
            }
            Event::Final { id, height, .. } => {
                let block = words.intern(&id);
                let finals = &mut self.run.nodes[node].finals;
                finals.push(FinalBlock { at, block, height });
            }
            Event::Wire { sent, members_sent, .. } => {
                if let Some(life) = self.run.nodes[node].lives.last_mut() {
                    life.wire.push((at, sent));
                    life.members_sent.extend(members_sent.map(|sent| (at, sent)));
                }
            }
            Event::Peer { peer, state: PeerState::Connected, .. } => {
                let peer = self.run.peers.intern(&peer);
                self.run.nodes[node].met.insert(peer);
            }
            Event::Member { change: MemberChange::Updated, .. } => {}
            Event::Member { peer, change, state, cause, generation, .. } => {
                let peer = self.run.peers.intern(&peer);
                let line = MemberLine { at, peer, change, state, cause, generation };
                self.run.nodes[node].members.push(line);
            }
            // Start and stop were handled by `live`; the rest says nothing about messages.
            _ => {}
        }
    }

    /// Keeps the node's lives and its clock.
    fn live(&mut self, node: NodeIx, at: i64, offset: i64, record: &Record) {
        let log = &mut self.run.nodes[node];
        if let Event::Start { schema, peer, genesis, .. } = &record.event {
            if let Some(life) = log.lives.last_mut() {
                life.end.get_or_insert(life.last);
            }
            log.lives.push(Life::new(at));
            self.clocks[node].restart(offset);
            self.genesis.entry(genesis.clone()).or_insert(node);
            let peer_word = self.run.peers.intern(peer);
            let holder = *self.claims.entry(peer_word).or_insert(node);
            if holder != node {
                let (low, high) = (holder.min(node), holder.max(node));
                let (low, high) = (&self.run.nodes[low].name, &self.run.nodes[high].name);
                let fault = format!("{low} and {high} both call themselves {peer}");
                self.run.faults.insert(fault);
            }
            let log = &self.run.nodes[node];
            let name = &log.name;
            if *schema != SCHEMA {
                let fault = format!("{name} writes schema {schema}; this program reads {SCHEMA}");
                self.run.faults.insert(fault);
            }
            if record.node != *name {
                let fault = format!("{name}'s log is that of a node called {}", record.node);
                self.run.faults.insert(fault);
            }
            return;
        }
        if log.lives.is_empty() {
            log.unstarted = true;
            log.lives.push(Life::new(at));
            self.clocks[node].restart(offset);
        }
        self.clocks[node].observe(offset);
        if let Some(life) = log.lives.last_mut() {
            life.last = life.last.max(at);
            if let Event::Stop { .. } = record.event {
                life.stopped = true;
                life.end = Some(at);
            }
        }
    }

    fn seen(&mut self, node: NodeIx, kind: Kind, id: String) -> &mut AtNode {
        &mut self.message(kind, id, 0).at[node]
    }

    fn message(&mut self, kind: Kind, id: String, bytes: u64) -> &mut Message {
        let nodes = self.run.nodes.len();
        let messages = match kind {
            Kind::Tx => &mut self.run.txs,
            Kind::Block => &mut self.run.blocks,
        };
        let message = messages.entry(id.into()).or_insert_with(|| Message {
            bytes,
            at: std::iter::repeat_with(AtNode::default).take(nodes).collect(),
        });
        if message.bytes == 0 {
            message.bytes = bytes;
        }
        message
    }
}

impl NodeLog {
    /// Ends the life during which the node was killed or died, as the manifest says, at `at`. When
    /// others fell silent soon after, its own silence would not tell.
    pub(super) fn died(&mut self, at: i64) {
        let life = self.lives.iter_mut().rfind(|life| life.start < at);
        let Some(life) = life.filter(|life| !life.stopped) else { return };
        if life.last <= at.saturating_add(DEATH_US) {
            life.end = Some(life.last.max(at));
        }
    }
}

impl Life {
    fn new(start: i64) -> Self {
        Life {
            start,
            last: start,
            end: None,
            stopped: false,
            wire: Vec::new(),
            members_sent: Vec::new(),
        }
    }
}

impl Redundant {
    fn new(at: i64, from: Word, via: Via, bytes: u64) -> Self {
        Redundant { at, from, via, bytes: u32::try_from(bytes).unwrap_or(u32::MAX) }
    }
}
