//! Reading without a trace, and snapshots.

use std::fs;
use std::path::Path;

use super::testing::{buffered, fingerprint, open, store_of};
use super::*;
use crate::audit::{self, audit};
use crate::chain::Chain;
use crate::genesis::Rules;
use crate::store::suite::{NETWORK, assert_grown, chain_of, growth};
use crate::testing::{FAR_SLOT, genesis, lived, root, run};

fn reading(path: &Path) -> Result<RocksStore, StoreError> {
    RocksStore::open_read_only(path, NETWORK, buffered())
}

/// A chain on disk with as many blocks as authorities are named.
fn chain_at(path: &Path, by: &[u8]) -> Chain<RocksStore> {
    let genesis = genesis(4);
    let store = RocksStore::open(path, genesis.id(), buffered()).unwrap();
    let mut chain = Chain::open(store, genesis.clone()).unwrap();
    chain.import_run(run(&genesis, root(&genesis), by, 1), FAR_SLOT).unwrap();
    chain
}

fn findings(store: &RocksStore) -> Vec<audit::Finding> {
    let rules = Rules::new(genesis(4));
    audit(store, &rules, audit::Options::default(), &mut |_| ()).unwrap().findings
}

#[test]
fn a_store_that_is_only_read_stays_as_it_is_to_the_byte() {
    let blocks = chain_of(20);
    let directory = store_of(&blocks);
    let before = fingerprint(directory.path());
    let mut store = reading(directory.path()).unwrap();
    for block in &blocks {
        assert_grown(&store, block);
    }
    assert!(store.commit(growth(&blocks[0])).is_err());
    drop(store);
    assert_eq!(fingerprint(directory.path()), before);
}

#[test]
fn what_is_no_store_and_what_is_open_elsewhere_is_not_read() {
    let says = |path: &Path| reading(path).unwrap_err().to_string();
    let directory = tempfile::tempdir().unwrap();
    assert!(says(directory.path()).contains("there is no store here"));
    assert!(says(&directory.path().join("none")).contains("there is no store here"));
    assert!(!directory.path().join("none").exists());
    let held = open(directory.path()).unwrap();
    assert!(RocksStore::is_open_elsewhere(directory.path()));
    assert!(says(directory.path()).contains("open already"));
    drop(held);
    assert!(!RocksStore::is_open_elsewhere(directory.path()));
    reading(directory.path()).unwrap();
}

#[test]
fn a_snapshot_is_a_sound_store_of_the_moment_it_was_taken() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("chain"), directory.path().join("copy"));
    let mut chain = chain_at(&path, &[0, 1, 2, 3]);
    let then = chain.ends();
    let taken = chain.store().snapshots().take(&copy).unwrap();
    assert!(taken.bytes > 0 && taken.files > 3);
    let genesis = genesis(4);
    let all = run(&genesis, root(&genesis), &[0, 1, 2, 3, 0, 1], 1);
    chain.import_run(all, FAR_SLOT).unwrap();
    assert_eq!(chain.ends().height, 6);
    let snapshot = RocksStore::open_read_only(&copy, genesis.id(), buffered()).unwrap();
    assert_eq!(snapshot.ends().unwrap(), Some(then));
    assert_eq!(findings(&snapshot), []);
    drop(snapshot);
    // And it is a store like any other.
    let mut chain = chain_at(&copy, &[0, 1, 2, 3, 0]);
    assert_eq!(chain.ends().height, 5);
    assert_eq!(chain.take_evidence(), []);
}

#[test]
fn a_snapshot_never_takes_the_place_of_anything_and_leaves_nothing_when_it_fails() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("chain")).unwrap();
    let snapshots = store.snapshots();
    let there = directory.path().join("there");
    fs::create_dir(&there).unwrap();
    let says = |path: &Path| snapshots.take(path).unwrap_err().to_string();
    assert!(says(&there).contains("it exists already"));
    let nowhere = directory.path().join("no/where");
    says(&nowhere);
    assert!(!directory.path().join("no").exists());
    drop(store);
    assert!(says(&directory.path().join("late")).contains("the store is closed"));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn every_row_that_cannot_be_decoded_is_a_finding_and_the_audit_goes_on() {
    for table in Table::ALL {
        let directory = tempfile::tempdir().unwrap();
        // With all that a chain in memory has gone through.
        let lived = lived(None);
        let mut chain = chain_at(directory.path(), &[0]);
        chain.import_run(blocks_of(&lived), FAR_SLOT).unwrap();
        let key = match table {
            Table::Heights => 3u64.to_be_bytes().to_vec(),
            Table::Side | Table::Turns | Table::Evidence => vec![1; 40],
            _ => vec![1; 32],
        };
        let store = chain.store();
        store.db().unwrap().put_cf(store.family(table.name()).unwrap(), key, [0xFF]).unwrap();
        let found = findings(store);
        assert!(found.iter().any(|found| found.table == table.name()), "{table:?}: {found:?}");
    }
}

fn blocks_of(chain: &Chain<crate::store::MemoryStore>) -> Vec<VerifiedBlock> {
    let store = chain.store();
    let main = 1..=chain.ends().height;
    main.map(|height| store.block(&store.block_at(height).unwrap().unwrap()).unwrap().unwrap())
        .collect()
}

#[test]
fn a_damaged_file_is_a_finding_and_not_an_abort() {
    let directory = tempfile::tempdir().unwrap();
    let mut chain = chain_at(directory.path(), &[0]);
    chain.import_run(blocks_of(&lived(None)), FAR_SLOT).unwrap();
    chain.store().db().unwrap().flush_cf(chain.store().family("bodies").unwrap()).unwrap();
    drop(chain);
    let largest = super::testing::files(directory.path(), ".sst")
        .into_iter()
        .max_by_key(|file| fs::metadata(file).unwrap().len())
        .unwrap();
    let mut bytes = fs::read(&largest).unwrap();
    bytes[100] ^= 1;
    fs::write(&largest, bytes).unwrap();
    let store = RocksStore::open_read_only(directory.path(), genesis(4).id(), buffered()).unwrap();
    let found = findings(&store);
    assert!(found.iter().any(|found| found.what.contains("cannot be read")), "{found:?}");
}
