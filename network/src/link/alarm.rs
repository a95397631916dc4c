//! Waking a task at a moment, never early and as little late as the machine allows. The runtime's
//! own timer turns in steps of a millisecond, which is as much as a link within one city takes.
//!
//! One thread serves the process. It sleeps until the earliest alarm and is disturbed only by one
//! that is earlier still, so that a thousand connections cost it a thousand wake-ups and no more.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use futures::task::AtomicWaker;

use super::clock::{Clock, monotonic};

/// Alarms ring at multiples of this, so that those close to each other are one wake-up of the thread
/// and of the runtime's. With a hundred nodes in a process, waking for each frame would take more of the
/// processor than reading it. It makes a delivery an eighth of a millisecond late on average.
const GRID: Duration = Duration::from_micros(250);

/// One task's alarm. Setting it anew may leave an earlier setting in force, so a task may be woken
/// for nothing; it looks at the clock in any case.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    sleeper: Arc<AtomicWaker>,
    /// The last moment that was set, on the machine's clock.
    set: Option<Duration>,
}

impl Alarm {
    /// Has `waker` woken once `clock` shows `moment`.
    pub(super) fn set(&mut self, clock: Clock, moment: Duration, waker: &Waker) {
        let at = on_grid(clock.real(moment));
        self.sleeper.register(waker);
        // It may have rung between the caller's look at the clock and the line above; then the old
        // setting is of no use.
        if self.set == Some(at) && monotonic() < at {
            return;
        }
        self.set = Some(at);
        CLOCKWORK.add(Entry { at, sleeper: Arc::clone(&self.sleeper) });
    }
}

/// The first multiple of [`GRID`] that is not before `at`.
fn on_grid(at: Duration) -> Duration {
    let grid = GRID.as_micros() as u64;
    let micros = u64::try_from(at.as_nanos().div_ceil(1_000)).unwrap_or(u64::MAX);
    Duration::from_micros(micros.checked_next_multiple_of(grid).unwrap_or(u64::MAX))
}

static CLOCKWORK: LazyLock<Arc<Clockwork>> = LazyLock::new(|| {
    let clockwork = Arc::new(Clockwork::default());
    let shared = Arc::clone(&clockwork);
    std::thread::Builder::new()
        .name("link-alarms".to_owned())
        .spawn(move || shared.run())
        .expect("a process that can run a node can start one more thread");
    clockwork
});

#[derive(Debug, Default)]
struct Clockwork {
    /// The earliest on top.
    entries: Mutex<BinaryHeap<Reverse<Entry>>>,
    earlier: Condvar,
}

#[derive(Debug)]
struct Entry {
    at: Duration,
    sleeper: Arc<AtomicWaker>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

impl Clockwork {
    fn add(&self, entry: Entry) {
        let mut entries = self.lock();
        let disturbs = entries.peek().is_none_or(|Reverse(first)| entry.at < first.at);
        entries.push(Reverse(entry));
        drop(entries);
        if disturbs {
            self.earlier.notify_one();
        }
    }

    fn run(&self) {
        be_punctual();
        let mut due = Vec::new();
        let mut entries = self.lock();
        loop {
            let now = monotonic();
            while let Some(Reverse(entry)) = entries.peek()
                && entry.at <= now
            {
                due.extend(entries.pop());
            }
            if !due.is_empty() {
                // Whoever is woken may want to set its next alarm at once.
                drop(entries);
                for Reverse(entry) in due.drain(..) {
                    entry.sleeper.wake();
                }
                entries = self.lock();
                continue;
            }
            entries = match entries.peek().map(|Reverse(entry)| entry.at - now) {
                Some(rest) => {
                    self.earlier
                        .wait_timeout(entries, rest)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                None => self.earlier.wait(entries).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, BinaryHeap<Reverse<Entry>>> {
        // Nothing in here panics while it holds the lock.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Linux gathers wake-ups that are within 50 microseconds of each other unless a thread asks for
/// more (`man 2 prctl`, `PR_SET_TIMERSLACK`).
fn be_punctual() {
    #[cfg(target_os = "linux")]
    {
        // Where it is refused, alarms are late by those microseconds.
        let _ = rustix::thread::set_current_timer_slack(std::num::NonZero::new(1));
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;

    /// Waits for `moments` one after another and returns how late each came.
    async fn lateness(clock: Clock, moments: Vec<Duration>) -> Vec<Duration> {
        let mut alarm = Alarm::default();
        let mut late = Vec::new();
        for moment in moments {
            let woken = poll_fn(|cx| {
                let now = clock.now();
                if now >= moment {
                    return Poll::Ready(now);
                }
                alarm.set(clock, moment, cx.waker());
                Poll::Pending
            });
            late.push(woken.await - moment);
        }
        late
    }

    #[tokio::test]
    async fn an_alarm_rings_at_its_moment_whatever_else_is_set() {
        let clock = Clock::new(1);
        let start = clock.now();
        let at = |ms| start + Duration::from_millis(ms);
        let deadline = tokio::time::timeout(Duration::from_secs(20), async {
            tokio::join!(
                lateness(clock, vec![at(60), at(80)]),
                lateness(clock, (1..50).map(at).collect()),
                lateness(clock, vec![at(0)]),
            )
        });
        // That they end at all shows that none is forgotten; a subtraction below nought would panic.
        let (far, near, past) = deadline.await.unwrap();
        assert_eq!((far.len(), near.len(), past.len()), (2, 49, 1));
    }

    #[test]
    fn alarms_ring_on_a_grid_and_never_early() {
        let ns = Duration::from_nanos;
        assert_eq!(on_grid(ns(0)), ns(0));
        assert_eq!(on_grid(ns(1)), GRID);
        assert_eq!(on_grid(ns(250_000)), GRID);
        assert_eq!(on_grid(ns(250_001)), 2 * GRID);
        assert!(on_grid(Duration::MAX) >= Duration::from_secs(1 << 40));
    }
}
