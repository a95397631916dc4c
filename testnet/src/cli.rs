//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use hearsay_chain::transaction::MAX_PAYLOAD_BYTES;
use jiff::SignedDuration;

use crate::cluster::Spec;
use crate::load::Schedule;
use crate::local::Options;
use crate::output::Format;

/// Each node is a process; more than these are beyond what one machine can run and measure.
const MOST_NODES: i64 = 200;

/// The connections that a node makes by itself, at its defaults.
const MOST_DEGREE: i64 = 50;

/// More senders than these say nothing that fewer would not.
const MOST_SENDERS: i64 = 10_000;

/// More transactions a second than these come close to what signing on one processor can do.
const MOST_RATE: f64 = 10_000.0;

/// Authorities unless asked otherwise, or as many as there are nodes: the least number of which one
/// may fail and the others still make blocks final.
const AUTHORITIES: usize = 4;

const EXAMPLES: &str = "\
Examples:
  hearsay-testnet local                          five nodes, 20 transactions a second, 30 s
  hearsay-testnet local --nodes 20 --rate 200    more of everything
  hearsay-testnet local --keep                   stays up to be used; Ctrl-C ends it
  hearsay-testnet where 3fa9c2                   how the latest testnet spread that message
  hearsay-testnet report --json | jq .tx.latency_ms

Exit codes: 0 done; 1 failed, or interrupted before the load was over; 2 wrong usage.";

const LOCAL_EXAMPLES: &str = "\
Examples:
  hearsay-testnet local --duration 5s
  hearsay-testnet local --nodes 20 --degree 4 --rate 200 --payload 1000 --slot 500ms
  hearsay-testnet local --rate 0 --keep          an idle network to play with
  hearsay-testnet local --json --out runs/a | jq .tx.coverage

The folder of a run holds genesis, test keys, the nodes' folders with their logs, testnet.json,
report.json and report.txt. The keys follow from the seed, so anyone can work them out: they are for
tests alone. Ctrl-C stops the nodes in order and still reports; a second one kills them.";

/// The lab: runs a network of Hearsay nodes and reports how messages spread.
#[derive(Debug, Parser)]
#[command(name = "hearsay-testnet", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a testnet on this machine, load it, stop it, and report how messages spread
    Local(LocalArgs),
    /// Work the report of a testnet out anew from its logs
    Report(ReportArgs),
    /// Tell where one transaction or block went: who had it when, and from whom
    Where(WhereArgs),
}

/// `local`.
#[derive(Args, Debug)]
#[command(after_help = LOCAL_EXAMPLES)]
pub struct LocalArgs {
    /// How many nodes, each a process
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = within(1, MOST_NODES))]
    pub nodes: usize,
    /// Transactions a second, over all nodes
    #[arg(long, default_value_t = 20.0, value_parser = rate)]
    pub rate: f64,
    /// How long transactions are sent
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = duration)]
    pub duration: Duration,
    /// Accounts that send transactions, each through one of the nodes
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = within(1, MOST_SENDERS))]
    pub senders: usize,
    /// How many nodes propose blocks [default: 4, or as many as there are nodes]
    #[arg(long, value_name = "N", value_parser = within(1, MOST_NODES))]
    pub authorities: Option<usize>,
    /// The time from block to block
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = duration)]
    pub slot: Duration,
    /// The payload of each transaction
    #[arg(long, default_value_t = 128, value_name = "BYTES",
          value_parser = within(0, MAX_PAYLOAD_BYTES as i64))]
    pub payload: usize,
    /// How many others each node knows [default: all of them in a testnet of 8 nodes or fewer, else
    /// 6]
    #[arg(long, value_name = "N", value_parser = within(1, MOST_DEGREE))]
    pub degree: Option<usize>,
    /// What keys, connections and transactions follow from
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// The folder for everything, which must be new or empty [default: testnet-out/TIME, and
    /// testnet-out/latest leads there]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Stay up after the load, until Ctrl-C
    #[arg(long)]
    pub keep: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// `report`.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// The folder of the testnet [default: testnet-out/latest]
    pub dir: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// `where`.
