//! The chain and its forks.

use hearsay_node::trace::event::{Event, Kind::Block};

use super::*;

const S: i64 = 1_000_000;

/// Three nodes. Block b1 on the genesis at 2 s, b2 on it at 4 s, both everywhere within 10 ms.
fn chain() -> Lab {
    let mut lab = Lab::new(3);
    for (block, at) in [(1, 2 * S), (2, 4 * S)] {
        lab.publish("n0", at, Block, block).tip("n0", at, block, block.into(), block - 1, 0);
        for (node, after) in [("n1", 5_000), ("n2", 10_000)] {
            lab.receive(node, at + after, Block, block, "n0");
            lab.tip(node, at + after + 1_000, block, block.into(), block - 1, 0);
        }
    }
    lab
}

fn finalise(lab: &mut Lab, node: &str, us: i64, byte: u8) {
    let (kind, id, height) = (Block, id(byte), byte.into());
    lab.event(node, us, Event::Final { kind, id, height });
}

#[test]
fn a_chain_without_forks_has_one_tip_no_stale_block_and_known_times_to_the_tip() {
    let mut lab = chain();
    for node in ["n0", "n1", "n2"] {
        finalise(&mut lab, node, 5 * S, 1);
    }
    finalise(&mut lab, "n1", 6 * S, 2);
    let report = lab.report();
    let expected = Chain {
        height: Some(2),
        height_max: Some(2),
        final_height: Some(1),
        final_max: Some(2),
        same_tip: Some(true),
    };
    assert_eq!(report.chain, expected);
    let forks = report.block.forks;
    assert_eq!((forks.stale, forks.stale_rate), (Some(0), Some(0.0)));
    assert_eq!((forks.max_reorg, forks.reorgs), (0, 0));
    assert_eq!(forks.to_tip_ms.p50, Some(6.0));
    assert_eq!(forks.to_tip_ms.max, Some(11.0));
    assert_eq!(forks.interval_ms.p99, Some(2_000.0));
    assert_eq!(report.block.spread.coverage, Some(1.0));
    assert_eq!(report.block.spread.latency_ms.max, Some(10.0));
}

/// After [`chain`], n0 and n1 both build on b2: n0 makes b4, and n1 0.5 s later b3, which n2
/// follows. Then n0 builds b5 on b4, and the others change over.
fn fork() -> Lab {
    let mut lab = chain();
    let late = 6 * S + S / 2;
    lab.publish("n0", 6 * S, Block, 4).tip("n0", 6 * S, 4, 3, 2, 0);
    lab.publish("n1", late, Block, 3).tip("n1", late, 3, 3, 2, 0);
    lab.receive("n2", late + 1_000, Block, 3, "n1").tip("n2", late + 1_000, 3, 3, 2, 0);
    lab.publish("n0", 7 * S, Block, 5).tip("n0", 7 * S, 5, 4, 4, 0);
    for node in ["n1", "n2"] {
        lab.receive(node, 7 * S + 1_000, Block, 5, "n0");
        lab.tip(node, 7 * S + 2_000, 5, 4, 3, 1);
    }
    lab
}

#[test]
fn a_fork_of_one_block_leaves_one_stale_block_and_a_reorg_of_depth_one() {
    let report = fork().report();
    let forks = report.block.forks;
    assert_eq!(report.block.spread.published, 5);
    assert_eq!(forks.stale, Some(1));
    assert_eq!(forks.stale_rate, Some(0.2));
    assert_eq!((forks.reorgs, forks.max_reorg), (2, 1));
    assert_eq!(report.chain.same_tip, Some(true));
    assert_eq!(report.chain.height, Some(4));
    // b1 2 s, b2 4 s, b4 6 s, b5 7 s: 2, 2 and 1 between them. The stale b3 is no part of it.
    assert_eq!((forks.interval_ms.p50, forks.interval_ms.p99), (Some(2_000.0), Some(2_000.0)));
}

#[test]
fn a_reorg_before_the_window_is_not_counted() {
    let mut lab = fork();
    lab.measure(7 * S + 3_000, 9 * S);
    let forks = lab.report().block.forks;
    assert_eq!((forks.reorgs, forks.max_reorg), (0, 0));
}

