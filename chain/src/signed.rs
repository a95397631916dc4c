//! Blocks that come in parts, as they do when a node catches up: first headers, many at a time,
//! then bodies for headers that were checked before.

use crate::block::{BlockError, Header, UnverifiedBlock, VerifiedBlock};
use crate::genesis::Rules;
use crate::ids::BlockId;
use crate::keys::verify_all;
use crate::transaction::{UnverifiedTx, VerifiedTx};

/// A header whose form and signature hold, with its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHeader {
    id: BlockId,
    header: Header,
}

impl SignedHeader {
    /// Checks headers in order, all signatures as one batch. Gives those before the first that is
    /// wrong, and what is wrong with that one.
    #[must_use]
    pub fn verify_all(rules: &Rules, headers: Vec<Header>) -> (Vec<Self>, Option<BlockError>) {
        let well_formed = headers.iter().map(|header| header.check_form(rules));
        let mut fault = None;
        let mut count = 0;
        for form in well_formed {
            match form {
                Ok(()) => count += 1,
                Err(error) => {
                    fault = Some(error);
                    break;
                }
            }
        }
        let claims: Vec<_> = headers.iter().take(count).map(Header::claim).collect();
        let mut signed = Vec::with_capacity(count);
        for (header, holds) in headers.into_iter().zip(verify_all(&claims)) {
            if !holds {
                return (signed, Some(BlockError::BadSignature));
            }
            signed.push(Self { id: header.id(), header });
        }
        (signed, fault)
    }

    /// A header that this node checked before it kept it.
    #[must_use]
    pub fn kept(header: Header) -> Self {
        Self { id: header.id(), header }
    }

    /// The block's id.
    #[must_use]
    pub fn id(&self) -> BlockId {
        self.id
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The block's height.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.header.fields.height
    }
}

/// Puts headers and encoded lists of transactions together and checks everything that needs no
/// chain, the signatures of all blocks as one batch. Gives the blocks before the first that is
/// wrong, and what is wrong with that one.
///
/// [`BlockError::Transaction`] then means that the block itself is invalid; any other error means
/// that the body is not the one that the header was signed for.
#[must_use]
pub fn verify_bodies(
    rules: &Rules,
    parts: Vec<(SignedHeader, Vec<u8>)>,
) -> (Vec<VerifiedBlock>, Option<BlockError>) {
    let mut blocks = Vec::with_capacity(parts.len());
    let mut fault = None;
    for (header, body) in parts {
        match put_together(rules, header, &body) {
            Ok(block) => blocks.push(block),
            Err(error) => {
                fault = Some(error);
                break;
            }
        }
    }
    let all: Vec<UnverifiedTx> =
        blocks.iter().flat_map(UnverifiedBlock::transactions).cloned().collect();
    let mut checked = VerifiedTx::verify_all(all).into_iter();
    let mut verified = Vec::with_capacity(blocks.len());
    for block in blocks {
        let ids: Vec<_> = block.transactions().iter().map(UnverifiedTx::id).collect();
        let mut transactions = Vec::with_capacity(ids.len());
        for (id, result) in ids.into_iter().zip(checked.by_ref()) {
            match result {
                Ok(tx) => transactions.push(tx),
                Err(error) => return (verified, Some(BlockError::Transaction { id, error })),
            }
        }
        verified.push(VerifiedBlock::from_checked(block, transactions));
    }
    (verified, fault)
}

fn put_together(
    rules: &Rules,
    header: SignedHeader,
    body: &[u8],
) -> Result<UnverifiedBlock, BlockError> {
    let limit = rules.genesis().limits.block_bytes as usize;
    let block = UnverifiedBlock::from_body((header.id, header.header), body, limit)?;
    block.check_contents(rules)?;
    Ok(block)
}
