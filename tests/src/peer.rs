//! A peer inside this process: the network side of a node, answering for a chain in memory, well or
//! badly.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hearsay_chain::store::MemoryStore;
use hearsay_chain::{
    BlockId, Chain, Genesis, Keypair, Store, Verdict, VerifiedBlock, VerifiedTx, codec,
};
use hearsay_network::compact::{BlockMessage, CompactBlock};
use hearsay_network::wire::{Request, Response, Standing};
use hearsay_network::{
    Command, Config, ConnectionConfig, GossipConfig, Mode, Multiaddr, NetEvent, PeerId, Responder,
    Topic,
};
use tokio::sync::mpsc;

/// How a peer answers for its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// As a node does.
    Honest,
    /// As a node does, but after a while.
    Slow(Duration),
    /// Says where it stands, and then nothing.
    Silent,
    /// Gives headers with signatures that do not hold.
    FalseHeaders,
    /// Gives bodies that are not those of the headers.
    FalseBodies,
}

/// What a peer has seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Peers that listen to blocks or transactions of ours: one entry for each topic.
    pub listening: Vec<PeerId>,
    /// Peers that have left since they were there.
    pub left: Vec<PeerId>,
    /// Copies received of each block or transaction.
    pub copies: BTreeMap<[u8; 32], u64>,
    /// How often each block's body was asked for.
    pub asked: BTreeMap<BlockId, u64>,
    /// How often headers were asked for.
    pub headers: u64,
    /// How often transactions of each block were asked for.
    pub parts: BTreeMap<BlockId, u64>,
}

/// Blocks that a peer gives for the asking, and does not count as its chain's.
type Held = Arc<Mutex<BTreeMap<BlockId, VerifiedBlock>>>;

/// A chain in memory that several tasks use.
pub type SharedChain = Arc<Mutex<Chain<MemoryStore>>>;

/// Takes a lock, also after a panic elsewhere.
pub fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A chain in memory with nothing but the genesis block.
///
/// # Errors
/// Never in memory.
pub fn fresh_chain(genesis: &Genesis) -> Result<SharedChain> {
    let chain = Chain::open(MemoryStore::new(genesis.id()), genesis.clone())?;
    Ok(Arc::new(Mutex::new(chain)))
}

/// A chain in memory that holds blocks, each on top of the one before.
///
/// # Errors
/// They do not fit.
pub fn chain_of(genesis: &Genesis, blocks: &[VerifiedBlock]) -> Result<SharedChain> {
    let chain = fresh_chain(genesis)?;
    lock(&chain).import_run(blocks.to_vec(), u64::MAX)?;
    let (tip, last) = (lock(&chain).tip().id, blocks.last().map(VerifiedBlock::id));
    ensure!(last.is_none_or(|last| tip == last), "the tip is {tip}, not {last:?}");
    Ok(chain)
}

/// A running peer. It ends with the runtime it was started in, or when it is dropped.
#[derive(Debug)]
pub struct Peer {
    /// Its id.
    pub id: PeerId,
    /// Where it listens.
    pub address: Multiaddr,
    /// The chain that it answers for.
    pub chain: SharedChain,
    commands: mpsc::Sender<Command>,
    seen: Arc<Mutex<Seen>>,
    held: Held,
}

impl Peer {
    /// Starts a peer that listens on a free port of the loopback address and dials `bootstrap`.
    ///
    /// # Errors
    /// It cannot listen.
    pub async fn start(
        number: u8,
        chain: SharedChain,
        manner: Manner,
        bootstrap: Vec<Multiaddr>,
    ) -> Result<Self> {
        let (genesis, limits) = {
            let chain = lock(&chain);
            (chain.rules().id(), chain.genesis().limits)
        };
        let network = hearsay_network::start(Config {
            identity: [number; 32],
            genesis,
            listen: vec!["/ip4/127.0.0.1/tcp/0".parse()?],
            bootstrap,
            // By gossipsub alone, as a client of any kind would: what is pushed has tests of its own.
            gossip: GossipConfig { mode: Mode::Flood, ..GossipConfig::default() },
            connections: ConnectionConfig::default(),
            members: None,
            discovery: hearsay_network::DiscoveryConfig::default(),
            largest_message: limits.block_bytes as usize,
            links: None,
            dilation: 1,
        })
        .await?;
        let (seen, held) = (Arc::new(Mutex::new(Seen::default())), Held::default());
        let (id, commands) = (network.peer, network.commands.clone());
        let address = network.listen.first().context("it listens somewhere")?.clone();
        let life = Life {
            commands: commands.clone(),
            chain: Arc::clone(&chain),
            seen: Arc::clone(&seen),
            held: Arc::clone(&held),
            manner,
            unanswered: Vec::new(),
        };
        tokio::spawn(life.run(network.events));
        Ok(Self { id, address, chain, commands, seen, held })
    }

