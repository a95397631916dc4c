//! Whether the pool takes a transaction. A question, not a change: [`Pool::check`] asks it before
//! the signature is checked, [`Pool::insert`] asks it again and then does what the answer says.

use hearsay_chain::ledger::Account;
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{Address, TxId, UnverifiedTx, VerifiedTx};

use crate::capacity::{Excess, Newcomer, Victim};
use crate::key::{Entry, Key, Slot};
use crate::memory::{SENDER_CHARGE, charge_of};
use crate::pool::{Forecast, Now, Origin, Pool};
use crate::rate::FeeRate;
use crate::refusal::Refusal;
use crate::sender::{Outlook, extend};
use crate::waiting::position;

/// A last height that is fewer blocks away than this is soon: a pool of the default bounds holds ten
/// blocks at the default limits of a genesis. What expires soon does not push out what can be paid,
/// else a pool could be emptied by bids of which a tenth is ever paid.
pub(crate) const SOON: u64 = 10;

/// What admission needs to know of a transaction. That its signature holds is not part of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    id: TxId,
    sender: Address,
    nonce: u64,
    fee: u64,
    size: usize,
    /// Wider than an account, so that no sum of costs overflows.
    cost: u128,
    expiry: Option<u64>,
    charge: usize,
}

impl Candidate {
    fn new(id: TxId, sender: Address, size: usize, transfer: &Transfer) -> Self {
        Self {
            id,
            sender,
            nonce: transfer.nonce,
            fee: transfer.fee,
            size,
            cost: u128::from(transfer.amount) + u128::from(transfer.fee),
            expiry: transfer.expiry,
            charge: charge_of(transfer),
        }
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

/// How a transaction asks to come in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking {
    pub(crate) origin: Origin,
    /// When it came first.
    pub(crate) arrived_us: u64,
    /// Whether it was in the pool before a restart. It was looked at then: what it needs to be ready
    /// may come after it, as may the money that it waits for, and a reorganisation may have moved its
    /// account back.
    pub(crate) restored: bool,
}

impl Asking {
    pub(crate) fn new(origin: Origin, now: Now) -> Self {
        Self { origin, arrived_us: now.us, restored: false }
    }
}

/// How a transaction would come in.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Its sender, if that has others here.
    pub(crate) sender: Option<u32>,
    /// What its sender would keep of it.
    pub(crate) entry: Entry,
    ready: bool,
    replaced: Option<Slot>,
    /// What must leave.
    pub(crate) victims: Vec<Victim>,
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
        origin: Origin,
        account: Account,
        now: Now,
    ) -> Result<Forecast, Refusal> {
        let plan = self.plan(&tx.into(), Asking::new(origin, now), account, now)?;
        let id = |slot: Slot| self.residents[slot.number()].tx.id();
        Ok(Forecast {
            ready: plan.ready,
            replaces: plan.replaced.map(id),
            evicts: plan.victims.iter().map(|victim| id(victim.slot)).collect(),
        })
    }

    pub(crate) fn plan(
        &self,
        tx: &Candidate,
        asking: Asking,
        account: Account,
        now: Now,
    ) -> Result<Plan, Refusal> {
        self.check_time(tx, asking, account, now)?;
        // The floor keeps out what a full pool pushed out. What was restored was not.
        let local = asking.restored || asking.origin == Origin::Local;
        let least = self.least_rate(if local { Origin::Local } else { Origin::Remote }, now.us);
        let rate = FeeRate::of(tx.fee, tx.size);
        if rate < least {
            return Err(Refusal::FeeTooLow { fee: tx.fee, least: least.fee_for(tx.size) });
        }
        let sender = self.find_sender(&tx.sender);
        let outlook = sender.map_or_else(Outlook::default, |it| self.senders[it].under(account));
        let place = position(outlook.entries, tx.nonce);
        let replaced = place.ok().map(|at| outlook.entries[at]);
        if let Some(replaced) = replaced {
            let old = &self.residents[replaced.slot.number()].tx;
            let least = least_replacement(
                (old.transfer().fee, old.size()),
                tx.size,
                self.config.replacement_percent,
            );
            if u128::from(tx.fee) < least {
                return Err(Refusal::Underpriced { fee: tx.fee, least });
            }
        }
        let at = place.unwrap_or_else(|at| at);
        let run = match self.run_with(tx, (outlook, at, replaced), account) {
            Err(Refusal::CannotPay { .. } | Refusal::TooManyQueued { .. })
                if asking.restored && at >= outlook.run_len =>
            {
                outlook.run_len
            }
            run => run?,
        };

        let leaving = outlook.used.iter().chain(&replaced);
        let protected =
            asking.origin == Origin::Local && self.may_protect(tx.charge, leaving.clone());
        let slot = Slot::new(self.residents.next(), protected);
        let key = Key::new(rate, &tx.id, slot);
        let cost = u64::try_from(tx.cost).unwrap_or(u64::MAX);
        let entry = Entry::new(tx.nonce, cost, key);
        let newcomer = Newcomer {
            sender,
            before: &outlook.entries[..at],
            entry,
            after: &outlook.entries[at + usize::from(replaced.is_some())..],
            run_len: run,
            is_told: outlook.is_told,
            expires_soon: tx.expiry.is_some_and(|it| it < now.next_height.saturating_add(SOON)),
        };
        let excess = self.excess_with(tx.charge, sender.is_none(), leaving);
        let victims =
            self.victims(&newcomer, excess).ok_or(Refusal::Full { fee: tx.fee, size: tx.size })?;
        let replaced = replaced.map(|it| it.slot);
        Ok(Plan { sender, entry, ready: newcomer.is_ready(), replaced, victims })
    }

    /// What is against it whoever sends it: it is here, too late or too early.
    fn check_time(
        &self,
        tx: &Candidate,
        asking: Asking,
        account: Account,
        now: Now,
    ) -> Result<(), Refusal> {
        if self.contains(&tx.id) {
            return Err(Refusal::Known);
        }
        let Some(ahead) = tx.nonce.checked_sub(account.nonce) else {
            return Err(Refusal::NonceUsed { found: tx.nonce, next: account.nonce });
        };
        if let Some(expiry) = tx.expiry.filter(|expiry| now.next_height > *expiry) {
            return Err(Refusal::Expired { expiry });
        }
        if now.us.saturating_sub(asking.arrived_us) >= self.config.max_age_us {
            return Err(Refusal::TooOld);
        }
        let limit = self.config.max_ready_per_sender;
        // A run must have a nonce after it, so the very last nonce stays unused.
        let too_far = ahead >= limit && !asking.restored;
        if too_far || tx.nonce == u64::MAX {
            return Err(Refusal::NonceTooFar { found: tx.nonce, next: account.nonce, limit });
        }
        Ok(())
    }

    /// How many of the sender's are ready with it; what is against it if the sender cannot pay, or
    /// has too many that wait.
    fn run_with(
        &self,
        tx: &Candidate,
        (outlook, at, replaced): (Outlook<'_>, usize, Option<Entry>),
        account: Account,
    ) -> Result<usize, Refusal> {
        let Outlook { entries, run_len, run_cost, .. } = outlook;
        let freed = replaced.map_or(0, |it| u128::from(it.cost));
        let end = account.nonce.saturating_add(run_len as u64);
        let queued = tx.nonce > end;
        let behind: u128 = if queued {
            entries[run_len..].iter().map(|it| u128::from(it.cost)).sum::<u128>() - freed
        } else {
            0
        };
        let in_run = if at < run_len { freed } else { 0 };
        let cost = u128::from(run_cost) - in_run + behind + tx.cost;
        let Some(run_cost) = u64::try_from(cost).ok().filter(|it| *it <= account.balance) else {
            return Err(Refusal::CannotPay { cost, balance: account.balance });
        };
        if queued {
            let limit = self.config.max_queued_per_sender;
            if replaced.is_none() && (entries.len() - run_len) as u64 >= limit {
                return Err(Refusal::TooManyQueued { next: end, limit });
            }
            return Ok(run_len);
        }
        let known = run_len.max(at + 1);
        let next = known - usize::from(replaced.is_none());
        Ok(extend(account, (known, run_cost), &entries[next..]).0)
    }

    /// Whether one more may be protected, once others have left.
    fn may_protect<'a>(&self, charge: usize, leaving: impl Iterator<Item = &'a Entry>) -> bool {
        let share = |of: usize| of as u128 * u128::from(self.config.local_percent) / 100;
        let freed = leaving.filter(|it| it.slot.is_protected()).fold((0, 0), |freed, it| {
            (freed.0 + 1, freed.1 + self.residents[it.slot.number()].charge())
        });
        let (count, memory) = (self.sums.local - freed.0, self.sums.local_memory - freed.1);
        (count as u128) < share(self.config.max_count)
            && (memory + charge) as u128 <= share(self.config.max_memory)
    }

    /// By how much the bounds would be exceeded.
    fn excess_with<'a>(
        &self,
        charge: usize,
        new_sender: bool,
        leaving: impl Iterator<Item = &'a Entry>,
    ) -> Excess {
        let freed = leaving.fold((0, 0), |(count, memory), it| {
            (count + 1, memory + self.residents[it.slot.number()].charge())
        });
        let sender = if new_sender { SENDER_CHARGE } else { 0 };
        Excess {
            count: (self.len() + 1 - freed.0).saturating_sub(self.config.max_count),
            memory: (self.sums.memory + charge + sender - freed.1)
                .saturating_sub(self.memory_bound()),
        }
    }
}

/// The least fee with which a transaction of `size` bytes replaces one of this fee and size:
/// `percent` more per byte, and more in all. Else one without fee could be replaced for ever, and a
/// large one by a small one that pays less, and that again by a large one: all nodes relay each.
///
/// Written as a fee it is the same rule as `fee × size_old × 100 ≥ fee_old × size × 110`, and it can
/// be told to the user.
fn least_replacement((old_fee, old_size): (u64, usize), size: usize, percent: u32) -> u128 {
    let same = u128::from(old_fee) * size as u128;
    let old_size = (old_size as u128).max(1);
    let raised = (same * (100 + u128::from(percent))).div_ceil(old_size * 100);
    raised.max(same / old_size + 1).max(u128::from(old_fee) + 1)
}
