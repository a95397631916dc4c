//! Copies and bytes on each link.

use serde::{Deserialize, Serialize};

/// Payload copies that one node sent to another, of messages that count. Measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkCopies {
    /// The node that sent them; the peer id of one whose log is not here.
    pub from: String,
    /// The node that received them.
    pub to: String,
    /// First copies: each is a delivery.
    pub first: u64,
    /// All others.
    pub redundant: u64,
    /// The size of the first copies.
    pub first_bytes: u64,
    /// The size of the others.
    pub redundant_bytes: u64,
}
