//! The command line.

mod flags;
mod verbs;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

pub use self::flags::{LocalArgs, NetworkArgs};
pub use self::verbs::{
    CutArgs, HealArgs, LoadArgs, LogsArgs, NodesArgs, SkewArgs, SlowArgs, StarveArgs, StatusArgs,
    Verb,
};

const EXAMPLES: &str = "\
Examples:
  hearsay-testnet run scenarios/calm.toml        a scenario to its end, and its report
  hearsay-testnet local --nodes 20 --rate 200    the same, described by flags
  hearsay-testnet up --nodes 8                   a testnet that stays, and is talked to:
  hearsay-testnet cut n0,n1                        n0 and n1 are cut off from the others
  hearsay-testnet status                           how every node is
  hearsay-testnet down                             the end, and its report
  hearsay-testnet where 3fa9c2                   how the latest testnet spread that message
  hearsay-testnet report --json | jq .tx.latency_ms

Exit codes: 0 done; 1 failed, or the run is not valid; 2 wrong usage; 6 an assertion of the scenario
does not hold.";

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
    /// Run a scenario to its end, and report how messages spread
    Run(RunArgs),
    /// Check a scenario without running it
    Check(CheckArgs),
    /// Run a testnet that is described by flags to its end, and report
    Local(LocalArgs),
    /// Run several variants in turn with the same seeds, and tell which differences are real
    Compare(CompareArgs),
    /// Start a testnet that stays up, or a stopped one again with its chains
    Up(UpArgs),
    /// Show how every node of a running testnet is
    Status(StatusArgs),
    /// Hand a load of transactions to a running testnet
    Load(LoadArgs),
    /// Kill nodes, as kill -9 would
    Kill(NodesArgs),
    /// Let nodes end in order, with a goodbye
    Leave(NodesArgs),
    /// Start nodes again, with what they have on disk
    Restart(NodesArgs),
    /// Start nodes that have not been started
    Start(NodesArgs),
    /// Let nodes stand still
    Pause(NodesArgs),
    /// Let nodes go on
    Resume(NodesArgs),
    /// Cut links between nodes
    Cut(CutArgs),
    /// Mend links that were cut
    Heal(HealArgs),
    /// Make nodes slower
    Slow(SlowArgs),
    /// Give nodes a share of the processor's time only
    Starve(StarveArgs),
    /// Set nodes' clocks off
    Skew(SkewArgs),
    /// Show what the nodes write down, in the order of time
    Logs(LogsArgs),
    /// Tell where one transaction or block went: who had it when, and from whom
    Where(WhereArgs),
    /// Work the report of a testnet out anew from its logs
    Report(ReportArgs),
    /// Stop a running testnet, and report
    Down(OutArgs),
    /// Write a scenario's network for other programs
    Export(ExportArgs),
    /// What `up` starts
    #[command(hide = true)]
    Supervise {
        /// The testnet's folder.
        dir: PathBuf,
    },
}

/// `run`.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// The scenario
    #[arg(value_name = "SCENARIO.toml")]
    pub file: PathBuf,
    /// Another value for a key of the scenario, such as gossip.mesh=4; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// The folder for everything, which must be new or empty [default: testnet-out/TIME, and
    /// testnet-out/latest leads there]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Stay up after the scenario, until Ctrl-C
    #[arg(long)]
    pub keep: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// `check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The scenario
    #[arg(value_name = "SCENARIO.toml", required = true)]
    pub files: Vec<PathBuf>,
    /// Another value for a key of the scenario, such as gossip.mesh=4; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// `compare`.
#[derive(Args, Debug)]
pub struct CompareArgs {
    /// The scenarios; one is enough with --set
    #[arg(value_name = "SCENARIO.toml", required = true)]
    pub files: Vec<PathBuf>,
    /// Values for a key, each of which makes a variant: gossip.mesh=4,6,8
    #[arg(long, value_name = "KEY=VALUE,VALUE")]
    pub set: Vec<String>,
    /// Runs of each variant
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub repeats: u32,
    /// The first run's seed; each further run has the next [default: the scenario's]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// The folder for everything, which must be new or empty [default: testnet-out/TIME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print the comparison as JSON
    #[arg(long)]
    pub json: bool,
}

/// `up`.
#[derive(Args, Debug)]
pub struct UpArgs {
    /// A scenario: its nodes, links, loads and timed actions
    #[arg(value_name = "SCENARIO.toml", conflicts_with = "network")]
    pub file: Option<PathBuf>,
    /// A network described by flags.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// The folder for everything: a new or empty one, or that of a stopped testnet, which is then
    /// started again [default: testnet-out/TIME, and testnet-out/latest leads there]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Where a testnet is.
#[derive(Args, Clone, Debug)]
pub struct OutArgs {
    /// The folder of the testnet [default: testnet-out/latest]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `report`.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// The folder of the testnet [default: testnet-out/latest]
    pub dir: Option<PathBuf>,
    /// The same
    #[arg(long, value_name = "DIR", conflicts_with = "dir")]
    pub out: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
    /// Print it in another form
    #[arg(long, value_enum, conflicts_with = "json")]
    pub format: Option<ReportFormat>,
    /// Report on what was published from then on, counted from the begin of what was measured, and
    /// write no files
    #[arg(long, value_name = "TIME", value_parser = flags::duration)]
    pub from: Option<Duration>,
    /// Report on what was published before then, and write no files
    #[arg(long, value_name = "TIME", value_parser = flags::duration)]
    pub until: Option<Duration>,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ReportFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// Prometheus' text format.
    Prometheus,
    /// One row for each delivery.
    Csv,
}

/// `where`.
#[derive(Args, Debug)]
pub struct WhereArgs {
    /// The id of a transaction or block, or at least four hex digits of its beginning
    pub id: String,
    /// The folder of the testnet [default: testnet-out/latest]
    #[arg(long, alias = "in", value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// `export`.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// The form
    #[arg(value_enum)]
    pub form: ExportForm,
    /// The scenario
    #[arg(value_name = "SCENARIO.toml")]
    pub file: PathBuf,
    /// Another value for a key of the scenario; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// The form of an exported network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportForm {
    /// A graph, as Gephi, yEd and networkx read it.
    Graphml,
    /// A configuration of the Shadow network simulator.
    Shadow,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_finds_its_testnet_by_the_same_flag() {
        let command = Cli::command();
        let verbs = [
            "up", "status", "load", "kill", "leave", "restart", "start", "pause", "resume", "cut",
            "heal", "slow", "starve", "skew", "logs", "where", "report", "down", "run", "local",
            "compare",
        ];
        for verb in verbs {
            let found = command.find_subcommand(verb).unwrap();
            assert!(found.get_arguments().any(|arg| arg.get_long() == Some("out")), "{verb}");
        }
    }
}
