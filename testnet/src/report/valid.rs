//! Whether the figures may be relied on, and what was read.

use super::json::Logs;
use super::manifest::Manifest;
use super::run::{Message, NodeLog, Run};
use super::window::Window;

/// Everything that speaks against relying on the figures, in sentences: by node, then the rest.
pub(crate) fn reasons(run: &Run, manifest: &Manifest, window: &Window) -> Vec<String> {
    let mut reasons: Vec<_> = run.nodes.iter().flat_map(of_node).collect();
    reasons.extend(run.faults.iter().cloned());
    reasons.extend(manifest.faults.iter().cloned());
    if window.length_us() == 0 {
        reasons.push("the measured window is empty: the logs are too short for one".to_owned());
    } else if window.nodes_at_end(run).is_empty() {
        reasons.push("no node was running at the end of the measured window".to_owned());
    }
    reasons
}

fn of_node(node: &NodeLog) -> Vec<String> {
    let name = &node.name;
    let mut reasons = Vec::new();
    if node.lines == 0 {
        reasons.push(format!("{name}: its log is empty"));
    }
    if node.unstarted {
        reasons.push(format!("{name}: its log does not begin with a start line"));
    }
    match node.unreadable {
        0 => {}
        1 => reasons.push(format!("{name}: 1 unreadable line")),
        lines => reasons.push(format!("{name}: {lines} unreadable lines")),
    }
    match node.clock_steps {
        0 => {}
        1 => reasons.push(format!("{name}: its wall clock stepped while it ran")),
        steps => reasons.push(format!("{name}: its wall clock stepped {steps} times")),
    }
    reasons
}

/// What was read.
pub(crate) fn logs(run: &Run) -> Logs {
    let sum = |figure: fn(&NodeLog) -> u64| run.nodes.iter().map(figure).sum();
    let unpublished = |message: &&Message| {
        message.origin().is_none() && message.at.iter().any(|at| at.first.is_some())
    };
    Logs {
        lines: sum(|node| node.lines),
        truncated: sum(|node| node.truncated),
        unreadable: sum(|node| node.unreadable),
        unknown: sum(|node| node.unknown),
        restarts: sum(|node| (node.lives.len() as u64).saturating_sub(1)),
        killed: sum(|node| {
            let killed = |life: &&super::run::Life| life.end.is_some() && !life.stopped;
            node.lives.iter().filter(killed).count() as u64
        }),
        unpublished: run.txs.values().chain(run.blocks.values()).filter(unpublished).count() as u64,
    }
}
