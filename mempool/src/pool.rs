//! The pool: what it holds, what it says about it, and how a transaction comes in and goes.

use std::collections::BTreeSet;
use std::mem::size_of;

use hearsay_chain::ledger::Account;
use hearsay_chain::{Address, TxId, VerifiedTx};

use crate::admission::Asking;
use crate::ages::Ages;
use crate::config::{Config, ConfigError};
use crate::departure::Departure;
use crate::floor::Floor;
use crate::key::{Key, Slot};
use crate::memory::{SENDER_CHARGE, charge};
use crate::rate::FeeRate;
use crate::refusal::Refusal;
use crate::sender::Sender;
use crate::slab::Slab;
use crate::table::{Secret, Table};

/// The transactions that wait for a block.
///
/// Each has one home, a slot of the slab; all else knows it by that number. The pool keeps no account
/// of its own accord: whoever calls brings the account at the tip.
#[derive(Clone, Debug)]
pub struct Pool {
    pub(crate) config: Config,
    pub(crate) residents: Slab<Resident>,
    pub(crate) ids: Table,
    pub(crate) senders: Slab<Sender>,
    pub(crate) addresses: Table,
    /// The first ready transaction of each sender, the best last.
    pub(crate) heads: BTreeSet<Key>,
    /// What the last transaction of each sender is worth, the first to leave first. Those of
    /// protected ones are left out.
    pub(crate) tails: BTreeSet<Key>,
    pub(crate) ages: Ages,
    /// Those with a last height, the lowest first.
    pub(crate) expiries: BTreeSet<(u64, u32)>,
    pub(crate) floor: Floor,
    pub(crate) sums: Sums,
}

/// A transaction and what the pool knows of it.
#[derive(Clone, Debug)]
pub(crate) struct Resident {
    pub(crate) tx: VerifiedTx,
    pub(crate) arrived_us: u64,
    /// Those that came just before and just after it.
    pub(crate) older: u32,
    pub(crate) newer: u32,
    /// Its sender.
    pub(crate) owner: u32,
}

impl Resident {
    pub(crate) fn nonce(&self) -> u64 {
        self.tx.transfer().nonce
    }

    pub(crate) fn charge(&self) -> usize {
        charge(&self.tx)
    }
}

/// Sums over all transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) ready: usize,
    pub(crate) bytes: usize,
    pub(crate) memory: usize,
    pub(crate) local: usize,
    pub(crate) local_memory: usize,
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
    /// Those that would leave to make room, in the order in which they would.
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

