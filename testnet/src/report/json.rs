//! `report.json`: the contract that other programs read.
//!
//! Fields are only added within a schema number. Their order is that of the declarations, and every
//! list has a defined order, so the same logs give the same bytes. A figure that cannot be told
//! is `null`; the field is there all the same. Times are in milliseconds with a precision of a
//! microsecond unless a field's name ends in `_us`, shares run from 0 to 1.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::blocks::BlockRow;
use super::calibration::Calibration;
use super::chain::Chain;
use super::detail::Detail;
use super::forks::Forks;
use super::lag::Lag;
use super::members::Members;
use super::per_node::NodeFigures;
use super::pool::Pool;
use super::reconciliation::Reconciliation;
use super::rounds::Rounds;
use super::shape::{Action, Cut, Pause, Shape};
use super::spread::Spread;
use super::stages::VerdictCount;
use super::submitted::Submitted;
use super::window::Window;
use super::wire::Wire;
use crate::load::Counts;

/// The version of the fields below.
pub const SCHEMA: u32 = 1;

/// What the logs of one testnet say, over the messages published within the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The scenario's name, when the manifest has one.
    pub scenario: Option<String>,
    /// The scenario's seed, when the manifest has one.
    pub seed: Option<u64>,
    /// Nodes whose logs were read.
    pub nodes: u64,
    /// Whether the figures may be relied on.
    pub valid: bool,
    /// Why not, in sentences.
    pub invalid_reasons: Vec<String>,
    /// Whether the figures come from running nodes, as opposed to a model.
    pub measured: bool,
    /// How the links were made, in words.
    pub links: String,
    /// What the scenario is for, when the manifest says.
    #[serde(default)]
    pub description: Option<String>,
    /// How the nodes ran: `processes`, or `in-process` for many in one.
    #[serde(default)]
    pub mode: Option<String>,
    /// How many times slower than real time the network ran. All times here are undilated.
    #[serde(default = "undilated")]
    pub dilation: u32,
    /// What was asked of the links; absent when they were not shaped. Modelled.
    #[serde(default)]
    pub shape: Option<Shape>,
    /// What a probe measured on them; absent when there was none.
    #[serde(default)]
    pub calibration: Option<Calibration>,
    /// What came of the load that was asked for; absent when the manifest does not say.
    #[serde(default)]
    pub load: Option<Counts>,
    /// From the lab's hands into a pool; absent when nothing was handed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted: Option<Submitted>,
    /// Transactions round by round beside what theory expects; absent but in the textbook's network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<Rounds>,
    /// The lag of the machine's scheduler.
    #[serde(default)]
    pub lag: Lag,
    /// Whose clock the times are, in words.
    pub clock: String,
    /// What was measured.
    pub window: Window,
    /// What was read.
    pub logs: Logs,
    /// The transactions.
    pub tx: TxFigures,
    /// The blocks.
    pub block: BlockFigures,
    /// The chain.
    pub chain: Chain,
    /// Bytes on the sockets.
    pub wire: Wire,
    /// Comparisons of pools.
    #[serde(default)]
    pub reconciliation: Reconciliation,
    /// The nodes' lists of members; absent when no node logs its list.
    #[serde(default)]
    pub members: Option<Members>,
    /// The nodes one by one, in the natural order of their names.
    #[serde(default)]
    pub per_node: Vec<NodeFigures>,
    /// What the scenario did to the network, by time.
    #[serde(default)]
    pub actions: Vec<Action>,
    /// When nodes were held still.
    #[serde(default)]
    pub pauses: Vec<Pause>,
    /// When nodes were cut off from others.
    #[serde(default)]
    pub cuts: Vec<Cut>,
    /// The scenario's assertions, filled in by whoever ran it.
    pub asserts: Vec<Assert>,
    /// The folder that was read, as it was given: for the hints of the text, not for the file.
    #[serde(skip)]
    pub dir: PathBuf,
    /// What the page shows beyond the figures: curves, and the ways of some messages.
    #[serde(skip)]
    pub detail: Detail,
}

fn undilated() -> u32 {
    1
}

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logs {
    /// Lines, blank ones left out.
    pub lines: u64,
    /// Half-written lines that killed processes left behind; the log up to there is good.
    pub truncated: u64,
    /// Other lines that are none.
    pub unreadable: u64,
    /// Lines of a newer program, which were skipped.
    pub unknown: u64,
    /// Runs of a node's process beyond its first.
    pub restarts: u64,
    /// Processes that ended without a stop line before the logs end.
    pub killed: u64,
    /// Messages that some node had from the network but none of these nodes published. They do not
    /// count.
    pub unpublished: u64,
}

/// The figures of the transactions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TxFigures {
    /// How they spread.
    #[serde(flatten)]
    pub spread: Spread,
    /// What validation said of them.
    pub verdicts: Vec<VerdictCount>,
    /// Their lives in pools and chain.
    #[serde(flatten)]
    pub pool: Pool,
}

/// The figures of the blocks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BlockFigures {
    /// How they spread.
    #[serde(flatten)]
    pub spread: Spread,
    /// What validation said of them.
    pub verdicts: Vec<VerdictCount>,
    /// Transactions of blocks that came compact, over expected nodes: those found in the node's pool,
    /// over all. Absent when no block with transactions came compact.
    pub rebuilt_share: Option<f64>,
    /// Bytes of the messages of the same blocks, over those of the full blocks. What was asked for
    /// beside them is not counted; it is the rest of `rebuilt_share`.
    pub compact_ratio: Option<f64>,
    /// What became of them.
    #[serde(flatten)]
    pub forks: Forks,
    /// All blocks of the logs, by the time of their publication.
    #[serde(default)]
    pub time_line: Vec<BlockRow>,
}

/// One assertion of a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assert {
    /// What was asserted: the path of a field, such as `tx.latency_ms.p99`.
    pub name: String,
    /// Whether it held.
    pub ok: bool,
    /// What was wanted of it, as the scenario has it: `< 800`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<String>,
    /// What it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}
