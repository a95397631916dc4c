//! What this node gossips of its own blocks.

use hearsay_network::PublishFailure;

use super::*;
use crate::engine::compact::{BlockForm, Compact};

/// A desk of the authority of slot 1.
fn proposer() -> Desk {
    let mut desk = desk(1);
    desk.engine.authority = Some(key(1));
    desk.engine.compact = Compact::new(BlockForm::Compact, 5);
    // What is due every second is over.
    desk.pass(1);
    desk
}

fn message(desk: &Desk, block: &VerifiedBlock) -> CompactBlock {
    let data = desk.engine.block_message(desk.time(), block);
    match BlockMessage::decode(&data, 1 << 20) {
        Ok(BlockMessage::Compact(compact)) => compact,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_came_just_now_is_carried_and_what_others_have_is_named() {
    let mut desk = proposer();
    let old = transactions(&desk, 3);
    pool(&mut desk, &old);
    desk.pass(100_000);
    let new = desk.tx(1, 0, 5);
    pool(&mut desk, std::slice::from_ref(&new));
    let block = block(&desk, &[old.as_slice(), &[new]].concat());
    let compact = message(&desk, &block);
    assert_eq!((compact.names.len(), compact.carried.len()), (3, 1));
    assert_eq!(compact.carried[0].place, 3);
    assert!(compact.verify(desk.engine.chain().rules()).is_ok());
    desk.pass(100_000);
    assert_eq!(message(&desk, &block).names.len(), 4);
}

#[test]
fn what_found_no_peer_is_carried_however_long_ago_it_came() {
    let mut desk = proposer();
    let tx = desk.tx(0, 0, 5);
    desk.submit(tx.clone()).unwrap();
    let failure = Some(PublishFailure::NoPeers);
    desk.give(Input::Published { topic: Topic::Tx, id: tx.id().0, failure });
    desk.pass(100_000);
    let block = block(&desk, std::slice::from_ref(&tx));
    assert_eq!(message(&desk, &block).carried.len(), 1);
    desk.give(Input::Published { topic: Topic::Tx, id: tx.id().0, failure: None });
    assert_eq!(message(&desk, &block).carried.len(), 0, "it has left meanwhile");
    desk.pass(600_000);
    assert_eq!(message(&desk, &block).carried.len(), 1, "a peer was asked, and has not said so");
}

#[test]
fn no_more_is_carried_than_asking_would_cost_and_the_latest_go_first() {
    let mut desk = proposer();
    let txs: Vec<_> = (0..60)
        .map(|nonce| {
            let mut transfer = desk.transfer(0, nonce, 500);
            transfer.payload = vec![1; 1_000];
            super::super::desk::signed(transfer, 0)
        })
        .collect();
    for tx in &txs {
        pool(&mut desk, std::slice::from_ref(tx));
        desk.pass(100);
    }
    let compact = message(&desk, &block(&desk, &txs));
    let bytes: usize = compact.carried.iter().map(|it| it.bytes.len()).sum();
    assert!((30 << 10..=32 << 10).contains(&bytes), "{bytes}");
    assert_eq!(compact.carried.last().unwrap().place, 59);
    assert_eq!(compact.names.len() + compact.carried.len(), 60);
}

#[test]
fn a_block_of_another_authority_goes_out_whole() {
    let desk = proposer();
    let block = on(&desk, (tip(&desk), 0), 2, &[]);
    let data = desk.engine.block_message(desk.time(), &block);
    assert!(!BlockMessage::is_compact(&data));
}
