//! The main job: a testnet runs, is measured, and leaves nothing behind.

use std::path::Path;
use std::process::{Command, Stdio};

use hearsay_tests::{program, run, stdout, wait_for};
use serde_json::Value;

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The process ids of a testnet's nodes that still run as `hearsay`.
fn left_running(dir: &Path) -> Vec<u64> {
    let manifest = json(&dir.join("testnet.json"));
    let pids = manifest["nodes"].as_array().unwrap().iter().filter_map(|node| node["pid"].as_u64());
    pids.filter(|pid| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        name.trim() == "hearsay"
    })
    .collect()
}

#[test]
fn eight_loaded_nodes_deliver_everything_and_end_on_one_tip() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let args = ["local", "--nodes", "8", "--rate", "50", "--duration", "4s", "--slot", "500ms"];
    let output = run("hearsay-testnet", args.into_iter().chain(["--out", out.to_str().unwrap()]));
    let text = stdout(&output);
    let report = json(&out.join("report.json"));
    assert_eq!(report["valid"], true, "{}", report["invalid_reasons"]);
    assert_eq!(report["tx"]["published"], 200);
    assert_eq!(report["tx"]["coverage"], 1.0);
    assert_eq!(report["block"]["coverage"], 1.0);
    assert_eq!(report["chain"]["same_tip"], true);
    assert_eq!(report["tx"]["never_included"], 0, "{text}");
    assert!(report["tx"]["copies_per_node"].as_f64().unwrap() >= 1.0);
    assert!(report["tx"]["wire_ratio"].as_f64().unwrap() > 1.0);
    assert_eq!(left_running(&out), Vec::<u64>::new());

    let again = run("hearsay-testnet", ["report", out.to_str().unwrap(), "--json"]);
    let again: Value = serde_json::from_str(&stdout(&again)).unwrap();
    assert_eq!(again, report, "the logs alone give the same report");

    let id = report["tx"]["slowest"]["id"].as_str().unwrap();
    let last = report["tx"]["slowest"]["node"].as_str().unwrap();
    let tree = run("hearsay-testnet", ["where", &id[..16], "--in", out.to_str().unwrap()]);
    let tree = stdout(&tree);
    assert!(tree.contains(&format!("last: {last} after")), "{tree}");
    assert!(tree.contains("why:"), "{tree}");
}

#[test]
fn nodes_do_not_outlive_a_launcher_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let mut launcher = Command::new(program("hearsay-testnet"))
        .args(["local", "--nodes", "3", "--duration", "5m", "--out"])
        .arg(&out)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("three nodes", || {
        let manifest = std::fs::read_to_string(out.join("testnet.json")).ok()?;
        let manifest: Value = serde_json::from_str(&manifest).ok()?;
        let started = manifest["nodes"].as_array()?.iter().all(|node| node["pid"].is_u64());
        (started && left_running(&out).len() == 3).then_some(())
    });
    launcher.kill().unwrap();
    launcher.wait().unwrap();
    wait_for("the nodes to end", || left_running(&out).is_empty().then_some(()));
    for node in 0..3 {
        let log = std::fs::read_to_string(out.join(format!("n{node}/events.jsonl"))).unwrap();
        let last: Value = serde_json::from_str(log.lines().next_back().unwrap()).unwrap();
        assert_eq!(last["event"], "stop", "node {node} wrote its log to the end");
    }
}
