//! Short names for transactions, under a key: a few bytes in place of 32.
//!
//! SipHash-2-4 of the id under a key that is drawn anew for each use. Whoever makes transactions
//! does not know the key beforehand, and so cannot make two that share a name at another node.

use std::hash::Hasher;

use borsh::{BorshDeserialize, BorshSerialize};
use hearsay_chain::TxId;
use siphasher::sip::SipHasher24;

/// What turns ids into short names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ShortKey(pub [u8; 16]);

impl ShortKey {
    /// The eight bytes that stand for an id.
    #[must_use]
    pub fn of(&self, id: &TxId) -> u64 {
        self.hash(&id.0)
    }

    pub(crate) fn hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(bytes);
        hasher.finish()
    }
}
