//! A store that fails when told to, and what a chain makes of it.

use super::scenario::{assert_same, story};
use super::*;
use crate::evidence::{Evidence, Turn};
use crate::ids::GenesisId;
use crate::ledger::{Accounts, Undo};
use crate::store::{Table, Visit};

/// What a commit that fails has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nothing.
    Undone,
    /// All of it: it is only the answer that says that the disk is full.
    Done,
}

/// Keeps everything in memory, counts commits, and says of one of them that the disk is full, and of
/// all others until it has recovered.
#[derive(Clone, Debug)]
pub(super) struct Faulty {
    inner: MemoryStore,
    /// Commits that were asked for.
    pub(super) commits: u64,
    fault: Option<(u64, Fault)>,
    is_full: bool,
}

impl Faulty {
    pub(super) fn new(genesis: GenesisId) -> Self {
        Self { inner: MemoryStore::new(genesis), commits: 0, fault: None, is_full: false }
    }

    fn full<T>() -> Result<T, StoreError> {
        Err(StoreError::Full("as the test wants".to_owned()))
    }
}

impl Accounts for Faulty {
    fn account(&self, address: &Address) -> Result<Account, StoreError> {
        self.inner.account(address)
    }
}

impl Store for Faulty {
    fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        if self.is_full {
            return Self::full();
        }
        self.commits += 1;
        match self.fault {
            Some((at, fault)) if at == self.commits => {
                self.is_full = true;
                if fault == Fault::Done {
                    self.inner.commit(changes)?;
                }
                Self::full()
            }
            _ => self.inner.commit(changes),
        }
    }

    fn recover(&mut self) -> Result<(), StoreError> {
        self.is_full = false;
        Ok(())
    }

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

/// Bodies kept in these tests, so that some are dropped.
const KEEP: u64 = 6;

fn open(store: Faulty, rules: &Genesis) -> Chain<Faulty> {
    let mut chain = Chain::open(store, rules.clone()).unwrap();
    chain.keep_bodies(Some(KEEP));
    chain
}

/// Fails one write of a story after the other, and goes on after each.
fn fail_every_write(fault: Fault) {
    let story = story(7, 200);
    let mut sound = open(Faulty::new(story.rules.id()), &story.rules);
    let mut answers = Vec::new();
    for block in &story.blocks {
        answers.push(sound.import(block.clone(), FAR_SLOT).unwrap());
    }
    let evidence = sound.take_evidence();
    let writes = sound.store().commits;
    assert!(writes > 150 && sound.first_body() > 50 && evidence.len() > 5);

    // The first write is the genesis block's, without which there is no chain yet.
    for number in 2..=writes {
        let mut store = Faulty::new(story.rules.id());
        store.fault = Some((number, fault));
        let mut chain = open(store, &story.rules);
        let mut failures = 0;
        for (block, answer) in story.blocks.iter().zip(&answers) {
            let when = format!("write {number}, {fault:?}, block {}", block.id());
            let before = (chain.ends(), chain.support.clone(), chain.first_body());
            if let Err(error) = chain.import(block.clone(), FAR_SLOT) {
                failures += 1;
                assert!(matches!(error, StoreError::Full(_)), "{when}: {error}");
                let after = (chain.ends(), chain.support.clone(), chain.first_body());
                assert_eq!(after, before, "{when}: what is in memory moved without the disk");
                // Nothing is taken before that is settled.
                let again = chain.import(block.clone(), FAR_SLOT);
                assert!(!matches!(again, Ok(Import::Tip(_) | Import::Side)), "{when}: {again:?}");
                let change = chain.recover().unwrap();
                let moved = matches!(answer, Import::Tip(_)) && fault == Fault::Done;
                let opened = open(chain.store().clone(), &story.rules);
                assert_same(&chain, &opened, &when);
                if let Some(change) = change {
                    assert!(moved, "{when}");
                    let Import::Tip(expected) = answer else { panic!("{when}: {answer:?}") };
                    assert_eq!(format!("{change:?}"), format!("{expected:?}"), "{when}");
                }
                let again = chain.import(block.clone(), FAR_SLOT).unwrap();
                let same = format!("{again:?}") == format!("{answer:?}");
                assert!(same || matches!(again, Import::Known), "{when}: {again:?}, {answer:?}");
                assert!(same || fault == Fault::Done, "{when}: {again:?}");
            }
        }
        assert_eq!(failures, 1);
        assert_same(&chain, &sound, &format!("write {number}, {fault:?}"));
    }
}

#[test]
fn any_write_may_fail_and_the_chain_goes_on_as_if_it_had_not() {
    fail_every_write(Fault::Undone);
}

#[test]
fn any_write_may_say_that_it_failed_and_have_happened() {
    fail_every_write(Fault::Done);
}

#[test]
fn proofs_of_equivocation_are_told_once_although_writes_fail() {
    let story = story(7, 200);
    let told = |fault| {
        let mut store = Faulty::new(story.rules.id());
        let mut told = Vec::new();
        store.fault = fault;
        let mut chain = open(store, &story.rules);
        for block in &story.blocks {
            if chain.import(block.clone(), FAR_SLOT).is_err() {
                chain.recover().unwrap();
                chain.import(block.clone(), FAR_SLOT).unwrap();
            }
            told.extend(chain.take_evidence());
        }
        (told, chain.store().commits)
    };
    let (sound, writes) = told(None);
    for number in 2..=writes {
        for fault in [Fault::Undone, Fault::Done] {
            assert_eq!(told(Some((number, fault))).0, sound, "write {number}, {fault:?}");
        }
    }
}
