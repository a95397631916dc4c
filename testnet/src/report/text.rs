//! `report.txt`: a screenful, for whoever wants to know how it went.
//!
//! At most some 40 lines of 100 columns, aligned, without colours. A line that would be longer is
//! folded, but for a command with a long folder name.

use std::fmt::Display;

use super::json::{Assert, Report};
use super::members::Members;
use super::reconciliation::{Rounds, StrategyRounds};
use super::spread::{Slowest, Spread, Stretch};
use super::stages::VerdictCount;
use super::stats::{Pair, Summary};
use super::words::{
    bytes, fixed, fold, list, or_dash, pair, path, shell_word, verdict_name, via_name,
};
use crate::load::Counts;

/// Reasons why a report is not valid that are shown; `report.json` has all of them.
const REASONS_SHOWN: usize = 2;

/// Failed assertions that are named; `report.json` has all of them.
const FAILURES_SHOWN: usize = 3;

/// Different verdicts that are shown; `report.json` has all of them.
const VERDICTS_SHOWN: usize = 3;

/// Rounds whose deliveries are shown; `report.json` has all of them.
const ROUNDS_SHOWN: usize = 10;

/// The longest line.
const COLUMNS: usize = 100;

/// Digits of an id: enough to tell it from any other.
const ID_DIGITS: usize = 16;

impl Report {
    /// The report as a screenful of text.
    pub fn to_text(&self) -> String {
        let mut lines = self.head();
        lines.extend(self.spreading());
        lines.extend(self.latencies());
        lines.extend(self.shares());
        lines.extend(self.stages());
        lines.extend(self.copies());
        lines.extend(self.handed_in());
        lines.extend(self.afterwards());
        lines.push(String::new());
        let mut text: String =
            lines.iter().map(|line| fold(line.trim_end(), COLUMNS) + "\n").collect();
        for (kind, spread) in self.kinds() {
            if let Some(slowest) = &spread.slowest {
                text += &self.slowest(kind, slowest);
            }
        }
        text
    }

    /// The kinds of which there is something to say.
    fn kinds(&self) -> impl Iterator<Item = (&'static str, &Spread)> {
        let kinds = [("tx", &self.tx.spread), ("block", &self.block.spread)];
        kinds.into_iter().filter(|(_, spread)| spread.published > 0)
    }

    fn head(&self) -> Vec<String> {
        let scenario = self.scenario.as_deref().unwrap_or("no scenario");
        let seed = self.seed.map_or(String::new(), |seed| format!(", seed {seed}"));
        let (nodes, logs) = (self.nodes, &self.logs);
        let mut fates = String::new();
        if logs.killed + logs.restarts > 0 {
            fates = format!(" ({} killed, {} restarted)", logs.killed, logs.restarts);
        }
        let verdict = if self.valid { "valid" } else { "NOT VALID" };
        let seconds = self.window.length_us() as f64 / 1e6;
        let derived = if self.window.derived { " (window derived from the logs)" } else { "" };
        let (links, clock) = (&self.links, &self.clock);
        let mut lines = vec![
            format!("{scenario}{seed}: {nodes} nodes{fates}{}, {verdict}", self.manner()),
            format!("measured over {seconds:.3} s{derived}; {links}; {clock}"),
        ];
        lines.extend(self.machine());
        lines.extend(self.load.as_ref().filter(|load| is_off(load)).map(Counts::to_line));
        let reasons = self.invalid_reasons.iter().take(REASONS_SHOWN);
        lines.extend(reasons.map(|reason| format!("  not valid: {reason}")));
        let more = self.invalid_reasons.len().saturating_sub(REASONS_SHOWN);
        if more > 0 {
            lines.push(format!("  and {more} more reasons in report.json"));
        }
        let failed = self.asserts.iter().filter(|assert| !assert.ok);
        let failed: Vec<_> = failed.map(Assert::words).collect();
        match (self.asserts.len(), failed.len()) {
            (0, _) => {}
            (all, 0) => lines.push(format!("all {all} assertions hold")),
            (all, not) => {
                let names = list(&failed, FAILURES_SHOWN);
                lines.push(format!("{not} of {all} assertions FAILED: {names}"));
            }
        }
        lines
    }

