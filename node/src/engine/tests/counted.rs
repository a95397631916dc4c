//! A store that counts how often blocks are read, and what peers may cause of it.

use std::cell::Cell;
use std::rc::Rc;

use hearsay_chain::block::{Header, VerifiedBlock};
use hearsay_chain::evidence::{Evidence, Turn};
use hearsay_chain::ledger::{Account, Accounts, Undo};
use hearsay_chain::store::{Changes, Ends, MemoryStore, Table, TxPlace, Visit};
use hearsay_chain::{Address, BlockId, GenesisId, Store, StoreError, TxId, UnverifiedTx};
use hearsay_network::wire::Request;

use super::desk::{Desk, peer, penalises, signed};
use crate::engine::Input;

/// A store in memory with a count of the bodies that were read from it.
#[derive(Debug)]
struct Counted {
    inner: MemoryStore,
    reads: Rc<Cell<usize>>,
}

impl Counted {
    fn read(&self) {
        self.reads.set(self.reads.get() + 1);
    }
}

impl Accounts for Counted {
    fn account(&self, address: &Address) -> Result<Account, StoreError> {
        self.inner.account(address)
    }
}

impl Store for Counted {
    fn genesis(&self) -> GenesisId {
        self.inner.genesis()
    }

    fn ends(&self) -> Result<Option<Ends>, StoreError> {
        self.inner.ends()
    }

    fn header(&self, id: &BlockId) -> Result<Option<Header>, StoreError> {
        self.inner.header(id)
    }

    fn block(&self, id: &BlockId) -> Result<Option<VerifiedBlock>, StoreError> {
        self.read();
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
        self.read();
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

    fn recover(&mut self) -> Result<(), StoreError> {
        self.inner.recover()
    }

    fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        self.inner.commit(changes)
    }
}

/// A desk with one peer and a block of 60 kB that is long past, and how often bodies are read there.
fn desk() -> (Desk<Counted>, BlockId, Rc<Cell<usize>>) {
    let reads = Rc::new(Cell::new(0));
    let counter = Rc::clone(&reads);
    let mut desk =
        Desk::over(move |genesis| Counted { inner: MemoryStore::new(genesis), reads: counter });
    let large = |nonce| {
        let mut transfer = desk.transfer(0, nonce, 500);
        transfer.payload = vec![1; 1_000];
        signed(transfer, 0)
    };
    let txs: Vec<UnverifiedTx> = (0..60).map(large).collect();
    desk.block(&txs);
    let id = desk.engine.chain().tip().id;
    // So that it is no longer among those at hand.
    for _ in 0..5 {
        desk.block(&[]);
    }
    desk.give(Input::Joined(peer(1)));
    reads.set(0);
    (desk, id, reads)
}

fn questions(block: BlockId) -> [Request; 2] {
    [
        Request::BlockTransactions { block, places: (0..60).collect() },
        Request::Bodies(vec![block; 4]),
    ]
}

#[test]
fn a_stranger_causes_no_read_and_does_not_learn_which_blocks_are_here() {
    let (mut desk, here, reads) = desk();
    for block in [here, BlockId([7; 32])] {
        for request in questions(block) {
            assert_eq!(desk.request(peer(2), request).0, None);
        }
    }
    assert_eq!(reads.get(), 0);
}

#[test]
fn who_asks_for_blocks_that_are_not_here_has_an_allowance_too() {
    let (mut desk, ..) = desk();
    let unknown = Request::BlockTransactions { block: BlockId([7; 32]), places: vec![0] };
    let answered = (0..3_000).filter(|_| desk.request(peer(1), unknown.clone()).0.is_some());
    assert_eq!(answered.count(), 2_048, "eight mebibytes at 4,096 each");
}

#[test]
fn who_is_over_its_allowance_causes_no_read_until_it_has_paid_for_what_was_read_in_vain() {
    for which in 0..2 {
        let (mut desk, block, reads) = desk();
        let request = questions(block)[which].clone();
        let mut asked = 0;
        while desk.request(peer(1), request.clone()).0.is_some() {
            asked += 1;
            assert!(asked < 5_000);
        }
        let spent = reads.get();
        for _ in 0..1_000 {
            let (said, effects) = desk.request(peer(1), request.clone());
            assert!(said.is_none() && !penalises(&effects));
        }
        assert_eq!(reads.get(), spent, "question {which}: it owes for the last one");
        desk.pass(1_000_000);
        assert!(desk.request(peer(1), request).0.is_some(), "it is given again");
    }
}
