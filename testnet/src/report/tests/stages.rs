//! What the time went to, and what validation said.

use hearsay_node::trace::event::{Event, Kind::Tx, VerdictName, Via};

use super::spreading::line;
use super::*;

#[test]
fn on_a_line_every_hop_is_ten_milliseconds_of_network() {
    let stages = line().report().tx.spread.stages;
    assert_eq!(stages.network_ms, Pair { p50: Some(10.0), p99: Some(10.0) });
    assert_eq!(stages.queue_ms.p50, Some(1.0));
    assert_eq!(stages.check_ms.p99, Some(2.0));
    assert_eq!((stages.clamped, stages.unmeasured), (0, 0));
    assert_eq!(stages.pull_ms, Pair::default());
}

#[test]
fn on_a_line_the_slowest_delivery_is_the_last_node_by_the_whole_way() {
    let slowest = line().report().tx.spread.slowest.expect("deliveries");
    assert_eq!((&*slowest.node, &*slowest.origin, slowest.ms), ("n4", "n0", 49.0));
    let journey = slowest.journey.expect("a known way");
    assert_eq!(journey.path, ["n0", "n1", "n2", "n3", "n4"]);
    let ms: Vec<f64> = journey.steps.iter().map(|step| step.ms).collect();
    assert_eq!(ms, [10.0, 1.0, 2.0, 10.0, 1.0, 2.0, 10.0, 1.0, 2.0, 10.0]);
    assert_eq!(
        journey.reason,
        "82 % of it was network time over 4 hops; \
         the largest single part, 20 %, was network time on n0 → n1"
    );
}

#[test]
fn a_copy_that_was_asked_for_is_no_network_time() {
    let mut lab = Lab::new(3);
    lab.publish("n0", 1_000_000, Tx, 1);
    lab.receive("n1", 1_005_000, Tx, 1, "n0");
    lab.receive_via("n2", 1_400_000, Tx, 1, "n0", Via::Reconcile);
    let tx = lab.report().tx.spread;
    assert_eq!(tx.stages.network_ms.p99, Some(5.0));
    assert_eq!(tx.stages.pull_ms.p50, Some(400.0));
    let reason = tx.slowest.and_then(|slowest| slowest.journey).expect("a way").reason;
    assert_eq!(reason, "100 % of it was time until n2 asked n0 for it and had it");
}

#[test]
fn a_relay_that_logs_its_verdict_after_the_next_receipt_is_clamped_and_counted() {
    let mut lab = Lab::new(3);
    lab.publish("n0", 1_000_000, Tx, 1);
    lab.receive("n1", 1_010_000, Tx, 1, "n0");
    lab.accept("n1", 1_020_000, Tx, 1, 1_000, 9_000);
    lab.receive("n2", 1_015_000, Tx, 1, "n1");
    let tx = lab.report().tx.spread;
    assert_eq!(tx.stages.clamped, 1);
    assert_eq!(tx.stages.network_ms.p50, Some(0.0));
    let journey = tx.slowest.and_then(|slowest| slowest.journey).expect("a way");
    assert!(journey.clamped);
    // 10 ms network, then of the relay's 10 ms only the 5 before the receipt, then nothing.
    let ms: Vec<f64> = journey.steps.iter().map(|step| step.ms).collect();
    assert_eq!(ms, [10.0, 1.0, 4.0, 0.0]);
    assert_eq!(journey.total_ms, 15.0);
}

#[test]
fn a_hop_from_a_relay_without_a_verdict_is_not_measured() {
    let mut lab = Lab::new(3);
    lab.publish("n0", 1_000_000, Tx, 1);
    lab.receive("n1", 1_010_000, Tx, 1, "n0");
    lab.receive("n2", 1_015_000, Tx, 1, "n1");
    let stages = lab.report().tx.spread.stages;
    assert_eq!(stages.unmeasured, 1);
    assert_eq!(stages.network_ms.p99, Some(10.0));
}

