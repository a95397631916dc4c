//! What goes into the next block: the best fee per byte first, each sender's nonces in order.
//!
//! Nothing is sorted here. The heads of all senders are in order already; what follows a head that
//! was taken joins a small order of its own, and the better of the two comes next.

use std::collections::{BTreeMap, btree_set};
use std::iter::{Peekable, Rev};

use hearsay_chain::VerifiedTx;

use crate::order::Priority;
use crate::pool::Pool;

/// The size of the smallest transaction: the fixed fields, no expiry, an empty payload. Less room
/// than this takes nothing.
const SMALLEST_TX_BYTES: usize = 8 + 32 + 8 + 32 + 8 + 8 + 1 + 4 + 64;

/// How many transactions that do not fit are passed over before a template is called full. Without
/// a bound, a pool of large ones would be searched to its end for a small one.
const MAX_PASSED_OVER: usize = 1_000;

/// The ready transactions, best first. A step takes O(log n).
#[derive(Clone, Debug)]
pub struct Best<'a> {
    pool: &'a Pool,
    heads: Peekable<Rev<btree_set::Iter<'a, Priority>>>,
    followers: BTreeMap<Priority, &'a VerifiedTx>,
    last: Option<&'a VerifiedTx>,
}

impl<'a> Best<'a> {
    /// Leaves out what depends on the transaction that came last.
    pub(crate) fn pass_over(&mut self) {
        self.last = None;
    }

    fn ready(&self, tx: &VerifiedTx, nonce: Option<u64>) -> Option<&'a VerifiedTx> {
        self.pool.senders.get(&tx.sender())?.ready(nonce?)
    }
}

impl<'a> Iterator for Best<'a> {
    type Item = &'a VerifiedTx;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(last) = self.last.take() {
            let follower = self.ready(last, last.transfer().nonce.checked_add(1));
            self.followers.extend(follower.map(|tx| (Priority::of(tx), tx)));
        }
        let follower = self.followers.last_key_value().map(|(priority, _)| priority);
        let head = self.heads.peek().copied();
        self.last = if head > follower {
            self.heads.next();
            head.and_then(|head| self.pool.get(&head.id()))
        } else {
            self.followers.pop_last().map(|(_, tx)| tx)
        };
        self.last
    }
}

impl Pool {
    /// The ready transactions, the best fee per byte first, each sender's in the order of nonces.
    /// Equal fees are ordered by id.
    #[must_use]
    pub fn best(&self) -> Best<'_> {
        Best {
            pool: self,
            heads: self.index.heads.iter().rev().peekable(),
            followers: BTreeMap::new(),
            last: None,
        }
    }

    /// The transactions for a block of at most `max_bytes` and `max_count`, in order. One that does
    /// not fit is left out with all that depend on it, and others take the room.
    #[must_use]
    pub fn template(&self, max_bytes: usize, max_count: usize) -> Vec<VerifiedTx> {
        let mut template = Vec::new();
        let mut room = max_bytes;
        let mut passed_over = 0;
        let mut best = self.best();
        while template.len() < max_count
            && room >= SMALLEST_TX_BYTES
            && passed_over < MAX_PASSED_OVER
            && let Some(tx) = best.next()
        {
            if let Some(left) = room.checked_sub(tx.size()) {
                room = left;
                template.push(tx.clone());
            } else {
                passed_over += 1;
                best.pass_over();
            }
        }
        template
    }
}
