//! How many transactions are due, and when. Pure.

use std::time::Duration;

use super::Arrivals;

/// Rounding must not cost a transaction: 0.1 a second over 30 s are three, though the product is a
/// little less than that.
const CRUMB: f64 = 1e-6;

/// When the transactions of a load are due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// How they follow each other.
    pub shape: Shape,
    /// For how long.
    pub duration: Duration,
    /// What is random about it.
    pub seed: u64,
}

/// How the transactions of a load follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// At even distances.
    Constant {
        /// Transactions a second; none at 0.
        rate: f64,
    },
    /// As independent people send them: each moment is as likely as any other, whatever came
    /// before.
    Poisson {
        /// Transactions a second on average.
        rate: f64,
    },
    /// The same, given how many there are in all.
    PoissonCount {
        /// So many.
        count: u64,
    },
    /// Many at once.
    Burst {
        /// Over all bursts, which share them as evenly as can be.
        count: u64,
        /// How many bursts; the first is at the beginning.
        bursts: u64,
        /// The time from one to the next.
        every: Duration,
    },
    /// At a rate that rises or falls steadily.
    Ramp {
        /// Transactions a second at the beginning.
        from: f64,
        /// Transactions a second at the end.
        to: f64,
    },
}

impl Schedule {
    /// A steady rate, transactions a second.
    #[must_use]
    pub fn constant(rate: f64, duration: Duration) -> Self {
        Self { shape: Shape::Constant { rate }, duration, seed: 0 }
    }

    /// How many transactions are due in all.
    #[must_use]
    pub fn count(&self) -> u64 {
        let whole = |exact: f64| (exact + CRUMB).floor().max(0.0) as u64;
        let seconds = self.duration.as_secs_f64();
        match self.shape {
            Shape::Constant { rate } => whole(rate * seconds),
            Shape::Ramp { from, to } => whole((from + to) / 2.0 * seconds),
            Shape::PoissonCount { count } | Shape::Burst { count, .. } => count,
            Shape::Poisson { .. } => self.arrivals().count() as u64,
        }
    }

    /// Transactions a second over the whole of it.
    #[must_use]
    pub fn rate(&self) -> f64 {
        match self.shape {
            Shape::Constant { rate } | Shape::Poisson { rate } => rate,
            _ if self.duration.is_zero() => 0.0,
            _ => self.count() as f64 / self.duration.as_secs_f64(),
        }
    }

    /// When each is due, counted from the beginning of the load, in order.
    #[must_use]
    pub fn arrivals(&self) -> Arrivals {
        Arrivals::new(*self)
    }
}
