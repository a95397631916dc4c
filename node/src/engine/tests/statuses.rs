//! Each state that a transaction can be in, and lists and figures of the pool.

use hearsay_chain::UnverifiedTx;
use hearsay_chain::transaction::Transfer;
use hearsay_mempool::Config;
use hearsay_network::wire::{Response, pack};

use super::desk::{Desk, asked, peer, signed};
use super::sim::{SECOND, Sim, sender};
use crate::api::{
    Answer, DropReason, FeeEstimate, Gap, MempoolStatus, PoolFees, PoolSender, PoolState, PooledTx,
    Query, SenderFilter, SenderOrder, TxFilter, TxOrder, TxStatus,
};
use crate::engine::{Input, Token};

fn dropped(reason: DropReason, by: Option<&UnverifiedTx>) -> TxStatus {
    TxStatus::Dropped { reason, by: by.map(UnverifiedTx::id) }
}

#[test]
fn what_was_handed_in_here_is_unbroadcast_until_a_peer_has_it() {
    let mut desk = Desk::new();
    let (ready, early) = (desk.tx(0, 0, 5), desk.tx(1, 2, 5));
    for tx in [&ready, &early] {
        assert_eq!(desk.status(tx.id()), TxStatus::Unknown);
        desk.submit(tx.clone()).unwrap();
    }
    assert_eq!(desk.status(ready.id()), TxStatus::Unbroadcast { waiting_for: None });
    assert_eq!(desk.status(early.id()), TxStatus::Unbroadcast { waiting_for: Some(0) });
    assert_eq!(mempool(&mut desk).unbroadcast, 2);
    desk.give(Input::Joined(peer(1)));
    let (from, id, _) = asked(&desk.pass(SECOND)).pop().unwrap();
    let result = Ok(Response::HaveTransactions(pack(&[true, true])));
    desk.give(Input::Response { from, id, result });
    assert_eq!(desk.status(ready.id()), TxStatus::Ready);
    assert_eq!(desk.status(early.id()), TxStatus::Queued { waiting_for: 0 });
    assert_eq!(mempool(&mut desk).unbroadcast, 0);
}

#[test]
fn what_a_peer_sent_is_ready_queued_or_unfunded() {
    let mut desk = Desk::new();
    let pays =
        |desk: &Desk, nonce, amount| signed(Transfer { amount, ..desk.transfer(0, nonce, 5) }, 0);
    let [first, second, late] =
        [(0, 400_000), (1, 500_000), (3, 1)].map(|(nonce, amount)| pays(&desk, nonce, amount));
    for tx in [&first, &second, &late] {
        desk.gossip(peer(1), tx);
    }
    assert_eq!(desk.status(first.id()), TxStatus::Ready);
    assert_eq!(desk.status(second.id()), TxStatus::Ready);
    assert_eq!(desk.status(late.id()), TxStatus::Queued { waiting_for: 2 });
    // A block holds another first one, which leaves less than the second one costs.
    let other = pays(&desk, 0, 900_000);
    desk.block(&[other]);
    assert_eq!(desk.status(first.id()), dropped(DropReason::NonceUsed, None));
    assert_eq!(desk.status(second.id()), TxStatus::Unfunded { nonce: 1 });
}

#[test]
fn what_stands_in_a_block_is_included_and_later_final() {
    let mut sim = Sim::new(2, 1, 1);
    let tx = UnverifiedTx::from(sim.transfer(0, 0).sign(&sender(0)));
    let id = tx.id();
    sim.input(0, Input::Submit { token: Token(u64::MAX), tx, via: None });
    let mut words = Vec::new();
    for _ in 0..200 {
        sim.run_until(sim.now() + SECOND / 10);
        let word = match sim.status(0, id) {
            TxStatus::Unbroadcast { waiting_for: None } => "unbroadcast",
            TxStatus::Included { height, confirmations, .. } => {
                assert_eq!(height + confirmations, sim.ends(0).height);
                "included"
            }
            TxStatus::Final { height, .. } => {
                assert!(height <= sim.ends(0).final_height);
                "final"
            }
            other => panic!("{other:?}"),
        };
        if words.last() != Some(&word) {
            words.push(word);
        }
    }
    assert!(words == ["unbroadcast", "included", "final"] || words == ["unbroadcast", "final"]);
}

