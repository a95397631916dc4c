//! A node whose disk fills up, on a small disk of its own.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use hearsay_tests::{free_port, program, stdout, wait_for};
use serde_json::Value;

use crate::world::{Node, World};

/// A command that mounts a disk of 64 MiB at a path, fills it if asked to, and becomes the program.
/// It needs no root: it does so in a user namespace.
fn on_small_disk(path: &Path, filled: bool) -> Command {
    fs::create_dir_all(path).unwrap();
    let fill = if filled { "head -c 80m /dev/zero > \"$0/filling\" 2> /dev/null; " } else { "" };
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c"])
        .arg(format!("mount -t tmpfs -o size=64m none \"$0\" && {{ {fill}exec \"$@\"; }}"))
        .arg(path);
    command
}

/// Whether this machine lets a user mount a disk; says so if not.
fn has_small_disks(world: &World) -> bool {
    let mut probe = on_small_disk(&world.path().join("probe"), false);
    let works = probe.arg("true").output().is_ok_and(|output| output.status.success());
    if !works {
        eprintln!("not tested: this machine lets no user mount a disk of its own");
    }
    works
}

/// Fills a disk to the last byte.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [1 << 20, 64 << 10, 1 << 10, 1] {
        while file.write(&vec![1; size]).is_ok_and(|written| written > 0) {}
    }
}

fn send(world: &World, node: &Node) -> Output {
    let (from, to) = (world.wallet(), world.address_of_authority(0));
    node.client([
        "tx", "send", "--from", &from, "--to", &to, "--amount", "1", "--fee", "1", "--json",
    ])
}

/// Sends a transaction that must be taken; its id.
fn taken(world: &World, node: &Node) -> String {
    let sent: Value = serde_json::from_str(&stdout(&send(world, node))).unwrap();
    sent["id"].as_str().unwrap().to_owned()
}

fn health(node: &Node) -> Option<String> {
    let (status, says) = node.get("/health");
    (status == 503).then_some(says)
}

#[test]
fn a_node_on_a_full_disk_says_so_takes_nothing_loses_nothing_and_goes_on() {
    let world = World::new(1);
    if !has_small_disks(&world) {
        return;
    }
    let data = world.path().join("disk");
    let mut command = on_small_disk(&data, false);
    command.arg(program("hearsay"));
    let node = world.start_by(command, &data, 0, &[]);
    // Its own mounts are seen through its process; this keeps the disk when that has ended.
    let inside = PathBuf::from(format!("/proc/{}/root{}", node.pid(), data.display()));
    let disk = File::open(&inside).unwrap();
    node.wait_for_height(2);
    let mut ids: Vec<String> = (0..10).map(|_| taken(&world, &node)).collect();

    for round in 0..2 {
        let filling = inside.join("filling");
        fill(&filling);
        let full = Instant::now();
        let says = loop {
            if let Some(says) = health(&node) {
                break says;
            }
            assert!(full.elapsed() < Duration::from_secs(1), "round {round}: it says nothing");
        };
        assert!(says.contains("full") && says.contains("make room"), "{says}");
        assert_eq!(node.get("/ready").0, 503);
        wait_for("the metric", || {
            node.get("/metrics").1.contains("hearsay_halted 1\n").then_some(())
        });
        let before = node.status();
        for _ in 0..10 {
            let refused = send(&world, &node);
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert_eq!(refused.status.code(), Some(4), "{said}");
            assert!(said.contains("disk-full") && said.contains("make room"), "{said}");
        }
        // Two slots later, each of which was its own, it has made no block.
        let two_later = before["slot"].as_u64().unwrap() + 2;
        let after = wait_for("two slots to pass", || {
            let status = node.status();
            (status["slot"].as_u64().unwrap() >= two_later).then_some(status)
        });
        assert_eq!(after["height"], before["height"], "it made a block");

        fs::remove_file(&filling).unwrap();
        wait_for("the node to go on", || health(&node).is_none().then_some(()));
        node.wait_for_height(after["height"].as_u64().unwrap() + 1);
        ids.extend((0..5).map(|_| taken(&world, &node)));
    }

    for id in &ids {
        wait_for("a taken transaction to be final", || {
            let status = stdout(&node.client(["tx", "status", id, "--json"]));
            let status: Value = serde_json::from_str(&status).unwrap();
            (status["state"] == "final").then_some(())
        });
    }
    node.stop();
    assert_whole(&PathBuf::from(format!("/proc/self/fd/{}/events.jsonl", disk.as_raw_fd())), &ids);
}

/// Asserts that a log has every line from start to stop.
fn assert_whole(log: &Path, ids: &[String]) {
    let text = fs::read_to_string(log).unwrap();
    assert!(text.ends_with('\n'));
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let named = |name: &str| -> Vec<&Value> {
        events.iter().filter(|event| event["event"] == name).collect()
    };
    assert_eq!((events[0]["event"].as_str(), named("stop").len()), (Some("start"), 1));
    let heights: Vec<u64> =
        named("tip").iter().map(|tip| tip["height"].as_u64().unwrap()).collect();
    assert_eq!(heights, (1..=heights.len() as u64).collect::<Vec<_>>());
    for name in ["pooled", "published", "included"] {
        let mut counts = BTreeMap::<String, usize>::new();
        for event in named(name).iter().filter(|event| event["kind"] == "tx") {
            *counts.entry(event["id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        assert!(ids.iter().all(|id| counts.get(id) == Some(&1)), "{name}: {counts:?}");
    }
}

#[test]
fn a_node_does_not_start_on_a_full_disk_and_leaves_nothing_there() {
    let world = World::new(1);
    if !has_small_disks(&world) {
        return;
    }
    let data = world.path().join("disk");
    let mut command = on_small_disk(&data, true);
    let listen = format!("/ip4/127.0.0.1/tcp/{}", free_port());
    let output = command
        .args(["sh", "-c", "\"$@\"; code=$?; ls \"$0\"; exit $code"])
        .arg(&data)
        .arg(program("hearsay"))
        .args(["run", "--listen", &listen, "--rpc", &format!("127.0.0.1:{}", free_port())])
        .arg("--genesis")
        .arg(world.genesis())
        .arg("--data-dir")
        .arg(&data)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(17), "{said}");
    assert!(said.contains("the disk is full") && said.contains("free some space"), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "filling\n");
}
