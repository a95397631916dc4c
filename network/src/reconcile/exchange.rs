//! What follows a comparison: this side asks for what it lacks, and offers what the other lacks.

use std::collections::{BTreeSet, VecDeque};

use hearsay_chain::TxId;

use crate::short_id::ShortKey;
use crate::wire::{MAX_NAMES, MAX_OFFER, MAX_OFFER_BYTES, Request};

/// The most transactions offered after one comparison: what a peer takes at once from somebody who
/// has offered nothing lately (`sync::peers`). One that lacks more asks for it in a comparison of its
/// own, at its own pace.
pub(super) const MAX_OFFERS: usize = 512;

/// Transactions that were not asked for, or not in the order in which they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unasked;

/// An exchange under way: one question at a time.
#[derive(Clone, Debug)]
pub struct Exchange {
    key: ShortKey,
    wanted: BTreeSet<u64>,
    open: Vec<u64>,
    offers: VecDeque<TxId>,
    bytes: u64,
}

impl Exchange {
    /// Of what the other side has alone, by name, and what this one may offer.
    #[must_use]
    pub fn new(key: ShortKey, theirs: Vec<u64>, offers: impl IntoIterator<Item = TxId>) -> Self {
        Self {
            key,
            wanted: theirs.into_iter().collect(),
            open: Vec::new(),
            offers: offers.into_iter().take(MAX_OFFERS).collect(),
            bytes: 0,
        }
    }

    /// One is here already, or is not wanted.
    pub fn leave_out(&mut self, id: &TxId) {
        self.wanted.remove(&self.key.of(id));
    }

    /// Whether anything is left to ask for or to offer.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.wanted.is_empty() && self.open.is_empty() && self.offers.is_empty()
    }

    /// Bytes of names.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next question, if there is one.
    pub fn next_names(&mut self) -> Option<Request> {
        let rest = match self.wanted.iter().nth(MAX_NAMES).copied() {
            Some(first_later) => self.wanted.split_off(&first_later),
            None => BTreeSet::new(),
        };
        let names: Vec<u64> = std::mem::replace(&mut self.wanted, rest).into_iter().collect();
        if names.is_empty() {
            return None;
        }
        self.bytes += NAMED + 8 * names.len() as u64;
        self.open.clone_from(&names);
        Some(Request::Named { key: self.key, names })
    }

    /// Takes the ids of what was given for them. What comes after the last one is asked for again: the
    /// answer may have been full. What was left out before it is not there any more, nor is any if
    /// there are none.
    ///
    /// # Errors
    /// Some were not asked for, or not in this order. Nothing more is asked for.
    pub fn take(&mut self, ids: &[TxId]) -> Result<(), Unasked> {
        let asked = std::mem::take(&mut self.open);
        let mut rest = asked.iter();
        for id in ids {
            let name = self.key.of(id);
            if !rest.any(|asked| *asked == name) {
                self.wanted.clear();
                return Err(Unasked);
            }
        }
        if !ids.is_empty() {
            self.wanted.extend(rest.copied());
        }
        Ok(())
    }

    /// The next offer, of what `encoded` still has, and the ids in it.
    pub fn next_offer(
        &mut self,
        mut encoded: impl FnMut(&TxId) -> Option<Vec<u8>>,
    ) -> Option<(Vec<TxId>, Request)> {
        let (mut ids, mut offered, mut bytes) = (Vec::new(), Vec::new(), 0_usize);
        while ids.len() < MAX_OFFER
            && let Some(id) = self.offers.front().copied()
        {
            if let Some(data) = encoded(&id) {
                bytes = bytes.saturating_add(data.len());
                if bytes > MAX_OFFER_BYTES && !ids.is_empty() {
                    break;
                }
                ids.push(id);
                offered.push(data);
            }
            self.offers.pop_front();
        }
        (!ids.is_empty()).then_some((ids, Request::OfferTransactions(offered)))
    }

    /// The other side takes no more.
    pub fn end_offers(&mut self) {
        self.offers.clear();
    }
}

/// Bytes of a [`Request::Named`] without the names.
const NAMED: u64 = 1 + 16 + 4;

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: ShortKey = ShortKey([9; 16]);

    fn id(number: u32) -> TxId {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.to_le_bytes());
        TxId(id)
    }

    /// Ids in the order of their names.
    fn ids(count: u32) -> Vec<TxId> {
        let mut ids: Vec<TxId> = (0..count).map(id).collect();
        ids.sort_by_key(|id| KEY.of(id));
        ids
    }

    fn exchange(theirs: &[TxId], ours: &[TxId]) -> Exchange {
        let names = theirs.iter().map(|id| KEY.of(id)).collect();
        Exchange::new(KEY, names, ours.iter().copied())
    }

    #[test]
    fn names_are_asked_for_in_portions_and_again_from_where_an_answer_was_full() {
        let all = ids(MAX_NAMES as u32 + 10);
        let mut exchange = exchange(&all, &[]);
        let Some(Request::Named { names, .. }) = exchange.next_names() else { panic!() };
        assert_eq!(names.len(), MAX_NAMES);
        // The second is gone there, and those from the sixth on did not fit.
        let given = [&all[..1], &all[2..5]].concat();
        exchange.take(&given).unwrap();
        let Some(request @ Request::Named { .. }) = exchange.next_names() else { panic!() };
        let Request::Named { names, .. } = &request else { panic!() };
        assert_eq!(names[0], KEY.of(&all[5]));
        assert_eq!(names.len(), MAX_NAMES);
        let asked = NAMED + 8 * names.len() as u64;
        assert_eq!((request.encode().len() as u64, exchange.bytes()), (asked, 2 * asked));
        exchange.take(&[]).unwrap();
        let Some(Request::Named { names, .. }) = exchange.next_names() else { panic!() };
        assert_eq!(names.len(), 5, "all of an empty answer are gone");
        exchange.take(&all[MAX_NAMES + 5..]).unwrap();
        assert!(exchange.is_over() && exchange.next_names().is_none());
    }

    #[test]
    fn what_was_not_asked_for_or_comes_twice_or_in_another_order_is_refused() {
        let all = ids(10);
        for given in [vec![id(77)], vec![all[3], all[3]], vec![all[3], all[1]]] {
            let mut exchange = exchange(&all, &[]);
            exchange.next_names().unwrap();
            assert_eq!(exchange.take(&given), Err(Unasked));
            assert!(exchange.is_over());
        }
        let mut exchange = exchange(&all, &[]);
        exchange.leave_out(&all[0]);
        exchange.next_names().unwrap();
        assert_eq!(exchange.take(&all[..1]), Err(Unasked), "it was left out");
    }

    #[test]
    fn offers_keep_to_the_bounds_of_a_request_and_to_what_is_still_there() {
        let all = ids(2 * MAX_OFFERS as u32);
        let mut all_offers = exchange(&[], &all);
        let mut count = 0;
        while let Some((ids, _)) = all_offers.next_offer(|_| Some(vec![0; 10])) {
            assert!(ids.len() <= MAX_OFFER);
            count += ids.len();
        }
        assert_eq!(count, MAX_OFFERS);
        let mut large = exchange(&[], &all[..10]);
        let (ids, request) = large.next_offer(|_| Some(vec![0; MAX_OFFER_BYTES / 2])).unwrap();
        assert_eq!(ids.len(), 2);
        assert!(Request::decode(&request.encode()).is_ok());
        assert_eq!(large.next_offer(|_| None), None);
        assert!(large.is_over());
    }
}
