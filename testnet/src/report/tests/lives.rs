//! Who is expected: windows, restarts, kills and late starts.

use hearsay_node::trace::event::Kind::Tx;

use super::*;

#[test]
fn without_a_manifest_the_window_is_from_the_last_start_to_a_second_before_the_first_silence() {
    let mut lab = Lab::new(2);
    lab.start("n2", 400_000).stop("n2", END - 250_000);
    let window = lab.report().window;
    let at = |us| testing::EPOCH_US + us;
    assert_eq!(window.from_us, at(400_000));
    assert_eq!(window.until_us, at(END - 1_250_000));
    assert!(window.derived);
}

#[test]
fn a_node_that_fell_silent_three_seconds_before_the_end_still_bounds_the_derived_window() {
    let mut lab = Lab::new(2);
    lab.start("n2", 0).wire("n2", END - 3_000_000, 1);
    let until = |lab: &Lab| lab.report().window.until_us - testing::EPOCH_US;
    assert_eq!(until(&lab), END - 4_000_000);
    lab.start("n3", 0).wire("n3", END - 3_000_001, 1);
    assert_eq!(until(&lab), END - 4_000_000);
}

#[test]
fn a_message_counts_from_the_first_instant_of_the_window_to_before_its_last() {
    let mut lab = Lab::new(2);
    lab.measure(1_000_000, 2_000_000);
    for (byte, us) in [(1, 999_999), (2, 1_000_000), (3, 1_999_999), (4, 2_000_000)] {
        lab.publish("n0", us, Tx, byte);
        lab.receive("n1", us + i64::from(byte) * 1_000, Tx, byte, "n0");
    }
    let report = lab.report();
    assert!(!report.window.derived);
    assert_eq!(report.tx.spread.published, 2);
    assert_eq!(report.tx.spread.latency_ms.p50, Some(2.0));
    // The one that came after the window's end counts all the same.
    assert_eq!(report.tx.spread.latency_ms.max, Some(3.0));
}

#[test]
fn a_node_started_late_is_not_expected_to_have_what_was_published_before() {
    let mut lab = Lab::new(2);
    lab.start("n2", 3_000_000).stop("n2", END);
    lab.measure(1_000_000, 8_000_000);
    lab.publish("n0", 2_000_000, Tx, 1).receive("n1", 2_001_000, Tx, 1, "n0");
    lab.receive("n2", 3_500_000, Tx, 1, "n0");
    lab.publish("n0", 4_000_000, Tx, 2).receive("n1", 4_001_000, Tx, 2, "n0");
    lab.receive("n2", 4_002_000, Tx, 2, "n0");
    let tx = lab.report().tx.spread;
    assert_eq!((tx.expected, tx.delivered), (3, 3));
    // Its copy of the first one counts nowhere.
    assert_eq!(tx.copies_per_node, Some(1.0));
    assert_eq!(tx.latency_ms.max, Some(2.0));
}

#[test]
fn a_node_that_restarts_is_expected_only_after_its_last_start() {
    let mut lab = Lab::new(2);
    lab.start("n2", 0);
    // Killed after 2.5 s, back at 3 s.
    lab.wire("n2", 2_500_000, 1).start("n2", 3_000_000).stop("n2", END);
    lab.measure(1_000_000, 8_000_000);
    lab.publish("n0", 2_000_000, Tx, 1).receive("n1", 2_001_000, Tx, 1, "n0");
    lab.publish("n0", 4_000_000, Tx, 2).receive("n1", 4_001_000, Tx, 2, "n0");
    let report = lab.report();
    assert_eq!((report.tx.spread.expected, report.tx.spread.delivered), (3, 2));
    assert_eq!((report.logs.restarts, report.logs.killed), (1, 1));
    assert!(report.valid, "{:?}", report.invalid_reasons);
}

#[test]
fn a_node_silent_for_more_than_three_seconds_was_killed_and_one_silent_for_less_was_not() {
    let killed_at = |silence| {
        let mut lab = Lab::new(2);
        lab.start("n2", 0).wire("n2", END - silence, 9);
        lab.measure(1_000_000, END - 1_000_000);
        lab.publish("n0", 2_000_000, Tx, 1).receive("n1", 2_001_000, Tx, 1, "n0");
        lab.report()
    };
    let gone = killed_at(3_000_001);
    assert_eq!((gone.logs.killed, gone.tx.spread.expected), (1, 1));
    let quiet = killed_at(3_000_000);
    assert_eq!((quiet.logs.killed, quiet.tx.spread.expected), (0, 2));
    assert_eq!(quiet.tx.spread.coverage, Some(0.5));
}

