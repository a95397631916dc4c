//! What enters and leaves the pool, said in one place: to the log, to whoever keeps the pool over a
//! restart, and later to those who ask what became of a transaction.

use hearsay_chain::{TxId, VerifiedTx};
use hearsay_mempool::{Departure, Inserted, Origin};
use lru::LruCache;

use super::{Effect, Engine, Kept, evicted};
use crate::api::{DropReason, TxStatus};
use crate::trace::event::{Event, Kind};

/// Transactions whose end is remembered at least, about 10 MiB. With a larger pool it is as many as
/// that holds, so that whoever watches one of those learns of its end even if all leave at once.
const LEAST_CAPACITY: usize = 65_536;

/// Why a transaction left, and for which one.
#[derive(Clone, Copy, Debug)]
struct End {
    reason: DropReason,
    by: Option<TxId>,
}

/// The last transactions that left the pool without a block. They are remembered for as long as this
/// process lives.
#[derive(Debug)]
pub(super) struct Departures {
    ends: LruCache<TxId, End>,
    capacity: usize,
}

impl Departures {
    /// Of a pool of so many.
    pub(super) fn new(max_count: usize) -> Self {
        // It grows as it is filled; many nodes may live in one process.
        Self { ends: LruCache::unbounded(), capacity: max_count.max(LEAST_CAPACITY) }
    }

    fn note(&mut self, id: TxId, end: End) {
        self.ends.put(id, end);
        if self.ends.len() > self.capacity {
            self.ends.pop_lru();
        }
    }

    /// It is back.
    fn forget(&mut self, id: &TxId) {
        self.ends.pop(id);
    }

    /// How a transaction ended that is neither in the pool nor in the chain.
    pub(super) fn status(&self, id: &TxId) -> TxStatus {
        match self.ends.peek(id) {
            Some(End { reason, by }) => TxStatus::Dropped { reason: *reason, by: *by },
            None => TxStatus::Unknown,
        }
    }
}

impl<S> Engine<S> {
    /// A transaction that waited before a restart is not to come back.
    pub(super) fn refused_on_return(
        &mut self,
        id: TxId,
        reason: DropReason,
        out: &mut Vec<Effect>,
    ) {
        out.push(Effect::Keep(Kept::Remove(id)));
        self.departures.note(id, End { reason, by: None });
    }

    /// A transaction has left the pool, `by` another if that is known. Whatever the reason, it is no
    /// longer to be offered to anybody.
    pub(super) fn departed(
        &mut self,
        id: TxId,
        departure: Departure,
        by: Option<TxId>,
        out: &mut Vec<Effect>,
    ) {
        self.unbroadcast.forget(&id);
        out.push(Effect::Keep(Kept::Remove(id)));
        // Those that a block took have an event of their own.
        if let Some(reason) = DropReason::of(departure) {
            self.departures.note(id, End { reason, by });
            out.push(evicted(id, departure.reason()));
        }
    }

    /// A transaction has come into the pool. When it came is told in microseconds since the Unix
    /// epoch.
    pub(super) fn arrived(
        &mut self,
        tx: VerifiedTx,
        origin: Origin,
        arrived_unix_us: u64,
        out: &mut Vec<Effect>,
    ) {
        self.departures.forget(&tx.id());
        self.reconcile.arrived(&tx.id());
        let local = origin == Origin::Local;
        out.push(Effect::Keep(Kept::Add { tx, local, arrived_unix_us }));
    }

    /// The pool has taken a transaction, and let go of others for it.
    pub(super) fn came_in(
        &mut self,
        tx: VerifiedTx,
        origin: Origin,
        arrived_unix_us: u64,
        inserted: &Inserted,
        out: &mut Vec<Effect>,
    ) {
        let (id, ready) = (tx.id(), inserted.ready);
        out.push(Effect::Trace(Event::Pooled { kind: Kind::Tx, id: id.to_string(), ready }));
        self.arrived(tx, origin, arrived_unix_us, out);
        for (left, departure) in inserted.departed() {
            let by = matches!(departure, Departure::Replaced | Departure::Evicted).then_some(id);
            self.departed(left, departure, by, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> TxId {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&number.to_le_bytes());
        TxId(id)
    }

    #[test]
    fn the_last_ones_are_remembered_until_they_are_back_and_the_oldest_are_forgotten() {
        const CAPACITY: usize = LEAST_CAPACITY + 1;
        assert_eq!(Departures::new(1).capacity, LEAST_CAPACITY);
        let mut departures = Departures::new(CAPACITY);
        let end = End { reason: DropReason::Replaced, by: Some(id(7)) };
        for number in 0..CAPACITY {
            departures.note(id(number), end);
        }
        let dropped = TxStatus::Dropped { reason: DropReason::Replaced, by: Some(id(7)) };
        assert_eq!(departures.status(&id(0)), dropped);
        departures.note(id(CAPACITY), end);
        assert_eq!(departures.status(&id(0)), TxStatus::Unknown, "looking does not keep it");
        assert_eq!(departures.status(&id(1)), dropped);
        departures.forget(&id(1));
        assert_eq!(departures.status(&id(1)), TxStatus::Unknown);
        assert_eq!(departures.ends.len(), CAPACITY - 1);
    }
}
