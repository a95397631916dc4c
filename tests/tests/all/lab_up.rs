//! A testnet that stays up, and is talked to.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use hearsay_tests::{program, run, stdout, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

struct Up {
    home: tempfile::TempDir,
}

impl Up {
    /// Starts a testnet, from within a process that is gone afterwards.
    fn start(flags: &[&str]) -> Self {
        let up = Self { home: tempfile::tempdir().unwrap() };
        up.up(flags);
        up
    }

    fn up(&self, flags: &[&str]) {
        let out = self.out();
        let words = ["up"].iter().chain(flags).copied().chain(["--out", out.to_str().unwrap()]);
        let _ = stdout(&run("hearsay-testnet", words));
    }

    fn out(&self) -> PathBuf {
        self.home.path().join("net")
    }

    /// Says something to it that it must do.
    fn say(&self, words: &[&str]) -> String {
        let output = self.try_say(words);
        stdout(&output) + &String::from_utf8_lossy(&output.stderr)
    }

    fn try_say(&self, words: &[&str]) -> std::process::Output {
        let out = self.out();
        run("hearsay-testnet", words.iter().copied().chain(["--out", out.to_str().unwrap()]))
    }

    fn status(&self) -> Vec<Value> {
        let status: Value =
            serde_json::from_str(&stdout(&self.try_say(&["status", "--json"]))).unwrap();
        status["nodes"].as_array().unwrap().clone()
    }

    fn wait_until(&self, what: &str, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        wait_for(what, || {
            let nodes = self.status();
            is_so(&nodes).then_some(nodes)
        })
    }

    fn heights(&self) -> Vec<u64> {
        self.status().iter().filter_map(|node| node["height"].as_u64()).collect()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // A test that failed half-way leaves nothing behind either.
        self.try_say(&["down"]);
    }
}

/// The processes whose command line names a folder.
fn processes_of(dir: &Path) -> Vec<i32> {
    let dir = dir.to_str().unwrap();
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(dir)
        })
        .collect()
}

