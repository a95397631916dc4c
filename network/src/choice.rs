//! Choosing a peer: at random, in turn, or by weight. Pure: the random numbers come from a seed.

use libp2p::PeerId;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// How a peer is chosen among several that would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Each with the same chance.
    Random,
    /// The next one after the last, in the order of their ids.
    RoundRobin,
    /// With a chance in proportion to its weight: its measured speed over its load.
    #[default]
    Weighted,
}

/// A peer that would do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Which.
    pub peer: PeerId,
    /// How much better than another: positive and finite. Only [`Strategy::Weighted`] looks at it.
    pub weight: f64,
}

/// Chooses peers by one strategy.
#[derive(Debug)]
pub struct Chooser {
    strategy: Strategy,
    random: StdRng,
    last: Option<PeerId>,
}

impl Chooser {
    /// The same seed and the same questions give the same choices.
    #[must_use]
    pub fn new(strategy: Strategy, seed: u64) -> Self {
        Self { strategy, random: StdRng::seed_from_u64(seed), last: None }
    }

    /// Chooses one of `options`; none if there is none.
    pub fn choose(&mut self, options: &[Choice]) -> Option<PeerId> {
        let chosen = match self.strategy {
            _ if options.is_empty() => None,
            Strategy::Random => options.get(self.random.random_range(0..options.len())),
            Strategy::RoundRobin => self.next_after_last(options),
            Strategy::Weighted => self.by_weight(options),
        }?;
        self.last = Some(chosen.peer);
        Some(chosen.peer)
    }

    fn next_after_last<'a>(&self, options: &'a [Choice]) -> Option<&'a Choice> {
        let later = options.iter().filter(|option| Some(option.peer) > self.last);
        later.min_by_key(|option| option.peer).or_else(|| options.iter().min_by_key(|o| o.peer))
    }

    fn by_weight<'a>(&mut self, options: &'a [Choice]) -> Option<&'a Choice> {
        let weight = |option: &Choice| option.weight.clamp(f64::MIN_POSITIVE, 1e18);
        let mut left = self.random.random::<f64>() * options.iter().map(weight).sum::<f64>();
        for option in options {
            left -= weight(option);
            if left < 0.0 {
                return Some(option);
            }
        }
        // Rounding may leave a rest.
        options.last()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn options(weights: &[f64]) -> Vec<Choice> {
        let options = weights.iter().zip(1u8..);
        options
            .map(|(weight, seed)| Choice { peer: crate::peer_id(&[seed; 32]), weight: *weight })
            .collect()
    }

    fn shares(strategy: Strategy, weights: &[f64], rounds: usize) -> Vec<usize> {
        let options = options(weights);
        let mut chooser = Chooser::new(strategy, 1);
        let mut counts: BTreeMap<PeerId, usize> = BTreeMap::new();
        for _ in 0..rounds {
            *counts.entry(chooser.choose(&options).unwrap()).or_default() += 1;
        }
        options.iter().map(|option| counts.get(&option.peer).copied().unwrap_or(0)).collect()
    }

    #[test]
    fn random_gives_each_the_same_share_whatever_the_weights() {
        for count in shares(Strategy::Random, &[1.0, 100.0, 0.0], 3_000) {
            // Binomial with 1,000 expected: the standard deviation is 26.
            assert!((870..=1_130).contains(&count), "{count}");
        }
    }

    #[test]
    fn round_robin_goes_round() {
        assert_eq!(shares(Strategy::RoundRobin, &[1.0, 50.0, 1.0], 9), [3, 3, 3]);
        let options = options(&[1.0, 1.0, 1.0]);
        let mut chooser = Chooser::new(Strategy::RoundRobin, 1);
        let round: Vec<_> = (0..3).map(|_| chooser.choose(&options).unwrap()).collect();
        let gone: Vec<_> = options.iter().filter(|o| o.peer != round[0]).copied().collect();
        assert_eq!(chooser.choose(&gone), Some(round[1]), "the next one that is still there");
    }

    #[test]
    fn weighted_gives_shares_in_proportion() {
        let shares = shares(Strategy::Weighted, &[1.0, 3.0, 6.0], 10_000);
        for (count, expected) in shares.iter().zip([1_000, 3_000, 6_000usize]) {
            assert!(count.abs_diff(expected) < 250, "{shares:?}");
        }
    }

    #[test]
    fn weights_that_are_no_numbers_do_no_harm() {
        for weights in [[0.0, 0.0], [f64::INFINITY, 1.0], [-1.0, 2.0]] {
            assert_eq!(shares(Strategy::Weighted, &weights, 10).iter().sum::<usize>(), 10);
        }
        assert_eq!(Chooser::new(Strategy::Weighted, 1).choose(&[]), None);
    }

    #[test]
    fn the_same_seed_chooses_alike() {
        let options = options(&[1.0, 2.0, 3.0, 4.0]);
        let run = |seed| {
            let mut chooser = Chooser::new(Strategy::Weighted, seed);
            (0..20).map(|_| chooser.choose(&options)).collect::<Vec<_>>()
        };
        assert_eq!(run(5), run(5));
        assert_ne!(run(5), run(6));
    }
}
