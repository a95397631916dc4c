//! What is kept of the pool over a restart.

use hearsay_chain::{Store, TxId, VerifiedTx};
use hearsay_mempool::Origin;

use super::Engine;
use super::input::Time;
use crate::api::WaitingTx;

/// A change of the pool, for whoever keeps it over a restart. All of them in turn give what the pool
/// holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A transaction came in. It may be there already.
    Add {
        /// The transaction.
        tx: VerifiedTx,
        /// Whether a user of this node handed it in.
        local: bool,
        /// When it came: microseconds since the Unix epoch.
        arrived_unix_us: u64,
    },
    /// A transaction left, or is not to come back. It may not be there.
    Remove(TxId),
}

impl<S: Store> Engine<S> {
    /// What is to be kept of one that the pool holds.
    #[must_use]
    pub fn kept(&self, now: Time, id: &TxId) -> Option<Kept> {
        let view = self.pool.view(id)?;
        let age_us = self.pool_now(now).us.saturating_sub(view.arrived_us);
        Some(Kept::Add {
            tx: view.tx.clone(),
            // Those beyond the pool's share of local ones are not protected, and are a user's still.
            local: view.origin == Origin::Local || self.unbroadcast.contains(id),
            arrived_unix_us: now.unix_us.saturating_sub(age_us),
        })
    }

    /// All that waits, for whoever carries it elsewhere. This walks the whole pool.
    pub(super) fn export(&self, now: Time) -> Vec<WaitingTx> {
        let pool_us = self.pool_now(now).us;
        let waiting = self.pool.iter().map(|view| WaitingTx {
            tx: view.tx.clone(),
            arrived_us: now.unix_us.saturating_sub(pool_us.saturating_sub(view.arrived_us)),
            local: view.origin == Origin::Local,
        });
        waiting.collect()
    }
}
