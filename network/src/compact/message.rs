//! What is gossiped on the topic of blocks: a block, whole or compact.

use hearsay_chain::codec::DecodeError;
use hearsay_chain::{BlockId, UnverifiedBlock};

use super::CompactBlock;

/// The first byte of a message that carries a block whole.
const WHOLE: u8 = 0;

/// The first byte of one that carries it compact.
const COMPACT: u8 = 1;

/// A block, whole or compact: one byte that says which, and the block's encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockMessage {
    /// All of it.
    Whole(UnverifiedBlock),
    /// Its header, and names for its transactions.
    Compact(CompactBlock),
}

impl BlockMessage {
    /// The message for an encoded block.
    #[must_use]
    pub fn whole(block: &[u8]) -> Vec<u8> {
        [&[WHOLE], block].concat()
    }

    /// The message for a compact block.
    #[must_use]
    pub fn compact(block: &CompactBlock) -> Vec<u8> {
        [&[COMPACT], block.encode().as_slice()].concat()
    }

    /// The id of the block that a message carries, without decoding its transactions: the header comes
    /// first in both. None if it is too short for one, or of no known kind.
    #[must_use]
    pub fn id_of(data: &[u8]) -> Option<BlockId> {
        let (kind, block) = data.split_first()?;
        if matches!(*kind, WHOLE | COMPACT) { UnverifiedBlock::id_of(block) } else { None }
    }

    /// Whether a message says that it carries a compact block.
    #[must_use]
    pub fn is_compact(data: &[u8]) -> bool {
        data.first() == Some(&COMPACT)
    }

    /// Decodes a message whose block has `limit` bytes at most.
    ///
    /// # Errors
    /// Of no known kind, too large, malformed, or trailing bytes.
    pub fn decode(data: &[u8], limit: usize) -> Result<Self, DecodeError> {
        match data.split_first() {
            Some((&WHOLE, block)) => UnverifiedBlock::decode(block, limit).map(Self::Whole),
            Some((&COMPACT, block)) => CompactBlock::decode(block, limit).map(Self::Compact),
            _ => Err(DecodeError::Malformed("a block of no known kind".to_owned())),
        }
    }
}
