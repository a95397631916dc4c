//! `hearsay key`.

use std::path::Path;

use clap::{Args, Subcommand};
use hearsay_chain::{Address, Keypair, PublicKey};
use serde::Serialize;

use super::console::{Console, Facts, table};
use super::failure::Failure;
use super::who::Home;
use crate::keyfile;

const EXAMPLES: &str = "\
Examples:
  hearsay key new alice          # writes ~/.hearsay/keys/alice.pem
  hearsay key new ./node-a.pem   # anything with a / or ending in .pem is a file
  hearsay key address alice

A key made by `openssl genpkey -algorithm ed25519` works too, once its mode is 600.";

/// Make and list the keys that sign transactions and blocks
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum Key {
    /// Make a key
    New {
        #[command(flatten)]
        key: One,
        /// Replace the key of this name, which is then lost
        #[arg(long)]
        force: bool,
    },
    /// Show a key's address, public key and file
    Show(One),
    /// List the keys in the key directory
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        home: Home,
    },
    /// Print a key's address, and nothing else
    Address(One),
}

#[derive(Args, Debug)]
pub(super) struct One {
    /// The key's name, or its file
    #[arg(value_name = "KEY")]
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: Home,
}

/// What may be told of a key.
#[derive(Serialize)]
struct Public {
    name: String,
    address: Address,
    public_key: PublicKey,
    file: String,
}

impl Public {
    fn of(name: &str, key: &Keypair, file: &Path) -> Self {
        Self {
            name: name.to_owned(),
            address: key.address(),
            public_key: key.public(),
            file: file.display().to_string(),
        }
    }

    fn facts(&self) -> String {
        Facts::default()
            .with("name", &self.name)
            .with("address", self.address)
            .with("public key", self.public_key)
            .with("file", &self.file)
            .to_string()
    }
}

impl Key {
    pub(super) fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        match self {
            Key::New { key: One { name, json, home }, force } => {
                let file = home.key_file(&name)?;
                let key = keyfile::generate()?;
                keyfile::save(&file, &key, force)?;
                console.show(json, &Public::of(&name, &key, &file), Public::facts)
            }
            Key::Show(One { name, json, home }) => {
                let file = home.key_file(&name)?;
                let public = Public::of(&name, &keyfile::load(&file)?, &file);
                console.show(json, &public, Public::facts)
            }
            Key::Address(One { name, json, home }) => {
                console.show(json, &home.key(&name)?.address(), Address::to_string)
            }
            Key::List { json, home } => list(json, &home, console),
        }
    }
}

/// A key that cannot be read is told of, and does not hide the others.
fn list(json: bool, home: &Home, console: &mut Console<'_>) -> Result<(), Failure> {
    let directory = home.keys()?;
    let mut keys = Vec::new();
    for name in keyfile::list(&directory)? {
        let file = keyfile::locate(&directory, &name)?;
        match keyfile::load(&file) {
            Ok(key) => keys.push(Public::of(&name, &key, &file)),
            Err(error) => console.say(format_args!("warning: {error}")),
        }
    }
    if keys.is_empty() {
        console.say(format_args!("no keys in {}", directory.display()));
    }
    console.show(json, &keys, |keys| {
        if keys.is_empty() {
            return String::new();
        }
        let rows: Vec<_> =
            keys.iter().map(|key| [key.name.clone(), key.address.to_string()]).collect();
        table(["NAME", "ADDRESS"], &rows)
    })
}
