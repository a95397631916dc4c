//! Blocks of which a pool has all, some, or the wrong ones.

use hearsay_chain::block::{Header, HeaderFields};
use hearsay_chain::genesis::{Genesis, Limits, Schedule};
use hearsay_chain::hash::merkle_root;
use hearsay_chain::transaction::Transfer;
use hearsay_chain::{
    Address, BlockError, BlockId, ChainId, Keypair, Rules, TxId, UnverifiedTx, VerifiedBlock,
    VerifiedTx,
};
use proptest::prelude::*;

use super::{CompactBlock, Gift, Rebuild};

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

/// Those of a network whose one authority is the proposer; its chain is `rules().chain()`.
fn rules() -> Rules {
    Rules::new(Genesis {
        name: "compact".to_owned(),
        time_ms: 0,
        slot_ms: 1_000,
        schedule: Schedule::RoundRobin,
        authorities: vec![key().public()],
        limits: Limits::default(),
        allocations: [(key().address(), 1_000)].into(),
    })
}

fn block(count: u64) -> VerifiedBlock {
    let transactions: Vec<VerifiedTx> = (0..count).map(tx).collect();
    let fields = HeaderFields {
        chain: rules().chain(),
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

const LIMIT: usize = 1 << 20;

fn compact(block: &VerifiedBlock, salt: u64, lacking: impl Fn(&TxId) -> bool) -> CompactBlock {
    CompactBlock::of(block, salt, lacking, &key())
}

/// As it comes over the wire, with all that this pool has.
fn rebuild(compact: &CompactBlock, pool: &[VerifiedTx]) -> Rebuild {
    let mut rebuild =
        Rebuild::new(CompactBlock::decode(&compact.encode(), LIMIT).unwrap()).unwrap();
    rebuild.look_in(pool);
    rebuild
}

fn same(rebuild: &Rebuild, block: &VerifiedBlock) -> bool {
    let rebuilt = rebuild.block().unwrap();
    let ids = |(a, b): (&UnverifiedTx, &VerifiedTx)| a.id() == b.id();
    (rebuilt.id(), rebuilt.size()) == (block.id(), block.size())
        && rebuilt.transactions().iter().zip(block.transactions()).all(ids)
        && rebuild.root_holds()
}

#[test]
fn a_full_pool_rebuilds_the_block_byte_for_byte() {
    let block = block(40);
    let compact = compact(&block, 9, |_| false);
    assert!(compact.encode().len() < 188 + 16 + 64 + 41 * 6);
    let rebuild = rebuild(&compact, block.transactions());
    assert_eq!((rebuild.missing(), rebuild.from_pool()), (vec![], 40));
    assert!(same(&rebuild, &block));
}

#[test]
fn an_empty_block_is_whole_at_once() {
    assert!(same(&rebuild(&compact(&block(0), 9, |_| false), &[]), &block(0)));
}

#[test]
fn no_more_of_a_pool_is_looked_at_than_it_takes() {
    let block = block(10);
    let mut rebuild = Rebuild::new(compact(&block, 9, |_| false)).unwrap();
    let mut looked = 0;
    let others: Vec<VerifiedTx> = (100..120).map(tx).collect();
    rebuild.look_in(block.transactions().iter().chain(&others).inspect(|_| looked += 1));
    assert!(same(&rebuild, &block));
    assert_eq!(looked, 10);
}

#[test]
fn what_a_wrong_name_brought_in_is_asked_for_and_nothing_else_is_lost() {
    let block = block(5);
    let mut compact = compact(&block, 9, |id| *id == block.transactions()[2].id());
    // As if another one of the pool had the name of the first.
    compact.names[0] = compact.key().of(&tx(99).id());
    let pool = [block.transactions(), &[tx(99)]].concat();
    let mut rebuild = rebuild(&compact, &pool);
    assert!(rebuild.missing().is_empty() && !rebuild.root_holds());
    assert!(!rebuild.names_hold(block.transactions().iter().map(VerifiedTx::id)));
    assert!(rebuild.doubt_names());
    assert_eq!(rebuild.missing(), [0, 1, 3, 4]);
    let right = |at: usize| block.transactions()[at].to_unverified();
    assert_eq!(rebuild.give(0, right(0)), Gift::Misnamed);
    assert_eq!(rebuild.give(2, right(2)), Gift::Unwanted, "it was carried");
    assert_eq!(rebuild.give(9, right(2)), Gift::Unwanted, "there is no such place");
    for at in [1, 3, 4] {
        assert_eq!(rebuild.give(at, right(at as usize)), Gift::Taken);
        assert_eq!(rebuild.at(at), Some(&right(at as usize)));
    }
    assert_eq!((rebuild.missing(), rebuild.from_pool(), rebuild.carried()), (vec![0], 0, 1));
    assert!(!rebuild.doubt_names(), "nothing is left that came from the pool");
}

#[test]
fn a_name_that_stands_twice_shows_by_the_root() {
    let block = block(3);
    let mut compact = compact(&block, 9, |_| false);
    // One transaction then fills two places.
    compact.names[1] = compact.names[0];
    let mut rebuild = rebuild(&compact, block.transactions());
    assert!(!rebuild.root_holds());
    assert!(rebuild.doubt_names());
    assert_eq!(rebuild.missing(), [0, 1, 2]);
}

#[test]
fn whoever_changes_names_or_what_is_carried_breaks_the_signature() {
    let rules = rules();
    let good = compact(&block(4), 9, |id| *id == tx(1).id());
    assert_eq!(good.verify(&rules).unwrap().id(), block(4).id());
    let spoil = |spoil: &dyn Fn(&mut CompactBlock)| {
        let mut bad = good.clone();
        spoil(&mut bad);
        bad.verify(&rules)
    };
    let broken = Err(BlockError::BadSignature);
    assert_eq!(spoil(&|it| it.names[0].0[0] ^= 1), broken);
    assert_eq!(spoil(&|it| it.salt ^= 1), broken);
    assert_eq!(spoil(&|it| it.carried[0].bytes = tx(9).encode()), broken);
    assert_eq!(spoil(&|it| it.carried[0].place = 0), broken);
    assert_eq!(spoil(&|it| it.header.signature.0[0] ^= 1), broken);
    let other = good.clone().sign(&Keypair::from_seed(&[8; 32]));
    assert_eq!(other.verify(&rules), broken, "another authority's");
}

#[test]
fn places_that_do_not_add_up_are_refused() {
    let good = compact(&block(4), 9, |id| *id != tx(3).id());
    assert!(CompactBlock::decode(&good.encode(), LIMIT).is_ok());
    assert!(CompactBlock::decode(&good.encode(), good.least_block_bytes() - 1).is_err());
    let spoil = |spoil: &dyn Fn(&mut CompactBlock)| {
        let mut bad = good.clone();
        spoil(&mut bad);
        CompactBlock::decode(&bad.encode(), LIMIT)
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
        let compact = compact(&block, salt, |id| carried >> place(*id) & 1 == 1);
        let pool: Vec<VerifiedTx> = block
            .transactions()
            .iter()
            .filter(|tx| pooled >> place(tx.id()) & 1 == 1)
            .cloned()
            .collect();
        let mut rebuild = rebuild(&compact, &pool);
        let lacks: Vec<u32> =
            (0..count as u32).filter(|at| (carried | pooled) >> at & 1 == 0).collect();
        prop_assert_eq!(rebuild.missing(), lacks.clone());
        prop_assert_eq!(rebuild.block().is_some(), lacks.is_empty());
        for at in lacks {
            let given = rebuild.give(at, block.transactions()[at as usize].to_unverified());
            prop_assert_eq!(given, Gift::Taken);
        }
        prop_assert!(same(&rebuild, &block));
        prop_assert!(rebuild.names_hold(block.transactions().iter().map(VerifiedTx::id)));
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(compact) = CompactBlock::decode(&bytes, LIMIT) {
            prop_assert_eq!(compact.encode(), bytes);
        }
    }
}
