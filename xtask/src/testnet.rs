//! `cargo xtask testnet`: everything from a fresh clone to a running testnet.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::cargo::{self, BUILD};
use crate::failure::Failure;
use crate::setup;

/// Builds the programs, then becomes `hearsay-testnet local ARGUMENTS`.
///
/// It is replaced by the testnet rather than waiting for it, so that signals, the terminal and the
/// exit code are the testnet's own: an interrupt reaches it alone, and it shuts its nodes down.
pub(crate) fn run(arguments: &[OsString]) -> Result<(), Failure> {
    setup::run()?;
    cargo::announce_rocksdb()?;
    cargo::run("cargo build", cargo::cargo().args(BUILD))?;
    let program = cargo::programs()?.join("hearsay-testnet");
    let error = Command::new(&program).arg("local").args(arguments).exec();
    Err(Failure::new(format!("xtask: {} did not start: {error}", program.display())))
}
