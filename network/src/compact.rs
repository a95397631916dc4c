//! Compact blocks: a header, and a short name in place of each transaction. Receivers have most of
//! them in their pools, and ask for the rest.
//!
//! A name is six bytes of a hash under a key made of the block and a number of the proposer's, so
//! that nobody who makes transactions can make two of one name beforehand. In a pool of 100,000, one
//! of 4,000 names has two holders about once in 700,000 blocks; then the transaction is asked for.
//! A name that a wrong transaction alone has shows when the list is put together: its root is not the
//! header's. Neither is anybody's fault.
//!
//! The header does not say how its transactions are named, and a compact block is relayed before they
//! are all there. So the proposer signs the names too: else whoever is first to have a header could
//! spread it with names that lead nowhere, and everybody would ask for all of the block.

mod message;
mod rebuild;

#[cfg(test)]
mod tests;

use borsh::{BorshDeserialize, BorshSerialize};
use hearsay_chain::block::{BODY_OVERHEAD_BYTES, HEADER_BYTES, MAX_BLOCK_BYTES};
use hearsay_chain::codec::{DecodeError, decode, encode};
use hearsay_chain::hash::tagged;
use hearsay_chain::keys::{Claim, Signature, verify};
use hearsay_chain::{
    BlockError, BlockId, Keypair, Rules, SignedHeader, TxId, UnverifiedTx, VerifiedBlock,
    block::Header,
};

use crate::short_id::ShortKey;

pub use message::BlockMessage;
pub use rebuild::{Gift, Rebuild};

/// Bytes of a name.
pub const NAME_BYTES: usize = 6;

/// The largest encoding: a block of the largest size whose transactions are all carried.
pub const MAX_COMPACT_BYTES: usize = MAX_BLOCK_BYTES + 64 * 1024;

/// A transaction's name in one block: the low six bytes of its hash, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Name(pub [u8; NAME_BYTES]);

/// What turns ids into the names of one block.
#[derive(Clone, Copy, Debug)]
pub struct Names(ShortKey);

impl Names {
    /// The names of a block, with the number that its proposer drew.
    #[must_use]
    pub fn new(block: &BlockId, salt: u64) -> Self {
        let hash = tagged("hearsay/compact/1", &[&block.0, &salt.to_le_bytes()]);
        Self(ShortKey(std::array::from_fn(|at| hash[at])))
    }

    /// The name of a transaction.
    #[must_use]
    pub fn of(&self, id: &TxId) -> Name {
        let bytes = self.0.of(id).to_le_bytes();
        Name(std::array::from_fn(|at| bytes[at]))
    }
}

/// A transaction that is carried whole.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Carried {
    /// Its place in the block, from 0.
    pub place: u32,
    /// Its encoding.
    pub bytes: Vec<u8>,
}

/// A block whose transactions are named.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CompactBlock {
    /// The header, as in the block.
    pub header: Header,
    /// What the proposer drew for the names.
    pub salt: u64,
    /// The names of all that are not carried, in the order of the block.
    pub names: Vec<Name>,
    /// Those that others are not likely to have, in the order of the block.
    pub carried: Vec<Carried>,
    /// The proposer's signature over all of it.
    pub signature: Signature,
}

impl CompactBlock {
    /// Names the transactions of a block, and carries those that `lacking` picks. The key must be the
    /// proposer's, else the signature will not hold.
    #[must_use]
    pub fn of(
        block: &VerifiedBlock,
        salt: u64,
        lacking: impl Fn(&TxId) -> bool,
        key: &Keypair,
    ) -> Self {
        let naming = Names::new(&block.id(), salt);
        let mut names = Vec::with_capacity(block.transactions().len());
        let mut carried = Vec::new();
        for (place, tx) in (0..).zip(block.transactions()) {
            if lacking(&tx.id()) {
                carried.push(Carried { place, bytes: tx.encode() });
            } else {
                names.push(naming.of(&tx.id()));
            }
        }
        let header = block.header().clone();
        Self { header, salt, names, carried, signature: Signature([0; 64]) }.sign(key)
    }

    /// Signs it anew.
    #[must_use]
    pub fn sign(self, key: &Keypair) -> Self {
        Self { signature: key.sign(&self.signing_bytes()), ..self }
    }

    /// What the proposer signs: a hash is enough, and the names may be many.
    fn signing_bytes(&self) -> Vec<u8> {
        let (names, carried) = (encode(&self.names), encode(&self.carried));
        let (header, salt) = (self.header.id(), self.salt.to_le_bytes());
        let hash = tagged("hearsay/compact/body/1", &[&header.0, &salt, &names, &carried]);
        [b"hearsay/compact/sign/1\0".as_slice(), &hash].concat()
    }

    /// Checks the form of the header, its signature, and that of the names.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify(&self, rules: &Rules) -> Result<SignedHeader, BlockError> {
        let (signed, error) = SignedHeader::verify_all(rules, vec![self.header.clone()]);
        if let Some(error) = error {
            return Err(error);
        }
        let claim = Claim {
            key: self.header.fields.proposer,
            message: self.signing_bytes(),
            signature: self.signature,
        };
        let header = signed.into_iter().next().filter(|_| verify(&claim));
        header.ok_or(BlockError::BadSignature)
    }

    /// The names of its block.
    #[must_use]
    pub fn key(&self) -> Names {
        Names::new(&self.header.id(), self.salt)
    }

    /// Its encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Decodes a compact block from all of `bytes`, whose block has `limit` bytes at most. What comes
    /// out has as many transactions as its header says, each place once, and those that it carries are
    /// whole.
    ///
    /// # Errors
    /// Too large, malformed, trailing bytes, or places that do not add up.
    pub fn decode(bytes: &[u8], limit: usize) -> Result<Self, DecodeError> {
        let compact: Self = decode(bytes, MAX_COMPACT_BYTES)?;
        let least = compact.least_block_bytes();
        if least > limit {
            return Err(DecodeError::TooLarge { found: least, limit });
        }
        let all = compact.names.len() as u64 + compact.carried.len() as u64;
        let mut places = compact.carried.iter().map(|it| it.place);
        if all != u64::from(compact.header.fields.tx_count) {
            return Err(DecodeError::Malformed("not as many as the header counts".to_owned()));
        }
        if !places.clone().is_sorted_by(|a, b| a < b)
            || places.next_back() >= Some(compact.header.fields.tx_count)
        {
            return Err(DecodeError::Malformed("places out of order".to_owned()));
        }
        for carried in &compact.carried {
            UnverifiedTx::decode(&carried.bytes)?;
        }
        Ok(compact)
    }

    /// The least that its block can have in bytes: what is certain before the rest is here.
    #[must_use]
    pub fn least_block_bytes(&self) -> usize {
        let carried: usize = self.carried.iter().map(|it| it.bytes.len()).sum();
        HEADER_BYTES + BODY_OVERHEAD_BYTES + carried
    }
}
