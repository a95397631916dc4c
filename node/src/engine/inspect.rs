//! Answers about the pool. All but its status walk over the whole of it, or over some blocks' worth.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use hearsay_chain::Address;
use hearsay_chain::block::{BODY_OVERHEAD_BYTES, HEADER_BYTES};
use hearsay_mempool::{self as mempool, FeeRate, Origin, SenderView, State, TxView};

use super::Engine;
use super::input::Time;
use crate::api::{
    BlockFee, FeeBand, FeeEstimate, Gap, MAX_ESTIMATE_BLOCKS, MAX_LISTED, MempoolStatus, PoolFees,
    PoolSender, PoolState, PooledTx, SenderFilter, SenderOrder, TxFilter, TxOrder,
};

/// What a list is in the order of; the least comes first, and ids decide between equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Most(Reverse<u64>),
    Dearest(Reverse<FeeRate>),
    Oldest(u64),
    Nonce(Address, u64),
}

/// The first of many, without keeping all of them.
struct First<K, T> {
    kept: BTreeMap<K, T>,
    limit: usize,
}

impl<K: Ord, T> First<K, T> {
    fn new(limit: Option<u32>) -> Self {
        let limit = limit.unwrap_or(MAX_LISTED).min(MAX_LISTED) as usize;
        Self { kept: BTreeMap::new(), limit }
    }

    fn offer(&mut self, key: K, item: T) {
        let is_full = self.kept.len() >= self.limit;
        if is_full && self.kept.last_key_value().is_none_or(|(last, _)| *last <= key) {
            return;
        }
        self.kept.insert(key, item);
        if self.kept.len() > self.limit {
            self.kept.pop_last();
        }
    }

    fn into_iter(self) -> impl Iterator<Item = T> {
        self.kept.into_values()
    }
}

/// What 1,000 bytes pay at a rate.
fn per_kb(rate: FeeRate) -> u64 {
    fee_for(rate, 1_000)
}

/// What bytes pay at a rate; more than a fee can be is told as the most that it can be.
fn fee_for(rate: FeeRate, bytes: usize) -> u64 {
    u64::try_from(rate.fee_for(bytes)).unwrap_or(u64::MAX)
}

impl<S: hearsay_chain::Store> Engine<S> {
    pub(super) fn mempool(&self, now: Time) -> MempoolStatus {
        let totals = self.pool.totals();
        MempoolStatus {
            count: totals.count as u64,
            ready: totals.ready as u64,
            queued: totals.queued as u64,
            bytes: totals.bytes as u64,
            max_count: totals.max_count as u64,
            memory: totals.memory as u64,
            max_memory: totals.max_memory as u64,
            senders: totals.senders as u64,
            local: totals.local as u64,
            unbroadcast: self.unbroadcast.count() as u64,
            min_fee_per_kb: per_kb(self.pool.floor(self.pool_now(now).us)),
        }
    }

    pub(super) fn pool_senders(&self, now: Time, filter: &SenderFilter) -> Vec<PoolSender> {
        let us = self.pool_now(now).us;
        let mut first = First::new(filter.limit);
        let (one, all) = match filter.address {
            Some(address) => (self.pool.sender(&address), None),
            None => (None, Some(self.pool.senders())),
        };
        for it in one.into_iter().chain(all.into_iter().flatten()) {
            if filter.gaps && it.gaps.is_empty() {
                continue;
            }
            let place = match filter.order {
                SenderOrder::Count => Place::Most(Reverse(count_ready(&it) + it.queued as u64)),
                SenderOrder::Bytes => Place::Most(Reverse(it.bytes as u64)),
                SenderOrder::Age => Place::Oldest(it.oldest_us),
            };
            first.offer((place, it.address), it);
        }
        first.into_iter().map(|it| sender(&it, us)).collect()
    }

    pub(super) fn pool_transactions(&self, now: Time, filter: &TxFilter) -> Vec<PooledTx> {
        let us = self.pool_now(now).us;
        let least = filter.min_fee_per_kb.map_or(FeeRate::default(), FeeRate::from_per_kb);
        let newest = us.saturating_sub(filter.older_than_ms.unwrap_or(0).saturating_mul(1_000));
        let mut first = First::new(filter.limit);
        let (one, all) = match &filter.sender {
            Some(sender) => (Some(self.pool.of_sender(sender)), None),
            None => (None, Some(self.pool.iter())),
        };
        for it in one.into_iter().flatten().chain(all.into_iter().flatten()) {
            let wanted = filter.state.is_none_or(|state| self.is_in(&it, state))
                && it.rate >= least
                && it.arrived_us <= newest;
            if !wanted {
                continue;
            }
            let place = match filter.order {
                TxOrder::Fee => Place::Dearest(Reverse(it.rate)),
                TxOrder::Age => Place::Oldest(it.arrived_us),
                TxOrder::Nonce => Place::Nonce(it.tx.sender(), it.tx.transfer().nonce),
            };
            first.offer((place, it.tx.id()), it);
        }
        first.into_iter().map(|it| self.pooled(&it, us)).collect()
    }

