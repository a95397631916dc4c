//! The network that the storm plays: two branches that overtake each other above the last final
//! block, and now and then a stretch that makes it all final.
//!
//! Two of four authorities make the branches, so that nothing on them becomes final; all four make
//! the stretches between. Each block has a slot of its own, so nobody equivocates.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use anyhow::{Result, bail};
use hearsay_chain::chain::Import;
use hearsay_chain::fork_choice::Candidate;
use hearsay_chain::{BlockId, VerifiedBlock, VerifiedTx};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::makers::Makers;
use crate::peer::{SharedChain, lock};

/// Authorities of the network, and those of them that make branches: too few for finality.
pub(super) const AUTHORITIES: usize = 4;
const RIVALS: usize = 2;

/// The deepest reorganisation that is staged.
pub(super) const DEEPEST: u64 = 8;

/// Transactions in a block at most, so that what waited during a long fork spreads over several.
const PER_BLOCK: usize = 64;

/// One time in so many, a stretch becomes final instead of a fork.
const FINAL_ONE_IN: u32 = 4;

/// How far ahead of the clock a slot may begin, in milliseconds: nodes take half a second.
const AHEAD_MS: u64 = 250;

/// Every transaction of the load so far, each sender's in the order of nonces.
#[derive(Debug)]
pub(super) struct Payments {
    makers: Makers,
    by_sender: Vec<Vec<VerifiedTx>>,
    next: usize,
}

impl Payments {
    pub(super) fn new(makers: Makers) -> Self {
        Self { by_sender: vec![Vec::new(); makers.senders()], makers, next: 0 }
    }

    /// Makes the next one; the senders take turns.
    pub(super) fn make(&mut self) -> VerifiedTx {
        let sender = self.next % self.by_sender.len();
        self.next += 1;
        let made = self.makers.payment(sender, self.by_sender[sender].len() as u64);
        self.by_sender[sender].push(made.clone());
        made
    }

    /// Those that fit after `nonces`, which move on.
    fn after(&self, nonces: &mut [usize]) -> Vec<VerifiedTx> {
        let mut taken = Vec::new();
        for (made, nonce) in self.by_sender.iter().zip(nonces) {
            let room = PER_BLOCK.saturating_sub(taken.len());
            let new = made.get(*nonce..).unwrap_or_default();
            taken.extend(new.iter().take(room).cloned());
            *nonce += new.len().min(room);
        }
        taken
    }
}

/// One block to come.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// On a branch.
    Grow(usize),
    /// On a branch, again and again until it is the better one.
    Overtake(usize),
    /// On the tip, by any authority.
    Settle,
}

/// A block that was made and that nobody has seen yet.
#[derive(Clone, Debug)]
pub(super) struct Next {
    pub(super) block: VerifiedBlock,
    /// How many blocks are undone when it is taken in; 0 unless it tips the balance.
    pub(super) depth: u64,
    branch: Option<usize>,
    nonces: Vec<usize>,
}

/// What is remembered of every block.
#[derive(Debug)]
struct Made {
    height: u64,
    parent: BlockId,
    nonces: Vec<usize>,
}

/// The branches.
#[derive(Debug)]
pub(super) struct Branches {
    makers: Makers,
    chain: SharedChain,
    payments: Arc<Mutex<Payments>>,
    made: BTreeMap<BlockId, Made>,
    heads: [Candidate; 2],
    steps: VecDeque<Step>,
    slot: u64,
    rng: ChaCha8Rng,
}

