//! How much the pool may hold, for how long, and what that costs.

use hearsay_chain::transaction::MAX_TX_BYTES;
use thiserror::Error;

/// Above this, raising a fee would no longer be a way to hurry a transaction.
const MAX_REPLACEMENT_PERCENT: u64 = 1_000;

/// The least memory to work with: the largest transaction and the pool's own bookkeeping must fit,
/// else that transaction could never be relayed.
pub const LEAST_MEMORY: usize = MAX_TX_BYTES + 4 * 1_024;

/// The bounds of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The most transactions.
    pub max_count: usize,
    /// The most memory, in bytes: transactions and indexes, as [`Totals::memory`] counts it.
    ///
    /// [`Totals::memory`]: crate::Totals::memory
    pub max_memory: usize,
    /// How far a nonce may lie ahead of its account, and so how many ready transactions one sender
    /// may have. Only a reorganisation that moves accounts back can lead past it.
    pub max_ready_per_sender: u64,
    /// How many transactions of one sender may wait behind a gap.
    pub max_queued_per_sender: u64,
    /// By how many percent a replacement must raise the fee per byte.
    pub replacement_percent: u32,
    /// How long a transaction may wait, in microseconds.
    pub max_age_us: u64,
    /// The least fee, in units for each 1,000 bytes. It is asked of local transactions too.
    pub min_fee_per_kb: u64,
    /// By how much a newcomer to a full pool must pay more than what it pushes out, in units for
    /// each 1,000 bytes: every node relays it, and that must be worth something.
    pub fee_step_per_kb: u64,
    /// In what time the fee floor that evictions raised falls by half, in microseconds. In a quarter
    /// of it while the pool is less than half full.
    pub floor_half_life_us: u64,
    /// The share of both bounds within which local transactions are never pushed out, in percent.
    pub local_percent: u32,
    /// A number that others do not know: it decides where ids lie in tables, so that nobody can make
    /// them collide. It changes no answer.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            // Ten full blocks at the default limits of a genesis.
            max_count: 50_000,
            // 50,000 transactions with payloads of 700 bytes.
            max_memory: 64 << 20,
            // A busy wallet's burst; fifty such senders fill the pool.
            max_ready_per_sender: 1_000,
            // What gossip mixes up in a burst. They are the first to leave.
            max_queued_per_sender: 500,
            // Each replacement is relayed by every node, so each must be worth that; ten percent
            // is what other networks settled on.
            replacement_percent: 10,
            // Three hours: long past any block in which its sender still expects it.
            max_age_us: 3 * 60 * 60 * 1_000_000,
            // The least that is more than nothing: one unit for any transaction without payload.
            min_fee_per_kb: 1,
            fee_step_per_kb: 1,
            // Some blocks: the floor outlives the burst that raised it, and not by much.
            floor_half_life_us: 60 * 1_000_000,
            // Enough for a service that sends for many, too little to close a pool.
            local_percent: 10,
            seed: 0,
        }
    }
}

/// Bounds that no pool can work with.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{name} is {found}; it must be {least} to {most}")]
pub struct ConfigError {
    /// The bound's name.
    pub name: &'static str,
    /// Its value.
    pub found: u64,
    /// The least value.
    pub least: u64,
    /// The greatest value.
    pub most: u64,
}

/// There must be room that is not protected, else nothing could leave a full pool.
const MAX_LOCAL_PERCENT: u64 = 50;

/// The most transactions that a pool numbers.
const MAX_COUNT: u64 = 1 << 30;

impl Config {
    /// Checks that a pool can work with it.
    ///
    /// # Errors
    /// The first bound that is out of range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let percent = u64::from(self.replacement_percent);
        let local = u64::from(self.local_percent);
        let bounds = [
            ("max_count", self.max_count as u64, 1, MAX_COUNT),
            ("max_memory", self.max_memory as u64, LEAST_MEMORY as u64, u64::MAX),
            ("max_ready_per_sender", self.max_ready_per_sender, 1, MAX_COUNT),
            ("max_queued_per_sender", self.max_queued_per_sender, 0, MAX_COUNT),
            ("replacement_percent", percent, 0, MAX_REPLACEMENT_PERCENT),
            ("max_age_us", self.max_age_us, 1, u64::MAX),
            ("floor_half_life_us", self.floor_half_life_us, 1, u64::MAX),
            ("local_percent", local, 0, MAX_LOCAL_PERCENT),
        ];
        for (name, found, least, most) in bounds {
            if !(least..=most).contains(&found) {
                return Err(ConfigError { name, found, least, most });
            }
        }
        Ok(())
    }
}
