//! What a running testnet is told: each verb makes one entry of a scenario, as if it had been written.

use std::time::Duration;

use clap::Args;
use toml::{Table, Value};

use super::OutArgs;
use super::flags::duration;

/// Something that is done to a running testnet.
pub trait Verb {
    /// The entry, in TOML.
    fn entry(&self, verb: &str) -> Table;
}

/// `status`.
#[derive(Args, Debug)]
pub struct StatusArgs {
    /// Where.
    #[command(flatten)]
    pub at: OutArgs,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// `kill`, `leave`, `restart`, `start`, `pause`, `resume`.
#[derive(Args, Debug)]
pub struct NodesArgs {
    /// The nodes: n0 n3, or n0,n3
    #[arg(value_name = "NODE", required = true, value_delimiter = ',')]
    pub nodes: Vec<String>,
    /// Where.
    #[command(flatten)]
    pub at: OutArgs,
}

/// `cut`.
#[derive(Args, Debug)]
pub struct CutArgs {
    /// The nodes on one side: n0 n3, or n0,n3
    #[arg(value_name = "NODE", required = true, value_delimiter = ',')]
    pub nodes: Vec<String>,
    /// The nodes on the other side [default: all others]
    #[arg(long, value_name = "NODE", value_delimiter = ',')]
    pub from: Vec<String>,
    /// Cut only the way from the first ones to the others
    #[arg(long)]
    pub one_way: bool,
    /// Where.
    #[command(flatten)]
    pub at: OutArgs,
}

/// `heal`.
#[derive(Args, Debug)]
pub struct HealArgs {
    /// The nodes on one side [default: everything is mended]
    #[arg(value_name = "NODE", value_delimiter = ',')]
    pub nodes: Vec<String>,
    /// The nodes on the other side [default: all others]
    #[arg(long, value_name = "NODE", value_delimiter = ',', requires = "nodes")]
    pub from: Vec<String>,
    /// Where.
    #[command(flatten)]
    pub at: OutArgs,
}

/// `slow`.
#[derive(Args, Debug)]
pub struct SlowArgs {
    /// The nodes: n0 n3, or n0,n3
    #[arg(value_name = "NODE", required = true, value_delimiter = ',')]
    pub nodes: Vec<String>,
    /// So many times less bandwidth than at first; 1 takes slowness back
    #[arg(long, value_name = "N")]
    pub factor: Option<f64>,
    /// Their uplink, such as 1Mbit
    #[arg(long, value_name = "RATE")]
    pub uplink: Option<String>,
    /// Their downlink, such as 1Mbit
    #[arg(long, value_name = "RATE")]
    pub downlink: Option<String>,
    /// More delay on each of their links, such as 200ms
    #[arg(long, value_name = "TIME")]
    pub delay: Option<String>,
    /// Where.
    #[command(flatten)]
    pub at: OutArgs,
}

/// `starve`.
#[derive(Args, Debug)]
pub struct StarveArgs {
    /// The nodes: n0 n3, or n0,n3
    #[arg(value_name = "NODE", required = true, value_delimiter = ',')]
    pub nodes: Vec<String>,
    /// The share of the time for which they run, such as 0.1; 1 lets them run all the time
    #[arg(long, value_name = "SHARE")]
    pub share: f64,
    /// Where.
    #[command(flatten)]
    pub at: OutArgs,
}

/// `skew`.
#[derive(Args, Debug)]
pub struct SkewArgs {
    /// The nodes: n0 n3, or n0,n3
    #[arg(value_name = "NODE", required = true, value_delimiter = ',')]
    pub nodes: Vec<String>,
    /// How far their clocks are off, such as 300ms or -2s
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub by: String,
    /// Where.
    #[command(flatten)]
    pub at: OutArgs,
}

/// `load`.
#[derive(Args, Debug)]
pub struct LoadArgs {
    /// constant, poisson, burst or ramp
    #[arg(long, default_value = "constant")]
    pub kind: String,
    /// Transactions a second
    #[arg(long, conflicts_with = "count", value_name = "RATE")]
    pub rate: Option<f64>,
    /// Transactions in all
    #[arg(long, value_name = "N")]
    pub count: Option<i64>,
    /// For how long
    #[arg(long, default_value = "10s", value_name = "TIME", value_parser = duration)]
    pub duration: Duration,
    /// Accounts that send; no other load uses them
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub senders: i64,
    /// The payload of each transaction
    #[arg(long, default_value_t = 128, value_name = "BYTES")]
    pub payload: i64,
    /// The one node that takes all of it [default: all nodes, in turn]
    #[arg(long, value_name = "NODE")]
    pub entry: Option<String>,
    /// Where.
    #[command(flatten)]
    pub at: OutArgs,
}

/// `logs`.
#[derive(Args, Debug)]
pub struct LogsArgs {
    /// Show what is written from now on, until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
    /// Only these nodes
    #[arg(long, value_name = "NODE", value_delimiter = ',')]
    pub node: Vec<String>,
    /// Only these events, such as received,verdict
    #[arg(long, value_name = "EVENT", value_delimiter = ',')]
    pub event: Vec<String>,
    /// Only what concerns these transactions or blocks; the first digits are enough
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub id: Vec<String>,
    /// Where.
    #[command(flatten)]
    pub at: OutArgs,
}

fn list(nodes: &[String]) -> Value {
    Value::Array(nodes.iter().map(|node| Value::from(node.as_str())).collect())
}

/// The two sides of a cut; without a second one, all others.
fn sides(nodes: &[String], others: &[String]) -> Value {
    let rest = || Value::Array(vec![Value::from("*")]);
    let others = if others.is_empty() { rest() } else { list(others) };
    Value::Array(vec![list(nodes), others])
}

fn entry<const N: usize>(keys: [(&str, Option<Value>); N]) -> Table {
    keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

impl Verb for NodesArgs {
    fn entry(&self, verb: &str) -> Table {
        entry([(verb, Some(list(&self.nodes)))])
    }
}

impl Verb for CutArgs {
    fn entry(&self, _: &str) -> Table {
        let one_way = self.one_way.then_some(Value::Boolean(true));
        entry([("cut", Some(sides(&self.nodes, &self.from))), ("one-way", one_way)])
    }
}

impl Verb for HealArgs {
    fn entry(&self, _: &str) -> Table {
        let what = if self.nodes.is_empty() {
            Value::Boolean(true)
        } else {
            sides(&self.nodes, &self.from)
        };
        entry([("heal", Some(what))])
    }
}

impl Verb for SlowArgs {
    fn entry(&self, _: &str) -> Table {
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        let slow = entry([
            ("nodes", Some(list(&self.nodes))),
            ("factor", self.factor.map(Value::from)),
            ("uplink", text(&self.uplink)),
            ("downlink", text(&self.downlink)),
            ("delay", text(&self.delay)),
        ]);
        entry([("slow", Some(Value::Table(slow)))])
    }
}

impl Verb for StarveArgs {
    fn entry(&self, _: &str) -> Table {
        let starve =
            entry([("nodes", Some(list(&self.nodes))), ("share", Some(Value::from(self.share)))]);
        entry([("starve", Some(Value::Table(starve)))])
    }
}

impl Verb for SkewArgs {
    fn entry(&self, _: &str) -> Table {
        let skew = entry([
            ("nodes", Some(list(&self.nodes))),
            ("by", Some(Value::from(self.by.as_str()))),
        ]);
        entry([("skew", Some(Value::Table(skew)))])
    }
}

impl Verb for LoadArgs {
    fn entry(&self, _: &str) -> Table {
        let load = entry([
            ("kind", Some(Value::from(self.kind.as_str()))),
            ("rate", self.rate.map(Value::from)),
            ("count", self.count.map(Value::from)),
            ("for", Some(Value::from(format!("{}ms", self.duration.as_millis())))),
            ("senders", Some(Value::from(self.senders))),
            ("payload", Some(Value::from(self.payload))),
            ("entry", self.entry.as_deref().map(Value::from)),
        ]);
        entry([("load", Some(Value::Table(load)))])
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, Command};
    use super::*;

    fn said(words: &[&str]) -> String {
        let cli = Cli::try_parse_from(["hearsay-testnet"].iter().chain(words)).unwrap();
        let table = match &cli.command {
            Command::Kill(args) => args.entry("kill"),
            Command::Cut(args) => args.entry("cut"),
            Command::Heal(args) => args.entry("heal"),
            Command::Slow(args) => args.entry("slow"),
            Command::Leave(args) => args.entry("leave"),
            Command::Starve(args) => args.entry("starve"),
            Command::Skew(args) => args.entry("skew"),
            Command::Load(args) => args.entry("load"),
            _ => panic!("no verb"),
        };
        toml::to_string(&table).unwrap().trim().replace('\n', " ")
    }

    #[test]
    fn verbs_read_as_a_scenario_would_have_them() {
        assert_eq!(said(&["kill", "n0", "n3,n4"]), r#"kill = ["n0", "n3", "n4"]"#);
        assert_eq!(said(&["cut", "n0,n1"]), r#"cut = [["n0", "n1"], ["*"]]"#);
        assert_eq!(
            said(&["cut", "n0", "--from", "n2", "--one-way"]),
            r#"cut = [["n0"], ["n2"]] one-way = true"#
        );
        assert_eq!(said(&["heal"]), "heal = true");
        assert_eq!(said(&["heal", "n1"]), r#"heal = [["n1"], ["*"]]"#);
        assert_eq!(
            said(&["slow", "n1", "--uplink", "1Mbit"]),
            r#"[slow] nodes = ["n1"] uplink = "1Mbit""#
        );
        assert_eq!(said(&["leave", "n2"]), r#"leave = ["n2"]"#);
        assert_eq!(
            said(&["starve", "n1", "--share", "0.1"]),
            r#"[starve] nodes = ["n1"] share = 0.1"#
        );
        assert_eq!(said(&["skew", "n1", "--by", "-2s"]), r#"[skew] by = "-2s" nodes = ["n1"]"#);
    }
}
