//! The load: transactions of many senders, handed to the nodes at a steady rate.
//!
//! ```text
//! Transactions ── signed ahead in a thread ──┬─ n0's submitter ── RPC ─► n0
//! (same seed, same load)                     ├─ n1's submitter ── RPC ─► n1
//!                                            └─ …    each at the Schedule's times
//! ```
//!
//! The loop is open: each transaction has its time, and is handed in then whether or not earlier
//! ones have been answered, so that a slow network does not slow its own load and hide that it is
//! slow. Each sender stays with one node, so that its nonces arrive there in order.

mod counts;
mod schedule;
mod submit;
mod transactions;

pub use self::counts::Counts;
pub use self::schedule::Schedule;
pub use self::submit::Load;
pub use self::transactions::{Signed, Transactions};

/// What is asked of the load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// When transactions are handed in.
    pub schedule: Schedule,
    /// The payload of each in bytes.
    pub payload: usize,
    /// What fees, recipients and payloads follow from.
    pub seed: u64,
}
