//! Transactions that waited before a restart come back: their signatures are checked again, and the
//! pool asks of them what it asks of any. The node runs meanwhile.

use std::collections::BTreeMap;

use hearsay_chain::{Judged, Store, StoreError, TxError, TxId, UnverifiedTx, VerifiedTx};
use hearsay_mempool::{Departure, Origin, Refusal};

use super::input::Time;
use super::jobs::{Job, JobId};
use super::keep::Kept;
use super::work::Work;
use super::{Effect, Engine};
use crate::api::DropReason;

/// The most transactions in one [`super::Input::Restore`]: the engine takes under a millisecond for
/// them, and a batch of signatures costs hardly less with more.
pub const RESTORE_BATCH: usize = 256;

/// Batches whose signatures may be under way: each checking thread has one, and one to go on with.
const MAX_UNDER_WAY: usize = 4;

/// A transaction that waited before this process started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The transaction.
    pub tx: UnverifiedTx,
    /// Whether a user of this node handed it in.
    pub local: bool,
    /// When it came: microseconds since the Unix epoch.
    pub arrived_unix_us: u64,
}

/// What became of the transactions that waited before this process started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestoreTally {
    /// How many there were.
    pub found: u64,
    /// Those that wait again.
    pub taken: u64,
    /// Those that had come by other ways before it was their turn.
    pub known: u64,
    /// The others, by the reason against them.
    pub refused: BTreeMap<&'static str, u64>,
}

/// One whose signature holds.
#[derive(Debug)]
struct Returning {
    tx: VerifiedTx,
    origin: Origin,
    arrived_unix_us: u64,
}

/// Those of one batch, in order.
#[derive(Debug)]
struct Batch {
    marks: Vec<(TxId, Origin, u64)>,
    /// None while their signatures are being checked.
    checked: Option<Vec<Result<VerifiedTx, TxError>>>,
}

/// What is on its way back.
#[derive(Debug, Default)]
pub(super) struct Restoring {
    /// By the order in which they came. A later one that is checked first waits for the earlier.
    batches: BTreeMap<JobId, Batch>,
    /// Whether no more batches come.
    ended: bool,
    tally: RestoreTally,
}

/// Why one does not come back.
#[derive(Clone, Copy, Debug)]
struct Farewell {
    /// The word that is counted.
    reason: &'static str,
    end: Option<End>,
}

/// How one ends that does not come back; one that is known has not ended.
#[derive(Clone, Copy, Debug)]
enum End {
    /// As it would have left the pool, had it been there.
    Left(Departure),
    /// The pool of today does not take it.
    Refused(DropReason),
}

impl From<&Refusal> for Farewell {
    fn from(refusal: &Refusal) -> Self {
        let end = match refusal {
            Refusal::Known => None,
            Refusal::NonceUsed { .. } => Some(End::Left(Departure::NonceUsed)),
            Refusal::Expired { .. } => Some(End::Left(Departure::Expired)),
            Refusal::TooOld => Some(End::Left(Departure::TooOld)),
            Refusal::Underpriced { .. } => Some(End::Left(Departure::Replaced)),
            Refusal::Full { .. } => Some(End::Left(Departure::Evicted)),
            Refusal::FeeTooLow { .. } => Some(End::Refused(DropReason::FeeTooLow)),
            Refusal::CannotPay { .. } => Some(End::Refused(DropReason::Balance)),
            Refusal::NonceTooFar { .. } => Some(End::Refused(DropReason::NonceTooFar)),
            Refusal::TooManyQueued { .. } => Some(End::Refused(DropReason::QueuedLimit)),
        };
        Self { reason: refusal.reason(), end }
    }
}

impl From<&TxError> for Farewell {
    fn from(error: &TxError) -> Self {
        Self { reason: error.reason(), end: Some(End::Refused(DropReason::Invalid)) }
    }
}

impl RestoreTally {
    fn refuse(&mut self, reason: &'static str) {
        let count = self.refused.entry(reason).or_default();
        *count = count.saturating_add(1);
    }
}

impl<S: Store> Engine<S> {
    /// Whether another [`super::Input::Restore`] is welcome.
    #[must_use]
    pub fn may_restore(&self) -> bool {
        self.restoring.batches.len() < MAX_UNDER_WAY && !self.jobs.is_full()
    }

