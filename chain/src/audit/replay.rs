//! What the blocks make of the accounts.

use std::collections::BTreeMap;

use super::Walk;
use super::report::Report;
use crate::block::VerifiedBlock;
use crate::ids::Address;
use crate::ledger::{Account, Accounts, Overlay, Undo, apply_block};
use crate::store::{Store, StoreError};

/// Where a replay begins, and the accounts as far as it has come.
#[derive(Debug)]
pub(super) enum Base<'a, S> {
    /// At the genesis: all accounts.
    Genesis(BTreeMap<Address, Account>),
    /// At the last final block, as undo rows tell it: the accounts that changed since. Others are
    /// as they are in the store.
    Final(&'a S, BTreeMap<Address, Account>),
}

impl<S: Store> Accounts for Base<'_, S> {
    fn account(&self, address: &Address) -> Result<Account, StoreError> {
        match self {
            Base::Genesis(accounts) => Ok(accounts.get(address).copied().unwrap_or_default()),
            Base::Final(store, changed) => match changed.get(address) {
                Some(account) => Ok(*account),
                None => store.account(address),
            },
        }
    }
}

/// A replay under way.
#[derive(Debug)]
pub(super) struct Replay<'a, S> {
    /// None once a block that it needs was missing or wrong.
    pub(super) base: Option<Base<'a, S>>,
    /// The height it begins above.
    above: u64,
}

impl<'a, S: Store> Replay<'a, S> {
    pub(super) fn new(walk: &Walk<'a, S>) -> Result<Self, StoreError> {
        if walk.first_body > 1 {
            let base = before_undo(walk)?.map(|changed| Base::Final(walk.store, changed));
            return Ok(Self { base, above: walk.ends.final_height });
        }
        let allocations = &walk.rules.genesis().allocations;
        let account = |balance: &u64| Account { balance: *balance, nonce: 0 };
        let accounts =
            allocations.iter().map(|(address, balance)| (*address, account(balance))).collect();
        Ok(Self { base: Some(Base::Genesis(accounts)), above: 0 })
    }

    /// A block that it needs is missing or wrong, which was told.
    pub(super) fn give_up(&mut self) {
        self.base = None;
    }

    /// Applies the next block, and compares what takes it back with the row that is kept.
    pub(super) fn apply(
        &mut self,
        block: &VerifiedBlock,
        kept: Option<&Undo>,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let Some(base) = &mut self.base else { return Ok(()) };
        if block.height() <= self.above {
            return Ok(());
        }
        let row = format_args!("block {}", block.id());
        let mut overlay = Overlay::new(&*base);
        let applied = apply_block(&mut overlay, block);
        let changes = overlay.into_changes();
        match report.readable("accounts", &row, applied)? {
            Some(Ok(undo)) => {
                if kept.is_some_and(|kept| *kept != undo) {
                    report.note("undo", &row, "it does not give the accounts before the block");
                }
                let (Base::Genesis(accounts) | Base::Final(_, accounts)) = base;
                accounts.extend(changes);
            }
            Some(Err(misfit)) => {
                report.note("bodies", &row, format_args!("it does not fit the accounts: {misfit}"));
                self.base = None;
            }
            None => self.base = None,
        }
        Ok(())
    }
}

/// The accounts that changed since the last final block, as they were then; none if a row lacks.
fn before_undo<S: Store>(
    walk: &Walk<'_, S>,
) -> Result<Option<BTreeMap<Address, Account>>, StoreError> {
    let mut before = BTreeMap::new();
    for height in (walk.ends.final_height + 1..=walk.ends.height).rev() {
        let undo = walk.store.block_at(height).and_then(|id| match id {
            Some(id) => walk.store.undo(&id),
            None => Ok(None),
        });
        match undo {
            Ok(Some(undo)) => before.extend(undo.accounts),
            // The walk over the main chain tells what is wrong.
            Ok(None) | Err(StoreError::Corrupt(_)) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(before))
}
