//! The engine under virtual time: several of them joined by a model of links.

mod bundles;
mod compact;
mod compact_net;
mod counted;
mod desk;
mod faults;
mod fetching;
mod forks;
mod forwarding;
mod keeping;
mod peers;
mod reconciling;
mod reconciling_with;
mod refused;
mod requests;
mod restoring;
mod scores;
mod sim;
mod statuses;
mod unbroadcast;

use hearsay_chain::Verdict;
use sim::{MS, SECOND, Sim};

#[test]
fn five_engines_agree_on_one_tip_and_judge_every_message_once() {
    let mut sim = Sim::new(7, 5, 4);
    sim.connect_all();
    sim.load(60, 100 * MS);
    sim.run_until(12 * SECOND + 500 * MS);
    let tips = sim.tips();
    assert!(tips.iter().all(|tip| *tip == tips[0]), "{tips:?}");
    assert!(tips[0].height >= 9, "{tips:?}");
    for node in 0..5 {
        assert_eq!(sim.pool_count(node), 0, "node {node} still holds transactions");
        assert_eq!(sim.included(node), 60, "node {node} misses transactions in its chain");
    }
    sim.assert_one_verdict_each();
    assert_eq!(sim.verdicts(Verdict::Reject), 0);
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_seed_another() {
    let digest = |seed| {
        let mut sim = Sim::new(seed, 5, 4);
        sim.connect_all();
        sim.load(30, 50 * MS);
        sim.run_until(6 * SECOND);
        sim.digest()
    };
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
}

#[test]
fn a_node_that_comes_late_catches_up_and_follows() {
    let mut sim = Sim::new(3, 5, 4);
    sim.connect(&[(0, 1), (1, 2), (2, 3), (0, 3)]);
    sim.load(40, 100 * MS);
    sim.run_until(20 * SECOND + 500 * MS);
    assert_eq!(sim.tips()[4].height, 0);
    sim.connect(&[(4, 0), (4, 2)]);
    sim.run_until(26 * SECOND + 500 * MS);
    let tips = sim.tips();
    assert!(tips.iter().all(|tip| *tip == tips[0]), "{tips:?}");
    assert_eq!(sim.included(4), sim.included(0));
    sim.assert_one_verdict_each();
}

#[test]
fn blocks_that_gossip_lost_are_asked_for() {
    let mut sim = Sim::new(5, 5, 4);
    sim.connect_all();
    sim.lose_gossip(0.3);
    sim.load(40, 100 * MS);
    sim.run_until(15 * SECOND);
    sim.lose_gossip(0.0);
    sim.run_until(24 * SECOND + 500 * MS);
    let tips = sim.tips();
    assert!(tips.iter().all(|tip| *tip == tips[0]), "{tips:?}");
    assert!(sim.lost() > 100, "only {} messages were lost", sim.lost());
}

#[test]
fn a_fork_deeper_than_one_answer_holds_blocks_is_healed() {
    let mut sim = Sim::new(13, 4, 4);
    sim.connect(&[(0, 1), (2, 3)]);
    sim.run_until(150 * SECOND + 500 * MS);
    assert!(sim.tips().iter().all(|tip| tip.height > 70), "{:?}", sim.tips());
    sim.connect(&[(0, 2), (1, 3)]);
    sim.run_until(175 * SECOND + 500 * MS);
    let tips = sim.tips();
    assert!(tips.iter().all(|tip| *tip == tips[0]), "{tips:?}");
    assert!(sim.deepest_reorg() > 64, "{}", sim.deepest_reorg());
}

#[test]
fn two_halves_that_could_not_speak_end_on_one_tip_once_they_can() {
    let mut sim = Sim::new(11, 4, 4);
    sim.connect(&[(0, 1), (2, 3)]);
    sim.load(20, 100 * MS);
    sim.run_until(9 * SECOND + 500 * MS);
    let apart = sim.tips();
    assert_eq!(apart[0], apart[1]);
    assert_eq!(apart[2], apart[3]);
    assert_ne!(apart[0], apart[2]);
    assert_eq!(sim.final_heights(), [0, 0, 0, 0], "half of the authorities finalise nothing");
    sim.connect(&[(0, 2), (1, 3)]);
    sim.run_until(19 * SECOND + 500 * MS);
    let tips = sim.tips();
    assert!(tips.iter().all(|tip| *tip == tips[0]), "{tips:?}");
    assert!(sim.final_heights()[0] > 0);
    assert!(sim.deepest_reorg() >= 1);
    for node in 0..4 {
        assert_eq!(sim.included(node), 20, "node {node} lost transactions in the reorganisation");
    }
}