    pub(super) fn on_restore(
        &mut self,
        now: Time,
        transactions: Vec<Restored>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let (mut marks, mut unchecked) = (Vec::new(), Vec::new());
        for Restored { tx, local, arrived_unix_us } in transactions {
            let origin = if local { Origin::Local } else { Origin::Remote };
            self.restoring.tally.found = self.restoring.tally.found.saturating_add(1);
            match self.early_farewell(now, &tx, origin)? {
                Some(farewell) => self.not_restored(tx.id(), farewell, out),
                None => {
                    marks.push((tx.id(), origin, arrived_unix_us));
                    unchecked.push(tx);
                }
            }
        }
        if !unchecked.is_empty() {
            let job = self.jobs.start(Job::Restored);
            self.restoring.batches.insert(job, Batch { marks, checked: None });
            out.push(Effect::Check { job, work: Work::Restored(unchecked) });
        }
        Ok(())
    }

    /// Why one cannot come back, whatever its signature says and whatever comes back with it.
    fn early_farewell(
        &self,
        now: Time,
        tx: &UnverifiedTx,
        origin: Origin,
    ) -> Result<Option<Farewell>, StoreError> {
        let rules = self.chain.rules();
        let max_payload = rules.genesis().limits.payload_bytes as usize;
        if let Err(error) = tx.check_form(rules.chain(), max_payload) {
            return Ok(Some(Farewell::from(&error)));
        }
        let account = self.chain.account(&tx.transfer().sender.address())?;
        Ok(match self.pool.check(tx, origin, account, self.pool_now(now)) {
            Err(Refusal::NonceUsed { .. }) if self.chain.find_transaction(&tx.id())?.is_some() => {
                let departure = Departure::Included;
                Some(Farewell { reason: departure.reason(), end: Some(End::Left(departure)) })
            }
            Err(refusal @ (Refusal::NonceUsed { .. } | Refusal::Expired { .. })) => {
                Some(Farewell::from(&refusal))
            }
            _ => None,
        })
    }

    fn not_restored(&mut self, id: TxId, farewell: Farewell, out: &mut Vec<Effect>) {
        self.restoring.tally.refuse(farewell.reason);
        // Whoever watches it since before the restart learns of its end.
        match farewell.end {
            Some(End::Left(departure)) => self.departed(id, departure, None, out),
            Some(End::Refused(reason)) => self.refused_on_return(id, reason, out),
            None => out.push(Effect::Keep(Kept::Remove(id))),
        }
    }

    pub(super) fn on_restore_checked(
        &mut self,
        now: Time,
        job: JobId,
        checked: Vec<Result<VerifiedTx, TxError>>,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        if let Some(batch) = self.restoring.batches.get_mut(&job) {
            batch.checked = Some(checked);
        }
        while let Some(first) = self.restoring.batches.first_entry()
            && first.get().checked.is_some()
        {
            let Batch { marks, checked } = first.remove();
            for ((id, origin, arrived_unix_us), result) in
                marks.into_iter().zip(checked.unwrap_or_default())
            {
                match result {
                    Ok(tx) => {
                        let returning = Returning { tx, origin, arrived_unix_us };
                        self.restore(now, returning, out)?;
                    }
                    Err(error) => self.not_restored(id, Farewell::from(&error), out),
                }
            }
        }
        self.end_restore(out);
        Ok(())
    }

    fn restore(
        &mut self,
        now: Time,
        returning: Returning,
        out: &mut Vec<Effect>,
    ) -> Result<(), StoreError> {
        let Returning { tx, origin, arrived_unix_us } = &returning;
        let account = self.chain.account(&tx.sender())?;
        let (id, moment) = (tx.id(), self.pool_now(now));
        // A clock that was set back since makes it new, not younger than that.
        let age_us = now.unix_us.saturating_sub(*arrived_unix_us);
        let arrived_us = moment.us.saturating_sub(age_us);
        match self.pool.restore(tx.clone(), *origin, arrived_us, account, moment) {
            Ok(inserted) => {
                self.restoring.tally.taken = self.restoring.tally.taken.saturating_add(1);
                let Returning { tx, origin, arrived_unix_us } = returning;
                self.came_in(tx, origin, arrived_unix_us, &inserted, out);
                if origin == Origin::Local {
                    self.unbroadcast.note(id, now);
                }
            }
            // It came by other ways, and is kept as what it is now.
            Err(Refusal::Known) => {
                self.restoring.tally.known = self.restoring.tally.known.saturating_add(1);
            }
            Err(refusal) => self.not_restored(id, Farewell::from(&refusal), out),
        }
        Ok(())
    }

    pub(super) fn on_restore_end(&mut self, out: &mut Vec<Effect>) {
        self.restoring.ended = true;
        self.end_restore(out);
    }

    fn end_restore(&mut self, out: &mut Vec<Effect>) {
        if self.restoring.ended && self.restoring.batches.is_empty() {
            // Nothing more comes, so this is said once.
            self.restoring.ended = false;
            out.push(Effect::RestoreDone(std::mem::take(&mut self.restoring.tally)));
        }
    }
}
