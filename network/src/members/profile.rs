//! What a member says of itself for everybody to read, signed by its key: where it listens, what it
//! runs, who its neighbours are.
//!
//! A profile goes from hand to hand, so nobody is believed but the key that it names. A later one,
//! by generation and then by number, replaces an earlier one. Which of its addresses are of any use
//! is for [`super::address`] to say.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{Error, ErrorKind, Read, Result as IoResult, Write};

use borsh::{BorshDeserialize, BorshSerialize};
use hearsay_chain::GenesisId;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId};

use super::address::{self, Reach};
use super::seal::{self, Signature};

/// Bytes of a version or a display name. Enough for `1.22.333-beta.4`, and for one line of a table.
pub const MAX_TEXT: usize = 32;

/// Addresses that a member may name: one of each family on two networks.
pub const MAX_ADDRESSES: usize = 4;

/// Bytes of an address: `/ip6/…/tcp/…/p2p/…` takes 61.
pub const MAX_ADDRESS_BYTES: usize = 64;

/// Neighbours that a member may name: four times the connections that a node means to have.
pub const MAX_NEIGHBOURS: usize = 32;

/// Bytes of an encoded [`SignedProfile`] at most, so that it fits a datagram beside other things.
pub const MAX_PROFILE_BYTES: usize = 589;

/// What a peer id of an Ed25519 key begins with: the multihash "identity" of 36 bytes, and in it the
/// key type and the length of the key (libp2p's specification, "Peer Ids and Keys").
const PEER_ID_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

const DOMAIN: &str = "hearsay/profile/1";

/// A member's Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Key(pub [u8; 32]);

impl Key {
    /// The key that a peer id spells out; none if it is of another kind than Ed25519.
    #[must_use]
    pub fn of(peer: &PeerId) -> Option<Self> {
        let bytes = peer.to_bytes();
        bytes.strip_prefix(&PEER_ID_PREFIX).and_then(|key| key.try_into().ok()).map(Self)
    }

    /// The key of a key pair; none if it is of another kind than Ed25519.
    #[must_use]
    pub fn of_pair(pair: &Keypair) -> Option<Self> {
        Self::of(&pair.public().to_peer_id())
    }

    /// The peer id that spells out the key. It says nothing about whether the key is sound.
    ///
    /// # Panics
    /// Never: any 32 bytes after the prefix are a well-formed peer id.
    #[must_use]
    pub fn to_peer_id(&self) -> PeerId {
        let bytes = [&PEER_ID_PREFIX[..], &self.0].concat();
        PeerId::from_bytes(&bytes).expect("a well-formed identity multihash")
    }

    /// Its short name.
    #[must_use]
    pub fn short(&self) -> Short {
        let [a, b, c, d, ..] = self.0;
        Short([a, b, c, d])
    }

    /// How far from another key, as a number that is as good as random but the same everywhere.
    #[must_use]
    pub fn distance(&self, other: &Self) -> [u8; 32] {
        let mut distance = self.0;
        distance.iter_mut().zip(other.0).for_each(|(a, b)| *a ^= b);
        distance
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}…", self.short())
    }
}

/// The first four bytes of a key: enough to tell a thousand members apart, mostly.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Short(pub [u8; 4]);

impl fmt::Debug for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a member is for. Its own claim: nothing is granted for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub enum Role {
    /// It makes blocks.
    Authority,
    /// It passes on what others make.
    Relay,
}

/// What a member says of itself.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Profile {
    /// Who it is.
    pub peer: Key,
    /// Milliseconds since the Unix epoch at its start, and one more for each renewal.
    pub generation: u64,
    /// Rises with each new profile of a generation.
    pub number: u32,
    /// What it is for.
    pub role: Role,
    /// What it runs: at most [`MAX_TEXT`] visible ASCII characters.
    #[borsh(deserialize_with = "read_text")]
    pub version: String,
    /// What it is called, as the version; empty if it has no name.
    #[borsh(deserialize_with = "read_text")]
    pub name: String,
    /// Where it says it listens: at most [`MAX_ADDRESSES`] of [`MAX_ADDRESS_BYTES`].
    #[borsh(serialize_with = "write_addresses", deserialize_with = "read_addresses")]
    pub addresses: Vec<Multiaddr>,
    /// Whom it is connected to: at most [`MAX_NEIGHBOURS`], ascending, each once.
    #[borsh(deserialize_with = "read_neighbours")]
    pub neighbours: Vec<Short>,
}

impl Profile {
    /// The profile with everything that is too much left out: bytes of texts, addresses and
    /// neighbours. What a node makes of its own settings goes through this.
    #[must_use]
    pub fn fitted(mut self) -> Self {
        for text in [&mut self.version, &mut self.name] {
            text.retain(|character| character.is_ascii_graphic());
            text.truncate(MAX_TEXT);
        }
        self.addresses.retain(|address| address.len() <= MAX_ADDRESS_BYTES);
        self.addresses.truncate(MAX_ADDRESSES);
        let neighbours: BTreeSet<Short> = self.neighbours.into_iter().collect();
        self.neighbours = neighbours.into_iter().take(MAX_NEIGHBOURS).collect();
        self
    }

