//! `hearsay run`: puts a node together, runs it until it is told to stop, and takes it apart.
//!
//! Everything that can be refused is looked at before anything is written, so that a wrong file or
//! a port in use leaves the disk as it was.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use hearsay_chain::store::{RocksOptions, RocksStore};
use hearsay_chain::{Chain, Genesis, Keypair};
use hearsay_mempool::Pool;
use hearsay_network::{ConnectionConfig, GossipConfig, Multiaddr, Network};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing::info;

use crate::clock::Clock;
use crate::config::Settings;
use crate::driver::{Driver, Ends, Identity};
use crate::engine::{Engine, Setup};
use crate::halt::Room;
use crate::handle::Handle;
use crate::keyfile::KeyFileError;
use crate::metrics::Metrics;
use crate::rpc::Access;
use crate::trace::event::{Event, SCHEMA};
use crate::trace::writer::Log;
use crate::{genesis_file, keyfile, rpc};

/// How long the network side may take to close its connections before it is left behind.
const CLOSING: Duration = Duration::from_secs(2);

/// Runs a node until SIGINT or SIGTERM; with `with_stdin` also until standard input ends, so that
/// whoever started it cannot leave it behind.
///
/// # Errors
/// Anything that keeps it from starting, or our disk's fault later: one sentence that says what to
/// do.
pub async fn run(settings: Settings, with_stdin: bool) -> anyhow::Result<()> {
    let clock = Clock::start();
    let genesis = genesis_file::read(&settings.genesis)?;
    let authority = settings.authority_key.as_deref().map(keyfile::load).transpose()?;
    if let Some(key) = &authority
        && !genesis.authorities.contains(&key.public())
    {
        return Err(anyhow!(
            "the authority key {} is not among the authorities of the genesis; propose with one \
             that is, or leave --authority-key out",
            key.public()
        ));
    }
    let listen = parse_all("listen", &settings.listen)?;
    let bootstrap = parse_all("bootstrap", &settings.bootstrap)?;
    let (node_key, is_new) = node_key(&settings.node_key)?;
    let network = hearsay_network::start(hearsay_network::Config {
        identity: node_key.seed(),
        genesis: genesis.id(),
        listen,
        bootstrap,
        gossip: GossipConfig {
            mesh: settings.gossip.mesh,
            mesh_low: settings.gossip.mesh_low,
            mesh_high: settings.gossip.mesh_high,
            heartbeat: Duration::from_millis(settings.gossip.heartbeat_ms),
            flood_publish: settings.gossip.flood_publish,
            ..GossipConfig::default()
        },
        connections: ConnectionConfig {
            max_inbound: settings.peers.max_inbound,
            max_outbound: settings.peers.max_outbound,
        },
        largest_message: genesis.limits.block_bytes as usize,
    })
    .await?;
    let identity = identity(&settings, &network);
    let metrics = Arc::new(Metrics::new());
    let (handle, requests) = Handle::new();
    let snapshots = handle.snapshots().clone();
    let halt = Arc::clone(handle.halt());
    let access = Access::new(&settings.rpc_hosts, &settings.rpc_origins)?;
    let (rpc, server) = rpc::serve(settings.rpc, handle, Arc::clone(&metrics), access).await?;
    let mut chain = open_chain(&settings.data_dir, &genesis)?;
    chain.keep_bodies(settings.keep_bodies);
    snapshots.open(chain.store().snapshots(), &settings.data_dir);
    if is_new {
        keyfile::save(&settings.node_key, &node_key, false)?;
    }
    let mut log = Log::open(&settings.events, identity.name.clone(), Arc::clone(&halt))?;
    log.write(
        clock.now(),
        Event::Start {
            schema: SCHEMA,
            peer: identity.peer.clone(),
            genesis: genesis.id().to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            dilation: 1,
        },
    )?;
    info!(
        name = identity.name,
        peer = identity.peer,
        network = genesis.name,
        genesis = %genesis.id(),
        height = chain.ends().height,
        listen = identity.listen.join(" "),
        %rpc,
        "the node runs"
    );
    let engine = Engine::new(chain, setup(&settings, authority)?, clock.now());
    let Network { commands, events, wire, task, .. } = network;
    let room = Room { store: settings.data_dir.join("chain"), log: settings.events.clone() };
    let ends = Ends { commands, events, requests, wire, log, metrics, clock, halt, room };
    let ended = Driver::new(engine, identity, ends)?.run(stop_reason(with_stdin)?).await;
    // An error means that it has stopped already.
    let _ = server.stop();
    // Peers notice a closed socket by themselves; a swarm that hangs must not keep us.
    let _ = tokio::time::timeout(CLOSING, task).await;
    let reason = ended?;
    info!(reason, "the node has stopped");
    Ok(())
}

