//! The figures that are compared, by their paths in `report.json`.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use serde_json::Value;

use crate::report::Report;

/// Which way a figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The less the better.
    Lower,
    /// The more the better.
    Higher,
}

/// One of the figures.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Its path in `report.json`.
    pub path: &'static str,
    /// What it is called.
    pub what: &'static str,
    /// Its unit; empty when it has none.
    pub unit: &'static str,
    /// Which way is better.
    pub better: Better,
}

const fn figure(path: &'static str, what: &'static str, unit: &'static str) -> Figure {
    Figure { path, what, unit, better: Better::Lower }
}

const fn more(path: &'static str, what: &'static str) -> Figure {
    Figure { path, what, unit: "", better: Better::Higher }
}

/// Those that say how well messages spread, and at what cost. Not all of a report: the more figures,
/// the more of them differ by chance.
pub const FIGURES: [Figure; 26] = [
    more("tx.coverage", "tx coverage"),
    figure("submitted.pooled_ms.p50", "submission to pooled, median", "ms"),
    figure("submitted.pooled_ms.p99", "submission to pooled, 99 %", "ms"),
    figure("tx.latency_ms.p50", "tx latency, median", "ms"),
    figure("tx.latency_ms.p99", "tx latency, 99 %", "ms"),
    figure("tx.to_share_ms.50.p50", "tx to half of the nodes", "ms"),
    figure("tx.to_share_ms.99.p50", "tx to 99 % of the nodes", "ms"),
    figure("tx.to_share_ms.100.p50", "tx to all nodes", "ms"),
    figure("tx.copies_per_node", "tx copies per delivery", ""),
    figure("tx.stretch.connections.p50", "tx stretch", ""),
    more("block.coverage", "block coverage"),
    figure("block.latency_ms.p50", "block latency, median", "ms"),
    figure("block.latency_ms.p99", "block latency, 99 %", "ms"),
    figure("block.to_share_ms.50.p50", "block to half of the nodes", "ms"),
    figure("block.to_share_ms.99.p50", "block to 99 % of the nodes", "ms"),
    figure("block.to_share_ms.100.p50", "block to all nodes", "ms"),
    figure("block.copies_per_node", "block copies per delivery", ""),
    figure("block.stretch.connections.p50", "block stretch", ""),
    figure("block.to_tip_ms.p50", "block to tip, median", "ms"),
    figure("block.to_tip_ms.p99", "block to tip, 99 %", "ms"),
    figure("block.stale_rate", "stale blocks, share", ""),
    figure("wire.ratio", "wire ratio", ""),
    figure("members.detected_ms.p99", "death detected, 99 %", "ms"),
    figure("members.all_know_ms.p99", "death known by all, 99 %", "ms"),
    figure("members.false_positives", "false positives", ""),
    figure("members.bytes_per_node_s", "membership, bytes/node/s", ""),
];

/// The figures of one report, in the order of [`FIGURES`].
pub(super) fn of(report: &Report) -> Vec<Option<f64>> {
    let value = serde_json::to_value(report).unwrap_or_default();
    let at = |path: &str| path.split('.').fold(&value, |value, key| &value[key]).as_f64();
    FIGURES.iter().map(|figure| at(figure.path)).collect()
}

/// The value at a path, for tests: whether the path exists at all.
#[cfg(test)]
pub(super) fn exists(report: &Report, path: &str) -> bool {
    let value = serde_json::to_value(report).expect("it serialises");
    path.split('.').try_fold(&value, |value: &Value, key| value.get(key)).is_some()
}
