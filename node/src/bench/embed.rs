//! Many nodes in this process: how soon they are connected, what they cost, and whether the machine
//! keeps up with them.

use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use hearsay_chain::{Keypair, UnverifiedTx, VerifiedTx};
use rand::rngs::StdRng;
use rand::seq::index::sample;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::process::{cpu_seconds, peak_memory};
use super::wait::Wait;
use super::world::World;
use crate::api::TxStatus;
use crate::config::Settings;
use crate::embed::{Embedded, Shared};
use crate::lab::{LabSettings, LinkSettings};
use crate::lag::Lag;

/// Anything here may take so long before the measurement is given up; and how often nodes are asked
/// for their state: seldom beside what is measured.
const WAIT: Wait = Wait { limit: Duration::from_secs(300), ask_every: Duration::from_millis(100) };

/// Run many nodes in this process, and submit transactions to them.
#[derive(Args, Clone, Debug)]
pub struct Embed {
    /// Nodes
    #[arg(long, default_value_t = 100)]
    nodes: usize,
    /// Connections of a node, on average
    #[arg(long, default_value_t = 6)]
    degree: usize,
    /// Transactions a second, each to a node chosen by lot
    #[arg(long, default_value_t = 20)]
    rate: u32,
    /// Seconds of that
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// The delay of every link in milliseconds, one way; without it no link is shaped
    #[arg(long)]
    delay_ms: Option<u64>,
    /// How many times slower than real time the network runs
    #[arg(long, default_value_t = 1)]
    dilation: u32,
    /// Connect over TCP rather than in memory
    #[arg(long)]
    tcp: bool,
    /// Keep chains in RocksDB rather than in memory
    #[arg(long)]
    disk: bool,
}

