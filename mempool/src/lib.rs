//! The pool of transactions that wait for a block.
//!
//! It holds what a block could take, best fee first, and is bounded in count and in memory. It is a
//! function of what it is told: time, height and accounts are inputs, and two pools that were told
//! the same are the same.
//!
//! A transaction is *ready* if all of its sender's nonces before it are here and the account can
//! pay for them together, else it is *queued*. Room goes to the ready ones before the queued ones,
//! and among these to the higher fee per byte, where none counts for more than those that it must
//! wait for. Nothing takes time in proportion to the pool: what is done to a transaction takes
//! O(log n) and a look at its sender's others, which lie side by side and are bounded in number.
//!
//! Each transaction has a slot in a slab, and all else knows it by number: two hash tables find it by
//! id and its sender by address, two orders hold the first and the last of each sender.

mod admission;
mod ages;
mod capacity;
mod config;
mod departure;
mod floor;
mod inspect;
mod invariants;
mod key;
mod memory;
mod pool;
mod rate;
mod refusal;
mod sender;
mod slab;
mod table;
mod template;
mod tip;
mod view;
mod waiting;

#[cfg(test)]
mod tests;

pub use config::{Config, ConfigError, LEAST_MEMORY};
pub use departure::Departure;
pub use inspect::{FeeBand, SenderView, TxView};
pub use pool::{Forecast, Inserted, Now, Origin, Pool};
pub use rate::FeeRate;
pub use refusal::Refusal;
pub use template::Best;
pub use view::{State, Totals};
