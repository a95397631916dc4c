//! The same pool as a plain list, by the plainest code that can be read against the rules. With the
//! pool it shares what a transaction is charged, what a fee per byte is and how the floor falls.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use hearsay_chain::ledger::Account;
use hearsay_chain::{Address, TxId, VerifiedTx};

use crate::admission::SOON;
use crate::floor::Floor;
use crate::memory::{SENDER_CHARGE, charge};
use crate::{Config, FeeRate, Inserted, Now, Origin, Refusal, State};

/// One that waits.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) tx: VerifiedTx,
    /// Local only if it is protected.
    pub(crate) origin: Origin,
    pub(crate) arrived_us: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Naive {
    pub(crate) config: Config,
    pub(crate) held: Vec<Held>,
    /// Accounts of those that wait, as last heard.
    pub(crate) accounts: BTreeMap<Address, Account>,
    pub(crate) floor: Floor,
}

/// The better is the greater: more per byte, then the smaller id.
pub(crate) type Key = (FeeRate, Reverse<TxId>);

pub(crate) fn nonce(tx: &VerifiedTx) -> u64 {
    tx.transfer().nonce
}

pub(crate) fn key(tx: &VerifiedTx) -> Key {
    (FeeRate::of(tx.transfer().fee, tx.size()), Reverse(tx.id()))
}

fn cost<'a>(transactions: impl IntoIterator<Item = &'a VerifiedTx>) -> u128 {
    let of = |tx: &VerifiedTx| u128::from(tx.transfer().amount) + u128::from(tx.transfer().fee);
    transactions.into_iter().map(of).sum()
}

/// What is asked of the pool and of this one alike.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) tx: VerifiedTx,
    pub(crate) origin: Origin,
    /// When it came, if that was before a restart.
    pub(crate) restored_us: Option<u64>,
    pub(crate) account: Account,
    pub(crate) now: Now,
}

impl Naive {
    pub(crate) fn new(config: Config) -> Self {
        let floor = Floor::new(config.floor_half_life_us);
        let mut naive = Self { config, held: Vec::new(), accounts: BTreeMap::new(), floor };
        naive.set_pace(0);
        naive
    }

    pub(crate) fn get(&self, id: &TxId) -> Option<&Held> {
        self.held.iter().find(|it| it.tx.id() == *id)
    }

    /// A sender's transactions by nonce.
    pub(crate) fn of(&self, sender: Address) -> Vec<&Held> {
        let mut of: Vec<&Held> = self.held.iter().filter(|it| it.tx.sender() == sender).collect();
        of.sort_by_key(|it| nonce(&it.tx));
        of
    }

    pub(crate) fn at(&self, sender: Address, at: u64) -> Option<&VerifiedTx> {
        self.of(sender).into_iter().map(|it| &it.tx).find(|tx| nonce(tx) == at)
    }

    /// A sender's ready transactions under an account.
    pub(crate) fn run(&self, sender: Address, account: Account) -> Vec<VerifiedTx> {
        let mut run: Vec<VerifiedTx> = Vec::new();
        while let Some(tx) = self.at(sender, account.nonce + run.len() as u64)
            && cost(run.iter().chain([tx])) <= u128::from(account.balance)
        {
            run.push(tx.clone());
        }
        run
    }

    pub(crate) fn is_ready(&self, tx: &VerifiedTx) -> bool {
        self.run(tx.sender(), self.accounts[&tx.sender()]).contains(tx)
    }

    pub(crate) fn state(&self, tx: &VerifiedTx) -> State {
        let account = self.accounts[&tx.sender()];
        let run = self.run(tx.sender(), account);
        let end = account.nonce + run.len() as u64;
        if run.contains(tx) {
            State::Ready
        } else if self.at(tx.sender(), end).is_some() {
            State::Unfunded { nonce: end }
        } else {
            State::Queued { waiting_for: end }
        }
    }

    pub(crate) fn memory(&self) -> usize {
        let senders: BTreeSet<Address> = self.held.iter().map(|it| it.tx.sender()).collect();
        let charges: usize = self.held.iter().map(|it| charge(&it.tx)).sum();
        charges + senders.len() * SENDER_CHARGE
    }

