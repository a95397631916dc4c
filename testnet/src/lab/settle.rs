//! The end of a run: letting what is under way arrive, stopping the nodes, and the report.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::live::{Ends, Stopped};
use super::{Clock, Fault, Lab, LabError, talk};
use crate::cluster::{Cluster, Rest};
use crate::manifest::Measure;
use crate::progress::Phase;
use crate::report::live::Live;
use crate::report::{self, Report};
use crate::scenario::Scenario;

/// How long what is under way may take to arrive once the load is over, besides [`SETTLE_SLOTS`].
const SETTLE: Duration = Duration::from_secs(15);

/// The last transactions need a block, which comes with a slot, and if its authority misses it, with
/// the next.
const SETTLE_SLOTS: u32 = 3;

/// The same when somebody waits for the end.
pub(crate) const SETTLE_BRIEFLY: Duration = Duration::from_secs(2);

/// The time between two rounds of questions.
const ROUND: Duration = Duration::from_millis(50);

/// With many nodes a round of questions is work for them that the run should not measure: no more
/// than about a thousand answers a second.
const ANSWER: Duration = Duration::from_millis(1);

/// How much longer the logs may take to show the last deliveries when pools and tips are at rest
/// already: a few times what the nodes' log writers and our tally linger. What is not delivered by
/// then was lost, and a report that says so is what this is all about.
const DELIVERIES: Duration = Duration::from_secs(1);

impl Lab {
    /// How long a run may take to come to rest.
    pub(crate) fn settling(&self) -> Duration {
        self.scenario.settle.unwrap_or(SETTLE + self.slot() * SETTLE_SLOTS)
    }

    /// Lets what is under way arrive, and notes the measured stretch of time. Returns what came in
    /// between.
    pub(crate) async fn settle(
        &mut self,
        from_us: i64,
        within: Duration,
        ends: &mut Ends,
    ) -> Result<(), Stopped> {
        self.phase(Phase::Settling).await;
        // Should anything come in between, this is what was measured.
        let now_us = self.clock.now_us();
        self.manifest.measure = Some(Measure { from_us, until_us: now_us, settle_us: 0 });
        self.write_manifest();
        // Calls that nodes still owe an answer: what comes of them is part of the load.
        let answered = timeout(self.clock.real(SETTLE_BRIEFLY.min(within)), self.loads.over());
        let _ = ends.guard(answered).await?;
        let until_us = self.clock.now_us();
        let gaps = !self.loads.total().all_taken();
        let settling =
            settle(&self.cluster, self.tail.live(), gaps, self.clock, self.clock.real(within));
        let settled = ends.guard(settling).await;
        let (rested, stopped) = match settled {
            Ok(rested) => (rested, None),
            Err(stopped) => (None, Some(stopped)),
        };
        if stopped.is_none() && rested.is_none() && within > SETTLE_BRIEFLY {
            self.note(talk::unsettled(within)).await;
        }
        let settle_us = (rested.unwrap_or_else(|| self.clock.now_us()) - until_us).max(0);
        self.manifest.measure = Some(Measure { from_us, until_us, settle_us });
        self.write_manifest();
        stopped.map_or(Ok(()), Err)
    }

    /// Says what is being done from now on.
    pub(crate) async fn phase(&self, phase: Phase) {
        if let Some(progress) = &self.progress {
            progress.phase(phase).await;
        }
    }

    /// Stops all nodes; asked for the end once more, kills them. When it returns none is left.
    pub async fn stop(&mut self, ends: &mut Ends) {
        self.phase(Phase::Stopping).await;
        self.loads.give_up();
        self.record_end();
        let unclean = tokio::select! {
            unclean = self.cluster.stop() => Some(unclean),
            () = ends.interrupts.next() => None,
        };
        match unclean {
            Some(unclean) => {
                for (name, end) in unclean {
                    let how = end.map_or("it had to be killed".to_owned(), |end| end.to_string());
                    let what = format!("{name} did not stop in order: {how}");
                    self.fault(Fault::of_node(&self.layout, &name, what));
                }
            }
            None => {
                self.cluster.kill().await;
                let what = "interrupted while stopping: the nodes were killed";
                self.fault(Fault::sentence(what));
            }
        }
        if let Some(progress) = self.progress.take() {
            progress.end().await;
        }
        self.write_manifest();
    }

    /// Reads the logs, and writes and returns the report.
    ///
    /// # Errors
    /// There is nothing to report on, or it cannot be written.
    pub async fn report(&self) -> Result<Report, LabError> {
        let (dir, scenario) = (self.layout.dir().to_owned(), self.scenario.clone());
        let made = tokio::task::spawn_blocking(move || make_report(&dir, Some(&scenario)));
        // A panic there goes on here.
        made.await.unwrap_or_else(|end| std::panic::resume_unwind(end.into_panic()))
    }

    /// What came of the loads, in a line; nothing if there were none.
    #[must_use]
    pub fn load_line(&self) -> Option<String> {
        let total = self.loads.total();
        (total.planned > 0).then(|| total.to_line())
    }
}

/// Reads the logs in `dir`, holds the scenario's assertions against what they say, and writes the
/// report.
///
/// # Errors
/// There is nothing to report on, or it cannot be written.
pub fn make_report(dir: &std::path::Path, scenario: Option<&Scenario>) -> Result<Report, LabError> {
    let mut report = report::build(dir)?;
    if let Some(scenario) = scenario {
        let json = serde_json::to_value(&report).map_err(std::io::Error::other)?;
        let outcomes = scenario.asserts.evaluate(&json);
        let held = scenario.asserts.list.iter().zip(outcomes);
        report.asserts = held.map(|(assertion, outcome)| assertion.told(outcome)).collect();
    }
    report::write(dir, &report)?;
    Ok(report)
}

/// Waits, for so long at most, until all pools are empty, all tips the same and everything that was
/// published is delivered. Returns a moment, in the nodes' time, at which the first two were so.
async fn settle(
    cluster: &Cluster,
    mut live: watch::Receiver<Live>,
    gaps: bool,
    clock: Clock,
    within: Duration,
) -> Option<i64> {
    let rested = timeout(within, rest(cluster, gaps, clock)).await.ok()?;
    let delivered = live.wait_for(|live| live.delivered.is_none_or(|share| share >= 1.0));
    // Too late or not: what matters is that it was waited for.
    let _ = timeout(clock.real(DELIVERIES), delivered).await;
    Some(rested)
}

async fn rest(cluster: &Cluster, gaps: bool, clock: Clock) -> i64 {
    let nodes = u32::try_from(cluster.seats().len()).unwrap_or(u32::MAX);
    let mut rounds = interval(ROUND.max(ANSWER * nodes));
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut rest = Rest::new(gaps);
    loop {
        rounds.tick().await;
        // Between the round before and this one, if this one finds the same.
        let before = clock.now_us();
        let round = cluster.round().await;
        // Those that were ended or stand still never come to rest; whoever runs must answer.
        let there = cluster.seats().iter().zip(round).filter(|(seat, _)| seat.answers());
        if rest.round(&there.map(|(_, status)| status).collect::<Vec<_>>()) {
            return before;
        }
    }
}
