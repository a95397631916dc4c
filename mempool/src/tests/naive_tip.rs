//! What the naive pool does when time passes and the chain changes, and what it would put into a
//! block.

use hearsay_chain::ledger::Account;
use hearsay_chain::{Address, TxId, VerifiedTx};

use super::naive::{Held, Naive, key, nonce};
use crate::{Departure, Now, Origin};

pub(crate) type Departed = Vec<(TxId, Departure)>;

impl Naive {
    pub(crate) fn next_nonce(&self, sender: Address, account: Account) -> u64 {
        (account.nonce..).find(|nonce| self.at(sender, *nonce).is_none()).unwrap()
    }

    /// Again and again the best of those whose predecessor was taken.
    pub(crate) fn template(&self, max_bytes: usize, max_count: usize) -> Vec<VerifiedTx> {
        let mut open: Vec<VerifiedTx> = self.held.iter().map(|it| it.tx.clone()).collect();
        open.retain(|tx| self.is_ready(tx));
        let (mut taken, mut room) = (Vec::new(), max_bytes);
        while taken.len() < max_count {
            let first = |tx: &&VerifiedTx| {
                !open.iter().any(|it| it.sender() == tx.sender() && nonce(it) < nonce(tx))
            };
            let Some(best) = open.iter().filter(first).max_by_key(|tx| key(tx)).cloned() else {
                break;
            };
            if best.size() <= room {
                room -= best.size();
                open.retain(|tx| tx.id() != best.id());
                taken.push(best);
            } else {
                open.retain(|tx| tx.sender() != best.sender());
            }
        }
        taken
    }

    pub(crate) fn expire(&mut self, now: Now) -> Departed {
        let departed = self.drop_expired(now);
        self.set_pace(now.us);
        departed
    }

    fn drop_expired(&mut self, now: Now) -> Departed {
        let mut departed = Vec::new();
        let max_age_us = self.config.max_age_us;
        self.held.retain(|it| {
            let (id, expiry) = (it.tx.id(), it.tx.transfer().expiry);
            let reason = if expiry.is_some_and(|expiry| expiry < now.next_height) {
                Some(Departure::Expired)
            } else {
                (it.arrived_us + max_age_us <= now.us).then_some(Departure::TooOld)
            };
            departed.extend(reason.map(|reason| (id, reason)));
            reason.is_none()
        });
        departed
    }

    pub(crate) fn account_changed(&mut self, sender: Address, account: Account) -> Departed {
        self.accounts.insert(sender, account);
        self.drop_used(sender).into_iter().map(|id| (id, Departure::NonceUsed)).collect()
    }

    pub(crate) fn tip_changed(
        &mut self,
        included: &[VerifiedTx],
        abandoned: &[VerifiedTx],
        account: impl Fn(&Address) -> Account,
        now: Now,
    ) -> Departed {
        let mut departed = Vec::new();
        for tx in abandoned.iter().filter(|tx| !included.contains(tx)) {
            if self.get(&tx.id()).is_some() {
                continue;
            }
            if nonce(tx) < account(&tx.sender()).nonce {
                departed.push((tx.id(), Departure::NonceUsed));
                continue;
            }
            let rival = self.at(tx.sender(), nonce(tx)).cloned();
            let stays = rival.as_ref().is_some_and(|rival| key(rival) > key(tx));
            let loser = if stays { Some(tx) } else { rival.as_ref() };
            departed.extend(loser.map(|it| (it.id(), Departure::Replaced)));
            if !stays {
                self.held.retain(|it| Some(&it.tx) != rival.as_ref());
                let (tx, origin) = (tx.clone(), Origin::Remote);
                self.held.push(Held { tx, origin, arrived_us: now.us });
            }
        }
        for tx in included.iter().chain(abandoned) {
            for address in [tx.sender(), tx.transfer().recipient] {
                self.accounts.insert(address, account(&address));
                departed.extend(self.drop_used(address).into_iter().map(|id| {
                    let stands = included.iter().any(|tx| tx.id() == id);
                    (id, if stands { Departure::Included } else { Departure::NonceUsed })
                }));
            }
        }
        departed.extend(self.drop_expired(now));
        let evicted = self.make_room(None, now).unwrap();
        departed.extend(evicted.into_iter().map(|id| (id, Departure::Evicted)));
        self.set_pace(now.us);
        departed
    }
}
