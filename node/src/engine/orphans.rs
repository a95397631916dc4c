//! Blocks whose parent is not here: kept for a while, within bounds, and adopted in one go when the
//! parent arrives.
//!
//! To be kept, a block needs the signature of the authority whose slot it claims, so nobody else can
//! fill the pool. Each peer has a share of it, and whoever sends more pushes out its own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hearsay_chain::evidence::Turn;
use hearsay_chain::fork_choice::Candidate;
use hearsay_chain::{BlockError, BlockId, Store, StoreError, UnverifiedBlock, VerifiedBlock};
use hearsay_network::PeerId;

use super::blocks::orphan;
use super::input::Time;
use super::jobs::{Job, Owner};
use super::work::Work;
use super::{Effect, Engine};
use crate::trace::event::{Kind, Via};

/// Blocks of one peer that may wait. A minute of one-second slots, and somewhat more than a node
/// misses while it catches up with a short fork.
const MAX_PER_PEER: usize = 64;

/// Bytes of one peer that may wait: eight blocks of the usual limit.
const MAX_BYTES_PER_PEER: usize = 8 << 20;

/// Blocks that may wait in all.
const MAX: usize = 512;

/// Bytes that may wait in all.
const MAX_BYTES: usize = 32 << 20;

/// How long a block waits, in microseconds: whoever has its parent has been asked many times by
/// then.
const MAX_AGE_US: u64 = 60_000_000;

/// Blocks of one authority in one slot that may wait: as many as are relayed.
const MAX_PER_TURN: usize = 2;

#[derive(Debug)]
struct Waiting {
    block: UnverifiedBlock,
    from: PeerId,
    since: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Share {
    count: usize,
    bytes: usize,
}

/// Blocks that wait for their parents.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    by_id: BTreeMap<BlockId, Waiting>,
    by_parent: BTreeMap<BlockId, BTreeSet<BlockId>>,
    /// Ids in the order of their arrival; some may have left since.
    order: VecDeque<BlockId>,
    shares: BTreeMap<PeerId, Share>,
    bytes: usize,
}

