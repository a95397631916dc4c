//! The running tally.

use std::fs;

use hearsay_node::trace::event::{Event, Kind::Tx, Origin, Via};

use super::*;
use crate::report::live::LiveTally;
use crate::report::testing::line;

fn started(nodes: usize) -> LiveTally {
    let mut tally = LiveTally::new();
    for node in 0..nodes {
        let node = format!("n{node}");
        let event = Event::Start {
            schema: 1,
            peer: peer(&node),
            genesis: id(0),
            version: "0.1.0".to_owned(),
            dilation: 1,
        };
        tally.feed(&node, &line(&node, 0, 0, event));
    }
    tally
}

fn published(tally: &mut LiveTally, node: &str, us: i64, id: &str) {
    let event = Event::Published { kind: Tx, id: id.to_owned(), bytes: 1, origin: Origin::Rpc };
    tally.feed(node, &line(node, us, 0, event));
}

fn received(tally: &mut LiveTally, node: &str, us: i64, id: &str) {
    let event = Event::Received {
        kind: Tx,
        id: id.to_owned(),
        from: peer("n0"),
        via: Via::Gossip,
        bytes: 1,
        message: None,
    };
    tally.feed(node, &line(node, us, 0, event));
}

#[test]
fn what_membership_costs_is_known_once_every_node_that_runs_has_sent_some_for_three_seconds() {
    let mut tally = started(2);
    let mut said = |node: &str, second: i64, sent| {
        let members_sent = Some(sent);
        let event = Event::Wire { sent: 9, received: 9, members_sent, members_received: None };
        tally.feed(node, &line(node, second * 1_000_000, 0, event));
        tally.snapshot().members_per_node_s
    };
    for (second, sent) in [(0, 0), (1, 500), (2, 90_500), (3, 180_500)] {
        assert_eq!(said("n0", second, sent), None);
        assert_eq!(said("n1", second, sent), None);
    }
    assert_eq!(said("n0", 4, 180_500), None, "n1 has not spoken");
    assert_eq!(said("n1", 4, 180_500), Some(60_000.0));
    for second in 5..8 {
        said("n0", second, 180_500);
        said("n1", second, 180_500 + 900);
    }
    assert_eq!(said("n1", 8, 180_500 + 900), Some(0.0));
    tally.gone("n0");
    tally.gone("n1");
    assert_eq!(tally.snapshot().members_per_node_s, None);
}

#[test]
fn a_live_tally_agrees_with_the_report_once_all_lines_are_fed_in_whatever_order_of_nodes() {
    let lab = super::spreading::line();
    let dir = lab.write();
    let report = build(dir.path()).expect("logs");
    for order in [["n0", "n1", "n2", "n3", "n4"], ["n3", "n1", "n4", "n2", "n0"]] {
        let logs = order.map(|node| {
            let path = dir.path().join(node).join("events.jsonl");
            (node, fs::read_to_string(path).expect("a log"))
        });
        let mut tally = LiveTally::new();
        // All starts first, as when the nodes are up before the first transaction.
        for (node, log) in &logs {
            tally.feed(node, log.lines().next().expect("a start line"));
        }
        for (node, log) in &logs {
            for line in log.lines().filter(|line| !line.contains("\"stop\"")).skip(1) {
                tally.feed(node, line);
            }
        }
        let live = tally.snapshot();
        assert_eq!((live.nodes, live.published_tx), (5, 1));
        assert_eq!(live.delivered, report.tx.spread.coverage);
        let (p50, p99) = (live.p50_ms.expect("a median"), live.p99_ms.expect("a tail"));
        assert!((23.0..=23.0 * 1.008).contains(&p50), "{p50}");
        assert!((49.0..=49.0 * 1.008).contains(&p99), "{p99}");
    }
}

#[test]
fn a_live_tally_expects_nothing_of_a_node_that_is_gone() {
    let mut tally = started(3);
    assert_eq!(tally.snapshot().delivered, None);
    tally.gone("n2");
    published(&mut tally, "n0", 1_000, "aa");
    assert_eq!(tally.snapshot().delivered, Some(0.0));
    received(&mut tally, "n1", 2_000, "aa");
    tally.feed("n1", "garbage");
    let live = tally.snapshot();
    assert_eq!((live.nodes, live.unreadable), (2, 1));
    assert_eq!(live.delivered, Some(1.0));
    assert_eq!(live.p50_ms, Some(1.003));
}

#[test]
fn a_live_tally_never_counts_more_deliveries_than_are_due() {
    let mut tally = started(2);
    published(&mut tally, "n0", 1_000, "aa");
    for us in [2_000, 3_000, 4_000] {
        received(&mut tally, "n1", us, "aa");
    }
    assert_eq!(tally.snapshot().delivered, Some(1.0));
    assert_eq!(tally.snapshot().p99_ms, Some(1.003));
}

#[test]
fn a_live_tally_counts_a_transaction_once_that_two_nodes_introduce() {
    let mut tally = started(3);
    published(&mut tally, "n0", 1_000, "aa");
    published(&mut tally, "n1", 2_000, "aa");
    received(&mut tally, "n2", 3_000, "aa");
    let live = tally.snapshot();
    assert_eq!((live.published_tx, live.delivered), (1, Some(0.5)));
}

#[test]
fn a_live_tally_forgets_the_oldest_transaction_and_keeps_what_it_counted() {
    let mut tally = started(2);
    published(&mut tally, "n0", 1_000, "first");
    published(&mut tally, "n0", 1_000, "second");
    received(&mut tally, "n1", 2_000, "second");
    for other in 0..65_535 {
        published(&mut tally, "n0", 3_000, &format!("{other}"));
    }
    let before = tally.snapshot().delivered.expect("something is due");
    received(&mut tally, "n1", 4_000, "first");
    assert_eq!(tally.snapshot().delivered, Some(before));
    received(&mut tally, "n1", 4_000, "65534");
    assert!(tally.snapshot().delivered > Some(before));
}
