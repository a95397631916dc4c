//! Blocks meant to harm: an authority that makes several in one slot, and a flood of orphans.

use hearsay_chain::{BlockId, VerifiedBlock};
use hearsay_node::trace::event::Event;
use hearsay_tests::makers::Makers;
use hearsay_tests::peer::{Manner, Peer, fresh_chain};

use crate::follower::{Follower, Net, now_ms, until};

const SLOT_MS: u64 = 200;

async fn peer_at(net: &Net, number: u8, node: &Follower) -> Peer {
    let chain = fresh_chain(net.makers.genesis()).unwrap();
    let peer = Peer::start(number, chain, Manner::Honest, vec![node.address().await]).await;
    let peer = peer.unwrap();
    until("the node to listen", async || peer.is_heard().then_some(())).await;
    peer
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_makes_four_blocks_in_a_slot_splits_nobody() {
    let net = Net::new(Makers::new("twice", (2, 8), (now_ms() - 60_000, SLOT_MS)));
    let a = net.start(0, None, &[]).await;
    let b = net.start(1, None, &[a.address().await]).await;
    let c = net.start(2, None, &[a.address().await, b.address().await]).await;
    let nodes = [&a, &b, &c];
    let (mut senders, mut listeners) = (Vec::new(), Vec::new());
    for (number, node) in (1..).zip(nodes) {
        senders.push(peer_at(&net, number, node).await);
        listeners.push(peer_at(&net, 10 + number, node).await);
    }
    let base = net.makers.line(3, 0);
    for block in &base {
        senders[0].publish_block(block).await.unwrap();
    }
    for node in nodes {
        node.wait_for_tip(&base[2]).await;
    }
    // Eight blocks in one slot, by id: the smaller, the better.
    let parent = (base[2].id(), base[2].height());
    let mut twins: Vec<VerifiedBlock> =
        (0..8).map(|s| net.makers.block(parent, 5, vec![net.makers.payment(s, 0)])).collect();
    twins.sort_by_key(VerifiedBlock::id);
    senders[0].publish_block(&twins[4]).await.unwrap();
    senders[1].publish_block(&twins[5]).await.unwrap();
    for node in nodes {
        let proof = until("the proof", async || {
            node.events().into_iter().find_map(|event| match event {
                Event::Equivocation { slot, first, second, .. } => Some((slot, first, second)),
                _ => None,
            })
        })
        .await;
        let ids = [&twins[4], &twins[5]].map(|block| block.id().to_string());
        assert_eq!(proof, (5, ids[0].clone(), ids[1].clone()));
        node.wait_for_tip(&twins[4]).await;
    }
    // A third one that beats the tip, so that one node takes it; and a fourth that does not.
    senders[2].publish_block(&twins[0]).await.unwrap();
    senders[0].publish_block(&twins[7]).await.unwrap();
    for node in nodes {
        node.wait_for_tip(&twins[0]).await;
    }
    for listener in &listeners {
        let seen = listener.seen();
        let relayed: Vec<BlockId> = twins
            .iter()
            .map(VerifiedBlock::id)
            .filter(|id| seen.copies.contains_key(&id.0))
            .collect();
        assert_eq!(relayed, [twins[4].id(), twins[5].id()], "two blocks of the slot are relayed");
    }
    for node in nodes {
        let proofs = node.events().into_iter();
        let proofs = proofs.filter(|event| matches!(event, Event::Equivocation { .. }));
        assert_eq!(proofs.count(), 1, "one proof is enough");
    }
    a.stop();
    b.stop();
    c.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_orphans_costs_bounded_memory_and_holds_no_honest_block_up() {
    const WAVE: u64 = 200;
    const WAVES: u64 = 4;
    // A peer keeps 32 MiB of what it pushes at hand; this is 14 MB.
    const AT_ONCE: u64 = 50;
    let net = Net::new(Makers::new("flood", (2, 4), (now_ms() - 600_000, SLOT_MS)));
    // Gossip keeps whatever it hears for six heartbeats; short ones make that little.
    let node = net.start_with(0, &["--gossip-heartbeat-ms", "100"]).await;
    let (flooder, honest) = (peer_at(&net, 1, &node).await, peer_at(&net, 2, &node).await);
    let payments: Vec<_> = (0..1_300).map(|nonce| net.makers.payment(0, nonce)).collect();
    let line = net.makers.line(WAVES, 1);
    let (mut bytes, mut peaks) = (0, Vec::new());
    for (wave, block) in (0..).zip(&line) {
        let mut peak = 0;
        for n in 0..WAVE {
            let slot = 10 + wave * WAVE + n;
            let nowhere = (BlockId([u8::try_from(n).unwrap(); 32]), 5);
            let orphan = net.makers.block(nowhere, slot, payments.clone());
            bytes += orphan.size() as u64;
            flooder.publish_block(&orphan).await.unwrap();
            if n % AT_ONCE == AT_ONCE - 1 {
                until("what was sent to be judged", async || {
                    peak = peak.max(node.memory());
                    (node.status().await.verdicts.ignore > wave * WAVE + n).then_some(())
                })
                .await;
            }
        }
        honest.publish_block(block).await.unwrap();
        node.wait_for_tip(block).await;
        peaks.push(peak.max(node.memory()));
    }
    // What is kept of the first wave is all that is kept: the same again would show.
    let more = peaks[3].saturating_sub(peaks[0]);
    assert!(more < bytes / WAVES / 2, "{bytes} bytes, of which memory shows {peaks:?}");
    node.stop();
}