    /// How fast the floor falls from now on: in a quarter of the time if the pool is half empty.
    pub(crate) fn set_pace(&mut self, now_us: u64) {
        let config = &self.config;
        let ready = self.held.iter().filter(|it| self.is_ready(&it.tx)).count();
        let half_empty = ready < config.max_count / 2 && self.memory() < config.max_memory / 2;
        let half_life_us = config.floor_half_life_us / if half_empty { 4 } else { 1 };
        self.floor.set_half_life(half_life_us, now_us);
    }

    fn fits(&self) -> bool {
        self.held.len() <= self.config.max_count && self.memory() <= self.config.max_memory
    }

    /// Whether it is queued or ready, and the worst key among those like it of its sender up to it.
    pub(crate) fn rank(&self, tx: &VerifiedTx) -> (bool, Key) {
        let ready = self.is_ready(tx);
        let of_sender = self.of(tx.sender());
        let alike = of_sender.iter().map(|it| &it.tx).filter(|it| self.is_ready(it) == ready);
        (ready, alike.filter(|it| nonce(it) <= nonce(tx)).map(key).min().unwrap())
    }

    /// The first reason against a transaction.
    fn refusal(&self, asked: &Asked) -> Option<Refusal> {
        let Asked { tx, origin, restored_us, account, now } = asked;
        let (config, transfer) = (&self.config, tx.transfer());
        let (found, next, fee) = (transfer.nonce, account.nonce, transfer.fee);
        if self.get(&tx.id()).is_some() {
            return Some(Refusal::Known);
        }
        if found < next {
            return Some(Refusal::NonceUsed { found, next });
        }
        if let Some(expiry) = transfer.expiry.filter(|expiry| *expiry < now.next_height) {
            return Some(Refusal::Expired { expiry });
        }
        if restored_us.is_some_and(|us| us + config.max_age_us <= now.us) {
            return Some(Refusal::TooOld);
        }
        // What was kept over a restart was taken once: the limits for one sender, the floor and the
        // balance are not held against it.
        let restored = restored_us.is_some();
        if found >= next + config.max_ready_per_sender && !restored {
            return Some(Refusal::NonceTooFar { found, next, limit: config.max_ready_per_sender });
        }
        let min = FeeRate::from_per_kb(config.min_fee_per_kb);
        let exempt = *origin == Origin::Local || restored;
        let asked_of = if exempt { min } else { self.least(now.us) };
        let least = asked_of.fee_for(tx.size());
        if u128::from(fee) < least {
            return Some(Refusal::FeeTooLow { fee, least });
        }
        let rival = self.at(tx.sender(), found);
        if let Some(rival) = rival {
            let (old_fee, old_size) = (u128::from(rival.transfer().fee), rival.size() as u128);
            let percent = u128::from(100 + config.replacement_percent);
            let same = old_fee * tx.size() as u128;
            let least = (same * percent).div_ceil(old_size * 100).max(same / old_size + 1);
            let least = least.max(old_fee + 1);
            if u128::from(fee) < least {
                return Some(Refusal::Underpriced { fee, least });
            }
        }
        let run = self.run(tx.sender(), *account);
        let end = next + run.len() as u64;
        let of_sender = self.of(tx.sender());
        let others: Vec<&VerifiedTx> = of_sender
            .iter()
            .map(|it| &it.tx)
            .filter(|it| nonce(it) >= next && Some(*it) != rival)
            .collect();
        let (ready, queued): (Vec<_>, Vec<_>) = others.into_iter().partition(|it| run.contains(it));
        let mut together = cost(ready) + cost([tx]);
        if found > end {
            together += cost(queued.iter().copied());
        }
        let in_run = rival.is_some_and(|rival| run.contains(rival));
        if together > u128::from(account.balance) && (in_run || !restored) {
            return Some(Refusal::CannotPay { cost: together, balance: account.balance });
        }
        let limit = config.max_queued_per_sender;
        let one_more = found > end && rival.is_none() && !restored;
        (one_more && queued.len() as u64 >= limit)
            .then_some(Refusal::TooManyQueued { next: end, limit })
    }

