//! Blocks of which a pool has all, some, or the wrong ones.

use hearsay_chain::block::{Header, HeaderFields};
use hearsay_chain::hash::merkle_root;
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{Address, BlockId, ChainId, Keypair, VerifiedBlock, VerifiedTx};
use proptest::prelude::*;

use super::{CompactBlock, Rebuild};

fn key() -> Keypair {
    Keypair::from_seed(&[7; 32])
}

fn tx(nonce: u64) -> VerifiedTx {
    let transfer = Transfer {
        chain: ChainId([1; 8]),
        sender: key().public(),
        nonce,
        recipient: Address([2; 32]),
        amount: 1,
        fee: 1,
        expiry: None,
        payload: vec![3; 8],
    };
    VerifiedTx::verify(transfer.sign(&key()).into()).unwrap()
}

fn block(count: u64) -> VerifiedBlock {
    let transactions: Vec<VerifiedTx> = (0..count).map(tx).collect();
    let fields = HeaderFields {
        chain: ChainId([1; 8]),
        height: 1,
        slot: 1,
        parent: BlockId([0; 32]),
        tx_root: merkle_root(transactions.iter().map(|tx| tx.id().0)),
        tx_count: u32::try_from(count).unwrap(),
        proposer: key().public(),
    };
    let header: Header = fields.sign(&key());
    VerifiedBlock::from_own_store(header, transactions)
}

#[test]
fn a_full_pool_rebuilds_the_block_byte_for_byte() {
    let block = block(40);
    let compact = CompactBlock::of(&block, 9, |_| false);
    assert!(compact.encode().len() < 188 + 16 + 41 * 6);
    let decoded = CompactBlock::decode(&compact.encode()).unwrap();
    assert_eq!(decoded, compact);
    let rebuild = Rebuild::new(decoded, block.transactions()).unwrap();
    assert_eq!((rebuild.missing(), rebuild.from_pool()), (None, 40));
    let rebuilt = rebuild.block().unwrap();
    assert_eq!((rebuilt.id(), rebuilt.size()), (block.id(), block.size()));
    assert!(rebuilt.transactions().iter().zip(block.transactions()).all(|(a, b)| a.id() == b.id()));
}

#[test]
fn an_empty_block_is_whole_at_once() {
    let compact = CompactBlock::of(&block(0), 9, |_| false);
    let rebuild = Rebuild::new(CompactBlock::decode(&compact.encode()).unwrap(), []).unwrap();
    assert_eq!(rebuild.block().unwrap().id(), block(0).id());
}

#[test]
fn what_a_wrong_name_brought_in_is_asked_for_and_nothing_else_is_lost() {
    let block = block(5);
    let mut compact = CompactBlock::of(&block, 9, |id| *id == block.transactions()[2].id());
    // The proposer names something else that is in the pool.
    compact.names[0] = compact.key().of(&tx(99).id());
    let pool = [block.transactions(), &[tx(99)]].concat();
    let mut rebuild = Rebuild::new(compact, &pool).unwrap();
    assert_ne!(rebuild.block().unwrap().transactions()[0].id(), block.transactions()[0].id());
    assert!(rebuild.doubt_names());
    assert_eq!(rebuild.missing().unwrap().places, [0, 1, 3, 4]);
    for at in [0, 1, 3, 4] {
        rebuild.give(at, block.transactions()[at as usize].to_unverified());
    }
    assert_eq!(rebuild.block().unwrap().transactions()[0].id(), block.transactions()[0].id());
    assert!(!rebuild.doubt_names(), "nothing is left that came by name");
}

#[test]
fn places_that_do_not_add_up_are_refused() {
    let good = CompactBlock::of(&block(4), 9, |id| *id != tx(3).id());
    assert!(CompactBlock::decode(&good.encode()).is_ok());
    let spoil = |spoil: &dyn Fn(&mut CompactBlock)| {
        let mut bad = good.clone();
        spoil(&mut bad);
        CompactBlock::decode(&bad.encode())
    };
    assert!(spoil(&|it| it.carried[2].place = 4).is_err(), "beyond the end");
    assert!(spoil(&|it| it.carried.swap(0, 1)).is_err(), "out of order");
    assert!(spoil(&|it| it.carried[1].place = 0).is_err(), "twice");
    assert!(
        spoil(&|it| {
            it.names.pop();
        })
        .is_err(),
        "one too few"
    );
    assert!(spoil(&|it| it.carried[0].bytes.push(0)).is_err(), "not a transaction");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
    #[test]
    fn what_a_pool_lacks_is_missing_and_what_is_given_completes_it(
        count in 0..24_u64,
        carried in any::<u32>(),
        pooled in any::<u32>(),
        salt in any::<u64>(),
    ) {
        let block = block(count);
        let place = |id| block.transactions().iter().position(|tx| tx.id() == id).unwrap();
        let compact = CompactBlock::of(&block, salt, |id| carried >> place(*id) & 1 == 1);
        let pool: Vec<VerifiedTx> = block
            .transactions()
            .iter()
            .filter(|tx| pooled >> place(tx.id()) & 1 == 1)
            .cloned()
            .collect();
        let mut rebuild =
            Rebuild::new(CompactBlock::decode(&compact.encode()).unwrap(), &pool).unwrap();
        let lacks: Vec<u32> =
            (0..count as u32).filter(|at| (carried | pooled) >> at & 1 == 0).collect();
        prop_assert_eq!(rebuild.missing().map_or(Vec::new(), |it| it.places), lacks.clone());
        prop_assert_eq!(rebuild.block().is_some(), lacks.is_empty());
        for at in lacks {
            rebuild.give(at, block.transactions()[at as usize].to_unverified());
        }
        let rebuilt = rebuild.block().unwrap();
        prop_assert!(rebuilt.transactions().iter().zip(block.transactions()).all(|(a, b)| a.id() == b.id()));
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(compact) = CompactBlock::decode(&bytes) {
            prop_assert_eq!(compact.encode(), bytes);
        }
    }
}
