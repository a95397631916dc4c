//! Many machines over links with delays, under virtual time. A link keeps order and may lose
//! frames, which the streams of the real thing do not: it is the harder case.

mod acts;
mod look;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::time::Duration;

use hearsay_chain::ids::GenesisId;
use libp2p::PeerId;
use libp2p::identity::Keypair;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::members::{About, Config, Machine, News, Output, Role};

pub(super) const GENESIS: GenesisId = GenesisId([7; 32]);

/// A generation that a clock of today gives.
pub(super) const BORN: u64 = 1_760_000_000_000;

pub(super) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn keypair(number: usize) -> Keypair {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&(number as u64 + 1).to_be_bytes());
    Keypair::ed25519_from_bytes(seed).unwrap()
}

pub(super) fn machine(number: usize, generation: u64, seed: u64) -> Machine {
    let about = About {
        name: format!("n{number}"),
        role: Role::Relay,
        version: "0.1.0".into(),
        addresses: vec![
            format!("/ip4/10.0.{}.{}/tcp/9000", number / 250, number % 250 + 1).parse().unwrap(),
        ],
    };
    let seed = seed.wrapping_mul(1_000).wrapping_add(number as u64);
    Machine::new(Config::default(), GENESIS, keypair(number), about, generation, seed).unwrap()
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Frame {
        from: usize,
        to: usize,
        epoch: u64,
        bytes: Vec<u8>,
    },
    Linked {
        node: usize,
        peer: usize,
    },
    Unlinked {
        node: usize,
        peer: usize,
        graceful: bool,
    },
    Wake {
        node: usize,
    },
    /// What a starved node gets to only now.
    Late {
        node: usize,
        event: Box<Event>,
    },
}

pub(super) struct Node {
    pub(super) machine: Machine,
    pub(super) peer: PeerId,
    pub(super) alive: bool,
    pub(super) news: Vec<(Duration, News)>,
    pub(super) offences: Vec<(PeerId, &'static str)>,
    paused: Option<VecDeque<Event>>,
    /// Everything that it does comes so much later: a share of this at random.
    slow: Option<Duration>,
    busy_until: Duration,
    wake: Option<Duration>,
}

#[derive(Clone, Debug)]
struct Link {
    delay: Duration,
    up: bool,
    epoch: u64,
    /// When the last frame arrives, from the smaller number and to it.
    last: [Duration; 2],
}

pub(super) struct Sim {
    pub(super) now: Duration,
    pub(super) nodes: Vec<Node>,
    numbers: BTreeMap<PeerId, usize>,
    pub(super) random: StdRng,
    /// The chance that a link loses a frame.
    pub(super) loss: f64,
    links: BTreeMap<(usize, usize), Link>,
    /// Links that carry nothing, though they stand.
    dead_air: BTreeSet<(usize, usize)>,
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    number: u64,
    seed: u64,
}

fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

impl Sim {
    pub(super) fn new(count: usize, seed: u64) -> Self {
        let mut sim = Self {
            now: Duration::ZERO,
            nodes: vec![],
            numbers: BTreeMap::new(),
            random: StdRng::seed_from_u64(seed),
            loss: 0.0,
            links: BTreeMap::new(),
            dead_air: BTreeSet::new(),
            events: BinaryHeap::new(),
            number: 0,
            seed,
        };
        (0..count).for_each(|_| sim.add());
        sim
    }

    /// So many nodes on a random graph where each has about `degree` neighbours, a minute old.
    pub(super) fn settled(count: usize, degree: usize, seed: u64) -> Self {
        let mut sim = Self::new(count, seed);
        sim.connect_at_random(degree);
        sim.run(secs(60));
        for node in 0..count {
            let there = sim.alive_with(node);
            assert_eq!(there.len(), count - 1, "node {node} knows all (seed {seed})");
        }
        sim
    }

    pub(super) fn add(&mut self) {
        let number = self.nodes.len();
        self.numbers.insert(keypair(number).public().to_peer_id(), number);
        self.nodes.push(Node {
            machine: machine(number, BORN, self.seed),
            peer: keypair(number).public().to_peer_id(),
            alive: true,
            news: vec![],
            offences: vec![],
            paused: None,
            slow: None,
            busy_until: Duration::ZERO,
            wake: None,
        });
    }

    pub(super) fn connect_at_random(&mut self, degree: usize) {
        let count = self.nodes.len();
        (0..count).for_each(|node| self.link(node, (node + 1) % count));
        let mut degrees = vec![2; count];
        for _ in 0..count * degree * 4 {
            let (a, b) = (self.random.random_range(0..count), self.random.random_range(0..count));
            if a != b
                && degrees[a] < degree
                && degrees[b] < degree
                && !self.links.contains_key(&pair(a, b))
            {
                self.link(a, b);
                degrees[a] += 1;
                degrees[b] += 1;
            }
        }
    }

    fn push(&mut self, at: Duration, event: Event) {
        self.number += 1;
        self.events.push(Reverse((at, self.number, event)));
    }

