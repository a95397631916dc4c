//! Catching up over loopback, beside its bounds and a baseline.

use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use hearsay_chain::signed::verify_bodies;
use hearsay_chain::store::{Changes, RocksOptions, RocksStore};
use hearsay_chain::{Rules, SignedHeader, Store, VerifiedBlock};

use super::figures::Figures;
use super::nodes::{Node, copy_store};
use super::plain;
use super::world::World;
use crate::genesis_file;

/// Blocks that the threads check at once, and that are stored at once, when nothing else is done:
/// what the node itself does.
const CHECKED: usize = 16;
const STORED: usize = 64;

/// How long catching up may take before the measurement is given up.
const LIMIT: Duration = Duration::from_secs(300);

/// Catch up over loopback.
#[derive(Args, Clone, Debug)]
pub struct Sync {
    /// The length of the chain
    #[arg(long, default_value_t = 1_500)]
    blocks: u64,
    /// Transactions in each block
    #[arg(long, default_value_t = 100)]
    transactions: usize,
    /// Peers that have the chain
    #[arg(long, default_value_t = 3)]
    peers: usize,
    /// Times that each thing is measured, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

impl Sync {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let root = tempfile::tempdir()?;
        eprintln!("making {} blocks of {} transactions", self.blocks, self.transactions);
        let mut world = World::new(self.blocks)?;
        let mut blocks = Vec::new();
        let origin = root.path().join("origin");
        drop(world.build(&origin, self.blocks, self.transactions, |block| {
            blocks.push(block.clone());
        })?);
        let genesis = root.path().join("genesis.toml");
        genesis_file::write(&genesis, &world.genesis, false)?;
        let mut peers = Vec::new();
        for number in 0..self.peers {
            let dir = root.path().join(format!("peer-{number}"));
            copy_store(&origin, &dir.join("chain"))?;
            peers.push(Node::start(&dir, &genesis, &[])?);
        }
        let ports: Vec<u16> = peers.iter().map(|peer| peer.port).collect();
        let [mut checks, mut stores, mut node, mut simple, mut memory] =
            [(); 5].map(|()| Figures::default());
        for round in 0..self.rounds {
            eprintln!("round {} of {}", round + 1, self.rounds);
            checks.push(check_alone(&Rules::new(world.genesis.clone()), &blocks)?);
            stores.push(store_alone(&root.path().join(format!("raw-{round}")), &world, &blocks)?);
            let dir = root.path().join(format!("node-{round}"));
            let fresh = Node::start(&dir, &genesis, &ports)?;
            node.push(self.blocks as f64 / fresh.seconds_to(self.blocks, LIMIT)?);
            memory.push(fresh.peak_memory()?);
            drop(fresh);
            // A part of the chain tells its speed as well.
            let part = self.blocks.min(400);
            let dir = root.path().join(format!("plain-{round}"));
            simple.push(plain::sync(&dir, &world.genesis, ports[0], part)?);
            std::fs::remove_dir_all(&dir)?;
        }
        let bound = checks.least(&stores);
        println!("blocks a second, median (least to most) of {} rounds", self.rounds);
        println!("signature checks alone, all cores   {}", checks.text(0));
        println!("storing the same bytes alone        {}", stores.text(0));
        println!("this node, {} peers                  {}", self.peers, node.text(0));
        println!("one peer, one block at a time       {}", simple.text(0));
        println!("peak memory of this node, MiB       {}", memory.text(0));
        println!("this node over the smaller bound    {}", node.over(&bound).text(2));
        println!("this node over the plain sync       {}", node.over(&simple).text(1));
        Ok(())
    }
}

/// Every signature of the chain checked in batches on all cores, and nothing else done.
fn check_alone(rules: &Rules, blocks: &[VerifiedBlock]) -> anyhow::Result<f64> {
    let parts: Vec<Vec<(SignedHeader, Vec<u8>)>> = blocks
        .chunks(CHECKED)
        .map(|chunk| {
            chunk
                .iter()
                .map(|block| (SignedHeader::kept(block.header().clone()), block.encode_body()))
                .collect()
        })
        .collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let begin = Instant::now();
    let good: usize = std::thread::scope(|scope| {
        let work = |first: usize| {
            let parts = parts.iter().skip(first).step_by(threads);
            parts.map(|part| verify_bodies(rules, part.clone()).0.len()).sum::<usize>()
        };
        let running: Vec<_> = (0..threads).map(|first| scope.spawn(move || work(first))).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or(0)).sum()
    });
    let seconds = begin.elapsed().as_secs_f64();
    anyhow::ensure!(good == blocks.len(), "a signature made here does not hold");
    Ok(blocks.len() as f64 / seconds)
}

/// Headers and bodies of the chain put into a new store, synced as the node does it.
fn store_alone(path: &Path, world: &World, blocks: &[VerifiedBlock]) -> anyhow::Result<f64> {
    let mut store = RocksStore::open(path, world.genesis.id(), RocksOptions::default())?;
    let begin = Instant::now();
    for run in blocks.chunks(STORED) {
        store.commit(Changes { blocks: run.to_vec(), ..Changes::default() })?;
    }
    let seconds = begin.elapsed().as_secs_f64();
    drop(store);
    std::fs::remove_dir_all(path)?;
    Ok(blocks.len() as f64 / seconds)
}
