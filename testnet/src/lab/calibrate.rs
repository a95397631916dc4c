//! Probes before a run: do the links behave as was asked?
//!
//! A sample of the connections is probed at once, none of them with a node in common, so that no probe
//! takes another's bandwidth. Delays and rates are probed with jitter and loss off: a median of some
//! round trips cannot tell a wrong delay from a scattered one.

use std::time::Duration;

use futures::future::join_all;
use hearsay_node::lab::ProbeRequest;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use super::links::{Links, Way};
use crate::cluster::Seat;
use crate::manifest::Calibrated;

/// Links that are probed at most: enough to notice a matrix that is applied wrongly, few enough to
/// leave a small machine's processors alone.
const SAMPLE: usize = 8;

/// Round trips on each link: an odd number has a middle one, and without jitter three are enough.
const ROUNDS: std::ops::RangeInclusive<u64> = 3..=21;

/// The time that the round trips of one link may take together.
const ROUND_TRIPS: Duration = Duration::from_millis(1_200);

/// What a probe of one round trip takes: its stream is negotiated first.
const TRIPS: u64 = 2;

/// The time that a link's rate is measured for, start-up included, at least …
const RATE: Duration = Duration::from_millis(800);

/// … and in round trips: TCP's window has opened by then, and half of the time is left to measure.
const RATE_TRIPS: u64 = 10;

/// Bytes that a rate is measured with, at least and at most.
const BYTES: std::ops::RangeInclusive<u64> = (64 << 10)..=(16 << 20);

/// A rate above this is not measured: carrying it would take more of a small machine's processors than
/// a run may take from its nodes, and the figure would be theirs. In bytes a second: 200 Mbit.
const MOST_RATE: u64 = 25_000_000;

/// The bytes of a small message on the line, encryption and headers included: on a narrow one they take
/// a time that is no error of the link's.
const PROBE_BYTES: u64 = 90;

/// Bytes that TCP's window lets be under way at most, in the model, with a margin: where more would
/// have to be, the window is the limit and not the rate.
const WINDOW: u64 = 2 << 20;

/// Which connections are probed, from which end. Pure.
pub(super) fn sample(edges: &[Way], up: impl Fn(usize) -> bool, seed: u64) -> Vec<Way> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut edges: Vec<Way> = edges.iter().copied().filter(|&(a, b)| up(a) && up(b)).collect();
    edges.shuffle(&mut rng);
    let mut taken = std::collections::BTreeSet::new();
    let mut sample = Vec::new();
    for (a, b) in edges {
        if sample.len() < SAMPLE && !taken.contains(&a) && !taken.contains(&b) {
            taken.extend([a, b]);
            sample.push(if rng.random() { (a, b) } else { (b, a) });
        }
    }
    sample.sort_unstable();
    sample
}

/// What is asked of the link from one node to another: the round trip in microseconds, and the rate
/// in bytes a second, if it can be measured. Pure.
fn asked(links: &Links, window: bool, (from, to): Way) -> (u64, Option<f64>) {
    let way = |from: usize, to: usize| {
        let link = links.link((from, to));
        (link.delay_us, [link.rate, links.access(from).up, links.access(to).down])
    };
    let ((there_us, rates), (back_us, back_rates)) = (way(from, to), way(to, from));
    let passed = rates.into_iter().chain(back_rates).flatten();
    let passing_us: u64 = passed.map(|rate| PROBE_BYTES * 1_000_000 / rate.max(1)).sum();
    let rtt_us = there_us + back_us + passing_us;
    let within = |rate: &u64| {
        *rate <= MOST_RATE && (!window || rate.saturating_mul(rtt_us) / 1_000_000 <= WINDOW)
    };
    let rate = rates.into_iter().flatten().min().filter(within);
    (rtt_us, rate.map(|rate| rate as f64))
}

/// Probes the sample, and returns what was measured. A probe that came to nothing has measured
/// nothing, which the report holds against the run.
pub(super) async fn calibrate(
    seats: &[Seat],
    links: &Links,
    window: bool,
    sample: &[Way],
) -> Vec<Calibrated> {
    join_all(sample.iter().map(|way| probe(seats, links, window, *way))).await
}

