//! A node that is far behind: with honest peers, after a kill, and among liars.

use std::collections::BTreeSet;
use std::time::Duration;

use hearsay_chain::VerifiedBlock;
use hearsay_node::api::TxStatus;
use hearsay_node::rpc::{HexBytes, RpcClient};
use hearsay_node::trace::event::Event;
use hearsay_tests::makers::Makers;
use hearsay_tests::peer::{Manner, Peer, chain_of};
use hearsay_tests::storm::examine;

use crate::follower::{Net, Synced, now_ms, until};

const SLOT_MS: u64 = 200;

/// A network that began so long ago that a chain of `height` blocks has slots of its own.
fn old_network(authorities: usize, height: u64) -> Makers {
    let began = now_ms() - (height + 5) * SLOT_MS;
    Makers::new("old", (authorities, 4), (began, SLOT_MS))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_joins_late_catches_up_from_several_peers_while_the_chain_goes_on() {
    const HEIGHT: u64 = 500;
    const PAYMENTS: usize = 20;
    let net = Net::new(old_network(2, HEIGHT));
    let line = net.makers.line(HEIGHT, PAYMENTS);
    net.fill(0, &line);
    net.fill(1, &line);
    let a = net.start(0, Some(0), &[]).await;
    let b = net.start(1, Some(1), &[a.address().await]).await;
    let load = {
        let (client, makers) = (a.client.clone(), net.makers.clone());
        let first = HEIGHT * PAYMENTS as u64 / makers.senders() as u64;
        tokio::spawn(async move {
            for nonce in first.. {
                for sender in 0..makers.senders() {
                    let tx = HexBytes(makers.payment(sender, nonce).encode());
                    client.tx_submit(tx, None).await.expect("the node takes it");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        })
    };
    until("new blocks", async || (b.status().await.height > HEIGHT).then_some(())).await;
    let c = net.start(2, None, &[a.address().await, b.address().await]).await;
    let mut progress = Vec::new();
    until("the late node to have the old chain", async || {
        let status = c.status().await;
        progress.extend(status.sync);
        (status.height > HEIGHT).then_some(())
    })
    .await;
    assert!(!progress.is_empty(), "the status shows progress");
    assert!(progress.iter().all(|sync| sync.headers >= sync.height && sync.target >= sync.headers));
    assert!(progress.iter().any(|sync| sync.headers > sync.height), "headers come first");
    assert!(progress.windows(2).all(|two| two[0].height <= two[1].height), "{progress:?}");
    let met = until("one tip", async || {
        let (a, b, c) = (a.status().await, b.status().await, c.status().await);
        (a.tip == c.tip && b.tip == c.tip && c.height > HEIGHT + 3).then_some(c)
    })
    .await;
    load.abort();
    assert!(met.final_height > HEIGHT, "{met:?}");
    let givers: BTreeSet<String> = c.synced().into_values().flatten().collect();
    assert!(givers.len() >= 2, "bodies came from {givers:?}");
    let paid = net.makers.payment(0, HEIGHT * PAYMENTS as u64 / 4).id();
    until("what was paid meanwhile", async || {
        let status = c.client.tx_status(paid).await.unwrap();
        matches!(status, TxStatus::Included { .. } | TxStatus::Final { .. }).then_some(())
    })
    .await;
    a.stop();
    b.stop();
    c.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_killed_while_it_catches_up_goes_on_where_it_was() {
    const HEIGHT: u64 = 1_200;
    let net = Net::new(old_network(2, HEIGHT));
    let line = net.makers.line(HEIGHT, 0);
    // Slow enough that the kill comes in time: 64 blocks in 80 ms.
    let slow = Manner::Slow(Duration::from_millis(80));
    let mut peers = Vec::new();
    for number in [1, 2] {
        let chain = chain_of(net.makers.genesis(), &line).unwrap();
        peers.push(Peer::start(number, chain, slow, vec![]).await.unwrap());
    }
    let addresses: Vec<_> = peers.iter().map(|peer| peer.address.clone()).collect();
    let mut node = net.start(0, None, &addresses).await;
    until("a part of the chain", async || (node.status().await.height >= 200).then_some(())).await;
    node.kill();
    let before = node.synced();
    peers.iter().for_each(|peer| peer.seen().asked.clear());
    let kept = examine(&net.store(0), net.makers.genesis()).unwrap().ends.unwrap().height;
    assert!((200..HEIGHT).contains(&kept), "killed at {kept} of {HEIGHT}");
    let node = net.start(0, None, &addresses).await;
    node.wait_for_tip(&line[line.len() - 1]).await;
    let times = |synced: &Synced, block: &VerifiedBlock| {
        synced.get(&block.id().to_string()).map_or(0, Vec::len)
    };
    // The log is written a moment after the event.
    let (old, rest) = line.split_at(usize::try_from(kept).unwrap());
    let after = until("the rest to be in the log", async || {
        let after = node.synced();
        rest.iter().all(|block| times(&after, block) > times(&before, block)).then_some(after)
    })
    .await;
    let asked = |block: &VerifiedBlock| {
        peers.iter().any(|peer| peer.seen().asked.contains_key(&block.id()))
    };
    for block in old {
        let again = times(&after, block) - times(&before, block);
        assert_eq!(again, 0, "block {} of {kept} was received again", block.height());
        assert!(!asked(block), "block {} of {kept} was asked for again", block.height());
    }
    assert!(rest.iter().all(asked));
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn liars_are_turned_away_and_the_idle_are_passed_over() {
    const HEIGHT: u64 = 600;
    let net = Net::new(old_network(2, HEIGHT + 10));
    let line = net.makers.line(HEIGHT + 10, 2);
    let honest = &line[..line.len() - 10];
    let manners = [
        // Above the honest chain, so that it is asked for headers in any case.
        (Manner::FalseHeaders, &line[..]),
        (Manner::FalseBodies, honest),
        (Manner::Silent, honest),
        (Manner::Slow(Duration::from_secs(2)), honest),
        (Manner::Honest, honest),
    ];
    let mut peers = Vec::new();
    for (number, (manner, blocks)) in (1..).zip(manners) {
        let chain = chain_of(net.makers.genesis(), blocks).unwrap();
        peers.push(Peer::start(number, chain, manner, vec![]).await.unwrap());
    }
    let addresses: Vec<_> = peers.iter().map(|peer| peer.address.clone()).collect();
    let node = net.start(0, None, &addresses).await;
    node.wait_for_tip(&honest[honest.len() - 1]).await;
    let penalised = until("both liars to be turned away", async || {
        let penalised: BTreeSet<(String, String)> = node
            .events()
            .into_iter()
            .filter_map(|event| match event {
                Event::Penalised { peer, reason, .. } => Some((peer, reason)),
                _ => None,
            })
            .collect();
        (penalised.len() >= 2).then_some(penalised)
    })
    .await;
    let expected = [(&peers[0], "false-headers"), (&peers[1], "false-bodies")];
    let expected = expected.map(|(peer, reason)| (peer.id.to_string(), reason.to_owned()));
    assert_eq!(penalised, expected.into());
    for liar in &peers[..2] {
        until("the liar to be disconnected", async || (!liar.seen().left.is_empty()).then_some(()))
            .await;
    }
    assert!(peers[2..].iter().all(|peer| peer.seen().left.is_empty()), "nobody else is");
    assert_eq!(node.status().await.tip, honest[honest.len() - 1].id());
    node.stop();
}
