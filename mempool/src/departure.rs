//! Why a transaction is no longer in the pool.

use std::fmt;

/// Why a transaction left the pool, or did not return to it from an abandoned block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Departure {
    /// It stands in a block of the chain.
    Included,
    /// Another of its sender and nonce stands in a block of the chain.
    NonceUsed,
    /// Another of its sender and nonce pays more.
    Replaced,
    /// The pool was full, and others pay more.
    Evicted,
    /// The last height at which it was valid has passed.
    Expired,
    /// It waited longer than the pool keeps anything.
    TooOld,
}

impl Departure {
    /// A stable word for logs, counters and RPC answers: lower case, words joined by `-`.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Departure::Included => "included",
            Departure::NonceUsed => "nonce-used",
            Departure::Replaced => "replaced",
            Departure::Evicted => "evicted",
            Departure::Expired => "expired",
            Departure::TooOld => "too-old",
        }
    }
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}
