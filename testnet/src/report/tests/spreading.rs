//! How messages spread: latency, shares, hops, copies.

use hearsay_node::trace::event::{Kind::Tx, Via};

use super::*;

/// Five nodes in a row, each 10 ms from the next, which accepts after 1 ms of waiting and 2 ms of
/// checking: n1 has it after 10 ms, n2 after 10 + 3 + 10, n3 after 36, n4 after 49.
pub(super) fn line() -> Lab {
    let mut lab = Lab::new(5);
    lab.publish("n0", 2_000_000, Tx, 0xaa);
    for (node, from, at) in [("n1", "n0", 10), ("n2", "n1", 23), ("n3", "n2", 36), ("n4", "n3", 49)]
    {
        let at = 2_000_000 + at * 1_000;
        lab.receive(node, at, Tx, 0xaa, from);
        lab.accept(node, at + 3_000, Tx, 0xaa, 1_000, 2_000);
    }
    lab
}

#[test]
fn on_a_line_with_known_delays_the_report_gives_exactly_those_times_hops_and_copies() {
    let report = line().report();
    let tx = &report.tx.spread;
    assert!(report.valid, "{:?}", report.invalid_reasons);
    assert_eq!((tx.published, tx.expected, tx.delivered), (1, 4, 4));
    assert_eq!(tx.coverage, Some(1.0));
    assert_eq!(tx.copies_per_node, Some(1.0));
    assert_eq!((tx.before_publication, report.logs.unpublished), (0, 0));
    // Sorted: 10, 23, 36, 49. Ranks of the percentiles among 4: 2, 4, 4, 4, 4.
    let summary = |p50, rest| Summary {
        p50: Some(p50),
        p90: Some(rest),
        p95: Some(rest),
        p99: Some(rest),
        max: Some(rest),
    };
    assert_eq!(tx.latency_ms, summary(23.0, 49.0));
    // After the 10 ms of the first: 13, 26, 39.
    assert_eq!(tx.since_first_ms, summary(26.0, 39.0));
    let hops = &tx.hops;
    assert_eq!((hops.p50, hops.max, hops.mean), (Some(2), Some(4), Some(2.5)));
    assert_eq!(hops.unrooted, 0);
    assert_eq!(hops.histogram, [0, 1, 1, 1, 1]);
    assert!(report.to_text().contains("\ntx rounds 1: 1, 2: 1, 3: 1, 4: 1\n"));
}

#[test]
fn on_a_line_each_share_of_the_nodes_is_reached_when_its_last_node_is() {
    let to = line().report().tx.spread.to_share_ms;
    // Of 4 expected: 2, 3, then all 4.
    let ms = [to.half, to.p75, to.p90, to.p95, to.p99, to.all].map(|share| share.p50);
    assert_eq!(ms, [23.0, 36.0, 49.0, 49.0, 49.0, 49.0].map(Some));
    assert_eq!(to.all.p99, Some(49.0));
    assert_eq!(to.all.unreached, 0);
}

#[test]
fn in_a_star_the_hub_delivers_all_and_each_spoke_is_one_hop_away() {
    let mut lab = Lab::new(5);
    lab.publish("n0", 1_000_000, Tx, 1);
    for (node, ms) in [("n1", 4), ("n2", 1), ("n3", 3), ("n4", 2)] {
        lab.receive(node, 1_000_000 + ms * 1_000, Tx, 1, "n0");
        // Each spoke sends it back to the hub, which has it: one copy too many at the hub.
        lab.duplicate("n0", 1_000_000 + 2 * ms * 1_000, Tx, 1, node);
    }
    let tx = lab.report().tx.spread;
    assert_eq!(tx.latency_ms.p50, Some(2.0));
    assert_eq!(tx.latency_ms.max, Some(4.0));
    assert_eq!((tx.hops.max, tx.hops.mean), (Some(1), Some(1.0)));
    assert_eq!(tx.copies_per_node, Some(2.0));
    let hub = FirstBy { node: "n0".to_owned(), count: 4, share: Some(1.0) };
    assert_eq!(tx.first_by, [hub]);
    assert_eq!(tx.to_share_ms.p75.p50, Some(3.0));
}

#[test]
fn a_missing_delivery_costs_coverage_and_is_counted_as_never_reached() {
    let mut lab = line();
    lab.publish("n0", 3_000_000, Tx, 0xbb);
    for (node, ms) in [("n1", 10), ("n2", 20), ("n3", 30)] {
        lab.receive(node, 3_000_000 + ms * 1_000, Tx, 0xbb, "n0");
    }
    let tx = lab.report().tx.spread;
    assert_eq!((tx.expected, tx.delivered), (8, 7));
    assert_eq!(tx.coverage, Some(0.875));
    // 75 % of 4 is 3, which both reached; all 4 only the first did.
    let to = tx.to_share_ms;
    assert_eq!((to.p75.p50, to.p75.p99, to.p75.unreached), (Some(30.0), Some(36.0), 0));
    assert_eq!((to.all.p50, to.all.p99, to.all.unreached), (Some(49.0), Some(49.0), 1));
}

