//! A transfer between accounts, and the stages it goes through: [`Transaction`] (a value),
//! [`UnverifiedTx`] (decoded within bounds, its id known), [`VerifiedTx`] (its signature holds).

use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use thiserror::Error;

use crate::codec::{self, DecodeError};
use crate::hash::tagged;
use crate::ids::{Address, ChainId, TxId};
use crate::keys::{Claim, Keypair, PublicKey, Signature, verify_all};
use crate::verdict::{Judged, Verdict};

/// The largest payload that any network may allow, in bytes. A genesis may allow less.
pub const MAX_PAYLOAD_BYTES: usize = 16 * 1024;

/// The largest encoding of a transaction, in bytes: the fixed fields, both options set, the
/// payload's length and the payload.
pub const MAX_TX_BYTES: usize = 8 + 32 + 8 + 32 + 8 + 8 + 9 + 4 + MAX_PAYLOAD_BYTES + 64;

/// What a sender signs.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Transfer {
    /// The network it is meant for.
    pub chain: ChainId,
    /// The key that pays and signs.
    pub sender: PublicKey,
    /// How many of the sender's transactions come before this one.
    pub nonce: u64,
    /// Who is paid.
    pub recipient: Address,
    /// What the recipient gets, in units.
    pub amount: u64,
    /// What the proposer of the block gets, in units.
    pub fee: u64,
    /// The last height at which it may stand in a block; none: for ever.
    pub expiry: Option<u64>,
    /// Bytes that mean nothing to the ledger.
    pub payload: Vec<u8>,
}

impl Transfer {
    fn signing_bytes(&self) -> Vec<u8> {
        let mut bytes = b"hearsay/tx/sign/1\0".to_vec();
        self.serialize(&mut bytes).expect("a vector takes every write");
        bytes
    }

    /// Signs it. The key must be the sender's, else the signature will not hold.
    #[must_use]
    pub fn sign(self, key: &Keypair) -> Transaction {
        let signature = key.sign(&self.signing_bytes());
        Transaction { transfer: self, signature }
    }
}

/// A transfer with a signature, of which nothing has been checked.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Transaction {
    /// What is signed.
    pub transfer: Transfer,
    /// The sender's signature over it.
    pub signature: Signature,
}

/// A transaction that is wrong by itself, on every chain at every height.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TxError {
    /// The bytes are not a transaction. Verdict: reject.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Made for another network. Verdict: reject, as topics keep networks apart already.
    #[error("made for chain {found}, this is chain {expected}")]
    WrongChain {
        /// The chain it names.
        found: ChainId,
        /// This chain.
        expected: ChainId,
    },
    /// The payload is larger than the network allows. Verdict: reject.
    #[error("payload of {found} bytes, this network allows {limit}")]
    PayloadTooLarge {
        /// Bytes found.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Amount and fee together exceed the largest number: nobody can ever pay it. Verdict: reject.
    #[error("amount and fee together overflow")]
    Overflow,
    /// The signature does not hold. Verdict: reject.
    #[error("the signature does not hold")]
    BadSignature,
}

impl Judged for TxError {
    fn verdict(&self) -> Verdict {
        match self {
            TxError::Decode(error) => error.verdict(),
            TxError::WrongChain { .. }
            | TxError::PayloadTooLarge { .. }
            | TxError::Overflow
            | TxError::BadSignature => Verdict::Reject,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            TxError::Decode(error) => error.reason(),
            TxError::WrongChain { .. } => "wrong-chain",
            TxError::PayloadTooLarge { .. } => "payload-too-large",
            TxError::Overflow => "overflow",
            TxError::BadSignature => "bad-signature",
        }
    }
}

/// A transaction with its id and size, whose signature is still a claim. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedTx {
    tx: Arc<Transaction>,
    id: TxId,
    size: usize,
}

