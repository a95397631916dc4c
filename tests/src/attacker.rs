//! A hostile peer that speaks to a node byte by byte.
//!
//! It has a connection of its own making (noise and yamux, as every node has) and nothing of
//! libp2p's behaviours above it: frames, RPCs and requests are written here, so that they may be
//! what no honest program would send. Each [`Attack`] is bounded in time and in rate, and ends by
//! itself. Whoever is kept away comes back under a new identity, a bounded number of times.

mod blocks;
mod control;
mod frames;
mod host;
mod line;
mod negotiate;
mod prey;
mod replay;
mod rpc;
mod sessions;
mod siege;
mod transactions;

pub use prey::{Prey, Target};
pub use siege::{Tally, attack, eavesdrop};

/// What a hostile peer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub enum Attack {
    /// Frames, RPCs and requests that are too long, cut short, or no such thing.
    Frames,
    /// Transactions whose signatures do not hold, pushed and in bundles.
    Signatures,
    /// Compact blocks with wrong names, names that stand twice, and names of other transactions: by an
    /// authority, and forged for the headers of others.
    Names,
    /// Announces and proposes what it then does not give, and claims a chain that it does not give
    /// either.
    Silent,
    /// Proposes blocks and claims a chain, and gives something else when it is asked.
    WrongBody,
    /// Comparisons of pools without end, and every other request as fast as it is answered.
    Sessions,
    /// IHAVE, IWANT and IDONTWANT without end, and what says the same in frames of push.
    Control,
    /// GRAFT, PRUNE and subscriptions without end.
    Grafts,
    /// Messages of earlier, again.
    Replay,
    /// Valid transactions, many times as many as all honest nodes together have.
    Flood,
}

impl Attack {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Frames,
        Self::Signatures,
        Self::Names,
        Self::Silent,
        Self::WrongBody,
        Self::Sessions,
        Self::Control,
        Self::Grafts,
        Self::Replay,
        Self::Flood,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Frames => "frames",
            Self::Signatures => "signatures",
            Self::Names => "names",
            Self::Silent => "silent",
            Self::WrongBody => "wrong-body",
            Self::Sessions => "sessions",
            Self::Control => "control",
            Self::Grafts => "grafts",
            Self::Replay => "replay",
            Self::Flood => "flood",
        }
    }
}
