//! What each error answers to the network: a table, so that a change of blame is a change here.

use std::collections::BTreeMap;

use hearsay_chain::block::BlockError;
use hearsay_chain::codec::DecodeError;
use hearsay_chain::ids::{ChainId, TxId};
use hearsay_chain::keys::PublicKey;
use hearsay_chain::ledger::Misfit;
use hearsay_chain::transaction::TxError;
use hearsay_chain::verdict::{Judged, Verdict};

use Verdict::{Ignore, Reject};

/// Asserts the verdict and the word of each error.
fn assert_table(table: &[(&dyn Judged, Verdict, &str)]) {
    let mut words = BTreeMap::new();
    for (error, verdict, word) in table {
        assert_eq!(error.verdict(), *verdict, "{word}");
        assert_eq!(error.reason(), *word);
        let well_formed = word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        assert!(well_formed && !word.is_empty(), "{word:?}");
        *words.entry(*word).or_insert(0) += 1;
    }
    assert!(words.values().all(|count| *count == 1), "a word stands for two errors: {words:?}");
}

fn too_large() -> DecodeError {
    DecodeError::TooLarge { found: 2, limit: 1 }
}

fn malformed() -> DecodeError {
    DecodeError::Malformed("cut short".to_owned())
}

#[test]
fn bytes_that_are_no_value_are_rejected() {
    assert_table(&[(&too_large(), Reject, "too-large"), (&malformed(), Reject, "malformed")]);
}

#[test]
fn transactions_that_can_never_be_valid_are_rejected() {
    let chain = ChainId([0; 8]);
    assert_table(&[
        (&TxError::Decode(too_large()), Reject, "too-large"),
        (&TxError::Decode(malformed()), Reject, "malformed"),
        (&TxError::WrongChain { found: chain, expected: chain }, Reject, "wrong-chain"),
        (&TxError::PayloadTooLarge { found: 2, limit: 1 }, Reject, "payload-too-large"),
        (&TxError::Overflow, Reject, "overflow"),
        (&TxError::BadSignature, Reject, "bad-signature"),
    ]);
}

#[test]
fn blocks_that_can_never_be_valid_are_rejected() {
    let chain = ChainId([0; 8]);
    let proposer = PublicKey([0; 32]);
    let error = TxError::Overflow;
    assert_table(&[
        (&BlockError::Decode(too_large()), Reject, "too-large"),
        (&BlockError::Decode(malformed()), Reject, "malformed"),
        (&BlockError::WrongChain { found: chain, expected: chain }, Reject, "wrong-chain"),
        (&BlockError::Numbers { height: 2, slot: 1 }, Reject, "numbers"),
        (&BlockError::NotItsSlot { proposer, slot: 1 }, Reject, "not-its-slot"),
        (&BlockError::TooManyTransactions { found: 2, limit: 1 }, Reject, "too-many-transactions"),
        (&BlockError::WrongRoot, Reject, "wrong-root"),
        (&BlockError::BadSignature, Reject, "bad-signature"),
        (&BlockError::Transaction { id: TxId([0; 32]), error }, Reject, "bad-transaction"),
    ]);
}

#[test]
fn transactions_that_do_not_fit_right_now_are_nobodys_fault() {
    assert_table(&[
        (&Misfit::NonceUsed { found: 0, next: 1 }, Ignore, "nonce-used"),
        (&Misfit::NonceGap { found: 1, next: 0 }, Ignore, "nonce-gap"),
        (&Misfit::Balance { cost: 2, balance: 1 }, Ignore, "balance"),
        (&Misfit::Expired { expiry: 1 }, Ignore, "expired"),
    ]);
}
