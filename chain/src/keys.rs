//! Keys, signatures, and the one place that decides whether a signature holds.
//!
//! Signing is ed25519-dalek's. The rule of validity is ZIP 215 (<https://zips.z.cash/zip-0215>),
//! checked by ed25519-zebra: under it, checking one signature and checking a batch always agree,
//! which RFC 8032 does not promise. Every path (gossip, block, RPC, sync) comes through
//! [`verify_all`], so that no two nodes and no two paths ever disagree.

use std::fmt;
use std::str::FromStr;

use borsh::{BorshDeserialize, BorshSerialize};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use ed25519_dalek::Signer;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use ed25519_zebra::batch;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::{Zeroize, Zeroizing};

use crate::hash::tagged;
use crate::ids::{Address, ParseIdError, serde_as_text};

/// An Ed25519 public key as it stands in a transaction or header. Its text form is hex.
///
/// The bytes need not be a point of the curve: then no signature by it holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// Whether a signature by this key proves anything. Under ZIP 215 a key of small order "signs"
    /// any message with a signature that anybody can write down, and bytes that are no point of
    /// the curve never sign.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        ed25519_dalek::VerifyingKey::from_bytes(&self.0).is_ok_and(|key| !key.is_weak())
    }

    /// The account that this key controls.
    #[must_use]
    pub fn address(&self) -> Address {
        Address(tagged("hearsay/address/1", &[&self.0]))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", hex::encode(&self.0[..4]))
    }
}

impl FromStr for PublicKey {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| ParseIdError::Hex {
            expected: 64,
            found: text.chars().take(80).collect(),
        })?;
        Ok(Self(bytes))
    }
}

serde_as_text!(PublicKey);

/// An Ed25519 signature: R and s, 32 bytes each.
#[derive(Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({}…)", hex::encode(&self.0[..4]))
    }
}

/// A private key. `Debug` shows its public half alone, and its memory is cleared on drop.
#[derive(Clone)]
pub struct Keypair(ed25519_dalek::SigningKey);

/// A file that is not an Ed25519 private key in PKCS#8 PEM. The text says what the reader found;
/// it never holds key material.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 private key in PKCS#8 PEM: {0}")]
pub struct KeyFormatError(String);

impl Keypair {
    /// The key of a 32-byte seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The 32-byte seed: as secret as the key.
    #[must_use]
    pub fn seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Reads PKCS#8 PEM, as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    /// Any other text.
    pub fn from_pem(pem: &str) -> Result<Self, KeyFormatError> {
        ed25519_dalek::SigningKey::from_pkcs8_pem(pem)
            .map(Self)
            .map_err(|error| KeyFormatError(error.to_string()))
    }

    /// Writes PKCS#8 PEM. The text is cleared from memory when dropped.
    ///
    /// # Panics
    /// Never: a key of fixed size always encodes.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        // Without the public half, as openssl writes it: openssl 3.0 does not read the longer form.
        let mut bytes = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        let pem = bytes.to_pkcs8_pem(LineEnding::LF).expect("a key of fixed size encodes");
        bytes.secret_key.zeroize();
        pem
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// The account that this key controls.
    #[must_use]
    pub fn address(&self) -> Address {
        self.public().address()
    }

    /// Signs a message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keypair({:?})", self.public())
    }
}

/// The claim that `key` signed `message`.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Who is said to have signed.
    pub key: PublicKey,
    /// What is said to be signed, with its domain.
    pub message: Vec<u8>,
    /// The proof.
    pub signature: Signature,
}

impl Claim {
    fn item(&self) -> batch::Item {
        let signature = ed25519_zebra::Signature::from_bytes(&self.signature.0);
        (self.key.0.into(), signature, &self.message).into()
    }
}

/// Below this many claims a single check each costs less than halving a failed batch would:
/// a batch of two saves nothing over two single checks.
const SMALLEST_BATCH: usize = 4;

/// Whether each claim holds under ZIP 215, in the order given.
///
/// All are checked as one batch; a batch that fails is halved until the culprits stand alone. A
/// batch costs about half of single checks, and k culprits among n add about 2·k·log₂ n checks of
/// parts.
#[must_use]
pub fn verify_all(claims: &[Claim]) -> Vec<bool> {
    let items: Vec<batch::Item> = claims.iter().map(Claim::item).collect();
    let mut holds = vec![true; claims.len()];
    let seed = batch_seed(claims);
    let mut open = Vec::new();
    open.push(0..claims.len());
    while let Some(range) = open.pop() {
        if range.len() < SMALLEST_BATCH {
            for at in range {
                holds[at] = items[at].clone().verify_single().is_ok();
            }
        } else if !batch_holds(&items[range.clone()], seed, range.start) {
            let middle = range.start + range.len() / 2;
            open.extend([range.start..middle, middle..range.end]);
        }
    }
    holds
}

