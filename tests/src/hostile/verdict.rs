//! What came of an attack, and whether that is good enough.

use std::collections::BTreeMap;
use std::fmt;

use super::reading::Spread;
use crate::attacker::Attack;

/// The 99th percentile of arrival may be so many times that of the quiet time.
const MOST_LATE: f64 = 2.0;

/// The memory of each node may grow by so much over the quiet time. That of the attacker, who lives in the same
/// process, counts against them.
const MOST_MEMORY: u64 = 64 << 20;

/// If things come to run later than this while all is quiet, the machine has other things to do, and
/// times say nothing: the lab's own limit.
const MOST_LAG_MS: f64 = 20.0;

/// What the process took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Resident memory at its most, in bytes.
    pub memory: u64,
    /// How many processors were busy.
    pub processors: f64,
}

/// What came of one attack, or of several.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which, and what the attacker did, and how often.
    pub attacks: Vec<(Attack, BTreeMap<&'static str, u64>)>,
    /// Whether times are compared.
    pub timed: bool,
    /// Honest nodes.
    pub nodes: usize,
    /// Transactions and blocks of the quiet time.
    pub quiet: [Spread; 2],
    /// Those of the time of the attack.
    pub under: [Spread; 2],
    /// How late things came to run in the quiet time, in milliseconds.
    pub quiet_lag_ms: f64,
    /// What the quiet time took.
    pub before: Usage,
    /// What the attack took.
    pub after: Usage,
    /// Honest transactions that a node refused to take.
    pub refused: u64,
    /// Identities under which the attacker was connected.
    pub identities: usize,
    /// How often one of them was kept away, by reason.
    pub banned: BTreeMap<String, u64>,
    /// How often an honest node was.
    pub honest_banned: u64,
    /// Offences that honest nodes were charged with.
    pub honest_charged: u64,
    /// Whether all nodes have one chain in the end.
    pub same_tip: bool,
    /// Blocks that all nodes have.
    pub grew: u64,
}

impl Outcome {
    /// How many things were sent or done in all.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.attacks.iter().flat_map(|(_, done)| done.values()).sum()
    }

    /// How many times later the 99th percentile was: of transactions, and of blocks.
    #[must_use]
    pub fn later(&self) -> [f64; 2] {
        std::array::from_fn(|at| self.under[at].p99_ms / self.quiet[at].p99_ms.max(0.001))
    }

    /// By how much memory grew for each node, in bytes.
    #[must_use]
    pub fn memory_grew(&self) -> u64 {
        self.after.memory.saturating_sub(self.before.memory) / self.nodes.max(1) as u64
    }

    /// What is not as it must be, each in a few words; nothing if all is well.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        let mut must = |holds: bool, what: String| {
            if !holds {
                failures.push(what);
            }
        };
        for (attack, done) in &self.attacks {
            must(done.values().sum::<u64>() > 0, format!("{} sent nothing", attack.name()));
        }
        let lag = self.quiet_lag_ms;
        let valid = lag <= MOST_LAG_MS;
        let busy = format!("not valid: the machine was busy with other things, lag {lag:.0} ms");
        must(!self.timed || valid, busy);
        for (at, kind) in ["transactions", "blocks"].into_iter().enumerate() {
            let (quiet, under) = (self.quiet[at], self.under[at]);
            must(quiet.messages > 0 && under.messages > 0, format!("no honest {kind}"));
            must(under.coverage >= 1.0, format!("coverage of {kind} {:.4}", under.coverage));
            let later = self.later()[at];
            must(
                !self.timed || !valid || later <= MOST_LATE,
                format!("p99 of {kind} {later:.2} times"),
            );
        }
        let grew = self.memory_grew();
        must(grew <= MOST_MEMORY, format!("memory grew by {} MiB a node", grew >> 20));
        must(self.refused == 0, format!("{} honest transactions refused", self.refused));
        must(self.honest_banned == 0, format!("{} bans of honest nodes", self.honest_banned));
        let charged = self.honest_charged;
        must(charged == 0, format!("{charged} offences charged to honest nodes"));
        must(self.same_tip, "nodes have different chains".to_owned());
        failures
    }
}

impl fmt::Display for Outcome {
    /// A few lines: what was sent, what it did, what came of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let banned: Vec<String> =
            self.banned.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        let [tx, block] = self.later();
        for (attack, done) in &self.attacks {
            let done: Vec<String> =
                done.iter().map(|(what, count)| format!("{count} {what}")).collect();
            writeln!(f, "{}\n  sent      {}", attack.name(), done.join(", "))?;
        }
        for (kind, at, later) in [("tx", 0, tx), ("block", 1, block)] {
            let (quiet, under) = (self.quiet[at], self.under[at]);
            writeln!(
                f,
                "  {kind:9} {} then {}; coverage {:.4} then {:.4}; p50 {:.1} then {:.1} ms; p99 {:.1} \
                 then {:.1} ms, {later:.2} times",
                quiet.messages,
                under.messages,
                quiet.coverage,
                under.coverage,
                quiet.p50_ms,
                under.p50_ms,
                quiet.p99_ms,
                under.p99_ms,
            )?;
        }
        writeln!(
            f,
            "  memory    {} then {} MiB; processors {:.2} then {:.2}; lag while quiet {:.1} ms",
            self.before.memory >> 20,
            self.after.memory >> 20,
            self.before.processors,
            self.after.processors,
            self.quiet_lag_ms,
        )?;
        writeln!(
            f,
            "  kept away {} of {} identities: {}; honest {} (offences charged: {})",
            self.banned.values().sum::<u64>(),
            self.identities,
            if banned.is_empty() { "none".to_owned() } else { banned.join(", ") },
            self.honest_banned,
            self.honest_charged,
        )?;
        let failures = self.failures();
        let verdict = if failures.is_empty() { "pass".to_owned() } else { failures.join("; ") };
        write!(f, "  verdict   {verdict}; {} blocks", self.grew)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread() -> Spread {
        Spread { messages: 10, coverage: 1.0, p50_ms: 50.0, p99_ms: 100.0 }
    }

    fn well() -> Outcome {
        let usage = Usage { memory: 100 << 20, processors: 0.5 };
        Outcome {
            attacks: vec![(Attack::Frames, BTreeMap::from([("frames", 1)]))],
            timed: true,
            nodes: 10,
            quiet: [spread(); 2],
            under: [spread(); 2],
            quiet_lag_ms: 5.0,
            before: usage,
            after: usage,
            refused: 0,
            identities: 1,
            banned: BTreeMap::new(),
            honest_banned: 0,
            honest_charged: 0,
            same_tip: true,
            grew: 10,
        }
    }

    #[test]
    fn each_bar_that_is_missed_is_told() {
        assert_eq!(well().failures(), [""; 0]);
        let mut worse = well();
        worse.attacks.push((Attack::Grafts, BTreeMap::new()));
        worse.under[0].coverage = 0.999;
        worse.under[1].p99_ms = 201.0;
        worse.after.memory = (100 + 10 * 65) << 20;
        worse.refused = 1;
        worse.honest_banned = 1;
        worse.honest_charged = 1;
        worse.same_tip = false;
        assert_eq!(worse.failures().len(), 8);
        worse.quiet_lag_ms = 200.0;
        assert!(worse.failures().iter().any(|it| it.starts_with("not valid")));
        assert_eq!(worse.failures().len(), 8, "then times are not compared");
        worse.timed = false;
        assert_eq!(worse.failures().len(), 7, "times are not compared");
    }
}
