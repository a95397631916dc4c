//! Engines joined by links with delay and loss, under a clock that jumps from event to event.
//!
//! Gossip is modelled as a flood with deduplication: what an engine publishes or accepts goes to
//! every neighbour but the one it came from, and only the first copy of a message asks for a
//! verdict. Signature checks take a fixed time.

mod look;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use hearsay_chain::genesis::{Limits, Schedule};
use hearsay_chain::store::MemoryStore;
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{Chain, Genesis, Keypair, TxId, UnverifiedTx, Verdict};
use hearsay_network::compact::BlockMessage;
use hearsay_network::wire::Response;
use hearsay_network::{PeerId, Ticket, Topic};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::engine::{Copy, Effect, Engine, Input, Kept, Setup, Time, Token};
use crate::trace::event::Event;

pub(super) const MS: u64 = 1_000;
pub(super) const SECOND: u64 = 1_000_000;

/// When the simulated network begins: any moment will do.
const EPOCH_US: u64 = 1_790_000_000 * SECOND;
const CHECK_US: u64 = 100;
const SENDERS: u8 = 4;

/// Something due at a node. Ordered by time and then by age, so that the order is total.
struct Due {
    at: u64,
    number: u64,
    node: usize,
    what: What,
}

enum What {
    Input(Box<Input>),
    Copy { topic: Topic, data: Vec<u8>, from: usize },
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

struct Node {
    engine: Engine<MemoryStore>,
    peer: PeerId,
    links: BTreeMap<usize, u64>,
    seen: BTreeMap<[u8; 20], (Topic, Vec<u8>)>,
    owed: BTreeSet<[u8; 20]>,
    verdicts: Vec<Verdict>,
    included: u64,
    deepest_reorg: u64,
    tip_changes: u64,
    /// Of blocks that came compact: transactions from the pool, carried, fetched.
    rebuilt: Vec<[u64; 3]>,
    accepted: BTreeSet<[u8; 32]>,
    /// What a journal would hold: whether it is local, and when it came.
    kept: BTreeMap<TxId, (bool, u64)>,
}

pub(super) struct Sim {
    pub(super) genesis: Genesis,
    nodes: Vec<Node>,
    queue: BinaryHeap<Reverse<Due>>,
    now: u64,
    number: u64,
    random: StdRng,
    loss: f64,
    no_transactions: bool,
    lost: u64,
    penalised: Vec<(usize, PeerId)>,
    tokens: BTreeMap<Token, (usize, usize, hearsay_network::RequestId)>,
    trace: Vec<u8>,
    /// What was said of reconciliation: when, by which node.
    pub(super) reconciled: Vec<(u64, usize, Event)>,
    /// How often each transaction was handed to a node by a peer, unasked or asked.
    pub(super) handed: BTreeMap<(usize, String), u64>,
}

pub(super) fn sender(number: u8) -> Keypair {
    Keypair::from_seed(&[1 + number; 32])
}

pub(super) fn authority(number: usize) -> Keypair {
    Keypair::from_seed(&[100 + number as u8; 32])
}

fn message_id(topic: Topic, data: &[u8]) -> [u8; 20] {
    hearsay_network::topic::message_id(&format!("{topic:?}"), data)
}

impl Sim {
    pub(super) fn new(seed: u64, nodes: usize, authorities: usize) -> Self {
        Self::with_schedule(seed, nodes, authorities, Schedule::RoundRobin)
    }

    pub(super) fn with_schedule(
        seed: u64,
        nodes: usize,
        authorities: usize,
        schedule: Schedule,
    ) -> Self {
        let genesis = Genesis {
            name: "sim".to_owned(),
            time_ms: EPOCH_US / 1_000,
            slot_ms: 1_000,
            schedule,
            authorities: (0..authorities).map(|number| authority(number).public()).collect(),
            limits: Limits::default(),
            allocations: (0..SENDERS).map(|number| (sender(number).address(), 1_000_000)).collect(),
        };
        let start = Time { unix_us: EPOCH_US, mono_us: 0 };
        let nodes = (0..nodes)
            .map(|number| {
                let store = MemoryStore::new(genesis.id());
                let chain = Chain::open(store, genesis.clone()).unwrap();
                let authority = (number < authorities).then(|| authority(number));
                let setup = Setup {
                    authority,
                    pool: hearsay_mempool::Pool::new(hearsay_mempool::Config::default()).unwrap(),
                    sync_peers: hearsay_network::choice::Strategy::default(),
                    blocks: crate::engine::BlockForm::Full,
                    reconcile: crate::engine::Reconciliation::none(),
                    forward: None,
                    seed: 1,
                };
                Node {
                    engine: Engine::new(chain, setup, start),
                    peer: hearsay_network::peer_id(&[number as u8 + 1; 32]),
                    links: BTreeMap::new(),
                    seen: BTreeMap::new(),
                    owed: BTreeSet::new(),
                    verdicts: Vec::new(),
                    included: 0,
                    deepest_reorg: 0,
                    tip_changes: 0,
                    rebuilt: Vec::new(),
                    accepted: BTreeSet::new(),
                    kept: BTreeMap::new(),
                }
            })
            .collect::<Vec<_>>();
        let mut sim = Self {
            genesis,
            queue: BinaryHeap::new(),
            now: 0,
            number: 0,
            random: StdRng::seed_from_u64(seed),
            loss: 0.0,
            no_transactions: false,
            lost: 0,
            penalised: Vec::new(),
            tokens: BTreeMap::new(),
            trace: Vec::new(),
            reconciled: Vec::new(),
            handed: BTreeMap::new(),
            nodes,
        };
        for node in 0..sim.nodes.len() {
            sim.schedule(0, node, What::Input(Box::new(Input::Tick)));
        }
        sim
    }