    /// What it has seen so far.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.seen)
    }

    /// Whether a peer listens to both of our topics.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.seen().listening.len() >= 2
    }

    /// From now on it gives this block and its transactions to whoever asks, and still says that it
    /// stands where its chain does: so nobody catches up with it.
    pub fn hold(&self, block: &VerifiedBlock) {
        lock(&self.held).insert(block.id(), block.clone());
    }

    /// Gossips a message.
    ///
    /// # Errors
    /// The peer has ended.
    pub async fn publish(&self, topic: Topic, data: Vec<u8>) -> Result<()> {
        Ok(self.commands.send(Command::Publish { topic, data, known: false }).await?)
    }

    /// Gossips a block.
    ///
    /// # Errors
    /// The peer has ended.
    pub async fn publish_block(&self, block: &VerifiedBlock) -> Result<()> {
        let data = BlockMessage::whole(&codec::encode(&block.to_block()));
        self.publish(Topic::Block, data).await
    }

    /// Gossips a block as its header and names. The key must be its authority's.
    ///
    /// # Errors
    /// The peer has ended.
    pub async fn publish_names(&self, block: &VerifiedBlock, key: &Keypair) -> Result<()> {
        let compact = CompactBlock::of(block, 1, |_| false, key);
        self.publish(Topic::Block, BlockMessage::compact(&compact)).await
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Full: it ends with the runtime.
        let _ = self.commands.try_send(Command::Stop);
    }
}

/// What the peer's task has.
struct Life {
    commands: mpsc::Sender<Command>,
    chain: SharedChain,
    seen: Arc<Mutex<Seen>>,
    held: Held,
    manner: Manner,
    /// Kept, as a request whose responder is gone fails at once at the other side.
    unanswered: Vec<Responder>,
}

impl Life {
    async fn run(mut self, mut events: mpsc::Receiver<NetEvent>) {
        while let Some(event) = events.recv().await {
            match event {
                NetEvent::Copy(note) => {
                    *lock(&self.seen).copies.entry(note.id).or_default() += 1;
                }
                // Nothing is relayed: it listens, and says what its test tells it to say.
                NetEvent::Gossip { topic, ticket, .. } => {
                    let verdict = Verdict::Ignore;
                    let _ = self.commands.send(Command::Judge { ticket, topic, verdict }).await;
                }
                NetEvent::Listening(peer) => lock(&self.seen).listening.push(peer),
                NetEvent::Left(peer) => {
                    let mut seen = lock(&self.seen);
                    seen.listening.retain(|other| *other != peer);
                    seen.left.push(peer);
                }
                NetEvent::Request { request, responder, .. } => self.answer(request, responder),
                _ => {}
            }
        }
    }

    fn answer(&mut self, request: Request, responder: Responder) {
        let wait = match (self.manner, &request) {
            (Manner::Silent, Request::Headers { .. } | Request::Bodies(_)) => {
                self.note(&request);
                self.unanswered.push(responder);
                return;
            }
            (Manner::Slow(wait), Request::Headers { .. } | Request::Bodies(_)) => wait,
            _ => Duration::ZERO,
        };
        self.note(&request);
        // A store in memory does not fail.
        let Ok(response) = self.response(request) else { return };
        let commands = self.commands.clone();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let _ = commands.send(Command::Respond { responder, response }).await;
        });
    }

    fn note(&self, request: &Request) {
        let mut seen = lock(&self.seen);
        match request {
            Request::Standing(_)
            | Request::HaveTransactions(_)
            | Request::OfferTransactions(_)
            | Request::TakeTransaction(_)
            | Request::Sketch { .. }
            | Request::Named { .. } => {}
            Request::Headers { .. } => seen.headers += 1,
            Request::BlockTransactions { block, .. } => {
                *seen.parts.entry(*block).or_default() += 1;
            }
            Request::Bodies(ids) => {
                ids.iter().for_each(|id| *seen.asked.entry(*id).or_default() += 1);
            }
        }
    }

    fn response(&self, request: Request) -> Result<Response> {
        let chain = lock(&self.chain);
        Ok(match request {
            Request::Standing(_) => Response::Standing(standing(&chain)),
            Request::Headers { locator, max } => {
                let mut headers = chain.headers_after(&locator, usize::from(max))?;
                if self.manner == Manner::FalseHeaders {
                    headers.iter_mut().for_each(|header| header.signature.0[7] ^= 1);
                }
                Response::Headers(headers)
            }
            Request::Bodies(ids) => {
                let held = lock(&self.held);
                let body = |id: &BlockId| match held.get(id) {
                    Some(block) => Some(Ok(block.encode_body())),
                    None => chain.store().body(id).transpose(),
                };
                let bodies = ids.iter().map_while(body);
                let mut bodies = bodies.collect::<Result<Vec<_>, _>>()?;
                if self.manner == Manner::FalseBodies {
                    bodies.iter_mut().for_each(|body| *body = vec![0; 4]);
                }
                Response::Bodies(bodies)
            }
            // It has no pool.
            Request::HaveTransactions(ids) => {
                Response::HaveTransactions(vec![0; ids.len().div_ceil(8)])
            }
            Request::OfferTransactions(_) | Request::TakeTransaction(_) => Response::Offered,
            Request::BlockTransactions { block, places } => {
                let held = lock(&self.held);
                let all = held.get(&block).map_or(&[][..], VerifiedBlock::transactions);
                let at = places.iter().map_while(|place| all.get(*place as usize));
                Response::Transactions(at.map(VerifiedTx::encode).collect())
            }
            Request::Named { .. } => Response::Transactions(Vec::new()),
            Request::Sketch { .. } => Response::Sketch { size: 0, symbols: Vec::new() },
        })
    }
}

fn standing(chain: &Chain<MemoryStore>) -> Standing {
    let ends = chain.ends();
    Standing {
        genesis: chain.rules().id(),
        tip: ends.tip,
        height: ends.height,
        final_height: ends.final_height,
        first_body: chain.first_body(),
    }
}
