//! Regions of the world and the delays between them, from published measurements, and which node is
//! in which of them.
//!
//! The matrices are files beside this one, each with its source.

use std::sync::LazyLock;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use serde::Deserialize;

/// The names of the matrices that there are.
pub const PROFILES: &[&str] = &["world-cities", "interop-8"];

static WORLD_CITIES: LazyLock<Regions> =
    LazyLock::new(|| Regions::read("world-cities", include_str!("regions/world-cities.toml")));

static INTEROP_8: LazyLock<Regions> =
    LazyLock::new(|| Regions::read("interop-8", include_str!("regions/interop-8.toml")));

/// Regions and the delays between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Regions {
    /// The matrix's name.
    pub profile: &'static str,
    /// The regions.
    pub names: Vec<String>,
    /// How many nodes are in each, in proportion.
    pub weights: Vec<f64>,
    /// From each region to each, in microseconds.
    pub one_way_us: Vec<Vec<u64>>,
}

/// A matrix as its file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    unit: String,
    kind: String,
    regions: Vec<String>,
    weights: Vec<f64>,
    #[serde(alias = "rtt", alias = "delay")]
    matrix: Vec<Vec<f64>>,
}

impl Regions {
    /// The matrix of this name.
    #[must_use]
    pub fn named(profile: &str) -> Option<&'static Self> {
        match profile {
            "world-cities" => Some(&WORLD_CITIES),
            "interop-8" => Some(&INTEROP_8),
            _ => None,
        }
    }

    /// Reads a file that came with the program, so that it is right or no test passes.
    fn read(profile: &'static str, text: &str) -> Self {
        let file: File = toml::from_str(text).expect("a shipped matrix is read by every test");
        assert_eq!(file.unit, "ms", "{profile}");
        // A round trip is taken as twice one way: nothing that is measured with one clock tells
        // how the two directions differ.
        let to_us = if file.kind == "rtt" { 500.0 } else { 1_000.0 };
        let row = |row: &Vec<f64>| row.iter().map(|ms| (ms * to_us).round() as u64).collect();
        Self {
            profile,
            names: file.regions,
            weights: file.weights,
            one_way_us: file.matrix.iter().map(row).collect(),
        }
    }

    /// The place of a region.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }
}

/// Deals `count` nodes to groups in proportion to `weights`, by largest remainder; which node falls
/// to which group is drawn. So a small network is as like the weights as it can be, whatever the
/// seed.
#[must_use]
pub fn deal(count: usize, weights: &[f64], seed: u64) -> Vec<usize> {
    let all: f64 = weights.iter().sum();
    let share = |weight: f64| if all > 0.0 { weight / all * count as f64 } else { 0.0 };
    let mut sizes: Vec<_> = weights.iter().map(|&weight| share(weight).floor() as usize).collect();
    let rest = |group: &usize| share(weights[*group]) - share(weights[*group]).floor();
    let mut order: Vec<_> = (0..weights.len()).filter(|&group| weights[group] > 0.0).collect();
    // Stable, so that of equal remainders the first group's counts.
    order.sort_by(|a, b| rest(b).total_cmp(&rest(a)));
    let left = count.saturating_sub(sizes.iter().sum());
    for &group in order.iter().cycle().take(left) {
        sizes[group] += 1;
    }
    let dealt = sizes.iter().enumerate().flat_map(|(group, &size)| vec![group; size]);
    let mut dealt: Vec<_> = dealt.take(count).collect();
    dealt.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    dealt
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_matrix_is_square_and_has_a_weight_for_each_region() {
        for profile in PROFILES {
            let regions = Regions::named(profile).unwrap();
            let count = regions.names.len();
            assert_eq!(regions.profile, *profile);
            assert_eq!((regions.weights.len(), regions.one_way_us.len()), (count, count));
            assert!(regions.one_way_us.iter().all(|row| row.len() == count));
            assert!(regions.one_way_us.iter().flatten().all(|us| (500..=300_000).contains(us)));
        }
        assert_eq!(Regions::named("mars"), None);
    }

    #[test]
    fn a_round_trip_is_halved_and_one_way_is_kept() {
        let cities = Regions::named("world-cities").unwrap();
        let (dallas, tokyo) = (cities.place("dallas").unwrap(), cities.place("tokyo").unwrap());
        assert_eq!(cities.one_way_us[dallas][tokyo], 71_000);
        let interop = Regions::named("interop-8").unwrap();
        let (europe, africa) =
            (interop.place("europe").unwrap(), interop.place("south-africa").unwrap());
        assert_eq!(interop.one_way_us[europe][africa], 95_000);
    }

    #[test]
    fn nodes_are_dealt_in_proportion_and_the_seed_decides_who_is_where() {
        let size = |dealt: &[usize], group| dealt.iter().filter(|&&g| g == group).count();
        let dealt = deal(10, &[3.0, 1.0, 1.0, 0.0], 7);
        assert_eq!([0, 1, 2, 3].map(|group| size(&dealt, group)), [6, 2, 2, 0]);
        assert_eq!(dealt, deal(10, &[3.0, 1.0, 1.0, 0.0], 7));
        assert_ne!(dealt, deal(10, &[3.0, 1.0, 1.0, 0.0], 8));
    }

    proptest! {
        #[test]
        fn no_group_is_off_its_share_by_a_whole_node(
            count in 0..200usize, weights in proptest::collection::vec(0.0..100.0f64, 1..12), seed: u64,
        ) {
            prop_assume!(weights.iter().sum::<f64>() > 0.0);
            let dealt = deal(count, &weights, seed);
            prop_assert_eq!(dealt.len(), count);
            let all: f64 = weights.iter().sum();
            for (group, weight) in weights.iter().enumerate() {
                let size = dealt.iter().filter(|&&dealt| dealt == group).count();
                prop_assert!((size as f64 - weight / all * count as f64).abs() < 1.0 + 1e-6);
            }
        }
    }
}
