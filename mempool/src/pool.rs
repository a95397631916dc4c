//! The pool: what it holds, what it says about it, and how a transaction comes in.

use std::collections::BTreeMap;

use hearsay_chain::ledger::Account;
use hearsay_chain::{Address, TxId, VerifiedTx};

use crate::config::{Config, ConfigError};
use crate::departure::Departure;
use crate::index::Index;
use crate::refusal::Refusal;
use crate::sender::{Sender, Waiting};

/// The transactions that wait for a block.
///
/// Each has one home, its sender's nonce order; the index finds it by id, rank, age and expiry.
/// The pool keeps no account of its own accord: whoever calls brings the account at the tip.
#[derive(Clone, Debug)]
pub struct Pool {
    config: Config,
    /// Every sender that has a transaction here.
    pub(crate) senders: BTreeMap<Address, Sender>,
    pub(crate) index: Index,
}

/// Where a transaction came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// From another node, or from a block that was abandoned.
    Remote,
    /// From a user of this node.
    Local,
}

/// When something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The time in microseconds, on a clock of the caller's that does not step back.
    pub us: u64,
    /// The height of the block after the tip.
    pub next_height: u64,
}

/// What an insertion would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// Whether it could go into a block at once. If not, it would be queued.
    pub ready: bool,
    /// The one of the same sender and nonce that it would replace.
    pub replaces: Option<TxId>,
    /// Those that would leave to make room.
    pub evicts: Vec<TxId>,
}

/// What came of an insertion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inserted {
    /// Whether it could go into a block now. If not, it is queued.
    pub ready: bool,
    /// The one of the same sender and nonce that it replaced.
    pub replaced: Option<TxId>,
    /// Those that left to make room, in the order in which they left.
    pub evicted: Vec<TxId>,
    /// Those of the same sender that were queued and are now ready, by nonce.
    pub promoted: Vec<TxId>,
    /// Those of the same sender whose nonce proved used. Empty if the pool heard of each change
    /// of the chain.
    pub outdated: Vec<TxId>,
}

impl Inserted {
    /// All that left because of it, each with its reason.
    pub fn departed(&self) -> impl Iterator<Item = (TxId, Departure)> + '_ {
        let outdated = self.outdated.iter().map(|id| (*id, Departure::NonceUsed));
        let replaced = self.replaced.iter().map(|id| (*id, Departure::Replaced));
        let evicted = self.evicted.iter().map(|id| (*id, Departure::Evicted));
        outdated.chain(replaced).chain(evicted)
    }
}

/// How a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It can go into a block: all nonces before it are here, and the sender can pay for it and
    /// for them.
    Ready,
    /// It waits for a nonce that is not here.
    Queued {
        /// The first nonce that is missing.
        waiting_for: u64,
    },
    /// All nonces before it may be here, but the account cannot pay as far as this. So it happens
    /// when the chain changes, or when a gap closes before what lies behind it can be paid.
    Unfunded {
        /// The first nonce for which the balance does not last.
        nonce: u64,
    },
}

/// What the pool holds, in figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Transactions.
    pub count: usize,
    /// Those that could go into a block now.
    pub ready: usize,
    /// The others.
    pub queued: usize,
    /// The size of all encodings, in bytes.
    pub bytes: usize,
    /// What transactions and indexes take in memory, in bytes: an account kept by rules, within a
    /// tenth of what the allocator gives out.
    pub memory: usize,
    /// Those that a user of this node handed in, and that are protected for it.
    pub local: usize,
    /// Senders that have a transaction here.
    pub senders: usize,
    /// The most transactions it may hold.
    pub max_count: usize,
    /// The most memory it may take, in bytes.
    pub max_memory: usize,
}

