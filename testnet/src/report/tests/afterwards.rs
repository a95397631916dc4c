//! After the arrival: the pools, and the bytes on the wire.

use hearsay_node::trace::event::{Event, Kind, Kind::Tx};

use super::*;

const S: i64 = 1_000_000;

fn pooled(lab: &mut Lab, node: &str, us: i64, byte: u8) {
    let (kind, id, ready) = (Tx, id(byte), true);
    lab.event(node, us, Event::Pooled { kind, id, ready });
}

#[test]
fn each_transaction_is_included_or_evicted_or_never_included() {
    let mut lab = Lab::new(2);
    for byte in 1..=4 {
        lab.publish("n0", 2 * S, Tx, byte);
        lab.receive("n1", 2 * S + 1_000, Tx, byte, "n0");
    }
    for byte in 1..=3 {
        pooled(&mut lab, "n0", 2 * S, byte);
        pooled(&mut lab, "n1", 2 * S + 2_000, byte);
    }
    for (node, us) in [("n0", 3 * S), ("n1", 4 * S)] {
        let (kind, block) = (Tx, id(9));
        let (id, height) = (id(1), 1);
        lab.event(node, us, Event::Included { kind, id, block, height });
    }
    let (kind, reason) = (Tx, "expired".to_owned());
    let id = id(2);
    lab.event("n1", 5 * S, Event::Evicted { kind, id, reason });
    let pool = lab.report().tx.pool;
    // The first, the second, the third; the fourth was never in a pool.
    assert_eq!((pool.included, pool.evicted, pool.never_included), (1, 1, 1));
    assert_eq!(pool.pooled_ms, Pair { p50: Some(0.0), p99: Some(2.0) });
    assert_eq!(pool.included_ms, Pair { p50: Some(1_000.0), p99: Some(2_000.0) });
}

#[test]
fn bytes_are_counted_between_the_samples_around_the_window() {
    let mut lab = Lab::new(2);
    lab.measure(2 * S, 4 * S);
    lab.publish("n0", 3 * S, Tx, 1).receive("n1", 3 * S + 1, Tx, 1, "n0");
    for (second, sent) in [(1, 1_000), (2, 1_100), (3, 1_500), (4, 1_600), (5, 9_000)] {
        lab.wire("n0", second * S, sent);
        lab.wire("n1", second * S + 500_000, sent);
    }
    let report = lab.report();
    // n0 from 2.0 to 4.0 s: 1600 - 1100. n1 from 1.5 to 4.5 s: 1600 - 1000.
    assert_eq!(report.wire.bytes, Some(1_100));
    assert_eq!(report.wire.payload_bytes, 100);
    assert_eq!(report.wire.ratio, Some(11.0));
    assert_eq!(report.tx.spread.wire_ratio, Some(11.0));
    assert_eq!(report.block.spread.wire_ratio, Some(11.0));
}

#[test]
fn the_counter_of_a_restarted_process_begins_anew() {
    let mut lab = Lab::new(1);
    lab.measure(2 * S, 8 * S);
    lab.wire("n0", 9 * S, 5);
    lab.start("n1", 0).wire("n1", 2 * S, 300).wire("n1", 3 * S, 700);
    lab.start("n1", 4 * S).wire("n1", 9 * S, 50).stop("n1", END);
    // n0: 5. n1: 700 - 300, and 50 of its second process.
    assert_eq!(lab.report().wire.bytes, Some(455));
}

#[test]
fn a_node_without_samples_leaves_the_bytes_absent() {
    let mut lab = Lab::new(2);
    lab.publish("n0", 3 * S, Kind::Tx, 1).receive("n1", 3 * S + 1, Kind::Tx, 1, "n0");
    lab.wire("n0", 9 * S, 5);
    let wire = lab.report().wire;
    assert_eq!((wire.bytes, wire.ratio, wire.payload_bytes), (None, None, 100));
}

#[test]
fn a_process_that_begins_after_the_window_or_ends_before_its_first_sample_sends_nothing() {
    let mut lab = Lab::new(1);
    lab.measure(2 * S, 4 * S);
    lab.wire("n0", 4 * S, 5);
    lab.start("after", 5 * S).wire("after", 6 * S, 700).stop("after", END);
    lab.start("brief", 3 * S).stop("brief", 3 * S + 900_000);
    assert_eq!(lab.report().wire.bytes, Some(5));
}

#[test]
fn a_transaction_that_a_reorganisation_moves_was_included_when_it_first_was() {
    let mut lab = Lab::new(1);
    lab.publish("n0", 2 * S, Tx, 1);
    for (us, block) in [(3 * S, 8), (5 * S, 9)] {
        let (kind, block, height) = (Tx, id(block), 1);
        lab.event("n0", us, Event::Included { kind, id: id(1), block, height });
    }
    let pool = lab.report().tx.pool;
    assert_eq!(pool.included_ms.p99, Some(1_000.0));
    assert_eq!(pool.included, 1);
}
