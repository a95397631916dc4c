//! Nothing fails: what it costs and how fast it is, against flooding.

use std::collections::BTreeSet;
use std::time::Duration;

use super::measure::quantile;
use super::sim::{Sim, ms};
use hearsay_chain::Verdict;

use crate::push::message::short_of;
use crate::push::{Config, Frame, Heard, Item, Origin, Part, Payload};
use crate::topic::Topic;

/// How long the load lasts.
const LOAD: Duration = Duration::from_secs(30);

/// When it starts.
const START: Duration = Duration::from_secs(3);

fn run(count: usize, degree: usize, config: &Config, seed: u64) -> Sim {
    let mut sim = Sim::new(count, degree, config, seed);
    sim.load(20, START, START + LOAD);
    sim.run(START + LOAD + Duration::from_secs(15));
    sim
}

fn check(sim: &Sim) {
    let all: BTreeSet<usize> = (0..sim.nodes.len()).collect();
    let (got, should) = sim.coverage(&all);
    assert_eq!(got, should, "coverage");
    assert_eq!(sim.unjudged(), 0);
    assert_eq!(sim.settled, sim.accepted, "each ends once");
    assert_eq!(sim.unsure, 0, "every peer was heard of");
    assert_eq!(sim.taken as usize, sim.fates.len());
    assert!(
        sim.dropped.is_empty() && sim.offences.is_empty(),
        "{:?} {:?}",
        sim.dropped,
        sim.offences
    );
}

/// A line of the table: copies, latency, and what is sent beside messages, for each node and message.
fn report(name: &str, sim: &mut Sim) -> [f64; 3] {
    let flooded = sim.flooded();
    let (p50, p99) = (quantile(sim.latencies(), 0.5), quantile(sim.latencies(), 0.99));
    let (f50, f99) = (quantile(flooded.clone(), 0.5), quantile(flooded, 0.99));
    let traffic = sim.traffic();
    let each = |what: u64| what as f64 / (sim.fates.len() * sim.nodes.len()) as f64;
    println!(
        "{name:36} copies {:.3}  p50 {p50:4.0} ({f50:4.0})  p99 {p99:4.0} ({f99:4.0})  control {:5.1} B  \
         beacons {:5.1} B  frames {:4.1}  turns {:.2}  asked {:.3}",
        sim.copies(),
        each(traffic.control_bytes),
        each(traffic.beacon_bytes),
        each(traffic.frames),
        each(traffic.turns),
        each(traffic.asked),
    );
    [sim.copies(), p50 / f50, p99 / f99]
}

#[test]
fn every_node_hears_everything_about_once_and_about_as_fast_as_by_flooding() {
    for (count, degree, seed) in [(20, 6, 1), (20, 6, 2), (50, 6, 1), (50, 10, 1)] {
        let mut sim = run(count, degree, &Config::default(), seed);
        let name = format!("{count} nodes, degree {degree}, seed {seed}");
        let [copies, p50, p99] = report(&name, &mut sim);
        check(&sim);
        assert!(copies <= 1.1, "{copies} copies");
        assert!(p50 <= 1.05 && p99 <= 1.1, "{p50} {p99}");
    }
}

#[test]
fn without_beacons_the_first_messages_flood() {
    for count in [20, 50] {
        let config = Config { beacon_every: Duration::ZERO, ..Config::default() };
        let mut sim = run(count, 6, &config, 1);
        let [copies, _, p99] = report(&format!("{count} nodes, no beacons"), &mut sim);
        check(&sim);
        assert!(copies <= 2.0 && p99 <= 1.2, "{copies} {p99}");
    }
}

#[test]
fn in_the_mode_that_only_announces_each_node_gets_one_copy() {
    for count in [20, 50] {
        let mut sim = run(count, 6, &Config::announce(), 1);
        let [copies, ..] = report(&format!("{count} nodes, announce"), &mut sim);
        check(&sim);
        assert!(copies < 1.01, "{copies}");
    }
}

#[test]
fn bigger_than_the_fanout_floods_no_wider() {
    for beacon_every in [Duration::ZERO, Duration::from_secs(60)] {
        let config = Config { beacon_every, flood_fanout: 6, ..Config::default() };
        let mut sim = run(40, 20, &config, 1);
        report(&format!("40 nodes, degree 20, fanout 6, {beacon_every:?}"), &mut sim);
        check(&sim);
    }
}

#[test]
#[ignore = "a table to choose the defaults by"]
fn table() {
    for (announce, acknowledge, patience) in [
        (20, 300, 150),
        (50, 300, 150),
        (100, 300, 150),
        (300, 300, 150),
        (100, 1_000, 150),
        (100, 300, 50),
        (100, 300, 300),
    ] {
        for faster_by in [5, 10, 20] {
            let config = Config {
                announce_every: ms(announce),
                acknowledge_every: ms(acknowledge),
                patience: ms(patience),
                faster_by: ms(faster_by),
                ..Config::default()
            };
            let mut sim = run(50, 6, &config, 1);
            report(
                &format!(
                    "announce {announce} ack {acknowledge} patience {patience} faster {faster_by}"
                ),
                &mut sim,
            );
        }
    }
}

#[test]
#[ignore = "how many messages a router takes a second: a figure, not a check"]
fn throughput() {
    let mut router = super::sim::router(Config::default(), 1);
    for peer in 0..8u32 {
        router.joined(ms(0), peer);
    }
    let start = std::time::Instant::now();
    let (mut out, mut frames, count) = (Vec::new(), 0, 100_000u64);
    for number in 0..count {
        let mut data = vec![7; 200];
        data[..8].copy_from_slice(&number.to_le_bytes());
        let item = Item { topic: Topic::Tx, data: Payload(data.into()) };
        let now = Duration::from_micros(number * 100);
        let parts = vec![Part::Messages { origin: Origin(5), items: vec![item] }];
        router.received(now, 0, Frame { parts }, &mut out);
        for heard in out.drain(..) {
            if let Heard::Message { message, .. } = heard {
                router.judged(now, &message, Verdict::Accept);
                for peer in 1..8 {
                    let parts = vec![Part::Have(vec![short_of(&message)])];
                    router.received(now, peer, Frame { parts }, &mut Vec::new());
                }
            }
        }
        router.tick(now, &mut Vec::new());
        if number % 20 == 0 {
            for peer in 0..8 {
                while router.next_frame(now, &peer).is_some() {
                    frames += 1;
                }
            }
        }
    }
    let each = start.elapsed() / count as u32;
    println!("{each:?} a message with 8 peers, {frames} frames, {:?}", router.size());
}

#[test]
#[ignore = "takes a minute"]
fn two_hundred_nodes() {
    let mut sim = run(200, 8, &Config::default(), 1);
    report("200 nodes, degree 8", &mut sim);
    check(&sim);
}
