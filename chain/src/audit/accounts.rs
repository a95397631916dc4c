//! The accounts, row by row, against what the blocks make of them.

use std::collections::BTreeMap;

use super::replay::{Base, Replay};
use super::{Stage, Walk};
use crate::codec;
use crate::ids::Address;
use crate::ledger::Account;
use crate::store::{Store, StoreError, Table};

/// The sums over all accounts. A u128 holds more than every account with the largest number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    balances: u128,
    nonces: u128,
}

impl<S: Store> Walk<'_, S> {
    pub(super) fn accounts(&mut self, replay: Replay<'_, S>) -> Result<(), StoreError> {
        // Taken away one by one as their rows come by: what is left has none.
        let (mut all, changed) = match replay.base {
            Some(Base::Genesis(accounts)) => (Some(accounts), None),
            Some(Base::Final(_, changed)) => (None, Some(changed)),
            None => (None, None),
        };
        let (store, mut sums) = (self.store, Sums::default());
        let mut done = 0;
        let scanned = store.scan(Table::Accounts, &mut |key, row| {
            self.account_row(key, row, all.as_mut(), &mut sums);
            done += 1;
            self.tell(Stage::Rows(Table::Accounts), done, None);
            Ok(())
        });
        let whole = self.report.readable("accounts", &"the table", scanned)?.is_some();
        for (address, account) in all.iter().flatten().filter(|_| whole) {
            if *account != Account::default() {
                let what = format!("it is missing; the blocks make it {}", told(account));
                self.report.note("accounts", &format_args!("account {address}"), what);
            }
        }
        if whole && all.is_none() {
            self.check_sums(sums);
        }
        self.check_changed(changed.unwrap_or_default())
    }

    fn account_row(
        &mut self,
        key: &[u8],
        row: &[u8],
        all: Option<&mut BTreeMap<Address, Account>>,
        sums: &mut Sums,
    ) {
        let Ok(address) = key.try_into().map(Address) else {
            let named = format!("key {}", hex::encode(key));
            return self.report.note("accounts", &named, "it is no address");
        };
        let name = format_args!("account {address}");
        let account: Account = match codec::decode(row, usize::MAX) {
            Ok(account) => account,
            Err(error) => {
                all.map(|all| all.remove(&address));
                return self.report.note("accounts", &name, error);
            }
        };
        self.report.audit.accounts += 1;
        sums.balances += u128::from(account.balance);
        sums.nonces += u128::from(account.nonce);
        let expected = all.map(|all| all.remove(&address).unwrap_or_default());
        if account == Account::default() {
            self.report.note("accounts", &name, "it holds nothing, which has no row");
        } else if let Some(expected) = expected.filter(|expected| *expected != account) {
            let what =
                format!("it is {}, and the blocks make it {}", told(&account), told(&expected));
            self.report.note("accounts", &name, what);
        }
    }

    /// Transfers and fees make no unit and lose none, and each transaction is one nonce.
    fn check_sums(&mut self, found: Sums) {
        let allocations = self.rules.genesis().allocations.values();
        let balances: u128 = allocations.map(|balance| u128::from(*balance)).sum();
        if found.balances != balances {
            let what = format!(
                "the balances sum to {} units, the allocations of the genesis to {balances}",
                found.balances
            );
            self.report.note("accounts", &"all rows", what);
        }
        let nonces = u128::from(self.tally.transactions);
        if !self.tally.incomplete && found.nonces != nonces {
            let what = format!(
                "the nonces sum to {}, and the main chain has {nonces} transactions",
                found.nonces
            );
            self.report.note("accounts", &"all rows", what);
        }
    }

    fn check_changed(&mut self, changed: BTreeMap<Address, Account>) -> Result<(), StoreError> {
        for (address, expected) in changed {
            let name = format_args!("account {address}");
            let read = self.store.account(&address);
            let Some(found) = self.report.readable("accounts", &name, read)? else { continue };
            if found != expected {
                let what = format!(
                    "it is {}, and the blocks that are not final make it {}",
                    told(&found),
                    told(&expected)
                );
                self.report.note("accounts", &name, what);
            }
        }
        Ok(())
    }
}

fn told(account: &Account) -> String {
    format!("{} units with nonce {}", account.balance, account.nonce)
}
