//! The order in which transactions come in leaves no trace, while there is room.

use hearsay_chain::VerifiedTx;
use hearsay_chain::transaction::Transfer;
use proptest::prelude::*;

use super::world::{START, ids, pool_of, rich, signed, transfer};
use crate::{Origin, Pool, SenderView};

fn of(transactions: &[VerifiedTx]) -> Pool {
    let mut pool = pool_of(1_000);
    for tx in transactions {
        pool.insert(tx.clone(), Origin::Remote, rich(0), START).unwrap();
    }
    pool.check_invariants();
    pool
}

fn senders(pool: &Pool) -> Vec<SenderView> {
    let mut senders: Vec<SenderView> = pool.senders().collect();
    senders.sort_by_key(|it| it.address);
    senders
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn equal_transactions_make_equal_pools_in_whatever_order_they_came(
        chosen in prop::collection::btree_map((0..6u8, 0..8u64), (0..4u64, 0..3usize), 1..40),
        places in prop::collection::vec(any::<prop::sample::Index>(), 40),
    ) {
        // Fees that tie per byte among equal sizes, and gaps where a nonce was not chosen.
        let transactions: Vec<VerifiedTx> = chosen
            .iter()
            .map(|((sender, nonce), (fee, payload))| {
                let payload = vec![0; payload * 165];
                let fee = fee * (165 + payload.len() as u64);
                signed(Transfer { payload, ..transfer(*sender, *nonce, 5, fee) })
            })
            .collect();
        let mut shuffled = Vec::new();
        for (tx, place) in transactions.iter().zip(&places) {
            shuffled.insert(place.index(shuffled.len() + 1), tx.clone());
        }
        let (one, other) = (of(&transactions), of(&shuffled));
        prop_assert_eq!(one.totals(), other.totals());
        prop_assert_eq!(ids(&one), ids(&other));
        prop_assert_eq!(senders(&one), senders(&other));
        prop_assert!(one.best().eq(other.best()));
        prop_assert_eq!(one.template(2_000, 9), other.template(2_000, 9));
        prop_assert_eq!(one.rate_at(1_000, 5), other.rate_at(1_000, 5));
        prop_assert_eq!(one.fee_bands(), other.fee_bands());
    }
}
