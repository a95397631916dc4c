//! Whether the pool takes a transaction. A question, not a change: [`Pool::check`] asks it before
//! the signature is checked, [`Pool::insert`] asks it again and then does what the answer says.

use hearsay_chain::ledger::Account;
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{Address, TxId, UnverifiedTx, VerifiedTx};

use crate::capacity::{Excess, Newcomer};
use crate::order::FeeRate;
use crate::pool::{Forecast, Now, Origin, Pool};
use crate::refusal::Refusal;
use crate::sender::{Sender, cost};

/// What admission needs to know of a transaction. That its signature holds is not part of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) id: TxId,
    pub(crate) sender: Address,
    pub(crate) nonce: u64,
    pub(crate) fee: u64,
    pub(crate) size: usize,
    cost: u128,
    expiry: Option<u64>,
}

impl Candidate {
    fn new(id: TxId, sender: Address, size: usize, transfer: &Transfer) -> Self {
        Self {
            id,
            sender,
            nonce: transfer.nonce,
            fee: transfer.fee,
            size,
            cost: cost(transfer),
            expiry: transfer.expiry,
        }
    }

    fn rate(&self) -> FeeRate {
        FeeRate::new(self.fee, self.size)
    }
}

impl From<&UnverifiedTx> for Candidate {
    fn from(tx: &UnverifiedTx) -> Self {
        Self::new(tx.id(), tx.transfer().sender.address(), tx.size(), tx.transfer())
    }
}

impl From<&VerifiedTx> for Candidate {
    fn from(tx: &VerifiedTx) -> Self {
        Self::new(tx.id(), tx.sender(), tx.size(), tx.transfer())
    }
}

impl Pool {
    /// Says what [`Pool::insert`] will say, before the costly check of the signature. `account` is
    /// the sender's at the tip.
    ///
    /// # Errors
    /// The first reason against it, in the order of the variants.
    pub fn check(
        &self,
        tx: &UnverifiedTx,
        _origin: Origin,
        account: Account,
        now: Now,
    ) -> Result<Forecast, Refusal> {
        let evicts = self.plan(&tx.into(), account, now.next_height)?;
        Ok(Forecast { ready: true, replaces: None, evicts })
    }

    /// What must leave so that a transaction can come in.
    pub(crate) fn plan(
        &self,
        tx: &Candidate,
        account: Account,
        next_height: u64,
    ) -> Result<Vec<TxId>, Refusal> {
        if self.contains(&tx.id) {
            return Err(Refusal::Known);
        }
        let Some(ahead) = tx.nonce.checked_sub(account.nonce) else {
            return Err(Refusal::NonceUsed { found: tx.nonce, next: account.nonce });
        };
        if let Some(expiry) = tx.expiry.filter(|expiry| next_height > *expiry) {
            return Err(Refusal::Expired { expiry });
        }
        let limit = self.config().max_ready_per_sender;
        // A run must have a nonce after it, so the very last nonce stays unused.
        if ahead >= limit || tx.nonce == u64::MAX {
            return Err(Refusal::NonceTooFar { found: tx.nonce, next: account.nonce, limit });
        }
        let nobody = Sender::default();
        let sender = self.senders.get(&tx.sender).unwrap_or(&nobody);
        let replaced = sender.waiting().get(&tx.nonce).map(|it| &it.tx);
        if let Some(replaced) = replaced {
            let rate = FeeRate::new(replaced.transfer().fee, replaced.size());
            let least = rate.least_replacement(tx.size, self.config().replacement_percent);
            if u128::from(tx.fee) < least {
                return Err(Refusal::Underpriced { fee: tx.fee, least });
            }
        }
        let run = sender
            .run_with(account, tx.nonce, tx.cost)
            .map_err(|cost| Refusal::CannotPay { cost, balance: account.balance })?;

        let leaving = sender.waiting().range(..account.nonce).map(|(_, it)| &it.tx).chain(replaced);
        let (freed_count, freed_bytes) =
            leaving.fold((0, 0), |(count, bytes), tx| (count + 1, bytes + tx.size()));
        let excess = Excess {
            count: (self.len() + 1 - freed_count).saturating_sub(self.config().max_count),
            bytes: (self.index.bytes + tx.size - freed_bytes)
                .saturating_sub(self.config().max_memory),
        };
        let newcomer =
            Newcomer { address: tx.sender, nonce: tx.nonce, rate: tx.rate(), sender, run };
        self.victims(&newcomer, excess).ok_or(Refusal::Full { fee: tx.fee, size: tx.size })
    }
}
