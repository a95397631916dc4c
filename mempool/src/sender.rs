//! One sender's transactions by nonce, and how many of them could go into a block now.

use std::collections::BTreeMap;
use std::ops::Range;

use hearsay_chain::ledger::Account;
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{TxId, VerifiedTx};

use crate::index::Index;
use crate::order::Priority;

/// A transaction and when it came.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) tx: VerifiedTx,
    pub(crate) arrived_us: u64,
}

/// What a transfer takes from its sender. Wider than a balance, so that sums cannot overflow.
pub(crate) fn cost(transfer: &Transfer) -> u128 {
    u128::from(transfer.amount) + u128::from(transfer.fee)
}

/// The nonces that are ready: without a gap from the account's nonce on, and payable together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// The account's nonce.
    pub(crate) start: u64,
    /// The first nonce that is not ready.
    pub(crate) end: u64,
    /// What all of it costs.
    pub(crate) cost: u128,
}

impl Run {
    fn empty(start: u64) -> Self {
        Self { start, end: start, cost: 0 }
    }

    pub(crate) fn contains(&self, nonce: u64) -> bool {
        (self.start..self.end).contains(&nonce)
    }

    /// The nonces in this run and not in the other: before it and after it.
    pub(crate) fn minus(&self, other: &Run) -> [Range<u64>; 2] {
        let before = self.start..self.end.min(other.start).max(self.start);
        let after_start = self.start.max(other.end);
        [before, after_start..self.end.max(after_start)]
    }
}

/// One sender's transactions.
///
/// Between two operations of the pool the run is as long as it can be, and nothing waits below it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sender {
    account: Account,
    run: Run,
    waiting: BTreeMap<u64, Waiting>,
}

impl Sender {
    /// The account as the pool last heard of it.
    pub(crate) fn account(&self) -> Account {
        self.account
    }

    pub(crate) fn run(&self) -> Run {
        self.run
    }

    pub(crate) fn waiting(&self) -> &BTreeMap<u64, Waiting> {
        &self.waiting
    }

    /// The first ready one.
    pub(crate) fn head(&self) -> Option<Priority> {
        self.ready(self.run.start).map(Priority::of)
    }

    /// The transaction of a nonce, if it is ready.
    pub(crate) fn ready(&self, nonce: u64) -> Option<&VerifiedTx> {
        if self.run.contains(nonce) { self.waiting.get(&nonce).map(|it| &it.tx) } else { None }
    }

    /// The first nonce from the account's on for which nothing waits.
    pub(crate) fn next_nonce(&self, account: Account) -> u64 {
        let end = self.run_under(account).end;
        (end..u64::MAX).find(|nonce| !self.waiting.contains_key(nonce)).unwrap_or(u64::MAX)
    }

    /// The run if the account were this. At once if it is; else in steps of the run's length.
    pub(crate) fn run_under(&self, account: Account) -> Run {
        if account == self.account {
            self.run
        } else {
            self.extend(Run::empty(account.nonce), account.balance, None)
        }
    }

    /// The run if the account were this and `cost` were what `nonce` costs.
    ///
    /// # Errors
    /// The cost of the run that it has and of this one together, if the account cannot pay that.
    pub(crate) fn run_with(&self, account: Account, nonce: u64, cost: u128) -> Result<Run, u128> {
        let mut run = self.run_under(account);
        let replaced = self.ready_cost(&run, nonce);
        let together = run.cost - replaced.unwrap_or(0) + cost;
        if together > u128::from(account.balance) {
            return Err(together);
        }
        if replaced.is_some() {
            run.cost = together;
        }
        Ok(self.extend(run, account.balance, Some((nonce, cost))))
    }

    fn ready_cost(&self, run: &Run, nonce: u64) -> Option<u128> {
        if run.contains(nonce) { self.cost_of(nonce) } else { None }
    }

    fn cost_of(&self, nonce: u64) -> Option<u128> {
        self.waiting.get(&nonce).map(|it| cost(it.tx.transfer()))
    }

    /// Makes a run as long as the balance and the nonces allow, as if the newcomer were in.
    fn extend(&self, mut run: Run, balance: u64, newcomer: Option<(u64, u128)>) -> Run {
        loop {
            let cost = match newcomer {
                Some((nonce, cost)) if nonce == run.end => Some(cost),
                _ => self.cost_of(run.end),
            };
            let (Some(cost), Some(end)) = (cost, run.end.checked_add(1)) else { return run };
            if run.cost + cost > u128::from(balance) {
                return run;
            }
            run = Run { end, cost: run.cost + cost, ..run };
        }
    }

    /// Puts a transaction in its place and returns the one that stood there. In the run it must be
    /// payable, as [`Sender::run_with`] tells; the run is not extended.
    pub(crate) fn put(&mut self, it: Waiting, index: &mut Index) -> Option<Waiting> {
        let nonce = it.tx.transfer().nonce;
        let ready = self.run.contains(nonce);
        let cost = cost(it.tx.transfer());
        let replaced_cost = self.ready_cost(&self.run, nonce);
        index.add(&it, ready);
        let replaced = self.waiting.insert(nonce, it);
        if let Some(replaced) = &replaced {
            index.remove(replaced, ready);
        }
        if let Some(replaced_cost) = replaced_cost {
            self.run.cost = self.run.cost - replaced_cost + cost;
        }
        replaced
    }

    /// Takes a transaction out. What follows it is then queued.
    pub(crate) fn take(&mut self, nonce: u64, index: &mut Index) -> Option<Waiting> {
        let it = self.waiting.remove(&nonce)?;
        let ready = self.run.contains(nonce);
        index.remove(&it, ready);
        if ready {
            self.run.cost -= cost(it.tx.transfer());
            for (_, follower) in self.waiting.range(nonce..self.run.end) {
                self.run.cost -= cost(follower.tx.transfer());
                index.mark(&follower.tx, false);
            }
            self.run.end = nonce;
        }
        Some(it)
    }

    /// Brings the sender in line with its account: the run becomes what it can, and used nonces
    /// leave. Returns these.
    pub(crate) fn settle(&mut self, account: Account, index: &mut Index) -> Vec<TxId> {
        let before = self.run;
        let kept = if account == self.account { before } else { Run::empty(account.nonce) };
        let after = self.extend(kept, account.balance, None);
        let mut outdated = Vec::new();
        while let Some(first) = self.waiting.first_entry().filter(|it| *it.key() < account.nonce) {
            let (nonce, it) = first.remove_entry();
            index.remove(&it, before.contains(nonce));
            outdated.push(it.tx.id());
        }
        for tx in self.among(after.minus(&before)) {
            index.mark(tx, true);
        }
        for tx in self.among(before.minus(&after)) {
            index.mark(tx, false);
        }
        self.account = account;
        self.run = after;
        outdated
    }

    /// Those that are ready now and were not in another run.
    pub(crate) fn ready_since(&self, before: &Run) -> impl Iterator<Item = &VerifiedTx> {
        self.among(self.run.minus(before))
    }

    fn among(&self, ranges: [Range<u64>; 2]) -> impl Iterator<Item = &VerifiedTx> {
        ranges.into_iter().flat_map(|range| self.waiting.range(range)).map(|(_, it)| &it.tx)
    }
}
