//! What the run did to the figures: pauses, nodes in one process, links that could not be probed, and
//! loads that came short.

use hearsay_node::trace::event::Kind::Tx;
use serde_json::json;

use super::*;

const S: i64 = 1_000_000;

fn of_node(report: &Report, node: usize) -> (Option<u64>, Option<u64>) {
    (report.per_node[node].lag_p99_us, report.per_node[node].lag_max_us)
}

#[test]
fn a_node_s_lag_while_it_was_held_still_and_until_it_caught_up_is_not_the_machine_s() {
    let mut lab = Lab::new(2);
    for node in ["n0", "n1"] {
        lab.lag(node, S, [10, 20, 30]).lag(node, 8 * S, [10, 20, 30]);
        // The late samples of the pause, up to two seconds after its end.
        lab.lag(node, 3 * S, [1_000, 900_000, 990_000]).lag(node, 6 * S, [1_000, 500_000, 900_000]);
    }
    let (from, until) = (testing::EPOCH_US + 2 * S, testing::EPOCH_US + 4 * S);
    let pause = json!({"node": "n1", "from_us": from, "until_us": until});
    lab.manifest(&json!({"lag_limit_us": 20_000, "pauses": [pause]}).to_string());
    let report = lab.report();
    assert_eq!(of_node(&report, 1), (Some(20), Some(30)));
    assert_eq!(of_node(&report, 0), (Some(900_000), Some(990_000)));
    assert_eq!(report.lag.samples, 6 * 200);

    let never = json!({"node": "n1", "from_us": from, "until_us": null});
    lab.lag("n1", 6 * S + 1, [1_000, 2_000, 3_000]);
    lab.manifest(&json!({"pauses": [never]}).to_string());
    assert_eq!(lab.report().lag.samples, 5 * 200);
    // A microsecond later than two seconds after it, it is the machine's again.
    lab.manifest(&json!({"pauses": [pause]}).to_string());
    assert_eq!(of_node(&lab.report(), 1).1, Some(3_000));
}

#[test]
fn nodes_in_one_process_share_their_samples_and_those_of_the_longest_log_count_once() {
    let mut lab = Lab::new(3);
    for second in 1..9 {
        lab.lag("n1", second * S, [10, 20, 30]).lag("n2", second * S + 7, [11, 21, 31]);
    }
    lab.lag("n0", 8 * S, [500, 600, 700]);
    let samples = |mode: &str| {
        let mut lab = lab.clone();
        lab.manifest(&json!({"mode": mode}).to_string());
        lab.report().lag
    };
    assert_eq!(samples("processes").samples, 17 * 200);
    let shared = samples("in-process");
    assert_eq!((shared.samples, shared.p99_us, shared.max_us), (8 * 200, Some(20), Some(30)));
}

#[test]
fn a_link_that_could_not_be_probed_is_named_with_the_reason() {
    let mut lab = super::spreading::line();
    let probe = json!({"from": "n1", "to": "n2", "asked_rtt_us": 80_000, "rtt_us": [],
                       "failure": "no answer within 10 s"});
    lab.manifest(&json!({"calibration": [probe]}).to_string());
    let report = lab.report();
    let told = "1 of 1 probed links are not what was asked for: \
                n1 → n2 could not be probed: no answer within 10 s";
    assert_eq!(report.invalid_reasons, [told]);
    let link = &report.calibration.as_ref().expect("it was probed").links[0];
    assert_eq!(link.failure.as_deref(), Some("no answer within 10 s"));
}

/// A load of ten of which so many were handed in and taken, and what else is in the outcome.
fn loaded(submitted: u64, taken: u64, more: &serde_json::Value, faults: &[&str]) -> Report {
    let mut outcome = json!({"planned": 10, "submitted": submitted, "taken": taken, "queued": 0,
                             "refused": {}, "failed": {}, "late": 0, "max_lag_us": 900});
    for (key, value) in more.as_object().expect("a table") {
        outcome[key] = value.clone();
    }
    let mut lab = Lab::new(2);
    lab.publish("n0", 2 * S, Tx, 1).receive("n1", 2 * S + 1_000, Tx, 1, "n0");
    lab.manifest(&json!({"load": {"rate": 1.0, "outcome": outcome}, "faults": faults}).to_string());
    lab.report()
}

#[test]
fn what_came_of_the_load_is_told_in_a_line_only_when_something_is_off() {
    let report = loaded(10, 10, &json!({}), &[]);
    assert_eq!(report.load.as_ref().map(|load| (load.planned, load.taken)), Some((10, 10)));
    assert!(report.valid && !report.to_text().contains("handed in"), "{}", report.to_text());
    let late = loaded(10, 10, &json!({"late": 3, "max_lag_us": 41_000}), &[]);
    let line = "\n10 of 10 transactions handed in, 10 taken; 3 handed in late, by up to 41 ms\n";
    assert!(late.valid && late.to_text().contains(line), "{}", late.to_text());
    // A manifest without an outcome, and none at all.
    let mut lab = Lab::new(2);
    assert_eq!(lab.report().load, None);
    lab.manifest(r#"{"load":{"rate":1.0}}"#);
    assert_eq!(lab.report().load, None);
}

#[test]
fn a_load_that_failed_or_came_short_unasked_makes_the_run_not_valid() {
    let reasons = |report: Report| report.invalid_reasons;
    let refused = loaded(10, 8, &json!({"refused": {"full": 2}}), &[]);
    let told = "not all of the load was taken: \
                10 of 10 transactions handed in, 8 taken; 2 refused: full";
    assert_eq!(reasons(refused), [told]);
    let failed = loaded(10, 9, &json!({"failed": {"no answer": 1}}), &[]);
    assert!(!failed.valid);
    let short = loaded(7, 7, &json!({}), &[]);
    let told = "not all of the load was taken: 7 of 10 transactions handed in, 7 taken";
    assert_eq!(reasons(short), [told]);
    // Whoever interrupted it knows, and the fault says so.
    let interrupted = "interrupted while the load ran";
    assert_eq!(reasons(loaded(7, 7, &json!({}), &[interrupted])), [interrupted]);
    // The last answers were still on their way.
    assert!(loaded(10, 9, &json!({}), &[]).valid);
}
