//! What there is to see of the naive pool.

use std::collections::BTreeSet;
use std::ops::Range;

use hearsay_chain::{Address, VerifiedTx};

use super::naive::{Naive, nonce};
use crate::{FeeRate, Origin, SenderView, Totals};

impl Naive {
    pub(crate) fn totals(&self) -> Totals {
        let ready = self.held.iter().filter(|it| self.is_ready(&it.tx)).count();
        Totals {
            count: self.held.len(),
            ready,
            queued: self.held.len() - ready,
            bytes: self.held.iter().map(|it| it.tx.size()).sum(),
            memory: self.memory(),
            local: self.held.iter().filter(|it| it.origin == Origin::Local).count(),
            senders: self.addresses().len(),
            max_count: self.config.max_count,
            max_memory: self.config.max_memory,
        }
    }

    fn addresses(&self) -> BTreeSet<Address> {
        self.held.iter().map(|it| it.tx.sender()).collect()
    }

    /// The least that is asked of a transaction from elsewhere.
    pub(crate) fn least(&self, now_us: u64) -> FeeRate {
        let min = FeeRate::from_per_kb(self.config.min_fee_per_kb);
        if self.holds_what_cannot_be_paid() { min } else { self.floor.at(now_us).max(min) }
    }

    pub(crate) fn senders(&self) -> Vec<SenderView> {
        self.addresses().into_iter().map(|address| self.sender(address)).collect()
    }

    fn sender(&self, address: Address) -> SenderView {
        let account = self.accounts[&address];
        let run = self.run(address, account).len();
        let of_sender = self.of(address);
        let txs: Vec<&VerifiedTx> = of_sender.iter().map(|it| &it.tx).collect();
        let last = txs.iter().map(|tx| nonce(tx)).max().unwrap();
        let mut gaps: Vec<Range<u64>> = Vec::new();
        for missing in (account.nonce..last).filter(|at| self.at(address, *at).is_none()) {
            match gaps.last_mut() {
                Some(Range { end, .. }) if *end == missing => *end += 1,
                _ => gaps.push(missing..missing + 1),
            }
        }
        SenderView {
            address,
            account,
            ready: account.nonce..account.nonce + run as u64,
            queued: txs.len() - run,
            gaps,
            bytes: txs.iter().map(|tx| tx.size()).sum(),
            cost: txs.iter().map(|tx| u128::from(tx.cost())).sum(),
            oldest_us: of_sender.iter().map(|it| it.arrived_us).min().unwrap(),
        }
    }
}