impl Pool {
    /// An empty pool.
    ///
    /// # Errors
    /// Bounds that no pool can work with.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self { config, senders: BTreeMap::new(), index: Index::default() })
    }

    /// Its bounds.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How many transactions wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.places.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.places.is_empty()
    }

    /// Whether a transaction waits.
    #[must_use]
    pub fn contains(&self, id: &TxId) -> bool {
        self.index.places.contains_key(id)
    }

    /// A transaction that waits.
    #[must_use]
    pub fn get(&self, id: &TxId) -> Option<&VerifiedTx> {
        let place = self.index.places.get(id)?;
        self.senders.get(&place.sender)?.waiting().get(&place.nonce).map(|it| &it.tx)
    }

    /// How a transaction stands.
    #[must_use]
    pub fn state(&self, id: &TxId) -> Option<State> {
        let place = self.index.places.get(id)?;
        let sender = self.senders.get(&place.sender)?;
        let run = sender.run();
        Some(if run.contains(place.nonce) {
            State::Ready
        } else if sender.waiting().contains_key(&run.end) {
            State::Unfunded { nonce: run.end }
        } else {
            State::Queued { waiting_for: run.end }
        })
    }

    /// The nonce for a sender's next transaction: the first, from the account's on, for which none
    /// waits here.
    #[must_use]
    pub fn next_nonce(&self, sender: &Address, account: Account) -> u64 {
        self.senders.get(sender).map_or(account.nonce, |sender| sender.next_nonce(account))
    }

    /// What it holds, in figures.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals {
            count: self.len(),
            ready: self.index.ready,
            queued: self.len() - self.index.ready,
            bytes: self.index.bytes,
            memory: self.index.bytes,
            local: 0,
            senders: self.senders.len(),
            max_count: self.config.max_count,
            max_memory: self.config.max_memory,
        }
    }

    /// The ids of all that wait, ascending.
    pub fn ids(&self) -> impl Iterator<Item = TxId> + '_ {
        self.index.places.keys().copied()
    }

    /// Takes a transaction in. `account` is its sender's at the tip.
    ///
    /// # Errors
    /// The first reason against it, as [`Pool::check`] says it; the pool is then as it was.
    pub fn insert(
        &mut self,
        tx: VerifiedTx,
        _origin: Origin,
        account: Account,
        now: Now,
    ) -> Result<Inserted, Refusal> {
        let now_us = now.us;
        let evicted = self.plan(&(&tx).into(), account, now.next_height)?;
        let (id, address) = (tx.id(), tx.sender());
        let before = self.senders.get(&address).map(Sender::run).unwrap_or_default();
        let (outdated, replaced) = self.change(address, |sender, index| {
            let outdated = sender.settle(account, index);
            let replaced = sender.put(Waiting { tx, arrived_us: now_us }, index);
            sender.settle(account, index);
            (outdated, replaced)
        });
        for victim in &evicted {
            self.remove(victim);
        }
        let sender = self.senders.get(&address);
        let ready_since = sender.into_iter().flat_map(|sender| sender.ready_since(&before));
        Ok(Inserted {
            ready: self.state(&id) == Some(State::Ready),
            replaced: replaced.map(|it| it.tx.id()),
            evicted,
            promoted: ready_since.map(VerifiedTx::id).filter(|it| *it != id).collect(),
            outdated,
        })
    }

    /// Takes one in again that came at `arrived_us` and was kept elsewhere since. Those that came
    /// first must be restored first, before anything else is inserted.
    ///
    /// # Errors
    /// As [`Pool::insert`], and if it has waited too long.
    pub fn restore(
        &mut self,
        tx: VerifiedTx,
        origin: Origin,
        arrived_us: u64,
        account: Account,
        now: Now,
    ) -> Result<Inserted, Refusal> {
        if now.us.saturating_sub(arrived_us) >= self.config.max_age_us {
            return Err(Refusal::TooOld);
        }
        self.insert(tx, origin, account, now)
    }

    /// Takes a transaction out.
    pub(crate) fn remove(&mut self, id: &TxId) -> Option<Waiting> {
        let place = *self.index.places.get(id)?;
        self.change(place.sender, |sender, index| sender.take(place.nonce, index))
    }

    /// Brings a sender in line with its account.
    pub(crate) fn settle(&mut self, address: Address, account: Account) -> Vec<TxId> {
        self.change(address, |sender, index| sender.settle(account, index))
    }

    /// The one way to change a sender: whatever happens to it, its head is indexed, and it is gone
    /// once nothing of it waits.
    pub(crate) fn change<T>(
        &mut self,
        address: Address,
        change: impl FnOnce(&mut Sender, &mut Index) -> T,
    ) -> T {
        let sender = self.senders.entry(address).or_default();
        if let Some(head) = sender.head() {
            self.index.heads.remove(&head);
        }
        let result = change(sender, &mut self.index);
        self.index.heads.extend(sender.head());
        if sender.waiting().is_empty() {
            self.senders.remove(&address);
        }
        result
    }
}
