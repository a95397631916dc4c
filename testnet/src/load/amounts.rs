//! Numbers that differ from transaction to transaction: payloads and fees. Pure.

use rand::{Rng, RngExt};

/// How large something is, from one transaction to the next.
#[derive(Clone, Debug, PartialEq)]
pub enum Amounts {
    /// Always the same.
    Fixed(u64),
    /// Between these two, both included, each with the same chance.
    Uniform {
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
    },
    /// One of these, with chances in proportion to the weights.
    Choice(Vec<(u64, f64)>),
}

impl Amounts {
    /// Fees unless asked otherwise: block builders have something to order by, and the least is enough
    /// for the largest transaction at a pool's default of one unit for each 1,000 bytes.
    pub const FEES: Self = Self::Uniform { min: 20, max: 120 };

    /// The greatest that it can be.
    #[must_use]
    pub fn max(&self) -> u64 {
        match self {
            Amounts::Fixed(value) => *value,
            Amounts::Uniform { max, .. } => *max,
            Amounts::Choice(choices) => choices.iter().map(|(value, _)| *value).max().unwrap_or(0),
        }
    }

    /// Draws one. A fixed amount draws nothing, so that whatever is drawn next stays the same.
    pub fn draw(&self, rng: &mut impl Rng) -> u64 {
        match self {
            Amounts::Fixed(value) => *value,
            Amounts::Uniform { min, max } => rng.random_range(*min..=*max.max(min)),
            Amounts::Choice(choices) => choose(choices, rng),
        }
    }
}

fn choose(choices: &[(u64, f64)], rng: &mut impl Rng) -> u64 {
    let all: f64 = choices.iter().map(|(_, weight)| weight).sum();
    let mut left = rng.random::<f64>() * all;
    for (value, weight) in choices {
        if left < *weight {
            return *value;
        }
        left -= weight;
    }
    // Rounding can leave a crumb beyond the last one that has any weight.
    choices.iter().rev().find(|(_, weight)| *weight > 0.0).map_or(0, |(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    use super::*;

    fn draws(amounts: &Amounts, count: usize) -> Vec<u64> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        (0..count).map(|_| amounts.draw(&mut rng)).collect()
    }

    #[test]
    fn choices_come_as_often_as_their_weights_say_and_never_at_weight_zero() {
        let drawn = draws(&Amounts::Choice(vec![(1, 3.0), (2, 1.0), (3, 0.0)]), 8_000);
        let ones = drawn.iter().filter(|value| **value == 1).count();
        // Binomial: 6,000 expected, standard deviation 39; five of them to each side.
        assert!((5_805..=6_195).contains(&ones), "{ones}");
        assert!(!drawn.contains(&3));
    }

    #[test]
    fn both_ends_of_a_range_are_drawn_and_their_mean_is_the_middle() {
        let drawn = draws(&Amounts::Uniform { min: 10, max: 20 }, 11_000);
        assert_eq!(drawn.iter().min(), Some(&10));
        assert_eq!(drawn.iter().max(), Some(&20));
        let mean = drawn.iter().sum::<u64>() as f64 / drawn.len() as f64;
        assert!((mean - 15.0).abs() < 0.15, "{mean}");
    }

    proptest! {
        #[test]
        fn nothing_is_above_the_greatest(
            choices in proptest::collection::vec((0..1_000u64, 0.0..5.0f64), 1..5), min: u32, more: u32,
        ) {
            let uniform =
                Amounts::Uniform { min: min.into(), max: u64::from(min) + u64::from(more) };
            for amounts in [Amounts::Fixed(min.into()), uniform, Amounts::Choice(choices)] {
                prop_assert!(draws(&amounts, 20).into_iter().all(|drawn| drawn <= amounts.max()));
            }
        }
    }
}
