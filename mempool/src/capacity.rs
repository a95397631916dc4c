//! Which transactions leave when there is no room.
//!
//! The one of the lowest rank must go, and with it those of its sender that come after it. Of these
//! the last goes first, and no more go than must: so no transaction is ever cut off from one that
//! it needs, and what leaves is always what [`Pool::best`] would come to last.

use std::collections::BTreeMap;

use hearsay_chain::{Address, TxId};

use crate::departure::Departure;
use crate::order::{FeeRate, Priority, Rank};
use crate::pool::Pool;
use crate::sender::{Run, Sender};

/// How much is too much.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Excess {
    pub(crate) count: usize,
    pub(crate) bytes: usize,
}

impl Excess {
    fn is_none(&self) -> bool {
        self.count == 0 && self.bytes == 0
    }

    fn free(&mut self, bytes: usize) {
        self.count = self.count.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// A transaction that wants to come in.
pub(crate) struct Newcomer<'a> {
    pub(crate) address: Address,
    pub(crate) nonce: u64,
    pub(crate) rate: FeeRate,
    /// Its sender without it.
    pub(crate) sender: &'a Sender,
    /// Its sender's run with it.
    pub(crate) run: Run,
}

impl Newcomer<'_> {
    fn rank(&self) -> Rank {
        let ready = self.run.contains(self.nonce);
        Rank { ready, priority: Priority::of_newcomer(self.rate) }
    }

    /// Whether coming in leaves the rank of this transaction of its sender as it is.
    fn leaves_alone(&self, nonce: u64, rank: &Rank) -> bool {
        nonce != self.nonce && nonce >= self.run.start && rank.ready == self.run.contains(nonce)
    }

    /// The ranks that its sender's transactions get by its coming in, the lowest first.
    fn changed(&self) -> Vec<(Rank, u64)> {
        let before = self.sender.run();
        let promoted = self.run.minus(&before).map(|range| (range, true));
        let demoted = before.minus(&self.run).map(|range| (range, false));
        let mut changed: Vec<(Rank, u64)> = promoted
            .into_iter()
            .chain(demoted)
            .flat_map(|(range, ready)| {
                self.sender.waiting().range(range).map(move |(nonce, it)| {
                    (Rank { ready, priority: Priority::of(&it.tx) }, *nonce)
                })
            })
            .filter(|(_, nonce)| *nonce != self.nonce && *nonce >= self.run.start)
            .collect();
        changed.sort_unstable();
        changed
    }
}

impl Pool {
    /// What must leave for a newcomer; none if it is not worth what it would push out.
    pub(crate) fn victims(&self, newcomer: &Newcomer<'_>, mut excess: Excess) -> Option<Vec<TxId>> {
        let mut victims = Vec::new();
        if excess.is_none() {
            return Some(victims);
        }
        // The nonce from which on a sender's transactions are victims already.
        let mut cuts: BTreeMap<Address, u64> = BTreeMap::new();
        let own_rank = newcomer.rank();
        for (rank, address, nonce) in self.ranks_with(newcomer) {
            if rank >= own_rank {
                return None;
            }
            let cut = cuts.entry(address).or_insert(u64::MAX);
            let own = address == newcomer.address && nonce < newcomer.nonce;
            let lowest = if own { newcomer.nonce + 1 } else { nonce };
            let sender = self.senders.get(&address)?;
            for (nonce, it) in sender.waiting().range(lowest.min(*cut)..*cut).rev() {
                victims.push(it.tx.id());
                excess.free(it.tx.size());
                *cut = *nonce;
                if excess.is_none() {
                    return Some(victims);
                }
            }
            // What must go next is the newcomer itself.
            if own {
                return None;
            }
        }
        None
    }

    /// All ranks as they will be with the newcomer in, the lowest first, without its own.
    fn ranks_with<'a>(
        &'a self,
        newcomer: &'a Newcomer<'a>,
    ) -> impl Iterator<Item = (Rank, Address, u64)> + 'a {
        let unchanged = self.index.ranks.iter().filter_map(|rank| {
            let place = self.index.places.get(&rank.priority.id())?;
            let same = place.sender != newcomer.address || newcomer.leaves_alone(place.nonce, rank);
            same.then_some((*rank, place.sender, place.nonce))
        });
        let changed = newcomer.changed().into_iter();
        merge(unchanged, changed.map(|(rank, nonce)| (rank, newcomer.address, nonce)))
    }

    /// Makes the pool fit its bounds.
    pub(crate) fn trim(&mut self) -> Vec<(TxId, Departure)> {
        let mut departed = Vec::new();
        while self.len() > self.config().max_count || self.index.bytes > self.config().max_memory {
            let Some(id) = self.last_of_worst() else { break };
            self.remove(&id);
            departed.push((id, Departure::Evicted));
        }
        departed
    }

    fn last_of_worst(&self) -> Option<TxId> {
        let worst = self.index.ranks.first()?;
        let place = self.index.places.get(&worst.priority.id())?;
        let (_, last) = self.senders.get(&place.sender)?.waiting().last_key_value()?;
        Some(last.tx.id())
    }
}

/// Two ascending sequences as one.
fn merge<T: Ord>(
    a: impl Iterator<Item = T>,
    b: impl Iterator<Item = T>,
) -> impl Iterator<Item = T> {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    std::iter::from_fn(move || match (a.peek(), b.peek()) {
        (Some(x), Some(y)) if y < x => b.next(),
        (Some(_), _) => a.next(),
        (None, _) => b.next(),
    })
}
