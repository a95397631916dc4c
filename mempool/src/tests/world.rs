//! Transactions and accounts to test with. Signatures are blank: the pool never looks at them.

use std::collections::BTreeMap;

use hearsay_chain::keys::Signature;
use hearsay_chain::ledger::{Account, Accounts, Overlay, apply_transaction};
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{
    Address, ChainId, PublicKey, StoreError, Transaction, TxId, UnverifiedTx, VerifiedTx,
};

use crate::{Config, Now, Origin, Pool};

/// The size of a transaction without payload and expiry.
pub(crate) const BARE: u64 = 165;

pub(crate) fn address(sender: u8) -> Address {
    PublicKey([sender; 32]).address()
}

/// A transfer of `amount` from one sender to the next, to be changed as a test needs.
pub(crate) fn transfer(sender: u8, nonce: u64, amount: u64, fee: u64) -> Transfer {
    Transfer {
        chain: ChainId([0; 8]),
        sender: PublicKey([sender; 32]),
        nonce,
        recipient: address(sender + 1),
        amount,
        fee,
        expiry: None,
        payload: Vec::new(),
    }
}

pub(crate) fn unverified(transfer: Transfer) -> UnverifiedTx {
    Transaction { transfer, signature: Signature([0; 64]) }.into()
}

pub(crate) fn signed(transfer: Transfer) -> VerifiedTx {
    VerifiedTx::from_own_store(unverified(transfer))
}

/// A transaction that pays nobody anything but its fee.
pub(crate) fn paying(sender: u8, nonce: u64, fee: u64) -> VerifiedTx {
    signed(transfer(sender, nonce, 0, fee))
}

pub(crate) fn rich(nonce: u64) -> Account {
    Account { balance: 1 << 60, nonce }
}

/// The beginning: nothing has happened, and block 1 comes next.
pub(crate) const START: Now = Now { us: 0, next_height: 1 };

/// Memory that no test fills.
pub(crate) const AMPLE: usize = 1 << 30;

/// A pool of this many transactions, with memory to spare, that takes whatever fee.
pub(crate) fn pool_of(max_count: usize) -> Pool {
    let config = Config { max_count, max_memory: AMPLE, min_fee_per_kb: 0, ..Config::default() };
    Pool::new(config).unwrap()
}

/// The ids of all that wait, ascending.
pub(crate) fn ids(pool: &Pool) -> Vec<TxId> {
    let mut ids: Vec<TxId> = pool.iter().map(|it| it.tx.id()).collect();
    ids.sort();
    ids
}

/// Inserts for a rich account whose nonce is 0; panics if refused.
pub(crate) fn fill<'a>(pool: &mut Pool, transactions: impl IntoIterator<Item = &'a VerifiedTx>) {
    for tx in transactions {
        pool.insert(tx.clone(), Origin::Remote, rich(0), START).unwrap();
        pool.check_invariants();
    }
}

/// Accounts, and blocks that change them.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) accounts: BTreeMap<Address, Account>,
    /// The next block's height.
    pub(crate) height: u64,
}

impl Accounts for World {
    fn account(&self, address: &Address) -> Result<Account, StoreError> {
        Ok(self.get(address))
    }
}

impl World {
    pub(crate) fn get(&self, address: &Address) -> Account {
        self.accounts.get(address).copied().unwrap_or_default()
    }

    pub(crate) fn set(&mut self, sender: u8, balance: u64) {
        let address = address(sender);
        let account = Account { balance, ..self.get(&address) };
        self.accounts.insert(address, account);
    }

    /// Applies those of the transactions that fit, in order, as one block; returns them.
    pub(crate) fn apply(&mut self, transactions: &[VerifiedTx]) -> Vec<VerifiedTx> {
        let mut overlay = Overlay::new(&*self);
        let fitting = transactions
            .iter()
            .filter(|tx| apply_transaction(&mut overlay, tx, self.height).unwrap().is_ok())
            .cloned()
            .collect();
        let changes = overlay.into_changes();
        self.accounts.extend(changes);
        self.height += 1;
        fitting
    }
}
