//! A driver whose store says that the disk is full.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use hearsay_chain::StoreError;
use hearsay_chain::block::{Header, VerifiedBlock};
use hearsay_chain::genesis::{Limits, Schedule};
use hearsay_chain::ledger::{Account, Accounts, Undo};
use hearsay_chain::store::{Changes, MemoryStore, Table, TxPlace, Visit};
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{
    Address, BlockId, Chain, Evidence, Genesis, GenesisId, Keypair, Turn, TxId, Verdict,
};
use hearsay_network::{NetEvent, Ticket, Topic, TrafficCount, WireCount};

use super::*;
use crate::checkers::CheckerThreads;
use crate::clock::Clock;
use crate::engine::Setup;
use crate::halt::{Cause, Room};
use crate::handle::Handle;
use crate::metrics::Metrics;
use crate::trace::log::Log;
use crate::trace::writer::Writer;

const WELL: u8 = 0;
const REFUSES: u8 = 1;
/// It does what it is told and says that the disk is full all the same.
const DOES_AND_REFUSES: u8 = 2;

/// A store in memory whose disk is full when told so.
#[derive(Debug)]
struct Filling {
    inner: MemoryStore,
    state: Arc<AtomicU8>,
    has_refused: bool,
}

fn full<T>() -> Result<T, StoreError> {
    Err(StoreError::Full("as the test wants".to_owned()))
}

impl Accounts for Filling {
    fn account(&self, address: &Address) -> Result<Account, StoreError> {
        self.inner.account(address)
    }
}

impl Store for Filling {
    fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        let state = self.state.load(Ordering::Acquire);
        assert!(!self.has_refused, "it was asked again before it recovered");
        if state != REFUSES {
            self.inner.commit(changes)?;
        }
        self.has_refused = state != WELL;
        if self.has_refused { full() } else { Ok(()) }
    }

    fn recover(&mut self) -> Result<(), StoreError> {
        match self.state.load(Ordering::Acquire) {
            WELL => {
                self.has_refused = false;
                Ok(())
            }
            _ => full(),
        }
    }

    fn genesis(&self) -> GenesisId {
        self.inner.genesis()
    }

    fn ends(&self) -> Result<Option<hearsay_chain::store::Ends>, StoreError> {
        self.inner.ends()
    }

    fn header(&self, id: &BlockId) -> Result<Option<Header>, StoreError> {
        self.inner.header(id)
    }

    fn block(&self, id: &BlockId) -> Result<Option<VerifiedBlock>, StoreError> {
        self.inner.block(id)
    }

    fn undo(&self, id: &BlockId) -> Result<Option<Undo>, StoreError> {
        self.inner.undo(id)
    }

    fn block_at(&self, height: u64) -> Result<Option<BlockId>, StoreError> {
        self.inner.block_at(height)
    }

    fn find_transaction(&self, id: &TxId) -> Result<Option<TxPlace>, StoreError> {
        self.inner.find_transaction(id)
    }

    fn body(&self, id: &BlockId) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.body(id)
    }

    fn first_body(&self) -> Result<u64, StoreError> {
        self.inner.first_body()
    }

    fn side(&self, from: u64, to: u64) -> Result<Vec<(u64, BlockId)>, StoreError> {
        self.inner.side(from, to)
    }

    fn turn(&self, turn: &Turn) -> Result<Option<BlockId>, StoreError> {
        self.inner.turn(turn)
    }

    fn evidence(&self, turn: &Turn) -> Result<Option<Evidence>, StoreError> {
        self.inner.evidence(turn)
    }

    fn evidence_from(&self, slot: u64, max: usize) -> Result<Vec<Evidence>, StoreError> {
        self.inner.evidence_from(slot, max)
    }

    fn scan(&self, table: Table, visit: Visit<'_>) -> Result<(), StoreError> {
        self.inner.scan(table, visit)
    }
}

fn authority() -> Keypair {
    Keypair::from_seed(&[100; 32])
}

fn genesis() -> Genesis {
    let since_epoch = std::time::UNIX_EPOCH.elapsed().unwrap();
    Genesis {
        name: "full".to_owned(),
        time_ms: u64::try_from(since_epoch.as_millis()).unwrap(),
        slot_ms: 100,
        schedule: Schedule::RoundRobin,
        authorities: vec![authority().public()],
        limits: Limits::default(),
        allocations: [(authority().address(), 1_000)].into(),
    }
}

fn payment(genesis: &Genesis, nonce: u64) -> hearsay_chain::UnverifiedTx {
    let transfer = Transfer {
        chain: genesis.chain(),
        sender: authority().public(),
        nonce,
        recipient: Address([1; 32]),
        amount: 1,
        fee: 1,
        expiry: None,
        payload: Vec::new(),
    };
    transfer.sign(&authority()).into()
}

