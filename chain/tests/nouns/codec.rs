//! One encoding for each value, and nothing but encodings is decoded.

use std::fmt::Debug;

use borsh::{BorshDeserialize, BorshSerialize};
use hearsay_chain::block::{
    BODY_OVERHEAD_BYTES, Block, HEADER_BYTES, Header, MAX_BLOCK_BYTES, UnverifiedBlock,
};
use hearsay_chain::codec::{DecodeError, decode, encode};
use hearsay_chain::ledger::{Account, Undo};
use hearsay_chain::store::{Ends, TxPlace};
use hearsay_chain::transaction::{
    MAX_PAYLOAD_BYTES, MAX_TX_BYTES, Transaction, Transfer, UnverifiedTx,
};
use hearsay_chain::{Address, Genesis};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::common::{any_block, any_header, any_transaction, block, genesis, signed, verified};

/// Something that can happen to bytes on their way.
#[derive(Clone, Debug)]
enum Harm {
    Set(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Cut(Index),
    Extend(Vec<u8>),
    /// Four bytes that read as a huge length.
    Lengthen(Index),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Harm::Set(at, byte)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Harm::Insert(at, byte)),
        any::<Index>().prop_map(Harm::Remove),
        any::<Index>().prop_map(Harm::Cut),
        prop::collection::vec(any::<u8>(), 1..9).prop_map(Harm::Extend),
        any::<Index>().prop_map(Harm::Lengthen),
    ]
}

fn harmed(mut bytes: Vec<u8>, harms: &[Harm]) -> Vec<u8> {
    for harm in harms {
        // One more than there are bytes, so that the end can be hit and nothing can be empty.
        let at = |index: &Index| index.index(bytes.len() + 1);
        match harm {
            Harm::Set(index, byte) => {
                let at = at(index);
                if let Some(found) = bytes.get_mut(at) {
                    *found = *byte;
                }
            }
            Harm::Insert(index, byte) => bytes.insert(at(index), *byte),
            Harm::Remove(index) => {
                let at = at(index);
                if at < bytes.len() {
                    bytes.remove(at);
                }
            }
            Harm::Cut(index) => bytes.truncate(at(index)),
            Harm::Extend(more) => bytes.extend_from_slice(more),
            Harm::Lengthen(index) => {
                let at = at(index);
                let end = bytes.len().min(at + 4);
                bytes[at..end].fill(0xff);
            }
        }
    }
    bytes
}

/// Whatever is decoded encodes to the same bytes; whatever was encoded decodes to the same value,
/// and neither less nor more than its bytes does.
fn law<T>(value: &T, harms: &[Harm], noise: &[u8]) -> Result<(), TestCaseError>
where
    T: BorshSerialize + BorshDeserialize + PartialEq + Debug,
{
    let bytes = encode(value);
    let whole = decode::<T>(&bytes, bytes.len());
    prop_assert_eq!(whole.as_ref(), Ok(value));
    for other in [harmed(bytes.clone(), harms), noise.to_vec()] {
        if let Ok(found) = decode::<T>(&other, usize::MAX) {
            prop_assert_eq!(encode(&found), other);
        }
    }
    prop_assert!(decode::<T>(&[&bytes[..], &[0]].concat(), usize::MAX).is_err());
    prop_assert!(decode::<T>(&bytes[..bytes.len() - 1], usize::MAX).is_err());
    let too_large = DecodeError::TooLarge { found: bytes.len(), limit: bytes.len() - 1 };
    prop_assert_eq!(decode::<T>(&bytes, bytes.len() - 1), Err(too_large));
    Ok(())
}

fn harms() -> impl Strategy<Value = Vec<Harm>> {
    prop::collection::vec(harm(), 1..4)
}

fn noise() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..400)
}

