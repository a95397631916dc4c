//! The transactions of a load, one after the other. Pure, and the same for the same seed.

use std::time::Duration;

use hearsay_chain::transaction::Transfer;
use hearsay_chain::{Address, ChainId, Keypair, UnverifiedTx};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

use super::{Arrivals, Spec};

/// What each transaction moves.
const AMOUNT: u64 = 1;

/// One transaction of the load.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Its place in the load.
    pub nth: u64,
    /// When it is due, counted from the beginning of the load.
    pub due: Duration,
    /// The number of its sender.
    pub sender: usize,
    /// The transaction.
    pub tx: UnverifiedTx,
}

/// A load: the senders take turns, each with its nonces in sequence, and pay the sender after them,
/// or itself when there is one.
#[derive(Debug)]
pub struct Transactions {
    chain: ChainId,
    senders: Vec<(Keypair, Address)>,
    spec: Spec,
    arrivals: Arrivals,
    rng: ChaCha8Rng,
    nth: u64,
}

impl Transactions {
    /// The load of `senders`, whose accounts are fresh.
    #[must_use]
    pub fn new(chain: ChainId, senders: &[Keypair], spec: &Spec) -> Self {
        let senders = senders.iter().map(|key| (key.clone(), key.public().address())).collect();
        let rng = ChaCha8Rng::seed_from_u64(spec.seed);
        Self { chain, senders, spec: spec.clone(), arrivals: spec.schedule.arrivals(), rng, nth: 0 }
    }
}

impl Iterator for Transactions {
    type Item = Signed;

    fn next(&mut self) -> Option<Signed> {
        let nth = self.nth;
        let turns = u64::try_from(self.senders.len()).ok().filter(|turns| *turns > 0)?;
        let sender = usize::try_from(nth % turns).ok()?;
        let due = self.arrivals.next()?;
        let (key, _) = &self.senders[sender];
        let (_, recipient) = &self.senders[(sender + 1) % self.senders.len()];
        // Random bytes, as a payload that compresses would flatter every figure about bytes.
        let mut payload = vec![0; usize::try_from(self.spec.payload.draw(&mut self.rng)).ok()?];
        self.rng.fill_bytes(&mut payload);
        let transfer = Transfer {
            chain: self.chain,
            sender: key.public(),
            nonce: nth / turns,
            recipient: *recipient,
            amount: AMOUNT,
            fee: self.spec.fee.draw(&mut self.rng),
            expiry: None,
            payload,
        };
        self.nth += 1;
        Some(Signed { nth, due, sender, tx: transfer.sign(key).into() })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hearsay_chain::VerifiedTx;

    use super::super::Schedule;
    use super::*;
    use crate::cluster::keys::{Role, key};

    fn load(senders: usize, seed: u64) -> Transactions {
        let senders: Vec<_> = (0..senders).map(|index| key(1, Role::Sender, index)).collect();
        let schedule = Schedule::constant(10.0, Duration::from_secs(10));
        Transactions::new(ChainId([9; 8]), &senders, &Spec::plain(schedule, 16, seed))
    }

    #[test]
    fn each_sender_has_its_nonces_in_sequence() {
        let mut next = [0; 3];
        for signed in load(3, 1).take(30) {
            assert_eq!(signed.tx.transfer().nonce, next[signed.sender]);
            next[signed.sender] += 1;
        }
        assert_eq!(next, [10; 3]);
    }

    #[test]
    fn every_transaction_is_another_one_and_valid() {
        let txs: Vec<_> = load(3, 1).take(20).map(|signed| signed.tx).collect();
        let ids: BTreeSet<_> = txs.iter().map(UnverifiedTx::id).collect();
        assert_eq!(ids.len(), 20);
        assert!(txs.iter().all(|tx| tx.check_form(ChainId([9; 8]), 16).is_ok()));
        assert!(VerifiedTx::verify_all(txs).iter().all(Result::is_ok));
    }

    #[test]
    fn a_sender_pays_another_one_if_there_is_one() {
        for signed in load(3, 1).take(6) {
            assert_ne!(signed.tx.transfer().sender.address(), signed.tx.transfer().recipient);
        }
        assert_eq!(load(1, 1).take(3).count(), 3);
        assert_eq!(load(0, 1).count(), 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_load_and_another_seed_another() {
        let ids = |seed| load(3, seed).take(9).map(|signed| signed.tx.id()).collect::<Vec<_>>();
        assert_eq!(ids(1), ids(1));
        assert_ne!(ids(1), ids(2));
    }
}
