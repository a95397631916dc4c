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
    /// Of its start, [`first`], and one more for each renewal.
    pub generation: u64,
}

/// So many generations are one start's, as no process starts twice within so many milliseconds. A
/// member that renews more often than that, without ever restarting, looks as if it had restarted.
const OF_A_START: u64 = 256;

/// The first generation of a process that starts at a time in milliseconds since the Unix epoch.
pub(crate) const fn first(unix_ms: u64) -> u64 {
    unix_ms - unix_ms % OF_A_START
}

/// Whether two generations are of one start.
pub(crate) const fn same_start(one: u64, other: u64) -> bool {
    one / OF_A_START == other / OF_A_START
}

/// One number that rises whenever a member that did not restart contradicts what is said of it: by
/// 65,536 when it comes back after it was held to be down, else by one for each suspicion refuted.
pub(crate) const fn incarnation(generation: u64, refuted: u16) -> u32 {
    // Below 2^24: the remainder fits.
    ((generation % OF_A_START) as u32) << 16 | refuted as u32
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuting_and_coming_back_each_raise_the_incarnation_and_a_restart_begins_anew() {
        let start = first(1_795_466_902_850);
        let told = [(start, 0), (start, 7), (start, u16::MAX), (start + 1, 0), (start + 2, 3)];
        let numbers = told.map(|(generation, refuted)| incarnation(generation, refuted));
        assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
        assert_eq!((numbers[0], numbers[1]), (0, 7));
        assert!(same_start(start, start + 2));
        let again = first(1_795_466_902_850 + OF_A_START);
        assert!(again > start + 2 && !same_start(start, again));
        assert_eq!(incarnation(again, 0), 0);
    }
}
