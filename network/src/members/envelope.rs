//! The datagram in which everything between members travels, and its bounds.
//!
//! A datagram names source and destination and is signed by its source, so that the members that
//! carry it on can drop it, and nothing else. Only the number of hops left is not signed, as each
//! carrier lowers it. What passes between neighbours alone is a shorter frame without a signature:
//! the connection vouches for it.

use borsh::{BorshDeserialize, BorshSerialize};
use foca::Incarnation;
use hearsay_chain::ids::GenesisId;
use libp2p::identity::Keypair;

use super::codec::{Claim, Standing, Word};
use super::identity::Id;
use super::load::Load;
use super::profile::{Key, SignedProfile};
use super::rumour::Rumour;
use super::seal::{self, Signature};

/// The longest frame, in bytes: a datagram of 1,400 and its envelope.
pub const MAX_FRAME: usize = 1_600;

/// How many members may carry a datagram on. With eight connections each, 1,024 members lie within
/// four hops of one another; two more leave room for a detour around a loss.
pub const MAX_HOPS: u8 = 6;

const DOMAIN: &str = "hearsay/member/datagram/1";

/// The first byte of a frame: a datagram.
const DATAGRAM: u8 = 1;
/// The first byte of a frame: a neighbour's load.
const LOAD: u8 = 2;

/// Where source and destination stand in a datagram, behind the frame's kind and the hops.
const SRC: std::ops::Range<usize> = 2..34;
const DST: std::ops::Range<usize> = 34..66;

/// How the source of a datagram holds its destination, so that one who is suspected hears of it at
/// once and refutes it in its answer (Lifeguard's buddy system).
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Held {
    pub(crate) generation: u64,
    pub(crate) incarnation: Incarnation,
    pub(crate) standing: Standing,
}

/// foca's packet, without what the envelope says.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Swim {
    /// Which generation of the destination is meant.
    pub(crate) to: u64,
    pub(crate) word: Word,
    pub(crate) claims: Vec<Claim>,
    pub(crate) rumours: Vec<Rumour>,
}

/// What a datagram is for.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Body {
    /// foca's packet.
    Swim(Swim),
    /// Are you there? Who answers with the nonce is heard at first hand.
    Hello { nonce: u64, profile: Option<SignedProfile> },
    /// Yes. With `ask`, a question back.
    HelloAck { nonce: u64, ask: Option<u64>, profile: Option<SignedProfile> },
    /// The hash of the source's list; who has another one answers with its own list.
    Digest([u8; 32]),
    /// A part of the source's list. With `answer` set it wants the other's list in return.
    List { answer: bool, claims: Vec<Claim> },
    /// Which profiles the source wants.
    Want(Vec<Key>),
    /// Some of them.
    Profiles(Vec<SignedProfile>),
    /// Rumours that cannot wait for a packet of foca's.
    Rumours(Vec<Rumour>),
}

/// A datagram, all but the hops.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Sealed {
    pub(crate) src: Key,
    pub(crate) dst: Key,
    pub(crate) generation: u64,
    pub(crate) incarnation: Incarnation,
    /// Rises with each datagram of a generation: against replays.
    pub(crate) counter: u64,
    pub(crate) load: Load,
    pub(crate) held: Option<Held>,
    pub(crate) body: Body,
}

impl Sealed {
    pub(crate) const fn id(&self) -> Id {
        Id { key: self.src, generation: self.generation }
    }

    /// The frame that carries it.
    pub(crate) fn seal(&self, keypair: &Keypair, genesis: &GenesisId) -> Vec<u8> {
        let mut frame = vec![DATAGRAM, MAX_HOPS];
        // Writing to a vector never fails.
        let _ = self.serialize(&mut frame);
        let signature = seal::sign(keypair, DOMAIN, genesis, frame.get(2..).unwrap_or_default());
        frame.extend(signature);
        frame
    }

    /// Opens a datagram that is for us.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn open(frame: &[u8], genesis: &GenesisId) -> Result<Self, Bad> {
        let (body, signature) = frame
            .get(2..)
            .and_then(|rest| rest.split_last_chunk::<{ size_of::<Signature>() }>())
            .ok_or(Bad::Malformed)?;
        let sealed: Self = borsh::from_slice(body).map_err(|_| Bad::Malformed)?;
        if seal::verify(&sealed.src, DOMAIN, genesis, body, signature) {
            Ok(sealed)
        } else {
            Err(Bad::Signature)
        }
    }
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Bad {
    /// Longer than [`MAX_FRAME`].
    #[error("oversized")]
    Oversized,
    /// Not a frame of this protocol.
    #[error("malformed")]
    Malformed,
    /// Not signed by the member that it names as its source.
    #[error("bad signature")]
    Signature,
}

/// What can be said of a frame without checking it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Frame {
    Datagram { src: Key, dst: Key },
    Load(Load),
}

impl Frame {
    /// Looks at a frame from outside.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn peek(frame: &[u8]) -> Result<Self, Bad> {
        if frame.len() > MAX_FRAME {
            return Err(Bad::Oversized);
        }
        let key = |range: std::ops::Range<usize>| {
            let bytes: Option<[u8; 32]> = frame.get(range).and_then(|key| key.try_into().ok());
            bytes.map(Key).ok_or(Bad::Malformed)
        };
        match frame {
            [DATAGRAM, hops, ..] if *hops <= MAX_HOPS => {
                Ok(Self::Datagram { src: key(SRC)?, dst: key(DST)? })
            }
            [LOAD, load @ ..] => {
                borsh::from_slice(load).map(Self::Load).map_err(|_| Bad::Malformed)
            }
            _ => Err(Bad::Malformed),
        }
    }

    /// The frame that tells a neighbour our load.
    pub(crate) fn of_load(load: &Load) -> Vec<u8> {
        let mut frame = vec![LOAD];
        let _ = load.serialize(&mut frame);
        frame
    }

    /// The same datagram with one hop less; none if it has none left.
    pub(crate) fn carried(frame: &[u8]) -> Option<Vec<u8>> {
        let mut frame = frame.to_vec();
        let hops = frame.get_mut(1)?;
        *hops = hops.checked_sub(1)?;
        Some(frame)
    }
}
