//! What must hold between any two operations, recomputed from the ground up. For tests.

use crate::index::{Index, Place};
use crate::order::{Priority, Rank};
use crate::pool::Pool;
use crate::sender::{Run, Sender, cost};

impl Pool {
    /// Checks every index against the transactions, in time proportional to the pool.
    ///
    /// # Panics
    /// When they disagree: a fault of this crate.
    #[doc(hidden)]
    pub fn check_invariants(&self) {
        let mut expected = Index::default();
        for (address, sender) in &self.senders {
            assert!(!sender.waiting().is_empty(), "{address} has nothing here");
            assert_eq!(sender.run(), longest_run(sender), "the run of {address}");
            for (nonce, it) in sender.waiting() {
                assert_eq!((it.tx.sender(), it.tx.transfer().nonce), (*address, *nonce));
                assert!(*nonce >= sender.account().nonce, "{address} has used nonce {nonce}");
                let (id, priority) = (it.tx.id(), Priority::of(&it.tx));
                let ready = sender.run().contains(*nonce);
                expected.places.insert(id, Place { sender: *address, nonce: *nonce });
                expected.ranks.insert(Rank { ready, priority });
                expected.arrivals.insert((it.arrived_us, id));
                expected.expiries.extend(it.tx.transfer().expiry.map(|expiry| (expiry, id)));
                expected.bytes += it.tx.size();
                expected.ready += usize::from(ready);
                if ready && *nonce == sender.account().nonce {
                    expected.heads.insert(priority);
                }
            }
        }
        assert_eq!(self.index, expected);
        assert!(self.len() <= self.config().max_count, "more than max_count");
        assert!(self.index.bytes <= self.config().max_memory, "more than max_memory");
    }
}

fn longest_run(sender: &Sender) -> Run {
    let account = sender.account();
    let mut run = Run { start: account.nonce, end: account.nonce, cost: 0 };
    while let Some(it) = sender.waiting().get(&run.end).filter(|_| run.end < u64::MAX) {
        let together = run.cost + cost(it.tx.transfer());
        if together > u128::from(account.balance) {
            break;
        }
        run = Run { end: run.end + 1, cost: together, ..run };
    }
    run
}