impl Orphans {
    pub(super) fn contains(&self, id: &BlockId) -> bool {
        self.by_id.contains_key(id)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Keeps a block whose header's signature holds. Where a bound is reached, the oldest of the
    /// same peer goes, or else the oldest of the peer that has most.
    pub(super) fn keep(&mut self, block: UnverifiedBlock, from: PeerId, now: u64) {
        let (id, size) = (block.id(), block.size());
        let turn = Turn::of(block.header());
        let same_turn = |waiting: &&Waiting| Turn::of(waiting.block.header()) == turn;
        if self.contains(&id) || self.by_id.values().filter(same_turn).count() >= MAX_PER_TURN {
            return;
        }
        let parent = block.header().fields.parent;
        self.by_parent.entry(parent).or_default().insert(id);
        self.by_id.insert(id, Waiting { block, from, since: now });
        self.order.push_back(id);
        self.bytes = self.bytes.saturating_add(size);
        let share = self.shares.entry(from).or_default();
        share.count += 1;
        share.bytes = share.bytes.saturating_add(size);
        while let Some(peer) = self.over_its_share(from) {
            let oldest = self
                .order
                .iter()
                .find(|id| self.by_id.get(*id).is_some_and(|waiting| waiting.from == peer));
            match oldest.copied() {
                Some(id) => drop(self.take(&id)),
                None => break,
            }
        }
        self.order.retain(|id| self.by_id.contains_key(id));
    }

    /// Who has to give something up, if anybody.
    fn over_its_share(&self, from: PeerId) -> Option<PeerId> {
        let share = self.shares.get(&from).copied().unwrap_or_default();
        if share.count > MAX_PER_PEER || share.bytes > MAX_BYTES_PER_PEER {
            return Some(from);
        }
        if self.by_id.len() <= MAX && self.bytes <= MAX_BYTES {
            return None;
        }
        self.shares.iter().max_by_key(|(_, share)| share.bytes).map(|(peer, _)| *peer)
    }

    fn take(&mut self, id: &BlockId) -> Option<UnverifiedBlock> {
        let waiting = self.by_id.remove(id)?;
        let parent = waiting.block.header().fields.parent;
        if let Some(siblings) = self.by_parent.get_mut(&parent) {
            siblings.remove(id);
            if siblings.is_empty() {
                self.by_parent.remove(&parent);
            }
        }
        let size = waiting.block.size();
        self.bytes = self.bytes.saturating_sub(size);
        if let Some(share) = self.shares.get_mut(&waiting.from) {
            share.count = share.count.saturating_sub(1);
            share.bytes = share.bytes.saturating_sub(size);
            if share.count == 0 {
                self.shares.remove(&waiting.from);
            }
        }
        Some(waiting.block)
    }

    /// Takes out all that stands on a block, parents before children.
    pub(super) fn take_descendants(&mut self, of: BlockId) -> Vec<UnverifiedBlock> {
        let mut taken: Vec<UnverifiedBlock> = Vec::new();
        let mut parents = VecDeque::from([of]);
        while let Some(parent) = parents.pop_front() {
            for id in self.by_parent.get(&parent).cloned().unwrap_or_default() {
                taken.extend(self.take(&id));
                parents.push_back(id);
            }
        }
        taken
    }

    /// Drops those that have waited too long.
    pub(super) fn expire(&mut self, now: u64) {
        while let Some(oldest) = self.order.front().copied() {
            let since = self.by_id.get(&oldest).map(|waiting| waiting.since);
            if since.is_some_and(|since| now < since.saturating_add(MAX_AGE_US)) {
                break;
            }
            self.order.pop_front();
            self.take(&oldest);
        }
    }
}

impl<S: Store> Engine<S> {
    /// The header of a block without a parent was checked: the block waits, and its sender is asked
    /// for what lies between.
    pub(super) fn on_checked_orphan(
        &mut self,
        now: Time,
        block: UnverifiedBlock,
        owner: &Owner,
        error: Option<BlockError>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let (id, parent) = (block.id(), block.header().fields.parent);
        let objection = match error {
            Some(error) => error.into(),
            None => orphan(parent),
        };
        let good = objection.verdict != hearsay_chain::Verdict::Reject;
        self.judge(now, Kind::Block, id.0, owner, Err(&objection), out);
        let Owner::Gossip { ticket, .. } = owner else { return Ok(()) };
        if !good {
            return Ok(());
        }
        let via = self.sightings.via(&id.0).unwrap_or(Via::Gossip);
        let contents = (block.header(), block.transactions());
        self.trace_unverified(now, contents, (ticket.from, via), out);
        let claim = Candidate { height: block.header().fields.height, id };
        self.sync.heard_of(&ticket.from, claim);
        self.orphans.keep(block, ticket.from, now.mono_us);
        // The parent may have come while the signature was checked.
        if self.chain.contains(&parent)? {
            self.adopt(parent, out);
        }
        self.advance_sync(now, out)
    }

    /// Has the blocks checked that waited for one that is here now.
    pub(super) fn adopt(&mut self, parent: BlockId, out: &mut Vec<Effect>) {
        let (mut checked, mut bytes) = (Vec::new(), 0);
        for block in self.orphans.take_descendants(parent) {
            bytes += block.size();
            // What stands on one that is wrong finds no parent, and is dropped in its turn.
            if let Ok(block) = block.check_form(self.chain.rules(), |id| self.known_tx(id)) {
                checked.push(block);
            }
        }
        if !checked.is_empty() {
            let job = self.jobs.start(Job::Adopted { bytes });
            out.push(Effect::Check { job, work: Work::Blocks(checked) });
        }
    }

