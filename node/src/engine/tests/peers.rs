//! One engine that catches up, and peers that are scripted: honest, silent, slow, lying. Under
//! virtual time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use hearsay_chain::genesis::{Genesis, Limits, Schedule};
use hearsay_chain::store::MemoryStore;
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{BlockId, Chain, Keypair, Store, UnverifiedTx, VerifiedBlock, VerifiedTx};
use hearsay_network::choice::Strategy;
use hearsay_network::wire::{Request, Response, Standing};
use hearsay_network::{PeerId, RequestId};

use crate::engine::{Effect, Engine, Input, Setup, Time};
use crate::trace::event::{Event, Via};

pub(super) const MS: u64 = 1_000;
pub(super) const SECOND: u64 = 1_000_000;

/// A signature check takes this long, as everywhere; a link has 20 ms each way.
const CHECK_US: u64 = 50;
const LINK_US: u64 = 20 * MS;

/// When slot 0 begins; twenty thousand slots have passed when the engine starts.
const EPOCH_US: u64 = 1_790_000_000 * SECOND;
const START_US: u64 = EPOCH_US + 20_000 * SECOND;

/// What a peer is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Gives what it has.
    Honest,
    /// Gives what it has, so many microseconds late.
    Slow(u64),
    /// Says that it stands high, and answers nothing else.
    Silent,
    /// Says that it stands high, and has nothing.
    Empty,
    /// Gives headers and bodies of other blocks.
    FalseBodies,
    /// Gives headers that nobody signed.
    FalseHeaders,
    /// Answers each question with an answer to another one.
    Confused,
    /// Has forgotten bodies up to a height.
    Pruned(u64),
    /// Has no bodies above a height, and says nothing of it.
    Stump(u64),
    /// Gives the first page of headers, whatever it is asked for.
    Replaying,
}

pub(super) fn authority(number: u64) -> Keypair {
    Keypair::from_seed(&[100 + (number % 4) as u8; 32])
}

pub(super) fn genesis() -> Genesis {
    Genesis {
        name: "peers".to_owned(),
        time_ms: EPOCH_US / 1_000,
        slot_ms: 1_000,
        schedule: Schedule::RoundRobin,
        authorities: (0..4).map(|number| authority(number).public()).collect(),
        limits: Limits::default(),
        allocations: [(Keypair::from_seed(&[1; 32]).address(), 1 << 40)].into(),
    }
}

/// A chain of `length` blocks with a transaction in each; `skip` leaves slots out, so that branches
/// differ.
pub(super) fn chain(length: u64, skip: impl Fn(u64) -> bool) -> Chain<MemoryStore> {
    let genesis = genesis();
    let mut chain = Chain::open(MemoryStore::new(genesis.id()), genesis.clone()).unwrap();
    extend(&mut chain, length, skip);
    chain
}

pub(super) fn extend(chain: &mut Chain<MemoryStore>, length: u64, skip: impl Fn(u64) -> bool) {
    let genesis = chain.genesis().clone();
    let payer = Keypair::from_seed(&[1; 32]);
    let mut slot = chain.store().header(&chain.tip().id).unwrap().unwrap().fields.slot;
    let mut nonce = chain.ends().height;
    while chain.ends().height < length {
        slot += 1;
        if skip(slot) {
            continue;
        }
        let transfer = Transfer {
            chain: genesis.chain(),
            sender: payer.public(),
            nonce,
            recipient: payer.address(),
            amount: 1,
            fee: 1,
            expiry: None,
            payload: vec![],
        };
        nonce += 1;
        let tx = VerifiedTx::from_own_store(UnverifiedTx::from(transfer.sign(&payer)));
        let parent = (chain.tip().id, chain.tip().height);
        let key = authority(slot);
        let block = VerifiedBlock::propose(genesis.chain(), parent, slot, vec![tx], &key);
        chain.import(block, u64::MAX).unwrap();
    }
}

struct Peer {
    id: PeerId,
    kind: Kind,
    chain: Chain<MemoryStore>,
}

/// What is due, by time and then by age.
type Queue = BinaryHeap<Reverse<(u64, u64)>>;

