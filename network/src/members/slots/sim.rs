//! Many plans at once: nodes that all join by one address, lose a third of them, and go on.
//!
//! Modelled in steps of a second: nodes stand in regions of a plane and the round trip is their
//! distance; every second each exchanges its list with one neighbour and measures one member within
//! a factor of two, as a probe over others would; the dead are taken off all lists after three
//! seconds. What is tested is the plan itself, not a model of it.

use std::collections::{BTreeMap, VecDeque};

use rand::RngExt;
use rand::seq::IteratorRandom;

use super::*;
use crate::members::profile::Key;

/// Connections that a node takes, as its connection limits would.
const MAX_CONNECTIONS: usize = 64;

/// Seconds until a death is known to all.
const DETECTION: u64 = 3;

struct Node {
    at: (f64, f64),
    slots: Slots,
    known: BTreeMap<usize, Known>,
    alive: bool,
}

#[derive(Clone, Copy)]
struct Link {
    dialler: usize,
    since: u64,
}

struct Net {
    nodes: Vec<Node>,
    /// By the numbers of both ends, the smaller first.
    links: BTreeMap<(usize, usize), Link>,
    killed: Vec<(u64, usize)>,
    now: u64,
    random: StdRng,
    dials: usize,
    drops: usize,
}

fn key(n: usize) -> Key {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    Key(bytes)
}

fn number(peer: &PeerId) -> usize {
    let bytes = Key::of(peer).unwrap().0;
    usize::from_be_bytes(bytes[..8].try_into().unwrap())
}

fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Net {
    /// In six regions some tens of milliseconds apart, each ten milliseconds wide.
    fn new(count: usize, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let regions: Vec<(f64, f64)> = (0..6)
            .map(|_| (random.random_range(0.0..200.0), random.random_range(0.0..200.0)))
            .collect();
        let nodes = (0..count)
            .map(|n| {
                let region = regions[n % regions.len()];
                let near = |to: f64, random: &mut StdRng| to + random.random_range(-5.0..5.0);
                Node {
                    at: (near(region.0, &mut random), near(region.1, &mut random)),
                    slots: Slots::new(SlotsConfig::default(), key(n).to_peer_id(), n as u64),
                    known: BTreeMap::new(),
                    alive: true,
                }
            })
            .collect();
        let (links, killed) = (BTreeMap::new(), Vec::new());
        Self { nodes, links, killed, now: 0, random, dials: 0, drops: 0 }
    }

    fn rtt(&self, a: usize, b: usize) -> Duration {
        let ((ax, ay), (bx, by)) = (self.nodes[a].at, self.nodes[b].at);
        Duration::from_secs_f64((1.0 + (ax - bx).hypot(ay - by)) / 1e3)
    }

    fn neighbours(&self, n: usize) -> Vec<usize> {
        let ends = self.links.keys().filter(|(a, b)| *a == n || *b == n);
        ends.map(|(a, b)| if *a == n { *b } else { *a }).collect()
    }

    fn living(&self) -> Vec<usize> {
        (0..self.nodes.len()).filter(|n| self.nodes[*n].alive).collect()
    }

    fn link(&mut self, dialler: usize, to: usize) -> bool {
        let room = |n| self.neighbours(n).len() < MAX_CONNECTIONS;
        let works = self.nodes[to].alive && room(to) && room(dialler);
        if works {
            let link = Link { dialler, since: self.now };
            self.links.entry(pair(dialler, to)).or_insert(link);
        }
        works
    }

    fn learn(&mut self, n: usize, of: usize) {
        let dead = self.killed.iter().any(|(at, k)| *k == of && self.now >= at + DETECTION);
        if of == n || dead {
            return;
        }
        self.nodes[n].known.entry(of).or_insert_with(|| Known {
            peer: key(of).to_peer_id(),
            addresses: vec!["/ip4/127.0.0.1/tcp/1".parse().unwrap()],
            alive: true,
            rtt: None,
            load: Load::default(),
            introducer: None,
        });
    }

    fn second(&mut self) {
        self.now += 1;
        for (at, n) in self.killed.clone() {
            if self.now == at + DETECTION {
                self.links.retain(|(a, b), _| *a != n && *b != n);
                self.nodes.iter_mut().for_each(|node| drop(node.known.remove(&n)));
            }
        }
        for n in self.living() {
            let neighbours = self.neighbours(n);
            // Whoever knows nobody goes to the bootstrap node.
            if neighbours.is_empty() && n != 0 {
                self.link(n, 0);
            }
            if let Some(other) = neighbours.iter().copied().choose(&mut self.random) {
                for (learner, teller) in [(n, other), (other, n)] {
                    let has = &self.nodes[learner].known;
                    let told = self.nodes[teller].known.keys().copied().chain([teller]);
                    let news: Vec<usize> = told.filter(|of| !has.contains_key(of)).collect();
                    news.into_iter().for_each(|of| self.learn(learner, of));
                }
            }
            let probed = self.nodes[n].known.keys().copied().choose(&mut self.random);
            if let Some(probed) = probed {
                let detour = self.random.random_range(1.0..2.0);
                let rtt = self.rtt(n, probed).mul_f64(detour);
                self.nodes[n].known.get_mut(&probed).unwrap().rtt = Some(rtt);
            }
        }
        for n in self.living() {
            self.decide(n);
        }
    }

    fn decide(&mut self, n: usize) {
        let connected: Vec<Connected> = self
            .neighbours(n)
            .into_iter()
            .map(|other| {
                let link = self.links[&pair(n, other)];
                Connected {
                    peer: key(other).to_peer_id(),
                    outbound: link.dialler == n,
                    rtt: Some(self.rtt(n, other)),
                    since: seconds(link.since),
                    protected: false,
                }
            })
            .collect();
        let now = seconds(self.now);
        let node = &mut self.nodes[n];
        let known: Vec<Known> = node.known.values().cloned().collect();
        for decision in node.slots.decide(now, &known, &connected) {
            match decision {
                Decision::Dial(peer, _) => {
                    self.dials += 1;
                    if !self.link(n, number(&peer)) {
                        self.nodes[n].slots.failed(&peer, now);
                    }
                }
                Decision::Drop(peer) => {
                    self.drops += 1;
                    self.links.remove(&pair(n, number(&peer)));
                }
            }
        }
    }

    fn seconds(&mut self, seconds: u64) {
        (0..seconds).for_each(|_| self.second());
    }

    fn kill(&mut self, n: usize) {
        self.nodes[n].alive = false;
        self.killed.push((self.now, n));
    }

    /// Hops from one living node to each that it reaches over living ones.
    fn hops(&self, from: usize, edges: &BTreeMap<usize, Vec<usize>>) -> BTreeMap<usize, usize> {
        let (mut hops, mut queue) = (BTreeMap::from([(from, 0)]), VecDeque::from([from]));
        while let Some(at) = queue.pop_front() {
            let here = hops[&at];
            for next in edges.get(&at).into_iter().flatten() {
                if self.nodes[*next].alive && !hops.contains_key(next) {
                    hops.insert(*next, here + 1);
                    queue.push_back(*next);
                }
            }
        }
        hops
    }

    fn figures(&self) -> Figures {
        let living = self.living();
        let edges: BTreeMap<usize, Vec<usize>> =
            living.iter().map(|n| (*n, self.neighbours(*n))).collect();
        let reached: Vec<BTreeMap<usize, usize>> =
            living.iter().map(|n| self.hops(*n, &edges)).collect();
        let degrees: Vec<usize> = living
            .iter()
            .map(|n| edges[n].iter().filter(|other| self.nodes[**other].alive).count())
            .collect();
        let paths = reached.iter().flat_map(BTreeMap::values).copied().filter(|hops| *hops > 0);
        let of_kind = |kind| {
            let held = living.iter().flat_map(|n| {
                let peers = edges[n].iter().map(|other| (*n, *other));
                peers.filter(move |(n, other)| {
                    self.nodes[*n].slots.kind(&key(*other).to_peer_id()) == Some(kind)
                })
            });
            mean(held.map(|(a, b)| self.rtt(a, b).as_secs_f64() * 1e3))
        };
        Figures {
            connected: reached.iter().all(|reached| reached.len() == living.len()),
            least: degrees.iter().copied().min().unwrap_or(0),
            mean: mean(degrees.iter().map(|degree| *degree as f64)),
            most: degrees.iter().copied().max().unwrap_or(0),
            longest: paths.clone().max().unwrap_or(0),
            path: mean(paths.map(|hops| hops as f64)),
            near_ms: of_kind(Kind::Near),
            random_ms: of_kind(Kind::Random),
            far_ms: of_kind(Kind::Far),
        }
    }
}

