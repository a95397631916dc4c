//! Why the pool does not take a transaction.

use hearsay_chain::{Judged, Verdict};
use thiserror::Error;

/// A transaction that the pool does not take; the pool is as it was.
///
/// Its sender signed it and it may be valid elsewhere, earlier, later or on a node with more room:
/// whoever relayed it is not to blame, so that no variant is ever a reject.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The pool holds it. Verdict: ignore (one more copy).
    #[error("already in the pool")]
    Known,
    /// Its nonce was used. Verdict: ignore (a late copy, or one that lost to another).
    #[error("nonce {found} was used; the next is {next}")]
    NonceUsed {
        /// The transaction's nonce.
        found: u64,
        /// The account's next nonce.
        next: u64,
    },
    /// Its last height has passed. Verdict: ignore (it was valid once).
    #[error("expired at height {expiry}")]
    Expired {
        /// The last height at which it was valid.
        expiry: u64,
    },
    /// It waited longer, before a restart or a reload, than the pool keeps anything. Verdict: ignore.
    #[error("it has waited longer than the pool keeps anything")]
    TooOld,
    /// Its nonce lies further ahead than one sender may wait. Verdict: ignore (it is early).
    #[error("nonce {found} is too far ahead; the next is {next} and {limit} may wait")]
    NonceTooFar {
        /// The transaction's nonce.
        found: u64,
        /// The account's next nonce.
        next: u64,
        /// How many of a sender's transactions may wait.
        limit: u64,
    },
    /// It pays less than the least that the pool takes now. Verdict: ignore (a node with more room
    /// takes it, and this one does later).
    #[error("a fee of {fee} is too low; the least for its size is {least} now")]
    FeeTooLow {
        /// The transaction's fee.
        fee: u64,
        /// The least fee at its size. It can exceed what a fee can be.
        least: u128,
    },
    /// The pool holds another of its sender and nonce, and it does not pay enough more. Verdict:
    /// ignore (another node may have seen it first).
    #[error("another with its nonce waits; to replace it takes a fee of {least}, not {fee}")]
    Underpriced {
        /// The transaction's fee.
        fee: u64,
        /// The least fee that replaces the other, at this transaction's size. It can exceed what
        /// a fee can be.
        least: u128,
    },
    /// The sender cannot pay its ready transactions and this one. Verdict: ignore (it may be paid
    /// first).
    #[error("with the sender's ready transactions it costs {cost}, the balance is {balance}")]
    CannotPay {
        /// Amounts and fees together.
        cost: u128,
        /// What the account holds.
        balance: u64,
    },
    /// Too many of its sender wait behind a gap. Verdict: ignore (it is early).
    #[error("{limit} of the sender's transactions wait behind a gap; {next} is missing")]
    TooManyQueued {
        /// The first nonce that is missing.
        next: u64,
        /// How many of a sender's transactions may wait behind a gap.
        limit: u64,
    },
    /// The pool is full, and what it would push out is worth as much or more. Verdict: ignore
    /// (a node with more room takes it).
    #[error(
        "the pool is full, and this pushes nothing out: a fee of {fee} for {size} bytes is too low, or \
         what must come before it is cheap or missing, or it expires soon"
    )]
    Full {
        /// The transaction's fee.
        fee: u64,
        /// Its size in bytes.
        size: usize,
    },
}

impl Judged for Refusal {
    fn verdict(&self) -> Verdict {
        match self {
            Refusal::Known
            | Refusal::NonceUsed { .. }
            | Refusal::Expired { .. }
            | Refusal::TooOld
            | Refusal::NonceTooFar { .. }
            | Refusal::TooManyQueued { .. }
            | Refusal::FeeTooLow { .. }
            | Refusal::Underpriced { .. }
            | Refusal::CannotPay { .. }
            | Refusal::Full { .. } => Verdict::Ignore,
        }
    }

    /// The words that the ledger has for the same faults are the same here.
    fn reason(&self) -> &'static str {
        match self {
            Refusal::Known => "known",
            Refusal::NonceUsed { .. } => "nonce-used",
            Refusal::Expired { .. } => "expired",
            Refusal::TooOld => "too-old",
            Refusal::NonceTooFar { .. } => "nonce-too-far",
            Refusal::TooManyQueued { .. } => "queued-limit",
            Refusal::FeeTooLow { .. } => "fee-too-low",
            Refusal::Underpriced { .. } => "underpriced",
            Refusal::CannotPay { .. } => "balance",
            Refusal::Full { .. } => "pool-full",
        }
    }
}
