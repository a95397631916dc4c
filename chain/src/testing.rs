//! What tests of whole chains share: keys, payments, blocks, and a chain that went through a lot.

use crate::block::VerifiedBlock;
use crate::chain::{Chain, Import};
use crate::genesis::{Genesis, Limits, Rules, Schedule};
use crate::ids::{BlockId, ChainId};
use crate::keys::Keypair;
use crate::store::MemoryStore;
use crate::transaction::{Transfer, UnverifiedTx, VerifiedTx};

/// Later than every slot used here.
pub(crate) const FAR_SLOT: u64 = 1_000_000;

pub(crate) fn authority(number: u8) -> Keypair {
    Keypair::from_seed(&[100 + number; 32])
}

pub(crate) fn user(number: u8) -> Keypair {
    Keypair::from_seed(&[number; 32])
}

/// Four users with 1,000 units each.
pub(crate) fn genesis(authorities: u8) -> Genesis {
    Genesis {
        name: "test".to_owned(),
        time_ms: 0,
        slot_ms: 1_000,
        schedule: Schedule::RoundRobin,
        authorities: (0..authorities).map(|number| authority(number).public()).collect(),
        limits: Limits::default(),
        allocations: (0..4).map(|number| (user(number).address(), 1_000)).collect(),
    }
}

pub(crate) fn empty(authorities: u8) -> Chain<MemoryStore> {
    let genesis = genesis(authorities);
    Chain::open(MemoryStore::new(genesis.id()), genesis).unwrap()
}

pub(crate) fn pay(chain: ChainId, from: u8, nonce: u64, amount: u64) -> VerifiedTx {
    let transfer = Transfer {
        chain,
        sender: user(from).public(),
        nonce,
        recipient: user((from + 1) % 4).address(),
        amount,
        fee: 1,
        expiry: None,
        payload: vec![from; 5],
    };
    VerifiedTx::verify(UnverifiedTx::from(transfer.sign(&user(from)))).unwrap()
}

/// What a block stands on: id, height and slot.
pub(crate) type On = (BlockId, u64, u64);

pub(crate) fn root(genesis: &Genesis) -> On {
    (genesis.block().id(), 0, 0)
}

pub(crate) fn on(block: &VerifiedBlock) -> On {
    (block.id(), block.height(), block.header().fields.slot)
}

/// A block in the first slot of an authority after its parent's, with two payments that fit any
/// branch of such blocks; `amount` tells blocks apart.
pub(crate) fn block(genesis: &Genesis, parent: On, by: u8, amount: u64) -> VerifiedBlock {
    let key = authority(by);
    let rules = Rules::new(genesis.clone());
    let slot = (parent.2 + 1..).find(|slot| rules.may_propose(*slot, &key.public())).unwrap();
    let transactions = (0..2).map(|from| pay(genesis.chain(), from, parent.1, amount)).collect();
    VerifiedBlock::propose(genesis.chain(), (parent.0, parent.1), slot, transactions, &key)
}

/// Blocks of these authorities on top of each other.
pub(crate) fn run(genesis: &Genesis, parent: On, by: &[u8], amount: u64) -> Vec<VerifiedBlock> {
    let mut parent = parent;
    by.iter()
        .map(|by| {
            let block = block(genesis, parent, *by, amount);
            parent = on(&block);
            block
        })
        .collect()
}

pub(crate) fn take(chain: &mut Chain<MemoryStore>, blocks: &[VerifiedBlock]) {
    for block in blocks {
        let import = chain.import(block.clone(), FAR_SLOT).unwrap();
        assert!(matches!(import, Import::Tip(_) | Import::Side), "{import:?}");
    }
}

/// A chain of height 11, final up to 7, with a reorg, side branches and an equivocation behind it.
/// `keep` is how many bodies it keeps.
pub(crate) fn lived(keep: Option<u64>) -> Chain<MemoryStore> {
    let mut chain = empty(4);
    chain.keep_bodies(keep);
    let genesis = chain.genesis().clone();
    let trunk = run(&genesis, root(&genesis), &[0, 1, 2, 3, 0, 1, 2, 3], 1);
    take(&mut chain, &trunk);
    take(&mut chain, &run(&genesis, on(&trunk[7]), &[0, 1], 2));
    let main = run(&genesis, on(&trunk[7]), &[1, 0, 1], 3);
    take(&mut chain, &main);
    take(&mut chain, &[block(&genesis, on(&main[0]), 2, 4)]);
    take(&mut chain, &[block(&genesis, on(&main[1]), 1, 5)]);
    assert_eq!((chain.ends().height, chain.ends().final_height), (11, 7));
    chain
}