    fn is_in(&self, it: &TxView<'_>, state: PoolState) -> bool {
        match state {
            PoolState::Ready => it.state == State::Ready,
            PoolState::Queued => matches!(it.state, State::Queued { .. }),
            PoolState::Unfunded => matches!(it.state, State::Unfunded { .. }),
            PoolState::Unbroadcast => self.unbroadcast.contains(&it.tx.id()),
            PoolState::Local => it.origin == Origin::Local,
        }
    }

    fn pooled(&self, it: &TxView<'_>, us: u64) -> PooledTx {
        let (transfer, id) = (it.tx.transfer(), it.tx.id());
        let (state, waiting_for) = match it.state {
            State::Ready => (PoolState::Ready, None),
            State::Queued { waiting_for } => (PoolState::Queued, Some(waiting_for)),
            State::Unfunded { nonce } => (PoolState::Unfunded, Some(nonce)),
        };
        PooledTx {
            id,
            sender: it.tx.sender(),
            nonce: transfer.nonce,
            recipient: transfer.recipient,
            amount: transfer.amount,
            fee: transfer.fee,
            fee_per_kb: it.rate.per_kb(),
            expiry: transfer.expiry,
            size: it.tx.size() as u64,
            state,
            waiting_for,
            local: it.origin == Origin::Local,
            unbroadcast: self.unbroadcast.contains(&id),
            age_ms: us.saturating_sub(it.arrived_us) / 1_000,
        }
    }

    pub(super) fn pool_fees(&self, now: Time) -> PoolFees {
        let band = |it: mempool::FeeBand| FeeBand {
            from_per_kb: it.from_per_kb,
            count: it.count as u64,
            ready: it.ready as u64,
            bytes: it.bytes as u64,
        };
        PoolFees {
            floor_per_kb: per_kb(self.pool.floor(self.pool_now(now).us)),
            bands: self.pool.fee_bands().into_iter().map(band).collect(),
        }
    }

    /// What bytes should pay, for one block, for two, for four and so on up to `blocks`.
    pub(super) fn estimate(&self, now: Time, bytes: u64, blocks: u32) -> FeeEstimate {
        let floor = self.pool.floor(self.pool_now(now).us);
        let size = usize::try_from(bytes).unwrap_or(usize::MAX);
        let limits = self.genesis().limits;
        let block = limits.block_bytes as usize - HEADER_BYTES - BODY_OVERHEAD_BYTES;
        let step = FeeRate::from_per_kb(self.pool.config().fee_step_per_kb);
        let last = blocks.clamp(1, MAX_ESTIMATE_BLOCKS);
        let doubling = std::iter::successors(Some(1_u32), |count| count.checked_mul(2));
        let counts = doubling.take_while(|count| *count < last).chain([last]);
        let for_blocks = |blocks: u32| {
            let reach = |each: usize| each.saturating_mul(blocks as usize);
            let rate = self.pool.rate_at(reach(block), reach(limits.block_transactions as usize));
            // Who ties with the last one there may come behind it.
            let rate = rate.map_or(floor, |it| it.plus(step).max(floor));
            BlockFee { blocks, per_kb: per_kb(rate), fee: fee_for(rate, size) }
        };
        FeeEstimate {
            bytes,
            floor_per_kb: per_kb(floor),
            least_fee: fee_for(floor, size),
            blocks: counts.map(for_blocks).collect(),
        }
    }
}

fn count_ready(it: &SenderView) -> u64 {
    it.ready.end.saturating_sub(it.ready.start)
}

fn sender(it: &SenderView, us: u64) -> PoolSender {
    // Pools have no empty gaps.
    let gap =
        |gap: &std::ops::Range<u64>| Gap { first: gap.start, last: gap.end.saturating_sub(1) };
    PoolSender {
        address: it.address,
        nonce: it.account.nonce,
        balance: it.account.balance,
        ready: count_ready(it),
        queued: it.queued as u64,
        gaps: it.gaps.iter().map(gap).collect(),
        bytes: it.bytes as u64,
        cost: u64::try_from(it.cost).unwrap_or(u64::MAX),
        oldest_ms: us.saturating_sub(it.oldest_us) / 1_000,
    }
}
