//! What an engine says to transactions that its pool does not take: whatever the reason, nobody who
//! passes one on is to blame. And what it says before anything is handed in.

use hearsay_chain::{Judged, UnverifiedTx, Verdict, codec};
use hearsay_mempool::{Config, Refusal};
use hearsay_network::wire::Request;

use super::desk::{Desk, peer, penalises, publishes, signed, verdict};
use crate::api::{Answer, Query, TestResult, TestVerdict, TxStatus};
use crate::engine::{Effect, Input, Token};

/// A small pool in a state in which a transaction is refused for a reason.
struct Case {
    desk: Desk,
    tx: UnverifiedTx,
    reason: &'static str,
    least_fee: Option<u64>,
}

fn small() -> Desk {
    Desk::with(Config {
        max_count: 6,
        max_ready_per_sender: 8,
        max_queued_per_sender: 2,
        min_fee_per_kb: 10,
        local_percent: 0,
        ..Config::default()
    })
}

fn from_elsewhere(desk: &mut Desk, tx: &UnverifiedTx) {
    assert_eq!(verdict(&desk.gossip(peer(3), tx)), (Verdict::Accept, None));
}

/// The situation in which this refusal is the answer. A new refusal must be added here.
fn case(refusal: &Refusal) -> Option<Case> {
    let mut desk = small();
    let least = Some(2);
    let (tx, least_fee) = match refusal {
        Refusal::Known => {
            let tx = desk.tx(0, 0, 20);
            from_elsewhere(&mut desk, &tx);
            (tx, least)
        }
        Refusal::NonceUsed { .. } => {
            let block = [desk.tx(0, 0, 20)];
            desk.block(&block);
            (desk.tx(0, 0, 21), least)
        }
        Refusal::Expired { .. } => (signed(expired(&desk), 0), least),
        // Only what comes back after a restart can be too old.
        Refusal::TooOld => return None,
        Refusal::NonceTooFar { .. } => (desk.tx(0, 8, 20), least),
        Refusal::TooManyQueued { .. } => {
            for nonce in [2, 3] {
                let tx = desk.tx(0, nonce, 20);
                from_elsewhere(&mut desk, &tx);
            }
            (desk.tx(0, 5, 20), least)
        }
        Refusal::FeeTooLow { .. } => (desk.tx(0, 0, 1), least),
        Refusal::Underpriced { .. } => {
            let tx = desk.tx(0, 0, 20);
            from_elsewhere(&mut desk, &tx);
            (desk.tx(0, 0, 21), Some(22))
        }
        Refusal::CannotPay { .. } => {
            let mut transfer = desk.transfer(0, 0, 20);
            transfer.amount = 1 << 40;
            (signed(transfer, 0), least)
        }
        Refusal::Full { .. } => {
            for nonce in 0..6 {
                let tx = desk.tx(0, nonce, 20);
                from_elsewhere(&mut desk, &tx);
            }
            (desk.tx(1, 0, 20), None)
        }
    };
    Some(Case { desk, tx, reason: refusal.reason(), least_fee })
}

fn expired(desk: &Desk) -> hearsay_chain::transaction::Transfer {
    hearsay_chain::transaction::Transfer { expiry: Some(0), ..desk.transfer(0, 0, 20) }
}

fn all() -> [Refusal; 10] {
    [
        Refusal::Known,
        Refusal::NonceUsed { found: 0, next: 1 },
        Refusal::Expired { expiry: 0 },
        Refusal::TooOld,
        Refusal::NonceTooFar { found: 8, next: 0, limit: 8 },
        Refusal::TooManyQueued { next: 0, limit: 2 },
        Refusal::FeeTooLow { fee: 1, least: 2 },
        Refusal::Underpriced { fee: 21, least: 22 },
        Refusal::CannotPay { cost: 1, balance: 0 },
        Refusal::Full { fee: 20, size: 181 },
    ]
}