async fn probe(seats: &[Seat], links: &Links, window: bool, (from, to): Way) -> Calibrated {
    let (asked_rtt_us, asked_rate) = asked(links, window, (from, to));
    let rounds = ROUND_TRIPS.as_micros() as u64 / (TRIPS * asked_rtt_us).max(1);
    let bytes = asked_rate.map_or(0, |rate| {
        let length = RATE.max(Duration::from_micros(RATE_TRIPS * asked_rtt_us));
        let bytes = (rate * length.as_secs_f64()) as u64;
        bytes.clamp(*BYTES.start(), *BYTES.end())
    });
    let request = ProbeRequest {
        peer: seats[to].plan.peer().to_string(),
        rounds: rounds.clamp(*ROUNDS.start(), *ROUNDS.end()) as u32,
        bytes,
    };
    let mut found = Calibrated {
        from: seats[from].plan.name.clone(),
        to: seats[to].plan.name.clone(),
        asked_rtt_us,
        asked_bytes_per_s: asked_rate,
        ..Calibrated::default()
    };
    match seats[from].client.lab_probe(request).await {
        Ok(result) => {
            found.rtt_us = result.rtt_us;
            found.bytes_per_s = result.bytes_per_s;
        }
        Err(error) => found.failure = Some(error.to_string()),
    }
    found
}

#[cfg(test)]
mod tests {
    use hearsay_node::lab::{AccessSettings, LinkSettings};

    use super::super::links::Given;
    use super::*;

    #[test]
    fn no_node_is_in_two_probes_and_none_that_is_down_in_any() {
        let edges: Vec<Way> = (0..40).flat_map(|a| (a + 1..40).map(move |b| (a, b))).collect();
        let sample = sample(&edges, |node| node != 3, 7);
        assert_eq!(sample.len(), SAMPLE);
        let mut nodes: Vec<_> = sample.iter().flat_map(|(a, b)| [a, b]).collect();
        nodes.sort_unstable();
        nodes.dedup();
        assert_eq!(nodes.len(), 2 * SAMPLE);
        assert!(!nodes.contains(&&3));
        assert_eq!(super::sample(&[(0, 1)], |_| true, 1).len(), 1);
    }

    #[test]
    fn a_round_trip_goes_both_ways_and_the_narrowest_place_is_the_rate() {
        let given = Given {
            common: LinkSettings { rate: Some(300_000), ..LinkSettings::default() },
            node_region: vec![0, 1],
            one_way_us: vec![vec![1, 40], vec![60, 1]],
            odd: std::collections::BTreeMap::new(),
            access: vec![
                AccessSettings { up: Some(150_000), down: None },
                AccessSettings { up: None, down: Some(900_000) },
            ],
        };
        let links = Links::new(given, [(0, 1)]);
        // The delays, and what 90 bytes take: twice over the links, up at one end, down at the other.
        let round_trip = 40 + 60 + 300 + 300 + 600 + 100;
        assert_eq!(asked(&links, true, (0, 1)), (round_trip, Some(150_000.0)));
        assert_eq!(asked(&links, true, (1, 0)), (round_trip, Some(300_000.0)));
    }

    #[test]
    fn a_rate_that_the_window_does_not_let_through_is_not_asked_for() {
        let given = |delay_us| Given {
            common: LinkSettings { rate: Some(20_000_000), ..LinkSettings::default() },
            node_region: vec![0, 0],
            one_way_us: vec![vec![delay_us]],
            ..Given::default()
        };
        let rate =
            |delay_us, window| asked(&Links::new(given(delay_us), [(0, 1)]), window, (0, 1)).1;
        assert_eq!(rate(10_000, true), Some(20_000_000.0));
        assert_eq!(rate(100_000, true), None);
        assert_eq!(rate(100_000, false), Some(20_000_000.0));
    }
}
