//! Comparisons of made-up reports.

use std::path::Path;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::report::Report;
use crate::report::testing::Lab;

fn variants(names: &[&str]) -> Vec<Variant<usize>> {
    let variant = |(scenario, name): (usize, &&str)| Variant { name: (*name).to_owned(), scenario };
    names.iter().enumerate().map(variant).collect()
}

/// A report with nothing in it but these two figures.
fn report(p50: f64, copies: f64) -> Report {
    let mut report = Lab::new(2).report();
    assert!(report.valid, "{:?}", report.invalid_reasons);
    report.tx.spread.latency_ms.p50 = Some(p50);
    report.tx.spread.copies_per_node = Some(copies);
    report
}

fn options(repeats: u32) -> Options {
    Options { repeats, seed: 1 }
}

fn one<'a>(comparison: &'a Comparison, path: &str) -> &'a Difference {
    let found = comparison.against[0].differences.iter().find(|one| one.figure == path);
    found.expect("the figure is compared")
}

/// Between -0.5 and 0.5, drawn by place and seed.
fn noise(seed: u64) -> f64 {
    ChaCha8Rng::seed_from_u64(seed).random::<f64>() - 0.5
}

#[test]
fn every_figure_is_a_field_of_the_report() {
    let report = crate::report::empty();
    for figure in FIGURES {
        assert!(figures::exists(&report, figure.path), "{}", figure.path);
    }
}

#[test]
fn a_known_difference_is_found_though_seeds_differ_by_more_than_it() {
    let comparison = run(&variants(&["a", "b"]), options(10), Path::new("out"), |&which, turn| {
        // Topologies differ by up to 40 ms from seed to seed, the variants by 3.
        let topology = 100.0 + 80.0 * noise(turn.seed);
        let jitter = noise(turn.seed * 1_000 + which as u64);
        Ok(report(topology + jitter + if which == 1 { 3.0 } else { 0.0 }, 2.0))
    });
    let latency = one(&comparison, "tx.latency_ms.p50");
    assert_eq!((latency.verdict, latency.pairs), (Verdict::Real, 10));
    assert!((2.0..4.0).contains(&latency.difference), "{latency:?}");
    let Interval { low, high } = latency.interval.expect("ten pairs");
    assert!(low <= latency.difference && latency.difference <= high, "{latency:?}");
    let copies = one(&comparison, "tx.copies_per_node");
    assert_eq!((copies.verdict, copies.difference), (Verdict::WithinNoise, 0.0));
    let text = comparison.to_text();
    assert!(
        text.starts_with("b (B) against a (A): 10 pairs of runs with the same seed\n"),
        "{text}"
    );
    assert!(
        text.lines().any(|line| line.contains("tx latency, median") && line.ends_with("worse"))
    );
    // In a run without blocks or coverage, all other figures are absent.
    assert!(text.contains("Within noise, b against a: tx copies per delivery."), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 112), "{text}");
    let (verdict, sentence) = &comparison.sentences()[0];
    assert_eq!(*verdict, Verdict::Real);
    assert!(sentence.starts_with("b is worse than a: tx latency, median, +"), "{sentence}");
}

#[test]
fn pure_noise_is_called_noise_at_about_the_rate_that_the_interval_promises() {
    for pairs in [5, 10, 20] {
        let rounds = 400;
        let real = (0..rounds).filter(|round| {
            let mut draw = ChaCha8Rng::seed_from_u64(*round);
            let differences: Vec<f64> =
                (0..pairs).map(|_| draw.random::<f64>() - draw.random::<f64>()).collect();
            stats::verdict(stats::interval(&differences)) == Verdict::Real
        });
        let rate = real.count() as f64 / rounds as f64;
        assert!((0.01..=0.09).contains(&rate), "{pairs} pairs: {rate}");
    }
}

