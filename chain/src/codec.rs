//! One byte string per value: borsh, with the size checked first and nothing left over.

use borsh::{BorshDeserialize, BorshSerialize};
use thiserror::Error;

use crate::verdict::{Judged, Verdict};

/// Bytes that are not a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Longer than anything valid; nothing was decoded. Verdict: reject.
    #[error("{found} bytes, more than the {limit} allowed")]
    TooLarge {
        /// Bytes found.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Cut short, trailing bytes, or a field out of its bounds. Verdict: reject.
    #[error("malformed: {0}")]
    Malformed(String),
}

impl Judged for DecodeError {
    fn verdict(&self) -> Verdict {
        match self {
            DecodeError::TooLarge { .. } | DecodeError::Malformed(_) => Verdict::Reject,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            DecodeError::TooLarge { .. } => "too-large",
            DecodeError::Malformed(_) => "malformed",
        }
    }
}

/// Decodes all of `bytes`, which must be `limit` bytes at most.
///
/// Borsh has one encoding for each value, so what decodes here encodes to the same bytes again.
///
/// # Errors
/// [`DecodeError::TooLarge`] before anything is read, else [`DecodeError::Malformed`].
pub fn decode<T: BorshDeserialize>(bytes: &[u8], limit: usize) -> Result<T, DecodeError> {
    if bytes.len() > limit {
        return Err(DecodeError::TooLarge { found: bytes.len(), limit });
    }
    T::try_from_slice(bytes).map_err(|error| DecodeError::Malformed(error.to_string()))
}

/// The encoding of a value.
///
/// # Panics
/// Never for the types of this crate: borsh fails only on lengths over `u32::MAX`, which are far
/// over every limit, and on a writer's error, which a vector has not.
#[must_use]
pub fn encode<T: BorshSerialize>(value: &T) -> Vec<u8> {
    borsh::to_vec(value).expect("a vector takes every write and no length is near 4 GiB")
}
