//! `hearsay-storm`: kills a node a thousand times, and looks at its store each time.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use hearsay_tests::storm::{self, Options};

/// Kill a node under load again and again, a third of the times while it recovers and a quarter
/// while it reorganises, and check its store after each kill
#[derive(Parser)]
struct Args {
    /// How many kills
    #[arg(long, default_value_t = 1_000)]
    rounds: u64,
    /// What the random moments come from
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// The directory for the node [default: a temporary one, kept if something is wrong]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The longest that it may take, in minutes
    #[arg(long, default_value_t = 90)]
    limit_minutes: u64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let options = Options {
        rounds: args.rounds,
        seed: args.seed,
        dir: args.dir,
        limit: Duration::from_secs(args.limit_minutes * 60),
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("hearsay-storm: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let every = (args.rounds / 20).max(1);
    let result = runtime.block_on(storm::run(options, |tally| {
        if tally.kills() % every == 0 {
            eprintln!(
                "{:7.1} s  {} kills; hit {} recoveries and {} reorganisations; height {}",
                tally.wall.as_secs_f64(),
                tally.kills(),
                tally.recovery.hit,
                tally.reorg.hit,
                tally.ends.0
            );
        }
    }));
    match result.and_then(|tally| {
        println!("seed             {}", args.seed);
        println!("{tally}");
        tally.check_shares()
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hearsay-storm: {error:#}");
            ExitCode::FAILURE
        }
    }
}