#[test]
fn a_pair_with_a_run_that_is_not_valid_is_left_out_and_it_is_said() {
    let comparison = run(&variants(&["a", "b"]), options(7), Path::new("out"), |&which, turn| {
        let mut report = report(10.0 + which as f64, 1.0);
        if turn.seed == 3 && which == 1 {
            report.valid = false;
            report.invalid_reasons = vec!["the machine did not keep up".to_owned()];
            report.tx.spread.latency_ms.p50 = Some(1e9);
        }
        if turn.seed == 5 && which == 0 {
            return Err(RunError::Failed("n3 died".to_owned()));
        }
        Ok(report)
    });
    let against = &comparison.against[0];
    assert_eq!(against.pairs, 5);
    let why = ["seed 3: b: the machine did not keep up", "seed 5: a: it failed: n3 died"];
    assert_eq!(against.left_out, why);
    let latency = one(&comparison, "tx.latency_ms.p50");
    assert_eq!((latency.difference, latency.verdict), (1.0, Verdict::Real));
    assert!(comparison.to_text().contains("left out: seed 3: b: the machine did not keep up"));
}

#[test]
fn when_every_pair_was_left_out_it_is_said_and_nothing_is_compared() {
    let comparison = run(&variants(&["a", "b"]), options(2), Path::new("out"), |&which, _| {
        let mut report = report(10.0, 1.0);
        if which == 1 {
            report.valid = false;
            report.invalid_reasons = vec!["the machine did not keep up".to_owned()];
        }
        Ok(report)
    });
    let told = "All 2 pairs of a and b were left out, so there is nothing to compare.".to_owned();
    assert_eq!(comparison.sentences(), [(Verdict::TooFew, told.clone())]);
    assert!(comparison.to_text().contains(&told), "{}", comparison.to_text());
    assert!(page::comparison(&comparison).contains(&told));
}

#[test]
fn with_fewer_than_five_pairs_nothing_is_called_real() {
    let comparison = run(&variants(&["a", "b"]), options(4), Path::new("out"), |&which, _| {
        Ok(report(10.0 + 90.0 * which as f64, 1.0))
    });
    let latency = one(&comparison, "tx.latency_ms.p50");
    assert_eq!((latency.verdict, latency.interval), (Verdict::TooFew, None));
    assert_eq!((latency.base, latency.variant, latency.relative), (10.0, 100.0, Some(9.0)));
    assert!(comparison.to_text().contains("Fewer than 5 pairs (4) are too few"));
}

#[test]
fn all_variants_are_compared_with_the_first() {
    let names = ["gossip.mesh=4", "gossip.mesh=6", "gossip.mesh=8"];
    let comparison = run(&variants(&names), options(5), Path::new("out"), |&which, _| {
        Ok(report(10.0, which as f64))
    });
    let compared: Vec<_> =
        comparison.against.iter().map(|one| (&*one.base, &*one.variant)).collect();
    assert_eq!(compared, [(names[0], names[1]), (names[0], names[2])]);
}

#[test]
fn after_an_interruption_what_was_run_is_compared_and_no_more_is_run() {
    let mut runs = 0;
    let comparison = run(&variants(&["a", "b"]), options(9), Path::new("out"), |&which, turn| {
        runs += 1;
        if turn.nth == 13 { Err(RunError::Stopped) } else { Ok(report(which as f64, 1.0)) }
    });
    assert_eq!((runs, comparison.stopped, comparison.against[0].pairs), (14, true, 6));
    assert!(comparison.to_text().starts_with("interrupted: "));
}

#[test]
fn what_is_written_is_read_again() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let comparison = run(&variants(&["a", "b<c"]), options(5), dir.path(), |&which, _| {
        Ok(report(10.0, 1.0 + which as f64))
    });
    write(dir.path(), &comparison).expect("a writable folder");
    let json = fs::read(dir.path().join("compare.json")).expect("compare.json");
    let back: Comparison = serde_json::from_slice(&json).expect("it reads back");
    assert_eq!(back, comparison);
    let html = fs::read_to_string(dir.path().join("compare.html")).expect("compare.html");
    assert!(html.contains("b&lt;c") && !html.contains("b<c"));
    assert!(dir.path().join("compare.txt").exists());
}
