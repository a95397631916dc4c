//! Things fail: messages are lost, nodes come and go, links break, peers fall silent or lie. Whatever
//! it is, everyone hears everything.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::RngExt;

use super::measure::quantile;
use super::sim::{Act, Sim, ms};
use crate::push::Config;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn all(sim: &Sim) -> BTreeSet<usize> {
    (0..sim.nodes.len()).collect()
}

fn report(name: &str, sim: &Sim) -> f64 {
    let p99 = quantile(sim.latencies(), 0.99);
    let max = quantile(sim.latencies(), 1.0);
    let asked = sim.traffic().asked as f64 / (sim.fates.len() * sim.nodes.len()) as f64;
    println!(
        "{name:40} copies {:.3}  p99 {p99:5.0} ms  max {max:5.0} ms  asked {asked:.3}  unsure {}",
        sim.copies(),
        sim.unsure
    );
    p99
}

#[test]
fn when_a_fifth_of_what_carries_messages_is_lost_announcements_make_up_for_it() {
    for seed in 1..=2 {
        let mut sim = Sim::new(30, 6, &Config::default(), seed);
        sim.loss = 0.2;
        sim.load(20, seconds(3), seconds(23));
        sim.run(seconds(45));
        report(&format!("a fifth lost, seed {seed}"), &sim);
        // With any times, over sixteen seeds, two or three deliveries in 100,000 fail as often as they
        // are tried: they are left to anti-entropy.
        let (got, should) = sim.coverage(&all(&sim));
        assert!((should - got) * 5_000 <= should, "{got} of {should}");
        assert_eq!((sim.unjudged(), sim.settled), (0, sim.accepted));
    }
}

/// A node's links: all that it has.
fn links_of(sim: &Sim, node: usize) -> Vec<(usize, usize)> {
    sim.lines().into_iter().filter(|(a, b)| *a == node || *b == node).collect()
}

#[test]
fn those_who_stay_hear_everything_while_others_leave_and_join() {
    for seed in 1..=2 {
        let mut sim = Sim::new(30, 6, &Config::default(), seed);
        // Ten nodes come and go, one each second; the others stay.
        for (number, node) in (0..10usize).cycle().take(20).enumerate() {
            let gone = seconds(4 + number as u64);
            for (a, b) in links_of(&sim, node) {
                sim.at(gone, Act::Part(a, b));
                sim.at(gone + seconds(3), Act::Join(a, b));
            }
        }
        sim.load(20, seconds(3), seconds(27));
        sim.run(seconds(60));
        let p99 = report(&format!("nodes come and go, seed {seed}"), &sim);
        let stayed: BTreeSet<usize> = (10..30).collect();
        let (got, should) = sim.coverage(&stayed);
        assert_eq!(got, should);
        assert_eq!((sim.unjudged(), sim.settled), (0, sim.accepted));
        assert!(p99 < 5_000.0, "{p99}");
    }
}

#[test]
fn links_that_break_and_heal_delay_and_lose_nothing() {
    for seed in 1..=2 {
        let mut sim = Sim::new(30, 6, &Config::default(), seed);
        let lines = sim.lines();
        for number in 0..200u64 {
            let (a, b) = lines[sim.random.random_range(0..lines.len())];
            sim.at(seconds(4) + ms(100 * number), Act::Part(a, b));
            sim.at(seconds(5) + ms(100 * number), Act::Join(a, b));
        }
        sim.load(20, seconds(3), seconds(25));
        sim.run(seconds(50));
        let p99 = report(&format!("links break, seed {seed}"), &sim);
        let (got, should) = sim.coverage(&all(&sim));
        assert_eq!(got, should);
        assert_eq!((sim.unjudged(), sim.settled), (0, sim.accepted));
        assert!(p99 < 1_000.0, "{p99}");
    }
}

#[test]
fn two_halves_that_were_apart_hear_of_each_others_messages() {
    let mut sim = Sim::new(20, 6, &Config::default(), 1);
    let across = sim.lines().into_iter().filter(|(a, b)| (*a < 10) != (*b < 10));
    for (a, b) in across.collect::<Vec<_>>() {
        sim.at(seconds(5), Act::Part(a, b));
        sim.at(seconds(12), Act::Join(a, b));
    }
    sim.load(20, seconds(3), seconds(20));
    sim.run(seconds(40));
    report("halves apart for 7 s", &sim);
    let (got, should) = sim.coverage(&all(&sim));
    assert_eq!(got, should);
}

