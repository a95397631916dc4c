//! Comparisons of pools, added up by hand.

use hearsay_node::trace::event::Event;

use super::*;

const S: i64 = 1_000_000;

fn round(strategy: &str, [theirs, ours, symbols, bytes, gained, given]: [u64; 6]) -> Event {
    Event::Reconciled {
        peer: peer("n1"),
        strategy: strategy.to_owned(),
        size: 100,
        theirs,
        ours,
        symbols,
        bytes,
        took_us: 1_000 * symbols,
        gained,
        given,
    }
}

#[test]
fn comparisons_within_the_window_are_added_up_by_strategy() {
    let mut lab = Lab::new(3);
    lab.measure(2 * S, 5 * S);
    lab.event("n0", S, round("weighted", [9, 9, 90, 9_000, 9, 9]));
    lab.event("n0", 2 * S, round("weighted", [0, 0, 4, 117, 0, 0]));
    lab.event("n0", 3 * S, round("weighted", [3, 2, 20, 600, 2, 1]));
    lab.event("n1", 4 * S, round("random", [0, 7, 20, 500, 0, 7]));
    lab.event("n2", 6 * S, round("random", [1, 0, 4, 150, 1, 0]));
    let report = lab.report();
    let found = &report.reconciliation;
    let pair = |p50, p99| Pair { p50: Some(p50), p99: Some(p99) };
    let all = Rounds {
        rounds: 3,
        different: 2,
        symbols: 44,
        bytes: 1_217,
        gained: 2,
        given: 8,
        took_ms: pair(20.0, 20.0),
    };
    assert_eq!(found.all, all);
    let random = Rounds {
        rounds: 1,
        different: 1,
        symbols: 20,
        bytes: 500,
        gained: 0,
        given: 7,
        took_ms: pair(20.0, 20.0),
    };
    let weighted = Rounds {
        rounds: 2,
        different: 1,
        symbols: 24,
        bytes: 717,
        gained: 2,
        given: 1,
        took_ms: pair(4.0, 20.0),
    };
    let rows: Vec<_> = found.by_strategy.iter().map(|row| (&*row.strategy, row.rounds)).collect();
    assert_eq!(rows, [("random", random), ("weighted", weighted)]);
    let text = report.to_text();
    for line in [
        "reconciliation (random): 1 rounds, 1 with a difference, 0 gained, 7 given, 500 B, p50 20 ms",
        "reconciliation (weighted): 2 rounds, 1 with a difference, 2 gained, 1 given, 717 B, p50 4 ms",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn where_nothing_was_compared_nothing_is_said() {
    let report = Lab::new(2).report();
    assert_eq!(report.reconciliation, Reconciliation::default());
    assert!(!report.to_text().contains("reconciliation"));
}
