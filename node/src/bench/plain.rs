//! The baseline: a sync as one would write it first. One peer, one block at a time: ask for its
//! header, ask for its body, check it, store it, go on.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use hearsay_chain::signed::verify_bodies;
use hearsay_chain::store::{RocksOptions, RocksStore};
use hearsay_chain::{Chain, Genesis, Rules, SignedHeader};
use hearsay_network::wire::{Request, Response};
use hearsay_network::{
    Command, ConnectionConfig, DiscoveryConfig, GossipConfig, NetEvent, Network, PeerId, RequestId,
};

/// Catches up with the node on a port, `blocks` blocks at most; gives blocks a second.
pub(super) fn sync(path: &Path, genesis: &Genesis, port: u16, blocks: u64) -> anyhow::Result<f64> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(run(path, genesis, port, blocks))
}

async fn run(path: &Path, genesis: &Genesis, port: u16, blocks: u64) -> anyhow::Result<f64> {
    let mut network = hearsay_network::start(hearsay_network::Config {
        identity: [77; 32],
        genesis: genesis.id(),
        listen: vec!["/ip4/127.0.0.1/tcp/0".parse()?],
        bootstrap: vec![format!("/ip4/127.0.0.1/tcp/{port}").parse()?],
        gossip: GossipConfig::default(),
        connections: ConnectionConfig::default(),
        members: None,
        discovery: DiscoveryConfig::default(),
        largest_message: genesis.limits.block_bytes as usize,
        links: None,
        dilation: 1,
    })
    .await?;
    let store = RocksStore::open(path, genesis.id(), RocksOptions::default())?;
    let mut chain = Chain::open(store, genesis.clone())?;
    let peer = loop {
        if let NetEvent::Joined(peer) = next(&mut network).await? {
            break peer;
        }
    };
    let begin = Instant::now();
    let rules = Rules::new(genesis.clone());
    for height in 1..=blocks {
        let locator = vec![chain.tip().id];
        let headers = ask(&mut network, peer, Request::Headers { locator, max: 1 }).await?;
        let Response::Headers(headers) = headers else { bail!("not headers") };
        let (signed, fault) = SignedHeader::verify_all(&rules, headers);
        let header = signed.into_iter().next().context("no header")?;
        let bodies = ask(&mut network, peer, Request::Bodies(vec![header.id()])).await?;
        let Response::Bodies(bodies) = bodies else { bail!("not bodies") };
        let body = bodies.into_iter().next().context("no body")?;
        let (verified, bad) = verify_bodies(&rules, vec![(header, body)]);
        anyhow::ensure!(fault.is_none() && bad.is_none(), "the peer lied");
        for block in verified {
            chain.import(block, u64::MAX)?;
        }
        anyhow::ensure!(chain.ends().height == height, "a block was refused");
    }
    let seconds = begin.elapsed().as_secs_f64();
    // It ends with the runtime in any case.
    let _ = network.commands.send(Command::Stop).await;
    Ok(blocks as f64 / seconds)
}

async fn next(network: &mut Network) -> anyhow::Result<NetEvent> {
    network.events.recv().await.context("the network side has ended")
}

async fn ask(network: &mut Network, peer: PeerId, request: Request) -> anyhow::Result<Response> {
    network.commands.send(Command::Ask { peer, id: RequestId(0), request }).await?;
    loop {
        match next(network).await? {
            NetEvent::Response { result, .. } => return result.map_err(anyhow::Error::msg),
            NetEvent::Left(_) => bail!("the peer has gone"),
            _ => {}
        }
    }
}
