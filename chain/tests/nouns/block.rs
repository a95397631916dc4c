//! The stages of a block.

use std::cell::RefCell;

use hearsay_chain::Rules;
use hearsay_chain::block::{
    Block, BlockError, HeaderFields, PartlyVerified, UnverifiedBlock, VerifiedBlock,
};
use hearsay_chain::codec::DecodeError;
use hearsay_chain::hash::merkle_root;
use hearsay_chain::ids::ChainId;
use hearsay_chain::transaction::{Transaction, TxError, UnverifiedTx, VerifiedTx};

use crate::common::{block, genesis, key, resigned, signed, verified};

/// Slot 1 belongs to the second authority.
const SLOT: u64 = 1;

fn good() -> Block {
    block(SLOT, vec![verified(0, |_| {}), verified(1, |_| {})]).to_block()
}

fn form(block: Block) -> Result<PartlyVerified, BlockError> {
    UnverifiedBlock::from(block).check_form(&Rules::new(genesis()), |_| None)
}

fn form_error(block: Block) -> BlockError {
    form(block).unwrap_err()
}

/// What is wrong with a good block whose header was changed and signed again.
fn header_error(change: impl FnOnce(&mut HeaderFields)) -> BlockError {
    form_error(resigned(good(), change))
}

/// A block whose header is for exactly these transactions.
fn holding(transactions: Vec<Transaction>) -> Block {
    let ids = transactions.iter().map(|tx| UnverifiedTx::from(tx.clone()).id().0);
    let (tx_root, tx_count) = (merkle_root(ids), transactions.len() as u32);
    let block = Block { transactions, ..good() };
    resigned(block, |fields| (fields.tx_root, fields.tx_count) = (tx_root, tx_count))
}

#[test]
fn a_proposed_block_passes_every_stage() {
    let proposed = block(SLOT, vec![verified(0, |_| {}), verified(1, |_| {})]);
    let checked = form(proposed.to_block()).unwrap();
    assert_eq!(checked.id(), proposed.id());
    assert_eq!(checked.verify().unwrap(), proposed);
    assert_eq!(proposed.height(), 1);
    assert_eq!(proposed.header().fields.tx_count, 2);
}

#[test]
fn an_empty_block_passes() {
    let checked = form(block(SLOT, Vec::new()).to_block()).unwrap();
    assert_eq!(checked.signatures_to_check(), 1);
    checked.verify().unwrap();
}

#[test]
fn a_block_of_another_chain_is_refused() {
    let other = ChainId([9; 8]);
    let expected = BlockError::WrongChain { found: other, expected: genesis().chain() };
    assert_eq!(header_error(|fields| fields.chain = other), expected);
}

#[test]
fn height_0_is_taken_and_no_height_comes_before_its_slot() {
    let error = header_error(|fields| fields.height = 0);
    assert_eq!(error, BlockError::Numbers { height: 0, slot: SLOT });
    let error = header_error(|fields| fields.height = SLOT + 1);
    assert_eq!(error, BlockError::Numbers { height: SLOT + 1, slot: SLOT });
    let error = header_error(|fields| (fields.height, fields.slot) = (0, 0));
    assert_eq!(error, BlockError::Numbers { height: 0, slot: 0 });
}

#[test]
fn slots_may_be_left_out() {
    // Slot 31 belongs to the same authority as slot 1, slot 32 to another.
    assert!(form(resigned(good(), |fields| fields.slot = 31)).is_ok());
    assert!(form(block(32, Vec::new()).to_block()).is_ok());
    assert!(form(resigned(good(), |fields| fields.slot = 32)).is_err());
}

#[test]
fn only_the_owner_of_a_slot_may_propose_in_it() {
    for (slot, seed) in [(1, 10), (1, 12), (2, 11), (3, 11), (1, 1)] {
        let stranger = key(seed);
        let mut block = block(slot, Vec::new()).to_block();
        block.header.fields.proposer = stranger.public();
        block.header = block.header.fields.sign(&stranger);
        let expected = BlockError::NotItsSlot { proposer: stranger.public(), slot };
        assert_eq!(form_error(block), expected);
    }
}

#[test]
fn more_transactions_than_allowed_are_refused_by_the_header_alone() {
    let error = header_error(|fields| fields.tx_count = 6);
    assert_eq!(error, BlockError::TooManyTransactions { found: 6, limit: 5 });
    let five = (0..5).map(|nonce| signed(nonce, |_| {})).collect();
    assert!(form(holding(five)).is_ok());
}

#[test]
fn a_block_that_is_too_large_is_refused() {
    let limit = genesis().limits.block_bytes as usize;
    let large = signed(0, |t| t.payload = vec![0; limit]);
    let block = holding(vec![large]);
    let found = UnverifiedBlock::from(block.clone()).size();
    assert_eq!(form_error(block), BlockError::Decode(DecodeError::TooLarge { found, limit }));
}

