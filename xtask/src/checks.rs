//! `cargo xtask test`: what has to hold before a change goes in, the quick checks first.

use std::process::Command;
use std::time::Instant;

use crate::boundaries;
use crate::cargo::{self, BUILD};
use crate::failure::Failure;
use crate::setup;

/// Runs every step in turn and stops at the first that fails.
pub(crate) fn run() -> Result<(), Failure> {
    let start = Instant::now();
    step("set-up", setup::run)?;
    cargo_step("format", &["fmt", "--all", "--check"])?;
    step("crate boundaries", boundaries::check)?;
    // Alone, so that the features they do without are really absent.
    cargo_step(
        "pure crates alone",
        &["clippy", "-p", "hearsay-chain", "-p", "hearsay-mempool", "--", "-D", "warnings"],
    )?;
    cargo::announce_rocksdb()?;
    cargo_step("clippy", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    step("documentation", || cargo::run("cargo doc", &mut documentation()))?;
    // `cargo test` builds a package's programs only for that package's own tests; those that run
    // real nodes are in another.
    cargo_step("programs", BUILD)?;
    cargo_step("tests", &["test", "--workspace"])?;
    eprintln!("xtask: all passed in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// The targets are named, and examples with them, for the reason given at [`BUILD`]. The testnet's
/// program is left out, as cargo itself would: its pages would have the names of its library's.
fn documentation() -> Command {
    let mut command = cargo::cargo();
    command
        .args(["doc", "--workspace", "--no-deps"])
        .args(["--lib", "--bin", "hearsay", "--bin", "xtask", "--examples"])
        .env("RUSTDOCFLAGS", "-D warnings");
    command
}

fn cargo_step(name: &str, arguments: &[&str]) -> Result<(), Failure> {
    let what = format!("cargo {}", arguments[0]);
    step(name, || cargo::run(&what, cargo::cargo().args(arguments)))
}

fn step(name: &str, work: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    eprintln!("xtask: {name}");
    let start = Instant::now();
    let result = work();
    let seconds = start.elapsed().as_secs_f64();
    let how = if result.is_ok() { "passed" } else { "FAILED" };
    eprintln!("xtask: {name} {how} in {seconds:.1} s");
    result
}