impl UnverifiedTx {
    /// Decodes one transaction from all of `bytes`.
    ///
    /// # Errors
    /// Bytes that are not exactly one transaction within [`MAX_TX_BYTES`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let tx = codec::decode(bytes, MAX_TX_BYTES)?;
        Ok(Self { tx: Arc::new(tx), id: Self::id_of(bytes), size: bytes.len() })
    }

    /// Decodes one transaction from the beginning of `bytes`, and leaves the rest.
    pub(crate) fn take(bytes: &mut &[u8]) -> Result<Self, DecodeError> {
        let all = *bytes;
        let tx = Transaction::deserialize(bytes)
            .map_err(|error| DecodeError::Malformed(error.to_string()))?;
        let size = all.len() - bytes.len();
        if size > MAX_TX_BYTES {
            return Err(DecodeError::TooLarge { found: size, limit: MAX_TX_BYTES });
        }
        Ok(Self { tx: Arc::new(tx), id: Self::id_of(&all[..size]), size })
    }

    /// The id of a transaction with this encoding.
    #[must_use]
    pub fn id_of(bytes: &[u8]) -> TxId {
        TxId(tagged("hearsay/tx/1", &[bytes]))
    }

    /// What it says.
    #[must_use]
    pub fn transfer(&self) -> &Transfer {
        &self.tx.transfer
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> TxId {
        self.id
    }

    /// The size of its encoding, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The transaction.
    #[must_use]
    pub fn transaction(&self) -> &Transaction {
        &self.tx
    }

    /// Checks all that needs neither state nor signature.
    ///
    /// # Errors
    /// Another chain, a payload over `max_payload` bytes, or a sum that overflows.
    pub fn check_form(&self, chain: ChainId, max_payload: usize) -> Result<(), TxError> {
        let transfer = self.transfer();
        if transfer.chain != chain {
            return Err(TxError::WrongChain { found: transfer.chain, expected: chain });
        }
        if transfer.payload.len() > max_payload {
            return Err(TxError::PayloadTooLarge {
                found: transfer.payload.len(),
                limit: max_payload,
            });
        }
        transfer.amount.checked_add(transfer.fee).ok_or(TxError::Overflow)?;
        Ok(())
    }

    /// The claim that the sender signed it, to be checked in a batch.
    pub(crate) fn claim(&self) -> Claim {
        Claim {
            key: self.transfer().sender,
            message: self.transfer().signing_bytes(),
            signature: self.tx.signature,
        }
    }
}

impl From<Transaction> for UnverifiedTx {
    fn from(tx: Transaction) -> Self {
        let bytes = codec::encode(&tx);
        Self { id: Self::id_of(&bytes), size: bytes.len(), tx: Arc::new(tx) }
    }
}

/// A transaction whose signature holds. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedTx {
    inner: UnverifiedTx,
    sender: Address,
}

impl VerifiedTx {
    /// Checks the signatures of many transactions as one batch, in order.
    ///
    /// # Errors
    /// For each whose signature does not hold: [`TxError::BadSignature`].
    #[must_use]
    pub fn verify_all(transactions: Vec<UnverifiedTx>) -> Vec<Result<Self, TxError>> {
        let claims: Vec<Claim> = transactions.iter().map(UnverifiedTx::claim).collect();
        transactions
            .into_iter()
            .zip(verify_all(&claims))
            .map(
                |(tx, holds)| {
                    if holds { Ok(Self::from_own_store(tx)) } else { Err(TxError::BadSignature) }
                },
            )
            .collect()
    }

    /// Checks one signature.
    ///
    /// # Errors
    /// [`TxError::BadSignature`].
    pub fn verify(tx: UnverifiedTx) -> Result<Self, TxError> {
        Self::verify_all(vec![tx]).pop().unwrap_or(Err(TxError::BadSignature))
    }

    /// Takes a transaction that this node checked before it stored it.
    #[must_use]
    pub fn from_own_store(tx: UnverifiedTx) -> Self {
        let sender = tx.transfer().sender.address();
        Self { inner: tx, sender }
    }

    /// What it says.
    #[must_use]
    pub fn transfer(&self) -> &Transfer {
        self.inner.transfer()
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> TxId {
        self.inner.id
    }

    /// The size of its encoding, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.inner.size
    }

    /// The sender's account.
    #[must_use]
    pub fn sender(&self) -> Address {
        self.sender
    }

    /// What the sender parts with: amount and fee.
    #[must_use]
    pub fn cost(&self) -> u64 {
        // Checked by `check_form`; saturating keeps the type's promise if that was skipped.
        self.transfer().amount.saturating_add(self.transfer().fee)
    }

    /// The transaction.
    #[must_use]
    pub fn transaction(&self) -> &Transaction {
        self.inner.transaction()
    }

    /// The same, with its signature a claim again. Cheap.
    #[must_use]
    pub fn to_unverified(&self) -> UnverifiedTx {
        self.inner.clone()
    }

    /// Its encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self.transaction())
    }
}
