//! Networks that fall apart and grow together.

use std::time::Duration;

use super::sim::{Sim, secs};

/// Ten and ten, cut for a minute; how long the lists take to be one again.
fn heal(breaks: bool, seed: u64) -> Duration {
    let mut sim = Sim::settled(20, 8, seed);
    let group: Vec<usize> = (0..10).collect();
    sim.cut(&group, breaks);
    sim.run(secs(60));
    for node in 0..20 {
        let side = sim.alive_with(node);
        assert!(side.iter().all(|other| (*other < 10) == (node < 10)), "{node}: {side:?}");
        assert_eq!(side.len(), 9, "node {node} holds its own side");
    }
    sim.heal();
    let took = sim.run_until(secs(60), Sim::agrees);
    let took = took.unwrap_or_else(|| panic!("seed {seed}: not one list after a minute"));
    sim.run(secs(30));
    assert!(sim.agrees(), "and it stays so");
    took
}

#[test]
fn ten_and_ten_cut_for_a_minute_are_one_list_within_fifteen_seconds() {
    for seed in 1..4 {
        let took = heal(true, seed);
        println!("links broke: {took:?}");
        assert!(took <= secs(15));
    }
}

#[test]
fn so_are_those_whose_links_stood_and_carried_nothing() {
    for seed in 1..4 {
        let took = heal(false, seed);
        println!("links stood: {took:?}");
        assert!(took <= secs(15));
    }
}

#[test]
fn a_third_killed_at_once_are_down_with_all_others() {
    let mut sim = Sim::settled(50, 8, 5);
    (0..15).for_each(|node| sim.kill(node * 3));
    let took = sim.run_until(secs(30), Sim::agrees);
    println!("fifteen of fifty: {took:?}");
    assert!(took.is_some_and(|took| took <= secs(10)), "{took:?}");
}

#[test]
fn a_member_that_comes_back_with_a_clock_that_went_back_is_taken_in() {
    let mut sim = Sim::settled(10, 4, 6);
    sim.kill(2);
    sim.run(secs(20));
    assert!(sim.agrees());
    sim.restart_with(2, super::sim::BORN - 1_000_000);
    let took = sim.run_until(secs(20), Sim::agrees);
    assert!(took.is_some(), "its own signature told it of its last generation");
}
