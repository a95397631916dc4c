//! What writing the propagation log costs: a node that handles gossip, with and without it.
//!
//! The node is whole but for its network side, which would cost more than all the rest: so the log's
//! share is shown greater than it is, never smaller. Each transaction comes twice, and a block takes
//! those that are in the pool once a second. Without the log, events are made all the same, as the
//! metrics count them, but no line is written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use hearsay_chain::store::MemoryStore;
use hearsay_chain::{Chain, Verdict, VerifiedTx};
use hearsay_mempool::Pool;
use hearsay_network::choice::Strategy;
use hearsay_network::{
    Command, CopyNote, NetEvent, Ticket, Topic, TrafficCount, WireCount, peer_id,
};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::figures::Figures;
use super::process::cpu_seconds;
use super::world::World;
use crate::checkers::CheckerThreads;
use crate::clock::Clock;
use crate::driver::{Driver, Ends, Identity, Keeping, MemberEnds};
use crate::engine::{Engine, Setup};
use crate::halt::Room;
use crate::handle::Handle;
use crate::metrics::Metrics;
use crate::trace::log::Log as EventLog;
use crate::trace::writer::Writer;

/// Transactions under way at once, flat out: well below what the engine refuses as too many.
const UNDER_WAY: usize = 4_096;

/// Handle transactions with and without the propagation log.
#[derive(Args, Clone, Debug)]
pub struct Log {
    /// Transactions a second, when they come at a steady rate
    #[arg(long, default_value_t = 1_000)]
    rate: u32,
    /// Seconds of that
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Transactions, when they come as fast as they are taken
    #[arg(long, default_value_t = 20_000)]
    transactions: usize,
    /// Times that each thing is measured, with and without in turn
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// What a run took.
struct Took {
    seconds: f64,
    processor: f64,
    bytes: u64,
}

impl Log {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Runtime::new()?;
        let steady = (self.rate as usize) * self.seconds as usize;
        let pace = Some(Duration::from_secs(1) / self.rate);
        let [mut with, mut without, mut steady_with, mut steady_without] =
            [(); 4].map(|()| Figures::default());
        let (mut bytes, mut share) = (0, Figures::default());
        for round in 0..self.rounds {
            eprintln!("round {} of {}", round + 1, self.rounds);
            let logged = runtime.block_on(handle(self.transactions, None, true))?;
            let plain = runtime.block_on(handle(self.transactions, None, false))?;
            with.push(self.transactions as f64 / logged.seconds);
            without.push(self.transactions as f64 / plain.seconds);
            let logged = runtime.block_on(handle(steady, pace, true))?;
            let plain = runtime.block_on(handle(steady, pace, false))?;
            let per_second = |took: &Took| took.processor / took.seconds * 1e3;
            steady_with.push(per_second(&logged));
            steady_without.push(per_second(&plain));
            let cores = std::thread::available_parallelism()?.get() as f64;
            share.push((per_second(&logged) - per_second(&plain)) / 10.0 / cores);
            bytes = logged.bytes / steady as u64;
        }
        println!("median (least to most) of {} rounds, with and without in turn", self.rounds);
        println!("a transaction, twice received, takes {bytes} bytes of log");
        println!("flat out, transactions a second");
        println!("  with the log      {}", with.text(0));
        println!("  without           {}", without.text(0));
        println!("  with over without {}", with.over(&without).text(3));
        println!("at {} a second, processor time in ms each second", self.rate);
        println!("  with the log      {}", steady_with.text(1));
        println!("  without           {}", steady_without.text(1));
        println!("  the log's share of all processors, %  {}", share.text(2));
        Ok(())
    }
}

