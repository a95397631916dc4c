//! The names of things: 32-byte hashes, each kind a type of its own.

use std::fmt;
use std::str::FromStr;

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// A text that is not an id or an address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseIdError {
    /// Not 64 hex digits.
    #[error("expected {expected} hex digits, found {found:?}")]
    Hex {
        /// How many digits the id has.
        expected: usize,
        /// The text, cut to 80 characters.
        found: String,
    },
    /// Not an address: wrong prefix, length, character or checksum.
    #[error("not an address (hs1…): {0}")]
    Address(String),
}

impl ParseIdError {
    fn hex(expected: usize, found: &str) -> Self {
        Self::Hex { expected, found: found.chars().take(80).collect() }
    }
}

/// Text form through `Display` and `FromStr`, for TOML and JSON.
macro_rules! serde_as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as Deserialize>::deserialize(deserializer)?
                    .parse()
                    .map_err(de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;

/// A newtype over `N` bytes whose text form is lower-case hex.
macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), hex::encode(&self.0[..4]))
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let mut bytes = [0; $len];
                hex::decode_to_slice(text, &mut bytes)
                    .map_err(|_| ParseIdError::hex(2 * $len, text))?;
                Ok(Self(bytes))
            }
        }

        serde_as_text!($name);
    };
}

hex_id! {
    /// Names a transaction: SHA-256 over its whole encoding, signature included, so that a block's
    /// root commits to the exact bytes.
    TxId, 32
}
hex_id! {
    /// Names a block: SHA-256 over its header, signature included.
    BlockId, 32
}
hex_id! {
    /// Names a network: SHA-256 over everything in its genesis.
    GenesisId, 32
}
hex_id! {
    /// The first eight bytes of a [`GenesisId`]: what transactions and headers carry, so that
    /// neither is valid on another network.
    ChainId, 8
}

impl From<GenesisId> for ChainId {
    fn from(id: GenesisId) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = id.0;
        Self([a, b, c, d, e, f, g, h])
    }
}

/// The human-readable part of an address.
const ADDRESS_PREFIX: bech32::Hrp = bech32::Hrp::parse_unchecked("hs");

/// Holds an account: the hash of a public key. Its text form is bech32m with the prefix `hs`
/// (BIP 350), which catches typing errors.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Address(pub [u8; 32]);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bech32::encode_lower_to_fmt::<bech32::Bech32m, _>(f, ADDRESS_PREFIX, &self.0)
            .map_err(|_| fmt::Error)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", hex::encode(&self.0[..4]))
    }
}

impl FromStr for Address {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let checked = bech32::primitives::decode::CheckedHrpstring::new::<bech32::Bech32m>(text)
            .map_err(|error| ParseIdError::Address(error.to_string()))?;
        if checked.hrp() != ADDRESS_PREFIX {
            let found = checked.hrp().to_string().chars().take(20).collect::<String>();
            return Err(ParseIdError::Address(format!("its prefix is {found:?}, not \"hs\"")));
        }
        let bytes: Vec<u8> = checked.byte_iter().collect();
        let bytes = bytes
            .try_into()
            .map_err(|_| ParseIdError::Address("its length is not 32 bytes".to_owned()))?;
        Ok(Self(bytes))
    }
}

serde_as_text!(Address);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_and_back_is_the_same_id(bytes: [u8; 32]) {
            prop_assert_eq!(TxId(bytes).to_string().parse(), Ok(TxId(bytes)));
            prop_assert_eq!(Address(bytes).to_string().parse(), Ok(Address(bytes)));
        }

        #[test]
        fn any_text_is_parsed_or_refused_without_panic(text: String) {
            let _ = text.parse::<Address>();
            let _ = text.parse::<BlockId>();
        }

        #[test]
        fn one_wrong_character_in_an_address_is_noticed(bytes: [u8; 32], at in 3usize..60) {
            let text = Address(bytes).to_string();
            let wrong = if text.as_bytes()[at] == b'q' { "p" } else { "q" };
            let mut changed = text.clone();
            changed.replace_range(at..=at, wrong);
            prop_assert!(changed.parse::<Address>().is_err());
        }
    }

    #[test]
    fn an_address_of_another_prefix_is_refused() {
        let other = bech32::encode::<bech32::Bech32m>(bech32::Hrp::parse("bc").unwrap(), &[0; 32]);
        let error = other.unwrap().parse::<Address>().unwrap_err();
        assert!(error.to_string().contains("\"bc\""), "{error}");
    }
}
