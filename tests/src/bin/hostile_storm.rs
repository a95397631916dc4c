//! `hostile_storm`: every attack on ten nodes, one after the other, and what came of each.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use hearsay_tests::attacker::Attack;
use hearsay_tests::hostile::{self, Options, Outcome};

/// Attack honest nodes that are under honest load, and say what it did to them; exit code 1 if that
/// was too much
#[derive(Parser)]
struct Args {
    /// Which attack; may be given several times [default: all]
    #[arg(long, value_enum)]
    attack: Vec<Attack>,
    /// Honest nodes
    #[arg(long, default_value_t = 10)]
    nodes: usize,
    /// How long the quiet time lasts, and how long the attack does
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Honest transactions a second
    #[arg(long, default_value_t = 20.0)]
    rate: f64,
    /// The delay of each link, one way, in milliseconds
    #[arg(long, default_value_t = 40)]
    delay_ms: u64,
    /// How much faster than usual the attack is
    #[arg(long, default_value_t = 1.0)]
    intensity: f64,
    /// All attacks in a few groups on one network, and no times compared
    #[arg(long, conflicts_with = "attack")]
    short: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let options = Options {
        nodes: args.nodes,
        lasts: Duration::from_secs(args.seconds),
        rate: args.rate,
        delay: Duration::from_millis(args.delay_ms),
        intensity: args.intensity,
        timed: !args.short,
    };
    let attacks = if args.attack.is_empty() { Attack::ALL.to_vec() } else { args.attack };
    let runs: Vec<Vec<&[Attack]>> = if args.short {
        vec![hostile::GROUPS.to_vec()]
    } else {
        attacks.chunks(1).map(|attack| vec![attack]).collect()
    };
    let runtime = match hearsay_node::embed::runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("hostile_storm: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut outcomes = Vec::new();
    for groups in runs {
        match runtime.block_on(hostile::run(&groups, options)) {
            Ok(outcome) => {
                println!("{outcome}");
                outcomes.push(outcome);
            }
            Err(error) => {
                eprintln!("hostile_storm: {error:#}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{}", table(&outcomes));
    let well = outcomes.iter().all(|outcome| outcome.failures().is_empty());
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One line for each attack.
fn table(outcomes: &[Outcome]) -> String {
    let head = "| attack | sent | coverage tx, blocks | p99 tx, blocks over the quiet time | memory a node, MiB | \
                attacker kept away | honest kept away | verdict |\n| --- | --- | --- | --- | --- | --- | \
                --- | --- |";
    let line = |it: &Outcome| {
        let [tx, block] = it.later();
        let names: Vec<&str> = it.attacks.iter().map(|(attack, _)| attack.name()).collect();
        let verdict = if it.failures().is_empty() { "pass" } else { "FAIL" };
        format!(
            "| {} | {} | {:.3}, {:.3} | {tx:.2}, {block:.2} | +{} | {} of {} | {} | {verdict} |",
            names.join(", "),
            it.sent(),
            it.under[0].coverage,
            it.under[1].coverage,
            it.memory_grew() >> 20,
            it.banned.values().sum::<u64>(),
            it.identities,
            it.honest_banned,
        )
    };
    let lines: Vec<String> = outcomes.iter().map(line).collect();
    format!("{head}\n{}", lines.join("\n"))
}
