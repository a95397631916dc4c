//! Why a block that holds by itself is not taken into a chain.

use thiserror::Error;

use crate::ids::BlockId;
use crate::ledger::BlockMisfit;
use crate::verdict::{Judged, Verdict};

/// A block that holds by itself and does not fit this chain.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unfit {
    /// Its height is not one more than its parent's. Verdict: reject.
    #[error("height {found} on a parent of height {parent}")]
    Height {
        /// Its height.
        found: u64,
        /// The parent's.
        parent: u64,
    },
    /// Its slot is not after its parent's. Verdict: reject.
    #[error("slot {found} on a parent of slot {parent}")]
    Slot {
        /// Its slot.
        found: u64,
        /// The parent's.
        parent: u64,
    },
    /// Its slot lies in the future. Verdict: ignore (our clock may be the wrong one).
    #[error("slot {found} is in the future; the latest is {latest}")]
    Early {
        /// Its slot.
        found: u64,
        /// The latest slot that is taken.
        latest: u64,
    },
    /// It branches off below a final block. Verdict: ignore (the sender may not know of it yet).
    #[error("it branches off below the final height {final_height}")]
    BelowFinal {
        /// The last final height.
        final_height: u64,
    },
    /// Its authority has made two other blocks in this slot, and it does not beat the tip. Verdict:
    /// ignore (two are relayed, as proof; more would let one authority flood the network. Should
    /// others build on it, it comes with their branch).
    #[error("its authority made two other blocks in slot {slot}")]
    Equivocation {
        /// The slot.
        slot: u64,
    },
    /// A transaction in it does not fit its own branch. Verdict: reject.
    #[error(transparent)]
    Misfit(#[from] BlockMisfit),
    /// A block under it is invalid. Verdict: ignore (whoever sent it need not have applied it, as
    /// side branches are relayed unapplied).
    #[error("block {ancestor} under it is invalid")]
    OnInvalid {
        /// The invalid one.
        ancestor: BlockId,
    },
    /// It was found invalid before. Verdict: ignore (the sender may have been told by others).
    #[error("it was found invalid before")]
    KnownInvalid,
}

impl Judged for Unfit {
    fn verdict(&self) -> Verdict {
        match self {
            Unfit::Height { .. } | Unfit::Slot { .. } | Unfit::Misfit(_) => Verdict::Reject,
            Unfit::Early { .. }
            | Unfit::BelowFinal { .. }
            | Unfit::Equivocation { .. }
            | Unfit::OnInvalid { .. }
            | Unfit::KnownInvalid => Verdict::Ignore,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Unfit::Height { .. } => "height",
            Unfit::Slot { .. } => "slot",
            Unfit::Early { .. } => "early",
            Unfit::BelowFinal { .. } => "below-final",
            Unfit::Equivocation { .. } => "equivocation",
            Unfit::Misfit(misfit) => misfit.misfit.reason(),
            Unfit::OnInvalid { .. } => "on-invalid",
            Unfit::KnownInvalid => "known-invalid",
        }
    }
}
