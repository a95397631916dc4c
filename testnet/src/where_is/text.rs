//! The whereabouts of a message as text.

use std::fmt::{self, Write as _};

use super::{Outcome, Sender, Visit, Whereabouts};
use crate::report::{Journey, verdict_name, via_name};
use hearsay_node::trace::event::{Kind, Origin};

/// Peer ids are cut to this many characters at their end, which is where they differ.
const PEER_TAIL: usize = 8;

impl Whereabouts {
    /// The tree, the nodes that were missed, and where it arrived last and why.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_text(&mut text);
        text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    fn write_text(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "{} {}", self.kind, self.id)?;
        self.opening(out)?;
        writeln!(out)?;
        self.tree(out)?;
        writeln!(out)?;
        for missed in &self.missed {
            writeln!(out, "never at {}: it {}", missed.node, missed.why)?;
        }
        if let Some(outcome) = &self.outcome {
            self.outcome(out, outcome)?;
        }
        self.summary(out)
    }

    fn opening(&self, out: &mut String) -> fmt::Result {
        let (bytes, published) = (self.bytes, &self.published);
        match (&self.origin, self.introduced) {
            (Some(node), Some(Origin::Produced)) => {
                writeln!(out, "{bytes} bytes, produced by {node} at {published}")
            }
            (Some(node), _) => {
                writeln!(out, "{bytes} bytes, published by {node} at {published}")
            }
            (None, _) => writeln!(
                out,
                "{bytes} bytes, published by none of these nodes; first heard of at {published}"
            ),
        }
    }

    fn tree(&self, out: &mut String) -> fmt::Result {
        let branches = branches(&self.nodes);
        let name = |(branch, visit): (&String, &Visit)| format!("{branch}{}", visit.node);
        let names: Vec<String> = branches.iter().zip(&self.nodes).map(name).collect();
        let width = |text: &String| text.chars().count();
        let widest = names.iter().map(width).max().unwrap_or(0);
        let regions = self.nodes.iter().filter_map(|visit| visit.region.as_ref());
        // Two spaces before the column, which is not there when no region is known.
        let column = regions.map(|region| width(region) + 2).max().unwrap_or(0);
        for (name, visit) in names.iter().zip(&self.nodes) {
            let region = visit.region.as_ref().map_or(String::new(), |name| format!("  {name}"));
            write!(out, "{name:<widest$}{region:<column$}{:>12.3} ms  ", visit.ms)?;
            writeln!(out, "{}", visit.words())?;
        }
        Ok(())
    }

    fn outcome(&self, out: &mut String, outcome: &Outcome) -> fmt::Result {
        if self.kind == Kind::Tx {
            writeln!(out, "pooled at {} nodes", outcome.pooled)?;
            for eviction in &outcome.evicted {
                let (node, ms, reason) = (&eviction.node, eviction.ms, &eviction.reason);
                writeln!(out, "evicted at {node} after {ms:.3} ms: {reason}")?;
            }
            for included in &outcome.included {
                let (block, height, nodes) = (&included.block, included.height, included.nodes);
                let (first, last) = (included.ms.first, included.ms.last);
                writeln!(out, "included in block {block}")?;
                writeln!(
                    out,
                    "  at height {height}, at {nodes} nodes, after {first:.3} to {last:.3} ms"
                )?;
            }
            if outcome.included.is_empty() {
                writeln!(out, "in no block")?;
            }
        } else if let Some(span) = outcome.tip_ms {
            let (nodes, first, last) = (outcome.tip, span.first, span.last);
            writeln!(out, "the tip of {nodes} nodes, after {first:.3} to {last:.3} ms")?;
        }
        Ok(())
    }

    fn summary(&self, out: &mut String) -> fmt::Result {
        let Some(last) = &self.last else {
            return writeln!(out, "last: it arrived at no other node");
        };
        let (node, ms) = (&last.node, last.ms);
        let Some(journey) = &last.journey else {
            return writeln!(
                out,
                "last: {node} after {ms:.3} ms, its way there is not in the logs"
            );
        };
        let path = journey.path.join(" → ");
        writeln!(out, "last: {node} after {ms:.3} ms, path {path}")?;
        steps(out, journey)?;
        writeln!(out, "why:  {}", journey.reason)?;
        if journey.clamped {
            writeln!(out, "      (a node had it before its relay logged that it accepted it)")?;
        }
        Ok(())
    }
}

fn steps(out: &mut String, journey: &Journey) -> fmt::Result {
    let words: Vec<String> = journey.steps.iter().map(|step| step.words()).collect();
    let widest = words.iter().map(|words| words.chars().count()).max();
    let widest = widest.unwrap_or(0);
    for (words, step) in words.iter().zip(&journey.steps) {
        let share = step.share.map_or(String::new(), |share| format!("{:>6.0} %", share * 100.0));
        writeln!(out, "  {words:<widest$}{:>12.3} ms{share}", step.ms)?;
    }
    Ok(())
}

impl Visit {
    fn words(&self) -> String {
        let mut parts = Vec::new();
        match (&self.from, self.via) {
            (Some(from), Some(via)) => {
                let hop = self.hop.map_or(String::new(), |hop| format!(", hop {hop}"));
                parts.push(format!("{} from {}{hop}", via_name(via), short(from)));
            }
            _ => parts.push("introduced it".to_owned()),
        }
        parts.push(copies(self.copies, &self.copies_from));
        if let Some(judged) = &self.verdict {
            let reason = judged.reason.as_ref();
            let reason = reason.map_or(String::new(), |reason| format!(" ({reason})"));
            let (queue, check) = (judged.queue_ms, judged.check_ms);
            let verdict = verdict_name(judged.verdict);
            parts.push(format!("{verdict}{reason}, queue {queue:.3}, check {check:.3}"));
        }
        if self.late_start {
            parts.push("started later".to_owned());
        }
        parts.join("; ")
    }
}

fn copies(copies: u64, from: &[Sender]) -> String {
    let sender = |sender: &Sender| match sender.copies {
        1 => short(&sender.node).to_owned(),
        copies => format!("{} ×{copies}", short(&sender.node)),
    };
    let from: Vec<String> = from.iter().map(sender).collect();
    match copies {
        0 => "no copies".to_owned(),
        1 => format!("1 copy ({})", from.join(", ")),
        copies => format!("{copies} copies ({})", from.join(", ")),
    }
}

/// A node's name whole, a stranger's peer id by its end.
fn short(peer: &str) -> &str {
    match peer.char_indices().rev().nth(PEER_TAIL - 1) {
        Some((cut, _)) if peer.len() > 2 * PEER_TAIL => &peer[cut..],
        _ => peer,
    }
}

/// The lines that join each node of the tree to the one above it.
fn branches(visits: &[Visit]) -> Vec<String> {
    let mut branches = vec![String::new(); visits.len()];
    // From the bottom up: at each level, whether a sibling follows further down.
    let mut follows: Vec<bool> = Vec::new();
    for (visit, branch) in visits.iter().zip(&mut branches).rev() {
        let indent = visit.indent as usize;
        follows.resize(indent + 1, false);
        for (level, follows) in follows.iter().enumerate().skip(1) {
            *branch += match (level == indent, *follows) {
                (true, true) => "├─ ",
                (true, false) => "└─ ",
                (false, true) => "│  ",
                (false, false) => "   ",
            };
        }
        follows[indent] = true;
    }
    branches
}
