//! `hearsay db`: the store of a node, looked at and worked on.

mod check;
mod export;
mod import;
mod revert;
mod snapshot;
mod stats;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hearsay_chain::archive::ArchiveError;
use hearsay_chain::store::RocksStore;
use hearsay_chain::{Chain, Genesis, Rules, StoreError};

use super::console::Console;
use super::failure::Failure;
use super::node;
use super::who::Home;
use crate::config::{self, Flags, Settings};
use crate::genesis_file;
use crate::run::{store_options, store_path};

/// Check, measure, copy and take back the chain on disk
#[derive(Debug, Subcommand)]
pub(super) enum Db {
    Check(check::Check),
    Stats(stats::Stats),
    Export(export::Export),
    Import(import::Import),
    Revert(revert::Revert),
    Snapshot(snapshot::Snapshot),
}

impl Db {
    pub(super) fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        match self {
            Db::Check(check) => check.execute(console),
            Db::Stats(stats) => stats.execute(console),
            Db::Export(export) => export.execute(console),
            Db::Import(import) => import.execute(console),
            Db::Revert(revert) => revert.execute(console),
            Db::Snapshot(snapshot) => node::block_on(snapshot.execute(console)),
        }
    }
}

/// Which store is meant: found as `hearsay run` finds it.
#[derive(Args, Clone, Debug)]
struct Place {
    /// A TOML file of settings, as `hearsay run` takes it
    #[arg(long, env = "HEARSAY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    home: Home,
    /// The directory that holds the chain [default: ~/.hearsay/data]
    #[arg(long, env = "HEARSAY_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The network's genesis file [default: DATA_DIR/genesis.toml]
    #[arg(long, env = "HEARSAY_GENESIS", value_name = "FILE")]
    genesis: Option<PathBuf>,
}

impl Place {
    fn settings(&self) -> Result<Settings, Failure> {
        let flags = Flags {
            data_dir: self.data_dir.clone(),
            genesis: self.genesis.clone(),
            ..Flags::default()
        };
        Ok(config::load(self.config.as_deref(), &flags, self.home.path().ok())?)
    }

    fn find(&self) -> Result<Found, Failure> {
        let settings = self.settings()?;
        let genesis = genesis_file::read(&settings.genesis)?;
        let path = store_path(&settings.data_dir);
        Ok(Found { settings, rules: Rules::new(genesis), path })
    }
}

/// A store that was found, and what it is read with.
struct Found {
    settings: Settings,
    rules: Rules,
    path: PathBuf,
}

impl Found {
    /// The same network's store elsewhere, such as a snapshot.
    fn or_at(self, path: Option<PathBuf>) -> Self {
        Self { path: path.unwrap_or(self.path), ..self }
    }

    fn genesis(&self) -> &Genesis {
        self.rules.genesis()
    }

    /// Opens it to read, and changes nothing in its directory.
    fn read(&self) -> Result<RocksStore, Failure> {
        if RocksStore::is_open_elsewhere(&self.path) {
            return Err(in_use(&self.path));
        }
        Ok(RocksStore::open_read_only(&self.path, self.rules.id(), store_options())?)
    }

    /// Opens it to change it; a new one is made if there is none and `create` is set.
    fn chain(&self, create: bool) -> Result<Chain<RocksStore>, Failure> {
        if !create {
            // Else a wrong path would become an empty store.
            drop(RocksStore::open_read_only(&self.path, self.rules.id(), store_options())?);
        }
        let store = RocksStore::open(&self.path, self.rules.id(), store_options())?;
        Ok(Chain::open(store, self.genesis().clone())?)
    }
}

fn in_use(path: &Path) -> Failure {
    Failure::Failed(format!(
        "{}: a running node has the store open: take a snapshot with `hearsay db snapshot` and \
         name its directory, or stop the node",
        path.display()
    ))
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Failure::Failed(error.to_string())
    }
}

/// What went wrong with an archive, with the file's name before it.
fn named(file: &str, error: ArchiveError) -> Failure {
    match error {
        ArchiveError::Io(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            Failure::NobodyReads
        }
        ArchiveError::Store(error) => error.into(),
        error => Failure::Failed(format!("{file}: {error}")),
    }
}

/// Whether a path stands for standard input or output.
fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn cannot(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    let text = format!("cannot {what} {}", path.display());
    move |error| Failure::Failed(format!("{text}: {error}"))
}
