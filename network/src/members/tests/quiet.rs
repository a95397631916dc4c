//! What membership costs when nothing happens.

use super::sim::{Sim, secs};

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
