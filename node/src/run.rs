//! `hearsay run`: puts a node together, runs it until it is told to stop, and takes it apart.
//!
//! Everything that can be refused is looked at before anything is written, so that a wrong file or
//! a port in use leaves the disk as it was.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hearsay_chain::Keypair;
use hearsay_chain::store::RocksOptions;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing::info;

use crate::assembly::{self, LOOK_EVERY, Listening, Means, Ready};
use crate::config::Settings;
use crate::embed::Shared;
use crate::keyfile::KeyFileError;
use crate::rpc::Access;
use crate::{genesis_file, keyfile, rpc};

/// Runs a node until SIGINT or SIGTERM; with `with_stdin` also until standard input ends, so that
/// whoever started it cannot leave it behind.
///
/// # Errors
/// Anything that keeps it from starting, or our disk's fault later: one sentence that says what to
/// do.
pub async fn run(settings: Settings, with_stdin: bool) -> anyhow::Result<()> {
    let genesis = genesis_file::read(&settings.genesis)?;
    let authority = settings.authority_key.as_deref().map(keyfile::load).transpose()?;
    let (node_key, is_new) = node_key(&settings.node_key)?;
    let (network_name, genesis_id) = (genesis.name.clone(), genesis.id());
    let (rpc_addr, key_path) = (settings.rpc, settings.node_key.clone());
    let access = Access::new(&settings.rpc_hosts, &settings.rpc_origins)?;
    let in_lab = settings.lab.is_some();
    let node = Listening::start(settings, genesis, &node_key, authority).await?;
    let (handle, metrics) = (node.handle().clone(), Arc::clone(node.metrics()));
    let (rpc, server) = rpc::serve(rpc_addr, handle, metrics, access).await?;
    let node = node.open_store()?;
    if is_new {
        keyfile::save(&key_path, &node_key, false)?;
    }
    let (identity, height) = (node.identity().clone(), node.height());
    let means = Means { alone: true, ..Shared::new()?.means(in_lab, LOOK_EVERY)? };
    let Ready { driver, network, .. } = node.begin(means)?;
    info!(
        name = identity.name,
        peer = identity.peer,
        network = network_name,
        genesis = %genesis_id,
        height,
        listen = identity.listen.join(" "),
        %rpc,
        "the node runs"
    );
    let ended = driver.run(stop_reason(with_stdin)?).await;
    // An error means that it has stopped already.
    let _ = server.stop();
    assembly::close(network).await;
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
