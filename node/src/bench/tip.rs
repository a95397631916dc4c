//! A full block whose transactions are all in the pool: none of their signatures is checked again,
//! and none of them is sent again if the block comes compact.

use std::time::Instant;

use clap::Args;
use hearsay_chain::keys::Signature;
use hearsay_chain::ledger::Account;
use hearsay_chain::store::{RocksOptions, RocksStore};
use hearsay_chain::{Chain, Keypair, Transaction, UnverifiedTx, VerifiedBlock, VerifiedTx, codec};
use hearsay_mempool::{Config, Now, Origin, Pool};
use hearsay_network::choice::Strategy;
use hearsay_network::compact::{BlockMessage, CompactBlock, Rebuild};
use hearsay_network::{Ticket, Topic};

use super::figures::Figures;
use super::world::World;
use crate::clock::Clock;
use crate::engine::{Effect, Engine, Input, Setup, Token};

/// A block of about a mebibyte.
const TRANSACTIONS: usize = 4_900;
const PAYLOAD: usize = 48;

/// Those of a compact block.
const NAMED: usize = 4_000;

/// Each sender's transactions in a pool that is searched.
const OF_SENDER: usize = 100;

/// Take a block of transactions that are all in the pool.
#[derive(Args, Clone, Debug)]
pub struct Tip {
    /// Times that it is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Transactions of the pool that names are looked for in
    #[arg(long, default_value_t = 100_000)]
    pool: usize,
}

/// What came of taking one block.
struct Took {
    seconds: f64,
    signatures: u64,
    block_bytes: usize,
    message_bytes: usize,
}

impl Tip {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let [mut known, mut unknown, mut compact] = [(); 3].map(|()| Figures::default());
        let (mut counted, mut counted_compact) = (Vec::new(), Vec::new());
        let (mut bytes, mut message, mut full) = (0, 0, 0);
        for _ in 0..self.rounds {
            let took = take_block(TRANSACTIONS, true, false)?;
            known.push(took.seconds * 1e3);
            counted.push(took.signatures);
            bytes = took.block_bytes;
            unknown.push(take_block(TRANSACTIONS, false, false)?.seconds * 1e3);
            let took = take_block(NAMED, true, true)?;
            compact.push(took.seconds * 1e3);
            counted_compact.push(took.signatures);
            (message, full) = (took.message_bytes, took.block_bytes);
        }
        println!("a block of {bytes} bytes with {TRANSACTIONS} transactions");
        println!(
            "from arrival to new tip, in ms, median (least to most) of {} rounds",
            self.rounds
        );
        println!("all its transactions in the pool   {}", known.text(1));
        println!("none of them in the pool           {}", unknown.text(1));
        println!("signatures checked when all were   {counted:?} (1 is the header's own)");
        println!("a compact block of {NAMED} transactions, all in the pool");
        println!("from arrival to new tip            {}", compact.text(1));
        let share = message as f64 / full as f64 * 100.0;
        println!("bytes                              {message} for {full}: {share:.2} %");
        println!(
            "signatures checked                 {counted_compact:?} (2 are those of header and names)"
        );
        self.look_in_pool()
    }

    /// Times the search for the names of a block in a large pool.
    fn look_in_pool(&self) -> anyhow::Result<()> {
        let mut world = World::new(10)?;
        let pool = pool_of(&mut world, self.pool)?;
        let best: Vec<VerifiedTx> = pool.best().take(NAMED).cloned().collect();
        let block = world.block((world.genesis.block().id(), 0), best);
        let rebuild = || Rebuild::new(compact_of(&world, &block));
        let [mut all, mut lacking, mut rest] = [(); 3].map(|()| Figures::default());
        let mut missing = 0;
        for _ in 0..self.rounds {
            let mut whole = rebuild()?;
            let begin = Instant::now();
            whole.look_in(pool.best());
            all.push(begin.elapsed().as_secs_f64() * 1e3);
            anyhow::ensure!(whole.missing().is_empty(), "the pool has all of them");
            let mut lay = rebuild()?;
            let begin = Instant::now();
            lay.look_in(pool.transactions());
            rest.push(begin.elapsed().as_secs_f64() * 1e3);
            let mut rebuild = rebuild()?;
            let begin = Instant::now();
            rebuild.look_in(pool.best().skip(1));
            lacking.push(begin.elapsed().as_secs_f64() * 1e3);
            missing = rebuild.missing().len();
        }
        println!("{NAMED} names looked for in a pool of {}, in ms", pool.len());
        println!("as they lie                        {}", rest.text(2));
        println!("the best first, all there          {}", all.text(2));
        println!("the best first, {missing} not there        {}", lacking.text(2));
        Ok(())
    }
}