fn test(desk: &mut Desk, tx: &UnverifiedTx) -> TestResult {
    match desk.ask(Query::Test(tx.clone())) {
        Answer::Test(result) => result,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_known_stale_early_cheap_or_too_much_counts_against_whoever_passes_it_on() {
    for refusal in all() {
        assert_eq!(refusal.verdict(), Verdict::Ignore, "{refusal}");
        let Some(Case { mut desk, tx, reason, .. }) = case(&refusal) else { continue };
        desk.give(Input::Joined(peer(1)));
        let gossiped = desk.gossip(peer(1), &tx);
        assert_eq!(verdict(&gossiped), (Verdict::Ignore, Some(reason)));
        let offer = Request::OfferTransactions(vec![codec::encode(tx.transaction())]);
        let (_, offered) = desk.request(peer(1), offer);
        for effects in [gossiped, offered] {
            assert!(!penalises(&effects), "{reason}: {effects:?}");
            assert_eq!(publishes(&effects), 0, "{reason}");
        }
        // The user who hands it in is told the same word, and that it may be taken another time.
        if reason != "known" {
            let refused = desk.submit(tx).unwrap_err();
            assert_eq!((refused.reason.as_str(), refused.invalid), (reason, false));
        }
    }
}

#[test]
fn a_test_tells_what_handing_in_would_come_to_and_changes_nothing() {
    for refusal in all() {
        let Some(Case { mut desk, tx, reason, least_fee }) = case(&refusal) else { continue };
        let before = format!("{:?}", desk.engine.pool());
        let result = test(&mut desk, &tx);
        assert!(!result.accepted && !result.ready, "{result:?}");
        assert_eq!(result.reason.as_deref(), Some(reason));
        assert_eq!(result.verdict, TestVerdict::Ignore);
        assert_eq!(result.least_fee, least_fee, "{reason}");
        assert!(!result.message.unwrap().is_empty());
        assert_eq!(format!("{:?}", desk.engine.pool()), before, "{reason}");
    }
}

#[test]
fn a_test_of_one_that_would_be_taken_says_whom_it_replaces_or_pushes_out_and_takes_nothing() {
    let mut desk = small();
    let first = desk.tx(0, 0, 20);
    from_elsewhere(&mut desk, &first);
    let dearer = desk.tx(0, 0, 40);
    let result = test(&mut desk, &dearer);
    assert!(result.accepted && result.ready);
    assert_eq!(result.verdict, TestVerdict::Accept);
    assert_eq!(result.replaces, Some(first.id()));
    assert_eq!((result.reason, result.message), (None, None));
    let early = test_of(&mut desk, 1, 3, 20);
    assert!(early.accepted && !early.ready);
    for nonce in 1..6 {
        let tx = desk.tx(0, nonce, 20);
        from_elsewhere(&mut desk, &tx);
    }
    let result = test_of(&mut desk, 1, 0, 90);
    assert_eq!(result.evicts.len(), 1);
    assert!(desk.engine.pool().contains(&result.evicts[0]));
    assert_eq!(desk.engine.pool().len(), 6);
    let untaken = desk.tx(1, 0, 90).id();
    assert_eq!(desk.status(untaken), TxStatus::Unknown);
}

fn test_of(desk: &mut Desk, from: u8, nonce: u64, fee: u64) -> TestResult {
    let tx = desk.tx(from, nonce, fee);
    test(desk, &tx)
}

#[test]
fn a_test_of_one_that_gossip_would_not_take_yet_says_so_and_what_it_asks_for() {
    let mut desk = small();
    for nonce in 0..6 {
        let tx = desk.tx(0, nonce, 20);
        from_elsewhere(&mut desk, &tx);
    }
    let dearer = desk.tx(1, 0, 90);
    from_elsewhere(&mut desk, &dearer);
    // There is room again, and the floor is what was pushed out and more.
    desk.block(&[dearer]);
    let result = test_of(&mut desk, 2, 0, 5);
    assert_eq!((result.accepted, result.verdict), (true, TestVerdict::Ignore));
    let least = result.least_fee.unwrap();
    assert!(least > 20, "{least}");
    assert_eq!(test_of(&mut desk, 2, 0, least).verdict, TestVerdict::Accept);
}

#[test]
fn a_test_of_one_that_is_never_valid_says_so() {
    let mut desk = small();
    let mut elsewhere = desk.transfer(0, 0, 20);
    elsewhere.chain.0[0] ^= 1;
    let stolen = signed(desk.transfer(0, 0, 20), 1);
    for (tx, reason) in [(signed(elsewhere, 0), "wrong-chain"), (stolen, "bad-signature")] {
        let result = test(&mut desk, &tx);
        assert_eq!((result.accepted, result.verdict), (false, TestVerdict::Reject));
        assert_eq!(result.reason.as_deref(), Some(reason));
    }
}

#[test]
fn a_test_neither_publishes_nor_joins_a_submission_that_is_being_checked() {
    let mut desk = small();
    let tx = desk.tx(0, 0, 20);
    let now = desk.time();
    let mut effects = Vec::new();
    let ask = Input::Ask { token: Token(1), query: Query::Test(tx.clone()) };
    desk.engine.handle(now, ask, &mut effects).unwrap();
    let submit = Input::Submit { token: Token(2), tx, via: None };
    desk.engine.handle(now, submit, &mut effects).unwrap();
    let mut after = Vec::new();
    for effect in effects {
        let Effect::Check { job, work } = effect else { panic!("{effect:?}") };
        let input = Input::Checked { job, done: work.run() };
        desk.engine.handle(now, input, &mut after).unwrap();
    }
    let tested = after.iter().position(|effect| matches!(effect, Effect::Answer { .. })).unwrap();
    let Effect::Answer { answer: Answer::Test(result), .. } = &after[tested] else { panic!() };
    assert!(result.accepted);
    assert_eq!(publishes(&after[..=tested]), 0);
    assert_eq!(publishes(&after), 1, "the submission is published");
}