#[derive(Args, Debug)]
pub struct WhereArgs {
    /// The id of a transaction or block, or at least four hex digits of its beginning
    pub id: String,
    /// The folder of the testnet [default: testnet-out/latest]
    #[arg(long = "in", value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

impl LocalArgs {
    /// What is asked for.
    ///
    /// # Errors
    /// Two flags that do not fit together, in a sentence.
    pub fn options(self) -> Result<Options, String> {
        let authorities = self.authorities.unwrap_or(AUTHORITIES.min(self.nodes));
        if authorities > self.nodes {
            return Err(format!("--authorities {authorities} is more than --nodes {}", self.nodes));
        }
        if self.degree == Some(1) && self.nodes > 2 {
            return Err("--degree 1 cannot connect more than two nodes; use 2 or more".to_owned());
        }
        let slot_ms = u64::try_from(self.slot.as_millis()).unwrap_or(u64::MAX);
        let spec = Spec {
            name: format!("local-{}", self.seed),
            nodes: self.nodes,
            authorities,
            slot_ms,
            degree: self.degree,
            senders: self.senders,
            payload: self.payload,
            seed: self.seed,
        };
        Ok(Options {
            spec,
            schedule: Schedule::constant(self.rate, self.duration),
            out: self.out,
            keep: self.keep,
            format: format(self.json),
        })
    }
}

/// The form that `--json` asks for.
#[must_use]
pub fn format(json: bool) -> Format {
    if json { Format::Json } else { Format::Text }
}

fn within(least: i64, most: i64) -> impl clap::builder::TypedValueParser<Value = usize> {
    use clap::builder::TypedValueParser as _;
    clap::value_parser!(i64).range(least..=most).map(|value| value.unsigned_abs() as usize)
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=MOST_RATE).contains(&rate) {
        Ok(rate)
    } else {
        Err(format!("must be 0 to {MOST_RATE}"))
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "not a time such as 30s, 500ms or 2m".to_owned();
    let signed: SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(signed).ok().filter(|duration| !duration.is_zero()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn local(flags: &[&str]) -> Result<Options, String> {
        let words = ["hearsay-testnet", "local"].iter().chain(flags);
        let cli = Cli::try_parse_from(words).map_err(|error| error.to_string())?;
        let Command::Local(args) = cli.command else { return Err("not local".to_owned()) };
        args.options()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_flags_it_is_five_nodes_at_twenty_a_second_for_half_a_minute() {
        let options = local(&[]).unwrap();
        assert_eq!((options.spec.nodes, options.spec.authorities), (5, 4));
        assert_eq!(options.schedule.count(), 600);
        assert_eq!(options.spec.slot_ms, 1_000);
        assert!(!options.keep && options.format == Format::Text);
    }

    #[test]
    fn a_small_testnet_has_no_more_authorities_than_nodes() {
        assert_eq!(local(&["--nodes", "2"]).unwrap().spec.authorities, 2);
        assert!(local(&["--nodes", "2", "--authorities", "3"]).unwrap_err().contains("more than"));
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(local(&["--slot", "250ms"]).unwrap().spec.slot_ms, 250);
        assert_eq!(local(&["--duration", "1m 30s"]).unwrap().schedule.duration.as_secs(), 90);
        for wrong in ["30", "-5s", "0s", "soon", ""] {
            assert!(local(&["--duration", wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_run_is_refused_with_the_bounds() {
        assert!(local(&["--nodes", "0"]).unwrap_err().contains("1..=200"));
        assert!(local(&["--rate", "NaN"]).unwrap_err().contains("0 to 10000"));
        assert!(local(&["--payload", "999999"]).is_err());
        assert!(local(&["--degree", "1"]).unwrap_err().contains("2 or more"));
    }
}