    /// How the nodes ran, where that is not as usual.
    fn manner(&self) -> String {
        let mut words = String::new();
        if self.mode.as_deref() == Some("in-process") {
            words += " in one process";
        }
        if self.dilation > 1 {
            words += &format!(", {} times slower than real time", self.dilation);
        }
        words
    }

    /// Whether links and machine did what they were to do.
    fn machine(&self) -> Option<String> {
        let calibration = self.calibration.as_ref().map(|probed| {
            let (all, off) = (probed.links.len(), fixed(probed.worst_rtt_error_ms, 2));
            let rate = probed.worst_rate_error_percent;
            let rate = rate.map_or(String::new(), |rate| format!(" and {rate:.1} % of the rate"));
            format!("{all} links probed, off by at most {off} ms{rate}")
        });
        let lag = self.lag.p99_us.map(|p99| {
            let limit = self.lag.limit_us;
            let limit = limit.map_or(String::new(), |us| format!(" (limit {})", us as f64 / 1e3));
            format!("scheduler lag p99 {} ms{limit}", p99 as f64 / 1000.0)
        });
        let told: Vec<_> = calibration.into_iter().chain(lag).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    fn spreading(&self) -> Vec<String> {
        let head =
            ["published", "expected", "delivered", "coverage", "copies/node", "hops p50/max"];
        let mut lines = vec![String::new(), format!("{:<16}{}", "", row(head, 14))];
        for (kind, spread) in [("tx", &self.tx.spread), ("block", &self.block.spread)] {
            let hops = &spread.hops;
            let percent = spread.coverage.map(|share| share * 100.0);
            let cells = [
                spread.published.to_string(),
                spread.expected.to_string(),
                spread.delivered.to_string(),
                fixed(percent, 2) + " %",
                fixed(spread.copies_per_node, 3),
                format!("{}/{}", or_dash(hops.p50), or_dash(hops.max)),
            ];
            lines.push(format!("{kind:<16}{}", row(cells, 14)));
        }
        lines.extend(self.rounds());
        lines.extend(self.push_rounds());
        lines.extend(self.stretches());
        lines
    }

    /// How many deliveries there were at so many hops.
    fn rounds(&self) -> Option<String> {
        let told = self.kinds().filter_map(|(kind, spread)| {
            let rounds = spread.hops.histogram.iter().enumerate();
            let rounds = rounds.filter(|(_, deliveries)| **deliveries > 0);
            let rounds = rounds.map(|(hops, deliveries)| format!("{hops}: {deliveries}"));
            let rounds: Vec<_> = rounds.collect();
            (!rounds.is_empty()).then(|| format!("{kind} rounds {}", list(&rounds, ROUNDS_SHOWN)))
        });
        let told: Vec<_> = told.collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    /// Latency over the shortest path, where links have a known delay.
    fn stretches(&self) -> Option<String> {
        let told = self.kinds().filter(|(_, spread)| spread.stretch.full.p50.is_some());
        let told = told.map(|(kind, spread)| {
            let ratios = |pair: Pair| format!("{}/{}", fixed(pair.p50, 2), fixed(pair.p99, 2));
            let Stretch { connections, full } = spread.stretch;
            format!("{kind} {} over connections, {} over all", ratios(connections), ratios(full))
        });
        let told: Vec<_> = told.collect();
        (!told.is_empty()).then(|| format!("stretch p50/p99: {}", told.join("; ")))
    }

    fn latencies(&self) -> Vec<String> {
        let head = row(["p50", "p90", "p95", "p99", "max"], 12);
        let mut lines = vec![String::new(), format!("{:<28}{head}", "latency, ms")];
        let mut line = |label: String, summary: &Summary| {
            let Summary { p50, p90, p95, p99, max } = *summary;
            let cells = [p50, p90, p95, p99, max].map(|figure| fixed(figure, 3));
            lines.push(format!("{label:<28}{}", row(cells, 12)));
        };
        for (kind, spread) in self.kinds() {
            line(format!("{kind} since publication"), &spread.latency_ms);
            line(format!("{kind} since first delivery"), &spread.since_first_ms);
        }
        if self.block.spread.published > 0 {
            let to_tip = &self.block.forks.to_tip_ms;
            line("block became the tip".to_owned(), to_tip);
        }
        lines
    }

    fn shares(&self) -> Vec<String> {
        let head = row(["50 %", "75 %", "90 %", "95 %", "99 %", "all nodes"], 12);
        let mut lines = vec![String::new(), format!("{:<28}{head}", "time to reach, ms")];
        for (kind, spread) in self.kinds() {
            let to = &spread.to_share_ms;
            let shares = [to.half, to.p75, to.p90, to.p95, to.p99, to.all];
            let p50 = row(shares.map(|share| fixed(share.p50, 3)), 12);
            let p99 = row(shares.map(|share| fixed(share.p99, 3)), 12);
            lines.push(format!("{:<28}{p50}", format!("{kind} p50")));
            lines.push(format!("{:<28}{p99}", format!("{kind} p99")));
            if to.all.unreached > 0 {
                let unreached = row(shares.map(|share| share.unreached), 12);
                lines.push(format!("{:<28}{unreached}", format!("{kind} never reached it")));
            }
        }
        lines
    }

    fn stages(&self) -> Vec<String> {
        let line = |(kind, spread): (&str, &Spread)| {
            let stages = &spread.stages;
            let pull = match stages.pull_ms.p50 {
                Some(_) => format!(", a hop asked for {}", pair(stages.pull_ms)),
                None => String::new(),
            };
            let (network, queue) = (pair(stages.network_ms), pair(stages.queue_ms));
            let check = pair(stages.check_ms);
            let store = match stages.store_ms.p50 {
                Some(_) => format!(", store {}", pair(stages.store_ms)),
                None => String::new(),
            };
            format!(
                "{kind:<6}p50/p99 ms: \
                 a hop on the network {network}{pull}, queue {queue}, check {check}{store}"
            )
        };
        self.kinds().map(line).collect()
    }

    fn copies(&self) -> Vec<String> {
        let kinds = [
            ("tx", &self.tx.spread, &self.tx.verdicts),
            ("block", &self.block.spread, &self.block.verdicts),
        ];
        let heard = kinds
            .iter()
            .filter(|(_, spread, verdicts)| spread.published > 0 || !verdicts.is_empty());
        let line = |(kind, spread, verdicts): &(&str, &Spread, &Vec<VerdictCount>)| {
            let copies = spread.copies.iter().map(|copies| {
                format!("{} {}+{}", via_name(copies.via), copies.first, copies.redundant)
            });
            let copies = list(&copies.collect::<Vec<_>>(), usize::MAX);
            let verdicts: Vec<_> = verdicts.iter().map(verdict).collect();
            let verdicts = list(&verdicts, VERDICTS_SHOWN);
            format!("{kind:<6}copies first+redundant: {copies}; verdicts: {verdicts}")
        };
        heard.map(line).collect()
    }

    fn afterwards(&self) -> Vec<String> {
        let (pool, chain, forks) = (&self.tx.pool, &self.chain, &self.block.forks);
        let tip = match chain.same_tip {
            Some(true) => "same tip",
            Some(false) => "TIPS DIFFER",
            None => "no tips logged",
        };
        let percent = |share: Option<f64>| fixed(share.map(|share| share * 100.0), 1) + " %";
        let compact = self.block.compact_ratio.map(|ratio| {
            format!(
                "compact blocks: {} of their size; {} of their transactions from pools",
                percent(Some(ratio)),
                percent(self.block.rebuilt_share),
            )
        });
        let (pooled, included) = (pair(pool.pooled_ms), pair(pool.included_ms));
        let every = fixed(forks.interval_ms.p50, 0);
        let mut lines = vec![
            format!(
                "pool  p50/p99 ms: pooled {pooled}, included {included}; \
                 {} included, {} evicted, {} neither",
                pool.included, pool.evicted, pool.never_included,
            ),
            format!(
                "chain height {}, final {}, {tip}; \
                 stale {}, deepest reorg {}, a block every {every} ms",
                or_dash(chain.height),
                or_dash(chain.final_height),
                or_dash(forks.stale),
                forks.max_reorg,
            ),
            format!(
                "wire  {} sent for {} of payload delivered: ratio {}",
                or_dash(self.wire.bytes.map(bytes)),
                bytes(self.wire.payload_bytes),
                fixed(self.wire.ratio, 2),
            ),
        ];
        lines.extend(self.reconciliation.by_strategy.iter().map(compared));
        lines.extend(compact);
        lines.extend(self.members.iter().flat_map(members));
        lines
    }

    fn slowest(&self, kind: &str, slowest: &Slowest) -> String {
        let (node, origin, ms) = (&slowest.node, &slowest.origin, slowest.ms);
        let id: String = slowest.id.chars().take(ID_DIGITS).collect();
        let what =
            format!("slowest {kind} {id}: last at {node}, {ms:.3} ms after {origin} published it");
        let why = match &slowest.journey {
            Some(journey) => format!("  path {}; {}", path(&journey.path), journey.reason),
            None => "  its way there is not in the logs".to_owned(),
        };
        // Not folded: a command is there to be copied.
        let command = format!("  hearsay-testnet where {id} --in {}", shell_word(&self.dir));
        let [what, why] = [what, why].map(|line| fold(&line, COLUMNS));
        format!("{what}\n{why}\n{command}\n")
    }
}

impl Assert {
    /// What was asserted, what was wanted, and what was found.
    fn words(&self) -> String {
        let mut words = self.name.clone();
        if let Some(wanted) = &self.wanted {
            words += &format!(" {wanted}");
        }
        if let Some(found) = &self.found {
            words += &format!(" (is {found})");
        }
        words
    }
}

/// Whether a load went otherwise than it was asked to.
fn is_off(load: &Counts) -> bool {
    load.taken < load.planned || load.late > 0
}

/// What the lists of members were worth: nothing of what did not happen.
fn members(members: &Members) -> Vec<String> {
    let three =
        |of: &Summary| format!("{}/{}/{}", fixed(of.p50, 0), fixed(of.p99, 0), fixed(of.max, 0));
    let never = |count: u64| if count > 0 { format!(" ({count} NEVER)") } else { String::new() };
    let ends = |ends: u64, what: &str, detected: &Summary, all: &Summary, unaware: u64| {
        let (detected, all, unaware) = (three(detected), three(all), never(unaware));
        let told =
            || format!("{ends} {what} noticed after {detected}, by all {all} later{unaware}");
        (ends > 0).then(told)
    };
    let after = |count: u64, what: &str, times: &Summary, missing: u64| {
        (count > 0).then(|| format!("{count} {what} after {}{}", three(times), never(missing)))
    };
    let it = members;
    let heal = it.heal_ms.map_or("NEVER".to_owned(), |ms| format!("{ms:.0}"));
    let times: Vec<_> = [
        ends(it.deaths, "deaths", &it.detected_ms, &it.all_know_ms, it.unaware),
        ends(it.leaves, "leaves", &it.left_detected_ms, &it.left_all_know_ms, it.left_unaware),
        after(it.returns, "returns known", &it.returned_ms, it.unreturned),
        after(it.joins, "joins complete", &it.discovered_ms, it.undiscovered),
        (it.heals > 0).then(|| format!("one list {heal} after the links returned")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let cost = it.bytes_per_node_s.map(|rate| format!("; {rate:.0} B/s sent by a node"));
    let mut lines = vec![format!(
        "members: {} false positives, {} suspicions ({} of the living), {} refuted{}",
        it.false_positives,
        it.suspicions,
        it.suspicions_of_living,
        it.refuted,
        cost.unwrap_or_default(),
    )];
    if !times.is_empty() {
        lines.push(format!("members p50/p99/max ms: {}", times.join("; ")));
    }
    lines
}

/// Right-aligned columns of one width.
fn row<const N: usize>(cells: [impl Display; N], width: usize) -> String {
    cells.map(|cell| format!("{cell:>width$}")).concat()
}

/// What one strategy's comparisons of pools came to.
fn compared(row: &StrategyRounds) -> String {
    let Rounds { rounds, different, bytes: cost, gained, given, took_ms, .. } = row.rounds;
    format!(
        "reconciliation ({}): {rounds} rounds, {different} with a difference, {gained} gained, \
         {given} given, {}, p50 {} ms",
        row.strategy,
        bytes(cost),
        fixed(took_ms.p50, 0),
    )
}

fn verdict(count: &VerdictCount) -> String {
    let name = verdict_name(count.verdict);
    match &count.reason {
        Some(reason) => format!("{name} ({reason}) {}", count.count),
        None => format!("{name} {}", count.count),
    }
}
