//! What the pool looks transactions up by, besides sender and nonce: id, rank, age and expiry.
//!
//! Every change is O(log n). Who calls says whether a transaction is ready; the index only records
//! it, so that it can never disagree with the sender about what that means.

use std::collections::{BTreeMap, BTreeSet};

use hearsay_chain::{Address, TxId, VerifiedTx};

use crate::order::{Priority, Rank};
use crate::sender::Waiting;

/// Where a transaction is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) sender: Address,
    pub(crate) nonce: u64,
}

/// Orders over all transactions, and their sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Index {
    /// Every transaction.
    pub(crate) places: BTreeMap<TxId, Place>,
    /// Every transaction, the first to leave first.
    pub(crate) ranks: BTreeSet<Rank>,
    /// The first ready transaction of each sender, the best last.
    pub(crate) heads: BTreeSet<Priority>,
    /// Every transaction, the oldest first.
    pub(crate) arrivals: BTreeSet<(u64, TxId)>,
    /// Those with a last height, the lowest first.
    pub(crate) expiries: BTreeSet<(u64, TxId)>,
    /// The size of all encodings.
    pub(crate) bytes: usize,
    /// How many are ready.
    pub(crate) ready: usize,
}

impl Index {
    pub(crate) fn add(&mut self, it: &Waiting, ready: bool) {
        let (id, transfer) = (it.tx.id(), it.tx.transfer());
        self.places.insert(id, Place { sender: it.tx.sender(), nonce: transfer.nonce });
        self.ranks.insert(Rank { ready, priority: Priority::of(&it.tx) });
        self.arrivals.insert((it.arrived_us, id));
        self.expiries.extend(transfer.expiry.map(|expiry| (expiry, id)));
        self.bytes += it.tx.size();
        self.ready += usize::from(ready);
    }

    pub(crate) fn remove(&mut self, it: &Waiting, ready: bool) {
        let id = it.tx.id();
        self.places.remove(&id);
        self.ranks.remove(&Rank { ready, priority: Priority::of(&it.tx) });
        self.arrivals.remove(&(it.arrived_us, id));
        if let Some(expiry) = it.tx.transfer().expiry {
            self.expiries.remove(&(expiry, id));
        }
        self.bytes -= it.tx.size();
        self.ready -= usize::from(ready);
    }

    /// Records that a queued transaction became ready, or the other way round.
    pub(crate) fn mark(&mut self, tx: &VerifiedTx, ready: bool) {
        let priority = Priority::of(tx);
        self.ranks.remove(&Rank { ready: !ready, priority });
        self.ranks.insert(Rank { ready, priority });
        if ready {
            self.ready += 1;
        } else {
            self.ready -= 1;
        }
    }
}