#[test]
fn a_node_killed_after_the_window_is_expected() {
    let mut lab = Lab::new(3);
    lab.kill("n2", 7_000_000).wire("n2", 6_000_000, 1);
    lab.measure(1_000_000, 5_000_000);
    lab.publish("n0", 2_000_000, Tx, 1).receive("n1", 2_001_000, Tx, 1, "n0");
    let report = lab.report();
    assert_eq!(report.logs.killed, 1);
    assert_eq!(report.tx.spread.expected, 2);
}

/// n2's last line is at 8.5 s, 1.5 s before the logs end; `more` is the manifest beyond the window.
fn silent(more: &str) -> Report {
    let mut lab = Lab::new(2);
    lab.start("n2", 0).wire("n2", END - 1_500_000, 1);
    lab.publish("n0", 2_000_000, Tx, 1).receive("n1", 2_001_000, Tx, 1, "n0");
    let (from, until) = (testing::EPOCH_US + 1_000_000, testing::EPOCH_US + 9_000_000);
    lab.manifest(&format!(r#"{{"measure":{{"from_us":{from},"until_us":{until}}},{more}}}"#));
    lab.report()
}

fn action(what: &str, us: i64) -> String {
    let at = testing::EPOCH_US + us;
    format!(r#""actions":[{{"at_us":{at},"what":"{what}","nodes":["n2"]}}]"#)
}

#[test]
fn a_node_killed_shortly_before_the_end_is_dead_because_the_manifest_says_so() {
    let of = |more: &str| {
        let report = silent(more);
        let life = report.per_node[2].lives[0].clone();
        assert!(report.valid, "{:?}", report.invalid_reasons);
        (report.tx.spread.expected, report.logs.killed, life.until_us - testing::EPOCH_US)
    };
    let alive = (2, 0, 8_500_000);
    assert_eq!(of(r#""nodes":[]"#), alive);
    assert_eq!(of(&action("kill n2", 8_600_000)), (1, 1, 8_600_000));
    let died = format!(
        r#""nodes":[{{"name":"n2","died":{{"at_us":{},"status":"signal: 9"}}}}]"#,
        testing::EPOCH_US + 8_700_000
    );
    assert_eq!(of(&died), (1, 1, 8_700_000));
    // Noted within 100 ms of the last line; what wrote a line after that lived on.
    assert_eq!(of(&action("kill n2", 8_400_000)), (1, 1, 8_500_000));
    assert_eq!(of(&action("kill n2", 8_399_999)), alive);
    // Another action, and a death before it was born.
    assert_eq!(of(&action("slow n2", 8_600_000)), alive);
    assert_eq!(of(&action("kill n2", 0)), alive);
}

#[test]
fn a_kill_ends_the_life_that_it_fell_into_and_not_the_one_after_nor_one_that_stopped() {
    let mut lab = Lab::new(2);
    lab.start("n2", 0).wire("n2", 2_500_000, 1).start("n2", 3_000_000).stop("n2", END);
    lab.manifest(&format!("{{{}}}", action("kill n2", 2_600_000)));
    let report = lab.report();
    let ends = report.per_node[2].lives.iter().map(|life| (life.until_us, life.killed));
    let at = |us| testing::EPOCH_US + us;
    assert_eq!(ends.collect::<Vec<_>>(), [(at(2_600_000), true), (at(END), false)]);
    lab.manifest(&format!("{{{}}}", action("kill n2", END + 1)));
    assert!(!lab.report().per_node[2].lives[1].killed);
}

#[test]
fn when_nothing_was_expected_the_figures_are_absent() {
    let mut lab = Lab::new(1);
    lab.publish("n0", 2_000_000, Tx, 1);
    let report = lab.report();
    let tx = &report.tx.spread;
    assert_eq!((tx.published, tx.expected), (1, 0));
    assert_eq!((tx.coverage, tx.copies_per_node), (None, None));
    assert_eq!(tx.latency_ms, Summary::default());
    assert_eq!(tx.to_share_ms.all, Share::default());
    assert_eq!(report.chain, Chain::default());
}

#[test]
fn a_message_that_no_node_published_does_not_count_and_is_told() {
    let mut lab = Lab::new(2);
    lab.receive("n1", 2_000_000, Tx, 1, "elsewhere");
    let report = lab.report();
    assert_eq!(report.tx.spread.published, 0);
    assert_eq!(report.logs.unpublished, 1);
}

#[test]
fn a_window_during_which_nobody_was_left_is_not_valid() {
    let mut lab = Lab::new(2);
    lab.measure(1_000_000, END + 1);
    let report = lab.report();
    assert!(!report.valid);
    assert_eq!(report.invalid_reasons, ["no node was running at the end of the measured window"]);
}

#[test]
fn logs_too_short_for_a_window_are_not_valid() {
    let mut lab = Lab::default();
    lab.start("n0", 0).stop("n0", 900_000);
    let report = lab.report();
    assert_eq!(
        report.invalid_reasons,
        ["the measured window is empty: the logs are too short for one"]
    );
}
