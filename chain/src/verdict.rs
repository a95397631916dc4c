//! What validation answers to the network.

use std::fmt;

/// The answer to a gossiped message: exactly one for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// New and valid: relay it.
    Accept,
    /// Not useful, and nobody's fault: known, full, fee too low, nonce gap, early, late.
    Ignore,
    /// Never valid, whatever the state: the sender is at fault.
    Reject,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Accept => "accept",
            Verdict::Ignore => "ignore",
            Verdict::Reject => "reject",
        })
    }
}

/// An error that answers for itself to the network.
///
/// Implementations match every variant by name, without a `_` arm, so that a new variant cannot
/// slip in without a decision on who is to blame.
pub trait Judged {
    /// The verdict on the message that caused the error.
    fn verdict(&self) -> Verdict;

    /// A stable word for logs, counters and RPC errors: lower case, words joined by `-`.
    fn reason(&self) -> &'static str;
}
