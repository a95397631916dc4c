//! How late the machine woke the nodes up: the figure that tells whether it kept up.
//!
//! In the lab every process samples how late its threads run, and once a second each node logs what
//! the samples of that second were: their median, 99th percentile and greatest value. Percentiles of
//! parts do not add up to one of the whole, but they bound it: no more than half of a second's
//! samples lie above its median, no more than a hundredth above its 99th percentile, and none above
//! its greatest. The figures here are the least values of which that is enough to say that so many
//! of all samples are no later. They are therefore never too low.
//!
//! While a node is held still its sampler is held still with it, and catches up with late samples
//! when the node goes on. That is the scenario's doing and not the machine's: it does not count.

use serde::{Deserialize, Serialize};

use super::run::{LagSummary, NodeIx, NodeLog, Run};
use super::window::Window;

/// A node that was held still has logged the samples of its stillness by so much later: its next two
/// summaries, one a second.
const CATCH_UP_US: i64 = 2_000_000;

/// The lag of the scheduler, over the samples between the beginning of the window and the end of
/// the time to settle after it. Measured; real time over the run's dilation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lag {
    /// At least half of all nodes' samples were no later. Nodes in one process share its samples,
    /// which count once.
    pub p50_us: Option<u64>,
    /// At least 99 of 100 were no later.
    pub p99_us: Option<u64>,
    /// The latest.
    pub max_us: Option<u64>,
    /// How many there are.
    pub samples: u64,
    /// The `p99_us` beyond which the run is not valid; absent when the manifest has none.
    pub limit_us: Option<u64>,
    /// Whether `p99_us` is within it; absent when there is no limit, and false when there is one but
    /// no sample.
    pub ok: Option<bool>,
}

impl Lag {
    /// Of all nodes; of nodes in `one_process`, of the one that logged most of its samples.
    pub(crate) fn of(run: &Run, window: &Window, limit_us: Option<u64>, one_process: bool) -> Self {
        let of_each = (0..run.nodes.len()).map(|node| within(run, window, node).collect());
        let all: Vec<LagSummary> = if one_process {
            // Of nodes that logged as many, the first one.
            of_each.rev().max_by_key(|lags: &Vec<_>| sum(lags)).unwrap_or_default()
        } else {
            of_each.flat_map(|lags: Vec<_>| lags).collect()
        };
        let p99_us = bound(&all, 1);
        Lag {
            p50_us: bound(&all, 50),
            p99_us,
            max_us: all.iter().map(|lag| lag.max_us).max(),
            samples: sum(&all),
            limit_us,
            ok: limit_us.map(|limit| p99_us.is_some_and(|p99| p99 <= limit)),
        }
    }

    /// Why the run is not valid, if that is so.
    pub(crate) fn reason(&self) -> Option<String> {
        let limit = self.limit_us.filter(|_| self.ok == Some(false))?;
        let ms = |us: u64| us as f64 / 1000.0;
        Some(match self.p99_us {
            Some(p99) => format!(
                "the machine did not keep up: the scheduler's lag was {:.1} ms at the 99th \
                 percentile, and the limit is {:.1} ms",
                ms(p99),
                ms(limit)
            ),
            None => "no node logged its scheduler's lag, so that nobody can tell whether the \
                     machine kept up"
                .to_owned(),
        })
    }
}

/// The 99th percentile and the maximum of one node.
pub(crate) fn of_node(run: &Run, window: &Window, node: NodeIx) -> (Option<u64>, Option<u64>) {
    let lags: Vec<_> = within(run, window, node).collect();
    (bound(&lags, 1), lags.iter().map(|lag| lag.max_us).max())
}

fn within<'a>(
    run: &'a Run,
    window: &'a Window,
    node: NodeIx,
) -> impl Iterator<Item = LagSummary> + use<'a> {
    let NodeLog { lags, pauses, .. } = &run.nodes[node];
    let held = |at: i64| {
        let mut pauses = pauses.iter();
        pauses.any(|&(from, until)| from <= at && at <= until.saturating_add(CATCH_UP_US))
    };
    let lags = lags.iter().copied();
    lags.filter(move |lag| lag.samples > 0 && window.samples(lag.at) && !held(lag.at))
}

fn sum(lags: &[LagSummary]) -> u64 {
    lags.iter().map(|lag| lag.samples).sum()
}

/// The least value above which no more than `percent` of 100 samples can lie.
fn bound(lags: &[LagSummary], percent: u64) -> Option<u64> {
    let samples = sum(lags);
    // Each step down from a second's greatest value lets more of its samples lie above: in
    // hundredths of a sample, so that all of it is whole numbers.
    let mut steps: Vec<(u64, u64)> = Vec::with_capacity(3 * lags.len());
    for lag in lags {
        steps.push((lag.max_us, lag.samples));
        steps.push((lag.p99_us, 49 * lag.samples));
        steps.push((lag.p50_us, 50 * lag.samples));
    }
    steps.sort_unstable_by(|one, other| other.cmp(one));
    let mut above = 0;
    let mut found = None;
    for level in steps.chunk_by(|one, next| one.0 == next.0) {
        if above > percent * samples {
            break;
        }
        found = Some(level[0].0);
        above += level.iter().map(|step| step.1).sum::<u64>();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(p50_us: u64, p99_us: u64, max_us: u64, samples: u64) -> LagSummary {
        LagSummary { at: 0, p50_us, p99_us, max_us, samples }
    }

    #[test]
    fn of_one_second_the_bounds_are_its_own_figures() {
        let one = [second(1, 20, 300, 200)];
        assert_eq!(
            (bound(&one, 50), bound(&one, 1), bound(&one, 0)),
            (Some(1), Some(20), Some(300))
        );
        assert_eq!(bound(&[], 1), None);
    }

    #[test]
    fn one_bad_second_of_thirty_counts_with_half_of_its_samples() {
        let mut lags = vec![second(1, 20, 30, 100); 29];
        lags.push(second(500, 600, 700, 100));
        // Of 3000 samples at most 1 lies above 600, but up to 50 above 500, and 1 % are 30.
        assert_eq!(bound(&lags, 1), Some(600));
        // Above 20 at most 100 and 29; above 1 up to 100 and half of 2900, which is more than half.
        assert_eq!(bound(&lags, 50), Some(20));
    }

    #[test]
    fn a_second_with_many_samples_weighs_more_than_one_with_few() {
        let lags = [second(1, 2, 3, 10_000), second(70, 80, 90, 10)];
        assert_eq!(bound(&lags, 1), Some(3));
        let lags = [second(1, 2, 3, 10), second(70, 80, 90, 10_000)];
        assert_eq!(bound(&lags, 1), Some(80));
    }
}
