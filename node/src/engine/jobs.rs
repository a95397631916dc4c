//! Signature checks under way, and who waits for each.

use std::collections::BTreeMap;

use hearsay_chain::{BlockId, TxId, UnverifiedBlock, UnverifiedTx};
use hearsay_mempool::Origin;
use hearsay_network::{PeerId, Route, Ticket};

use super::compact::Arrived;
use super::input::{Time, Token};

/// Checks that may be under way. At 60 µs a signature this is half a second of work; beyond it,
/// gossip is answered Ignore, and submissions are asked to come again.
pub(super) const MAX_JOBS: usize = 8_192;

/// Bytes of blocks whose checks may be under way: sixteen of the largest, and many more than gossip
/// brings in the time that they take.
const MAX_BYTES: usize = 64 << 20;

/// Names a check under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// Who waits for a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Gossip, read at one moment and taken up at another.
    Gossip { ticket: Ticket, at: Time, taken: Time },
    /// Somebody who handed a transaction in.
    Submit {
        token: Token,
        /// Whom it is to be handed on to.
        to: Option<PeerId>,
    },
    /// A peer that handed one over at this moment, and waits for nothing. It is told nothing of a
    /// verdict, and loses its connection over one that is never valid.
    Offer {
        from: PeerId,
        taken: Time,
        /// Why.
        offering: Offering,
    },
}

/// Why a peer hands a transaction over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offering {
    /// It believes that this node lacks it, as it may if gossip lost it: most others have it.
    Repair,
    /// This node asked for it, and most others have it.
    Asked,
    /// It was handed in there and is to be taken here: this node is the first to spread it.
    HandedOn,
}

impl Owner {
    /// Whether it waits for the transactions of a bundle together.
    pub(super) fn bundled(&self) -> bool {
        matches!(self, Owner::Gossip { ticket, .. } if ticket.route == Route::Gossipsub)
    }

    /// Where its transaction came from, as the pool asks it.
    pub(super) fn origin(&self) -> Origin {
        match self {
            Owner::Gossip { .. } | Owner::Offer { .. } => Origin::Remote,
            Owner::Submit { .. } => Origin::Local,
        }
    }
}

/// One check.
#[derive(Clone, Debug)]
pub(super) enum Job {
    /// Of a transaction, which gossip and submitters may wait for at once.
    Tx { id: TxId, owners: Vec<Owner> },
    /// Of a transaction that somebody only wants to know about.
    Test { token: Token, tx: UnverifiedTx },
    /// Of a gossiped block of so many bytes.
    Block { id: BlockId, owner: Owner, bytes: usize },
    /// Of the header of a gossiped block whose parent is not here.
    Orphan { block: Box<UnverifiedBlock>, owner: Owner },
    /// Of the header and the names of a gossiped compact block.
    Compact(Arrived),
    /// Of a block of so many bytes that was put together, which this peer delivered.
    Rebuilt { id: BlockId, from: PeerId, bytes: usize },
    /// Of all of a block of so many bytes, which this peer gave.
    Body { id: BlockId, from: PeerId, bytes: usize },
    /// Of blocks that waited for a parent; so many bytes in all.
    Adopted { bytes: usize },
    /// Of transactions that waited before a restart.
    Restored,
    /// Of headers that a peer gave, as many as one answer may hold or fewer.
    Headers { generation: u64, peer: PeerId, full: bool },
    /// Of the bodies of a chunk that a peer gave.
    Bodies { generation: u64, first: u64, peer: PeerId, ids: Vec<BlockId>, gift: Gift },
}

/// What a peer gave, for its measured speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gift {
    pub(super) bytes: usize,
    pub(super) micros: u64,
}

