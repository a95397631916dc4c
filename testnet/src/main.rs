//! `hearsay-testnet`.

use std::fmt::Display;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use hearsay_testnet::cli::{Cli, Command, LocalArgs, ReportArgs, WhereArgs, format};
use hearsay_testnet::{local, out_dir, output, report, where_is};

/// The exit code of wrong usage, which clap has too.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Local(arguments) => return run_local(arguments),
        Command::Report(arguments) => run_report(arguments),
        Command::Where(arguments) => run_where(arguments),
    };
    done.map_or_else(|error| failed(format!("{error:#}")), |()| ExitCode::SUCCESS)
}

fn run_local(arguments: LocalArgs) -> ExitCode {
    let options = match arguments.options() {
        Ok(options) => options,
        Err(sentence) => {
            eprintln!("error: {sentence}");
            return ExitCode::from(USAGE);
        }
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(error),
    };
    runtime.block_on(local::run(&options)).map_or_else(failed, |()| ExitCode::SUCCESS)
}

fn run_report(arguments: ReportArgs) -> anyhow::Result<()> {
    let dir = out_dir::existing(arguments.dir)?;
    let report = report::build(&dir)?;
    report::write(&dir, &report).with_context(|| format!("cannot write into {}", dir.display()))?;
    Ok(output::report(&report, format(arguments.json))?)
}

fn run_where(arguments: WhereArgs) -> anyhow::Result<()> {
    let dir = out_dir::existing(arguments.dir)?;
    let whereabouts = where_is::find(&dir, &arguments.id)?;
    Ok(output::whereabouts(&whereabouts, format(arguments.json))?)
}

fn failed(error: impl Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}
