//! How busy this node is, as it tells the other members: arithmetic on readings that are taken once a
//! second.

use hearsay_network::members::Load;

/// The share of the newest second in what is told. Half: a single second says little, and what is
/// told should be true of the next few.
const SHARE: f64 = 0.5;

/// Totals since the process started, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Reading {
    /// When, in undilated microseconds since the start.
    pub(super) at_us: u64,
    /// Transactions that were judged.
    pub(super) judged: u64,
    /// Processor time of the whole process, in real seconds; none if other nodes share the process.
    pub(super) cpu_s: Option<f64>,
    /// How long the engine was at work, in undilated microseconds.
    pub(super) engine_us: u64,
}

/// What is so at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gauges {
    /// Bytes of the transactions in the pool.
    pub(super) pool_bytes: u64,
    /// Messages that wait for a check or a verdict.
    pub(super) queue: usize,
    /// The height of the tip.
    pub(super) height: u64,
}

/// Makes loads of readings.
#[derive(Debug, Default)]
pub(super) struct Meter {
    last: Reading,
    tx_per_s: f64,
    busy: f64,
}

impl Meter {
    /// The load at a moment. `cores` is how many processors the process may use, `dilation` how many
    /// times slower than real time the network runs.
    pub(super) fn measure(
        &mut self,
        reading: Reading,
        gauges: Gauges,
        (cores, dilation): (usize, u32),
    ) -> Load {
        let seconds = reading.at_us.saturating_sub(self.last.at_us) as f64 / 1e6;
        if seconds > 0.0 {
            let judged = reading.judged.saturating_sub(self.last.judged) as f64;
            let engine = reading.engine_us.saturating_sub(self.last.engine_us) as f64 / 1e6;
            // The engine is one thread. It is at work as well while the machine gives its processor to
            // somebody else, which no processor time shows.
            let mut busy = engine / seconds;
            if let (Some(before), Some(after)) = (self.last.cpu_s, reading.cpu_s) {
                let real = seconds * f64::from(dilation.max(1));
                busy = busy.max((after - before) / real / cores.max(1) as f64);
            }
            self.tx_per_s += SHARE * (judged / seconds - self.tx_per_s);
            self.busy += SHARE * (busy.clamp(0.0, 1.0) - self.busy);
        }
        self.last = reading;
        let kib = gauges.pool_bytes.div_ceil(1_024);
        Load {
            pool_kib: u32::try_from(kib).unwrap_or(u32::MAX),
            // A cast from a float saturates.
            tx_per_s: self.tx_per_s.round() as u16,
            queue: u16::try_from(gauges.queue).unwrap_or(u16::MAX),
            busy: Load::busy_of(self.busy),
            height: gauges.height,
        }
        .bounded()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Gauges = Gauges { pool_bytes: 0, queue: 0, height: 0 };

    fn at(seconds: u64) -> Reading {
        Reading { at_us: seconds * 1_000_000, ..Reading::default() }
    }

    /// Measures the same second again and again, so that the mean is what it is of.
    fn steady(each: Reading, gauges: Gauges, machine: (usize, u32)) -> Load {
        let mut meter = Meter::default();
        let mut load = Load::default();
        for second in 1..=20 {
            let reading = Reading {
                judged: each.judged * second,
                cpu_s: each.cpu_s.map(|cpu| cpu * second as f64),
                engine_us: each.engine_us * second,
                ..at(second)
            };
            load = meter.measure(reading, gauges, machine);
        }
        load
    }

    #[test]
    fn the_share_of_the_processor_is_that_of_all_cores_in_undilated_time() {
        let half = Reading { cpu_s: Some(1.0), ..Reading::default() };
        assert!((steady(half, IDLE, (2, 1)).busy_share() - 0.5).abs() < 0.01);
        // Four real seconds pass in each of the network's.
        assert!((steady(half, IDLE, (1, 4)).busy_share() - 0.25).abs() < 0.01);
    }

    #[test]
    fn an_engine_that_is_always_at_work_is_wholly_busy_whatever_the_processor_says() {
        let starved = Reading { cpu_s: Some(0.1), engine_us: 1_000_000, ..Reading::default() };
        assert!(steady(starved, IDLE, (2, 1)).overloaded());
        let shared = Reading { cpu_s: None, engine_us: 300_000, ..Reading::default() };
        assert!((steady(shared, IDLE, (2, 1)).busy_share() - 0.3).abs() < 0.01);
    }

    #[test]
    fn transactions_are_counted_a_second_and_pools_in_whole_kibibytes() {
        let gauges = Gauges { pool_bytes: 2_049, queue: 70_000, height: 9 };
        let load = steady(Reading { judged: 250, ..Reading::default() }, gauges, (1, 1));
        assert_eq!((load.tx_per_s, load.pool_kib, load.queue, load.height), (250, 3, u16::MAX, 9));
    }

    #[test]
    fn no_time_and_steps_back_leave_what_was_measured() {
        let mut meter = Meter::default();
        let before = meter.measure(Reading { judged: 100, ..at(1) }, IDLE, (1, 1));
        assert_eq!(meter.measure(Reading { judged: 500, ..at(1) }, IDLE, (1, 1)), before);
        let after = meter.measure(Reading { judged: 0, ..at(2) }, IDLE, (1, 1));
        assert_eq!(after.tx_per_s, 25, "half of what was told");
    }
}