#[test]
fn what_left_without_a_block_is_dropped_with_the_reason() {
    let mut desk = Desk::with(Config { max_count: 2, local_percent: 0, ..Config::default() });
    // Replaced, and the replacement evicted.
    let (cheap, dear) = (desk.tx(0, 0, 5), desk.tx(0, 0, 10));
    desk.submit(cheap.clone()).unwrap();
    desk.submit(dear.clone()).unwrap();
    assert_eq!(desk.status(cheap.id()), dropped(DropReason::Replaced, Some(&dear)));
    let (dearer, dearest) = (desk.tx(1, 0, 50), desk.tx(2, 0, 60));
    desk.submit(dearer.clone()).unwrap();
    desk.submit(dearest.clone()).unwrap();
    assert_eq!(desk.status(dear.id()), dropped(DropReason::Evicted, Some(&dearest)));
    assert_eq!(desk.status(dearer.id()), TxStatus::Unbroadcast { waiting_for: None });
    // A block makes room for one that expires by height.
    desk.block(std::slice::from_ref(&dearer));
    let expiring = signed(Transfer { expiry: Some(2), ..desk.transfer(3, 0, 90) }, 3);
    desk.submit(expiring.clone()).unwrap();
    desk.block(&[]);
    assert_eq!(desk.status(expiring.id()), dropped(DropReason::Expired, None));
    // Nonce used by another.
    let other = desk.tx(2, 0, 1);
    desk.block(std::slice::from_ref(&other));
    assert_eq!(desk.status(dearest.id()), dropped(DropReason::NonceUsed, None));
    assert!(matches!(desk.status(other.id()), TxStatus::Included { height: 3, .. }));
    assert_eq!(desk.engine.pool().len(), 0);
    // Back again, and then too old.
    let minutes = 60 * SECOND;
    desk.pass(15 * minutes);
    desk.submit(dear.clone()).unwrap();
    assert_eq!(desk.status(dear.id()), TxStatus::Unbroadcast { waiting_for: None });
    desk.pass(181 * minutes);
    assert_eq!(desk.status(dear.id()), dropped(DropReason::TooOld, None));
    assert_eq!(mempool(&mut desk).unbroadcast, 0);
}

#[test]
fn a_refused_submission_is_not_remembered_as_dropped() {
    let mut desk = Desk::new();
    let tx = desk.tx(0, 0, 0);
    assert!(desk.submit(tx.clone()).is_err());
    assert_eq!(desk.status(tx.id()), TxStatus::Unknown);
}

fn mempool(desk: &mut Desk) -> MempoolStatus {
    match desk.ask(Query::Mempool) {
        Answer::Mempool(status) => status,
        other => panic!("{other:?}"),
    }
}

fn transactions(desk: &mut Desk, filter: TxFilter) -> Vec<PooledTx> {
    match desk.ask(Query::Transactions(Box::new(filter))) {
        Answer::Transactions(found) => found,
        other => panic!("{other:?}"),
    }
}

fn senders(desk: &mut Desk, filter: SenderFilter) -> Vec<PoolSender> {
    match desk.ask(Query::Senders(filter)) {
        Answer::Senders(found) => found,
        other => panic!("{other:?}"),
    }
}

fn estimate(desk: &mut Desk, bytes: u64, blocks: u32) -> FeeEstimate {
    match desk.ask(Query::Estimate { bytes, blocks }) {
        Answer::Estimate(estimate) => estimate,
        other => panic!("{other:?}"),
    }
}

/// Four senders: one ready run handed in here, one with gaps, one dear, one cheap and late.
fn filled() -> Desk {
    let mut desk = Desk::new();
    for nonce in 0..3 {
        let tx = desk.tx(0, nonce, 10 + nonce);
        desk.submit(tx).unwrap();
    }
    for nonce in [0, 2, 5, 6] {
        let tx = desk.tx(1, nonce, 20);
        desk.gossip(peer(1), &tx);
    }
    let dear = desk.tx(2, 0, 1_000);
    desk.gossip(peer(1), &dear);
    desk.pass(10 * SECOND);
    let cheap = desk.tx(3, 0, 1);
    desk.gossip(peer(1), &cheap);
    desk
}