/// Lets a fresh node handle so many transactions, one each `pace`, or as fast as it takes them.
async fn handle(count: usize, pace: Option<Duration>, logged: bool) -> anyhow::Result<Took> {
    let mut world = World::new(1)?;
    let transactions = world.transactions(0, count, 100);
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("events.jsonl");
    let (commands, told) = mpsc::channel(1_024);
    let (events, from_network) = mpsc::channel(1_024);
    let (_handle, requests) = Handle::new();
    let (clock, writer) = (Clock::start(), Writer::start()?);
    let chain = Chain::open(MemoryStore::new(world.genesis.id()), world.genesis.clone())?;
    let setup = Setup {
        authority: world.authorities().first().cloned(),
        pool: Pool::new(hearsay_mempool::Config::default())?,
        sync_peers: Strategy::default(),
        blocks: crate::engine::BlockForm::Full,
        reconcile: crate::engine::Reconciliation::none(),
        forward: None,
        seed: 1,
    };
    let engine = Engine::new(chain, setup, clock.now());
    let mut log = EventLog::open(&path, "bench".to_owned(), Arc::default(), &writer)?;
    if !logged {
        log.abandon().0.now();
    }
    let ends = Ends {
        commands,
        events: from_network,
        requests,
        wire: WireCount::default(),
        traffic: TrafficCount::default(),
        log,
        keeping: Keeping::default(),
        checkers: CheckerThreads::start()?,
        lag: None,
        members: MemberEnds::none(),
        metrics: Arc::new(Metrics::new()),
        clock,
        halt: Arc::default(),
        room: Room { store: None, log: path.clone() },
        look_every: Duration::from_millis(250),
        commits_block: false,
    };
    let identity = Identity { name: "bench".to_owned(), peer: String::new(), listen: Vec::new() };
    let (stop, stopped) = oneshot::channel::<()>();
    let run = tokio::spawn(Driver::new(engine, identity, ends).run(async {
        // Its other end may be dropped instead.
        let _ = stopped.await;
        "measured".to_owned()
    }));
    let room = Arc::new(Semaphore::new(UNDER_WAY));
    let judged = tokio::spawn(count_accepted(told, Arc::clone(&room), count));
    let (begin, processor) = (Instant::now(), cpu_seconds());
    for (number, tx) in transactions.into_iter().enumerate() {
        if let Some(pace) = pace {
            let due = begin + pace * u32::try_from(number)?;
            tokio::time::sleep_until(due.into()).await;
        }
        room.acquire().await?.forget();
        for event in gossip(&tx, number) {
            events.send(event).await?;
        }
    }
    judged.await??;
    let took = Took {
        seconds: begin.elapsed().as_secs_f64(),
        processor: cpu_seconds() - processor,
        bytes: 0,
    };
    drop(stop);
    run.await??;
    Ok(Took { bytes: std::fs::metadata(&path)?.len(), ..took })
}

/// A transaction as two peers send it.
fn gossip(tx: &VerifiedTx, number: usize) -> [NetEvent; 3] {
    let (data, at) = (tx.encode(), Instant::now());
    let mut message = [0; 20];
    message[..8].copy_from_slice(&number.to_le_bytes());
    let copy = |from| {
        let (id, from) = (tx.id().0, peer_id(&[from; 32]));
        NetEvent::Copy(CopyNote {
            topic: Topic::Tx,
            id,
            from,
            bytes: data.len(),
            message,
            traffic: hearsay_network::Traffic::Eager,
            compact: false,
            at,
        })
    };
    let ticket = Ticket { message, from: peer_id(&[1; 32]), route: hearsay_network::Route::Push };
    [copy(1), copy(2), NetEvent::Gossip { topic: Topic::Tx, data: data.clone(), ticket, at }]
}

/// Takes what the node tells its network side until it has judged `count` messages.
async fn count_accepted(
    mut told: mpsc::Receiver<Command>,
    room: Arc<Semaphore>,
    count: usize,
) -> anyhow::Result<mpsc::Receiver<Command>> {
    let mut judged = 0;
    while judged < count {
        match told.recv().await {
            Some(Command::Judge { verdict, .. }) => {
                anyhow::ensure!(verdict == Verdict::Accept, "a transaction was not accepted");
                judged += 1;
                room.add_permits(1);
            }
            Some(_) => {}
            None => anyhow::bail!("the node has ended"),
        }
    }
    Ok(told)
}
