//! What waits for a block survives its node.

use std::fs;
use std::process::Command;

use hearsay_tests::{program, stdout, wait_for};
use serde_json::Value;

use crate::world::{Node, World};

/// Starts a node that makes no blocks, so that what waits goes on waiting.
fn start_idle(world: &World, peers: &[&Node]) -> Node {
    world.start_as(Command::new(program("hearsay")), &world.dir(0), 0, peers, false)
}

fn json(node: &Node, args: &[&str]) -> Value {
    serde_json::from_str(&stdout(&node.client(args.iter().chain(&["--json"])))).unwrap()
}

fn send(world: &World, node: &Node, nonce: u64) -> String {
    let (from, to) = (world.wallet(), world.address_of_authority(0));
    let nonce = nonce.to_string();
    let words = ["tx", "send", "--from", &from, "--to", &to, "--amount", "1", "--fee", "1"];
    let sent = json(node, &words.into_iter().chain(["--nonce", &nonce]).collect::<Vec<_>>());
    sent["id"].as_str().unwrap().to_owned()
}

fn status(node: &Node, id: &str) -> Value {
    json(node, &["tx", "status", id])
}

/// Ready and queued ones.
fn pool(node: &Node) -> (u64, u64) {
    let pool = json(node, &["mempool"]);
    (pool["ready"].as_u64().unwrap(), pool["queued"].as_u64().unwrap())
}

fn wait_for_pool(node: &Node, what: &str, expected: (u64, u64)) {
    wait_for(what, || (pool(node) == expected).then_some(()));
}

fn wait_for_words(world: &World, words: &str) {
    let log = world.dir(0).join("node.log");
    let said = || fs::read_to_string(&log).unwrap();
    wait_for(&format!("the node to say {words:?}"), || said().contains(words).then_some(()));
}

#[test]
fn what_waits_is_there_after_kill_nine_and_what_a_block_took_meanwhile_is_not() {
    let world = World::new(2);
    let mut node = start_idle(&world, &[]);
    // Two of them wait for nonce 4.
    let ids: Vec<String> =
        [0, 1, 2, 3, 5, 6].into_iter().map(|nonce| send(&world, &node, nonce)).collect();
    assert_eq!(pool(&node), (4, 2));
    let before: Vec<Value> = ids.iter().map(|id| status(&node, id)).collect();
    wait_for("the journal to have them", || {
        node.get("/metrics").1.contains("hearsay_mempool_journal_count 6\n").then_some(())
    });
    node.kill();

    let mut node = start_idle(&world, &[]);
    wait_for_pool(&node, "all of them to be back", (4, 2));
    let after: Vec<Value> = ids.iter().map(|id| status(&node, id)).collect();
    assert_eq!(after, before);
    wait_for_words(&world, "restored 6 of 6 waiting transactions");
    let export = world.path().join("waiting.jsonl").display().to_string();
    let exported = node.client(["mempool", "export", &export]);
    assert!(exported.status.success(), "{exported:?}");
    node.kill();
    let journal = world.dir(0).join("mempool.journal");
    let with_all = fs::read(&journal).unwrap();

    // Another node gets them by hand, and includes those that it can.
    let other = world.start(1, &[]);
    let imported = json(&other, &["mempool", "import", &export]);
    assert_eq!((imported["taken"].as_u64(), imported["known"].as_u64()), (Some(6), Some(0)));
    wait_for("them to be included", || {
        let state = status(&other, &ids[3])["state"].as_str().map(str::to_owned);
        state.is_some_and(|state| state == "included" || state == "final").then_some(())
    });

    // It hears of it while it runs, and then before it starts.
    let node = start_idle(&world, &[&other]);
    wait_for_pool(&node, "those that are included to go", (0, 2));
    node.stop();
    let node = start_idle(&world, &[]);
    wait_for_pool(&node, "the others to be back", (0, 2));
    wait_for_words(&world, "restored 2 of 2 waiting transactions");
    node.stop();
    fs::write(&journal, with_all).unwrap();
    let node = start_idle(&world, &[]);
    wait_for_pool(&node, "the others to be back", (0, 2));
    wait_for_words(&world, "restored 2 of 6 waiting transactions (of the others: 4 included)");
    assert_eq!(status(&node, &ids[4])["waiting_for"], 4);
    node.stop();
    other.stop();
}
