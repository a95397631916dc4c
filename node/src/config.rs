//! The settings of `hearsay run`: a flag, else an environment variable, else the TOML file, else a
//! default.
//!
//! All layers become TOML tables and are laid over each other by one function; the result is read
//! once, as [`Settings`]. A setting is thus named in two places, in [`Settings`] and in [`Flags`],
//! and a test holds the two together.

mod flags;
mod layers;
mod members;
mod mempool;
mod settings;
mod toml_text;

use std::path::{Path, PathBuf};

use thiserror::Error;

pub use self::flags::{Flags, GossipFlags, PeerFlags};
pub(crate) use self::members::about;
pub use self::members::{Discovery, DiscoveryFlags, Forward, Members, MembersFlags};
pub use self::mempool::{Mempool, MempoolFlags};
pub use self::settings::{Gossip, LEAST_BODIES, Peers, Settings};
pub(crate) use self::toml_text::{Mistake, nearest, read_toml};

/// Settings that no node can run by.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read or is not what it must be.
    #[error("{0}")]
    File(String),
    /// A flag or variable has a value that no file could hold.
    #[error("a setting cannot be used: {0}")]
    Value(String),
    /// There is no home directory, so the data has no place by default.
    #[error("there is no home directory; say with --data-dir where the node keeps its data")]
    NoHome,
    /// Two settings do not fit together, or one is out of range.
    #[error("{0}")]
    Range(String),
}

/// The settings that result from `flags` (which hold the environment's too), the TOML file and the
/// defaults. `home` is the directory that holds the data by default.
///
/// # Errors
/// A file or a combination of values that no node can run by, as a sentence for its author.
pub fn load(
    file: Option<&Path>,
    flags: &Flags,
    home: Option<PathBuf>,
) -> Result<Settings, ConfigError> {
    let file = match file {
        Some(path) => {
            let read = read_toml::<Settings>(path, "--config");
            // Read as settings first, so that a mistake is told with its line; then as a table,
            // which knows what the file leaves out.
            read.and_then(|_| read_toml::<toml::Table>(path, "--config"))
                .map_err(|mistake: Mistake| ConfigError::File(mistake.to_string()))?
        }
        None => toml::Table::new(),
    };
    let flags =
        toml::Table::try_from(flags).map_err(|error| ConfigError::Value(error.to_string()))?;
    let merged = layers::with_paths(layers::over(file, flags), home)?;
    let settings: Settings =
        merged.try_into().map_err(|error| ConfigError::Value(error.message().to_owned()))?;
    settings.check()?;
    Ok(settings)
}

#[cfg(test)]
mod tests;
