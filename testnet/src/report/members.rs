//! Membership: how soon the news of a death was everywhere, and who was thought dead and was not.
//!
//! ```text
//!  member events ── lists ──────┐
//!                               ├── deaths, joins, heals, mistakes ── Members
//!  lives, pauses, cuts ─ presence ┘
//! ```
//!
//! What the nodes' lists said ([`lists`]) is held against what happened ([`presence`]): starts and ends
//! of processes as the logs have them, kills, pauses and cuts as the manifest has them. All of it is
//! in one time, corrected for dilation and skew, as the whole report is. What comes after the first
//! node was told to stop for good does not count: then they all go.
//!
//! A node is expected to learn of something if it was there when it happened, had a way to where it
//! happened, and was there without a break until it knew; or, if it never knew, until the end or until there was
//! no more to know. Whoever was killed, held still or cut off before it knew is left out, on every
//! side.

mod deaths;
mod heals;
mod joins;
mod lists;
mod mistakes;
mod presence;
mod traffic;

use hearsay_node::trace::event::MemberCause;
use serde::{Deserialize, Serialize};

pub(crate) use self::lists::MemberLine;

use self::lists::Lists;
use self::presence::Presence;
use super::manifest::Manifest;
use super::run::Run;
use super::stats::Summary;
use super::window::Window;

/// What the nodes' lists of members were worth. Measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Members {
    /// Lines of the logs that tell of a change about a member, those that only update it left out.
    pub events: u64,
    /// Nodes that were killed or died, and nodes that were held still for ten seconds or
    /// longer. Each counts once, also when several went at the same moment.
    pub deaths: u64,
    /// Those of which nobody learned before the node was back, or the end.
    pub undetected: u64,
    /// From a death to the first node that held the dead one to be down, over deaths.
    pub detected_ms: Summary,
    /// From then until all others that are expected to know did, over the deaths of which all of them
    /// learned.
    pub all_know_ms: Summary,
    /// Nodes that are expected to know of a death and never did, summed over the deaths.
    pub unaware: u64,
    /// Nodes that said goodbye and stopped before the end; a restart in order is one.
    pub leaves: u64,
    /// Those of which nobody learned before the node was back, or the end.
    pub left_undetected: u64,
    /// From the goodbye to the first node that held the node to be down, over leaves.
    pub left_detected_ms: Summary,
    /// From then until all others that are expected to know did, over the leaves of which all of them
    /// learned.
    pub left_all_know_ms: Summary,
    /// As `unaware`, over leaves.
    pub left_unaware: u64,
    /// Nodes that came back, started anew or let go on, from whatever it was.
    pub returns: u64,
    /// Those that somebody who is expected to know of it never held to be there again.
    pub unreturned: u64,
    /// From a node's start (the first line of its log), or from when it was let go on, until all
    /// others held it to be there, over returns. To be there is to be on the list, as the process that
    /// runs now, and not down.
    pub returned_ms: Summary,
    /// Starts of nodes when others ran, or that were followed by others' within
    /// ten seconds.
    pub joins: u64,
    /// Those after which something was missing on the node's list to the end.
    pub undiscovered: u64,
    /// From a node's start until its list had every node that ran then, and every one that started
    /// within ten seconds of it, each counted from its own start; over joins.
    pub discovered_ms: Summary,
    /// Moments at which the last cut was healed.
    pub heals: u64,
    /// From there until every node held every other one to be there, of nodes that ran on until the
    /// next cut or the end: the longest of all heals. Absent when there was none, and when it
    /// never came to that after one of them.
    pub heal_ms: Option<f64>,
    /// Times that a node began to suspect one.
    pub suspicions: u64,
    /// Those of nodes that were there: see `false_positives`.
    pub suspicions_of_living: u64,
    /// Times that a node learned that a suspicion was refuted.
    pub refuted: u64,
    /// Times that a node held one to be down that was there: its process ran, it was the
    /// run of the process that was meant, and in the ten seconds before it was not
    /// held still, nor cut off from the node that says so. A rumour that reaches nineteen nodes
    /// counts nineteen times.
    pub false_positives: u64,
    /// Bytes of the membership protocol's frames that a node sent a second, of its own and
    /// carried on for others, without what multiplexer and encryption add: the mean over the nodes,
    /// between their first and last samples in the window. Absent when no node logs them.
    pub bytes_per_node_s: Option<f64>,
    /// The deaths and leaves, by time.
    pub ends: Vec<End>,
    /// The first twenty false positives, by time.
    pub mistakes: Vec<Mistake>,
}

/// A pause counts as a death from this length on, in microseconds: a shorter one may be over before
/// anybody must have noticed.
const LONG_PAUSE_US: i64 = 10_000_000;

/// What began while a node was held still or cut off may run its course for so long afterwards, in
/// microseconds: a suspicion waits for its time, and a rumour for its next datagram. It is the
/// longest that a detection may take.
const EXCUSED_US: i64 = 10_000_000;

/// False positives that are listed. All are counted.
const MISTAKES_KEPT: usize = 20;

/// Why a node was away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Its process was killed, or died.
    Killed,
    /// It said goodbye.
    Left,
    /// It was held still.
    Paused,
}

/// A node's death or leave, and who learned of it when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// The node.
    pub node: String,
    /// When, in microseconds since the Unix epoch.
    pub at_us: i64,
    /// How.
    pub why: Why,
    /// Until the first other node held it to be down; absent when none did.
    pub detected_ms: Option<f64>,
    /// That node.
    pub by: Option<String>,
    /// What that node gave as its reason.
    pub cause: Option<MemberCause>,
    /// From then until all that are expected to know did; absent when one of them never did.
    pub all_know_ms: Option<f64>,
    /// Nodes that learned of it.
    pub aware: u64,
    /// Nodes that are expected to know and never did, before it was back or the end.
    pub unaware: u64,
    /// When it was back, in microseconds since the Unix epoch; absent when it was not.
    pub back_us: Option<i64>,
    /// From then until all others held it to be there; absent when it never came to that.
    pub returned_ms: Option<f64>,
}

/// A node that was held to be down and was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistake {
    /// When, in microseconds since the Unix epoch.
    pub at_us: i64,
    /// The node that was there.
    pub node: String,
    /// The node that held it to be down.
    pub by: String,
    /// What that node gave as its reason.
    pub cause: Option<MemberCause>,
}

impl Members {
    /// Over everything that the logs say; `None` when no node logs its list.
    pub(super) fn of(run: &Run, manifest: &Manifest, window: &Window) -> Option<Self> {
        let events: u64 = run.nodes.iter().map(|node| node.members.len() as u64).sum();
        if events == 0 {
            return None;
        }
        let lists = Lists::of(run);
        let presence = Presence::of(run, manifest, window.until_us);
        let mut members = Members {
            events,
            bytes_per_node_s: traffic::bytes_per_node_s(run, window),
            ..Members::default()
        };
        members.count_ends(run, &lists, &presence);
        members.count_joins(run, &lists, &presence);
        members.count_heals(run, manifest, &lists, &presence);
        members.count_mistakes(run, &lists, &presence);
        Some(members)
    }
}
