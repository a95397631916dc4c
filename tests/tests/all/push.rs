//! Nodes that push to each other, and what lives beside them: plain clients of gossipsub and nodes
//! in other modes. On real connections over loopback.

mod node;

use hearsay_network::{Mode, Route, Topic};

use self::node::{GENESIS, LARGEST, Node, Plan};
use crate::plain::Plain;

#[tokio::test]
async fn nodes_that_push_leave_gossipsub_silent_between_them() {
    let a = Node::start(1, Mode::Lean, &[]).await;
    let b = Node::start(2, Mode::Lean, &[&a]).await;
    a.heard_by(1).await;
    b.heard_by(1).await;
    for number in 0..20u32 {
        a.publish(Topic::Tx, &number.to_le_bytes()).await;
    }
    b.publish(Topic::Block, b"a block").await;
    a.has(b"a block").await;
    b.until("all", |seen| seen.contents.len() == 20).await;
    let ids: Vec<_> =
        (0..20u32).map(|number| Topic::Tx.content_id(&number.to_le_bytes())).collect();
    a.until("acknowledgements", |seen| ids.iter().all(|id| seen.taken.contains(id))).await;
    for node in [&a, &b] {
        assert_eq!(node.seen().routes, [Route::Push].into());
        assert_eq!((node.seen().unheard, node.seen().dropped.len()), (0, 0));
        let view = &node.peers().await[0];
        assert_eq!(view.route, Route::Push);
        assert!(!view.mesh_tx && !view.mesh_block);
        assert!(view.control_sent > 0 && view.control_received > 0);
    }
    let (at_a, at_b) = (&a.peers().await[0], &b.peers().await[0]);
    assert_eq!((at_a.sent_copies, at_a.sent_bytes), (20, 80));
    assert_eq!((at_b.eager, at_b.eager_bytes), (20, 80));
    assert_eq!((at_a.eager, at_b.lazy), (1, 0));
}

#[tokio::test]
async fn in_a_ring_each_message_comes_once_when_a_few_have_shown_the_way() {
    let a = Node::start(1, Mode::Lean, &[]).await;
    let b = Node::start(2, Mode::Lean, &[&a]).await;
    let c = Node::start(3, Mode::Lean, &[&a, &b]).await;
    for node in [&a, &b, &c] {
        node.heard_by(2).await;
    }
    let (first, all) = (20u32, 60u32);
    let mut before = 0;
    for number in 0..all {
        if number == first {
            before = b.seen().copies.len() + c.seen().copies.len();
        }
        a.publish(Topic::Tx, &number.to_le_bytes()).await;
        b.has(&number.to_le_bytes()).await;
        c.has(&number.to_le_bytes()).await;
    }
    let copies = b.seen().copies.len() + c.seen().copies.len() - before;
    let ideal = 2 * (all - first) as usize;
    assert!(copies <= ideal + ideal / 10, "{copies} copies, where {ideal} suffice");
}

#[tokio::test]
async fn a_plain_client_hears_all_that_nodes_publish_and_all_nodes_hear_it() {
    let a = Node::start(1, Mode::Lean, &[]).await;
    let b = Node::start(2, Mode::Lean, &[&a]).await;
    let c = Node::start(3, Mode::Lean, &[&b]).await;
    a.heard_by(1).await;
    c.heard_by(1).await;
    let mut plain = Plain::connect(GENESIS, b.address.clone()).await;
    b.heard_by(3).await;
    plain.heard().await;
    a.publish(Topic::Tx, b"from a").await;
    c.publish(Topic::Block, b"from c").await;
    plain.has(Topic::Tx, b"from a").await;
    plain.has(Topic::Block, b"from c").await;
    plain.publish(Topic::Tx, &[b"one".to_vec(), b"two".to_vec()]);
    plain.publish(Topic::Block, &[b"a plain block".to_vec()]);
    let heard = async {
        for node in [&a, &b, &c] {
            for data in [b"one".as_slice(), b"two", b"a plain block"] {
                node.has(data).await;
            }
        }
    };
    tokio::select! {
        () = heard => {}
        () = plain.run() => {}
    }
    let view = b.peers().await.into_iter().find(|view| view.peer == plain.id());
    assert!(view.is_none(), "it says nothing of the network it is of, so it has not joined");
    assert_eq!(b.peers().await.len(), 2);
}