/// The node's key, and whether it has yet to be written.
fn node_key(path: &Path) -> Result<(Keypair, bool), KeyFileError> {
    match keyfile::load(path) {
        Err(KeyFileError::Missing(_)) => Ok((keyfile::generate()?, true)),
        found => found.map(|key| (key, false)),
    }
}

fn setup(settings: &Settings, authority: Option<Keypair>) -> anyhow::Result<Setup> {
    let bound = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let pool = Pool::new(hearsay_mempool::Config {
        max_count: bound(settings.mempool.max_count),
        max_bytes: bound(settings.mempool.max_bytes),
        ..hearsay_mempool::Config::default()
    })?;
    let sync_peers = settings.sync.peers.into();
    Ok(Setup { authority, pool, sync_peers, seed: rand::random() })
}

/// Where a node keeps its chain.
#[must_use]
pub fn store_path(data_dir: &Path) -> PathBuf {
    data_dir.join("chain")
}

/// How a node opens its chain.
#[must_use]
pub fn store_options() -> RocksOptions {
    // It hands on all its settings at every opening, at whatever level it is asked for; what matters
    // to us comes back as an error.
    let log = |text: &str| tracing::debug!(target: "rocksdb", "{text}");
    RocksOptions { log, ..RocksOptions::default() }
}

fn open_chain(data_dir: &Path, genesis: &Genesis) -> anyhow::Result<Chain<RocksStore>> {
    let store = RocksStore::open(store_path(data_dir), genesis.id(), store_options())?;
    Ok(Chain::open(store, genesis.clone())?)
}

fn parse_all(what: &str, addresses: &[String]) -> anyhow::Result<Vec<Multiaddr>> {
    let parse = |address: &String| {
        address.parse().with_context(|| {
            format!("{what} address {address:?} is not a multiaddr such as /ip4/127.0.0.1/tcp/7700")
        })
    };
    addresses.iter().map(parse).collect()
}

fn identity(settings: &Settings, network: &Network) -> Identity {
    let peer = network.peer.to_string();
    // Peer ids of Ed25519 keys begin alike, so the end tells them apart.
    let short = peer.chars().skip(peer.len().saturating_sub(8)).collect();
    Identity {
        name: settings.name.clone().unwrap_or(short),
        listen: network.listen.iter().map(ToString::to_string).collect(),
        peer,
    }
}

/// Done when the node is told to stop, with the reason for the log.
fn stop_reason(with_stdin: bool) -> anyhow::Result<impl Future<Output = String>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (never, unwatched) = oneshot::channel();
    let ended = if with_stdin { end_of_stdin() } else { unwatched };
    Ok(async move {
        let _kept_open = never;
        tokio::select! {
            _ = interrupt.recv() => "SIGINT".to_owned(),
            _ = terminate.recv() => "SIGTERM".to_owned(),
            Ok(()) = ended => "standard input ended".to_owned(),
        }
    })
}

/// A thread of its own reads standard input: unlike the runtime's, it does not keep the process
/// from ending while it waits.
fn end_of_stdin() -> oneshot::Receiver<()> {
    let (ended, wait) = oneshot::channel();
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut buffer = [0; 256];
        // An error ends it as well: nobody is there any more.
        while matches!(stdin.read(&mut buffer), Ok(bytes) if bytes > 0) {}
        // The node may have stopped already.
        let _ = ended.send(());
    });
    wait
}
