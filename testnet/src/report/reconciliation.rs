//! Anti-entropy: what comparing pools cost, and what came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::run::{RoundLog, Run};
use super::stats::Pair;
use super::window::Window;

/// The comparisons of pools that ended between the beginning of the window and the end of the time to
/// settle after it, over all nodes, each counted by the node that began it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// All of them.
    #[serde(flatten)]
    pub all: Rounds,
    /// By how the partner was chosen, in the order of the strategies' names.
    #[serde(default)]
    pub by_strategy: Vec<StrategyRounds>,
}

/// Those of one strategy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StrategyRounds {
    /// `random`, `round-robin` or `weighted`.
    pub strategy: String,
    /// Its figures.
    #[serde(flatten)]
    pub rounds: Rounds,
}

/// What some comparisons came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rounds {
    /// How many there were.
    pub rounds: u64,
    /// Those that found a difference. Much of it is what gossip is still bringing, which is left to it.
    pub different: u64,
    /// Symbols that they took.
    pub symbols: u64,
    /// Bytes of questions, symbols and names, both ways; the transactions are not counted.
    pub bytes: u64,
    /// Transactions that partners gave.
    pub gained: u64,
    /// Transactions that partners were offered.
    pub given: u64,
    /// From the first question to the end of the exchange.
    pub took_ms: Pair,
}

impl Reconciliation {
    /// Of all nodes.
    pub(crate) fn of(run: &Run, window: &Window) -> Self {
        let logs = run.nodes.iter().flat_map(|node| &node.rounds);
        let logs: Vec<&RoundLog> = logs.filter(|round| window.samples(round.at)).collect();
        let mut by_strategy: BTreeMap<&str, Vec<&RoundLog>> = BTreeMap::new();
        for round in &logs {
            by_strategy.entry(run.words.get(round.strategy)).or_default().push(round);
        }
        let of_strategy = |(strategy, logs): (&str, Vec<_>)| StrategyRounds {
            strategy: strategy.to_owned(),
            rounds: Rounds::of(&logs),
        };
        Self {
            all: Rounds::of(&logs),
            by_strategy: by_strategy.into_iter().map(of_strategy).collect(),
        }
    }
}

impl Rounds {
    fn of(logs: &[&RoundLog]) -> Self {
        let sum = |figure: fn(&RoundLog) -> u64| logs.iter().map(|log| figure(log)).sum();
        let took = logs.iter().map(|log| i64::try_from(log.took_us).unwrap_or(i64::MAX));
        Rounds {
            rounds: logs.len() as u64,
            different: logs.iter().filter(|log| log.different).count() as u64,
            symbols: sum(|log| log.symbols),
            bytes: sum(|log| log.bytes),
            gained: sum(|log| log.gained),
            given: sum(|log| log.given),
            took_ms: Pair::of_us(took.collect()),
        }
    }
}
