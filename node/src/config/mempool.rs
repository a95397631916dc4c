//! `[mempool]`: how much waits for a block, for how long, and what that costs; as settings and as
//! flags.

use clap::Args;
use hearsay_mempool::Config;
use serde::{Deserialize, Serialize};

/// `[mempool]`: how much waits for a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mempool {
    /// The most transactions.
    pub max_count: u64,
    /// The most memory, in bytes: transactions and the pool's own indexes.
    pub max_memory: u64,
    /// How many ready transactions one sender may have.
    pub max_ready_per_sender: u64,
    /// How many transactions of one sender may wait behind a gap.
    pub max_queued_per_sender: u64,
    /// By how many percent a replacement must raise the fee per byte.
    pub replacement_percent: u32,
    /// How long a transaction may wait, in milliseconds.
    pub max_age_ms: u64,
    /// The least fee, in units for each 1,000 bytes.
    pub min_fee_per_kb: u64,
    /// By how much a newcomer to a full pool must pay more than what it pushes out, in units for each
    /// 1,000 bytes.
    pub fee_step_per_kb: u64,
    /// In what time the least fee that a full pool raised falls by half, in milliseconds.
    pub floor_half_life_ms: u64,
    /// The share of the pool within which transactions that are handed in here are never pushed out,
    /// in percent.
    pub local_percent: u32,
}

impl Default for Mempool {
    /// Those of the pool itself.
    fn default() -> Self {
        let config = Config::default();
        Self {
            max_count: config.max_count as u64,
            max_memory: config.max_memory as u64,
            max_ready_per_sender: config.max_ready_per_sender,
            max_queued_per_sender: config.max_queued_per_sender,
            replacement_percent: config.replacement_percent,
            max_age_ms: config.max_age_us / 1_000,
            min_fee_per_kb: config.min_fee_per_kb,
            fee_step_per_kb: config.fee_step_per_kb,
            floor_half_life_ms: config.floor_half_life_us / 1_000,
            local_percent: config.local_percent,
        }
    }
}

impl Mempool {
    /// The pool's bounds. `seed` is any number that others do not know.
    #[must_use]
    pub fn bounds(&self, seed: u64) -> Config {
        let bound = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Config {
            max_count: bound(self.max_count),
            max_memory: bound(self.max_memory),
            max_ready_per_sender: self.max_ready_per_sender,
            max_queued_per_sender: self.max_queued_per_sender,
            replacement_percent: self.replacement_percent,
            max_age_us: self.max_age_ms.saturating_mul(1_000),
            min_fee_per_kb: self.min_fee_per_kb,
            fee_step_per_kb: self.fee_step_per_kb,
            floor_half_life_us: self.floor_half_life_ms.saturating_mul(1_000),
            local_percent: self.local_percent,
            seed,
        }
    }
}

/// The flags of `[mempool]`.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[command(next_help_heading = "Mempool")]
pub struct MempoolFlags {
    /// The most transactions that wait for a block [default: 50000]
    #[arg(long = "mempool-max-count", env = "HEARSAY_MEMPOOL_MAX_COUNT", value_name = "N")]
    pub max_count: Option<u64>,
    /// The most memory for what waits for a block, in bytes [default: 67108864]
    #[arg(long = "mempool-max-memory", env = "HEARSAY_MEMPOOL_MAX_MEMORY", value_name = "BYTES")]
    pub max_memory: Option<u64>,
    /// How many of one sender's transactions may be ready for a block [default: 1000]
    #[arg(
        long = "mempool-max-ready-per-sender",
        env = "HEARSAY_MEMPOOL_MAX_READY_PER_SENDER",
        value_name = "N"
    )]
    pub max_ready_per_sender: Option<u64>,
    /// How many of one sender's transactions may wait behind a gap in its nonces [default: 500]
    #[arg(
        long = "mempool-max-queued-per-sender",
        env = "HEARSAY_MEMPOOL_MAX_QUEUED_PER_SENDER",
        value_name = "N"
    )]
    pub max_queued_per_sender: Option<u64>,
    /// By how many percent a replacement must raise the fee per byte [default: 10]
    #[arg(
        long = "mempool-replacement-percent",
        env = "HEARSAY_MEMPOOL_REPLACEMENT_PERCENT",
        value_name = "N"
    )]
    pub replacement_percent: Option<u32>,
    /// How long a transaction may wait, in milliseconds [default: 10800000, three hours]
    #[arg(long = "mempool-max-age-ms", env = "HEARSAY_MEMPOOL_MAX_AGE_MS", value_name = "MS")]
    pub max_age_ms: Option<u64>,
    /// The least fee, in units for each 1,000 bytes [default: 1]
    #[arg(
        long = "mempool-min-fee-per-kb",
        env = "HEARSAY_MEMPOOL_MIN_FEE_PER_KB",
        value_name = "UNITS"
    )]
    pub min_fee_per_kb: Option<u64>,
    /// By how much a newcomer to a full pool must pay more than what it pushes out, in units for each
    /// 1,000 bytes [default: 1]
    #[arg(
        long = "mempool-fee-step-per-kb",
        env = "HEARSAY_MEMPOOL_FEE_STEP_PER_KB",
        value_name = "UNITS"
    )]
    pub fee_step_per_kb: Option<u64>,
    /// In what time the least fee that a full pool raised falls by half, in milliseconds [default:
    /// 60000]
    #[arg(
        long = "mempool-floor-half-life-ms",
        env = "HEARSAY_MEMPOOL_FLOOR_HALF_LIFE_MS",
        value_name = "MS"
    )]
    pub floor_half_life_ms: Option<u64>,
    /// The share of the pool within which transactions that are handed in here are never pushed out,
    /// in percent [default: 10]
    #[arg(long = "mempool-local-percent", env = "HEARSAY_MEMPOOL_LOCAL_PERCENT", value_name = "N")]
    pub local_percent: Option<u32>,
}
