//! The same pool as a plain list, by the plainest code that can be read against the rules.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use hearsay_chain::ledger::Account;
use hearsay_chain::{Address, TxId, VerifiedTx};

use crate::{Config, Departure, Inserted, State};

#[derive(Clone, Debug)]
pub(crate) struct Naive {
    pub(crate) config: Config,
    pub(crate) waiting: Vec<(VerifiedTx, u64)>,
    /// Accounts of those that wait, as last heard.
    accounts: BTreeMap<Address, Account>,
}

type Departed = Vec<(TxId, Departure)>;

fn nonce(tx: &VerifiedTx) -> u64 {
    tx.transfer().nonce
}

fn rate_order(a: &VerifiedTx, b: &VerifiedTx) -> Ordering {
    let product = |x: &VerifiedTx, y: &VerifiedTx| {
        u128::from(x.transfer().fee) * u128::try_from(y.size()).unwrap()
    };
    product(a, b).cmp(&product(b, a))
}

/// The better is the greater.
fn order(a: &VerifiedTx, b: &VerifiedTx) -> Ordering {
    rate_order(a, b).then(b.id().cmp(&a.id()))
}

impl Naive {
    pub(crate) fn new(config: Config) -> Self {
        Self { config, waiting: Vec::new(), accounts: BTreeMap::new() }
    }

    fn of(&self, sender: Address, at: u64) -> Option<&VerifiedTx> {
        self.waiting.iter().map(|(tx, _)| tx).find(|tx| tx.sender() == sender && nonce(tx) == at)
    }

    /// A sender's ready transactions under an account.
    fn run(&self, sender: Address, account: Account) -> Vec<VerifiedTx> {
        let mut run: Vec<VerifiedTx> = Vec::new();
        let mut left = account.balance;
        while let Some(tx) = self.of(sender, account.nonce + run.len() as u64)
            && let Some(rest) = left.checked_sub(tx.cost())
        {
            left = rest;
            run.push(tx.clone());
        }
        run
    }

    fn is_ready(&self, tx: &VerifiedTx) -> bool {
        self.run(tx.sender(), self.accounts[&tx.sender()]).contains(tx)
    }

    pub(crate) fn state(&self, tx: &VerifiedTx) -> State {
        let account = self.accounts[&tx.sender()];
        let run = self.run(tx.sender(), account);
        let end = account.nonce + run.len() as u64;
        if run.contains(tx) {
            State::Ready
        } else if self.of(tx.sender(), end).is_some() {
            State::Unfunded { nonce: end }
        } else {
            State::Queued { waiting_for: end }
        }
    }

    pub(crate) fn ids(&self) -> Vec<TxId> {
        let mut ids: Vec<TxId> = self.waiting.iter().map(|(tx, _)| tx.id()).collect();
        ids.sort();
        ids
    }

    pub(crate) fn bytes(&self) -> usize {
        self.waiting.iter().map(|(tx, _)| tx.size()).sum()
    }

    pub(crate) fn next_nonce(&self, sender: Address, account: Account) -> u64 {
        (account.nonce..).find(|nonce| self.of(sender, *nonce).is_none()).unwrap()
    }

    /// Again and again the best of those whose predecessor was taken.
    pub(crate) fn template(&self, max_bytes: usize, max_count: usize) -> Vec<VerifiedTx> {
        let mut open: Vec<VerifiedTx> = self.waiting.iter().map(|(tx, _)| tx.clone()).collect();
        open.retain(|tx| self.is_ready(tx));
        let (mut taken, mut room) = (Vec::new(), max_bytes);
        while taken.len() < max_count {
            let first = |tx: &&VerifiedTx| {
                !open.iter().any(|it| it.sender() == tx.sender() && nonce(it) < nonce(tx))
            };
            let Some(best) = open.iter().filter(first).max_by(|a, b| order(a, b)).cloned() else {
                break;
            };
            if best.size() <= room {
                room -= best.size();
                open.retain(|tx| tx.id() != best.id());
                taken.push(best);
            } else {
                open.retain(|tx| tx.sender() != best.sender());
            }
        }
        taken
    }

    pub(crate) fn insert(
        &mut self,
        tx: &VerifiedTx,
        account: Account,
        now_us: u64,
        next_height: u64,
    ) -> Result<Inserted, &'static str> {
        let (sender, transfer) = (tx.sender(), tx.transfer());
        if self.waiting.iter().any(|(it, _)| it.id() == tx.id()) {
            return Err("known");
        }
        if nonce(tx) < account.nonce {
            return Err("nonce-used");
        }
        if transfer.expiry.is_some_and(|expiry| expiry < next_height) {
            return Err("expired");
        }
        if nonce(tx) >= account.nonce + self.config.max_per_sender {
            return Err("nonce-too-far");
        }
        let replaced = self.of(sender, nonce(tx)).cloned();
        if let Some(old) = &replaced {
            let new_side = u128::from(transfer.fee) * old.size() as u128 * 100;
            let percent = u128::from(100 + self.config.replacement_percent);
            let old_side = u128::from(old.transfer().fee) * tx.size() as u128 * percent;
            if new_side < old_side || rate_order(tx, old).is_le() {
                return Err("underpriced");
            }
        }
        let run = self.run(sender, account);
        let others = run.iter().filter(|it| Some(*it) != replaced.as_ref());
        let together: u128 = others.chain([tx]).map(|it| u128::from(it.cost())).sum();
        if together > u128::from(account.balance) {
            return Err("balance");
        }

