//! How much the pool may hold, and for how long.

use hearsay_chain::transaction::MAX_TX_BYTES;
use thiserror::Error;

/// Above this, raising a fee would no longer be a way to hurry a transaction.
const MAX_REPLACEMENT_PERCENT: u32 = 1_000;

/// The bounds of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The most transactions.
    pub max_count: usize,
    /// The most bytes, as the transactions are encoded; the indexes come on top.
    pub max_bytes: usize,
    /// How far a nonce may lie ahead of its account, and so how many transactions one sender may
    /// have waiting. Only a reorganisation that moves accounts back can lead past it.
    pub max_per_sender: u64,
    /// By how many percent a replacement must raise the fee per byte.
    pub replacement_percent: u32,
    /// How long a transaction may wait, in microseconds.
    pub max_age_us: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            // Ten full blocks at the default limits of a genesis.
            max_count: 50_000,
            // 50,000 transactions of 1.3 KiB; with their indexes, about 100 MiB of memory.
            max_bytes: 64 << 20,
            // A busy wallet's burst; fifty such senders fill the pool.
            max_per_sender: 1_000,
            // Each replacement is relayed by every node, so each must be worth that; ten percent
            // is what other networks settled on.
            replacement_percent: 10,
            // Three hours: long past any block in which its sender still expects it.
            max_age_us: 3 * 60 * 60 * 1_000_000,
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

impl Config {
    /// Checks that a pool can work with it.
    ///
    /// # Errors
    /// The first bound that is out of range.
    pub fn check(&self) -> Result<(), ConfigError> {
        // The pool must hold the largest transaction, else that one could never be relayed.
        let bounds = [
            ("max_count", self.max_count as u64, 1, u64::MAX),
            ("max_bytes", self.max_bytes as u64, MAX_TX_BYTES as u64, u64::MAX),
            ("max_per_sender", self.max_per_sender, 1, u64::MAX),
            (
                "replacement_percent",
                u64::from(self.replacement_percent),
                0,
                u64::from(MAX_REPLACEMENT_PERCENT),
            ),
            ("max_age_us", self.max_age_us, 1, u64::MAX),
        ];
        for (name, found, least, most) in bounds {
            if !(least..=most).contains(&found) {
                return Err(ConfigError { name, found, least, most });
            }
        }
        Ok(())
    }
}
