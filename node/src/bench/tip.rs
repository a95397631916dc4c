//! A full block whose transactions are all in the pool: none of their signatures is checked again.

use std::time::Instant;

use clap::Args;
use hearsay_chain::store::{RocksOptions, RocksStore};
use hearsay_chain::{Chain, VerifiedTx, codec};
use hearsay_mempool::Pool;
use hearsay_network::choice::Strategy;
use hearsay_network::{Ticket, Topic};

use super::figures::Figures;
use super::world::World;
use crate::clock::Clock;
use crate::engine::{Effect, Engine, Input, Setup, Token};

/// A block of about a mebibyte.
const TRANSACTIONS: usize = 4_900;
const PAYLOAD: usize = 48;

/// Take a block of transactions that are all in the pool.
#[derive(Args, Clone, Debug)]
pub struct Tip {
    /// Times that it is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

impl Tip {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let [mut known, mut unknown] = [(); 2].map(|()| Figures::default());
        let mut counted = Vec::new();
        let mut bytes = 0;
        for _ in 0..self.rounds {
            let (seconds, signatures, size) = take_block(true)?;
            known.push(seconds * 1e3);
            counted.push(signatures);
            bytes = size;
            unknown.push(take_block(false)?.0 * 1e3);
        }
        println!("a block of {bytes} bytes with {TRANSACTIONS} transactions");
        println!(
            "from arrival to new tip, in ms, median (least to most) of {} rounds",
            self.rounds
        );
        println!("all its transactions in the pool   {}", known.text(1));
        println!("none of them in the pool           {}", unknown.text(1));
        println!("signatures checked when all were   {counted:?} (1 is the header's own)");
        Ok(())
    }
}

/// Gives seconds, signatures checked, and the size of the block.
fn take_block(pooled: bool) -> anyhow::Result<(f64, u64, usize)> {
    let root = tempfile::tempdir()?;
    let mut world = World::new(10)?;
    let store = RocksStore::open(root.path(), world.genesis.id(), RocksOptions::default())?;
    let chain = Chain::open(store, world.genesis.clone())?;
    let clock = Clock::start();
    let pool = Pool::new(hearsay_mempool::Config::default())?;
    let setup = Setup {
        authority: None,
        pool,
        sync_peers: Strategy::default(),
        blocks: crate::engine::BlockForm::Full,
        reconcile: crate::engine::Reconciliation::none(),
        seed: 1,
    };
    let mut engine = Engine::new(chain, setup, clock.now());
    let transactions = world.transactions(0, TRANSACTIONS, PAYLOAD);
    if pooled {
        for (number, tx) in (0..).zip(&transactions) {
            let tx = hearsay_chain::UnverifiedTx::from(VerifiedTx::transaction(tx).clone());
            drive(&mut engine, &clock, Input::Submit { token: Token(number), tx })?;
        }
        anyhow::ensure!(engine.pool().totals().count == TRANSACTIONS, "the pool refused some");
    }
    let block = world.block((world.genesis.block().id(), 0), transactions);
    let (size, data) = (
        block.size(),
        hearsay_network::compact::BlockMessage::whole(&codec::encode(&block.to_block())),
    );
    let ticket = Ticket {
        message: [1; 20],
        from: hearsay_network::peer_id(&[1; 32]),
        route: hearsay_network::Route::Push,
    };
    let begin = Instant::now();
    let at = clock.now();
    let signatures =
        drive(&mut engine, &clock, Input::Gossip { topic: Topic::Block, data, ticket, at })?;
    let seconds = begin.elapsed().as_secs_f64();
    anyhow::ensure!(engine.chain().tip().id == block.id(), "the block was not taken");
    Ok((seconds, signatures, size))
}

/// Hands in an input, and checks what it wants checked on this thread; gives how many signatures.
fn drive(engine: &mut Engine<RocksStore>, clock: &Clock, input: Input) -> anyhow::Result<u64> {
    let (mut inputs, mut signatures) = (vec![input], 0);
    while let Some(input) = inputs.pop() {
        let mut effects = Vec::new();
        engine.handle(clock.now(), input, &mut effects)?;
        for effect in effects {
            if let Effect::Check { job, work } = effect {
                signatures += work.signatures();
                inputs.push(Input::Checked { job, done: work.run() });
            }
        }
    }
    Ok(signatures)
}
