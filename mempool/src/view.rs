//! What the pool says about what it holds. Each answer takes the same few steps at any size.

use hearsay_chain::ledger::Account;
use hearsay_chain::{Address, TxId, VerifiedTx};

use crate::config::Config;
use crate::inspect::TxView;
use crate::pool::{Origin, Pool};
use crate::rate::FeeRate;

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
    /// Its bounds.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How many transactions wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.residents.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.residents.len() == 0
    }

    pub(crate) fn find(&self, id: &TxId) -> Option<u32> {
        self.ids.find(&id.0, |at| self.residents[at].tx.id() == *id)
    }

    pub(crate) fn find_sender(&self, address: &Address) -> Option<u32> {
        self.addresses.find(&address.0, |at| self.senders[at].address == *address)
    }

    /// Whether a transaction waits.
    #[must_use]
    pub fn contains(&self, id: &TxId) -> bool {
        self.find(id).is_some()
    }

    /// A transaction that waits.
    #[must_use]
    pub fn get(&self, id: &TxId) -> Option<&VerifiedTx> {
        self.find(id).map(|at| &self.residents[at].tx)
    }

    /// How a transaction stands.
    #[must_use]
    pub fn state(&self, id: &TxId) -> Option<State> {
        self.find(id).map(|at| self.state_of(at))
    }

    fn state_of(&self, at: u32) -> State {
        let resident = &self.residents[at];
        let sender = &self.senders[resident.owner];
        let run = sender.run();
        if run.contains(&resident.nonce()) {
            State::Ready
        } else if sender.entries().get(sender.run_len()).is_some_and(|it| it.nonce == run.end) {
            State::Unfunded { nonce: run.end }
        } else {
            State::Queued { waiting_for: run.end }
        }
    }

    /// A transaction and how it stands.
    #[must_use]
    pub fn view(&self, id: &TxId) -> Option<TxView<'_>> {
        self.find(id).map(|at| self.view_of(at))
    }

    pub(crate) fn view_of(&self, at: u32) -> TxView<'_> {
        let resident = &self.residents[at];
        let entries = self.senders[resident.owner].entries();
        let found = entries.binary_search_by_key(&resident.nonce(), |it| it.nonce);
        let local = found.is_ok_and(|at| entries[at].slot.is_protected());
        TxView {
            tx: &resident.tx,
            state: self.state_of(at),
            origin: if local { Origin::Local } else { Origin::Remote },
            arrived_us: resident.arrived_us,
            rate: FeeRate::of(resident.tx.transfer().fee, resident.tx.size()),
        }
    }

    /// The nonce for a sender's next transaction: the first, from the account's on, for which none
    /// waits here.
    #[must_use]
    pub fn next_nonce(&self, sender: &Address, account: Account) -> u64 {
        let sender = self.find_sender(sender);
        sender.map_or(account.nonce, |at| self.senders[at].next_nonce(account))
    }

    /// What it holds, in figures.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals {
            count: self.len(),
            ready: self.sums.ready,
            queued: self.len() - self.sums.ready,
            bytes: self.sums.bytes,
            memory: self.sums.memory + self.spare(),
            local: self.sums.local,
            senders: self.senders.len(),
            max_count: self.config.max_count,
            max_memory: self.config.max_memory,
        }
    }

    /// The least fee per byte that a transaction from elsewhere needs now.
    #[must_use]
    pub fn floor(&self, now_us: u64) -> FeeRate {
        self.least_rate(Origin::Remote, now_us)
    }
}
