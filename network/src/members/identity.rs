//! Who a member is to the state machine: its key, and which start of it.
//!
//! A key outlives its process. A member that restarts, or that learns that it was declared down,
//! takes the next generation, so that what was said of the last one no longer holds against it.

use std::fmt;

use borsh::{BorshDeserialize, BorshSerialize};

use super::profile::Key;

/// One start of one member. Of two with the same key the later generation counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Id {
    /// Its Ed25519 key.
    pub key: Key,
    /// Milliseconds since the Unix epoch when it started, and one more for each renewal.
    pub generation: u64,
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/{}", self.key, self.generation)
    }
}

impl foca::Identity for Id {
    type Addr = Key;

    /// Never by foca: the machine renews, as it has a profile to sign first and a rate to keep to.
    fn renew(&self) -> Option<Self> {
        None
    }

    fn addr(&self) -> Key {
        self.key
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        self.generation > adversary.generation
    }
}
