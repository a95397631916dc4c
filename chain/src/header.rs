//! A block's header: what a proposer signs, and what names the block.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::codec;
use crate::hash::tagged;
use crate::ids::{BlockId, ChainId};
use crate::keys::{Claim, Keypair, PublicKey, Signature, verify};

/// The largest encoding of a block that any network may allow, in bytes. A genesis may allow less.
pub const MAX_BLOCK_BYTES: usize = 4 << 20;

/// The encoding of a header, in bytes.
pub const HEADER_BYTES: usize = 8 + 8 + 8 + 32 + 32 + 4 + 32 + 64;

/// What a proposer signs.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HeaderFields {
    /// The network it is meant for.
    pub chain: ChainId,
    /// One more than the parent's.
    pub height: u64,
    /// The slot it was made in; greater than the parent's.
    pub slot: u64,
    /// The block it stands on.
    pub parent: BlockId,
    /// The Merkle root over the ids of its transactions, in order.
    pub tx_root: [u8; 32],
    /// How many transactions it has.
    pub tx_count: u32,
    /// The authority that made it.
    pub proposer: PublicKey,
}

/// A header with a signature.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Header {
    /// What is signed.
    pub fields: HeaderFields,
    /// The proposer's signature over it.
    pub signature: Signature,
}

impl HeaderFields {
    fn signing_bytes(&self) -> Vec<u8> {
        let mut bytes = b"hearsay/block/sign/1\0".to_vec();
        self.serialize(&mut bytes).expect("a vector takes every write");
        bytes
    }

    /// Signs it. The key must be the proposer's, else the signature will not hold.
    #[must_use]
    pub fn sign(self, key: &Keypair) -> Header {
        let signature = key.sign(&self.signing_bytes());
        Header { fields: self, signature }
    }
}

impl Header {
    /// The block's id: a hash over the header, signature included.
    #[must_use]
    pub fn id(&self) -> BlockId {
        BlockId(tagged("hearsay/block/1", &[&codec::encode(self)]))
    }

    /// Whether the proposer signed it.
    #[must_use]
    pub fn signature_holds(&self) -> bool {
        verify(&self.claim())
    }

    /// The claim that the proposer signed it, to be checked in a batch.
    pub(crate) fn claim(&self) -> Claim {
        Claim {
            key: self.fields.proposer,
            message: self.fields.signing_bytes(),
            signature: self.signature,
        }
    }
}
