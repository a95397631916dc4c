//! Engines that compare their pools with each other.

use hearsay_chain::codec;
use hearsay_network::Topic;
use hearsay_network::choice::Strategy;

use super::sim::{MS, SECOND, Sim};
use crate::engine::Reconciliation;
use crate::trace::event::Event;

const STRATEGIES: [Strategy; 3] = [Strategy::Random, Strategy::RoundRobin, Strategy::Weighted];

/// Nodes without authorities that compare every two seconds.
fn sim(seed: u64, nodes: usize, peers: Strategy) -> Sim {
    let mut sim = Sim::new(seed, nodes, 4.min(nodes));
    sim.stop_producing();
    sim.reconcile(Reconciliation { peers, every_us: 2 * SECOND });
    sim
}

/// Gives a node so many transactions of a sender from a nonce on, as if gossip had brought them.
fn give(sim: &mut Sim, node: usize, from: u8, nonces: std::ops::Range<u64>) {
    for nonce in nonces {
        let tx = sim.verified_transfer(from, nonce, 1);
        sim.arrive(node, Topic::Tx, codec::encode(tx.transaction()), node);
    }
}

/// How many comparisons each node has ended since a moment.
fn rounds(sim: &Sim, nodes: usize, since: u64) -> Vec<usize> {
    let of = |node| {
        let own = sim.reconciled.iter().filter(|(at, of, _)| *of == node && *at > since);
        own.count()
    };
    (0..nodes).map(of).collect()
}

/// Runs until each node has ended so many more comparisons.
fn run_rounds(sim: &mut Sim, nodes: usize, count: usize) {
    let since = sim.now();
    while rounds(sim, nodes, since).iter().any(|ended| *ended < count) {
        assert!(sim.now() < since + 60 * SECOND, "{:?}", rounds(sim, nodes, since));
        sim.run_until(sim.now() + 100 * MS);
    }
}

fn counts(sim: &Sim, nodes: usize) -> Vec<usize> {
    (0..nodes).map(|node| sim.pool_count(node)).collect()
}

fn handed_once(sim: &Sim) {
    let twice: Vec<_> = sim.handed.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{} of {}: {:?}", twice.len(), sim.handed.len(), twice.first());
}

#[test]
fn what_gossip_loses_is_everywhere_after_two_rounds_whatever_the_strategy() {
    const NODES: usize = 10;
    let ring = (0..NODES).map(|node| (node, (node + 1) % NODES));
    let pairs: Vec<_> = ring.chain((0..NODES / 2).map(|node| (node, node + NODES / 2))).collect();
    for strategy in STRATEGIES {
        let mut sim = sim(3, NODES, strategy);
        sim.connect(&pairs);
        sim.lose_gossip(0.2);
        sim.load(400, 10 * MS);
        sim.run_until(5 * SECOND + 300 * MS);
        // What comes late to one of them may still be too young to be handed over in the first.
        let missing: usize = counts(&sim, NODES).iter().map(|count| 400 - count).sum();
        assert!(missing > 0, "{strategy:?}: nothing was lost");
        sim.run_until(sim.now() + SECOND);
        run_rounds(&mut sim, NODES, 2);
        assert_eq!(counts(&sim, NODES), [400; NODES], "{strategy:?}, {missing} were missing");
        assert!(sim.is_blameless());
    }
}

#[test]
fn two_halves_of_a_network_that_meet_again_have_all_after_one_exchange_and_nothing_twice() {
    let mut sim = sim(1, 2, Strategy::Weighted);
    for (node, from) in [(0, 0), (0, 1), (1, 2), (1, 3)] {
        give(&mut sim, node, from, 0..500);
    }
    sim.run_until(2 * SECOND);
    assert_eq!(counts(&sim, 2), [1_000, 1_000]);
    sim.connect(&[(0, 1)]);
    sim.run_until(14 * SECOND);
    assert_eq!(counts(&sim, 2), [2_000, 2_000]);
    assert_eq!(sim.handed.len(), 2_000);
    handed_once(&sim);
    assert!(sim.is_blameless());
    let bytes: u64 = sim.reconciled.iter().map(|(_, _, event)| bytes_of(event)).sum();
    // 2,000 apart for the one that begins, 1,000 for the other.
    assert!(bytes < 3 * 2_000 * 32, "{bytes}");
}

