//! One real node: its life on disk, and what it says when it cannot live.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use hearsay_tests::{free_port, run, stdout};
use serde_json::Value;

use crate::world::World;

#[test]
fn a_node_makes_blocks_and_keeps_chain_and_identity_over_a_restart() {
    let world = World::new(1);
    let node = world.start(0, &[]);
    let before = node.wait_for_height(2);
    node.stop();
    let node = world.start(0, &[]);
    let after = node.status();
    assert_eq!(after["peer"], before["peer"]);
    assert!(after["height"].as_u64() >= before["height"].as_u64(), "{before} then {after}");
    let height = after["height"].as_u64().unwrap();
    node.wait_for_height(height + 1);
    node.stop();
}

#[test]
fn a_node_that_was_killed_starts_again_with_what_it_had() {
    let world = World::new(1);
    let mut node = world.start(0, &[]);
    let before = node.wait_for_height(3);
    let tip = before["tip"].as_str().unwrap().to_owned();
    node.kill();
    let node = world.start(0, &[]);
    let block = node.client(["block", &tip, "--json"]);
    let block: Value = serde_json::from_str(&stdout(&block)).unwrap();
    assert_eq!(block["main"], true);
    node.stop();
    for line in fs::read_to_string(world.dir(0).join("events.jsonl")).unwrap().lines() {
        serde_json::from_str::<Value>(line).expect("every line is whole");
    }
}

#[test]
fn a_transaction_goes_from_the_command_line_into_a_final_block_at_another_node() {
    let world = World::new(2);
    let a = world.start(0, &[]);
    let b = world.start(1, &[&a]);
    let (from, to) = (world.wallet(), world.address_of_authority(1));
    let send = |amount: &str, wait: &str| {
        let args = ["tx", "send", "--from", &from, "--to", &to, "--amount", amount, "--fee", "3"];
        let waiting = ["--wait", wait, "--json"];
        let sent = b.client(args.iter().chain(&waiting).copied());
        serde_json::from_str::<Value>(&stdout(&sent)).unwrap()
    };
    let sent = send("1000", "final");
    let id = sent["id"].as_str().unwrap();
    let status = a.client(["tx", "status", id, "--json"]);
    let status: Value = serde_json::from_str(&stdout(&status)).unwrap();
    assert_eq!(status["state"], "final");
    let height = status["height"].as_u64().unwrap();
    let block = a.client(["block", &height.to_string(), "--json"]);
    let block: Value = serde_json::from_str(&stdout(&block)).unwrap();
    assert_eq!(block["transactions"][0]["id"], id);
    assert_eq!(block["transactions"][0]["amount"], 1000);
    let account = a.client(["account", &to, "--json"]);
    let account: Value = serde_json::from_str(&stdout(&account)).unwrap();
    assert!(account["balance"].as_u64().unwrap() >= 1000);
    send("1", "pooled");
    a.stop();
    b.stop();
}

#[test]
fn a_node_that_comes_late_catches_up_from_its_peers() {
    let world = World::new(2);
    let a = world.start(0, &[]);
    a.wait_for_height(4);
    let b = world.start(1, &[&a]);
    let status = b.wait_for_height(4);
    let id = b.client(["block", "4", "--json"]);
    let id: Value = serde_json::from_str(&stdout(&id)).unwrap();
    let same = a.client(["block", "4", "--json"]);
    let same: Value = serde_json::from_str(&stdout(&same)).unwrap();
    assert_eq!(id["id"], same["id"], "{status}");
    a.stop();
    b.stop();
}

/// What a node that should not start says, with the files of `dir` as they were.
pub(crate) fn refused(dir: &Path, code: i32, args: &[&str]) -> String {
    let before = tree(dir);
    let output = run("hearsay", ["run"].iter().chain(args));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(tree(dir), before, "something was changed on disk");
    said
}

/// Every file below a directory with its content.
pub(crate) fn tree(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.insert(path.display().to_string(), Vec::new());
            files.extend(tree(&path));
        } else {
            files.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
    files
}

