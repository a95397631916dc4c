//! Forks among many engines: partitions, lotteries, authorities that make two blocks in one slot, and
//! orphans.

use hearsay_chain::genesis::Schedule;
use hearsay_chain::{BlockId, Store, Verdict, VerifiedBlock, codec};
use hearsay_network::Topic;

use super::sim::{MS, SECOND, Sim, authority};

#[test]
fn the_part_with_more_than_two_thirds_goes_on_and_wins() {
    let mut sim = Sim::new(21, 4, 4);
    sim.connect(&[(0, 1), (1, 2), (0, 2)]);
    sim.load(40, 100 * MS);
    sim.run_until(30 * SECOND + 500 * MS);
    let apart = sim.final_heights();
    assert!(apart[0] >= 15 && apart[0] == apart[1] && apart[1] == apart[2], "{apart:?}");
    assert_eq!(apart[3], 0, "one of four finalises nothing");
    let kept = sim.main_ids(0, apart[0]);
    sim.connect(&[(3, 0), (3, 1)]);
    sim.run_until(45 * SECOND + 500 * MS);
    let tips = sim.tips();
    assert!(tips.iter().all(|tip| *tip == tips[0]), "{tips:?}");
    for node in 0..4 {
        assert_eq!(sim.main_ids(node, apart[0]), kept, "node {node} lost a final block");
        assert!(sim.final_heights()[node] > apart[0]);
    }
}

#[test]
fn a_lottery_forks_and_all_nodes_still_agree() {
    let mut sim = Sim::with_schedule(5, 6, 6, Schedule::Lottery { per_mille: 300 });
    sim.connect_all();
    sim.load(60, 200 * MS);
    sim.run_until(120 * SECOND + 300 * MS);
    sim.stop_producing();
    sim.run_until(130 * SECOND);
    let tips = sim.tips();
    assert!(tips.iter().all(|tip| *tip == tips[0]), "{tips:?}");
    assert!(tips[0].height > 40, "{tips:?}");
    assert!(sim.deepest_reorg() >= 1, "no fork in 120 slots with six tickets each");
    assert!(sim.final_heights().iter().all(|height| *height > 30));
    for node in 0..6 {
        assert_eq!(sim.included(node), 60, "node {node}");
        let ends = sim.ends(node);
        let side = sim.store(node).side(0, ends.final_height).unwrap();
        assert!(side.is_empty(), "node {node} keeps branches below its final block: {side:?}");
    }
}

#[test]
fn with_finality_out_of_reach_side_branches_stay_and_the_tips_still_agree() {
    let mut sim = Sim::with_schedule(6, 3, 9, Schedule::Lottery { per_mille: 400 });
    sim.connect_all();
    sim.run_until(60 * SECOND);
    sim.stop_producing();
    sim.run_until(70 * SECOND);
    let tips = sim.tips();
    assert!(tips.iter().all(|tip| *tip == tips[0]), "{tips:?}");
    assert_eq!(sim.final_heights(), [0, 0, 0]);
    assert!(!sim.store(0).side(0, u64::MAX).unwrap().is_empty());
}

/// Blocks that one authority makes for one slot on top of a block, each with another transaction.
fn equivocations(sim: &Sim, parent: (BlockId, u64), slot: u64, count: u64) -> Vec<VerifiedBlock> {
    let key = authority((slot % 4) as usize);
    let chain = sim.genesis.chain();
    let mut blocks: Vec<_> = (0..count)
        .map(|number| {
            let txs = sim.verified_transfer(3, 0, number);
            VerifiedBlock::propose(chain, parent, slot, vec![txs], &key)
        })
        .collect();
    blocks.sort_by_key(VerifiedBlock::id);
    blocks
}

#[test]
fn an_authority_that_makes_many_blocks_in_one_slot_splits_nobody_and_two_are_relayed() {
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let mut sim = Sim::new(9, 5, 4);
        sim.connect_all();
        // Slot 5 belongs to authority 1, whose node is switched off.
        sim.stop_producing_at(1);
        sim.run_until(5 * SECOND + 100 * MS);
        let tip = sim.tips()[0];
        let blocks = equivocations(&sim, (tip.id, tip.height), 5, 4);
        for (target, number) in order.into_iter().enumerate() {
            let data = hearsay_network::compact::BlockMessage::whole(&codec::encode(
                &blocks[number].to_block(),
            ));
            // Each to another node first, as from a peer of the attacker's.
            sim.arrive(target, Topic::Block, data, 4);
        }
        sim.run_until(5 * SECOND + 900 * MS);
        sim.assert_one_verdict_each();
        let ids: Vec<BlockId> = blocks.iter().map(VerifiedBlock::id).collect();
        for node in 0..5 {
            let relayed = ids.iter().filter(|id| sim.accepted(node, id)).count();
            assert!(relayed <= 2, "node {node} relayed {relayed} blocks for one slot");
            assert_eq!(sim.store(node).evidence_from(0, 9).unwrap().len(), 1, "node {node}");
            assert!(sim.store(node).evidence_from(0, 9).unwrap()[0].holds());
        }
        sim.run_until(20 * SECOND + 500 * MS);
        let tips = sim.tips();
        assert!(tips.iter().all(|tip| *tip == tips[0]), "{tips:?}");
        assert!(sim.final_heights().iter().all(|height| *height > 6));
        assert_eq!(sim.verdicts(Verdict::Reject), 0);
    }
}

#[test]
fn orphans_are_adopted_in_one_go_when_the_parent_arrives() {
    let mut sim = Sim::new(4, 2, 4);
    // Nobody is connected, so nothing can be asked for.
    sim.stop_producing_at(0);
    sim.stop_producing_at(1);
    sim.run_until(20 * SECOND);
    let mut parent = (sim.genesis.block().id(), 0);
    let blocks: Vec<VerifiedBlock> = (1..=8)
        .map(|slot| {
            let key = authority(slot as usize % 4);
            let block = VerifiedBlock::propose(sim.genesis.chain(), parent, slot, vec![], &key);
            parent = (block.id(), block.height());
            block
        })
        .collect();
    for block in blocks[1..].iter().rev() {
        sim.arrive(
            0,
            Topic::Block,
            hearsay_network::compact::BlockMessage::whole(&codec::encode(&block.to_block())),
            1,
        );
        sim.run_until(sim.now() + MS);
        assert_eq!(sim.tips()[0].height, 0);
    }
    let changes = sim.tip_changes(0);
    sim.arrive(
        0,
        Topic::Block,
        hearsay_network::compact::BlockMessage::whole(&codec::encode(&blocks[0].to_block())),
        1,
    );
    sim.run_until(sim.now() + 10 * MS);
    assert_eq!(sim.tips()[0].height, 8);
    assert_eq!(sim.tip_changes(0) - changes, 2, "the parent, and then all the others");
    assert_eq!(sim.verdicts(Verdict::Ignore), 7, "each orphan is answered");
    assert_eq!(sim.verdicts(Verdict::Accept), 1);
}
