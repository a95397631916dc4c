//! A whole report: a folder written by hand, and every byte of the `report.json` that it gives.

use std::fs;
use std::path::Path;

use super::*;

#[test]
fn the_folder_written_by_hand_gives_the_report_that_was_worked_out_by_hand() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/tests/golden");
    let report = build(&golden).expect("logs");
    let mut json = serde_json::to_string_pretty(&report).expect("it serialises");
    json.push('\n');
    let expected = fs::read_to_string(golden.join("report.json")).unwrap_or_default();
    if json != expected {
        let found = std::env::temp_dir().join("hearsay-golden-report.json");
        fs::write(&found, &json).expect("a temporary file");
        panic!("the report is not the expected one: compare {} with it", found.display());
    }
}

#[test]
fn its_text_is_a_screenful_that_tells_of_links_lag_stretch_and_what_failed() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/tests/golden");
    let mut report = build(&golden).expect("logs");
    report.dir = "out".into();
    report.asserts = vec![Assert {
        name: "tx.latency_ms.p99".to_owned(),
        ok: false,
        wanted: Some("< 5".to_owned()),
        found: Some("51".to_owned()),
    }];
    let text = report.to_text();
    assert!(text.lines().count() <= 40, "{text}");
    let unfolded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "golden, seed 7: 3 nodes, valid",
        "modelled links: three-cities, jitter 5 %, start-up window",
        "2 links probed, off by at most 0.30 ms and 2.0 % of the rate; scheduler lag p99 0.6 ms (limit 20)",
        "1 of 1 assertions FAILED: tx.latency_ms.p99 < 5 (is 51)",
        "stretch p50/p99: tx 1.00/1.02 over connections, 1.00/1.13 over all; \
         block 1.00/1.04 over connections, 1.00/1.16 over all",
        "check 0.400/1.000, store 0.800/0.900",
    ] {
        assert!(unfolded.contains(part), "{part:?} is not in\n{text}");
    }
}
