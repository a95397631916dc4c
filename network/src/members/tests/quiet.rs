//! What membership costs when nothing happens.

use super::sim::{Sim, ms, secs};
use crate::members::Load;

/// Bytes a second and node that go out, with those carried for others.
fn idle(count: usize, seed: u64) -> (f64, f64) {
    let mut sim = Sim::settled(count, 8.min(count - 1), seed);
    sim.run(secs(60));
    let bytes = |sim: &Sim, carried: bool| -> u64 {
        let stats = sim.nodes.iter().map(|node| node.machine.stats());
        stats.map(|s| if carried { s.carried.bytes } else { s.sent.bytes }).sum()
    };
    let (sent, carried) = (bytes(&sim, false), bytes(&sim, true));
    sim.run(secs(120));
    let rate = |before, after| (after - before) as f64 / 120.0 / count as f64;
    (rate(sent, bytes(&sim, false)), rate(carried, bytes(&sim, true)))
}

#[test]
fn an_idle_node_sends_at_most_two_kibibytes_a_second() {
    for count in [10, 50] {
        let (own, carried) = idle(count, 1);
        println!("{count} nodes: {own:.0} B/s of its own, {carried:.0} B/s carried");
        assert!(own + carried <= 2_048.0);
    }
}

#[test]
#[ignore = "a table"]
fn the_cost_of_being_idle_at_10_50_100_and_200() {
    for count in [10, 50, 100, 200] {
        let (own, carried) = idle(count, 1);
        println!("{count} nodes: {own:.0} B/s of its own, {carried:.0} B/s carried");
    }
}

#[test]
#[ignore = "a table: how old the loads are that a node knows"]
fn loads_are_seconds_old() {
    for count in [20, 50, 100] {
        let mut sim = Sim::settled(count, 8, 1);
        sim.run(secs(60));
        let mut ages: Vec<_> = sim
            .nodes
            .iter()
            .flat_map(|node| node.machine.members(sim.now))
            .filter(|member| !member.own)
            .filter_map(|member| member.load.map(|(_, age)| age))
            .collect();
        let (known, all) = (ages.len(), count * (count - 1));
        let p50 = super::sim::percentile(&mut ages, 50);
        let p95 = super::sim::percentile(&mut ages, 95);
        println!("{count} nodes: {known} of {all} known, age p50 {p50:?}, p95 {p95:?}");
    }
}

#[test]
fn that_a_node_is_overloaded_is_known_to_all_within_three_seconds() {
    let mut sim = Sim::settled(20, 4, 3);
    let now = sim.now;
    let peer = sim.nodes[7].peer;
    let known = |sim: &Sim, overloaded: bool| {
        (0..20).filter(|node| *node != 7).all(|node| {
            let view = sim.nodes[node].machine.member_view(sim.now, &peer).unwrap();
            view.load.is_some_and(|(load, _)| load.overloaded() == overloaded)
        })
    };
    for busy in [200, 10] {
        sim.nodes[7].machine.set_load(now.max(sim.now), Load { busy, ..Load::default() });
        sim.drain(7);
        let took = sim.run_until(secs(10), |sim| known(sim, busy == 200));
        assert!(took.is_some_and(|took| took <= secs(3)), "{took:?}");
        sim.run(secs(10));
    }
    // Who changes its mind all the time is not listened to all the time.
    let spread = |sim: &Sim| sim.nodes[0].machine.stats().sent.bytes;
    let before = spread(&sim);
    for turn in 0..200u32 {
        let busy = if turn % 2 == 0 { 200 } else { 0 };
        let now = sim.now;
        sim.nodes[7].machine.set_load(now, Load { busy, ..Load::default() });
        sim.drain(7);
        sim.run(ms(100));
    }
    assert!(spread(&sim) - before < 20 * 2_048, "{}", spread(&sim) - before);
}