fn bytes_of(event: &Event) -> u64 {
    let Event::Reconciled { bytes, .. } = event else { panic!("{event:?}") };
    *bytes
}

#[test]
fn peers_that_begin_at_the_same_moment_do_not_exchange_everything_twice() {
    for seed in 0..10 {
        let mut sim = sim(seed, 4, Strategy::Random);
        for node in 0..4 {
            give(&mut sim, node, node as u8, 0..40);
        }
        sim.run_until(2 * SECOND);
        sim.connect(&[(0, 1), (2, 3)]);
        sim.run_until(12 * SECOND);
        assert_eq!(counts(&sim, 4), [80; 4]);
        handed_once(&sim);
    }
}

#[test]
fn equal_pools_cost_two_hundred_bytes_a_round_and_rounds_come_at_their_interval() {
    let mut sim = sim(1, 3, Strategy::RoundRobin);
    for node in 0..3 {
        give(&mut sim, node, 0, 0..100);
    }
    sim.run_until(2 * SECOND);
    sim.connect_all();
    sim.run_until(42 * SECOND);
    assert!(sim.handed.is_empty());
    for (_, _, event) in &sim.reconciled {
        let Event::Reconciled { size, theirs, ours, symbols, bytes, .. } = event else { panic!() };
        assert_eq!((*size, *theirs, *ours, *symbols), (100, 0, 0, 4));
        assert!(*bytes <= 200, "{bytes}");
    }
    let rounds = rounds(&sim, 3, 0);
    // Twenty, and up to two for peers that joined; a few give way to a peer's.
    assert!(rounds.iter().all(|count| (12..=24).contains(count)), "{rounds:?}");
}

#[test]
fn nothing_is_exchanged_while_gossip_still_brings_it() {
    let mut sim = sim(2, 5, Strategy::Random);
    sim.connect_all();
    sim.load(400, 20 * MS);
    sim.run_until(12 * SECOND);
    assert_eq!(counts(&sim, 5), [400; 5]);
    let differed = sim.reconciled.iter().filter(|(_, _, event)| {
        matches!(event, Event::Reconciled { theirs, ours, .. } if theirs + ours > 0)
    });
    assert!(differed.count() > 0, "some were on their way");
    assert!(sim.handed.is_empty(), "{:?}", sim.handed);
}

#[test]
fn a_network_that_makes_blocks_hands_over_little_that_a_block_took() {
    let mut sim = Sim::new(5, 6, 4);
    sim.reconcile(Reconciliation { peers: Strategy::Weighted, every_us: SECOND });
    sim.connect_all();
    sim.load(600, 20 * MS);
    sim.run_until(16 * SECOND + 500 * MS);
    let tips = sim.tips();
    assert!(tips.iter().all(|tip| *tip == tips[0]), "{tips:?}");
    assert_eq!(sim.included(5), 600);
    sim.assert_one_verdict_each();
    assert!(sim.handed.len() < 30, "{} of 3,000", sim.handed.len());
    assert!(sim.is_blameless());
}

#[test]
fn a_node_that_joins_late_has_the_pool_of_the_others_soon() {
    let mut sim = sim(4, 4, Strategy::Weighted);
    for node in 0..3 {
        for from in 0..4 {
            give(&mut sim, node, from, 0..500);
        }
    }
    sim.connect(&[(0, 1), (1, 2), (0, 2)]);
    sim.run_until(5 * SECOND);
    sim.connect(&[(3, 0), (3, 1), (3, 2)]);
    sim.run_until(12 * SECOND);
    assert_eq!(counts(&sim, 4), [2_000; 4]);
    handed_once(&sim);
}
