//! Waiting for the network to come to rest.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::outcome::unix_us;
use crate::cluster::{Cluster, Rest};
use crate::report::live::Live;

/// The time between two rounds of questions.
const ROUND: Duration = Duration::from_millis(50);

/// How much longer the logs may take to show the last deliveries when pools and tips are at rest
/// already: a few times what the nodes' log writers and our tally linger. What is not delivered by
/// then was lost, and a report that says so is what this is all about.
const DELIVERIES: Duration = Duration::from_secs(1);

/// Waits, for so long at most, until all pools are empty, all tips the same and everything that was
/// published is delivered. Returns a moment at which the first two were so, in microseconds since
/// the Unix epoch.
pub(super) async fn settle(
    cluster: &Cluster,
    mut live: watch::Receiver<Live>,
    gaps: bool,
    within: Duration,
) -> Option<i64> {
    let rested = timeout(within, rest(cluster, gaps)).await.ok()?;
    let delivered = live.wait_for(|live| live.delivered.is_none_or(|share| share >= 1.0));
    // Too late or not: what matters is that it was waited for.
    let _ = timeout(DELIVERIES, delivered).await;
    Some(rested)
}

async fn rest(cluster: &Cluster, gaps: bool) -> i64 {
    let mut rounds = interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut rest = Rest::new(gaps);
    loop {
        rounds.tick().await;
        // Between the round before and this one, if this one finds the same.
        let before = unix_us();
        if rest.round(&cluster.round().await) {
            return before;
        }
    }
}