pub(super) struct Lab {
    pub(super) engine: Option<Engine<MemoryStore>>,
    peers: Vec<Peer>,
    now: u64,
    number: u64,
    queue: Queue,
    inputs: BTreeMap<(u64, u64), Input>,
    /// How often each block came by sync.
    pub(super) came: BTreeMap<String, u64>,
    pub(super) gave: BTreeMap<PeerId, u64>,
    pub(super) penalised: BTreeSet<PeerId>,
    pub(super) open: usize,
    pub(super) most_open: usize,
    pub(super) tips: u64,
    pub(super) deepest: u64,
    pub(super) told: Vec<(u64, u64, u64)>,
}

impl Lab {
    pub(super) fn new(strategy: Strategy, own: Chain<MemoryStore>) -> Self {
        let mut lab = Self {
            engine: None,
            peers: Vec::new(),
            now: 0,
            number: 0,
            queue: BinaryHeap::new(),
            inputs: BTreeMap::new(),
            came: BTreeMap::new(),
            gave: BTreeMap::new(),
            penalised: BTreeSet::new(),
            open: 0,
            most_open: 0,
            tips: 0,
            deepest: 0,
            told: Vec::new(),
        };
        lab.start(strategy, own);
        lab
    }

    /// Starts the engine, or starts it again on what its chain has stored.
    pub(super) fn start(&mut self, strategy: Strategy, own: Chain<MemoryStore>) {
        let setup = Setup {
            authority: None,
            pool: hearsay_mempool::Pool::new(hearsay_mempool::Config::default()).unwrap(),
            sync_peers: strategy,
            blocks: crate::engine::BlockForm::Full,
            reconcile: crate::engine::Reconciliation::none(),
            forward: None,
            seed: 3,
        };
        self.engine = Some(Engine::new(own, setup, self.time()));
        self.queue.clear();
        self.inputs.clear();
        self.input(0, Input::Tick);
        for peer in self.peers.iter().map(|peer| peer.id).collect::<Vec<_>>() {
            self.input(0, Input::Joined(peer));
        }
    }

    pub(super) fn join(&mut self, kind: Kind, chain: &Chain<MemoryStore>) -> PeerId {
        let id = hearsay_network::peer_id(&[self.peers.len() as u8 + 1; 32]);
        let chain = Chain::open(chain.store().clone(), genesis()).unwrap();
        self.peers.push(Peer { id, kind, chain });
        self.input(0, Input::Joined(id));
        id
    }

    pub(super) fn chain(&self) -> &Chain<MemoryStore> {
        self.engine.as_ref().unwrap().chain()
    }

    fn time(&self) -> Time {
        Time { unix_us: START_US + self.now, mono_us: self.now }
    }

    fn input(&mut self, after: u64, input: Input) {
        self.number += 1;
        let key = (self.now + after, self.number);
        self.queue.push(Reverse(key));
        self.inputs.insert(key, input);
    }

    /// Runs until the engine's tip is this one; gives the microseconds that took.
    pub(super) fn run_to(&mut self, tip: BlockId, limit: u64) -> u64 {
        let begin = self.now;
        while self.chain().tip().id != tip {
            assert!(self.now < begin + limit, "it stands at {:?}", self.chain().ends());
            self.step();
        }
        self.now - begin
    }

    pub(super) fn run_for(&mut self, span: u64) {
        let end = self.now + span;
        while self.queue.peek().is_some_and(|Reverse((at, _))| *at <= end) {
            self.step();
        }
        self.now = end;
    }

