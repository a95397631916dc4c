//! What is measured.

use std::collections::BTreeMap;

use hearsay_chain::ledger::Account;
use hearsay_chain::{Address, TxId, VerifiedTx};
use hearsay_mempool::Now;

/// One operation of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Insert,
    InsertNew,
    Evict,
    Replace,
    Hit,
    Miss,
    Block,
    Expire,
    Best,
    Template,
}

/// The inputs of some operations, ready to be done.
pub(crate) enum Work {
    Insert(Vec<(VerifiedTx, Account)>),
    /// Ids, and whether they are here.
    Contains(Vec<TxId>, bool),
    Block {
        included: Vec<VerifiedTx>,
        accounts: BTreeMap<Address, Account>,
    },
    Best(usize),
    Template(usize),
    Expire(Now),
}

impl Operation {
    pub(crate) const ALL: [Self; 10] = [
        Self::Insert,
        Self::InsertNew,
        Self::Evict,
        Self::Replace,
        Self::Hit,
        Self::Miss,
        Self::Block,
        Self::Expire,
        Self::Best,
        Self::Template,
    ];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::InsertNew => "insert-new-sender",
            Self::Evict => "insert-evict",
            Self::Replace => "replace",
            Self::Hit => "contains-hit",
            Self::Miss => "contains-miss",
            Self::Block => "block-1000",
            Self::Expire => "expire",
            Self::Best => "best-next",
            Self::Template => "template-10000",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }

    /// How many are done between two looks at the clock: in a plain loop, and after a sweep of the
    /// caches.
    pub(crate) fn batches(self) -> (usize, usize) {
        match self {
            Self::Insert | Self::InsertNew | Self::Evict | Self::Replace => (256, 16),
            Self::Hit | Self::Miss => (1_000, 16),
            Self::Block | Self::Expire => (1_000, 1_000),
            Self::Best => (2_000, 2_000),
            Self::Template => (10_000, 10_000),
        }
    }

    /// By how many the time of a batch is divided: a template is one thing.
    pub(crate) fn divisor(self, batch: usize) -> usize {
        if self == Self::Template { 1 } else { batch }
    }
}
