//! What nodes ask each other directly: where they stand, and for blocks.

use borsh::{BorshDeserialize, BorshSerialize};
use hearsay_chain::block::MAX_BLOCK_BYTES;
use hearsay_chain::codec::{DecodeError, decode, encode};
use hearsay_chain::{Block, BlockId, GenesisId};

/// The largest encoding of a request, in bytes: a locator of [`MAX_LOCATOR`] ids and a little.
pub const MAX_REQUEST_BYTES: usize = 4 * 1024;

/// The largest encoding of a response, in bytes: one block of the largest size always fits.
pub const MAX_RESPONSE_BYTES: usize = MAX_BLOCK_BYTES + 64 * 1024;

/// The most ids in a locator. A chain of 2^64 blocks needs 10 + 64.
pub const MAX_LOCATOR: usize = 80;

/// The most blocks in a response, however small they are.
pub const MAX_BLOCKS: usize = 256;

/// Where a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Standing {
    /// Its network.
    pub genesis: GenesisId,
    /// Its tip.
    pub tip: BlockId,
    /// The tip's height.
    pub height: u64,
    /// The height of its last final block.
    pub final_height: u64,
}

/// What one node asks of another.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Request {
    /// Says where the asker stands, and asks the same. Answer: [`Response::Standing`].
    Standing(Standing),
    /// Asks for main-chain blocks after the first of these ids that the other has on its main
    /// chain, lowest first. Answer: [`Response::Blocks`].
    Blocks {
        /// The asker's chain from its tip down, ever sparser: [`MAX_LOCATOR`] ids at most.
        locator: Vec<BlockId>,
        /// The most blocks that the asker wants.
        max: u16,
    },
}

/// What the other answers.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Response {
    /// Where it stands.
    Standing(Standing),
    /// Blocks, lowest first, each on top of the one before; empty when it has none to give.
    Blocks(Vec<Block>),
}

impl Request {
    /// Its encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Decodes a request from all of `bytes`.
    ///
    /// # Errors
    /// Too large, malformed, trailing bytes, or a locator of more than [`MAX_LOCATOR`] ids.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let request = decode(bytes, MAX_REQUEST_BYTES)?;
        match &request {
            Request::Blocks { locator, .. } if locator.len() > MAX_LOCATOR => {
                Err(DecodeError::Malformed(format!("a locator of {} ids", locator.len())))
            }
            _ => Ok(request),
        }
    }
}

impl Response {
    /// Its encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Decodes a response from all of `bytes`.
    ///
    /// # Errors
    /// Too large, malformed, trailing bytes, or more than [`MAX_BLOCKS`] blocks.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let response = decode(bytes, MAX_RESPONSE_BYTES)?;
        match &response {
            Response::Blocks(blocks) if blocks.len() > MAX_BLOCKS => {
                Err(DecodeError::Malformed(format!("{} blocks", blocks.len())))
            }
            _ => Ok(response),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn standing() -> Standing {
        Standing { genesis: GenesisId([1; 32]), tip: BlockId([2; 32]), height: 3, final_height: 1 }
    }

    proptest! {
        #[test]
        fn whatever_decodes_encodes_to_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(request) = Request::decode(&bytes) {
                prop_assert_eq!(request.encode(), bytes.clone());
            }
            if let Ok(response) = Response::decode(&bytes) {
                prop_assert_eq!(response.encode(), bytes);
            }
        }
    }

    #[test]
    fn a_longest_locator_fits_a_request_and_a_longer_one_is_refused() {
        let ask = |len| Request::Blocks { locator: vec![BlockId([7; 32]); len], max: 16 };
        let longest = ask(MAX_LOCATOR);
        assert_eq!(Request::decode(&longest.encode()), Ok(longest));
        let refused = Request::decode(&ask(MAX_LOCATOR + 1).encode());
        assert!(matches!(refused, Err(DecodeError::Malformed(_))), "{refused:?}");
    }

    #[test]
    fn trailing_bytes_are_refused() {
        let mut bytes = Request::Standing(standing()).encode();
        assert!(Request::decode(&bytes).is_ok());
        bytes.push(0);
        assert!(Request::decode(&bytes).is_err());
    }

    #[test]
    fn a_length_that_lies_allocates_nothing() {
        // Variant 1 of a response with a claim of 2^32 - 1 blocks and none following.
        assert!(Response::decode(&[1, 0xff, 0xff, 0xff, 0xff]).is_err());
    }
}
