//! Compact blocks between a real node and peers that the test holds: what a node lacks it asks for, and
//! what nobody gives holds nothing up.

use hearsay_chain::{VerifiedBlock, VerifiedTx};
use hearsay_network::Topic;
use hearsay_node::api::TxStatus;
use hearsay_node::rpc::RpcClient;
use hearsay_node::trace::event::{Event, Kind, Via};
use hearsay_tests::makers::Makers;
use hearsay_tests::peer::{Manner, Peer, fresh_chain};

use crate::follower::{Follower, Net, now_ms, until};

const SLOT_MS: u64 = 200;

/// A network with one authority, which is the test.
fn network() -> Net {
    Net::new(Makers::new("compact", (1, 2), (now_ms() - 10 * SLOT_MS, SLOT_MS)))
}

/// A node that knows no block and listens to some peers.
async fn start(net: &Net, count: u8) -> (Follower, Vec<Peer>) {
    let mut peers = Vec::new();
    for number in 1..=count {
        let chain = fresh_chain(net.makers.genesis()).unwrap();
        peers.push(Peer::start(number, chain, Manner::Honest, vec![]).await.unwrap());
    }
    let addresses: Vec<_> = peers.iter().map(|peer| peer.address.clone()).collect();
    let node = net.start(0, None, &addresses).await;
    for peer in &peers {
        until("the node to listen", async || peer.is_heard().then_some(())).await;
    }
    (node, peers)
}

/// A block on the genesis block with so many transactions.
fn block(net: &Net, slot: u64, transactions: u64) -> VerifiedBlock {
    let paid = (0..transactions).map(|nonce| net.makers.payment(0, nonce)).collect();
    net.makers.block((net.makers.genesis().block().id(), 0), slot, paid)
}

/// The node has these in its pool.
async fn hand_in(node: &Follower, peer: &Peer, transactions: &[VerifiedTx]) {
    for tx in transactions {
        peer.publish(Topic::Tx, tx.encode()).await.unwrap();
        until("the pool to have it", async || {
            // While it reads what waited before its start it is too busy to say.
            let status = node.client.tx_status(tx.id()).await;
            status.is_ok_and(|status| !matches!(status, TxStatus::Unknown)).then_some(())
        })
        .await;
    }
}

/// Transactions received for the first time, with their ways and givers.
fn received(node: &Follower) -> Vec<(String, Via, String)> {
    let received = node.events().into_iter().filter_map(|event| match event {
        Event::Received { kind: Kind::Tx, id, via, from, .. } => Some((id, via, from)),
        _ => None,
    });
    received.collect()
}

/// What was found in the pool and what was asked for, once the block was put together.
async fn rebuilt(node: &Follower, block: &VerifiedBlock) -> (u64, u64) {
    let id = block.id().to_string();
    until("the block to be put together", async || {
        node.events().into_iter().find_map(|event| match event {
            Event::Rebuilt { id: of, from_pool, fetched, .. } if of == id => {
                Some((from_pool, fetched))
            }
            _ => None,
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_lacks_of_a_compact_block_it_gets_from_whoever_delivered_it() {
    let net = network();
    let (node, peers) = start(&net, 2).await;
    let block = block(&net, 1, 4);
    let txs = block.transactions();
    hand_in(&node, &peers[0], &txs[..2]).await;
    peers.iter().for_each(|peer| peer.hold(&block));
    peers[1].publish_names(&block, net.makers.authority(0)).await.unwrap();
    node.wait_for_tip(&block).await;
    assert_eq!(rebuilt(&node, &block).await, (2, 2));
    assert_eq!(peers[1].seen().parts.get(&block.id()), Some(&1));
    assert_eq!(peers[0].seen().parts.get(&block.id()), None, "nobody else is asked");
    let way = |at: usize, via, peer: &Peer| (txs[at].id().to_string(), via, peer.id.to_string());
    let expected = [
        way(0, Via::Gossip, &peers[0]),
        way(1, Via::Gossip, &peers[0]),
        way(2, Via::Fetch, &peers[1]),
        way(3, Via::Fetch, &peers[1]),
    ];
    until("all four in the log", async || (received(&node) == expected).then_some(())).await;
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_deliverer_withholds_comes_from_another_and_nobody_is_sent_away() {
    let net = network();
    let (node, peers) = start(&net, 2).await;
    let block = block(&net, 1, 3);
    peers[1].hold(&block);
    peers[0].publish_names(&block, net.makers.authority(0)).await.unwrap();
    node.wait_for_tip(&block).await;
    assert_eq!(rebuilt(&node, &block).await, (0, 3));
    assert_eq!(peers[0].seen().parts.get(&block.id()), Some(&1), "it is asked first");
    assert!(peers.iter().all(|peer| peer.seen().left.is_empty()));
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_its_proposer_withholds_is_given_up_and_the_next_is_taken() {
    let net = network();
    let (node, peers) = start(&net, 1).await;
    let withheld = block(&net, 1, 3);
    peers[0].publish_names(&withheld, net.makers.authority(0)).await.unwrap();
    until("a question", async || peers[0].seen().parts.get(&withheld.id()).copied()).await;
    // While it waits for what does not come, it takes others.
    let next = block(&net, 2, 0);
    peers[0].publish_names(&next, net.makers.authority(0)).await.unwrap();
    node.wait_for_tip(&next).await;
    let id = withheld.id().to_string();
    let missing = until("the block to be given up", async || {
        node.events().into_iter().find_map(|event| match event {
            Event::GivenUp { id: of, missing, .. } if of == id => Some(missing),
            _ => None,
        })
    })
    .await;
    assert_eq!(missing, 3);
    assert!(peers[0].seen().left.is_empty(), "refusing is no offence");
    assert_eq!(node.status().await.tip, next.id());
    node.stop();
}