#[tokio::test]
async fn nodes_of_all_modes_are_one_network() {
    let modes = [Mode::Lean, Mode::Flood, Mode::Lean, Mode::Bundled, Mode::Announce, Mode::Lean];
    let mut nodes: Vec<Node> = Vec::new();
    for (number, mode) in (1..).zip(modes) {
        let last: Vec<&Node> = nodes.last().into_iter().collect();
        nodes.push(Node::start(number, mode, &last).await);
    }
    for (place, node) in nodes.iter().enumerate() {
        let ends = place == 0 || place == nodes.len() - 1;
        node.heard_by(if ends { 1 } else { 2 }).await;
        node.reaches_all().await;
    }
    for node in &nodes {
        node.publish(Topic::Tx, node.id.to_bytes().as_slice()).await;
        node.publish(Topic::Block, format!("block of {}", node.id).as_bytes()).await;
    }
    for node in &nodes {
        for other in nodes.iter().filter(|other| other.id != node.id) {
            node.has(&other.id.to_bytes()).await;
            node.has(format!("block of {}", other.id).as_bytes()).await;
        }
        assert!(node.seen().offences.is_empty());
    }
}

#[tokio::test]
async fn an_engine_that_judges_late_is_waited_for_and_misses_nothing() {
    const COUNT: usize = 5_000;
    let a = Node::start(1, Mode::Lean, &[]).await;
    let b = Node::start(2, Plan { judges: false, ..Mode::Lean.into() }, &[&a]).await;
    a.heard_by(1).await;
    b.heard_by(1).await;
    for number in 0..COUNT {
        a.publish(Topic::Tx, &number.to_le_bytes().repeat(25)).await;
    }
    a.until("all to have left", |seen| seen.published == COUNT).await;
    b.until("as many as may wait", |seen| seen.contents.len() >= 1_024).await;
    // The frame that crosses the bound is the last one, and carries 16 KiB at most.
    let waiting = b.seen().contents.len();
    assert!(waiting <= 1_024 + 16 * 1_024 / 200, "{waiting} wait for a verdict");
    b.judge_from_now_on();
    b.until("all", |seen| seen.contents.len() == COUNT).await;
    a.until("acknowledgements", |seen| seen.taken.len() == COUNT).await;
    for node in [&a, &b] {
        assert_eq!(node.seen().dropped, [].into());
    }
    assert!(b.seen().contents.values().all(|verdicts| *verdicts == 1));
}

#[tokio::test]
async fn who_joins_hears_of_what_was_published_a_moment_before() {
    let a = Node::start(1, Mode::Lean, &[]).await;
    let b = Node::start(2, Mode::Lean, &[&a]).await;
    a.heard_by(1).await;
    a.publish(Topic::Tx, b"before").await;
    b.has(b"before").await;
    let c = Node::start(3, Mode::Lean, &[&b]).await;
    c.has(b"before").await;
}

#[tokio::test]
async fn a_frame_beyond_the_limit_is_an_offence_and_others_go_on() {
    let a = Node::start(1, Mode::Lean, &[]).await;
    let b = Node::start(2, Mode::Lean, &[&a]).await;
    let hostile = Plan { largest: 8 * LARGEST, ..Mode::Lean.into() };
    let hostile = Node::start(66, hostile, &[&a]).await;
    a.heard_by(2).await;
    hostile.heard_by(1).await;
    hostile.publish(Topic::Block, &vec![1; 2 * LARGEST]).await;
    a.until("an offence", |seen| !seen.offences.is_empty()).await;
    assert_eq!(a.seen().offences[0], (hostile.id, "a frame beyond the limit"));
    a.publish(Topic::Tx, b"on").await;
    b.has(b"on").await;
}