#[test]
fn verdicts_are_counted_by_answer_and_reason() {
    let mut lab = line();
    let verdict = |verdict, reason: &str| Event::Verdict {
        kind: Tx,
        id: id(0xcc),
        verdict,
        reason: Some(reason.to_owned()),
        queue_us: 0,
        check_us: 0,
    };
    lab.event("n1", 3_000_000, verdict(VerdictName::Reject, "bad_signature"));
    lab.event("n2", 3_000_000, verdict(VerdictName::Ignore, "known"));
    lab.event("n3", 3_000_000, verdict(VerdictName::Ignore, "known"));
    // Before the window: not counted.
    lab.measure(1_000_000, 9_000_000);
    lab.event("n4", 500_000, verdict(VerdictName::Ignore, "known"));
    let report = lab.report();
    let rows: Vec<_> = report.tx.verdicts.iter().collect();
    let rows: Vec<_> =
        rows.iter().map(|row| (row.verdict, row.reason.as_deref(), row.count)).collect();
    let expected = [
        (VerdictName::Accept, None, 4),
        (VerdictName::Ignore, Some("known"), 2),
        (VerdictName::Reject, Some("bad_signature"), 1),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn a_relay_sends_on_when_it_accepts_and_not_when_it_first_ignores() {
    let mut lab = Lab::new(3);
    lab.publish("n0", 1_000_000, Tx, 1);
    lab.receive("n1", 1_010_000, Tx, 1, "n0");
    let ignored = Event::Verdict {
        kind: Tx,
        id: id(1),
        verdict: VerdictName::Ignore,
        reason: Some("gap".to_owned()),
        queue_us: 0,
        check_us: 0,
    };
    lab.event("n1", 1_011_000, ignored);
    lab.accept("n1", 1_030_000, Tx, 1, 0, 0);
    lab.receive("n2", 1_037_000, Tx, 1, "n1");
    let stages = lab.report().tx.spread.stages;
    assert_eq!(stages.network_ms, Pair { p50: Some(7.0), p99: Some(10.0) });
}

#[test]
fn of_two_equally_slow_deliveries_the_one_of_the_smaller_id_is_named() {
    let mut lab = Lab::new(2);
    for byte in [2, 1] {
        lab.publish("n0", 1_000_000, Tx, byte);
        lab.receive("n1", 1_005_000, Tx, byte, "n0");
    }
    let slowest = lab.report().tx.spread.slowest.expect("deliveries");
    assert_eq!(slowest.id, id(1));
}

#[test]
fn a_receipt_dated_before_the_publication_takes_no_time_and_is_counted() {
    let mut lab = Lab::new(2);
    lab.publish("n0", 1_000_000, Tx, 1);
    lab.receive("n1", 999_000, Tx, 1, "n0");
    let tx = lab.report().tx.spread;
    assert_eq!((tx.before_publication, tx.stages.clamped), (1, 1));
    assert_eq!(tx.latency_ms.max, Some(0.0));
    let journey = tx.slowest.and_then(|slowest| slowest.journey).expect("a way");
    assert!(journey.clamped);
    assert_eq!((journey.total_ms, &*journey.reason), (0.0, "it took no measurable time"));
}

#[test]
fn a_single_part_below_half_is_named_alone_when_no_stage_as_a_whole_exceeds_it() {
    let mut lab = Lab::new(3);
    lab.publish("n0", 1_000_000, Tx, 1);
    lab.receive("n1", 1_010_000, Tx, 1, "n0");
    lab.accept("n1", 1_080_000, Tx, 1, 40_000, 30_000);
    lab.receive("n2", 1_100_000, Tx, 1, "n1");
    let slowest = lab.report().tx.spread.slowest.expect("a delivery");
    let reason = slowest.journey.expect("a way").reason;
    assert_eq!(reason, "40 % of it was waiting in n1's queue");
}
