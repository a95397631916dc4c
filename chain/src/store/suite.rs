//! One suite of tests for every store: whatever one of them answers, the others answer.

use super::{Changes, Ends, MemoryStore, Store, TxPlace};
use crate::block::VerifiedBlock;
use crate::genesis::{Genesis, Limits, Schedule};
use crate::ids::{Address, BlockId, GenesisId, TxId};
use crate::keys::Keypair;
use crate::ledger::{Account, Undo};
use crate::transaction::{Transfer, VerifiedTx};

/// The network of every store under test.
pub(super) const NETWORK: GenesisId = GenesisId([7; 32]);

fn key(seed: u8) -> Keypair {
    Keypair::from_seed(&[seed; 32])
}

fn transaction(seed: u8, nonce: u64, payload: usize) -> VerifiedTx {
    let transfer = Transfer {
        chain: NETWORK.into(),
        sender: key(seed).public(),
        nonce,
        recipient: Address([seed; 32]),
        amount: 5,
        fee: 1,
        expiry: nonce.is_multiple_of(2).then_some(nonce),
        payload: vec![seed; payload],
    };
    VerifiedTx::from_own_store(transfer.sign(&key(seed)).into())
}

/// A block of `transactions` transactions on top of another.
pub(super) fn block_on(parent: BlockId, height: u64, transactions: u8) -> VerifiedBlock {
    let transactions =
        (0..transactions).map(|seed| transaction(seed, height, usize::from(seed) * 40)).collect();
    VerifiedBlock::propose(NETWORK.into(), (parent, height - 1), height, transactions, &key(99))
}

/// The blocks of heights 1 to `count`, each on top of the one before.
pub(super) fn chain_of(count: u64) -> Vec<VerifiedBlock> {
    let mut parent = BlockId([0; 32]);
    (1..=count)
        .map(|height| {
            let block = block_on(parent, height, (height % 4) as u8);
            parent = block.id();
            block
        })
        .collect()
}

fn account(balance: u64) -> Account {
    Account { balance, nonce: balance / 2 }
}

fn undo(balance: u64) -> Undo {
    Undo { accounts: [(Address([1; 32]), account(balance))].into() }
}

fn ends(block: &VerifiedBlock) -> Ends {
    Ends { tip: block.id(), height: block.height(), final_height: block.height() / 2 }
}

/// Everything that the node commits when its tip grows by one block.
pub(super) fn growth(block: &VerifiedBlock) -> Changes {
    let places = block.transactions().iter().zip(0..);
    Changes {
        blocks: vec![block.clone()],
        undo: [(block.id(), Some(undo(block.height())))].into(),
        accounts: [(Address([1; 32]), account(block.height()))].into(),
        heights: [(block.height(), Some(block.id()))].into(),
        transactions: places
            .map(|(tx, index)| (tx.id(), Some(TxPlace { height: block.height(), index })))
            .collect(),
        ends: Some(ends(block)),
        ..Changes::default()
    }
}

/// Asserts that all of [`growth`] is there.
pub(super) fn assert_grown<S: Store>(store: &S, block: &VerifiedBlock) {
    let id = block.id();
    assert_eq!(store.header(&id).unwrap().as_ref(), Some(block.header()));
    assert_eq!(store.block(&id).unwrap().as_ref(), Some(block));
    assert_eq!(store.undo(&id).unwrap(), Some(undo(block.height())));
    assert_eq!(store.block_at(block.height()).unwrap(), Some(id));
    for (tx, index) in block.transactions().iter().zip(0..) {
        let place = TxPlace { height: block.height(), index };
        assert_eq!(store.find_transaction(&tx.id()).unwrap(), Some(place));
    }
}

/// Asserts that the ends and the account of [`growth`] are those of this block.
pub(super) fn assert_tip<S: Store>(store: &S, block: &VerifiedBlock) {
    assert_eq!(store.ends().unwrap(), Some(ends(block)));
    assert_eq!(store.account(&Address([1; 32])).unwrap(), account(block.height()));
}

fn an_empty_store_has_nothing<S: Store>(store: S) {
    let id = BlockId([1; 32]);
    assert_eq!(store.genesis(), NETWORK);
    assert_eq!(store.ends().unwrap(), None);
    assert_eq!(store.header(&id).unwrap(), None);
    assert_eq!(store.block(&id).unwrap(), None);
    assert_eq!(store.undo(&id).unwrap(), None);
    assert_eq!(store.block_at(0).unwrap(), None);
    assert_eq!(store.find_transaction(&TxId([1; 32])).unwrap(), None);
    assert_eq!(store.account(&Address([1; 32])).unwrap(), Account::default());
}

