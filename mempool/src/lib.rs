//! The pool of transactions that wait for a block.
//!
//! It holds what a block could take, best fee first, and is bounded in count and in bytes. It is a
//! function of what it is told: time, height and accounts are inputs, and two pools that were told
//! the same are the same.
//!
//! A transaction is *ready* if all of its sender's nonces before it are here and the account can
//! pay for them together, else it is *queued*. Room goes to the ready ones before the queued ones,
//! and among these to the higher fee per byte. Nothing takes time in proportion to the pool: to
//! insert, remove, replace, evict or find the next best takes O(log n) for each transaction that
//! moves. When an account changes, the run of that one sender is walked.

mod admission;
mod capacity;
mod config;
mod departure;
mod index;
mod inspect;
mod invariants;
mod memory;
mod order;
mod pool;
mod rate;
mod refusal;
mod sender;
mod template;
mod tip;

#[cfg(test)]
mod tests;

pub use config::{Config, ConfigError, LEAST_MEMORY};
pub use departure::Departure;
pub use inspect::{FeeBand, SenderView, TxView};
pub use pool::{Forecast, Inserted, Now, Origin, Pool, State, Totals};
pub use rate::FeeRate;
pub use refusal::Refusal;
pub use template::Best;