proptest! {
    #[test]
    fn a_transaction_has_one_encoding(
        tx in any_transaction(), harms in harms(), noise in noise(),
    ) {
        law::<Transaction>(&tx, &harms, &noise)?;
    }

    #[test]
    fn a_header_has_one_encoding(
        header in any_header(), harms in harms(), noise in noise(),
    ) {
        law::<Header>(&header, &harms, &noise)?;
    }

    #[test]
    fn a_block_has_one_encoding(
        block in any_block(), harms in harms(), noise in noise(),
    ) {
        law::<Block>(&block, &harms, &noise)?;
    }

    #[test]
    fn an_undo_has_one_encoding(
        accounts in prop::collection::btree_map(any::<u8>(), any::<(u64, u64)>(), 0..6),
        harms in harms(),
        noise in noise(),
    ) {
        let accounts = accounts.into_iter().map(|(byte, (balance, nonce))| {
            (Address([byte; 32]), Account { balance, nonce })
        });
        law(&Undo { accounts: accounts.collect() }, &harms, &noise)?;
    }

    #[test]
    fn what_the_store_keeps_has_one_encoding(
        tip: [u8; 32], height: u64, final_height: u64, index: u32,
        harms in harms(), noise in noise(),
    ) {
        law(&Ends { tip: hearsay_chain::BlockId(tip), height, final_height }, &harms, &noise)?;
        law(&TxPlace { height, index }, &harms, &noise)?;
    }

    #[test]
    fn a_genesis_has_one_encoding(harms in harms(), noise in noise()) {
        law::<Genesis>(&genesis(), &harms, &noise)?;
    }

    #[test]
    fn the_first_stage_decodes_what_the_codec_decodes(
        block in any_block(), harms in harms(),
    ) {
        let bytes = harmed(encode(&block), &harms);
        let plain = decode::<Block>(&bytes, MAX_BLOCK_BYTES);
        let staged = UnverifiedBlock::decode(&bytes, MAX_BLOCK_BYTES);
        prop_assert_eq!(plain.is_ok(), staged.is_ok());
        let Some(tx) = block.transactions.first() else { return Ok(()) };
        let bytes = harmed(encode(tx), &harms);
        let plain = decode::<Transaction>(&bytes, MAX_TX_BYTES);
        prop_assert_eq!(UnverifiedTx::decode(&bytes).map(|tx| tx.transaction().clone()), plain);
    }

    #[test]
    fn ids_and_sizes_are_those_of_the_encoding(block in any_block()) {
        let bytes = encode(&block);
        let staged = UnverifiedBlock::decode(&bytes, MAX_BLOCK_BYTES).unwrap();
        prop_assert_eq!(staged.size(), bytes.len());
        prop_assert_eq!(staged.id(), block.header.id());
        prop_assert_eq!(UnverifiedBlock::id_of(&bytes), Some(staged.id()));
        prop_assert_eq!(UnverifiedBlock::from(block.clone()), staged.clone());
        for (tx, staged) in block.transactions.iter().zip(staged.transactions()) {
            let bytes = encode(tx);
            prop_assert_eq!(staged.size(), bytes.len());
            prop_assert_eq!(staged.id(), UnverifiedTx::id_of(&bytes));
            prop_assert_eq!(&UnverifiedTx::from(tx.clone()), staged);
        }
    }

    #[test]
    fn a_header_always_takes_the_same_room(header in any_header()) {
        prop_assert_eq!(encode(&header).len(), HEADER_BYTES);
    }
}

fn largest() -> Transfer {
    let mut transfer = crate::common::transfer(0);
    transfer.expiry = Some(u64::MAX);
    transfer.payload = vec![0xaa; MAX_PAYLOAD_BYTES];
    transfer
}

#[test]
fn the_largest_transaction_has_exactly_the_largest_size() {
    let tx = largest().sign(&crate::common::key(1));
    let bytes = encode(&tx);
    assert_eq!(bytes.len(), MAX_TX_BYTES);
    let staged = UnverifiedTx::decode(&bytes).unwrap();
    assert_eq!(staged.size(), MAX_TX_BYTES);
    assert_eq!(staged.transaction(), &tx);
}

