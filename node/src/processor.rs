//! What the kernel says of the processor time of this process.

use rustix::time::{ClockId, clock_gettime};

/// The processor time that all threads of this process have taken, in seconds.
pub(crate) fn time_s() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
