//! What time and the chain do to the pool: blocks take transactions away and give them back,
//! and nothing waits for ever.

use std::cmp::Reverse;

use hearsay_chain::ledger::Account;
use hearsay_chain::{Address, TxId, VerifiedTx};

use crate::admission::Asking;
use crate::ages::Ages;
use crate::departure::Departure;
use crate::key::{Entry, Key, Slot};
use crate::pool::{Now, Origin, Pool};
use crate::rate::FeeRate;

impl Pool {
    /// Follows the chain to a new tip: what it included leaves, what it abandoned returns, and the
    /// accounts that these touched are looked at again. Tells what left, and what was abandoned and
    /// did not return, in no particular order.
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
        let account = |address: &Address| {
            let found = accounts.binary_search_by_key(address, |(address, _)| *address);
            found.map_or_else(|_| Account::default(), |at| accounts[at].1)
        };
        let mut in_block: Vec<TxId> = included.iter().map(VerifiedTx::id).collect();
        in_block.sort_unstable();
        let stands = |id: &TxId| in_block.binary_search(id).is_ok();
        let mut departed = Vec::new();
        for tx in abandoned.into_iter().filter(|tx| !stands(&tx.id())) {
            let account = account(&tx.sender());
            departed.extend(self.take_back(tx, account, now));
        }
        for (address, account) in &accounts {
            for id in self.settle(address, *account) {
                let reason = if stands(&id) { Departure::Included } else { Departure::NonceUsed };
                departed.push((id, reason));
            }
        }
        self.expire_into(now, &mut departed);
        departed.extend(self.trim(now.us));
        self.set_pace(now.us);
        Ok(departed)
    }

    /// Looks at one sender again, for a change of its account that no transaction tells of: a
    /// proposer's fees.
    pub fn account_changed(
        &mut self,
        sender: &Address,
        account: Account,
    ) -> Vec<(TxId, Departure)> {
        let outdated = self.settle(sender, account);
        outdated.into_iter().map(|id| (id, Departure::NonceUsed)).collect()
    }

    /// Lets go of what has waited too long, and of what can no longer stand in the next block. Tells
    /// what left, in no particular order.
    pub fn expire(&mut self, now: Now) -> Vec<(TxId, Departure)> {
        let mut departed = Vec::new();
        self.expire_into(now, &mut departed);
        self.set_pace(now.us);
        departed
    }

    fn expire_into(&mut self, now: Now, departed: &mut Vec<(TxId, Departure)>) {
        let below = self.expiries.range(..(now.next_height, 0)).map(|(_, number)| *number);
        let expired = below.collect();
        self.remove_all(expired, Departure::Expired, departed);
        let mut too_old = Vec::new();
        let mut at = self.ages.oldest;
        while at != Ages::NONE
            && let it = &self.residents[at]
            && now.us.saturating_sub(it.arrived_us) >= self.config.max_age_us
        {
            too_old.push(at);
            at = it.newer;
        }
        self.remove_all(too_old, Departure::TooOld, departed);
    }

    /// Takes many out. Of each sender the last first: so none is looked at for another's sake.
    fn remove_all(
        &mut self,
        mut numbers: Vec<u32>,
        reason: Departure,
        departed: &mut Vec<(TxId, Departure)>,
    ) {
        numbers.sort_by_cached_key(|number| {
            let it = &self.residents[*number];
            (it.owner, Reverse(it.nonce()))
        });
        departed.extend(numbers.into_iter().map(|number| (self.remove(number), reason)));
    }

    /// Brings a sender in line with its account. Tells those whose nonces proved used.
    fn settle(&mut self, address: &Address, account: Account) -> Vec<TxId> {
        let Some(at) = self.find_sender(address) else { return Vec::new() };
        let (used, _) = self.change(at, |sender| sender.update(account, None));
        used.iter().map(|it| self.release(it.slot)).collect()
    }

    /// The accounts that blocks touched and that matter here, by address: of senders that have a
    /// transaction in the pool or are about to.
    fn touched<E>(
        &self,
        included: &[VerifiedTx],
        abandoned: &[VerifiedTx],
        accounts: impl Fn(&Address) -> Result<Account, E>,
    ) -> Result<Vec<(Address, Account)>, E> {
        let both = |tx: &VerifiedTx| [tx.sender(), tx.transfer().recipient];
        let mut touched: Vec<Address> = included.iter().chain(abandoned).flat_map(both).collect();
        touched.retain(|it| self.find_sender(it).is_some());
        touched.extend(abandoned.iter().map(VerifiedTx::sender));
        touched.sort_unstable();
        touched.dedup();
        touched.into_iter().map(|address| Ok((address, accounts(&address)?))).collect()
    }

    /// Puts one back that stood in a block; tells if that was not to be, or if another had to go
    /// for it. Whether its last height has passed is left to [`Pool::expire`].
    fn take_back(
        &mut self,
        tx: VerifiedTx,
        account: Account,
        now: Now,
    ) -> Option<(TxId, Departure)> {
        let (id, nonce, address) = (tx.id(), tx.transfer().nonce, tx.sender());
        if self.contains(&id) {
            return None;
        }
        if nonce < account.nonce {
            return Some((id, Departure::NonceUsed));
        }
        let slot = Slot::new(self.residents.next(), false);
        let key = Key::new(FeeRate::of(tx.transfer().fee, tx.size()), &id, slot);
        let known = self.find_sender(&address);
        let entries = known.map_or(&[][..], |at| self.senders[at].entries());
        let rival = entries.binary_search_by_key(&nonce, |it| it.nonce);
        if rival.is_ok_and(|at| entries[at].key() > key) {
            return Some((id, Departure::Replaced));
        }
        let owner = known.unwrap_or_else(|| self.new_sender(address));
        let entry = Entry::new(nonce, tx.cost(), key);
        self.settle_in(tx, owner, Asking::new(Origin::Remote, now), slot);
        // Under the account that the sender was last told of, so that nothing of it counts as used
        // before all are back.
        let told = self.senders[owner].account();
        let told = if known.is_some() && told.nonce <= nonce { told } else { account };
        let (used, replaced) = self.change(owner, |sender| sender.update(told, Some(entry)));
        debug_assert!(used.is_empty(), "an abandoned block gives nonces back");
        replaced.map(|it| (self.release(it.slot), Departure::Replaced))
    }
}
