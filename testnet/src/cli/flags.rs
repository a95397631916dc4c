//! A network described by flags: they make a scenario, as if it had been written.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use hearsay_chain::transaction::MAX_PAYLOAD_BYTES;
use jiff::SignedDuration;

use crate::scenario::{Problem, Scenario};

/// Each node is a process; more than these are beyond what one machine can run and measure.
const MOST_NODES: i64 = 200;

/// The connections that a node makes by itself, at its defaults.
const MOST_DEGREE: i64 = 50;

/// More senders than these say nothing that fewer would not.
const MOST_SENDERS: i64 = 10_000;

/// More transactions a second than these come close to what signing on one processor can do.
const MOST_RATE: f64 = 10_000.0;

/// Up to so many nodes, everyone knows everyone unless a degree is asked for.
const FULL_UP_TO: usize = 8;

/// How many others each node knows in a larger testnet: the size that gossip aims at for its mesh.
const DEGREE: usize = 6;

/// Authorities unless asked otherwise, or as many as there are nodes: the least number of which one
/// may fail and the others still make blocks final.
const AUTHORITIES: usize = 4;

const LOCAL_EXAMPLES: &str = "\
Examples:
  hearsay-testnet local --duration 5s
  hearsay-testnet local --nodes 20 --degree 4 --rate 200 --payload 1000 --slot 500ms
  hearsay-testnet local --profile world-cities   with the delays between ten cities
  hearsay-testnet local --rate 0 --keep          an idle network to play with
  hearsay-testnet local --json --out runs/a | jq .tx.coverage

The folder of a run holds the scenario, genesis, test keys, the nodes' folders with their logs,
testnet.json, and report.html, .json and .txt. The keys follow from the seed, so anyone can work them
out: they are for tests alone. Ctrl-C stops the nodes in order and still reports; a second one kills
them.";

/// A network.
#[derive(Args, Clone, Debug)]
#[group(id = "network", multiple = true)]
pub struct NetworkArgs {
    /// How many nodes, each a process [default: 5]
    #[arg(long, value_name = "N", value_parser = within(1, MOST_NODES))]
    pub nodes: Option<usize>,
    /// How many nodes propose blocks [default: 4, or as many as there are nodes]
    #[arg(long, value_name = "N", value_parser = within(1, MOST_NODES))]
    pub authorities: Option<usize>,
    /// The time from block to block [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub slot: Option<Duration>,
    /// How many others each node knows [default: all of them in a testnet of 8 nodes or fewer, else
    /// 6]
    #[arg(long, value_name = "N", value_parser = within(1, MOST_DEGREE))]
    pub degree: Option<usize>,
    /// Delays between regions: world-cities or interop-8 [default: none, plain sockets]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// What keys, connections and transactions follow from [default: 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// `local`.
#[derive(Args, Debug)]
#[command(after_help = LOCAL_EXAMPLES)]
pub struct LocalArgs {
    /// The network.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// Transactions a second, over all nodes
    #[arg(long, default_value_t = 20.0, value_parser = rate)]
    pub rate: f64,
    /// How long transactions are sent
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = duration)]
    pub duration: Duration,
    /// Accounts that send transactions, each through one of the nodes
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = within(1, MOST_SENDERS))]
    pub senders: usize,
    /// The payload of each transaction
    #[arg(long, default_value_t = 128, value_name = "BYTES",
          value_parser = within(0, MAX_PAYLOAD_BYTES as i64))]
    pub payload: usize,
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

impl NetworkArgs {
    /// Whether any of them was given.
    #[must_use]
    pub fn is_given(&self) -> bool {
        let Self { nodes, authorities, slot, degree, profile, seed } = self;
        let counts = [nodes, authorities, degree].iter().any(|count| count.is_some());
        counts || slot.is_some() || profile.is_some() || seed.is_some()
    }

