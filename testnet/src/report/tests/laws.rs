//! What holds for all logs.

use hearsay_node::trace::event::Kind;
use proptest::prelude::*;

use super::*;

/// One thing that a random log holds.
#[derive(Clone, Debug)]
enum Line {
    Publish(usize, i64, u8),
    Receive(usize, i64, u8, usize),
    Duplicate(usize, i64, u8, usize),
    Accept(usize, i64, u8),
    Start(usize, i64),
    Tip(usize, i64, u8),
    Garbage(usize, i64),
}

const NODES: usize = 5;

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let node = || 0..NODES;
    let at = || 0..END;
    let id = || 0_u8..6;
    let line = prop_oneof![
        3 => (node(), at(), id()).prop_map(|(n, t, i)| Line::Publish(n, t, i)),
        9 => (node(), at(), id(), node()).prop_map(|(n, t, i, f)| Line::Receive(n, t, i, f)),
        5 => (node(), at(), id(), node()).prop_map(|(n, t, i, f)| Line::Duplicate(n, t, i, f)),
        5 => (node(), at(), id()).prop_map(|(n, t, i)| Line::Accept(n, t, i)),
        1 => (node(), at()).prop_map(|(n, t)| Line::Start(n, t)),
        3 => (node(), at(), id()).prop_map(|(n, t, i)| Line::Tip(n, t, i)),
        1 => (node(), at()).prop_map(|(n, t)| Line::Garbage(n, t)),
    ];
    proptest::collection::vec(line, 0..80)
}

fn lab(lines: &[Line]) -> Lab {
    let mut lab = Lab::new(NODES);
    let name = |node: usize| format!("n{node}");
    for line in lines {
        for kind in [Kind::Tx, Kind::Block] {
            match *line {
                Line::Publish(n, t, i) => lab.publish(&name(n), t, kind, i),
                Line::Receive(n, t, i, f) => lab.receive(&name(n), t, kind, i, &name(f)),
                Line::Duplicate(n, t, i, f) => lab.duplicate(&name(n), t, kind, i, &name(f)),
                Line::Accept(n, t, i) => lab.accept(&name(n), t, kind, i, 5, 7),
                Line::Start(n, t) => lab.start(&name(n), t),
                Line::Tip(n, t, i) => lab.tip(&name(n), t, i, i.into(), i / 2, u64::from(i % 2)),
                Line::Garbage(n, t) => lab.raw(&name(n), t, "garbage\n"),
            };
        }
    }
    lab
}

fn is_share(figure: Option<f64>) -> bool {
    figure.is_none_or(|share| (0.0..=1.0).contains(&share))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_log_breaks_the_report_and_shares_stay_between_0_and_1(lines in lines()) {
        let report = lab(&lines).report();
        for spread in [&report.tx.spread, &report.block.spread] {
            prop_assert!(is_share(spread.coverage));
            prop_assert!(spread.delivered <= spread.expected);
            prop_assert!(spread.copies_per_node.is_none_or(|copies| copies >= 1.0));
            prop_assert!(spread.first_by.iter().all(|by| is_share(by.share)));
            let first: u64 = spread.first_by.iter().map(|by| by.count).sum();
            prop_assert_eq!(first, spread.delivered);
            let first: u64 = spread.copies.iter().map(|row| row.first).sum();
            prop_assert_eq!(first, spread.delivered);
            let latency = spread.latency_ms;
            prop_assert!(latency.p50 <= latency.p90 && latency.p99 <= latency.max);
            prop_assert!(latency.max.is_none_or(|max| (0.0..=10_000.0).contains(&max)));
            prop_assert_eq!(spread.slowest.as_ref().map(|slowest| slowest.ms), latency.max);
        }
        prop_assert!(is_share(report.block.forks.stale_rate));
        let text = report.to_text();
        prop_assert!(!text.contains("NaN") && !text.contains("inf"));
    }

    #[test]
    fn the_order_in_which_the_logs_are_read_makes_no_difference(
        lines in lines(),
        order in Just((0..NODES).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let lab = lab(&lines);
        prop_assert_eq!(lab.report_in_order(|node| order[node]), lab.report());
    }

    #[test]
    fn the_parts_of_a_way_add_up_to_the_whole_unless_the_logs_contradict_each_other(
        delays in proptest::collection::vec((1_i64..50_000, 0_u64..3_000, 0_u64..3_000), 1..8),
    ) {
        let mut lab = Lab::new(delays.len() + 1);
        let mut at = 1_000_000;
        lab.publish("n0", at, Kind::Tx, 1);
        for (hop, &(network, queue, check)) in delays.iter().enumerate() {
            let (from, to) = (format!("n{hop}"), format!("n{}", hop + 1));
            at += network;
            lab.receive(&to, at, Kind::Tx, 1, &from);
            at += i64::try_from(queue + check).expect("small");
            lab.accept(&to, at, Kind::Tx, 1, queue, check);
        }
        let slowest = lab.report().tx.spread.slowest.expect("a delivery");
        let journey = slowest.journey.expect("a way");
        let sum: f64 = journey.steps.iter().map(|step| step.ms * 1_000.0).sum();
        prop_assert!((sum - slowest.ms * 1_000.0).abs() < 0.5);
        prop_assert!(!journey.clamped);
        prop_assert_eq!(journey.path.len(), delays.len() + 1);
    }
}
