//! Set-up and the two commands of the README, as `cargo xtask …`.
//!
//! It has no dependency, so that it is built in seconds and can prepare the machine before the
//! first crate that needs preparing (RocksDB's bindings, see [`setup`]) is compiled.

mod apt;
mod boundaries;
mod cargo;
mod checks;
mod failure;
mod libclang;
mod local_config;
mod setup;
mod testnet;
mod wheel;

use std::ffi::OsString;
use std::process::ExitCode;

use failure::Failure;

const USAGE: &str = "\
Usage: cargo xtask <COMMAND>

Commands:
  testnet [ARGS…]  Build everything and run a local testnet; ARGS go to `hearsay-testnet local`
  test             Check format, crate boundaries, lints and documentation, then run every test
  setup            Find or install libclang, which RocksDB's bindings need; the others run it first

Exit codes: 0 done, 2 wrong usage, otherwise that of the step or program that failed.
";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            failure.code()
        }
    }
}

fn run(arguments: &[OsString]) -> Result<(), Failure> {
    let Some((command, rest)) = arguments.split_first() else {
        print!("{USAGE}");
        return Ok(());
    };
    match command.to_str() {
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            Ok(())
        }
        Some("testnet") => testnet::run(rest),
        Some("setup") => no_more(rest).and_then(|()| setup::run()),
        Some("test") => no_more(rest).and_then(|()| checks::run()),
        _ => Err(Failure::usage(format!(
            "no such command: {}\n\n{USAGE}",
            command.to_string_lossy()
        ))),
    }
}

fn no_more(rest: &[OsString]) -> Result<(), Failure> {
    match rest.first() {
        None => Ok(()),
        Some(extra) => Err(Failure::usage(format!(
            "unexpected argument: {}\n\n{USAGE}",
            extra.to_string_lossy()
        ))),
    }
}