impl Embed {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        crate::embed::runtime()?.block_on(self.measure())
    }

    async fn measure(&self) -> anyhow::Result<()> {
        let root = tempfile::tempdir()?;
        let mut world = World::new(1)?;
        let shared = Shared::new()?;
        let begin = Instant::now();
        let (nodes, edges) = self.start_all(&world, root.path(), &shared).await?;
        let started = begin.elapsed();
        WAIT.until("connections", async || Ok(connections(&nodes).await? >= 2 * edges)).await?;
        let connected = begin.elapsed();
        WAIT.until("meshes", async || has_meshes(&nodes).await).await?;
        let (meshed, idle_from) = (begin.elapsed(), cpu_seconds());
        println!("{} nodes, {edges} connections", nodes.len());
        println!(
            "started, connected, meshed after     {:.1}, {:.1}, {:.1} s",
            started.as_secs_f64(),
            connected.as_secs_f64(),
            meshed.as_secs_f64()
        );
        let idle = Duration::from_secs(5) * self.dilation;
        tokio::time::sleep(idle).await;
        let idle = (cpu_seconds() - idle_from) / idle.as_secs_f64();
        println!("idle, processors in use               {idle:.2}");
        let mut lag = shared.lag()?;
        let (begin, processor) = (Instant::now(), cpu_seconds());
        let ids = self.load(&mut world, &nodes).await?;
        let (seconds, processor) = (begin.elapsed().as_secs_f64(), cpu_seconds() - processor);
        let late = lag.read(self.dilation);
        WAIT.until("the last transactions", async || Ok(coverage(&nodes, &ids).await? >= 1.0))
            .await
            .or_else(|error| {
                eprintln!("{error:#}");
                anyhow::Ok(())
            })?;
        let deliveries = (ids.len() * (nodes.len() - 1)) as f64;
        println!("under load, processors in use         {:.2}", processor / seconds);
        println!("processor time a delivery, µs         {:.0}", processor / deliveries * 1e6);
        println!("coverage                              {:.4}", coverage(&nodes, &ids).await?);
        if let Some(Lag { p50_us, p99_us, max_us, .. }) = late {
            println!(
                "lag p50, p99, most, ms                {:.2}, {:.2}, {:.2}",
                p50_us as f64 / 1e3,
                p99_us as f64 / 1e3,
                max_us as f64 / 1e3
            );
        }
        println!("peak memory, MiB                      {:.0}", peak_memory("self")?);
        let mut stopping: JoinSet<_> = nodes.into_iter().map(Embedded::stop).collect();
        while let Some(stopped) = stopping.join_next().await {
            stopped??;
        }
        Ok(())
    }

    /// Starts nodes one after the other, each of which dials some of those before it.
    async fn start_all(
        &self,
        world: &World,
        root: &Path,
        shared: &Shared,
    ) -> anyhow::Result<(Vec<Embedded>, usize)> {
        let mut random = StdRng::seed_from_u64(1);
        let (mut nodes, mut edges) = (Vec::<Embedded>::new(), 0);
        let epoch_us = world.genesis.time_ms * 1_000;
        for number in 0..self.nodes {
            let dials = sample(&mut random, number, number.min(self.degree.div_ceil(2)));
            edges += dials.len();
            let dir = root.join(number.to_string());
            std::fs::create_dir_all(&dir)?;
            let default = LinkSettings {
                delay_us: self.delay_ms.unwrap_or(0) * 1_000,
                ..LinkSettings::default()
            };
            let settings = Settings {
                name: Some(format!("n{number}")),
                listen: vec![
                    if self.tcp { "/ip4/127.0.0.1/tcp/0" } else { "/memory/0" }.to_owned(),
                ],
                bootstrap: dials.iter().flat_map(|at| nodes[at].listen().to_vec()).collect(),
                lab: Some(LabSettings {
                    dilation: self.dilation,
                    epoch_us,
                    memory_store: !self.disk,
                    default,
                    ..LabSettings::default()
                }),
                ..Settings::in_dir(dir)
            };
            let mut seed = [9; 32];
            seed[..8].copy_from_slice(&number.to_le_bytes());
            let key = Keypair::from_seed(&seed);
            let authority = world.authorities().get(number).cloned();
            let genesis = world.genesis.clone();
            nodes.push(Embedded::start(settings, genesis, key, authority, shared).await?);
        }
        Ok((nodes, edges))
    }

    /// Submits transactions at the rate asked for; gives their ids.
    async fn load(
        &self,
        world: &mut World,
        nodes: &[Embedded],
    ) -> anyhow::Result<Vec<hearsay_chain::TxId>> {
        let count = self.rate * self.seconds;
        let mut random = StdRng::seed_from_u64(2);
        let (begin, mut ids) = (Instant::now(), Vec::new());
        let pace = Duration::from_secs(1) * self.dilation / self.rate.max(1);
        for (number, tx) in (0..).zip(world.transactions(0, count as usize, 100)) {
            sleep_until((begin + pace * number).into()).await;
            let node = nodes[random.random_range(0..nodes.len())].handle();
            let tx = UnverifiedTx::from(VerifiedTx::transaction(&tx).clone());
            ids.push(node.submit(tx).await??.id);
        }
        sleep_until((begin + pace * count).into()).await;
        Ok(ids)
    }
}

async fn connections(nodes: &[Embedded]) -> anyhow::Result<usize> {
    let mut all = 0;
    for node in nodes {
        all += node.handle().status().await?.peers as usize;
    }
    Ok(all)
}

/// Whether each node has somebody to whom both go as they come.
async fn has_meshes(nodes: &[Embedded]) -> anyhow::Result<bool> {
    for node in nodes {
        let peers = node.handle().peers().await?;
        if !peers.iter().any(|peer| peer.hears_transactions() && peer.hears_blocks()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The share of the nodes' pools and chains that have a transaction, over all transactions.
async fn coverage(nodes: &[Embedded], ids: &[hearsay_chain::TxId]) -> anyhow::Result<f64> {
    let mut have = 0;
    for node in nodes {
        for id in ids {
            have += usize::from(
                node.handle().transaction(*id).await?.is_some_and(|it| it != TxStatus::Unknown),
            );
        }
    }
    Ok(have as f64 / (nodes.len() * ids.len()) as f64)
}
