//! Tests of choosing by load, among them a model of what it is for.

use std::collections::{BTreeMap, VecDeque};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::choice::{Chooser, Strategy};
use crate::members::profile::Key;

fn candidate(n: u8, busy: f64, queue: u16) -> Candidate {
    let load = Load { busy: Load::busy_of(busy), queue, ..Load::default() };
    let rtt = Some(Duration::from_millis(20));
    Candidate { peer: Key([n; 32]).to_peer_id(), load, rtt }
}

#[test]
fn the_overloaded_are_spared_unless_all_are() {
    let (idle, full) = (candidate(1, 0.1, 0), candidate(2, 1.0, 0));
    let peers = |candidates: &[Candidate], spare| {
        choices(candidates, spare).iter().map(|choice| choice.peer).collect::<Vec<_>>()
    };
    assert_eq!(peers(&[idle, full], true), [idle.peer]);
    assert_eq!(peers(&[idle, full], false), [idle.peer, full.peer]);
    assert_eq!(peers(&[full], true), [full.peer]);
    assert_eq!(peers(&[], true), []);
}

#[test]
fn a_busy_node_gets_less_work_the_busier_it_is() {
    let candidates = [candidate(1, 0.0, 0), candidate(2, 0.5, 0), candidate(3, 0.5, 30)];
    let mut chooser = Chooser::new(Strategy::Weighted, 1);
    let mut counts: BTreeMap<PeerId, usize> = BTreeMap::new();
    for _ in 0..3_000 {
        let chosen = chooser.choose(&choices(&candidates, true)).unwrap();
        *counts.entry(chosen).or_default() += 1;
    }
    let counts = candidates.map(|candidate| counts[&candidate.peer]);
    assert!(counts[0] > counts[1] * 3 / 2 && counts[1] > counts[2] * 3 / 2, "{counts:?}");
}

/// A node with one server: when each of its last messages is done, and what it said last.
struct Server {
    service_s: f64,
    done: VecDeque<f64>,
    told: Load,
    /// Messages done and seconds worked since it was told.
    since: (u32, f64),
}

/// How long messages take, in seconds and in order, among ten nodes of which one has a tenth of the
/// others' speed (1,000 a second). What each tells every second is known half a second later, and
/// only the weighted choice looks at it.
fn times(strategy: Strategy, per_s: f64) -> Vec<f64> {
    let mut random = StdRng::seed_from_u64(1);
    let mut chooser = Chooser::new(strategy, 2);
    let mut servers: Vec<Server> = (0..10)
        .map(|n| Server {
            service_s: if n == 0 { 0.01 } else { 0.001 },
            done: VecDeque::new(),
            told: Load::default(),
            since: (0, 0.0),
        })
        .collect();
    let (mut now, mut told_at, mut times) = (0.0f64, 0.0f64, Vec::new());
    let mut known: Vec<Candidate> = (0..10).map(|n| candidate(n, 0.0, 0)).collect();
    let mut fresh = true;
    while now < 60.0 {
        now -= random.random::<f64>().max(f64::MIN_POSITIVE).ln() / per_s;
        for server in &mut servers {
            while server.done.front().is_some_and(|done| *done <= now) {
                server.done.pop_front();
                server.since = (server.since.0 + 1, server.since.1 + server.service_s);
            }
        }
        if now >= told_at + 0.5 && !fresh {
            for (candidate, server) in known.iter_mut().zip(&servers) {
                candidate.load = server.told;
            }
            fresh = true;
        }
        if now >= told_at + 1.0 {
            for server in &mut servers {
                server.told = Load {
                    tx_per_s: server.since.0 as u16,
                    queue: server.done.len() as u16,
                    busy: Load::busy_of(server.since.1),
                    ..Load::default()
                };
                server.since = (0, 0.0);
            }
            (told_at, fresh) = (now, false);
        }
        let chosen = chooser.choose(&choices(&known, strategy == Strategy::Weighted)).unwrap();
        let at = known.iter().position(|candidate| candidate.peer == chosen).unwrap();
        let server = &mut servers[at];
        let start = server.done.back().copied().unwrap_or(now).max(now);
        let done = start + server.service_s;
        server.done.push_back(done);
        if now > 10.0 {
            times.push(done - now);
        }
    }
    times.sort_by(f64::total_cmp);
    times
}

#[test]
fn a_node_at_a_tenth_of_the_speed_is_spared_in_time() {
    // An even share is what the slow node just manages, and half as much again.
    for per_s in [1_000.0, 1_500.0] {
        let p99 = |strategy| {
            let times = times(strategy, per_s);
            let at = |percent: usize| times[(times.len() - 1) * percent / 100] * 1e3;
            println!(
                "{per_s} a second, {strategy:?}: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
                at(50),
                at(99),
                at(100)
            );
            at(99)
        };
        let weighted = p99(Strategy::Weighted);
        assert!(weighted * 5.0 < p99(Strategy::Random));
        assert!(weighted * 5.0 < p99(Strategy::RoundRobin));
    }
}

#[test]
fn an_idle_peer_counts_in_full_and_a_busy_one_for_less() {
    let ease_of =
        |share, queue| ease(&Load { busy: Load::busy_of(share), queue, ..Load::default() });
    assert!((ease_of(0.0, 0) - 1.0).abs() < 1e-9);
    assert!((ease_of(0.5, 0) - 0.5).abs() < 1e-9);
    assert!(ease_of(0.5, 30) < 0.5 && ease_of(1.0, u16::MAX) > 0.0);
}

#[test]
fn an_overloaded_option_is_left_out_while_there_is_another() {
    let option = |n, share| {
        let peer = crate::peer_id(&[n; 32]);
        (Choice { peer, weight: 1.0 }, Load { busy: Load::busy_of(share), ..Load::default() })
    };
    let left = |options| spared(options).iter().map(|it| it.peer).collect::<Vec<_>>();
    let (idle, full) = (option(1, 0.1), option(2, 1.0));
    assert_eq!(left(vec![idle, full]), [idle.0.peer]);
    assert_eq!(left(vec![full]), [full.0.peer]);
}