#[test]
fn nodes_on_two_branches_do_not_have_the_same_tip() {
    let mut lab = chain();
    lab.publish("n0", 6 * S, Block, 4).tip("n0", 6 * S, 4, 3, 2, 0);
    lab.publish("n1", 7 * S, Block, 3).tip("n1", 7 * S, 3, 3, 2, 0);
    lab.tip("n2", 7 * S, 3, 3, 2, 0);
    let report = lab.report();
    assert_eq!(report.chain.same_tip, Some(false));
    assert_eq!(report.chain.height, Some(3));
    assert_eq!(report.block.forks.stale, Some(1));
    // Of two tips of one height the smaller id is the better one: b3, three seconds after b2.
    assert_eq!(report.block.forks.interval_ms.p99, Some(3_000.0));
}

#[test]
fn a_node_that_is_behind_keeps_the_height_down() {
    let mut lab = chain();
    for node in ["n0", "n1"] {
        lab.tip(node, 6 * S, 3, 3, 2, 0);
    }
    let chain = lab.report().chain;
    assert_eq!((chain.height, chain.height_max), (Some(2), Some(3)));
    assert_eq!(chain.same_tip, Some(false));
}

#[test]
fn what_happens_after_the_close_does_not_change_the_chain() {
    let mut lab = chain();
    lab.measure(S, 8 * S);
    lab.tip("n0", 6 * S, 3, 3, 2, 0);
    for node in ["n1", "n2"] {
        lab.tip(node, 8 * S + 1, 3, 3, 2, 0);
    }
    for node in ["n0", "n1", "n2"] {
        finalise(&mut lab, node, 8 * S, 1);
        finalise(&mut lab, node, 8 * S + 1, 2);
    }
    let chain = lab.report().chain;
    assert_eq!(chain.same_tip, Some(false));
    assert_eq!((chain.final_height, chain.final_max), (Some(1), Some(1)));
}

#[test]
fn a_block_that_died_with_its_producer_is_stale() {
    let mut lab = chain();
    lab.start("n3", 0).publish("n3", 6 * S, Block, 3).tip("n3", 6 * S, 3, 3, 2, 0);
    let forks = lab.report().block.forks;
    assert_eq!(forks.stale, Some(1));
}

#[test]
fn a_block_that_was_nobody_s_tip_is_stale_if_the_chain_is_known_without_a_gap() {
    let mut lab = chain();
    lab.publish("n1", 4 * S, Block, 9);
    assert_eq!(lab.report().block.forks.stale, Some(1));
    for node in ["n0", "n1", "n2"] {
        lab.tip(node, 6 * S, 5, 5, 2, 0);
    }
    // With b1 and b2 beyond doubt, it may still be b3 or b4.
    for block in [1, 2] {
        finalise(&mut lab, "n1", 7 * S, block);
    }
    assert_eq!(lab.report().block.forks.stale, None);
}

#[test]
fn a_block_that_is_just_under_way_at_the_close_is_no_disagreement() {
    let mut lab = chain();
    lab.measure(S, 8 * S);
    lab.publish("n0", 8 * S - 100_000, Block, 3).tip("n0", 8 * S - 100_000, 3, 3, 2, 0);
    assert_eq!(lab.report().chain.same_tip, Some(true));
    // The same block, published a second earlier, had its time.
    let mut lab = chain();
    lab.measure(S, 8 * S);
    lab.publish("n0", 7 * S, Block, 3).tip("n0", 7 * S, 3, 3, 2, 0);
    assert_eq!(lab.report().chain.same_tip, Some(false));
}

#[test]
fn the_tip_is_looked_at_as_long_as_all_nodes_run() {
    let mut lab = Lab::new(2);
    lab.start("n2", 0).tip("n2", 2 * S, 1, 1, 0, 0).stop("n2", 8 * S);
    for node in ["n0", "n1"] {
        lab.tip(node, 2 * S, 1, 1, 0, 0);
        // After n2 stopped; it cannot be held against n2.
        lab.tip(node, 8 * S + 1, 2, 2, 1, 0);
    }
    let report = lab.report();
    assert_eq!(report.chain.same_tip, Some(true));
    assert_eq!(report.chain.height_max, Some(1));
}

#[test]
fn a_block_whose_place_is_in_a_gap_of_the_logs_makes_the_stale_count_absent() {
    let mut lab = Lab::new(2);
    lab.publish("n0", 2 * S, Block, 1).tip("n0", 2 * S, 1, 1, 0, 0);
    // Both jump from b1 to b4 while catching up: what lies between is in no log.
    for node in ["n0", "n1"] {
        lab.tip(node, 5 * S, 4, 4, 1, 0);
    }
    assert_eq!(lab.report().block.forks.stale, None);
    // Once it is final there is no doubt.
    finalise(&mut lab, "n1", 6 * S, 1);
    assert_eq!(lab.report().block.forks.stale, Some(0));
}
