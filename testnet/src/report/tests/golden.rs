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