#[test]
fn a_transaction_one_byte_larger_is_refused_before_it_is_read() {
    let mut transfer = largest();
    transfer.payload.push(0);
    let bytes = encode(&transfer.sign(&crate::common::key(1)));
    let found = MAX_TX_BYTES + 1;
    let expected = DecodeError::TooLarge { found, limit: MAX_TX_BYTES };
    assert_eq!(UnverifiedTx::decode(&bytes), Err(expected));
}

#[test]
fn a_block_without_transactions_takes_its_header_and_a_length() {
    let empty = block(1, Vec::new());
    assert_eq!(encode(&empty.to_block()).len(), HEADER_BYTES + BODY_OVERHEAD_BYTES);
    assert_eq!(empty.size(), HEADER_BYTES + BODY_OVERHEAD_BYTES);
}

#[test]
fn a_proposed_block_knows_the_size_and_id_of_its_encoding() {
    let block = block(1, vec![verified(0, |_| {}), verified(1, |t| t.payload = vec![1; 99])]);
    let bytes = encode(&block.to_block());
    assert_eq!(block.size(), bytes.len());
    assert_eq!(Some(block.id()), UnverifiedBlock::id_of(&bytes));
}

#[test]
fn the_callers_limit_holds_for_a_block_and_never_more_than_the_largest() {
    let bytes = encode(&block(1, vec![verified(0, |_| {})]).to_block());
    assert!(UnverifiedBlock::decode(&bytes, bytes.len()).is_ok());
    let refused = UnverifiedBlock::decode(&bytes, bytes.len() - 1);
    assert!(matches!(refused, Err(DecodeError::TooLarge { .. })));
    let huge = vec![0; MAX_BLOCK_BYTES + 1];
    let found = MAX_BLOCK_BYTES + 1;
    let expected = DecodeError::TooLarge { found, limit: MAX_BLOCK_BYTES };
    assert_eq!(UnverifiedBlock::decode(&huge, usize::MAX), Err(expected));
}

#[test]
fn bytes_shorter_than_a_header_name_no_block() {
    let bytes = encode(&block(1, Vec::new()).to_block());
    assert_eq!(UnverifiedBlock::id_of(&bytes[..HEADER_BYTES - 1]), None);
    assert!(UnverifiedBlock::id_of(&bytes[..HEADER_BYTES]).is_some());
}

#[test]
fn a_list_that_claims_four_billion_transactions_is_refused_at_once() {
    let mut bytes = encode(&block(1, Vec::new()).to_block());
    bytes.truncate(HEADER_BYTES);
    bytes.extend([0xff; 4]);
    let refused = UnverifiedBlock::decode(&bytes, MAX_BLOCK_BYTES);
    assert!(matches!(refused, Err(DecodeError::Malformed(_))));
}

#[test]
fn a_map_is_written_in_one_order_only_and_no_key_stands_twice() {
    let account = |balance| Account { balance, nonce: 0 };
    let (low, high) = (Address([1; 32]), Address([2; 32]));
    let in_order = vec![(low, account(3)), (high, account(4))];
    assert!(decode::<Undo>(&encode(&in_order), usize::MAX).is_ok());
    for odd in [
        vec![(high, account(4)), (low, account(3))],
        vec![(low, account(3)), (low, account(3))],
        vec![(low, account(3)), (low, account(4))],
    ] {
        let refused = decode::<Undo>(&encode(&odd), usize::MAX);
        assert!(matches!(refused, Err(DecodeError::Malformed(_))), "{refused:?}");
    }
}

#[test]
fn an_option_is_written_one_way_only() {
    let mut bytes = encode(&signed(0, |t| t.expiry = Some(7)));
    // Chain, sender, nonce, recipient, amount and fee come before the option's tag.
    let tag = 8 + 32 + 8 + 32 + 8 + 8;
    assert_eq!(bytes[tag], 1);
    bytes[tag] = 2;
    assert!(matches!(UnverifiedTx::decode(&bytes), Err(DecodeError::Malformed(_))));
}
