//! The driver's part in keeping what waits.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use hearsay_chain::ledger::Account;
use hearsay_chain::store::MemoryStore;
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{Address, Chain, ChainId, Genesis, Keypair, UnverifiedTx, VerifiedTx};
use hearsay_mempool::{Config, Now, Origin, Pool};
use tokio::sync::mpsc;

use super::*;
use crate::engine::Setup;
use crate::journal::faults::{self, Fault};
use crate::metrics::Metrics;

#[test]
fn what_became_of_those_that_waited_is_one_sentence() {
    let mut tally = RestoreTally { found: 2, taken: 2, ..RestoreTally::default() };
    assert_eq!(told(&tally), "restored 2 of 2 waiting transactions");
    tally.found = 7;
    tally.known = 1;
    tally.refused = [("expired", 1), ("included", 3)].into();
    assert_eq!(
        told(&tally),
        "restored 2 of 7 waiting transactions (of the others: 1 came by other ways, 1 expired, \
         3 included)"
    );
}

fn tx(nonce: u64) -> VerifiedTx {
    let key = Keypair::from_seed(&[1; 32]);
    let transfer = Transfer {
        chain: ChainId([1; 8]),
        sender: key.public(),
        nonce,
        recipient: Address([1; 32]),
        amount: 1,
        fee: 1_000,
        expiry: None,
        payload: Vec::new(),
    };
    VerifiedTx::from_own_store(UnverifiedTx::from(transfer.sign(&key)))
}

const NOW: Time = Time { unix_us: 1_790_000_000_000_000, mono_us: 1_000_000 };

/// An engine in whose pool these wait.
fn engine(nonces: std::ops::Range<u64>) -> Engine<MemoryStore> {
    let genesis = Genesis {
        name: "keeping".to_owned(),
        time_ms: NOW.unix_us / 1_000,
        slot_ms: 1_000,
        schedule: hearsay_chain::genesis::Schedule::RoundRobin,
        authorities: vec![Keypair::from_seed(&[100; 32]).public()],
        limits: hearsay_chain::genesis::Limits::default(),
        allocations: [(Address([1; 32]), 1)].into(),
    };
    let chain = Chain::open(MemoryStore::new(genesis.id()), genesis).unwrap();
    let mut pool = Pool::new(Config::default()).unwrap();
    let account = Account { balance: 1_000_000_000, nonce: 0 };
    for nonce in nonces {
        pool.insert(tx(nonce), Origin::Local, account, Now { us: 0, next_height: 1 }).unwrap();
    }
    let sync_peers = hearsay_network::choice::Strategy::default();
    Engine::new(
        chain,
        Setup {
            authority: None,
            pool,
            sync_peers,
            blocks: crate::engine::BlockForm::Full,
            reconcile: crate::engine::Reconciliation::none(),
            forward: None,
            seed: 1,
        },
        NOW,
    )
}

/// A journal that has been read, with what was in it.
async fn opened(directory: &Path, metrics: &Arc<Metrics>) -> (Keeping, BTreeSet<TxId>) {
    let genesis = hearsay_chain::GenesisId([3; 32]);
    let (journal, restoring) = Journal::start(directory, genesis, Arc::clone(metrics)).unwrap();
    let mut keeping = Keeping::with(journal, restoring);
    let mut found = BTreeSet::new();
    while let Some(batch) = keeping.next().await {
        found.extend(batch.iter().map(|it| it.tx.id()));
    }
    (keeping, found)
}

fn ids(nonces: std::ops::Range<u64>) -> BTreeSet<TxId> {
    nonces.map(|nonce| tx(nonce).id()).collect()
}

#[tokio::test]
async fn a_clean_stop_writes_what_came_while_the_disk_was_full() {
    let directory = tempfile::tempdir().unwrap();
    let mut expected = BTreeSet::new();
    // The second time what the journal held is still on its way back, and stays where it is.
    for (nonces, has_restored) in [(0..100, true), (100..110, false)] {
        let metrics = Arc::new(Metrics::new());
        let (mut keeping, found) = opened(directory.path(), &metrics).await;
        assert_eq!(found, expected);
        let engine = engine(nonces.clone());
        keeping.has_restored = has_restored;
        if has_restored {
            keeping.journal.as_ref().unwrap().restored();
        }
        faults::begin(directory.path(), Fault::Append);
        for id in ids(nonces.clone()) {
            keeping.keep(engine.kept(NOW, &id).unwrap());
        }
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while !metrics.encode().contains("hearsay_mempool_journal_complete 0\n") {
            assert!(std::time::Instant::now() < deadline, "the disk did not refuse");
            tokio::task::yield_now().await;
        }
        faults::end(directory.path(), Fault::Append);
        // Sooner than the disk would be tried again.
        keeping.close(&engine, NOW);
        expected.extend(ids(nonces));
    }
    let (_, found) = opened(directory.path(), &Arc::new(Metrics::new())).await;
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_journal_of_dead_ones_leaves_turns_to_others() {
    let (to, restoring) = mpsc::channel(8);
    (0..4).for_each(|_| to.try_send(Vec::new()).unwrap());
    let mut keeping = Keeping { restoring: Some(restoring), ..Keeping::default() };
    let (mut batches, mut others) = (0, Vec::from([0]));
    while batches < 3 {
        tokio::select! {
            biased;
            batch = keeping.next() => {
                assert!(batch.is_some());
                batches += 1;
                others.push(0);
            }
            () = std::future::ready(()) => *others.last_mut().unwrap() += 1,
        }
    }
    assert_eq!(others, [0, i32::from(OTHERS_FIRST), i32::from(OTHERS_FIRST), 0]);
    // With nobody else there, the next comes all the same.
    assert!(keeping.next().await.is_some());
}
