//! `hearsay run`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use hearsay_chain::Rules;
use tracing_subscriber::EnvFilter;

use super::failure::Failure;
use super::progress::Bar;
use super::who::Home;
use crate::config::{self, Flags, Settings};
use crate::{genesis_file, start};

const EXAMPLES: &str = "\
Examples:
  hearsay run --genesis demo.toml
  hearsay run --config node.toml --log debug
  hearsay run --data-dir b --listen /ip4/0.0.0.0/tcp/7701 --rpc 127.0.0.1:7781 \\
    --genesis demo.toml --bootstrap /ip4/127.0.0.1/tcp/7700

Every setting may stand in the TOML file too, as in:
  name = \"b\"
  listen = [\"/ip4/0.0.0.0/tcp/7701\"]
  [gossip]
  mesh = 6
A flag covers an environment variable, and that covers the file.

Exit codes when the data directory keeps the node from starting, with nothing in it changed: 10 open
in another node, 11 holds something else, 12 damaged, 13 of a newer program, 14 of another network,
15 permission denied, 16 mounted read-only, 17 disk full, 18 the disk failed.";

/// Run a node until it is interrupted
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Run {
    /// A TOML file of settings
    #[arg(long, env = "HEARSAY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Stop when standard input ends, so that whoever started the node cannot leave it behind
    #[arg(long)]
    exit_with_stdin: bool,
    /// Start a new node from a snapshot, which is verified in full and then copied
    #[arg(long, value_name = "DIR")]
    snapshot: Option<PathBuf>,
    #[command(flatten)]
    home: Home,
    #[command(flatten)]
    flags: Flags,
}

impl Run {
    pub(super) fn execute(self) -> Result<(), Failure> {
        let settings = self.settings()?;
        log_to_stderr(&settings.log)?;
        if let Some(snapshot) = &self.snapshot {
            start_from(snapshot, &settings)?;
        }
        tokio::runtime::Runtime::new()
            .map_err(|error| Failure::Failed(format!("cannot start: {error}")))?
            .block_on(crate::run::run(settings, self.exit_with_stdin))
            .map_err(|error| Failure::of_run(&error))
    }

    fn settings(&self) -> Result<Settings, Failure> {
        // Without a home directory a node still runs, if it is told where its data is.
        let home = self.home.path().ok();
        let mut settings = config::load(self.config.as_deref(), &self.flags, home)?;
        if let Some(key) = &settings.authority_key {
            let key = key.to_str().map(|key| self.home.key_file(key)).transpose()?;
            settings.authority_key = key.or(settings.authority_key);
        }
        Ok(settings)
    }
}

fn start_from(snapshot: &Path, settings: &Settings) -> Result<(), Failure> {
    let rules = Rules::new(genesis_file::read(&settings.genesis)?);
    let bar = Bar::counting(Some(0));
    let audit = start::from_snapshot(snapshot, &settings.data_dir, &rules, &mut |progress| {
        bar.audit(progress);
    });
    drop(bar);
    let audit = audit.map_err(|error| Failure::Failed(error.to_string()))?;
    tracing::info!(
        snapshot = %snapshot.display(),
        blocks = audit.blocks,
        transactions = audit.transactions,
        signatures = audit.signatures,
        "the snapshot is sound and in place"
    );
    Ok(())
}

/// Sends the log to stderr, in colour only where a person can see it.
fn log_to_stderr(filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failure::Usage(format!("log is {filter:?}, which is no filter: {error}"))
    })?;
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let colours = std::io::stderr().is_terminal()
        && set("NO_COLOR").is_none()
        && set("TERM").is_none_or(|terminal| terminal != "dumb");
    // Fails only where a log is set up already; then that one is as good.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colours)
        .with_writer(std::io::stderr)
        .try_init();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(home: &std::path::Path, authority: &str) -> Result<Settings, Failure> {
        let flags = Flags { authority_key: Some(authority.into()), ..Flags::default() };
        Run { config: None, exit_with_stdin: false, snapshot: None, home: Home::at(home), flags }
            .settings()
    }

    #[test]
    fn the_authority_key_is_a_name_or_a_path() {
        let home = std::path::Path::new("/h");
        let key = |authority| settings(home, authority).unwrap().authority_key.unwrap();
        assert_eq!(key("alice"), home.join("keys/alice.pem"));
        assert_eq!(key("other/alice.pem"), std::path::Path::new("other/alice.pem"));
        assert_eq!(settings(home, "no such").unwrap_err().exit_code(), 2);
    }

    #[test]
    fn the_data_is_below_the_home_directory() {
        let settings = settings(std::path::Path::new("/h"), "a").unwrap();
        assert_eq!(settings.data_dir, std::path::Path::new("/h/data"));
    }

    #[test]
    fn a_filter_that_is_none_is_wrong_usage() {
        assert_eq!(log_to_stderr("a=b=c").unwrap_err().exit_code(), 2);
    }
}
