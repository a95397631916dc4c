//! The pool as it is carried elsewhere: pages of the RPC, and lines of a file.

use hearsay_chain::{GenesisId, VerifiedTx};
use serde::{Deserialize, Serialize};

/// One transaction that waits, in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedTx {
    /// Its encoding in hex.
    pub tx: String,
    /// When it came to this node: microseconds since the Unix epoch.
    pub arrived_us: u64,
    /// Whether a user of this node handed it in.
    pub local: bool,
}

/// Some of the transactions that waited when the first page was asked for: each sender's in the order
/// of their nonces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportPage {
    /// The network.
    pub genesis: GenesisId,
    /// How many there are on all pages.
    pub total: u64,
    /// Those of this page.
    pub transactions: Vec<ExportedTx>,
    /// What to ask for the next page with; none if this is the last.
    pub next: Option<String>,
}

/// One transaction that waits, before it is encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingTx {
    /// The transaction.
    pub tx: VerifiedTx,
    /// When it came: microseconds since the Unix epoch.
    pub arrived_us: u64,
    /// Whether a user of this node handed it in.
    pub local: bool,
}
