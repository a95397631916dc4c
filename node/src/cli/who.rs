//! Whose account is meant, and where keys are.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use hearsay_chain::{Address, Keypair, PublicKey};

use super::failure::Failure;
use crate::keyfile;

/// Where named keys are looked for.
#[derive(Args, Clone, Debug)]
pub(super) struct Home {
    /// The directory of this user's keys and data [default: ~/.hearsay]
    #[arg(long = "home", env = "HEARSAY_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
}

impl Home {
    #[cfg(test)]
    pub(super) fn at(home: &std::path::Path) -> Self {
        Self { home: Some(home.to_owned()) }
    }

    /// The directory itself.
    pub(super) fn path(&self) -> Result<PathBuf, Failure> {
        Ok(keyfile::home(self.home.as_deref())?)
    }

    /// The directory of named keys.
    pub(super) fn keys(&self) -> Result<PathBuf, Failure> {
        Ok(keyfile::directory(&self.path()?))
    }

    /// The file of a key, by its name or path.
    pub(super) fn key_file(&self, key: &str) -> Result<PathBuf, Failure> {
        if key.contains('/') || key.ends_with(".pem") {
            // A path needs no home directory.
            return Ok(PathBuf::from(key));
        }
        Ok(keyfile::locate(&self.keys()?, key)?)
    }

    /// The key itself, by its name or path.
    pub(super) fn key(&self, key: &str) -> Result<Keypair, Failure> {
        Ok(keyfile::load(&self.key_file(key)?)?)
    }

    /// The address that is meant.
    pub(super) fn address(&self, who: &Who) -> Result<Address, Failure> {
        match who {
            Who::Address(address) => Ok(*address),
            Who::Key(key) => Ok(self.key(key)?.address()),
        }
    }

    /// A public key: as hex, or that of a key by its name or path.
    pub(super) fn public_key(&self, key: &str) -> Result<PublicKey, Failure> {
        match key.parse() {
            Ok(key) => Ok(key),
            Err(_) => Ok(self.key(key)?.public()),
        }
    }
}

/// An address, or a key of one's own that has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Address(Address),
    Key(String),
}

impl FromStr for Who {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("hs1") && !text.ends_with(".pem") {
            return text.parse().map(Who::Address).map_err(|error| format!("{error}"));
        }
        Ok(Who::Key(text.to_owned()))
    }
}