    /// Takes in blocks that waited for a parent: as one change if they form one branch.
    pub(super) fn on_adopted(
        &mut self,
        now: Time,
        blocks: Vec<VerifiedBlock>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let is_branch = blocks.len() > 1
            && blocks
                .windows(2)
                .all(|pair| matches!(pair, [a, b] if b.header().fields.parent == a.id()));
        if is_branch {
            self.import_blocks(now, blocks, out)?;
            return Ok(());
        }
        for block in blocks {
            self.import_block(now, block, out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use hearsay_chain::{ChainId, Keypair};

    use super::*;

    fn block(parent: BlockId, height: u64, slot: u64, by: u8) -> UnverifiedBlock {
        let key = Keypair::from_seed(&[by; 32]);
        let chain = ChainId([1; 8]);
        let block = VerifiedBlock::propose(chain, (parent, height - 1), slot, vec![], &key);
        block.to_block().into()
    }

    fn peer(number: u8) -> PeerId {
        hearsay_network::peer_id(&[number; 32])
    }

    fn id(byte: u8) -> BlockId {
        BlockId([byte; 32])
    }

    #[test]
    fn descendants_leave_together_and_parents_come_first() {
        let mut orphans = Orphans::default();
        let a = block(id(9), 2, 2, 1);
        let (b, c) = (block(a.id(), 3, 3, 1), block(a.id(), 3, 4, 2));
        let d = block(b.id(), 4, 5, 1);
        let other = block(id(8), 2, 9, 1);
        for block in [&d, &c, &other, &b, &a] {
            orphans.keep(block.clone(), peer(1), 0);
        }
        let ids: Vec<BlockId> =
            orphans.take_descendants(id(9)).iter().map(UnverifiedBlock::id).collect();
        assert_eq!(ids[0], a.id());
        assert_eq!(ids[3], d.id());
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 4);
        assert_eq!(orphans.len(), 1);
        assert!(orphans.contains(&other.id()));
    }

    #[test]
    fn a_peer_that_floods_pushes_out_its_own_and_nobody_elses() {
        let mut orphans = Orphans::default();
        let honest = block(id(1), 2, 1, 1);
        orphans.keep(honest.clone(), peer(1), 0);
        let flood: Vec<_> = (0..200).map(|n| block(id(2), 3, 10 + n, 2)).collect();
        for block in &flood {
            orphans.keep(block.clone(), peer(2), 1);
        }
        assert!(orphans.contains(&honest.id()));
        assert_eq!(orphans.len(), 1 + MAX_PER_PEER);
        assert!(!orphans.contains(&flood[0].id()), "the oldest went");
        assert!(orphans.contains(&flood[199].id()), "the newest stayed");
    }

    #[test]
    fn many_flooding_peers_are_held_by_the_bound_on_all() {
        let mut orphans = Orphans::default();
        for number in 0..20u8 {
            for n in 0..64 {
                let slot = 1 + u64::from(number) * 64 + n;
                orphans.keep(block(id(number), 2, slot, 3), peer(number), 0);
            }
        }
        assert_eq!(orphans.len(), MAX);
        assert!(orphans.order.len() <= MAX);
    }

    #[test]
    fn no_more_than_two_blocks_of_one_turn_wait() {
        let mut orphans = Orphans::default();
        for byte in 0..5 {
            orphans.keep(block(id(byte), 2, 7, 1), peer(byte), 0);
        }
        assert_eq!(orphans.len(), MAX_PER_TURN);
    }

    #[test]
    fn what_has_waited_too_long_goes_and_leaves_nothing_behind() {
        let mut orphans = Orphans::default();
        orphans.keep(block(id(1), 2, 1, 1), peer(1), 0);
        orphans.keep(block(id(2), 2, 2, 1), peer(1), 5);
        orphans.expire(MAX_AGE_US);
        assert_eq!(orphans.len(), 1);
        orphans.expire(MAX_AGE_US + 5);
        assert_eq!(orphans.len(), 0);
        assert_eq!(orphans.bytes, 0);
        assert!(orphans.shares.is_empty() && orphans.by_parent.is_empty());
        assert!(orphans.order.is_empty());
    }
}