/// A pool whose best transactions are of many senders. Their signatures are not looked at.
fn pool_of(world: &mut World, count: usize) -> anyhow::Result<Pool> {
    let config = Config { max_count: count, max_memory: usize::MAX >> 1, ..Config::default() };
    let mut pool = Pool::new(config)?;
    let account = Account { balance: 1 << 40, nonce: 0 };
    let model = world.transactions(0, 1, PAYLOAD).remove(0);
    for number in 0..count {
        let mut transfer = model.transfer().clone();
        let key = Keypair::from_seed(&seed(number / OF_SENDER));
        transfer.sender = key.public();
        transfer.nonce = (number % OF_SENDER) as u64;
        transfer.fee = 1_000 - transfer.nonce;
        let tx = UnverifiedTx::from(Transaction { transfer, signature: Signature([0; 64]) });
        let tx = VerifiedTx::from_own_store(tx);
        let now = Now { us: number as u64, next_height: 1 };
        let taken = pool.insert(tx, Origin::Remote, account, now);
        anyhow::ensure!(taken.is_ok(), "the pool refused one: {taken:?}");
    }
    Ok(pool)
}

fn seed(number: usize) -> [u8; 32] {
    let mut seed = [9; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    seed
}

fn compact_of(world: &World, block: &VerifiedBlock) -> CompactBlock {
    let authorities = world.authorities();
    let slot = block.header().fields.slot as usize;
    CompactBlock::of(block, 7, |_| false, &authorities[slot % authorities.len()])
}

/// Has an engine take a block that comes in one of two forms.
fn take_block(transactions: usize, pooled: bool, compact: bool) -> anyhow::Result<Took> {
    let root = tempfile::tempdir()?;
    let mut world = World::new(10)?;
    let store = RocksStore::open(root.path(), world.genesis.id(), RocksOptions::default())?;
    let chain = Chain::open(store, world.genesis.clone())?;
    let clock = Clock::start();
    let pool = Pool::new(Config::default())?;
    let setup = Setup {
        authority: None,
        pool,
        sync_peers: Strategy::default(),
        blocks: crate::engine::BlockForm::Full,
        reconcile: crate::engine::Reconciliation::none(),
        forward: None,
        seed: 1,
    };
    let mut engine = Engine::new(chain, setup, clock.now());
    let all = transactions;
    let transactions = world.transactions(0, all, PAYLOAD);
    if pooled {
        for (number, tx) in (0..).zip(&transactions) {
            let tx = hearsay_chain::UnverifiedTx::from(VerifiedTx::transaction(tx).clone());
            drive(&mut engine, &clock, Input::Submit { token: Token(number), tx, via: None })?;
        }
        anyhow::ensure!(engine.pool().totals().count == all, "the pool refused some");
    }
    let block = world.block((world.genesis.block().id(), 0), transactions);
    let data = if compact {
        BlockMessage::compact(&compact_of(&world, &block))
    } else {
        BlockMessage::whole(&codec::encode(&block.to_block()))
    };
    let (block_bytes, message_bytes) = (block.size(), data.len());
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
    Ok(Took { seconds, signatures, block_bytes, message_bytes })
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
