//! Signature checks: what goes out to be checked and what comes back.

use std::sync::Arc;

use hearsay_chain::block::PartlyVerified;
use hearsay_chain::signed::verify_bodies;
use hearsay_chain::{
    BlockError, Rules, SignedHeader, TxError, UnverifiedTx, VerifiedBlock, VerifiedTx, block,
};
use hearsay_network::compact::CompactBlock;
use hearsay_network::sync::Parts;

/// Signatures to check.
#[derive(Clone, Debug)]
pub enum Work {
    /// Of one transaction.
    Tx(UnverifiedTx),
    /// Of transactions that waited before a restart, each for itself.
    Restored(Vec<UnverifiedTx>),
    /// Of blocks, in order: the work ends with the first that fails.
    Blocks(Vec<PartlyVerified>),
    /// Of the header and the names of a compact block. The header's form is checked too.
    Compact(Rules, Arc<CompactBlock>),
    /// Of headers, in order: the work ends with the first that fails. Their form is checked too.
    Headers(Rules, Vec<block::Header>),
    /// Of the transactions of blocks whose headers were checked before, in order: the work ends with
    /// the first that fails. They are decoded first, and their roots and forms are checked too.
    Bodies(Rules, Parts),
}

/// What came of it.
#[derive(Debug)]
pub enum Done {
    /// Of one transaction.
    Tx(Result<VerifiedTx, TxError>),
    /// Of transactions that waited before a restart, in order.
    Restored(Vec<Result<VerifiedTx, TxError>>),
    /// The blocks before the first that fails, and why that one fails.
    Blocks(Vec<VerifiedBlock>, Option<BlockError>),
    /// Of a compact block: its header.
    Compact(Result<SignedHeader, BlockError>),
    /// The headers before the first that fails, and why that one fails.
    Headers(Vec<SignedHeader>, Option<BlockError>),
}

impl Work {
    /// How many signatures are to be checked.
    #[must_use]
    pub fn signatures(&self) -> u64 {
        match self {
            Work::Tx(_) => 1,
            Work::Restored(transactions) => transactions.len() as u64,
            Work::Blocks(blocks) => {
                blocks.iter().map(|block| block.signatures_to_check() as u64).sum()
            }
            Work::Compact(..) => 2,
            Work::Headers(_, headers) => headers.len() as u64,
            Work::Bodies(_, parts) => {
                parts.iter().map(|(header, _)| u64::from(header.header().fields.tx_count)).sum()
            }
        }
    }

    /// Whether it is part of catching up, and may wait for what a peer or a caller waits for.
    #[must_use]
    pub fn is_bulk(&self) -> bool {
        match self {
            Work::Tx(_) | Work::Blocks(_) | Work::Compact(..) => false,
            Work::Headers(_, headers) => headers.len() > 1,
            Work::Bodies(..) | Work::Restored(_) => true,
        }
    }

    /// Checks them, here and now.
    #[must_use]
    pub fn run(self) -> Done {
        match self {
            Work::Tx(tx) => Done::Tx(VerifiedTx::verify(tx)),
            Work::Restored(transactions) => Done::Restored(VerifiedTx::verify_all(transactions)),
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
            Work::Compact(rules, block) => Done::Compact(block.verify(&rules)),
            Work::Headers(rules, headers) => {
                let (signed, fault) = SignedHeader::verify_all(&rules, headers);
                Done::Headers(signed, fault)
            }
            Work::Bodies(rules, parts) => {
                let (verified, fault) = verify_bodies(&rules, parts);
                Done::Blocks(verified, fault)
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
            Work::Restored(_)
            | Work::Blocks(_)
            | Work::Compact(..)
            | Work::Headers(..)
            | Work::Bodies(..) => None,
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
            other => other.run(),
        })
        .collect()
}
