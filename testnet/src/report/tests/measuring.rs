//! The run itself: what was asked of links and machine, what was measured, what was done to nodes.

use hearsay_node::trace::event::Kind::Tx;
use serde_json::json;

use super::*;

const S: i64 = 1_000_000;

fn probe(
    from: &str,
    asked_us: u64,
    rtt_us: &[u64],
    rates: Option<(f64, f64)>,
) -> serde_json::Value {
    json!({"from": from, "to": "n1", "asked_rtt_us": asked_us, "rtt_us": rtt_us,
           "asked_bytes_per_s": rates.map(|rates| rates.0), "bytes_per_s": rates.map(|rates| rates.1)})
}

fn calibrated(probes: &[serde_json::Value]) -> Report {
    let mut lab = super::spreading::line();
    lab.manifest(&json!({"calibration": probes}).to_string());
    lab.report()
}

#[test]
fn a_link_is_judged_by_the_median_of_its_round_trips_and_by_its_rate() {
    let rtt = [100_900, 101_900, 160_000];
    let report = calibrated(&[probe("n0", 100_000, &rtt, Some((6_250_000.0, 6_000_000.0)))]);
    let expected = LinkCheck {
        from: "n0".to_owned(),
        to: "n1".to_owned(),
        asked_rtt_ms: Some(100.0),
        rtt_ms: Some(101.9),
        rounds: 3,
        rtt_error_ms: Some(1.9),
        rtt_error_percent: Some(1.9),
        asked_bytes_per_s: Some(6_250_000.0),
        bytes_per_s: Some(6_000_000.0),
        rate_error_percent: Some(-4.0),
        ok: true,
        failure: None,
    };
    let calibration = report.calibration.expect("it was probed");
    assert_eq!(calibration.links, [expected]);
    assert!(calibration.ok && report.valid);
    assert_eq!(calibration.worst_rate_error_percent, Some(4.0));
}

#[test]
fn the_bar_is_two_milliseconds_or_two_per_cent_and_five_per_cent_of_the_rate() {
    let ok = |asked, measured, rates| {
        let report = calibrated(&[probe("n0", asked, &[measured], rates)]);
        assert_eq!(report.valid, report.calibration.as_ref().is_some_and(|all| all.ok));
        report.valid
    };
    assert!(ok(10_000, 12_000, None) && ok(10_000, 8_000, None));
    assert!(!ok(10_000, 12_001, None) && !ok(10_000, 7_999, None));
    assert!(ok(200_000, 204_000, None) && !ok(200_000, 204_001, None));
    assert!(ok(10_000, 10_000, Some((1000.0, 1050.0))));
    assert!(!ok(10_000, 10_000, Some((1000.0, 1051.0))));
    assert!(ok(0, 300, None));
}

#[test]
fn a_missed_link_makes_the_run_not_valid_and_is_named_with_its_figures() {
    let report = calibrated(&[
        probe("n0", 100_000, &[100_000], None),
        probe("n2", 80_000, &[90_500], Some((1e6, 5e5))),
        probe("n3", 80_000, &[], None),
    ]);
    assert_eq!(
        report.invalid_reasons,
        [
            "2 of 3 probed links are not what was asked for: n2 → n1 has a round trip of 90.5 ms for \
          80.0 ms and 500.0 kB/s for 1000.0 kB/s"
        ]
    );
    assert_eq!(report.calibration.expect("it was probed").worst_rtt_error_ms, Some(10.5));
}

