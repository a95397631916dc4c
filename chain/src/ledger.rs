//! Balances and nonces, and how a block changes them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use borsh::{BorshDeserialize, BorshSerialize};
use thiserror::Error;

use crate::block::VerifiedBlock;
use crate::ids::{Address, TxId};
use crate::store::StoreError;
use crate::transaction::VerifiedTx;
use crate::verdict::{Judged, Verdict};

/// What an address holds. An address that was never paid has the default: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Account {
    /// Units it can spend.
    pub balance: u64,
    /// The nonce that its next transaction must have.
    pub nonce: u64,
}

/// Where accounts are read from.
pub trait Accounts {
    /// The account of an address; the default one if it was never paid.
    ///
    /// # Errors
    /// Our disk's fault.
    fn account(&self, address: &Address) -> Result<Account, StoreError>;
}

/// Accounts as they will be once pending changes are stored.
#[derive(Debug)]
pub struct Overlay<'a, A> {
    base: &'a A,
    changed: BTreeMap<Address, Account>,
}

impl<'a, A: Accounts> Overlay<'a, A> {
    /// No change yet.
    #[must_use]
    pub fn new(base: &'a A) -> Self {
        Self { base, changed: BTreeMap::new() }
    }

    /// Sets an account.
    pub fn set(&mut self, address: Address, account: Account) {
        self.changed.insert(address, account);
    }

    /// All that was set.
    #[must_use]
    pub fn into_changes(self) -> BTreeMap<Address, Account> {
        self.changed
    }
}

impl<A: Accounts> Accounts for Overlay<'_, A> {
    fn account(&self, address: &Address) -> Result<Account, StoreError> {
        match self.changed.get(address) {
            Some(account) => Ok(*account),
            None => self.base.account(address),
        }
    }
}

/// The accounts that a block touched, as they were before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Undo {
    /// Each account once, ordered by address.
    pub accounts: BTreeMap<Address, Account>,
}

impl Undo {
    /// Takes a block's changes back.
    pub fn revert<A: Accounts>(&self, overlay: &mut Overlay<'_, A>) {
        for (address, account) in &self.accounts {
            overlay.set(*address, *account);
        }
    }
}

/// A transaction that does not fit the accounts it meets.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Misfit {
    /// Its nonce was used before. Verdict: ignore (a late copy).
    #[error("nonce {found} was used; the next is {next}")]
    NonceUsed {
        /// The transaction's nonce.
        found: u64,
        /// The account's next nonce.
        next: u64,
    },
    /// Nonces before it are missing. Verdict: ignore (they may be on their way).
    #[error("nonce {found} is early; the next is {next}")]
    NonceGap {
        /// The transaction's nonce.
        found: u64,
        /// The account's next nonce.
        next: u64,
    },
    /// The account cannot pay. Verdict: ignore (it may be paid first).
    #[error("costs {cost}, the balance is {balance}")]
    Balance {
        /// Amount and fee.
        cost: u64,
        /// What the account holds.
        balance: u64,
    },
    /// Its last height has passed. Verdict: ignore (it was valid once).
    #[error("expired at height {expiry}")]
    Expired {
        /// The last height at which it was valid.
        expiry: u64,
    },
}

impl Judged for Misfit {
    fn verdict(&self) -> Verdict {
        match self {
            Misfit::NonceUsed { .. }
            | Misfit::NonceGap { .. }
            | Misfit::Balance { .. }
            | Misfit::Expired { .. } => Verdict::Ignore,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Misfit::NonceUsed { .. } => "nonce-used",
            Misfit::NonceGap { .. } => "nonce-gap",
            Misfit::Balance { .. } => "balance",
            Misfit::Expired { .. } => "expired",
        }
    }
}

/// Applies one transaction at a height; the fee is left to the caller.
///
/// # Errors
/// Outer: our disk's fault. Inner: the transaction does not fit, and nothing was changed.
pub fn apply_transaction<A: Accounts>(
    overlay: &mut Overlay<'_, A>,
    tx: &VerifiedTx,
    height: u64,
) -> Result<Result<(), Misfit>, StoreError> {
    let transfer = tx.transfer();
    let payer = overlay.account(&tx.sender())?;
    if let Err(misfit) = check_fit(tx, payer, height) {
        return Ok(Err(misfit));
    }
    // The sum of all balances fits a u64 (the genesis is checked for it), so nothing here can
    // overflow; saturating keeps that from ever becoming a panic.
    overlay.set(
        tx.sender(),
        Account {
            balance: payer.balance.saturating_sub(tx.cost()),
            nonce: payer.nonce.saturating_add(1),
        },
    );
    let payee = overlay.account(&transfer.recipient)?;
    let balance = payee.balance.saturating_add(transfer.amount);
    overlay.set(transfer.recipient, Account { balance, ..payee });
    Ok(Ok(()))
}

fn check_fit(tx: &VerifiedTx, payer: Account, height: u64) -> Result<(), Misfit> {
    let transfer = tx.transfer();
    match transfer.nonce.cmp(&payer.nonce) {
        std::cmp::Ordering::Less => {
            return Err(Misfit::NonceUsed { found: transfer.nonce, next: payer.nonce });
        }
        std::cmp::Ordering::Greater => {
            return Err(Misfit::NonceGap { found: transfer.nonce, next: payer.nonce });
        }
        std::cmp::Ordering::Equal => {}
    }
    if let Some(expiry) = transfer.expiry.filter(|expiry| height > *expiry) {
        return Err(Misfit::Expired { expiry });
    }
    if tx.cost() > payer.balance {
        return Err(Misfit::Balance { cost: tx.cost(), balance: payer.balance });
    }
    Ok(())
}

/// A block with a transaction that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("transaction {id}: {misfit}")]
pub struct BlockMisfit {
    /// Which transaction.
    pub id: TxId,
    /// Why it does not fit.
    pub misfit: Misfit,
}

/// Applies a block: its transactions in order, then all fees to the proposer.
///
/// # Errors
/// Outer: our disk's fault. Inner: a transaction does not fit; the overlay is then spoilt and must
/// be dropped.
pub fn apply_block<A: Accounts>(
    overlay: &mut Overlay<'_, A>,
    block: &VerifiedBlock,
) -> Result<Result<Undo, BlockMisfit>, StoreError> {
    let mut undo = Undo::default();
    let mut fees = 0u64;
    let proposer = block.header().fields.proposer.address();
    for tx in block.transactions() {
        for address in [tx.sender(), tx.transfer().recipient] {
            note(&mut undo, overlay, address)?;
        }
        if let Err(misfit) = apply_transaction(overlay, tx, block.height())? {
            return Ok(Err(BlockMisfit { id: tx.id(), misfit }));
        }
        fees = fees.saturating_add(tx.transfer().fee);
    }
    if fees > 0 {
        note(&mut undo, overlay, proposer)?;
        let account = overlay.account(&proposer)?;
        let balance = account.balance.saturating_add(fees);
        overlay.set(proposer, Account { balance, ..account });
    }
    Ok(Ok(undo))
}

fn note<A: Accounts>(
    undo: &mut Undo,
    overlay: &Overlay<'_, A>,
    address: Address,
) -> Result<(), StoreError> {
    if let Entry::Vacant(slot) = undo.accounts.entry(address) {
        slot.insert(overlay.account(&address)?);
    }
    Ok(())
}
