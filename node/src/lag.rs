//! How late things come to run on this machine: without it no measured time could be trusted.
//!
//! A thread wakes up every few milliseconds, at moments that are fixed beforehand, and hands the
//! runtime a task that notes how long after that moment it ran. So a sample has in it what the
//! kernel's scheduler took and what the runtime took, as every message of a node does, and a pause of
//! the whole process shows as many late samples, not as a single one.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

/// The time between two samples: enough of them for a 99th percentile each second, at a cost that
/// cannot be measured.
const EVERY: Duration = Duration::from_millis(5);

/// Samples that are kept for those who have not read them: 40 seconds of them.
const KEPT: usize = 8_192;

/// Measures for as long as it, or one of its readers, lives.
#[derive(Debug)]
pub(crate) struct Sampler {
    samples: Arc<Samples>,
    stop: Arc<Stop>,
}

/// Ends the thread when it is dropped.
#[derive(Debug, Default)]
struct Stop {
    ended: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Samples {
    kept: Mutex<Kept>,
}

/// The last samples in real microseconds, and how many there were before them.
#[derive(Debug, Default)]
struct Kept {
    late_us: VecDeque<u32>,
    before: u64,
}

/// Reads each sample once.
#[derive(Debug)]
pub struct LagReader {
    samples: Arc<Samples>,
    _stop: Arc<Stop>,
    next: u64,
}

/// What the samples of a while say, in undilated microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// Half of the samples were later.
    pub p50_us: u64,
    /// One of a hundred samples was later.
    pub p99_us: u64,
    /// The latest.
    pub max_us: u64,
    /// How many there were.
    pub samples: u64,
}

impl Sampler {
    /// Starts to measure the runtime that this is called on.
    pub(crate) fn start() -> io::Result<Self> {
        let (samples, stop) = (Arc::<Samples>::default(), Arc::<Stop>::default());
        let runtime = Handle::current();
        thread::Builder::new().name("lag".to_owned()).spawn({
            let (samples, ended) = (Arc::clone(&samples), Arc::clone(&stop.ended));
            move || measure(&runtime, &samples, &ended)
        })?;
        Ok(Self { samples, stop })
    }

    /// A reader of the samples from now on.
    pub(crate) fn reader(&self) -> LagReader {
        let kept = self.samples.lock();
        let next = kept.before + kept.late_us.len() as u64;
        drop(kept);
        LagReader { samples: Arc::clone(&self.samples), _stop: Arc::clone(&self.stop), next }
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

fn measure(runtime: &Handle, samples: &Arc<Samples>, ended: &AtomicBool) {
    let mut due = Instant::now();
    while !ended.load(Ordering::Relaxed) {
        due += EVERY;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let samples = Arc::clone(samples);
        runtime.spawn(async move { samples.push(due.elapsed()) });
    }
}

impl Samples {
    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, late: Duration) {
        let mut kept = self.lock();
        if kept.late_us.len() == KEPT {
            kept.late_us.pop_front();
            kept.before += 1;
        }
        kept.late_us.push_back(u32::try_from(late.as_micros()).unwrap_or(u32::MAX));
    }
}

impl LagReader {
    /// What the samples say that came since this was last asked, in a network that runs `dilation`
    /// times slower than real time; none if there are none.
    pub fn read(&mut self, dilation: u32) -> Option<Lag> {
        let kept = self.samples.lock();
        let skip = usize::try_from(self.next.saturating_sub(kept.before)).unwrap_or(usize::MAX);
        let mut late: Vec<u32> = kept.late_us.iter().skip(skip).copied().collect();
        self.next = kept.before + kept.late_us.len() as u64;
        drop(kept);
        late.sort_unstable();
        let at = |rank: usize| u64::from(late.get(rank.saturating_sub(1)).copied().unwrap_or(0));
        let share = |percent: usize| at((late.len() * percent).div_ceil(100));
        let undilated = |us: u64| us / u64::from(dilation.max(1));
        (!late.is_empty()).then(|| Lag {
            p50_us: undilated(share(50)),
            p99_us: undilated(share(99)),
            max_us: undilated(at(late.len())),
            samples: late.len() as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader() -> LagReader {
        LagReader { samples: Arc::default(), _stop: Arc::default(), next: 0 }
    }

    fn push(reader: &LagReader, micros: impl IntoIterator<Item = u64>) {
        micros.into_iter().for_each(|us| reader.samples.push(Duration::from_micros(us)));
    }

    #[test]
    fn percentiles_are_those_of_the_samples_since_the_last_question() {
        let mut reader = reader();
        assert_eq!(reader.read(1), None);
        push(&reader, (1..=200).rev());
        let lag = reader.read(1);
        assert_eq!(lag, Some(Lag { p50_us: 100, p99_us: 198, max_us: 200, samples: 200 }));
        push(&reader, [7]);
        assert_eq!(reader.read(1), Some(Lag { p50_us: 7, p99_us: 7, max_us: 7, samples: 1 }));
        assert_eq!(reader.read(1), None);
    }

    #[test]
    fn who_does_not_read_for_long_finds_the_last_samples() {
        let mut reader = reader();
        push(&reader, std::iter::repeat_n(9_000, 10));
        push(&reader, std::iter::repeat_n(1, KEPT));
        let lag = reader.read(1).unwrap();
        assert_eq!((lag.max_us, lag.samples), (1, KEPT as u64));
    }

    #[test]
    fn lateness_is_told_in_undilated_time() {
        let mut reader = reader();
        push(&reader, [400]);
        assert_eq!(reader.read(4).unwrap().max_us, 100);
    }

    #[tokio::test]
    async fn who_reads_keeps_the_samples_coming() {
        let mut reader = Sampler::start().unwrap().reader();
        assert!(!reader._stop.ended.load(Ordering::Relaxed));
        let deadline = Instant::now() + Duration::from_secs(30);
        for _ in 0..3 {
            while reader.read(1).is_none() {
                assert!(Instant::now() < deadline, "no samples");
                tokio::task::yield_now().await;
            }
        }
        let ended = Arc::clone(&reader._stop.ended);
        drop(reader);
        assert!(ended.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn a_runtime_that_is_held_up_shows_in_many_samples() {
        let sampler = Sampler::start().unwrap();
        let mut reader = sampler.reader();
        // This runtime has one thread, and this is it.
        let busy = Instant::now();
        while busy.elapsed() < 20 * EVERY {
            std::hint::spin_loop();
        }
        let (mut late, deadline) = (Vec::new(), Instant::now() + Duration::from_secs(30));
        while late.iter().map(|lag: &Lag| lag.samples).sum::<u64>() < 20 {
            assert!(Instant::now() < deadline, "no samples");
            tokio::task::yield_now().await;
            late.extend(reader.read(1));
        }
        assert!(late.iter().any(|lag| lag.max_us >= 90_000), "{late:?}");
        assert!(late.iter().any(|lag| lag.samples >= 10), "{late:?}");
    }
}