/// What the graph of the living looks like.
#[derive(Debug)]
struct Figures {
    connected: bool,
    least: usize,
    mean: f64,
    most: usize,
    path: f64,
    longest: usize,
    near_ms: f64,
    random_ms: f64,
    far_ms: f64,
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0usize), |(sum, n), value| (sum + value, n + 1));
    sum / count.max(1) as f64
}

fn life_of(count: usize, rest: u64, seed: u64) {
    let config = SlotsConfig::default();
    let mut net = Net::new(count, seed);
    net.seconds(120);
    let settled = net.figures();
    println!("{count} nodes, two minutes after they joined by one address: {settled:.1?}");
    assert!(settled.connected && settled.least >= config.slots() && settled.most <= 24);
    assert!(settled.mean < config.most as f64 && settled.path < 3.0 && settled.longest <= 6);
    assert!(settled.near_ms * 3.0 < settled.random_ms && settled.random_ms < settled.far_ms);

    let (dials, drops) = (net.dials, net.drops);
    net.seconds(rest);
    let each = |n: usize| n as f64 * 60.0 / (count as f64 * rest as f64);
    let (dials, drops) = (each(net.dials - dials), each(net.drops - drops));
    println!("at rest, by node and minute: {dials:.2} dials, {drops:.2} drops");
    assert!(dials < 2.0, "rotation alone makes a third of one");

    for n in net.living().into_iter().sample(&mut StdRng::seed_from_u64(seed), count * 3 / 10) {
        net.kill(n);
    }
    let torn = net.figures();
    println!("the moment 30 % are dead: {torn:.1?}");
    assert!(torn.connected, "without any repair");
    net.seconds(DETECTION + 3);
    let mended = net.figures();
    println!("three seconds after that is known: {mended:.1?}");
    assert!(mended.connected && mended.least >= config.slots());
}

#[test]
fn fifty_nodes_that_join_by_one_address_make_one_lasting_network() {
    life_of(50, 300, 1);
}

#[test]
fn two_hundred_nodes_that_join_by_one_address_make_one_lasting_network() {
    life_of(200, 60, 2);
}
