//! Looking at a simulation, and switching its authorities off.

use crate::trace::event::{Event, Via};
use hearsay_chain::fork_choice::Candidate;
use hearsay_chain::hash::tagged;
use hearsay_chain::store::{Ends, MemoryStore};
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{BlockId, Store, TxId, UnverifiedTx, Verdict, VerifiedTx};

use super::{CHECK_US, Sim, sender};
use crate::api::{Answer, Query, TxStatus};
use crate::engine::compact::{BlockForm, Compact};

impl Sim {
    pub(in super::super) fn now(&self) -> u64 {
        self.now
    }

    /// No authority proposes any more.
    pub(in super::super) fn stop_producing(&mut self) {
        for node in 0..self.nodes.len() {
            self.stop_producing_at(node);
        }
    }

    pub(in super::super) fn stop_producing_at(&mut self, node: usize) {
        self.nodes[node].engine.authority = None;
    }

    pub(in super::super) fn ends(&self, node: usize) -> Ends {
        self.nodes[node].engine.chain().ends()
    }

    pub(in super::super) fn store(&self, node: usize) -> &MemoryStore {
        self.nodes[node].engine.chain().store()
    }

    /// The ids of a node's main chain up to a height.
    pub(in super::super) fn main_ids(&self, node: usize, height: u64) -> Vec<BlockId> {
        (0..=height).map(|height| self.store(node).block_at(height).unwrap().unwrap()).collect()
    }

    /// Whether a node relayed a block.
    pub(in super::super) fn accepted(&self, node: usize, id: &BlockId) -> bool {
        self.nodes[node].accepted.contains(&id.0)
    }

    pub(in super::super) fn tip_changes(&self, node: usize) -> u64 {
        self.nodes[node].tip_changes
    }

    /// A signed transfer of a sender's, of another amount for each `number`.
    pub(in super::super) fn verified_transfer(
        &self,
        from: u8,
        nonce: u64,
        number: u64,
    ) -> VerifiedTx {
        let transfer = Transfer { amount: number + 1, ..self.transfer(from, nonce) };
        VerifiedTx::verify(UnverifiedTx::from(transfer.sign(&sender(from)))).unwrap()
    }

    pub(in super::super) fn tips(&self) -> Vec<Candidate> {
        self.nodes.iter().map(|node| node.engine.chain().tip()).collect()
    }

    pub(in super::super) fn final_heights(&self) -> Vec<u64> {
        self.nodes.iter().map(|node| node.engine.chain().ends().final_height).collect()
    }

    pub(in super::super) fn pool_count(&self, node: usize) -> usize {
        self.nodes[node].engine.pool().totals().count
    }

    /// Lets every node compare its pool with its neighbours'. Before any are connected.
    pub(in super::super) fn reconcile(&mut self, config: crate::engine::Reconciliation) {
        for (number, node) in self.nodes.iter_mut().enumerate() {
            let state = crate::engine::reconcile::Reconcile::new(config, number as u64);
            node.engine.reconcile = state;
        }
    }

    pub(in super::super) fn is_blameless(&self) -> bool {
        self.penalised.is_empty()
    }

    /// Gives every node an empty pool of another size.
    pub(in super::super) fn bound_pools(&mut self, config: &hearsay_mempool::Config) {
        for node in &mut self.nodes {
            node.engine.pool = hearsay_mempool::Pool::new(*config).unwrap();
        }
    }

    /// Asserts that what each node wanted kept is what its pool holds. Gives how much that is.
    pub(in super::super) fn assert_kept(&self) -> usize {
        let mut count = 0;
        for (number, node) in self.nodes.iter().enumerate() {
            let mut held: Vec<_> = node.engine.pool().iter().map(|view| view.tx.id()).collect();
            held.sort_unstable();
            let kept: Vec<_> = node.kept.keys().copied().collect();
            assert_eq!(kept, held, "node {number} at {}", self.now);
            count += held.len();
        }
        count
    }

    /// Blocks are gossiped compact.
    pub(in super::super) fn compact_blocks(&mut self) {
        for (seed, node) in (0..).zip(&mut self.nodes) {
            node.engine.compact = Compact::new(BlockForm::Compact, seed);
        }
    }

