//! A network of four authorities that falls apart and comes together again. Who can hear whom is a
//! matter of whom each node was told to dial; to heal is to start one node again with others to dial.

use crate::follower::{Follower, Net, now_ms, until};
use hearsay_node::trace::event::Event;
use hearsay_tests::makers::Makers;

const SLOT_MS: u64 = 200;

/// Blocks that each side makes by itself.
const APART: u64 = 8;

fn network() -> Net {
    Net::new(Makers::new("apart", (4, 1), (now_ms() - SLOT_MS, SLOT_MS)))
}

/// Starts one authority after the other, each dialling those before it.
async fn start_side(net: &Net, places: &[usize]) -> Vec<Follower> {
    let (mut nodes, mut addresses) = (Vec::new(), Vec::new());
    for place in places {
        let node = net.start(*place, Some(*place), &addresses).await;
        addresses.push(node.address().await);
        nodes.push(node);
    }
    nodes
}

/// Waits until all have one tip, above which something new became final.
async fn wait_for_one_tip(nodes: &[&Follower]) {
    let high = nodes[0].status().await.height;
    until("one tip, and finality above the split", async || {
        let first = nodes[0].status().await;
        for node in &nodes[1..] {
            if node.status().await.tip != first.tip {
                return None;
            }
        }
        (first.final_height > high).then_some(())
    })
    .await;
}

/// The deepest move of the tip in a node's log.
fn deepest(node: &Follower) -> u64 {
    let depths = node.events().into_iter().filter_map(|event| match event {
        Event::Tip { depth, .. } => Some(depth),
        _ => None,
    });
    depths.max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_halves_finalise_nothing_and_heal_to_one_tip() {
    let net = network();
    let left = start_side(&net, &[0, 1]).await;
    let mut right = start_side(&net, &[2, 3]).await;
    for node in left.iter().chain(&right) {
        let status = until("blocks of its own side", async || {
            let status = node.status().await;
            (status.height >= APART).then_some(status)
        })
        .await;
        assert_eq!(status.final_height, 0, "two of four are no majority");
    }
    assert_ne!(left[0].status().await.tip, right[0].status().await.tip);
    right.pop().unwrap().stop();
    let bridge = [left[0].address().await, right[0].address().await];
    right.push(net.start(3, Some(3), &bridge).await);
    let all: Vec<&Follower> = left.iter().chain(&right).collect();
    wait_for_one_tip(&all).await;
    // Which side gives way is a matter of ids; the node between them may even do so twice.
    until("one side's move in the log", async || {
        all.iter().any(|node| deepest(node) >= APART).then_some(())
    })
    .await;
    left.into_iter().chain(right).for_each(Follower::stop);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_of_four_go_on_finalising_and_the_fourth_follows_them_when_it_is_back() {
    let net = network();
    let many = start_side(&net, &[0, 1, 2]).await;
    let one = net.start(3, Some(3), &[]).await;
    let alone = until("blocks of its own", async || {
        let status = one.status().await;
        (status.height >= APART / 2).then_some(status)
    })
    .await;
    assert_eq!(alone.final_height, 0);
    let finals = until("finality among three", async || {
        let status = many[0].status().await;
        (status.final_height >= APART && status.height > alone.height).then_some(status)
    })
    .await;
    one.stop();
    let one = net.start(3, Some(3), &[many[0].address().await]).await;
    let all: Vec<&Follower> = many.iter().chain([&one]).collect();
    wait_for_one_tip(&all).await;
    until("its own blocks to be undone", async || (deepest(&one) >= APART / 2).then_some(())).await;
    assert!(many.iter().all(|node| deepest(node) < APART / 2), "nobody follows the one");
    let mut kept = 0;
    for event in many[0].events() {
        if let Event::Final { height, id, .. } = event
            && height <= finals.final_height
        {
            let there = one.block_at(height).await;
            assert_eq!(there, id, "what was final at {height} is final everywhere");
            kept += 1;
        }
    }
    assert!(kept >= APART);
    many.into_iter().chain([one]).for_each(Follower::stop);
}
