//! What goes into the next block: the best fee per byte first, each sender's nonces in order.
//!
//! Nothing is sorted here. The heads of all senders are in order already; what follows a head that
//! was taken joins a heap of its own, and the better of the two comes next. So a block costs what is
//! in it, whatever the pool holds.

use std::collections::{BinaryHeap, btree_set};
use std::iter::{Peekable, Rev};

use hearsay_chain::VerifiedTx;

use crate::key::Key;
use crate::pool::Pool;
use crate::rate::FeeRate;

/// The size of the smallest transaction: the fixed fields, no expiry, an empty payload. Less room
/// than this takes nothing.
const SMALLEST_TX_BYTES: usize = 8 + 32 + 8 + 32 + 8 + 8 + 1 + 4 + 64;

/// How many transactions that do not fit are passed over before a template is called full. Without
/// a bound, a pool of large ones would be searched to its end for a small one.
const MAX_PASSED_OVER: usize = 1_000;

/// A ready transaction that may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Next {
    key: Key,
    sender: u32,
    /// Its place in the sender's run.
    at: u32,
}

/// The ready transactions, best first. A step takes O(log n).
#[derive(Clone, Debug)]
pub struct Best<'a> {
    pool: &'a Pool,
    heads: Peekable<Rev<btree_set::Iter<'a, Key>>>,
    followers: BinaryHeap<Next>,
    last: Option<Next>,
}

impl<'a> Best<'a> {
    /// Leaves out what depends on the transaction that came last.
    fn pass_over(&mut self) {
        self.last = None;
    }

    fn after(&self, last: Next) -> Option<Next> {
        let at = last.at + 1;
        let entry = self.pool.senders[last.sender].ready().get(at as usize)?;
        Some(Next { key: entry.key(), at, ..last })
    }

    fn next_one(&mut self) -> Option<Next> {
        if let Some(last) = self.last.take() {
            self.followers.extend(self.after(last));
        }
        let head = self.heads.peek().map(|it| **it);
        if head > self.followers.peek().map(|it| it.key) {
            self.heads.next();
            let key = head?;
            Some(Next { key, sender: self.pool.residents[key.slot().number()].owner, at: 0 })
        } else {
            self.followers.pop()
        }
    }
}

impl<'a> Iterator for Best<'a> {
    type Item = &'a VerifiedTx;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_one()?;
        self.last = Some(next);
        Some(&self.pool.residents[next.key.slot().number()].tx)
    }
}

impl Pool {
    /// The ready transactions, the best fee per byte first, each sender's in the order of nonces.
    /// Equal fees are ordered by id.
    #[must_use]
    pub fn best(&self) -> Best<'_> {
        Best {
            pool: self,
            heads: self.heads.iter().rev().peekable(),
            followers: BinaryHeap::new(),
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

    /// The fee per byte that puts a transaction among what goes into blocks first, as far as `bytes`
    /// and `count` reach together; none if the pool holds less than that. It ties with another there.
    /// Takes time in proportion to what is reached.
    #[must_use]
    pub fn rate_at(&self, bytes: usize, count: usize) -> Option<FeeRate> {
        let mut left = bytes;
        let mut least: Option<FeeRate> = None;
        for (tx, number) in self.best().zip(1..) {
            let rate = FeeRate::of(tx.transfer().fee, tx.size());
            // A newcomer comes before the first that pays less, wherever that stands.
            least = Some(least.map_or(rate, |it| it.min(rate)));
            left = left.saturating_sub(tx.size());
            if left == 0 || number >= count {
                return least;
            }
        }
        None
    }
}
