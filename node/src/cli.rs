//! The command line: `hearsay run` is a node, everything else asks one or works on files.
//!
//! Data goes to stdout, talk to stderr, and the exit code says what happened (see [`Failure`]).

mod account;
mod block;
mod console;
mod db;
mod evidence;
mod external;
mod failure;
mod genesis;
mod key;
mod members;
mod mempool;
mod node;
mod peer;
mod peers;
mod progress;
mod run;
mod status;
mod tx;
mod tx_fee;
mod tx_send;
mod wait;
mod who;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::console::Console;
pub use self::failure::Failure;
use crate::bench::Bench;

const EXAMPLES: &str = "\
A network of one node, from nothing:
  hearsay key new alice
  hearsay genesis new --name demo --authority alice --alloc alice=1000000 --out demo.toml
  hearsay run --genesis demo.toml --authority-key alice

And in another terminal:
  hearsay key new bob
  hearsay tx send --from alice --to bob --amount 10 --wait final
  hearsay account bob

`hearsay testnet` runs and measures a whole network on this machine, if hearsay-testnet is
installed beside hearsay.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 node unreachable, 4 rejected, refused or dropped by the
node, 5 timed out; 10 to 20 a node's data directory cannot be opened (see `hearsay run --help`).";

/// Spreads signed transactions and blocks among peers, and shows how they spread.
#[derive(Debug, Parser)]
#[command(name = "hearsay", version, after_help = EXAMPLES, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    // Boxed: it has many times the settings of any other.
    Run(Box<run::Run>),
    #[command(subcommand)]
    Key(key::Key),
    #[command(subcommand)]
    Tx(tx::Tx),
    Account(account::Account),
    Block(block::Block),
    Status(status::Status),
    Peers(peers::Peers),
    #[command(subcommand)]
    Peer(peer::Peer),
    Members(members::Members),
    Mempool(mempool::Mempool),
    Evidence(evidence::Evidence),
    #[command(subcommand)]
    Genesis(genesis::Genesis),
    #[command(subcommand)]
    Bench(Bench),
    #[command(subcommand)]
    Db(db::Db),
    #[command(external_subcommand)]
    External(Vec<OsString>),
}

/// Runs the command that the process was started with, to its end.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` comes this way too. A closed pipe is no reason to fail.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1));
        }
    };
    let (mut out, mut talk) = (std::io::stdout().lock(), std::io::stderr());
    let mut console = Console::new(&mut out, &mut talk);
    match cli.command.execute(&mut console) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            console.say(format_args!("{}", failure.told()));
            ExitCode::from(failure.exit_code())
        }
    }
}

impl Command {
    fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        match self {
            Command::Run(run) => run.execute(),
            Command::Key(key) => key.execute(console),
            Command::Genesis(genesis) => genesis.execute(console),
            Command::Bench(bench) => {
                bench.run().map_err(|error| Failure::Failed(format!("{error:#}")))
            }
            Command::Db(db) => db.execute(console),
            Command::External(words) => external::execute(words),
            Command::Tx(tx) => node::block_on(tx.execute(console)),
            Command::Account(account) => node::block_on(account.execute(console)),
            Command::Block(block) => node::block_on(block.execute(console)),
            Command::Status(status) => node::block_on(status.execute(console)),
            Command::Peer(peer) => node::block_on(peer.execute(console)),
            Command::Peers(peers) => node::block_on(peers.execute(console)),
            Command::Members(members) => node::block_on(members.execute(console)),
            Command::Mempool(mempool) => node::block_on(mempool.execute(console)),
            Command::Evidence(evidence) => node::block_on(evidence.execute(console)),
        }
    }
}

#[cfg(test)]
mod tests;
