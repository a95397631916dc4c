//! Signature checks: what goes out to be checked and what comes back.

use hearsay_chain::block::PartlyVerified;
use hearsay_chain::{BlockError, TxError, UnverifiedTx, VerifiedBlock, VerifiedTx};

/// Signatures to check.
#[derive(Clone, Debug)]
pub enum Work {
    /// Of one transaction.
    Tx(UnverifiedTx),
    /// Of blocks, in order: the work ends with the first that fails.
    Blocks(Vec<PartlyVerified>),
}

/// What came of it.
#[derive(Debug)]
pub enum Done {
    /// Of one transaction.
    Tx(Result<VerifiedTx, TxError>),
    /// The blocks before the first that fails, and why that one fails.
    Blocks(Vec<VerifiedBlock>, Option<BlockError>),
}

impl Work {
    /// How many signatures are to be checked.
    #[must_use]
    pub fn signatures(&self) -> u64 {
        match self {
            Work::Tx(_) => 1,
            Work::Blocks(blocks) => {
                blocks.iter().map(|block| block.signatures_to_check() as u64).sum()
            }
        }
    }

    /// Checks them, here and now.
    #[must_use]
    pub fn run(self) -> Done {
        match self {
            Work::Tx(tx) => Done::Tx(VerifiedTx::verify(tx)),
            Work::Blocks(blocks) => {
                let mut verified = Vec::with_capacity(blocks.len());
                for block in blocks {
                    match block.verify() {
                        Ok(block) => verified.push(block),
                        Err(error) => return Done::Blocks(verified, Some(error)),
                    }
                }
                Done::Blocks(verified, None)
            }
        }
    }
}

/// Runs many works, the single transactions among them as one batch, in order.
#[must_use]
pub fn run_all(works: Vec<Work>) -> Vec<Done> {
    let singles: Vec<UnverifiedTx> = works
        .iter()
        .filter_map(|work| match work {
            Work::Tx(tx) => Some(tx.clone()),
            Work::Blocks(_) => None,
        })
        .collect();
    let mut checked = VerifiedTx::verify_all(singles).into_iter();
    works
        .into_iter()
        .map(|work| match work {
            Work::Tx(tx) => match checked.next() {
                Some(result) => Done::Tx(result),
                None => Work::Tx(tx).run(),
            },
            blocks @ Work::Blocks(_) => blocks.run(),
        })
        .collect()
}
