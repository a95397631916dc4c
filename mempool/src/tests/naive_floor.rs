//! The floor of the naive pool.

use crate::{Config, FeeRate};

/// The floor, told of each operation.
#[derive(Clone, Debug)]
pub(crate) struct NaiveFloor {
    raised: FeeRate,
}

impl NaiveFloor {
    pub(crate) fn new(_config: &Config) -> Self {
        Self { raised: FeeRate::default() }
    }

    pub(crate) fn at(&self, _now_us: u64) -> FeeRate {
        self.raised
    }

    pub(crate) fn raise(&mut self, rate: FeeRate, _now_us: u64) {
        self.raised = self.raised.max(rate);
    }

    /// After an operation: how full the pool is decides how fast it falls from now on.
    pub(crate) fn settle(&mut self, _config: &Config, _count: usize, _memory: usize, _now_us: u64) {}
}
