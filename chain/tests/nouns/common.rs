//! What the tests build their values from.

use std::collections::BTreeMap;

use hearsay_chain::block::{Block, Header, HeaderFields, VerifiedBlock};
use hearsay_chain::genesis::{Genesis, Limits, Schedule};
use hearsay_chain::ids::{Address, BlockId, ChainId};
use hearsay_chain::keys::{Keypair, PublicKey, Signature};
use hearsay_chain::transaction::{Transaction, Transfer, UnverifiedTx, VerifiedTx};
use proptest::prelude::*;

/// The keys that propose in turn: slot s belongs to authority s modulo 3.
pub(crate) const AUTHORITIES: [u8; 3] = [10, 11, 12];

pub(crate) fn key(seed: u8) -> Keypair {
    Keypair::from_seed(&[seed; 32])
}

/// A network with three authorities and small limits.
pub(crate) fn genesis() -> Genesis {
    Genesis {
        name: "nouns".to_owned(),
        time_ms: 1_000_000,
        slot_ms: 500,
        schedule: Schedule::RoundRobin,
        authorities: AUTHORITIES.map(|seed| key(seed).public()).into(),
        limits: Limits { block_bytes: 32 << 10, block_transactions: 5, payload_bytes: 100 },
        allocations: BTreeMap::from([(key(1).address(), 1_000), (key(2).address(), 500)]),
    }
}

/// A transfer on [`genesis`]'s chain from the key of seed 1 to that of seed 2.
pub(crate) fn transfer(nonce: u64) -> Transfer {
    Transfer {
        chain: genesis().chain(),
        sender: key(1).public(),
        nonce,
        recipient: key(2).address(),
        amount: 10,
        fee: 3,
        expiry: None,
        payload: Vec::new(),
    }
}

/// A transaction signed by the key of seed 1, on which `change` decides before it is signed.
pub(crate) fn signed(nonce: u64, change: impl FnOnce(&mut Transfer)) -> Transaction {
    let mut transfer = transfer(nonce);
    change(&mut transfer);
    transfer.sign(&key(1))
}

/// The same, verified.
pub(crate) fn verified(nonce: u64, change: impl FnOnce(&mut Transfer)) -> VerifiedTx {
    VerifiedTx::verify(UnverifiedTx::from(signed(nonce, change))).unwrap()
}

/// A block by the authority whose slot it is, on top of the genesis block.
pub(crate) fn block(slot: u64, transactions: Vec<VerifiedTx>) -> VerifiedBlock {
    let parent = (genesis().block().id(), 0);
    VerifiedBlock::propose(genesis().chain(), parent, slot, transactions, &owner(slot))
}

/// The key whose slot it is.
pub(crate) fn owner(slot: u64) -> Keypair {
    key(AUTHORITIES[(slot % 3) as usize])
}

/// A block whose header was changed and signed again by the slot's owner.
pub(crate) fn resigned(block: Block, change: impl FnOnce(&mut HeaderFields)) -> Block {
    let mut fields = block.header.fields;
    change(&mut fields);
    let key = owner(fields.slot);
    Block { header: fields.sign(&key), ..block }
}

fn signature() -> impl Strategy<Value = Signature> {
    any::<[[u8; 32]; 2]>().prop_map(|[r, s]| {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&r);
        bytes[32..].copy_from_slice(&s);
        Signature(bytes)
    })
}

/// Any transaction at all; most are invalid.
pub(crate) fn any_transaction() -> impl Strategy<Value = Transaction> {
    let ends = (any::<[u8; 8]>(), any::<[u8; 32]>(), any::<[u8; 32]>());
    let numbers = (any::<u64>(), any::<u64>(), any::<u64>(), any::<Option<u64>>());
    let payload = prop::collection::vec(any::<u8>(), 0..50);
    (ends, numbers, payload, signature()).prop_map(|(ends, numbers, payload, signature)| {
        let (chain, sender, recipient) = ends;
        let (nonce, amount, fee, expiry) = numbers;
        Transaction {
            transfer: Transfer {
                chain: ChainId(chain),
                sender: PublicKey(sender),
                nonce,
                recipient: Address(recipient),
                amount,
                fee,
                expiry,
                payload,
            },
            signature,
        }
    })
}

/// Any header at all; most are invalid.
pub(crate) fn any_header() -> impl Strategy<Value = Header> {
    let names = (any::<[u8; 8]>(), any::<[u8; 32]>(), any::<[u8; 32]>(), any::<[u8; 32]>());
    let numbers = (any::<u64>(), any::<u64>(), any::<u32>());
    (names, numbers, signature()).prop_map(|(names, numbers, signature)| {
        let (chain, parent, tx_root, proposer) = names;
        let (height, slot, tx_count) = numbers;
        Header {
            fields: HeaderFields {
                chain: ChainId(chain),
                height,
                slot,
                parent: BlockId(parent),
                tx_root,
                tx_count,
                proposer: PublicKey(proposer),
            },
            signature,
        }
    })
}

/// Any block at all; most are invalid.
pub(crate) fn any_block() -> impl Strategy<Value = Block> {
    (any_header(), prop::collection::vec(any_transaction(), 0..5))
        .prop_map(|(header, transactions)| Block { header, transactions })
}
