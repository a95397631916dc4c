//! What a lookup costs in a small store and in a large one.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use clap::Args;
use hearsay_chain::store::{RocksOptions, RocksStore};
use hearsay_chain::{BlockId, Store, TxId};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::figures::Figures;
use super::world::World;

const IN_BLOCK: usize = 100;

/// Look up blocks and transactions.
#[derive(Args, Clone, Debug)]
pub struct Lookup {
    /// Transactions in the small store
    #[arg(long, default_value_t = 10_000)]
    small: u64,
    /// Transactions in the large store
    #[arg(long, default_value_t = 1_000_000)]
    large: u64,
    /// Lookups of each kind in a round
    #[arg(long, default_value_t = 5_000)]
    lookups: usize,
    /// Rounds, small and large in turn
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// A closed store, and ids to look for, drawn from all of it.
struct Subject {
    store: RocksStore,
    heights: u64,
    blocks: Vec<BlockId>,
    transactions: Vec<TxId>,
}

impl Lookup {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let root = tempfile::tempdir()?;
        let small = self.subject(&root.path().join("small"), self.small)?;
        let large = self.subject(&root.path().join("large"), self.large)?;
        let mut figures = [(); 6].map(|()| Figures::default());
        for round in 0..self.rounds {
            for (at, subject) in [&small, &large].into_iter().enumerate() {
                for (kind, micros) in self.measure(subject, round as u64)?.into_iter().enumerate() {
                    figures[kind * 2 + at].push(micros);
                }
            }
        }
        println!("microseconds a lookup, median (least to most) of {} rounds", self.rounds);
        println!(
            "by            {:>9} transactions   {:>9} transactions   ratio",
            self.small, self.large
        );
        for (kind, pair) in ["height", "id", "transaction"].into_iter().zip(figures.chunks(2)) {
            if let [few, many] = pair {
                let ratio = many.over(few).text(2);
                println!("{kind:<12} {:>22} {:>24}   {ratio}", few.text(1), many.text(1));
            }
        }
        Ok(())
    }

    fn subject(&self, path: &Path, transactions: u64) -> anyhow::Result<Subject> {
        let heights = transactions.div_ceil(IN_BLOCK as u64);
        eprintln!("making a store of {transactions} transactions");
        let mut world = World::new(heights)?;
        let (mut blocks, mut found) = (Vec::new(), Vec::new());
        let mut random = StdRng::seed_from_u64(1);
        drop(world.build(path, heights, IN_BLOCK, |block| {
            blocks.push(block.id());
            if let Some(tx) = block.transactions().choose(&mut random) {
                found.push(tx.id());
            }
        })?);
        let store = RocksStore::open(path, world.genesis.id(), RocksOptions::default())?;
        Ok(Subject { store, heights, blocks, transactions: found })
    }

    /// Microseconds for a lookup by height, by id, and by transaction: each to the header, and the
    /// place of the transaction.
    fn measure(&self, subject: &Subject, seed: u64) -> anyhow::Result<[f64; 3]> {
        let mut random = StdRng::seed_from_u64(seed);
        let store = &subject.store;
        let mut micros = |lookup: &dyn Fn(&mut StdRng) -> anyhow::Result<()>| {
            let begin = Instant::now();
            for _ in 0..self.lookups {
                lookup(&mut random)?;
            }
            anyhow::Ok(begin.elapsed().as_secs_f64() * 1e6 / self.lookups as f64)
        };
        let by_height = micros(&|random| {
            let height = random.random_range(1..=subject.heights);
            let id = store.block_at(height)?.ok_or_else(|| anyhow::anyhow!("no such height"))?;
            black_box(store.header(&id)?);
            Ok(())
        })?;
        let by_id = micros(&|random| {
            let id = subject.blocks.choose(random).ok_or_else(|| anyhow::anyhow!("no block"))?;
            black_box(store.header(id)?);
            Ok(())
        })?;
        let by_transaction = micros(&|random| {
            let id = subject.transactions.choose(random);
            let id = id.ok_or_else(|| anyhow::anyhow!("no transaction"))?;
            let place = store.find_transaction(id)?;
            anyhow::ensure!(place.is_some(), "a transaction is missing");
            black_box(place);
            Ok(())
        })?;
        Ok([by_height, by_id, by_transaction])
    }
}