        let mut after = self.clone();
        let were_ready: Vec<TxId> = self
            .ids()
            .into_iter()
            .filter(|id| self.by_id(id).is_some_and(|tx| self.is_ready(tx)))
            .collect();
        after.accounts.insert(sender, account);
        let outdated = after.drop_used(sender);
        after.waiting.retain(|(it, _)| Some(it) != replaced.as_ref());
        after.waiting.push((tx.clone(), now_us));
        let evicted = after.trim(Some(tx)).ok_or("pool-full")?;
        let mut promoted: Vec<VerifiedTx> = after.run(sender, account);
        promoted.retain(|it| it != tx && !were_ready.contains(&it.id()));
        *self = after;
        Ok(Inserted {
            ready: self.is_ready(tx),
            replaced: replaced.map(|it| it.id()),
            evicted,
            promoted: promoted.iter().map(VerifiedTx::id).collect(),
            outdated,
        })
    }

    fn by_id(&self, id: &TxId) -> Option<&VerifiedTx> {
        self.waiting.iter().map(|(tx, _)| tx).find(|tx| tx.id() == *id)
    }

    fn drop_used(&mut self, sender: Address) -> Vec<TxId> {
        let next = self.accounts[&sender].nonce;
        let used = |tx: &VerifiedTx| tx.sender() == sender && nonce(tx) < next;
        let mut dropped: Vec<VerifiedTx> =
            self.waiting.iter().map(|(tx, _)| tx.clone()).filter(used).collect();
        dropped.sort_by_key(nonce);
        self.waiting.retain(|(tx, _)| !used(tx));
        dropped.iter().map(VerifiedTx::id).collect()
    }

    /// Takes the worst sender's last one until all fits; none if the newcomer would have to go, or
    /// pays no more than what it pushes out.
    fn trim(&mut self, newcomer: Option<&VerifiedTx>) -> Option<Vec<TxId>> {
        let mut evicted = Vec::new();
        while self.waiting.len() > self.config.max_count || self.bytes() > self.config.max_bytes {
            let rank = |a: &VerifiedTx, b: &VerifiedTx| {
                self.is_ready(a).cmp(&self.is_ready(b)).then(order(a, b))
            };
            let others = self.waiting.iter().map(|(tx, _)| tx).filter(|tx| Some(*tx) != newcomer);
            let worst = others.min_by(|a, b| rank(a, b))?.clone();
            if let Some(newcomer) = newcomer {
                let (old, new) = (self.is_ready(&worst), self.is_ready(newcomer));
                if (old && !new) || (old == new && rate_order(newcomer, &worst).is_le()) {
                    return None;
                }
            }
            let of_worst = self.waiting.iter().map(|(tx, _)| tx);
            let last =
                of_worst.filter(|tx| tx.sender() == worst.sender()).max_by_key(|tx| nonce(tx));
            let last = last?.clone();
            if Some(&last) == newcomer {
                return None;
            }
            evicted.push(last.id());
            self.waiting.retain(|(tx, _)| *tx != last);
        }
        Some(evicted)
    }

    pub(crate) fn expire(&mut self, now_us: u64, next_height: u64) -> Departed {
        let mut departed = Vec::new();
        let max_age_us = self.config.max_age_us;
        self.waiting.retain(|(tx, arrived_us)| {
            if tx.transfer().expiry.is_some_and(|expiry| expiry < next_height) {
                departed.push((tx.id(), Departure::Expired));
                false
            } else if arrived_us + max_age_us <= now_us {
                departed.push((tx.id(), Departure::TooOld));
                false
            } else {
                true
            }
        });
        departed
    }

    pub(crate) fn account_changed(&mut self, sender: Address, account: Account) -> Departed {
        self.accounts.insert(sender, account);
        self.drop_used(sender).into_iter().map(|id| (id, Departure::NonceUsed)).collect()
    }

    pub(crate) fn tip_changed(
        &mut self,
        included: &[VerifiedTx],
        abandoned: &[VerifiedTx],
        account: impl Fn(&Address) -> Account,
        now_us: u64,
        next_height: u64,
    ) -> Departed {
        let mut departed = Vec::new();
        for tx in abandoned.iter().filter(|tx| !included.contains(tx)) {
            if self.by_id(&tx.id()).is_some() {
                continue;
            }
            if nonce(tx) < account(&tx.sender()).nonce {
                departed.push((tx.id(), Departure::NonceUsed));
            } else if let Some(rival) = self.of(tx.sender(), nonce(tx)).cloned() {
                let stays = order(&rival, tx).is_gt();
                let loser = if stays { tx } else { &rival };
                departed.push((loser.id(), Departure::Replaced));
                if !stays {
                    self.waiting.retain(|(it, _)| *it != rival);
                    self.waiting.push((tx.clone(), now_us));
                }
            } else {
                self.waiting.push((tx.clone(), now_us));
            }
        }
        for tx in included.iter().chain(abandoned) {
            for address in [tx.sender(), tx.transfer().recipient] {
                self.accounts.insert(address, account(&address));
                departed.extend(self.drop_used(address).into_iter().map(|id| {
                    let stands = included.iter().any(|tx| tx.id() == id);
                    (id, if stands { Departure::Included } else { Departure::NonceUsed })
                }));
            }
        }
        departed.extend(self.expire(now_us, next_height));
        let evicted = self.trim(None).unwrap();
        departed.extend(evicted.into_iter().map(|id| (id, Departure::Evicted)));
        departed
    }
}