#[test]
fn a_genesis_that_is_missing_broken_or_of_another_network_is_said_in_a_sentence() {
    let world = World::new(1);
    let node = world.start(0, &[]);
    node.wait_for_height(1);
    node.stop();
    let data = world.dir(0).display().to_string();
    let port = free_port();
    let (listen, rpc) =
        (format!("/ip4/127.0.0.1/tcp/{port}"), format!("127.0.0.1:{}", free_port()));
    let common = ["--data-dir", &data, "--listen", &listen, "--rpc", &rpc];
    let with = |genesis: &str, code| {
        let args: Vec<&str> = common.iter().copied().chain(["--genesis", genesis]).collect();
        refused(world.path(), code, &args)
    };
    let missing = with("/nowhere/genesis.toml", 1);
    assert!(missing.contains("/nowhere/genesis.toml"), "{missing}");
    let text = fs::read_to_string(world.genesis()).unwrap();
    let broken = world.path().join("broken.toml");
    fs::write(&broken, text.replace("slot_ms", "slot_mz")).unwrap();
    let said = with(&broken.display().to_string(), 1);
    assert!(said.contains("slot_ms"), "the nearest key is named: {said}");
    let other = world.path().join("other.toml");
    fs::write(&other, text.replace("name = \"test\"", "name = \"other\"")).unwrap();
    let said = with(&other.display().to_string(), 14);
    assert!(said.contains("network"), "{said}");
}

#[test]
fn a_second_node_on_the_same_directory_or_port_is_refused() {
    let world = World::new(1);
    let node = world.start(0, &[]);
    node.wait_for_height(1);
    let genesis = world.genesis().display().to_string();
    let data = world.dir(0).display().to_string();
    let (port, rpc) = (free_port(), format!("127.0.0.1:{}", free_port()));
    let listen = format!("/ip4/127.0.0.1/tcp/{port}");
    let attempt = |data: &str, listen: &str, rpc: &str, code| {
        let args =
            ["run", "--genesis", &genesis, "--data-dir", data, "--listen", listen, "--rpc", rpc];
        let output = run("hearsay", args);
        assert_eq!(output.status.code(), Some(code));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let locked = attempt(&data, &listen, &rpc, 10);
    assert!(locked.contains("another"), "{locked}");
    let fresh = world.path().join("fresh");
    let fresh_dir = fresh.display().to_string();
    let status = node.status();
    let taken = status["listen"][0].as_str().unwrap().to_owned();
    let said = attempt(&fresh_dir, &taken, &rpc, 1);
    assert!(said.contains("in use"), "{said}");
    let said = attempt(&fresh_dir, &listen, &node.rpc, 1);
    assert!(said.contains("in use"), "{said}");
    assert!(!fresh.exists(), "nothing was written for a node that could not start");
    node.stop();
}

#[test]
fn a_data_directory_that_is_not_ours_is_left_alone() {
    let world = World::new(1);
    let data = world.path().join("photos");
    fs::create_dir_all(data.join("chain")).unwrap();
    fs::write(data.join("chain/holiday.jpg"), b"not a database").unwrap();
    let genesis = world.genesis().display().to_string();
    let data_dir = data.display().to_string();
    let (listen, rpc) =
        (format!("/ip4/127.0.0.1/tcp/{}", free_port()), format!("127.0.0.1:{}", free_port()));
    let said = refused(
        world.path(),
        11,
        &["--genesis", &genesis, "--data-dir", &data_dir, "--listen", &listen, "--rpc", &rpc],
    );
    assert!(said.contains("chain"), "{said}");
}

#[test]
fn a_node_that_cannot_be_reached_gives_exit_code_three() {
    let url = format!("http://127.0.0.1:{}", free_port());
    let output = run("hearsay", ["status", "--node", &url]);
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn a_key_that_openssl_made_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("made.pem");
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "ed25519", "-out"])
        .arg(&key)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let Ok(made) = made else {
        // RFC 8410's own example is read in the unit tests; this one needs the program.
        eprintln!("openssl is not installed");
        return;
    };
    assert!(made.success());
    let output = run("hearsay", ["key", "address", &key.display().to_string()]);
    assert!(stdout(&output).starts_with("hs1"), "{output:?}");
}
