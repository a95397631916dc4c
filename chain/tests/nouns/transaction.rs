//! The stages of a transaction.

use hearsay_chain::codec::encode;
use hearsay_chain::ids::ChainId;
use hearsay_chain::transaction::{Transfer, TxError, UnverifiedTx, VerifiedTx};

use crate::common::{genesis, key, signed};

fn form(change: impl FnOnce(&mut Transfer)) -> Result<(), TxError> {
    UnverifiedTx::from(signed(0, change)).check_form(genesis().chain(), 100)
}

#[test]
fn a_transaction_in_good_form_passes() {
    assert_eq!(form(|_| {}), Ok(()));
    assert_eq!(form(|t| t.payload = vec![0; 100]), Ok(()));
    assert_eq!(form(|t| (t.amount, t.fee) = (u64::MAX, 0)), Ok(()));
    assert_eq!(form(|t| (t.amount, t.fee) = (0, 0)), Ok(()));
}

#[test]
fn a_transaction_of_another_chain_is_refused_with_both_names() {
    let other = ChainId([9; 8]);
    let expected = TxError::WrongChain { found: other, expected: genesis().chain() };
    assert_eq!(form(|t| t.chain = other), Err(expected));
}

#[test]
fn a_payload_over_the_networks_limit_is_refused() {
    let expected = TxError::PayloadTooLarge { found: 101, limit: 100 };
    assert_eq!(form(|t| t.payload = vec![0; 101]), Err(expected));
}

#[test]
fn a_sum_that_nobody_can_pay_is_refused() {
    assert_eq!(form(|t| (t.amount, t.fee) = (u64::MAX, 1)), Err(TxError::Overflow));
    assert_eq!(form(|t| (t.amount, t.fee) = (1, u64::MAX)), Err(TxError::Overflow));
}

#[test]
fn the_signature_of_the_sender_holds_and_no_other() {
    let good = signed(0, |_| {});
    let verified = VerifiedTx::verify(good.clone().into()).unwrap();
    assert_eq!(verified.sender(), key(1).address());
    assert_eq!(verified.cost(), 13);
    assert_eq!(verified.encode(), encode(&good));
    assert_eq!(verified.id(), UnverifiedTx::from(good.clone()).id());
    let by_another = good.transfer.sign(&key(2));
    assert_eq!(VerifiedTx::verify(by_another.into()), Err(TxError::BadSignature));
}

#[test]
fn whatever_field_is_changed_after_signing_the_signature_no_longer_holds() {
    let changes: [fn(&mut Transfer); 8] = [
        |t| t.chain = ChainId([1; 8]),
        |t| t.sender = key(2).public(),
        |t| t.nonce += 1,
        |t| t.recipient = key(3).address(),
        |t| t.amount += 1,
        |t| t.fee += 1,
        |t| t.expiry = Some(1),
        |t| t.payload.push(0),
    ];
    for change in changes {
        let mut tx = signed(0, |_| {});
        let id = UnverifiedTx::from(tx.clone()).id();
        change(&mut tx.transfer);
        assert_ne!(UnverifiedTx::from(tx.clone()).id(), id);
        assert_eq!(VerifiedTx::verify(tx.into()), Err(TxError::BadSignature));
    }
}

#[test]
fn the_id_covers_the_signature() {
    let tx = signed(0, |_| {});
    let mut other = tx.clone();
    other.signature.0[0] ^= 1;
    assert_ne!(UnverifiedTx::from(tx).id(), UnverifiedTx::from(other).id());
}

#[test]
fn a_batch_answers_for_each_transaction_in_order() {
    let batch: Vec<UnverifiedTx> = (0..9)
        .map(|nonce| {
            let mut tx = signed(nonce, |_| {});
            if nonce % 3 == 1 {
                tx.signature.0[20] ^= 1;
            }
            tx.into()
        })
        .collect();
    let answers = VerifiedTx::verify_all(batch.clone());
    assert_eq!(answers.len(), 9);
    for (nonce, (answer, tx)) in answers.into_iter().zip(batch).enumerate() {
        match nonce % 3 {
            1 => assert_eq!(answer, Err(TxError::BadSignature)),
            _ => assert_eq!(answer.unwrap().id(), tx.id()),
        }
    }
    assert_eq!(VerifiedTx::verify_all(Vec::new()), Vec::new());
}
