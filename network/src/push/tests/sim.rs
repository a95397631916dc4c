//! Many routers over links with delays, under virtual time. Streams lose nothing and keep order;
//! what is lost, where a test wants it, is the messages in a frame.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use hearsay_chain::Verdict;
use hearsay_chain::hash::tagged;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::push::message::short_of;
use crate::push::{Config, Frame, Heard, Item, MessageId, Origin, Part, Router, Traffic};
use crate::topic::Topic;

/// How long a node takes to judge a message.
pub(super) const CHECK: Duration = Duration::from_millis(1);

/// How much the delay of a frame may differ from that of its link, to either side.
pub(super) const JITTER: f64 = 0.05;

pub(super) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(super) fn identify(topic: Topic, data: &[u8]) -> MessageId {
    let hash = tagged("test", &[&[topic as u8], data]);
    let mut id = [0; 20];
    id.copy_from_slice(&hash[..20]);
    id
}

pub(super) fn router<P: Ord + Copy + std::fmt::Debug>(config: Config, number: u64) -> Router<P> {
    Router::new(config, Origin(1_000 + number), number, Box::new(identify))
}

/// Something that a test does at a set time.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Publish(usize),
    Join(usize, usize),
    Part(usize, usize),
    /// From now on the node says nothing.
    Silence(usize),
    /// The node does nothing, and what comes waits until it goes on.
    Halt(usize),
    Resume(usize),
}

enum Event {
    Arrive { from: usize, to: usize, epoch: u64, frame: Frame },
    Judge { node: usize, message: MessageId },
    Wake { node: usize },
    Act(Act),
}