fn what_was_committed_is_read_back<S: Store>(mut store: S) {
    let block = block_on(BlockId([0; 32]), 1, 3);
    store.commit(growth(&block)).unwrap();
    assert_grown(&store, &block);
    assert_tip(&store, &block);
}

fn a_commit_leaves_everything_else_alone<S: Store>(mut store: S) {
    let blocks = chain_of(3);
    store.commit(growth(&blocks[0])).unwrap();
    store.commit(growth(&blocks[1])).unwrap();
    assert_grown(&store, &blocks[0]);
    assert_eq!(store.block(&blocks[2].id()).unwrap(), None);
    assert_eq!(store.block_at(3).unwrap(), None);
}

fn a_block_of_the_largest_size_is_read_back<S: Store>(mut store: S) {
    let transactions = (0..60).map(|nonce| transaction(1, nonce, 16 * 1024)).collect();
    let parent = (BlockId([0; 32]), 0);
    let block = VerifiedBlock::propose(NETWORK.into(), parent, 1, transactions, &key(99));
    assert!(block.size() > 900 << 10);
    store.commit(growth(&block)).unwrap();
    assert_grown(&store, &block);
}

fn many_blocks_are_kept_in_one_commit_or_in_many<S: Store>(mut store: S) {
    let blocks = chain_of(200);
    let (first, rest) = blocks.split_at(100);
    let mut changes = Changes { blocks: first.to_vec(), ..Changes::default() };
    for block in first {
        let one = growth(block);
        changes.undo.extend(one.undo);
        changes.heights.extend(one.heights);
        changes.transactions.extend(one.transactions);
    }
    store.commit(changes).unwrap();
    for block in rest {
        store.commit(growth(block)).unwrap();
    }
    for block in &blocks {
        assert_grown(&store, block);
    }
    assert_tip(&store, &blocks[199]);
}

fn a_block_committed_twice_is_there_once<S: Store>(mut store: S) {
    let block = block_on(BlockId([0; 32]), 1, 2);
    store.commit(growth(&block)).unwrap();
    store.commit(growth(&block)).unwrap();
    assert_grown(&store, &block);
}

fn a_bare_header_has_no_block<S: Store>(mut store: S) {
    let genesis = Genesis {
        name: "suite".to_owned(),
        time_ms: 0,
        slot_ms: 1_000,
        schedule: Schedule::RoundRobin,
        authorities: vec![key(1).public()],
        limits: Limits::default(),
        allocations: [(key(1).address(), 1_000)].into(),
    };
    let header = genesis.block();
    let bare_header = Some((header.id(), header.clone()));
    store.commit(Changes { bare_header, ..Changes::default() }).unwrap();
    assert_eq!(store.header(&header.id()).unwrap(), Some(header.clone()));
    assert_eq!(store.block(&header.id()).unwrap(), None);
}

fn the_last_of_two_commits_counts<S: Store>(mut store: S) {
    let blocks = chain_of(2);
    store.commit(growth(&blocks[0])).unwrap();
    let (id, tx) = (blocks[0].id(), TxId([3; 32]));
    let place = |index| Some(TxPlace { height: 1, index });
    for round in 1..=2 {
        store
            .commit(Changes {
                undo: [(id, Some(undo(round)))].into(),
                heights: [(1, Some(blocks[round as usize - 1].id()))].into(),
                transactions: [(tx, place(round as u32))].into(),
                accounts: [(Address([2; 32]), account(round))].into(),
                ends: Some(ends(&blocks[round as usize - 1])),
                ..Changes::default()
            })
            .unwrap();
    }
    assert_eq!(store.undo(&id).unwrap(), Some(undo(2)));
    assert_eq!(store.block_at(1).unwrap(), Some(blocks[1].id()));
    assert_eq!(store.find_transaction(&tx).unwrap(), place(2));
    assert_eq!(store.account(&Address([2; 32])).unwrap(), account(2));
    assert_eq!(store.ends().unwrap(), Some(ends(&blocks[1])));
}

fn what_was_taken_away_is_gone_and_the_block_stays<S: Store>(mut store: S) {
    let block = block_on(BlockId([0; 32]), 1, 3);
    store.commit(growth(&block)).unwrap();
    store
        .commit(Changes {
            undo: [(block.id(), None)].into(),
            heights: [(1, None)].into(),
            transactions: block.transactions().iter().map(|tx| (tx.id(), None)).collect(),
            ..Changes::default()
        })
        .unwrap();
    assert_eq!(store.undo(&block.id()).unwrap(), None);
    assert_eq!(store.block_at(1).unwrap(), None);
    for tx in block.transactions() {
        assert_eq!(store.find_transaction(&tx.id()).unwrap(), None);
    }
    assert_eq!(store.block(&block.id()).unwrap().as_ref(), Some(&block));
    assert_tip(&store, &block);
}

