//! What enters and leaves the pool, said in one place: the log has it, and whoever keeps the pool on
//! disk.

use hearsay_chain::{Store, TxId, VerifiedTx};
use hearsay_mempool::{Departure, Origin};

use super::input::Time;
use super::{Effect, Engine, evicted};

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
    /// A transaction is in the pool now.
    pub(super) fn note_arrival(
        &self,
        now: Time,
        tx: VerifiedTx,
        origin: Origin,
        out: &mut Vec<Effect>,
    ) {
        let (local, arrived_unix_us) = (origin == Origin::Local, now.unix_us);
        out.push(Effect::Keep(Kept::Add { tx, local, arrived_unix_us }));
    }

    /// Transactions have left the pool.
    pub(super) fn note_departures(
        &self,
        departed: impl IntoIterator<Item = (TxId, Departure)>,
        out: &mut Vec<Effect>,
    ) {
        for (id, departure) in departed {
            out.push(Effect::Keep(Kept::Remove(id)));
            // Those that a block took have an event of their own.
            if departure != Departure::Included {
                out.push(evicted(id, departure.reason()));
            }
        }
    }

    /// What is to be kept of one that the pool holds.
    #[must_use]
    pub fn kept(&self, now: Time, id: &TxId) -> Option<Kept> {
        let view = self.pool.view(id)?;
        let age_us = self.pool_now(now).us.saturating_sub(view.arrived_us);
        Some(Kept::Add {
            tx: view.tx.clone(),
            local: view.origin == Origin::Local,
            arrived_unix_us: now.unix_us.saturating_sub(age_us),
        })
    }
}
