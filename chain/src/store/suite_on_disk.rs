//! What only a store on disk can be asked: whether it survives, and whether it answers as the one
//! in memory does, whatever it is told.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::tables::proofs;
use super::{NETWORK, account, assert_grown, assert_tip, chain_of, ends, growth, undo};
use crate::block::VerifiedBlock;
use crate::evidence::Turn;
use crate::ids::{Address, BlockId, TxId};
use crate::ledger::{Account, Accounts};
use crate::store::rocks::{Durability, RocksOptions, RocksStore};
use crate::store::{Changes, MemoryStore, Store, Table, TxPlace};

/// A store that does not wait for the disk, as no test here cuts the power.
pub(in crate::store) fn buffered(path: &Path) -> RocksStore {
    let options = RocksOptions { durability: Durability::Buffered, ..RocksOptions::default() };
    RocksStore::open(path, NETWORK, options).unwrap()
}

#[test]
fn a_store_that_is_closed_and_opened_again_has_everything() {
    let directory = tempfile::tempdir().unwrap();
    let blocks = chain_of(20);
    for part in blocks.chunks(7) {
        let mut store = buffered(directory.path());
        for block in part {
            store.commit(growth(block)).unwrap();
        }
    }
    let store = buffered(directory.path());
    for block in &blocks {
        assert_grown(&store, block);
    }
    assert_tip(&store, &blocks[19]);
    assert_eq!(store.genesis(), NETWORK);
}

#[test]
fn a_removal_survives_closing_too() {
    let directory = tempfile::tempdir().unwrap();
    let block = &chain_of(1)[0];
    buffered(directory.path()).commit(growth(block)).unwrap();
    let gone = Changes {
        heights: [(1, None)].into(),
        accounts: [(Address([1; 32]), Account::default())].into(),
        ..Changes::default()
    };
    buffered(directory.path()).commit(gone).unwrap();
    let store = buffered(directory.path());
    assert_eq!(store.block_at(1).unwrap(), None);
    assert_eq!(store.account(&Address([1; 32])).unwrap(), Account::default());
}

#[test]
fn a_store_may_move_to_another_thread_and_be_read_from_many() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<RocksStore>();
}

/// A small world, so that random steps often meet.
static BLOCKS: LazyLock<Vec<VerifiedBlock>> = LazyLock::new(|| chain_of(6));

fn addresses() -> impl Iterator<Item = Address> {
    (0..5).map(|byte| Address([byte; 32]))
}

fn transactions() -> impl Iterator<Item = TxId> {
    (0..5).map(|byte| TxId([byte; 32]))
}

/// All that can be asked in the small world.
fn everything(store: &impl Store) -> String {
    let ids = || BLOCKS.iter().map(VerifiedBlock::id).chain([BlockId([0; 32])]);
    let blocks: Vec<_> = ids()
        .map(|id| (store.header(&id).unwrap(), store.block(&id).unwrap(), store.undo(&id).unwrap()))
        .collect();
    let heights: Vec<_> = (0..6).map(|height| store.block_at(height).unwrap()).collect();
    let accounts: Vec<_> = addresses().map(|at| store.account(&at).unwrap()).collect();
    let places: Vec<_> = transactions().map(|id| store.find_transaction(&id).unwrap()).collect();
    let ends = (store.ends().unwrap(), store.first_body().unwrap());
    let bodies: Vec<_> = ids().map(|id| store.body(&id).unwrap()).collect();
    let side: Vec<_> = (0..6).map(|from| store.side(from, from + 2).unwrap()).collect();
    let turns: Vec<_> = BLOCKS
        .iter()
        .map(|block| Turn::of(block.header()))
        .map(|turn| (store.turn(&turn).unwrap(), store.evidence(&turn).unwrap()))
        .collect();
    let proofs: Vec<_> = (0..6).map(|slot| store.evidence_from(slot, 2).unwrap()).collect();
    let mut rows = Vec::new();
    for table in Table::ALL {
        let mut visit = |key: &[u8], row: &[u8]| {
            rows.push((table, key.to_vec(), row.to_vec()));
            Ok(())
        };
        store.scan(table, &mut visit).unwrap();
    }
    format!(
        "{blocks:?} {heights:?} {accounts:?} {places:?} {ends:?} {bodies:?} {side:?} {turns:?} \
         {proofs:?} {rows:?}"
    )
}

