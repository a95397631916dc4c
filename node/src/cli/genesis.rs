//! `hearsay genesis`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand};
use hearsay_chain::genesis::{DEFAULT_PER_MILLE, Limits, Schedule};
use hearsay_chain::{Address, Genesis as Network};
use jiff::Timestamp;

use super::console::Console;
use super::failure::Failure;
use super::tx_send::duration;
use super::who::{Home, Who};
use crate::genesis_file;

const EXAMPLES: &str = "\
Examples:
  hearsay genesis new --name demo --authority alice --alloc alice=1000000
  hearsay genesis new --name demo --slot 500ms --authority alice --authority bob \\
    --alloc hs1…=5000 --alloc bob=5000 --out demo.toml";

/// Make the file that a network starts from
#[derive(Debug, Subcommand)]
pub(super) enum Genesis {
    New(New),
}

/// Make a genesis file: every node of the network needs the same one
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct New {
    /// The network's name
    #[arg(long)]
    name: String,
    /// How long a slot, in which one authority may make a block, takes
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    slot: Duration,
    /// Who may make a block in a slot: `round-robin`, one authority after the other; or `lottery`,
    /// each with a chance of its own, so that forks happen, or `lottery:N` with a chance of N in 1000
    /// [default chance: 250]
    #[arg(long, value_name = "SCHEDULE", default_value = "round-robin", value_parser = schedule)]
    schedule: Schedule,
    /// When the first slot begins, as in 2030-01-01T00:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    start: Option<Timestamp>,
    /// Who makes blocks, in turn: a public key in hex, or a key of your own; may be repeated
    #[arg(long = "authority", value_name = "KEY", required = true)]
    authorities: Vec<String>,
    /// Who has how many units at first: an address or a key of your own; may be repeated
    #[arg(long = "alloc", value_name = "ADDRESS=AMOUNT")]
    allocations: Vec<Allocation>,
    /// The file to write [default: stdout]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long, requires = "out")]
    force: bool,
    #[command(flatten)]
    home: Home,
}

fn schedule(text: &str) -> Result<Schedule, String> {
    match text.split_once(':') {
        None if text == "round-robin" => Ok(Schedule::RoundRobin),
        None if text == "lottery" => Ok(Schedule::Lottery { per_mille: DEFAULT_PER_MILLE }),
        Some(("lottery", chance)) => {
            let per_mille =
                chance.parse().map_err(|error| format!("{chance:?} in 1000: {error}"))?;
            Ok(Schedule::Lottery { per_mille })
        }
        _ => Err("it is round-robin, lottery, or lottery:N".to_owned()),
    }
}

/// `ADDRESS=AMOUNT`.
#[derive(Clone, Debug)]
struct Allocation {
    who: Who,
    amount: u64,
}

impl FromStr for Allocation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (who, amount) =
            text.rsplit_once('=').ok_or("an allocation is ADDRESS=AMOUNT, as in alice=1000")?;
        let amount = amount.parse().map_err(|error| format!("{amount:?} units: {error}"))?;
        Ok(Self { who: who.parse()?, amount })
    }
}

impl Genesis {
    pub(super) fn execute(self, console: &mut Console<'_>) -> Result<(), Failure> {
        let Genesis::New(new) = self;
        let network = new.network()?;
        match &new.out {
            None => console.text(&genesis_file::encode(&network)?),
            Some(file) => {
                genesis_file::write(file, &network, new.force)?;
                console.say(format_args!("wrote {}, genesis {}", file.display(), network.id()));
                Ok(())
            }
        }
    }
}

impl New {
    fn network(&self) -> Result<Network, Failure> {
        let start = self.start.unwrap_or_else(Timestamp::now).as_millisecond();
        let time_ms = u64::try_from(start)
            .map_err(|_| Failure::Usage("--start is before 1970".to_owned()))?;
        let authorities = self.authorities.iter().map(|key| self.home.public_key(key));
        let network = Network {
            name: self.name.clone(),
            time_ms,
            // What does not fit is far out of the range that is checked below.
            slot_ms: u64::try_from(self.slot.as_millis()).unwrap_or(u64::MAX),
            schedule: self.schedule,
            authorities: authorities.collect::<Result<_, _>>()?,
            limits: Limits::default(),
            allocations: self.balances()?,
        };
        network.check().map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(network)
    }

    fn balances(&self) -> Result<BTreeMap<Address, u64>, Failure> {
        let mut balances = BTreeMap::new();
        for Allocation { who, amount } in &self.allocations {
            let address = self.home.address(who)?;
            if balances.insert(address, *amount).is_some() {
                return Err(Failure::Usage(format!("--alloc names {address} twice")));
            }
        }
        Ok(balances)
    }
}
