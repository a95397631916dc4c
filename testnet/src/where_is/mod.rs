//! Where one message went: `hearsay-testnet where ID --in DIR`.
//!
//! [`find`] looks up a transaction or a block by its id, or the beginning of it, in the logs of a
//! testnet, and tells its propagation tree: which node had it when, from whom, by which path and
//! how many times; which nodes never had it; where it arrived last, and what the time went to on
//! the way there.

mod lookup;
mod text;
mod trace;

#[cfg(test)]
mod tests;

use std::path::Path;

use hearsay_node::trace::event::{Kind, Origin, VerdictName, Via};
use serde::Serialize;

pub use self::lookup::{Candidate, LookupError};

use crate::report::{self, Journey, ReadError};

/// Why a message was not found.
#[derive(Debug, thiserror::Error)]
pub enum WhereError {
    /// The logs cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The id names no message, or more than one.
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

/// Where one message went. All times are milliseconds after its publication, with a precision of a
/// microsecond; when no node of these logs published it, after the first receipt.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Whereabouts {
    /// What it is.
    pub kind: Kind,
    /// Its whole id.
    pub id: String,
    /// Its encoded size.
    pub bytes: u64,
    /// The node that introduced it first; absent when that is not in these logs.
    pub origin: Option<String>,
    /// Where that node had it from.
    pub introduced: Option<Origin>,
    /// The instant from which the times count: RFC 3339, UTC, six decimals.
    pub published: String,
    /// The nodes that had it, depth first along the tree, the earlier branch first.
    pub nodes: Vec<Visit>,
    /// The nodes that never had it.
    pub missed: Vec<Missed>,
    /// Where it arrived last, and why: over the nodes that ran without a break from its publication
    /// to its arrival, or over all when there is none. Absent when it arrived nowhere.
    pub last: Option<Last>,
    /// What the pools and the chain made of it; absent when no log tells.
    pub outcome: Option<Outcome>,
}

/// One node that had the message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Visit {
    /// The node.
    pub node: String,
    /// Where it stands; absent when the manifest does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// When it had it: its publication or its first copy.
    pub ms: f64,
    /// The node that sent the first copy, or the peer id of one without a log here; absent at a
    /// node that introduced the message.
    pub from: Option<String>,
    /// The path that the first copy came by.
    pub via: Option<Via>,
    /// Its depth in the tree: 0 at a node that introduced the message; absent when its way does not
    /// lead back to one.
    pub hop: Option<u32>,
    /// How deep it is drawn in the tree: the same, but counted from where its known way begins.
    pub indent: u32,
    /// Payload copies from the network, the first one included.
    pub copies: u64,
    /// Who sent them, the first one first.
    pub copies_from: Vec<Sender>,
    /// What validation said; absent when no log tells.
    pub verdict: Option<Judgement>,
    /// When it entered the pool.
    pub pooled_ms: Option<f64>,
    /// When a block with it was part of this node's chain.
    pub included_ms: Option<f64>,
    /// When it became this node's tip.
    pub tip_ms: Option<f64>,
    /// Whether this node started after the publication, or restarted before it had the message.
    pub late_start: bool,
}

/// How many copies one peer sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sender {
    /// The node, or the peer id of one without a log here.
    pub node: String,
    /// How many.
    pub copies: u64,
}

/// What validation said at one node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// The answer.
    pub verdict: VerdictName,
    /// Why, for anything but accept.
    pub reason: Option<String>,
    /// Waiting before it, in milliseconds.
    pub queue_ms: f64,
    /// Checking, in milliseconds.
    pub check_ms: f64,
}

/// One node that never had the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missed {
    /// The node.
    pub node: String,
    /// What it was doing, in words.
    pub why: String,
}

/// Where the message arrived last.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Last {
    /// The node.
    pub node: String,
    /// When.
    pub ms: f64,
    /// Its way there, and what took the time; absent when the way is not in these logs.
    pub journey: Option<Journey>,
}

/// What the pools and the chain made of the message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// Nodes that took it into the pool.
    pub pooled: u64,
    /// Nodes that evicted it, and why.
    pub evicted: Vec<Eviction>,
    /// The blocks that hold it, as the nodes have it. More than one only when the nodes disagree.
    pub included: Vec<Included>,
    /// Nodes of which this block was the tip.
    pub tip: u64,
    /// When it first was, and when it last became so.
    pub tip_ms: Option<Span>,
}

/// A node that evicted the transaction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Eviction {
    /// The node.
    pub node: String,
    /// When.
    pub ms: f64,
    /// Why: a stable word.
    pub reason: String,
}

/// A block that holds the transaction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Included {
    /// The block's id.
    pub block: String,
    /// The block's height.
    pub height: u64,
    /// Nodes that have it so.
    pub nodes: u64,
    /// When the first and the last of them did.
    pub ms: Span,
}

/// A stretch of time, in milliseconds after the publication.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Span {
    /// The earliest.
    pub first: f64,
    /// The latest.
    pub last: f64,
}

/// Tells where the message `id` of the testnet in `dir` went. `id` is a transaction's or a block's
/// id, or at least four hex digits of its beginning.
///
/// # Errors
///
/// When the logs cannot be read, and when `id` names no message or more than one: the error lists
/// the ids that come into question.
pub fn find(dir: &Path, id: &str) -> Result<Whereabouts, WhereError> {
    let run = report::read_run(dir)?;
    let (kind, id) = lookup::resolve(&run, id)?;
    Ok(trace::whereabouts(&run, kind, &id))
}
