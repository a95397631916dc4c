//! What can be wrong with a block by itself.

use thiserror::Error;

use crate::codec::DecodeError;
use crate::ids::{ChainId, TxId};
use crate::keys::PublicKey;
use crate::transaction::TxError;
use crate::verdict::{Judged, Verdict};

/// A block that is wrong by itself, on every chain of this network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BlockError {
    /// The bytes are not a block. Verdict: reject.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Made for another network. Verdict: reject.
    #[error("made for chain {found}, this is chain {expected}")]
    WrongChain {
        /// The chain it names.
        found: ChainId,
        /// This chain.
        expected: ChainId,
    },
    /// Height 0 is the genesis block's, and each block has a slot of its own. Verdict: reject.
    #[error("height {height} cannot be reached by slot {slot}")]
    Numbers {
        /// The height.
        height: u64,
        /// The slot.
        slot: u64,
    },
    /// The slot is not the proposer's. Verdict: reject.
    #[error("{proposer} may not propose in slot {slot}")]
    NotItsSlot {
        /// Who proposed.
        proposer: PublicKey,
        /// In which slot.
        slot: u64,
    },
    /// More transactions than the network allows. Verdict: reject.
    #[error("{found} transactions, this network allows {limit}")]
    TooManyTransactions {
        /// Transactions found.
        found: usize,
        /// Transactions allowed.
        limit: u32,
    },
    /// The transactions are not those of the header. Verdict: reject.
    #[error("the header is for other transactions")]
    WrongRoot,
    /// The header's signature does not hold. Verdict: reject.
    #[error("the proposer's signature does not hold")]
    BadSignature,
    /// A transaction in it is wrong by itself. Verdict: reject.
    #[error("transaction {id}: {error}")]
    Transaction {
        /// Which one.
        id: TxId,
        /// What is wrong with it.
        error: TxError,
    },
}

impl Judged for BlockError {
    fn verdict(&self) -> Verdict {
        match self {
            BlockError::Decode(error) => error.verdict(),
            BlockError::WrongChain { .. }
            | BlockError::Numbers { .. }
            | BlockError::NotItsSlot { .. }
            | BlockError::TooManyTransactions { .. }
            | BlockError::WrongRoot
            | BlockError::BadSignature
            | BlockError::Transaction { .. } => Verdict::Reject,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            BlockError::Decode(error) => error.reason(),
            BlockError::WrongChain { .. } => "wrong-chain",
            BlockError::Numbers { .. } => "numbers",
            BlockError::NotItsSlot { .. } => "not-its-slot",
            BlockError::TooManyTransactions { .. } => "too-many-transactions",
            BlockError::WrongRoot => "wrong-root",
            BlockError::BadSignature => "bad-signature",
            BlockError::Transaction { .. } => "bad-transaction",
        }
    }
}