#[test]
fn duplicates_are_counted_by_path_and_do_not_delay_anything() {
    let mut lab = line();
    lab.duplicate("n1", 2_020_000, Tx, 0xaa, "n2");
    lab.duplicate("n0", 2_021_000, Tx, 0xaa, "n1");
    lab.receive_via("n4", 2_060_000, Tx, 0xaa, "n0", Via::Reconcile);
    let tx = lab.report().tx.spread;
    assert_eq!(tx.latency_ms.max, Some(49.0));
    assert_eq!(tx.copies_per_node, Some(7.0 / 4.0));
    let row = |via, first, redundant| ViaCopies { via, first, redundant };
    assert_eq!(tx.copies, [row(Via::Gossip, 4, 2), row(Via::Reconcile, 0, 1)]);
}

#[test]
fn what_came_within_a_block_is_delivered_once_and_a_later_copy_by_gossip_is_redundant() {
    let mut lab = Lab::new(4);
    lab.publish("n0", 1_000_000, Tx, 1);
    lab.receive_via("n1", 1_400_000, Tx, 1, "n0", Via::Compact);
    lab.receive_via("n2", 1_500_000, Tx, 1, "n0", Via::Fetch);
    lab.receive("n3", 1_020_000, Tx, 1, "n0");
    lab.duplicate("n1", 1_450_000, Tx, 1, "n0");
    let tx = lab.report().tx.spread;
    assert_eq!((tx.delivered, tx.coverage), (3, Some(1.0)));
    assert_eq!((tx.latency_ms.max, tx.copies_per_node), (Some(500.0), Some(4.0 / 3.0)));
    let row = |via, first, redundant| ViaCopies { via, first, redundant };
    let expected = [row(Via::Gossip, 1, 1), row(Via::Compact, 1, 0), row(Via::Fetch, 1, 0)];
    assert_eq!(tx.copies, expected);
}

#[test]
fn a_copy_from_a_stranger_is_delivered_but_has_no_hops() {
    let mut lab = Lab::new(3);
    lab.publish("n0", 1_000_000, Tx, 1);
    lab.receive("n1", 1_010_000, Tx, 1, "elsewhere");
    lab.receive("n2", 1_020_000, Tx, 1, "n1");
    let tx = lab.report().tx.spread;
    assert_eq!((tx.delivered, tx.hops.unrooted), (2, 2));
    assert_eq!(tx.hops.max, None);
    let senders: Vec<_> = tx.first_by.iter().map(|by| (&*by.node, by.count)).collect();
    assert_eq!(senders, [("n1", 1), (&*peer("elsewhere"), 1)]);
    assert_eq!(tx.slowest.expect("a delivery").journey, None);
}

#[test]
fn receipts_in_a_circle_have_no_hops() {
    let mut lab = Lab::new(3);
    lab.publish("n0", 1_000_000, Tx, 1);
    lab.receive("n1", 1_010_000, Tx, 1, "n2");
    lab.receive("n2", 1_010_000, Tx, 1, "n1");
    let hops = lab.report().tx.spread.hops;
    assert_eq!((hops.unrooted, hops.max), (2, None));
    assert!(hops.histogram.is_empty());
}

#[test]
fn a_message_introduced_twice_counts_once_and_neither_node_is_expected() {
    let mut lab = Lab::new(4);
    lab.publish("n0", 1_000_000, Tx, 1);
    lab.publish("n3", 1_004_000, Tx, 1);
    lab.receive("n1", 1_010_000, Tx, 1, "n0");
    lab.receive("n2", 1_012_000, Tx, 1, "n3");
    let tx = lab.report().tx.spread;
    assert_eq!((tx.published, tx.expected, tx.delivered), (1, 2, 2));
    let journey = tx.slowest.and_then(|slowest| slowest.journey).expect("a way");
    assert_eq!(journey.path, ["n3", "n2"]);
    let ms: Vec<f64> = journey.steps.iter().map(|step| step.ms).collect();
    assert_eq!(ms, [4.0, 8.0]);
}

#[test]
fn hops_are_counted_whichever_end_of_the_line_publishes() {
    let mut lab = Lab::new(5);
    lab.publish("n4", 1_000_000, Tx, 1);
    for (node, from, ms) in [("n3", "n4", 1), ("n2", "n3", 2), ("n1", "n2", 3), ("n0", "n1", 4)] {
        lab.receive(node, 1_000_000 + ms * 1_000, Tx, 1, from);
    }
    let hops = lab.report().tx.spread.hops;
    assert_eq!((hops.max, hops.mean, hops.unrooted), (Some(4), Some(2.5), 0));
}
