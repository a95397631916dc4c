//! What must hold between any two operations, recomputed from the ground up. For tests.

use std::collections::BTreeSet;

use crate::ages::Ages;
use crate::key::{Entry, Key};
use crate::memory::SENDER_CHARGE;
use crate::pool::{Pool, Sums};
use crate::rate::FeeRate;
use crate::sender::{Sender, extend};

impl Pool {
    /// Checks every index against the transactions, in time proportional to the pool.
    ///
    /// # Panics
    /// When they disagree: a fault of this crate.
    #[doc(hidden)]
    pub fn check_invariants(&self) {
        let mut sums = Sums::default();
        let (mut heads, mut tails, mut expiries) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut count = 0;
        for (owner, sender) in self.senders.iter() {
            self.check_sender(owner, sender);
            for entry in sender.entries() {
                let resident = &self.residents[entry.slot.number()];
                let charge = resident.charge();
                sums.bytes += resident.tx.size();
                sums.memory += charge;
                sums.local += usize::from(entry.slot.is_protected());
                sums.local_memory += if entry.slot.is_protected() { charge } else { 0 };
                let expiry = resident.tx.transfer().expiry;
                expiries.extend(expiry.map(|expiry| (expiry, entry.slot.number())));
            }
            sums.memory += SENDER_CHARGE;
            sums.ready += sender.run_len();
            count += sender.entries().len();
            heads.extend(sender.head());
            tails.extend(weakest_of_tail(sender));
        }
        assert_eq!(self.sums, sums);
        assert_eq!((&self.heads, &self.tails), (&heads, &tails), "the orders");
        assert_eq!(self.expiries, expiries);
        assert_eq!([self.residents.len(), self.ids.len(), self.ages_len()], [count; 3]);
        assert_eq!(self.addresses.len(), self.senders.len());
        assert!(count <= self.config.max_count, "more than max_count");
        assert!(sums.memory <= self.config.max_memory, "more than max_memory");
    }

    fn check_sender(&self, owner: u32, sender: &Sender) {
        let (address, account, entries) = (sender.address, sender.account(), sender.entries());
        assert!(!entries.is_empty(), "{address} has nothing here");
        assert_eq!(self.find_sender(&address), Some(owner));
        assert_eq!(sender.run_len(), extend(account, (0, 0), entries).0, "the run of {address}");
        assert!(entries.is_sorted_by(|a, b| a.nonce < b.nonce));
        for (at, entry) in entries.iter().enumerate() {
            let part = if at < sender.run_len() { 0 } else { sender.run_len() };
            let least = entries[part..=at].iter().map(Entry::key).min();
            assert_eq!(least, Some(entries[entry.weakest as usize].key()), "the weakest");
            let resident = &self.residents[entry.slot.number()];
            let tx = &resident.tx;
            assert_eq!((tx.sender(), resident.owner), (address, owner));
            assert_eq!((tx.transfer().nonce, resident.nonce()), (entry.nonce, entry.nonce));
            assert!(entry.nonce >= account.nonce, "{address} has used nonce {}", entry.nonce);
            assert_eq!(entry.cost, tx.cost());
            let rate = FeeRate::of(tx.transfer().fee, tx.size());
            assert_eq!(entry.key(), Key::new(rate, &tx.id(), entry.slot));
            assert_eq!(self.find(&tx.id()), Some(entry.slot.number()));
        }
    }

    /// The length of the list by age, which must be in order and whole both ways.
    fn ages_len(&self) -> usize {
        let (mut at, mut before, mut since, mut len) = (self.ages.oldest, Ages::NONE, 0, 0);
        while at != Ages::NONE {
            let it = &self.residents[at];
            assert!(it.older == before && it.arrived_us >= since, "the order of arrival");
            (before, since, at, len) = (at, it.arrived_us, it.newer, len + 1);
        }
        assert_eq!(self.ages.newest, before);
        len
    }
}

fn weakest_of_tail(sender: &Sender) -> Option<Key> {
    let entries = sender.entries();
    let last = entries.last().filter(|_| entries.iter().any(|it| !it.slot.is_protected()))?;
    let is_ready = |nonce: u64| sender.run().contains(&nonce);
    let ready = is_ready(last.nonce);
    let part = entries.iter().filter(|it| is_ready(it.nonce) == ready);
    part.map(|it| if ready { it.key() } else { it.key().queued() }).min()
}