    fn schedule(&mut self, at: u64, node: usize, what: What) {
        self.number += 1;
        self.queue.push(Reverse(Due { at, number: self.number, node, what }));
    }

    pub(super) fn input(&mut self, node: usize, input: Input) {
        self.schedule(self.now, node, What::Input(Box::new(input)));
    }

    pub(super) fn connect_all(&mut self) {
        let count = self.nodes.len();
        let pairs: Vec<(usize, usize)> =
            (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b))).collect();
        self.connect(&pairs);
    }

    /// Joins pairs by links of 5 to 80 ms.
    pub(super) fn connect(&mut self, pairs: &[(usize, usize)]) {
        for (a, b) in pairs {
            let delay = self.random.random_range(5 * MS..80 * MS);
            for (one, other) in [(*a, *b), (*b, *a)] {
                self.nodes[one].links.insert(other, delay);
                let peer = self.nodes[other].peer;
                self.input(one, Input::Joined(peer));
                self.input(one, Input::Listening(peer));
            }
        }
    }

    pub(super) fn lose_gossip(&mut self, share: f64) {
        self.loss = share;
    }

    /// Gossip loses every transaction from now on.
    pub(super) fn lose_transactions(&mut self) {
        self.no_transactions = true;
    }

    pub(super) fn transfer(&self, from: u8, nonce: u64) -> Transfer {
        Transfer {
            chain: self.genesis.chain(),
            sender: sender(from).public(),
            nonce,
            recipient: sender((from + 1) % SENDERS).address(),
            amount: 1,
            fee: 1 + nonce % 7,
            expiry: None,
            payload: vec![from; 16],
        }
    }

    /// Hands in `count` transactions, one every `gap`, each sender always at the same node.
    pub(super) fn load(&mut self, count: u64, gap: u64) {
        for number in 0..count {
            let from = (number % u64::from(SENDERS)) as u8;
            let transfer = self.transfer(from, number / u64::from(SENDERS));
            let tx = UnverifiedTx::from(transfer.sign(&sender(from)));
            let node = usize::from(from) % self.nodes.len();
            let input = Input::Submit { token: Token(u64::MAX - number), tx, via: None };
            self.schedule(self.now + SECOND + number * gap, node, What::Input(Box::new(input)));
        }
    }

    pub(super) fn run_until(&mut self, end: u64) {
        while self.queue.peek().is_some_and(|Reverse(due)| due.at <= end) {
            let Some(Reverse(due)) = self.queue.pop() else { return };
            self.now = due.at;
            match due.what {
                What::Input(input) => self.handle(due.node, *input),
                What::Copy { topic, data, from } => self.arrive(due.node, topic, data, from),
            }
        }
        self.now = end;
    }

    fn time(&self) -> Time {
        Time { unix_us: EPOCH_US + self.now, mono_us: self.now }
    }

    /// A copy of a gossiped message reaches a node.
    pub(super) fn arrive(&mut self, node: usize, topic: Topic, data: Vec<u8>, from: usize) {
        let message = message_id(topic, &data);
        let (from, at) = (self.nodes[from].peer, self.time());
        let copy = Copy {
            topic,
            id: topic.content_id(&data),
            from,
            bytes: data.len() as u64,
            traffic: hearsay_network::Traffic::Eager,
            compact: topic == Topic::Block && BlockMessage::is_compact(&data),
            message,
            at,
        };
        self.handle(node, Input::Copy(copy));
        if self.nodes[node].seen.insert(message, (topic, data.clone())).is_none() {
            assert!(self.nodes[node].owed.insert(message));
            let ticket = Ticket { message, from, route: hearsay_network::Route::Push };
            self.handle(node, Input::Gossip { topic, data, ticket, at });
        }
    }

    fn handle(&mut self, node: usize, input: Input) {
        let is_tick = matches!(input, Input::Tick);
        let (mut effects, now) = (Vec::new(), self.time());
        self.nodes[node].engine.handle(now, input, &mut effects).unwrap();
        for effect in effects {
            self.carry_out(node, effect);
        }
        if is_tick {
            let next = self.nodes[node].engine.next_tick(now) - EPOCH_US;
            self.schedule(next, node, What::Input(Box::new(Input::Tick)));
        }
    }

    fn carry_out(&mut self, node: usize, effect: Effect) {
        match effect {
            Effect::Publish { topic, data, .. } => {
                let (id, message) = (topic.content_id(&data), message_id(topic, &data));
                let failure = self.nodes[node]
                    .links
                    .is_empty()
                    .then_some(hearsay_network::PublishFailure::NoPeers);
                if failure.is_none() {
                    self.nodes[node].seen.insert(message, (topic, data.clone()));
                    self.flood(node, topic, &data, None);
                }
                self.input(node, Input::Published { topic, id, failure });
            }
            Effect::Judge { ticket, verdict, .. } => {
                assert!(self.nodes[node].owed.remove(&ticket.message), "judged twice: {ticket:?}");
                self.nodes[node].verdicts.push(verdict);
                if verdict == Verdict::Accept {
                    let (topic, data) = self.nodes[node].seen[&ticket.message].clone();
                    self.nodes[node].accepted.insert(topic.content_id(&data));
                    self.flood(node, topic, &data, Some(ticket.from));
                }
            }
            Effect::Check { job, work } => {
                let input = Input::Checked { job, done: work.run() };
                self.schedule(self.now + CHECK_US, node, What::Input(Box::new(input)));
            }
            Effect::Ask { peer, id, request } => {
                // A peer that is no engine of ours has nothing, and takes long to say so.
                let Some(other) = self.index(peer) else {
                    let result = Ok(Response::Headers(Vec::new()));
                    let input = Input::Response { from: peer, id, result };
                    let due = self.now + 2_900 * MS;
                    return self.schedule(due, node, What::Input(Box::new(input)));
                };
                let token = Token(self.number);
                self.tokens.insert(token, (node, other, id));
                let input = Input::Request { from: self.nodes[node].peer, request, token };
                self.send(node, other, What::Input(Box::new(input)));
            }
            Effect::Respond { token, response } => {
                let Some((asker, asked, id)) = self.tokens.remove(&token) else { return };
                let from = self.nodes[asked].peer;
                let input = Input::Response { from, id, result: Ok(response) };
                self.send(asked, asker, What::Input(Box::new(input)));
            }
            Effect::Trace(event) | Effect::TraceAt(_, event) => self.trace(node, &event),
            Effect::Ignore { token } => {
                let Some((asker, asked, id)) = self.tokens.remove(&token) else { return };
                let from = self.nodes[asked].peer;
                let input = Input::Response { from, id, result: Err("no answer".to_owned()) };
                self.send(asked, asker, What::Input(Box::new(input)));
            }
            Effect::Unban { .. } => {}
            Effect::Ban { peer, .. } => self.penalised.push((node, peer)),
            Effect::Keep(Kept::Add { tx, local, arrived_unix_us }) => {
                let kept = &mut self.nodes[node].kept;
                kept.entry(tx.id()).or_insert((local, arrived_unix_us));
            }
            Effect::Keep(Kept::Remove(id)) => drop(self.nodes[node].kept.remove(&id)),
            Effect::Submitted { .. } | Effect::Answer { .. } | Effect::RestoreDone(_) => {}
        }
    }

    fn flood(&mut self, node: usize, topic: Topic, data: &[u8], except: Option<PeerId>) {
        let mut links: Vec<usize> = self.nodes[node].links.keys().copied().collect();
        links.retain(|other| Some(self.nodes[*other].peer) != except);
        for other in links {
            let lost = self.no_transactions && topic == Topic::Tx;
            if self.random.random_bool(self.loss) || lost {
                self.lost += 1;
            } else {
                self.send(node, other, What::Copy { topic, data: data.to_vec(), from: node });
            }
        }
    }

    fn send(&mut self, from: usize, to: usize, what: What) {
        let delay = self.nodes[from].links[&to];
        self.schedule(self.now + delay, to, what);
    }

    fn index(&self, peer: PeerId) -> Option<usize> {
        self.nodes.iter().position(|node| node.peer == peer)
    }
}
