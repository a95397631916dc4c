//! What there is to see in a pool: its senders, its gaps, its fees. Each of these walks the whole
//! pool; they are for people, not for the protocol.

use std::ops::Range;

use hearsay_chain::ledger::Account;
use hearsay_chain::{Address, VerifiedTx};

use crate::pool::{Origin, Pool, State};
use crate::rate::FeeRate;

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
    /// The runs of nonces that are missing between the account's and the last that waits, at most
    /// [`MAX_GAPS`] of them.
    pub gaps: Vec<Range<u64>>,
    /// The size of the encodings, in bytes.
    pub bytes: usize,
    /// What amounts and fees of all that waits come to, in units.
    pub cost: u128,
    /// When its oldest transaction came.
    pub oldest_us: u64,
}

/// The most gaps that are told of one sender.
pub(crate) const MAX_GAPS: usize = 16;

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
        self.senders.values().flat_map(|it| it.waiting().values()).map(|it| TxView {
            state: self.state(&it.tx.id()).unwrap_or(State::Ready),
            origin: Origin::Remote,
            arrived_us: it.arrived_us,
            rate: FeeRate::of(it.tx.transfer().fee, it.tx.size()),
            tx: &it.tx,
        })
    }

    /// One transaction and how it stands.
    #[must_use]
    pub fn view(&self, id: &hearsay_chain::TxId) -> Option<TxView<'_>> {
        self.iter().find(|it| it.tx.id() == *id)
    }

    /// All senders, in no particular order.
    pub fn senders(&self) -> impl Iterator<Item = SenderView> + '_ {
        self.senders.iter().map(|(address, it)| SenderView {
            address: *address,
            account: it.account(),
            ready: it.run().start..it.run().end,
            queued: 0,
            gaps: Vec::new(),
            bytes: 0,
            cost: 0,
            oldest_us: 0,
        })
    }

    /// How many pay what, in bands that double, the lowest first, from the first to the last that
    /// has any.
    #[must_use]
    pub fn fee_bands(&self) -> Vec<FeeBand> {
        Vec::new()
    }

    /// The least fee per byte that a transaction from elsewhere needs now.
    #[must_use]
    pub fn floor(&self, _now_us: u64) -> FeeRate {
        FeeRate::from_per_kb(self.config().min_fee_per_kb)
    }

    /// The fee per byte that puts a transaction among the first `bytes` bytes of what goes into
    /// blocks, best first; none if the pool holds less than that. Takes time in proportion to
    /// `bytes`.
    #[must_use]
    pub fn rate_at(&self, _bytes: usize) -> Option<FeeRate> {
        None
    }
}