    /// The scenario of this network, with `rest` after it.
    ///
    /// # Errors
    /// Two flags that do not fit together, in a sentence.
    fn toml(&self, duration: Duration, rest: &str) -> Result<String, String> {
        let nodes = self.nodes.unwrap_or(5);
        let authorities = self.authorities.unwrap_or(AUTHORITIES.min(nodes));
        if authorities > nodes {
            return Err(format!("--authorities {authorities} is more than --nodes {nodes}"));
        }
        if self.degree == Some(1) && nodes > 2 {
            return Err("--degree 1 cannot connect more than two nodes; use 2 or more".to_owned());
        }
        let degree = self.degree.or((nodes > FULL_UP_TO).then_some(DEGREE));
        let topology = match degree {
            Some(degree) if degree + 1 < nodes => format!("kind = \"random\"\ndegree = {degree}"),
            _ => "kind = \"full\"".to_owned(),
        };
        let mut text = format!(
            "name = \"local\"\nseed = {}\nduration = \"{}ms\"\n[nodes]\ncount = {nodes}\nauthorities = \
             {authorities}\nslot = \"{}ms\"\n[topology]\n{topology}\n",
            self.seed.unwrap_or(1),
            duration.as_millis(),
            self.slot.unwrap_or(Duration::from_secs(1)).as_millis(),
        );
        // Writing to a string does not fail.
        let _ = match &self.profile {
            Some(profile) => {
                write!(text, "[links]\nprofile = {}\n", toml::Value::from(profile.as_str()))
            }
            // No distance is played that a late scheduler could falsify: what it costs is measured
            // with the rest, and only a machine that stood still makes figures worthless.
            None => write!(text, "[limits]\nlag_p99 = \"100ms\"\n"),
        };
        Ok(text + rest)
    }

    /// A testnet without load, for `up`.
    ///
    /// # Errors
    /// Two flags that do not fit together, in a sentence.
    pub fn scenario(&self) -> Result<Scenario, String> {
        read(&self.toml(Duration::from_secs(30), "")?)
    }
}

impl LocalArgs {
    /// What is asked for.
    ///
    /// # Errors
    /// Two flags that do not fit together, in a sentence.
    pub fn scenario(&self) -> Result<Scenario, String> {
        let load = if self.rate * self.duration.as_secs_f64() >= 1.0 {
            format!(
                "[load]\nrate = {:?}\nsenders = {}\npayload = {}\n",
                self.rate, self.senders, self.payload
            )
        } else {
            String::new()
        };
        read(&self.network.toml(self.duration, &load)?)
    }
}

fn read(text: &str) -> Result<Scenario, String> {
    let sentence = |problems: Vec<Problem>| {
        problems.into_iter().map(|problem| problem.sentence()).collect::<Vec<_>>().join("\n")
    };
    Scenario::parse(text, "flags").map_err(sentence)
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

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "not a time such as 30s, 500ms or 2m".to_owned();
    let signed: SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(signed).ok().filter(|duration| !duration.is_zero()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, Command};
    use super::*;

    fn local(flags: &[&str]) -> Result<(LocalArgs, Scenario), String> {
        let words = ["hearsay-testnet", "local"].iter().chain(flags);
        let cli = Cli::try_parse_from(words).map_err(|error| error.to_string())?;
        let Command::Local(args) = cli.command else { return Err("not local".to_owned()) };
        let scenario = args.scenario()?;
        Ok((args, scenario))
    }

    #[test]
    fn without_flags_it_is_five_nodes_at_twenty_a_second_for_half_a_minute() {
        let (args, scenario) = local(&[]).unwrap();
        assert_eq!((scenario.nodes.count, scenario.nodes.authorities), (5, 4));
        let plan = scenario.layout();
        assert_eq!(plan.loads[0].spec.schedule.count(), 600);
        assert_eq!(scenario.nodes.slot, Duration::from_secs(1));
        assert_eq!(plan.edges.len(), 10, "everyone knows everyone");
        assert!(!args.keep && !args.json && !plan.shaped());
    }

    #[test]
    fn a_small_testnet_has_no_more_authorities_than_nodes() {
        assert_eq!(local(&["--nodes", "2"]).unwrap().1.nodes.authorities, 2);
        assert!(local(&["--nodes", "2", "--authorities", "3"]).unwrap_err().contains("more than"));
    }

    #[test]
    fn a_large_testnet_is_a_graph_and_not_a_full_mesh() {
        let plan = local(&["--nodes", "20"]).unwrap().1.layout();
        assert!((0..20).all(|node| plan.neighbours(node).count() <= DEGREE));
    }

    #[test]
    fn no_rate_is_no_load() {
        let scenario = local(&["--rate", "0", "--keep"]).unwrap().1;
        assert!(scenario.layout().loads.is_empty());
    }

    #[test]
    fn times_have_a_unit() {
        let slot = local(&["--slot", "250ms"]).unwrap().1.nodes.slot;
        assert_eq!(slot, Duration::from_millis(250));
        assert_eq!(local(&["--duration", "1m 30s"]).unwrap().1.duration.as_secs(), 90);
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
        assert!(local(&["--profile", "atlantis"]).unwrap_err().contains("atlantis"));
    }
}