impl Pool {
    /// An empty pool.
    ///
    /// # Errors
    /// Bounds that no pool can work with.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let secret = Secret::new(config.seed);
        let pool = Self {
            config,
            residents: Slab::default(),
            ids: Table::new(secret),
            senders: Slab::default(),
            addresses: Table::new(secret),
            heads: BTreeSet::new(),
            tails: BTreeSet::new(),
            ages: Ages::default(),
            expiries: BTreeSet::new(),
            floor: Floor::default(),
            sums: Sums::default(),
        };
        Ok(Self { floor: Floor::new(pool.half_life_us()), ..pool })
    }

    /// Takes a transaction in. `account` is its sender's at the tip.
    ///
    /// # Errors
    /// The first reason against it, as [`Pool::check`] says it; the pool is then as it was.
    pub fn insert(
        &mut self,
        tx: VerifiedTx,
        origin: Origin,
        account: Account,
        now: Now,
    ) -> Result<Inserted, Refusal> {
        self.admit(tx, Asking::new(origin, now), account, now)
    }

    /// Takes one in again that came at `arrived_us`, before this pool was made, and was kept elsewhere
    /// since. Those that came first must be restored first; others may come in between.
    ///
    /// # Errors
    /// As [`Pool::insert`], and if it has waited too long; but how far ahead its nonce is, that its
    /// sender has many behind a gap, or cannot pay, is not held against it, nor that the floor is raised: it was taken once, and what
    /// it waits for may be restored after it.
    pub fn restore(
        &mut self,
        tx: VerifiedTx,
        origin: Origin,
        arrived_us: u64,
        account: Account,
        now: Now,
    ) -> Result<Inserted, Refusal> {
        let arrived_us = arrived_us.min(now.us);
        self.admit(tx, Asking { origin, arrived_us, restored: true }, account, now)
    }

    fn admit(
        &mut self,
        tx: VerifiedTx,
        asking: Asking,
        account: Account,
        now: Now,
    ) -> Result<Inserted, Refusal> {
        let plan = self.plan(&(&tx).into(), asking, account, now)?;
        let entry = plan.entry;
        let owner = plan.sender.unwrap_or_else(|| self.new_sender(tx.sender()));
        let run_before = self.senders[owner].run();
        self.settle_in(tx, owner, asking, entry.slot);
        let (used, replaced) = self.change(owner, |sender| sender.update(account, Some(entry)));
        let outdated = used.iter().map(|it| self.release(it.slot)).collect();
        let replaced = replaced.map(|it| self.release(it.slot));
        let evicted = plan.victims.iter().map(|victim| self.evict(*victim, now.us)).collect();
        self.set_pace(now.us);
        let sender = &self.senders[owner];
        let [before, after] = sender.ready_beside(&run_before);
        let promoted = before.iter().chain(after).filter(|it| it.slot != entry.slot);
        Ok(Inserted {
            ready: sender.run().contains(&entry.nonce),
            promoted: promoted.map(|it| self.residents[it.slot.number()].tx.id()).collect(),
            replaced,
            evicted,
            outdated,
        })
    }

    /// The number of a new sender, which must have a transaction before anything else happens.
    pub(crate) fn new_sender(&mut self, address: Address) -> u32 {
        let owner = self.senders.insert(Sender::new(address));
        self.addresses.insert(&address.0, owner);
        self.sums.memory += SENDER_CHARGE;
        owner
    }

    /// Gives a transaction its slot, and enters it wherever a sender is not asked.
    pub(crate) fn settle_in(&mut self, tx: VerifiedTx, owner: u32, asking: Asking, slot: Slot) {
        let expiry = tx.transfer().expiry;
        let (older, newer, arrived_us) = (Ages::NONE, Ages::NONE, asking.arrived_us);
        self.ids.insert(&tx.id().0, slot.number());
        self.sums.bytes += tx.size();
        let charge = charge(&tx);
        self.sums.memory += charge;
        if slot.is_protected() {
            self.sums.local += 1;
            self.sums.local_memory += charge;
        }
        self.expiries.extend(expiry.map(|expiry| (expiry, slot.number())));
        let number = self.residents.insert(Resident { tx, arrived_us, older, newer, owner });
        debug_assert_eq!(number, slot.number());
        if asking.restored {
            self.ages.restore(number, &mut self.residents);
        } else {
            self.ages.push(number, &mut self.residents);
        }
    }

    /// Lets go of a transaction that its sender has let go of.
    pub(crate) fn release(&mut self, slot: Slot) -> TxId {
        let number = slot.number();
        self.ages.unlink(number, &mut self.residents);
        let it = self.residents.remove(number);
        let (id, charge) = (it.tx.id(), it.charge());
        self.ids.remove(&id.0, number);
        if let Some(expiry) = it.tx.transfer().expiry {
            self.expiries.remove(&(expiry, number));
        }
        self.sums.bytes -= it.tx.size();
        self.sums.memory -= charge;
        if slot.is_protected() {
            self.sums.local -= 1;
            self.sums.local_memory -= charge;
        }
        id
    }

    /// Takes a transaction out.
    pub(crate) fn remove(&mut self, number: u32) -> TxId {
        let (owner, nonce) = (self.residents[number].owner, self.residents[number].nonce());
        let taken = self.change(owner, |sender| sender.take(nonce));
        self.release(taken.expect("its sender has what the slab has").slot)
    }

    /// The one way to change a sender: whatever happens to it, its head and its tail are in order,
    /// and it is gone once nothing of it waits.
    pub(crate) fn change<T>(&mut self, at: u32, change: impl FnOnce(&mut Sender) -> T) -> T {
        let sender = &mut self.senders[at];
        let (head, tail, run) = (sender.head(), sender.tail(), sender.run_len());
        let result = change(sender);
        reorder(&mut self.heads, head, sender.head());
        reorder(&mut self.tails, tail, sender.tail());
        self.sums.ready = self.sums.ready - run + sender.run_len();
        if sender.entries().is_empty() {
            let sender = self.senders.remove(at);
            self.addresses.remove(&sender.address.0, at);
            self.sums.memory -= SENDER_CHARGE;
        }
        result
    }

    /// How fast the floor falls.
    fn half_life_us(&self) -> u64 {
        // What cannot be paid is as good as room.
        let half_empty = self.sums.ready < self.config.max_count / 2
            && self.sums.memory < self.config.max_memory / 2;
        self.config.floor_half_life_us / if half_empty { 4 } else { 1 }
    }

    pub(crate) fn set_pace(&mut self, now_us: u64) {
        self.floor.set_half_life(self.half_life_us(), now_us);
    }

    /// The least fee per byte that a transaction needs now.
    pub(crate) fn least_rate(&self, origin: Origin, now_us: u64) -> FeeRate {
        let always = FeeRate::from_per_kb(self.config.min_fee_per_kb);
        match origin {
            Origin::Local => always,
            // Where something waits that cannot be paid, it leaves for whatever can.
            Origin::Remote if self.tails.first().is_some_and(|it| !it.is_ready()) => always,
            Origin::Remote => always.max(self.floor.at(now_us)),
        }
    }

    /// What is kept for more transactions than there are, in bytes, but for the first of it: after a
    /// pool of many small ones has become one of few large ones.
    pub(crate) fn spare(&self) -> usize {
        self.residents.spare() * size_of::<Resident>() + self.senders.spare() * size_of::<Sender>()
    }

    /// How much may be held beside that.
    pub(crate) fn memory_bound(&self) -> usize {
        self.config.max_memory.saturating_sub(self.spare())
    }
}

/// Puts what changed in its place.
fn reorder(order: &mut BTreeSet<Key>, before: Option<Key>, after: Option<Key>) {
    if before != after {
        if let Some(before) = before {
            order.remove(&before);
        }
        order.extend(after);
    }
}
