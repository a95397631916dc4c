//! A transaction's way from a node that has no peer yet, as its user sees it.

use hearsay_tests::{stdout, wait_for};
use serde_json::Value;

use crate::world::{Node, World};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text:?}"))
}

fn status(node: &Node, id: &str) -> Value {
    json(&stdout(&node.client(["tx", "status", id, "--json"])))
}

#[test]
fn a_transaction_handed_in_without_a_peer_reaches_one_that_comes_later() {
    let world = World::new(2);
    let a = world.start(0, &[]);
    let (from, to) = (world.wallet(), world.address_of_authority(1));
    let send = |rest: &[&str]| {
        let words = ["tx", "send", "--from", &from, "--to", &to, "--amount", "5", "--json"];
        a.client(words.iter().chain(rest).copied())
    };
    // It waits for a nonce, so that no block takes it before the peer is there.
    let first = json(&stdout(&send(&["--nonce", "1"])));
    assert_eq!((&first["state"], &first["waiting_for"]), (&"unbroadcast".into(), &0.into()));
    let first = first["id"].as_str().unwrap().to_owned();
    // Another takes its place, if it pays for that.
    let cheap = send(&["--nonce", "1", "--fee", "1", "--expiry", "9999", "--dry-run"]);
    assert_eq!(cheap.status.code(), Some(4));
    assert_eq!(json(&String::from_utf8_lossy(&cheap.stdout))["reason"], "underpriced");
    let second = json(&stdout(&send(&["--nonce", "1", "--fee", "50"])));
    let id = second["id"].as_str().unwrap().to_owned();
    let watched = a.client(["tx", "watch", &first, "--json"]);
    assert_eq!(watched.status.code(), Some(4));
    let dropped = json(&String::from_utf8_lossy(&watched.stdout));
    assert_eq!((&dropped["reason"], &dropped["by"]), (&"replaced".into(), &second["id"]));
    // Without a peer nothing changes, however many blocks come.
    let height = a.status()["height"].as_u64().unwrap();
    a.wait_for_height(height + 3);
    assert_eq!(status(&a, &id)["state"], "unbroadcast");
    assert_eq!(json(&stdout(&a.client(["mempool", "--json"])))["unbroadcast"], 1);
    let b = world.start(1, &[&a]);
    let is_queued = |node: &Node| (status(node, &id)["state"] == "queued").then_some(());
    wait_for("the peer to have the transaction", || is_queued(&b));
    wait_for("the node to hear that the peer has it", || is_queued(&a));
    let listed = json(&stdout(&b.client(["mempool", "transactions", "--json"])));
    assert_eq!((&listed[0]["id"], &listed[0]["local"]), (&second["id"], &false.into()));
    // The gap closes, and both stand in blocks.
    let sent = send(&["--nonce", "0", "--wait", "included"]);
    assert!(sent.status.success(), "{sent:?}");
    let watched = json(&stdout(&b.client(["tx", "watch", &id, "--until", "final", "--json"])));
    assert_eq!(watched["state"], "final");
    a.stop();
    b.stop();
}