impl Job {
    /// What it holds in memory beyond a transaction, in bytes. Bodies are counted by the plan.
    fn bytes(&self) -> usize {
        match self {
            Job::Block { bytes, .. }
            | Job::Adopted { bytes }
            | Job::Rebuilt { bytes, .. }
            | Job::Body { bytes, .. } => *bytes,
            Job::Compact(arrived) => arrived.bytes(),
            Job::Orphan { block, .. } => block.size(),
            Job::Tx { .. }
            | Job::Test { .. }
            | Job::Restored
            | Job::Headers { .. }
            | Job::Bodies { .. } => 0,
        }
    }
}

/// All checks under way.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    next: u64,
    by_id: BTreeMap<JobId, Job>,
    transactions: BTreeMap<TxId, JobId>,
    blocks: BTreeMap<BlockId, JobId>,
    bytes: usize,
}

impl Jobs {
    pub(super) fn count(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.by_id.len() >= MAX_JOBS || self.bytes >= MAX_BYTES
    }

    /// Whether what can wait should: there is room for what cannot.
    pub(super) fn is_busy(&self) -> bool {
        self.by_id.len() >= MAX_JOBS / 4 || self.bytes >= MAX_BYTES / 4
    }

    pub(super) fn has_block(&self, id: &BlockId) -> bool {
        self.blocks.contains_key(id)
    }

    /// Lets another owner wait for a transaction's check, if one is under way.
    pub(super) fn join(&mut self, id: &TxId, owner: &Owner) -> bool {
        let job = self.transactions.get(id).and_then(|job| self.by_id.get_mut(job));
        match job {
            Some(Job::Tx { owners, .. }) if owners.len() < MAX_JOBS => {
                owners.push(owner.clone());
                true
            }
            _ => false,
        }
    }

    /// Lets a compact block wait until another one with the same header was checked; gives it back if
    /// none is being checked, or it need not be looked at beside that.
    pub(super) fn wait_behind(&mut self, rival: Arrived) -> Option<Arrived> {
        if self.is_full() {
            return Some(rival);
        }
        let job = self.blocks.get(&rival.id).and_then(|job| self.by_id.get_mut(job));
        match job {
            Some(Job::Compact(first)) if first.may_wait(&rival) => {
                self.bytes = self.bytes.saturating_add(rival.bytes());
                first.rivals.push(rival);
                None
            }
            _ => Some(rival),
        }
    }

    pub(super) fn start(&mut self, job: Job) -> JobId {
        let id = JobId(self.next);
        self.next += 1;
        match &job {
            Job::Tx { id: tx, .. } => drop(self.transactions.insert(*tx, id)),
            Job::Block { id: block, .. } => drop(self.blocks.insert(*block, id)),
            Job::Orphan { block, .. } => drop(self.blocks.insert(block.id(), id)),
            Job::Compact(arrived) => drop(self.blocks.insert(arrived.id, id)),
            Job::Test { .. }
            | Job::Restored
            | Job::Adopted { .. }
            | Job::Rebuilt { .. }
            | Job::Body { .. }
            | Job::Headers { .. }
            | Job::Bodies { .. } => {}
        }
        self.bytes = self.bytes.saturating_add(job.bytes());
        self.by_id.insert(id, job);
        id
    }

    pub(super) fn finish(&mut self, id: JobId) -> Option<Job> {
        let job = self.by_id.remove(&id)?;
        self.bytes = self.bytes.saturating_sub(job.bytes());
        match &job {
            Job::Tx { id: tx, .. } => drop(self.transactions.remove(tx)),
            Job::Block { id: block, .. } => drop(self.blocks.remove(block)),
            Job::Orphan { block, .. } => drop(self.blocks.remove(&block.id())),
            Job::Compact(arrived) => drop(self.blocks.remove(&arrived.id)),
            Job::Test { .. }
            | Job::Restored
            | Job::Adopted { .. }
            | Job::Rebuilt { .. }
            | Job::Body { .. }
            | Job::Headers { .. }
            | Job::Bodies { .. } => {}
        }
        Some(job)
    }
}
