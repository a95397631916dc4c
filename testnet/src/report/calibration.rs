//! What was asked of each link against what a probe measured on it before the run.

use serde::{Deserialize, Serialize};

use super::manifest::Probe;
use super::stats::percentile;

/// A round trip is right when it is within this of what was asked …
pub const RTT_BAR_MS: f64 = 2.0;

/// … or within this share of it, in per cent.
pub const RTT_BAR_PERCENT: f64 = 2.0;

/// A rate is right when it is within this share of what was asked, in per cent.
pub const RATE_BAR_PERCENT: f64 = 5.0;

/// What the probes say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The links that were probed, in the manifest's order.
    pub links: Vec<LinkCheck>,
    /// Whether every one of them is within the bar.
    pub ok: bool,
    /// The greatest error of a round trip, without its sign, in milliseconds.
    pub worst_rtt_error_ms: Option<f64>,
    /// The greatest error of a rate, without its sign, in per cent.
    pub worst_rate_error_percent: Option<f64>,
}

/// One probed link. The round trip and the rate asked for are modelled, the others measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkCheck {
    /// The node that probed.
    pub from: String,
    /// The node that answered.
    pub to: String,
    /// The round trip that was asked for, in milliseconds.
    pub asked_rtt_ms: Option<f64>,
    /// The median of the measured ones, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// How many were measured.
    pub rounds: u64,
    /// `rtt_ms - asked_rtt_ms`.
    pub rtt_error_ms: Option<f64>,
    /// The same over `asked_rtt_ms`, in per cent; absent when no delay was asked for.
    pub rtt_error_percent: Option<f64>,
    /// The rate that was asked for, in bytes a second.
    pub asked_bytes_per_s: Option<f64>,
    /// The measured one.
    pub bytes_per_s: Option<f64>,
    /// Its error in per cent.
    pub rate_error_percent: Option<f64>,
    /// Whether the round trip is within [`RTT_BAR_MS`] or [`RTT_BAR_PERCENT`], and the rate within
    /// [`RATE_BAR_PERCENT`], as far as they were asked for. What was not measured is not right.
    pub ok: bool,
    /// Why something was not measured, in words.
    #[serde(default)]
    pub failure: Option<String>,
}

impl Calibration {
    /// Of what the probes measured.
    pub(crate) fn of(probes: &[Probe]) -> Self {
        let links: Vec<_> = probes.iter().map(LinkCheck::of).collect();
        let worst = |error: fn(&LinkCheck) -> Option<f64>| {
            links.iter().filter_map(error).map(f64::abs).max_by(f64::total_cmp)
        };
        Calibration {
            ok: links.iter().all(|link| link.ok),
            worst_rtt_error_ms: worst(|link| link.rtt_error_ms),
            worst_rate_error_percent: worst(|link| link.rate_error_percent),
            links,
        }
    }

    /// Why the run is not valid, if that is so: how many links missed the bar, and one of them.
    pub(crate) fn reason(&self) -> Option<String> {
        let missed: Vec<_> = self.links.iter().filter(|link| !link.ok).collect();
        let first = missed.first()?;
        let (missed, all) = (missed.len(), self.links.len());
        Some(format!(
            "{missed} of {all} probed links are not what was asked for: {}",
            first.words()
        ))
    }
}

impl LinkCheck {
    fn of(probe: &Probe) -> Self {
        let ms = |us: u64| us as f64 / 1000.0;
        let mut times = probe.rtt_us.clone();
        times.sort_unstable();
        let rtt_us = percentile(&times, 50);
        let (asked_rtt_ms, rtt_ms) = (probe.asked_rtt_us.map(ms), rtt_us.map(ms));
        // Subtracted as whole microseconds: as milliseconds the last digits would be invented.
        let error = |measured: Option<f64>, asked: Option<f64>| Some(measured? - asked?);
        let percent = |error: Option<f64>, asked: Option<f64>| {
            Some(error? * 100.0 / asked.filter(|&asked| asked > 0.0)?)
        };
        let us = |us: Option<u64>| us.map(|us| us as f64);
        let rtt_error_us = error(us(rtt_us), us(probe.asked_rtt_us));
        let rtt_error_ms = rtt_error_us.map(|error| error / 1000.0);
        let rtt_error_percent = percent(rtt_error_us, us(probe.asked_rtt_us));
        let rate_error = error(probe.bytes_per_s, probe.asked_bytes_per_s);
        let rate_error_percent = percent(rate_error, probe.asked_bytes_per_s);
        let within = |error: Option<f64>, bar: f64| error.is_some_and(|error| error.abs() <= bar);
        let rtt_ok = within(rtt_error_ms, RTT_BAR_MS) || within(rtt_error_percent, RTT_BAR_PERCENT);
        let rate_ok = within(rate_error_percent, RATE_BAR_PERCENT);
        LinkCheck {
            from: probe.from.clone(),
            to: probe.to.clone(),
            asked_rtt_ms,
            rtt_ms,
            rounds: times.len() as u64,
            rtt_error_ms,
            rtt_error_percent,
            asked_bytes_per_s: probe.asked_bytes_per_s,
            bytes_per_s: probe.bytes_per_s,
            rate_error_percent,
            // A rate that was not asked for cannot be missed.
            ok: probe.failure.is_none()
                && (rtt_ok || asked_rtt_ms.is_none())
                && (rate_ok || probe.asked_bytes_per_s.is_none())
                && (rtt_ms.is_some() || probe.bytes_per_s.is_some()),
            failure: probe.failure.clone(),
        }
    }

    fn words(&self) -> String {
        let (from, to) = (&self.from, &self.to);
        if let Some(why) = &self.failure {
            return format!("{from} → {to} could not be probed: {why}");
        }
        let figure = |figure: Option<f64>| super::words::fixed(figure, 1);
        let mut words = format!(
            "{from} → {to} has a round trip of {} ms for {} ms",
            figure(self.rtt_ms),
            figure(self.asked_rtt_ms)
        );
        if let Some(asked) = self.asked_bytes_per_s {
            let kilo = |rate: f64| figure(Some(rate / 1000.0));
            let measured = self.bytes_per_s.map_or_else(|| "-".to_owned(), kilo);
            words += &format!(" and {measured} kB/s for {} kB/s", kilo(asked));
        }
        words
    }
}