#[test]
fn a_testnet_outlives_its_terminal_does_what_it_is_told_and_comes_back_with_its_chain() {
    let up = Up::start(&["--nodes", "4", "--slot", "300ms"]);
    let nodes = up.wait_until("blocks and a measured lag everywhere", |nodes| {
        let blocks = |node: &Value| node["height"].as_u64() >= Some(2) && node["peers"] == 3;
        nodes.iter().all(|node| blocks(node) && node["lag_ms"].is_number())
    });
    assert_eq!(nodes.len(), 4);
    assert!(nodes.iter().all(|node| node["state"] == "up"));

    up.say(&["load", "--rate", "50", "--duration", "1s"]);
    let id = wait_for("an included transaction", || {
        let lines = up.say(&["logs", "--event", "included", "--node", "n3"]);
        let line: Value = serde_json::from_str(lines.lines().next()?).ok()?;
        Some(line["id"].as_str()?.to_owned())
    });
    let tree = up.say(&["where", &id]);
    assert!(tree.contains("included in block"), "{tree}");

    up.say(&["kill", "n3"]);
    assert_eq!(up.status()[3]["state"], "down");
    let refused = up.try_say(&["kill", "n3"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("n3 is down"));
    up.say(&["restart", "n3"]);
    up.wait_until("n3 among the others", |nodes| nodes[3]["peers"] == 3);

    up.say(&["pause", "n1"]);
    assert_eq!(up.status()[1]["state"], "paused");
    up.say(&["resume", "n1"]);
    up.wait_until("n1 to go on", |nodes| nodes[1]["state"] == "up" && nodes[1]["height"].is_u64());

    up.say(&["starve", "n1", "--share", "0.5"]);
    up.say(&["starve", "n1", "--share", "1"]);
    up.say(&["leave", "n2"]);
    up.wait_until("n2 to be gone", |nodes| nodes[2]["state"] == "down" && nodes[0]["peers"] == 2);
    up.say(&["start", "n2"]);
    up.wait_until("n2 among the others", |nodes| nodes[2]["peers"] == 3);

    let wrong = up.try_say(&["cut", "n9"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("n9"));

    let before = up.heights().into_iter().min().unwrap();
    up.say(&["down"]);
    assert!(processes_of(&up.out()).is_empty());
    assert!(up.try_say(&["status"]).status.code() == Some(1));
    let report = std::fs::read_to_string(up.out().join("report.html")).unwrap();
    assert!(report.contains("</html>"));

    up.up(&[]);
    assert!(up.heights().iter().all(|height| *height >= before), "{:?} {before}", up.heights());
    up.wait_until("it to go on", |nodes| nodes[0]["height"].as_u64() > Some(before));
    up.say(&["down"]);
    assert!(processes_of(&up.out()).is_empty());
}

#[test]
fn a_cut_splits_the_chain_and_healing_joins_it() {
    let up = Up::start(&["--nodes", "4", "--slot", "300ms"]);
    up.wait_until("blocks", |nodes| nodes.iter().all(|node| node["height"].as_u64() >= Some(2)));
    up.say(&["cut", "n0,n1"]);
    let finals = |nodes: &[Value]| -> Vec<u64> {
        nodes.iter().map(|node| node["final_height"].as_u64().unwrap()).collect()
    };
    let cut = up.status();
    up.wait_until("both halves to build alone", |nodes| {
        nodes
            .iter()
            .zip(&cut)
            .all(|(now, then)| now["height"].as_u64() > then["height"].as_u64().map(|h| h + 3))
    });
    // Two of four are not more than two thirds: what is final now was so before, or in flight.
    let split = finals(&up.status());
    assert!(
        split.iter().zip(finals(&cut)).all(|(now, then)| *now <= then + 2),
        "{split:?} {cut:?}"
    );
    up.say(&["heal"]);
    up.wait_until("one chain, and more of it final", |nodes| {
        let now = finals(nodes);
        now.iter().zip(&split).all(|(now, then)| *now > then + 2)
    });
    let report: Value =
        serde_json::from_str(&up.say(&["report", "--json"]).lines().collect::<String>()).unwrap();
    assert_eq!(report["cuts"].as_array().unwrap().len(), 4);
    assert!(report["block"]["max_reorg"].as_u64().unwrap() >= 1);
}

fn launch(words: &[&str], out: &Path) -> Child {
    Command::new(program("hearsay-testnet"))
        .args(words)
        .arg("--out")
        .arg(out)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn interrupt(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
}

#[test]
fn ctrl_c_at_any_moment_leaves_no_process_and_reports_what_ran() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("forever.toml");
    let text = "name = \"forever\"\nduration = \"10m\"\n[nodes]\ncount = 3\n[topology]\nkind = \
                \"line\"\n[links]\ndelay = \"20ms\"\n[load]\nrate = 20\n";
    std::fs::write(&file, text).unwrap();
    type Moment = (&'static str, fn(&Path) -> bool);
    let moments: [Moment; 3] = [
        ("its folder", |out| out.join("testnet.json").exists()),
        ("its nodes", |out| out.join("n2/events.jsonl").exists()),
        ("its load", |out| {
            let log = std::fs::read_to_string(out.join("n0/events.jsonl")).unwrap_or_default();
            log.matches("\"published\"").count() > 20
        }),
    ];
    for (number, (what, is_there)) in moments.into_iter().enumerate() {
        let out = home.path().join(format!("run-{number}"));
        let mut child = launch(&["run", file.to_str().unwrap()], &out);
        wait_for(what, || is_there(&out).then_some(()));
        interrupt(&child);
        assert_eq!(child.wait().unwrap().code(), Some(1), "interrupted after {what}");
        assert!(processes_of(&out).is_empty(), "after {what}");
        if number == 2 {
            let report = std::fs::read_to_string(out.join("report.json")).unwrap();
            let report: Value = serde_json::from_str(&report).unwrap();
            assert!(report["tx"]["published"].as_u64() > Some(10));
        }
    }
    let out = home.path().join("up");
    let mut child = launch(&["up", "--nodes", "3"], &out);
    wait_for("up's folder", || out.join("testnet.json").exists().then_some(()));
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(processes_of(&out).is_empty());
}