impl Branches {
    pub(super) fn new(
        makers: Makers,
        chain: SharedChain,
        payments: Arc<Mutex<Payments>>,
        seed: u64,
    ) -> Self {
        let tip = lock(&chain).tip();
        let genesis = Made { height: 0, parent: tip.id, nonces: vec![0; makers.senders()] };
        Self {
            made: [(tip.id, genesis)].into(),
            makers,
            chain,
            payments,
            heads: [tip; 2],
            steps: VecDeque::new(),
            slot: 0,
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    pub(super) fn tip(&self) -> Candidate {
        lock(&self.chain).tip()
    }

    /// The parent of a block that was made here, and the block's height.
    pub(super) fn parent(&self, id: &BlockId) -> Option<(BlockId, u64)> {
        self.made.get(id).map(|made| (made.parent, made.height))
    }

    pub(super) fn count(&self) -> usize {
        self.made.len().saturating_sub(1)
    }

    /// Makes the next block; none while its slot lies too far ahead.
    pub(super) fn next(&mut self, now_ms: u64) -> Option<Next> {
        let step = match self.steps.front() {
            Some(step) => *step,
            None => self.stage(),
        };
        let (parent, places, branch) = match step {
            Step::Grow(branch) | Step::Overtake(branch) => {
                (self.heads[branch], RIVALS, Some(branch))
            }
            Step::Settle => (self.tip(), AUTHORITIES, None),
        };
        let slot = self.makers.slot_after(self.slot, places);
        if self.makers.genesis().slot_start_ms(slot) > now_ms + AHEAD_MS {
            return None;
        }
        let mut nonces = self.made.get(&parent.id)?.nonces.clone();
        let transactions = lock(&self.payments).after(&mut nonces);
        let block = self.makers.block((parent.id, parent.height), slot, transactions);
        let depth = self.depth_of(&block);
        Some(Next { block, depth, branch, nonces })
    }

    /// Takes a block of [`Branches::next`] into the storm's own chain, which must judge it as
    /// expected.
    pub(super) fn take(&mut self, next: Next) -> Result<()> {
        let Next { block, depth, branch, nonces } = next;
        let fields = &block.header().fields;
        let head = Candidate { height: block.height(), id: block.id() };
        self.slot = fields.slot;
        self.made.insert(head.id, Made { height: head.height, parent: fields.parent, nonces });
        let import = lock(&self.chain).import(block, u64::MAX)?;
        match import {
            Import::Tip(change) if change.undone.len() as u64 == depth => {}
            Import::Side if depth == 0 => {}
            other => bail!("the storm's own chain takes block {} as {other:?}", head.id),
        }
        if let Some(branch) = branch {
            self.heads[branch] = head;
        }
        let done = match self.steps.front() {
            Some(Step::Overtake(_)) => self.tip() == head,
            _ => true,
        };
        if done {
            self.steps.pop_front();
        }
        Ok(())
    }

    /// How many blocks are undone when a block is taken in.
    fn depth_of(&self, block: &VerifiedBlock) -> u64 {
        let tip = self.tip();
        if (Candidate { height: block.height(), id: block.id() }) <= tip {
            return 0;
        }
        let chain = lock(&self.chain);
        let mut at = block.header().fields.parent;
        while let Some(made) = self.made.get(&at) {
            if chain.is_main(&at, made.height).unwrap_or(true) {
                return tip.height - made.height;
            }
            at = made.parent;
        }
        0
    }

    /// Stages what comes next, and returns its first step.
    fn stage(&mut self) -> Step {
        self.heads = [self.tip(); 2];
        if self.rng.random_range(0..FINAL_ONE_IN) == 0 {
            self.steps.extend([Step::Settle; AUTHORITIES + 1]);
            return Step::Settle;
        }
        let depth = self.rng.random_range(1..=DEEPEST);
        let abreast = self.rng.random_bool(0.5);
        for _ in 0..depth {
            self.steps.push_back(Step::Grow(0));
            if abreast {
                self.steps.push_back(Step::Grow(1));
            }
        }
        self.steps.push_back(Step::Overtake(1));
        // One more than it was, as the other one stands higher by now.
        if depth < DEEPEST && self.rng.random_bool(0.5) {
            self.steps.push_back(Step::Overtake(0));
        }
        Step::Grow(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::fresh_chain;

    #[test]
    fn branches_overtake_each_other_at_every_depth_and_what_is_settled_becomes_final() {
        let makers = Makers::new("test", (AUTHORITIES, 3), (0, 10));
        let chain = fresh_chain(makers.genesis()).unwrap();
        let payments = Arc::new(Mutex::new(Payments::new(makers.clone())));
        let mut branches = Branches::new(makers, Arc::clone(&chain), Arc::clone(&payments), 3);
        let mut depths = [0; 16];
        for _ in 0..1_000 {
            lock(&payments).make();
            let next = branches.next(u64::MAX / 2).unwrap();
            depths[usize::try_from(next.depth).unwrap()] += 1;
            branches.take(next).unwrap();
        }
        let deepest = usize::try_from(DEEPEST).unwrap();
        assert!(depths[1..=deepest].iter().all(|count| *count > 0), "{depths:?}");
        assert!(depths[deepest + 1..].iter().all(|count| *count == 0), "{depths:?}");
        let ends = lock(&chain).ends();
        assert!(ends.final_height > 50 && ends.height > ends.final_height, "{ends:?}");
        let unpaid = lock(&payments).after(&mut branches.made[&ends.tip].nonces.clone());
        assert!(unpaid.len() < 64, "the chain carries the load: {} left", unpaid.len());
    }

    #[test]
    fn no_block_is_made_far_ahead_of_its_slot() {
        let makers = Makers::new("test", (AUTHORITIES, 3), (0, 1_000));
        let chain = fresh_chain(makers.genesis()).unwrap();
        let payments = Arc::new(Mutex::new(Payments::new(makers.clone())));
        let mut branches = Branches::new(makers, chain, payments, 3);
        assert!(branches.next(100).is_none());
        assert!(branches.next(4_000).is_some());
    }
}