    /// A frame from one node to another, as the node itself would send it.
    pub(super) fn transmit(&mut self, from: usize, to: usize, bytes: Vec<u8>) {
        let lost = self.loss > 0.0 && self.random.random_bool(self.loss);
        let Some(link) = self.links.get_mut(&pair(from, to)).filter(|link| link.up) else { return };
        if lost || self.dead_air.contains(&pair(from, to)) {
            return;
        }
        let jitter = 0.95 + 0.1 * self.random.random::<f64>();
        let last = &mut link.last[usize::from(from > to)];
        let at = (self.now + link.delay.mul_f64(jitter)).max(*last);
        *last = at;
        let epoch = link.epoch;
        self.push(at, Event::Frame { from, to, epoch, bytes });
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, time: Duration) {
        self.run_to(self.now + time);
    }

    pub(super) fn run_to(&mut self, end: Duration) {
        while let Some(Reverse((at, ..))) = self.events.peek()
            && *at <= end
        {
            let Some(Reverse((at, _, event))) = self.events.pop() else { break };
            self.now = at;
            self.handle(event);
        }
        self.now = end;
    }

    /// Lets time pass until something is so; how long that took, if it was so in time.
    pub(super) fn run_until(
        &mut self,
        most: Duration,
        mut so: impl FnMut(&Self) -> bool,
    ) -> Option<Duration> {
        let start = self.now;
        while self.now < start + most {
            if so(self) {
                return Some(self.now - start);
            }
            self.run(ms(50));
        }
        so(self).then(|| self.now - start)
    }

    fn handle(&mut self, event: Event) {
        let number = match &event {
            Event::Frame { to, .. } => *to,
            Event::Linked { node, .. }
            | Event::Unlinked { node, .. }
            | Event::Wake { node }
            | Event::Late { node, .. } => *node,
        };
        let node = &mut self.nodes[number];
        if !node.alive {
            return;
        }
        if let Some(paused) = &mut node.paused {
            if !matches!(event, Event::Wake { .. }) {
                paused.push_back(event);
            }
            return;
        }
        match event {
            Event::Late { event, .. } => self.give(number, *event),
            event => match self.nodes[number].slow {
                Some(most) => {
                    let at = self.starved_until(number, most);
                    self.push(at, Event::Late { node: number, event: Box::new(event) });
                }
                None => self.give(number, event),
            },
        }
    }

    /// When a starved node gets to what comes now: it gets a turn only now and then, and in it does
    /// all that has come meanwhile.
    fn starved_until(&mut self, number: usize, most: Duration) -> Duration {
        let wait = most.mul_f64(self.random.random_range(0.05..1.0));
        let node = &mut self.nodes[number];
        if node.busy_until <= self.now {
            node.busy_until = self.now + wait;
        }
        node.busy_until
    }

    fn give(&mut self, number: usize, event: Event) {
        let now = self.now;
        match event {
            Event::Frame { from, epoch, bytes, .. } => {
                let current = self.links.get(&pair(from, number));
                if current.is_some_and(|link| link.up && link.epoch == epoch) {
                    let from = self.nodes[from].peer;
                    self.nodes[number].machine.received(now, from, &bytes);
                }
            }
            Event::Linked { peer, .. } => {
                if self.nodes[peer].alive {
                    let peer = self.nodes[peer].peer;
                    self.nodes[number].machine.linked(now, peer);
                }
            }
            Event::Unlinked { peer, graceful, .. } => {
                let peer = self.nodes[peer].peer;
                self.nodes[number].machine.unlinked(now, peer, graceful);
            }
            Event::Wake { .. } => {
                self.nodes[number].wake = None;
                if self.nodes[number].machine.next_wake().is_some_and(|at| at <= now) {
                    self.nodes[number].machine.tick(now);
                }
            }
            Event::Late { .. } => {}
        }
        self.drain(number);
    }

    /// Does what a machine wants done.
    pub(super) fn drain(&mut self, number: usize) {
        while let Some(output) = self.nodes[number].machine.output() {
            match output {
                Output::Send { neighbour, bytes } => {
                    assert!(bytes.len() <= crate::members::MAX_FRAME);
                    if let Some(to) = self.number_of(&neighbour) {
                        self.transmit(number, to, bytes);
                    }
                }
                Output::News(news) => self.nodes[number].news.push((self.now, news)),
                Output::Offence { neighbour, what } => {
                    self.nodes[number].offences.push((neighbour, what));
                }
                Output::Dial { .. } => {}
            }
        }
        self.schedule_wake(number);
    }

    fn schedule_wake(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        if let Some(at) = node.machine.next_wake().map(|at| at.max(self.now))
            && node.wake.is_none_or(|wake| at < wake)
        {
            node.wake = Some(at);
            self.push(at, Event::Wake { node: number });
        }
    }

    pub(super) fn number_of(&self, peer: &PeerId) -> Option<usize> {
        self.numbers.get(peer).copied()
    }
}

/// The value below which so many in a hundred lie.
pub(super) fn percentile(values: &mut [Duration], percent: usize) -> Duration {
    values.sort();
    values[((values.len() * percent).div_ceil(100)).max(1) - 1]
}
