//! How a node is put together, whoever wants one: `hearsay run`, or a program that embeds nodes.
//!
//! In three steps, so that whatever can be refused is refused before anything is written: a node
//! that listens, then one whose store is open, then one whose log has begun.

mod parts;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use hearsay_chain::store::{MemoryStore, RocksStore};
use hearsay_chain::{Chain, Genesis, Keypair, Store};
use hearsay_network::Network;
use tokio::runtime::{Handle as Runtime, RuntimeFlavor};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::checkers::CheckerThreads;
use crate::clock::Clock;
use crate::config::Settings;
use crate::driver::{Driver, Ends, Fatal, Identity, Keeping, MemberEnds};
use crate::engine::Engine;
use crate::halt::Room;
use crate::handle::{Handle, Request};
use crate::journal::{self, Journal};
use crate::lab::LabDesk;
use crate::lag::LagReader;
use crate::metrics::Metrics;
use crate::run::{store_options, store_path};
use crate::trace::event::{Event, SCHEMA};
use crate::trace::log::{self, Log};
use crate::trace::writer::Writer;
use parts::{identity, members_config, network_config, setup};

/// How often a node looks whether its disks have room: often enough that `/health` tells of a full
/// one within a second.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How long the network side may take to close its connections before it is left behind.
const CLOSING: Duration = Duration::from_secs(2);

/// What a node is given to work with.
pub(crate) struct Means {
    pub(crate) checkers: CheckerThreads,
    pub(crate) writer: Writer,
    pub(crate) lag: Option<LagReader>,
    pub(crate) look_every: Duration,
    /// Whether the process has no other node in it.
    pub(crate) alone: bool,
}

/// A node that listens for peers, and has touched no disk yet.
pub(crate) struct Listening {
    settings: Settings,
    genesis: Genesis,
    authority: Option<Keypair>,
    clock: Clock,
    identity: Identity,
    network: Network,
    metrics: Arc<Metrics>,
    handle: Handle,
    requests: mpsc::Receiver<Request>,
}

/// A node whose store is open.
pub(crate) struct Opened {
    listening: Listening,
    chain: AnyChain,
}

/// A node whose log has begun, and that waits for nothing but to be run.
pub(crate) struct Ready {
    pub(crate) driver: AnyDriver,
    /// Ends once the driver has told it to, or is gone.
    pub(crate) network: JoinHandle<()>,
    pub(crate) abandon: Abandon,
    pub(crate) closed: Closed,
}

/// The means to leave a node's files as they are.
#[derive(Debug)]
pub(crate) struct Abandon {
    log: log::Abandon,
    journal: Option<journal::Abandon>,
}

/// Those of a node's files that threads of their own write.
pub(crate) struct Closed {
    log: oneshot::Receiver<()>,
    journal: Option<oneshot::Receiver<()>>,
}

/// A chain, whatever its store is.
enum AnyChain {
    OnDisk(Box<Chain<RocksStore>>),
    InMemory(Box<Chain<MemoryStore>>),
}

/// The driver of a node, whatever its store is.
pub(crate) enum AnyDriver {
    OnDisk(Box<Driver<RocksStore>>),
    InMemory(Box<Driver<MemoryStore>>),
}

impl Listening {
    /// Starts the network side.
    pub(crate) async fn start(
        settings: Settings,
        genesis: Genesis,
        node_key: &Keypair,
        authority: Option<Keypair>,
    ) -> anyhow::Result<Self> {
        if let Some(key) = &authority
            && !genesis.authorities.contains(&key.public())
        {
            return Err(anyhow!(
                "the authority key {} is not among the authorities of the genesis; propose with one \
                 that is, or leave --authority-key out",
                key.public()
            ));
        }
        let clock = settings.lab.as_ref().map_or_else(Clock::start, Clock::start_in);
        let lab = settings.lab.as_ref().map(|lab| LabDesk::new(lab, &clock)).transpose()?;
        let members = members_config(&settings, node_key, authority.is_some(), &clock)?;
        let config = network_config(&settings, &genesis, node_key, (lab.as_ref(), members))?;
        let network = hearsay_network::start(config).await?;
        let (handle, requests) = Handle::in_lab(lab);
        Ok(Self {
            identity: identity(&settings, &network),
            metrics: Arc::new(Metrics::new()),
            settings,
            genesis,
            authority,
            clock,
            network,
            handle,
            requests,
        })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Opens the store. This waits for the disk.
    pub(crate) fn open_store(self) -> anyhow::Result<Opened> {
        let in_memory = self.settings.lab.as_ref().is_some_and(|lab| lab.memory_store);
        let (keep, genesis) = (self.settings.keep_bodies, self.genesis.clone());
        let chain = if in_memory {
            self.handle.snapshots().close();
            let mut chain = Chain::open(MemoryStore::new(genesis.id()), genesis)?;
            chain.keep_bodies(keep);
            AnyChain::InMemory(Box::new(chain))
        } else {
            let data_dir = &self.settings.data_dir;
            let path = store_path(data_dir);
            let store = RocksStore::open(path, genesis.id(), store_options())?;
            let mut chain = Chain::open(store, genesis)?;
            chain.keep_bodies(keep);
            self.handle.snapshots().open(chain.store().snapshots(), data_dir);
            AnyChain::OnDisk(Box::new(chain))
        };
        Ok(Opened { listening: self, chain })
    }
}

impl Opened {
    pub(crate) fn identity(&self) -> &Identity {
        &self.listening.identity
    }