    /// Of the blocks that came compact: transactions from pools, carried, fetched; and how many blocks.
    pub(in super::super) fn rebuilt(&self) -> ([u64; 3], usize) {
        let all = || self.nodes.iter().flat_map(|node| &node.rebuilt);
        let sum = |at: usize| all().map(|of| of[at]).sum();
        ([sum(0), sum(1), sum(2)], all().count())
    }

    pub(in super::super) fn penalised(&self) -> usize {
        self.penalised.len()
    }

    pub(in super::super) fn engine(&self, node: usize) -> &crate::engine::Engine<MemoryStore> {
        &self.nodes[node].engine
    }

    /// What a journal would hold of a node.
    pub(in super::super) fn kept(&self, node: usize) -> Vec<crate::engine::Restored> {
        let node = &self.nodes[node];
        let mut kept: Vec<_> = node.kept.iter().collect();
        kept.sort_by_key(|(_, (_, arrived_unix_us))| *arrived_unix_us);
        kept.into_iter()
            .map(|(id, (local, arrived_unix_us))| {
                let tx = node.engine.pool().get(id).unwrap().transaction().clone();
                let (local, arrived_unix_us) = (*local, *arrived_unix_us);
                crate::engine::Restored { tx: tx.into(), local, arrived_unix_us }
            })
            .collect()
    }

    /// Transactions handed in at a node that no other is known to have.
    pub(in super::super) fn unbroadcast(&self, node: usize) -> usize {
        self.nodes[node].engine.unbroadcast.count()
    }

    pub(in super::super) fn status(&self, node: usize, id: TxId) -> TxStatus {
        match self.nodes[node].engine.answer(self.time(), &Query::Tx(id)).unwrap() {
            Answer::Tx(status) => status,
            other => panic!("{other:?}"),
        }
    }

    /// Transactions on a node's main chain.
    pub(in super::super) fn included(&self, node: usize) -> usize {
        let chain = self.nodes[node].engine.chain();
        let blocks = chain.blocks_after(&[], usize::MAX, usize::MAX).unwrap();
        blocks.iter().map(|block| block.transactions().len()).sum()
    }

    pub(in super::super) fn verdicts(&self, verdict: Verdict) -> usize {
        let all = self.nodes.iter().flat_map(|node| &node.verdicts);
        all.filter(|given| **given == verdict).count()
    }

    pub(in super::super) fn deepest_reorg(&self) -> u64 {
        self.nodes.iter().map(|node| node.deepest_reorg).max().unwrap_or(0)
    }

    pub(in super::super) fn lost(&self) -> u64 {
        self.lost
    }

    /// Judging twice panics on the spot; this asserts that nothing is left unjudged, once what is
    /// still being checked is through.
    pub(in super::super) fn assert_one_verdict_each(&mut self) {
        self.run_until(self.now + CHECK_US);
        for (number, node) in self.nodes.iter().enumerate() {
            assert!(node.owed.is_empty(), "node {number} owes {} verdicts", node.owed.len());
            assert!(!node.verdicts.is_empty());
        }
    }

    pub(in super::super) fn digest(&self) -> [u8; 32] {
        assert!(!self.trace.is_empty());
        tagged("hearsay/test/trace", &[&self.trace])
    }

    /// Looks at what a node writes down, and keeps it.
    pub(super) fn trace(&mut self, node: usize, event: &Event) {
        match event {
            Event::Included { .. } => self.nodes[node].included += 1,
            Event::Tip { depth, .. } => {
                let deepest = &mut self.nodes[node].deepest_reorg;
                *deepest = (*deepest).max(*depth);
                self.nodes[node].tip_changes += 1;
            }
            Event::Reconciled { .. } => self.reconciled.push((self.now, node, event.clone())),
            Event::Received { id, via: Via::Reconcile | Via::Fetch, .. }
            | Event::Duplicate { id, via: Via::Reconcile | Via::Fetch, .. } => {
                *self.handed.entry((node, id.clone())).or_default() += 1;
            }
            Event::Rebuilt { from_pool, carried, fetched, .. } => {
                self.nodes[node].rebuilt.push([*from_pool, *carried, *fetched]);
            }
            _ => {}
        }
        let line = format!("{} {node} {event:?}", self.now);
        self.trace.extend_from_slice(line.as_bytes());
    }
}
