use serde_json::json;

use super::super::Scenario;
use super::*;

fn asserts(lines: &str) -> Asserts {
    let text = format!("name = \"t\"\nduration = \"9s\"\n[nodes]\ncount = 2\n[assert]\n{lines}");
    Scenario::parse(&text, "t.toml").unwrap_or_else(|problems| panic!("{problems:#?}")).asserts
}

fn outcome(line: &str, report: &Json) -> Outcome {
    let mut outcomes = asserts(line).evaluate(report);
    assert_eq!(outcomes.len(), 1, "{line}");
    outcomes.remove(0)
}

#[test]
fn every_comparison_holds_where_it_should_and_nowhere_else() {
    let report = |p99: f64| json!({"tx": {"latency_ms": {"p99": p99}}});
    for (asked, holds, fails) in [
        ("\"< 800\"", 799.9, 800.0),
        ("\"<= 800\"", 800.0, 800.1),
        ("\"> 800\"", 800.1, 800.0),
        ("\">= 800\"", 800.0, 799.9),
        ("\"= 800\"", 800.0, 800.1),
        ("800", 800.0, 799.0),
        ("0.3", 0.1 + 0.2, 0.300_001),
        ("\"100..800\"", 100.0, 99.9),
        ("\"100..800\"", 800.0, 800.1),
        ("\"-1_0..1e3\"", -10.0, -11.0),
    ] {
        let line = format!("\"tx.latency_ms.p99\" = {asked}");
        assert!(outcome(&line, &report(holds)).ok, "{line} of {holds}");
        assert!(!outcome(&line, &report(fails)).ok, "{line} of {fails}");
    }
}

#[test]
fn true_and_false_are_compared_as_they_are() {
    let report = json!({"valid": true, "chain": {"same_tip": false}});
    assert!(outcome("valid = true", &report).ok);
    assert!(!outcome("valid = false", &report).ok);
    assert!(outcome("chain.same_tip = false", &report).ok);
}

#[test]
fn coverage_alone_means_that_of_both_kinds() {
    let report = json!({"tx": {"coverage": 1.0}, "block": {"coverage": 0.5}});
    let outcomes = asserts("coverage = 1").evaluate(&report);
    let found: Vec<_> = outcomes.iter().map(|o| (o.name.as_str(), o.ok)).collect();
    assert_eq!(found, [("tx.coverage = 1", true), ("block.coverage = 1", false)]);
}

#[test]
fn what_failed_says_what_was_found_instead() {
    let line = "\"tx.latency_ms.p99\" = \"< 800\"";
    let told = |report: Json| outcome(line, &report).to_string();
    let latency = |p99: Json| json!({"tx": {"latency_ms": {"p99": p99}}});
    assert_eq!(told(latency(json!(913.25))), "tx.latency_ms.p99 < 800, but it is 913.25");
    assert_eq!(told(latency(json!(7))), "tx.latency_ms.p99 < 800");
    assert_eq!(told(latency(json!(null))), "tx.latency_ms.p99 < 800, but the report cannot tell");
    assert_eq!(told(json!({})), "tx.latency_ms.p99 < 800, but the report has no such field");
    let assertion = asserts(line).list.remove(0);
    let assert = assertion.told(outcome(line, &latency(json!(913.25))));
    assert_eq!((assert.name.as_str(), assert.ok), ("tx.latency_ms.p99", false));
    assert_eq!(assert.wanted.as_deref(), Some("< 800"));
    assert_eq!(assert.found.as_deref(), Some("913.25"));
}

#[test]
fn a_field_may_be_one_key_or_tables_in_tables() {
    let quoted = asserts("\"tx.to_share_ms.50.p99\" = \"< 9\"\n\"block.stale\" = 0\n");
    assert_eq!(asserts("tx.to_share_ms.50.p99 = \"< 9\"\nblock.stale = 0\n"), quoted);
    assert_eq!(quoted.list.len(), 2);
}

#[test]
fn a_slip_in_a_field_is_told_however_deep_it_is() {
    let told = |field: &str| {
        let text = format!(
            "name = \"t\"\nduration = \"9s\"\n[nodes]\ncount = 2\n[assert]\n\"{field}\" = 1\n"
        );
        let problems = Scenario::parse(&text, "t.toml").err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    for field in [
        "calibration.worst_rtt_eror_ms",
        "calibration.links.ok",
        "shape.jiter",
        "load.takn",
        "tx.slowest.mss",
        "tx.slowest.journey.totl_ms",
        "tx.latency_ms.p99.x",
    ] {
        assert!(told(field).contains(&format!("the report has no field `{field}`")), "{field}");
    }
    assert!(told("calibration.worst_rtt_eror_ms").contains("`calibration.worst_rtt_error_ms`"));
    assert!(told("load.refused").contains("`load.refused` is a list"), "{}", told("load.refused"));
    assert!(told("mode").contains("is text"), "{}", told("mode"));
    let fields = ["calibration.worst_rtt_error_ms", "load.taken", "tx.slowest.ms", "lag.p99_us"];
    for field in fields {
        assert_eq!(told(field), "");
    }
}