#[test]
fn transactions_are_listed_by_filter_and_in_order() {
    let mut desk = filled();
    let all = transactions(&mut desk, TxFilter::default());
    assert_eq!(all.len(), 9);
    let fees: Vec<u64> = all.iter().map(|it| it.fee).collect();
    assert_eq!(fees, [1_000, 20, 20, 20, 20, 12, 11, 10, 1], "the highest fee first");
    let count = |desk: &mut Desk, filter| transactions(desk, filter).len();
    let state = |state| TxFilter { state: Some(state), ..TxFilter::default() };
    for (word, expected) in [
        (PoolState::Ready, 6),
        (PoolState::Queued, 3),
        (PoolState::Unfunded, 0),
        (PoolState::Unbroadcast, 3),
        (PoolState::Local, 3),
    ] {
        assert_eq!(count(&mut desk, state(word)), expected, "{word:?}");
    }
    let queued = &transactions(&mut desk, state(PoolState::Queued))[0];
    assert_eq!((queued.state, queued.waiting_for), (PoolState::Queued, Some(1)));
    let of = TxFilter {
        sender: Some(sender(1).address()),
        order: TxOrder::Nonce,
        limit: Some(3),
        ..TxFilter::default()
    };
    let nonces: Vec<u64> = transactions(&mut desk, of).iter().map(|it| it.nonce).collect();
    assert_eq!(nonces, [0, 2, 5]);
    let old = TxFilter { older_than_ms: Some(10_000), order: TxOrder::Age, ..TxFilter::default() };
    let old = transactions(&mut desk, old);
    assert_eq!(old.len(), 8, "all but the late one");
    assert!(old.iter().all(|it| it.age_ms >= 10_000));
    let least = TxFilter { min_fee_per_kb: Some(1_000), ..TxFilter::default() };
    assert_eq!(count(&mut desk, least), 1);
    assert_eq!(count(&mut desk, TxFilter { limit: Some(0), ..TxFilter::default() }), 0);
}

#[test]
fn senders_are_listed_with_their_gaps() {
    let mut desk = filled();
    let all = senders(&mut desk, SenderFilter::default());
    let counts: Vec<u64> = all.iter().map(|it| it.ready + it.queued).collect();
    assert_eq!(counts, [4, 3, 1, 1]);
    assert_eq!(all[0].gaps, [Gap { first: 1, last: 1 }, Gap { first: 3, last: 4 }]);
    assert_eq!((all[0].ready, all[0].queued, all[0].cost), (1, 3, 84));
    let with_gaps = SenderFilter { gaps: true, ..SenderFilter::default() };
    assert_eq!(senders(&mut desk, with_gaps), all[..1]);
    let oldest = SenderFilter { order: SenderOrder::Age, limit: Some(3), ..Default::default() };
    let late = sender(3).address();
    assert!(senders(&mut desk, oldest).iter().all(|it| it.address != late));
    let one = SenderFilter { address: Some(late), ..SenderFilter::default() };
    assert_eq!(senders(&mut desk, one).len(), 1);
}

#[test]
fn fees_are_counted_in_bands_and_estimated_from_what_waits() {
    let mut desk = filled();
    let Answer::Fees(PoolFees { floor_per_kb, bands }) = desk.ask(Query::Fees) else { panic!() };
    assert_eq!(floor_per_kb, 1);
    assert_eq!(bands.iter().map(|band| band.count).sum::<u64>(), 9);
    assert_eq!(bands.iter().map(|band| band.ready).sum::<u64>(), 6);
    // The next block has room for everything, so that the least will do.
    let FeeEstimate { least_fee, blocks, .. } = estimate(&mut desk, 2_000, 5);
    assert_eq!(least_fee, 2);
    let told: Vec<(u32, u64)> = blocks.iter().map(|it| (it.blocks, it.fee)).collect();
    assert_eq!(told, [(1, 2), (2, 2), (4, 2), (5, 2)]);
    for (asked, last) in [(0, 1), (1, 1), (100, 8)] {
        assert_eq!(estimate(&mut desk, 100, asked).blocks.last().unwrap().blocks, last);
    }
    assert_eq!(estimate(&mut desk, u64::MAX, 1).blocks.len(), 1, "any size is answered");
}

#[test]
fn an_estimate_rises_with_what_waits_and_falls_with_the_blocks() {
    let mut desk = Desk::new();
    // Three blocks' worth; the earlier senders pay more.
    for from in 0..3 {
        for nonce in 0..260 {
            let transfer = desk.transfer(from, nonce, 1_000 / (1 + u64::from(from)));
            let tx = signed(Transfer { payload: vec![0; 4_000], ..transfer }, from);
            desk.gossip(peer(1), &tx);
        }
    }
    assert_eq!(mempool(&mut desk).ready, 780);
    let fees: Vec<u64> = estimate(&mut desk, 1_000, 8).blocks.iter().map(|it| it.fee).collect();
    assert!(fees.is_sorted_by(|a, b| a >= b) && fees[0] > fees[3], "{fees:?}");
    assert!(fees[0] >= 200, "{fees:?}");
}
