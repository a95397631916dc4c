//! The genesis file: one TOML file, the same at every node.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hearsay_chain::Genesis;
use hearsay_chain::genesis::GenesisError;
use thiserror::Error;

use crate::config::read_toml;

/// Why a genesis file could not be read or written.
#[derive(Debug, Error)]
pub enum GenesisFileError {
    /// It cannot be read, or is not a genesis in TOML.
    #[error("{0}")]
    File(String),
    /// It is a genesis that no network can run by.
    #[error("{}: {error}; every node needs the same file, so change it before the first start", .path.display())]
    Rule {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: GenesisError,
    },
    /// There is a file of this name already.
    #[error(
        "{} exists already; --force replaces it, and nodes that run by it then belong to another \
         network",
        .0.display()
    )]
    Exists(PathBuf),
    /// The operating system refused.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A value that TOML cannot hold.
    #[error("the genesis cannot be written as TOML: {0}")]
    Encode(#[from] toml::ser::Error),
}

/// Reads a genesis, and checks that a network can run by it.
///
/// # Errors
/// One sentence for the file's author, with line and column where there is one.
pub fn read(path: &Path) -> Result<Genesis, GenesisFileError> {
    let genesis: Genesis = read_toml(path, "--genesis, or make one with `hearsay genesis new`")
        .map_err(|mistake| GenesisFileError::File(mistake.to_string()))?;
    genesis.check().map_err(|error| GenesisFileError::Rule { path: path.to_owned(), error })?;
    Ok(genesis)
}

/// The text of a genesis file.
///
/// # Errors
/// A value that TOML cannot hold.
pub fn encode(genesis: &Genesis) -> Result<String, GenesisFileError> {
    Ok(format!(
        "# The genesis of a Hearsay network: the same file at every node.\n# Its id is {}.\n\n{}",
        genesis.id(),
        toml::to_string(genesis)?
    ))
}

/// Writes a genesis file.
///
/// # Errors
/// [`GenesisFileError::Exists`] unless `replace`; an operating system that refuses.
pub fn write(path: &Path, genesis: &Genesis, replace: bool) -> Result<(), GenesisFileError> {
    let text = encode(genesis)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).create_new(!replace);
    options.open(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(|source| {
        match source.kind() {
            io::ErrorKind::AlreadyExists => GenesisFileError::Exists(path.to_owned()),
            _ => GenesisFileError::Write { path: path.to_owned(), source },
        }
    })
}

#[cfg(test)]
mod tests {
    use hearsay_chain::Keypair;
    use hearsay_chain::genesis::{Limits, Schedule};

    use super::*;

    fn genesis() -> Genesis {
        let key = Keypair::from_seed(&[1; 32]);
        Genesis {
            name: "test \"net\"".to_owned(),
            time_ms: 1_700_000_000_000,
            slot_ms: 1_000,
            schedule: Schedule::RoundRobin,
            authorities: vec![key.public()],
            limits: Limits::default(),
            allocations: [(key.address(), u64::MAX)].into(),
        }
    }

    fn refused(text: &str) -> String {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("genesis.toml");
        std::fs::write(&path, text).unwrap();
        read(&path).unwrap_err().to_string()
    }

    #[test]
    fn a_written_genesis_is_read_again_with_the_same_id() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("genesis.toml");
        write(&path, &genesis(), false).unwrap();
        assert_eq!(read(&path).unwrap(), genesis());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(&genesis().id().to_string()), "{text}");
    }

    #[test]
    fn a_genesis_is_replaced_only_on_demand() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("genesis.toml");
        write(&path, &genesis(), false).unwrap();
        let other = Genesis { slot_ms: 500, ..genesis() };
        let refused = write(&path, &other, false).unwrap_err();
        assert!(refused.to_string().contains("--force"), "{refused}");
        assert_eq!(read(&path).unwrap(), genesis());
        write(&path, &other, true).unwrap();
        assert_eq!(read(&path).unwrap(), other);
    }

    #[test]
    fn a_missing_genesis_says_how_to_make_one() {
        let missing = read(Path::new("/nonexistent/genesis.toml")).unwrap_err().to_string();
        assert!(missing.contains("hearsay genesis new"), "{missing}");
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        let text = encode(&genesis()).unwrap();
        let unknown = refused(&text.replace("slot_ms", "slot_sm"));
        assert!(unknown.contains("unknown key `slot_sm`; did you mean `slot_ms`?"), "{unknown}");
        assert!(unknown.contains("genesis.toml:6:1:"), "{unknown}");
        let cut = refused("name = \"a\"\n");
        assert!(cut.contains("missing field `time_ms`"), "{cut}");
        let syntax = refused("name = \n");
        assert!(syntax.contains("genesis.toml:1:"), "{syntax}");
        let key = refused(&text.replace("hs1", "hx1"));
        assert!(key.contains("not an address"), "{key}");
    }

    #[test]
    fn a_genesis_that_no_network_can_run_by_is_refused() {
        let text = encode(&genesis()).unwrap();
        let slot = refused(&text.replace("slot_ms = 1000", "slot_ms = 1"));
        assert!(slot.contains("slot_ms is 1; it must be 10 to 3600000"), "{slot}");
    }
}