#[test]
fn other_transactions_than_the_headers_are_refused() {
    let mut fewer = good();
    fewer.transactions.pop();
    let mut more = good();
    more.transactions.push(signed(2, |_| {}));
    let mut twice = good();
    twice.transactions.push(twice.transactions[1].clone());
    let mut swapped = good();
    swapped.transactions.swap(0, 1);
    let mut other = good();
    other.transactions[1] = signed(1, |t| t.amount += 1);
    let mut resealed = good();
    resealed.transactions[1].signature.0[3] ^= 1;
    for block in [fewer, more, twice, swapped, other, resealed] {
        assert_eq!(form_error(block), BlockError::WrongRoot);
    }
    assert_eq!(header_error(|fields| fields.tx_root[0] ^= 1), BlockError::WrongRoot);
    assert_eq!(header_error(|fields| fields.tx_count = 3), BlockError::WrongRoot);
}

#[test]
fn a_transaction_that_is_wrong_by_itself_spoils_its_block() {
    let other = ChainId([9; 8]);
    let wrong_chain = TxError::WrongChain { found: other, expected: genesis().chain() };
    let cases = [
        (signed(1, |t| t.chain = other), wrong_chain),
        (
            signed(1, |t| t.payload = vec![0; 101]),
            TxError::PayloadTooLarge { found: 101, limit: 100 },
        ),
        (signed(1, |t| t.fee = u64::MAX), TxError::Overflow),
    ];
    for (tx, error) in cases {
        let id = UnverifiedTx::from(tx.clone()).id();
        let spoilt = holding(vec![signed(0, |_| {}), tx]);
        assert_eq!(form_error(spoilt), BlockError::Transaction { id, error });
    }
}

#[test]
fn a_transaction_whose_signature_does_not_hold_is_named() {
    for count in [1, 2, 5] {
        for bad in 0..count {
            let mut transactions: Vec<_> = (0..count).map(|nonce| signed(nonce, |_| {})).collect();
            transactions[bad as usize].signature.0[9] ^= 1;
            let id = UnverifiedTx::from(transactions[bad as usize].clone()).id();
            let error = form(holding(transactions)).unwrap().verify().unwrap_err();
            let expected = BlockError::Transaction { id, error: TxError::BadSignature };
            assert_eq!(error, expected);
        }
    }
}

#[test]
fn a_header_whose_signature_does_not_hold_is_refused() {
    let mut forged = good();
    forged.header.signature.0[9] ^= 1;
    assert_eq!(form(forged).unwrap().verify(), Err(BlockError::BadSignature));
    let mut moved = good();
    moved.header.fields.parent.0[0] ^= 1;
    assert_eq!(form(moved).unwrap().verify(), Err(BlockError::BadSignature));
}

#[test]
fn a_signature_is_checked_once_and_not_again_in_a_block() {
    let known = verified(0, |_| {});
    // Were it checked again it would not hold: the block carries it with a broken signature, and
    // this node says that it has seen exactly that one verified.
    let mut broken = signed(1, |_| {});
    broken.signature.0[9] ^= 1;
    let broken = VerifiedTx::from_own_store(broken.into());
    let transactions =
        vec![known.transaction().clone(), broken.transaction().clone(), signed(2, |_| {})];
    let block = UnverifiedBlock::from(holding(transactions.clone()));
    let asked = RefCell::new(Vec::new());
    let checked = block
        .check_form(&Rules::new(genesis()), |id| {
            asked.borrow_mut().push(*id);
            [&known, &broken].into_iter().find(|tx| tx.id() == *id).cloned()
        })
        .unwrap();
    let ids: Vec<_> = transactions.iter().map(|tx| UnverifiedTx::from(tx.clone()).id()).collect();
    assert_eq!(asked.into_inner(), ids, "each is asked for once, in order");
    assert_eq!(checked.signatures_to_check(), 2, "the header and the one that was not known");
    let verified = checked.verify().unwrap();
    assert_eq!(verified.transactions().iter().map(VerifiedTx::id).collect::<Vec<_>>(), ids);
}

#[test]
fn a_block_of_known_transactions_costs_one_signature() {
    let known = [verified(0, |_| {}), verified(1, |_| {})];
    let checked = UnverifiedBlock::from(good())
        .check_form(&Rules::new(genesis()), |id| known.iter().find(|tx| tx.id() == *id).cloned())
        .unwrap();
    assert_eq!(checked.signatures_to_check(), 1);
    checked.verify().unwrap();
}

#[test]
fn nothing_is_asked_about_a_block_in_bad_form() {
    let block = resigned(good(), |fields| fields.tx_root[0] ^= 1);
    let ask = |_: &_| -> Option<VerifiedTx> { panic!("asked") };
    assert!(UnverifiedBlock::from(block).check_form(&Rules::new(genesis()), ask).is_err());
}

#[test]
fn a_block_from_our_own_store_is_the_block_that_was_stored() {
    let block = block(SLOT, vec![verified(0, |_| {})]);
    let again =
        VerifiedBlock::from_own_store(block.header().clone(), block.transactions().to_vec());
    assert_eq!(again, block);
}

#[test]
fn the_genesis_block_is_not_accepted_as_a_block_from_outside() {
    let block = Block { header: genesis().block(), transactions: Vec::new() };
    assert_eq!(form_error(block), BlockError::Numbers { height: 0, slot: 0 });
}
