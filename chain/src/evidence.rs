//! Equivocation: one authority, one slot, two blocks. Both headers are signed, so together they
//! prove it to anybody.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::block::Header;
use crate::keys::PublicKey;

/// A slot of an authority: each may have one block.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct Turn {
    /// The slot.
    pub slot: u64,
    /// The authority.
    pub proposer: PublicKey,
}

impl Turn {
    /// The turn that a header claims.
    #[must_use]
    pub fn of(header: &Header) -> Self {
        Self { slot: header.fields.slot, proposer: header.fields.proposer }
    }
}

/// Two headers that one authority signed for one slot.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Evidence {
    /// The one with the smaller id.
    pub first: Header,
    /// The other one.
    pub second: Header,
}

impl Evidence {
    /// Puts two headers together, in an order that does not depend on which came first; none if
    /// they prove nothing.
    #[must_use]
    pub fn of(a: Header, b: Header) -> Option<Self> {
        let proves =
            Turn::of(&a) == Turn::of(&b) && a.fields.chain == b.fields.chain && a.id() != b.id();
        let (first, second) = if a.id() < b.id() { (a, b) } else { (b, a) };
        proves.then_some(Self { first, second })
    }

    /// The slot and the authority.
    #[must_use]
    pub fn turn(&self) -> Turn {
        Turn::of(&self.first)
    }

    /// Whether it proves what it says: both signatures hold.
    #[must_use]
    pub fn holds(&self) -> bool {
        Self::of(self.first.clone(), self.second.clone()).as_ref() == Some(self)
            && self.first.signature_holds()
            && self.second.signature_holds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::HeaderFields;
    use crate::ids::{BlockId, ChainId};
    use crate::keys::Keypair;

    fn header(slot: u64, root: u8, key: &Keypair) -> Header {
        HeaderFields {
            chain: ChainId([1; 8]),
            height: 1,
            slot,
            parent: BlockId([0; 32]),
            tx_root: [root; 32],
            tx_count: 0,
            proposer: key.public(),
        }
        .sign(key)
    }

    #[test]
    fn two_blocks_of_one_authority_in_one_slot_prove_it_in_either_order() {
        let key = Keypair::from_seed(&[1; 32]);
        let (a, b) = (header(5, 1, &key), header(5, 2, &key));
        let evidence = Evidence::of(a.clone(), b.clone()).unwrap();
        assert_eq!(Evidence::of(b, a), Some(evidence.clone()));
        assert!(evidence.holds());
        let mut forged = evidence;
        forged.second.signature.0[1] ^= 1;
        assert!(!forged.holds());
    }

    #[test]
    fn one_block_twice_and_blocks_of_two_slots_or_two_authorities_prove_nothing() {
        let (key, other) = (Keypair::from_seed(&[1; 32]), Keypair::from_seed(&[2; 32]));
        let a = header(5, 1, &key);
        assert_eq!(Evidence::of(a.clone(), a.clone()), None);
        assert_eq!(Evidence::of(a.clone(), header(6, 1, &key)), None);
        assert_eq!(Evidence::of(a, header(5, 1, &other)), None);
    }
}
