//! Compact blocks among many engines: the chain that comes of them is the one that whole blocks make.

use hearsay_chain::{BlockId, Store, Verdict, VerifiedBlock};
use hearsay_network::Topic;
use hearsay_network::compact::{BlockMessage, CompactBlock};

use super::sim::{MS, SECOND, Sim, authority};

fn run(seed: u64, compact: bool, loss: f64) -> Sim {
    let mut sim = Sim::new(seed, 5, 4);
    if compact {
        sim.compact_blocks();
    }
    sim.connect_all();
    sim.lose_gossip(loss);
    sim.load(60, 100 * MS);
    sim.run_until(10 * SECOND);
    sim.lose_gossip(0.0);
    sim.run_until(20 * SECOND + 500 * MS);
    let tips = sim.tips();
    assert!(tips.iter().all(|tip| *tip == tips[0]), "{tips:?}");
    sim.assert_one_verdict_each();
    assert_eq!((sim.verdicts(Verdict::Reject), sim.penalised()), (0, 0));
    sim
}

#[test]
fn compact_blocks_make_the_same_chain_as_whole_ones() {
    for seed in 1..5 {
        let (whole, compact) = (run(seed, false, 0.0), run(seed, true, 0.0));
        assert_eq!(whole.tips(), compact.tips());
        let ([from_pool, carried, fetched], blocks) = compact.rebuilt();
        assert!(blocks >= 4 * 18, "each of the others rebuilds each block: {blocks}");
        assert_eq!(from_pool + carried + fetched, 4 * 60);
        assert!(fetched <= 8, "{fetched} of 240");
        assert_eq!(whole.rebuilt().1, 0);
    }
}

#[test]
fn pools_that_lack_some_are_given_them_and_all_end_on_one_tip() {
    let mut fetched = 0;
    for seed in 1..9 {
        let sim = run(seed, true, 0.6);
        assert!(sim.lost() > 100);
        fetched += sim.rebuilt().0[2];
    }
    assert!(fetched > 20, "only {fetched} transactions were asked for");
}

#[test]
fn on_a_line_of_nodes_that_all_lack_the_transactions_they_come_down_the_line() {
    let mut sim = Sim::new(3, 5, 1);
    sim.compact_blocks();
    sim.connect(&[(0, 1), (1, 2), (2, 3), (3, 4)]);
    sim.run_until(5 * SECOND + 500 * MS);
    sim.lose_transactions();
    sim.load(8, 10 * MS);
    sim.run_until(8 * SECOND + 900 * MS);
    let tips = sim.tips();
    assert!(tips.iter().all(|tip| *tip == tips[0]), "{tips:?}");
    let ([from_pool, carried, fetched], _) = sim.rebuilt();
    assert!(fetched >= 4, "{from_pool} from pools, {carried} carried, {fetched} fetched");
    assert_eq!((sim.verdicts(Verdict::Reject), sim.penalised()), (0, 0));
}

/// Blocks that one authority makes for one slot on top of a block, each with another transaction.
fn equivocations(sim: &Sim, parent: (BlockId, u64), slot: u64, count: u64) -> Vec<VerifiedBlock> {
    let key = authority((slot % 4) as usize);
    let made = (0..count).map(|number| {
        let tx = sim.verified_transfer(3, 0, number);
        VerifiedBlock::propose(sim.genesis.chain(), parent, slot, vec![tx], &key)
    });
    let mut blocks: Vec<_> = made.collect();
    blocks.sort_by_key(VerifiedBlock::id);
    blocks
}

#[test]
fn of_many_compact_blocks_of_one_slot_two_are_relayed_and_nobody_is_split() {
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let mut sim = Sim::new(9, 5, 4);
        sim.compact_blocks();
        sim.connect_all();
        // Slot 5 belongs to authority 1, whose node is switched off.
        sim.stop_producing_at(1);
        sim.run_until(5 * SECOND + 100 * MS);
        let tip = sim.tips()[0];
        let blocks = equivocations(&sim, (tip.id, tip.height), 5, 4);
        for (target, number) in order.into_iter().enumerate() {
            let compact = CompactBlock::of(&blocks[number], 1, |_| true, &authority(1));
            sim.arrive(target, Topic::Block, BlockMessage::compact(&compact), 4);
        }
        sim.run_until(5 * SECOND + 900 * MS);
        sim.assert_one_verdict_each();
        for node in 0..5 {
            let relayed = blocks.iter().filter(|it| sim.accepted(node, &it.id())).count();
            assert!(relayed <= 2, "node {node} relayed {relayed} blocks for one slot");
            assert_eq!(sim.store(node).evidence_from(0, 9).unwrap().len(), 1, "node {node}");
        }
        sim.run_until(20 * SECOND + 500 * MS);
        let tips = sim.tips();
        assert!(tips.iter().all(|tip| *tip == tips[0]), "{tips:?}");
        assert_eq!((sim.verdicts(Verdict::Reject), sim.penalised()), (0, 0));
    }
}
