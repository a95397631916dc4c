//! Parameters with a text form of their own.

use std::fmt;
use std::str::FromStr;

use hearsay_chain::BlockId;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::api::BlockRef;

/// Bytes, in text as hex.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HexBytes(pub Vec<u8>);

impl FromStr for HexBytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        hex::decode(text).map(Self).map_err(|error| format!("not hex: {error}"))
    }
}

impl Serialize for HexBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as Deserialize>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A [`BlockRef`] in text: `latest`, a height or an id; in JSON a height may be a number too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockSelector(pub BlockRef);

impl FromStr for BlockSelector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "latest" {
            return Ok(Self(BlockRef::Latest));
        }
        // An id may happen to have digits alone; no height has nearly as many.
        if text.len() == 64 {
            return text.parse::<BlockId>().map(BlockRef::Id).map(Self).map_err(|e| e.to_string());
        }
        text.parse()
            .map(BlockRef::Height)
            .map(Self)
            .map_err(|_| "a block is `latest`, a height, or an id of 64 hex digits".to_owned())
    }
}

impl fmt::Display for BlockSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            BlockRef::Latest => f.write_str("latest"),
            BlockRef::Height(height) => height.fmt(f),
            BlockRef::Id(id) => id.fmt(f),
        }
    }
}

impl Serialize for BlockSelector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlockSelector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a block is \"latest\", a height or an id")]
        enum Form {
            Height(u64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Height(height) => Ok(Self(BlockRef::Height(height))),
            Form::Text(text) => text.parse().map_err(de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn a_block_is_latest_a_height_or_an_id() {
        let digits = "1".repeat(64);
        for (json, expected) in [
            (json!("latest"), BlockRef::Latest),
            (json!(7), BlockRef::Height(7)),
            (json!("7"), BlockRef::Height(7)),
            (json!(digits), BlockRef::Id(BlockId([0x11; 32]))),
        ] {
            let selector: BlockSelector = from_value(json).unwrap();
            assert_eq!(selector, BlockSelector(expected));
            assert_eq!(from_value::<BlockSelector>(to_value(selector).unwrap()).unwrap(), selector);
        }
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for wrong in [json!("last"), json!(-1), json!(""), json!("z".repeat(64)), json!([1])] {
            assert!(from_value::<BlockSelector>(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn bytes_are_hex_in_text() {
        let bytes = HexBytes(vec![0, 255]);
        assert_eq!(to_value(&bytes).unwrap(), json!("00ff"));
        assert_eq!(from_value::<HexBytes>(json!("00FF")).unwrap(), bytes);
        assert!(from_value::<HexBytes>(json!("0x00")).is_err());
        assert!(from_value::<HexBytes>(json!("0")).is_err());
    }
}
