//! Whether the figures may be relied on, and what was read.

use super::json::Logs;
use super::manifest::Manifest;
use super::run::{Message, NodeLog, Run};
use super::window::Window;

/// How the manifest's fault begins that somebody asked for the end.
const INTERRUPTED: &str = "interrupted";

/// Everything that speaks against relying on the figures, in sentences: by node, then the rest.
pub(crate) fn reasons(run: &Run, manifest: &Manifest, window: &Window) -> Vec<String> {
    let mut reasons: Vec<_> = run.nodes.iter().flat_map(of_node).collect();
    reasons.extend(run.faults.iter().cloned());
    reasons.extend(manifest.faults.iter().cloned());
    reasons.extend(of_load(manifest));
    if window.length_us() == 0 {
        reasons.push("the measured window is empty: the logs are too short for one".to_owned());
    } else if window.nodes_at_end(run).is_empty() {
        reasons.push("no node was running at the end of the measured window".to_owned());
    }
    reasons
}

/// Why what was published is not what was asked for, if that is so. Of a load that an interruption
/// cut short, the rest was not to be handed in any more.
fn of_load(manifest: &Manifest) -> Option<String> {
    let load = manifest.load.as_ref().filter(|load| load.taken < load.planned)?;
    let interrupted = manifest.faults.iter().any(|fault| fault.starts_with(INTERRUPTED));
    let failed = !load.refused.is_empty() || !load.failed.is_empty();
    let short = load.submitted < load.planned && !interrupted;
    (failed || short).then(|| format!("not all of the load was taken: {}", load.to_line()))
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
        killed: sum(|node| node.lives.iter().filter(|life| life.killed()).count() as u64),
        unpublished: run.txs.values().chain(run.blocks.values()).filter(unpublished).count() as u64,
    }
}