    fn step(&mut self) {
        let Some(Reverse(key)) = self.queue.pop() else { panic!("nothing is due") };
        self.now = key.0;
        let Some(input) = self.inputs.remove(&key) else { return };
        let tick = matches!(input, Input::Tick);
        let (mut effects, now) = (Vec::new(), self.time());
        let engine = self.engine.as_mut().unwrap();
        engine.handle(now, input, &mut effects).unwrap();
        engine.chain().store().ends().unwrap();
        let next = engine.next_tick(now);
        for effect in effects {
            self.carry_out(effect);
        }
        if tick {
            // A tick that is due at once still comes a moment later.
            self.input((next - now.unix_us).max(1), Input::Tick);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Check { job, work } => {
                let cost = CHECK_US * work.signatures().max(1);
                self.input(cost, Input::Checked { job, done: work.run() });
            }
            Effect::Ask { peer, id, request } => self.ask(peer, id, request),
            Effect::Ban { peer, .. } => {
                self.penalised.insert(peer);
                self.peers.retain(|other| other.id != peer);
                self.input(0, Input::Left(peer));
            }
            Effect::Trace(event) => self.note(&event),
            _ => {}
        }
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::Received { id, from, via: Via::Sync, .. }
            | Event::Duplicate { id, from, via: Via::Sync, .. } => {
                *self.came.entry(id.clone()).or_default() += 1;
                *self.gave.entry(from.parse().unwrap()).or_default() += 1;
            }
            Event::Tip { depth, .. } => {
                self.tips += 1;
                self.deepest = self.deepest.max(*depth);
            }
            Event::Sync { target, headers, height, .. } => {
                self.told.push((*height, *headers, *target));
            }
            _ => {}
        }
    }

    fn ask(&mut self, to: PeerId, id: RequestId, request: Request) {
        let Some(peer) = self.peers.iter().find(|peer| peer.id == to) else { return };
        let standing = standing(&peer.chain, peer.kind);
        let late = if let Kind::Slow(late) = peer.kind { late } else { 0 };
        let response = match (&request, peer.kind) {
            (Request::Standing(_), _) => Some(Response::Standing(standing)),
            (_, Kind::Silent) => None,
            (_, Kind::Confused) => Some(Response::Standing(standing)),
            // None of them has a pool.
            (Request::HaveTransactions(ids), _) => {
                Some(Response::HaveTransactions(vec![0; ids.len().div_ceil(8)]))
            }
            (Request::OfferTransactions(_) | Request::TakeTransaction(_), _) => {
                Some(Response::Offered)
            }
            (Request::BlockTransactions { .. } | Request::Named { .. }, _) => {
                Some(Response::Transactions(vec![]))
            }
            (Request::Sketch { .. }, _) => Some(Response::Sketch { size: 0, symbols: vec![] }),
            (Request::Headers { .. }, Kind::Empty) => Some(Response::Headers(vec![])),
            (Request::Bodies(_), Kind::Empty) => Some(Response::Bodies(vec![])),
            (Request::Headers { locator, max }, kind) => {
                let mut headers = peer.chain.headers_after(locator, usize::from(*max)).unwrap();
                if kind == Kind::FalseHeaders {
                    headers.iter_mut().for_each(|header| header.signature.0[7] ^= 1);
                }
                if kind == Kind::Replaying {
                    headers = peer.chain.headers_after(&[], usize::from(*max)).unwrap();
                }
                Some(Response::Headers(headers))
            }
            (Request::Bodies(ids), kind) => {
                let kept = |id: &&BlockId| {
                    let header = peer.chain.store().header(id).unwrap();
                    header.is_some_and(|header| match kind {
                        Kind::Pruned(height) => header.fields.height > height,
                        Kind::Stump(height) => header.fields.height <= height,
                        _ => true,
                    })
                };
                let bodies = ids.iter().take_while(kept);
                let bodies = bodies.map_while(|id| peer.chain.store().body(id).unwrap());
                let bodies = bodies.map(|mut body| {
                    if kind == Kind::FalseBodies {
                        let last = body.len() - 1;
                        body[last] ^= 1;
                    }
                    body
                });
                Some(Response::Bodies(bodies.collect()))
            }
        };
        if matches!(request, Request::Bodies(_)) {
            self.open += 1;
            self.most_open = self.most_open.max(self.open);
            self.open -= usize::from(response.is_some());
        }
        // A peer that never answers fails when the connection's own time is up.
        let (after, result) = match response {
            Some(response) => (2 * LINK_US + late, Ok(response)),
            None => (30 * SECOND, Err("timed out".to_owned())),
        };
        self.input(after, Input::Response { from: to, id, result });
    }
}

fn standing(chain: &Chain<MemoryStore>, kind: Kind) -> Standing {
    let ends = chain.ends();
    let boast = if matches!(kind, Kind::Silent | Kind::Empty) { 1_000 } else { 0 };
    Standing {
        genesis: chain.rules().id(),
        tip: ends.tip,
        height: ends.height + boast,
        final_height: ends.final_height,
        first_body: if let Kind::Pruned(height) = kind { height + 1 } else { 1 },
    }
}