impl Event {
    /// Whose it is, unless it is the test's.
    fn node(&self) -> Option<usize> {
        match self {
            Event::Arrive { to: node, .. } | Event::Judge { node, .. } | Event::Wake { node } => {
                Some(*node)
            }
            Event::Act(_) => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) delay: Duration,
    /// When the last frame in each direction arrives: from the smaller number, and to it.
    last: [Duration; 2],
    /// How often it was opened; what was on its way when it broke is lost.
    epoch: u64,
    open: bool,
}

/// What became of one message.
#[derive(Clone, Debug)]
pub(super) struct Fate {
    pub(super) origin: usize,
    pub(super) at: Duration,
    pub(super) arrived: BTreeMap<usize, Duration>,
    pub(super) copies: u64,
}

pub(super) struct Sim {
    pub(super) now: Duration,
    pub(super) nodes: Vec<Router<usize>>,
    pub(super) lines: BTreeMap<(usize, usize), Line>,
    events: BinaryHeap<Reverse<(Duration, u64)>>,
    bodies: BTreeMap<u64, Event>,
    next: u64,
    wakes: Vec<Option<Duration>>,
    pub(super) silent: BTreeSet<usize>,
    /// What waits for nodes that are halted.
    halted: BTreeMap<usize, Vec<Event>>,
    /// Nodes that announce what they have, and give nothing.
    pub(super) stingy: BTreeSet<usize>,
    pub(super) random: StdRng,
    /// The chance that a part that carries messages is lost.
    pub(super) loss: f64,
    pub(super) payload: usize,
    pub(super) fates: BTreeMap<MessageId, Fate>,
    pub(super) accepted: u64,
    pub(super) settled: u64,
    pub(super) unsure: u64,
    pub(super) taken: u64,
    pub(super) dropped: BTreeMap<&'static str, u64>,
    pub(super) offences: Vec<(usize, &'static str)>,
    /// Of connections that are closed.
    pub(super) past: Vec<Traffic>,
}

fn key(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

impl Sim {
    /// Nodes on a random graph: a ring, and further links at random until each has about `degree`.
    /// The links open within the first second.
    pub(super) fn new(count: usize, degree: usize, config: &Config, seed: u64) -> Self {
        let mut sim = Self {
            now: Duration::ZERO,
            nodes: (0..count as u64).map(|it| router(config.clone(), seed * 1_000 + it)).collect(),
            lines: BTreeMap::new(),
            events: BinaryHeap::new(),
            bodies: BTreeMap::new(),
            next: 0,
            wakes: vec![None; count],
            silent: BTreeSet::new(),
            halted: BTreeMap::new(),
            stingy: BTreeSet::new(),
            random: StdRng::seed_from_u64(seed),
            loss: 0.0,
            payload: 200,
            fates: BTreeMap::new(),
            accepted: 0,
            settled: 0,
            unsure: 0,
            taken: 0,
            dropped: BTreeMap::new(),
            offences: Vec::new(),
            past: Vec::new(),
        };
        let mut edges: BTreeSet<(usize, usize)> =
            (0..count).map(|it| key(it, (it + 1) % count)).collect();
        while edges.len() < count * degree / 2 {
            let (a, b) = (sim.random.random_range(0..count), sim.random.random_range(0..count));
            if a != b {
                edges.insert(key(a, b));
            }
        }
        for (a, b) in edges {
            let delay = Duration::from_micros(sim.random.random_range(10_000..150_000));
            sim.add_line(a, b, delay);
            let at = ms(sim.random.random_range(0..1_000));
            sim.at(at, Act::Join(a, b));
        }
        sim
    }

    pub(super) fn add_line(&mut self, a: usize, b: usize, delay: Duration) {
        let last = [Duration::ZERO; 2];
        self.lines.insert(key(a, b), Line { delay, last, epoch: 0, open: false });
    }

    pub(super) fn at(&mut self, at: Duration, act: Act) {
        self.schedule(at, Event::Act(act));
    }

    fn schedule(&mut self, at: Duration, event: Event) {
        self.events.push(Reverse((at, self.next)));
        self.bodies.insert(self.next, event);
        self.next += 1;
    }

    /// So many messages a second from random nodes, within a time.
    pub(super) fn load(&mut self, rate: u64, from: Duration, until: Duration) {
        let mut at = from;
        while at < until {
            let node = self.random.random_range(0..self.nodes.len());
            self.at(at, Act::Publish(node));
            at += Duration::from_secs(1) / rate as u32;
        }
    }

    /// All links there are, and whether each is open.
    pub(super) fn lines(&self) -> Vec<(usize, usize)> {
        self.lines.keys().copied().collect()
    }

    pub(super) fn run(&mut self, until: Duration) {
        while let Some(Reverse((at, number))) = self.events.peek().copied() {
            if at > until {
                break;
            }
            self.events.pop();
            self.now = at;
            let event = self.bodies.remove(&number).unwrap();
            self.step(event);
        }
        self.now = until;
    }

    fn step(&mut self, event: Event) {
        let now = self.now;
        let mut out = Vec::new();
        if let Some(waiting) = event.node().and_then(|node| self.halted.get_mut(&node)) {
            return waiting.push(event);
        }
        match event {
            Event::Arrive { from, to, epoch, frame } => {
                let line = &self.lines[&key(from, to)];
                if line.open && line.epoch == epoch {
                    self.nodes[to].received(now, from, frame, &mut out);
                    self.hear(to, out);
                    self.pump(to);
                }
            }
            Event::Judge { node, message } => {
                self.accepted += 1;
                self.nodes[node].judged(now, &message, Verdict::Accept);
                self.pump(node);
            }
            Event::Wake { node } => {
                if self.wakes[node].is_some_and(|at| at <= now) {
                    self.wakes[node] = None;
                    self.nodes[node].tick(now, &mut out);
                    self.hear(node, out);
                    self.pump(node);
                }
            }
            Event::Act(act) => self.act(act),
        }
    }

    fn act(&mut self, act: Act) {
        let now = self.now;
        match act {
            Act::Publish(node) => {
                let mut data = vec![7; self.payload];
                data[..8].copy_from_slice(&self.next.to_le_bytes());
                self.next += 1;
                let message = self.nodes[node].publish(now, Topic::Tx, data, false);
                self.accepted += 1;
                let fate = Fate { origin: node, at: now, arrived: BTreeMap::new(), copies: 0 };
                self.fates.insert(message, fate);
                self.pump(node);
            }
            Act::Join(a, b) => {
                let line = self.lines.get_mut(&key(a, b)).unwrap();
                if !line.open {
                    line.open = true;
                    line.epoch += 1;
                    for (one, other) in [(a, b), (b, a)] {
                        self.nodes[one].joined(now, other);
                        self.pump(one);
                    }
                }
            }
            Act::Part(a, b) => {
                let line = self.lines.get_mut(&key(a, b)).unwrap();
                if line.open {
                    line.open = false;
                    for (one, other) in [(a, b), (b, a)] {
                        let stats = self.nodes[one].stats(&other);
                        self.past.push(stats.sent);
                        self.nodes[one].left(now, &other);
                        self.pump(one);
                    }
                }
            }
            Act::Silence(node) => {
                self.silent.insert(node);
            }
            Act::Halt(node) => {
                self.halted.insert(node, Vec::new());
            }
            Act::Resume(node) => {
                for event in self.halted.remove(&node).unwrap_or_default() {
                    self.step(event);
                }
            }
        }
    }

    fn hear(&mut self, node: usize, heard: Vec<Heard<usize>>) {
        for heard in heard {
            match heard {
                Heard::Copy { message, .. } => self.fates.get_mut(&message).unwrap().copies += 1,
                Heard::Message { message, .. } => {
                    let fate = self.fates.get_mut(&message).unwrap();
                    let before = fate.arrived.insert(node, self.now);
                    assert_eq!(before, None, "a message is told of once");
                    self.schedule(self.now + CHECK, Event::Judge { node, message });
                }
                Heard::Taken { .. } => self.taken += 1,
                Heard::Settled { unsure, .. } => {
                    self.settled += 1;
                    self.unsure += u64::from(unsure > 0);
                }
                Heard::Dropped { place, count } => *self.dropped.entry(place).or_default() += count,
                Heard::Offence { what, .. } => self.offences.push((node, what)),
            }
        }
    }

    /// Sends what a node has to send, and sees to it that it is woken.
    fn pump(&mut self, node: usize) {
        let ready: Vec<usize> = self.nodes[node].ready(self.now).collect();
        for peer in ready {
            while let Some(frame) = self.nodes[node].next_frame(self.now, &peer) {
                self.send(node, peer, frame);
            }
        }
        if let Some(at) = self.nodes[node].wake_at() {
            let at = at.max(self.now);
            if self.wakes[node].is_none_or(|before| at < before) {
                self.wakes[node] = Some(at);
                self.schedule(at, Event::Wake { node });
            }
        }
    }

    fn send(&mut self, from: usize, to: usize, mut frame: Frame) {
        if self.silent.contains(&from) {
            return;
        }
        let bytes = frame.encode();
        assert_eq!(Frame::decode(&bytes, 1 << 20).as_ref(), Ok(&frame));
        let carries = |part: &Part| matches!(part, Part::Messages { .. } | Part::Asked { .. });
        if self.stingy.contains(&from) {
            // It announces what it should push.
            let mut ids = Vec::new();
            for part in frame.parts.iter().filter(|part| carries(part)) {
                let Part::Messages { items, .. } = part else { continue };
                let id = |item: &Item| short_of(&identify(item.topic, &item.data.0));
                let others = items
                    .iter()
                    .filter(|item| self.fates[&identify(item.topic, &item.data.0)].origin != from);
                ids.extend(others.map(id));
            }
            frame.parts.retain(|part| !carries(part));
            frame.parts.push(Part::Have(ids));
        }
        let (random, loss) = (&mut self.random, self.loss);
        frame.parts.retain(|part| !(loss > 0.0 && carries(part) && random.random_bool(loss)));
        let jitter = 1.0 + self.random.random_range(-JITTER..JITTER);
        let line = self.lines.get_mut(&key(from, to)).unwrap();
        let last = &mut line.last[usize::from(from > to)];
        *last = (*last).max(self.now + line.delay.mul_f64(jitter));
        let (at, epoch) = (*last, line.epoch);
        self.schedule(at, Event::Arrive { from, to, epoch, frame });
    }

    /// A node passes on a beacon of another that never was.
    pub(super) fn forge_beacon(&mut self, node: usize, origin: Origin, number: u64) {
        let peers: Vec<usize> = self.nodes[node].peers().collect();
        for peer in peers {
            let parts = vec![Part::Beacon { origin, number }];
            self.send(node, peer, Frame { parts });
        }
    }
}