    pub(crate) fn insert(&mut self, asked: &Asked) -> Result<Inserted, Refusal> {
        if let Some(refusal) = self.refusal(asked) {
            return Err(refusal);
        }
        let Asked { tx, origin, account, now, .. } = asked;
        let sender = tx.sender();
        let ready_before: Vec<TxId> = self
            .held
            .iter()
            .map(|it| &it.tx)
            .filter(|tx| self.is_ready(tx))
            .map(|tx| tx.id())
            .collect();
        let mut after = self.clone();
        after.accounts.insert(sender, *account);
        let outdated = after.drop_used(sender);
        let replaced = after.at(sender, nonce(tx)).map(VerifiedTx::id);
        after.held.retain(|it| Some(it.tx.id()) != replaced);
        let protected = *origin == Origin::Local && after.may_protect(tx);
        let origin = if protected { Origin::Local } else { Origin::Remote };
        let arrived_us = asked.restored_us.unwrap_or(now.us);
        after.held.push(Held { tx: tx.clone(), origin, arrived_us });
        let full = Refusal::Full { fee: tx.transfer().fee, size: tx.size() };
        let evicted = after.make_room(Some((tx, protected)), *now).ok_or(full)?;
        let mut promoted: Vec<TxId> =
            after.run(sender, *account).iter().map(VerifiedTx::id).collect();
        promoted.retain(|id| *id != tx.id() && !ready_before.contains(id));
        after.set_pace(now.us);
        *self = after;
        Ok(Inserted { ready: self.is_ready(tx), replaced, evicted, promoted, outdated })
    }

    /// Whether one more is protected, for the share of both bounds that is kept for it.
    fn may_protect(&self, tx: &VerifiedTx) -> bool {
        let local = self.held.iter().filter(|it| it.origin == Origin::Local);
        let memory: usize = local.clone().map(|it| charge(&it.tx)).sum::<usize>() + charge(tx);
        let count = local.count() + 1;
        let within = |part: usize, all: usize| {
            part as u128 * 100 <= all as u128 * u128::from(self.config.local_percent)
        };
        within(count, self.config.max_count) && within(memory, self.config.max_memory)
    }

    pub(crate) fn drop_used(&mut self, sender: Address) -> Vec<TxId> {
        let Some(account) = self.accounts.get(&sender) else { return Vec::new() };
        let used = |it: &&Held| nonce(&it.tx) < account.nonce;
        let ids: Vec<TxId> =
            self.of(sender).into_iter().filter(used).map(|it| it.tx.id()).collect();
        self.held.retain(|it| !ids.contains(&it.tx.id()));
        ids
    }

    /// Whether all of a sender's are protected: then none of them is pushed out.
    fn is_safe(&self, sender: Address) -> bool {
        self.of(sender).iter().all(|it| it.origin == Origin::Local)
    }

    /// Whether something that is not ready would be the first to leave.
    pub(crate) fn holds_what_cannot_be_paid(&self) -> bool {
        self.held.iter().any(|it| !self.is_safe(it.tx.sender()) && !self.is_ready(&it.tx))
    }

    /// Takes the worst tail until all fits; none if a newcomer does not beat what would leave.
    pub(crate) fn make_room(
        &mut self,
        newcomer: Option<(&VerifiedTx, bool)>,
        Now { us: now_us, next_height }: Now,
    ) -> Option<Vec<TxId>> {
        let mut evicted = Vec::new();
        while !self.fits() {
            let last = |it: &&Held| {
                !self.of(it.tx.sender()).iter().any(|other| nonce(&other.tx) > nonce(&it.tx))
            };
            let open = self.held.iter().filter(last).filter(|it| {
                !self.is_safe(it.tx.sender()) && newcomer.is_none_or(|(new, _)| it.tx != *new)
            });
            let worst = open.min_by_key(|it| self.rank(&it.tx))?;
            let victim = worst.tx.clone();
            let (ready, (rate, _)) = self.rank(&victim);
            let step = FeeRate::from_per_kb(self.config.fee_step_per_kb);
            if let Some((newcomer, protected)) = newcomer {
                let (new_ready, (new_rate, _)) = self.rank(newcomer);
                let pays = new_rate >= rate.plus(step);
                let beats = match (new_ready, ready) {
                    (true, false) => true,
                    (false, true) => false,
                    (true, true) => pays && !expires_soon(newcomer, next_height),
                    (false, false) => {
                        pays && new_rate >= rate.raised(self.config.replacement_percent)
                    }
                };
                if !protected && !beats {
                    return None;
                }
            }
            if ready {
                self.floor.raise(rate.plus(step), now_us);
            }
            evicted.push(victim.id());
            self.held.retain(|it| it.tx != victim);
        }
        Some(evicted)
    }
}

fn expires_soon(tx: &VerifiedTx, next_height: u64) -> bool {
    tx.transfer().expiry.is_some_and(|expiry| expiry < next_height + SOON)
}