/// Whether one claim holds under ZIP 215.
#[must_use]
pub fn verify(claim: &Claim) -> bool {
    claim.item().verify_single().is_ok()
}

/// The factors of a batch must be unknown to whoever made its signatures. They are drawn from a
/// hash over the whole batch (the Fiat-Shamir way, as ed25519-dalek's own batch does it), so that
/// checking needs no entropy and the same batch always gives the same answer.
fn batch_seed(claims: &[Claim]) -> [u8; 32] {
    let mut all = Vec::with_capacity(claims.len() * 128);
    for claim in claims {
        all.extend_from_slice(&claim.key.0);
        all.extend_from_slice(&claim.signature.0);
        all.extend_from_slice(&tagged("hearsay/batch/message/1", &[&claim.message]));
    }
    tagged("hearsay/batch/1", &[&all])
}

fn batch_holds(items: &[batch::Item], seed: [u8; 32], start: usize) -> bool {
    let part = [(start as u64).to_le_bytes(), (items.len() as u64).to_le_bytes()].concat();
    let mut verifier = batch::Verifier::new();
    for item in items {
        verifier.queue(item.clone());
    }
    verifier.verify(ChaCha20Rng::from_seed(tagged("hearsay/batch/part/1", &[&seed, &part]))).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claim(key: u8, text: &str) -> Claim {
        let keypair = Keypair::from_seed(&[key; 32]);
        let message = text.as_bytes().to_vec();
        let signature = keypair.sign(&message);
        Claim { key: keypair.public(), message, signature }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_batch_says_of_each_claim_what_a_single_check_says(
            wrong in prop::collection::vec(any::<bool>(), 0..40),
        ) {
            let claims: Vec<Claim> = wrong
                .iter()
                .enumerate()
                .map(|(at, wrong)| {
                    let mut claim = claim(at as u8 % 5, &at.to_string());
                    claim.signature.0[40] ^= u8::from(*wrong);
                    claim
                })
                .collect();
            let singles: Vec<bool> = claims.iter().map(verify).collect();
            prop_assert_eq!(&verify_all(&claims), &singles);
            prop_assert_eq!(singles, wrong.iter().map(|wrong| !wrong).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_batch_agrees_with_single_checks_on_points_of_small_order() {
        // The identity as key and R, with s = 0: valid under ZIP 215 for every message, refused by
        // stricter rules. What matters is that both ways of checking say the same.
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&identity);
        let odd = Claim {
            key: PublicKey(identity),
            message: b"any".to_vec(),
            signature: Signature(signature),
        };
        assert!(verify(&odd));
        assert_eq!(verify_all(&vec![odd; SMALLEST_BATCH]), vec![true; SMALLEST_BATCH]);
    }

    #[test]
    fn a_key_that_is_no_point_of_the_curve_signs_nothing() {
        let mut claim = claim(1, "a");
        // No x has this y: (y² - 1) / (d y² + 1) is not a square.
        claim.key.0 = [0; 32];
        claim.key.0[0] = 2;
        assert!(!claim.key.is_sound());
        assert!(!verify(&claim));
    }

    #[test]
    fn a_key_survives_its_file_format() {
        let keypair = Keypair::from_seed(&[7; 32]);
        let pem = keypair.to_pem();
        assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
        assert_eq!(pem.len(), 119, "as long as openssl's own");
        assert_eq!(Keypair::from_pem(&pem).unwrap().seed(), [7; 32]);
    }

    #[test]
    fn a_key_as_openssl_writes_it_is_read() {
        // RFC 8410, section 10.3: the example without attributes.
        let pem = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                   -----END PRIVATE KEY-----\n";
        let keypair = Keypair::from_pem(pem).unwrap();
        assert_eq!(
            keypair.public().to_string(),
            "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"
        );
    }

    #[test]
    fn debug_output_never_shows_the_secret() {
        let keypair = Keypair::from_seed(&[7; 32]);
        assert!(!format!("{keypair:?}").contains("0707"));
    }

    #[test]
    fn a_file_that_is_no_key_is_refused_with_the_reason() {
        assert!(Keypair::from_pem("garbage").is_err());
        assert!(Keypair::from_pem("").is_err());
    }
}