fn lagging(p99: u64, limit: &str) -> Report {
    let mut lab = super::spreading::line();
    lab.manifest(&format!(r#"{{"lag_limit_us":{limit}}}"#));
    for second in 1..9 {
        lab.lag("n0", second * S, [100, 400, 900]).lag("n1", second * S, [200, p99, 50_000]);
    }
    lab.report()
}

#[test]
fn lag_within_the_limit_is_reported_for_all_and_for_each_node() {
    let report = lagging(20_000, "20000");
    assert!(report.valid, "{:?}", report.invalid_reasons);
    let expected = Lag {
        p50_us: Some(200),
        // At most 16 of 3200 samples are above 20 ms; up to 800 are above 200 µs.
        p99_us: Some(20_000),
        max_us: Some(50_000),
        samples: 3_200,
        limit_us: Some(20_000),
        ok: Some(true),
    };
    assert_eq!(report.lag, expected);
    let nodes: Vec<_> = report.per_node.iter().map(|node| node.lag_p99_us).collect();
    assert_eq!(nodes, [Some(400), Some(20_000), None, None, None]);
    assert_eq!(report.per_node[1].lag_max_us, Some(50_000));
}

#[test]
fn a_machine_that_did_not_keep_up_makes_the_run_not_valid() {
    let report = lagging(20_001, "20000");
    assert_eq!(report.lag.ok, Some(false));
    assert_eq!(
        report.invalid_reasons,
        [
            "the machine did not keep up: the scheduler's lag was 20.0 ms at the 99th percentile, and \
          the limit is 20.0 ms"
        ]
    );
    assert!(lagging(900_000, "null").valid);
}

#[test]
fn a_limit_without_a_sample_is_no_proof_that_it_was_kept() {
    let mut lab = super::spreading::line();
    lab.manifest(r#"{"lag_limit_us":20000}"#);
    // Before the window: the nodes were still starting.
    lab.manifest(&format!(
        r#"{{"lag_limit_us":20000,"measure":{{"from_us":{},"until_us":{},"settle_us":0}}}}"#,
        testing::EPOCH_US + S,
        testing::EPOCH_US + 9 * S
    ));
    lab.lag("n0", S / 2, [1, 2, 3]);
    let report = lab.report();
    assert_eq!((report.lag.samples, report.lag.ok), (0, Some(false)));
    assert!(report.invalid_reasons[0].contains("no node logged"), "{:?}", report.invalid_reasons);
}

#[test]
fn what_went_wrong_in_the_run_makes_it_not_valid() {
    let mut lab = super::spreading::line();
    lab.manifest(r#"{"faults":["n3 died during the load: signal: 9 (SIGKILL)"]}"#);
    let report = lab.report();
    assert_eq!(report.invalid_reasons, ["n3 died during the load: signal: 9 (SIGKILL)"]);
}

fn times(from: i64, until: &str) -> String {
    format!(r#""from_us":{},"until_us":{until}"#, testing::EPOCH_US + from)
}

#[test]
fn a_node_held_still_is_expected_only_to_have_what_came_after_it() {
    let mut lab = Lab::new(3);
    for (byte, second) in [(1, 2), (2, 3), (3, 6)] {
        lab.publish("n0", second * S, Tx, byte).receive("n1", second * S + 1_000, Tx, byte, "n0");
    }
    lab.receive("n2", 4 * S, Tx, 1, "n0").receive("n2", 6 * S + 4_000, Tx, 3, "n0");
    let end = (testing::EPOCH_US + 4 * S).to_string();
    lab.manifest(&format!(r#"{{"pauses":[{{"node":"n2",{}}}]}}"#, times(2 * S + S / 2, &end)));
    let report = lab.report();
    assert_eq!((report.tx.spread.expected, report.tx.spread.delivered), (4, 4));
    assert_eq!(report.tx.spread.latency_ms.max, Some(4.0));
    let throughout: Vec<_> = report.per_node.iter().map(|node| node.throughout).collect();
    assert_eq!(throughout, [true, true, false]);
    // Never resumed: expected to have nothing.
    lab.manifest(&format!(r#"{{"pauses":[{{"node":"n2",{}}}]}}"#, times(2 * S, "null")));
    assert_eq!(lab.report().tx.spread.expected, 3);
}

#[test]
fn a_node_cut_off_remains_expected_and_what_it_misses_costs_coverage() {
    let mut lab = Lab::new(3);
    lab.publish("n0", 2 * S, Tx, 1).receive("n1", 2 * S + 1_000, Tx, 1, "n0");
    lab.manifest(&format!(
        r#"{{"cuts":[{{{},"from":["n2"],"to":["n0","n1"]}}],
             "actions":[{{"at_us":{},"what":"cut n2","nodes":["n2"]}}]}}"#,
        times(S, "null"),
        testing::EPOCH_US + S
    ));
    let report = lab.report();
    assert_eq!(report.tx.spread.coverage, Some(0.5));
    assert_eq!((report.cuts.len(), &*report.actions[0].what), (1, "cut n2"));
}

#[test]
fn what_the_manifest_says_of_the_run_is_in_the_report() {
    let mut lab = super::spreading::line();
    lab.manifest(
        r#"{"mode":"in-process","dilation":4,"description":"A quiet network.",
            "nodes":[{"name":"n0","region":"paris","access":{"up":1000},"cpu_s":1.5}]}"#,
    );
    let report = lab.report();
    assert_eq!((report.mode.as_deref(), report.dilation), (Some("in-process"), 4));
    assert_eq!(report.description.as_deref(), Some("A quiet network."));
    let node = &report.per_node[0];
    assert_eq!((node.region.as_deref(), node.cpu_s), (Some("paris"), Some(1.5)));
    assert_eq!(node.access, Some(Access { up: Some(1_000), down: None }));
    let copies: Vec<_> = report.per_node.iter().map(|node| node.first_copies).collect();
    assert_eq!(copies, [0, 1, 1, 1, 1]);
}

#[test]
fn a_part_of_a_run_counts_what_was_published_within_it() {
    let mut lab = Lab::new(2);
    lab.measure(S, 9 * S);
    for second in 1..9_u8 {
        let at = i64::from(second) * S;
        lab.publish("n0", at, Tx, second).receive("n1", at + 1_000, Tx, second, "n0");
    }
    let dir = lab.write();
    let published = |from: Option<u64>, until: Option<u64>| {
        let seconds = |it: Option<u64>| it.map(std::time::Duration::from_secs);
        let part = Part { from: seconds(from), until: seconds(until) };
        build_part(dir.path(), part).unwrap().tx.spread.published
    };
    assert_eq!(published(None, None), 8);
    assert_eq!(published(None, Some(3)), 3, "those of the seconds 1 to 3");
    assert_eq!(published(Some(3), None), 5);
    assert_eq!(published(Some(3), Some(4)), 1);
    assert_eq!(published(Some(100), Some(200)), 0);
}