fn taking_away_what_is_not_there_is_no_error<S: Store>(mut store: S) {
    let changes = Changes {
        undo: [(BlockId([1; 32]), None)].into(),
        heights: [(9, None)].into(),
        transactions: [(TxId([1; 32]), None)].into(),
        ..Changes::default()
    };
    store.commit(changes).unwrap();
    an_empty_store_has_nothing(store);
}

fn an_empty_commit_changes_nothing<S: Store>(mut store: S) {
    let block = block_on(BlockId([0; 32]), 1, 1);
    store.commit(Changes::default()).unwrap();
    assert_eq!(store.ends().unwrap(), None);
    store.commit(growth(&block)).unwrap();
    store.commit(Changes::default()).unwrap();
    assert_grown(&store, &block);
    assert_tip(&store, &block);
}

fn an_account_set_to_the_default_reads_as_one_never_paid<S: Store>(mut store: S) {
    let (rich, never) = (Address([1; 32]), Address([2; 32]));
    let set = |accounts: &[(Address, Account)]| Changes {
        accounts: accounts.iter().copied().collect(),
        ..Changes::default()
    };
    store.commit(set(&[(rich, account(10)), (never, Account::default())])).unwrap();
    assert_eq!(store.account(&rich).unwrap(), account(10));
    assert_eq!(store.account(&never).unwrap(), Account::default());
    store.commit(set(&[(rich, Account::default())])).unwrap();
    assert_eq!(store.account(&rich).unwrap(), Account::default());
    store.commit(set(&[(rich, Account { balance: 0, nonce: 3 })])).unwrap();
    assert_eq!(store.account(&rich).unwrap(), Account { balance: 0, nonce: 3 });
}

fn ends_may_move_back<S: Store>(mut store: S) {
    let blocks = chain_of(2);
    for block in [&blocks[1], &blocks[0]] {
        store.commit(Changes { ends: Some(ends(block)), ..Changes::default() }).unwrap();
    }
    assert_eq!(store.ends().unwrap(), Some(ends(&blocks[0])));
}

fn heights_of_any_size_are_kept_apart<S: Store>(mut store: S) {
    let heights = [0, 1, 255, 256, u64::from(u32::MAX), u64::MAX];
    let id = |height: u64| BlockId(crate::hash::tagged("test", &[&height.to_le_bytes()]));
    let changes = Changes {
        heights: heights.iter().map(|height| (*height, Some(id(*height)))).collect(),
        ..Changes::default()
    };
    store.commit(changes).unwrap();
    for height in heights {
        assert_eq!(store.block_at(height).unwrap(), Some(id(height)));
    }
    assert_eq!(store.block_at(2).unwrap(), None);
}

/// Runs each test over a new store of each kind.
macro_rules! over_every_store {
    ($($test:ident),* $(,)?) => {
        mod memory {
            $(
                #[test]
                fn $test() {
                    super::$test(super::MemoryStore::new(super::NETWORK));
                }
            )*
        }

        #[cfg(feature = "rocksdb")]
        mod rocks {
            $(
                #[test]
                fn $test() {
                    let directory = tempfile::tempdir().unwrap();
                    super::$test(super::on_disk::buffered(directory.path()));
                }
            )*
        }
    };
}

over_every_store! {
    an_empty_store_has_nothing,
    what_was_committed_is_read_back,
    a_commit_leaves_everything_else_alone,
    a_block_of_the_largest_size_is_read_back,
    many_blocks_are_kept_in_one_commit_or_in_many,
    a_block_committed_twice_is_there_once,
    a_bare_header_has_no_block,
    the_last_of_two_commits_counts,
    what_was_taken_away_is_gone_and_the_block_stays,
    taking_away_what_is_not_there_is_no_error,
    an_empty_commit_changes_nothing,
    an_account_set_to_the_default_reads_as_one_never_paid,
    ends_may_move_back,
    heights_of_any_size_are_kept_apart,
    blocks_beside_the_chain_are_listed_by_height,
    the_block_of_a_turn_is_kept_until_it_is_forgotten,
    proofs_are_listed_from_a_slot_on,
    a_forgotten_block_is_gone_and_a_pruned_one_keeps_its_header,
    the_first_body_is_1_until_it_moves,
    a_scan_shows_every_row_in_order_and_ends_when_told,
    recovering_a_sound_store_changes_nothing,
}

#[path = "suite_tables.rs"]
mod tables;
use tables::*;

#[cfg(feature = "rocksdb")]
#[path = "suite_on_disk.rs"]
pub(super) mod on_disk;
