//! `hearsay tx`: what is sent, waited for and watched, against a node that answers at once.

use std::collections::VecDeque;

use hearsay_chain::{BlockId, TxId};
use serde_json::Value;

use super::World;
use crate::api::{DropReason, Refused, TxStatus};
use crate::rpc::fake::Fake;

const SEND: &str = "tx send --from alice --to alice --amount 5 --fee 1";

#[test]
fn a_transaction_is_signed_with_the_nonce_that_the_node_names() {
    let world = World::with(Fake { life: [TxStatus::Ready].into(), ..Fake::default() });
    let sent = world.run(&format!("{SEND} --json")).json();
    assert_eq!((&sent["nonce"], &sent["state"]), (&Value::from(6), &Value::from("ready")));
    let other = world.run(&format!("{SEND} --nonce 9 --payload 00ff --expiry 30 --json")).json();
    assert_eq!(other["nonce"], 9);
    assert_ne!(other["id"], sent["id"]);
}

#[test]
fn waiting_tells_each_state_and_ends_at_the_one_asked_for() {
    let block = BlockId([1; 32]);
    let included = TxStatus::Included { block, height: 3, confirmations: 0 };
    let last = TxStatus::Final { block, height: 3, confirmations: 2 };
    let life: VecDeque<_> = [TxStatus::Ready, included, last].into();
    for (goal, states) in [("included", "ready included"), ("final", "ready included final")] {
        let world = World::with(Fake { life: life.clone(), ..Fake::default() });
        let sent = world.run(&format!("{SEND} --wait {goal}"));
        assert_eq!(sent.code(), 0, "{}", sent.says());
        let told: Vec<&str> =
            sent.talk.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
        assert_eq!(told.join(" "), states);
        assert!(sent.out.contains(&format!("state          {goal}\n")), "{}", sent.out);
    }
}

#[test]
fn waiting_too_long_is_told_with_the_state_so_far() {
    let world = World::with(Fake { life: [TxStatus::Ready].into(), ..Fake::default() });
    let sent = world.run(&format!("{SEND} --wait final --timeout 300ms"));
    assert_eq!(sent.code(), 5);
    assert!(sent.says().contains(" is ready; "), "{}", sent.says());
}

#[test]
fn a_watch_of_a_transaction_that_is_dropped_ends_with_its_reason() {
    let by = TxId([2; 32]);
    let dropped = TxStatus::Dropped { reason: DropReason::Replaced, by: Some(by) };
    let life = [TxStatus::Unbroadcast { waiting_for: Some(4) }, dropped].into();
    let world = World::with(Fake { life, ..Fake::default() });
    let watched = world.run(&format!("tx watch {} --until final --json", "ab".repeat(32)));
    assert_eq!(watched.code(), 4);
    let reason = format!("dropped (replaced by {by})");
    assert!(watched.says().ends_with(&reason), "{}", watched.says());
    let told: Vec<&str> =
        watched.talk.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(told, ["unbroadcast (waiting for nonce 4)", &reason]);
    let json = watched.json();
    assert_eq!((&json["state"], &json["reason"]), (&"dropped".into(), &"replaced".into()));
    assert_eq!(json["by"], by.to_string());
    let sent = world.run(&format!("{SEND} --wait included"));
    assert_eq!(sent.code(), 4, "{}", sent.says());
    assert!(sent.out.contains("reason  replaced\n"), "{}", sent.out);
}

#[test]
fn a_watch_of_a_transaction_that_nobody_knows_ends_at_once() {
    let world = World::with(Fake::default());
    let watched = world.run(&format!("tx watch {}", "ab".repeat(32)));
    assert_eq!(watched.code(), 4);
    assert!(watched.out.contains("state  unknown\n"), "{}", watched.out);
    assert!(watched.says().ends_with("is unknown to the node"), "{}", watched.says());
}

#[test]
fn a_dry_run_tells_what_would_come_of_it_and_sends_nothing() {
    let world = World::with(Fake::default());
    let tested = world.run(&format!("{SEND} --dry-run"));
    assert_eq!(tested.code(), 0, "{}", tested.says());
    assert!(tested.out.contains("would be   ready\n"), "{}", tested.out);
    let refused = Refused {
        invalid: false,
        reason: "underpriced".to_owned(),
        message: "another waits".to_owned(),
    };
    let world = World::with(Fake { refuses: Some(refused), ..Fake::default() });
    let tested = world.run(&format!("{SEND} --dry-run --json"));
    assert_eq!(tested.code(), 4);
    assert_eq!(tested.says(), "it would be refused (underpriced): another waits");
    let json = tested.json();
    assert_eq!((&json["accepted"], &json["verdict"]), (&false.into(), &"ignore".into()));
    let text = world.server.metrics.encode();
    assert!(!text.contains("tx_submit"), "{text}");
}

#[test]
fn without_a_fee_the_estimate_for_the_next_block_is_taken_and_told() {
    let world = World::with(Fake { life: [TxStatus::Ready].into(), ..Fake::default() });
    let sent = world.run("tx send --from alice --to alice --amount 5 --payload 00 --json");
    assert_eq!(sent.code(), 0, "{}", sent.says());
    // The node asks for one unit for each hundred bytes.
    assert_eq!(sent.talk, "fee 1: what the next block takes now for 166 bytes\n");
    let fees = world.run("tx fee --bytes 1200");
    assert!(fees.out.contains("size                   1200 bytes\n"), "{}", fees.out);
    assert!(fees.out.contains("1              10               12\n"), "{}", fees.out);
    assert_eq!(world.run("tx fee --json").json()["floor_per_kb"], 1);
}

#[test]
fn a_transaction_that_the_node_does_not_take_is_told_with_the_reason() {
    let refused = Refused {
        invalid: false,
        reason: "pool-full".to_owned(),
        message: "the pool is full".to_owned(),
    };
    let world = World::with(Fake { refuses: Some(refused), ..Fake::default() });
    let sent = world.run(SEND);
    assert_eq!(sent.code(), 4);
    assert_eq!(sent.says(), "refused (pool-full): the pool is full");
}

#[test]
fn a_payload_that_no_network_takes_is_wrong_usage() {
    let world = World::with(Fake::default());
    let sent = world.run(&format!("{SEND} --payload {}", "00".repeat(16 * 1_024 + 1)));
    assert_eq!(sent.code(), 2, "{}", sent.says());
}

#[test]
fn a_transaction_says_who_took_it() {
    let life = VecDeque::from([TxStatus::Unknown, TxStatus::Ready]);
    let world = World::with(Fake { life, ..Fake::default() });
    let ran = world.run(&format!("{SEND} --via auto --json"));
    assert_eq!(ran.code(), 0, "{}", ran.says());
    assert_eq!((&ran.json()["taken_by"], &ran.json()["state"]), (&"n1".into(), &"ready".into()));
}
