//! What there is to see in a pool: its senders, its gaps, its fees. Each of these walks the whole
//! pool; they are for people, not for the protocol.

use std::ops::Range;

use hearsay_chain::ledger::Account;
use hearsay_chain::{Address, TxId, VerifiedTx};

use crate::pool::{Origin, Pool};
use crate::rate::FeeRate;
use crate::sender::Sender;
use crate::view::State;

/// One transaction that waits.
#[derive(Clone, Debug)]
pub struct TxView<'a> {
    /// The transaction.
    pub tx: &'a VerifiedTx,
    /// How it stands.
    pub state: State,
    /// Where it came from.
    pub origin: Origin,
    /// When it came, on the clock that the pool is told.
    pub arrived_us: u64,
    /// Its own fee per byte.
    pub rate: FeeRate,
}

/// One sender that has transactions waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderView {
    /// Its account's address.
    pub address: Address,
    /// The account, as the pool last heard of it.
    pub account: Account,
    /// The nonces that are ready.
    pub ready: Range<u64>,
    /// How many transactions wait behind a gap, or cannot be paid.
    pub queued: usize,
    /// The runs of nonces that are missing between the account's and the last that waits, at most 16.
    pub gaps: Vec<Range<u64>>,
    /// The size of the encodings, in bytes.
    pub bytes: usize,
    /// What amounts and fees of all that waits come to, in units.
    pub cost: u128,
    /// When its oldest transaction came.
    pub oldest_us: u64,
}

/// The most gaps that are told of one sender.
const MAX_GAPS: usize = 16;

/// Transactions whose fee per byte lies in one band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeBand {
    /// Units for each 1,000 bytes, the least of the band. The next band begins at twice that; the
    /// first band begins at 0 and ends at 1.
    pub from_per_kb: u64,
    /// Transactions.
    pub count: usize,
    /// Of these, ready.
    pub ready: usize,
    /// The size of their encodings, in bytes.
    pub bytes: usize,
}

impl Pool {
    /// All that wait, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = TxView<'_>> + '_ {
        self.residents.iter().map(|(at, _)| self.view_of(at))
    }

    /// The ids of all that wait, in no particular order.
    pub fn ids(&self) -> impl Iterator<Item = TxId> + '_ {
        self.residents.iter().map(|(_, it)| it.tx.id())
    }

    /// All transactions that wait, in no particular order.
    pub fn transactions(&self) -> impl Iterator<Item = &VerifiedTx> + '_ {
        self.residents.iter().map(|(_, it)| &it.tx)
    }

    /// One sender.
    #[must_use]
    pub fn sender(&self, address: &Address) -> Option<SenderView> {
        self.find_sender(address).map(|at| self.sender_view(&self.senders[at]))
    }

    /// One sender's transactions, by nonce.
    pub fn of_sender(&self, address: &Address) -> impl Iterator<Item = TxView<'_>> + '_ {
        let sender = self.find_sender(address).map(|at| &self.senders[at]);
        let entries = sender.into_iter().flat_map(|it| it.entries());
        entries.map(|it| self.view_of(it.slot.number()))
    }

    /// All senders, in no particular order.
    pub fn senders(&self) -> impl Iterator<Item = SenderView> + '_ {
        self.senders.iter().map(|(_, sender)| self.sender_view(sender))
    }

    fn sender_view(&self, sender: &Sender) -> SenderView {
        let residents = sender.entries().iter().map(|it| &self.residents[it.slot.number()]);
        let mut next = sender.account().nonce;
        let mut gaps = Vec::new();
        for entry in sender.entries() {
            if entry.nonce > next && gaps.len() < MAX_GAPS {
                gaps.push(next..entry.nonce);
            }
            next = entry.nonce.saturating_add(1);
        }
        SenderView {
            address: sender.address,
            account: sender.account(),
            ready: sender.run(),
            queued: sender.entries().len() - sender.run_len(),
            gaps,
            bytes: residents.clone().map(|it| it.tx.size()).sum(),
            cost: sender.entries().iter().map(|it| u128::from(it.cost)).sum(),
            oldest_us: residents.map(|it| it.arrived_us).min().unwrap_or(0),
        }
    }

    /// How many pay what, in bands that double, the lowest first, from the first to the last that
    /// has any.
    #[must_use]
    pub fn fee_bands(&self) -> Vec<FeeBand> {
        let mut bands: Vec<FeeBand> = (0..=u64::BITS)
            .map(|bit| {
                let from_per_kb = if bit == 0 { 0 } else { 1 << (bit - 1) };
                FeeBand { from_per_kb, count: 0, ready: 0, bytes: 0 }
            })
            .collect();
        for view in self.iter() {
            let units = view.rate.whole_per_kb();
            let band = &mut bands[(u64::BITS - units.leading_zeros()) as usize];
            band.count += 1;
            band.ready += usize::from(view.state == State::Ready);
            band.bytes += view.tx.size();
        }
        let used = |band: &FeeBand| band.count > 0;
        let first = bands.iter().position(used).unwrap_or(bands.len());
        let end = bands.iter().rposition(used).map_or(0, |last| last + 1);
        bands.drain(first.min(end)..end).collect()
    }
}
