//! Bundles: what gossipsub carries on the topic of transactions. A message costs gossipsub much the
//! same whatever is in it, so what is published within a few milliseconds shares one.
//!
//! Borsh: a number of transactions, and each with its length. One alone is a bundle of one.

use hearsay_chain::codec::{DecodeError, decode, encode};
use hearsay_chain::transaction::MAX_TX_BYTES;

/// A bundle is closed before it grows beyond this, in bytes: sixteen kibibytes leave in 13 ms at
/// 10 Mbit/s, so that nothing waits long behind one.
pub const BUNDLE_BYTES: usize = 16 * 1024;

/// The largest encoding of a bundle: one transaction of the largest size always fits.
pub const MAX_BUNDLE_BYTES: usize =
    if MAX_TX_BYTES + 8 > BUNDLE_BYTES { MAX_TX_BYTES + 8 } else { BUNDLE_BYTES };

/// The most transactions in a bundle: none is smaller than 165 bytes, so this is more than fit.
pub const MAX_BUNDLE: usize = MAX_BUNDLE_BYTES / 128;

/// The message for some encoded transactions.
#[must_use]
pub fn of(transactions: &[Vec<u8>]) -> Vec<u8> {
    encode(&transactions)
}

/// The encoded transactions of a message. They are not decoded yet.
///
/// # Errors
/// Too large, malformed, trailing bytes, none in it, or too many.
pub fn decode_parts(data: &[u8]) -> Result<Vec<Vec<u8>>, DecodeError> {
    let parts: Vec<Vec<u8>> = decode(data, MAX_BUNDLE_BYTES)?;
    if parts.is_empty() || parts.len() > MAX_BUNDLE {
        return Err(DecodeError::Malformed(format!("a bundle of {}", parts.len())));
    }
    Ok(parts)
}

/// What one more transaction of so many bytes adds to a bundle.
#[must_use]
pub fn grows_by(bytes: usize) -> usize {
    bytes.saturating_add(4)
}
