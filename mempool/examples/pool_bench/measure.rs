//! Times, warm and cold.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "it measures time")]

use std::hint::black_box;
use std::time::Instant;

use crate::operation::Operation;
use crate::stand::Stand;

/// More than the last level of any cache that this will meet.
const SWEPT_BYTES: usize = 128 << 20;

/// How many small batches make one cold measurement.
const COLD_BATCHES: usize = 8;

/// Memory to walk through, so that nothing else is left in the caches.
pub(crate) struct Sweep(Vec<u64>);

impl Sweep {
    pub(crate) fn new() -> Self {
        Self(vec![1; SWEPT_BYTES / 8])
    }

    fn sweep(&mut self) {
        for word in self.0.iter_mut().step_by(8) {
            *word = word.wrapping_add(1);
        }
        black_box(&self.0);
    }
}

/// The measurements of one operation on one pool, in nanoseconds for each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times {
    pub(crate) warm: Vec<f64>,
    pub(crate) cold: Vec<f64>,
}

/// The middle one, and how far the quarters above and below it lie apart.
pub(crate) fn median_and_spread(times: &[f64]) -> (f64, f64) {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |part: usize| sorted.get(sorted.len() * part / 4).copied().unwrap_or_default();
    (at(2), at(3) - at(1))
}

impl Times {
    /// One more round.
    pub(crate) fn take(&mut self, stand: &mut Stand, operation: Operation, sweep: &mut Sweep) {
        let (warm, cold) = operation.batches();
        self.warm.push(timed(stand, operation, warm, || {}));
        let batches = if warm == cold { 1 } else { COLD_BATCHES };
        let times = (0..batches).map(|_| timed(stand, operation, cold, || sweep.sweep()));
        self.cold.push(times.sum::<f64>() / batches as f64);
    }
}

fn timed(stand: &mut Stand, operation: Operation, batch: usize, before: impl FnOnce()) -> f64 {
    let work = stand.prepare(operation, batch);
    before();
    let start = Instant::now();
    stand.perform(work);
    let nanoseconds = start.elapsed().as_nanos() as f64;
    stand.undo(operation, batch);
    nanoseconds / operation.divisor(batch) as f64
}
