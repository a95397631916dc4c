//! What the nodes' logs say: which honest message came to whom, how late, and who was kept away.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};

use anyhow::Result;
use hearsay_node::trace::event::{Event, Kind, Record};

use super::field::Logs;

/// A message of an honest node.
#[derive(Clone, Debug)]
struct Message {
    kind: Kind,
    origin: usize,
    at_us: i64,
    /// How long after, at each node that had it.
    late_us: BTreeMap<usize, i64>,
}

/// All that was read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    nodes: usize,
    messages: BTreeMap<String, Message>,
    penalised: Vec<(String, String)>,
    /// When, and how late things came to run in that second.
    lags: Vec<(i64, u64)>,
    honest: Vec<String>,
}

/// How some messages spread.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// How many there were.
    pub messages: usize,
    /// Deliveries over those that should have been.
    pub coverage: f64,
    /// Of the deliveries, in milliseconds since publication.
    pub p50_ms: f64,
    /// The same.
    pub p99_ms: f64,
}

/// What is looked at of a log; the rest is not even parsed.
const WANTED: [&str; 5] =
    ["\"published\"", "\"received\"", "\"penalised\"", "\"included\"", "\"lag\""];

impl Reading {
    /// Reads the logs of all nodes.
    ///
    /// # Errors
    /// A log cannot be read.
    pub fn of(logs: &Logs) -> Result<Self> {
        let mut reading = Self { nodes: logs.logs.len(), ..Self::default() };
        reading.honest = logs.logs.iter().map(|(peer, _)| peer.to_string()).collect();
        let mut received = Vec::new();
        for (node, (_, path)) in logs.logs.iter().enumerate() {
            for line in BufReader::new(File::open(path)?).lines() {
                let line = line?;
                if !WANTED.iter().any(|wanted| line.contains(wanted)) {
                    continue;
                }
                let record: Record = serde_json::from_str(&line)?;
                let at_us = record.t.parse::<jiff::Timestamp>()?.as_microsecond();
                match record.event {
                    Event::Published { kind, id, .. } => {
                        let late_us = BTreeMap::new();
                        let message = Message { kind, origin: node, at_us, late_us };
                        reading.messages.entry(id).or_insert(message);
                    }
                    // One that came with its block alone counts from then on.
                    Event::Received { id, .. } | Event::Included { id, .. } => {
                        received.push((id, node, at_us))
                    }
                    Event::Penalised { peer, reason, .. } => {
                        reading.penalised.push((peer, reason));
                    }
                    Event::Lag { p99_us, .. } => reading.lags.push((at_us, p99_us)),
                    _ => {}
                }
            }
        }
        for (id, node, at_us) in received {
            if let Some(message) = reading.messages.get_mut(&id).filter(|it| it.origin != node) {
                let late = at_us.saturating_sub(message.at_us);
                // Of two the earlier counts.
                let known = message.late_us.entry(node).or_insert(late);
                *known = late.min(*known);
            }
        }
        Ok(reading)
    }

    /// How transactions and blocks spread that were published within a time, in microseconds since the
    /// Unix epoch.
    #[must_use]
    pub fn within(&self, time: (i64, i64)) -> [Spread; 2] {
        [Kind::Tx, Kind::Block].map(|kind| self.spread(kind, time))
    }

    fn spread(&self, kind: Kind, (from, to): (i64, i64)) -> Spread {
        let fits = |it: &&Message| it.kind == kind && (from..to).contains(&it.at_us);
        let messages: Vec<&Message> = self.messages.values().filter(fits).collect();
        let mut lates: Vec<i64> =
            messages.iter().flat_map(|it| it.late_us.values().copied()).collect();
        lates.sort_unstable();
        let should = messages.len() * self.nodes.saturating_sub(1);
        let at = |share: usize| {
            let last = lates.len().saturating_sub(1);
            lates.get(last * share / 100).map_or(0.0, |us| *us as f64 / 1_000.0)
        };
        Spread {
            messages: messages.len(),
            coverage: if should == 0 { 0.0 } else { lates.len() as f64 / should as f64 },
            p50_ms: at(50),
            p99_ms: at(99),
        }
    }

    /// How late things came to run within a time, in milliseconds: the 99th percentile of its worst second
    /// but for one in ten.
    #[must_use]
    pub fn lag_ms(&self, (from, to): (i64, i64)) -> f64 {
        let within = self.lags.iter().filter(|(at, _)| (from..to).contains(at));
        let mut lags: Vec<u64> = within.map(|(_, us)| *us).collect();
        lags.sort_unstable();
        let at = lags.len().saturating_sub(1) * 9 / 10;
        lags.get(at).map_or(0.0, |us| *us as f64 / 1_000.0)
    }

    /// Everybody who was kept away, with the reason, once for each node that did.
    #[must_use]
    pub fn penalised(&self) -> &[(String, String)] {
        &self.penalised
    }

    /// How often an honest node was kept away.
    #[must_use]
    pub fn banned_honest(&self) -> u64 {
        self.penalised.iter().filter(|(peer, _)| self.honest.contains(peer)).count() as u64
    }
}
