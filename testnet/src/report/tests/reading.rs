//! Logs as they are found on disk: torn, odd, or of a newer program; and what is written back.

use std::fs;

use hearsay_node::trace::event::{Event, Kind};
use serde_json::Value;

use super::*;
use crate::report::testing::line as line_of;

#[test]
fn a_truncated_last_line_is_tolerated_and_counted() {
    let mut lab = super::spreading::line();
    lab.raw("n4", END + 1, r#"{"t":"2026-01-01T00:00:10.000001Z","mono_us":100000"#);
    let report = lab.report();
    assert!(report.valid);
    assert_eq!((report.logs.truncated, report.logs.unreadable), (1, 0));
    assert_eq!(report.tx.spread.coverage, Some(1.0));
}

#[test]
fn a_restart_behind_a_torn_line_is_still_a_restart() {
    let mut lab = Lab::new(2);
    lab.start("n2", 0).raw("n2", 2_000_000, r#"{"t":"2026-01-01T00:00:02.0000"#);
    lab.start("n2", 3_000_000).stop("n2", END);
    let report = lab.report();
    assert!(report.valid, "{:?}", report.invalid_reasons);
    assert_eq!((report.logs.truncated, report.logs.restarts), (1, 1));
}

#[test]
fn a_torn_line_that_the_next_process_ended_is_tolerated_but_only_right_before_its_start() {
    let mut lab = Lab::new(2);
    lab.start("n2", 0).raw("n2", 2_000_000, "{\"t\":\"2026-01-01T00:00:02.0000\n");
    lab.start("n2", 3_000_000).stop("n2", END);
    let report = lab.report();
    assert!(report.valid, "{:?}", report.invalid_reasons);
    assert_eq!((report.logs.truncated, report.logs.unreadable), (1, 0));
    lab.wire("n2", 2_500_000, 1);
    let report = lab.report();
    assert_eq!((report.logs.truncated, report.logs.unreadable), (0, 1));
}

#[test]
fn a_garbage_line_elsewhere_is_counted_and_makes_the_report_not_valid() {
    let mut lab = super::spreading::line();
    lab.raw("n3", 5_000_000, "garbage\n").raw("n3", 5_000_001, "\n");
    let report = lab.report();
    assert_eq!(report.logs.unreadable, 1);
    assert_eq!(report.invalid_reasons, ["n3: 1 unreadable line"]);
    assert_eq!(report.tx.spread.coverage, Some(1.0));
}

#[test]
fn lines_of_a_newer_program_are_skipped_and_counted() {
    let mut lab = super::spreading::line();
    let newer =
        r#"{"t":"2026-01-01T00:00:05.000000Z","mono_us":5000000,"node":"n1","event":"eclipse"}"#;
    lab.raw("n1", 5_000_000, &format!("{newer}\n"));
    let report = lab.report();
    assert!(report.valid);
    assert_eq!((report.logs.unknown, report.logs.unreadable), (1, 0));
}

#[test]
fn a_log_without_a_start_line_or_with_a_stepping_clock_is_not_valid() {
    let mut lab = Lab::new(1);
    lab.add("n1").wire("n1", 0, 0).stop("n1", END);
    for step in 0..20 {
        let event =
            Event::Wire { sent: 0, received: 0, members_sent: None, members_received: None };
        let mono_us = if step < 10 { step } else { step + 700_000 };
        let line = line_of("n0", step as i64, mono_us, event);
        lab.raw("n0", step as i64, &format!("{line}\n"));
    }
    lab.kill("n0", END);
    let reasons = lab.report().invalid_reasons;
    assert_eq!(
        reasons,
        ["n0: its wall clock stepped while it ran", "n1: its log does not begin with a start line"]
    );
}

#[test]
fn two_nodes_of_one_peer_id_or_of_two_genesis_blocks_are_not_valid() {
    let start = |genesis, schema| Event::Start {
        schema,
        peer: peer("same"),
        genesis: id(genesis),
        version: "0.1.0".to_owned(),
        dilation: 1,
    };
    let mut lab = Lab::default();
    lab.event("n0", 0, start(0, 1)).stop("n0", END);
    lab.event("n1", 0, start(1, 9)).stop("n1", END);
    assert_eq!(
        lab.report().invalid_reasons,
        [
            "n0 and n1 both call themselves 12D3KooWsame".to_owned(),
            "n1 writes schema 9; this program reads 1".to_owned(),
            "not all nodes have the same genesis: compare n0, n1".to_owned(),
        ]
    );
}

#[test]
fn reading_from_disk_gives_what_joining_in_memory_gives() {
    let mut lab = super::spreading::line();
    lab.measure(1_000_000, 9_000_000);
    let dir = lab.write();
    let mut read = build(dir.path()).expect("logs");
    assert_eq!(read.dir, dir.path());
    read.dir = PathBuf::new();
    assert_eq!(read, lab.report());
    assert_eq!((read.scenario.as_deref(), read.seed), (Some("hand"), Some(7)));
}

#[test]
fn the_written_report_holds_the_fields_that_other_programs_read() {
    let lab = super::spreading::line();
    let dir = lab.write();
    let report = build(dir.path()).expect("logs");
    write(dir.path(), &report).expect("a writable folder");
    let json = fs::read(dir.path().join("report.json")).expect("report.json");
    let json: Value = serde_json::from_slice(&json).expect("JSON");
    let keys: Vec<_> = json.as_object().expect("an object").keys().collect();
    assert_eq!(keys[..4], ["schema", "scenario", "seed", "nodes"]);
    assert_eq!(json["schema"], 1);
    assert_eq!(json["measured"], true);
    for kind in ["tx", "block"] {
        for field in ["published", "coverage", "copies_per_node", "wire_ratio", "stretch"] {
            assert!(json[kind].get(field).is_some(), "{kind}.{field}");
        }
        for field in ["p50", "p90", "p95", "p99", "max"] {
            assert!(json[kind]["latency_ms"].get(field).is_some(), "{field}");
        }
        for field in ["50", "75", "90", "95", "99", "100"] {
            assert!(json[kind]["to_share_ms"][field].get("p99").is_some(), "{field}");
        }
    }
    for field in ["rebuilt_share", "compact_ratio", "stale", "max_reorg"] {
        assert!(json["block"].get(field).is_some(), "{field}");
    }
    for field in ["height", "final", "same_tip"] {
        assert!(json["chain"].get(field).is_some(), "{field}");
    }
    assert_eq!(json["tx"]["latency_ms"]["p50"], 23.0);
    assert_eq!(json["block"]["latency_ms"]["p50"], Value::Null);
    assert_eq!(json["asserts"], Value::Array(Vec::new()));
    let back: Report = serde_json::from_value(json).expect("it reads back");
    assert_eq!(back.tx, report.tx);
}

#[test]
fn the_text_is_a_screenful_and_names_the_slowest_delivery_and_why() {
    let mut lab = super::spreading::line();
    lab.publish("n0", 3_000_000, Kind::Block, 0xbb);
    lab.receive("n2", 3_000_500, Kind::Block, 0xbb, "n0");
    for broken in 0..9 {
        lab.raw("n3", 5_000_000 + broken, "garbage\n");
        lab.add(&format!("empty{broken}"));
    }
    let mut report = lab.report();
    report.dir = "out/a-folder-with-a-rather-long-name".into();
    let assert = |name: &str, ok| Assert { name: name.to_owned(), ok, ..Assert::default() };
    report.asserts = vec![assert("coverage", true), assert("tx.latency_ms.p99", false)];
    let text = report.to_text();
    assert!(text.lines().count() <= 40, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let unfolded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "NOT VALID",
        "1 of 2 assertions FAILED: tx.latency_ms.p99",
        "measured over",
        "loopback, unshaped",
        "one machine's clock",
        "slowest tx aaaaaaaaaaaaaaaa: last at n4, 49.000 ms after n0 published it",
        "82 % of it was network time over 4 hops; the largest single part, 20 %",
        "path n0 → n1 → n2 → n3 → n4",
        "hearsay-testnet where aaaaaaaaaaaaaaaa --in out/a-folder-with-a-rather-long-name",
        "slowest block bbbbbbbbbbbbbbbb: last at n2, 0.500 ms",
    ] {
        assert!(unfolded.contains(part), "{part:?} is not in\n{text}");
    }
}
