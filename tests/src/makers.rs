//! A network of which one process holds every key: the blocks and transactions it makes.

use hearsay_chain::genesis::{Limits, Schedule};
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{BlockId, Genesis, Keypair, Rules, UnverifiedTx, VerifiedBlock, VerifiedTx};

/// What each sender has at first: more than any test spends.
const FUNDS: u64 = 1 << 40;

/// Every key of a network.
#[derive(Clone, Debug)]
pub struct Makers {
    rules: Rules,
    authorities: Vec<Keypair>,
    senders: Vec<Keypair>,
}

impl Makers {
    /// A network of `authorities`, who take turns, and of funded `senders`. It begins at `time_ms`.
    #[must_use]
    pub fn new(
        name: &str,
        (authorities, senders): (usize, usize),
        (time_ms, slot_ms): (u64, u64),
    ) -> Self {
        let keys = |first: u8, count: usize| -> Vec<Keypair> {
            (first..).take(count).map(|byte| Keypair::from_seed(&[byte; 32])).collect()
        };
        let (authorities, senders) = (keys(100, authorities), keys(1, senders));
        let genesis = Genesis {
            name: name.to_owned(),
            time_ms,
            slot_ms,
            schedule: Schedule::RoundRobin,
            authorities: authorities.iter().map(Keypair::public).collect(),
            limits: Limits::default(),
            allocations: senders.iter().map(|sender| (sender.address(), FUNDS)).collect(),
        };
        Self { rules: Rules::new(genesis), authorities, senders }
    }

    /// The network's rules.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The network's genesis.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        self.rules.genesis()
    }

    /// The key of an authority.
    ///
    /// # Panics
    /// There is no such authority.
    #[must_use]
    pub fn authority(&self, place: usize) -> &Keypair {
        &self.authorities[place]
    }

    /// How many senders there are.
    #[must_use]
    pub fn senders(&self) -> usize {
        self.senders.len()
    }

    /// The first slot after `after` that is the turn of one of the first `places` authorities.
    #[must_use]
    pub fn slot_after(&self, after: u64, places: usize) -> u64 {
        let (count, places) = (self.authorities.len() as u64, places as u64);
        let next = after.saturating_add(1);
        match next % count {
            place if place < places => next,
            place => next.saturating_add(count - place),
        }
    }

    /// A block in a slot, made by the authority whose turn it is.
    #[must_use]
    pub fn block(
        &self,
        parent: (BlockId, u64),
        slot: u64,
        transactions: Vec<VerifiedTx>,
    ) -> VerifiedBlock {
        let place = slot % self.authorities.len() as u64;
        let key = &self.authorities[usize::try_from(place).unwrap_or_default()];
        VerifiedBlock::propose(self.rules.chain(), parent, slot, transactions, key)
    }

    /// A transaction of one sender, paying the next one.
    #[must_use]
    pub fn payment(&self, sender: usize, nonce: u64) -> VerifiedTx {
        let (from, to) = (&self.senders[sender], &self.senders[(sender + 1) % self.senders.len()]);
        let transfer = Transfer {
            chain: self.rules.chain(),
            sender: from.public(),
            nonce,
            recipient: to.address(),
            amount: 1,
            fee: 1,
            expiry: None,
            payload: vec![0x5a; 64],
        };
        // Signed a moment ago: checking it would only cost time.
        VerifiedTx::from_own_store(UnverifiedTx::from(transfer.sign(from)))
    }

    /// `count` blocks on top of each other, one in each slot from 1 on, with `payments`
    /// transactions each.
    #[must_use]
    pub fn line(&self, count: u64, payments: usize) -> Vec<VerifiedBlock> {
        let mut parent = (self.genesis().block().id(), 0);
        let mut nonces = vec![0; self.senders.len()];
        let mut next = 0;
        (1..=count)
            .map(|slot| {
                let transactions = (0..payments)
                    .map(|_| {
                        let sender = next % nonces.len();
                        next += 1;
                        nonces[sender] += 1;
                        self.payment(sender, nonces[sender] - 1)
                    })
                    .collect();
                let block = self.block(parent, slot, transactions);
                parent = (block.id(), block.height());
                block
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_found_for_the_first_authorities_alone() {
        let makers = Makers::new("test", (4, 1), (0, 10));
        assert_eq!(makers.slot_after(0, 4), 1);
        assert_eq!(makers.slot_after(1, 2), 4);
        assert_eq!(makers.slot_after(3, 2), 4);
        assert_eq!(makers.slot_after(4, 2), 5);
    }
}