async fn wait_until(what: &str, done: impl AsyncFn() -> bool) {
    let waiting = async {
        while !done().await {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    assert!(in_time.is_ok(), "waited in vain: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_refuses_halts_the_node_until_it_recovers_and_nothing_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let genesis = genesis();
    let state = Arc::new(AtomicU8::new(WELL));
    let inner = MemoryStore::new(genesis.id());
    let store = Filling { inner, state: Arc::clone(&state), has_refused: false };
    let chain = Chain::open(store, genesis.clone()).unwrap();
    let clock = Clock::start();
    let pool = hearsay_mempool::Pool::new(hearsay_mempool::Config::default()).unwrap();
    let setup = Setup {
        authority: Some(authority()),
        pool,
        sync_peers: hearsay_network::choice::Strategy::default(),
        blocks: crate::engine::BlockForm::Full,
        reconcile: crate::engine::Reconciliation::none(),
        forward: None,
        seed: 1,
    };
    let engine = Engine::new(chain, setup, clock.now());
    let (handle, requests) = Handle::new();
    let halt = Arc::clone(handle.halt());
    let (commands, mut told) = mpsc::channel(64);
    let (events, from_network) = mpsc::channel(64);
    let path = directory.path().join("events.jsonl");
    let ends = Ends {
        commands,
        events: from_network,
        requests,
        wire: WireCount::default(),
        traffic: TrafficCount::default(),
        log: Log::open(&path, "n0".to_owned(), Arc::clone(&halt), &Writer::start().unwrap())
            .unwrap(),
        keeping: Keeping::default(),
        checkers: CheckerThreads::start().unwrap(),
        lag: None,
        members: MemberEnds::none(),
        metrics: Arc::new(Metrics::new()),
        clock,
        halt: Arc::clone(&halt),
        room: Room { store: Some(directory.path().to_owned()), log: path.clone() },
        look_every: Duration::from_millis(250),
        commits_block: true,
    };
    let identity = Identity { name: "n0".to_owned(), peer: String::new(), listen: Vec::new() };
    let (stop, stopped) = oneshot::channel::<()>();
    let driver = Driver::new(engine, identity, ends);
    let run = tokio::spawn(driver.run(async move {
        let _ = stopped.await;
        "told".to_owned()
    }));
    let (note, mut verdicts) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(command) = told.recv().await {
            if let Command::Judge { verdict, .. } = command {
                let _ = note.send(verdict);
            }
        }
    });

    let mut taken = Vec::new();
    for (round, fault) in [REFUSES, DOES_AND_REFUSES].into_iter().enumerate() {
        let height = async || handle.status().await.unwrap().height;
        let start = height().await;
        wait_until("blocks", async || height().await > start + 2).await;
        state.store(fault, Ordering::Release);
        wait_until("a halt", async || halt.is_for(Cause::Store)).await;
        let stands = height().await;
        let refused = handle.submit(payment(&genesis, 50)).await.unwrap().unwrap_err();
        assert_eq!((refused.reason.as_str(), refused.invalid), ("disk-full", false));
        let peer = "12D3KooWSerLvUJmQQBn9Mv5Kkm1BJv78BMvFtst6LLnYERTEypN".parse().unwrap();
        let ticket =
            Ticket { message: [round as u8; 20], from: peer, route: hearsay_network::Route::Push };
        let (topic, data) = (Topic::Tx, payment(&genesis, 60).id().0.to_vec());
        let at = std::time::Instant::now();
        events.send(NetEvent::Gossip { topic, data, ticket, at }).await.unwrap();
        // Even what could be refused for ever is not looked at.
        assert_eq!(verdicts.recv().await, Some(Verdict::Ignore));
        // Longer than it takes until the store is asked again.
        let since = Instant::now();
        wait_until("time to pass", async || since.elapsed() > Duration::from_millis(1_500)).await;
        assert!(halt.is_for(Cause::Store));
        assert_eq!(height().await, stands);

        state.store(WELL, Ordering::Release);
        wait_until("the node to go on", async || !halt.is_on()).await;
        for _ in 0..3 {
            let tx = payment(&genesis, taken.len() as u64);
            taken.push(handle.submit(tx).await.unwrap().unwrap().id);
        }
        wait_until("blocks again", async || height().await > stands + 3).await;
    }
    stop.send(()).unwrap();
    run.await.unwrap().unwrap();

    let text = std::fs::read_to_string(path).unwrap();
    let events: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids = |name: &str, kind: &str| -> BTreeSet<String> {
        let named = events.iter().filter(|event| event["event"] == name && event["kind"] == kind);
        named.map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("tip", "block"), ids("published", "block"));
    let included = ids("included", "tx");
    assert!(taken.iter().all(|id| included.contains(&id.to_string())));
    let reasons = events.iter().filter(|event| event["reason"] == "disk-full");
    assert_eq!(reasons.count(), 2);
}
