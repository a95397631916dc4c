//! Many transactions at once into a few nodes of this process, beside the time that their signatures
//! alone take: every node checks every one.

use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use hearsay_chain::{Keypair, UnverifiedTx, VerifiedTx};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::index::sample;
use tokio::task::JoinSet;

use super::figures::Figures;
use super::process::cpu_seconds;
use super::wait::Wait;
use super::world::World;
use crate::config::Settings;
use crate::embed::{Embedded, Shared};
use crate::lab::LabSettings;

/// A burst may take so long before the measurement is given up; and how often the pools are looked at:
/// a thousandth of what a burst takes, about.
const WAIT: Wait = Wait { limit: Duration::from_secs(180), ask_every: Duration::from_millis(5) };

/// How long the nodes find their trees before the burst: it goes into a network that runs.
const SETTLE: Duration = Duration::from_secs(3);

/// Submissions under way at each node: more than it checks in one batch.
const AT_ONCE: usize = 512;

/// What the checking threads take at once (`checkers.rs`).
const BATCH: usize = 128;

/// Hand in many transactions at once, to all of a few nodes alike.
#[derive(Args, Clone, Debug)]
pub struct Burst {
    /// Nodes
    #[arg(long, default_value_t = 8)]
    nodes: usize,
    /// Connections of a node, on average
    #[arg(long, default_value_t = 4)]
    degree: usize,
    /// Transactions
    #[arg(long, default_value_t = 20_000)]
    count: usize,
    /// Times that each thing is measured, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

impl Burst {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let [mut bound, mut all, mut busy] = [(); 3].map(|()| Figures::default());
        for round in 0..self.rounds {
            eprintln!("round {} of {}", round + 1, self.rounds);
            // Signed here, so that signing is no part of either.
            let mut world = World::new(1)?;
            let transactions: Vec<UnverifiedTx> = world
                .transactions(0, self.count, 32)
                .iter()
                .map(|tx| UnverifiedTx::from(VerifiedTx::transaction(tx).clone()))
                .collect();
            bound.push(self.signatures_alone(&transactions)?);
            let processor = cpu_seconds();
            let seconds = crate::embed::runtime()?.block_on(self.burst(&world, &transactions))?;
            all.push(seconds);
            busy.push(cpu_seconds() - processor);
        }
        println!(
            "{} transactions into {} nodes, seconds, median (least to most) of {} rounds",
            self.count, self.nodes, self.rounds
        );
        println!("their signatures at every node, batched, all cores   {}", bound.text(2));
        println!("until every pool has every one                       {}", all.text(2));
        println!("processor time of the round                          {}", busy.text(2));
        println!(
            "share of the bound                                   {}",
            bound.over(&all).text(2)
        );
        Ok(())
    }

    /// Checks each signature as often as there are nodes, on all cores.
    fn signatures_alone(&self, transactions: &[UnverifiedTx]) -> anyhow::Result<f64> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let batches: Vec<&[UnverifiedTx]> = transactions.chunks(BATCH).collect();
        let works: Vec<&[UnverifiedTx]> =
            (0..self.nodes).flat_map(|_| batches.iter().copied()).collect();
        let begin = Instant::now();
        let good: usize = std::thread::scope(|scope| {
            let work = |first: usize| {
                let mine = works.iter().skip(first).step_by(threads);
                mine.map(|batch| {
                    let checked = VerifiedTx::verify_all(batch.to_vec());
                    checked.iter().filter(|one| one.is_ok()).count()
                })
                .sum::<usize>()
            };
            let running: Vec<_> =
                (0..threads).map(|first| scope.spawn(move || work(first))).collect();
            running.into_iter().map(|thread| thread.join().unwrap_or(0)).sum()
        });
        let seconds = begin.elapsed().as_secs_f64();
        anyhow::ensure!(
            good == self.nodes * transactions.len(),
            "a signature made here does not hold"
        );
        Ok(seconds)
    }

    /// Seconds from the first submission until every pool has every transaction.
    async fn burst(&self, world: &World, transactions: &[UnverifiedTx]) -> anyhow::Result<f64> {
        let (root, shared) = (tempfile::tempdir()?, Shared::new()?);
        let nodes = self.start_all(world, root.path(), &shared).await?;
        WAIT.until("connections", async || {
            for node in &nodes {
                let peers = node.handle().peers().await?;
                if !peers.iter().any(|it| it.hears_transactions() && it.hears_blocks()) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await?;
        tokio::time::sleep(SETTLE).await;
        let begin = Instant::now();
        let mut loads = JoinSet::new();
        for (first, node) in nodes.iter().enumerate() {
            let mine = transactions.iter().skip(first).step_by(self.nodes);
            let (mine, handle) = (mine.cloned().collect::<Vec<_>>(), node.handle().clone());
            loads.spawn(async move {
                let mut submissions = JoinSet::new();
                for tx in mine {
                    if submissions.len() >= AT_ONCE
                        && let Some(one) = submissions.join_next().await
                    {
                        one??;
                    }
                    let handle = handle.clone();
                    submissions.spawn(async move { anyhow::Ok(handle.submit(tx).await??) });
                }
                while let Some(one) = submissions.join_next().await {
                    one??;
                }
                anyhow::Ok(())
            });
        }
        while let Some(load) = loads.join_next().await {
            load??;
        }
        let handed_in = begin.elapsed();
        WAIT.until("the last transactions", async || {
            for node in &nodes {
                if node.handle().status().await?.mempool.count < transactions.len() as u64 {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await?;
        let seconds = begin.elapsed().as_secs_f64();
        eprintln!(
            "handed in after {:.2} s, everywhere after {seconds:.2} s",
            handed_in.as_secs_f64()
        );
        let (mut first, mut later, mut asked) = (0u64, 0, 0);
        for node in &nodes {
            for peer in node.handle().peers().await? {
                first += peer.first_copies;
                later += peer.duplicates;
                asked += peer.lazy;
            }
        }
        let share = |count: u64| count as f64 / first.max(1) as f64;
        eprintln!(
            "copies a delivery {:.2}, {:.2} of them asked for",
            share(first + later),
            share(asked)
        );
        let mut stopping: JoinSet<_> = nodes.into_iter().map(Embedded::stop).collect();
        while let Some(stopped) = stopping.join_next().await {
            stopped??;
        }
        Ok(seconds)
    }

    /// Starts nodes without authorities, so that what comes stays in the pools.
    async fn start_all(
        &self,
        world: &World,
        root: &Path,
        shared: &Shared,
    ) -> anyhow::Result<Vec<Embedded>> {
        let mut random = StdRng::seed_from_u64(1);
        let mut nodes = Vec::<Embedded>::new();
        for number in 0..self.nodes {
            let dials = sample(&mut random, number, number.min(self.degree.div_ceil(2)));
            let dir = root.join(number.to_string());
            std::fs::create_dir_all(&dir)?;
            let settings = Settings {
                name: Some(format!("n{number}")),
                listen: vec!["/memory/0".to_owned()],
                bootstrap: dials.iter().flat_map(|at| nodes[at].listen().to_vec()).collect(),
                lab: Some(LabSettings {
                    epoch_us: world.genesis.time_ms * 1_000,
                    memory_store: true,
                    ..LabSettings::default()
                }),
                ..Settings::in_dir(dir)
            };
            let mut seed = [9; 32];
            seed[..8].copy_from_slice(&number.to_le_bytes());
            let (key, genesis) = (Keypair::from_seed(&seed), world.genesis.clone());
            nodes.push(Embedded::start(settings, genesis, key, None, shared).await?);
        }
        Ok(nodes)
    }
}
