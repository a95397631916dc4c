//! What this process takes: memory and processor time.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use tokio::time::interval;

use super::verdict::Usage;

/// How often memory is looked at.
const LOOKS: Duration = Duration::from_millis(200);

/// The time now, in microseconds since the Unix epoch.
pub(super) fn now_us() -> i64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(now.as_micros()).unwrap_or(i64::MAX)
}

/// Resident memory, in bytes; 0 where the system does not tell.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or_default() << 10
}

/// Processor time so far.
fn processor() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Watches the process for a while.
pub(super) struct Watch {
    since: Instant,
    processor: Duration,
    most: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Watch {
    pub(super) fn start() -> Self {
        let (most, over) = (Arc::new(AtomicU64::new(resident())), Arc::new(AtomicBool::new(false)));
        let (seen, ends) = (Arc::clone(&most), Arc::clone(&over));
        tokio::spawn(async move {
            let mut looks = interval(LOOKS);
            while !ends.load(Ordering::Relaxed) {
                looks.tick().await;
                seen.fetch_max(resident(), Ordering::Relaxed);
            }
        });
        Self { since: Instant::now(), processor: processor(), most, over }
    }

    /// What it took since the start.
    pub(super) fn read(self) -> Usage {
        self.over.store(true, Ordering::Relaxed);
        let spent = processor().saturating_sub(self.processor);
        Usage {
            memory: self.most.load(Ordering::Relaxed).max(resident()),
            processors: spent.as_secs_f64() / self.since.elapsed().as_secs_f64().max(0.001),
        }
    }
}
