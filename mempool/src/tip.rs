//! What time and the chain do to the pool: blocks take transactions away and give them back,
//! and nothing waits for ever.

use std::collections::{BTreeMap, BTreeSet};

use hearsay_chain::ledger::Account;
use hearsay_chain::{Address, TxId, VerifiedTx};

use crate::departure::Departure;
use crate::order::Priority;
use crate::pool::{Now, Pool};
use crate::sender::Waiting;

impl Pool {
    /// Follows the chain to a new tip: what it included leaves, what it abandoned returns, and the
    /// accounts that these touched are looked at again. Tells what left, and what was abandoned and
    /// did not return.
    ///
    /// What was abandoned had its place in a block, so it returns even if its sender cannot pay
    /// now: the payment it lived on was abandoned with it and returns as well. It then waits as
    /// [`State::Unfunded`](crate::State::Unfunded), as do others that lost their funds.
    ///
    /// # Errors
    /// Whatever `accounts` fails with; the pool is then as it was.
    pub fn tip_changed<E>(
        &mut self,
        included: &[VerifiedTx],
        abandoned: Vec<VerifiedTx>,
        accounts: impl Fn(&Address) -> Result<Account, E>,
        now: Now,
    ) -> Result<Vec<(TxId, Departure)>, E> {
        let accounts = self.touched(included, &abandoned, accounts)?;
        let included: BTreeSet<TxId> = included.iter().map(VerifiedTx::id).collect();
        let mut departed = Vec::new();
        for tx in abandoned.into_iter().filter(|tx| !included.contains(&tx.id())) {
            let account = accounts.get(&tx.sender()).copied().unwrap_or_default();
            departed.extend(self.take_back(tx, account, now.us));
        }
        for (address, account) in accounts {
            let outdated = self.settle(address, account);
            departed.extend(outdated.into_iter().map(|id| {
                let stands = included.contains(&id);
                (id, if stands { Departure::Included } else { Departure::NonceUsed })
            }));
        }
        departed.extend(self.expire(now));
        departed.extend(self.trim());
        Ok(departed)
    }

    /// Looks at one sender again, for a change of its account that no transaction tells of: a
    /// proposer's fees.
    pub fn account_changed(
        &mut self,
        sender: &Address,
        account: Account,
    ) -> Vec<(TxId, Departure)> {
        let outdated = self.settle(*sender, account);
        outdated.into_iter().map(|id| (id, Departure::NonceUsed)).collect()
    }

    /// Lets go of what has waited too long, and of what can no longer stand in the next block.
    pub fn expire(&mut self, now: Now) -> Vec<(TxId, Departure)> {
        let mut departed = Vec::new();
        while let Some((expiry, id)) = self.index.expiries.first().copied()
            && expiry < now.next_height
        {
            self.remove(&id);
            departed.push((id, Departure::Expired));
        }
        while let Some((arrived_us, id)) = self.index.arrivals.first().copied()
            && now.us.saturating_sub(arrived_us) >= self.config().max_age_us
        {
            self.remove(&id);
            departed.push((id, Departure::TooOld));
        }
        departed
    }

    /// The accounts that blocks touched and that matter here: of senders that have a transaction in
    /// the pool or are about to.
    fn touched<E>(
        &self,
        included: &[VerifiedTx],
        abandoned: &[VerifiedTx],
        accounts: impl Fn(&Address) -> Result<Account, E>,
    ) -> Result<BTreeMap<Address, Account>, E> {
        let returning: BTreeSet<Address> = abandoned.iter().map(VerifiedTx::sender).collect();
        let touched: BTreeSet<Address> = included
            .iter()
            .chain(abandoned)
            .flat_map(|tx| [tx.sender(), tx.transfer().recipient])
            .filter(|it| self.senders.contains_key(it) || returning.contains(it))
            .collect();
        touched.into_iter().map(|address| Ok((address, accounts(&address)?))).collect()
    }

    /// Puts one back that stood in a block; tells if that was not to be, or if another had to go
    /// for it. Whether it is ready is left for its sender to settle, whether its last height has
    /// passed is left to [`Pool::expire`].
    fn take_back(
        &mut self,
        tx: VerifiedTx,
        account: Account,
        now_us: u64,
    ) -> Option<(TxId, Departure)> {
        let (id, nonce, address) = (tx.id(), tx.transfer().nonce, tx.sender());
        if self.contains(&id) {
            return None;
        }
        if nonce < account.nonce {
            return Some((id, Departure::NonceUsed));
        }
        let rival = self.senders.get(&address).and_then(|it| it.waiting().get(&nonce));
        if rival.is_some_and(|rival| Priority::of(&rival.tx) > Priority::of(&tx)) {
            return Some((id, Departure::Replaced));
        }
        self.change(address, |sender, index| {
            let rival = sender.take(nonce, index);
            sender.put(Waiting { tx, arrived_us: now_us }, index);
            rival.map(|rival| (rival.tx.id(), Departure::Replaced))
        })
    }
}
