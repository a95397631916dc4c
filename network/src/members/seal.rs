//! Signing and checking what a member says, apart from where it says it.
//!
//! What is signed begins with a domain and the genesis id, so that a signature made for one purpose
//! or one network is worth nothing in another.

use hearsay_chain::ids::GenesisId;
use libp2p::identity::{Keypair, PublicKey, ed25519};

use super::profile::Key;

/// An Ed25519 signature.
pub(crate) type Signature = [u8; 64];

fn text(domain: &str, genesis: &GenesisId, body: &[u8]) -> Vec<u8> {
    // A domain is a short constant: its length fits a byte.
    let length = [u8::try_from(domain.len()).unwrap_or(u8::MAX)];
    [&length, domain.as_bytes(), genesis.as_bytes(), body].concat()
}

/// Signs `body` for one purpose in one network.
///
/// # Panics
/// If the key is of another kind than Ed25519, which [`super::Machine::new`] refuses.
pub(crate) fn sign(keypair: &Keypair, domain: &str, genesis: &GenesisId, body: &[u8]) -> Signature {
    let signature = keypair.sign(&text(domain, genesis, body)).expect("an Ed25519 key signs");
    signature.try_into().expect("an Ed25519 signature has 64 bytes")
}

/// Whether `signature` is that of `key` under this `body`.
pub(crate) fn verify(
    key: &Key,
    domain: &str,
    genesis: &GenesisId,
    body: &[u8],
    signature: &Signature,
) -> bool {
    ed25519::PublicKey::try_from_bytes(&key.0)
        .is_ok_and(|key| PublicKey::from(key).verify(&text(domain, genesis, body), signature))
}