#[derive(Clone, Debug)]
enum Step {
    Commit(Box<Changes>),
    Reopen,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![8 => any_changes().prop_map(|changes| Step::Commit(Box::new(changes))), 1 => Just(Step::Reopen)]
}

fn any_changes() -> impl Strategy<Value = Changes> {
    let block = || 0..BLOCKS.len();
    let byte = || 0u8..5;
    (
        prop::collection::vec(block(), 0..3),
        prop::option::of(block()),
        prop::collection::btree_map(block(), prop::option::of(0u64..9), 0..3),
        prop::collection::btree_map(byte(), 0u64..3, 0..4),
        prop::collection::btree_map(0u64..6, prop::option::of(block()), 0..4),
        prop::collection::btree_map(byte(), prop::option::of((0u64..6, 0u32..9)), 0..4),
        prop::option::of(block()),
        any_changes_beside(),
    )
        .prop_map(|(blocks, bare, undone, accounts, heights, places, tip, beside)| {
            let id = |at: usize| BLOCKS[at].id();
            Changes {
                blocks: blocks.into_iter().map(|at| BLOCKS[at].clone()).collect(),
                bare_header: bare.map(|at| (id(at), BLOCKS[at].header().clone())),
                undo: undone.into_iter().map(|(at, value)| (id(at), value.map(undo))).collect(),
                accounts: accounts
                    .into_iter()
                    .map(|(byte, balance)| (Address([byte; 32]), account(balance)))
                    .collect(),
                heights: heights.into_iter().map(|(height, at)| (height, at.map(id))).collect(),
                transactions: places
                    .into_iter()
                    .map(|(byte, place)| {
                        let place = place.map(|(height, index)| TxPlace { height, index });
                        (TxId([byte; 32]), place)
                    })
                    .collect(),
                ends: tip.map(|at| ends(&BLOCKS[at])),
                ..beside
            }
        })
}

/// Changes of what stands beside the main chain, and of what is forgotten.
fn any_changes_beside() -> impl Strategy<Value = Changes> {
    let block = || 0..BLOCKS.len();
    (
        prop::collection::btree_map((0u64..6, block()), any::<bool>(), 0..3),
        prop::collection::vec(block(), 0..2),
        prop::collection::vec(block(), 0..2),
        prop::option::of(1u64..9),
        prop::collection::btree_map(block(), prop::option::of(block()), 0..3),
        prop::collection::vec(1u64..6, 0..2),
    )
        .prop_map(|(side, forgotten, pruned, first_body, turns, slots)| {
            let id = |at: usize| BLOCKS[at].id();
            let turn = |at: usize| Turn::of(BLOCKS[at].header());
            Changes {
                side: side
                    .into_iter()
                    .map(|((height, at), kept)| ((height, id(at)), kept))
                    .collect(),
                forgotten: forgotten.into_iter().map(id).collect(),
                pruned: pruned.into_iter().map(id).collect(),
                first_body,
                turns: turns.into_iter().map(|(at, first)| (turn(at), first.map(id))).collect(),
                evidence: proofs(&slots),
                ..Changes::default()
            }
        })
}

proptest! {
    // Each case opens RocksDB several times.
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn both_stores_give_the_same_answers_whatever_they_are_told(
        steps in prop::collection::vec(any_step(), 1..14),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut memory = MemoryStore::new(NETWORK);
        let mut disk = Some(buffered(directory.path()));
        for step in steps {
            match step {
                Step::Commit(changes) => {
                    memory.commit(Changes::clone(&changes)).unwrap();
                    disk.as_mut().unwrap().commit(*changes).unwrap();
                }
                Step::Reopen => {
                    // The one must be closed before the other may open.
                    drop(disk.take());
                    disk = Some(buffered(directory.path()));
                }
            }
            prop_assert_eq!(everything(disk.as_ref().unwrap()), everything(&memory));
        }
    }
}
