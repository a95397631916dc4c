//! The load: transactions of many senders, handed to the nodes each at its time.
//!
//! ```text
//! Schedule ──────► Transactions ── signed ahead in a thread ──┬─ n0's submitter ── RPC ─► n0
//! when             what (same seed, same load)                ├─ n1's submitter ── RPC ─► n1
//!                                                             └─ …      each at its time
//! ```
//!
//! The loop is open: each transaction has its time, and is handed in then whether or not earlier
//! ones have been answered, so that a slow network does not slow its own load and hide that it is
//! slow. Each sender stays with one node, so that its nonces arrive there in order.

use hearsay_node::api::Taker;

mod amounts;
mod arrivals;
mod counts;
mod journal;
mod schedule;
mod submit;
mod transactions;

pub use self::amounts::Amounts;
pub use self::arrivals::Arrivals;
pub use self::counts::Counts;
pub use self::journal::Journal;
pub use self::schedule::{Schedule, Shape};
pub use self::submit::Load;
pub use self::transactions::{Signed, Transactions};

/// What is asked of the load.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// When transactions are handed in.
    pub schedule: Schedule,
    /// The payload of each in bytes.
    pub payload: Amounts,
    /// What each pays.
    pub fee: Amounts,
    /// Which member is to take them; none: as the settings of the node say that they are handed to.
    pub via: Option<Taker>,
    /// What fees and payloads follow from.
    pub seed: u64,
}

impl Spec {
    /// Payloads of one size, and fees that give block builders something to order by.
    #[must_use]
    pub fn plain(schedule: Schedule, payload: usize, seed: u64) -> Self {
        Self {
            schedule,
            payload: Amounts::Fixed(payload as u64),
            fee: Amounts::FEES,
            via: None,
            seed,
        }
    }
}
