//! The times at which the transactions of a schedule are due, one after the other. Pure.

use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::{Schedule, Shape};

/// When each transaction of a [`Schedule`] is due. All are due before its duration is over.
#[derive(Debug)]
pub struct Arrivals {
    schedule: Schedule,
    nth: u64,
    /// For a shape that draws: the time of the one before, in seconds; else unused.
    at: f64,
    rng: ChaCha8Rng,
    /// How many there are, where that is known without drawing.
    count: Option<u64>,
}

impl Arrivals {
    pub(super) fn new(schedule: Schedule) -> Self {
        let count = match schedule.shape {
            Shape::Poisson { .. } => None,
            _ => Some(schedule.count()),
        };
        let rng = ChaCha8Rng::seed_from_u64(schedule.seed);
        Self { schedule, nth: 0, at: 0.0, rng, count }
    }

    /// A number above 0, up to 1.
    fn draw(&mut self) -> f64 {
        1.0 - self.rng.random::<f64>()
    }

    /// When the next is due, in seconds; none if that is beyond the end.
    fn due(&mut self) -> Option<f64> {
        let (nth, end) = (self.nth, self.schedule.duration.as_secs_f64());
        match self.schedule.shape {
            // Computed from the start and not from the one before, so that no error adds up.
            Shape::Constant { rate } => Some(nth as f64 / rate),
            Shape::Ramp { from, to } => Some(on_a_ramp(nth as f64, from, (to - from) / end)),
            Shape::Burst { count, bursts, every } => {
                Some(burst_of(nth, count, bursts) as f64 * every.as_secs_f64())
            }
            Shape::Poisson { rate } => {
                self.at += -self.draw().ln() / rate;
                (self.at < end).then_some(self.at)
            }
            Shape::PoissonCount { count } => {
                // The next of the `count - nth` independent moments that are left.
                let left = (count - nth) as f64;
                self.at += (end - self.at) * (1.0 - self.draw().powf(1.0 / left));
                Some(self.at)
            }
        }
    }
}

/// When `before` transactions have been sent at a rate that begins with `from` and rises by `rise`
/// each second: the solution of `from · t + rise / 2 · t² = before`, in the form that bears a rise
/// of nothing.
fn on_a_ramp(before: f64, from: f64, rise: f64) -> f64 {
    if before == 0.0 {
        return 0.0;
    }
    // At the foot of a falling ramp rounding can go below nothing.
    2.0 * before / (from + (from * from + 2.0 * rise * before).max(0.0).sqrt())
}

/// The burst of the transaction number `nth`: burst b begins with number ⌊b · count / bursts⌋.
fn burst_of(nth: u64, count: u64, bursts: u64) -> u64 {
    let (nth, count, bursts) = (u128::from(nth), u128::from(count.max(1)), u128::from(bursts));
    u64::try_from(((nth + 1) * bursts - 1) / count).unwrap_or(u64::MAX)
}

impl Iterator for Arrivals {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        if self.count.is_some_and(|count| self.nth >= count) {
            return None;
        }
        let due = self.due()?;
        self.nth += 1;
        // Rounding must not put the last one at the end itself.
        let latest = self.schedule.duration.saturating_sub(Duration::from_nanos(1));
        Some(Duration::try_from_secs_f64(due).unwrap_or(Duration::MAX).min(latest))
    }
}

#[cfg(test)]
mod tests;