    pub(crate) fn height(&self) -> u64 {
        match &self.chain {
            AnyChain::OnDisk(chain) => chain.ends().height,
            AnyChain::InMemory(chain) => chain.ends().height,
        }
    }

    /// Begins the log and connects everything.
    pub(crate) fn begin(self, means: Means) -> anyhow::Result<Ready> {
        let Self { listening, chain } = self;
        match chain {
            AnyChain::OnDisk(chain) => {
                let path = store_path(&listening.settings.data_dir);
                listening.begin(*chain, Some(&path), means, AnyDriver::OnDisk)
            }
            AnyChain::InMemory(chain) => listening.begin(*chain, None, means, AnyDriver::InMemory),
        }
    }
}

impl Listening {
    fn begin<S: Store>(
        self,
        chain: Chain<S>,
        disk: Option<&Path>,
        means: Means,
        wrap: impl FnOnce(Box<Driver<S>>) -> AnyDriver,
    ) -> anyhow::Result<Ready> {
        let Self { settings, genesis, authority, clock, identity, network, .. } = self;
        let halt = Arc::clone(self.handle.halt());
        let Means { checkers, writer, lag, look_every, alone } = means;
        let news = self.handle.news_desk().clone();
        let members = MemberEnds { enabled: settings.members.enabled, alone, news };
        let mut log =
            Log::open(&settings.events, identity.name.clone(), Arc::clone(&halt), &writer)?;
        let start = Event::Start {
            schema: SCHEMA,
            peer: identity.peer.clone(),
            genesis: genesis.id().to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            dilation: clock.dilation(),
        };
        log.write(clock.without_skew(clock.now()), &start)?;
        let (abandon_log, log_closed) = log.abandon();
        let mut abandon = Abandon { log: abandon_log, journal: None };
        let mut closed = Closed { log: log_closed, journal: None };
        let mut keeping = Keeping::default();
        if disk.is_some() {
            let metrics = Arc::clone(&self.metrics);
            let (mut journal, restoring) =
                Journal::start(&settings.data_dir, genesis.id(), metrics)?;
            let (abandon_journal, journal_closed) = journal.abandon();
            (abandon.journal, closed.journal) = (Some(abandon_journal), Some(journal_closed));
            keeping = Keeping::with(journal, restoring);
        }
        let engine = Engine::new(chain, setup(&settings, authority)?, clock.now());
        let Network { commands, events, wire, traffic, task, .. } = network;
        let several_threads = Runtime::current().runtime_flavor() == RuntimeFlavor::MultiThread;
        let ends = Ends {
            commands,
            events,
            requests: self.requests,
            wire,
            traffic,
            log,
            keeping,
            checkers,
            lag,
            members,
            metrics: self.metrics,
            clock,
            halt,
            room: Room { store: disk.map(Path::to_owned), log: settings.events },
            look_every,
            commits_block: disk.is_some() && several_threads,
        };
        let driver = wrap(Box::new(Driver::new(engine, identity, ends)));
        Ok(Ready { driver, network: task, abandon, closed })
    }
}

impl Abandon {
    /// From now on nothing more is written.
    pub(crate) fn now(&self) {
        self.log.now();
        self.journal.iter().for_each(journal::Abandon::now);
    }
}

impl Closed {
    /// Waits until the files are closed, whichever way that comes about.
    pub(crate) async fn wait(self) {
        // Nothing is sent: the other ends go with the files.
        let _ = self.log.await;
        if let Some(journal) = self.journal {
            let _ = journal.await;
        }
    }
}

impl AnyDriver {
    /// Runs until `stop` is done, as [`Driver::run`].
    pub(crate) async fn run(self, stop: impl Future<Output = String>) -> Result<String, Fatal> {
        match self {
            AnyDriver::OnDisk(driver) => driver.run(stop).await,
            AnyDriver::InMemory(driver) => driver.run(stop).await,
        }
    }
}

/// Waits until the network side, which has been told to stop, has closed its connections.
pub(crate) async fn close(network: JoinHandle<()>) {
    // Peers notice a closed socket by themselves; a swarm that hangs must not keep us.
    let _ = tokio::time::timeout(CLOSING, network).await;
}