    /// Generation and number: the later profile of two with the same key counts.
    #[must_use]
    pub fn age(&self) -> (u64, u32) {
        (self.generation, self.number)
    }

    /// The addresses worth dialling, without the member's own id at their ends. `teller` is where
    /// the neighbour is that told of this profile: see [`address::usable`].
    #[must_use]
    pub fn usable_addresses(&self, teller: Reach) -> Vec<Multiaddr> {
        let owner = self.peer.to_peer_id();
        self.addresses.iter().filter_map(|a| address::usable(a, &owner, teller)).collect()
    }
}

/// A profile with the signature of the key that it names.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SignedProfile {
    /// What is said.
    pub profile: Profile,
    /// By whom.
    pub signature: Signature,
}

/// Why a profile is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// It is longer than [`MAX_PROFILE_BYTES`].
    #[error("the profile is too long")]
    TooLong,
    /// Its bytes are no profile, or one beyond the bounds.
    #[error("the profile cannot be read")]
    Malformed,
    /// The signature is not that of the key it names, for this network.
    #[error("the signature does not hold")]
    Forged,
}

impl SignedProfile {
    /// Signs what [`Profile::fitted`] leaves of a profile, for one network.
    ///
    /// # Panics
    /// If the key pair is of another kind than Ed25519.
    #[must_use]
    pub fn sign(profile: Profile, genesis: &GenesisId, keypair: &Keypair) -> Self {
        let profile = profile.fitted();
        let signature = seal::sign(keypair, DOMAIN, genesis, &encode(&profile));
        Self { profile, signature }
    }

    /// Checks that the key it names signed it for this network. Bounds hold for whatever was read.
    ///
    /// # Errors
    /// [`ProfileError::Forged`] if not.
    pub fn verify(&self, genesis: &GenesisId) -> Result<(), ProfileError> {
        let (key, body) = (&self.profile.peer, encode(&self.profile));
        let holds = seal::verify(key, DOMAIN, genesis, &body, &self.signature);
        if holds { Ok(()) } else { Err(ProfileError::Forged) }
    }

    /// The bytes that stand for it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads what [`SignedProfile::encode`] wrote. It is not verified.
    ///
    /// # Errors
    /// What is too long or malformed; nothing is said about the signature.
    pub fn decode(bytes: &[u8]) -> Result<Self, ProfileError> {
        if bytes.len() > MAX_PROFILE_BYTES {
            return Err(ProfileError::TooLong);
        }
        borsh::from_slice(bytes).map_err(|_| ProfileError::Malformed)
    }
}

fn encode(value: &impl BorshSerialize) -> Vec<u8> {
    borsh::to_vec(value).expect("memory takes what is written")
}

fn refused(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// A length that is told, if it is within the bound: what is made room for never depends on more.
fn read_length(reader: &mut impl Read, most: usize, what: &str) -> IoResult<usize> {
    let length = u32::deserialize_reader(reader)? as usize;
    if length > most { Err(refused(what)) } else { Ok(length) }
}

fn read_bytes(reader: &mut impl Read, most: usize, what: &str) -> IoResult<Vec<u8>> {
    let mut bytes = vec![0; read_length(reader, most, what)?];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_text<R: Read>(reader: &mut R) -> IoResult<String> {
    let bytes = read_bytes(reader, MAX_TEXT, "a text that is too long")?;
    if !bytes.iter().all(u8::is_ascii_graphic) {
        return Err(refused("a text with characters that cannot be seen"));
    }
    String::from_utf8(bytes).map_err(|_| refused("a text that is none"))
}

fn write_addresses<W: Write>(addresses: &[Multiaddr], writer: &mut W) -> IoResult<()> {
    let bytes: Vec<&[u8]> = addresses.iter().map(AsRef::as_ref).collect();
    bytes.serialize(writer)
}

fn read_addresses<R: Read>(reader: &mut R) -> IoResult<Vec<Multiaddr>> {
    let count = read_length(reader, MAX_ADDRESSES, "too many addresses")?;
    let read = |_| {
        let bytes = read_bytes(reader, MAX_ADDRESS_BYTES, "an address that is too long")?;
        Multiaddr::try_from(bytes).map_err(|_| refused("an address that is none"))
    };
    (0..count).map(read).collect()
}

fn read_neighbours<R: Read>(reader: &mut R) -> IoResult<Vec<Short>> {
    let count = read_length(reader, MAX_NEIGHBOURS, "too many neighbours")?;
    let read: Vec<Short> =
        (0..count).map(|_| Short::deserialize_reader(reader)).collect::<IoResult<_>>()?;
    if read.is_sorted_by(|a, b| a < b) { Ok(read) } else { Err(refused("neighbours out of order")) }
}

#[cfg(test)]
mod tests;