#[test]
fn when_nodes_that_deliver_first_fall_silent_others_repair_within_a_bounded_time() {
    for seed in 1..=2 {
        let mut sim = Sim::new(30, 6, &Config::default(), seed);
        for node in 0..3 {
            sim.at(seconds(8), Act::Silence(node));
        }
        sim.load(20, seconds(3), seconds(25));
        sim.run(seconds(50));
        let p99 = report(&format!("three fall silent, seed {seed}"), &sim);
        let others: BTreeSet<usize> = (3..30).collect();
        let (got, should) = sim.coverage(&others);
        assert_eq!(got, should);
        assert!(p99 < 1_000.0, "{p99}");
    }
}

#[test]
fn who_announces_everything_and_gives_nothing_delays_little() {
    for seed in 1..=2 {
        let mut sim = Sim::new(30, 6, &Config::default(), seed);
        sim.stingy = (0..4).collect();
        sim.load(20, seconds(3), seconds(33));
        sim.run(seconds(60));
        let p99 = report(&format!("four give nothing, seed {seed}"), &sim);
        let others: BTreeSet<usize> = (4..30).collect();
        let (got, should) = sim.coverage(&others);
        assert_eq!(got, should);
        assert!(p99 < 2_000.0, "{p99}");
    }
}

#[test]
fn a_flood_of_a_beacon_takes_two_frames_for_each_link_at_most() {
    let mut sim = Sim::new(30, 6, &Config::default(), 1);
    sim.run(seconds(59));
    let numbers: u64 = sim.nodes.iter().map(|node| node.beacons.number).sum();
    assert!(numbers > 30);
    let most = numbers * 2 * sim.lines().len() as u64;
    let beacons = sim.traffic().beacons;
    assert!(beacons <= most, "{beacons} {most}");
}

#[test]
fn forged_beacons_cut_nobody_off() {
    for seed in 1..=2 {
        let mut sim = Sim::new(20, 6, &Config::default(), seed);
        sim.load(20, seconds(3), seconds(33));
        let mut number = 1_000;
        for second in 4..33 {
            sim.run(seconds(second));
            // Node 0 claims to pass on beacons of all others.
            for node in 1..20 {
                number += 1;
                let origin = sim.nodes[node].origin;
                sim.forge_beacon(0, origin, number);
            }
        }
        sim.run(seconds(50));
        let p99 = report(&format!("forged beacons, seed {seed}"), &sim);
        let (got, should) = sim.coverage(&all(&sim));
        assert_eq!(got, should);
        assert!(p99 < 1_000.0, "{p99}");
    }
}

#[test]
fn when_links_become_slower_the_trees_move_to_others() {
    for (beacons, most) in [(5, 1.1), (60, 1.6)] {
        let config = Config { beacon_every: seconds(beacons), ..Config::default() };
        let mut sim = Sim::new(30, 6, &config, 1);
        sim.load(20, seconds(3), seconds(13));
        sim.run(seconds(15));
        for (number, line) in sim.lines.values_mut().enumerate() {
            if number % 3 == 0 {
                line.delay *= 4;
            }
        }
        sim.load(20, seconds(15), seconds(40));
        sim.run(seconds(60));
        sim.fates.retain(|_, fate| fate.at > seconds(30));
        let p99 = report(&format!("a third of the links slower, {beacons} s"), &sim);
        let flooded = quantile(sim.flooded(), 0.99);
        println!("flooded {flooded:.0} ms");
        assert!(p99 <= most * flooded, "{p99} {flooded}");
    }
}

#[test]
#[ignore = "a table to choose the defaults by"]
fn table() {
    for (announce, patience) in [
        (20, 150),
        (50, 150),
        (100, 150),
        (300, 150),
        (100, 50),
        (100, 100),
        (100, 300),
        (50, 100),
        (50, 50),
    ] {
        let config =
            Config { announce_every: ms(announce), patience: ms(patience), ..Config::default() };
        for seed in 1..=2 {
            let mut sim = Sim::new(50, 6, &config, seed);
            for node in 0..5 {
                sim.at(seconds(8) + ms(4_000 * node as u64), Act::Silence(node));
            }
            sim.load(20, seconds(3), seconds(33));
            sim.run(seconds(60));
            let name = format!("announce {announce} patience {patience} seed {seed}");
            report(&name, &sim);
        }
    }
}
