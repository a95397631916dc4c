//! The three ways to kill the node, and whether a kill met what it was aimed at.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::DirEntry;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hearsay_chain::fork_choice::Candidate;
use hearsay_node::api::BlockRef;
use hearsay_node::rpc::{BlockSelector, RpcClient};
use rand::RngExt;
use tokio::time::sleep;

use super::Report;
use super::branches::{DEEPEST, Next};
use super::round::Storm;
use super::victim::{Remains, Victim, message_of};
use crate::DEADLINE;

/// The part of a start in which a kill may fall: not while the program is loaded, and mostly before
/// the first answer.
const RECOVERY: std::ops::Range<f64> = 0.15..0.95;

/// A kill hits a reorganisation if it comes at most this long after the block that tips the balance
/// reached the node.
const MOMENT: Duration = Duration::from_millis(30);

/// The bounds, in seconds, of the time after which a kill follows that block; between them it adapts
/// to how fast the machine is, so that it comes before the change is stored as often as after.
const WINDOW: (f64, f64) = (0.000_2, 0.020);

/// How long the block that tips the balance may take to reach the node.
const FLIGHT: Duration = Duration::from_millis(250);

/// How long the parent of a block that tips the balance may take to reach the node by gossip. Later
/// it is not coming: it was made while the node was away.
const PATIENCE: Duration = Duration::from_millis(500);

/// Blocks after which any reorganisation will do, however shallow.
const CHOOSY: usize = 40;

/// The time between two blocks, in milliseconds.
const PACE_MS: std::ops::Range<u64> = 5..40;

/// The longest life of a node that is killed at any time, in milliseconds.
const LIFE_MS: u64 = 700;

/// A reorganisation that a kill was aimed at.
pub(super) struct Target {
    before: Candidate,
    after: Candidate,
    depth: u64,
    message: String,
}

impl Storm {
    pub(super) async fn kill_in_recovery(
        &mut self,
        mut victim: Victim,
    ) -> Result<(Remains, Option<Target>, bool)> {
        let before = files(&self.place.store());
        let delay = self.start_up().mul_f64(self.rng.random_range(RECOVERY));
        let answer = tokio::select! {
            answer = victim.first_answer(DEADLINE) => Some(answer?),
            () = sleep(delay) => None,
        };
        if let Some(status) = &answer {
            self.note_start(&victim, status);
        }
        let remains = victim.kill()?;
        let changed = files(&self.place.store()) != before;
        self.tally.reopening += u64::from(answer.is_none() && changed);
        Ok((remains, None, answer.is_none()))
    }

    pub(super) async fn kill_at_any_time(
        &mut self,
        mut victim: Victim,
    ) -> Result<(Remains, Option<Target>, bool)> {
        let status = victim.first_answer(DEADLINE).await?;
        self.note_start(&victim, &status);
        let _ = self.runs.send(Some(victim.client.clone()));
        let end = Instant::now() + Duration::from_millis(self.rng.random_range(0..LIFE_MS));
        while Instant::now() < end {
            let next = self.next_block().await;
            self.publish(next).await?;
            if let Some(status) = victim.status().await {
                self.claims.hear(&status);
            }
            let left = end.saturating_duration_since(Instant::now());
            sleep(self.pace().min(left)).await;
        }
        let _ = self.runs.send(None);
        Ok((victim.kill()?, None, true))
    }

    pub(super) async fn kill_in_reorg(
        &mut self,
        mut victim: Victim,
    ) -> Result<(Remains, Option<Target>, bool)> {
        let status = victim.first_answer(DEADLINE).await?;
        self.note_start(&victim, &status);
        let _ = self.runs.send(Some(victim.client.clone()));
        self.catch_up(&mut victim).await?;
        let least = self.rng.random_range(1..=DEEPEST);
        let mut made = 0;
        let next = loop {
            let next = self.next_block().await;
            made += 1;
            if next.depth > 0
                && (next.depth >= least || made > CHOOSY)
                && self.is_ready(&mut victim, &next).await?
            {
                break next;
            }
            self.publish(next).await?;
            sleep(self.pace()).await;
        };
        let delay = Duration::from_secs_f64(self.window * self.rng.random_range(0.0..1.0));
        let target = Target {
            before: self.branches.tip(),
            after: Candidate { height: next.block.height(), id: next.block.id() },
            depth: next.depth,
            message: message_of(self.genesis, &next.block),
        };
        self.publish(next).await?;
        // The runtime's timers go by the millisecond; nothing else runs on this thread.
        victim.wait_until_taken(&target.message, FLIGHT)?;
        std::thread::sleep(delay);
        let remains = victim.kill()?;
        let _ = self.runs.send(None);
        Ok((remains, Some(target), false))
    }

    /// Whether a kill met the reorganisation that it was aimed at: the node's own log must show that
    /// the block had come, moments before, and the store must have either tip.
    pub(super) fn judge(&mut self, target: &Target, remains: &Remains, report: &Report) -> bool {
        let taken = remains.taken_before(&target.message);
        let tip = report.ends.map(|ends| ends.tip);
        let committed = tip == Some(target.after.id);
        if taken.is_some() {
            let factor = if committed { 0.85 } else { 1.15 };
            self.window = (self.window * factor).clamp(WINDOW.0, WINDOW.1);
        }
        let Some(taken) = taken.filter(|taken| *taken <= MOMENT) else { return false };
        if !committed && tip != Some(target.before.id) {
            return false;
        }
        self.tally.under_way += u64::from(!committed);
        self.tally.just_committed += u64::from(committed);
        self.tally.latest_hit = self.tally.latest_hit.max(taken);
        let at = usize::try_from(target.depth.saturating_sub(1)).unwrap_or(usize::MAX);
        if let Some(count) = self.tally.depths.get_mut(at) {
            *count += 1;
        }
        true
    }

    /// Waits until the node stands where the storm stands, and hears what it gossips.
    pub(super) async fn catch_up(&mut self, victim: &mut Victim) -> Result<()> {
        let since = Instant::now();
        loop {
            let status = victim.status().await;
            if let Some(status) = &status {
                self.claims.hear(status);
            }
            let there = status.is_some_and(|status| status.tip == self.branches.tip().id);
            if there && self.peer.is_heard() {
                return Ok(());
            }
            victim.must_live()?;
            ensure!(since.elapsed() < DEADLINE, "the node does not catch up");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Whether the node has all that a block stands on, and stands where the storm stands.
    async fn is_ready(&mut self, victim: &mut Victim, next: &Next) -> Result<bool> {
        let parent = BlockSelector(BlockRef::Id(next.block.header().fields.parent));
        let since = Instant::now();
        while victim.client.block_get(parent).await.is_err() {
            victim.must_live()?;
            if since.elapsed() > PATIENCE {
                return Ok(false);
            }
            sleep(Duration::from_millis(2)).await;
        }
        self.catch_up(victim).await?;
        Ok(true)
    }

    fn pace(&mut self) -> Duration {
        Duration::from_millis(self.rng.random_range(PACE_MS))
    }
}

/// The files of a directory with their lengths.
fn files(path: &Path) -> BTreeMap<OsString, u64> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let length = |entry: &DirEntry| entry.metadata().map_or(0, |metadata| metadata.len());
    entries.map(|entry| (entry.file_name(), length(&entry))).collect()
}
