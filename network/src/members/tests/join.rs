//! Getting on the list.

use super::sim::{Sim, ms, secs};
use crate::members::Change;

#[test]
fn two_nodes_with_a_link_know_each_other_at_once() {
    let mut sim = Sim::new(2, 1);
    sim.link(0, 1);
    assert!(sim.run_until(secs(2), Sim::agrees).is_some());
    sim.run(secs(30));
    let stats = sim.nodes[0].machine.stats();
    assert!(stats.probes > 20 && stats.probes_failed == 0, "{stats:?}");
    let view = sim.nodes[0].machine.members(sim.now);
    assert_eq!((view[1].name.as_str(), view[1].neighbour), ("n1", true));
    assert!(view[1].rtt.is_some() && view[1].load.is_some());
}

#[test]
fn one_link_to_one_member_is_enough_to_learn_of_all_and_to_be_known_by_all() {
    let mut sim = Sim::settled(20, 8, 2);
    sim.add();
    let start = sim.now;
    sim.link(20, 0);
    let took = sim.run_until(secs(20), Sim::agrees);
    assert!(took.is_some_and(|took| took <= secs(6)), "{took:?}");
    // The news of it spreads like that of a death.
    let mut known: Vec<_> = (0..20)
        .filter_map(|node| sim.told(node, 20, start, |change| change == Change::Joined))
        .collect();
    known.sort();
    assert!(known[19] - known[0] <= secs(3), "{known:?}");
}

#[test]
fn twenty_that_start_at_once_and_know_one_know_all() {
    let mut sim = Sim::new(20, 3);
    (1..20).for_each(|node| sim.link(0, node));
    let took = sim.run_until(secs(60), Sim::agrees);
    assert!(took.is_some_and(|took| took <= secs(10)), "{took:?}");
}

#[test]
fn a_line_of_five_members_reaches_from_end_to_end() {
    let mut sim = Sim::new(5, 4);
    (1..5).for_each(|node| sim.link(node - 1, node));
    assert!(sim.run_until(secs(20), Sim::agrees).is_some());
    sim.run(secs(60));
    assert!(sim.agrees());
    let peer = sim.nodes[4].peer;
    assert_eq!(sim.nodes[0].machine.hops(&peer), Some(4));
}

#[test]
fn a_restarted_member_is_known_by_its_new_generation() {
    let mut sim = Sim::settled(10, 4, 5);
    sim.kill(3);
    sim.run(ms(300));
    let start = sim.now;
    sim.restart(3);
    assert!(sim.run_until(secs(10), Sim::agrees).is_some());
    for node in sim.living().into_iter().filter(|node| *node != 3) {
        let renewed = |change| matches!(change, Change::Renewed { mistaken: false });
        assert!(
            sim.run_until(secs(5), |sim| sim.told(node, 3, start, renewed).is_some()).is_some()
        );
    }
    let mistakes: u64 = sim.nodes.iter().map(|n| n.machine.stats().false_positives).sum();
    assert_eq!(mistakes, 0);
}
